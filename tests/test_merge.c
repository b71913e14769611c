/*
 * Merging: what a merged segment holds, when segments are merged, and what a merge that fails leaves behind.
 *
 * TRAWL_SEED    seed of the histories (a fixed one otherwise)
 * TRAWL_FAULTS  fail every single allocation, not only a sample
 */
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
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "indexer/merge_policy.h"
#include "segment/segment.h"
#include "tests/child.h"
#include "tests/file_bytes.h"
#include "tests/history.h"
#include "tests/index_verbs.h"
#include "tests/seed.h"
#include "trawl.h"

/* ---- segments compared byte by byte ---------------------------------------------------------------------------- */

struct opened {
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	struct segment segment;
};

/* Open an index of one segment below the public interface. */
static void open_only_segment(struct opened *opened, const char *path)
{
	CHECK(store_open(&opened->store, path, false, &error));
	CHECK(snapshot_open(&opened->snapshot, opened->store, &error));
	CHECK(manifest_read(&opened->manifest, opened->snapshot, &error));
	assert_int_equal(opened->manifest.segment_count, 1);
	CHECK(segment_open(&opened->segment, opened->snapshot, &opened->manifest, 0, &error));
}

static void close_opened(struct opened *opened)
{
	segment_close(&opened->segment);
	manifest_release(&opened->manifest);
	snapshot_close(opened->snapshot);
	store_close(opened->store);
}

static void assert_same_part(struct opened *a, struct opened *b, int part)
{
	uint64_t bytes = a->segment.part_bytes[part];
	if (bytes != b->segment.part_bytes[part])
		fail_msg("part %d has %llu bytes and %llu", part, (unsigned long long)bytes,
		         (unsigned long long)b->segment.part_bytes[part]);
	for (uint32_t extent = 0; (uint64_t)extent * EXTENT_PAYLOAD < bytes; extent++) {
		const uint8_t *left, *right;
		uint32_t left_length, right_length;
		CHECK(snapshot_extent(a->snapshot, a->segment.summary.number, (uint32_t)part, extent, &left,
		                      &left_length, &error));
		CHECK(snapshot_extent(b->snapshot, b->segment.summary.number, (uint32_t)part, extent, &right,
		                      &right_length, &error));
		if (left_length != right_length || memcmp(left, right, left_length) != 0)
			fail_msg("extent %u of part %d differs", extent, part);
	}
}

static void assert_same_segment(const char *path, const char *other)
{
	struct opened a, b;
	open_only_segment(&a, path);
	open_only_segment(&b, other);
	assert_int_equal(a.segment.summary.deleted, 0);
	assert_int_equal(a.segment.summary.live_tokens, b.segment.summary.live_tokens);
	assert_int_equal(a.segment.summary.live_postings, b.segment.summary.live_postings);
	assert_int_equal(a.segment.summary.live_text_bytes, b.segment.summary.live_text_bytes);
	for (int part = PART_DOCUMENTS; part < PART_COUNT; part++)
		assert_same_part(&a, &b, part);
	close_opened(&a);
	close_opened(&b);
}

/* ---- what a merge makes ---------------------------------------------------------------------------------------- */

static const trawl_writer_options kinds[] = {
    {.memory_budget = 64 << 20, .no_merge = true},
    {.memory_budget = 64 << 20, .no_merge = true, .no_positions = true},
    {.memory_budget = 64 << 20, .no_merge = true, .bigrams = true},
    {.memory_budget = 1 << 20, .no_merge = true, .bigrams = true, .analysis = {.stop_words = true}},
    {.memory_budget = 64 << 20, .no_merge = true, .analysis = {.language = "none"}}};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Some commits of additions, changes and deletions. */
static void live(struct history *history, trawl_writer *writer, struct random *random, int commits)
{
	size_t n = history->corpus.count;
	for (int commit = 0; commit < commits; commit++) {
		size_t from = n * (size_t)commit / (size_t)commits, to = n * (size_t)(commit + 1) / (size_t)commits;
		for (size_t i = from; i < to; i++)
			history_put(history, writer, i);
		for (size_t i = 0; i < n / 20; i++) {
			size_t number = random_below(random, to);
			switch (random_below(random, 4)) {
			case 0: history_put(history, writer, number); break;
			case 1: history_change(history, writer, random, number); break;
			default: history_delete(history, writer, number); break;
			}
		}
		history_commit(history, writer);
	}
}

static void a_merged_segment_is_byte_for_byte_what_indexing_at_once_makes(void **state)
{
	(void)state;
	static const size_t sizes[] = {3, 40, 700, 6000};
	struct random random = {test_seed_from(20)};
	for (size_t i = 0; i < 4; i++)
		for (size_t kind = 0; kind < KINDS; kind++) {
			const char *path = scratch_path("merged"), *fresh = scratch_path("fresh");
			struct history history;
			trawl_writer *writer;
			history_make(&history, &random, sizes[i]);
			CHECK(trawl_writer_open(&writer, path, &kinds[kind], &error));
			live(&history, writer, &random, 2 + (int)random_below(&random, 7));
			CHECK(trawl_writer_merge(writer, 1, &error));
			trawl_writer_close(writer);
			trawl_writer_options options = kinds[kind];
			options.memory_budget = 64 << 20;
			history_index(&history, fresh, &options);
			if (history.live)
				assert_same_segment(path, fresh);
			assert_int_equal(stats_at(path).documents, history.live);
			assert_same_answers(path, fresh, &history.corpus, &random, 30);
			history_release(&history);
			scratch_clear();
		}
}

/* Reordered segments: docIDs and ordinals differ, so the bytes do, and the answers do not. */
static void merged_segments_of_reordered_documents_answer_alike(void **state)
{
	(void)state;
	struct random random = {test_seed_from(20)};
	const char *path = scratch_path("merged"), *fresh = scratch_path("fresh");
	trawl_writer_options options = {.memory_budget = 64 << 20, .no_merge = true, .order = TRAWL_ORDER_SIMILAR};
	struct history history;
	trawl_writer *writer;
	history_make(&history, &random, 5000);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	live(&history, writer, &random, 4);
	CHECK(trawl_writer_merge(writer, 1, &error));
	trawl_writer_close(writer);
	history_index(&history, fresh, &options);
	assert_int_equal(stats_at(path).segments, 1);
	assert_int_equal(stats_at(path).deleted, 0);
	assert_same_answers(path, fresh, &history.corpus, &random, 200);
	history_release(&history);
}

static void merging_to_n_segments_leaves_n(void **state)
{
	(void)state;
	struct random random = {test_seed_from(20)};
	const char *path = scratch_path("merged"), *fresh = scratch_path("fresh");
	struct history history;
	trawl_writer *writer;
	history_make(&history, &random, 900);
	CHECK(trawl_writer_open(&writer, path, &kinds[0], &error));
	live(&history, writer, &random, 50);
	trawl_writer_stats stats;
	for (size_t wanted = 7; wanted != 1; wanted = wanted == 7 ? 4 : 1) {
		CHECK(trawl_writer_merge(writer, wanted, &error));
		assert_int_equal(stats_at(path).segments, wanted);
	}
	CHECK(trawl_writer_merge(writer, 1, &error));
	assert_int_equal(stats_at(path).segments, 1);
	assert_int_equal(stats_at(path).deleted, 0);
	trawl_writer_get_stats(writer, &stats);
	uint64_t merges = stats.merges;
	CHECK(trawl_writer_merge(writer, 1, &error)); /* nothing is left to do */
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.merges, merges);
	trawl_writer_close(writer);
	history_index(&history, fresh, &kinds[0]);
	assert_same_answers(path, fresh, &history.corpus, &random, 50);
	history_release(&history);
}

static void changes_must_be_committed_before_a_merge(void **state)
{
	(void)state;
	trawl_writer *writer;
	trawl_document document = {.id = "a", .id_length = 1, .text = "red", .text_length = 3};
	CHECK(trawl_writer_open(&writer, scratch_path("merged"), NULL, &error));
	CHECK(trawl_writer_add(writer, &document, &error));
	assert_int_equal(trawl_writer_merge(writer, 1, &error), TRAWL_EINVAL);
	CHECK(trawl_writer_commit(writer, &error)); /* nothing was lost */
	CHECK(trawl_writer_merge(writer, 1, &error));
	trawl_writer_close(writer);
	assert_int_equal(stats_at(scratch_path("merged")).documents, 1);
}

/* ---- when segments are merged ---------------------------------------------------------------------------------- */

/* Segments in the making, and what merging them has written. */
struct shelf {
	struct merge_candidate segments[4096];
	size_t count;
	uint64_t added, merged, least;
};

static int tier_of(uint64_t size)
{
	int tier = 0;
	for (; size >= 8; size /= 8)
		tier++;
	return tier;
}

static void merge_chosen(struct shelf *shelf)
{
	struct merge_candidate merged = {0};
	size_t kept = 0;
	for (size_t i = 0; i < shelf->count; i++) {
		if (shelf->segments[i].chosen) {
			merged.live += shelf->segments[i].live;
			merged.live_size += shelf->segments[i].live_size;
		} else {
			shelf->segments[kept++] = shelf->segments[i];
		}
	}
	merged.size = merged.live_size;
	shelf->merged += merged.size;
	shelf->segments[kept++] = merged;
	shelf->count = kept;
}

/* A commit, and the merges after it; returns how many. */
static int shelve(struct shelf *shelf, uint64_t size, uint32_t documents)
{
	int merges = 0;
	assert_true(shelf->count < 4096);
	shelf->segments[shelf->count++] = (struct merge_candidate){.size = size, .live_size = size, .live = documents};
	shelf->added += size;
	shelf->least = !shelf->least || size < shelf->least ? size : shelf->least;
	for (; merge_policy_choose(shelf->segments, shelf->count, MERGE_UNLIMITED); merges++) {
		assert_true(merges < 100);
		merge_chosen(shelf);
	}
	return merges;
}

static void segments_stay_few_and_are_rewritten_seldom(void **state)
{
	(void)state;
	static struct shelf shelf;
	struct random random = {test_seed_from(20)};
	for (int round = 0; round < 12; round++) {
		shelf = (struct shelf){0};
		for (int commit = 0; commit < 5000; commit++) {
			uint64_t size = 500;
			if (round % 3 == 1)
				size += random_below(&random, 100000);
			else if (round % 3 == 2)
				size <<= random_below(&random, 16);
			shelve(&shelf, size, (uint32_t)(size / 100));
			size_t tiers = (size_t)(tier_of(shelf.added) - tier_of(shelf.least) + 1);
			assert_true(shelf.count <= (MERGE_TIER_WIDTH - 1) * tiers);
			assert_true(shelf.merged <= tiers * shelf.added);
		}
	}
}

static void no_merge_makes_a_segment_too_large(void **state)
{
	(void)state;
	static struct shelf shelf;
	shelf = (struct shelf){0};
	for (int commit = 0; commit < 400; commit++)
		shelve(&shelf, (uint64_t)5000000 * 64, 5000000);
	for (size_t i = 0; i < shelf.count; i++)
		assert_true(shelf.segments[i].live <= DOCUMENTS_MAX);
	assert_true(shelf.count < 400 * (uint64_t)5000000 / (DOCUMENTS_MAX / 2) + 8);
	size_t before = shelf.count;
	for (int merges = 0; merge_policy_force(shelf.segments, shelf.count, 1, MERGE_UNLIMITED); merges++) {
		assert_true(merges < 100);
		merge_chosen(&shelf);
	}
	assert_true(shelf.count <= before);
	for (size_t i = 0; i < shelf.count; i++)
		assert_true(shelf.segments[i].live <= DOCUMENTS_MAX);
}

static void segments_full_of_the_deleted_are_rewritten(void **state)
{
	(void)state;
	struct merge_candidate half_deleted[3] = {{.size = 1 << 20, .live_size = 1 << 19, .live = 100},
	                                          {.size = 1 << 19, .live_size = 1 << 19, .live = 100},
	                                          {.size = 1 << 18, .live_size = 1 << 17, .live = 100}};
	assert_int_equal(merge_policy_choose(half_deleted, 3, MERGE_UNLIMITED), 2);
	assert_true(half_deleted[0].chosen && !half_deleted[1].chosen && half_deleted[2].chosen);
	half_deleted[0].live_size = 15 << 16; /* too few in all */
	assert_int_equal(merge_policy_choose(half_deleted, 3, MERGE_UNLIMITED), 0);
}

/* One document a commit; some are replaced. */
static void commits_merge_by_themselves(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer_options options = {.memory_budget = 16 << 20};
	trawl_writer *writer;
	trawl_writer_stats stats;
	char id[16], text[64];
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < 90; i++) {
		snprintf(id, sizeof id, "n%d", i % 60);
		snprintf(text, sizeof text, "common word%d", i);
		trawl_document document = {
		    .id = id, .id_length = strlen(id), .text = text, .text_length = strlen(text)};
		CHECK(trawl_writer_add(writer, &document, &error));
		CHECK(trawl_writer_commit(writer, &error));
	}
	trawl_writer_get_stats(writer, &stats);
	trawl_writer_close(writer);
	trawl_index_stats now = stats_at(path);
	assert_int_equal(now.documents, 60);
	assert_true(now.segments <= 7 * 3);
	assert_true(stats.merges >= 90 / 8 - 1 && stats.merges_failed == 0);
	assert_true(stats.segment_bytes > 0 && stats.merge_bytes > 0 && stats.merge_bytes <= 3 * stats.segment_bytes);
}

/* ---- what goes wrong ------------------------------------------------------------------------------------------- */

/* A text of `words` words, to be freed: "all" and others. */
static char *make_text(int words, uint32_t *random)
{
	char *text = malloc(8 * (size_t)words + 8);
	assert_non_null(text);
	size_t length = (size_t)sprintf(text, "all");
	for (int word = 0; word < words; word++) {
		*random = *random * 1103515245 + 12345;
		length += (size_t)sprintf(text + length, " w%05x", (*random >> 8) % 60000);
	}
	return text;
}

static int add_documents(trawl_writer *writer, const char *prefix, int from, int to, int words, uint32_t *random)
{
	int code = 0;
	for (int i = from; !code && i < to; i++) {
		char *text = make_text(words, random), id[20];
		snprintf(id, sizeof id, "%s%d", prefix, i);
		trawl_document document = {
		    .id = id, .id_length = strlen(id), .text = text, .text_length = strlen(text)};
		code = trawl_writer_add(writer, &document, &error);
		free(text);
	}
	return code;
}

/* An index of seven commits of `documents` documents, all with the word "all", which an eighth makes a full tier. */
static void make_seven(const char *path, int documents, int words)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 64 << 20, .no_merge = true};
	uint32_t random = 1;
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < 7; i++) {
		CHECK(add_documents(writer, "d", i * documents, (i + 1) * documents, words, &random));
		CHECK(trawl_writer_commit(writer, &error));
	}
	trawl_writer_close(writer);
}

static int commit_eighth(const char *path, int documents, int words, trawl_writer_stats *stats)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 64 << 20};
	uint32_t random = 2;
	int code = trawl_writer_open(&writer, path, &options, &error);
	if (!code)
		code = add_documents(writer, "e", 0, documents, words, &random);
	if (!code)
		code = trawl_writer_commit(writer, &error);
	if (!code)
		trawl_writer_get_stats(writer, stats);
	trawl_writer_close(writer);
	return code;
}

/* Every document is found by its id and by the word that all have; they are `documents` in number. */
static void assert_whole(const char *path, uint64_t documents)
{
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 1, .count = true};
	trawl_index_stats stats;
	CHECK(trawl_open(&index, path, &error));
	CHECK(trawl_get_stats(index, &stats, &error));
	assert_int_equal(stats.documents, documents);
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, "all", 3, &options, &error));
	assert_int_equal(trawl_match_count(searcher), documents);
	for (uint64_t i = 0; i < documents; i += 1 + documents / 20) {
		char id[20];
		trawl_stored *stored;
		trawl_document document;
		snprintf(id, sizeof id, "d%d", (int)(i % (documents / 8 * 7)));
		CHECK(trawl_fetch(index, id, strlen(id), &stored, &document, &error));
		trawl_stored_free(stored);
	}
	trawl_searcher_free(searcher);
	trawl_close(index);
}

/* Fail the allocation after `n` good ones of a commit that merges. Returns, if all that follow fail too, whether there was one. */
static bool starve(const char *seven, const char *path, long n, bool sticky, long *failures, long *failed_merges)
{
	trawl_writer_stats stats = {0};
	file_copy(seven, path);
	memory_fail_after(n, sticky);
	int code = commit_eighth(path, 4, 20, &stats);
	void *probe = memory_new(1);
	memory_fail_after(-1, false);
	if (code && code != TRAWL_ENOMEM)
		fail_msg("allocation %ld: %s", n, error.text);
	*failures += code != 0;
	*failed_merges += stats.merges_failed != 0;
	uint64_t documents = stats_at(path).documents;
	assert_true(documents == 32 || (code && documents == 28));
	assert_whole(path, documents);
	CHECK(commit_eighth(path, 4, 20, &stats)); /* and nothing stands in the way of the next one */
	assert_whole(path, 32);
	bool met = !probe;
	memory_free(probe);
	return met;
}

static void a_merge_without_memory_leaves_the_commit(void **state)
{
	(void)state;
	char seven[1024], path[1024];
	snprintf(seven, sizeof seven, "%s", scratch_path("seven"));
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	make_seven(seven, 4, 20);
	long failed_merges = 0, failures = 0, n = 0, end = 0;
	bool met = true;
	bool all = getenv("TRAWL_FAULTS");
	for (; met; n += all ? 1 : n < 100 ? 9 : 13)
		met = starve(seven, path, n, true, &failures, &failed_merges);
	end = n;
	for (n = 0; n < end; n += all ? 1 : n < 100 ? 9 : 13)
		starve(seven, path, n, false, &failures, &failed_merges);
	fprintf(stderr, "  %ld allocations; %ld commits and %ld merges failed\n", n, failures, failed_merges);
	assert_true(failures > 10 && failed_merges > 5);
}

/* In a child, with room in the file for the commit but not for the merge. Exits with how many merges failed. */
static int merge_without_room(const char *path)
{
	struct stat status;
	trawl_writer_stats stats = {0};
	if (stat(path, &status))
		return 100;
	struct rlimit limit = {(rlim_t)status.st_size + (2 << 20), RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	int code = commit_eighth(path, 100, 500, &stats);
	if (code)
		fprintf(stderr, "  %s\n", error.text);
	return code ? 101 : stats.merges ? 102 : (int)stats.merges_failed;
}

static void a_merge_without_room_leaves_the_commit(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer_stats stats;
	int status;
	make_seven(path, 100, 500);
	pid_t child = fork_mortal(60);
	if (!child)
		_exit(merge_without_room(path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_whole(path, 800);
	assert_int_equal(stats_at(path).segments, 8);
	/* Where there is room again, the next commit merges. */
	trawl_document document = {.id = "d0", .id_length = 2, .text = "all", .text_length = 3};
	trawl_writer *writer;
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	trawl_writer_close(writer);
	assert_int_equal(stats.merges, 1);
	assert_whole(path, 800);
}

static void a_killed_merge_leaves_a_whole_index(void **state)
{
	(void)state;
	char seven[1024], path[1024];
	struct random random = {test_seed_from(20)};
	snprintf(seven, sizeof seven, "%s", scratch_path("seven"));
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	make_seven(seven, 50, 200);
	file_copy(seven, path);
	struct timespec begun, done;
	trawl_writer_stats stats;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	CHECK(commit_eighth(path, 50, 200, &stats));
	clock_gettime(CLOCK_MONOTONIC, &done);
	uint64_t takes = (uint64_t)((done.tv_sec - begun.tv_sec) * 1000000 + (done.tv_nsec - begun.tv_nsec) / 1000);
	int before = 0;
	for (int round = 0; round < 12; round++) {
		int status;
		file_copy(seven, path);
		pid_t child = fork_mortal(60);
		if (!child)
			_exit(commit_eighth(path, 50, 200, &stats) != 0);
		usleep((useconds_t)(takes / 4 + random_below(&random, takes + 1)));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		uint64_t documents = stats_at(path).documents;
		assert_true(documents == 350 || documents == 400);
		before += documents == 350;
		if (documents == 400)
			assert_whole(path, 400);
		CHECK(commit_eighth(path, 50, 200, &stats));
		assert_whole(path, 400);
	}
	fprintf(stderr, "  %d of 12 killed before the commit\n", before);
}

static void an_open_index_keeps_its_snapshot_beside_merges(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_index *old;
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 1000, .count = true};
	trawl_writer *writer;
	size_t count, again;
	make_seven(path, 30, 100);
	CHECK(trawl_open(&old, path, &error));
	CHECK(trawl_searcher_new(&searcher, old, &error));
	CHECK(trawl_search(searcher, "all w1 w2 w3", 12, &options, &error));
	const trawl_hit *hits = trawl_hits(searcher, &count);
	trawl_hit *kept = malloc(count * sizeof *kept);
	assert_non_null(kept);
	memcpy(kept, hits, count * sizeof *kept);
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	for (int round = 0; round < 12; round++) { /* long enough for pages to be reused, if they were thought free */
		char id[16];
		snprintf(id, sizeof id, "d%d", round);
		trawl_document document = {.id = id, .id_length = strlen(id), .text = "all new", .text_length = 7};
		CHECK(trawl_writer_add(writer, &document, &error));
		CHECK(trawl_writer_commit(writer, &error));
		CHECK(trawl_writer_merge(writer, 1, &error));
		CHECK(trawl_search(searcher, "all w1 w2 w3", 12, &options, &error));
		hits = trawl_hits(searcher, &again);
		assert_int_equal(again, count);
		assert_memory_equal(hits, kept, count * sizeof *kept);
		trawl_document stored;
		CHECK(trawl_hit_document(searcher, hits[round].document, &stored, &error));
	}
	trawl_writer_close(writer);
	free(kept);
	trawl_searcher_free(searcher);
	trawl_close(old);
	assert_whole(path, 210);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_merged_segment_is_byte_for_byte_what_indexing_at_once_makes, clear),
	    cmocka_unit_test_teardown(merged_segments_of_reordered_documents_answer_alike, clear),
	    cmocka_unit_test_teardown(merging_to_n_segments_leaves_n, clear),
	    cmocka_unit_test_teardown(changes_must_be_committed_before_a_merge, clear),
	    cmocka_unit_test_teardown(segments_stay_few_and_are_rewritten_seldom, clear),
	    cmocka_unit_test_teardown(no_merge_makes_a_segment_too_large, clear),
	    cmocka_unit_test_teardown(segments_full_of_the_deleted_are_rewritten, clear),
	    cmocka_unit_test_teardown(commits_merge_by_themselves, clear),
	    cmocka_unit_test_teardown(a_merge_without_memory_leaves_the_commit, clear),
	    cmocka_unit_test_teardown(a_merge_without_room_leaves_the_commit, clear),
	    cmocka_unit_test_teardown(a_killed_merge_leaves_a_whole_index, clear),
	    cmocka_unit_test_teardown(an_open_index_keeps_its_snapshot_beside_merges, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
