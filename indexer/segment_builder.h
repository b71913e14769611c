/*
 * segment_builder.h - the segment that added documents become.
 *
 * A pipeline makes a batch of them; when memory is short, the batch is spilled as a run; at the end all of it is written.
 */
#ifndef TRAWL_INDEXER_SEGMENT_BUILDER_H
#define TRAWL_INDEXER_SEGMENT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "indexer/budget.h"
#include "indexer/estimate.h"
#include "indexer/incoming.h"
#include "indexer/pipeline.h"
#include "indexer/run.h"
#include "indexer/work.h"
#include "segment/segment_writer.h"

struct builder_settings {
	const struct budget *budget;
	struct workers *workers;
	unsigned threads;
	enum trawl_order order;
	struct work *work;               /* of which finishing is all stages; may be NULL */
	const struct manifest *manifest; /* for the flags and the analysis of the index; not kept */
};

/* Zero-initialised has nothing to release. */
struct segment_builder {
	struct builder_settings settings;
	uint32_t flags;
	struct store_batch *output;     /* where the segment goes; borrowed, and so is the next */
	const char *path;               /* of the index: runs are beside it */
	struct segment_writer *segment; /* NULL: no document yet */
	struct uncommitted documents;
	struct pipeline *pipeline;
	struct batch batch;
	struct run *runs;
	size_t run_count, run_capacity;
	uint64_t runs_written; /* of all segments */
};

int segment_builder_init(struct segment_builder *builder, const struct builder_settings *settings, trawl_error *error);
void segment_builder_release(struct segment_builder *builder);

/* Drop all documents. */
void segment_builder_reset(struct segment_builder *builder);

/* Add a document, whose id has this slot in `documents`. `number`: of the segment, should it be the first. */
int segment_builder_add(struct segment_builder *builder, uint32_t number, const struct incoming *incoming,
                        uint32_t *slot, trawl_error *error);

/* Whether the budget is used up, with `elsewhere` bytes that others hold or are about to need, and spilling would help. */
bool segment_builder_is_full(struct segment_builder *builder, size_t elsewhere);

/* Write what is in memory to a run. */
int segment_builder_spill(struct segment_builder *builder, trawl_error *error);

/* What finishing would cost, with `more` documents. */
struct stage_costs segment_builder_costs(const struct segment_builder *builder, uint64_t more);

/* Write the segment, which has a live document at least. Then it is to be reset. */
int segment_builder_finish(struct segment_builder *builder, struct manifest_segment *summary, trawl_error *error);

#endif
