#include "searcher/top.h"

#include <string.h>

#include "base/memory.h"

bool top_begin(struct top *top, size_t k)
{
	size_t wanted = 2 * k;
	size_t allocated = top->hits ? top->capacity : 0;
	if (wanted > allocated) {
		trawl_hit *hits = memory_resize(top->hits, wanted * sizeof *hits);
		if (!hits)
			return false;
		top->hits = hits;
	}
	/* The capacity never shrinks, so that steady state allocates nothing; a larger slack only makes cuts rarer. */
	top->capacity = wanted > allocated ? wanted : allocated;
	top->k = k;
	top->count = 0;
	top->threshold = 0;
	return true;
}

static inline bool better(const trawl_hit *a, const trawl_hit *b)
{
	return a->score > b->score || (a->score == b->score && a->document < b->document);
}

static inline void swap(trawl_hit *a, trawl_hit *b)
{
	trawl_hit other = *a;
	*a = *b;
	*b = other;
}

/* Quickselect: the k best of n to the front (Hoare's partition, median of three). */
static void select_best(trawl_hit *hits, size_t n, size_t k)
{
	size_t low = 0, high = n;
	while (high - low > 1 && k > low && k < high) {
		trawl_hit *a = &hits[low], *b = &hits[low + (high - low) / 2], *c = &hits[high - 1];
		trawl_hit pivot = better(a, b) ? (better(b, c)   ? *b
		                                  : better(a, c) ? *c
		                                                 : *a)
		                               : (better(a, c)   ? *a
		                                  : better(b, c) ? *c
		                                                 : *b);
		size_t i = low, j = high - 1;
		for (;;) {
			while (better(&hits[i], &pivot))
				i++;
			while (better(&pivot, &hits[j]))
				j--;
			if (i >= j)
				break;
			swap(&hits[i++], &hits[j--]);
		}
		/* [low, i) is not worse than the pivot, [i, high) not better */
		if (i == low)
			i++;
		if (k < i)
			high = i;
		else
			low = i;
	}
}

void top_cut(struct top *top)
{
	if (top->count <= top->k)
		return;
	select_best(top->hits, top->count, top->k);
	top->count = top->k;
	float worst = top->hits[0].score;
	for (size_t i = 1; i < top->count; i++)
		worst = top->hits[i].score < worst ? top->hits[i].score : worst;
	top_raise(top, worst);
}

/* A heap whose top is the worst hit. */
static void sift(trawl_hit *hits, size_t at, size_t n)
{
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= n)
			return;
		if (child + 1 < n && better(&hits[child], &hits[child + 1]))
			child++;
		if (!better(&hits[at], &hits[child]))
			return;
		swap(&hits[at], &hits[child]);
		at = child;
	}
}

void top_push_heap(struct top *top, uint64_t document, float score)
{
	trawl_hit hit = {document, score};
	if (top->count < top->k) {
		top->hits[top->count++] = hit;
		if (top->count < top->k)
			return;
		for (size_t i = top->k / 2; i-- > 0;)
			sift(top->hits, i, top->k);
	} else {
		if (!better(&hit, &top->hits[0]))
			return;
		top->hits[0] = hit;
		sift(top->hits, 0, top->k);
	}
	top_raise(top, top->hits[0].score);
}

/* Heapsort: no recursion, no allocation, and never quadratic. */
static void sort_few(trawl_hit *hits, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(hits, i, n);
	for (size_t left = n; left > 1; left--) {
		swap(&hits[0], &hits[left - 1]);
		sift(hits, 0, left - 1);
	}
}

#define RADIX_LEAST 128 /* hits for which a radix sort pays */
#define RADIX_BITS 11

static uint32_t falling_key(float score)
{
	uint32_t bits; /* of a score, which is not negative, order as the score does */
	memcpy(&bits, &score, sizeof bits);
	return ~bits;
}

/* Least significant digit first, by score; `scratch` has room for n. The result is in `scratch`. */
static void sort_by_score(trawl_hit *hits, trawl_hit *scratch, size_t n)
{
	for (int shift = 0; shift < 32; shift += RADIX_BITS) {
		uint32_t starts[(1 << RADIX_BITS) + 1] = {0};
		for (size_t i = 0; i < n; i++)
			starts[(falling_key(hits[i].score) >> shift & ((1 << RADIX_BITS) - 1)) + 1]++;
		for (int digit = 0; digit < 1 << RADIX_BITS; digit++)
			starts[digit + 1] += starts[digit];
		for (size_t i = 0; i < n; i++)
			scratch[starts[falling_key(hits[i].score) >> shift & ((1 << RADIX_BITS) - 1)]++] = hits[i];
		trawl_hit *other = hits;
		hits = scratch;
		scratch = other;
	}
}

void top_finish(struct top *top)
{
	top_cut(top);
	size_t n = top->count;
	trawl_hit *hits = top->hits, *scratch = top->hits + n;
	if (n < RADIX_LEAST || top->capacity - n < n) {
		sort_few(hits, n);
		return;
	}
	/* Three digits: the sorted hits end up in the scratch half. */
	sort_by_score(hits, scratch, n);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		while (end < n && scratch[end].score == scratch[i].score)
			end++;
		if (end - i > 1)
			sort_few(scratch + i, end - i);
		i = end;
	}
	memcpy(hits, scratch, n * sizeof *hits);
}

void top_release(struct top *top)
{
	memory_free(top->hits);
	*top = (struct top){0};
}
