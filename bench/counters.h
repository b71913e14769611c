/* counters.h - the processor's own counters, in user space of the calling thread, through perf_event_open(2). */
#ifndef TRAWL_BENCH_COUNTERS_H
#define TRAWL_BENCH_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

enum counter { COUNTER_CYCLES, COUNTER_INSTRUCTIONS, COUNTER_CACHE_MISSES, COUNTER_BRANCH_MISSES, COUNTER_COUNT };

extern const char *const counter_names[COUNTER_COUNT];

/* What a read of the group gives, as perf_event_open(2) lays it out. */
struct counter_reading {
	uint64_t count, enabled, running; /* counters; nanoseconds */
	uint64_t value[COUNTER_COUNT];    /* of those that were opened */
};

struct counters {
	int descriptors[COUNTER_COUNT]; /* -1: this machine has no such counter */
	char reason[200];               /* why there are none at all; "" when there are some */
	struct counter_reading start;
};

struct counter_values {
	bool known[COUNTER_COUNT];
	double value[COUNTER_COUNT];
};

/* One group of counters, so that all cover the same instructions. false: none; `reason` says why. */
bool counters_open(struct counters *counters);
void counters_start(struct counters *counters);
/* What was counted since counters_start. false: the processor did not get round to counting. */
bool counters_stop(struct counters *counters, struct counter_values *values);
void counters_close(struct counters *counters);

#endif
