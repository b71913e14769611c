#include "segment/bigrams_writer.h"

#include "base/bytes.h"
#include "base/error.h"
#include "segment/part.h"

int bigrams_writer_init(struct bigrams_writer *writer, const struct segment_writer *segment, trawl_error *error)
{
	*writer = (struct bigrams_writer){.segment = segment};
	int code =
	    part_writer_init(&writer->postings_part, segment->batch, segment->number, PART_BIGRAM_POSTINGS, error);
	if (!code)
		code =
		    terms_writer_init(&writer->terms, segment->batch, segment->number, PART_BIGRAM_TERMS, false, error);
	writer->encoder.postings = &writer->postings_part;
	writer->encoder.lengths = writer->encoder.last_positions = segment->lengths;
	writer->encoder.documents = segment->documents;
	bm25_denominators(BUILD_K1, BUILD_B, segment->average, writer->encoder.denominators);
	return code;
}

int bigrams_writer_add(struct bigrams_writer *writer, const char name[BIGRAM_NAME_BYTES], const uint32_t *docs,
                       const uint32_t *tfs, uint32_t df, trawl_error *error)
{
	struct term_entry entry = {.df = df, .doc = docs[0], .tf = tfs[0]};
	int code = df > 1 ? postings_encode(&writer->encoder, docs, tfs, df, NULL, &entry.place, error) : 0;
	writer->postings_count += df;
	return code ? code : terms_writer_add(&writer->terms, name, BIGRAM_NAME_BYTES, &entry, error);
}

int bigrams_writer_finish(struct bigrams_writer *writer, trawl_error *error)
{
	const struct segment_writer *segment = writer->segment;
	struct buffer root = {0};
	uint8_t fixed[BIGRAM_ROOT_BYTES];
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
	           ? part_write(segment->batch, segment->number, PART_BIGRAM_ROOT, root.data, root.length, error)
	           : error_set_memory(error);
	buffer_release(&root);
	return code;
}

void bigrams_writer_release(struct bigrams_writer *writer)
{
	part_writer_release(&writer->postings_part);
	postings_encoder_release(&writer->encoder);
	terms_writer_release(&writer->terms);
}
