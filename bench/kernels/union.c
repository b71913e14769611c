#include "bench/kernels/bench.h"

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

const struct operation union_operations[] = {
    {"union, count", "posting", NULL, ON_PAIR, false, count_postings, run_union_count, digest_union_count},
    {"union, top 10", "posting", AIM_POSTING, ON_PAIR, false, count_postings, run_union_10, digest_union_10},
    {"union, top 1000", "posting", AIM_POSTING, ON_PAIR, false, count_postings, run_union_1000, digest_union_1000},
    {0}};
