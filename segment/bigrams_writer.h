/* bigrams_writer.h - the bigram lists of a segment whose terms are all written; they go to parts of their own. */
#ifndef TRAWL_SEGMENT_BIGRAMS_WRITER_H
#define TRAWL_SEGMENT_BIGRAMS_WRITER_H

#include "segment/bigrams.h"
#include "segment/segment_writer.h"

struct bigrams_writer {
	const struct segment_writer *segment;
	struct part_writer postings_part;
	struct postings_encoder encoder;
	struct terms_writer terms;
	uint64_t postings_count;
};

int bigrams_writer_init(struct bigrams_writer *writer, const struct segment_writer *segment, trawl_error *error);
int bigrams_writer_add(struct bigrams_writer *writer, const char name[BIGRAM_NAME_BYTES], const uint32_t *docs,
                       const uint32_t *tfs, uint32_t df, trawl_error *error);
int bigrams_writer_finish(struct bigrams_writer *writer, trawl_error *error);
void bigrams_writer_release(struct bigrams_writer *writer);

#endif
