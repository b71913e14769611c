/* Documents that come again: what counts as unchanged, that nothing is written for it, and that content hashes are kept right. */
#include <stdlib.h>

#include "base/hash.h"
#include "segment/segment.h"
#include "tests/file_bytes.h"
#include "tests/history.h"
#include "tests/seed.h"

#include "tests/index_verbs.h"

static trawl_document with(const char *title, const char *text, const char *fields)
{
	return (trawl_document){.id = "a",
	                        .id_length = 1,
	                        .title = title,
	                        .title_length = strlen(title),
	                        .text = text,
	                        .text_length = strlen(text),
	                        .fields = fields,
	                        .fields_length = strlen(fields)};
}

/* Add a document to the index, compared by its bytes or not. */
static trawl_writer_stats add_again(const char *path, const trawl_document *document, bool compare)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 4 << 20, .compare = compare};
	trawl_writer_stats stats;
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	CHECK(trawl_writer_add(writer, document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	trawl_writer_close(writer);
	return stats;
}

static void a_byte_that_moves_between_title_text_and_fields_is_a_change(void **state)
{
	(void)state;
	const trawl_document versions[] = {with("ab", "cd", ""), with("a", "bcd", ""),  with("abc", "d", ""),
	                                   with("", "abcd", ""), with("abcd", "", ""),  with("", "", "abcd"),
	                                   with("ab", "c", "d"), with("ab", "", "cd"),  with("", "ab", "cd"),
	                                   with("", "", ""),     with("\0", "abc", "d")};
	const char *path = scratch_path("index");
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		for (int compare = 0; compare < 2; compare++) {
			trawl_writer_stats stats = add_again(path, &versions[i], compare);
			assert_int_equal(stats.unchanged, compare);
			assert_int_equal(stats.added + stats.replaced, !compare);
		}
}

static bool is_unchanged(const char *path, const char *text, const char *fields, bool any_file)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 4 << 20, .any_file = any_file};
	trawl_writer_stats stats;
	trawl_document document = with("t", text, fields);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	trawl_writer_close(writer);
	return stats.unchanged == 1;
}

static void the_file_of_a_document_may_differ(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	is_unchanged(path, "x", "", true);
	assert_true(is_unchanged(path, "x", "", true));
	/* Where the file was not known it is from now on. */
	assert_false(is_unchanged(path, "x", "{\"_trawl\":{\"file\":\"a\"}}", true));
	assert_true(is_unchanged(path, "x", "{\"_trawl\":{\"file\":\"b\"}}", true));
	assert_true(is_unchanged(path, "x", "{\"_trawl\":{\"file\":true}}", true));
	assert_true(is_unchanged(path, "x", "", true));
	assert_false(is_unchanged(path, "y", "", true));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"a\"},\"n\":1}", true));
	assert_true(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"b\"},\"n\":1}", true));
	assert_true(is_unchanged(path, "y", "{\"n\":1}", true));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"b\"},\"n\":2}", true));
	assert_false(is_unchanged(path, "y", "{\"n\":3}", true));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"a\"},\"n\":3}", false));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"b\"},\"n\":3}", false));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":\"b", true));
	assert_false(is_unchanged(path, "y", "{\"_trawl\":{\"file\":", true));
}

static void add_shuffled(trawl_writer *writer, const struct history *history, struct random *random)
{
	size_t *order = malloc(history->count * sizeof *order);
	assert_non_null(order);
	for (size_t i = 0; i < history->count; i++) {
		size_t other = random_below(random, i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	for (size_t i = 0; i < history->count; i++)
		if (history->entries[order[i]].document)
			CHECK(trawl_writer_add(writer, history->entries[order[i]].document, &error));
	free(order);
}

static void a_run_over_the_same_documents_in_any_order_writes_nothing(void **state)
{
	(void)state;
	static const trawl_writer_options kinds[] = {{.memory_budget = 16 << 20},
	                                             {.memory_budget = 16 << 20, .no_merge = true},
	                                             {.memory_budget = 16 << 20, .order = TRAWL_ORDER_SIMILAR}};
	struct random random = {test_seed()};
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
		const char *path = scratch_path("index");
		struct history history;
		trawl_writer *writer;
		trawl_writer_stats stats;
		history_make(&history, &random, 2500);
		CHECK(trawl_writer_open(&writer, path, &kinds[kind], &error));
		for (size_t i = 0; i < 2500; i++) {
			history_put(&history, writer, i);
			if (random_chance(&random, 0.3))
				history_change(&history, writer, &random, random_below(&random, i + 1));
			if (random_chance(&random, 0.002))
				history_commit(&history, writer);
		}
		history_commit(&history, writer);
		trawl_writer_close(writer);
		struct file before = file_read(path);
		CHECK(trawl_writer_open(&writer, path, &kinds[kind], &error));
		add_shuffled(writer, &history, &random);
		CHECK(trawl_writer_commit(writer, &error));
		trawl_writer_get_stats(writer, &stats);
		assert_int_equal(stats.added + stats.replaced + stats.deleted, 0);
		assert_int_equal(stats.unchanged, history.live);
		trawl_writer_close(writer);
		struct file after = file_read(path);
		assert_int_equal(after.length, before.length);
		assert_memory_equal(after.bytes, before.bytes, before.length);
		free(before.bytes);
		free(after.bytes);
		history_release(&history);
		scratch_clear();
	}
}

/* Write extent 0 of the segment's content hashes anew. */
static void forge_hashes(const char *path, uint32_t number, const uint64_t *hashes, size_t count)
{
	struct store *store;
	struct store_batch *batch;
	struct snapshot *snapshot;
	const uint8_t *manifest;
	uint32_t length;
	CHECK(store_open(&store, path, false, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	CHECK(snapshot_extent(snapshot, 0, PART_MANIFEST, 0, &manifest, &length, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_put(batch, number, PART_CONTENT_HASHES, 0, (const uint8_t *)hashes,
	                      (uint32_t)(count * sizeof *hashes), &error));
	CHECK(store_batch_commit(batch, manifest, length, &error));
	store_batch_free(batch);
	snapshot_close(snapshot);
	store_close(store);
}

/* Versions with one hash are not at hand, so the stored hash is made that of another version. */
static void an_equal_hash_is_believed_unless_bytes_are_to_be_compared(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_document old = with("old", "words", ""), new = with("new", "words", "");
	add_again(path, &old, false);
	const uint64_t hash = hash_bytes("\x03\x05\0newwords", 11);
	forge_hashes(path, 1, &hash, 1);
	assert_int_equal(add_again(path, &new, false).unchanged, 1);
	assert_int_equal(add_again(path, &new, true).replaced, 1);
	assert_int_equal(add_again(path, &new, true).unchanged, 1);
}

static void note(void *context, const trawl_finding *finding)
{
	if (!finding->harmless && strcmp(finding->part, "content hashes") == 0)
		++*(int *)context;
}

static void a_wrong_hash_is_damage_that_salvage_does_not_follow(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	const uint64_t none[3] = {0};
	trawl_document document = with("", "words", "");
	trawl_check_result result;
	trawl_salvage_result rescued;
	int findings = 0;
	const trawl_check_options options = {.finding = note, .context = &findings};
	trawl_writer *writer = writer_open(path);
	for (int i = 0; i < 3; i++) {
		document.id = i == 0 ? "a" : i == 1 ? "b" : "c";
		CHECK(trawl_writer_add(writer, &document, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	CHECK(trawl_check(path, &options, &result, &error));
	assert_int_equal(result.damages, 0);
	uint64_t hashes[3] = {0, 0, hash_bytes("\0\x05\0words", 8)};
	memcpy(hashes, none, 16);
	forge_hashes(path, 1, hashes, 3);
	CHECK(trawl_check(path, &options, &result, &error));
	assert_int_equal(result.damages, 2);
	assert_int_equal(findings, 2);
	CHECK(trawl_salvage(path, scratch_path("rescued"), NULL, &rescued, &error));
	assert_int_equal(rescued.rescued, 3); /* its text and id verify: only the hash does not fit */
	CHECK(trawl_check(scratch_path("rescued"), &options, &result, &error));
	assert_int_equal(result.damages, 0);
}

/* What the writer looks at is verified first. */
static void damaged_hashes_are_an_error_of_the_writer(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_document document = with("title", "words", "");
	trawl_writer *writer;
	add_again(path, &document, false);
	struct file file = file_read(path);
	const uint64_t hash = hash_bytes("\x05\x05\0titlewords", 13);
	uint8_t *at = memmem(file.bytes, file.length, &hash, sizeof hash);
	assert_non_null(at);
	at[3] ^= 16;
	file_write(path, file.bytes, file.length);
	free(file.bytes);
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	assert_int_equal(trawl_writer_add(writer, &document, &error), TRAWL_ECORRUPT);
	trawl_writer_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_byte_that_moves_between_title_text_and_fields_is_a_change, clear),
	    cmocka_unit_test_teardown(the_file_of_a_document_may_differ, clear),
	    cmocka_unit_test_teardown(a_run_over_the_same_documents_in_any_order_writes_nothing, clear),
	    cmocka_unit_test_teardown(an_equal_hash_is_believed_unless_bytes_are_to_be_compared, clear),
	    cmocka_unit_test_teardown(a_wrong_hash_is_damage_that_salvage_does_not_follow, clear),
	    cmocka_unit_test_teardown(damaged_hashes_are_an_error_of_the_writer, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
