/*
 * reorder.h - an order of documents in which similar ones are neighbours.
 *
 * Recursive graph bisection (Dhulipala, Kabiljo, Karrer, Ottaviano, Pupyrev, Shalita: "Compressing Graphs and Indexes with
 * Recursive Graph Bisection", KDD 2016; Mackenzie, Petri, Moffat: "Faster Index Reordering with Bipartite Graph Partitioning", SIGIR 2021).
 * Lists become clustered: they compress better, and bounds of ranges and superblocks become tighter.
 */
#ifndef TRAWL_INDEXER_REORDER_H
#define TRAWL_INDEXER_REORDER_H

#include "indexer/run.h"

/* Documents to reorder: those of the runs, or where there are none those of the batch. */
struct unordered {
	const struct batch *batch;
	const struct run *runs;
	size_t run_count;
	size_t memory; /* bytes for the graph: when it takes more, the order stays */
};

/* Permute `order`, the ordinals of `count` documents, and `docs`, where each ordinal stands in it or DOCUMENT_NONE; *moved: whether
 * that was done. It follows from the documents and unordered.memory alone, spilled or not. TRAWL_ENOMEM. */
int reorder_documents(const struct unordered *unordered, uint32_t *docs, uint32_t *order, uint32_t count, bool *moved,
                      trawl_error *error);

/* Their lists, with docIDs in any order. */
int reordered_lists(const struct unordered *unordered, const uint32_t *docs, const struct term_sink *sink,
                    trawl_error *error);

#endif
