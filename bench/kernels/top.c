#include "bench/kernels/bench.h"

/* The random numbers are -ln(u): one in 100 is above a threshold with e^-threshold = 1/100. */
#define ONE_IN_100 4.6051702f

static void run_at_least(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	for (uint32_t i = 0; i < RANDOM_SCORES / BLOCK_DOCUMENTS; i++)
		bench->output->numbers[i] =
		    kernel->at_least(bench->random_scores + (size_t)i * BLOCK_DOCUMENTS, ONE_IN_100);
}

static void digest_at_least(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_at_least(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, RANDOM_SCORES / BLOCK_DOCUMENTS * sizeof *bench->output->numbers);
}

/* ---- the best k ---- */

void begin_top(struct bench *bench, size_t k)
{
	if (!top_begin(&bench->top, k, 64))
		die("out of memory");
}

void digest_top(struct bench *bench)
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
	for (uint32_t i = 0; i < RANDOM_SCORES; i += BLOCK_DOCUMENTS) {
		const float *scores = bench->random_scores + i;
		uint64_t left = kernel->at_least(scores, bench->top.collector.threshold);
		for (; left; left &= left - 1) {
			uint32_t offset = (uint32_t)__builtin_ctzll(left);
			if (scores[offset] >= bench->top.collector.threshold)
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

TOP_OPERATION(filter_10, filter_and_push(bench, kernel, 10))
TOP_OPERATION(filter_1000, filter_and_push(bench, kernel, 1000))
TOP_OPERATION(push_10, push_all(bench, 10))
TOP_OPERATION(push_1000, push_all(bench, 1000))

const struct operation top_operations[] = {
    {"at_least", "score", NULL, ON_NOTHING, false, count_scores, run_at_least, digest_at_least},
    {"at_least, top 10", "score", NULL, ON_NOTHING, false, count_scores, run_filter_10, digest_filter_10},
    {"at_least, top 1000", "score", NULL, ON_NOTHING, false, count_scores, run_filter_1000, digest_filter_1000},
    {"top_push, top 10", "score", NULL, ON_NOTHING, true, count_scores, run_push_10, digest_push_10},
    {"top_push, top 1000", "score", NULL, ON_NOTHING, true, count_scores, run_push_1000, digest_push_1000},
    {0}};
