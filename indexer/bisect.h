/*
 * bisect.h - recursive graph bisection: an order of documents in which those that share terms are neighbours.
 *
 * Dhulipala, Kabiljo, Karrer, Ottaviano, Pupyrev, Shalita: "Compressing Graphs and Indexes with Recursive Graph Bisection", KDD
 * 2016; Mackenzie, Petri, Moffat: "Faster Index Reordering with Bipartite Graph Partitioning", SIGIR 2021.
 */
#ifndef TRAWL_INDEXER_BISECT_H
#define TRAWL_INDEXER_BISECT_H

#include "indexer/work.h"
#include "indexer/workers.h"
#include "trawl.h"

/* Documents and their distinct terms, in any order. */
struct graph {
	uint32_t document_count, term_count;
	uint64_t *starts; /* of each document in `terms`, and the end */
	uint32_t
	    *terms; /* below term_count; frequent terms had better have low numbers, which keeps them in the cache */
};

void graph_release(struct graph *graph);

/* Fill order[0, document_count) with documents. The result depends neither on the numbers of the terms nor on that of the threads.
 * Beside the graph it takes 8 bytes a document, and for each thread 16 a term and some 5 MiB. TRAWL_ENOMEM. */
int graph_bisect(const struct graph *graph, uint32_t *order, struct workers *workers, unsigned threads,
                 struct work *work, trawl_error *error);

/* The units that `work` is told of meanwhile. */
uint64_t graph_bisect_units(const struct graph *graph);

#endif
