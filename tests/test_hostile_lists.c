/* Posting lists that no encoder writes, each with one thing wrong, are refused by whoever reads it; lists that no encoder may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "segment/bitpack.h"
#include "segment/postings_read.h"
#include "tests/check.h"
#include "tests/letter.h"
#include "tests/made_lists.h"
#include "tests/scratch.h"

#define DOCUMENTS 7134 /* which ends inside a block */

static trawl_error error;

/* ---- sparse lists ---- */

/* Decode a list of `length` bytes behind which the rest of `bytes`, up to `all`, stands where slack may be loaded. */
static bool decode_short(const uint8_t *bytes, uint64_t length, uint64_t all, uint32_t n, uint32_t documents)
{
	uint8_t *tight = calloc(length + EXTENT_SLACK, 1);
	uint32_t docs[4 * SPARSE_RUN], tfs[4 * SPARSE_RUN], their_docs[4 * SPARSE_RUN], their_tfs[4 * SPARSE_RUN];
	memcpy(tight, bytes, all < length + EXTENT_SLACK ? all : length + EXTENT_SLACK);
	bool sound = letter_sparse_list(bytes, length, n, documents, their_docs, their_tfs);
	assert_int_equal(sparse_list_decode(tight, length, n, documents, docs, tfs), sound);
	if (sound) {
		assert_memory_equal(docs, their_docs, n * sizeof *docs);
		assert_memory_equal(tfs, their_tfs, n * sizeof *tfs);
	}
	free(tight);
	return sound;
}

/* Two blocks of postings of which the second one's bytes, were they taken from the slack, would do. */
static void what_lies_behind_a_sparse_list_is_no_part_of_it(void **state)
{
	(void)state;
	uint8_t bytes[200] = {0};
	uint64_t length = 0;
	for (int block = 0; block < 2; block++) {
		bytes[length++] = 0; /* both widths 0: 128 ones and 128 ones */
		memset(bytes + length, 0xff, 32);
		length += 32;
	}
	for (uint64_t cut = 0; cut < length; cut++)
		assert_false(decode_short(bytes, cut, length, 256, 256));
	assert_true(decode_short(bytes, length, length, 256, 256));
	assert_false(decode_short(bytes, length, length, 256, 255));
	/* The width of tfs in a byte of its own, of one posting: 9 bits low, the ones before and behind them. */
	const uint8_t apart[] = {7 << 5, 9, 1 | 5 << 1, 1 << 2};
	for (uint64_t cut = 0; cut < sizeof apart; cut++)
		assert_false(decode_short(apart, cut, sizeof apart, 1, 1));
	assert_true(decode_short(apart, sizeof apart, sizeof apart, 1, 1));
}

/* One block of n postings, differences and tfs less one as given. */
static uint64_t write_block(uint8_t *bytes, const uint32_t *differences, unsigned width, const uint32_t *frequencies,
                            uint32_t n)
{
	memset(bytes, 0, 2 + 2 * INTEGER_RUN_BYTES);
	bytes[0] = (uint8_t)(width | 7 << 5);
	bytes[1] = 31;
	uint64_t bit = integer_run_encode(differences, n, width, bytes + 2, 0);
	return 2 + (integer_run_encode(frequencies, n, 31, bytes + 2, bit) + 7) / 8;
}

static void sparse_lists_with_numbers_over_32_bits_are_refused(void **state)
{
	(void)state;
	uint8_t bytes[2 + 3 * INTEGER_RUN_BYTES];
	for (uint32_t n = 1; n < 12; n++)
		for (uint32_t at = 0; at < n; at++) {
			uint32_t differences[12] = {0}, frequencies[12] = {0};
			frequencies[at] = UINT32_MAX - 1;
			uint64_t length = write_block(bytes, differences, 4, frequencies, n);
			assert_true(decode_short(bytes, length, length, n, n));
			frequencies[at] = UINT32_MAX; /* a tf of 2^32 */
			length = write_block(bytes, differences, 4, frequencies, n);
			assert_false(decode_short(bytes, length, length, n, n));
			/* A docID that wraps round to a low one: 2^31 and again, and what is between. */
			frequencies[at] = 0;
			differences[at] = UINT32_MAX;
			length = write_block(bytes, differences, 31, frequencies, n);
			assert_false(decode_short(bytes, length, length, n, UINT32_MAX));
			/* A difference of 2^32: low part 0 of 31 bits, and a rest of 2 where 1 is the most. */
			memset(bytes, 0, sizeof bytes);
			bytes[0] = 31 | 0 << 5;
			uint64_t bit = 8 + (uint64_t)31 * n;
			for (uint32_t i = 0; i < 2 * n; i++) {
				bit += i == at ? 2 : 0;
				bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
				bit++;
			}
			length = (bit + 7) / 8;
			assert_false(decode_short(bytes, length, length, n, 1000));
		}
}

static void sparse_lists_past_2_to_the_31_are_decoded(void **state)
{
	(void)state;
	uint8_t bytes[4 * INTEGER_RUN_BYTES];
	uint32_t differences[SPARSE_RUN] = {1, 2, [70] = UINT32_MAX - 1000}, frequencies[SPARSE_RUN] = {4, [99] = 1};
	uint64_t length = write_block(bytes, differences, 31, frequencies, SPARSE_RUN);
	differences[70] = 3;
	length += write_block(bytes + length, differences, 2, frequencies, 90);
	assert_true(decode_short(bytes, length, length, SPARSE_RUN + 90, UINT32_MAX));
}

/* ---- heads of dense lists ---- */

static void heads_with_one_field_wrong_are_refused(void **state)
{
	(void)state;
	struct dense_list head;
	uint8_t bytes[DENSE_HEAD + GROUP_SUPERBLOCKS + GROUP_ENTRY + EXTENT_SLACK] = {0};
	const uint64_t length = DENSE_HEAD + GROUP_SUPERBLOCKS + GROUP_ENTRY;
	const float good = 0.5f;
	static const float maxima[] = {0, -0.5f, 1.0001f};
	const uint32_t not_a_number = 0x7fc00000;
	memcpy(bytes + 4, &good, 4);
	bytes[38] = 4;
	store32(bytes + 40, 1);
	for (bytes[36] = 0; bytes[36] < 32; bytes[36]++)
		assert_int_equal(dense_list_open(&head, bytes, length, 0, DOCUMENTS), bytes[36] < 16);
	bytes[36] = 3;
	for (bytes[37] = 0; bytes[37] < 9; bytes[37]++)
		assert_int_equal(dense_list_open(&head, bytes, length, 0, DOCUMENTS),
		                 bytes[37] == 0 || bytes[37] == 2 || bytes[37] == 4);
	bytes[37] = 2;
	for (bytes[38] = 0; bytes[38] < 17; bytes[38]++)
		assert_int_equal(dense_list_open(&head, bytes, length, 0, DOCUMENTS), bytes[38] == 4 || bytes[38] == 8);
	bytes[38] = 8;
	for (size_t i = 0; i < sizeof maxima / sizeof *maxima; i++) {
		memcpy(bytes + 4, &maxima[i], 4);
		assert_false(dense_list_open(&head, bytes, length, 0, DOCUMENTS));
	}
	store32(bytes + 4, not_a_number);
	assert_false(dense_list_open(&head, bytes, length, 0, DOCUMENTS));
	memcpy(bytes + 4, &good, 4);
	for (uint32_t groups = 0; groups < 3; groups++) {
		store32(bytes + 40, groups);
		assert_int_equal(dense_list_open(&head, bytes, length, 0, DOCUMENTS), groups == 1);
	}
	store32(bytes + 40, 1);
	for (uint64_t cut = 0; cut <= length; cut++)
		assert_int_equal(dense_list_open(&head, bytes, cut, 0, DOCUMENTS), cut == length);
}

static void chunks_without_positions_say_so(void **state)
{
	(void)state;
	uint8_t directory[GROUP_ENTRY], bytes[8 + EXTENT_SLACK] = {1, 0, 0, 5};
	struct dense_list list = {.directory = directory, .exception_bits = 4};
	struct chunk chunk;
	memset(directory, 0xff, sizeof directory);
	assert_true(chunk_open(&chunk, &list, 0, bytes, 8));
	assert_int_equal(chunk.positions, 0);
}

/* ---- whole lists, read for a merge ---- */

static struct made_lists made;
static struct segment segment; /* with nothing but what postings_read asks for */
static struct part healthy;
static uint8_t lengths[DOCUMENTS + EXTENT_SLACK];

static bool every_second(void *context, uint32_t doc)
{
	(void)context;
	uint32_t superblock = doc / SUPERBLOCK_DOCUMENTS;
	return superblock != 4 && (doc % 2 == 0 || superblock == 2);
}

static bool some(void *context, uint32_t doc)
{
	(void)context;
	return doc % 5 == 0;
}

static int make_segment(void **state)
{
	(void)state;
	struct random random = seeded();
	made_lists_begin(&made, "hostile", DOCUMENTS, 300, false, &random);
	made_lists_add(&made, every_second, NULL, &random);
	made_lists_add(&made, some, NULL, &random);
	made_lists_open(&made);
	healthy = made.postings_part;
	memcpy(lengths, made.lengths, DOCUMENTS);
	memset(lengths + DOCUMENTS, 0xff, EXTENT_SLACK); /* which must not let a document past the end pass */
	segment = (struct segment){.snapshot = made.snapshot, .documents_count = DOCUMENTS, .lengths = lengths};
	segment.terms.part = healthy;
	return 0;
}

static int drop_segment(void **state)
{
	(void)state;
	made_lists_release(&made);
	return 0;
}

/* A list's bytes, to be changed; read in place of the healthy part, from the end of a block of their own and the slack. */
struct lie {
	struct term_entry entry;
	uint8_t bytes[1 << 16];
	uint64_t length, behind; /* so many of the list's bytes stand in the slack */
	struct dense_list head;
};

static void begin_lie(struct lie *lie, const struct made_list *list)
{
	uint64_t left;
	const uint8_t *bytes = part_at(&healthy, list->place.postings, &left, &error);
	assert_non_null(bytes);
	lie->length = list->place.postings_bytes;
	assert_true(lie->length <= left && lie->length <= sizeof lie->bytes);
	memcpy(lie->bytes, bytes, lie->length);
	lie->entry = (struct term_entry){.df = list->n, .place.postings_bytes = lie->length};
	if (list == &made.lists[0])
		assert_true(dense_list_open(&lie->head, lie->bytes, lie->length, 0, DOCUMENTS));
}

static uint8_t *chunk_of(struct lie *lie, uint32_t superblock)
{
	uint32_t length;
	return lie->bytes + chunk_place(&lie->head, superblock, &length);
}

static int read_lie(const struct lie *lie)
{
	uint8_t *tight = malloc(lie->length + EXTENT_SLACK);
	_Atomic(const uint8_t *) extents[1] = {tight};
	uint64_t room = lie->entry.df <= DOCUMENTS ? postings_read_room(lie->entry.df) : 0;
	uint32_t *docs = malloc(4 * room + 4), *tfs = malloc(4 * room + 4);
	memcpy(tight, lie->bytes, lie->length + lie->behind);
	memset(tight + lie->length + lie->behind, 0xff, EXTENT_SLACK - lie->behind);
	segment.postings = healthy;
	segment.postings.bytes = lie->length;
	segment.postings.extent_count = 1;
	segment.postings.extents = extents;
	int code = postings_read(&segment, &lie->entry, docs, tfs, &error);
	free(docs);
	free(tfs);
	free(tight);
	return code;
}

#define assert_refused(lie)                                                                                            \
	do {                                                                                                           \
		assert_int_equal(read_lie(lie), TRAWL_ECORRUPT);                                                       \
		assert_non_null(strstr(error.text, "damaged"));                                                        \
	} while (0)

static void dense_lists_that_contradict_themselves_are_refused(void **state)
{
	(void)state;
	static struct lie lie;
	const struct made_list *list = &made.lists[0];
	begin_lie(&lie, list);
	assert_int_equal(read_lie(&lie), 0);
	store32(lie.bytes + 4, 0x40000000); /* a maximum of 2, which nothing else here asks for */
	assert_refused(&lie);
	begin_lie(&lie, list);
	store32(lie.bytes, list->n - 1); /* another df than the dictionary's */
	assert_refused(&lie);
	lie.entry.df = list->n - 1; /* both wrong: more postings than there is room for */
	assert_refused(&lie);
	lie.entry.df = 3072; /* and than the arrays have, to the last */
	store32(lie.bytes, 3072);
	assert_true(postings_read_room(3072) == 3072);
	assert_refused(&lie);
	lie.entry.df = list->n + 1;
	store32(lie.bytes, list->n + 1); /* fewer */
	assert_refused(&lie);
	begin_lie(&lie, list);
	lie.entry.place.postings = lie.length; /* a head past the end */
	assert_refused(&lie);
	begin_lie(&lie, list);
	store32((uint8_t *)(uintptr_t)lie.head.directory, (uint32_t)lie.length); /* chunks past the end */
	assert_refused(&lie);
	begin_lie(&lie, list);
	lie.length -= 1; /* the last chunk is cut, though its last byte is there to be loaded */
	lie.behind = 1;
	assert_refused(&lie);
	lie.behind = 0;
}

static void chunks_that_contradict_themselves_are_refused(void **state)
{
	(void)state;
	static struct lie lie;
	const struct made_list *list = &made.lists[0];
	const uint32_t blocks = SUPERBLOCK_BLOCKS; /* all in bitmap form in these chunks */
	begin_lie(&lie, list);
	uint8_t *chunk_lengths = (uint8_t *)(uintptr_t)lie.head.directory + 4;
	assert_true(lie.head.shift < 5);
	chunk_lengths[0] = 1; /* a chunk too short for its blocks */
	assert_refused(&lie);
	begin_lie(&lie, list);
	uint8_t *chunk = chunk_of(&lie, 0), *bitmaps = chunk + 2 + blocks;
	assert_int_equal(load16(chunk), 0xffff);
	memset(bitmaps, 0, 8); /* a block with no posting, and as many postings more elsewhere */
	memset(bitmaps + 8, 0xff, 8);
	assert_refused(&lie);
	begin_lie(&lie, list);
	chunk =
	    chunk_of(&lie, DOCUMENTS / SUPERBLOCK_DOCUMENTS); /* the last one, whose last document moves past the end */
	uint32_t its_blocks = (uint32_t)__builtin_popcount(load16(chunk));
	bitmaps = chunk + 2 + its_blocks;
	uint64_t last = load64(bitmaps + 8 * (its_blocks - 1));
	last ^= (uint64_t)1 << (63 - __builtin_clzll(last)) | (uint64_t)1 << 63;
	store64(bitmaps + 8 * (its_blocks - 1), last);
	assert_refused(&lie);
}

/* A document twice in a block in byte form. */
static void documents_that_come_twice_are_refused(void **state)
{
	(void)state;
	static struct lie lie;
	struct chunk chunk;
	uint64_t left;
	struct random random = seeded();
	struct made_lists sparse;
	double chance = 0.1;
	made_lists_begin(&sparse, "sparse", 40000, 300, false, &random);
	const struct made_list list = *made_lists_add(&sparse, by_chance, &chance, &random);
	made_lists_open(&sparse);
	lie.length = list.place.postings_bytes;
	const uint8_t *bytes = part_at(&sparse.postings_part, list.place.postings, &left, &error);
	assert_true(bytes && lie.length <= left && lie.length <= sizeof lie.bytes);
	memcpy(lie.bytes, bytes, lie.length);
	lie.entry = (struct term_entry){.df = list.n, .place.postings_bytes = lie.length};
	segment.lengths = sparse.lengths;
	segment.documents_count = sparse.documents;
	assert_int_equal(read_lie(&lie), 0);
	uint32_t length, count = 0, rank = 0;
	assert_true(dense_list_open(&lie.head, lie.bytes, lie.length, 0, sparse.documents));
	uint64_t address = chunk_place(&lie.head, 0, &length);
	assert_true(chunk_open(&chunk, &lie.head, 0, lie.bytes + address, length));
	while (rank < chunk.block_count && ((count = (chunk.headers[rank] & 15u) + 1) < 2 || count > BLOCK_BYTES_MAX))
		rank++;
	assert_true(rank < chunk.block_count);
	uint8_t *block = lie.bytes + (chunk.bytes - lie.bytes) + chunk.starts[rank];
	block[1] = (uint8_t)((block[1] & 0xc0) | (block[0] & 63));
	assert_refused(&lie);
	memset(sparse.lengths, 0xff, 40000); /* which allow every tf */
	lie.entry.df = list.n - 1;           /* as many as are left of them */
	store32(lie.bytes, list.n - 1);
	assert_refused(&lie);
	segment.lengths = lengths;
	segment.documents_count = DOCUMENTS;
	made_lists_release(&sparse);
}

static void sparse_lists_that_contradict_the_dictionary_are_refused(void **state)
{
	(void)state;
	static struct lie lie;
	const struct made_list *list = &made.lists[1];
	begin_lie(&lie, list);
	assert_int_equal(read_lie(&lie), 0);
	lie.entry.place.postings_bytes++; /* past the end */
	assert_refused(&lie);
	begin_lie(&lie, list);
	lie.entry.place.postings = lie.length;
	assert_refused(&lie);
	begin_lie(&lie, list);
	lie.entry.place.postings_bytes--;
	assert_refused(&lie);
	lie.entry.df = DOCUMENTS + 1;
	assert_refused(&lie);
	assert_int_equal(postings_check_df(&segment, &lie.entry, &error), TRAWL_ECORRUPT);
	lie.entry.df = DOCUMENTS;
	assert_int_equal(postings_check_df(&segment, &lie.entry, &error), 0);
	/* A tf that its document's length does not allow. */
	uint32_t docs[2] = {3, 4}, tfs[2] = {0, length_longest(made.lengths[4]) - 1};
	lie.length = write_block(lie.bytes, (uint32_t[2]){docs[0], 0}, 4, tfs, 2);
	lie.entry = (struct term_entry){.df = 2, .place.postings_bytes = lie.length};
	assert_int_equal(read_lie(&lie), 0);
	tfs[1]++;
	lie.length = write_block(lie.bytes, (uint32_t[2]){docs[0], 0}, 4, tfs, 2);
	lie.entry.place.postings_bytes = lie.length;
	assert_refused(&lie);
	/* Of one posting, which stands in the dictionary. */
	lie.entry = (struct term_entry){.df = 1, .doc = DOCUMENTS - 1, .tf = 1};
	assert_int_equal(read_lie(&lie), 0);
	lie.entry.tf = 0;
	assert_refused(&lie);
	lie.entry = (struct term_entry){.df = 1, .doc = DOCUMENTS, .tf = 1};
	assert_refused(&lie);
}

/* ---- roots of bigrams ---- */

static int open_bigram_root(const uint8_t *root, uint32_t length)
{
	struct store *store;
	struct store_batch *batch;
	struct snapshot *snapshot;
	struct bigram_lists bigrams = {0};
	uint64_t part_bytes[PART_COUNT];
	remove(scratch_path("bigrams"));
	CHECK(store_open(&store, scratch_path("bigrams"), true, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_put(batch, 1, PART_BIGRAM_ROOT, 0, root, length, &error));
	CHECK(store_batch_commit(batch, (const uint8_t *)"bigrams", 5, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	int code = bigram_lists_open(&bigrams, snapshot, 1, part_bytes, &error);
	bigram_lists_release(&bigrams);
	snapshot_close(snapshot);
	store_batch_free(batch);
	store_close(store);
	return code;
}

static void bigram_roots_of_the_wrong_length_are_refused(void **state)
{
	(void)state;
	const uint8_t root[33] = {0};
	for (uint32_t length = 1; length < 34; length++) {
		assert_int_equal(open_bigram_root(root, length), length == 32 ? 0 : TRAWL_ECORRUPT);
		if (length != 32)
			assert_non_null(strstr(error.text, length < 32
			                                       ? "root of the bigrams: cut off"
			                                       : "root of the bigrams: more than it should be"));
	}
}

static void bigram_roots_without_their_terms_are_refused(void **state)
{
	(void)state;
	uint8_t root[32] = {0};
	store64(root + 24, EXTENT_PAYLOAD + 1); /* of two extents of terms the root has the first names */
	assert_int_equal(open_bigram_root(root, sizeof root), TRAWL_ECORRUPT);
}

static void bigrams_are_absent_or_unlisted_by_the_rule(void **state)
{
	(void)state;
	struct segment alone = {.documents_count = 1600};
	struct term_entry none = {.df = 0}, few = {.df = 99}, some_df = {.df = 100}, bigram;
	assert_int_equal(segment_find_bigram(&alone, &none, &some_df, &bigram, &error), BIGRAM_ABSENT);
	assert_int_equal(segment_find_bigram(&alone, &some_df, &none, &bigram, &error), BIGRAM_ABSENT);
	assert_int_equal(segment_find_bigram(&alone, &some_df, &some_df, &bigram, &error), BIGRAM_UNLISTED);
	alone.has_bigrams = true;
	assert_int_equal(segment_find_bigram(&alone, &few, &some_df, &bigram, &error), BIGRAM_UNLISTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_lies_behind_a_sparse_list_is_no_part_of_it),
	    cmocka_unit_test(sparse_lists_with_numbers_over_32_bits_are_refused),
	    cmocka_unit_test(sparse_lists_past_2_to_the_31_are_decoded),
	    cmocka_unit_test(heads_with_one_field_wrong_are_refused),
	    cmocka_unit_test(chunks_without_positions_say_so),
	    cmocka_unit_test_setup_teardown(dense_lists_that_contradict_themselves_are_refused, make_segment,
	                                    drop_segment),
	    cmocka_unit_test_setup_teardown(chunks_that_contradict_themselves_are_refused, make_segment, drop_segment),
	    cmocka_unit_test_setup_teardown(documents_that_come_twice_are_refused, make_segment, drop_segment),
	    cmocka_unit_test_setup_teardown(sparse_lists_that_contradict_the_dictionary_are_refused, make_segment,
	                                    drop_segment),
	    cmocka_unit_test(bigram_roots_without_their_terms_are_refused),
	    cmocka_unit_test(bigrams_are_absent_or_unlisted_by_the_rule),
	    cmocka_unit_test(bigram_roots_of_the_wrong_length_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
