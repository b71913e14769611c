#include "bench/kernels/bench.h"

static struct evaluation begin_evaluation(struct bench *bench, const struct subject *subject, trawl_error *error)
{
	arena_reset(&bench->context.arena);
	bench->context.error = error;
	return (struct evaluation){.live = {.count = bench->segment.documents_count},
	                           .leaves = subject->leaves,
	                           .count = subject->count,
	                           .scorer = &bench->scorer,
	                           .lengths = bench->segment.lengths};
}

/* With the floors of the lists, as a search starts. */
static void rank(struct bench *bench, const struct subject *subject, const struct kernel *kernel, size_t k)
{
	trawl_error error = {0};
	struct evaluation evaluation = begin_evaluation(bench, subject, &error);
	begin_top(bench, k);
	for (uint32_t i = 0; i < subject->count; i++) {
		const struct leaf *leaf = &subject->leaves[i];
		if (leaf->kind == LEAF_DENSE)
			top_raise(&bench->top, leaf->dense.floors[k <= 10 ? 0 : 2] * leaf->weight / BOUND_SLACK);
	}
	if (kernel->rank(&evaluation, &bench->context, &bench->top.collector))
		die("%s: %s", subject->name, error.text);
	top_cut(&bench->top);
}

TOP_OPERATION(union_10, rank(bench, subject, kernel, 10))
TOP_OPERATION(union_1000, rank(bench, subject, kernel, 1000))

static void run_union_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	trawl_error error = {0};
	struct evaluation evaluation = begin_evaluation(bench, subject, &error);
	struct collector counter = {.kind = COLLECT_COUNT};
	if (kernel->match(&evaluation, &bench->context, &counter))
		die("%s: %s", subject->name, error.text);
	bench->output->numbers[0] = counter.matches;
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
