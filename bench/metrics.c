#include "bench/metrics.h"

#include <math.h>

#define NDCG_DEPTH 10
#define PRECISION_DEPTH 10
#define RECALL_DEPTH 100

static double discounted(int relevance, size_t rank)
{
	return relevance > 0 ? relevance / log2((double)rank + 1) : 0;
}

/* The gain of the best list that the judgements allow: their ten largest in descending order. Returns how many are
 * relevant. */
static size_t ideal_gain(const int *judged, size_t count, double *gain)
{
	int best[NDCG_DEPTH] = {0};
	size_t relevant = 0;
	for (size_t i = 0; i < count; i++) {
		int value = judged[i];
		if (value <= 0)
			continue;
		relevant++;
		for (size_t at = 0; at < NDCG_DEPTH; at++)
			if (value > best[at]) {
				int pushed_down = best[at];
				best[at] = value;
				value = pushed_down;
			}
	}
	*gain = 0;
	for (size_t at = 0; at < NDCG_DEPTH; at++)
		*gain += discounted(best[at], at + 1);
	return relevant;
}

bool metrics_compute(struct metrics *metrics, const int *ranked, size_t ranked_count, const int *judged,
                     size_t judged_count)
{
	*metrics = (struct metrics){0};
	double ideal;
	size_t relevant = ideal_gain(judged, judged_count, &ideal);
	if (!relevant)
		return false;

	size_t found = 0;
	for (size_t rank = 1; rank <= ranked_count; rank++) {
		if (ranked[rank - 1] <= 0)
			continue;
		found++;
		metrics->average_precision += (double)found / (double)rank;
		if (found == 1)
			metrics->reciprocal_rank = 1 / (double)rank;
		if (rank <= NDCG_DEPTH)
			metrics->ndcg_10 += discounted(ranked[rank - 1], rank);
		if (rank <= PRECISION_DEPTH)
			metrics->precision_10 += 1;
		if (rank <= RECALL_DEPTH)
			metrics->recall_100 += 1;
	}
	metrics->average_precision /= (double)relevant;
	metrics->ndcg_10 /= ideal;
	metrics->precision_10 /= PRECISION_DEPTH;
	metrics->recall_100 /= (double)relevant;
	return true;
}

void metrics_add(struct metrics *sum, const struct metrics *more)
{
	sum->average_precision += more->average_precision;
	sum->ndcg_10 += more->ndcg_10;
	sum->precision_10 += more->precision_10;
	sum->recall_100 += more->recall_100;
	sum->reciprocal_rank += more->reciprocal_rank;
}

void metrics_divide(struct metrics *sum, size_t count)
{
	if (!count)
		return;
	sum->average_precision /= (double)count;
	sum->ndcg_10 /= (double)count;
	sum->precision_10 /= (double)count;
	sum->recall_100 /= (double)count;
	sum->reciprocal_rank /= (double)count;
}
