/* throughput.h - how many queries a second several threads answer from one open index. */
#ifndef TRAWL_BENCH_THROUGHPUT_H
#define TRAWL_BENCH_THROUGHPUT_H

#include "bench/measure.h"

#define THREADS_MAX 1024
#define THREAD_COUNTS_MAX 32

/* What so many threads did. */
struct throughput {
	size_t threads;
	uint64_t searches; /* timed */
	double seconds;    /* from the common start to the end of the last thread */
	double queries_per_second;
	double scaling;                 /* over that of one thread */
	double mean, p50, p99, maximum; /* ns, of all searches, each timed alone */
	double processor_seconds;       /* user and system, of all threads */
	bool same_results;              /* of every search, the warm-up's too */
};

struct throughput_run {
	struct throughput counts[THREAD_COUNTS_MAX + 1]; /* ascending, 1 first */
	size_t count;
	uint64_t hash; /* of the results, as measure() has it: from a first round on one thread */
	bool same_results;
	double seconds; /* of all */
};

/* Answer the queries with each of the numbers of threads, and with one first, whose results are the ones to compare with.
 * 0 or BENCH_ERROR with a message. */
int throughput_measure(struct throughput_run *run, const struct query_set *set, const struct measure_plan *plan,
                       const trawl_index *index, const size_t *thread_counts, size_t count);

#endif
