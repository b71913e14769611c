/* hits.c - what a hit is: its id, its stored document, its snippet. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "searcher/searcher.h"

static int locate(trawl_searcher *searcher, uint64_t document, struct segment **segment, uint32_t *doc,
                  trawl_error *error)
{
	if (index_locate(searcher->index, document, segment, doc))
		return 0;
	return error_set(error, TRAWL_EINVAL, "no document with the number %llu", (unsigned long long)document);
}

int trawl_hit_id(trawl_searcher *searcher, uint64_t document, const char **id, size_t *id_length, trawl_error *error)
{
	struct segment *segment;
	uint32_t doc, ordinal;
	int code = locate(searcher, document, &segment, &doc, error);
	if (!code)
		code = segment_ordinal(segment, doc, &ordinal, error);
	return code ? code : documents_id(&segment->stored, ordinal, &searcher->reader.scratch, id, id_length, error);
}

int trawl_hit_document(trawl_searcher *searcher, uint64_t document, trawl_document *stored, trawl_error *error)
{
	struct segment *segment;
	uint32_t doc;
	int code = locate(searcher, document, &segment, &doc, error);
	return code ? code : segment_fetch(segment, doc, &searcher->reader.scratch, stored, error);
}

/* Terms of a query as the snippet maker wants them. */
struct shown_terms {
	struct snippet_term *terms;
	size_t count;
	uint32_t phrases;
};

static size_t count_terms(const struct plan_group *group)
{
	size_t count = 0;
	for (uint32_t i = 0; i < group->count; i++)
		count += group->members[i].group ? count_terms(group->members[i].group) : group->members[i].words;
	return count;
}

static void list_terms(struct shown_terms *list, const struct plan_group *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		const struct plan_node *node = &group->members[i];
		if (node->occur == OCCUR_EXCLUDED)
			continue;
		if (node->group)
			list_terms(list, node->group);
		list->phrases += node->kind == NODE_PHRASE;
		for (uint32_t w = 0; w < node->words; w++)
			list->terms[list->count++] = (struct snippet_term){
			    node->terms[w].bytes, node->terms[w].length, node->weight / (float)node->words,
			    node->kind == NODE_PHRASE ? list->phrases : 0};
	}
}

static struct snippet_term *snippet_terms(trawl_searcher *searcher, size_t *count)
{
	const struct plan_group *root = &searcher->plan.root;
	struct arena *arena = &searcher->reader.arena;
	arena_reset(arena);
	struct shown_terms list = {.terms = arena_new(arena, (count_terms(root) + 1) * sizeof *list.terms)};
	if (list.terms)
		list_terms(&list, root);
	*count = list.count;
	return list.terms;
}

int trawl_hit_snippet(trawl_searcher *searcher, uint64_t document, size_t width, trawl_snippet *snippet,
                      trawl_error *error)
{
	trawl_document stored;
	size_t count;
	*snippet = (trawl_snippet){0};
	int code = trawl_hit_document(searcher, document, &stored, error);
	if (code)
		return code;
	struct snippet_term *terms = snippet_terms(searcher, &count);
	if (!terms)
		return error_set_memory(error);
	/* A document of a title alone shows its title. */
	bool has_text = stored.text_length > 0;
	code = snippet_make(&searcher->reader.snippets, searcher->tokenizer, has_text ? stored.text : stored.title,
	                    has_text ? stored.text_length : stored.title_length, terms, count, width ? width : 240,
	                    snippet);
	return code ? error_set_memory(error) : 0;
}

/* ---- stable ties ---- */

struct named_hit {
	trawl_hit hit;
	const char *id;
	size_t id_length;
};

static bool comes_before(const struct named_hit *a, const struct named_hit *b)
{
	if (a->hit.score != b->hit.score)
		return a->hit.score > b->hit.score;
	return bytes_compare(a->id, a->id_length, b->id, b->id_length) < 0;
}

/* Merge sort: ties are few, but a hostile collection may be nothing else. */
static void merge_sort(struct named_hit *hits, struct named_hit *scratch, size_t n)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t start = 0; start < n; start += 2 * width) {
			size_t middle = start + width < n ? start + width : n,
			       end = middle + width < n ? middle + width : n;
			size_t left = start, right = middle;
			for (size_t out = start; out < end; out++)
				scratch[out] =
				    left < middle && (right == end || !comes_before(&hits[right], &hits[left]))
				        ? hits[left++]
				        : hits[right++];
		}
		memcpy(hits, scratch, n * sizeof *hits);
	}
}

int sort_by_id(trawl_searcher *searcher, trawl_error *error)
{
	size_t n = searcher->top.count;
	arena_reset(&searcher->reader.arena);
	struct named_hit *named = arena_new(&searcher->reader.arena, 2 * n * sizeof *named);
	if (!named)
		return error_set_memory(error);
	for (size_t i = 0; i < n; i++) {
		named[i].hit = searcher->top.hits[i];
		const char *id;
		int code = trawl_hit_id(searcher, named[i].hit.document, &id, &named[i].id_length, error);
		if (code)
			return code;
		named[i].id = arena_copy(&searcher->reader.arena, id, named[i].id_length);
		if (!named[i].id)
			return error_set_memory(error);
	}
	merge_sort(named, named + n, n);
	for (size_t i = 0; i < n; i++)
		searcher->top.hits[i] = named[i].hit;
	return 0;
}
