/*
 * Any query in either syntax, and any filter, on a small index: every kernel gives the same bits, and where the text has words, signs and
 * phrases alone they are the naive scorer's answer. The index has posting lists of every form, three segments, and documents that were deleted.
 */
#include <string.h>

#include "searcher/kernel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/oracle.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"

#define DOCUMENTS 2300

static struct random_corpus corpus;
static struct naive *naive;
static trawl_searcher *searcher;

static void build(void)
{
	struct random random = {77};
	trawl_error error;
	trawl_writer *writer;
	trawl_index *index;
	trawl_writer_options options = {.analysis = {.language = "english", .stop_words = true}, .bigrams = true};
	const char *path = scratch_path("query.trawl");
	random_corpus_make(&corpus, &random, DOCUMENTS);
	naive = naive_new(&options.analysis);
	fuzz_need(trawl_writer_open(&writer, path, &options, &error), &error);
	for (size_t i = 0; i < corpus.count; i++) {
		const trawl_document *document = &corpus.documents[i];
		fuzz_need(trawl_writer_add(writer, document, &error), &error);
		naive_put(naive, document);
		if (i == 2200 || i == 2250)
			fuzz_need(trawl_writer_commit(writer, &error), &error);
		if (i % 50 == 7) {
			fuzz_need(trawl_writer_delete(writer, document->id, document->id_length, &error), &error);
			naive_delete(naive, document->id, document->id_length);
		}
	}
	fuzz_need(trawl_writer_commit(writer, &error), &error);
	trawl_writer_close(writer);
	fuzz_need(trawl_open(&index, path, &error), &error);
	fuzz_need(trawl_searcher_new(&searcher, index, &error), &error);
}

static uint64_t answer(const char *query, size_t length, const trawl_search_options *options, int *status)
{
	trawl_error error;
	size_t count;
	uint64_t hash = 14695981039346656037u;
	*status = trawl_search(searcher, query, length, options, &error);
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &hits[i].score, sizeof bits);
		hash = ((hash ^ hits[i].document) * 1099511628211u ^ bits) * 1099511628211u;
	}
	return (hash ^ trawl_match_count(searcher)) * 1099511628211u ^ count;
}

/* Whether the naive scorer, which knows words, signs and phrases alone, reads the text as the engine does. */
static bool is_flat(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] >= '0' && text[i] <= '9') &&
		    (!text[i] || !strchr(" +-\"", text[i])))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t tops[] = {10, 1, 100, 1000, 10000, 0, 3, 65};
	static const float k1s[] = {0.9f, 0, 1.2f, 1000}, bs[] = {0.4f, 0, 0.75f, 1};
	struct fuzz_input input = {data, size};
	if (!searcher)
		build();
	uint8_t shape = take8(&input), more = take8(&input);
	trawl_search_options options = {.top = tops[shape & 7],
	                                .count = shape & 8,
	                                .stable_ties = shape & 16,
	                                .set_k1 = shape & 32,
	                                .set_b = shape & 64,
	                                .k1 = k1s[more & 3],
	                                .b = bs[more >> 2 & 3],
	                                .syntax = more & 32 ? TRAWL_SYNTAX_STRICT : TRAWL_SYNTAX_PLAIN};
	size_t filter_length;
	const uint8_t *filter = take(&input, more & 16 ? take8(&input) : 0, &filter_length);
	char *tight_filter = (char *)fuzz_tight(filter, filter_length, 0);
	options.filter = more & 16 ? tight_filter : NULL;
	options.filter_length = filter_length;
	naive_filter(naive, options.filter, filter_length);
	char *query = (char *)fuzz_tight(input.at, input.left, 0);
	size_t length = input.left;
	int expected_status, status;
	fuzz_use_kernel(kernel_for(CPU_SCALAR));
	uint64_t expected = answer(query, length, &options, &expected_status);
	for (int level = CPU_AVX2; level <= CPU_AVX512; level++) {
		const struct kernel *kernel = kernel_for((enum cpu_level)level);
		if (!kernel)
			continue;
		fuzz_use_kernel(kernel);
		PROMISE(answer(query, length, &options, &status) == expected);
		PROMISE(status == expected_status);
	}
	bool strict = options.syntax == TRAWL_SYNTAX_STRICT;
	PROMISE(!expected_status || expected_status == TRAWL_ELIMIT || (strict && expected_status == TRAWL_EINVAL));
	PROMISE(expected_status != TRAWL_EINVAL || trawl_query_error_place(searcher) <= length ||
	        trawl_query_error_place(searcher) <= filter_length);
	fuzz_use_kernel(kernel_for(CPU_SCALAR));
	bool known = !expected_status && !strict && is_flat(query, length) && is_flat(tight_filter, filter_length);
	const char *why = known ? oracle_complaint(naive, searcher, query, length, &options, true) : NULL;
	if (why)
		fuzz_broken(why, __FILE__, __LINE__);
	naive_filter(naive, NULL, 0);
	memory_free(tight_filter);
	memory_free(query);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static char query[RANDOM_QUERY_MAX];
	static const char *const shaped[] = {
	    "ba AND (be OR \"bi bo\"~3) NOT bu",       "ba NEAR/3 be NEAR/3 \"bi bo\"",
	    "ba BEFORE/5 be^2 (bi bo bu)~2",           "+(ba be -(bi bo))^=2 ca* b?b* bebo~1 *:*",
	    "\"ba be\"~2 \"ba ba\"~9 -(ba NEAR/0 ba)", "(ba be bi)~66% title:ba date:[1 TO 2} =ba"};
	struct random random = {number + 1};
	unsigned plain_seeds = 3 * QUERY_KINDS, shapes = sizeof shaped / sizeof *shaped;
	if (number >= plain_seeds + 2 * shapes)
		return false;
	if (number >= plain_seeds) { /* in plain syntax, then in strict */
		const char *text = shaped[(number - plain_seeds) % shapes];
		return buffer_append_byte(out, 8) && buffer_append_byte(out, number - plain_seeds < shapes ? 0 : 32) &&
		       buffer_append(out, text, strlen(text));
	}
	if (!searcher)
		build();
	size_t length = random_query(query, &corpus, &random, (enum query_kind)(number % QUERY_KINDS));
	length = length < 300 ? length : 300;
	if (!buffer_append_byte(out, (uint8_t)(number * 5)) || !buffer_append_byte(out, (uint8_t)number))
		return false;
	if (number & 16) {
		static char filter[RANDOM_QUERY_MAX];
		size_t filter_length = random_query(filter, &corpus, &random, (enum query_kind)(number % QUERY_KINDS));
		filter_length = filter_length < 200 ? filter_length : 200;
		if (!buffer_append_byte(out, (uint8_t)filter_length) || !buffer_append(out, filter, filter_length))
			return false;
	}
	return buffer_append(out, query, length);
}
