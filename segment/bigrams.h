/* bigrams.h - the lists of frequent bigrams of a segment (docs/FORMAT.md, parts 15 to 17). */
#ifndef TRAWL_SEGMENT_BIGRAMS_H
#define TRAWL_SEGMENT_BIGRAMS_H

#include <stdint.h>

#include "base/memory.h"
#include "segment/format.h"
#include "segment/terms.h"
#include "store/store.h"

#define BIGRAM_ROOT_BYTES 32 /* before the first terms */

/* A bigram's name in its dictionary: the numbers of its terms, big-endian. */
#define BIGRAM_NAME_BYTES 8
void bigram_name(char name[BIGRAM_NAME_BYTES], uint32_t first, uint32_t second);

/* A bigram list has the documents where one term stands right before another (tf: how often). */
struct bigram_lists {
	struct terms terms;
	struct part postings;
	struct buffer root;
	uint64_t count, postings_count;
};

/* Open those of a segment, and note the bytes of their parts. */
int bigram_lists_open(struct bigram_lists *bigrams, struct snapshot *snapshot, uint32_t segment,
                      uint64_t part_bytes[PART_COUNT], trawl_error *error);
void bigram_lists_release(struct bigram_lists *bigrams);

/* What is known of a bigram of two terms of one segment. */
enum bigram_state {
	BIGRAM_ABSENT, /* they stand so nowhere */
	BIGRAM_FOUND,
	BIGRAM_UNLISTED /* too rare for a list, or the segment has none */
};

#endif
