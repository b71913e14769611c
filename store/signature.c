#include "store/signature.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "store/page.h"

static bool read_at(int file, uint64_t offset, uint8_t *into, size_t length)
{
	return file_read_at(file, into, length, offset) == (int64_t)length;
}

/* The first entry of the tree is the manifest. Follow the first node of each page to its header; false: there is none, or it
 * cannot be followed. */
static bool find_manifest(int file, const uint8_t *meta, size_t page_bytes, uint8_t header[EXTENT_HEADER])
{
	static const uint8_t key[KEY_BYTES];
	uint8_t bytes[PAGE_BYTES_MOST];
	uint64_t page = load64(meta + META_TREE + TREE_ROOT);
	unsigned depth = load16(meta + META_TREE + TREE_DEPTH);
	if (!depth)
		return false;
	for (;; depth--) {
		/* Twice: what could not be read has not the page's number. */
		if (page > INT64_MAX / page_bytes || !read_at(file, page * page_bytes, bytes, page_bytes))
			return false;
		size_t at = load16(bytes + PAGE_HEADER), least = depth > 1 ? NODE_HEADER : NODE_HEADER + KEY_BYTES + 8;
		if (load64(bytes) != page || load16(bytes + 10) != (depth > 1 ? PAGE_BRANCH : PAGE_LEAF) ||
		    at > page_bytes - least)
			return false;
		const uint8_t *node = bytes + at, *value = node + NODE_HEADER + KEY_BYTES;
		if (depth > 1) {
			page = load16(node) | (uint64_t)load16(node + 2) << 16 | (uint64_t)load16(node + 4) << 32;
			continue;
		}
		if (load16(node + 6) != KEY_BYTES || memcmp(node + NODE_HEADER, key, KEY_BYTES) != 0)
			return false;
		uint64_t place = page * page_bytes + at + NODE_HEADER + KEY_BYTES;
		if (load16(node + 4) & NODE_BIG) {
			page = load64(value);
			if (page > INT64_MAX / page_bytes)
				return false;
			place = page * page_bytes + PAGE_HEADER;
		}
		return read_at(file, place, header, EXTENT_HEADER) && load32(header) == EXTENT_MAGIC;
	}
}

/* The copy that a compaction makes has one tree, and two meta pages that lead to it: the older one may. */
static bool is_twin(const uint8_t *meta, const uint8_t *other)
{
	return load64(meta + META_TRANSACTION) < load64(other + META_TRANSACTION) &&
	       memcmp(meta + META_TREES, other + META_TREES, META_TRANSACTION - META_TREES) == 0;
}

bool signature_find(int file, const uint8_t *meta, size_t page_bytes, uint64_t *signature)
{
	uint8_t header[EXTENT_HEADER];
	bool found = find_manifest(file, meta, page_bytes, header);
	if (found)
		*signature = load64(header + EXTENT_SIGNATURE);
	return found;
}

int signature_check(int file, const char *path, trawl_error *error)
{
	uint8_t metas[2][META_END], header[EXTENT_HEADER];
	size_t page_bytes = 0;
	for (int tries = 0; tries < 3; tries++) {
		if (tries)
			usleep(1000); /* a writer may be within a meta page */
		if (!read_at(file, 0, metas[0], META_END))
			return 0;
		page_bytes = load32(metas[0] + META_TREES);
		if (page_bytes < PAGE_BYTES_LEAST || page_bytes > PAGE_BYTES_MOST ||
		    !read_at(file, page_bytes, metas[1], META_END))
			return 0;
		int wrong = -1;
		for (int i = 0; i < 2; i++)
			if (find_manifest(file, metas[i], page_bytes, header) && !is_twin(metas[i], metas[1 - i]) &&
			    !signature_fits(load64(header + EXTENT_SIGNATURE), load64(metas[i] + META_TRANSACTION)))
				wrong = i;
		if (wrong < 0)
			return 0;
		/* A writer may have gone on, and used the pages of an older commit again. */
		uint8_t again[META_END];
		if (read_at(file, (uint64_t)wrong * page_bytes, again, META_END) &&
		    memcmp(again, metas[wrong], META_END) == 0)
			return error_set(
			    error, TRAWL_ECORRUPT,
			    "%s is damaged: page %d: it names another commit than it leads to; restore it or "
			    "index again",
			    path, wrong);
	}
	return 0;
}
