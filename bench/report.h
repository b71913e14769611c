/* report.h - what `trawl bench` prints. */
#ifndef TRAWL_BENCH_REPORT_H
#define TRAWL_BENCH_REPORT_H

#include "bench/measure.h"

struct report {
	const char *index_path, *queries_path;
	trawl_index_stats index;
	const struct query_set *set;
	const struct measure_plan *plan;
	const struct measurement *measurement;
	bool pinned;
	size_t processor; /* when pinned */
};

void report_text(const struct report *report, struct bench_text *out);
void report_json(const struct report *report, struct bench_text *out);

/* Draw the distribution of the times into `path`. 0 or BENCH_ERROR with a message. */
int report_plot(const struct report *report, const char *path);

#endif
