/* A snippet of any text for any terms: made of the text, its marks ascend inside it, and it is about as long as asked. */
#include <stdlib.h>
#include <string.h>

#include "searcher/snippet.h"
#include "tests/fuzz/fuzz.h"

#define TERMS_MAX 8

static void check(const trawl_snippet *snippet)
{
	size_t end = 0;
	PROMISE(snippet->fragments <= 2);
	fuzz_touch(snippet->text, snippet->length);
	for (size_t i = 0; i < snippet->mark_count; i++) {
		const trawl_span *mark = &snippet->marks[i];
		PROMISE(mark->length > 0 && mark->start >= end);
		PROMISE(mark->start <= snippet->length && mark->length <= snippet->length - mark->start);
		end = mark->start + mark->length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizers[24];
	static struct snippet_maker maker;
	struct fuzz_input input = {data, size};
	trawl_error error;
	trawl_snippet snippet;
	struct snippet_term terms[TERMS_MAX];
	uint8_t kind = take8(&input) % 24;
	trawl_analysis analysis = fuzz_analysis(kind);
	if (!tokenizers[kind])
		fuzz_need(tokenizer_new(&tokenizers[kind], &analysis, &error), &error);
	size_t width = take16(&input), count = take8(&input) % (TERMS_MAX + 1), length;
	for (size_t i = 0; i < count; i++) {
		uint8_t shape = take8(&input);
		terms[i].term = (const char *)take(&input, shape & 15, &terms[i].length);
		terms[i].weight = (float)(shape >> 4);
		terms[i].phrase = shape >> 6;
	}
	uint8_t *text = fuzz_tight(input.at, input.left, 0);
	length = input.left;
	fuzz_need(snippet_make(&maker, tokenizers[kind], (const char *)text, length, terms, count, width, &snippet),
	          &error);
	check(&snippet);
	free(text);
	return 0;
}

static bool append_term(struct buffer *out, const char *term, uint8_t phrase)
{
	uint8_t shape = (uint8_t)(strlen(term) | 1u << 4 | (unsigned)phrase << 6);
	return buffer_append_byte(out, shape) && buffer_append(out, term, strlen(term));
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char text[] =
	    "Full-text search:\tthe  quick brown fox jumps over the lazy dog. A second sentence about "
	    "caf\xc3\xa9s follows; the brown dog is quick. \xe2\x80\xa6 And so on and so on until the "
	    "end of the quick text, which is far longer than any fragment of it can be.";
	const uint8_t head[] = {4, (uint8_t)(40 * number + 20), 0, 3};
	if (number >= 4)
		return false;
	return buffer_append(out, head, sizeof head) && append_term(out, "quick", 0) &&
	       append_term(out, "brown", number & 1) && append_term(out, "fox", number & 1) &&
	       buffer_append(out, text, sizeof text - 1);
}
