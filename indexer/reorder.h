/*
 * reorder.h - the documents of a commit in an order in which similar ones are neighbours, and their lists in that order.
 *
 * Lists become clustered: they compress better, and bounds of ranges and superblocks become tighter.
 */
#ifndef TRAWL_INDEXER_REORDER_H
#define TRAWL_INDEXER_REORDER_H

#include "indexer/graph.h"

#define REORDER_LEAST                                                                                                  \
	65536 /* documents of a commit that are worth it unasked: fewer are searched quickly in any order */

static inline bool reorder_wanted(enum trawl_order order, uint32_t documents)
{
	return order == TRAWL_ORDER_SIMILAR || (order == TRAWL_ORDER_AUTO && documents >= REORDER_LEAST);
}

/* Of the budget, for reordering: batches leave it free, so that the order does not depend on what spilled. */
static inline size_t reorder_memory(enum trawl_order order, size_t budget)
{
	return order == TRAWL_ORDER_INPUT ? 0 : budget / 4;
}

/* Permute `order`, the ordinals of `count` documents, and `docs`, where each ordinal stands in it or DOCUMENT_NONE; *moved: whether
 * that was done: a few documents stay, and so do all where there is no memory for terms. It follows from the documents and
 * unordered.memory alone, spilled or not. TRAWL_ENOMEM. */
int reorder_documents(const struct unordered *unordered, uint32_t *docs, uint32_t *order, uint32_t count, bool *moved,
                      trawl_error *error);

/* The lists of the runs in the new order; a batch's are inverted in any order. */
int reordered_runs(const struct unordered *unordered, const uint32_t *docs, const struct term_sink *sink,
                   trawl_error *error);

#endif
