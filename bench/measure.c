#include "bench/measure.h"

#include "bench/result_hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* A tag's queries are run this often between the reading of the counters. */
#define COUNTER_ROUNDS 3

uint64_t measure_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Of the quickest batch of readings: other work on the machine only adds. */
static double clock_cost(void)
{
	enum { BATCHES = 50, READINGS = 400 };
	uint64_t best = UINT64_MAX;
	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t start = measure_now(), last = start;
		for (int i = 0; i < READINGS; i++)
			last = measure_now();
		best = last - start < best ? last - start : best;
	}
	return (double)best / READINGS;
}

/* How often this process lost its processor to another so far. */
static long preemptions(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

static int fail_query(const struct query_set *set, const struct query *query, const trawl_error *error)
{
	return bench_fail("%s:%zu: %s", set->file.path, query->line, error->text);
}

/* ---- rounds ---------------------------------------------------------------------------------------------------- */

/* Each query once, in the order of the file. `samples`: where the time of the first query goes, those of the others
 * `stride` apart; NULL: a round to warm up. */
static int run_round(struct measurement *measurement, const struct query_set *set, const struct measure_plan *plan,
                     trawl_searcher *searcher, uint64_t *samples, uint64_t *hash)
{
	*hash = RESULT_HASH_START;
	for (size_t i = 0; i < set->count; i++) {
		const struct query *query = &set->queries[i];
		trawl_search_options options = measure_options(plan, query);
		trawl_error error = {0};
		uint64_t start = measure_now();
		int status = trawl_search(searcher, query->text, query->length, &options, &error);
		uint64_t end = measure_now();
		if (status)
			return fail_query(set, query, &error);
		if (samples)
			samples[i * plan->rounds] = end - start;

		struct measured_query *measured = &measurement->queries[i];
		const trawl_hit *hits = trawl_hits(searcher, &measured->hits);
		measured->matches = plan->search.count ? trawl_match_count(searcher) : 0;
		measured->postings = trawl_query_postings(searcher);
		*hash = result_hash_query(*hash, measured->matches, hits, measured->hits);
	}
	return 0;
}

static int run_rounds(struct measurement *measurement, const struct query_set *set, const struct measure_plan *plan,
                      trawl_searcher *searcher, uint64_t *samples)
{
	measurement->same_results = true;
	long preempted = preemptions();
	uint64_t start = measure_now();
	for (size_t round = 0; round < plan->warmup + plan->rounds; round++) {
		uint64_t hash, *column = round < plan->warmup ? NULL : samples + (round - plan->warmup);
		int result = run_round(measurement, set, plan, searcher, column, &hash);
		if (result)
			return result;
		if (round == 0)
			measurement->hash = hash;
		else if (hash != measurement->hash)
			measurement->same_results = false;
	}
	measurement->seconds = (double)(measure_now() - start) / 1e9;
	measurement->preemptions = preemptions() - preempted;
	for (size_t i = 0; i < set->count; i++)
		measurement->queries[i].latency = latency_of_query(samples + i * plan->rounds, plan->rounds);
	return 0;
}

/* ---- groups ---------------------------------------------------------------------------------------------------- */

/* The queries of tag number `tag`, or all for `tag` = tag_count. */
static bool in_group(const struct query_set *set, size_t query, size_t tag)
{
	return tag == set->tag_count || query_has_tag(&set->queries[query], tag);
}

static void summarise(struct measured_group *group, const struct measurement *measurement, const struct query_set *set,
                      size_t tag, size_t rounds)
{
	const struct latency_query **latencies = bench_new(set->count, sizeof(struct latency_query *));
	size_t count = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct measured_query *query = &measurement->queries[i];
		if (!in_group(set, i, tag))
			continue;
		latencies[count++] = &query->latency;
		group->matches += (double)query->matches;
		group->hits += (double)query->hits;
		group->postings += (double)query->postings;
	}
	group->sorted = bench_new(count, sizeof *group->sorted);
	group->latency = latency_summarise(latencies, count, rounds, group->sorted);
	free(latencies);
	if (group->postings > 0)
		group->ns_per_posting = group->latency.mean * (double)count / group->postings;
	group->matches /= (double)count;
	group->hits /= (double)count;
	group->postings /= (double)count;
}

/* Rounds of their own, so that starting and stopping the counters disturbs no time. */
static int count_events(struct measured_group *group, struct counters *counters, const struct query_set *set,
                        const struct measure_plan *plan, trawl_searcher *searcher, size_t tag)
{
	trawl_error error = {0};
	double runs = 0;
	counters_start(counters);
	for (int round = 0; round < COUNTER_ROUNDS; round++)
		for (size_t i = 0; i < set->count; i++) {
			const struct query *query = &set->queries[i];
			if (!in_group(set, i, tag))
				continue;
			trawl_search_options options = measure_options(plan, query);
			if (trawl_search(searcher, query->text, query->length, &options, &error))
				return fail_query(set, query, &error);
			runs++;
		}
	group->counted = counters_stop(counters, &group->counters);
	for (int i = 0; i < COUNTER_COUNT; i++)
		group->counters.value[i] /= runs;
	return 0;
}

/* The numbers of the tags in the order of the report, then that of "all". */
static void order_tags(const struct query_set *set, size_t *order)
{
	size_t at = 0;
	for (int leads = 1; leads >= 0; leads--)
		for (size_t tag = 0; tag < set->tag_count; tag++)
			if (set->tags[tag].leads == leads)
				order[at++] = tag;
	order[at] = set->tag_count;
}

static int build_groups(struct measurement *measurement, const struct query_set *set, const struct measure_plan *plan,
                        trawl_searcher *searcher)
{
	static const struct query_tag all = {.name = (char *)"all", .length = 3};
	size_t order[QUERY_TAGS_MAX + 1];
	struct counters counters;
	bool have_counters = counters_open(&counters);
	memcpy(measurement->counter_trouble, counters.reason, sizeof counters.reason);
	order_tags(set, order);
	measurement->groups = bench_new(set->tag_count + 1, sizeof *measurement->groups);

	int result = 0;
	for (size_t i = 0; i <= set->tag_count && !result; i++) {
		const struct query_tag *tag = order[i] == set->tag_count ? &all : &set->tags[order[i]];
		struct measured_group *group = &measurement->groups[measurement->group_count++];
		*group = (struct measured_group){.name = tag->name, .name_length = tag->length};
		summarise(group, measurement, set, order[i], plan->rounds);
		if (have_counters)
			result = count_events(group, &counters, set, plan, searcher, order[i]);
	}
	counters_close(&counters);
	return result;
}

int measure(struct measurement *measurement, const struct query_set *set, const struct measure_plan *plan,
            trawl_searcher *searcher)
{
	memset(measurement, 0, sizeof *measurement);
	if (set->count > SIZE_MAX / plan->rounds)
		return bench_fail("too many rounds for %zu queries", set->count);
	measurement->queries = bench_new(set->count, sizeof *measurement->queries);
	measurement->clock_ns = clock_cost();
	uint64_t *samples = bench_new(set->count * plan->rounds, sizeof *samples);
	int result = run_rounds(measurement, set, plan, searcher, samples);
	free(samples);
	if (!result)
		result = build_groups(measurement, set, plan, searcher);
	if (result)
		measurement_release(measurement);
	return result;
}

void measurement_release(struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->group_count; i++)
		free(measurement->groups[i].sorted);
	free(measurement->groups);
	free(measurement->queries);
	memset(measurement, 0, sizeof *measurement);
}
