/* Encoders of posting lists that run out of memory or meet a limit say so; stored positions are copied as they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "segment/bigrams_writer.h"
#include "segment/segment.h"
#include "segment/segment_writer.h"
#include "tests/check.h"
#include "tests/scratch.h"

#define DOCUMENTS 9000

static trawl_error error;
static struct store *store;
static uint8_t lengths[DOCUMENTS + EXTENT_SLACK];
static uint32_t docs[DOCUMENTS], tfs[DOCUMENTS];

static int open_store(void **state)
{
	(void)state;
	remove(scratch_path("encoders"));
	CHECK(store_open(&store, scratch_path("encoders"), true, &error));
	memset(lengths, length_encode(200), sizeof lengths);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

/* Every step-th document, with tfs of every form. */
static uint32_t make_list(uint32_t step)
{
	uint32_t n = 0;
	for (uint32_t doc = 0; doc < DOCUMENTS; doc += step) {
		docs[n] = doc;
		tfs[n] = n % 3 ? 1 + n % 7 : 70 + n % 90;
		n++;
	}
	return n;
}

/* ---- the ways to write lists ---- */

static int rising(void *context, uint32_t count, uint32_t *positions, trawl_error *unused)
{
	(void)context;
	(void)unused;
	for (uint32_t i = 0; i < count; i++)
		positions[i] = i;
	return 0;
}

struct writers {
	struct store_batch *batch;
	struct part_writer postings, positions;
	struct postings_encoder encoder;
	struct buffer apart;
};

static int begin(struct writers *writers, bool positions)
{
	*writers = (struct writers){0};
	int code = store_batch_new(&writers->batch, store, &error);
	if (!code)
		code = part_writer_init(&writers->postings, writers->batch, 1, PART_POSTINGS, &error);
	if (!code)
		code = part_writer_init(&writers->positions, writers->batch, 1, PART_POSITIONS, &error);
	writers->encoder = (struct postings_encoder){.postings = &writers->postings,
	                                             .positions = positions ? &writers->positions : NULL,
	                                             .lengths = lengths,
	                                             .last_positions = lengths,
	                                             .documents = DOCUMENTS};
	bm25_denominators(BUILD_K1, BUILD_B, 200, writers->encoder.denominators);
	return code;
}

static void end(struct writers *writers)
{
	part_writer_release(&writers->postings);
	part_writer_release(&writers->positions);
	postings_encoder_release(&writers->encoder);
	buffer_release(&writers->apart);
	store_batch_free(writers->batch);
}

static const struct position_source source = {rising, NULL};
static const uint32_t steps[] = {10, 2, 1, 3};
static const uint8_t filler[EXTENT_PAYLOAD];

static int write_lists(bool positions)
{
	struct writers writers;
	struct list_place place;
	int code = begin(&writers, positions);
	for (size_t i = 0; !code && i < sizeof steps / sizeof *steps; i++) {
		uint32_t n = make_list(steps[i]);
		if (!positions) /* each list begins an extent */
			code = part_writer_append(&writers.postings, filler,
			                          EXTENT_PAYLOAD - 100 - writers.postings.used, &error);
		if (!code)
			code = postings_encode(&writers.encoder, docs, tfs, n, &source, &place, &error);
	}
	if (!code)
		code = part_writer_finish(&writers.postings, &error);
	end(&writers);
	return code;
}

static int write_with_positions(void)
{
	return write_lists(true);
}

static int write_without_positions(void)
{
	return write_lists(false);
}

static int write_lists_apart(bool positions)
{
	struct writers writers, encoding;
	struct list_place place;
	int code = begin(&writers, positions), begun = begin(&encoding, positions);
	code = code ? code : begun;
	for (size_t i = 0; !code && i < sizeof steps / sizeof *steps; i++) {
		uint32_t n = make_list(steps[i]);
		code = postings_encode_to(&encoding.encoder, docs, tfs, n, &source, &encoding.apart, &error);
	}
	const uint8_t *at = encoding.apart.data;
	for (size_t i = 0; !code && i < sizeof steps / sizeof *steps; i++)
		code = postings_place(&writers.encoder, &at, &place, &error);
	if (!code)
		assert_ptr_equal(at, encoding.apart.data + encoding.apart.length);
	end(&writers);
	end(&encoding);
	return code;
}

static int write_apart_with_positions(void)
{
	return write_lists_apart(true);
}

static int write_apart_without_positions(void)
{
	return write_lists_apart(false);
}

static int write_bigrams(void)
{
	struct writers writers;
	struct bigrams_writer bigrams = {0};
	char name[BIGRAM_NAME_BYTES];
	struct segment_writer segment = {.number = 1, .lengths = lengths, .documents = DOCUMENTS, .average = 200};
	int code = begin(&writers, false);
	segment.batch = writers.batch;
	if (!code) {
		code = bigrams_writer_init(&bigrams, &segment, &error);
		for (uint32_t i = 0; !code && i < 3; i++) {
			static const uint32_t bigram_steps[] = {1, 20, DOCUMENTS};
			uint32_t n = make_list(bigram_steps[i]);
			bigram_name(name, i, 7);
			code = bigrams_writer_add(&bigrams, name, docs, tfs, n, &error);
		}
		if (!code)
			code = bigrams_writer_finish(&bigrams, &error);
		bigrams_writer_release(&bigrams);
	}
	end(&writers);
	return code;
}

/* Let each allocation fail in turn, alone and with all that follow, until there are no more. */
static void starve(int (*write)(void))
{
	long allocations[2];
	for (int sticky = 0; sticky < 2; sticky++) {
		int code = TRAWL_ENOMEM;
		for (long n = 0; code; n++) {
			memory_fail_after(n, sticky);
			code = write();
			memory_fail_after(-1, false);
			assert_true(code == 0 || (code == TRAWL_ENOMEM && error.code == TRAWL_ENOMEM));
			allocations[sticky] = n;
		}
	}
	assert_true(allocations[0] > 5);
	assert_int_equal(allocations[0], allocations[1]); /* no failure went by unseen */
}

static void every_allocation_that_fails_is_told(void **state)
{
	(void)state;
	starve(write_with_positions);
	starve(write_without_positions);
	starve(write_apart_with_positions);
	starve(write_apart_without_positions);
	starve(write_bigrams);
}

/* ---- limits, and what sources say ---- */

static int refusing(void *context, uint32_t count, uint32_t *positions, trawl_error *why)
{
	(void)count;
	(void)positions;
	return error_set(why, TRAWL_ECORRUPT, "%s", (const char *)context);
}

static void a_source_that_fails_fails_the_list(void **state)
{
	(void)state;
	struct position_source bad = {refusing, "no positions today"};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		for (int positions = 0; positions < 2; positions++) {
			struct writers writers;
			struct list_place place;
			CHECK(begin(&writers, positions));
			uint32_t n = make_list(steps[i]);
			assert_int_equal(postings_encode(&writers.encoder, docs, tfs, n, &bad, &place, &error),
			                 TRAWL_ECORRUPT);
			assert_string_equal(error.text, "no positions today");
			assert_int_equal(
			    postings_encode_to(&writers.encoder, docs, tfs, n, &bad, &writers.apart, &error),
			    TRAWL_ECORRUPT);
			end(&writers);
		}
}

static void positions_of_a_group_over_512_MiB_are_refused(void **state)
{
	(void)state;
	struct writers writers;
	struct list_place place;
	uint32_t n = make_list(1);
	for (uint32_t i = 0; i < 4; i++) {
		tfs[i] = 1u << 28;
		lengths[i] = 255;
	}
	assert_true(4 * position_bits(tfs[0], 255) > UINT32_MAX);
	CHECK(begin(&writers, true));
	assert_int_equal(postings_encode(&writers.encoder, docs, tfs, n, &source, &place, &error), TRAWL_ELIMIT);
	assert_non_null(strstr(error.text, "512 MiB"));
	CHECK(postings_encode_to(&writers.encoder, docs, tfs, 0, &source, &writers.apart, &error));
	end(&writers);
	memset(lengths, length_encode(200), 4);
}

static void documents_without_length_have_an_average_of_0(void **state)
{
	(void)state;
	float denominators[256];
	bm25_denominators(1, 0.25f, 0, denominators);
	for (int code = 0; code < 256; code++)
		assert_true(denominators[code] == 0.75f);
}

/* ---- copies ---- */

struct stored {
	const uint8_t *bytes;
	uint32_t n;
};

/* Posting by posting, from wherever its bits begin. */
static int copy_stored(void *context, struct postings_encoder *encoder, trawl_error *why)
{
	const struct stored *stored = context;
	uint64_t at = 0;
	int code = 0;
	for (uint32_t i = 0; !code && i < stored->n; i++) {
		uint64_t bits = position_bits(tfs[i], lengths[docs[i]]);
		code = positions_copy(encoder, stored->bytes + at / 8, at % 8, bits, why);
		at += bits;
	}
	return code;
}

static struct stored copied;

static int write_copies(void)
{
	struct writers writers;
	struct list_place place;
	const struct position_source from = {NULL, &copied};
	int code = begin(&writers, true);
	writers.encoder.copy_positions = copy_stored;
	if (!code)
		code = postings_encode(&writers.encoder, docs, tfs, copied.n, &from, &place, &error);
	if (!code)
		assert_memory_equal(writers.positions.buffer, copied.bytes, place.positions_bytes);
	end(&writers);
	return code;
}

static void stored_positions_are_copied_as_they_are(void **state)
{
	(void)state;
	struct writers writers;
	struct list_place place;
	copied.n = make_list(1);
	CHECK(begin(&writers, true));
	CHECK(postings_encode(&writers.encoder, docs, tfs, copied.n, &source, &place, &error));
	assert_int_equal(place.positions, 0);
	assert_true(place.positions_bytes > 64 << 10 && place.positions_bytes + EXTENT_SLACK < EXTENT_PAYLOAD);
	memset(writers.positions.buffer + place.positions_bytes, 0xff, EXTENT_SLACK);
	copied.bytes = writers.positions.buffer;
	assert_int_equal(write_copies(), 0);
	starve(write_copies);
	end(&writers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_that_fails_is_told),
	    cmocka_unit_test(a_source_that_fails_fails_the_list),
	    cmocka_unit_test(positions_of_a_group_over_512_MiB_are_refused),
	    cmocka_unit_test(documents_without_length_have_an_average_of_0),
	    cmocka_unit_test(stored_positions_are_copied_as_they_are),
	};
	return cmocka_run_group_tests(tests, open_store, close_store);
}
