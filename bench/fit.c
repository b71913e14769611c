#include "bench/fit.h"

#include "cli/long_query.h"

#include <stdlib.h>

/* Nothing is evaluated but a filter. 0: it is well, if need be as cut. */
static int fit(struct query *query, const struct query_set *set, const struct measure_plan *plan,
               trawl_searcher *searcher)
{
	trawl_search_options options = measure_options(plan, query);
	trawl_error error = {0};
	size_t length = query->length;
	options.top = 0;
	options.count = false;
	int status = search_beginning(searcher, query->text, &length, &options, &error);
	if (status)
		bench_tell("%s:%zu: %s", set->file.path, query->line, error.text);
	else if (length < query->length)
		bench_tell("%s:%zu: %s; only its first %zu of %zu bytes count", set->file.path, query->line, error.text,
		           length, query->length);
	query->length = length;
	return status;
}

int fit_queries(struct query_set *set, const struct measure_plan *plan, const trawl_index *index)
{
	trawl_searcher *searcher;
	trawl_error error = {0};
	if (trawl_searcher_new(&searcher, index, &error))
		return bench_fail("%s", error.text);
	bool *refused = bench_new(set->count, sizeof *refused);
	bool alone = true;
	for (size_t i = 0; i < set->count && alone; i++) {
		int status = fit(&set->queries[i], set, plan, searcher);
		refused[i] = status != 0;
		alone = !status || query_fails_alone(status);
	}
	if (alone)
		query_set_drop(set, refused);
	free(refused);
	trawl_searcher_free(searcher);
	if (!alone)
		return BENCH_ERROR;
	return set->count ? 0 : bench_fail("%s holds no query that can be searched", set->file.path);
}
