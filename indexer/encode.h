/*
 * encode.h - the terms of a segment, encoded by several threads.
 *
 * The terms are in ranges, one after the other in byte order. Workers encode ranges into memory, and the caller's thread
 * places them in order, so that the segment does not depend on the number of threads.
 */
#ifndef TRAWL_INDEXER_ENCODE_H
#define TRAWL_INDEXER_ENCODE_H

#include "indexer/batch.h"
#include "indexer/workers.h"
#include "store/segment.h"

#define RANGE_BYTES_MOST ((size_t)512 << 10)

struct term_ranges {
	const void *source;
	size_t count;
	/* Any thread: hand the terms of a range over. */
	int (*run)(const void *source, size_t range, const struct term_sink *sink, trawl_error *error);
	/* Whether a range had better be encoded where it is placed, because it would take too much memory. */
	bool (*is_large)(const void *source, size_t range);
};

int encode_terms(struct segment_writer *segment, const struct term_ranges *ranges, struct workers *workers,
                 unsigned threads, trawl_error *error);

#endif
