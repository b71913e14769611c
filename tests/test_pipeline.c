/* Indexing with several threads: what is written is the same for any number of them, and their failures are the caller's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "indexer/workers.h"
#include "segment/segment.h"
#include "tests/check.h"
#include "tests/effort.h"
#include "tests/made_lists.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"
#include "trawl.h"

static trawl_error error;

/* ---- the same bytes ---- */

#define WORDS 3000

/* Document number `i`: some hundred words by Zipf's law, some of them not ASCII, some rare. */
static size_t make_text(uint64_t i, char *text, size_t words)
{
	uint64_t random = i * 0x9e3779b97f4a7c15u + 1;
	size_t used = 0;
	for (size_t w = 0; w < words; w++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		uint64_t rank = random >> 33;
		rank = rank % (1 + (random >> 12) % WORDS);
		if (rank % 97 == 13)
			used += (size_t)sprintf(text + used, "w\xc3\xb6rter%x ", (unsigned)(random >> 40));
		else
			used += (size_t)sprintf(text + used, "word%x%s ", (unsigned)rank, rank % 3 ? "ing" : "");
	}
	return used;
}

static void add(trawl_writer *writer, uint64_t id, uint64_t seed, size_t words)
{
	char name[32], *text = malloc(words * 20 + 1);
	int length = sprintf(name, "doc-%llu", (unsigned long long)id);
	trawl_document document = {.id = name,
	                           .id_length = (size_t)length,
	                           .title = "about words",
	                           .title_length = 11,
	                           .text = text,
	                           .text_length = make_text(seed, text, words)};
	CHECK(trawl_writer_add(writer, &document, &error));
	free(text);
}

/* Two commits, with documents replaced within the batch and across commits, deleted, of very different lengths. */
static void write_index(const char *path, const trawl_writer_options *options, uint64_t documents, uint64_t *runs)
{
	trawl_writer *writer;
	trawl_writer_stats stats;
	CHECK(trawl_writer_open(&writer, path, options, &error));
	for (uint64_t i = 0; i < documents; i++) {
		add(writer, i, i, i % 500 == 77 ? 20000 : 20 + i % 200);
		if (i % 11 == 3)
			add(writer, i / 2, i + documents, 30); /* replaces */
		if (i % 50 == 9) {
			CHECK(trawl_writer_delete(writer, "doc-5", 5, &error));
			add(writer, 5, i, 10);
		}
	}
	CHECK(trawl_writer_commit(writer, &error));
	for (uint64_t i = 0; i < documents / 4; i++)
		add(writer, i * 7, i + 3 * documents, 100);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	*runs = stats.runs;
	trawl_writer_close(writer);
}

/* A hash of every extent of the last commit, segment by segment and part by part. */
static uint64_t hash_extents(const char *path)
{
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	uint64_t hash = 0;
	CHECK(store_open(&store, path, false, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	CHECK(manifest_read(&manifest, snapshot, &error));
	for (size_t i = 0; i < manifest.segment_count; i++) {
		const struct manifest_segment *segment = &manifest.segments[i];
		uint64_t counts[] = {segment->number,        segment->documents,     segment->deleted,
		                     segment->live_tokens,   segment->live_postings, segment->live_text_bytes,
		                     segment->deletion_bytes};
		hash = XXH3_64bits_withSeed(counts, sizeof counts, hash);
		for (uint32_t part = 0; part < PART_COUNT; part++) {
			const uint8_t *payload;
			uint32_t length;
			for (uint32_t extent = 0;
			     snapshot_extent(snapshot, segment->number, part, extent, &payload, &length, &error) == 0;
			     extent++)
				hash = XXH3_64bits_withSeed(payload, length, hash);
		}
	}
	manifest_release(&manifest);
	snapshot_close(snapshot);
	store_close(store);
	return hash;
}

static uint64_t hash_written(trawl_writer_options options, unsigned threads, uint64_t documents, bool *spilled)
{
	const char *path = scratch_path("index");
	uint64_t runs;
	options.threads = threads;
	write_index(path, &options, documents, &runs);
	uint64_t hash = hash_extents(path);
	scratch_clear();
	if (spilled)
		*spilled = runs > 0;
	return hash;
}

static void assert_same_for_all_threads(trawl_writer_options options, uint64_t documents)
{
	uint64_t expected = hash_written(options, 1, documents, NULL);
	static const unsigned thread_counts[] = {3, 2, 8};
	for (int i = 0; i < test_size(3, 1); i++)
		if (hash_written(options, thread_counts[i], documents, NULL) != expected)
			fail_msg("%u threads, order %d, positions %d, bigrams %d", thread_counts[i], options.order,
			         !options.no_positions, options.bigrams);
}

static void extents_are_the_same_for_any_number_of_threads(void **state)
{
	(void)state;
	assert_same_for_all_threads((trawl_writer_options){0}, 4000);
	assert_same_for_all_threads((trawl_writer_options){.analysis = {.stop_words = true}}, 1500);
	assert_same_for_all_threads((trawl_writer_options){.no_positions = true}, 1500);
	assert_same_for_all_threads((trawl_writer_options){.order = TRAWL_ORDER_SIMILAR}, 1500);
	assert_same_for_all_threads((trawl_writer_options){.order = TRAWL_ORDER_SIMILAR, .memory_budget = 1 << 20},
	                            1500); /* spills */
	assert_same_for_all_threads((trawl_writer_options){.order = TRAWL_ORDER_SIMILAR, .bigrams = true}, 500);
	assert_same_for_all_threads((trawl_writer_options){.bigrams = true}, 1500);
}

static void extents_are_the_same_for_any_memory(void **state)
{
	(void)state;
	const uint64_t documents = 4000;
	uint64_t expected = hash_written((trawl_writer_options){0}, 1, documents, NULL);
	for (unsigned threads = 1; threads <= 3; threads += (unsigned)test_size(1, 2)) {
		bool spilled;
		trawl_writer_options options = {.memory_budget = 1 << 20};
		assert_int_equal(hash_written(options, threads, documents, &spilled), expected);
		assert_true(spilled);
	}
}

/* ---- failures ---- */

static int write_until_failure(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.threads = 3, .memory_budget = 2 << 20};
	static char text[20 * 400];
	int code = trawl_writer_open(&writer, path, &options, &error);
	if (code)
		return code;
	for (uint64_t i = 0; !code && i < 300; i++) {
		trawl_document document = {.id = (const char *)&i, .id_length = sizeof i, .text = text};
		document.text_length = make_text(i, text, 400);
		code = trawl_writer_add(writer, &document, &error);
	}
	if (!code)
		code = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	return code;
}

/* The failing allocation is a worker's or the caller's as it happens; leaks are the address sanitizer's to find. */
static void any_failing_allocation_is_an_error_of_the_writer(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	long failures = 0;
	int code = TRAWL_ENOMEM;
	for (long n = 0; code; n += 1 + n / 12) {
		memory_fail_after(n, true);
		code = write_until_failure(path);
		memory_fail_after(-1, false);
		if (code && code != TRAWL_ENOMEM)
			fail_msg("allocation %ld: %s", n, error.text);
		failures += code != 0;
		scratch_clear();
	}
	assert_true(failures > 20);
	for (long n = 1; n < 4000; n = n * 2 + 1) { /* a single one */
		memory_fail_after(n, false);
		code = write_until_failure(path);
		memory_fail_after(-1, false);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
		scratch_clear();
	}
}

static void closing_amid_jobs_drops_them(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer_options options = {.threads = 3};
	for (uint64_t documents = 0; documents < 3000; documents += 700) {
		trawl_writer *writer;
		CHECK(trawl_writer_open(&writer, path, &options, &error));
		for (uint64_t i = 0; i < documents; i++)
			add(writer, i, i, 300);
		trawl_writer_close(writer);
		assert_int_equal(access(path, F_OK), -1);
	}
}

/* ---- memory ---- */

/* Index `documents` documents in a child, and tell its greatest resident set. */
static long peak_of_indexing(size_t budget, unsigned threads, uint64_t documents)
{
	const char *path = scratch_path("index");
	struct rusage usage;
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		trawl_writer_options options = {.memory_budget = budget, .threads = threads};
		trawl_writer *writer;
		trawl_writer_stats stats;
		if (trawl_writer_open(&writer, path, &options, &error))
			_exit(1);
		for (uint64_t i = 0; i < documents; i++)
			add(writer, i, i, 2000);
		if (trawl_writer_commit(writer, &error))
			_exit(1);
		trawl_writer_get_stats(writer, &stats);
		trawl_writer_close(writer);
		_exit(stats.runs > 0 ? 0 : 2);
	}
	assert_int_equal(wait4(child, &status, 0, &usage), child);
	assert_int_equal(status, 0);
	scratch_clear();
	return usage.ru_maxrss * 1024L;
}

static bool has_sanitizer(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
	return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
	return false;
#endif
}

static void a_small_budget_bounds_the_resident_set(void **state)
{
	(void)state;
	const long megabyte = 1 << 20;
	if (has_sanitizer()) {
		print_message("SKIP: a sanitizer's own memory is counted too\n");
		return;
	}
	for (unsigned threads = (unsigned)test_size(1, 2); threads <= 2; threads++) {
		long peak = peak_of_indexing(24 << 20, threads, 3000); /* some 45 MB of text */
		print_message("  peak %ld MiB with %u threads\n", peak / megabyte, threads);
		assert_true(peak < 64 * megabyte);
	}
}

/* ---- workers ---- */

struct counting_job {
	struct job job;
	int runs;
};

static void count_run(struct job *job, unsigned worker)
{
	assert_true(worker < 5);
	((struct counting_job *)job)->runs++;
}

static void every_job_runs_once(void **state)
{
	(void)state;
	static struct counting_job jobs[500];
	for (unsigned threads = 1; threads <= 5; threads++) {
		struct workers *workers = workers_new(threads);
		assert_non_null(workers);
		memset(jobs, 0, sizeof jobs);
		for (size_t i = 0; i < 500; i++) {
			jobs[i].job.run = count_run;
			workers_submit(workers, &jobs[i].job);
		}
		for (size_t i = 500; i-- > 0;) {
			workers_wait(workers, &jobs[i].job);
			assert_true(workers_done(workers, &jobs[i].job));
			assert_int_equal(jobs[i].runs, 1);
		}
		workers_free(workers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_job_runs_once),
	    cmocka_unit_test_teardown(extents_are_the_same_for_any_number_of_threads, clear),
	    cmocka_unit_test_teardown(extents_are_the_same_for_any_memory, clear),
	    cmocka_unit_test_teardown(any_failing_allocation_is_an_error_of_the_writer, clear),
	    cmocka_unit_test_teardown(closing_amid_jobs_drops_them, clear),
	    cmocka_unit_test_teardown(a_small_budget_bounds_the_resident_set, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
