/* pairs_writer.h - the pair lists of a segment whose terms are all written; they go to parts of their own. */
#ifndef TRAWL_SEGMENT_PAIRS_WRITER_H
#define TRAWL_SEGMENT_PAIRS_WRITER_H

#include "segment/pairs.h"
#include "segment/segment_writer.h"

struct pairs_writer {
	const struct segment_writer *segment;
	struct part_writer postings_part;
	struct postings_encoder encoder;
	struct terms_writer terms;
	uint64_t postings_count;
};

int pairs_writer_init(struct pairs_writer *writer, const struct segment_writer *segment, trawl_error *error);
int pairs_writer_add(struct pairs_writer *writer, const char name[PAIR_NAME_BYTES], const uint32_t *docs,
                     const uint32_t *tfs, uint32_t df, trawl_error *error);
int pairs_writer_finish(struct pairs_writer *writer, trawl_error *error);
void pairs_writer_release(struct pairs_writer *writer);

#endif
