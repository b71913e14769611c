/*
 * throughput.c - several threads, each with a searcher of its own, over one open index.
 *
 * A job is one query of one round; the rounds are shuffled, so that threads do not stay in step, and a counter hands
 * the jobs out. Every number of threads gets the same jobs in the same order. What a search finds is compared with what
 * the same query found in a first round on one thread, through a digest that costs about a nanosecond a hit.
 */
#include "bench/throughput.h"

#include "bench/result_hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct pool {
	const struct query_set *set;
	const struct measure_plan *plan;
	const trawl_index *index;
	const uint64_t *digests; /* of each query's results */
	const uint32_t *jobs;    /* query numbers */
	size_t job_count;
	uint64_t *times; /* of each job, ns */
	atomic_size_t next;
	atomic_bool failed, differs;
	pthread_barrier_t start;
};

struct worker {
	struct pool *pool;
	pthread_t thread;
	trawl_searcher *searcher;
	uint64_t end;
	size_t failed_line; /* of the query that failed, or 0 */
	trawl_error error;
};

/* Cheap enough to sit beside the searches that are timed; result_hash.h has the digest that is told. */
static uint64_t digest_results(const trawl_searcher *searcher)
{
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	uint64_t digest = trawl_match_count(searcher) * UINT64_C(0x9e3779b97f4a7c15) + count;
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &hits[i].score, sizeof bits);
		digest =
		    (digest ^ (hits[i].document << 32 ^ hits[i].document >> 32 ^ bits)) * UINT64_C(0x9fb21c651e98df25);
		digest ^= digest >> 29;
	}
	return digest;
}

/* ---- one thread ------------------------------------------------------------------------------------------------ */

/* Search once and compare; the time it took, or 0 with `failed` set. */
static uint64_t run_query(struct worker *worker, uint32_t number)
{
	struct pool *pool = worker->pool;
	const struct query *query = &pool->set->queries[number];
	uint64_t begin = measure_now();
	trawl_search_options options = measure_options(pool->plan, query);
	if (trawl_search(worker->searcher, query->text, query->length, &options, &worker->error)) {
		worker->failed_line = query->line;
		atomic_store(&pool->failed, true);
		return 0;
	}
	uint64_t time = measure_now() - begin;
	if (digest_results(worker->searcher) != pool->digests[number])
		atomic_store(&pool->differs, true);
	return time;
}

/* All queries, so that this thread's searcher has the memory that they take. */
static void warm_up(struct worker *worker)
{
	struct pool *pool = worker->pool;
	for (size_t round = 0; round < pool->plan->warmup; round++)
		for (uint32_t i = 0; i < pool->set->count && !atomic_load_explicit(&pool->failed, memory_order_relaxed);
		     i++)
			run_query(worker, i);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct pool *pool = worker->pool;
	warm_up(worker);
	pthread_barrier_wait(&pool->start); /* all are warm: the clock is read */
	pthread_barrier_wait(&pool->start);
	while (!atomic_load_explicit(&pool->failed, memory_order_relaxed)) {
		size_t job = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
		if (job >= pool->job_count)
			break;
		pool->times[job] = run_query(worker, pool->jobs[job]);
	}
	worker->end = measure_now();
	return NULL;
}

/* ---- all threads ----------------------------------------------------------------------------------------------- */

static double processor_seconds(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static void sum_up(struct throughput *result, struct pool *pool, double nanoseconds)
{
	result->searches = pool->job_count;
	result->seconds = nanoseconds / 1e9;
	result->queries_per_second = (double)pool->job_count / result->seconds;
	result->same_results = !atomic_load(&pool->differs);
	qsort(pool->times, pool->job_count, sizeof *pool->times, compare_times);
	for (size_t i = 0; i < pool->job_count; i++)
		result->mean += (double)pool->times[i] / (double)pool->job_count;
	size_t middle = (pool->job_count - 1) / 2;
	result->p50 = (double)pool->times[middle];
	result->p99 = (double)pool->times[(size_t)((double)(pool->job_count - 1) * 0.99)];
	result->maximum = (double)pool->times[pool->job_count - 1];
}

/* The searchers are made here: they are to be closed even when a thread cannot be started. */
static int open_searchers(struct worker *workers, size_t count, struct pool *pool)
{
	for (size_t i = 0; i < count; i++) {
		workers[i].pool = pool;
		if (trawl_searcher_new(&workers[i].searcher, pool->index, &workers[i].error))
			return bench_fail("%s", workers[i].error.text);
	}
	return 0;
}

/* Threads that were started cannot be called back from the barrier: without the last of them the process ends. */
static void start_threads(struct worker *workers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int trouble = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		if (trouble)
			exit(bench_fail("cannot start thread %zu of %zu: %s", i + 1, count, strerror(trouble)));
	}
}

static int run_threads(struct throughput *result, struct pool *pool, struct worker *workers)
{
	size_t count = result->threads;
	uint64_t begin, end = 0;
	atomic_store(&pool->next, 0);
	atomic_store(&pool->differs, false);
	if (pthread_barrier_init(&pool->start, NULL, (unsigned)count + 1))
		return bench_fail("out of memory");
	start_threads(workers, count);
	pthread_barrier_wait(&pool->start);
	double processor = processor_seconds();
	begin = measure_now();
	pthread_barrier_wait(&pool->start);
	for (size_t i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		end = workers[i].end > end ? workers[i].end : end;
	}
	result->processor_seconds = processor_seconds() - processor;
	pthread_barrier_destroy(&pool->start);
	for (size_t i = 0; i < count; i++)
		if (workers[i].failed_line)
			return bench_fail("%s:%zu: %s", pool->set->file.path, workers[i].failed_line,
			                  workers[i].error.text);
	sum_up(result, pool, (double)(end - begin));
	return 0;
}

static int measure_threads(struct throughput *result, struct pool *pool)
{
	struct worker *workers = bench_new(result->threads, sizeof *workers);
	memset(workers, 0, result->threads * sizeof *workers);
	int code = open_searchers(workers, result->threads, pool);
	if (!code)
		code = run_threads(result, pool, workers);
	for (size_t i = 0; i < result->threads; i++)
		trawl_searcher_free(workers[i].searcher);
	free(workers);
	return code;
}

/* ---- the plan -------------------------------------------------------------------------------------------------- */

/* What each query finds, on one thread; and the hash of it all. */
static int find_digests(struct pool *pool, uint64_t *digests, uint64_t *hash)
{
	trawl_searcher *searcher;
	trawl_error error = {0};
	if (trawl_searcher_new(&searcher, pool->index, &error))
		return bench_fail("%s", error.text);
	int code = 0;
	*hash = RESULT_HASH_START;
	for (size_t i = 0; i < pool->set->count && !code; i++) {
		const struct query *query = &pool->set->queries[i];
		size_t count;
		trawl_search_options options = measure_options(pool->plan, query);
		if (trawl_search(searcher, query->text, query->length, &options, &error)) {
			code = bench_fail("%s:%zu: %s", pool->set->file.path, query->line, error.text);
			break;
		}
		const trawl_hit *hits = trawl_hits(searcher, &count);
		digests[i] = digest_results(searcher);
		*hash =
		    result_hash_query(*hash, pool->plan->search.count ? trawl_match_count(searcher) : 0, hits, count);
	}
	trawl_searcher_free(searcher);
	return code;
}

/* Every round is all queries, shuffled (Fisher and Yates; Knuth's MMIX generator), always in the same way. */
static void shuffle_jobs(uint32_t *jobs, size_t rounds, size_t queries)
{
	uint64_t state = 1;
	for (size_t round = 0; round < rounds; round++, jobs += queries)
		for (size_t i = 0; i < queries; i++) {
			state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			size_t other = (size_t)((state >> 33) % (i + 1));
			jobs[i] = jobs[other];
			jobs[other] = (uint32_t)i;
		}
}

/* 1, then the others ascending, each once. */
static void order_counts(struct throughput_run *run, const size_t *thread_counts, size_t count)
{
	run->counts[run->count++].threads = 1;
	for (size_t previous = 1;;) {
		size_t least = SIZE_MAX;
		for (size_t i = 0; i < count; i++)
			if (thread_counts[i] > previous && thread_counts[i] < least)
				least = thread_counts[i];
		if (least == SIZE_MAX)
			return;
		run->counts[run->count++].threads = previous = least;
	}
}

int throughput_measure(struct throughput_run *run, const struct query_set *set, const struct measure_plan *plan,
                       const trawl_index *index, const size_t *thread_counts, size_t count)
{
	*run = (struct throughput_run){.same_results = true};
	if (set->count > SIZE_MAX / plan->rounds || set->count > UINT32_MAX)
		return bench_fail("too many rounds for %zu queries", set->count);
	uint64_t begin = measure_now();
	size_t jobs = set->count * plan->rounds;
	uint64_t *digests = bench_new(set->count, sizeof *digests), *times = bench_new(jobs, sizeof *times);
	uint32_t *numbers = bench_new(jobs, sizeof *numbers);
	struct pool pool = {.set = set, .plan = plan, .index = index, .digests = digests, .jobs = numbers};
	pool.times = times;
	pool.job_count = jobs;
	order_counts(run, thread_counts, count);
	shuffle_jobs(numbers, plan->rounds, set->count);
	int code = find_digests(&pool, digests, &run->hash);
	for (size_t i = 0; i < run->count && !code; i++) {
		struct throughput *result = &run->counts[i];
		code = measure_threads(result, &pool);
		result->scaling = result->queries_per_second / run->counts[0].queries_per_second;
		run->same_results &= result->same_results;
	}
	run->seconds = (double)(measure_now() - begin) / 1e9;
	free(digests);
	free(times);
	free(numbers);
	return code;
}
