/*
 * reorder.c - the bisection.
 *
 * A node is a run of documents. It is cut in halves; the cost of a term with l of the nl documents on the left and r of the nr
 * on the right is about the bits of its gaps, l log2(nl / (l + 1)) + r log2(nr / (r + 1)). A document's gain is what moving it to
 * the other side saves, summed over its terms. Documents with a gain change places in equal numbers, the best ones
 * first, for a few rounds; then the halves are nodes of their own, down to a range of the index.
 *
 * With A(d) = d log2(d + 1) and D(d) = A(d) - A(d - 1) a term's gain is log2 nl - log2 nr - D(l) + D(r + 1) for a move to the
 * right: two look-ups.
 */
#include "indexer/reorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/format.h"

#define ROUNDS_MAX 8
#define DF_LEAST 3 /* rarer terms say nothing about neighbours worth their time */
#define DF_SHARE 4 /* nor do those in over a 4th of the documents */
#define DEPTH_MAX 40

struct side_counts {
	uint32_t left, right;
	float to_right, to_left; /* gains */
};

struct bisection {
	uint32_t documents;
	uint64_t *starts; /* of each document in `terms` */
	uint32_t *terms;  /* distinct ones, renumbered from 0 */
	uint32_t term_count;
	uint32_t *order; /* documents */
	float *gains;    /* of each document, at its place in `order` */
	struct side_counts *counts;
	uint32_t *touched; /* terms of the node */
	float *steps;      /* D */
	uint32_t *movers;  /* places in `order`: those of the left side from the front, of the right from the back */
};

/* ---- the graph ---- */

/* Terms come in byte order, so a document's are in the same order whatever numbers they had. */
struct graph_builder {
	struct bisection *bisection;
	uint64_t *next; /* of each document: the number of its terms, and then where its next one goes */
	bool filling;
};

static int take_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                     uint32_t df, const struct position_source *source, trawl_error *error)
{
	(void)term, (void)length, (void)tfs, (void)source, (void)error;
	struct graph_builder *builder = context;
	struct bisection *bisection = builder->bisection;
	if (df < DF_LEAST || df > bisection->documents / DF_SHARE)
		return 0;
	for (uint32_t i = 0; i < df; i++)
		if (builder->filling)
			bisection->terms[builder->next[docs[i]]++] = bisection->term_count;
		else
			builder->next[docs[i]]++;
	bisection->term_count++;
	return 0;
}

static int each_list(const struct unordered *unordered, const uint32_t *docs, const struct term_sink *sink,
                     trawl_error *error)
{
	return unordered->run_count ? runs_merge(unordered->runs, unordered->run_count, docs, sink, error)
	                            : batch_invert(unordered->batch, docs, sink, error);
}

/* *fits: whether there is memory for it. */
static int build_graph(struct bisection *bisection, const struct unordered *unordered, const uint32_t *docs,
                       uint32_t count, bool *fits, trawl_error *error)
{
	struct graph_builder builder = {bisection, memory_new_zeroed(count, sizeof(uint64_t)), false};
	struct term_sink sink = {take_term, &builder};
	bisection->documents = count;
	bisection->starts = memory_new(((size_t)count + 1) * sizeof *bisection->starts);
	int code = builder.next && bisection->starts ? 0 : error_set_memory(error);
	if (!code)
		code = each_list(unordered, docs, &sink, error);
	uint64_t sum = 0;
	for (uint32_t d = 0; !code && d < count; d++) {
		uint64_t terms = builder.next[d];
		bisection->starts[d] = builder.next[d] = sum;
		sum += terms;
	}
	*fits = sum <= unordered->memory / sizeof *bisection->terms;
	if (!code && *fits) {
		bisection->starts[count] = sum;
		bisection->terms = memory_new(sum * sizeof *bisection->terms);
		bisection->term_count = 0;
		builder.filling = true;
		code = bisection->terms ? each_list(unordered, docs, &sink, error) : error_set_memory(error);
	}
	memory_free(builder.next);
	return code;
}

static bool prepare(struct bisection *bisection)
{
	size_t n = bisection->documents;
	bisection->order = memory_new(n * sizeof *bisection->order);
	bisection->gains = memory_new(n * sizeof *bisection->gains);
	bisection->movers = memory_new(n * sizeof *bisection->movers);
	bisection->steps = memory_new((n + 2) * sizeof *bisection->steps);
	bisection->counts = memory_new_zeroed(bisection->term_count, sizeof *bisection->counts);
	bisection->touched = memory_new(bisection->term_count * sizeof *bisection->touched);
	if (!bisection->order || !bisection->gains || !bisection->movers || !bisection->steps || !bisection->counts ||
	    !bisection->touched)
		return false;
	double before = 0;
	bisection->steps[0] = 0;
	for (size_t d = 1; d < n + 2; d++) {
		double now = (double)d * log2((double)d + 1);
		bisection->steps[d] = (float)(now - before);
		before = now;
	}
	for (uint32_t d = 0; d < n; d++)
		bisection->order[d] = d;
	return true;
}

static void release(struct bisection *bisection)
{
	memory_free(bisection->starts);
	memory_free(bisection->terms);
	memory_free(bisection->order);
	memory_free(bisection->gains);
	memory_free(bisection->movers);
	memory_free(bisection->steps);
	memory_free(bisection->counts);
	memory_free(bisection->touched);
}

/* ---- a node: order[low, high), cut at middle ---- */

static uint32_t count_sides(struct bisection *bisection, uint32_t low, uint32_t middle, uint32_t high)
{
	uint32_t touched = 0;
	for (uint32_t i = low; i < high; i++) {
		uint32_t d = bisection->order[i];
		for (uint64_t p = bisection->starts[d]; p < bisection->starts[d + 1]; p++) {
			struct side_counts *counts = &bisection->counts[bisection->terms[p]];
			if (!counts->left && !counts->right)
				bisection->touched[touched++] = bisection->terms[p];
			*(i < middle ? &counts->left : &counts->right) += 1;
		}
	}
	return touched;
}

static void find_gains(struct bisection *bisection, uint32_t touched, uint32_t low, uint32_t middle, uint32_t high)
{
	const float *steps = bisection->steps;
	float lean = log2f((float)(middle - low)) - log2f((float)(high - middle));
	for (uint32_t i = 0; i < touched; i++) {
		struct side_counts *counts = &bisection->counts[bisection->touched[i]];
		counts->to_right = lean - steps[counts->left] + steps[counts->right + 1];
		counts->to_left = -lean - steps[counts->right] + steps[counts->left + 1];
	}
	for (uint32_t i = low; i < high; i++) {
		uint32_t d = bisection->order[i];
		float gain = 0;
		if (i < middle)
			for (uint64_t p = bisection->starts[d]; p < bisection->starts[d + 1]; p++)
				gain += bisection->counts[bisection->terms[p]].to_right;
		else
			for (uint64_t p = bisection->starts[d]; p < bisection->starts[d + 1]; p++)
				gain += bisection->counts[bisection->terms[p]].to_left;
		bisection->gains[i] = gain;
	}
}

/* The k places with the greatest gains to the front; equal gains by place, so that the result is one and the same. */
static void select_gains(const float *gains, uint32_t *places, uint32_t n, uint32_t k)
{
	uint32_t low = 0, high = n;
	while (high - low > 1 && k > low && k < high) {
		uint32_t pivot = places[low + (high - low) / 2], i = low, j = high - 1;
		float value = gains[pivot];
		for (;;) {
			while (gains[places[i]] > value || (gains[places[i]] == value && places[i] < pivot))
				i++;
			while (gains[places[j]] < value || (gains[places[j]] == value && places[j] > pivot))
				j--;
			if (i >= j)
				break;
			uint32_t other = places[i];
			places[i++] = places[j];
			places[j--] = other;
		}
		i += i == low;
		if (k < i)
			high = i;
		else
			low = i;
	}
}

static void change_side(struct bisection *bisection, uint32_t document, bool to_right)
{
	for (uint64_t p = bisection->starts[document]; p < bisection->starts[document + 1]; p++) {
		struct side_counts *counts = &bisection->counts[bisection->terms[p]];
		counts->left += to_right ? UINT32_MAX : 1; /* less one, or one more */
		counts->right += to_right ? 1 : UINT32_MAX;
	}
}

/* Let documents with a gain change places; how many did on each side. */
static uint32_t exchange(struct bisection *bisection, uint32_t low, uint32_t middle, uint32_t high)
{
	uint32_t *left = bisection->movers + low, *right = bisection->movers + middle, lefts = 0, rights = 0;
	for (uint32_t i = low; i < middle; i++)
		if (bisection->gains[i] > 0)
			left[lefts++] = i;
	for (uint32_t i = middle; i < high; i++)
		if (bisection->gains[i] > 0)
			right[rights++] = i;
	uint32_t moved = lefts < rights ? lefts : rights;
	select_gains(bisection->gains, left, lefts, moved);
	select_gains(bisection->gains, right, rights, moved);
	for (uint32_t i = 0; i < moved; i++) {
		uint32_t a = bisection->order[left[i]], b = bisection->order[right[i]];
		change_side(bisection, a, true);
		change_side(bisection, b, false);
		bisection->order[left[i]] = b;
		bisection->order[right[i]] = a;
	}
	return moved;
}

static void split(struct bisection *bisection, uint32_t low, uint32_t middle, uint32_t high)
{
	uint32_t touched = count_sides(bisection, low, middle, high), few = (high - low) / 256;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		find_gains(bisection, touched, low, middle, high);
		if (exchange(bisection, low, middle, high) <= few)
			break;
	}
	for (uint32_t i = 0; i < touched; i++)
		bisection->counts[bisection->touched[i]] = (struct side_counts){0};
}

/* Depth first with a stack of its own: the right half waits while the left one is cut. */
static void bisect(struct bisection *bisection)
{
	struct {
		uint32_t low, high;
	} waiting[DEPTH_MAX];
	uint32_t count = 1;
	waiting[0].low = 0;
	waiting[0].high = bisection->documents;
	while (count) {
		uint32_t low = waiting[--count].low, high = waiting[count].high;
		if (high - low <= RANGE_DOCUMENTS || count + 2 > DEPTH_MAX)
			continue;
		/* Halves of whole ranges, so that leaves are the ranges of the index. */
		uint32_t middle = low + ((high - low) / 2 + RANGE_DOCUMENTS - 1) / RANGE_DOCUMENTS * RANGE_DOCUMENTS;
		split(bisection, low, middle, high);
		waiting[count].low = middle;
		waiting[count++].high = high;
		waiting[count].low = low;
		waiting[count++].high = middle;
	}
}

int reorder_documents(const struct unordered *unordered, uint32_t *docs, uint32_t *order, uint32_t count, bool *moved,
                      trawl_error *error)
{
	struct bisection bisection = {0};
	uint32_t *ordinals = memory_new(count * sizeof *ordinals);
	int code = ordinals ? build_graph(&bisection, unordered, docs, count, moved, error) : error_set_memory(error);
	if (!code && *moved && !prepare(&bisection))
		code = error_set_memory(error);
	if (!code && *moved) {
		bisect(&bisection);
		if (count)
			memcpy(ordinals, order, count * sizeof *ordinals);
		for (uint32_t i = 0; i < count; i++) {
			order[i] = ordinals[bisection.order[i]];
			docs[order[i]] = i;
		}
	}
	release(&bisection);
	memory_free(ordinals);
	return code;
}

/* ---- lists in the new order ---- */

struct reordering {
	const struct term_sink *sink;
	/* the list: keys are docIDs and, below them, places as it came */
	uint64_t *keys;
	uint32_t *docs, *tfs, *positions;
	uint64_t *starts; /* of each posting's positions, as it came */
	size_t key_capacity, doc_capacity, tf_capacity, position_capacity, start_capacity;
	uint32_t posting;
};

static int compare_keys(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

static int reordered_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)error;
	struct reordering *reordering = context;
	uint32_t place = (uint32_t)reordering->keys[reordering->posting++];
	memcpy(positions, reordering->positions + reordering->starts[place], count * sizeof *positions);
	return 0;
}

/* All positions of the list, as it came. */
static int read_positions(struct reordering *reordering, const uint32_t *tfs, uint32_t df,
                          const struct position_source *source, trawl_error *error)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < df; i++) {
		reordering->starts[i] = sum;
		sum += tfs[i];
	}
	if (!memory_reserve(&reordering->positions, &reordering->position_capacity, sum, sizeof *reordering->positions))
		return error_set_memory(error);
	int code = 0;
	for (uint32_t i = 0; !code && i < df; i++)
		code = source->next(source->context, tfs[i], reordering->positions + reordering->starts[i], error);
	return code;
}

static int reorder_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                        uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct reordering *reordering = context;
	const struct term_sink *sink = reordering->sink;
	if (df == 1)
		return sink->term(sink->context, term, length, docs, tfs, df, source, error);
	if (!memory_reserve(&reordering->keys, &reordering->key_capacity, df, sizeof *reordering->keys) ||
	    !memory_reserve(&reordering->docs, &reordering->doc_capacity, df, sizeof *reordering->docs) ||
	    !memory_reserve(&reordering->tfs, &reordering->tf_capacity, df, sizeof *reordering->tfs) ||
	    !memory_reserve(&reordering->starts, &reordering->start_capacity, df, sizeof *reordering->starts))
		return error_set_memory(error);
	int code = read_positions(reordering, tfs, df, source, error);
	if (code)
		return code;
	for (uint32_t i = 0; i < df; i++)
		reordering->keys[i] = (uint64_t)docs[i] << 32 | i;
	qsort(reordering->keys, df, sizeof *reordering->keys, compare_keys);
	for (uint32_t i = 0; i < df; i++) {
		reordering->docs[i] = (uint32_t)(reordering->keys[i] >> 32);
		reordering->tfs[i] = tfs[(uint32_t)reordering->keys[i]];
	}
	reordering->posting = 0;
	struct position_source reordered = {reordered_positions, reordering};
	return sink->term(sink->context, term, length, reordering->docs, reordering->tfs, df, &reordered, error);
}

int reordered_lists(const struct unordered *unordered, const uint32_t *docs, const struct term_sink *sink,
                    trawl_error *error)
{
	struct reordering reordering = {.sink = sink};
	struct term_sink between = {reorder_term, &reordering};
	int code = each_list(unordered, docs, &between, error);
	memory_free(reordering.keys);
	memory_free(reordering.docs);
	memory_free(reordering.tfs);
	memory_free(reordering.positions);
	memory_free(reordering.starts);
	return code;
}
