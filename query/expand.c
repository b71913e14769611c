/*
 * expand.c - prefixes, wildcards and fuzzy words as terms.
 *
 * The dictionary of each segment is walked in order, from the letters on that the pattern begins with. What matches is gathered with its
 * document frequency; then equal terms of several segments are one, and the best are kept.
 */
#include "query/expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tokenizer/utf8.h"

#define CHARACTERS_MAX 255 /* of a term */

struct candidate {
	const char *bytes;
	uint32_t length, distance;
	uint64_t df;
};

/* A text as characters. */
struct characters {
	uint32_t at[CHARACTERS_MAX + 1];
	uint32_t count;
};

struct expansion {
	const struct query_node *pattern;
	struct characters wanted[2]; /* SYNTAX_FUZZY: the word and its stem */
	struct candidate *candidates;
	size_t count, capacity;
	struct arena *arena;
	trawl_error *error;
};

/* No term has more characters than fit. */
static void decode(struct characters *out, const uint8_t *text, size_t length)
{
	out->count = 0;
	for (size_t at = 0; at < length && out->count < CHARACTERS_MAX; out->count++)
		at += utf8_decode(text + at, length - at, &out->at[out->count]);
}

/* ---- wildcards ---- */

/* `*` is any text, `?` any character: the usual walk, which goes back to the last star where it cannot go on. */
static bool matches_wildcard(const struct query_term *pattern, const uint8_t *text, size_t length)
{
	const uint8_t *p = (const uint8_t *)pattern->bytes, *p_end = p + pattern->length, *t = text,
	              *t_end = text + length;
	const uint8_t *star = NULL, *resume = NULL;
	uint32_t ignored;
	while (t < t_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			resume = t;
		} else if (p < p_end && *p == '?') {
			p++;
			t += utf8_decode(t, (size_t)(t_end - t), &ignored);
		} else if (p < p_end && *p == *t) {
			p++;
			t++;
		} else if (star) {
			p = star;
			resume += utf8_decode(resume, (size_t)(t_end - resume), &ignored);
			t = resume;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

/* ---- edits ---- */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours that make `a` of `b` (optimal string alignment), or most + 1 if more. */
static uint32_t edit_distance(const struct characters *a, const struct characters *b, uint32_t most)
{
	uint32_t rows[3][CHARACTERS_MAX + 2];
	uint32_t longer = a->count > b->count ? a->count - b->count : b->count - a->count;
	if (longer > most)
		return most + 1;
	for (uint32_t j = 0; j <= b->count; j++)
		rows[0][j] = j;
	for (uint32_t i = 1; i <= a->count; i++) {
		uint32_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3], lowest = i;
		row[0] = i;
		for (uint32_t j = 1; j <= b->count; j++) {
			bool same = a->at[i - 1] == b->at[j - 1];
			row[j] = least(least(row[j - 1], before[j]) + 1, before[j - 1] + !same);
			if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1])
				row[j] = least(row[j], earlier[j - 2] + 1);
			lowest = least(lowest, row[j]);
		}
		if (lowest > most)
			return most + 1;
	}
	return rows[a->count % 3][b->count];
}

/* ---- gathering ---- */

/* The letters that every match begins with, but for a prefix's stem. */
static uint32_t fixed_letters(const struct query_node *pattern)
{
	const struct query_term *term = &pattern->terms[0];
	uint32_t fixed = 0;
	if (pattern->pattern == SYNTAX_FUZZY)
		return 0;
	if (pattern->pattern == SYNTAX_PREFIX)
		return term->length;
	while (fixed < term->length && term->bytes[fixed] != '*' && term->bytes[fixed] != '?')
		fixed++;
	return fixed;
}

/* Whether a term matches that begins with the fixed letters; *distance: its edits. */
static bool matches(const struct expansion *expansion, const uint8_t *term, size_t length, uint32_t *distance)
{
	const struct query_node *pattern = expansion->pattern;
	struct characters letters;
	*distance = 0;
	if (pattern->pattern == SYNTAX_PREFIX)
		return true;
	if (pattern->pattern == SYNTAX_WILDCARD)
		return matches_wildcard(&pattern->terms[0], term, length);
	decode(&letters, term, length);
	*distance = edit_distance(&letters, &expansion->wanted[0], pattern->edits);
	if (pattern->words == 2)
		*distance = least(*distance, edit_distance(&letters, &expansion->wanted[1], pattern->edits));
	return *distance <= pattern->edits;
}

static int add_candidate(struct expansion *expansion, const uint8_t *term, size_t length, uint64_t df,
                         uint32_t distance)
{
	if (expansion->count == expansion->capacity) {
		size_t room = 2 * expansion->capacity + 64;
		struct candidate *more = arena_new(expansion->arena, room * sizeof *more);
		if (!more)
			return error_set_memory(expansion->error);
		if (expansion->count)
			memcpy(more, expansion->candidates, expansion->count * sizeof *more);
		expansion->candidates = more;
		expansion->capacity = room;
	}
	const char *bytes = arena_copy(expansion->arena, term, length);
	if (!bytes)
		return error_set_memory(expansion->error);
	expansion->candidates[expansion->count++] = (struct candidate){bytes, (uint32_t)length, distance, df};
	return 0;
}

/* A prefix that is longer than its stem: documents have the stem. */
static int add_stem(struct expansion *expansion, struct segment *segment)
{
	const struct query_node *pattern = expansion->pattern;
	struct term_entry entry;
	if (pattern->pattern != SYNTAX_PREFIX || pattern->words < 2)
		return 0;
	const struct query_term *stem = &pattern->terms[1];
	if (stem->length >= pattern->terms[0].length &&
	    memcmp(stem->bytes, pattern->terms[0].bytes, pattern->terms[0].length) == 0)
		return 0; /* the walk finds it */
	int found = terms_find(&segment->terms, stem->bytes, stem->length, &entry, expansion->error);
	if (found <= 0)
		return found;
	return add_candidate(expansion, (const uint8_t *)stem->bytes, stem->length, segment_live_df(segment, &entry),
	                     0);
}

static int walk_dictionary(struct expansion *expansion, struct segment *segment)
{
	struct terms_cursor cursor = {0};
	const char *fixed = expansion->pattern->terms[0].bytes;
	uint32_t length = fixed_letters(expansion->pattern), distance;
	int code = terms_seek(&segment->terms, &cursor, fixed, length, expansion->error);
	while (code > 0) {
		if (cursor.length < length || memcmp(cursor.term, fixed, length) != 0)
			return 0;
		code = matches(expansion, cursor.term, cursor.length, &distance)
		           ? add_candidate(expansion, cursor.term, cursor.length,
		                           segment_live_df(segment, &cursor.entry), distance)
		           : 0;
		if (!code)
			code = terms_next(&segment->terms, &cursor, expansion->error);
	}
	return code;
}

/* ---- choosing ---- */

static int compare_bytes(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	return bytes_compare(left->bytes, left->length, right->bytes, right->length);
}

/* The nearest, then the most frequent first. */
static int compare_rank(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	if (left->df != right->df)
		return left->df > right->df ? -1 : 1;
	return compare_bytes(a, b);
}

/* Equal terms of several segments become one; those that no live document has go. */
static void join_equal(struct expansion *expansion)
{
	struct candidate *all = expansion->candidates;
	size_t kept = 0;
	if (expansion->count)
		qsort(all, expansion->count, sizeof *all, compare_bytes);
	for (size_t i = 0; i < expansion->count;) {
		struct candidate one = all[i++];
		for (; i < expansion->count && compare_bytes(&one, &all[i]) == 0; i++)
			one.df += all[i].df;
		if (one.df)
			all[kept++] = one;
	}
	expansion->count = kept;
	if (kept)
		qsort(all, kept, sizeof *all, compare_rank);
}

static int take_best(struct query_node *group, const struct expansion *expansion)
{
	size_t most = expansion->pattern->pattern == SYNTAX_FUZZY ? FUZZY_EXPANSIONS_MAX : EXPANSIONS_MAX;
	size_t count = expansion->count < most ? expansion->count : most;
	group->members = arena_new(expansion->arena, (count + !count) * sizeof *group->members);
	struct query_term *terms = arena_new(expansion->arena, (count + !count) * sizeof *terms);
	if (!group->members || !terms)
		return error_set_memory(expansion->error);
	for (size_t i = 0; i < count; i++) {
		terms[i] = (struct query_term){expansion->candidates[i].bytes, expansion->candidates[i].length, 0};
		group->members[i] =
		    (struct query_node){.kind = NODE_TERM, .frequency = 1, .words = 1, .terms = &terms[i]};
	}
	group->member_count = (uint32_t)count;
	return 0;
}

int expand_pattern(struct query_node *group, const struct query_node *pattern, const struct collection *collection,
                   struct arena *arena, trawl_error *error)
{
	struct expansion *expansion = arena_new(arena, sizeof *expansion);
	int code = 0;
	if (!expansion)
		return error_set_memory(error);
	*expansion = (struct expansion){.pattern = pattern, .arena = arena, .error = error};
	for (uint32_t i = 0; i < pattern->words; i++)
		decode(&expansion->wanted[i], (const uint8_t *)pattern->terms[i].bytes, pattern->terms[i].length);
	for (size_t i = 0; !code && i < collection->segment_count; i++) {
		code = walk_dictionary(expansion, &collection->segments[i]);
		if (!code)
			code = add_stem(expansion, &collection->segments[i]);
	}
	if (code)
		return code;
	join_equal(expansion);
	return take_best(group, expansion);
}
