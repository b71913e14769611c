/* The dictionary: what was written is found again and walked in order; what was not is absent; hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "segment/terms.h"
#include "tests/check.h"
#include "tests/made_lists.h"
#include "tests/scratch.h"

static trawl_error error;

struct word_entry {
	uint8_t length;
	char bytes[256];
	struct term_entry entry;
};

struct dictionary {
	struct word_entry *words;
	size_t count, capacity;
	struct store *store;
	struct snapshot *snapshot;
	struct buffer first_terms;
	struct terms terms;
};

static int compare_words(const void *a, const void *b)
{
	const struct word_entry *left = a, *right = b;
	int order = memcmp(left->bytes, right->bytes, left->length < right->length ? left->length : right->length);
	return order ? order : left->length - right->length;
}

static void add_word(struct dictionary *dictionary, const void *bytes, size_t length)
{
	assert_in_range(length, 1, 255);
	assert_true(memory_reserve(&dictionary->words, &dictionary->capacity, dictionary->count + 1,
	                           sizeof *dictionary->words));
	struct word_entry *word = &dictionary->words[dictionary->count++];
	*word = (struct word_entry){.length = (uint8_t)length};
	memcpy(word->bytes, bytes, length);
}

/* Entries of all kinds: in one document with one position or several, in many; now and then a list does not follow on. */
static void invent_entries(struct dictionary *dictionary, bool positions, struct random *random)
{
	uint64_t postings = 0, where = 0;
	for (size_t i = 0; i < dictionary->count; i++) {
		struct term_entry *entry = &dictionary->words[i].entry;
		entry->number = i;
		entry->df = random_chance(random, 0.5) ? 1 : 2 + (uint32_t)random_below(random, UINT32_MAX - 2);
		if (random_chance(random, 0.05))
			postings += random_below(random, 1 << 18); /* moved to the next extent */
		entry->place = (struct list_place){postings, 0, where, 0};
		if (entry->df == 1) {
			entry->doc = (uint32_t)random_below(random, 1u << 26);
			entry->tf = random_chance(random, 0.7) ? 1 : 2 + (uint32_t)random_below(random, 1000);
			entry->position_inline = positions && entry->tf == 1;
			entry->position = entry->position_inline ? (uint32_t)random_next(random) : 0;
		} else {
			entry->place.postings_bytes = 1 + random_below(random, (uint64_t)1 << 33);
		}
		if (positions && !entry->position_inline)
			entry->place.positions_bytes = 1 + random_below(random, (uint64_t)1 << 40);
		postings += entry->place.postings_bytes;
		where += entry->place.positions_bytes;
	}
}

/* Sort, drop duplicates, write, open. */
static void dictionary_open(struct dictionary *dictionary, bool positions, struct random *random)
{
	struct store_batch *batch;
	struct terms_writer writer;
	uint64_t used;
	size_t kept = 0;
	if (dictionary->count)
		qsort(dictionary->words, dictionary->count, sizeof *dictionary->words, compare_words);
	for (size_t i = 0; i < dictionary->count; i++)
		if (!kept || compare_words(&dictionary->words[kept - 1], &dictionary->words[i]) != 0)
			dictionary->words[kept++] = dictionary->words[i];
	dictionary->count = kept;
	invent_entries(dictionary, positions, random);
	remove(scratch_path("terms"));
	CHECK(store_open(&dictionary->store, scratch_path("terms"), true, &error));
	CHECK(store_batch_new(&batch, dictionary->store, &error));
	CHECK(terms_writer_init(&writer, batch, 1, PART_TERMS, positions, &error));
	for (size_t i = 0; i < dictionary->count; i++)
		CHECK(terms_writer_add(&writer, dictionary->words[i].bytes, dictionary->words[i].length,
		                       &dictionary->words[i].entry, &error));
	CHECK(terms_writer_finish(&writer, &error));
	assert_int_equal(writer.terms, dictionary->count);
	CHECK(store_batch_commit(batch, (const uint8_t *)"terms", 5, &error));
	CHECK(snapshot_open(&dictionary->snapshot, dictionary->store, &error));
	dictionary->first_terms = writer.first_terms;
	writer.first_terms = (struct buffer){0};
	CHECK(terms_open(&dictionary->terms, dictionary->snapshot, 1, PART_TERMS, writer.part.address, positions,
	                 dictionary->first_terms.data, dictionary->first_terms.length, &used, &error));
	assert_int_equal(used, dictionary->first_terms.length);
	terms_writer_release(&writer);
	store_batch_free(batch);
}

static void dictionary_release(struct dictionary *dictionary)
{
	terms_release(&dictionary->terms);
	snapshot_close(dictionary->snapshot);
	store_close(dictionary->store);
	buffer_release(&dictionary->first_terms);
	memory_free(dictionary->words);
	*dictionary = (struct dictionary){0};
}

static void check_entry(const struct term_entry *found, const struct term_entry *expected)
{
	assert_true(found->number == expected->number);
	assert_int_equal(found->df, expected->df);
	assert_int_equal(found->position_inline, expected->position_inline);
	if (expected->df == 1) {
		assert_int_equal(found->doc, expected->doc);
		assert_int_equal(found->tf, expected->tf);
	} else {
		assert_true(found->place.postings == expected->place.postings);
		assert_true(found->place.postings_bytes == expected->place.postings_bytes);
	}
	if (expected->position_inline) {
		assert_int_equal(found->position, expected->position);
	} else {
		assert_true(found->place.positions == expected->place.positions);
		assert_true(found->place.positions_bytes == expected->place.positions_bytes);
	}
}

static bool in_dictionary(const struct dictionary *dictionary, const char *term, size_t length)
{
	struct word_entry key = {.length = (uint8_t)length};
	memcpy(key.bytes, term, length);
	return dictionary->count &&
	       bsearch(&key, dictionary->words, dictionary->count, sizeof key, compare_words) != NULL;
}

static void check_absent(struct dictionary *dictionary, const char *term, size_t length)
{
	struct term_entry entry;
	if (length > 255 || !in_dictionary(dictionary, term, length))
		assert_int_equal(terms_find(&dictionary->terms, term, length, &entry, &error), 0);
}

/* Every term is found and walked past; neighbours of every term in byte order are absent. */
static void check_dictionary(struct dictionary *dictionary)
{
	struct terms_cursor cursor = {0};
	struct term_entry entry;
	char near[260];
	for (size_t i = 0; i < dictionary->count; i++) {
		const struct word_entry *word = &dictionary->words[i];
		assert_int_equal(terms_next(&dictionary->terms, &cursor, &error), 1);
		assert_int_equal(cursor.length, word->length);
		assert_memory_equal(cursor.term, word->bytes, word->length);
		check_entry(&cursor.entry, &word->entry);
		assert_int_equal(terms_find(&dictionary->terms, word->bytes, word->length, &entry, &error), 1);
		check_entry(&entry, &word->entry);
		memcpy(near, word->bytes, word->length);
		near[word->length] = 0;
		check_absent(dictionary, near, word->length + 1u);
		check_absent(dictionary, near, word->length - 1u);
		near[word->length - 1]++;
		check_absent(dictionary, near, word->length);
		near[word->length - 1] = (char)(near[word->length - 1] - 2);
		check_absent(dictionary, near, word->length);
	}
	assert_int_equal(terms_next(&dictionary->terms, &cursor, &error), 0);
	check_absent(dictionary, "", 0);
	check_absent(dictionary, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	memset(near, 'z', sizeof near);
	check_absent(dictionary, near, 256);
}

/* ---- tests ---- */

static void an_empty_dictionary_has_no_terms(void **state)
{
	(void)state;
	struct random random = {1};
	struct dictionary dictionary = {0};
	dictionary_open(&dictionary, true, &random);
	assert_int_equal(dictionary.terms.extent_count, 0);
	check_dictionary(&dictionary);
	dictionary_release(&dictionary);
}

static void a_dictionary_of_one_term_has_it(void **state)
{
	(void)state;
	struct random random = {1};
	struct dictionary dictionary = {0};
	add_word(&dictionary, "trawl", 5);
	dictionary_open(&dictionary, true, &random);
	check_dictionary(&dictionary);
	dictionary_release(&dictionary);
}

static void terms_over_several_extents_are_found_and_walked(void **state)
{
	(void)state;
	struct random random = seeded();
	for (int positions = 0; positions < 2; positions++) {
		struct dictionary dictionary = {0};
		for (int i = 0; i < 60000; i++) {
			char word[32];
			add_word(
			    &dictionary, word,
			    (size_t)snprintf(word, sizeof word, "%llx",
			                     (unsigned long long)random_next(&random) >> random_below(&random, 60)));
		}
		dictionary_open(&dictionary, positions, &random);
		assert_true(dictionary.terms.extent_count > 2);
		check_dictionary(&dictionary);
		dictionary_release(&dictionary);
	}
}

static void terms_with_equal_first_eight_bytes_are_told_apart(void **state)
{
	(void)state;
	struct random random = seeded();
	struct dictionary dictionary = {0};
	add_word(&dictionary, "shared p", 8);
	for (int i = 0; i < 30000; i++) {
		char word[64];
		const char *before[] = {"shared prefix of several blocks", "shared prefix", "shared p", "shared",
		                        "sharee p"};
		add_word(&dictionary, word,
		         (size_t)snprintf(word, sizeof word, "%s%u", before[random_below(&random, 5)],
		                          (unsigned)random_below(&random, 1000000)));
	}
	dictionary_open(&dictionary, true, &random);
	check_dictionary(&dictionary);
	dictionary_release(&dictionary);
}

static void terms_of_any_bytes_and_every_length_are_found(void **state)
{
	(void)state;
	struct random random = seeded();
	struct dictionary dictionary = {0};
	uint8_t word[255];
	for (size_t length = 1; length <= 255; length++)
		for (int i = 0; i < 12; i++) {
			for (size_t j = 0; j < length;
			     j++) /* few different bytes: long shared beginnings, NULs, 0xff */
				word[j] = (uint8_t)(random_chance(&random, 0.9)   ? 'a'
				                    : random_chance(&random, 0.3) ? 0
				                    : random_chance(&random, 0.5) ? 255
				                                                  : random_next(&random));
			add_word(&dictionary, word, length);
		}
	memset(word, 255, sizeof word);
	add_word(&dictionary, word, 255);
	dictionary_open(&dictionary, true, &random);
	assert_true(dictionary.terms.extent_count >= 1);
	check_dictionary(&dictionary);
	dictionary_release(&dictionary);
}

/* An extent's bytes may verify and still be hostile: hand the reader copies with damage, of exact size. */
static void damaged_extents_are_never_read_beyond(void **state)
{
	(void)state;
	struct random random = seeded();
	struct dictionary dictionary = {0};
	uint64_t left;
	for (int i = 0; i < 300; i++) {
		char word[32];
		add_word(&dictionary, word,
		         (size_t)snprintf(word, sizeof word, "%x", (unsigned)random_below(&random, 1 << 20)));
	}
	dictionary_open(&dictionary, true, &random);
	struct part *part = &dictionary.terms.part;
	const uint8_t *payload = part_at(part, 0, &left, &error);
	assert_int_equal(left, part->bytes);
	uint8_t *copy = malloc(left + EXTENT_SLACK);
	size_t refused = 0;
	for (int round = 0; round < 20000; round++) {
		struct terms_cursor cursor = {0};
		struct term_entry entry;
		int code;
		memcpy(copy, payload, left);
		memset(copy + left, 0, EXTENT_SLACK);
		for (uint64_t flips = 1 + random_below(&random, 3); flips; flips--) {
			uint64_t from = random_chance(&random, 0.5) ? left - 100 : 0;
			copy[from + random_below(&random, left - from)] = (uint8_t)random_next(&random);
		}
		atomic_store(&part->extents[0], copy);
		for (size_t steps = 0; (code = terms_next(&dictionary.terms, &cursor, &error)) > 0; steps++)
			assert_true(steps < 1000000);
		refused += code == TRAWL_ECORRUPT;
		assert_true(code == 0 || code == TRAWL_ECORRUPT);
		const struct word_entry *word = &dictionary.words[random_below(&random, dictionary.count)];
		code = terms_find(&dictionary.terms, word->bytes, word->length, &entry, &error);
		assert_true(code == 0 || code == 1 || code == TRAWL_ECORRUPT);
	}
	assert_true(refused > 100);
	free(copy);
	dictionary_release(&dictionary);
}

static void a_root_that_is_cut_off_is_refused(void **state)
{
	(void)state;
	struct random random = {7};
	struct dictionary dictionary = {0};
	for (int i = 0; i < 30000; i++) {
		char word[32];
		add_word(&dictionary, word, (size_t)snprintf(word, sizeof word, "word number %d", i));
	}
	dictionary_open(&dictionary, true, &random);
	assert_true(dictionary.terms.extent_count > 1);
	for (size_t length = 0; length < dictionary.first_terms.length; length++) {
		struct terms terms;
		uint64_t used;
		uint8_t *tight = malloc(length + 1);
		memcpy(tight, dictionary.first_terms.data, length);
		uint8_t *exact = realloc(tight, length ? length : 1);
		assert_int_equal(terms_open(&terms, dictionary.snapshot, 1, PART_TERMS, dictionary.terms.part.bytes,
		                            true, exact, length, &used, &error),
		                 TRAWL_ECORRUPT);
		terms_release(&terms);
		free(exact);
	}
	dictionary_release(&dictionary);
}

/* Extents by hand: the bytes of one block, which starts at `offset`, and how many blocks the index says there are. Each has one thing
 * wrong; `good` terms stand before it. */
static const struct hostile {
	const char *what;
	const char *block;
	size_t length;
	uint32_t offset, blocks;
	int good;
	bool sound;
} hostiles[] = {
#define BLOCK(literal) literal, sizeof(literal) - 1
    {"df 1 inline, df 1, df 300",
     BLOCK("\0\0\0\3"
           "\0\1a\1\x14\5"
           "\1\1b\1\x19\7\x09"
           "\0\1m\xac\2\x63\x28"),
     0, 1, 3, true},
    {"no blocks",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x14\5"),
     0, 0, 0, false},
    {"two blocks in the room of one", BLOCK(""), 0, 2, 0, false},
    {"a block where the index is",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x14\5"),
     10, 1, 0, false},
    {"a block far away",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x14\5"),
     1u << 31, 1, 0, false},
    {"a number beyond 64 bits", BLOCK("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0\0\0\0"), 0, 1, 0, false},
    {"a place in postings beyond 64 bits", BLOCK("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0\0"), 0, 1, 0, false},
    {"a place in positions beyond 64 bits", BLOCK("\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0\0"), 0, 1, 0,
     false},
    {"a block without a number of terms", BLOCK("\0\0\0"), 0, 1, 0, false},
    {"more terms than there are",
     BLOCK("\0\0\0\2"
           "\0\1a\1\x14\5"),
     0, 1, 1, false},
    {"a term that is cut off",
     BLOCK("\0\0\0\2"
           "\0\1a\1\x14\5"
           "\1"),
     0, 1, 1, false},
    {"bytes of a term that are cut off",
     BLOCK("\0\0\0\1"
           "\0\5abcd"),
     0, 1, 0, false},
    {"bytes shared with no term",
     BLOCK("\0\0\0\1"
           "\1\1a\1\x14\5"),
     0, 1, 0, false},
    {"no df",
     BLOCK("\0\0\0\1"
           "\0\1a\0\x14\5"),
     0, 1, 0, false},
    {"a df beyond 32 bits",
     BLOCK("\0\0\0\1"
           "\0\1a\x81\x80\x80\x80\x10\x14\5\5"),
     0, 1, 0, false},
    {"a df that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\x81"),
     0, 1, 0, false},
    {"a docID beyond 32 bits",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x80\x80\x80\x80\x40\5"),
     0, 1, 0, false},
    {"a docID that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x80"),
     0, 1, 0, false},
    {"a kind that there is not",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x16\5\5"),
     0, 1, 0, false},
    {"a position beyond 32 bits",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x14\x80\x80\x80\x80\x10"),
     0, 1, 0, false},
    {"a position that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x14\x80"),
     0, 1, 0, false},
    {"a tf beyond 32 bits",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x15\x80\x80\x80\x80\x10\5"),
     0, 1, 0, false},
    {"a length in postings that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\2\x80"),
     0, 1, 0, false},
    {"a length in positions that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\2\5"),
     0, 1, 0, false},
    {"a length in positions of one document that is cut off",
     BLOCK("\0\0\0\1"
           "\0\1a\1\x15\2"),
     0, 1, 0, false},
#undef BLOCK
};

/* Walk what the part says to be one extent, of exactly these bytes: how many terms, or the error. */
static int walk(struct terms *terms, const uint8_t *bytes, size_t length)
{
	struct terms_cursor cursor = {0};
	int code, count = 0;
	uint8_t *copy = malloc(length);
	memcpy(copy, bytes, length);
	atomic_store(&terms->part.extents[0], copy);
	terms->part.bytes = length;
	while ((code = terms_next(terms, &cursor, &error)) > 0 && count < 1000)
		count++;
	free(copy);
	return code < 0 ? code * 1000 - count : count;
}

static void each_thing_that_may_be_wrong_with_a_block_is_refused(void **state)
{
	(void)state;
	struct random random = {1};
	struct dictionary dictionary = {0};
	add_word(&dictionary, "trawl", 5);
	dictionary_open(&dictionary, true, &random);
	for (size_t i = 0; i < sizeof hostiles / sizeof *hostiles; i++) {
		const struct hostile *hostile = &hostiles[i];
		struct buffer extent = {0};
		const uint64_t prefix = (uint64_t)'a' << 56;
		assert_true(buffer_append(&extent, hostile->block, hostile->length) &&
		            buffer_append(&extent, &prefix, 8) && buffer_append(&extent, &hostile->offset, 4) &&
		            buffer_append(&extent, &hostile->blocks, 4));
		int got = walk(&dictionary.terms, extent.data, extent.length);
		if (got != (hostile->sound ? hostile->good : TRAWL_ECORRUPT * 1000 - hostile->good))
			fail_msg("%s: %d", hostile->what, got);
		buffer_release(&extent);
	}
	for (size_t length = 1; length < 4; length++)
		assert_int_equal(walk(&dictionary.terms, (const uint8_t *)"\1\0\0", length), TRAWL_ECORRUPT * 1000);
	dictionary_release(&dictionary);
}

/* A term as long as no term is cannot be there, whatever its first 255 bytes are. */
static void terms_longer_than_255_bytes_are_absent(void **state)
{
	(void)state;
	struct random random = {1};
	struct dictionary dictionary = {0};
	char term[300];
	memset(term, 'z', sizeof term);
	add_word(&dictionary, term, 255);
	dictionary_open(&dictionary, true, &random);
	struct term_entry entry;
	assert_int_equal(terms_find(&dictionary.terms, term, 255, &entry, &error), 1);
	assert_int_equal(terms_find(&dictionary.terms, term, 256, &entry, &error), 0);
	assert_int_equal(terms_find(&dictionary.terms, term, 300, &entry, &error), 0);
	dictionary_release(&dictionary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_thing_that_may_be_wrong_with_a_block_is_refused),
	    cmocka_unit_test(terms_longer_than_255_bytes_are_absent),
	    cmocka_unit_test(an_empty_dictionary_has_no_terms),
	    cmocka_unit_test(a_dictionary_of_one_term_has_it),
	    cmocka_unit_test(terms_over_several_extents_are_found_and_walked),
	    cmocka_unit_test(terms_with_equal_first_eight_bytes_are_told_apart),
	    cmocka_unit_test(terms_of_any_bytes_and_every_length_are_found),
	    cmocka_unit_test(damaged_extents_are_never_read_beyond),
	    cmocka_unit_test(a_root_that_is_cut_off_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
