/* fit.h - queries made such as the library takes, before they are timed. */
#ifndef TRAWL_BENCH_FIT_H
#define TRAWL_BENCH_FIT_H

#include "bench/measure.h"

/* Queries that are too long are cut, those that the library refuses are taken out; each is told. 0, or BENCH_ERROR with a message
 * when none is left. */
int fit_queries(struct query_set *set, const struct measure_plan *plan, const trawl_index *index);

#endif
