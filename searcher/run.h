/* run.h - running a plan over the segments of its collection. The plan is only read; what is written to is the context's. */
#ifndef TRAWL_SEARCHER_RUN_H
#define TRAWL_SEARCHER_RUN_H

#include "query/plan.h"
#include "searcher/context.h"
#include "searcher/top.h"

struct run {
	const struct plan *plan;
	const struct scoring *scoring; /* to rank */
	const uint64_t *allowed;       /* documents that pass the filter (collection_word), or NULL */
};

/* Hand the matches to `collector` with their scores. */
int run_rank(const struct run *run, struct context *context, struct collector *collector);

/* Hand the matches to `collector` without scores. */
int run_match(const struct run *run, struct context *context, struct collector *collector);

/* Whether ranking with collector.every counts matches for little, as it finds each of them anyway. */
bool run_counts_while_ranking(const struct run *run);

#endif
