/*
 * What a file may not get away with, and an attempt that failed may not leave behind: an unsigned manifest, a segment's number that
 * is used twice, a process that cannot go on after a meta page that could not be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checker/image.h"
#include "segment/segment.h"

#include "tests/file_bytes.h"
#include "tests/index_verbs.h"

/* ---- LMDB's writes, which fail when told to -------------------------------------------------------------------- */

enum { META_PAGES = 2 * 4096, META_MOST = 511 };

static int failing_meta_writes; /* how many of the next small writes to the first two pages fail */

static ssize_t write_or_fail(int file, const void *bytes, size_t length, off_t offset)
{
	if (failing_meta_writes > 0 && offset < META_PAGES && length <= META_MOST) {
		failing_meta_writes--;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, file, bytes, length, offset);
}

/* In the place of the C library's, for LMDB too. */
__attribute__((visibility("default"))) ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
	return write_or_fail(file, bytes, length, offset);
}

__attribute__((visibility("default"))) ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset)
{
	return write_or_fail(file, bytes, length, offset);
}

/* A commit whose meta page cannot be written. */
static void fail_commit(const char *path, const char *id)
{
	trawl_writer *writer = writer_open(path);
	add(writer, id, "lost");
	failing_meta_writes = 1;
	int status = trawl_writer_commit(writer, &error);
	assert_int_equal(failing_meta_writes, 0);
	assert_int_equal(status, TRAWL_EIO);
	trawl_writer_close(writer);
}

/* LMDB begins nothing more in an environment whose meta page it could not write: readers have one of their own. */
static void a_process_that_holds_the_index_open_over_a_failed_meta_page_goes_on_too(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_index *other = NULL;
	write_one(path, "a", "kept");
	trawl_index *index = index_open(path);
	fail_commit(path, "b");
	assert_string_equal(ids_found(index, "kept lost"), "a ");
	assert_int_equal(trawl_reopen(&other, index, &error), 0); /* there is nothing newer */
	CHECK(trawl_open(&other, path, &error));
	assert_string_equal(ids_found(other, "kept lost"), "a ");
	trawl_close(other);
	write_one(path, "b", "lost");
	assert_string_equal(ids_found(index, "kept lost"), "a ");
	CHECK(trawl_reopen(&other, index, &error));
	assert_int_equal(stats_of(other).documents, 2);
	trawl_close(other);
	trawl_close(index);
}

static void a_process_that_holds_nothing_open_over_a_failed_meta_page_just_goes_on(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_check_result result;
	write_one(path, "a", "kept");
	for (int i = 0; i < 3; i++) {
		fail_commit(path, "b");
		trawl_index *index = index_open(path);
		assert_string_equal(ids_found(index, "kept lost"), "a ");
		trawl_close(index);
		CHECK(trawl_check(path, NULL, &result, &error));
		assert_int_equal(result.damages, 0);
	}
	write_one(path, "b", "lost");
	CHECK(trawl_check(path, NULL, &result, &error));
	assert_int_equal(result.damages, 0);
	assert_int_equal(result.documents, 2);
}

/* ---- the manifest's signature ---------------------------------------------------------------------------------- */

static void change_signature(const char *path, uint64_t signature)
{
	struct image image;
	CHECK(image_open(&image, path, &error));
	CHECK(image_walk(&image, &error));
	const struct extent_place *manifest = image_find(&image, 0, PART_MANIFEST, 0);
	assert_non_null(manifest);
	int file = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(pwrite(file, &signature, 8, (off_t)(manifest->offset + EXTENT_SIGNATURE)), 8);
	close(file);
	image_close(&image);
}

static void a_manifest_without_its_signature_is_damage(void **state)
{
	(void)state;
	static const uint64_t wrong[] = {0, 1, UINT64_MAX};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *path = scratch_path("index"), *rescued = scratch_path("rescued");
		trawl_index *index = NULL;
		trawl_writer *writer = NULL;
		trawl_check_result result;
		trawl_salvage_result salvaged;
		write_one(path, "a", "red");
		write_one(path, "b", "green");
		change_signature(path, wrong[i]);
		assert_int_equal(trawl_open(&index, path, &error), TRAWL_ECORRUPT);
		assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), TRAWL_ECORRUPT);
		int status = trawl_check(path, NULL, &result, &error);
		assert_true(status == TRAWL_ECORRUPT || (!status && result.damages));
		CHECK(trawl_salvage(path, rescued, NULL, &salvaged, &error));
		assert_int_equal(salvaged.rescued, 2);
		scratch_clear();
	}
}

/* The first transaction of a file is trusted with any number, but it has one. */
static void the_first_commit_of_a_file_is_signed_too(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_index *index = NULL;
	struct store *store;
	struct snapshot *snapshot;
	trawl_writer *writer = writer_open(path);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	CHECK(store_open(&store, path, false, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	assert_int_equal(snapshot_transaction(snapshot), 1);
	snapshot_close(snapshot);
	store_close(store);
	change_signature(path, 0);
	assert_int_equal(trawl_open(&index, path, &error), TRAWL_ECORRUPT);
}

/* ---- numbers of segments --------------------------------------------------------------------------------------- */

static struct manifest manifest_of(const char *path)
{
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	CHECK(store_open(&store, path, false, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	CHECK(manifest_read(&manifest, snapshot, &error));
	snapshot_close(snapshot);
	store_close(store);
	return manifest;
}

static uint32_t next_segment_of(const char *path)
{
	struct manifest manifest = manifest_of(path);
	uint32_t next = manifest.next_segment;
	manifest_release(&manifest);
	return next;
}

/* What a writer leaves that dies while it writes: extents of segment `number`, and no manifest that names it. */
static void leave_garbage(const char *path, uint32_t number)
{
	struct store *store;
	struct store_batch *batch;
	CHECK(store_open(&store, path, false, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_put(batch, number, PART_POSTINGS, 0, (const uint8_t *)"old", 3, &error));
	CHECK(store_batch_hold(batch, &error));
	store_batch_free(batch);
	store_close(store);
}

static void the_number_of_a_segment_that_was_swept_is_not_used_again(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_check_result result;
	write_one(path, "a", "red");
	uint32_t next = next_segment_of(path);
	leave_garbage(path, next);
	trawl_writer_close(writer_open(path)); /* sweeps, and dies before it has written anything */
	assert_int_equal(next_segment_of(path), next + 1);
	trawl_writer_close(writer_open(path));
	assert_int_equal(next_segment_of(path), next + 1);
	leave_garbage(path, next + 3);
	write_one(path, "b", "green");
	struct manifest manifest = manifest_of(path);
	assert_int_equal(manifest.segment_count, 2);
	assert_int_equal(manifest.segments[1].number, next + 4);
	manifest_release(&manifest);
	CHECK(trawl_check(path, NULL, &result, &error));
	assert_int_equal(result.damages + result.leftovers, 0);
}

static void garbage_before_the_first_commit_counts_too(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	struct store *store;
	struct store_batch *batch;
	struct manifest manifest = {.next_segment = 1, .analysis_version = 1, .language = "english"};
	struct buffer bytes = {0};
	assert_true(manifest_write(&manifest, &bytes));
	CHECK(store_open(&store, path, true, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_put(batch, 0, PART_MANIFEST, 0, bytes.data, (uint32_t)bytes.length, &error));
	CHECK(store_batch_put(batch, 1, PART_DOCUMENTS, 0, (const uint8_t *)"old", 3, &error));
	CHECK(store_batch_hold(batch, &error));
	store_batch_free(batch);
	store_close(store);
	buffer_release(&bytes);
	write_one(path, "a", "red");
	manifest = manifest_of(path);
	assert_int_equal(manifest.segment_count, 1);
	assert_int_equal(manifest.segments[0].number, 2);
	manifest_release(&manifest);
}

static void a_segment_number_that_nothing_can_follow_is_a_limit_and_no_wrap(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_document document = document_of("b", "green");
	write_one(path, "a", "red");
	leave_garbage(path, UINT32_MAX - 1);
	trawl_writer *writer = writer_open(path);
	assert_int_equal(trawl_writer_add(writer, &document, &error), TRAWL_ELIMIT);
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red green"), "a ");
	trawl_close(index);
}

/* ---- pages that LMDB has lost ---------------------------------------------------------------------------------- */

static uint64_t read64(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, 8);
	return value;
}

/* Take the last page off a list of free ones, so that nothing has it: LMDB's own copy then gives up. */
static void lose_a_page(const char *path)
{
	enum { PAGE = 4096, FREE_ROOT = 80, NUMBER = 144, NODES = 16, VALUE = 8 + 8 };
	struct file file = file_read(path);
	const uint8_t *meta = file.bytes + (read64(file.bytes + PAGE + NUMBER) > read64(file.bytes + NUMBER)) * PAGE;
	uint8_t *leaf = file.bytes + read64(meta + FREE_ROOT) * PAGE;
	uint64_t count = 0;
	assert_int_equal(leaf[10], 2); /* a leaf */
	for (uint8_t *at = leaf + NODES; count < 2 && at < leaf + (leaf[12] | leaf[13] << 8); at += 2) {
		uint8_t *node = leaf + (at[0] | at[1] << 8);
		count = node[4] ? 0 : read64(node + VALUE); /* its value is in it */
		uint64_t less = count - 1;
		if (count > 1)
			memcpy(node + VALUE, &less, 8);
	}
	assert_true(count > 1);
	file_write(path, file.bytes, file.length);
	free(file.bytes);
}

static void an_index_that_has_lost_a_page_is_compacted_all_the_same(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_compaction sizes;
	trawl_check_result result;
	char id[16];
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "d%d", i % 30);
		write_one(path, id, i % 2 ? "red green" : "green blue");
	}
	lose_a_page(path);
	CHECK(trawl_check(path, NULL, &result, &error));
	assert_int_equal(result.damages, 0);
	trawl_index *before = index_open(path);
	CHECK(trawl_compact(path, false, &sizes, &error));
	assert_true(sizes.bytes_after < sizes.bytes_before);
	CHECK(trawl_check(path, &(trawl_check_options){.text = true}, &result, &error));
	assert_int_equal(result.damages, 0);
	assert_int_equal(result.documents, 30);
	trawl_index *after = index_open(path);
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof id, "d%d", i);
		assert_text(after, id, i % 2 ? "red green" : "green blue");
		assert_text(before, id, i % 2 ? "red green" : "green blue");
	}
	trawl_close(before);
	trawl_close(after);
	write_one(path, "new", "blue");
	CHECK(trawl_compact(path, false, &sizes, &error));
	CHECK(trawl_check(path, NULL, &result, &error));
	assert_int_equal(result.damages, 0);
	assert_int_equal(result.documents, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_process_that_holds_the_index_open_over_a_failed_meta_page_goes_on_too, clear),
	    cmocka_unit_test_teardown(a_process_that_holds_nothing_open_over_a_failed_meta_page_just_goes_on, clear),
	    cmocka_unit_test_teardown(a_manifest_without_its_signature_is_damage, clear),
	    cmocka_unit_test_teardown(the_first_commit_of_a_file_is_signed_too, clear),
	    cmocka_unit_test_teardown(the_number_of_a_segment_that_was_swept_is_not_used_again, clear),
	    cmocka_unit_test_teardown(garbage_before_the_first_commit_counts_too, clear),
	    cmocka_unit_test_teardown(an_index_that_has_lost_a_page_is_compacted_all_the_same, clear),
	    cmocka_unit_test_teardown(a_segment_number_that_nothing_can_follow_is_a_limit_and_no_wrap, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
