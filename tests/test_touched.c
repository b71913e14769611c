/* The ring of extents that a snapshot with a limit touched last: parts that go, and threads at the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "tests/check.h"
#include "tests/scratch.h"

#define PARTS 4
#define EXTENTS 24 /* of a part; a snapshot with the least limit holds 16 */
#define READERS 4
#define READINGS 3000

static trawl_error error;

/* What stands at `place` of a part. */
static uint8_t byte_at(uint32_t number, uint64_t place)
{
	return (uint8_t)((place * 2654435761u >> 7) + number);
}

static struct store *make_store(void)
{
	struct store *store;
	struct store_batch *batch;
	uint8_t *bytes = malloc(EXTENT_PAYLOAD);
	assert_non_null(bytes);
	CHECK(store_open(&store, scratch_path("index"), true, &error));
	CHECK(store_batch_new(&batch, store, &error));
	for (uint32_t number = 0; number < PARTS; number++) {
		struct part_writer writer;
		CHECK(part_writer_init(&writer, batch, 1, 9 + number, &error));
		for (uint64_t extent = 0; extent < EXTENTS; extent++) {
			for (uint64_t i = 0; i < EXTENT_PAYLOAD; i++)
				bytes[i] = byte_at(number, extent * EXTENT_PAYLOAD + i);
			CHECK(part_writer_append(&writer, bytes, EXTENT_PAYLOAD, &error));
		}
		CHECK(part_writer_finish(&writer, &error));
		part_writer_release(&writer);
	}
	free(bytes);
	CHECK(store_batch_commit(batch, (const uint8_t *)"manifest", 8, &error));
	store_batch_free(batch);
	return store;
}

static struct snapshot *look(struct store *store)
{
	struct snapshot *snapshot;
	CHECK(snapshot_open(&snapshot, store, &error));
	snapshot_limit(snapshot, 1);
	return snapshot;
}

static void open_part(struct part *part, struct snapshot *snapshot, uint32_t number)
{
	CHECK(part_open(part, snapshot, 1, 9 + number, (uint64_t)EXTENTS * EXTENT_PAYLOAD, &error));
}

static void touch_all(struct part *part, uint32_t number, uint32_t extents)
{
	uint64_t left;
	for (uint64_t place = 100; place < (uint64_t)extents * EXTENT_PAYLOAD; place += EXTENT_PAYLOAD) {
		const uint8_t *bytes = part_at(part, place, &left, &error);
		assert_non_null(bytes);
		assert_int_equal(*bytes, byte_at(number, place));
	}
}

/* A part that was released is not looked at any more when its extents would be the oldest. */
static void a_part_leaves_the_ring_when_it_is_released(void **state)
{
	(void)state;
	struct store *store = make_store();
	struct snapshot *snapshot = look(store);
	struct part *gone = malloc(sizeof *gone), stays, other;
	assert_non_null(gone);
	open_part(&stays, snapshot, 1);
	open_part(gone, snapshot, 0);
	touch_all(&stays, 1, 4);
	touch_all(gone, 0, 7);
	assert_int_equal(snapshot_resident(snapshot), 11 * EXTENT_PAYLOAD);
	part_release(gone);
	memset(gone, 0xee, sizeof *gone);
	free(gone);
	assert_int_equal(snapshot_resident(snapshot), 4 * EXTENT_PAYLOAD);
	open_part(&other, snapshot, 2);
	touch_all(&other, 2, EXTENTS);
	touch_all(&stays, 1, EXTENTS);
	assert_int_equal(snapshot_resident(snapshot), 16 * EXTENT_PAYLOAD);
	part_release(&other);
	touch_all(&stays, 1, EXTENTS);
	part_release(&stays);
	assert_int_equal(snapshot_resident(snapshot), 0);
	snapshot_close(snapshot);
	store_close(store);
}

struct reader {
	pthread_t thread;
	struct part *parts;
	unsigned seed;
	int wrong;
};

static void *read_anywhere(void *context)
{
	struct reader *reader = context;
	for (int i = 0; i < READINGS; i++) {
		uint32_t number = (uint32_t)rand_r(&reader->seed) % PARTS;
		uint64_t extent = (uint64_t)rand_r(&reader->seed) % EXTENTS, left,
		         place = extent * EXTENT_PAYLOAD + (uint64_t)rand_r(&reader->seed) % EXTENT_PAYLOAD;
		uint8_t copy = 0;
		const uint8_t *bytes = part_at(&reader->parts[number], place, &left, NULL);
		reader->wrong += !bytes || *bytes != byte_at(number, place);
		reader->wrong += part_copy(&reader->parts[number], place, 1, &copy, NULL) != 0;
		reader->wrong += copy != byte_at(number, place);
	}
	return NULL;
}

static void threads_may_touch_extents_at_the_same_time(void **state)
{
	(void)state;
	struct store *store = make_store();
	struct snapshot *snapshot = look(store);
	struct part parts[PARTS];
	struct reader readers[READERS];
	for (uint32_t i = 0; i < PARTS; i++)
		open_part(&parts[i], snapshot, i);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.parts = parts, .seed = i + 1};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_anywhere, &readers[i]), 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_int_equal(readers[i].wrong, 0);
	}
	assert_int_equal(snapshot_resident(snapshot), 16 * EXTENT_PAYLOAD);
	for (uint32_t i = 0; i < PARTS; i++)
		part_release(&parts[i]);
	snapshot_close(snapshot);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_part_leaves_the_ring_when_it_is_released, clear),
	    cmocka_unit_test_teardown(threads_may_touch_extents_at_the_same_time, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
