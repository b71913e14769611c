/*
 * What a writer leaves behind that runs out of memory or room, or is killed: the last commit.
 *
 * TRAWL_SEED     when writers are killed (seed.h)
 * TRAWL_FAULTS   fail every single allocation, not only a sample of the later ones
 */
#include "tests/index_verbs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/child.h"
#include "tests/file_bytes.h"
#include "tests/random_corpus.h"
#include "tests/seed.h"

/* ---- memory that runs out -------------------------------------------------------------------------------------- */

struct progress {
	bool first_commit, second_commit;
};

static int put(trawl_writer *writer, const char *id, const char *text)
{
	trawl_document document = document_of(id, text);
	return trawl_writer_add(writer, &document, &error);
}

static int short_writer_life(const char *path, struct progress *progress)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	int status = trawl_writer_open(&writer, path, &options, &error);
	if (status)
		return status;
	if ((status = put(writer, "a", "red green")) || (status = put(writer, "b", "red \xc3\xa4pfel blue")) ||
	    (status = trawl_writer_commit(writer, &error)))
		goto done;
	progress->first_commit = true;
	if ((status = put(writer, "a", "blue red")) || (status = put(writer, "c", "green running")) ||
	    (status = trawl_writer_delete(writer, "b", 1, &error)) || (status = trawl_writer_commit(writer, &error)))
		goto done;
	progress->second_commit = true;
done:
	trawl_writer_close(writer);
	return status;
}

static int short_life(const char *path, struct progress *progress)
{
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_stored *stored = NULL;
	trawl_document document;
	trawl_snippet snippet;
	trawl_search_options options = {.top = 10, .count = true, .stable_ties = true};
	int status = short_writer_life(path, progress);
	if (status || (status = trawl_open(&index, path, &error)))
		goto done;
	if ((status = trawl_searcher_new(&searcher, index, &error)) ||
	    (status = trawl_search(searcher, "\"blue red\" +red run", 19, &options, &error)))
		goto done;
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_int_equal(count, 1);
	if ((status = trawl_hit_document(searcher, hits[0].document, &document, &error)) ||
	    (status = trawl_hit_snippet(searcher, hits[0].document, 0, &snippet, &error)))
		goto done;
	status = trawl_fetch(index, "c", 1, &stored, &document, &error);
done:
	trawl_stored_free(stored);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return status;
}

/* After a failure the index holds the last commit that was reported, or the one under way. */
static void assert_nothing_half_done(const char *path, const struct progress *progress)
{
	trawl_index *index;
	int status = trawl_open(&index, path, &error);
	if (status) {
		assert_false(progress->first_commit);
		assert_true(status == TRAWL_ENOTFOUND || status == TRAWL_ENOTINDEX);
		return;
	}
	const char *found = ids_found(index, "green blue");
	bool first = strstr(found, "b ") && strstr(found, "a ") && strlen(found) == 4;
	bool second = strstr(found, "c ") && strstr(found, "a ") && strlen(found) == 4;
	if (!first && !second && (*found || progress->first_commit))
		fail_msg("found '%s'", found);
	assert_true(second || !progress->second_commit);
	trawl_close(index);
}

/* Fail the allocation after `n` good ones. Returns whether there was one. */
static bool starve(long n, bool sticky, long *failures)
{
	const char *path = scratch_path("index");
	struct progress progress = {0};
	memory_fail_after(n, sticky);
	int status = short_life(path, &progress);
	void *probe = memory_new(1);
	bool met = !sticky || !probe;
	memory_free(probe);
	memory_fail_after(-1, false);
	if (status && (status != TRAWL_ENOMEM || error.code != TRAWL_ENOMEM))
		fail_msg("allocation %ld%s: %s: %s", n, sticky ? " and on" : "", trawl_status_name(status), error.text);
	*failures += status != 0;
	assert_nothing_half_done(path, &progress);
	scratch_clear();
	return met;
}

static void running_out_of_memory_leaves_the_last_commit(void **state)
{
	(void)state;
	long failures = 0, n = 0;
	bool all = getenv("TRAWL_FAULTS");
	while (starve(n, true, &failures))
		n += n < 300 || all ? 1 : 1 + n / 40;
	long end = n;
	for (n = 0; n < end; n += n < 300 || all ? 1 : 1 + n / 40)
		starve(n, false, &failures);
	fprintf(stderr, "  %ld allocations, %ld failures\n", end, failures);
	assert_true(failures > 50);
}

/* What a search and a fetch answer when the allocation after `n` good ones fails, and nobody wants to know why. */
static int look_blindly(const char *path, long n)
{
	trawl_index *index = index_open(path);
	trawl_searcher *searcher = NULL;
	trawl_stored *stored = NULL;
	trawl_document document;
	trawl_search_options options = {.top = 10, .count = true, .stable_ties = true};
	memory_fail_after(n, true);
	int status = trawl_searcher_new(&searcher, index, NULL);
	if (!status)
		status = trawl_search(searcher, "\"blue red\" +red run", 19, &options, NULL);
	if (!status)
		status = trawl_fetch(index, "c", 1, &stored, &document, NULL);
	memory_fail_after(-1, false);
	trawl_stored_free(stored);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return status;
}

static void running_out_of_memory_is_told_as_that_without_an_error_to_fill(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	struct progress progress = {0};
	long n = 0;
	int status;
	CHECK(short_writer_life(path, &progress));
	for (; (status = look_blindly(path, n)); n++)
		if (status != TRAWL_ENOMEM)
			fail_msg("allocation %ld: %s", n, trawl_status_name(status));
	assert_true(n > 5);
}

/* ---- killed ---------------------------------------------------------------------------------------------------- */

/* Commits ten documents at a time, all with the number of their commit, and writes a byte after each. */
static void endless_writer(const char *path, int acknowledge)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	if (trawl_writer_open(&writer, path, &options, &error))
		_exit(1);
	for (int commit = 0;; commit++) {
		for (int i = 0; i < 10; i++) {
			char id[32], text[64];
			snprintf(id, sizeof id, "%d-%d", (int)getpid(), commit * 10 + i);
			snprintf(text, sizeof text, "common word%d", commit * 10 + i);
			if (put(writer, id, text))
				_exit(2);
		}
		if (trawl_writer_commit(writer, &error) || write(acknowledge, "", 1) != 1)
			_exit(3);
	}
}

static void a_killed_writer_leaves_whole_commits(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	struct random random = {test_seed()};
	uint64_t documents = 0;
	write_one(path, "start", "nothing");
	for (int round = 0; round < 30; round++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		pid_t child = fork_mortal(60);
		if (child == 0)
			endless_writer(path, ends[1]);
		close(ends[1]);
		usleep((useconds_t)random_below(&random, 100000));
		kill(child, SIGKILL);
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		uint64_t acknowledged = 0;
		char byte;
		while (read(ends[0], &byte, 1) == 1)
			acknowledged++;
		close(ends[0]);
		trawl_index *index = index_open(path);
		uint64_t now = stats_of(index).documents - 1;
		trawl_close(index);
		if (now != documents + 10 * acknowledged && now != documents + 10 * (acknowledged + 1))
			fail_msg("%d documents after %d and %d commits", (int)now, (int)documents, (int)acknowledged);
		documents = now;
	}
	fprintf(stderr, "  %d documents\n", (int)documents);
	write_one(path, "end", "nothing"); /* no lock is left behind */
}

/* Replace a document and add many, with room in the file for a part of that. Exits with -(what the commit answered). */
static int child_commits_without_room(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 30};
	struct stat status;
	char text[6000], id[20];
	uint32_t random = 1;
	if (trawl_writer_open(&writer, path, &options, &error))
		return 100;
	add(writer, "a", "green fish");
	for (int i = 0; i < 12000; i++) {
		size_t length = 0;
		for (int word = 0; word < 500; word++) {
			random = random * 1103515245 + 12345;
			length += (size_t)snprintf(text + length, sizeof text - length, "w%x ", (random >> 8) % 60000);
		}
		snprintf(id, sizeof id, "n%d", i);
		add(writer, id, text);
	}
	if (stat(path, &status))
		return 101;
	struct rlimit limit = {(rlim_t)status.st_size + (18 << 20), RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	int code = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	return -code;
}

static void a_commit_that_runs_out_of_room_leaves_the_last_one(void **state)
{
	(void)state;
	/* With one document the segment goes altogether, with two its deletions are rewritten. */
	for (int documents = 1; documents <= 2; documents++) {
		const char *path = scratch_path("index");
		write_one(path, "a", "red fish");
		if (documents == 2) {
			scratch_clear();
			trawl_writer *writer = writer_open(path);
			add(writer, "a", "red fish");
			add(writer, "b", "blue fish");
			CHECK(trawl_writer_commit(writer, &error));
			trawl_writer_close(writer);
		}
		int code = in_child(child_commits_without_room, path);
		assert_true(code == -TRAWL_EFULL || code == -TRAWL_EIO);
		trawl_index *index = index_open(path);
		assert_string_equal(ids_found(index, "red"), "a ");
		assert_string_equal(ids_found(index, "green"), "");
		trawl_close(index);
		write_one(path, "c", "red deer"); /* and the next commit succeeds */
		scratch_clear();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(running_out_of_memory_leaves_the_last_commit, clear),
	    cmocka_unit_test_teardown(running_out_of_memory_is_told_as_that_without_an_error_to_fill, clear),
	    cmocka_unit_test_teardown(a_killed_writer_leaves_whole_commits, clear),
	    cmocka_unit_test_teardown(a_commit_that_runs_out_of_room_leaves_the_last_one, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
