/* pairs.c - the pair lists of a segment: parts 15 to 17 of docs/FORMAT.md. */
#include "base/bytes.h"
#include "base/error.h"
#include "segment/segment.h"

#define PAIR_ROOT_FIXED 32

void pair_name(char name[PAIR_NAME_BYTES], uint32_t first, uint32_t second)
{
	store32((uint8_t *)name, __builtin_bswap32(first));
	store32((uint8_t *)name + 4, __builtin_bswap32(second));
}

/* ---- reading ---- */

static int bad_pairs(const struct segment *segment, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT,
	                 "%s is damaged: segment %u, root of the pairs: %s; restore it or index again",
	                 store_path(snapshot_store(segment->snapshot)), segment->summary.number, what);
}

int segment_open_pairs(struct segment *segment, trawl_error *error)
{
	struct buffer *root = &segment->pair_root;
	uint32_t number = segment->summary.number;
	uint64_t *bytes = segment->part_bytes, used;
	int code = segment_read_part(segment->snapshot, number, PART_PAIR_ROOT, root, error);
	if (code)
		return code;
	if (root->length < PAIR_ROOT_FIXED)
		return bad_pairs(segment, "cut off", error);
	segment->pair_count = load64(root->data);
	segment->pair_postings_count = load64(root->data + 8);
	bytes[PART_PAIR_POSTINGS] = load64(root->data + 16);
	bytes[PART_PAIR_TERMS] = load64(root->data + 24);
	bytes[PART_PAIR_ROOT] = root->length;
	code = part_open(&segment->pair_postings, segment->snapshot, number, PART_PAIR_POSTINGS,
	                 bytes[PART_PAIR_POSTINGS], error);
	if (!code)
		code = terms_open(&segment->pairs, segment->snapshot, number, PART_PAIR_TERMS, bytes[PART_PAIR_TERMS],
		                  false, root->data + PAIR_ROOT_FIXED, root->length - PAIR_ROOT_FIXED, &used, error);
	if (!code && used != root->length - PAIR_ROOT_FIXED)
		code = bad_pairs(segment, "more than it should be", error);
	return code;
}

void segment_close_pairs(struct segment *segment)
{
	terms_release(&segment->pairs);
	part_release(&segment->pair_postings);
	buffer_release(&segment->pair_root);
}

int segment_find_pair(struct segment *segment, const struct term_entry *first, const struct term_entry *second,
                      struct term_entry *pair, trawl_error *error)
{
	char name[PAIR_NAME_BYTES];
	if (!first->df || !second->df)
		return PAIR_ABSENT;
	if (!segment->has_pairs || !pair_is_listed(first->df, second->df, segment->documents_count))
		return PAIR_UNLISTED;
	pair_name(name, (uint32_t)first->number, (uint32_t)second->number);
	int found = terms_find(&segment->pairs, name, sizeof name, pair, error);
	return found < 0 ? found : found ? PAIR_FOUND : PAIR_ABSENT;
}

/* ---- writing ---- */

int pairs_writer_init(struct pairs_writer *writer, const struct segment_writer *segment, trawl_error *error)
{
	*writer = (struct pairs_writer){.segment = segment};
	int code = part_writer_init(&writer->postings_part, segment->batch, segment->number, PART_PAIR_POSTINGS, error);
	if (!code)
		code =
		    terms_writer_init(&writer->terms, segment->batch, segment->number, PART_PAIR_TERMS, false, error);
	writer->encoder.postings = &writer->postings_part;
	writer->encoder.lengths = writer->encoder.spans = segment->lengths;
	writer->encoder.documents = segment->documents;
	bm25_denominators(BORN_K1, BORN_B, segment->average, writer->encoder.denominators);
	return code;
}

int pairs_writer_add(struct pairs_writer *writer, const char name[PAIR_NAME_BYTES], const uint32_t *docs,
                     const uint32_t *tfs, uint32_t df, trawl_error *error)
{
	struct term_entry entry = {.df = df, .doc = docs[0], .tf = tfs[0]};
	int code = df > 1 ? postings_encode(&writer->encoder, docs, tfs, df, NULL, &entry.place, error) : 0;
	writer->postings_count += df;
	return code ? code : terms_writer_add(&writer->terms, name, PAIR_NAME_BYTES, &entry, error);
}

int pairs_writer_finish(struct pairs_writer *writer, trawl_error *error)
{
	const struct segment_writer *segment = writer->segment;
	struct buffer root = {0};
	uint8_t fixed[PAIR_ROOT_FIXED];
	int code = part_writer_finish(&writer->postings_part, error);
	if (!code)
		code = terms_writer_finish(&writer->terms, error);
	if (code)
		return code;
	store64(fixed, writer->terms.terms);
	store64(fixed + 8, writer->postings_count);
	store64(fixed + 16, writer->postings_part.address);
	store64(fixed + 24, writer->terms.part.address);
	code = buffer_append(&root, fixed, sizeof fixed) &&
	               buffer_append(&root, writer->terms.first_terms.data, writer->terms.first_terms.length)
	           ? segment_write_part(segment->batch, segment->number, PART_PAIR_ROOT, root.data, root.length, error)
	           : error_set_memory(error);
	buffer_release(&root);
	return code;
}

void pairs_writer_release(struct pairs_writer *writer)
{
	part_writer_release(&writer->postings_part);
	postings_encoder_release(&writer->encoder);
	terms_writer_release(&writer->terms);
}
