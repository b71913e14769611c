/*
 * budget.h - how a writer's memory is divided.
 *
 * The budget bounds the resident set: what is allocated, and the pages of files that are mapped. Whatever grows with the corpus
 * has a share, and something that happens when the share is used up: postings spill (run.h); the ids and lengths of
 * documents that are not committed end a segment; pages of the index are given back; a merge takes fewer segments.
 * Shares follow from the budget alone, never from the number of threads, wherever the index depends on them.
 */
#ifndef TRAWL_INDEXER_BUDGET_H
#define TRAWL_INDEXER_BUDGET_H

#include <stddef.h>

#include "indexer/merge_policy.h"

struct budget {
	size_t total;
	size_t fixed;     /* the program's own pages, libraries, and what a writer needs whatever it is given */
	size_t flush;     /* of extents queued for a transaction, which holds as much again */
	size_t mapped;    /* pages of the index that are read */
	size_t documents; /* the documents of one segment, as uncommitted_memory has them */
	size_t filter;    /* of the ids of segments that are not committed */
	size_t deletes;   /* terms of documents that the next commit deletes, of all segments */
	size_t pipeline;  /* jobs under way, and what workers know of words */
	size_t bigrams;   /* occurrences of frequent words, and as much for the bigrams */
	size_t graph;     /* of documents and terms, to find similar documents with: reorder_memory */
	struct merge_limits merge;
};

/* `bytes` 0: a quarter of what the process may use (base/limits.h). */
struct budget budget_divide(size_t bytes);

#endif
