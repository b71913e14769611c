/* zstd in memory of ours: the frames that zstd's own dictionaries give, and errors where memory fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/compression.h"
#include "base/memory.h"
#include "tests/random_corpus.h"

#define TEXT_BYTES ((size_t)1 << 20)
#define LEVEL 3

static char *make_text(void)
{
	struct random random = {11};
	char *text = malloc(TEXT_BYTES + 32);
	assert_non_null(text);
	for (size_t length = 0; length < TEXT_BYTES;)
		length += (size_t)snprintf(text + length, 32, "word%u ",
		                           (unsigned)(random_below(&random, 90) * random_below(&random, 90)));
	return text;
}

static size_t frame_of(struct ZSTD_CCtx_s *compressor, const char *text, size_t dictionary, size_t length, void *frame,
                       size_t room)
{
	struct compression_dictionary *prepared = compression_dictionary_new(text, dictionary, LEVEL);
	assert_non_null(prepared);
	size_t size = compress_with(compressor, prepared, frame, room, text + TEXT_BYTES / 4, length);
	compression_dictionary_free(prepared);
	assert_false(ZSTD_isError(size));
	return size;
}

static void frames_are_as_small_as_with_the_dictionary_of_zstd_and_decompress_with_it(void **state)
{
	(void)state;
	static const size_t dictionaries[] = {1, 100, 4096, 16384, 65536};
	static const size_t lengths[] = {1, 1000, 16384, 100000, 131072, 400000, 700000};
	char *text = make_text(), *back = malloc(TEXT_BYTES);
	size_t room = ZSTD_compressBound(TEXT_BYTES);
	uint8_t *ours = malloc(room), *theirs = malloc(room);
	ZSTD_CCtx *compressor = compressor_new(), *other = ZSTD_createCCtx();
	ZSTD_DCtx *decompressor = decompressor_new();
	assert_true(back && ours && theirs && compressor && other && decompressor);
	for (size_t d = 0; d < sizeof dictionaries / sizeof *dictionaries; d++) {
		ZSTD_CDict *prepared = ZSTD_createCDict(text, dictionaries[d], LEVEL);
		ZSTD_DDict *reading = decompression_dictionary_new(text, dictionaries[d]);
		assert_true(prepared && reading);
		for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
			const char *block = text + TEXT_BYTES / 4;
			size_t size = frame_of(compressor, text, dictionaries[d], lengths[l], ours, room);
			size_t expected = ZSTD_compress_usingCDict(other, theirs, room, block, lengths[l], prepared);
			assert_true(size <= expected + expected / 50 + 8);
			assert_int_equal(
			    ZSTD_decompress_usingDDict(decompressor, back, TEXT_BYTES, ours, size, reading),
			    lengths[l]);
			assert_memory_equal(back, block, lengths[l]);
		}
		ZSTD_freeCDict(prepared);
		ZSTD_freeDDict(reading);
	}
	ZSTD_freeCCtx(compressor);
	ZSTD_freeCCtx(other);
	ZSTD_freeDCtx(decompressor);
	free(text);
	free(back);
	free(ours);
	free(theirs);
}

/* Whether all could be made, and a block compressed and decompressed, when the allocation after `n` fails. */
static bool round_trip(const char *text, long n)
{
	static uint8_t frame[40000], back[20000];
	memory_fail_after(n, false);
	struct ZSTD_CCtx_s *compressor = compressor_new();
	struct ZSTD_DCtx_s *decompressor = decompressor_new();
	struct compression_dictionary *writing = compression_dictionary_new(text, 5000, LEVEL);
	struct ZSTD_DDict_s *reading = decompression_dictionary_new(text, 5000);
	bool done = compressor && decompressor && writing && reading;
	size_t size = done ? compress_with(compressor, writing, frame, sizeof frame, text, sizeof back) : 0;
	done = done && !ZSTD_isError(size) &&
	       ZSTD_decompress_usingDDict(decompressor, back, sizeof back, frame, size, reading) == sizeof back &&
	       memcmp(back, text, sizeof back) == 0;
	memory_fail_after(-1, false);
	ZSTD_freeCCtx(compressor);
	ZSTD_freeDCtx(decompressor);
	compression_dictionary_free(writing);
	ZSTD_freeDDict(reading);
	return done;
}

static void each_allocation_may_fail(void **state)
{
	(void)state;
	char *text = make_text();
	long failures = 0;
	while (!round_trip(text, failures))
		failures++;
	assert_true(failures >= 5);
	assert_true(round_trip(text, -1));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_as_small_as_with_the_dictionary_of_zstd_and_decompress_with_it),
	    cmocka_unit_test(each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
