#include "segment/pairs.h"

#include "base/bytes.h"
#include "base/error.h"
#include "segment/part.h"

void pair_name(char name[PAIR_NAME_BYTES], uint32_t first, uint32_t second)
{
	store32((uint8_t *)name, __builtin_bswap32(first));
	store32((uint8_t *)name + 4, __builtin_bswap32(second));
}

static int bad_root(struct snapshot *snapshot, uint32_t segment, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT,
	                 "%s is damaged: segment %u, root of the pairs: %s; restore it or index again",
	                 store_path(snapshot_store(snapshot)), segment, what);
}

int pair_lists_open(struct pair_lists *pairs, struct snapshot *snapshot, uint32_t segment,
                    uint64_t part_bytes[PART_COUNT], trawl_error *error)
{
	struct buffer *root = &pairs->root;
	uint64_t used;
	int code = part_read_all(snapshot, segment, PART_PAIR_ROOT, root, error);
	if (code)
		return code;
	if (root->length < PAIR_ROOT_BYTES)
		return bad_root(snapshot, segment, "cut off", error);
	pairs->count = load64(root->data);
	pairs->postings_count = load64(root->data + 8);
	part_bytes[PART_PAIR_POSTINGS] = load64(root->data + 16);
	part_bytes[PART_PAIR_TERMS] = load64(root->data + 24);
	part_bytes[PART_PAIR_ROOT] = root->length;
	code =
	    part_open(&pairs->postings, snapshot, segment, PART_PAIR_POSTINGS, part_bytes[PART_PAIR_POSTINGS], error);
	if (!code)
		code = terms_open(&pairs->terms, snapshot, segment, PART_PAIR_TERMS, part_bytes[PART_PAIR_TERMS], false,
		                  root->data + PAIR_ROOT_BYTES, root->length - PAIR_ROOT_BYTES, &used, error);
	if (!code && used != root->length - PAIR_ROOT_BYTES)
		code = bad_root(snapshot, segment, "more than it should be", error);
	return code;
}

void pair_lists_release(struct pair_lists *pairs)
{
	terms_release(&pairs->terms);
	part_release(&pairs->postings);
	buffer_release(&pairs->root);
}
