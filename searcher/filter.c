#include "searcher/filter.h"

#include <string.h>

#include "base/error.h"
#include "searcher/searcher.h"

#define SUPERBLOCK_WORDS (SUPERBLOCK_DOCUMENTS / 64)

/* Where a segment's bits start: segments follow on each other, each from a whole superblock on. */
static size_t first_word(const struct trawl_index *index, size_t segment)
{
	return (size_t)(index->bases[segment] / SUPERBLOCK_DOCUMENTS + segment) * SUPERBLOCK_WORDS;
}

static bool has(const struct query *query, enum occur occur)
{
	for (size_t i = 0; i < query->clause_count; i++)
		if (query->clauses[i].occur == occur)
			return true;
	return false;
}

/* Look the clauses up, which counts neither as the query's work nor as its terms. */
static int weigh_all(struct trawl_searcher *searcher, struct weighed **clauses, trawl_error *error)
{
	const struct query *query = &searcher->filter.query;
	uint64_t postings = searcher->postings;
	size_t terms = searcher->terms;
	int code = 0;
	*clauses = arena_new(&searcher->arena, query->clause_count * sizeof **clauses);
	if (!*clauses)
		return error_set_memory(error);
	for (size_t i = 0; !code && i < query->clause_count; i++) {
		(*clauses)[i].clause = query->clauses[i];
		code = weigh(searcher, &(*clauses)[i], error);
	}
	searcher->postings = postings;
	searcher->terms = terms;
	return code;
}

/* Keep the live documents that are not in `bits`. */
static void invert(const struct segment *segment, uint64_t *bits)
{
	uint32_t documents = segment->documents_count;
	for (uint32_t i = 0; i * 64 < documents; i++) {
		bits[i] = ~bits[i];
		if (segment->deletions.words)
			bits[i] &= ~segment->deletions.words[i];
		if (documents - i * 64 < 64)
			bits[i] &= ((uint64_t)1 << (documents - i * 64)) - 1;
	}
}

static int find_passing(struct trawl_searcher *searcher, size_t number, const struct weighed *clauses, uint64_t *bits,
                        trawl_error *error)
{
	struct segment *segment = &searcher->index->segments[number];
	const struct query *query = &searcher->filter.query;
	bool required = has(query, OCCUR_REQUIRED), positive = required || has(query, OCCUR_OPTIONAL);
	struct evaluation evaluation = {
	    .segment = segment, .required = required, .arena = &searcher->arena, .error = error};
	evaluation.lists = arena_new(&searcher->arena, query->clause_count * sizeof *evaluation.lists);
	if (!evaluation.lists)
		return error_set_memory(error);
	for (size_t i = 0; i < query->clause_count; i++) {
		const struct clause *clause = &query->clauses[i];
		struct list *list = &evaluation.lists[evaluation.count];
		if (required && clause->occur == OCCUR_OPTIONAL)
			continue;
		int code = open_list(searcher, list, number, &clauses[i], error);
		if (code)
			return code;
		if (list->kind == LIST_EMPTY && clause->occur == OCCUR_REQUIRED)
			return 0;
		/* With nothing but exclusions, find the union of what they exclude; all others pass. */
		list->occur = positive ? clause->occur : OCCUR_OPTIONAL;
		evaluation.count += list->kind != LIST_EMPTY;
	}
	int code = evaluation.count ? kernel_get()->evaluate_matches(&evaluation, bits) : 0;
	if (!code && !positive)
		invert(segment, bits);
	return code;
}

int filter_prepare(struct trawl_searcher *searcher, const char *text, size_t length, trawl_error *error)
{
	struct filter *filter = &searcher->filter;
	const struct trawl_index *index = searcher->index;
	size_t segments = index->manifest.segment_count;
	if (filter->known && filter->text.length == length && (!length || !memcmp(filter->text.data, text, length)))
		return 0;
	filter->known = false;
	filter->text.length = 0;
	int code = query_parse(&filter->query, searcher->tokenizer, text, length, error);
	if (code)
		return code;
	size_t words = 0;
	for (size_t i = 0; i < segments; i++)
		words = first_word(index, i) + (index->segments[i].documents_count + SUPERBLOCK_DOCUMENTS - 1) /
		                                   SUPERBLOCK_DOCUMENTS * SUPERBLOCK_WORDS;
	if (!buffer_append(&filter->text, text, length) ||
	    !memory_reserve(&filter->bits, &filter->capacity, words, sizeof *filter->bits))
		return error_set_memory(error);
	if (words)
		memset(filter->bits, 0, words * sizeof *filter->bits);
	struct weighed *clauses;
	code = weigh_all(searcher, &clauses, error);
	for (size_t i = 0; !code && i < segments; i++)
		code = find_passing(searcher, i, clauses, filter->bits + first_word(index, i), error);
	filter->known = !code;
	return code;
}

const uint64_t *filter_bits(const struct trawl_searcher *searcher, size_t segment)
{
	return searcher->filter.bits + first_word(searcher->index, segment);
}

void filter_release(struct filter *filter)
{
	query_release(&filter->query);
	buffer_release(&filter->text);
	memory_free(filter->bits);
	*filter = (struct filter){0};
}
