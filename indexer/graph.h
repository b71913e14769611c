/*
 * graph.h - which terms the documents of a batch or of runs have, for those terms that tell which documents are similar.
 */
#ifndef TRAWL_INDEXER_GRAPH_H
#define TRAWL_INDEXER_GRAPH_H

#include "indexer/bisect.h"
#include "indexer/run.h"

/* Documents to reorder: those of the runs, or where there are none those of the batch. */
struct unordered {
	const struct batch *batch;
	const struct run *runs;
	size_t run_count;
	size_t memory; /* bytes for reordering */
	struct workers *workers;
	unsigned threads;
	struct work *work; /* of which ordering is a stage; may be NULL */
	double share;
};

/* docs[ordinal]: below `count`, or DOCUMENT_NONE. Where memory does not suffice for all terms wanted, the most frequent are left
 * out. What the graph says is the same, spilled or not; its numbers of terms are not. TRAWL_ENOMEM. */
int graph_build(struct graph *graph, const struct unordered *unordered, const uint32_t *docs, uint32_t count,
                trawl_error *error);

#endif
