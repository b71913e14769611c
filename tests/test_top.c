/* The best k: what sorting everything and cutting gives, ties by document; the threshold never costs a hit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "searcher/top.h"
#include "tests/made_lists.h"

static int compare_hits(const void *a, const void *b)
{
	const trawl_hit *left = a, *right = b;
	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	return (left->document > right->document) - (left->document < right->document);
}

static void shuffle(trawl_hit *hits, size_t n, struct random *random)
{
	for (size_t i = n; i > 1; i--) {
		size_t other = random_below(random, i);
		trawl_hit hit = hits[i - 1];
		hits[i - 1] = hits[other];
		hits[other] = hit;
	}
}

/* Push n hits of which many tie (`scores` different ones), in any order of documents; as a searcher, leave out those below the
 * threshold. */
static void check(struct top *top, size_t k, size_t n, uint64_t scores, struct random *random)
{
	trawl_hit *hits = malloc((n + 1) * sizeof *hits);
	for (size_t i = 0; i < n; i++)
		hits[i] = (trawl_hit){i * 3, (float)(1 + random_below(random, scores)) / 8};
	if (random_chance(random, 0.7))
		shuffle(hits, n, random);
	else if (random_chance(random, 0.5))
		qsort(hits, n, sizeof *hits, compare_hits);
	/* What is said of the greatest score need not be true. */
	static const float mosts[] = {1, 100, 130000, 1e9f, 0, -1, 1e-30f, 1e38f};
	float most = mosts[random_below(random, sizeof mosts / sizeof *mosts)];
	assert_true(top_begin(top, k, most));
	assert_true(top->collector.threshold == 0 && top->count == 0);
	for (size_t i = 0; i < n; i++)
		if (hits[i].score >= top->collector.threshold)
			top_push(top, hits[i].document, hits[i].score);
	top_finish(top);
	qsort(hits, n, sizeof *hits, compare_hits);
	size_t expected = n < k ? n : k;
	assert_int_equal(top->count, expected);
	for (size_t i = 0; i < expected; i++) {
		assert_true(top->hits[i].document == hits[i].document);
		assert_true(top->hits[i].score == hits[i].score);
	}
	if (n > k && k)
		assert_true(top->collector.threshold <= hits[k - 1].score);
	free(hits);
}

static void the_best_k_are_those_that_sorting_gives(void **state)
{
	(void)state;
	struct random random = seeded();
	struct top top = {0};
	const size_t ks[] = {1, 2, 10, 63, 100, TOP_HEAP_MAX, TOP_HEAP_MAX + 1, 1000, TRAWL_TOP_MAX};
	for (int round = 0; round < 400; round++) {
		size_t k = ks[random_below(&random, sizeof ks / sizeof *ks)];
		size_t n = random_below(&random, random_chance(&random, 0.2) ? 30000 : 300);
		uint64_t scores = random_chance(&random, 0.2) ? 1 : random_chance(&random, 0.5) ? 5 : 1000000;
		check(&top, k, n, scores, &random);
	}
	top_release(&top);
}

static void everything_tied_keeps_the_least_documents(void **state)
{
	(void)state;
	struct top top = {0};
	assert_true(top_begin(&top, 10, 2));
	for (uint64_t document = 100000; document-- > 0;)
		top_push(&top, document, 1.5f);
	top_finish(&top);
	assert_int_equal(top.count, 10);
	for (uint64_t i = 0; i < 10; i++)
		assert_true(top.hits[i].document == i);
	top_release(&top);
}

static void a_threshold_known_beforehand_is_kept_and_only_rises(void **state)
{
	(void)state;
	struct top top = {0};
	assert_true(top_begin(&top, 3, 100));
	top_raise(&top, 2);
	top_raise(&top, 1);
	assert_true(top.collector.threshold == 2);
	for (uint64_t i = 0; i < 1000; i++)
		if ((float)i / 10 >= top.collector.threshold)
			top_push(&top, i, (float)i / 10);
	top_finish(&top);
	assert_int_equal(top.count, 3);
	assert_true(top.hits[0].document == 999 && top.hits[2].document == 997);
	assert_true(top.collector.threshold >= 2 && top.collector.threshold <= 99.7f);
	top_release(&top);
}

static void none_wanted_gives_none(void **state)
{
	(void)state;
	struct top top = {0};
	assert_true(top_begin(&top, 0, 1));
	top_finish(&top); /* searchers push nothing then */
	assert_int_equal(top.count, 0);
	top_release(&top);
}

static void steady_state_allocates_nothing(void **state)
{
	(void)state;
	struct random random = {5};
	struct top top = {0};
	check(&top, 1000, 5000, 100, &random);
	const trawl_hit *hits = top.hits;
	memory_fail_after(0, true);
	check(&top, 10, 5000, 100, &random);
	check(&top, 1000, 5000, 100, &random);
	assert_false(top_begin(&top, 5000, 1));
	memory_fail_after(-1, false);
	assert_ptr_equal(top.hits, hits);
	top_release(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_best_k_are_those_that_sorting_gives),
	    cmocka_unit_test(everything_tied_keeps_the_least_documents),
	    cmocka_unit_test(a_threshold_known_beforehand_is_kept_and_only_rises),
	    cmocka_unit_test(none_wanted_gives_none),
	    cmocka_unit_test(steady_state_allocates_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
