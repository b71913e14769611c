/* metrics.h - how good one ranked list is, given what people judged relevant. Pure; the definitions are trec_eval's. */
#ifndef TRAWL_BENCH_METRICS_H
#define TRAWL_BENCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>

struct metrics {
	double
	    average_precision; /* the mean, over all relevant documents, of the precision at their rank (0: not found) */
	double ndcg_10;      /* sum over ranks 1..10 of relevance / log2(rank + 1), divided by the best possible sum */
	double precision_10; /* relevant among the first 10, divided by 10 */
	double recall_100;   /* relevant among the first 100, divided by all relevant */
	double reciprocal_rank; /* 1 / rank of the first relevant document; 0: none */
};

/* `ranked[i]` is the judged relevance of the document at rank i + 1, 0 when it was not judged; `judged` are those of all
 * judged documents of the query, in any order. Relevant means greater than 0; negative values count as 0.
 * false, and all figures 0: no judged document is relevant, so that no figure is defined. */
bool metrics_compute(struct metrics *metrics, const int *ranked, size_t ranked_count, const int *judged,
                     size_t judged_count);

/* Add `more` to `sum`, and divide `sum` by `count` (0: leaves it). */
void metrics_add(struct metrics *sum, const struct metrics *more);
void metrics_divide(struct metrics *sum, size_t count);

#endif
