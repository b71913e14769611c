/*
 * kernel_bench.c - the hot loops alone, kernel by kernel (docs/BENCHMARKING.md, The hot loops).
 *
 * Posting lists are made from a seed, written to a temporary index by the library's own encoder, and opened as a search opens
 * them. Each operation then runs over them with every kernel of this machine: first once, to compare all that it puts out with
 * what the scalar kernel puts out, then in rounds against the clock. This is the one bench that looks inside the library.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "searcher/kernel.h"
#include "store/bitpack.h"

#define DOCUMENTS (1u << 20)
#define RANGES (DOCUMENTS / RANGE_DOCUMENTS)
#define SUPERBLOCKS (DOCUMENTS / SUPERBLOCK_DOCUMENTS)
#define SHORT_LISTS 16 /* so many that their branches cannot be learnt by heart */
#define SELECTIONS 16  /* likewise: arrays of sums for select_sums */
#define RANDOM_SCORES (1u << 18)
#define KERNELS 3
#define ROUNDS_MAX 10000
#define BOUND_SLACK 1.000001f /* as searches use it */

/* The densities of the lists; the first is that of the short ones, which must stay below the border. */
static const struct density {
	const char *name;
	uint32_t one_in;
	double more; /* the chance that a tf is one more */
} densities[] = {{"1/512", 512, 0.25}, {"1/128", 128, 0.30}, {"1/32", 32, 0.35}, {"1/8", 8, 0.42}, {"1/2", 2, 0.60}};
#define DENSITIES (sizeof densities / sizeof *densities)
static const uint32_t pairs[][2] = {{0, 3}, {1, 2}, {2, 3}, {3, 4}};
#define PAIRS (sizeof pairs / sizeof *pairs)

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("kernel_bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = memory_new_zeroed(count, size);
	if (!memory)
		die("out of memory");
	return memory;
}

/* ---- what is measured ---- */

struct opened_chunk {
	struct chunk chunk;
	uint32_t superblock;
	uint32_t exceptions[SUPERBLOCK_RANGES]; /* by rank: the number of its first one */
};

/* What an operation runs over: the short lists, a ranged list, or two lists. */
struct subject {
	char name[16];
	struct list *lists; /* scored; the heavier first */
	uint32_t count;
	uint64_t postings;
	/* short lists: their bytes */
	const uint8_t *coded[SHORT_LISTS];
	uint64_t coded_bytes[SHORT_LISTS];
	/* a ranged list */
	struct opened_chunk *chunks;
	uint32_t chunk_count, ranges;
	uint64_t *masks; /* of its ranges */
};

struct bench {
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	struct segment segment;
	struct scorer scorer;
	struct arena kept, query;
	struct subject shorts, ranged[DENSITIES], pair[PAIRS], none;
	float *random_scores, *random_sums;
	/* what operations put out */
	struct output {
		uint64_t numbers[RANGES];
		float scores[SUPERBLOCK_DOCUMENTS];
		float sums[SUPERBLOCKS];
		float bounds[RANGES];
		uint32_t indices[SELECTIONS][SUPERBLOCKS + 16];
		uint32_t docs[SHORT_LISTS][DOCUMENTS / 512 + SHORT_BLOCK],
		    tfs[SHORT_LISTS][DOCUMENTS / 512 + SHORT_BLOCK];
		struct range_positions positions;
	} * output;
	struct top top;
	XXH3_state_t *digest;
};

struct operation {
	const char *name, *unit;
	const char *aim; /* ns a unit that it should take, or NULL */
	enum { ON_SHORT, ON_RANGED, ON_PAIR, ON_NOTHING } on;
	bool portable; /* the same code for all kernels */
	uint64_t (*units)(const struct subject *subject);
	void (*run)(struct bench *bench, const struct subject *subject, const struct kernel *kernel);
	/* Run once, and add all that it puts out to bench->digest. */
	void (*digest)(struct bench *bench, const struct subject *subject, const struct kernel *kernel);
};

static void add_to_digest(struct bench *bench, const void *bytes, size_t length)
{
	XXH3_64bits_update(bench->digest, bytes, length);
}

static uint64_t count_postings(const struct subject *subject)
{
	return subject->postings;
}

static uint64_t count_integers(const struct subject *subject)
{
	return 2 * subject->postings;
}

static uint64_t count_ranges(const struct subject *subject)
{
	return subject->ranges;
}

static uint64_t count_bounds(const struct subject *subject)
{
	(void)subject;
	return (DENSITIES - 1) * SUPERBLOCKS;
}

static uint64_t count_sums(const struct subject *subject)
{
	(void)subject;
	return SELECTIONS * SUPERBLOCKS;
}

static uint64_t count_scores(const struct subject *subject)
{
	(void)subject;
	return RANDOM_SCORES;
}

/* ---- short lists ---- */

static void run_integer_runs(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)kernel;
	for (uint32_t i = 0; i < subject->count; i++) {
		const uint8_t *at = subject->coded[i], *end = at + subject->coded_bytes[i];
		for (uint32_t start = 0; start < subject->lists[i].count; start += SHORT_BLOCK) {
			uint32_t left = subject->lists[i].count - start, n = left < SHORT_BLOCK ? left : SHORT_BLOCK;
			at = integer_run_decode(at, end, n, bench->output->docs[i] + start);
			if (at)
				at = integer_run_decode(at, end, n, bench->output->tfs[i] + start);
			if (!at)
				die("an integer run of its own making cannot be decoded");
		}
	}
}

static void run_short_lists(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)kernel;
	for (uint32_t i = 0; i < subject->count; i++)
		if (!short_list_decode(subject->coded[i], subject->coded_bytes[i], subject->lists[i].count, DOCUMENTS,
		                       bench->output->docs[i], bench->output->tfs[i]))
			die("a short list of its own making cannot be decoded");
}

/* ---- ranged lists ---- */

static void run_range_mask(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	uint64_t *masks = bench->output->numbers;
	for (uint32_t i = 0; i < subject->chunk_count; i++)
		for (uint32_t rank = 0; rank < subject->chunks[i].chunk.range_count; rank++)
			*masks++ = kernel->range_mask(&subject->chunks[i].chunk, rank);
}

static void digest_numbers(struct bench *bench, const struct subject *subject)
{
	add_to_digest(bench, bench->output->numbers, subject->ranges * sizeof *bench->output->numbers);
}

static void digest_range_mask(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_range_mask(bench, subject, kernel);
	digest_numbers(bench, subject);
}

/* Calls `each` with every occupied range: its rank, and the first docID. Inlined, so that the call costs nothing. */
static inline __attribute__((always_inline)) void
walk_ranges(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
            void (*each)(struct bench *, const struct subject *, const struct kernel *, const struct opened_chunk *,
                         uint32_t rank, uint32_t first_doc))
{
	for (uint32_t i = 0; i < subject->chunk_count; i++) {
		const struct opened_chunk *opened = &subject->chunks[i];
		uint32_t rank = 0;
		for (uint32_t left = opened->chunk.range_mask; left; left &= left - 1, rank++)
			each(bench, subject, kernel, opened, rank,
			     opened->superblock * SUPERBLOCK_DOCUMENTS +
			         (uint32_t)__builtin_ctz(left) * RANGE_DOCUMENTS);
	}
}

/* The contributions add up from superblock to superblock: what clears the scores in a search is not part of the figure. */
static inline void score_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                             const struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	kernel->score_range(&opened->chunk, rank, bench->segment.lengths + first_doc, &bench->scorer,
	                    subject->lists[0].weight, bench->output->scores + first_doc % SUPERBLOCK_DOCUMENTS);
}

static void run_score_range(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_ranges(bench, subject, kernel, score_one);
}

static inline void digest_scores_of_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                                        const struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	float scores[RANGE_DOCUMENTS];
	for (uint32_t i = 0; i < RANGE_DOCUMENTS; i++)
		scores[i] = bench->random_scores[(first_doc + i) % RANDOM_SCORES];
	uint64_t mask = kernel->score_range(&opened->chunk, rank, bench->segment.lengths + first_doc, &bench->scorer,
	                                    subject->lists[0].weight, scores);
	add_to_digest(bench, &mask, sizeof mask);
	add_to_digest(bench, scores, sizeof scores);
}

static void digest_score_range(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_ranges(bench, subject, kernel, digest_scores_of_one);
}

static inline void measure_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                               const struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	(void)subject;
	kernel->measure_range(&opened->chunk, rank, opened->exceptions[rank], bench->segment.lengths + first_doc,
	                      &bench->output->positions);
}

static void run_measure_range(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_ranges(bench, subject, kernel, measure_one);
}

/* Kernels may choose either form: what counts is the tf of each posting and where its positions start. */
static inline void digest_measure_of_one(struct bench *bench, const struct subject *subject,
                                         const struct kernel *kernel, const struct opened_chunk *opened, uint32_t rank,
                                         uint32_t first_doc)
{
	const struct range_positions *range = &bench->output->positions;
	uint64_t start = 0, numbers[3 + 2 * RANGE_DOCUMENTS];
	measure_one(bench, subject, kernel, opened, rank, first_doc);
	uint32_t count = (uint32_t)__builtin_popcountll(range->mask), n = 0;
	numbers[n++] = range->mask;
	numbers[n++] = range->total;
	numbers[n++] = range->exceptions;
	for (uint32_t i = 0; i < count; i++) {
		numbers[n++] = range->wide ? range->wide_tfs[i] : range->tfs[i];
		numbers[n++] = range->wide ? range->wide_starts[i] : start;
		start += range->sizes[i];
	}
	add_to_digest(bench, numbers, n * sizeof *numbers);
}

static void digest_measure_range(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_ranges(bench, subject, kernel, digest_measure_of_one);
}

static void run_find_levels(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	for (uint32_t i = 0; i < subject->chunk_count; i++)
		kernel->find_levels(&subject->chunks[i].chunk, subject->lists[0].levels,
		                    bench->output->bounds + subject->chunks[i].superblock * SUPERBLOCK_RANGES);
}

static void digest_find_levels(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	memset(bench->output->bounds, 0, sizeof bench->output->bounds);
	run_find_levels(bench, subject, kernel);
	add_to_digest(bench, bench->output->bounds, sizeof bench->output->bounds);
}

static uint64_t count_bits(const uint64_t *masks, uint32_t n)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < n; i++)
		count += (uint64_t)__builtin_popcountll(masks[i]);
	return count;
}

/* As the evaluators do it, but not a primitive of theirs: compiled here for the instruction that AVX2 kernels may use. */
#if defined(__x86_64__)
static __attribute__((target("popcnt"))) uint64_t count_bits_popcnt(const uint64_t *masks, uint32_t n)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < n; i++)
		count += (uint64_t)__builtin_popcountll(masks[i]);
	return count;
}
#else
#define count_bits_popcnt count_bits
#endif

static void run_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	bench->output->numbers[0] =
	    (kernel == kernel_for(CPU_SCALAR) ? count_bits : count_bits_popcnt)(subject->masks, subject->ranges);
}

static void digest_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_count(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, sizeof *bench->output->numbers);
}

/* ---- bounds of superblocks ---- */

static void add_all_bounds(struct bench *bench, void (*add)(float *, const uint8_t *, float, uint32_t))
{
	for (uint32_t i = 1; i < DENSITIES; i++) {
		const struct list *list = &bench->ranged[i].lists[0];
		add(bench->output->sums, list->ranged.bounds, list->step, SUPERBLOCKS);
	}
}

static void run_add_bounds(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	add_all_bounds(bench, kernel->add_bounds);
}

static void run_add_required(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	add_all_bounds(bench, kernel->add_required);
}

static void digest_sums(struct bench *bench, void (*add)(float *, const uint8_t *, float, uint32_t))
{
	memset(bench->output->sums, 0, sizeof bench->output->sums);
	add_all_bounds(bench, add);
	add_to_digest(bench, bench->output->sums, sizeof bench->output->sums);
}

static void digest_add_bounds(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	digest_sums(bench, kernel->add_bounds);
}

static void digest_add_required(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	digest_sums(bench, kernel->add_required);
}

/* The random numbers are -ln(u): this many of them are above a threshold with e^-threshold = 1/20, 1/100. */
#define ONE_IN_20 2.9957323f
#define ONE_IN_100 4.6051702f

static void run_select_sums(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	for (uint32_t i = 0; i < SELECTIONS; i++)
		bench->output->numbers[i] = kernel->select_sums(bench->random_sums + i * SUPERBLOCKS, ONE_IN_20,
		                                                SUPERBLOCKS, bench->output->indices[i]);
}

static void digest_select_sums(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_select_sums(bench, subject, kernel);
	for (uint32_t i = 0; i < SELECTIONS; i++) {
		uint64_t count = bench->output->numbers[i];
		add_to_digest(bench, &count, sizeof count);
		add_to_digest(bench, bench->output->indices[i], count * sizeof **bench->output->indices);
	}
}

static void run_at_least(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	for (uint32_t i = 0; i < RANDOM_SCORES / RANGE_DOCUMENTS; i++)
		bench->output->numbers[i] =
		    kernel->at_least(bench->random_scores + (size_t)i * RANGE_DOCUMENTS, ONE_IN_100);
}

static void digest_at_least(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_at_least(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, RANDOM_SCORES / RANGE_DOCUMENTS * sizeof *bench->output->numbers);
}

/* ---- the best k ---- */

static void begin_top(struct bench *bench, size_t k)
{
	if (!top_begin(&bench->top, k))
		die("out of memory");
}

static void digest_top(struct bench *bench)
{
	top_finish(&bench->top);
	for (size_t i = 0; i < bench->top.count; i++) {
		add_to_digest(bench, &bench->top.hits[i].document, sizeof bench->top.hits[i].document);
		add_to_digest(bench, &bench->top.hits[i].score, sizeof bench->top.hits[i].score);
	}
	add_to_digest(bench, &bench->top.count, sizeof bench->top.count);
}

/* Only what reaches the threshold is pushed, as the evaluators do. */
static void filter_and_push(struct bench *bench, const struct kernel *kernel, size_t k)
{
	begin_top(bench, k);
	for (uint32_t i = 0; i < RANDOM_SCORES; i += RANGE_DOCUMENTS) {
		const float *scores = bench->random_scores + i;
		uint64_t left = kernel->at_least(scores, bench->top.threshold);
		for (; left; left &= left - 1) {
			uint32_t offset = (uint32_t)__builtin_ctzll(left);
			if (scores[offset] >= bench->top.threshold)
				top_push(&bench->top, i + offset, scores[offset]);
		}
	}
	top_cut(&bench->top);
}

static void push_all(struct bench *bench, size_t k)
{
	begin_top(bench, k);
	for (uint32_t i = 0; i < RANDOM_SCORES; i++)
		top_push(&bench->top, i, bench->random_scores[i]);
	top_cut(&bench->top);
}

#define TOP_OPERATION(name, action)                                                                                    \
	static void run_##name(struct bench *bench, const struct subject *subject, const struct kernel *kernel)        \
	{                                                                                                              \
		(void)subject;                                                                                         \
		(void)kernel;                                                                                          \
		action;                                                                                                \
	}                                                                                                              \
	static void digest_##name(struct bench *bench, const struct subject *subject, const struct kernel *kernel)     \
	{                                                                                                              \
		run_##name(bench, subject, kernel);                                                                    \
		digest_top(bench);                                                                                     \
	}

TOP_OPERATION(filter_10, filter_and_push(bench, kernel, 10))
TOP_OPERATION(filter_1000, filter_and_push(bench, kernel, 1000))
TOP_OPERATION(push_10, push_all(bench, 10))
TOP_OPERATION(push_1000, push_all(bench, 1000))

/* ---- whole evaluations ---- */

static struct evaluation begin_evaluation(struct bench *bench, const struct subject *subject, trawl_error *error)
{
	arena_reset(&bench->query);
	struct evaluation evaluation = {.segment = &bench->segment,
	                                .scorer = &bench->scorer,
	                                .lists = subject->lists,
	                                .count = subject->count,
	                                .arena = &bench->query,
	                                .error = error};
	for (uint32_t i = 0; i < subject->count; i++)
		subject->lists[i].cursor = 0;
	return evaluation;
}

/* With the seeds of the lists, as a search starts. */
static void evaluate_top(struct bench *bench, const struct subject *subject, const struct kernel *kernel, size_t k)
{
	trawl_error error = {0};
	struct evaluation evaluation = begin_evaluation(bench, subject, &error);
	begin_top(bench, k);
	for (uint32_t i = 0; i < subject->count; i++) {
		const struct list *list = &subject->lists[i];
		if (list->kind == LIST_RANGED)
			top_raise(&bench->top, list->ranged.seeds[k <= 10 ? 0 : 2] * list->weight / BOUND_SLACK);
	}
	if (kernel->evaluate_top(&evaluation, &bench->top))
		die("%s: %s", subject->name, error.text);
	top_finish(&bench->top);
}

TOP_OPERATION(union_10, evaluate_top(bench, subject, kernel, 10))
TOP_OPERATION(union_1000, evaluate_top(bench, subject, kernel, 1000))

static void run_union_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	trawl_error error = {0};
	struct evaluation evaluation = begin_evaluation(bench, subject, &error);
	bench->output->numbers[0] = 0;
	if (kernel->evaluate_count(&evaluation, bench->output->numbers))
		die("%s: %s", subject->name, error.text);
}

static void digest_union_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_union_count(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, sizeof *bench->output->numbers);
}

#define AIM_INTEGER "0.2"
#define AIM_POSTING "1.1-1.5"

/* For portable operations there is nothing to compare. */
static const struct operation operations[] = {
    {"integer_run_decode", "integer", AIM_INTEGER, ON_SHORT, true, count_integers, run_integer_runs, NULL},
    {"short_list_decode", "integer", AIM_INTEGER, ON_SHORT, true, count_integers, run_short_lists, NULL},
    {"range_mask", "posting", AIM_INTEGER, ON_RANGED, false, count_postings, run_range_mask, digest_range_mask},
    {"score_range", "posting", AIM_POSTING, ON_RANGED, false, count_postings, run_score_range, digest_score_range},
    {"measure_range", "posting", NULL, ON_RANGED, false, count_postings, run_measure_range, digest_measure_range},
    {"popcount", "posting", NULL, ON_RANGED, false, count_postings, run_count, digest_count},
    {"find_levels", "range", NULL, ON_RANGED, false, count_ranges, run_find_levels, digest_find_levels},
    {"add_bounds", "bound", NULL, ON_NOTHING, false, count_bounds, run_add_bounds, digest_add_bounds},
    {"add_required", "bound", NULL, ON_NOTHING, false, count_bounds, run_add_required, digest_add_required},
    {"select_sums", "sum", NULL, ON_NOTHING, false, count_sums, run_select_sums, digest_select_sums},
    {"at_least", "score", NULL, ON_NOTHING, false, count_scores, run_at_least, digest_at_least},
    {"at_least, top 10", "score", NULL, ON_NOTHING, false, count_scores, run_filter_10, digest_filter_10},
    {"at_least, top 1000", "score", NULL, ON_NOTHING, false, count_scores, run_filter_1000, digest_filter_1000},
    {"top_push, top 10", "score", NULL, ON_NOTHING, true, count_scores, run_push_10, digest_push_10},
    {"top_push, top 1000", "score", NULL, ON_NOTHING, true, count_scores, run_push_1000, digest_push_1000},
    {"union, count", "posting", NULL, ON_PAIR, false, count_postings, run_union_count, digest_union_count},
    {"union, top 10", "posting", AIM_POSTING, ON_PAIR, false, count_postings, run_union_10, digest_union_10},
    {"union, top 1000", "posting", AIM_POSTING, ON_PAIR, false, count_postings, run_union_1000, digest_union_1000}};
#define OPERATIONS (sizeof operations / sizeof *operations)
#define FIGURES_MAX (OPERATIONS * DENSITIES)

/* ---- making the lists ---- */

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double random_unit(uint64_t *state) /* in (0, 1) */
{
	return ((double)(random_next(state) >> 12) + 0.5) * 0x1p-52;
}

/* As the abstracts of papers are: log-normal around 140 tokens. Returns the sum. */
static uint64_t make_lengths(uint8_t *lengths, uint64_t *state)
{
	uint64_t tokens = 0;
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		double normal = sqrt(-2 * log(random_unit(state))) * cos(6.283185307179586 * random_unit(state));
		double length = exp(log(140) + 0.45 * normal);
		lengths[i] = length_encode((uint32_t)(length < 8 ? 8 : length > 2000 ? 2000 : length));
		tokens += length_decode(lengths[i]);
	}
	return tokens;
}

/* n documents, each set of them as likely as any other, and a tf for each: geometric, at most the document's length. */
static void make_list(uint32_t *docs, uint32_t *tfs, uint32_t n, double more, const uint8_t *lengths, uint64_t *state)
{
	uint32_t made = 0;
	uint64_t limit = (uint64_t)(more * 0x1p32);
	for (uint32_t doc = 0; made < n; doc++) {
		if ((random_next(state) >> 32) * (DOCUMENTS - doc) >> 32 >= n - made)
			continue;
		uint32_t tf = 1, most = length_decode(lengths[doc]);
		while (tf < most && random_next(state) >> 32 < limit)
			tf++;
		docs[made] = doc;
		tfs[made++] = tf;
	}
}

static uint32_t list_postings(uint32_t density)
{
	uint32_t n = DOCUMENTS / densities[density].one_in;
	return n - (density == 0); /* one less: below the border */
}

static int no_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)context, (void)error;
	memset(positions, 0, count * sizeof *positions);
	return 0;
}

/* Terms "list00" ...: the short lists, then one for each other density. */
static int write_terms(struct segment_writer *writer, const uint8_t *lengths, uint64_t *state, trawl_error *error)
{
	const struct position_source source = {no_positions, NULL};
	uint32_t *docs = allocate(DOCUMENTS, sizeof *docs), *tfs = allocate(DOCUMENTS, sizeof *tfs);
	int code = 0;
	for (uint32_t i = 0; !code && i < SHORT_LISTS + DENSITIES - 1; i++) {
		char term[16];
		uint32_t density = i < SHORT_LISTS ? 0 : i - SHORT_LISTS + 1, n = list_postings(density);
		int length = snprintf(term, sizeof term, "list%02u", (unsigned)i);
		make_list(docs, tfs, n, densities[density].more, lengths, state);
		code = segment_writer_term(writer, term, (uint8_t)length, docs, tfs, n, &source, error);
	}
	memory_free(docs);
	memory_free(tfs);
	return code;
}

/* One segment, without positions, whose documents are empty but for their lengths. */
static int write_segment(struct segment_writer *writer, struct manifest *manifest, uint64_t seed, trawl_error *error)
{
	uint8_t *lengths = allocate(DOCUMENTS, 1);
	uint32_t *hashes = allocate(DOCUMENTS, sizeof *hashes);
	uint64_t state = seed, tokens = make_lengths(lengths, &state);
	int code = 0;
	for (uint32_t i = 0; !code && i < DOCUMENTS; i++) {
		char id[16];
		trawl_document document = {.id = id, .title = "", .text = "", .fields = ""};
		document.id_length = (size_t)snprintf(id, sizeof id, "%08x", (unsigned)i);
		hashes[i] = id_hash(id, document.id_length);
		code = segment_writer_document(writer, &document, error);
	}
	if (!code)
		code = segment_writer_begin_terms(writer, DOCUMENTS, lengths, NULL, tokens, NULL, hashes, error);
	if (!code)
		code = write_terms(writer, lengths, &state, error);
	if (!code)
		code = segment_writer_finish(writer, &manifest->segments[0], error);
	memory_free(lengths);
	memory_free(hashes);
	return code;
}

static void write_index(struct store *store, uint64_t seed)
{
	trawl_error error = {0};
	struct store_batch *batch = NULL;
	struct segment_writer *writer = allocate(1, sizeof *writer);
	struct manifest_segment segment = {0};
	struct manifest manifest = {.generation = 1,
	                            .next_segment = 2,
	                            .analysis_version = ANALYSIS_VERSION,
	                            .language = "english",
	                            .segments = &segment,
	                            .segment_count = 1};
	struct buffer bytes = {0};
	int code = store_batch_new(&batch, store, &error);
	if (!code)
		code = segment_writer_init(writer, batch, 1, false, &error);
	if (!code)
		code = write_segment(writer, &manifest, seed, &error);
	if (!code && !manifest_write(&manifest, &bytes))
		die("out of memory");
	if (!code)
		code = store_batch_commit(batch, bytes.data, (uint32_t)bytes.length, &error);
	if (code)
		die("%s", error.text);
	buffer_release(&bytes);
	segment_writer_release(writer);
	memory_free(writer);
	store_batch_free(batch);
}

/* ---- opening them ---- */

static void prepare_scorer(struct bench *bench)
{
	struct scorer *scorer = &bench->scorer;
	bm25_denominators(BORN_K1, BORN_B, bench->segment.born_average, scorer->denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			scorer->saturations[tf - 1][code] = saturation(tf, scorer->denominators[code]);
}

static void open_list(struct bench *bench, uint32_t number, struct list *list, trawl_error *error)
{
	char term[16];
	int length = snprintf(term, sizeof term, "list%02u", (unsigned)number);
	int code = list_find(list, &bench->segment, term, (size_t)length, &bench->kept, error);
	float weight = (float)log1p((DOCUMENTS - list->count + 0.5) / (list->count + 0.5));
	if (!code)
		code = list_score(list, &bench->segment, &bench->scorer, weight, 1, BOUND_SLACK, &bench->kept, error);
	if (code)
		die("%s", error->text);
	if (list->kind != (number < SHORT_LISTS ? LIST_SHORT : LIST_RANGED))
		die("the list of %u postings has become of the other kind: the border has moved",
		    (unsigned)list->count);
}

static void open_short_lists(struct bench *bench, trawl_error *error)
{
	struct subject *subject = &bench->shorts;
	snprintf(subject->name, sizeof subject->name, "%s", densities[0].name);
	subject->lists = allocate(SHORT_LISTS, sizeof *subject->lists);
	for (uint32_t i = 0; i < SHORT_LISTS; i++) {
		struct term_entry entry;
		char term[16];
		uint64_t left;
		int length = snprintf(term, sizeof term, "list%02u", (unsigned)i);
		open_list(bench, i, &subject->lists[i], error);
		if (terms_find(&bench->segment.terms, term, (size_t)length, &entry, error) <= 0)
			die("%s: %s", term, error->text);
		subject->coded[i] = part_at(&bench->segment.postings, entry.place.postings, &left, error);
		subject->coded_bytes[i] = entry.place.postings_bytes;
		if (!subject->coded[i] || subject->coded_bytes[i] > left)
			die("%s: %s", term, error->text);
		subject->count++;
		subject->postings += entry.df;
	}
}

static void open_chunks(struct bench *bench, struct subject *subject, trawl_error *error)
{
	const struct ranged_list *list = &subject->lists[0].ranged;
	subject->chunks = allocate(SUPERBLOCKS, sizeof *subject->chunks);
	subject->masks = allocate(RANGES, sizeof *subject->masks);
	for (uint32_t superblock = 0; superblock < SUPERBLOCKS; superblock++) {
		struct opened_chunk *opened = &subject->chunks[subject->chunk_count];
		uint32_t length;
		uint64_t left, address = chunk_place(list, superblock, &length);
		if (!length)
			continue;
		const uint8_t *bytes = part_at(&bench->segment.postings, address, &left, error);
		if (!bytes || length > left || !chunk_open(&opened->chunk, list, superblock, bytes, length))
			die("a chunk of its own making cannot be opened");
		opened->superblock = superblock;
		for (uint32_t rank = 0; rank < opened->chunk.range_count; rank++) {
			opened->exceptions[rank] = chunk_exceptions_before(&opened->chunk, rank, 0);
			subject->masks[subject->ranges++] = chunk_range_mask(&opened->chunk, rank);
		}
		subject->chunk_count++;
	}
	if (count_bits(subject->masks, subject->ranges) != subject->postings)
		die("%s: not as many postings in the ranges as were written", subject->name);
}

static void open_subjects(struct bench *bench)
{
	trawl_error error = {0};
	snprintf(bench->none.name, sizeof bench->none.name, "-");
	open_short_lists(bench, &error);
	for (uint32_t i = 1; i < DENSITIES; i++) {
		struct subject *subject = &bench->ranged[i];
		snprintf(subject->name, sizeof subject->name, "%s", densities[i].name);
		subject->lists = allocate(1, sizeof *subject->lists);
		subject->count = 1;
		open_list(bench, SHORT_LISTS + i - 1, &subject->lists[0], &error);
		subject->postings = subject->lists[0].count;
		open_chunks(bench, subject, &error);
	}
	for (uint32_t i = 0; i < PAIRS; i++) {
		struct subject *subject = &bench->pair[i];
		snprintf(subject->name, sizeof subject->name, "%s+%s", densities[pairs[i][0]].name,
		         densities[pairs[i][1]].name);
		subject->lists = allocate(2, sizeof *subject->lists);
		subject->count = 2;
		for (int j = 0; j < 2; j++) {
			uint32_t density = pairs[i][j];
			subject->lists[j] = density ? bench->ranged[density].lists[0] : bench->shorts.lists[0];
			subject->postings += subject->lists[j].count;
		}
	}
}

/* The index is in a folder of its own, which is gone again as soon as all is opened: a killed run leaves nothing behind. */
static void make_index(struct bench *bench, uint64_t seed)
{
	const char *where = getenv("TMPDIR");
	char folder[4000], path[4008], lock[4016];
	trawl_error error = {0};
	int n = snprintf(folder, sizeof folder, "%s/kernel_bench-XXXXXX", where && *where ? where : "/tmp");
	if (n < 0 || (size_t)n >= sizeof folder)
		die("the name of the temporary folder is too long");
	if (!mkdtemp(folder))
		die("%s: %s", folder, strerror(errno));
	snprintf(path, sizeof path, "%s/index", folder);
	snprintf(lock, sizeof lock, "%s-lock", path);
	int code = store_open(&bench->store, path, true, &error);
	unlink(lock);
	unlink(path);
	rmdir(folder);
	if (code)
		die("%s", error.text);
	write_index(bench->store, seed);
	code = snapshot_open(&bench->snapshot, bench->store, &error);
	if (!code)
		code = manifest_read(&bench->manifest, bench->snapshot, &error);
	if (!code)
		code = segment_open(&bench->segment, bench->snapshot, &bench->manifest, 0, &error);
	if (code)
		die("%s", error.text);
}

static void make_random_scores(struct bench *bench, uint64_t seed)
{
	uint64_t state = ~seed;
	bench->random_scores = allocate(RANDOM_SCORES, sizeof *bench->random_scores);
	bench->random_sums = allocate(SELECTIONS * SUPERBLOCKS, sizeof *bench->random_sums);
	for (uint32_t i = 0; i < RANDOM_SCORES; i++)
		bench->random_scores[i] = (float)-log(random_unit(&state));
	for (uint32_t i = 0; i < SELECTIONS * SUPERBLOCKS; i++)
		bench->random_sums[i] = (float)-log(random_unit(&state));
}

static void bench_open(struct bench *bench, uint64_t seed)
{
	bench->output = allocate(1, sizeof *bench->output);
	bench->digest = XXH3_createState();
	if (!bench->digest)
		die("out of memory");
	make_random_scores(bench, seed);
	make_index(bench, seed);
	prepare_scorer(bench);
	open_subjects(bench);
}

static void subject_release(struct subject *subject)
{
	memory_free(subject->lists);
	memory_free(subject->chunks);
	memory_free(subject->masks);
}

static void bench_close(struct bench *bench)
{
	subject_release(&bench->shorts);
	for (uint32_t i = 0; i < DENSITIES; i++)
		subject_release(&bench->ranged[i]);
	for (uint32_t i = 0; i < PAIRS; i++)
		subject_release(&bench->pair[i]);
	segment_close(&bench->segment);
	manifest_release(&bench->manifest);
	snapshot_close(bench->snapshot);
	store_close(bench->store);
	arena_release(&bench->kept);
	arena_release(&bench->query);
	top_release(&bench->top);
	memory_free(bench->random_scores);
	memory_free(bench->random_sums);
	memory_free(bench->output);
	XXH3_freeState(bench->digest);
}

/* ---- measuring ---- */

struct options {
	size_t rounds, seed;
	double sample; /* ns that one reading should take at least */
	bool json, quick;
};

struct figure {
	const struct operation *operation;
	const char *subject;
	uint64_t units;
	bool measured[KERNELS], differs[KERNELS];
	double best[KERNELS], median[KERNELS]; /* ns a unit */
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ns of one of `times` runs */
static double time_runs(struct bench *bench, const struct operation *operation, const struct subject *subject,
                        const struct kernel *kernel, uint64_t times)
{
	double start = now();
	for (uint64_t i = 0; i < times; i++)
		operation->run(bench, subject, kernel);
	return (now() - start) / (double)times;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Compare with the scalar kernel, and find out how many runs make a reading that is long enough for the clock. */
static void prepare_figure(struct bench *bench, const struct subject *subject, const struct options *options,
                           struct figure *figure, uint64_t times[KERNELS])
{
	const struct operation *operation = figure->operation;
	uint64_t wanted = 0;
	figure->subject = subject->name;
	figure->units = operation->units(subject);
	for (int level = 0; level < (operation->portable ? 1 : KERNELS); level++) {
		const struct kernel *kernel = kernel_for((enum cpu_level)level);
		if (!kernel)
			continue;
		figure->measured[level] = true;
		if (operation->digest) {
			XXH3_64bits_reset(bench->digest);
			operation->digest(bench, subject, kernel);
			uint64_t digest = XXH3_64bits_digest(bench->digest);
			wanted = level ? wanted : digest;
			figure->differs[level] = digest != wanted;
		}
		time_runs(bench, operation, subject, kernel, 1);
		double once = time_runs(bench, operation, subject, kernel, 1);
		times[level] = once < options->sample ? (uint64_t)(options->sample / (once < 10 ? 10 : once)) + 1 : 1;
	}
}

/* The kernels take turns, so that other work on the machine disturbs all alike. */
static void measure(struct bench *bench, const struct subject *subject, const struct options *options,
                    struct figure *figure, double *samples)
{
	uint64_t times[KERNELS] = {0};
	prepare_figure(bench, subject, options, figure, times);
	for (size_t round = 0; round < options->rounds; round++)
		for (int level = 0; level < KERNELS; level++)
			if (figure->measured[level])
				samples[(size_t)level * options->rounds + round] =
				    time_runs(bench, figure->operation, subject, kernel_for((enum cpu_level)level),
				              times[level]) /
				    (double)figure->units;
	for (int level = 0; level < KERNELS; level++) {
		double *own = samples + (size_t)level * options->rounds;
		if (!figure->measured[level])
			continue;
		qsort(own, options->rounds, sizeof *own, compare_doubles);
		figure->best[level] = own[0];
		figure->median[level] = (own[(options->rounds - 1) / 2] + own[options->rounds / 2]) / 2;
	}
}

static size_t measure_all(struct bench *bench, const struct options *options, struct figure *figures)
{
	double *samples = allocate(options->rounds * KERNELS, sizeof *samples);
	size_t count = 0;
	for (size_t i = 0; i < OPERATIONS; i++) {
		const struct subject *subjects = &bench->none;
		size_t n = 1;
		if (operations[i].on == ON_SHORT) {
			subjects = &bench->shorts;
		} else if (operations[i].on == ON_RANGED) {
			subjects = bench->ranged + 1;
			n = DENSITIES - 1;
		} else if (operations[i].on == ON_PAIR) {
			subjects = bench->pair;
			n = PAIRS;
		}
		for (size_t j = 0; j < n; j++) {
			figures[count].operation = &operations[i];
			measure(bench, &subjects[j], options, &figures[count++], samples);
		}
	}
	memory_free(samples);
	return count;
}

/* ---- telling ---- */

static void print_heading(const struct bench *bench, const struct options *options, int processor)
{
	char place[32] = "not pinned";
	if (processor >= 0)
		snprintf(place, sizeof place, "on processor %d", processor);
	printf("seed %zu; %u documents of %.1f tokens; %zu rounds, %s\n", options->seed, DOCUMENTS,
	       (double)bench->segment.born_average, options->rounds, place);
	for (int level = 0; level < KERNELS; level++)
		printf("%s: %s\n", cpu_level_name((enum cpu_level)level),
		       kernel_for((enum cpu_level)level) ? "measured" : "not on this machine");
}

static void print_cells(const struct figure *figure)
{
	for (int level = 0; level < KERNELS; level++) {
		if (figure->measured[level])
			printf(" %8.3f %8.3f", figure->best[level], figure->median[level]);
		else
			printf(" %8s %8s", figure->operation->portable ? "=" : "-", "");
	}
	for (int level = 1; level < KERNELS; level++) {
		if (figure->measured[level] && figure->differs[level])
			printf(" %8s", "DIFFERS");
		else if (figure->measured[level])
			printf(" %7.1fx", figure->best[0] / figure->best[level]);
		else
			printf(" %8s", figure->operation->portable ? "=" : "-");
	}
}

static void print_table(const struct figure *figures, size_t count)
{
	printf("\n%-18s %-10s %8s %-8s", "", "", "", "");
	for (int level = 0; level < KERNELS; level++)
		printf(" %17s", cpu_level_name((enum cpu_level)level));
	for (int level = 1; level < KERNELS; level++)
		printf(" %8s", cpu_level_name((enum cpu_level)level));
	printf("\n%-18s %-10s %8s %-8s", "operation", "density", "units", "unit");
	for (int level = 0; level < KERNELS; level++)
		printf(" %8s %8s", "best", "median");
	printf(" %8s %8s %8s\n", "speed-up", "speed-up", "aim");
	for (size_t i = 0; i < count; i++) {
		const struct operation *operation = figures[i].operation;
		if (i && operation != figures[i - 1].operation && operation->on != ON_NOTHING)
			putchar('\n');
		printf("%-18s %-10s %8llu %-8s", operation->name, figures[i].subject,
		       (unsigned long long)figures[i].units, operation->unit);
		print_cells(&figures[i]);
		printf(" %8s\n", operation->aim ? operation->aim : "");
	}
	puts("\nTimes are ns a unit, of the best round and of the median one; the speed-up is over scalar, of the "
	     "best.\n"
	     "=: the same code for every kernel. Limits to aim at: " AIM_INTEGER " ns a decoded integer, " AIM_POSTING
	     " ns a posting\nthat is decoded, scored and accumulated (a union's postings need not all be).");
}

static void print_json_figure(const struct figure *figure)
{
	printf("{\"operation\": \"%s\", \"density\": \"%s\", \"units\": %llu, \"unit\": \"%s\", ",
	       figure->operation->name, figure->subject, (unsigned long long)figure->units, figure->operation->unit);
	printf("\"same_code\": %s, \"aim\": ", figure->operation->portable ? "true" : "false");
	printf(figure->operation->aim ? "\"%s\"" : "null", figure->operation->aim);
	for (int level = 0; level < KERNELS; level++) {
		printf(", \"%s\": ", cpu_level_name((enum cpu_level)level));
		if (figure->measured[level])
			printf("{\"best_ns\": %.5g, \"median_ns\": %.5g, \"speedup\": %.4g, \"same_output\": %s}",
			       figure->best[level], figure->median[level], figure->best[0] / figure->best[level],
			       figure->differs[level] ? "false" : "true");
		else
			printf("null");
	}
	putchar('}');
}

static void print_json(const struct options *options, int processor, double tokens, const struct figure *figures,
                       size_t count)
{
	printf("{\"seed\": %zu, \"documents\": %u, \"mean_length\": %.3f, \"rounds\": %zu, \"quick\": %s, ",
	       options->seed, DOCUMENTS, tokens, options->rounds, options->quick ? "true" : "false");
	if (processor >= 0)
		printf("\"processor\": %d, \"kernels\": {", processor);
	else
		printf("\"processor\": null, \"kernels\": {");
	for (int level = 0; level < KERNELS; level++)
		printf("%s\"%s\": \"%s\"", level ? ", " : "", cpu_level_name((enum cpu_level)level),
		       kernel_for((enum cpu_level)level) ? "measured" : "not on this machine");
	printf("},\n \"limits_ns\": {\"integer\": \"" AIM_INTEGER "\", \"posting\": \"" AIM_POSTING "\"},\n"
	       " \"figures\": [\n");
	for (size_t i = 0; i < count; i++) {
		fputs("  ", stdout);
		print_json_figure(&figures[i]);
		puts(i + 1 < count ? "," : "");
	}
	puts(" ]}");
}

/* Name what differs on stderr; whether something does. */
static bool print_differences(const struct figure *figures, size_t count)
{
	bool any = false;
	for (size_t i = 0; i < count; i++)
		for (int level = 0; level < KERNELS; level++)
			if (figures[i].differs[level]) {
				fprintf(stderr, "kernel_bench: %s, %s: %s puts out something else than scalar\n",
				        figures[i].operation->name, figures[i].subject,
				        cpu_level_name((enum cpu_level)level));
				any = true;
			}
	return any;
}

/* ---- the program ---- */

static const char usage[] =
    "usage: kernel_bench [OPTION...]\n\n"
    "Measures the loops that searches spend their time in, each alone, with every kernel that this machine has, over\n"
    "posting lists made from a seed, and compares what the kernels put out.\n\n"
    "  kernel_bench --quick\n"
    "  kernel_bench --rounds 100 --json >kernels.json\n\n"
    "      --rounds N    readings of each figure (25)\n"
    "      --seed N      seed of the lists (1)\n"
    "      --quick       fewer and shorter readings: rough figures, in a second or two\n"
    "      --json        one JSON object rather than a table\n"
    "      --help        this text\n\n"
    "Exit status: 0, or 2 on an error or when two kernels differ.\n";

static size_t parse_number(const char *name, const char *text, size_t low, size_t high)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < low || value > high)
		die("%s must be a number from %zu to %zu, not '%s'; see --help", name, low, high, text);
	return (size_t)value;
}

static void parse(struct options *options, int argc, char **argv)
{
	enum { OPTION_ROUNDS = 256, OPTION_SEED, OPTION_QUICK, OPTION_JSON, OPTION_HELP };
	static const struct option known[] = {
	    {"rounds", required_argument, NULL, OPTION_ROUNDS}, {"seed", required_argument, NULL, OPTION_SEED},
	    {"quick", no_argument, NULL, OPTION_QUICK},         {"json", no_argument, NULL, OPTION_JSON},
	    {"help", no_argument, NULL, OPTION_HELP},           {0}};
	int option;
	*options = (struct options){.seed = 1};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1)
		switch (option) {
		case OPTION_ROUNDS: options->rounds = parse_number("--rounds", optarg, 1, ROUNDS_MAX); break;
		case OPTION_SEED: options->seed = parse_number("--seed", optarg, 0, SIZE_MAX); break;
		case OPTION_QUICK: options->quick = true; break;
		case OPTION_JSON: options->json = true; break;
		case OPTION_HELP:
			fputs(usage, stdout);
			if (fflush(stdout))
				die("standard output: %s", strerror(errno));
			exit(0);
		case ':': die("%s wants a value; see --help", argv[optind - 1]);
		default: die("unknown option '%s'; see --help", argv[optind - 1]);
		}
	if (optind < argc)
		die("too many arguments: '%s'; see --help", argv[optind]);
	if (!options->rounds)
		options->rounds = options->quick ? 3 : 25;
	options->sample = options->quick ? 5e4 : 5e5;
}

/* Stay on the last processor that is allowed: the first ones serve more interrupts. Its number, -1 when that fails. */
static int pin(void)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(0, sizeof allowed, &allowed))
		return -1;
	int last = CPU_SETSIZE - 1;
	while (last >= 0 && !CPU_ISSET(last, &allowed))
		last--;
	CPU_ZERO(&one);
	if (last >= 0)
		CPU_SET(last, &one);
	return last >= 0 && sched_setaffinity(0, sizeof one, &one) == 0 ? last : -1;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static struct figure figures[FIGURES_MAX];
	struct options options;
	parse(&options, argc, argv);
	int processor = pin();
	bench_open(&bench, options.seed);
	if (!options.json) {
		print_heading(&bench, &options, processor);
		fflush(stdout);
	}
	size_t count = measure_all(&bench, &options, figures);
	if (options.json)
		print_json(&options, processor, (double)bench.segment.born_average, figures, count);
	else
		print_table(figures, count);
	bench_close(&bench);
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return print_differences(figures, count) ? 2 : 0;
}
