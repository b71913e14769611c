/*
 * An index that lives: ids are walked, all matches named, open handles moved to the newest commit beside a writer.
 *
 * TRAWL_SEED     seed of the history that readers look at
 * TRAWL_COMMITS  its length (80)
 */
#include "tests/index_verbs.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/random_corpus.h"

static uint64_t generation_of(const trawl_index *index)
{
	return stats_of(index).generation;
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

struct ids {
	char text[256];
	size_t length;
	int stop_after;
};

static int take_id(void *context, const char *id, size_t length)
{
	struct ids *ids = context;
	memcpy(ids->text + ids->length, id, length);
	ids->length += length;
	ids->text[ids->length++] = ' ';
	return ids->stop_after && --ids->stop_after == 0 ? 17 : 0;
}

static void the_ids_of_living_documents_are_walked_in_order(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	struct ids ids = {0}, first = {.stop_after = 2};
	add(writer, "c", "red");
	add(writer, "a", "red");
	add(writer, "gone", "red");
	CHECK(trawl_writer_commit(writer, &error));
	add(writer, "b", "red");
	add(writer, "c", "blue");
	CHECK(trawl_writer_delete(writer, "gone", 4, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_stats stats;
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.deleted, 1);
	trawl_writer_close(writer);

	trawl_index *index = index_open(path);
	assert_int_equal(trawl_walk_ids(index, take_id, &ids, &error), 0);
	assert_string_equal(ids.text, "a b c ");
	assert_int_equal(trawl_walk_ids(index, take_id, &first, &error), 17);
	assert_string_equal(first.text, "a b ");
	trawl_close(index);
}

static void all_matches_are_named_whatever_their_number(void **state)
{
	(void)state;
	enum { DOCUMENTS = 3 * TRAWL_TOP_MAX / 2 };
	const char *path = scratch_path("index");
	static const char *const queries[] = {"common", "\"common word\"", "+common odd", "odd even"};
	trawl_writer *writer = writer_open(path);
	for (int i = 0; i < DOCUMENTS; i++) {
		char id[16];
		snprintf(id, sizeof id, "%d", i);
		add(writer, id, i % 2 ? "common word odd" : "common word even");
		if (i == DOCUMENTS / 3)
			CHECK(trawl_writer_commit(writer, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);

	trawl_index *index = index_open(path);
	trawl_searcher *searcher;
	CHECK(trawl_searcher_new(&searcher, index, &error));
	for (int stable = 0; stable < 2; stable++) {
		for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
			static bool seen[DOCUMENTS];
			size_t count;
			trawl_search_options options = {
			    .top = TRAWL_TOP_ALL, .count = q % 2 == 0, .stable_ties = stable};
			CHECK(trawl_search(searcher, queries[q], strlen(queries[q]), &options, &error));
			const trawl_hit *hits = trawl_hits(searcher, &count);
			assert_int_equal(count, DOCUMENTS);
			assert_int_equal(trawl_match_count(searcher), q % 2 == 0 ? DOCUMENTS : 0);
			memset(seen, 0, sizeof seen);
			for (size_t i = 0; i < count; i++) {
				assert_true(hits[i].document < DOCUMENTS && !seen[hits[i].document]);
				assert_true(i == 0 || hits[i].score <= hits[i - 1].score);
				seen[hits[i].document] = true;
			}
		}
		trawl_search_options none = {.top = TRAWL_TOP_ALL, .count = true, .stable_ties = stable};
		size_t count;
		CHECK(trawl_search(searcher, "absent", 6, &none, &error));
		trawl_hits(searcher, &count);
		assert_int_equal(count, 0);
		assert_int_equal(trawl_match_count(searcher), 0);
	}
	trawl_searcher_free(searcher);
	trawl_close(index);
}

/* ---- reopening ------------------------------------------------------------------------------------------------- */

static size_t matches(const trawl_index *index, const char *query)
{
	trawl_searcher *searcher;
	trawl_search_options options = {.count = true};
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, query, strlen(query), &options, &error));
	size_t count = (size_t)trawl_match_count(searcher);
	trawl_searcher_free(searcher);
	return count;
}

static void an_open_index_is_moved_to_the_newest_commit(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	trawl_index *newer;
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 10, .count = true};
	add(writer, "a", "red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_index *old = index_open(path);
	CHECK(trawl_searcher_new(&searcher, old, &error));
	assert_int_equal(trawl_reopen(&newer, old, &error), 0);
	assert_null(newer);
	add(writer, "b", "red");
	assert_int_equal(trawl_reopen(&newer, old, &error), 0); /* not committed */
	CHECK(trawl_writer_commit(writer, &error));
	assert_int_equal(trawl_reopen(&newer, old, &error), 1);
	assert_int_equal(matches(newer, "red"), 2);

	/* The old one and its searcher go on as they were. */
	CHECK(trawl_writer_delete(writer, "a", 1, &error));
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_search(searcher, "red", 3, &options, &error));
	assert_int_equal(trawl_match_count(searcher), 1);
	trawl_searcher_free(searcher);
	trawl_close(old);

	trawl_index *newest;
	assert_int_equal(trawl_reopen(&newest, newer, &error), 1);
	assert_int_equal(generation_of(newest), generation_of(newer) + 1);
	assert_int_equal(matches(newest, "red"), 1);
	assert_int_equal(matches(newer, "red"), 2);
	trawl_close(newer);
	trawl_close(newest);
	trawl_writer_close(writer);
}

static void a_file_in_the_place_of_the_old_one_is_opened(void **state)
{
	(void)state;
	const char *path = scratch_path("index"), *other = scratch_path("other");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	writer = writer_open(other);
	add(writer, "a", "blue");
	CHECK(trawl_writer_commit(writer, &error)); /* the same generation */
	trawl_writer_close(writer);
	trawl_index *old = index_open(path), *newer;
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(trawl_reopen(&newer, old, &error), 1);
	assert_int_equal(matches(newer, "blue"), 1);
	assert_int_equal(matches(old, "red"), 1);
	trawl_close(newer);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(trawl_reopen(&newer, old, &error), TRAWL_ENOTFOUND);
	assert_null(newer);
	assert_int_equal(matches(old, "red"), 1);
	trawl_close(old);
}

/* ---- readers beside a writer ----------------------------------------------------------------------------------- */

#define IDS 24
#define COMMITS_MAX 4096
#define THREADS 3
#define PROCESSES 2
#define WHY_SIZE 1024

/* What each commit of the history holds: for each id the number in its text, 0 when there is none; and one more document that
 * tells which commit it is, for merges of segments count as generations too. Known before it is written. */
static uint8_t model[COMMITS_MAX + 1][IDS];
static int commits;
static const char *history_path;

static void make_model(uint64_t seed)
{
	struct random random = {seed};
	for (int g = 1; g <= commits; g++) {
		memcpy(model[g], model[g - 1], IDS);
		for (int change = 0; change < 6; change++) {
			uint8_t *number = &model[g][random_below(&random, IDS)];
			*number = *number && random_chance(&random, 0.4) ? 0 : (uint8_t)(1 + random_below(&random, 9));
		}
		model[g][g % IDS] = (uint8_t)(1 + (model[g - 1][g % IDS] + 1) % 9); /* each commit changes something */
	}
}

static void write_commit(trawl_writer *writer, int g)
{
	char number[32];
	snprintf(number, sizeof number, "%d", g);
	add(writer, "commit", number);
	for (int i = 0; i < IDS; i++) {
		char id[16], text[64];
		snprintf(id, sizeof id, "id%d", i);
		snprintf(text, sizeof text, "common text%d only%d", model[g][i], i);
		if (model[g][i])
			add(writer, id, text);
		else if (model[g - 1][i])
			CHECK(trawl_writer_delete(writer, id, strlen(id), &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
}

/* Which commit of the history the index is; 0 when it cannot be told. */
static int commit_of(const trawl_index *index)
{
	trawl_error problem;
	trawl_stored *stored = NULL;
	trawl_document document;
	int number = 0;
	char text[16] = "";
	if (trawl_fetch(index, "commit", 6, &stored, &document, &problem) == 0 && document.text_length < sizeof text) {
		memcpy(text, document.text, document.text_length);
		number = atoi(text);
	}
	trawl_stored_free(stored);
	return number > 0 && number <= commits ? number : 0;
}

/* Whether an index holds what its commit does, and which that is; else why not. Called by threads: asserts nothing. */
static bool is_whole(const trawl_index *index, int *commit, char why[WHY_SIZE])
{
	trawl_error problem = {0};
	trawl_index_stats stats = {0};
	trawl_searcher *searcher = NULL;
	trawl_search_options options = {.top = IDS, .count = true};
	size_t count = 0, live = 0;
	*commit = commit_of(index);
	const uint8_t *expected = model[*commit];
	int code = trawl_get_stats(index, &stats, &problem);
	if (!code)
		code = trawl_searcher_new(&searcher, index, &problem);
	if (!code)
		code = trawl_search(searcher, "common", 6, &options, &problem);
	const trawl_hit *hits = code ? NULL : trawl_hits(searcher, &count);
	for (int i = 0; i < IDS; i++)
		live += expected[i] != 0;
	bool same =
	    !code && *commit && count == live && stats.documents == live + 1 && trawl_match_count(searcher) == live;
	for (size_t i = 0; same && i < count; i++) {
		trawl_document document;
		int text, only;
		char copy[64] = "";
		code = trawl_hit_document(searcher, hits[i].document, &document, &problem);
		if (!code && document.text_length < sizeof copy)
			memcpy(copy, document.text, document.text_length);
		same = !code && sscanf(copy, "common text%d only%d", &text, &only) == 2 && only >= 0 && only < IDS &&
		       expected[only] == text;
	}
	if (!same)
		snprintf(why, WHY_SIZE, "commit %d of %d: %zu hits, %zu expected: %s", *commit, commits, count, live,
		         problem.text);
	trawl_searcher_free(searcher);
	return same;
}

/* Look at one commit after the other until the last one. 0, or 1 with *why. */
static int read_until_the_end(char why[WHY_SIZE])
{
	trawl_error problem = {0};
	trawl_index *index = NULL, *newer;
	int commit = 0, again = 0;
	int code = trawl_open(&index, history_path, &problem);
	while (!code && is_whole(index, &commit, why) && commit < commits) {
		int moved = trawl_reopen(&newer, index, &problem);
		if (moved < 0) {
			code = moved;
		} else if (moved) {
			/* The old one is whole still, beside the new one, which is no older. */
			if (!is_whole(index, &again, why) || again != commit || commit_of(newer) < commit)
				code = TRAWL_ECORRUPT;
			trawl_close(index);
			index = newer;
		}
	}
	trawl_close(index);
	if (code && !why[0])
		snprintf(why, WHY_SIZE, "%s: %s", trawl_status_name(code), problem.text);
	return code || commit != commits;
}

static void *reading_thread(void *why)
{
	return read_until_the_end(why) ? why : NULL;
}

static pid_t start_reading_process(void)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	char why[WHY_SIZE] = "";
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	alarm(300);
	int code = read_until_the_end(why);
	if (code)
		fprintf(stderr, "a reading process: %s\n", why);
	_exit(code);
}

static void readers_beside_a_writer_see_whole_commits(void **state)
{
	(void)state;
	const char *seed_text = getenv("TRAWL_SEED"), *length = getenv("TRAWL_COMMITS");
	uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 1;
	commits = length && atoi(length) > 1 && atoi(length) <= COMMITS_MAX ? atoi(length) : 80;
	print_message("TRAWL_SEED=%llu\n", (unsigned long long)seed);
	make_model(seed);
	history_path = scratch_path("index");
	trawl_writer *writer = writer_open(history_path);
	write_commit(writer, 1);
	trawl_writer_close(writer); /* a process must not inherit an open index */

	pid_t processes[PROCESSES];
	pthread_t threads[THREADS];
	static char why[THREADS][WHY_SIZE];
	for (int i = 0; i < PROCESSES; i++)
		processes[i] = start_reading_process();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reading_thread, why[i]), 0);
	for (int g = 2; g <= commits; g++) {
		if (g % 10 == 2)
			writer = writer_open(history_path);
		write_commit(writer, g);
		if (g % 10 == 1 || g == commits)
			trawl_writer_close(writer);
	}
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		if (failed)
			fail_msg("a reading thread: %s", why[i]);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(the_ids_of_living_documents_are_walked_in_order, clear),
	    cmocka_unit_test_teardown(all_matches_are_named_whatever_their_number, clear),
	    cmocka_unit_test_teardown(an_open_index_is_moved_to_the_newest_commit, clear),
	    cmocka_unit_test_teardown(a_file_in_the_place_of_the_old_one_is_opened, clear),
	    cmocka_unit_test_teardown(readers_beside_a_writer_see_whole_commits, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
