/* latency.h - times of many queries, summed up. Pure. Times are in nanoseconds. */
#ifndef TRAWL_BENCH_LATENCY_H
#define TRAWL_BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

/* What one query took over the rounds. */
struct latency_query {
	double median; /* the mean of the two middle ones when the rounds are even */
	double best;
	double total;
};

struct latency_summary {
	size_t queries;
	double mean, p50, p90, p99, maximum; /* over the queries' medians */
	double mean_of_best;
	double queries_per_second; /* all runs of these queries / all the time they took */
};

/* Sorts `samples`, of which there must be one at least. */
struct latency_query latency_of_query(uint64_t *samples, size_t count);

/* The smallest of the ascending values that at least `percent` % of them do not exceed (nearest rank, never
 * interpolated: it is a time that some query really took). 0 when there are none. */
double latency_percentile(const double *sorted, size_t count, double percent);

/* Sum up `count` queries of `rounds` samples each. `sorted` receives their medians in ascending order. */
struct latency_summary latency_summarise(const struct latency_query *const *queries, size_t count, size_t rounds,
                                         double *sorted);

#endif
