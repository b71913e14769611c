/*
 * reorder.h - an order of documents in which similar ones are neighbours.
 *
 * Recursive graph bisection (Dhulipala, Kabiljo, Karrer, Ottaviano, Pupyrev, Shalita: "Compressing Graphs and Indexes with
 * Recursive Graph Bisection", KDD 2016; Mackenzie, Petri, Moffat: "Faster Index Reordering with Bipartite Graph Partitioning", SIGIR 2021).
 * Lists become clustered: they compress better, and bounds of ranges and superblocks become tighter.
 */
#ifndef TRAWL_INDEXER_REORDER_H
#define TRAWL_INDEXER_REORDER_H

#include "indexer/batch.h"

/* Permute `order`, the ordinals of `count` documents of the batch, and `docs`, where each ordinal stands in it or
 * DOCUMENT_NONE. Deterministic. TRAWL_ENOMEM. */
int reorder_documents(const struct batch *batch, uint32_t *docs, uint32_t *order, uint32_t count, trawl_error *error);

/* batch_invert with docIDs in any order. */
int batch_invert_reordered(const struct batch *batch, const uint32_t *docs, const struct term_sink *sink,
                           trawl_error *error);

#endif
