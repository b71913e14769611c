#include "searcher/query.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define TOKENS_AT_A_TIME 64

/* A piece of the query as written: a bare word or what stands in quotes. */
struct piece {
	enum occur occur;
	bool quoted;
	const char *text;
	size_t length;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cut the next piece off [*at, end); false at the end. */
static bool next_piece(const char **at, const char *end, struct piece *piece)
{
	const char *p = *at;
	while (p < end && is_space(*p))
		p++;
	if (p == end)
		return false;
	*piece = (struct piece){.occur = OCCUR_OPTIONAL};
	if (*p == '+' || *p == '-')
		piece->occur = *p++ == '+' ? OCCUR_REQUIRED : OCCUR_EXCLUDED;
	piece->quoted = p < end && *p == '"';
	if (piece->quoted) {
		piece->text = ++p;
		while (p < end && *p != '"')
			p++;
		piece->length = (size_t)(p - piece->text);
		p += p < end;
	} else {
		piece->text = p;
		while (p < end && !is_space(*p) && *p != '"')
			p++;
		piece->length = (size_t)(p - piece->text);
	}
	*at = p;
	return true;
}

int clause_compare(const struct clause *a, const struct clause *b)
{
	for (uint32_t i = 0; i < a->words && i < b->words; i++) {
		const struct query_term *left = &a->terms[i], *right = &b->terms[i];
		int order = bytes_compare(left->bytes, left->length, right->bytes, right->length);
		if (!order)
			order = (left->offset > right->offset) - (left->offset < right->offset);
		if (order)
			return order;
	}
	return (a->words > b->words) - (a->words < b->words);
}

/* Add a clause over `words` terms; one that is there already counts once more, and takes the stricter of the two occurs. */
static int add_clause(struct query *query, enum occur occur, struct query_term *terms, uint32_t words,
                      trawl_error *error)
{
	struct clause clause = {.occur = occur, .frequency = 1, .words = words, .terms = terms};
	for (size_t i = 0; i < query->clause_count; i++) {
		struct clause *other = &query->clauses[i];
		if ((other->occur == OCCUR_EXCLUDED) != (occur == OCCUR_EXCLUDED) ||
		    clause_compare(other, &clause) != 0)
			continue;
		other->frequency++;
		other->occur = occur > other->occur ? occur : other->occur;
		return 0;
	}
	if (query->clause_count == TRAWL_CLAUSES_MAX)
		return error_set(error, TRAWL_ELIMIT, "a query of over %d words and phrases", TRAWL_CLAUSES_MAX);
	if (!memory_reserve(&query->clauses, &query->clause_capacity, query->clause_count + 1, sizeof *query->clauses))
		return error_set_memory(error);
	query->clauses[query->clause_count++] = clause;
	return 0;
}

/* The terms of a piece, in the arena. A query is at most 8 KiB, so it has at most that many. */
static int analyse(struct query *query, struct tokenizer *tokenizer, const struct piece *piece,
                   struct query_term **terms, uint32_t *count, trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	int got;
	uint32_t first = 0;
	*count = 0;
	*terms = arena_new(&query->arena, (piece->length + 1) * sizeof **terms);
	if (!*terms)
		return error_set_memory(error);
	tokenizer_start(tokenizer, piece->text, piece->length);
	while ((got = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0)
		for (int i = 0; i < got; i++) {
			const struct word *word = tokens[i].word;
			const char *bytes = arena_copy(&query->arena, word->term, word->term_length);
			if (!bytes)
				return error_set_memory(error);
			if (!*count)
				first = tokens[i].position;
			(*terms)[(*count)++] =
			    (struct query_term){bytes, word->term_length, tokens[i].position - first};
		}
	return got < 0 ? error_set_memory(error) : 0;
}

static int add_piece(struct query *query, struct tokenizer *tokenizer, const struct piece *piece, trawl_error *error)
{
	struct query_term *terms;
	uint32_t count;
	int code = analyse(query, tokenizer, piece, &terms, &count, error);
	if (code || !count)
		return code;
	if (piece->quoted || piece->occur == OCCUR_EXCLUDED)
		return add_clause(query, piece->occur, terms, count, error);
	for (uint32_t i = 0; !code && i < count; i++) {
		terms[i].offset = 0;
		code = add_clause(query, piece->occur, &terms[i], 1, error);
	}
	return code;
}

int query_parse(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length, trawl_error *error)
{
	const char *at = text, *end = text + length;
	struct piece piece;
	query->clause_count = 0;
	arena_reset(&query->arena);
	if (length > TRAWL_QUERY_MAX)
		return error_set(error, TRAWL_ELIMIT, "a query of %zu bytes; %d are the most", length, TRAWL_QUERY_MAX);
	int code = 0;
	while (!code && next_piece(&at, end, &piece))
		code = add_piece(query, tokenizer, &piece, error);
	return code;
}

void query_release(struct query *query)
{
	memory_free(query->clauses);
	arena_release(&query->arena);
	*query = (struct query){0};
}
