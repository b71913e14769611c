/*
 * near.c - matches are counted from the left: the one that ends first, then the first that begins behind it, and so on. So there are as
 * many as can stand side by side, and each place is looked at once for each part.
 */
#include "searcher/near.h"

#include <string.h>

#include "base/error.h"
#include "searcher/places.h"

#define POSTINGS_SPARE 63 /* that kernels may read behind the last */
#define NOWHERE UINT64_MAX

/* Where a part of the query stands in the document at hand. */
struct stand {
	const uint32_t *starts;
	uint32_t count;
	uint32_t *own; /* of a phrase: room for starts */
	size_t own_capacity;
	uint32_t from, next; /* in any order: the first place behind the last match, and the first one not passed */
};

struct near {
	const struct plan_node *node;
	const struct query_near *wanted;
	struct places *words; /* of each distinct word, where node->same has it */
	struct stand *stands; /* of each part */
	uint64_t *begins[2];  /* in order: of this part and the one before it */
	size_t begins_capacity;
	struct context *context;
};

static int open_words(struct near *near, const struct near_source *source)
{
	const struct plan_node *node = near->node;
	struct arena *arena = &near->context->phrase_arena;
	near->words = arena_new(arena, node->words * sizeof *near->words);
	near->stands = arena_new(arena, near->wanted->count * sizeof *near->stands);
	if (!near->words || !near->stands)
		return error_set_memory(near->context->error);
	memset(near->stands, 0, near->wanted->count * sizeof *near->stands);
	int code = 0;
	for (uint32_t w = 0; w < node->words && !code; w++)
		if (node->same[w] == w)
			code = places_open(&near->words[w], source->segment, &node->entries[w][source->number],
			                   near->context);
	return code;
}

/* Where a phrase stands: at those places of its first word behind which the others follow. */
static int find_phrase(struct near *near, const struct query_part *part, struct stand *stand)
{
	const struct plan_node *node = near->node;
	const struct places *first = &near->words[node->same[part->first]];
	int code = places_reserve(&stand->own, &stand->own_capacity, first->tf, near->context);
	if (code)
		return code;
	memcpy(stand->own, first->at, first->tf * sizeof *first->at);
	stand->count = first->tf;
	for (uint32_t w = 1; w < part->words; w++) {
		const struct places *word = &near->words[node->same[part->first + w]];
		uint64_t offset = node->terms[part->first + w].offset - node->terms[part->first].offset;
		uint32_t kept = 0, j = 0;
		for (uint32_t i = 0; i < stand->count; i++) {
			while (j < word->tf && word->at[j] < stand->own[i] + offset)
				j++;
			if (j < word->tf && word->at[j] == stand->own[i] + offset)
				stand->own[kept++] = stand->own[i];
		}
		stand->count = kept;
	}
	stand->starts = stand->own;
	return 0;
}

/* 1; 0 when a part stands nowhere in the document; negative on error. */
static int find_stands(struct near *near, uint32_t doc)
{
	const struct plan_node *node = near->node;
	int code = 0;
	for (uint32_t w = 0; w < node->words && !code; w++)
		if (node->same[w] == w)
			code = places_find(&near->words[w], doc, near->context);
	for (uint32_t p = 0; p < near->wanted->count && !code; p++) {
		const struct query_part *part = &near->wanted->parts[p];
		const struct places *first = &near->words[node->same[part->first]];
		struct stand *stand = &near->stands[p];
		stand->starts = first->at;
		stand->count = first->tf;
		if (part->words > 1)
			code = find_phrase(near, part, stand);
		if (!code && stand->count < part->times)
			return 0;
	}
	return code ? code : 1;
}

static int reserve_begins(struct near *near)
{
	size_t most = 0;
	for (uint32_t p = 0; p < near->wanted->count; p++)
		most = near->stands[p].count > most ? near->stands[p].count : most;
	if (most <= near->begins_capacity)
		return 0;
	size_t room = most + most / 2 + 64;
	for (int i = 0; i < 2; i++) {
		near->begins[i] = arena_new(&near->context->phrase_arena, room * sizeof(uint64_t));
		if (!near->begins[i])
			return error_set_memory(near->context->error);
	}
	near->begins_capacity = room;
	return 0;
}

/* Parts one behind the other. Of all ways to come to a place of a part, the one that begins last is the shortest, and needs the least
 * room behind the last match. */
static uint32_t count_in_order(struct near *near)
{
	const struct query_near *wanted = near->wanted;
	uint32_t matches = 0;
	uint64_t *begins = near->begins[0], behind = 0; /* the last match */
	for (uint32_t i = 0; i < near->stands[0].count; i++)
		begins[i] = near->stands[0].starts[i];
	for (uint32_t p = 1; p < wanted->count; p++) {
		const struct stand *before = &near->stands[p - 1], *stand = &near->stands[p];
		const uint64_t *earlier = near->begins[(p - 1) % 2];
		uint32_t j = 0;
		begins = near->begins[p % 2];
		for (uint32_t i = 0; i < stand->count; i++) {
			while (j < before->count &&
			       (uint64_t)before->starts[j] + wanted->parts[p - 1].step <= stand->starts[i])
				j++;
			begins[i] = j ? earlier[j - 1] : NOWHERE;
		}
	}
	const struct stand *last = &near->stands[wanted->count - 1];
	for (uint32_t i = 0; i < last->count; i++) {
		uint64_t end = (uint64_t)last->starts[i] + wanted->parts[wanted->count - 1].width;
		if (begins[i] == NOWHERE || begins[i] < behind || end - begins[i] > wanted->span)
			continue;
		matches++;
		behind = end;
	}
	return matches;
}

/* The part whose next place ends first; the number of parts when there is no place left. */
static uint32_t next_part(const struct near *near, uint64_t *end)
{
	uint32_t next = near->wanted->count;
	for (uint32_t p = 0; p < near->wanted->count; p++) {
		const struct stand *stand = &near->stands[p];
		if (stand->next == stand->count)
			continue;
		uint64_t own = (uint64_t)stand->starts[stand->next] + near->wanted->parts[p].width;
		if (next == near->wanted->count || own < *end) {
			next = p;
			*end = own;
		}
	}
	return next;
}

/* Where the shortest stretch begins that ends here and has every part as often as wanted, or NOWHERE. */
static uint64_t find_begin(const struct near *near)
{
	uint64_t begin = NOWHERE;
	for (uint32_t p = 0; p < near->wanted->count; p++) {
		const struct stand *stand = &near->stands[p];
		uint32_t times = near->wanted->parts[p].times;
		if (stand->next - stand->from < times)
			return NOWHERE;
		if (stand->starts[stand->next - times] < begin)
			begin = stand->starts[stand->next - times];
	}
	return begin;
}

/* Parts in any order. */
static uint32_t count_in_any_order(struct near *near)
{
	uint32_t matches = 0, p;
	uint64_t end = 0;
	for (p = 0; p < near->wanted->count; p++)
		near->stands[p].from = near->stands[p].next = 0;
	while ((p = next_part(near, &end)) < near->wanted->count) {
		near->stands[p].next++;
		uint64_t begin = find_begin(near);
		if (begin == NOWHERE || end - begin > near->wanted->span)
			continue;
		matches++;
		for (p = 0; p < near->wanted->count; p++) {
			struct stand *stand = &near->stands[p];
			while (stand->from < stand->count && stand->starts[stand->from] < end)
				stand->from++;
			stand->next = stand->from;
		}
	}
	return matches;
}

static int count_matches(struct near *near, uint32_t doc, uint32_t *matches)
{
	*matches = 0;
	int possible = find_stands(near, doc);
	if (possible <= 0)
		return possible;
	int code = near->wanted->ordered ? reserve_begins(near) : 0;
	if (!code)
		*matches = near->wanted->ordered ? count_in_order(near) : count_in_any_order(near);
	return code;
}

int near_open(struct leaf *leaf, const struct near_source *source, struct context *context)
{
	struct near near = {.node = source->node, .wanted = source->node->near, .context = context};
	uint32_t documents = source->segment->documents_count;
	size_t most = 0;
	*leaf = (struct leaf){.kind = LEAF_EMPTY, .inline_position = POSITION_NONE};
	for (uint32_t first = 0; first < documents; first += 64)
		most += (size_t)__builtin_popcountll(source->documents[first / 64]);
	if (!most)
		return 0;
	arena_reset(&context->phrase_arena);
	leaf->docs = arena_new(&context->arena, (most + POSTINGS_SPARE) * sizeof *leaf->docs);
	leaf->tfs = arena_new(&context->arena, (most + POSTINGS_SPARE) * sizeof *leaf->tfs);
	if (!leaf->docs || !leaf->tfs)
		return error_set_memory(context->error);
	int code = open_words(&near, source);
	for (uint32_t first = 0; first < documents && !code; first += 64)
		for (uint64_t left = source->documents[first / 64]; left && !code; left &= left - 1) {
			uint32_t doc = first + (uint32_t)__builtin_ctzll(left), matches;
			code = count_matches(&near, doc, &matches);
			if (code || !matches)
				continue;
			leaf->docs[leaf->count] = doc;
			leaf->tfs[leaf->count++] = matches;
		}
	leaf->live_df = leaf->count;
	leaf->kind = leaf->count ? LEAF_SPARSE : LEAF_EMPTY;
	return code;
}
