/* near.h - words and phrases within a distance of each other (NODE_NEAR): how often they stand so in documents that have all words. */
#ifndef TRAWL_SEARCHER_NEAR_H
#define TRAWL_SEARCHER_NEAR_H

#include "query/plan.h"
#include "searcher/context.h"
#include "searcher/leaf.h"

/* What is looked at. */
struct near_source {
	const struct plan_node *node;
	struct segment *segment;
	size_t number; /* of the segment */
	const uint64_t
	    *documents; /* that have all words and count: a bit a docID, as many as the segment has documents */
};

/* The matches as a sparse leaf, LEAF_EMPTY where there are none, from `context->arena`. The phrase arena is reset. */
int near_open(struct leaf *leaf, const struct near_source *source, struct context *context);

#endif
