#include "searcher/top.h"

#include <string.h>

#include "base/memory.h"

bool top_begin(struct top *top, size_t k, float most)
{
	size_t wanted = k <= TOP_HEAP_MAX ? k : 3 * k; /* of these a third only to sort in */
	if (wanted > top->room || !top->hits) {
		trawl_hit *hits = memory_resize(top->hits, (wanted + 1) * sizeof *hits);
		if (!hits)
			return false;
		top->hits = hits;
		top->room = wanted;
	}
	top->k = k;
	top->count = 0;
	top->capacity = 2 * k;
	top->collector = (struct collector){.kind = COLLECT_TOP};
	if (k <= TOP_HEAP_MAX)
		return true;
	float scale = TOP_BUCKETS / most;
	top->scale = scale > 0 && scale < 1e30f ? scale : 1;
	top->width = 1 / top->scale;
	top->level = 0;
	top->above = 0;
	memset(top->buckets, 0, sizeof top->buckets);
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
	if (top->k > TOP_HEAP_MAX) { /* those dropped are below bucket `level` or in it */
		top->buckets[top->level] -= (uint32_t)(top->above - top->k);
		top->above = top->k;
	}
	top->count = top->k;
	float worst = top->hits[0].score;
	for (size_t i = 1; i < top->count; i++)
		worst = top->hits[i].score < worst ? top->hits[i].score : worst;
	top_raise(top, worst);
}

void top_raise_level(struct top *top)
{
	while (top->above - top->buckets[top->level] >= top->k)
		top->above -= top->buckets[top->level++];
	/* Room for the rounding of a score times the scale, and of this product. */
	top_raise(top, (float)top->level * top->width * (1 - 1e-6f));
}

static void drop_below_level(struct top *top)
{
	size_t kept = 0;
	for (size_t i = 0; i < top->count; i++) {
		trawl_hit hit = top->hits[i];
		top->hits[kept] = hit;
		kept += top_bucket(top, hit.score) >= top->level;
	}
	top->count = kept;
}

void top_compact(struct top *top)
{
	drop_below_level(top);
	if (top->count > top->capacity - top->capacity / 4) /* many ties: buckets do not tell them apart */
		top_cut(top);
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

/* ---- the order of many hits ---- */

#define INSERTION_MOST 16 /* hits that are sorted by insertion */
#define RADIX_LEAST 64    /* hits for which a radix sort pays */

static void insert_few(trawl_hit *hits, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		trawl_hit moving = hits[i];
		size_t at = i;
		for (; at && better(&moving, &hits[at - 1]); at--)
			hits[at] = hits[at - 1];
		hits[at] = moving;
	}
}

static uint32_t falling_key(float score)
{
	uint32_t bits; /* of a score, which is not negative, order as the score does */
	memcpy(&bits, &score, sizeof bits);
	return ~bits;
}

/* Byte number `digit` of what hits are sorted by: 8 bytes of the document, then 4 of the score. */
static uint32_t key_byte(const trawl_hit *hit, int digit)
{
	return (digit < 8 ? (uint32_t)(hit->document >> (8 * digit)) : falling_key(hit->score) >> (8 * (digit - 8))) &
	       255;
}

/* Least significant byte first, passing over those in which all are equal. `scratch` has room for n. */
static void sort_by_bytes(trawl_hit *hits, trawl_hit *scratch, size_t n)
{
	trawl_hit *from = hits, *to = scratch;
	uint64_t documents = 0;
	uint32_t scores = 0;
	for (size_t i = 1; i < n; i++) {
		documents |= hits[i].document ^ hits[0].document;
		scores |= falling_key(hits[i].score) ^ falling_key(hits[0].score);
	}
	for (int digit = 0; digit < 12; digit++) {
		if (!((digit < 8 ? documents >> (8 * digit) : scores >> (8 * (digit - 8))) & 255))
			continue;
		uint32_t starts[257] = {0};
		for (size_t i = 0; i < n; i++)
			starts[key_byte(&from[i], digit) + 1]++;
		for (int byte = 0; byte < 256; byte++)
			starts[byte + 1] += starts[byte];
		for (size_t i = 0; i < n; i++)
			to[starts[key_byte(&from[i], digit)]++] = from[i];
		trawl_hit *other = from;
		from = to;
		to = other;
	}
	if (from != hits)
		memcpy(hits, from, n * sizeof *hits);
}

static void sort_bucket(trawl_hit *hits, trawl_hit *scratch, size_t n)
{
	if (n <= INSERTION_MOST)
		insert_few(hits, n);
	else if (n < RADIX_LEAST)
		sort_few(hits, n);
	else
		sort_by_bytes(hits, scratch, n);
}

/* Put the hits into the places that the histogram gives their buckets, and sort each bucket. There is room for twice as many hits. */
static void sort_many(struct top *top)
{
	size_t n = top->count;
	trawl_hit *hits = top->hits, *sorted = hits + n;
	uint32_t *places = top->buckets, place = 0;
	for (uint32_t b = TOP_BUCKETS; b-- > top->level;) {
		uint32_t size = places[b];
		places[b] = place;
		place += size;
	}
	for (size_t i = 0; i < n; i++)
		sorted[places[top_bucket(top, hits[i].score)]++] = hits[i];
	/* Now each bucket's place is its end. */
	uint32_t start = 0;
	for (uint32_t b = TOP_BUCKETS; b-- > top->level && start < n;) {
		if (places[b] - start > 1)
			sort_bucket(sorted + start, hits, places[b] - start);
		start = places[b];
	}
	memcpy(hits, sorted, n * sizeof *hits);
}

void top_finish(struct top *top)
{
	if (top->k <= TOP_HEAP_MAX) {
		sort_few(top->hits, top->count);
		return;
	}
	drop_below_level(top);
	if (top->count > top->k + top->k / 2)
		top_cut(top);
	sort_many(top);
	if (top->count > top->k)
		top->count = top->k;
	if (top->count == top->k)
		top_raise(top, top->hits[top->k - 1].score);
}

void top_release(struct top *top)
{
	memory_free(top->hits);
	*top = (struct top){0};
}
