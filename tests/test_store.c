/* The store: one writer at a time, snapshots that nothing changes, batches that are all or nothing, parts cut into extents,
 * and what is said of files that are no index, of values that are not what their key says, and of calls that fail.
 *
 * The linker puts the __wrap_ functions in the place of those that the library calls (Makefile). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "segment/segment.h"
#include "store/lmdb_file.h"
#include "tests/check.h"
#include "tests/failing_calls.h"
#include "tests/made_lists.h"
#include "tests/scratch.h"

static trawl_error error;

FAILING(int, flock, (int file, int operation), (file, operation), -1)
FAILING(int, tree_check, (int file, const char *path, uint64_t transaction, bool deep, trawl_error *told),
        (file, path, transaction, deep, told), TRAWL_ENOTFOUND)
FAILING(void *, memory_new, (size_t size), (size), NULL)
FAILING(void *, memory_new_zeroed, (size_t count, size_t size), (count, size), NULL)
FAILING(bool, buffer_reserve, (struct buffer * buffer, size_t extra), (buffer, extra), false)

/* What LMDB is made to say, where it has bytes. */
static MDB_val said_value, said_key;

int __real_mdb_get(MDB_txn *transaction, MDB_dbi database, MDB_val *key, MDB_val *value);
int __wrap_mdb_get(MDB_txn *transaction, MDB_dbi database, MDB_val *key, MDB_val *value);
int __wrap_mdb_get(MDB_txn *transaction, MDB_dbi database, MDB_val *key, MDB_val *value)
{
	int code = __real_mdb_get(transaction, database, key, value);
	if (!said_value.mv_data)
		return code;
	*value = said_value;
	return 0;
}

int __real_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation);
int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation);
int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation)
{
	int code = __real_mdb_cursor_get(cursor, key, value, operation);
	if (said_key.mv_data)
		*key = said_key;
	if (said_value.mv_data)
		*value = said_value;
	return code;
}

static struct store *fresh(const char *name)
{
	struct store *store;
	remove(scratch_path(name));
	CHECK(store_open(&store, scratch_path(name), true, &error));
	return store;
}

static void put(struct store_batch *batch, uint32_t segment, uint32_t part, uint32_t extent, const char *text)
{
	CHECK(store_batch_put(batch, segment, part, extent, (const uint8_t *)text, (uint32_t)strlen(text), &error));
}

static void commit(struct store_batch *batch, const char *manifest)
{
	CHECK(store_batch_commit(batch, (const uint8_t *)manifest, (uint32_t)strlen(manifest), &error));
}

static struct store_batch *new_batch(struct store *store)
{
	struct store_batch *batch;
	CHECK(store_batch_new(&batch, store, &error));
	return batch;
}

static struct snapshot *look(struct store *store)
{
	struct snapshot *snapshot;
	CHECK(snapshot_open(&snapshot, store, &error));
	return snapshot;
}

/* Without a snapshot: NULL. */
static void leave(struct store *store, struct store_batch *batch, struct snapshot *snapshot)
{
	snapshot_close(snapshot);
	store_batch_free(batch);
	store_close(store);
}

/* What stands at a key, as text; "-" when nothing does. */
static const char *at(struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent)
{
	static char text[64];
	const uint8_t *payload;
	uint32_t length;
	int code = snapshot_extent(snapshot, segment, part, extent, &payload, &length, &error);
	if (code == TRAWL_ENOTFOUND)
		return "-";
	if (code)
		fail_msg("%s", error.text);
	assert_true(length < sizeof text);
	memcpy(text, payload, length);
	text[length] = 0;
	return text;
}

/* ---- the lock ---- */

static void one_writer_at_a_time(void **state)
{
	(void)state;
	struct store *store = fresh("locked");
	int first = -1, second = -1;
	CHECK(store_lock(store, false, &first, &error));
	assert_int_equal(store_lock(store, false, &second, &error), TRAWL_EBUSY);
	assert_int_equal(error.code, TRAWL_EBUSY);
	assert_non_null(strstr(error.text, "locked"));
	assert_non_null(strstr(error.text, "--wait"));
	store_unlock(store, first);
	CHECK(store_lock(store, false, &second, &error));
	store_unlock(store, second);
	fail_calls("flock", 0, false, EINTR);
	CHECK(store_lock(store, true, &first, &error));
	assert_true(stop_failing());
	store_unlock(store, first);
	store_close(store);
}

static void the_lock_ends_with_the_process_that_has_it(void **state)
{
	(void)state;
	char path[1024];
	int pipes[2], lock;
	struct store *store = fresh("abandoned");
	store_close(store);
	snprintf(path, sizeof path, "%s", scratch_path("abandoned"));
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (!child) {
		bool taken = !store_open(&store, path, false, NULL) && !store_lock(store, false, &lock, NULL);
		if (write(pipes[1], &taken, sizeof taken) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	bool taken = false;
	assert_int_equal(read(pipes[0], &taken, sizeof taken), sizeof taken);
	assert_true(taken);
	CHECK(store_open(&store, path, false, &error));
	assert_int_equal(store_lock(store, false, &lock, &error), TRAWL_EBUSY);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(store_lock(store, false, &lock, &error));
	store_unlock(store, lock);
	store_close(store);
	close(pipes[0]);
	close(pipes[1]);
}

static void a_lock_that_nobody_can_be_found_to_have_is_told_all_the_same(void **state)
{
	(void)state;
	int lock, other_lock;
	struct store *store = fresh("locked"), *other = fresh("other");
	CHECK(store_lock(other, false, &other_lock, &error)); /* there are locks, of another file */
	fail_calls("flock", 0, false, EWOULDBLOCK);
	assert_int_equal(store_lock(store, false, &lock, &error), TRAWL_EBUSY);
	assert_true(stop_failing());
	assert_non_null(strstr(error.text, "is being written by another process"));
	store_unlock(other, other_lock);
	store_close(other);
	store_close(store);
}

static void a_file_in_the_place_of_another_is_not_locked_for_it(void **state)
{
	(void)state;
	int lock;
	struct store *store = fresh("replaced");
	store_close(fresh("new"));
	char path[1024];
	snprintf(path, sizeof path, "%s", scratch_path("replaced"));
	assert_true(store_is_current(store));
	assert_int_equal(rename(scratch_path("new"), path), 0);
	assert_false(store_is_current(store));
	assert_int_equal(store_lock(store, false, &lock, &error), STORE_REPLACED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_lock(store, false, &lock, &error), STORE_REPLACED);
	store_close(store);
}

static void opening_beside_commits_begins_anew_until_it_is_fruitless(void **state)
{
	(void)state;
	struct store *store, *again;
	store_close(fresh("busy"));
	fail_calls("tree_check", 0, false, 0);
	CHECK(store_open(&store, scratch_path("busy"), false, &error));
	assert_true(stop_failing());
	fail_calls("tree_check", 0, true, 0);
	assert_int_equal(store_open(&again, scratch_path("busy"), false, &error), TRAWL_EBUSY);
	stop_failing();
	assert_non_null(strstr(error.text, "changes too fast"));
	store_close(store);
}

/* ---- snapshots and batches ---- */

static void snapshots_stay_as_they_are(void **state)
{
	(void)state;
	struct store *store = fresh("snapshots");
	struct store_batch *batch = new_batch(store);
	struct snapshot *none = look(store);
	put(batch, 1, 9, 0, "one");
	put(batch, 2, 9, 0, "two");
	commit(batch, "first");
	struct snapshot *first = look(store);
	put(batch, 1, 9, 0, "other");
	CHECK(store_batch_remove_segment(batch, 2, &error));
	commit(batch, "second");
	struct snapshot *second = look(store);
	assert_string_equal(at(none, 0, 0, 0), "-");
	assert_string_equal(at(none, 1, 9, 0), "-");
	assert_string_equal(at(first, 0, 0, 0), "first");
	assert_string_equal(at(first, 1, 9, 0), "one");
	assert_string_equal(at(first, 2, 9, 0), "two");
	assert_string_equal(at(second, 0, 0, 0), "second");
	assert_string_equal(at(second, 1, 9, 0), "other");
	assert_string_equal(at(second, 2, 9, 0), "-");
	snapshot_close(none);
	snapshot_close(first);
	snapshot_close(second);
	leave(store, batch, NULL);
}

static void what_is_not_committed_is_not_there(void **state)
{
	(void)state;
	struct store *store = fresh("dropped");
	struct store_batch *batch = new_batch(store);
	commit(batch, "first");
	put(batch, 1, 9, 0, "dropped");
	store_batch_free(batch);
	struct snapshot *snapshot = look(store);
	assert_string_equal(at(snapshot, 1, 9, 0), "-");
	assert_string_equal(at(snapshot, 0, 0, 0), "first");
	snapshot_close(snapshot);
	store_close(store);
}

static void commits_outlive_the_store(void **state)
{
	(void)state;
	struct store *store = fresh("kept");
	struct store_batch *batch = new_batch(store);
	put(batch, 3, 4, 5, "kept");
	commit(batch, "manifest");
	leave(store, batch, NULL);
	CHECK(store_open(&store, scratch_path("kept"), false, &error));
	struct snapshot *snapshot = look(store);
	assert_string_equal(at(snapshot, 3, 4, 5), "kept");
	enum store_content content;
	CHECK(snapshot_content(snapshot, &content, &error));
	assert_int_equal(content, CONTENT_EXTENTS);
	snapshot_close(snapshot);
	store_close(store);
}

static bool keep_even(void *context, uint32_t segment)
{
	++*(int *)context;
	return segment % 2 == 0;
}

static void a_sweep_removes_whole_segments_and_nothing_else(void **state)
{
	(void)state;
	struct store *store = fresh("swept");
	struct store_batch *batch = new_batch(store);
	static const uint32_t segments[] = {1, 2, 3, 4, 7, 255, 256, 257, 65536, UINT32_MAX};
	int asked = 0;
	for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
		for (uint32_t part = 1; part < 4; part++)
			for (uint32_t extent = 0; extent < 3; extent++)
				put(batch, segments[i], part, extent, "x");
	commit(batch, "manifest");
	CHECK(store_sweep(store, &(struct sweep){keep_even, NULL, &asked}, &error));
	assert_int_equal(asked, sizeof segments / sizeof *segments);
	struct snapshot *snapshot = look(store);
	for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
		for (uint32_t part = 1; part < 4; part++)
			for (uint32_t extent = 0; extent < 3; extent++)
				assert_string_equal(at(snapshot, segments[i], part, extent),
				                    segments[i] % 2 ? "-" : "x");
	assert_string_equal(at(snapshot, 0, 0, 0), "manifest");
	leave(store, batch, snapshot);
}

/* Over 64 MiB are queued, so that a batch writes before its commit: that is garbage which only a sweep sees. */
static void an_unfinished_large_batch_leaves_garbage_that_a_sweep_removes(void **state)
{
	(void)state;
	struct store *store = fresh("garbage");
	struct store_batch *batch = new_batch(store);
	uint8_t *payload = calloc(1, EXTENT_PAYLOAD);
	int asked = 0;
	commit(batch, "first");
	for (uint32_t extent = 0; extent < 300; extent++)
		CHECK(store_batch_put(batch, 1, 9, extent, payload, EXTENT_PAYLOAD, &error));
	store_batch_free(batch);
	struct snapshot *snapshot = look(store);
	const uint8_t *bytes;
	uint32_t length;
	assert_string_equal(at(snapshot, 0, 0, 0), "first");
	assert_int_equal(snapshot_extent(snapshot, 1, 9, 0, &bytes, &length, &error), TRAWL_OK);
	assert_int_equal(length, EXTENT_PAYLOAD);
	snapshot_close(snapshot);
	CHECK(store_sweep(store, &(struct sweep){keep_even, NULL, &asked}, &error));
	snapshot = look(store);
	assert_string_equal(at(snapshot, 1, 9, 0), "-");
	uint64_t file, free_bytes;
	snapshot_file_size(snapshot, &file, &free_bytes);
	assert_true(free_bytes > 60 << 20 && free_bytes < file);
	snapshot_close(snapshot);
	store_close(store);
	free(payload);
}

/* ---- parts ---- */

static void parts_are_streams_over_extents(void **state)
{
	(void)state;
	struct random random = seeded();
	struct store *store = fresh("parts");
	struct store_batch *batch = new_batch(store);
	struct part_writer writer;
	struct part part;
	struct buffer all = {0}, scratch = {0};
	CHECK(part_writer_init(&writer, batch, 1, 9, &error));
	while (all.length < 3 * EXTENT_PAYLOAD + 1000) {
		uint8_t piece[5000];
		size_t length = random_below(&random, sizeof piece);
		for (size_t i = 0; i < length; i++)
			piece[i] = (uint8_t)random_next(&random);
		if (random_chance(&random, 0.2)) { /* a whole record: zeros, then it, within one extent */
			size_t room = EXTENT_PAYLOAD - all.length % EXTENT_PAYLOAD, zeros = length > room ? room : 0;
			CHECK(part_writer_align(&writer, length, &error));
			assert_true(buffer_reserve(&all, zeros));
			if (zeros)
				memset(all.data + all.length, 0, zeros);
			all.length += zeros;
			if (length)
				assert_true(writer.address / EXTENT_PAYLOAD ==
				            (writer.address + length - 1) / EXTENT_PAYLOAD);
		}
		assert_true(writer.address == all.length);
		CHECK(part_writer_append(&writer, piece, length, &error));
		assert_true(buffer_append(&all, piece, length));
	}
	assert_int_equal(part_writer_align(&writer, EXTENT_PAYLOAD + 1, &error), TRAWL_ELIMIT);
	CHECK(part_writer_finish(&writer, &error));
	commit(batch, "manifest");
	struct snapshot *snapshot = look(store);
	CHECK(part_open(&part, snapshot, 1, 9, all.length, &error));
	assert_int_equal(part.extent_count, 4);
	for (int i = 0; i < 2000; i++) {
		uint64_t from = random_below(&random, all.length);
		uint64_t length = random_below(&random, random_chance(&random, 0.9) ? 9000 : all.length) + 1;
		length = length < all.length - from ? length : all.length - from;
		const uint8_t *bytes = part_read(&part, from, length, &scratch, &error);
		assert_non_null(bytes);
		assert_memory_equal(bytes, all.data + from, length);
	}
	assert_non_null(part_read(&part, all.length, 0, &scratch, &error));
	assert_null(part_read(&part, all.length, 1, &scratch, &error));
	assert_int_equal(error.code, TRAWL_ECORRUPT);
	assert_null(part_read(&part, 5, UINT64_MAX, &scratch, &error));
	uint64_t left;
	assert_null(part_at(&part, all.length, &left, &error));
	assert_null(part_at(&part, UINT64_MAX, &left, &error));
	part_release(&part);
	buffer_release(&all);
	buffer_release(&scratch);
	part_writer_release(&writer);
	leave(store, batch, snapshot);
}

static void what_is_held_is_not_seen_before_the_commit(void **state)
{
	(void)state;
	struct store *store = fresh("held");
	struct store_batch *batch = new_batch(store);
	static uint8_t payload[EXTENT_PAYLOAD];
	put(batch, 1, 9, 0, "old");
	commit(batch, "manifest");
	CHECK(store_batch_hold(batch, &error));
	put(batch, 1, 9, 0, "new");
	/* More than a batch queues otherwise. */
	for (uint32_t extent = 0; extent < 200; extent++)
		CHECK(store_batch_put(batch, 2, 9, extent, payload, EXTENT_PAYLOAD, &error));
	struct snapshot *snapshot = look(store);
	assert_string_equal(at(snapshot, 1, 9, 0), "old");
	snapshot_close(snapshot);
	commit(batch, "manifest");
	snapshot = look(store);
	assert_string_equal(at(snapshot, 1, 9, 0), "new");
	leave(store, batch, snapshot);
}

static void extents_that_are_missing_or_of_another_length_are_corruption(void **state)
{
	(void)state;
	struct store *store = fresh("missing");
	struct store_batch *batch = new_batch(store);
	struct part part;
	struct buffer scratch = {0};
	put(batch, 1, 9, 0, "ten bytes!");
	put(batch, 1, 10, 1, "second");
	commit(batch, "manifest");
	struct snapshot *snapshot = look(store);
	static const struct {
		uint32_t part;
		uint64_t bytes, address;
	} wrong[] = {{9, 9, 0}, {9, 11, 0}, {9, EXTENT_PAYLOAD + 3, 0}, {10, EXTENT_PAYLOAD + 6, 0}, {11, 1, 0}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		/* A part larger than the file is refused at once, the others when they are touched. */
		if (part_open(&part, snapshot, 1, wrong[i].part, wrong[i].bytes, &error) == 0)
			assert_null(part_read(&part, wrong[i].address, 1, &scratch, &error));
		assert_int_equal(error.code, TRAWL_ECORRUPT);
		assert_non_null(strstr(error.text, "segment 1"));
		part_release(&part);
	}
	assert_int_equal(part_open(&part, snapshot, 1, 9, (uint64_t)1 << 40, &error), TRAWL_ECORRUPT);
	part_release(&part);
	for (uint64_t less = 0; less <= EXTENT_PAYLOAD; less += EXTENT_PAYLOAD / 2) {
		assert_int_equal(part_open(&part, snapshot, 1, 9, UINT64_MAX - less, &error), TRAWL_ECORRUPT);
		part_release(&part);
	}
	buffer_release(&scratch);
	leave(store, batch, snapshot);
}

enum { LIMITED_EXTENTS = 40 };

/* A snapshot that may hold few extents: those that went come again, mapped or copied, and are verified once. */
static void parts_are_the_same_under_a_limit(void **state)
{
	(void)state;
	struct random random = seeded();
	struct store *store = fresh("limited");
	struct store_batch *batch = new_batch(store);
	struct part_writer writer;
	struct part part;
	struct buffer all = {0}, scratch = {0};
	assert_true(buffer_reserve(&all, LIMITED_EXTENTS * EXTENT_PAYLOAD));
	all.length = LIMITED_EXTENTS * EXTENT_PAYLOAD - 1000;
	for (size_t i = 0; i < all.length; i++)
		all.data[i] = (uint8_t)random_next(&random);
	CHECK(part_writer_init(&writer, batch, 1, 9, &error));
	CHECK(part_writer_append(&writer, all.data, all.length, &error));
	CHECK(part_writer_finish(&writer, &error));
	commit(batch, "manifest");
	static const struct {
		uint64_t limit; /* bytes; 0: none */
		bool without_memory;
		uint32_t held; /* extents at most; 0: there is no limit */
	} cases[] = {{0, false, 0}, {1, true, 0}, {1, false, 16}, {20 * EXTENT_PAYLOAD, false, 20}};
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct snapshot *snapshot = look(store);
		if (cases[c].without_memory)
			fail_calls("memory_new", 0, true, ENOMEM);
		if (cases[c].limit)
			snapshot_limit(snapshot, cases[c].limit);
		stop_failing();
		CHECK(part_open(&part, snapshot, 1, 9, all.length, &error));
		for (int i = 0; i < 1000; i++) {
			uint8_t copy[3000];
			uint64_t from = random_below(&random, all.length),
			         left = EXTENT_PAYLOAD - from % EXTENT_PAYLOAD;
			uint32_t length = (uint32_t)random_below(&random, sizeof copy) + 1;
			bool inside = from + length <= all.length;
			if (length <= left && inside) {
				CHECK(part_copy(&part, from, length, copy, &error));
				assert_memory_equal(copy, all.data + from, length);
			}
			if (inside) {
				const uint8_t *bytes = part_read(&part, from, length, &scratch, &error);
				assert_non_null(bytes);
				assert_memory_equal(bytes, all.data + from, length);
			}
		}
		uint8_t copy[16];
		assert_int_equal(part_copy(&part, all.length - 10, 11, copy, &error), TRAWL_ECORRUPT);
		assert_int_equal(part_copy(&part, all.length, 1, copy, &error), TRAWL_ECORRUPT);
		assert_int_equal(part_copy(&part, all.length + 1, 1, copy, &error), TRAWL_ECORRUPT);
		assert_int_equal(part_copy(&part, EXTENT_PAYLOAD - 4, 8, copy, &error), TRAWL_ECORRUPT);
		assert_true(snapshot_resident(snapshot) <= (size_t)cases[c].held * EXTENT_PAYLOAD);
		part_release(&part);
		for (long n = 0, met = true; met; n++) { /* of what it notes of extents, one list or two */
			fail_calls("memory_new_zeroed", n, false, ENOMEM);
			int code = part_open(&part, snapshot, 1, 9, all.length, &error);
			met = stop_failing();
			assert_int_equal(code, met ? TRAWL_ENOMEM : 0);
			assert_true(met || n == (cases[c].held ? 2 : 1));
			part_release(&part);
		}
		snapshot_close(snapshot);
	}
	buffer_release(&all);
	buffer_release(&scratch);
	part_writer_release(&writer);
	leave(store, batch, NULL);
}

static void what_spans_extents_is_gathered_or_the_reason_told(void **state)
{
	(void)state;
	static uint8_t payload[EXTENT_PAYLOAD];
	struct store *store = fresh("gathered");
	struct store_batch *batch = new_batch(store);
	struct part part;
	struct buffer scratch = {0};
	for (uint32_t extent = 0; extent < 3; extent++)
		CHECK(store_batch_put(batch, 1, 9, extent, payload, EXTENT_PAYLOAD, &error));
	CHECK(store_batch_put(batch, 1, 10, 0, payload, EXTENT_PAYLOAD, &error)); /* one of two */
	commit(batch, "manifest");
	struct snapshot *snapshot = look(store);
	CHECK(part_open(&part, snapshot, 1, 9, 3 * EXTENT_PAYLOAD, &error));
	fail_calls("buffer_reserve", 0, false, ENOMEM);
	assert_null(part_read(&part, 10, 2 * EXTENT_PAYLOAD, &scratch, &error));
	assert_true(stop_failing());
	assert_int_equal(error.code, TRAWL_ENOMEM);
	assert_non_null(part_read(&part, 10, 2 * EXTENT_PAYLOAD, &scratch, &error));
	part_release(&part);
	CHECK(part_open(&part, snapshot, 1, 10, EXTENT_PAYLOAD + 10, &error));
	assert_null(part_read(&part, 10, EXTENT_PAYLOAD, &scratch, &error));
	assert_int_equal(error.code, TRAWL_ECORRUPT);
	part_release(&part);
	buffer_release(&scratch);
	leave(store, batch, snapshot);
}

/* ---- values that are not what their key says ---- */

/* An extent with a right checksum. */
static MDB_val sealed(uint8_t *bytes, uint16_t version, uint32_t segment, uint16_t part, uint64_t signature)
{
	enum { LENGTH = 8 };
	memset(bytes, 0, EXTENT_HEADER + LENGTH + EXTENT_SLACK);
	store32(bytes, EXTENT_MAGIC);
	memcpy(bytes + 4, &version, sizeof version);
	memcpy(bytes + 6, &part, sizeof part);
	store32(bytes + 8, segment);
	store32(bytes + 16, LENGTH);
	store64(bytes + 24, extent_checksum(bytes, bytes + EXTENT_HEADER, LENGTH));
	store64(bytes + EXTENT_SIGNATURE, signature);
	return (MDB_val){EXTENT_HEADER + LENGTH + EXTENT_SLACK, bytes};
}

static void expect_extent(struct snapshot *snapshot, uint32_t segment, uint32_t part, MDB_val value, int status,
                          const char *says)
{
	const uint8_t *payload;
	uint32_t length;
	said_value = value;
	int told = snapshot_extent(snapshot, segment, part, 0, &payload, &length, &error);
	said_value.mv_data = NULL;
	if (told != status || (told && !strstr(error.text, says)))
		fail_msg("%s: %s: %s", says, trawl_status_name(told), told ? error.text : "");
}

static void values_that_are_not_what_their_key_says_are_refused(void **state)
{
	(void)state;
	static uint8_t bytes[VALUE_BYTES_MAX + 1];
	struct store *store = fresh("values");
	struct store_batch *batch = new_batch(store);
	put(batch, 1, 9, 0, "text");
	commit(batch, "manifest");
	put(batch, 1, 9, 0, "more");
	commit(batch, "manifest");
	struct snapshot *snapshot = look(store);
	uint64_t now = snapshot_transaction(snapshot);
	assert_true(now > 1);
	expect_extent(snapshot, 1, 9, sealed(bytes, FORMAT_VERSION, 1, 9, 0), 0, "");
	MDB_val value = sealed(bytes, FORMAT_VERSION, 1, 9, 0);
	value.mv_size = EXTENT_HEADER + EXTENT_SLACK - 1;
	expect_extent(snapshot, 1, 9, value, TRAWL_ECORRUPT, "not an extent");
	value.mv_size = VALUE_BYTES_MAX + 1;
	expect_extent(snapshot, 1, 9, value, TRAWL_ECORRUPT, "not an extent");
	expect_extent(snapshot, 1, 9, sealed(bytes, FORMAT_VERSION, 1, 8, 0), TRAWL_ECORRUPT, "another's");
	expect_extent(snapshot, 1, 9, sealed(bytes, FORMAT_VERSION, 2, 9, 0), TRAWL_ECORRUPT, "another's");
	value = sealed(bytes, FORMAT_VERSION, 1, 9, 0);
	value.mv_size++;
	expect_extent(snapshot, 1, 9, value, TRAWL_ECORRUPT, "another's");
	bytes[12] = 1;
	expect_extent(snapshot, 1, 9, (MDB_val){value.mv_size - 1, bytes}, TRAWL_ECORRUPT, "another's");
	expect_extent(snapshot, 1, 9, sealed(bytes, FORMAT_VERSION - 1, 1, 9, 0), TRAWL_EVERSION, "older trawl");
	expect_extent(snapshot, 1, 9, sealed(bytes, FORMAT_VERSION + 1, 1, 9, 0), TRAWL_EVERSION, "newer trawl");
	value = sealed(bytes, FORMAT_VERSION - 1, 1, 9, 0);
	bytes[EXTENT_HEADER] ^= 1;
	expect_extent(snapshot, 1, 9, value, TRAWL_ECORRUPT, "checksum");
	/* Only the manifest of segment 0 is signed. */
	expect_extent(snapshot, 0, PART_MANIFEST, sealed(bytes, FORMAT_VERSION, 0, PART_MANIFEST, now), 0, "");
	expect_extent(snapshot, 0, PART_MANIFEST, sealed(bytes, FORMAT_VERSION, 0, PART_MANIFEST, now - 1),
	              TRAWL_ECORRUPT, "last commit's");
	expect_extent(snapshot, 0, PART_MANIFEST + 1, sealed(bytes, FORMAT_VERSION, 0, PART_MANIFEST + 1, 0), 0, "");
	expect_extent(snapshot, 3, PART_MANIFEST, sealed(bytes, FORMAT_VERSION, 3, PART_MANIFEST, 0), 0, "");
	/* Whose file it is, by its first value. */
	enum store_content content;
	value = sealed(bytes, FORMAT_VERSION, 1, 9, 0);
	for (int odd = 0; odd < 4; odd++) {
		bytes[0] ^= odd == 1;
		said_value = odd ? (MDB_val){odd == 2 ? EXTENT_HEADER - 1 : value.mv_size, bytes} : (MDB_val){0};
		said_key = odd == 3 ? (MDB_val){KEY_BYTES - 1, bytes} : (MDB_val){0};
		CHECK(snapshot_content(snapshot, &content, &error));
		bytes[0] ^= odd == 1;
		said_value = said_key = (MDB_val){0};
		assert_int_equal(content, odd ? CONTENT_FOREIGN : CONTENT_EXTENTS);
	}
	CHECK(snapshot_verify(snapshot, &error));
	said_key = (MDB_val){KEY_BYTES - 1, bytes};
	assert_int_equal(snapshot_verify(snapshot, &error), TRAWL_ECORRUPT);
	said_key.mv_data = NULL;
	uint64_t file_bytes, free_bytes;
	said_value = (MDB_val){4, bytes}; /* a list of free pages too short to say how many */
	snapshot_file_size(snapshot, &file_bytes, &free_bytes);
	said_value.mv_data = NULL;
	assert_int_equal(free_bytes, 0);
	assert_true(file_bytes > 0);
	leave(store, batch, snapshot);
}

/* Keys and a manifest that the store has not written stop what would change the file, and are not taken for a segment's. */
static void a_batch_on_values_of_others_commits_nothing(void **state)
{
	(void)state;
	static uint8_t bytes[EXTENT_HEADER];
	struct store *store = fresh("others");
	struct store_batch *batch = new_batch(store);
	int asked = 0;
	CHECK(store_batch_flush(batch, &error)); /* of nothing */
	put(batch, 3, 9, 0, "early");
	CHECK(store_batch_flush(batch, &error)); /* there is no manifest to sign yet */
	put(batch, 1, 9, 0, "one");
	commit(batch, "manifest");
	put(batch, 1, 9, 0, "two");
	said_value = (MDB_val){EXTENT_HEADER - 1, bytes};
	assert_int_equal(store_batch_flush(batch, &error), TRAWL_ECORRUPT);
	said_value.mv_data = NULL;
	CHECK(store_batch_remove_segment(batch, 1, &error));
	key_write(bytes, 1, 9, 0);
	said_key = (MDB_val){KEY_BYTES - 1, bytes};
	commit(batch, "manifest");
	assert_int_equal(store_sweep(store, &(struct sweep){keep_even, NULL, &asked}, &error), TRAWL_ECORRUPT);
	said_key.mv_data = NULL;
	assert_int_equal(asked, 0);
	struct snapshot *snapshot = look(store);
	assert_string_equal(at(snapshot, 1, 9, 0), "one");
	leave(store, batch, snapshot);
}

/* ---- files that are none ---- */

static void write_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static int try_open(const char *path, bool create)
{
	struct store *store;
	int code = store_open(&store, path, create, &error);
	if (!code)
		store_close(store);
	else
		assert_int_equal(error.code, code);
	return code;
}

static void files_that_are_no_index_are_named_as_that(void **state)
{
	(void)state;
	char text[10000];
	memset(text, 'x', sizeof text);
	assert_int_equal(try_open(scratch_path("absent"), false), TRAWL_ENOTFOUND);
	assert_non_null(strstr(error.text, "make it with: trawl index"));
	assert_int_equal(try_open(scratch_path("no/folder"), true), TRAWL_ENOTFOUND);
	assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
	assert_int_equal(try_open(scratch_path("folder"), false), TRAWL_ENOTINDEX);
	assert_int_equal(try_open(scratch_path("folder"), true), TRAWL_ENOTINDEX);
	for (size_t length = 0; length <= sizeof text; length = length * 3 + 1) {
		write_bytes(scratch_path("text"), text, length);
		assert_int_equal(try_open(scratch_path("text"), false), TRAWL_ENOTINDEX);
		if (length)
			assert_int_equal(try_open(scratch_path("text"), true), TRAWL_ENOTINDEX);
		struct stat status;
		assert_int_equal(stat(scratch_path("text"), &status), 0);
		assert_int_equal(status.st_size, length); /* and stays as it was */
	}
	write_bytes(scratch_path("empty"), "", 0);
	assert_int_equal(try_open(scratch_path("empty"), true), TRAWL_OK);
	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	assert_int_equal(try_open(scratch_path("pipe"), false), TRAWL_ENOTINDEX);
}

/* The file comes to be where the link leads. */
static void a_link_that_leads_nowhere_is_filled(void **state)
{
	(void)state;
	struct stat status;
	assert_int_equal(symlink("led-to", scratch_path("link-ahead")), 0);
	assert_int_equal(try_open(scratch_path("link-ahead"), false), TRAWL_ENOTFOUND);
	assert_int_equal(try_open(scratch_path("link-ahead"), true), TRAWL_OK);
	assert_int_equal(stat(scratch_path("led-to"), &status), 0);
	assert_int_equal(try_open(scratch_path("led-to"), false), TRAWL_OK);
	assert_int_equal(symlink("no-folder/led-to", scratch_path("link-astray")), 0);
	assert_int_equal(try_open(scratch_path("link-astray"), true), TRAWL_ENOTFOUND);
}

static void a_file_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	struct store *store = fresh("cut");
	struct store_batch *batch = new_batch(store);
	for (uint32_t extent = 0; extent < 20; extent++)
		put(batch, 1, 9, extent, "some bytes");
	commit(batch, "manifest");
	leave(store, batch, NULL);
	struct stat status;
	assert_int_equal(stat(scratch_path("cut"), &status), 0);
	for (off_t length = status.st_size - 1; length > 0; length -= length > 9000 ? 1777 : length > 501 ? 501 : 7) {
		assert_int_equal(truncate(scratch_path("cut"), length), 0);
		int code = try_open(scratch_path("cut"), false);
		if (code != TRAWL_ECORRUPT && code != TRAWL_ENOTINDEX)
			fail_msg("%lld bytes: %s", (long long)length, trawl_status_name(code));
		assert_int_equal(code == TRAWL_ENOTINDEX, length < 64); /* the magic number is not enough */
		assert_int_equal(strstr(error.text, "is cut off at ") != NULL, length >= 64 && length < 8192);
	}
}

static void one_file_is_one_store_however_often_it_is_opened(void **state)
{
	(void)state;
	struct store *store = fresh("shared"), *again, *by_link;
	assert_int_equal(link(scratch_path("shared"), scratch_path("link")), 0);
	CHECK(store_open(&again, scratch_path("shared"), false, &error));
	CHECK(store_open(&by_link, scratch_path("link"), false, &error));
	assert_ptr_equal(store, again);
	assert_ptr_equal(store, by_link);
	store_close(store);
	store_close(again);
	struct store_batch *batch = new_batch(by_link); /* still open */
	commit(batch, "manifest");
	store_batch_free(batch);
	store_close(by_link);
}

static void stores_of_other_files_are_others(void **state)
{
	(void)state;
	struct store *first = fresh("first"), *second = fresh("second"), *again;
	CHECK(store_open(&again, scratch_path("first"), false, &error)); /* not the one opened last */
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, second);
	int file = open(scratch_path("first"), O_RDONLY | O_CLOEXEC);
	assert_true(store_is_file(first, file));
	assert_false(store_is_file(second, file));
	close(file);
	assert_false(store_is_file(first, file));
	pid_t child = fork();
	if (!child) { /* what was its parent's is not its own to close */
		struct store *own;
		int code = store_open(&own, scratch_path("second"), false, NULL);
		store_close(again);
		store_close(first);
		if (!code)
			store_close(own);
		_exit(code != 0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	store_close(again);
	store_close(first);
	CHECK(store_open(&again, scratch_path("first"), false, &error));
	store_close(second);
	store_close(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_writer_at_a_time),
	    cmocka_unit_test(the_lock_ends_with_the_process_that_has_it),
	    cmocka_unit_test(a_lock_that_nobody_can_be_found_to_have_is_told_all_the_same),
	    cmocka_unit_test(a_file_in_the_place_of_another_is_not_locked_for_it),
	    cmocka_unit_test(opening_beside_commits_begins_anew_until_it_is_fruitless),
	    cmocka_unit_test(snapshots_stay_as_they_are),
	    cmocka_unit_test(what_is_not_committed_is_not_there),
	    cmocka_unit_test(commits_outlive_the_store),
	    cmocka_unit_test(a_sweep_removes_whole_segments_and_nothing_else),
	    cmocka_unit_test(an_unfinished_large_batch_leaves_garbage_that_a_sweep_removes),
	    cmocka_unit_test(parts_are_streams_over_extents),
	    cmocka_unit_test(what_is_held_is_not_seen_before_the_commit),
	    cmocka_unit_test(extents_that_are_missing_or_of_another_length_are_corruption),
	    cmocka_unit_test(parts_are_the_same_under_a_limit),
	    cmocka_unit_test(what_spans_extents_is_gathered_or_the_reason_told),
	    cmocka_unit_test(values_that_are_not_what_their_key_says_are_refused),
	    cmocka_unit_test(a_batch_on_values_of_others_commits_nothing),
	    cmocka_unit_test(files_that_are_no_index_are_named_as_that),
	    cmocka_unit_test(a_link_that_leads_nowhere_is_filled),
	    cmocka_unit_test(a_file_cut_off_anywhere_is_refused),
	    cmocka_unit_test(one_file_is_one_store_however_often_it_is_opened),
	    cmocka_unit_test(stores_of_other_files_are_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
