/*
 * Text -> tokens: the ASCII fast path and the Unicode path give the same tokens, in ascending places inside the text; every
 * classifier that this machine has gives the portable one's classes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tokenizer/classify.h"
#include "tokenizer/tokenizer.h"

static void classifiers_agree(const uint8_t *text, size_t length)
{
	classify_function *const all[] = {classify_sse2, classify_avx2, classify_avx512};
	const enum cpu_level needed[] = {CPU_SCALAR, CPU_AVX2, CPU_AVX512};
	size_t blocks = length / CLASSIFY_BLOCK;
	if (!blocks)
		return;
	struct byte_classes *expected = malloc(blocks * sizeof *expected), *classes = malloc(blocks * sizeof *classes);
	uint8_t *expected_lower = malloc(blocks * CLASSIFY_BLOCK), *lower = malloc(blocks * CLASSIFY_BLOCK);
	PROMISE(expected && classes && expected_lower && lower);
	classify_portable(text, blocks, expected, expected_lower);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (needed[i] > cpu_level_available())
			continue;
		all[i](text, blocks, classes, lower);
		PROMISE(memcmp(classes, expected, blocks * sizeof *classes) == 0);
		PROMISE(memcmp(lower, expected_lower, blocks * CLASSIFY_BLOCK) == 0);
	}
	free(expected);
	free(classes);
	free(expected_lower);
	free(lower);
}

static int next(struct tokenizer *tokenizer, struct token *token)
{
	int got = tokenizer_next(tokenizer, token, 1);
	PROMISE(got >= 0);
	return got;
}

static void paths_agree(struct tokenizer *fast, struct tokenizer *slow, size_t length)
{
	struct token a, b;
	uint64_t end = 0;
	int64_t position = -1;
	while (next(fast, &a)) {
		PROMISE(next(slow, &b));
		PROMISE(a.start == b.start && a.length == b.length && a.position == b.position);
		PROMISE(a.word->term_length == b.word->term_length && a.word->term_length > 0);
		PROMISE(memcmp(a.word->term, b.word->term, a.word->term_length) == 0);
		PROMISE(a.start >= end && a.length > 0 && a.start + a.length <= length);
		PROMISE((int64_t)a.position > position);
		end = a.start + a.length;
		position = a.position;
	}
	PROMISE(!next(slow, &b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* One pair for each analysis: a tokenizer that has seen other texts is what a writer has. */
	static struct tokenizer *fast[24], *slow[24];
	trawl_error error;
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input) % 24;
	trawl_analysis analysis = fuzz_analysis(kind);
	if (!fast[kind]) {
		fuzz_need(tokenizer_new(&fast[kind], &analysis, &error), &error);
		fuzz_need(tokenizer_new(&slow[kind], &analysis, &error), &error);
		tokenizer_force_unicode(slow[kind], true);
		tokenizer_limit_cache(fast[kind], 1 << 20);
		tokenizer_limit_cache(slow[kind], 1 << 20);
	}
	size_t length;
	const uint8_t *bytes = take(&input, SIZE_MAX, &length);
	uint8_t *text = fuzz_tight(bytes, length, 0);
	classifiers_agree(text, length);
	tokenizer_start(fast[kind], (const char *)text, length);
	tokenizer_start(slow[kind], (const char *)text, length);
	paths_agree(fast[kind], slow[kind], length);
	tokenizer_continue(fast[kind], (const char *)text + length / 2, length - length / 2);
	tokenizer_continue(slow[kind], (const char *)text + length / 2, length - length / 2);
	paths_agree(fast[kind], slow[kind], length);
	free(text);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char *const texts[] = {
	    "The quick brown fox's jumps over 3.14 lazy dogs, isn't it? can't.stop a:b 1,000,000 foo_bar U.S.A.",
	    "Caf\xc3\xa9 na\xc3\xafve \xe2\x80\x99tis Stra\xc3\x9f"
	    "e \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xe6\xbc\xa2\xe5\xad\x97\xe3\x82\xab\xe3\x82\xbf",
	    "e\xcc\x81 \xe0\xb8\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \xd7\xa9\xd7\x9c\"\xd7\x9d "
	    "\xff\xfe\xc0\x80 x",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	    "0123456789012345678901234567890123456789012345678901234567890123456789 "
	    "\xc4\xb0stanbul \xef\xac\x81n \xe2\x85\xa3 \xf0\x9d\x94\xb8",
	};
	if (number >= 4)
		return false;
	return buffer_append_byte(out, (uint8_t)(number * 5)) &&
	       buffer_append(out, texts[number], strlen(texts[number]));
}
