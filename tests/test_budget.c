/* A batch that its memory budget has no room for: it becomes several segments before it is committed, and nobody can tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/index_verbs.h"
#include "trawl.h"

#define BUDGET ((size_t)8 << 20)
#define DOCUMENTS 60000 /* some three times what a segment may have with that */

static void add_number(trawl_writer *writer, unsigned id, const char *word)
{
	char name[16], text[64];
	int length = sprintf(name, "%u", id), used = sprintf(text, "%s n%u", word, id % 1000);
	trawl_document document = {.id = name, .id_length = (size_t)length, .text = text, .text_length = (size_t)used};
	CHECK(trawl_writer_add(writer, &document, &error));
}

static void remove_document(trawl_writer *writer, unsigned id, int expected)
{
	char name[16];
	int length = sprintf(name, "%u", id);
	assert_int_equal(trawl_writer_delete(writer, name, (size_t)length, &error), expected);
}

static trawl_writer *open_writer(const char *path, unsigned threads)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = BUDGET, .threads = threads, .no_merge = true};
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	return writer;
}

static uint64_t count(const char *path, const char *query)
{
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_search_options options = {.count = true};
	CHECK(trawl_open(&index, path, &error));
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, query, strlen(query), &options, &error));
	uint64_t total = trawl_match_count(searcher);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return total;
}

/* Documents of a batch that has been cut off are replaced and deleted by what comes later in it. */
static void write_batch(const char *path, unsigned threads)
{
	trawl_writer *writer = open_writer(path, threads);
	trawl_writer_stats stats;
	for (unsigned i = 0; i < DOCUMENTS; i++)
		add_number(writer, i, "old");
	for (unsigned i = 0; i < DOCUMENTS; i += 10)
		add_number(writer, i, "new");
	for (unsigned i = 5; i < DOCUMENTS; i += 1000)
		remove_document(writer, i, 0);
	remove_document(writer, 5, TRAWL_ENOTFOUND);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.added, DOCUMENTS);
	assert_int_equal(stats.replaced, DOCUMENTS / 10);
	assert_int_equal(stats.deleted, DOCUMENTS / 1000);
	trawl_writer_close(writer);
}

static void a_batch_of_many_documents_is_one_commit_of_several_segments(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	uint64_t segments = 0;
	for (unsigned threads = 1; threads <= 3; threads++) {
		write_batch(path, threads);
		trawl_index_stats stats = stats_at(path);
		assert_true(stats.segments > 2);
		assert_true(!segments || segments == stats.segments);
		segments = stats.segments;
		assert_int_equal(stats.generation, 1);
		assert_int_equal(stats.documents, DOCUMENTS - DOCUMENTS / 1000);
		assert_int_equal(count(path, "new"), DOCUMENTS / 10);
		assert_int_equal(count(path, "old"), DOCUMENTS - DOCUMENTS / 10 - DOCUMENTS / 1000);
		assert_int_equal(count(path, "n7"), DOCUMENTS / 1000);
		trawl_check_result checked = {0};
		CHECK(trawl_check(path, NULL, &checked, &error));
		scratch_clear();
	}
}

static void nothing_is_seen_before_the_commit(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = open_writer(path, 2);
	add_number(writer, 1, "first");
	CHECK(trawl_writer_commit(writer, &error));
	for (unsigned i = 0; i < DOCUMENTS; i++)
		add_number(writer, i, "old");
	trawl_index_stats stats = stats_at(path);
	assert_int_equal(stats.documents, 1);
	assert_int_equal(count(path, "first"), 1);
	trawl_writer_close(writer);
	stats = stats_at(path);
	assert_int_equal(stats.documents, 1);
	assert_int_equal(stats.generation, 1);
}

/* The segments that were cut off go to the next writer's, and no file is left beside the index. */
static void a_killed_writer_leaves_nothing_but_room(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	int ready[2];
	char byte;
	int status;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		trawl_writer *writer = open_writer(path, 2);
		for (unsigned i = 0; i < DOCUMENTS; i++)
			add_number(writer, i, "old");
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(ready[0]);
	close(ready[1]);
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	write_batch(path, 2);
	assert_int_equal(stats_at(path).documents, DOCUMENTS - DOCUMENTS / 1000);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < 2 * before.st_size + (1 << 20));
	char temporary[512];
	snprintf(temporary, sizeof temporary, "%s-run", path);
	assert_int_equal(access(temporary, F_OK), -1);
}

static int write_until_failure(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = BUDGET, .threads = 1};
	int code = trawl_writer_open(&writer, path, &options, &error);
	for (unsigned i = 0; !code && i < DOCUMENTS; i++) {
		char name[16];
		int length = sprintf(name, "%u", i);
		trawl_document document = {.id = name, .id_length = (size_t)length, .text = name, .text_length = 1};
		code = trawl_writer_add(writer, &document, &error);
	}
	if (!code)
		code = trawl_writer_commit(writer, &error);
	if (writer)
		trawl_writer_close(writer);
	return code;
}

/* Where allocations fail while a segment is cut off, the writer says so; leaks are the address sanitizer's to find. */
static void a_failing_allocation_is_an_error_of_the_writer(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	int failures = 0;
	for (long n = 200; n < 3000; n = n * 8 / 7) {
		memory_fail_after(n, true);
		int code = write_until_failure(path);
		memory_fail_after(-1, false);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
		failures += code != 0;
		scratch_clear();
	}
	assert_true(failures > 2);
}

/* ---- deleting nearly all documents ---- */

#define WORDY_DOCUMENTS 80000
#define WORDS 100 /* of each, all different */

static void add_wordy(trawl_writer *writer, unsigned id)
{
	char name[16], text[WORDS * 8];
	int length = sprintf(name, "%u", id);
	size_t used = 0;
	for (unsigned i = 0; i < WORDS; i++)
		used += (size_t)sprintf(text + used, "w%u ", i * 200 + (id * 7 + i) % 200);
	trawl_document document = {.id = name, .id_length = (size_t)length, .text = text, .text_length = used};
	CHECK(trawl_writer_add(writer, &document, &error));
}

/* Delete all but every hundredth document; the peak of the resident set in KiB. */
static long delete_nearly_all(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 64 << 20, .threads = 1, .no_merge = true};
	if (trawl_writer_open(&writer, path, &options, &error))
		return -1;
	for (unsigned i = 0; i < WORDY_DOCUMENTS; i++) {
		char name[16];
		int length = sprintf(name, "%u", i);
		if (i % 100 && trawl_writer_delete(writer, name, (size_t)length, &error))
			return -2;
	}
	if (trawl_writer_commit(writer, &error))
		return -3;
	trawl_writer_close(writer);
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) ? -4 : usage.ru_maxrss;
}

/* Eight million postings are deleted: eight bytes for each would be more than the budget by themselves. */
static void deleting_nearly_all_documents_stays_within_the_budget(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	int result[2];
	long peak = 0;
	int status;
	assert_int_equal(pipe(result), 0);
	pid_t child = fork(); /* a fresh peak for each: that of building must not count */
	assert_true(child >= 0);
	if (!child) {
		trawl_writer *writer;
		trawl_writer_options options = {.no_merge = true};
		if (trawl_writer_open(&writer, path, &options, &error))
			_exit(1);
		for (unsigned i = 0; i < WORDY_DOCUMENTS; i++)
			add_wordy(writer, i);
		int code = trawl_writer_commit(writer, &error);
		trawl_writer_close(writer);
		_exit(code != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		peak = delete_nearly_all(path);
		_exit(write(result[1], &peak, sizeof peak) != sizeof peak);
	}
	assert_int_equal(read(result[0], &peak, sizeof peak), sizeof peak);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(result[0]);
	close(result[1]);
	assert_int_equal(stats_at(path).documents, WORDY_DOCUMENTS / 100);
	assert_int_equal(stats_at(path).tokens, WORDY_DOCUMENTS / 100 * WORDS);
	trawl_check_result checked = {0};
	CHECK(trawl_check(path, NULL, &checked, &error));
	assert_int_equal(checked.damages, 0);
	assert_true(peak > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (peak > 64 * 1024)
		fail_msg("a peak of %ld KiB with a budget of 64 MiB", peak);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_batch_of_many_documents_is_one_commit_of_several_segments, clear),
	    cmocka_unit_test_teardown(nothing_is_seen_before_the_commit, clear),
	    cmocka_unit_test_teardown(a_killed_writer_leaves_nothing_but_room, clear),
	    cmocka_unit_test_teardown(deleting_nearly_all_documents_stays_within_the_budget, clear),
	    cmocka_unit_test_teardown(a_failing_allocation_is_an_error_of_the_writer, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
