/*
 * bisect.c - the bisection.
 *
 * A node is a run of documents. It is cut in halves; the cost of a term with l of the nl documents on the left and r of the nr
 * on the right is about the bits of its gaps, l log2(nl / (l + 1)) + r log2(nr / (r + 1)). A document's bias is what the costs
 * of its terms say for the right side: the gain of moving it there, or, if it is there, the loss of moving it away. The
 * documents with the least bias then make the left half, the others the right one: this exchanges each pair of documents
 * whose gains have a sum above zero. After some rounds the halves are nodes of their own, down to a range of the index.
 *
 * With A(d) = d log2(d + 1) and D(d) = A(d) - A(d - 1) a term's gain is log2 nl - log2 nr - D(l) + D(r + 1) for a move to the
 * right: two look-ups. Gains are whole numbers, SCALE a bit, so that sums do not depend on the order of terms or on who adds
 * them up, and 16 bits wide, so that many fit the cache.
 *
 * A node with few postings gets a copy of them with terms numbered anew and without those that only one of its documents has, which say
 * nothing; copies are made at each level, so they shrink. Larger nodes look at the graph itself.
 *
 * The first nodes are cut by all threads together, which share out documents, terms and moves; then a node and all below it are
 * one thread's.
 */
#include "indexer/bisect.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "segment/format.h"

#define LEAF_DOCUMENTS BLOCK_DOCUMENTS
#define ROUNDS_MAX 12
#define FEW 64 /* one in so many documents moved: enough rounds */
#define SCALE 512
#define LARGE_CUT_COST 5 /* of a document in a node that is not copied, where one in a copy costs 1 */
#define COPY_POSTINGS_MOST (1u << 18)
#define DEPTH_MAX 40
#define NODES_PER_THREAD 4 /* when there are so many, each is one thread's */
#define SHARES_PER_THREAD 4
#define BIN_BITS_MOST 11
#define AHEAD 6 /* documents */

/* Of each term. */
struct tables {
	uint32_t *total, *left; /* how many documents of the node have it, and of its left half */
	int16_t *to_right, *to_left;
	uint32_t *touched;
};

/* Where the terms of documents are. */
struct lists {
	const uint64_t *starts;
	const uint32_t *terms;
};

struct node {
	struct lists lists;
	uint32_t *places; /* documents: those of the left half, [0, middle), and of the right one */
	uint32_t count, middle;
	int32_t *bias;    /* of each place */
	uint32_t *movers; /* places, for each half from its start */
	struct tables *tables;
	const uint32_t *touched; /* the node's terms; NULL: those below term_count */
	uint32_t term_count;
	const int16_t *steps; /* D */
	int32_t lean;         /* log2 nl - log2 nr */
};

/* The copy of a node's postings. */
struct copy {
	uint32_t *names; /* of each document: its number in the graph */
	uint32_t *places;
	uint64_t *starts;
	uint32_t *terms;
	size_t name_capacity, place_capacity, start_capacity, term_capacity;
};

/* What a thread has of its own. */
struct bisector {
	struct tables tables; /* all 0 between nodes */
	struct tables copied; /* of the terms of a copy */
	struct copy copies[DEPTH_MAX];
};

struct bisection {
	const struct graph *graph;
	uint32_t *order;
	int32_t *bias;
	uint32_t *movers;
	int16_t *steps;
	struct bisector *bisectors; /* of each worker */
	struct tables team;
	struct workers *workers;
	unsigned threads;
	struct work *work;
	_Atomic uint64_t cut; /* documents, of all levels */
};

void graph_release(struct graph *graph)
{
	memory_free(graph->starts);
	memory_free(graph->terms);
	*graph = (struct graph){0};
}

/* ---- a node ---- */

/* Documents of a large node are anywhere in memory: ask for those that come soon. gcc takes a call of a function that only prefetches
 * for one without effect, and drops it before it would be inlined. */
__attribute__((always_inline)) static inline void ask_ahead(const struct node *node, uint32_t i)
{
	const struct lists *lists = &node->lists;
	if (i + 2 * AHEAD < node->count)
		__builtin_prefetch(&lists->starts[node->places[i + 2 * AHEAD]]);
	if (i + AHEAD < node->count) {
		const uint32_t *terms = lists->terms + lists->starts[node->places[i + AHEAD]];
		__builtin_prefetch(terms);
		__builtin_prefetch(terms + 16);
		__builtin_prefetch(terms + 32);
	}
}

static void count_terms(const struct node *node, struct tables *tables, uint32_t low, uint32_t high)
{
	const uint64_t *starts = node->lists.starts;
	for (uint32_t i = low; i < high; i++) {
		uint32_t d = node->places[i], left = i < node->middle;
		ask_ahead(node, i);
		for (uint64_t p = starts[d]; p < starts[d + 1]; p++) {
			tables->total[node->lists.terms[p]]++;
			tables->left[node->lists.terms[p]] += left;
		}
	}
}

static void find_gains(const struct node *node, uint32_t low, uint32_t high)
{
	const struct tables *tables = node->tables;
	const int16_t *steps = node->steps;
	for (uint32_t i = low; i < high; i++) {
		uint32_t term = node->touched ? node->touched[i] : i;
		uint32_t left = tables->left[term], right = tables->total[term] - left;
		int32_t says = tables->total[term] > 1; /* copies leave others out */
		tables->to_right[term] = (int16_t)(says * (node->lean - steps[left] + steps[right + 1]));
		tables->to_left[term] = (int16_t)(says * (-node->lean - steps[right] + steps[left + 1]));
	}
}

static int32_t sum_gains(const uint32_t *terms, uint64_t count, const int16_t *gains)
{
	int64_t a = 0, b = 0;
	uint64_t i = 0;
	for (; i + 4 <= count; i += 4) {
		a += gains[terms[i]] + gains[terms[i + 1]];
		b += gains[terms[i + 2]] + gains[terms[i + 3]];
	}
	for (; i < count; i++)
		a += gains[terms[i]];
	a += b;
	return a > INT32_MAX / 2 ? INT32_MAX / 2 : a < INT32_MIN / 2 ? INT32_MIN / 2 : (int32_t)a;
}

static void find_biases(const struct node *node, uint32_t low, uint32_t high)
{
	const struct tables *tables = node->tables;
	const uint64_t *starts = node->lists.starts;
	const uint32_t *terms = node->lists.terms;
	for (uint32_t i = low; i < high; i++) {
		uint32_t d = node->places[i];
		ask_ahead(node, i);
		bool left = i < node->middle;
		int32_t gain =
		    sum_gains(terms + starts[d], starts[d + 1] - starts[d], left ? tables->to_right : tables->to_left);
		node->bias[i] = left ? gain : -gain;
	}
}

/* The value that would be at `rank` if the n values were sorted: by histograms, each of a bin of the one before. */
static int32_t find_ranked(const int32_t *values, uint32_t n, uint32_t rank, uint32_t *scratch)
{
	uint32_t bins[1 << BIN_BITS_MOST];
	unsigned bits = n < 1024 ? 8 : BIN_BITS_MOST;
	int32_t low = values[0], high = values[0], *kept = (int32_t *)scratch;
	for (uint32_t i = 1; i < n; i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	while (low < high) {
		uint32_t width = (uint32_t)(high - low), bin = 0, count = 0;
		unsigned length = 32 - (unsigned)__builtin_clz(width), shift = length > bits ? length - bits : 0;
		memset(bins, 0, sizeof *bins << bits);
		for (uint32_t i = 0; i < n; i++)
			bins[(uint32_t)(values[i] - low) >> shift]++;
		for (; rank >= bins[bin]; bin++)
			rank -= bins[bin];
		low += (int32_t)(bin << shift);
		high = high - low < (1 << shift) - 1 ? high : low + (1 << shift) - 1;
		for (uint32_t i = 0; i < n; i++)
			if (values[i] >= low && values[i] <= high)
				kept[count++] = values[i];
		values = kept;
		n = count;
	}
	return low;
}

/* Those of the left half with more bias than `border` and those of the right one with less change places; equal ones
 * make the numbers even, by place. How many pairs; the places are in `movers`. */
static uint32_t choose_movers(const struct node *node)
{
	int32_t border = find_ranked(node->bias, node->count, node->middle, node->movers);
	uint32_t *left = node->movers, *right = node->movers + node->middle, lefts = 0, rights = 0;
	for (uint32_t i = 0; i < node->middle; i++) {
		left[lefts] = i;
		lefts += node->bias[i] > border;
	}
	for (uint32_t i = node->middle; i < node->count; i++) {
		right[rights] = i;
		rights += node->bias[i] < border;
	}
	for (uint32_t i = 0; lefts < rights && i < node->middle; i++)
		if (node->bias[i] == border)
			left[lefts++] = i;
	for (uint32_t i = node->middle; rights < lefts && i < node->count; i++)
		if (node->bias[i] == border)
			right[rights++] = i;
	return lefts < rights ? lefts : rights;
}

/* Exchange pairs of movers; `left` counts what the left half wins and loses. */
static void move_pairs(const struct node *node, uint32_t *left, uint32_t low, uint32_t high)
{
	const uint64_t *starts = node->lists.starts;
	const uint32_t *terms = node->lists.terms;
	for (uint32_t i = low; i < high; i++) {
		uint32_t *a = &node->places[node->movers[i]], *b = &node->places[node->movers[node->middle + i]];
		uint32_t going = *a, coming = *b;
		if (i + AHEAD < high) {
			__builtin_prefetch(terms + starts[node->places[node->movers[i + AHEAD]]]);
			__builtin_prefetch(terms + starts[node->places[node->movers[node->middle + i + AHEAD]]]);
		}
		for (uint64_t p = starts[going]; p < starts[going + 1]; p++)
			left[terms[p]]--;
		for (uint64_t p = starts[coming]; p < starts[coming + 1]; p++)
			left[terms[p]]++;
		*a = coming;
		*b = going;
	}
}

/* Terms are counted; one thread. */
static void cut(const struct node *node)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		find_gains(node, 0, node->term_count);
		find_biases(node, 0, node->count);
		uint32_t pairs = choose_movers(node);
		move_pairs(node, node->tables->left, 0, pairs);
		if (pairs <= node->count / FEW)
			break;
	}
}

/* Halves of whole leaves, so that leaves are the ranges of the index. */
static uint32_t middle_of(uint32_t count)
{
	return (count / 2 + LEAF_DOCUMENTS - 1) / LEAF_DOCUMENTS * LEAF_DOCUMENTS;
}

/* A node of order[at, at + count). */
static struct node make_node(const struct bisection *bisection, struct lists lists, uint32_t *places, uint32_t at,
                             uint32_t count)
{
	uint32_t middle = middle_of(count);
	double lean = log2((double)middle) - log2((double)(count - middle));
	return (struct node){.lists = lists,
	                     .places = places,
	                     .count = count,
	                     .middle = middle,
	                     .bias = bisection->bias + at,
	                     .movers = bisection->movers + at,
	                     .steps = bisection->steps,
	                     .lean = (int32_t)lround(SCALE * lean)};
}

/* ---- a node and all below it ---- */

static uint64_t postings_of(struct lists lists, const uint32_t *places, uint32_t count)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += lists.starts[places[i] + 1] - lists.starts[places[i]];
	return sum;
}

/* Count terms and note those there are. */
static uint32_t touch_terms(struct tables *tables, const struct node *node)
{
	const uint64_t *starts = node->lists.starts;
	uint32_t touched = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		uint32_t d = node->places[i], left = i < node->middle;
		ask_ahead(node, i);
		for (uint64_t p = starts[d]; p < starts[d + 1]; p++) {
			uint32_t term = node->lists.terms[p];
			tables->touched[touched] = term;
			touched += !tables->total[term]++;
			tables->left[term] += left;
		}
	}
	return touched;
}

static void cut_large(struct bisector *bisector, struct node *node)
{
	struct tables *tables = node->tables = &bisector->tables;
	node->touched = tables->touched;
	node->term_count = touch_terms(tables, node);
	cut(node);
	for (uint32_t i = 0; i < node->term_count; i++)
		tables->total[tables->touched[i]] = tables->left[tables->touched[i]] = 0;
}

static bool reserve_copy(struct copy *copy, uint32_t count, uint64_t postings)
{
	return memory_reserve(&copy->names, &copy->name_capacity, count, sizeof *copy->names) &&
	       memory_reserve(&copy->places, &copy->place_capacity, count, sizeof *copy->places) &&
	       memory_reserve(&copy->starts, &copy->start_capacity, (size_t)count + 1, sizeof *copy->starts) &&
	       memory_reserve(&copy->terms, &copy->term_capacity, postings, sizeof *copy->terms);
}

/* New numbers, from 1 on, for terms that several documents have, in place of their totals; 0 for others. */
static uint32_t number_terms(struct bisector *bisector, uint32_t touched)
{
	struct tables *tables = &bisector->tables, *copied = &bisector->copied;
	uint32_t count = 0;
	for (uint32_t i = 0; i < touched; i++) {
		uint32_t term = tables->touched[i], total = tables->total[term];
		if (total > 1) {
			copied->left[count] = tables->left[term];
			copied->total[count++] = total;
		}
		tables->total[term] = total > 1 ? count : 0;
		tables->left[term] = 0;
	}
	return count;
}

/* Let the node look at a copy of its postings. `names`: of its documents in the graph; NULL: they are the graph's. */
static void copy_node(struct bisector *bisector, struct node *node, struct copy *copy, const uint32_t *names)
{
	struct tables *tables = &bisector->tables;
	uint32_t touched = touch_terms(tables, node);
	node->term_count = number_terms(bisector, touched);
	uint64_t end = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		uint32_t d = node->places[i];
		copy->names[i] = names ? names[d] : d;
		copy->places[i] = i;
		copy->starts[i] = end;
		for (uint64_t p = node->lists.starts[d]; p < node->lists.starts[d + 1]; p++) {
			uint32_t number = tables->total[node->lists.terms[p]];
			copy->terms[end] = number - 1;
			end += number > 0;
		}
	}
	copy->starts[node->count] = end;
	for (uint32_t i = 0; i < touched; i++)
		tables->total[tables->touched[i]] = 0;
	node->tables = &bisector->copied;
	node->touched = NULL;
	node->places = copy->places;
	node->lists = (struct lists){copy->starts, copy->terms};
}

static int compare_documents(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

/* Within a leaf documents are as they came. */
static void put_leaf(uint32_t *order, const uint32_t *places, uint32_t count, const uint32_t *names)
{
	for (uint32_t i = 0; i < count; i++)
		order[i] = names ? names[places[i]] : places[i];
	qsort(order, count, sizeof *order, compare_documents);
}

/* What a cut costs a document of a level: a large node's terms are not in the cache. */
static uint64_t cut_cost(const struct graph *graph, unsigned depth)
{
	uint64_t postings = graph->starts[graph->document_count];
	return postings >> depth > COPY_POSTINGS_MOST ? LARGE_CUT_COST : 1;
}

/* So many documents have come a level down, in units of graph_bisect_units. Only the caller's thread tells of it. */
static void tell_cut(struct bisection *bisection, uint64_t units, bool is_caller)
{
	uint64_t done = atomic_fetch_add_explicit(&bisection->cut, units, memory_order_relaxed) + units;
	if (is_caller)
		work_done(bisection->work, done);
}

/* Order what will stand from `at` on: documents of `lists`, in `places`. */
static int descend(struct bisection *bisection, struct bisector *bisector, struct lists lists, uint32_t *places,
                   uint32_t at, uint32_t count, const uint32_t *names, unsigned depth)
{
	if (count <= LEAF_DOCUMENTS || depth == DEPTH_MAX) {
		put_leaf(bisection->order + at, places, count, names);
		return 0;
	}
	struct node node = make_node(bisection, lists, places, at, count);
	struct copy *copy = &bisector->copies[depth];
	uint64_t postings = postings_of(lists, places, count);
	if (names || postings <= COPY_POSTINGS_MOST) {
		if (!reserve_copy(copy, count, postings + 1))
			return TRAWL_ENOMEM;
		copy_node(bisector, &node, copy, names);
		names = copy->names;
		cut(&node);
	} else {
		cut_large(bisector, &node);
	}
	tell_cut(bisection, count * cut_cost(bisection->graph, depth), bisector == bisection->bisectors);
	int code = descend(bisection, bisector, node.lists, node.places, at, node.middle, names, depth + 1);
	if (!code)
		code = descend(bisection, bisector, node.lists, node.places + node.middle, at + node.middle,
		               count - node.middle, names, depth + 1);
	return code;
}

struct subtree_job {
	struct job job;
	struct bisection *bisection;
	uint32_t low, high;
	unsigned depth;
	int code;
};

static void run_subtree(struct job *base, unsigned worker)
{
	struct subtree_job *job = (struct subtree_job *)base;
	struct bisection *bisection = job->bisection;
	struct lists lists = {bisection->graph->starts, bisection->graph->terms};
	job->code = descend(bisection, &bisection->bisectors[worker], lists, bisection->order + job->low, job->low,
	                    job->high - job->low, NULL, job->depth);
}

/* ---- a node cut by all threads ---- */

struct share_job {
	struct job job;
	struct bisection *bisection;
	const struct node *node;
	void (*work)(struct bisection *bisection, const struct node *node, unsigned worker, uint32_t low,
	             uint32_t high);
	uint32_t low, high;
};

static void run_share(struct job *base, unsigned worker)
{
	struct share_job *job = (struct share_job *)base;
	job->work(job->bisection, job->node, worker, job->low, job->high);
}

/* Let all threads do `work` on shares of [0, n). */
static void share_out(struct bisection *bisection, const struct node *node, struct share_job *jobs, uint32_t n,
                      void (*work)(struct bisection *, const struct node *, unsigned, uint32_t, uint32_t))
{
	unsigned count = bisection->threads * SHARES_PER_THREAD;
	for (unsigned i = 0; i < count; i++) {
		jobs[i] = (struct share_job){.job.run = run_share,
		                             .bisection = bisection,
		                             .node = node,
		                             .work = work,
		                             .low = (uint32_t)((uint64_t)n * i / count),
		                             .high = (uint32_t)((uint64_t)n * (i + 1) / count)};
		workers_submit(bisection->workers, &jobs[i].job);
	}
	for (unsigned i = 0; i < count; i++)
		workers_wait(bisection->workers, &jobs[i].job);
}

/* A thread counts in its own tables; what all have counted comes together when gains are found. */
static void share_count(struct bisection *bisection, const struct node *node, unsigned worker, uint32_t low,
                        uint32_t high)
{
	count_terms(node, &bisection->bisectors[worker].tables, low, high);
}

static void share_gains(struct bisection *bisection, const struct node *node, unsigned worker, uint32_t low,
                        uint32_t high)
{
	(void)worker;
	for (unsigned i = 0; i < bisection->threads; i++) {
		struct tables *tables = &bisection->bisectors[i].tables;
		for (uint32_t term = low; term < high; term++) {
			node->tables->total[term] += tables->total[term];
			node->tables->left[term] += tables->left[term];
		}
		memset(tables->total + low, 0, (high - low) * sizeof *tables->total);
		memset(tables->left + low, 0, (high - low) * sizeof *tables->left);
	}
	find_gains(node, low, high);
}

static void share_biases(struct bisection *bisection, const struct node *node, unsigned worker, uint32_t low,
                         uint32_t high)
{
	(void)bisection, (void)worker;
	find_biases(node, low, high);
}

static void share_moves(struct bisection *bisection, const struct node *node, unsigned worker, uint32_t low,
                        uint32_t high)
{
	move_pairs(node, bisection->bisectors[worker].tables.left, low, high);
}

/* The same as cut_large: all numbers are whole. */
static void cut_together(struct bisection *bisection, struct share_job *jobs, uint32_t low, uint32_t high,
                         unsigned depth)
{
	const struct graph *graph = bisection->graph;
	struct lists lists = {graph->starts, graph->terms};
	struct node node = make_node(bisection, lists, bisection->order + low, low, high - low);
	node.tables = &bisection->team;
	node.term_count = graph->term_count;
	memset(node.tables->total, 0, graph->term_count * sizeof *node.tables->total);
	memset(node.tables->left, 0, graph->term_count * sizeof *node.tables->left);
	uint64_t units = node.count * cut_cost(graph, depth), told = 0;
	share_out(bisection, &node, jobs, node.count, share_count);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		share_out(bisection, &node, jobs, node.term_count, share_gains);
		share_out(bisection, &node, jobs, node.count, share_biases);
		uint32_t pairs = choose_movers(&node);
		share_out(bisection, &node, jobs, pairs, share_moves);
		tell_cut(bisection, units / ROUNDS_MAX, true);
		told += units / ROUNDS_MAX;
		if (pairs <= node.count / FEW)
			break;
	}
	tell_cut(bisection, units - told, true);
	for (unsigned i = 0; i < bisection->threads; i++) /* the last moves were counted for nobody */
		memset(bisection->bisectors[i].tables.left, 0, graph->term_count * sizeof *node.tables->left);
}

/* ---- the whole ---- */

/* The nodes of a level: nodes[i] to nodes[i + 1]. */
static int bisect(struct bisection *bisection, uint32_t *nodes, struct subtree_job *trees, struct share_job *shares)
{
	uint32_t count = 1, depth = 0;
	int code = 0;
	nodes[0] = 0;
	nodes[1] = bisection->graph->document_count;
	for (; bisection->threads > 1 && count < bisection->threads * NODES_PER_THREAD; depth++) {
		uint32_t smallest = nodes[count] - nodes[count - 1];
		if (smallest <= 2 * LEAF_DOCUMENTS)
			break;
		for (uint32_t i = count; i-- > 0;) {
			uint32_t low = nodes[i], high = nodes[i + 1];
			cut_together(bisection, shares, low, high, depth);
			nodes[2 * i + 2] = high;
			nodes[2 * i + 1] = low + middle_of(high - low);
		}
		count *= 2;
	}
	for (uint32_t i = 0; i < count; i++) {
		trees[i] = (struct subtree_job){{.run = run_subtree}, bisection, nodes[i], nodes[i + 1], depth, 0};
		workers_submit(bisection->workers, &trees[i].job);
	}
	for (uint32_t i = 0; i < count; i++) {
		workers_wait(bisection->workers, &trees[i].job);
		code = code ? code : trees[i].code;
	}
	return code;
}

static bool make_tables(struct tables *tables, size_t terms)
{
	tables->total = memory_new_zeroed(terms, sizeof *tables->total);
	tables->left = memory_new_zeroed(terms, sizeof *tables->left);
	tables->to_right = memory_new(terms * sizeof *tables->to_right);
	tables->to_left = memory_new(terms * sizeof *tables->to_left);
	tables->touched = memory_new((terms + 1) * sizeof *tables->touched);
	return tables->total && tables->left && tables->to_right && tables->to_left && tables->touched;
}

static void release_tables(struct tables *tables)
{
	memory_free(tables->total);
	memory_free(tables->left);
	memory_free(tables->to_right);
	memory_free(tables->to_left);
	memory_free(tables->touched);
}

static bool make_bisectors(struct bisection *bisection)
{
	size_t terms = bisection->graph->term_count, copied = COPY_POSTINGS_MOST / 2;
	bisection->bisectors = memory_new_zeroed(bisection->threads, sizeof *bisection->bisectors);
	if (!bisection->bisectors || (bisection->threads > 1 && !make_tables(&bisection->team, terms)))
		return false;
	for (unsigned i = 0; i < bisection->threads; i++)
		if (!make_tables(&bisection->bisectors[i].tables, terms) ||
		    !make_tables(&bisection->bisectors[i].copied, terms < copied ? terms : copied))
			return false;
	return true;
}

static bool prepare(struct bisection *bisection)
{
	size_t n = bisection->graph->document_count;
	bisection->bias = memory_new(n * sizeof *bisection->bias);
	bisection->movers = memory_new(n * sizeof *bisection->movers);
	bisection->steps = memory_new((n + 2) * sizeof *bisection->steps);
	if (!bisection->bias || !bisection->movers || !bisection->steps || !make_bisectors(bisection))
		return false;
	double before = 0;
	bisection->steps[0] = 0;
	for (size_t d = 1; d < n + 2; d++) {
		double now = (double)d * log2((double)d + 1);
		bisection->steps[d] = (int16_t)lround(SCALE * (now - before));
		before = now;
	}
	for (uint32_t d = 0; d < n; d++)
		bisection->order[d] = d;
	return true;
}

static void release(struct bisection *bisection)
{
	for (unsigned i = 0; bisection->bisectors && i < bisection->threads; i++) {
		struct bisector *bisector = &bisection->bisectors[i];
		release_tables(&bisector->tables);
		release_tables(&bisector->copied);
		for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
			memory_free(bisector->copies[depth].names);
			memory_free(bisector->copies[depth].places);
			memory_free(bisector->copies[depth].starts);
			memory_free(bisector->copies[depth].terms);
		}
	}
	memory_free(bisection->bisectors);
	release_tables(&bisection->team);
	memory_free(bisection->bias);
	memory_free(bisection->movers);
	memory_free(bisection->steps);
}

/* Each document is in a node of each level, down to the leaves. */
uint64_t graph_bisect_units(const struct graph *graph)
{
	uint64_t units = 0;
	unsigned depth = 0;
	for (uint32_t count = graph->document_count; count > LEAF_DOCUMENTS && depth < DEPTH_MAX; depth++) {
		units += graph->document_count * cut_cost(graph, depth);
		count = (count + 1) / 2;
	}
	return units;
}

int graph_bisect(const struct graph *graph, uint32_t *order, struct workers *workers, unsigned threads,
                 struct work *work, trawl_error *error)
{
	struct bisection bisection = {.graph = graph, .workers = workers, .threads = threads, .work = work};
	bisection.order = order;
	size_t nodes_most = (size_t)2 * threads * NODES_PER_THREAD + 2;
	uint32_t *nodes = memory_new(nodes_most * sizeof *nodes);
	struct subtree_job *trees = memory_new(nodes_most * sizeof *trees);
	struct share_job *shares = memory_new((size_t)threads * SHARES_PER_THREAD * sizeof *shares);
	bool made = nodes && trees && shares && prepare(&bisection);
	int code = made && graph->document_count ? bisect(&bisection, nodes, trees, shares) : made ? 0 : TRAWL_ENOMEM;
	release(&bisection);
	memory_free(nodes);
	memory_free(trees);
	memory_free(shares);
	return code ? error_set_memory(error) : 0;
}
