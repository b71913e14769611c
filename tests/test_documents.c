/* Stored documents and their ids, through a segment in a real file: all come back, whatever their sizes; lookups by id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "segment/part.h"
#include "segment/segment.h"
#include "segment/segment_writer.h"
#include "tests/check.h"
#include "tests/made_lists.h"
#include "tests/scratch.h"

static trawl_error error;

struct shelf {
	trawl_document *documents;
	uint32_t count;
	uint32_t *order;     /* docID -> ordinal, or NULL */
	bool last_positions; /* and positions with stop words dropped */
	bool one_hash;       /* all ids are said to have that of the last one */
	struct arena arena;
	struct store *store;
	struct snapshot *snapshot;
	struct segment segment;
	struct documents_scratch scratch;
};

static void shelf_begin(struct shelf *shelf, uint32_t count)
{
	*shelf = (struct shelf){.count = count};
	shelf->documents = arena_new(&shelf->arena, (count + 1) * sizeof *shelf->documents);
	memset(shelf->documents, 0, (count + 1) * sizeof *shelf->documents);
}

static char *text_of(struct shelf *shelf, size_t length, struct random *random)
{
	char *text = arena_new(&shelf->arena, length + 1);
	bool noise = random && random_chance(random, 0.3); /* what does not compress */
	for (size_t i = 0; i < length; i++)
		text[i] = !random ? 'x'
		          : noise ? (char)random_next(random)
		                  : "the quick brown fox "[random_below(random, 20)];
	return text;
}

static void set(struct shelf *shelf, uint32_t ordinal, const char *id, size_t title, size_t text, size_t fields,
                struct random *random)
{
	shelf->documents[ordinal] = (trawl_document){.id = arena_copy(&shelf->arena, id, strlen(id)),
	                                             .id_length = strlen(id),
	                                             .title = text_of(shelf, title, random),
	                                             .title_length = title,
	                                             .text = text_of(shelf, text, random),
	                                             .text_length = text,
	                                             .fields = text_of(shelf, fields, random),
	                                             .fields_length = fields};
}

static uint8_t length_of(uint32_t doc)
{
	return (uint8_t)(doc * 7 % 127);
}

/* Write the documents as segment 1, without terms, and open it. */
static void shelf_open(struct shelf *shelf)
{
	struct store_batch *batch;
	struct segment_writer writer;
	struct manifest manifest = {.generation = 1, .next_segment = 2, .flags = FLAG_POSITIONS, .analysis_version = 1};
	struct manifest_segment summary;
	struct buffer bytes = {0};
	uint8_t *lengths = memory_new_zeroed(shelf->count + 1, 1),
	        *last_positions = memory_new_zeroed(shelf->count + 1, 1);
	uint32_t *hashes = memory_new((shelf->count + 1) * sizeof *hashes);
	remove(scratch_path("documents"));
	CHECK(store_open(&shelf->store, scratch_path("documents"), true, &error));
	CHECK(store_batch_new(&batch, shelf->store, &error));
	CHECK(segment_writer_init(&writer, batch, 1, true, &error));
	for (uint32_t i = 0; i < shelf->count; i++)
		CHECK(segment_writer_document(&writer, &shelf->documents[i], &error));
	for (uint32_t doc = 0; doc < shelf->count; doc++) {
		const trawl_document *document = &shelf->documents[shelf->order ? shelf->order[doc] : doc];
		hashes[doc] = id_hash(document->id, document->id_length);
	}
	for (uint32_t doc = 0; doc < shelf->count; doc++) {
		lengths[doc] = length_of(doc);
		last_positions[doc] = (uint8_t)(lengths[doc] + 1);
		if (shelf->one_hash)
			hashes[doc] = id_hash(shelf->documents[shelf->count - 1].id,
			                      shelf->documents[shelf->count - 1].id_length);
	}
	if (shelf->last_positions)
		manifest.flags |= FLAG_STOP_WORDS;
	CHECK(segment_writer_begin_terms(&writer, shelf->count, lengths, shelf->last_positions ? last_positions : NULL,
	                                 0, shelf->order, hashes, &error));
	CHECK(segment_writer_finish(&writer, &summary, &error));
	manifest.segments = &summary;
	manifest.segment_count = 1;
	assert_true(manifest_write(&manifest, &bytes));
	CHECK(store_batch_commit(batch, bytes.data, (uint32_t)bytes.length, &error));
	CHECK(snapshot_open(&shelf->snapshot, shelf->store, &error));
	CHECK(segment_open(&shelf->segment, shelf->snapshot, &manifest, 0, &error));
	segment_writer_release(&writer);
	store_batch_free(batch);
	buffer_release(&bytes);
	memory_free(lengths);
	memory_free(last_positions);
	memory_free(hashes);
}

/* The same, with a snapshot that has no more than `bytes` of the file mapped. */
static void shelf_open_again(struct shelf *shelf, size_t bytes)
{
	struct manifest manifest;
	segment_close(&shelf->segment);
	snapshot_close(shelf->snapshot);
	CHECK(snapshot_open(&shelf->snapshot, shelf->store, &error));
	CHECK(manifest_read(&manifest, shelf->snapshot, &error));
	snapshot_limit(shelf->snapshot, bytes);
	CHECK(segment_open(&shelf->segment, shelf->snapshot, &manifest, 0, &error));
	manifest_release(&manifest);
}

static void shelf_close(struct shelf *shelf)
{
	documents_scratch_release(&shelf->scratch);
	segment_close(&shelf->segment);
	snapshot_close(shelf->snapshot);
	store_close(shelf->store);
	arena_release(&shelf->arena);
}

static void assert_same_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
	assert_int_equal(a_length, b_length);
	if (a_length)
		assert_memory_equal(a, b, a_length);
}

static void check_document(struct shelf *shelf, uint32_t doc)
{
	const trawl_document *expected = &shelf->documents[shelf->order ? shelf->order[doc] : doc];
	trawl_document stored;
	uint32_t found;
	CHECK(segment_fetch(&shelf->segment, doc, &shelf->scratch, &stored, &error));
	assert_same_bytes(stored.id, stored.id_length, expected->id, expected->id_length);
	assert_same_bytes(stored.title, stored.title_length, expected->title, expected->title_length);
	assert_same_bytes(stored.text, stored.text_length, expected->text, expected->text_length);
	assert_same_bytes(stored.fields, stored.fields_length, expected->fields, expected->fields_length);
	assert_int_equal(
	    segment_find_id(&shelf->segment, expected->id, expected->id_length, &shelf->scratch, &found, &error), 1);
	assert_int_equal(found, doc);
}

static void check_absent(struct shelf *shelf, const char *id, size_t length)
{
	uint32_t found;
	assert_int_equal(segment_find_id(&shelf->segment, id, length, &shelf->scratch, &found, &error), 0);
}

/* ---- tests ---- */

static void documents_of_all_sizes_come_back(void **state)
{
	(void)state;
	struct random random = seeded();
	struct shelf shelf;
	shelf_begin(&shelf, 3000);
	for (uint32_t i = 0; i < shelf.count; i++) {
		char id[64];
		size_t text = random_below(&random, random_chance(&random, 0.1) ? 9000 : 400);
		if (random_chance(&random, 0.01))
			text = (16 << 10) - 100 + random_below(&random, 200); /* around a block */
		snprintf(id, sizeof id, "%s/%u", random_chance(&random, 0.7) ? "folder/of/documents" : "other", i);
		set(&shelf, i, id, random_below(&random, 30), text, random_below(&random, 3) * 10, &random);
	}
	shelf_open(&shelf);
	for (uint32_t doc = 0; doc < shelf.count; doc++) /* in order, so that blocks are reused */
		check_document(&shelf, doc);
	for (int i = 0; i < 3000; i++) /* and anywhere */
		check_document(&shelf, (uint32_t)random_below(&random, shelf.count));
	for (uint32_t doc = shelf.count; doc-- > 0;) /* and backwards */
		check_document(&shelf, doc);
	check_absent(&shelf, "folder/of/documents", 19);
	check_absent(&shelf, "", 0);
	shelf_close(&shelf);
}

static void documents_larger_than_extents_come_back(void **state)
{
	(void)state;
	struct random random = {42};
	struct shelf shelf;
	shelf_begin(&shelf, 12);
	for (uint32_t i = 0; i < shelf.count; i++) {
		char id[16];
		snprintf(id, sizeof id, "big %u", i);
		set(&shelf, i, id, i % 3 * 1000, i % 4 == 0 ? 3 : (size_t)i << 17, i % 5, &random);
	}
	shelf_open(&shelf);
	assert_true(shelf.segment.stored.documents.extent_count > 3);
	for (int i = 0; i < 60; i++)
		check_document(&shelf, (uint32_t)random_below(&random, shelf.count));
	shelf_close(&shelf);
}

static void a_megabyte_of_zeros_costs_little_and_comes_back(void **state)
{
	(void)state;
	struct shelf shelf;
	shelf_begin(&shelf, 3);
	set(&shelf, 0, "a", 0, 1, 0, NULL);
	set(&shelf, 1, "zeros", 0, 10 << 20, 0, NULL);
	set(&shelf, 2, "z", 0, 0, 0, NULL);
	shelf_open(&shelf);
	assert_true(shelf.segment.stored.documents.bytes < 100 << 10);
	for (uint32_t doc = 0; doc < shelf.count; doc++)
		check_document(&shelf, doc);
	shelf_close(&shelf);
}

/* zstd takes dictionary content that starts with its dictionary magic for a trained one. The record's three varints come
 * first, so they are made to spell the magic: 37 a4 30 ec, title 0x37 bytes, text 0x1824 (a4 30), fields ec ... */
static void content_that_starts_like_a_trained_dictionary_comes_back(void **state)
{
	(void)state;
	for (size_t rest = 1; rest < 4; rest++) {
		struct shelf shelf;
		shelf_begin(&shelf, 40);
		set(&shelf, 0, "hostile", 0x37, 0x30 << 7 | 0x24, rest << 7 | 0x6c, NULL);
		for (uint32_t i = 1; i < shelf.count; i++) {
			char id[16];
			snprintf(id, sizeof id, "%u", i);
			set(&shelf, i, id, 3, 5000 * rest, 0, NULL);
		}
		struct buffer record = {0};
		assert_true(buffer_append_varint(&record, 0x37) && buffer_append_varint(&record, 0x30 << 7 | 0x24) &&
		            buffer_append_varint(&record, rest << 7 | 0x6c));
		assert_int_equal(load32(record.data), 0xEC30A437u); /* ZSTD_MAGIC_DICTIONARY */
		buffer_release(&record);
		shelf_open(&shelf);
		for (uint32_t doc = 0; doc < shelf.count; doc++)
			check_document(&shelf, doc);
		shelf_close(&shelf);
	}
}

static void documents_in_another_order_than_added_are_found(void **state)
{
	(void)state;
	struct random random = seeded();
	struct shelf shelf;
	shelf_begin(&shelf, 500);
	shelf.order = arena_new(&shelf.arena, shelf.count * sizeof *shelf.order);
	for (uint32_t i = 0; i < shelf.count; i++) {
		char id[16];
		snprintf(id, sizeof id, "%u", i);
		set(&shelf, i, id, 3, random_below(&random, 300), 0, &random);
		uint32_t other = (uint32_t)random_below(&random, i + 1);
		shelf.order[i] = shelf.order[other];
		shelf.order[other] = i;
	}
	shelf_open(&shelf);
	for (uint32_t doc = 0; doc < shelf.count; doc++)
		check_document(&shelf, doc);
	shelf_close(&shelf);
}

static void ids_of_any_bytes_and_up_to_4096_of_them_are_found(void **state)
{
	(void)state;
	struct random random = seeded();
	struct shelf shelf;
	shelf_begin(&shelf, 400);
	for (uint32_t i = 0; i < shelf.count; i++) {
		size_t length = i < 100 ? 4096 : 4 + random_below(&random, 300);
		char *id = arena_new(&shelf.arena, length);
		memset(id, i % 2 ? 0 : 0xff, length);
		for (int j = 0; j < 3; j++)
			id[random_below(&random, length)] = (char)random_next(&random);
		store16(id + length - 2, (uint16_t)i); /* unique */
		shelf.documents[i] =
		    (trawl_document){.id = id, .id_length = length, .title = "", .text = "", .fields = ""};
	}
	shelf_open(&shelf);
	assert_true(shelf.segment.stored.ids.bytes > 1000);
	for (uint32_t doc = 0; doc < shelf.count; doc++) {
		const trawl_document *document = &shelf.documents[doc];
		check_document(&shelf, doc);
		check_absent(&shelf, document->id, document->id_length - 1);
	}
	shelf_close(&shelf);
}

static void make_short_documents(struct shelf *shelf, uint32_t count)
{
	shelf_begin(shelf, count);
	for (uint32_t i = 0; i < count; i++) {
		char *id = arena_new(&shelf->arena, 8);
		store64(id, (uint64_t)i * 0x9E3779B97F4A7C15u);
		shelf->documents[i] = (trawl_document){.id = id, .id_length = 8, .title = "", .text = "", .fields = ""};
	}
}

static void check_ids(struct shelf *shelf, int count, struct random *random)
{
	for (int i = 0; i < count; i++) {
		uint32_t doc = (uint32_t)random_below(random, shelf->count), found;
		char id[8];
		uint64_t hash;
		const trawl_document *document = &shelf->documents[doc];
		assert_int_equal(segment_find_id(&shelf->segment, document->id, 8, &shelf->scratch, &found, &error), 1);
		assert_int_equal(found, doc);
		CHECK(segment_content_hash(&shelf->segment, doc, &hash, &error));
		assert_true(hash == document_hash(document));
		store64(id, (shelf->count + (uint64_t)i) * 0x9E3779B97F4A7C15u);
		check_absent(shelf, id, 8);
	}
	/* those at the borders of extents */
	uint64_t left;
	for (uint64_t at = EXTENT_PAYLOAD - 16; at < shelf->segment.id_index.part.bytes;
	     at += at % EXTENT_PAYLOAD == 8 ? EXTENT_PAYLOAD - 24 : 8) {
		const uint8_t *entry = part_at(&shelf->segment.id_index.part, at, &left, &error);
		uint32_t doc = load32(entry + 4), found;
		assert_int_equal(
		    segment_find_id(&shelf->segment, shelf->documents[doc].id, 8, &shelf->scratch, &found, &error), 1);
		assert_int_equal(found, doc);
	}
	/* and the first and last of each */
	for (uint64_t at = 0; at < shelf->segment.id_index.part.bytes; at += EXTENT_PAYLOAD) {
		uint32_t found, first = load32(part_at(&shelf->segment.id_index.part, at, &left, &error) + 4);
		uint32_t last = load32(part_at(&shelf->segment.id_index.part, at + left - 8, &left, &error) + 4);
		assert_int_equal(
		    segment_find_id(&shelf->segment, shelf->documents[first].id, 8, &shelf->scratch, &found, &error),
		    1);
		assert_int_equal(
		    segment_find_id(&shelf->segment, shelf->documents[last].id, 8, &shelf->scratch, &found, &error), 1);
		assert_int_equal(found, last);
	}
}

/* Over 32,752 documents the id index fills more than one extent, and over 65,536 hashes of 32 bits begin to be equal; over
 * 262,016 lengths fill more than one. Then all again with little of the file mapped: ids are found through windows. */
static void ids_are_found_in_an_index_of_many_extents(void **state)
{
	(void)state;
	struct random random = seeded();
	struct shelf shelf;
	make_short_documents(&shelf, 300000);
	shelf.last_positions = true;
	shelf_open(&shelf);
	assert_true(shelf.segment.id_index.part.extent_count > 4);
	check_ids(&shelf, 5000, &random);
	assert_int_equal(snapshot_resident(shelf.snapshot), 0);
	shelf_open_again(&shelf, 1 << 20);
	check_ids(&shelf, 5000, &random);
	assert_in_range(snapshot_resident(shelf.snapshot), 1, 16 * EXTENT_PAYLOAD);
	for (uint32_t doc = 0; doc < shelf.count; doc++)
		if (shelf.segment.lengths[doc] != length_of(doc) ||
		    shelf.segment.last_positions[doc] != length_of(doc) + 1)
			fail_msg("document %u: length %d", doc, shelf.segment.lengths[doc]);
	assert_true(segment_memory(&shelf.segment) > 2 * shelf.count);
	shelf_open_again(&shelf, (size_t)1 << 40); /* no limit */
	check_ids(&shelf, 10, &random);
	assert_int_equal(snapshot_resident(shelf.snapshot), 0);
	shelf_close(&shelf);
}

/* Who can seal a file can make all hashes equal: then each is looked at, and no more. */
static void ids_of_one_hash_are_found(void **state)
{
	(void)state;
	struct shelf shelf;
	make_short_documents(&shelf, 70000);
	shelf.one_hash = true;
	shelf_open(&shelf);
	for (int limited = 0; limited < 2; limited++) {
		for (int i = 0; i < 2; i++) {
			uint32_t found;
			assert_int_equal(segment_find_id(&shelf.segment, shelf.documents[shelf.count - 1].id, 8,
			                                 &shelf.scratch, &found, &error),
			                 1);
			assert_int_equal(found, shelf.count - 1);
		}
		if (!limited)
			shelf_open_again(&shelf, 1);
	}
	shelf_close(&shelf);
}

static void what_a_part_takes_in_the_file_is_told(void **state)
{
	(void)state;
	assert_true(part_file_bytes(0) == 0);
	assert_true(part_file_bytes(100) == 100 + 16 + EXTENT_HEADER + EXTENT_SLACK);
	assert_true(part_file_bytes(3000) == 4096);
	assert_true(part_file_bytes(EXTENT_PAYLOAD) == 64 * 4096);
	assert_true(part_file_bytes(2 * (uint64_t)EXTENT_PAYLOAD + 5000) == (2 * 64 + 2) * 4096);
}

static void the_deleted_of_a_term_are_taken_off_and_no_more_than_there_are(void **state)
{
	(void)state;
	struct segment segment = {0};
	struct deletions_writer writer;
	struct buffer stored = {0};
	const char *wrong;
	assert_true(deletions_begin(&writer, &stored, 64));
	memset(deletions_words(&writer, 64), 0, 8);
	assert_true(deletions_put(&writer, 3, 2) && deletions_put(&writer, 5, 9) && deletions_put(&writer, 8, 1));
	deletions_end(&writer);
	assert_int_equal(deletions_read(&segment.deletions, stored.data, stored.length, 64, 0, &wrong), 0);
	buffer_release(&stored);
	static const struct {
		uint64_t number;
		uint32_t df, live;
	} terms[] = {{0, 4, 4}, {3, 4, 2}, {4, 4, 4}, {5, 4, 0}, {5, 9, 0}, {8, 4, 3}, {9, 4, 4}};
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
		assert_int_equal(
		    segment_live_df(&segment, &(struct term_entry){.number = terms[i].number, .df = terms[i].df}),
		    terms[i].live);
	deletions_release(&segment.deletions);
}

static void numbers_that_no_segment_has_are_a_limit(void **state)
{
	(void)state;
	struct segment_writer writer;
	assert_int_equal(segment_writer_init(&writer, NULL, 0, true, &error), TRAWL_ELIMIT);
	assert_int_equal(segment_writer_init(&writer, NULL, UINT32_MAX, true, &error), TRAWL_ELIMIT);
}

struct hashed {
	uint32_t hash, number;
};

static int compare_hashed(const void *a, const void *b)
{
	const struct hashed *left = a, *right = b;
	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

/* Two ids with one hash, and as many lesser hashes as put one of them last in an extent and the other first in the next. */
static void equal_hashes_on_both_sides_of_an_extent_border_are_found(void **state)
{
	(void)state;
	enum { IDS = 400000, PER_EXTENT = EXTENT_PAYLOAD / 8 };
	struct shelf shelf;
	struct hashed *all = malloc(IDS * sizeof *all);
	uint32_t twin = PER_EXTENT;
	for (uint32_t i = 0; i < IDS; i++)
		all[i] = (struct hashed){id_hash((const char *)&i, 4), i};
	qsort(all, IDS, sizeof *all, compare_hashed);
	while (twin + 1 < IDS && all[twin].hash != all[twin + 1].hash)
		twin++;
	assert_true(twin + 1 < IDS); /* some 18 such pairs are to be expected */
	shelf_begin(&shelf, PER_EXTENT + 1);
	for (uint32_t i = 0; i <= PER_EXTENT; i++) {
		const struct hashed *from = &all[i + 1 < PER_EXTENT ? i : twin + i + 1 - PER_EXTENT];
		shelf.documents[i] = (trawl_document){.id = arena_copy(&shelf.arena, &from->number, 4),
		                                      .id_length = 4,
		                                      .title = "",
		                                      .text = "",
		                                      .fields = ""};
	}
	shelf_open(&shelf);
	assert_int_equal(shelf.segment.id_index.part.extent_count, 2);
	for (uint32_t doc = PER_EXTENT - 3; doc < shelf.count; doc++)
		check_document(&shelf, doc);
	shelf_close(&shelf);
	free(all);
}

static void a_segment_of_no_documents_is_empty(void **state)
{
	(void)state;
	struct shelf shelf;
	shelf_begin(&shelf, 0);
	shelf_open(&shelf);
	check_absent(&shelf, "a", 1);
	assert_int_equal(shelf.segment.documents_count, 0);
	shelf_close(&shelf);
}

/* ---- damage ---- */

/* Payloads that verify may still be hostile. Blocks, frames, ids in exact heap copies with random damage. */
static void damaged_documents_are_an_error_or_other_bytes_never_a_crash(void **state)
{
	(void)state;
	struct random random = seeded();
	struct shelf shelf;
	shelf_begin(&shelf, 200);
	for (uint32_t i = 0; i < shelf.count; i++) {
		char id[32];
		snprintf(id, sizeof id, "document number %u", i);
		set(&shelf, i, id, 10, 600, 5, &random);
	}
	shelf_open(&shelf);
	struct part *parts[] = {&shelf.segment.stored.documents, &shelf.segment.stored.blocks,
	                        &shelf.segment.stored.ids, &shelf.segment.stored.id_blocks};
	size_t refused = 0;
	for (int round = 0; round < 3000; round++) {
		struct part *part = parts[round % 4];
		uint64_t left;
		const uint8_t *payload = part_at(part, 0, &left, &error);
		uint8_t *copy = malloc(left + EXTENT_SLACK);
		memcpy(copy, payload, left);
		memset(copy + left, 0, EXTENT_SLACK);
		for (uint64_t flips = 1 + random_below(&random, 3); flips; flips--)
			copy[random_below(&random, left)] ^= (uint8_t)(1 + random_below(&random, 255));
		atomic_store(&part->extents[0], copy);
		for (int i = 0; i < 10; i++) {
			trawl_document stored;
			int code = segment_fetch(&shelf.segment, (uint32_t)random_below(&random, shelf.count),
			                         &shelf.scratch, &stored, &error);
			assert_true(code == 0 || code == TRAWL_ECORRUPT);
			refused += code != 0;
		}
		documents_scratch_release(&shelf.scratch);
		atomic_store(&part->extents[0], payload);
		free(copy);
	}
	assert_true(refused > 100);
	for (uint32_t doc = 0; doc < shelf.count; doc++)
		check_document(&shelf, doc);
	shelf_close(&shelf);
}

static void records_that_are_cut_off_anywhere_are_refused(void **state)
{
	(void)state;
	struct buffer record = {0};
	const trawl_document document = {.title = "a title",
	                                 .title_length = 7,
	                                 .text = "and a text",
	                                 .text_length = 10,
	                                 .fields = "{}",
	                                 .fields_length = 2};
	trawl_document read;
	assert_true(stored_document_append(&record, &document));
	for (size_t length = 0; length <= record.length; length++) {
		uint8_t *copy = malloc(length + 1);
		const uint8_t *at = copy;
		memcpy(copy, record.data, length);
		assert_int_equal(stored_document_read(&at, copy + length, &read), length == record.length);
		free(copy);
	}
	/* A length of more than 64 bits, in the place of each. */
	for (int place = 0; place < 3; place++) {
		uint8_t bytes[64] = {0};
		const uint8_t *at = bytes;
		memset(bytes + place, 0xff, 10);
		assert_false(stored_document_read(&at, bytes + sizeof bytes, &read));
	}
	buffer_release(&record);
}

static void a_record_of_over_four_gigabytes_is_a_limit(void **state)
{
	(void)state;
	struct buffer out = {0};
	const uint8_t byte = 0;
	assert_int_equal(stored_block_compress(NULL, NULL, &byte, (size_t)UINT32_MAX + 1, &out, &error), TRAWL_ELIMIT);
	assert_int_equal(out.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_of_all_sizes_come_back),
	    cmocka_unit_test(documents_larger_than_extents_come_back),
	    cmocka_unit_test(a_megabyte_of_zeros_costs_little_and_comes_back),
	    cmocka_unit_test(content_that_starts_like_a_trained_dictionary_comes_back),
	    cmocka_unit_test(documents_in_another_order_than_added_are_found),
	    cmocka_unit_test(ids_of_any_bytes_and_up_to_4096_of_them_are_found),
	    cmocka_unit_test(ids_are_found_in_an_index_of_many_extents),
	    cmocka_unit_test(ids_of_one_hash_are_found),
	    cmocka_unit_test(what_a_part_takes_in_the_file_is_told),
	    cmocka_unit_test(the_deleted_of_a_term_are_taken_off_and_no_more_than_there_are),
	    cmocka_unit_test(numbers_that_no_segment_has_are_a_limit),
	    cmocka_unit_test(equal_hashes_on_both_sides_of_an_extent_border_are_found),
	    cmocka_unit_test(a_segment_of_no_documents_is_empty),
	    cmocka_unit_test(records_that_are_cut_off_anywhere_are_refused),
	    cmocka_unit_test(a_record_of_over_four_gigabytes_is_a_limit),
	    cmocka_unit_test(damaged_documents_are_an_error_or_other_bytes_never_a_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
