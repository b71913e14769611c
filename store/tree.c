/*
 * tree.c - read LMDB's pages as bytes and check what LMDB takes for granted.
 *
 * LMDB 0.9 on a 64-bit machine, pages of 4 KiB:
 *   page      u64 number, u16 pad, u16 flags, u16 lower, u16 upper (an overflow page: u32 count of pages instead)
 *             then u16 offsets of nodes, up to `lower`; the nodes stand from `upper` on
 *   node      u16 low, u16 high, u16 flags, u16 key length, key; then in a leaf low | high << 16 bytes of data, or the u64
 *             number of the first overflow page that has them; in a branch low | high << 16 | flags << 32 is the child
 *   meta page page header, u32 magic, u32 version, u64 address, u64 map size, two trees, u64 last page, u64 transaction
 *   tree      u32 page size (of the first, the free list), u16 flags, u16 depth, 3 u64 counts of pages, u64 entries,
 *             u64 root (all ones: empty)
 */
#include "store/tree.h"

#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

enum {
	PAGE_BYTES = 4096,
	PAGE_HEADER = 16,
	PAGE_BRANCH = 1,
	PAGE_LEAF = 2,
	PAGE_OVERFLOW = 4,
	PAGE_META = 8,
	NODE_HEADER = 8,
	NODE_BIG = 1,
	META_TREES = PAGE_HEADER + 24,
	TREE_BYTES = 48,
	TREE_ROOT = 40,
	META_LAST = META_TREES + 2 * TREE_BYTES,
	META_TRANSACTION = META_LAST + 8,
	META_END = META_TRANSACTION + 8,
	DEPTH_MAX = 32
};

#define META_MAGIC 0xBEEFC0DEu

struct walk {
	int file;
	const char *path;
	trawl_error *error;
	uint64_t last_page;
	uint64_t budget; /* pages that may still be met: fewer than there are, or something is met twice */
	uint8_t *pages;  /* one for each level */
};

static int damaged(const char *path, uint64_t page, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT, "%s is damaged: page %llu: %s; restore it or index again", path,
	                 (unsigned long long)page, what);
}

static int read_page(int file, const char *path, uint64_t number, uint8_t *page, trawl_error *error)
{
	size_t done = 0;
	while (done < PAGE_BYTES) {
		ssize_t got = pread(file, page + done, PAGE_BYTES - done, (off_t)(number * PAGE_BYTES + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_system(error, errno, "reading %s", path);
		if (got == 0)
			return damaged(path, number, "cut off", error);
		done += (size_t)got;
	}
	return 0;
}

int tree_check_meta(int file, const char *path, trawl_error *error)
{
	uint8_t page[PAGE_BYTES];
	for (uint64_t number = 0; number < 2; number++) {
		int code = read_page(file, path, number, page, error);
		if (code)
			return code;
		if (load32(page + PAGE_HEADER) != META_MAGIC)
			return number == 0 ? error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", path)
			                   : damaged(path, number, "not a meta page", error);
		if (!(load16(page + 10) & PAGE_META))
			return damaged(path, number, "not a meta page", error);
		if (load32(page + META_TREES) != PAGE_BYTES)
			return damaged(path, number, "pages of another size", error);
	}
	return 0;
}

static int check_overflow(struct walk *walk, uint64_t number, uint64_t data_bytes)
{
	uint8_t page[PAGE_BYTES];
	uint64_t count = (PAGE_HEADER + data_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	if (number < 2 || number > walk->last_page || count > walk->last_page - number + 1 || count > walk->budget)
		return damaged(walk->path, number, "a value outside of the file", walk->error);
	walk->budget -= count;
	int code = read_page(walk->file, walk->path, number, page, walk->error);
	if (code)
		return code;
	if (load64(page) != number || load16(page + 10) != PAGE_OVERFLOW || load32(page + 12) != count)
		return damaged(walk->path, number, "not the value it should be", walk->error);
	return 0;
}

static int check_leaf_node(struct walk *walk, uint64_t number, const uint8_t *node, size_t room)
{
	uint64_t data_bytes = load16(node) | (uint64_t)load16(node + 2) << 16;
	size_t flags = load16(node + 4), key_bytes = load16(node + 6);
	size_t held = flags & NODE_BIG ? 8 : data_bytes;
	if (flags & ~(size_t)NODE_BIG || key_bytes > room - NODE_HEADER || held > room - NODE_HEADER - key_bytes)
		return damaged(walk->path, number, "a node that reaches out of its page", walk->error);
	return flags & NODE_BIG ? check_overflow(walk, load64(node + NODE_HEADER + key_bytes), data_bytes) : 0;
}

/* `keys`: of this many bytes, all of them. */
static int check_page(struct walk *walk, uint64_t number, unsigned depth, size_t keys)
{
	if (number < 2 || number > walk->last_page || walk->budget == 0)
		return damaged(walk->path, number, "outside of the file, or met twice", walk->error);
	walk->budget--;
	uint8_t *page = walk->pages + (size_t)(depth - 1) * PAGE_BYTES;
	int code = read_page(walk->file, walk->path, number, page, walk->error);
	if (code)
		return code;
	unsigned lower = load16(page + 12), upper = load16(page + 14);
	if (load64(page) != number || load16(page + 10) != (depth > 1 ? PAGE_BRANCH : PAGE_LEAF))
		return damaged(walk->path, number, "not the page it should be", walk->error);
	if (lower < PAGE_HEADER + 2 || lower % 2 || lower > upper || upper > PAGE_BYTES ||
	    (depth > 1 && lower < PAGE_HEADER + 4))
		return damaged(walk->path, number, "its nodes make no sense", walk->error);
	for (unsigned at = PAGE_HEADER; at < lower && !code; at += 2) {
		unsigned offset = load16(page + at);
		if (offset < upper || offset > PAGE_BYTES - NODE_HEADER)
			return damaged(walk->path, number, "a node outside of its page", walk->error);
		const uint8_t *node = page + offset;
		size_t key_bytes = load16(node + 6);
		bool first_branch = depth > 1 && at == PAGE_HEADER; /* its key stands for everything smaller */
		if (key_bytes != keys && !(first_branch && key_bytes <= keys))
			return damaged(walk->path, number, "a key of another length", walk->error);
		if (key_bytes > PAGE_BYTES - offset - NODE_HEADER)
			return damaged(walk->path, number, "a key that reaches out of its page", walk->error);
		if (depth == 1)
			code = check_leaf_node(walk, number, node, PAGE_BYTES - offset);
		else
			code = check_page(
			    walk, load16(node) | (uint64_t)load16(node + 2) << 16 | (uint64_t)load16(node + 4) << 32,
			    depth - 1, keys);
	}
	return code;
}

static int check_tree(struct walk *walk, const uint8_t *tree, size_t keys)
{
	uint64_t root = load64(tree + TREE_ROOT);
	unsigned depth = load16(tree + 6);
	if (root == UINT64_MAX)
		return 0;
	if (depth < 1 || depth > DEPTH_MAX)
		return damaged(walk->path, root, "a tree too deep", walk->error);
	return check_page(walk, root, depth, keys);
}

int tree_check(int file, const char *path, uint64_t transaction, trawl_error *error)
{
	uint8_t meta[PAGE_BYTES];
	int code = 0;
	for (uint64_t number = 0; number < 2; number++) {
		code = read_page(file, path, number, meta, error);
		if (code)
			return code;
		if (load64(meta + META_TRANSACTION) == transaction)
			break;
		if (number == 1)
			return error_set(error, TRAWL_ENOTFOUND, "%s has gone on to another commit", path);
	}
	struct walk walk = {.file = file, .path = path, .error = error, .last_page = load64(meta + META_LAST)};
	walk.budget = walk.last_page + 1;
	walk.pages = memory_new((size_t)DEPTH_MAX * PAGE_BYTES);
	if (!walk.pages)
		return error_set_memory(error);
	code = check_tree(&walk, meta + META_TREES, 8); /* the free list: transaction numbers */
	if (!code)
		code = check_tree(&walk, meta + META_TREES + TREE_BYTES, 12);
	memory_free(walk.pages);
	return code;
}
