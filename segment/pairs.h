/* pairs.h - the lists of frequent word pairs of a segment (docs/FORMAT.md, parts 15 to 17). */
#ifndef TRAWL_SEGMENT_PAIRS_H
#define TRAWL_SEGMENT_PAIRS_H

#include <stdint.h>

#include "base/memory.h"
#include "segment/format.h"
#include "segment/terms.h"
#include "store/store.h"

#define PAIR_ROOT_BYTES 32 /* before the first terms */

/* A pair's name in its dictionary: the numbers of its terms, big-endian. */
#define PAIR_NAME_BYTES 8
void pair_name(char name[PAIR_NAME_BYTES], uint32_t first, uint32_t second);

/* A pair list has the documents where one term stands right before another (tf: how often). */
struct pair_lists {
	struct terms terms;
	struct part postings;
	struct buffer root;
	uint64_t count, postings_count;
};

/* Open those of a segment, and note the bytes of their parts. */
int pair_lists_open(struct pair_lists *pairs, struct snapshot *snapshot, uint32_t segment,
                    uint64_t part_bytes[PART_COUNT], trawl_error *error);
void pair_lists_release(struct pair_lists *pairs);

/* What is known of a pair of two terms of one segment. */
enum pair_state {
	PAIR_ABSENT, /* they stand so nowhere */
	PAIR_FOUND,
	PAIR_UNLISTED /* too rare for a list, or the segment has none */
};

#endif
