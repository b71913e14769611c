/*
 * encode.h - the terms of a segment, encoded by several threads.
 *
 * The terms are in ranges, one after the other in byte order. Workers encode ranges into memory, and the caller's thread
 * places them in order, so that the segment does not depend on the number of threads.
 */
#ifndef TRAWL_INDEXER_ENCODE_H
#define TRAWL_INDEXER_ENCODE_H

#include "indexer/run.h"
#include "indexer/work.h"
#include "indexer/workers.h"
#include "segment/segment_writer.h"

struct encode_settings {
	struct segment_writer *segment;
	struct workers *workers;
	unsigned threads;
	size_t memory;     /* a writer's budget: ranges are a small part of it */
	bool reordered;    /* `docs` are not ascending */
	struct work *work; /* of which this is a stage; may be NULL */
	double share;
};

/* Write the terms of a batch; of runs. `docs` as for batch_invert. */
int encode_batch(const struct encode_settings *settings, const struct batch *batch, const uint32_t *docs,
                 trawl_error *error);
int encode_runs(const struct encode_settings *settings, const struct run *runs, size_t count, const uint32_t *docs,
                trawl_error *error);

#endif
