/*
 * top.h - the best k hits so far.
 *
 * Small k: a heap with the worst hit on top, so that the threshold is exact after each push. Large k: a buffer of 2k, cut to k by
 * selection whenever it is full, so that a push is a store; the threshold is the k-th best score at the last cut.
 */
#ifndef TRAWL_SEARCHER_TOP_H
#define TRAWL_SEARCHER_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

struct top {
	trawl_hit *hits;
	size_t k, count, capacity;
	float threshold; /* hits below it cannot be among the best k; those equal to it may */
};

/* Start over for the best k > 0. false: out of memory. */
bool top_begin(struct top *top, size_t k);
void top_cut(struct top *top);    /* keep the best k */
void top_finish(struct top *top); /* cut, and sort: score descending, document ascending */
void top_release(struct top *top);

/* Keep the hit if it is among the best k so far (small k), or may be (large k). */
void top_push_heap(struct top *top, uint64_t document, float score);

#define TOP_HEAP_MAX 128 /* greatest k that is small */

static inline void top_push(struct top *top, uint64_t document, float score)
{
	if (top->k <= TOP_HEAP_MAX) {
		top_push_heap(top, document, score);
		return;
	}
	top->hits[top->count++] = (trawl_hit){document, score};
	if (top->count == top->capacity)
		top_cut(top);
}

/* A lower bound of the k-th best score. */
static inline void top_raise(struct top *top, float bound)
{
	if (bound > top->threshold)
		top->threshold = bound;
}

#endif
