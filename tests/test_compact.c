/*
 * The size of an index file: room that is freed is used again, and given back by compaction.
 *
 * TRAWL_SEED    seed of the histories (a fixed one otherwise)
 * TRAWL_CYCLES  commits of the long history (60)
 * TRAWL_BASE    documents of its corpus (4000)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/child.h"
#include "tests/file_bytes.h"
#include "tests/history.h"
#include "tests/index_verbs.h"
#include "tests/seed.h"
#include "trawl.h"

static uint64_t number_from(const char *name, uint64_t usual)
{
	const char *value = getenv(name);
	return value && *value ? strtoull(value, NULL, 10) : usual;
}

/* scratch_path's answer does not live long. */
static void take_path(char path[1024], const char *name)
{
	snprintf(path, 1024, "%s", scratch_path(name));
}

/* ---- room is used again ---------------------------------------------------------------------------------------- */

static void change_some(struct history *history, trawl_writer *writer, struct random *random, size_t changes)
{
	for (size_t i = 0; i < changes; i++) {
		size_t number = random_below(random, history->corpus.count);
		if (!history->places[number])
			history_put(history, writer, number);
		else if (random_chance(random, 0.4))
			history_delete(history, writer, number);
		else
			history_change(history, writer, random, number);
	}
}

/* What the index would weigh without free pages and deleted documents. */
static uint64_t compacted_bytes(const char *path, const char *copy)
{
	trawl_compaction sizes;
	unlink(copy);
	file_copy(path, copy);
	CHECK(trawl_compact(copy, false, &sizes, &error));
	assert_int_equal(stats_at(copy).file_bytes, sizes.bytes_after);
	return sizes.bytes_after;
}

/* A merge needs room for the new segment beside the old ones: twice the data, if it is of most of them. Dead documents that wait and
 * pages that no extent fits in add to that. */
#define SMALL_CONSTANT ((uint64_t)1 << 20)

static void a_file_that_lives_long_stays_about_twice_its_data(void **state)
{
	(void)state;
	struct random random = {test_seed_from(7)};
	uint64_t cycles = number_from("TRAWL_CYCLES", 60), documents = number_from("TRAWL_BASE", 4000);
	char path[1024], fresh[1024], copy[1024];
	take_path(path, "index");
	take_path(fresh, "fresh");
	take_path(copy, "copy");
	trawl_writer_options options = {.memory_budget = 64 << 20};
	struct history history;
	trawl_writer *writer = NULL;
	uint64_t most = 0;
	double worst = 0;
	history_make(&history, &random, documents);
	while (history.corpus.plain) { /* too small to tell anything of sizes */
		history_release(&history);
		history_make(&history, &random, documents);
	}
	for (uint64_t cycle = 0; cycle < cycles; cycle++) {
		if (!writer)
			CHECK(trawl_writer_open(&writer, path, &options, &error));
		change_some(&history, writer, &random, cycle ? 1 + random_below(&random, documents / 20) : documents);
		history_commit(&history, writer);
		if (random_chance(&random, 0.05))
			CHECK(trawl_writer_merge(writer, 2 + random_below(&random, 4), &error));
		if (random_chance(&random, 0.2)) {
			trawl_writer_close(writer);
			writer = NULL;
		}
		if (cycle % 10 != 9)
			continue;
		/* A file does not shrink by itself: it is held against the most data that it had. */
		uint64_t bytes = stats_at(path).file_bytes, least = compacted_bytes(path, copy);
		most = least > most ? least : most;
		double ratio = (double)bytes / (double)most;
		worst = ratio > worst ? ratio : worst;
		if (getenv("TRAWL_CYCLES"))
			fprintf(stderr, "  cycle %d: %.2f MB, compacted %.2f MB, %d segments\n", (int)cycle + 1,
			        (double)bytes / 1e6, (double)least / 1e6, (int)stats_at(path).segments);
		if (bytes > 2 * most + most / 4 + SMALL_CONSTANT)
			fail_msg("cycle %d: %llu bytes for %llu", (int)cycle, (unsigned long long)bytes,
			         (unsigned long long)most);
		unlink(fresh);
		history_index(&history, fresh, &options);
		assert_int_equal(stats_at(path).documents, history.live);
		assert_same_answers(path, fresh, &history.corpus, &random, 20);
		assert_same_answers(copy, fresh, &history.corpus, &random, 5);
	}
	trawl_writer_close(writer);
	fprintf(stderr, "  %d cycles; at worst %.2f times the compacted data\n", (int)cycles, worst);
	history_release(&history);
}

/* Documents of `words` words each, from number `from` up to `to`, all with the word "all". */
static int add_documents(const char *path, int from, int to, int words)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 16 << 20, .wait = true};
	char *text = malloc(8 * (size_t)words + 8), id[20];
	assert_non_null(text);
	int code = trawl_writer_open(&writer, path, &options, &error);
	for (int i = from; !code && i < to; i++) {
		size_t length = (size_t)sprintf(text, "all");
		for (int word = 0; word < words; word++)
			length += (size_t)sprintf(text + length, " w%05x", (unsigned)(i * 7919 + word * 977) % 60000);
		snprintf(id, sizeof id, "d%d", i);
		trawl_document document = {.id = id, .id_length = strlen(id), .text = text, .text_length = length};
		code = trawl_writer_add(writer, &document, &error);
	}
	if (!code)
		code = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	free(text);
	return code;
}

static uint64_t count_all(const trawl_index *index)
{
	trawl_searcher *searcher;
	trawl_search_options options = {.count = true};
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, "all", 3, &options, &error));
	uint64_t count = trawl_match_count(searcher);
	trawl_searcher_free(searcher);
	return count;
}

static void assert_whole(const char *path, uint64_t documents)
{
	trawl_index *index;
	CHECK(trawl_open(&index, path, &error));
	assert_int_equal(stats_of(index).documents, documents);
	assert_int_equal(count_all(index), documents);
	trawl_close(index);
}

/* A process that opens the index and is killed while it has it open; commits go on meanwhile and afterwards. */
static void a_killed_reader_does_not_keep_pages_for_good(void **state)
{
	(void)state;
	char path[1024];
	trawl_writer *writer;
	trawl_index *index;
	int ends[2];
	char byte;
	take_path(path, "index");
	CHECK(add_documents(path, 0, 300, 100));
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork_mortal(100);
	if (!child) {
		if (trawl_open(&index, path, &error) || write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	uint64_t sizes[3];
	for (int half = 0; half < 3; half++) {
		for (int round = 0; round < 15; round++) {
			char id[20], text[2000];
			size_t length = 0;
			while (length < 1900)
				length +=
				    (size_t)sprintf(text + length, "all w%d ", (int)(length * (size_t)(round + half)));
			for (int i = 0; i < 60; i++) {
				snprintf(id, sizeof id, "d%d", i);
				text[0] = (char)('a' + round); /* changed in each round */
				trawl_document document = {
				    .id = id, .id_length = strlen(id), .text = text, .text_length = length};
				CHECK(trawl_writer_add(writer, &document, &error));
			}
			CHECK(trawl_writer_commit(writer, &error));
		}
		sizes[half] = stats_at(path).file_bytes;
		if (half == 0) {
			kill(child, SIGKILL);
			exit_of(child);
		}
	}
	trawl_writer_close(writer);
	close(ends[0]);
	close(ends[1]);
	assert_true(sizes[2] <= sizes[1] + (256 << 10)); /* while it lived, the file grew with each commit */
}

/* ---- compaction ------------------------------------------------------------------------------------------------ */

static bool exists(const char *path, const char *suffix)
{
	char name[1100];
	struct stat status;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &status) == 0;
}

/* An index with free pages, deleted documents and several segments; `live` of its documents live. */
static void make_loose(struct history *history, struct random *random, const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 16 << 20, .no_merge = true};
	history_make(history, random, 1500);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (size_t i = 0; i < 1500; i++)
		history_put(history, writer, i);
	for (int commit = 0; commit < 5; commit++) {
		change_some(history, writer, random, 200);
		history_commit(history, writer);
	}
	CHECK(trawl_writer_merge(writer, 3, &error));
	trawl_writer_close(writer);
}

static void a_compacted_file_is_small_and_answers_alike(void **state)
{
	(void)state;
	struct random random = {test_seed_from(7)};
	struct history history;
	char path[1024], fresh[1024];
	trawl_compaction sizes, again;
	trawl_writer *writer;
	struct stat status;
	take_path(path, "index");
	take_path(fresh, "fresh");
	make_loose(&history, &random, path);
	history_index(&history, fresh, NULL);
	assert_int_equal(chmod(path, 0640), 0);
	CHECK(trawl_compact(path, false, &sizes, &error));
	trawl_index_stats stats = stats_at(path);
	assert_true(sizes.bytes_after < sizes.bytes_before);
	assert_int_equal(stats.file_bytes, sizes.bytes_after);
	uint64_t fresh_bytes = stats_at(fresh).file_bytes;
	if (sizes.bytes_after > fresh_bytes + 4 * 4096)
		fail_msg("%llu bytes, fresh %llu", (unsigned long long)sizes.bytes_after,
		         (unsigned long long)fresh_bytes);
	assert_int_equal(stats.free_bytes, 0);
	assert_int_equal(stats.segments, 1);
	assert_int_equal(stats.deleted, 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_false(exists(path, "-compact") || exists(path, "-compact-lock"));
	assert_same_answers(path, fresh, &history.corpus, &random, 40);
	CHECK(trawl_compact(path, false, &again, &error));
	assert_int_equal(again.bytes_after, sizes.bytes_after);
	/* And life goes on. */
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	change_some(&history, writer, &random, 100);
	history_commit(&history, writer);
	trawl_writer_close(writer);
	unlink(fresh);
	history_index(&history, fresh, NULL);
	assert_same_answers(path, fresh, &history.corpus, &random, 40);
	history_release(&history);
}

/* Flip each bit of the commit numbers in both meta pages: the index opens with the documents that it has, or not at all. */
static void flip_commit_numbers(const char *path, const char *copy, uint64_t documents)
{
	enum { PAGE = 4096, NUMBER = 144 };
	char lock[1100];
	snprintf(lock, sizeof lock, "%s-lock", copy);
	for (int bit = 0; bit < 128; bit++) {
		trawl_index *index;
		uint8_t byte;
		off_t at = bit / 64 * PAGE + NUMBER + bit % 64 / 8;
		unlink(lock);
		file_copy(path, copy);
		int file = open(copy, O_RDWR);
		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		close(file);
		if (trawl_open(&index, copy, &error))
			continue;
		assert_int_equal(stats_of(index).documents, documents);
		assert_int_equal(count_all(index), documents);
		trawl_close(index);
	}
}

static void a_compacted_file_never_shows_another_commit(void **state)
{
	(void)state;
	char path[1024], copy[1024];
	take_path(path, "index");
	take_path(copy, "copy");
	for (int i = 0; i < 5; i++)
		CHECK(add_documents(path, 10 * i, 10 * i + 10, 50));
	CHECK(trawl_compact(path, false, NULL, &error));
	flip_commit_numbers(path, copy, 50);
	for (int i = 5; i < 8; i++) { /* of which LMDB keeps the last two */
		CHECK(add_documents(path, 10 * i, 10 * i + 10, 50));
		flip_commit_numbers(path, copy, 10 * (uint64_t)i + 10);
	}
}

static void compacting_makes_no_file(void **state)
{
	(void)state;
	assert_int_equal(trawl_compact(scratch_path("none"), false, NULL, &error), TRAWL_ENOTFOUND);
	assert_false(exists(scratch_path("none"), "") || exists(scratch_path("none"), "-lock"));
}

static void an_open_index_reads_on_in_the_old_file(void **state)
{
	(void)state;
	char path[1024];
	trawl_index *old, *new;
	take_path(path, "index");
	CHECK(add_documents(path, 0, 200, 50));
	CHECK(add_documents(path, 200, 300, 50));
	CHECK(trawl_open(&old, path, &error));
	CHECK(trawl_compact(path, false, NULL, &error));
	for (int round = 0; round < 10; round++) { /* both files and their lists of readers in one process */
		CHECK(trawl_open(&new, path, &error));
		assert_int_equal(count_all(new), 300 + 10 * (uint64_t)round);
		assert_int_equal(count_all(old), 300);
		CHECK(add_documents(path, 300 + 10 * round, 310 + 10 * round, 50));
		assert_int_equal(count_all(new), 300 + 10 * (uint64_t)round);
		trawl_close(new);
	}
	assert_int_equal(count_all(old), 300);
	trawl_close(old);
	assert_whole(path, 400);
}

static void a_symbolic_link_stays_one(void **state)
{
	(void)state;
	char path[1024], name[1024];
	struct stat status;
	take_path(path, "index");
	take_path(name, "link");
	CHECK(add_documents(path, 0, 50, 50));
	CHECK(add_documents(path, 0, 50, 40));
	assert_int_equal(symlink(path, name), 0);
	CHECK(trawl_compact(name, false, NULL, &error));
	assert_int_equal(lstat(name, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(stats_at(path).deleted, 0);
	assert_false(exists(name, "-lock")); /* under each of its names the file has the same lock file */
}

static void the_next_writer_removes_what_a_killed_compaction_left(void **state)
{
	(void)state;
	char path[1024], left[1100];
	take_path(path, "index");
	CHECK(add_documents(path, 0, 50, 50));
	for (int i = 0; i < 2; i++) {
		snprintf(left, sizeof left, "%s%s", path, i ? "-compact-lock" : "-compact");
		file_copy(path, left);
	}
	assert_whole(path, 50);
	CHECK(add_documents(path, 50, 51, 50));
	assert_false(exists(path, "-compact") || exists(path, "-compact-lock"));
	assert_whole(path, 51);
}

static void a_killed_compaction_leaves_a_whole_index(void **state)
{
	(void)state;
	struct random random = {test_seed_from(7)};
	char path[1024];
	take_path(path, "index");
	CHECK(add_documents(path, 0, 300, 100));
	CHECK(add_documents(path, 100, 400, 90));
	for (int round = 0; round < 15; round++) {
		pid_t child = fork_mortal(100);
		if (!child)
			for (;;)
				if (trawl_compact(path, true, NULL, &error))
					_exit(1);
		usleep((useconds_t)random_below(&random, 40000));
		kill(child, SIGKILL);
		assert_int_equal(exit_of(child), -SIGKILL);
		assert_whole(path, 400 + (uint64_t)round);
		CHECK(add_documents(path, 400 + round, 401 + round, 90));
		assert_false(exists(path, "-compact") || exists(path, "-compact-lock"));
	}
	assert_whole(path, 415);
}

static int compact_without_room(const char *path)
{
	struct rlimit limit = {200 << 10, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return -trawl_compact(path, false, NULL, &error);
}

static void a_compaction_without_room_leaves_the_old_file(void **state)
{
	(void)state;
	char path[1024];
	take_path(path, "index");
	CHECK(add_documents(path, 0, 400, 200));
	assert_true(stats_at(path).file_bytes > 300 << 10);
	pid_t child = fork_mortal(100);
	if (!child)
		_exit(compact_without_room(path));
	int code = -exit_of(child);
	assert_true(code == TRAWL_EFULL || code == TRAWL_EIO);
	assert_false(exists(path, "-compact") || exists(path, "-compact-lock"));
	assert_whole(path, 400);
	CHECK(trawl_compact(path, false, NULL, &error));
	assert_whole(path, 400);
}

static void a_compaction_without_memory_leaves_a_whole_index(void **state)
{
	(void)state;
	char start[1024], path[1024];
	long failures = 0, n = 0;
	take_path(start, "start");
	take_path(path, "index");
	CHECK(add_documents(start, 0, 20, 20));
	CHECK(add_documents(start, 10, 30, 10));
	for (int sticky = 1; sticky >= 0; sticky--) {
		long end = sticky ? LONG_MAX : n;
		bool met = true;
		for (n = 0; met && n < end; n += n < 60 ? 5 : 7) {
			file_copy(start, path);
			memory_fail_after(n, sticky);
			int code = trawl_compact(path, false, NULL, &error);
			void *probe = memory_new(1);
			met = !sticky || !probe;
			memory_free(probe);
			memory_fail_after(-1, false);
			if (code && code != TRAWL_ENOMEM)
				fail_msg("allocation %ld: %s", n, error.text);
			failures += code != 0;
			assert_whole(path, 30);
			assert_false(exists(path, "-compact") || exists(path, "-compact-lock"));
		}
	}
	fprintf(stderr, "  %ld allocations, %ld failures\n", n, failures);
	assert_true(failures > 20);
}

static void damage_does_not_become_the_only_copy(void **state)
{
	(void)state;
	char path[1024];
	take_path(path, "index");
	CHECK(add_documents(path, 0, 400, 100));
	uint64_t bytes = stats_at(path).file_bytes;
	int file = open(path, O_RDWR);
	assert_true(file >= 0);
	/* A byte in the middle of each tenth page but the first: some are of extents' payloads. */
	for (uint64_t at = 40960; at < bytes; at += 40960) {
		uint8_t byte;
		assert_int_equal(pread(file, &byte, 1, (off_t)at + 2048), 1);
		byte ^= 1;
		assert_int_equal(pwrite(file, &byte, 1, (off_t)at + 2048), 1);
	}
	close(file);
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(trawl_compact(path, false, NULL, &error), TRAWL_ECORRUPT);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
}

/* ---- writers and readers beside it ----------------------------------------------------------------------------- */

enum { WRITERS = 2, COMPACTORS = 2, READERS = 2, TURNS = 12 };

/* Readers never see a document go, or a part of a commit. */
static int read_turns(const char *path)
{
	uint64_t before = 0;
	for (int turn = 0; turn < 15 * TURNS; turn++) {
		trawl_index *index;
		if (trawl_open(&index, path, &error))
			return 10;
		uint64_t now = count_all(index);
		if (now < before || now % 10 || now != stats_of(index).documents)
			return 11;
		before = now;
		trawl_close(index);
	}
	return 0;
}

static int work_turns(const char *path, int number)
{
	int code = 0;
	if (number >= WRITERS + COMPACTORS)
		return read_turns(path);
	for (int turn = 0; !code && turn < TURNS; turn++) {
		int from = 10 + (number * TURNS + turn) * 10;
		code = number < WRITERS ? add_documents(path, from, from + 10, 30)
		                        : trawl_compact(path, true, NULL, &error);
	}
	if (code)
		fprintf(stderr, "  process %d: %s\n", number, error.text);
	return -code;
}

static void compactions_beside_writers_and_readers_lose_nothing(void **state)
{
	(void)state;
	char path[1024];
	pid_t children[WRITERS + COMPACTORS + READERS];
	take_path(path, "index");
	CHECK(add_documents(path, 0, 10, 30));
	for (int i = 0; i < WRITERS + COMPACTORS + READERS; i++) {
		children[i] = fork_mortal(100);
		if (!children[i])
			_exit(work_turns(path, i));
	}
	for (int i = 0; i < WRITERS + COMPACTORS + READERS; i++)
		assert_int_equal(exit_of(children[i]), 0);
	assert_whole(path, 10 + WRITERS * TURNS * 10);
}

/* The waiting writer has opened the old file before it asks for its lock. */
static void a_waiting_writer_writes_to_the_new_file(void **state)
{
	(void)state;
	char path[1024];
	trawl_writer *writer;
	take_path(path, "index");
	CHECK(add_documents(path, 0, 100, 50));
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	pid_t children[4];
	for (int i = 0; i < 4; i++) {
		children[i] = fork_mortal(100);
		if (!children[i])
			_exit(-(i % 2 ? add_documents(path, 1000 * i, 1000 * i + 10, 50)
			              : trawl_compact(path, true, NULL, &error)));
	}
	usleep(50000); /* most of the time they wait by now; where they do not, the claim holds all the same */
	trawl_writer_close(writer);
	for (int i = 0; i < 4; i++)
		assert_int_equal(exit_of(children[i]), 0);
	assert_whole(path, 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_file_that_lives_long_stays_about_twice_its_data, clear),
	    cmocka_unit_test_teardown(a_killed_reader_does_not_keep_pages_for_good, clear),
	    cmocka_unit_test_teardown(a_compacted_file_is_small_and_answers_alike, clear),
	    cmocka_unit_test_teardown(a_compacted_file_never_shows_another_commit, clear),
	    cmocka_unit_test_teardown(compacting_makes_no_file, clear),
	    cmocka_unit_test_teardown(an_open_index_reads_on_in_the_old_file, clear),
	    cmocka_unit_test_teardown(a_symbolic_link_stays_one, clear),
	    cmocka_unit_test_teardown(the_next_writer_removes_what_a_killed_compaction_left, clear),
	    cmocka_unit_test_teardown(a_killed_compaction_leaves_a_whole_index, clear),
	    cmocka_unit_test_teardown(a_compaction_without_room_leaves_the_old_file, clear),
	    cmocka_unit_test_teardown(a_compaction_without_memory_leaves_a_whole_index, clear),
	    cmocka_unit_test_teardown(damage_does_not_become_the_only_copy, clear),
	    cmocka_unit_test_teardown(compactions_beside_writers_and_readers_lose_nothing, clear),
	    cmocka_unit_test_teardown(a_waiting_writer_writes_to_the_new_file, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
