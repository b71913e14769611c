#include "segment/bigrams.h"

#include "base/bytes.h"
#include "base/error.h"
#include "segment/part.h"

void bigram_name(char name[BIGRAM_NAME_BYTES], uint32_t first, uint32_t second)
{
	store32((uint8_t *)name, __builtin_bswap32(first));
	store32((uint8_t *)name + 4, __builtin_bswap32(second));
}

static int bad_root(struct snapshot *snapshot, uint32_t segment, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT,
	                 "%s is damaged: segment %u, root of the bigrams: %s; restore it or index again",
	                 store_path(snapshot_store(snapshot)), segment, what);
}

int bigram_lists_open(struct bigram_lists *bigrams, struct snapshot *snapshot, uint32_t segment,
                      uint64_t part_bytes[PART_COUNT], trawl_error *error)
{
	struct buffer *root = &bigrams->root;
	uint64_t used;
	int code = part_read_all(snapshot, segment, PART_BIGRAM_ROOT, root, error);
	if (code)
		return code;
	if (root->length < BIGRAM_ROOT_BYTES)
		return bad_root(snapshot, segment, "cut off", error);
	bigrams->count = load64(root->data);
	bigrams->postings_count = load64(root->data + 8);
	part_bytes[PART_BIGRAM_POSTINGS] = load64(root->data + 16);
	part_bytes[PART_BIGRAM_TERMS] = load64(root->data + 24);
	part_bytes[PART_BIGRAM_ROOT] = root->length;
	code = part_open(&bigrams->postings, snapshot, segment, PART_BIGRAM_POSTINGS, part_bytes[PART_BIGRAM_POSTINGS],
	                 error);
	if (!code)
		code =
		    terms_open(&bigrams->terms, snapshot, segment, PART_BIGRAM_TERMS, part_bytes[PART_BIGRAM_TERMS],
		               false, root->data + BIGRAM_ROOT_BYTES, root->length - BIGRAM_ROOT_BYTES, &used, error);
	if (!code && used != root->length - BIGRAM_ROOT_BYTES)
		code = bad_root(snapshot, segment, "more than it should be", error);
	return code;
}

void bigram_lists_release(struct bigram_lists *bigrams)
{
	terms_release(&bigrams->terms);
	part_release(&bigrams->postings);
	buffer_release(&bigrams->root);
}
