/*
 * trawl_check and trawl_salvage where nothing is damaged: beside a writer, after an unfinished commit, without memory.
 * tests/test_damage.c has the damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/store.h"
#include "tests/check.h"
#include "tests/child.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"
#include "trawl.h"

static trawl_error error;

static void print_finding(void *context, const trawl_finding *finding)
{
	(void)context;
	fprintf(stderr, "  %s: segment %u, %s, byte %lld: %s\n", finding->harmless ? "note" : "damaged",
	        finding->segment, finding->part, (long long)finding->offset, finding->text);
}

static void assert_whole(const char *path, trawl_check_result *result)
{
	const trawl_check_options options = {.text = true, .finding = print_finding};
	CHECK(trawl_check(path, &options, result, &error));
	assert_int_equal(result->damages, 0);
}

/* Three commits of random documents, the later ones replacing some of the earlier. */
static void write_random(const char *path, const trawl_writer_options *options, uint64_t seed, size_t documents)
{
	struct random random = {seed};
	struct random_corpus corpus = {0};
	trawl_writer *writer;
	random_corpus_make(&corpus, &random, documents);
	CHECK(trawl_writer_open(&writer, path, options, &error));
	for (size_t i = 0; i < documents; i++) {
		CHECK(trawl_writer_add(writer, &corpus.documents[i], &error));
		if (i % (documents / 2 + 1) == documents / 2)
			CHECK(trawl_writer_commit(writer, &error));
	}
	for (size_t i = 0; i < documents; i += 3) {
		trawl_document other;
		random_document_make(&other, &corpus, &random, &corpus.documents[i]);
		CHECK(trawl_writer_add(writer, &other, &error));
		random_document_release(&other);
	}
	CHECK(trawl_writer_delete(writer, corpus.documents[1].id, corpus.documents[1].id_length, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	random_corpus_release(&corpus);
}

static void indexes_of_all_kinds_are_whole(void **state)
{
	(void)state;
	static const trawl_writer_options kinds[] = {
	    {.memory_budget = 64 << 20},
	    {.memory_budget = 64 << 20, .bigrams = true},
	    {.memory_budget = 1 << 20, .analysis = {.language = "none"}},
	    {.memory_budget = 64 << 20, .no_positions = true},
	    {.memory_budget = 64 << 20, .order = TRAWL_ORDER_SIMILAR, .bigrams = true},
	    {.memory_budget = 64 << 20, .analysis = {"english", true, true}},
	    {.memory_budget = 64 << 20, .analysis = {"english", true, false}, .bigrams = true},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *path = scratch_path("index"), *rescued = scratch_path("rescued");
		trawl_check_result before, after;
		trawl_salvage_result result;
		write_random(path, &kinds[i], 100 + i, 1500);
		assert_whole(path, &before);
		assert_true(before.segments >= 2 && before.documents == 1499);
		CHECK(trawl_salvage(path, rescued, NULL, &result, &error));
		assert_int_equal(result.rescued, before.documents);
		assert_int_equal(result.lost, 0);
		assert_true(result.lost_exact && result.analysis_known && !result.scanned);
		assert_whole(rescued, &after);
		assert_int_equal(after.documents, before.documents);
		scratch_clear();
	}
}

static void an_index_without_documents_is_whole(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer;
	trawl_check_result result;
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	assert_whole(path, &result);
	assert_int_equal(result.documents, 0);
}

static void what_an_unfinished_commit_left_is_no_damage(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_check_result result;
	struct store *store;
	struct store_batch *batch;
	uint8_t *payload = calloc(1, EXTENT_PAYLOAD);
	write_random(path, NULL, 1, 100);
	CHECK(store_open(&store, path, false, &error));
	CHECK(store_batch_new(&batch, store, &error));
	for (uint32_t extent = 0; extent < 100; extent++)
		CHECK(store_batch_put(batch, 77, 1, extent, payload, EXTENT_PAYLOAD, &error));
	store_batch_free(batch);
	store_close(store);
	free(payload);
	assert_whole(path, &result);
	assert_true(result.leftovers > 50);
}

/* Commits without end. */
static void endless_writer(const char *path)
{
	trawl_writer *writer;
	if (trawl_writer_open(&writer, path, NULL, NULL))
		_exit(1);
	for (int i = 0;; i++) {
		char id[16], text[64];
		snprintf(id, sizeof id, "d%d", i % 37);
		snprintf(text, sizeof text, "common word%d and word%d", i, i / 5);
		trawl_document document = {
		    .id = id, .id_length = strlen(id), .text = text, .text_length = strlen(text)};
		if (trawl_writer_add(writer, &document, NULL) || trawl_writer_commit(writer, NULL))
			_exit(2);
	}
}

static void a_check_beside_a_writer_finds_one_commit_whole(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_random(path, NULL, 2, 200);
	pid_t child = fork_mortal(300);
	if (child == 0)
		endless_writer(path);
	uint64_t generation = 0, commits = 0;
	for (int i = 0; i < 40; i++) {
		trawl_check_result result;
		assert_whole(path, &result);
		commits += result.generation > generation;
		assert_true(result.generation >= generation);
		generation = result.generation;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(commits > 0);
}

static void add_one(const char *path)
{
	static size_t length;
	trawl_writer *writer;
	length = length % 26 + 1; /* another text each time */
	trawl_document document = {
	    .id = "one", .id_length = 3, .text = "abcdefghijklmnopqrstuvwxyz", .text_length = length};
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

/* A compaction and a commit, right before the check opens what it has begun to read (the linker's --wrap, see the Makefile). */
static const char *to_compact;
struct store;
int __real_store_open(struct store **out, const char *path, bool create, trawl_error *why);
int __wrap_store_open(struct store **out, const char *path, bool create, trawl_error *why);
int __wrap_store_open(struct store **out, const char *path, bool create, trawl_error *why)
{
	const char *now = to_compact;
	to_compact = NULL;
	if (now) {
		CHECK(trawl_compact(now, false, NULL, &error));
		add_one(now);
	}
	return __real_store_open(out, path, create, why);
}

static void a_check_follows_a_file_that_a_compaction_replaces(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_random(path, NULL, 2, 200);
	add_one(path);
	for (int i = 0; i < 3; i++) {
		trawl_check_result before, after;
		struct stat old, new;
		assert_whole(path, &before);
		assert_int_equal(stat(path, &old), 0);
		to_compact = path;
		assert_whole(path, &after);
		assert_null(to_compact);
		assert_int_equal(stat(path, &new), 0);
		assert_true(new.st_ino != old.st_ino);
		assert_int_equal(after.documents, before.documents);
		assert_true(after.generation > before.generation);
	}
}

/* Every allocation fails in turn: that is an error, and never damage. */
static void a_want_of_memory_is_no_damage(void **state)
{
	(void)state;
	const char *path = scratch_path("index"), *rescued = scratch_path("rescued");
	trawl_writer_options options = {.memory_budget = 1 << 20, .bigrams = true};
	write_random(path, &options, 3, 60);
	long failures = 0, allocations[2];
	for (int kind = 0; kind < 4; kind++) {
		bool salvage = kind & 1, once = kind & 2;
		for (long n = 0, most = LONG_MAX; n < most; n += n < 200 ? 1 : 1 + n / 20) {
			trawl_check_result checked = {0};
			trawl_salvage_result saved = {0};
			trawl_check_options all = {.text = true};
			trawl_salvage_options small = {.memory_budget = 1 << 20};
			error = (trawl_error){0};
			memory_fail_after(n, !once);
			int status = salvage ? trawl_salvage(path, rescued, &small, &saved, &error)
			                     : trawl_check(path, &all, &checked, &error);
			void *probe = memory_new(1);
			if (once ? n > allocations[salvage] : probe != NULL)
				most = 0;
			memory_free(probe);
			memory_fail_after(-1, false);
			if (status != TRAWL_ENOMEM && (status || checked.damages || (salvage && saved.rescued != 59)))
				fail_msg("allocation %ld of %s: %d, %llu damages: %s", n, salvage ? "salvage" : "check",
				         status, (unsigned long long)checked.damages, error.text);
			failures += status != 0;
			if (!once)
				allocations[salvage] = n;
			/* nothing is left of a failure */
			if ((remove(rescued) == 0) != (salvage && !status))
				fail_msg("allocation %ld of %s: status %d, %s", n, salvage ? "salvage" : "check",
				         status, status ? "and the new index is there" : "and no new index");
		}
	}
	assert_true(failures > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(indexes_of_all_kinds_are_whole, clear),
	    cmocka_unit_test_teardown(an_index_without_documents_is_whole, clear),
	    cmocka_unit_test_teardown(what_an_unfinished_commit_left_is_no_damage, clear),
	    cmocka_unit_test_teardown(a_check_beside_a_writer_finds_one_commit_whole, clear),
	    cmocka_unit_test_teardown(a_check_follows_a_file_that_a_compaction_replaces, clear),
	    cmocka_unit_test_teardown(a_want_of_memory_is_no_damage, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
