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

/* Permute `order`, the ordinals of `count` documents of the batch. Deterministic. TRAWL_ENOMEM. */
int reorder_documents(const struct batch *batch, uint32_t *order, uint32_t count, trawl_error *error);

#endif
