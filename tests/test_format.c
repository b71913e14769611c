/*
 * The index file as docs/FORMAT.md says it is: a tiny index byte for byte, lists encoded by hand, other versions, and damage to
 * each field. What is expected here was worked out from the document, not from the code; do not adapt it to the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/hash.h"
#include "segment/chunk.h"
#include "segment/segment.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "trawl.h"

static trawl_error error;

/* ---- the tiny index ---- */

/* Terms: dart eat fish one red swim, numbered 0 to 5. */
static const trawl_document tiny[] = {
    {"doc-1", 5, "Red", 3, "fish swim", 9, "", 0},
    {"doc-2", 5, "", 0, "fish eat fish", 13, "{\"n\":2}", 7},
    {"doc-3", 5, "", 0, "one red fish dart dart", 22, "", 0},
};

static void write_tiny(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = {.language = "none"}};
	remove(path);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (size_t i = 0; i < 3; i++)
		CHECK(trawl_writer_add(writer, &tiny[i], &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

static void delete_first(const char *path)
{
	trawl_writer *writer;
	CHECK(trawl_writer_open(&writer, path, NULL, &error));
	CHECK(trawl_writer_delete(writer, "doc-1", 5, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

struct opened {
	struct store *store;
	struct snapshot *snapshot;
};

static struct opened open_file(const char *path)
{
	struct opened opened;
	CHECK(store_open(&opened.store, path, false, &error));
	CHECK(snapshot_open(&opened.snapshot, opened.store, &error));
	return opened;
}

static void close_file(struct opened opened)
{
	snapshot_close(opened.snapshot);
	store_close(opened.store);
}

static const uint8_t *payload_of(struct opened opened, uint32_t segment, uint32_t part, uint32_t *length)
{
	const uint8_t *payload;
	CHECK(snapshot_extent(opened.snapshot, segment, part, 0, &payload, length, &error));
	return payload;
}

/* ---- bytes, put together independently of the code under test ---- */

struct bytes {
	uint8_t data[1024];
	size_t length;
};

static void put(struct bytes *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes->data[bytes->length++] = (uint8_t)(value >> (8 * i));
}

static void put_text(struct bytes *bytes, const char *text)
{
	while (*text)
		bytes->data[bytes->length++] = (uint8_t)*text++;
}

static void put_float(struct bytes *bytes, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, 4);
	put(bytes, bits, 4);
}

static void check_part(struct opened opened, uint32_t segment, uint32_t part, const struct bytes *expected)
{
	uint32_t length;
	const uint8_t *payload = payload_of(opened, segment, part, &length);
	assert_int_equal(length, expected->length);
	assert_memory_equal(payload, expected->data, length);
}

static uint64_t take(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

/* ---- golden ---- */

static void every_extent_has_the_header_of_the_document(void **state)
{
	(void)state;
	static const uint32_t parts[][2] = {{0, 0}, {1, 1}, {1, 2}, {1, 3},  {1, 4},  {1, 5},
	                                    {1, 6}, {1, 8}, {1, 9}, {1, 10}, {1, 11}, {1, 12}};
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		uint32_t length;
		const uint8_t *payload = payload_of(opened, parts[i][0], parts[i][1], &length), *header = payload - 48;
		assert_memory_equal(header, "TRWX", 4);
		assert_int_equal(take(header + 4, 2), 2);
		assert_int_equal(take(header + 6, 2), parts[i][1]);
		assert_int_equal(take(header + 8, 4), parts[i][0]);
		assert_int_equal(take(header + 12, 4), 0);
		assert_int_equal(take(header + 16, 4), length);
		assert_int_equal(take(header + 20, 4), 0);
		assert_true(take(header + 24, 8) == XXH3_64bits_withSeed(payload, length, XXH3_64bits(header, 24)));
		if (!parts[i][0])
			assert_int_equal(take(header + 32, 8), snapshot_transaction(opened.snapshot));
		for (int j = parts[i][0] ? 32 : 40; j < 48; j++)
			assert_int_equal(header[j], 0);
		for (int j = 0; j < 64; j++)
			assert_int_equal(payload[length + j], 0);
	}
	close_file(opened);
}

static void put_manifest(struct bytes *bytes, uint64_t generation, uint32_t deleted, uint64_t tokens, uint64_t postings,
                         uint64_t text, uint64_t deletion_bytes)
{
	put_text(bytes, "trawl index\n");
	put(bytes, 2, 4); /* version */
	put(bytes, generation, 8);
	put(bytes, 2, 4); /* next segment */
	put(bytes, 1, 4); /* flags: positions */
	put(bytes, 1, 4); /* analysis version */
	put(bytes, 4, 1);
	put_text(bytes, "none");
	put(bytes, 1, 4); /* segments */
	put(bytes, 1, 4);
	put(bytes, 3, 4);
	put(bytes, deleted, 4);
	put(bytes, tokens, 8);
	put(bytes, postings, 8);
	put(bytes, text, 8);
	put(bytes, deletion_bytes, 8);
}

static void the_manifest_has_these_bytes(void **state)
{
	(void)state;
	struct bytes expected = {0};
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	put_manifest(&expected, 1, 0, 11, 9, 47, 0);
	check_part(opened, 0, 0, &expected);
	close_file(opened);
}

static void the_root_has_these_bytes(void **state)
{
	(void)state;
	struct bytes expected = {0};
	uint32_t documents_length, dictionary_length, terms_length;
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	payload_of(opened, 1, 1, &documents_length);
	payload_of(opened, 1, 3, &dictionary_length);
	payload_of(opened, 1, 11, &terms_length);
	put(&expected, 3, 4);
	put(&expected, 3, 4);
	put(&expected, 11, 8); /* tokens */
	put(&expected, 9, 8);  /* postings */
	put(&expected, 6, 8);  /* terms */
	put(&expected, 47, 8); /* text */
	put_float(&expected, 0.9f);
	put_float(&expected, 0.4f);
	put_float(&expected, (float)(11.0 / 3));
	put(&expected, 3, 1);
	put(&expected, 5, 1);
	put(&expected, 0, 2);
	const uint64_t lengths[11] = {documents_length, 16, dictionary_length, 13, 8, 24, 0, 3, 4, 3, terms_length};
	for (int i = 0; i < 11; i++)
		put(&expected, lengths[i], 8);
	put(&expected, 4, 1);
	put_text(&expected, "dart");
	/* the least hash of an id */
	uint32_t least = UINT32_MAX;
	for (int i = 0; i < 3; i++) {
		uint32_t hash = (uint32_t)(XXH3_64bits(tiny[i].id, 5) >> 32);
		least = hash < least ? hash : least;
	}
	put(&expected, least, 4);
	check_part(opened, 1, 12, &expected);
	close_file(opened);
}

static void postings_positions_and_lengths_have_these_bytes(void **state)
{
	(void)state;
	/* Widths 0. fish: docs 0 1 2: differences 0 0 0, tf - 1 0 1 0: ones at bits 0 1 2, 3 5 6. red: docs 0 2: 0 1 and 0 0:
	 * ones at bits 0 2, 3 4. */
	static const struct bytes postings = {{0, 0x6f, 0, 0x1d}, 4};
	/* dart: 3, and 4 is next. fish: 1 of 3 tokens; 0, and 2 after it; 2 of 5. red: 0 of 3; 1 of 5. The others stand in the
	 * dictionary. */
	static const struct bytes positions = {{3, 1 | (0 | 1 << 2) << 2 | 2 << 5, 0 | 1 << 2}, 3};
	static const struct bytes lengths = {{3, 3, 5}, 3};
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	check_part(opened, 1, 9, &postings);
	check_part(opened, 1, 10, &positions);
	check_part(opened, 1, 8, &lengths);
	close_file(opened);
}

static void the_dictionary_has_these_bytes(void **state)
{
	(void)state;
	static const uint8_t block[] = {
	    0, 0, 0,   6,                             /* first number, postings, positions, terms */
	    0, 4, 'd', 'a', 'r', 't', 1,   9,   2, 1, /* df 1: 4 * 2 + 1, tf 2, 1 byte of positions */
	    0, 3, 'e', 'a', 't', 1,   4,   1,         /* df 1: 4 * 1 + 0, position 1 */
	    0, 4, 'f', 'i', 's', 'h', 3,   2,   1,    /* df 3: 2 bytes of postings, 1 of positions */
	    0, 3, 'o', 'n', 'e', 1,   8,   0,         /* df 1: 4 * 2 + 0, position 0 */
	    0, 3, 'r', 'e', 'd', 2,   2,   1,         /* df 2 */
	    0, 4, 's', 'w', 'i', 'm', 1,   0,   2,    /* df 1: 4 * 0 + 0, position 2 */
	    0, 0, 0,   0,   't', 'r', 'a', 'd',       /* 0x6461727400000000 */
	    0, 0, 0,   0,   1,   0,   0,   0};        /* offset of the block; blocks */
	struct bytes expected = {.length = sizeof block};
	memcpy(expected.data, block, sizeof block);
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	check_part(opened, 1, 11, &expected);
	close_file(opened);
}

static void ids_and_their_index_have_these_bytes(void **state)
{
	(void)state;
	static const struct bytes ids = {{0, 5, 'd', 'o', 'c', '-', '1', 4, 1, '2', 4, 1, '3'}, 13};
	static const struct bytes blocks = {{0, 0, 0, 0, 0, 0, 0, 0}, 8};
	struct bytes index = {0};
	uint32_t hashes[3];
	for (int i = 0; i < 3; i++)
		hashes[i] = (uint32_t)(XXH3_64bits(tiny[i].id, 5) >> 32);
	for (int put_already = 0, from = -1; put_already < 3; put_already++) {
		int next = -1; /* the next in order of hashes */
		for (int i = 0; i < 3; i++)
			if ((from < 0 || hashes[i] > hashes[from]) && (next < 0 || hashes[i] < hashes[next]))
				next = i;
		put(&index, hashes[next], 4);
		put(&index, (uint64_t)next, 4);
		from = next;
	}
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	check_part(opened, 1, 4, &ids);
	check_part(opened, 1, 5, &blocks);
	check_part(opened, 1, 6, &index);
	close_file(opened);
}

/* What zstd makes of the records may differ from version to version; what it gives back may not. */
static void stored_documents_decompress_to_these_bytes(void **state)
{
	(void)state;
	struct bytes records = {0};
	uint8_t dictionary[1024], content[1024];
	uint32_t length, block_length;
	for (int i = 0; i < 3; i++) {
		put(&records, tiny[i].title_length, 1);
		put(&records, tiny[i].text_length, 1);
		put(&records, tiny[i].fields_length, 1);
		put_text(&records, tiny[i].title);
		put_text(&records, tiny[i].text);
		put_text(&records, tiny[i].fields);
	}
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	const uint8_t *frame = payload_of(opened, 1, 3, &length);
	size_t dictionary_length = ZSTD_decompress(dictionary, sizeof dictionary, frame, length);
	assert_int_equal(dictionary_length, records.length);
	assert_memory_equal(dictionary, records.data, records.length);
	const uint8_t *block = payload_of(opened, 1, 2, &block_length);
	assert_int_equal(block_length, 16);
	assert_int_equal(take(block, 4), 0);
	assert_int_equal(take(block + 4, 4), records.length);
	assert_true(take(block + 8, 8) == 0);
	frame = payload_of(opened, 1, 1, &length);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	assert_int_equal(
	    ZSTD_decompress_usingDict(context, content, sizeof content, frame, length, dictionary, dictionary_length),
	    records.length);
	assert_memory_equal(content, records.data, records.length);
	ZSTD_freeDCtx(context);
	close_file(opened);
}

static void content_hashes_are_those_of_the_records(void **state)
{
	(void)state;
	struct bytes hashes = {0};
	for (int i = 0; i < 3; i++) {
		struct bytes record = {0};
		put(&record, tiny[i].title_length, 1);
		put(&record, tiny[i].text_length, 1);
		put(&record, tiny[i].fields_length, 1);
		put_text(&record, tiny[i].title);
		put_text(&record, tiny[i].text);
		put_text(&record, tiny[i].fields);
		put(&hashes, XXH3_64bits(record.data, record.length), 8);
	}
	write_tiny(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	check_part(opened, 1, 18, &hashes);
	close_file(opened);
}

static void deletions_have_these_bytes(void **state)
{
	(void)state;
	struct bytes deletions = {0}, manifest = {0};
	write_tiny(scratch_path("golden"));
	delete_first(scratch_path("golden"));
	struct opened opened = open_file(scratch_path("golden"));
	put(&deletions, 3, 4);
	put(&deletions, 1, 8); /* docID 0 */
	put(&deletions, 3, 4); /* fish, red and swim have one dead document each: numbers 2, 4 and 5 */
	static const uint8_t dead[] = {2, 1, 2, 1, 1, 1};
	for (int i = 0; i < 6; i++)
		put(&deletions, dead[i], 1);
	check_part(opened, 1, 13, &deletions);
	put_manifest(&manifest, 2, 1, 8, 6, 35, 22);
	check_part(opened, 0, 0, &manifest);
	close_file(opened);
}

/* "the fish / of the sea and the": fish at 1 and sea at 4 of 5 positions to the last word that counts, two tokens. */
static void spans_have_these_bytes(void **state)
{
	(void)state;
	static const struct bytes lengths = {{2}, 1}, spans = {{5}, 1};
	const trawl_document document = {"id", 2, "the fish", 8, "of the sea and the", 18, "", 0};
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = {.language = "english", .stop_words = true}};
	remove(scratch_path("spans"));
	CHECK(trawl_writer_open(&writer, scratch_path("spans"), &options, &error));
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	struct opened opened = open_file(scratch_path("spans"));
	uint32_t length;
	const uint8_t *manifest = payload_of(opened, 0, 0, &length);
	assert_int_equal(take(manifest + 28, 4), 3); /* flags: positions, stop words */
	check_part(opened, 1, 8, &lengths);
	check_part(opened, 1, 14, &spans);
	close_file(opened);
}

/* "red fish red fish" and "red fish swim": fish is term 0, red 1, swim 2. */
static void write_bigrams(const char *path)
{
	static const trawl_document documents[] = {{"doc-1", 5, "", 0, "red fish red fish", 17, "", 0},
	                                           {"doc-2", 5, "", 0, "red fish swim", 13, "", 0}};
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = {.language = "none"}, .bigrams = true};
	remove(path);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < 2; i++)
		CHECK(trawl_writer_add(writer, &documents[i], &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

static void bigrams_have_these_bytes(void **state)
{
	(void)state;
	/* red fish: docs 0 1: widths 0; differences 0 0: ones at bits 0 1; tf - 1: 1 0: ones at bits 3 4 */
	static const struct bytes postings = {{0, 0x1b}, 2};
	static const uint8_t block[] = {
	    0, 0, 0, 3,                                    /* first number, postings, positions, bigrams */
	    0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,         /* fish red: df 1: 4 * 0 + 1, tf 1 */
	    7, 1, 2, 1, 5, 1,                              /* fish swim: df 1: 4 * 1 + 1, tf 1 */
	    3, 5, 1, 0, 0, 0, 0, 2, 2,                     /* red fish: df 2: 2 bytes of postings */
	    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0 /* prefix of the block, its offset; blocks */
	};
	struct bytes terms = {.length = sizeof block}, root = {.length = 0};
	memcpy(terms.data, block, sizeof block);
	put(&root, 3, 8); /* bigrams */
	put(&root, 4, 8); /* postings */
	put(&root, 2, 8);
	put(&root, sizeof block, 8);
	put(&root, 8, 1);
	put(&root, (uint64_t)1 << 56, 8); /* the first bigram */
	write_bigrams(scratch_path("bigrams"));
	struct opened opened = open_file(scratch_path("bigrams"));
	uint32_t length;
	const uint8_t *manifest = payload_of(opened, 0, 0, &length);
	assert_int_equal(take(manifest + 28, 4), 9); /* flags: positions, bigrams */
	check_part(opened, 1, 15, &postings);
	check_part(opened, 1, 16, &terms);
	check_part(opened, 1, 17, &root);
	close_file(opened);
}

/* ---- lists encoded by hand ---- */

static void a_sparse_list_encoded_by_hand_decodes(void **state)
{
	(void)state;
	/* docs 7 8 300 1000: differences less one 7 0 291 699 with width 8: 7 0 35 187, the rest 0 0 1 2 as 1 1 01 001;
	 * tfs 1 5 1 200: 0 4 0 199 with width 5: 0 4 0 7 from bit 39 on, the rest 0 0 0 6 as 1 1 1 0000001. */
	static const uint8_t list[10 + 64] = {8 + 32 * 5, 7, 0, 35, 187, 0x4b, 0x40, 0xc0, 0x39, 0x10};
	static const uint32_t expected_docs[] = {7, 8, 300, 1000}, expected_tfs[] = {1, 5, 1, 200};
	uint32_t docs[SPARSE_RUN], tfs[SPARSE_RUN];
	assert_true(sparse_list_decode(list, 10, 4, 1001, docs, tfs));
	assert_memory_equal(docs, expected_docs, sizeof expected_docs);
	assert_memory_equal(tfs, expected_tfs, sizeof expected_tfs);
	assert_false(sparse_list_decode(list, 10, 4, 1000, docs, tfs));
}

static void positions_encoded_by_hand_decode(void **state)
{
	(void)state;
	uint32_t positions[8];
	/* A document of 300 tokens: byte 72 stands for 280 to 311; floor(log2(310)) = 8, the circle has 512 places. */
	assert_int_equal(length_encode(300), 72);
	assert_int_equal(length_longest(72), 311);
	/* 5, 200 and 258: the widest gap is the last one, 259; 5 in 9 bits, 195 - 1 and 58 - 1 in 8 each. */
	static const uint8_t gaps[16] = {0x05, 0x84, 0x73, 0x00};
	assert_true(position_bits(3, 72) == 25);
	assert_true(positions_decode(gaps, 0, 3, 72, positions));
	assert_int_equal(positions[0], 5);
	assert_int_equal(positions[1], 200);
	assert_int_equal(positions[2], 258);
	/* 5, 10 and 300: the widest gap is that before 300; 300 in 9 bits, 217 - 1 and 5 - 1; behind 3 bits of another posting. */
	static const uint8_t round[16] = {0x67, 0x89, 0x4d, 0x00};
	assert_true(positions_decode(round, 3, 3, 72, positions));
	assert_int_equal(positions[0], 5);
	assert_int_equal(positions[1], 10);
	assert_int_equal(positions[2], 300);
	/* floor(log2(310 / 8)) = 5 low bits each, 310 >> 5 = 9 in unary; the high parts are 0 1 2 2 2 4 6 9. */
	static const uint32_t eight[8] = {5, 37, 64, 70, 71, 150, 200, 310};
	static const uint8_t low_and_high[16] = {0xa5, 0x00, 0x73, 0x2c, 0xb2, 0x75, 0x12, 0x01};
	assert_true(position_bits(8, 72) == 57);
	assert_true(positions_decode(low_and_high, 0, 8, 72, positions));
	assert_memory_equal(positions, eight, sizeof eight);
	/* A document of 10,000 tokens, tf 16: floor(log2(10262 / 16)) = 9, 10262 >> 9 = 20. */
	uint8_t code = length_encode(10000);
	assert_int_equal(length_longest(code), 10263);
	assert_true(position_bits(16, code) == 16 * 10 + 20);
}

static void put_hand_head(struct bytes *bytes)
{
	put(bytes, 20, 4); /* df */
	put_float(bytes, 0.75f);
	put_float(bytes, 0.5f);
	put_float(bytes, 0);
	put_float(bytes, 0);
	for (unsigned i = 0; i < 16; i++)
		put(bytes, 15 + 16 * i, 1);
	put(bytes, 2, 1); /* lengths in units of 4 bytes */
	put(bytes, 2, 1); /* bytes of position offsets */
	put(bytes, 4, 1); /* bits of an exception */
	put(bytes, 0, 1);
	put(bytes, 1, 4); /* groups */
	put(bytes, 0, 4);
	for (unsigned i = 0; i < 16; i++)
		put(bytes, i == 2 ? 255 : 0, 1); /* bounds: superblock 2 alone has postings */
	put(bytes, 92, 4);
	for (unsigned i = 0; i < 16; i++)
		put(bytes, i == 2 ? 8 : 0, 1);
	put(bytes, 1000, 8); /* of the group's positions */
}

static void a_dense_list_encoded_by_hand_decodes(void **state)
{
	(void)state;
	/* Superblock 2: block 0 has 3 postings (offsets 3, 10, 63; tfs 1, 3, 300), block 2 has 17 (offsets 0 to 16; tfs 2 4 1 1...) */
	static const uint8_t chunk_bytes[] = {5,    0,    /* position offset */
	                                      5,    0,    /* blocks 0 and 2 */
	                                      0x42, 0x9f, /* 3 postings, level 4; bitmap, level 9 */
	                                      0xff, 0xff, 1,    0, 0, 0, 0, 0, /* the bitmap */
	                                      0x03, 0x8a, 0xff,        /* byte form: 3, 10 + 64 * 2, 63 + 64 * 3 */
	                                      0x0d, 0,    0,    0, 0,  /* codes 1 3 0 0 ... */
	                                      0x0f,                    /* exceptions: 300 by the u32, 4 */
	                                      0x2c, 1,    0,    0,     /* 300 */
	                                      0,    0,    0,    0, 0}; /* padding to 32 */
	struct bytes list = {0};
	struct dense_list head;
	struct chunk chunk;
	uint32_t length, tfs[BLOCK_DOCUMENTS];
	uint64_t mask;
	put_hand_head(&list);
	assert_int_equal(list.length, 92);
	memcpy(list.data + list.length, chunk_bytes, sizeof chunk_bytes);
	list.length += sizeof chunk_bytes;
	assert_true(dense_list_open(&head, list.data, list.length, 5000, 4096));
	assert_int_equal(head.df, 20);
	assert_true(head.maximum == 0.75f && head.floors[0] == 0.5f && head.floors[1] == 0);
	for (uint32_t superblock = 0; superblock < 16; superblock++) {
		uint64_t address = chunk_place(&head, superblock, &length);
		assert_int_equal(length, superblock == 2 ? 32 : 0);
		assert_true(superblock != 2 || address == 5092);
	}
	assert_true(chunk_open(&chunk, &head, 2, list.data + 92, 32));
	assert_true(chunk.positions == 1005);
	assert_int_equal(chunk.block_mask, 5);
	assert_int_equal(head.codebook[chunk.headers[0] >> 4], 15 + 16 * 4);
	assert_int_equal(head.codebook[chunk.headers[1] >> 4], 15 + 16 * 9);
	assert_int_equal(chunk_block(&chunk, 0, &mask, tfs), 3);
	assert_true(mask == ((uint64_t)1 << 3 | (uint64_t)1 << 10 | (uint64_t)1 << 63));
	assert_true(tfs[0] == 1 && tfs[1] == 3 && tfs[2] == 300);
	assert_int_equal(chunk_block(&chunk, 1, &mask, tfs), 17);
	assert_true(mask == 0x1ffff);
	assert_true(tfs[0] == 2 && tfs[1] == 4);
	for (int i = 2; i < 17; i++)
		assert_int_equal(tfs[i], 1);
}

/* ---- versions ---- */

static void replace_manifest(const char *path, const struct bytes *manifest)
{
	struct store *store;
	struct store_batch *batch;
	CHECK(store_open(&store, path, false, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_commit(batch, manifest->data, (uint32_t)manifest->length, &error));
	store_batch_free(batch);
	store_close(store);
}

static int open_and_close(const char *path)
{
	trawl_index *index;
	int code = trawl_open(&index, path, &error);
	if (!code)
		trawl_close(index);
	return code;
}

static int open_writer_and_close(const char *path)
{
	trawl_writer *writer;
	int code = trawl_writer_open(&writer, path, NULL, &error);
	if (!code)
		trawl_writer_close(writer);
	return code;
}

static void a_newer_manifest_is_refused(void **state)
{
	(void)state;
	struct bytes manifest = {0};
	write_tiny(scratch_path("newer"));
	put_manifest(&manifest, 1, 0, 11, 9, 47, 0);
	replace_manifest(scratch_path("newer"), &manifest); /* the same again: still good */
	assert_int_equal(open_and_close(scratch_path("newer")), TRAWL_OK);
	manifest.data[12] = 3;
	memset(manifest.data + 16, 0xee, manifest.length - 16); /* whatever version 3 has there */
	replace_manifest(scratch_path("newer"), &manifest);
	assert_int_equal(open_and_close(scratch_path("newer")), TRAWL_EVERSION);
	assert_non_null(strstr(error.text, "newer trawl"));
	assert_int_equal(open_writer_and_close(scratch_path("newer")), TRAWL_EVERSION);
}

static void a_newer_analysis_is_refused_as_that(void **state)
{
	(void)state;
	struct bytes manifest = {0};
	write_tiny(scratch_path("analysis"));
	put_manifest(&manifest, 1, 0, 11, 9, 47, 0);
	manifest.data[12 + 20] = 2;
	replace_manifest(scratch_path("analysis"), &manifest);
	for (int who = 0; who < 4; who++) {
		trawl_check_options check = {0};
		trawl_check_result checked;
		trawl_salvage_options salvage = {0};
		trawl_salvage_result salvaged;
		const char *path = scratch_path("analysis");
		int code = who == 0   ? open_and_close(path)
		           : who == 1 ? open_writer_and_close(path)
		           : who == 2 ? trawl_check(path, &check, &checked, &error)
		                      : trawl_salvage(path, scratch_path("rescued"), &salvage, &salvaged, &error);
		assert_int_equal(code, TRAWL_EVERSION);
		assert_non_null(strstr(error.text, "version 2 of the analysis"));
		assert_null(strstr(error.text, "format"));
	}
}

static void a_manifest_cut_short_is_refused(void **state)
{
	(void)state;
	struct bytes manifest = {0};
	write_tiny(scratch_path("short"));
	put_manifest(&manifest, 1, 0, 11, 9, 47, 0);
	size_t whole = manifest.length;
	for (manifest.length = 0; manifest.length < whole; manifest.length++) {
		replace_manifest(scratch_path("short"), &manifest);
		int code = open_and_close(scratch_path("short"));
		assert_true(code == TRAWL_ECORRUPT || code == TRAWL_ENOTINDEX);
		code = open_writer_and_close(scratch_path("short"));
		assert_true(code == TRAWL_ECORRUPT || code == TRAWL_ENOTINDEX);
	}
}

/* ---- damage ---- */

struct file {
	uint8_t *bytes;
	size_t length;
};

static struct file read_file(const char *path)
{
	struct file file = {0};
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	file.length = (size_t)ftell(in);
	rewind(in);
	file.bytes = malloc(file.length);
	assert_int_equal(fread(file.bytes, 1, file.length, in), file.length);
	fclose(in);
	return file;
}

static void write_file(const char *path, const struct file *file)
{
	remove(path);
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(file->bytes, 1, file->length, out), file->length);
	assert_int_equal(fclose(out), 0);
}

/* XOR byte `at` of an extent, wherever its header is found (an older page may still hold a copy). */
static void spoil(struct file *file, const uint8_t header[48], size_t at, uint8_t with)
{
	bool found = false;
	for (size_t i = 0; i + 48 <= file->length; i++)
		if (memcmp(file->bytes + i, header, 48) == 0) {
			file->bytes[i + at] ^= with;
			found = true;
		}
	assert_true(found);
}

static int search(trawl_searcher *searcher, const char *query, uint64_t *document)
{
	size_t count;
	trawl_search_options options = {.top = 10};
	int code = trawl_search(searcher, query, strlen(query), &options, &error);
	if (code)
		return code;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_true(count > 0);
	*document = hits[0].document;
	return 0;
}

/* Read all there is through the public interface; the first failure. */
static int use_everything(const char *path)
{
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_stored *stored;
	trawl_document document;
	uint64_t hit;
	int code = trawl_open(&index, path, &error);
	if (!code)
		code = trawl_searcher_new(&searcher, index, &error);
	if (!code)
		code = search(searcher, "fish eat dart", &hit);
	if (!code)
		code = search(searcher, "\"red fish\"", &hit);
	if (!code)
		code = trawl_hit_document(searcher, hit, &document, &error);
	if (!code) {
		code = trawl_fetch(index, "doc-2", 5, &stored, &document, &error);
		if (!code)
			trawl_stored_free(stored);
	}
	trawl_searcher_free(searcher);
	trawl_close(index);
	return code;
}

static void damage_extent(const char *name, uint32_t segment, uint32_t part)
{
	uint8_t header[48];
	uint32_t length;
	struct file whole = read_file(scratch_path(name)), copy = {malloc(whole.length), whole.length};
	struct opened opened = open_file(scratch_path(name));
	memcpy(header, payload_of(opened, segment, part, &length) - 48, 48);
	close_file(opened);
	for (size_t at = 0; at < 48 + length; at++) {
		if (at == 4 || at == 5 || (at >= 32 && at < 48)) /* the version, tested below; reserved */
			continue;
		for (unsigned bit = at % 3; bit < 8; bit += 3) {
			memcpy(copy.bytes, whole.bytes, whole.length);
			spoil(&copy, header, at, (uint8_t)(1u << bit));
			write_file(scratch_path("damaged"), &copy);
			int code = use_everything(scratch_path("damaged"));
			if (code != TRAWL_ECORRUPT || error.code != code)
				fail_msg("segment %u part %u byte %zu bit %u: %s", segment, part, at, bit,
				         trawl_status_name(code));
		}
	}
	free(whole.bytes);
	free(copy.bytes);
}

static void damage_to_any_field_or_payload_is_found(void **state)
{
	(void)state;
	write_tiny(scratch_path("whole"));
	assert_int_equal(use_everything(scratch_path("whole")), TRAWL_OK);
	damage_extent("whole", 0, PART_MANIFEST);
	for (uint32_t part = PART_DOCUMENTS; part <= PART_ROOT; part++)
		if (part != PART_ORDER)
			damage_extent("whole", 1, part);
}

/* A later format may change one part only, and compute its checksum otherwise. */
static void an_extent_of_a_newer_version_is_refused_as_that(void **state)
{
	(void)state;
	write_tiny(scratch_path("whole"));
	struct file whole = read_file(scratch_path("whole")), copy = {malloc(whole.length), whole.length};
	for (uint32_t part = PART_MANIFEST; part <= PART_ROOT; part++) {
		uint8_t header[48];
		uint32_t length;
		if (part == PART_ORDER)
			continue;
		struct opened opened = open_file(scratch_path("whole"));
		memcpy(header, payload_of(opened, part != 0, part, &length) - 48, 48);
		close_file(opened);
		memcpy(copy.bytes, whole.bytes, whole.length);
		spoil(&copy, header, 4, 1); /* 2 becomes 3 */
		write_file(scratch_path("damaged"), &copy);
		int code = use_everything(scratch_path("damaged"));
		if (code != TRAWL_EVERSION || error.code != code)
			fail_msg("part %u of version 3: returned %s, described %s", part, trawl_status_name(code),
			         trawl_status_name(error.code));
	}
	free(whole.bytes);
	free(copy.bytes);
}

static void damaged_deletions_are_found(void **state)
{
	(void)state;
	write_tiny(scratch_path("deleted"));
	delete_first(scratch_path("deleted"));
	assert_int_equal(use_everything(scratch_path("deleted")), TRAWL_OK);
	damage_extent("deleted", 1, PART_DELETIONS);
}

static void damaged_bigrams_are_found(void **state)
{
	(void)state;
	write_bigrams(scratch_path("paired"));
	assert_int_equal(use_everything(scratch_path("paired")), TRAWL_OK);
	for (uint32_t part = PART_BIGRAM_POSTINGS; part <= PART_BIGRAM_ROOT; part++)
		damage_extent("paired", 1, part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_extent_has_the_header_of_the_document),
	    cmocka_unit_test(the_manifest_has_these_bytes),
	    cmocka_unit_test(the_root_has_these_bytes),
	    cmocka_unit_test(postings_positions_and_lengths_have_these_bytes),
	    cmocka_unit_test(the_dictionary_has_these_bytes),
	    cmocka_unit_test(ids_and_their_index_have_these_bytes),
	    cmocka_unit_test(stored_documents_decompress_to_these_bytes),
	    cmocka_unit_test(content_hashes_are_those_of_the_records),
	    cmocka_unit_test(deletions_have_these_bytes),
	    cmocka_unit_test(spans_have_these_bytes),
	    cmocka_unit_test(bigrams_have_these_bytes),
	    cmocka_unit_test(a_sparse_list_encoded_by_hand_decodes),
	    cmocka_unit_test(positions_encoded_by_hand_decode),
	    cmocka_unit_test(a_dense_list_encoded_by_hand_decodes),
	    cmocka_unit_test(a_newer_manifest_is_refused),
	    cmocka_unit_test(a_newer_analysis_is_refused_as_that),
	    cmocka_unit_test(a_manifest_cut_short_is_refused),
	    cmocka_unit_test(damage_to_any_field_or_payload_is_found),
	    cmocka_unit_test(damaged_deletions_are_found),
	    cmocka_unit_test(damaged_bigrams_are_found),
	    cmocka_unit_test(an_extent_of_a_newer_version_is_refused_as_that),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
