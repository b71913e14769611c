#include "bench/latency.h"

#include <math.h>
#include <stdlib.h>

static int compare_samples(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

struct latency_query latency_of_query(uint64_t *samples, size_t count)
{
	qsort(samples, count, sizeof *samples, compare_samples);
	struct latency_query query = {.best = (double)samples[0]};
	size_t low = (count - 1) / 2, high = count / 2;
	query.median = ((double)samples[low] + (double)samples[high]) / 2;
	for (size_t i = 0; i < count; i++)
		query.total += (double)samples[i];
	return query;
}

double latency_percentile(const double *sorted, size_t count, double percent)
{
	if (!count)
		return 0;
	double rank = ceil(percent / 100 * (double)count);
	size_t at = rank < 1 ? 0 : (size_t)rank - 1;
	return sorted[at < count ? at : count - 1];
}

struct latency_summary latency_summarise(const struct latency_query *const *queries, size_t count, size_t rounds,
                                         double *sorted)
{
	struct latency_summary summary = {.queries = count};
	if (!count)
		return summary;
	double total = 0;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = queries[i]->median;
		summary.mean += queries[i]->median / (double)count;
		summary.mean_of_best += queries[i]->best / (double)count;
		total += queries[i]->total;
	}
	qsort(sorted, count, sizeof *sorted, compare_doubles);
	summary.p50 = latency_percentile(sorted, count, 50);
	summary.p90 = latency_percentile(sorted, count, 90);
	summary.p99 = latency_percentile(sorted, count, 99);
	summary.maximum = sorted[count - 1];
	summary.queries_per_second = total > 0 ? (double)count * (double)rounds * 1e9 / total : 0;
	return summary;
}
