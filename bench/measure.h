/* measure.h - time a set of queries against an index. */
#ifndef TRAWL_BENCH_MEASURE_H
#define TRAWL_BENCH_MEASURE_H

#include "bench/counters.h"
#include "bench/latency.h"
#include "bench/query_set.h"
#include "trawl.h"

struct measure_plan {
	size_t rounds, warmup;
	trawl_search_options search;
};

/* The plan's options with the query's own filter. */
static inline trawl_search_options measure_options(const struct measure_plan *plan, const struct query *query)
{
	trawl_search_options options = plan->search;
	options.filter = query->filter;
	options.filter_length = query->filter_length;
	return options;
}

struct measured_query {
	struct latency_query latency;
	uint64_t matches; /* 0 unless counted */
	uint64_t postings;
	size_t hits;
};

/* The queries of one tag, or of all. */
struct measured_group {
	const char *name;
	size_t name_length;
	struct latency_summary latency;
	double *sorted;                 /* the medians, ascending */
	double matches, hits, postings; /* a query */
	double ns_per_posting;          /* mean time / mean postings; 0 when there are none */
	bool counted;
	struct counter_values counters; /* a query */
};

struct measurement {
	struct measured_query *queries; /* as in the query set */
	struct measured_group *groups;  /* tags that lead a query, then the others, then "all" */
	size_t group_count;
	uint64_t hash;     /* of the results of the first round, warm-up or timed */
	bool same_results; /* in every round */
	double clock_ns;   /* the cost of reading the clock once, which every time includes */
	double seconds;    /* of all rounds, with the warm-up */
	long preemptions;  /* times that other work took the processor meanwhile: the fewer, the better the figures */
	char counter_trouble[sizeof((struct counters *)0)->reason]; /* why there are no counters; "" */
};

/* Nanoseconds of a clock that only goes forward. */
uint64_t measure_now(void);

/* Run `set` against the searcher. 0 or BENCH_ERROR with a message that names the query's line. */
int measure(struct measurement *measurement, const struct query_set *set, const struct measure_plan *plan,
            trawl_searcher *searcher);
void measurement_release(struct measurement *measurement);

#endif
