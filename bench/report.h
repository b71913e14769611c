/* report.h - what `trawl bench` prints. */
#ifndef TRAWL_BENCH_REPORT_H
#define TRAWL_BENCH_REPORT_H

#include "bench/measure.h"
#include "bench/throughput.h"

struct report {
	const char *index_path, *queries_path;
	trawl_index_stats index;
	const struct query_set *set;
	const struct measure_plan *plan;
	const struct measurement *measurement;
	bool pinned;
	size_t processor; /* when pinned */
	long processors;  /* that the process may use */
};

void report_text(const struct report *report, struct bench_text *out);
void report_json(const struct report *report, struct bench_text *out);

/* The same of a run with threads. */
void report_threads_text(const struct report *report, const struct throughput_run *run, struct bench_text *out);
void report_threads_json(const struct report *report, const struct throughput_run *run, struct bench_text *out);

/* Draw the distribution of the times into `path`. 0 or BENCH_ERROR with a message. */
int report_plot(const struct report *report, const char *path);

#endif
