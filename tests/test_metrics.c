/* test_metrics.c - the figures of `trawl eval`, against values worked out by hand. */
#include "bench/metrics.c" /* not part of the library */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double value, double expected)
{
	assert_float_equal(value, expected, 5e-7);
}

/*
 * Relevant are four documents, all of relevance 1; the hits at ranks 1, 3 and 6 are among them.
 *   AP      (1/1 + 2/3 + 3/6 + 0) / 4                               = 2.1666667 / 4        = 0.5416667
 *   DCG     1/log2(2) + 1/log2(4) + 1/log2(7)                       = 1 + 0.5 + 0.3562072  = 1.8562072
 *   ideal   1/log2(2) + 1/log2(3) + 1/log2(4) + 1/log2(5)           = 1 + 0.6309298 + 0.5 + 0.4306766 = 2.5616063
 *   nDCG    1.8562072 / 2.5616063                                                          = 0.7246262
 *   P@10    3/10, although there are only 6 hits
 *   R@100   3/4;  RR 1/1
 */
static void binary_judgements_give_the_figures_of_the_textbook(void **state)
{
	(void)state;
	const int ranked[] = {1, 0, 1, 0, 0, 1}, judged[] = {1, 1, 0, 1, 1};
	struct metrics m;
	assert_true(metrics_compute(&m, ranked, 6, judged, 5));
	assert_near(m.average_precision, 0.5416667);
	assert_near(m.ndcg_10, 0.7246262);
	assert_near(m.precision_10, 0.3);
	assert_near(m.recall_100, 0.75);
	assert_near(m.reciprocal_rank, 1);
}

/*
 * Judged are documents of relevance 3, 2, 1; the hits have 0, 2, 3, 0, 1: graded relevance is the gain itself.
 *   DCG     2/log2(3) + 3/log2(4) + 1/log2(6)   = 1.2618595 + 1.5 + 0.3868528 = 3.1487123
 *   ideal   3/log2(2) + 2/log2(3) + 1/log2(4)   = 3 + 1.2618595 + 0.5         = 4.7618595
 *   nDCG    0.6612359
 *   AP      (1/2 + 2/3 + 3/5) / 3 = 0.5888889;  RR 1/2
 */
static void graded_relevance_is_the_gain(void **state)
{
	(void)state;
	const int ranked[] = {0, 2, 3, 0, 1}, judged[] = {1, 3, 2};
	struct metrics m;
	assert_true(metrics_compute(&m, ranked, 5, judged, 3));
	assert_near(m.ndcg_10, 0.6612359);
	assert_near(m.average_precision, 0.5888889);
	assert_near(m.reciprocal_rank, 0.5);
}

/*
 * Twelve relevant documents, found at ranks 1 to 12: the ideal list of nDCG@10 holds ten of them, so that the figure
 * can reach 1. R@100 = 12/12, P@10 = 10/10.
 */
static void a_perfect_list_scores_one_everywhere(void **state)
{
	(void)state;
	const int all[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct metrics m;
	assert_true(metrics_compute(&m, all, 12, all, 12));
	assert_near(m.average_precision, 1);
	assert_near(m.ndcg_10, 1);
	assert_near(m.precision_10, 1);
	assert_near(m.recall_100, 1);
	assert_near(m.reciprocal_rank, 1);
}

/* The only relevant document is at rank 11, 100, 101, 1000: each cut-off counts its own depth, AP and RR the whole. */
static void each_figure_looks_as_deep_as_it_says(void **state)
{
	(void)state;
	static const struct {
		size_t rank;
		double precision_10, ndcg_10, recall_100;
	} cases[] = {
	    {10, 0.1, 0.2890648 /* 1/log2(11) */, 1}, {11, 0, 0, 1}, {100, 0, 0, 1}, {101, 0, 0, 0}, {1000, 0, 0, 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int ranked[1000] = {0}, judged = 1;
		ranked[cases[i].rank - 1] = 1;
		struct metrics m;
		assert_true(metrics_compute(&m, ranked, 1000, &judged, 1));
		assert_near(m.precision_10, cases[i].precision_10);
		assert_near(m.ndcg_10, cases[i].ndcg_10);
		assert_near(m.recall_100, cases[i].recall_100);
		assert_near(m.average_precision, 1.0 / (double)cases[i].rank);
		assert_near(m.reciprocal_rank, 1.0 / (double)cases[i].rank);
	}
}

/* Relevance -2 at rank 1 counts as 0. The relevant document is at rank 2: nDCG 1/log2(3) = 0.6309298, AP 1/2. */
static void negative_relevance_counts_as_none(void **state)
{
	(void)state;
	const int ranked[] = {-2, 1}, judged[] = {-2, 1, -1};
	struct metrics m;
	assert_true(metrics_compute(&m, ranked, 2, judged, 3));
	assert_near(m.ndcg_10, 0.6309298);
	assert_near(m.average_precision, 0.5);
	assert_near(m.recall_100, 1);
}

static void a_query_without_relevant_documents_has_no_figures(void **state)
{
	(void)state;
	const int judged[] = {0, -1};
	struct metrics m;
	assert_false(metrics_compute(&m, judged, 2, judged, 2));
	assert_false(metrics_compute(&m, NULL, 0, NULL, 0));
	assert_true(m.average_precision == 0 && m.ndcg_10 == 0 && m.recall_100 == 0);
}

static void a_query_without_hits_scores_zero(void **state)
{
	(void)state;
	const int judged[] = {1, 0};
	struct metrics m;
	assert_true(metrics_compute(&m, NULL, 0, judged, 2));
	assert_true(m.average_precision == 0 && m.ndcg_10 == 0 && m.precision_10 == 0 && m.recall_100 == 0 &&
	            m.reciprocal_rank == 0);
}

/* The ideal list keeps the largest ten of many grades, whatever their order: computed here by sorting. */
static int descending(const void *left, const void *right)
{
	return *(const int *)right - *(const int *)left;
}

static void the_ideal_list_is_the_sorted_one(void **state)
{
	(void)state;
	unsigned seed = 20240917;
	print_message("seed %u\n", seed);
	for (int round = 0; round < 500; round++) {
		int judged[40], sorted[40];
		size_t count = 1 + (size_t)rand_r(&seed) % 40;
		for (size_t i = 0; i < count; i++)
			sorted[i] = judged[i] = rand_r(&seed) % 5 - 1;
		qsort(sorted, count, sizeof *sorted, descending);
		struct metrics m;
		if (metrics_compute(&m, sorted, count, judged, count))
			assert_near(m.ndcg_10, 1);
		else
			assert_true(sorted[0] <= 0);
	}
}

static void means_are_over_the_number_of_queries(void **state)
{
	(void)state;
	struct metrics sum = {0}, a = {0.5, 1, 0.1, 1, 0.25}, b = {0.25, 0, 0.3, 0, 0.75};
	metrics_add(&sum, &a);
	metrics_add(&sum, &b);
	metrics_divide(&sum, 2);
	assert_near(sum.average_precision, 0.375);
	assert_near(sum.ndcg_10, 0.5);
	assert_near(sum.precision_10, 0.2);
	assert_near(sum.recall_100, 0.5);
	assert_near(sum.reciprocal_rank, 0.5);
	metrics_divide(&sum, 0);
	assert_near(sum.ndcg_10, 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binary_judgements_give_the_figures_of_the_textbook),
	    cmocka_unit_test(graded_relevance_is_the_gain),
	    cmocka_unit_test(a_perfect_list_scores_one_everywhere),
	    cmocka_unit_test(each_figure_looks_as_deep_as_it_says),
	    cmocka_unit_test(negative_relevance_counts_as_none),
	    cmocka_unit_test(a_query_without_relevant_documents_has_no_figures),
	    cmocka_unit_test(a_query_without_hits_scores_zero),
	    cmocka_unit_test(the_ideal_list_is_the_sorted_one),
	    cmocka_unit_test(means_are_over_the_number_of_queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
