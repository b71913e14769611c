/*
 * top.h - the best k hits so far.
 *
 * Small k: a heap with the worst hit on top, so that the threshold is exact after each push. Large k: a buffer of 2k, and a histogram of
 * the scores pushed, from which follows at any time, to the width of a bucket, what the k-th best of them is. When the buffer is full,
 * what is below that goes. In the end the histogram tells where each hit belongs, and only the few within a bucket are compared.
 */
#ifndef TRAWL_SEARCHER_TOP_H
#define TRAWL_SEARCHER_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "searcher/collector.h"
#include "trawl.h"

#define TOP_HEAP_MAX 128 /* greatest k that is small */
#define TOP_BUCKETS 4096

struct top {
	struct collector collector; /* its threshold: what scores less cannot be among the best k */
	trawl_hit *hits;
	size_t k, count, capacity;
	size_t room; /* hits that the array has place for */
	/* large k: how many hits in the buffer have a score in each bucket, from number `level` on `above` in all, which is less than k
	 * without bucket `level` */
	float scale, width; /* buckets a score, scores a bucket */
	uint32_t level;
	size_t above;
	uint32_t buckets[TOP_BUCKETS];
};

/* Start over for the best k > 0, with scores of up to `most` or hardly more. false: out of memory. */
bool top_begin(struct top *top, size_t k, float most);
void top_cut(struct top *top);    /* keep the best k */
void top_finish(struct top *top); /* cut, and sort: score descending, document ascending */
void top_release(struct top *top);

/* Keep the hit if it is among the best k so far (small k). */
void top_push_heap(struct top *top, uint64_t document, float score);
/* Make room in the buffer (large k). */
void top_compact(struct top *top);
/* Raise `level` to the bucket of the k-th best. */
void top_raise_level(struct top *top);

static inline uint32_t top_bucket(const struct top *top, float score)
{
	float scaled = score * top->scale;
	return scaled < TOP_BUCKETS - 1 ? (uint32_t)(int32_t)scaled : TOP_BUCKETS - 1;
}

/* A hit that is not below the threshold. */
static inline void top_push(struct top *top, uint64_t document, float score)
{
	if (top->k <= TOP_HEAP_MAX) {
		top_push_heap(top, document, score);
		return;
	}
	uint32_t bucket = top_bucket(top, score);
	if (bucket < top->level)
		return;
	top->hits[top->count++] = (trawl_hit){document, score};
	top->buckets[bucket]++;
	if (++top->above - top->buckets[top->level] >= top->k)
		top_raise_level(top);
	if (top->count == top->capacity)
		top_compact(top);
}

/* A lower bound of the k-th best score. */
static inline void top_raise(struct top *top, float bound)
{
	if (bound > top->collector.threshold)
		top->collector.threshold = bound;
}

#endif
