/* analyse.c - from syntax to terms: words go through the tokenizer that documents went through. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "query/query.h"

#define TOKENS_AT_A_TIME 64
#define MEMBERS_FIRST 16 /* room for members when there is the first one */

int query_terms_compare(const struct query_term *a, uint32_t a_words, const struct query_term *b, uint32_t b_words)
{
	for (uint32_t i = 0; i < a_words && i < b_words; i++) {
		int order = bytes_compare(a[i].bytes, a[i].length, b[i].bytes, b[i].length);
		if (!order)
			order = (a[i].offset > b[i].offset) - (a[i].offset < b[i].offset);
		if (order)
			return order;
	}
	return (a_words > b_words) - (a_words < b_words);
}

/* The member of the group that says the same as `node`, or NULL. */
static struct query_node *find_member(const struct query_node *group, const struct query_node *node)
{
	for (uint32_t i = 0; i < group->member_count; i++) {
		struct query_node *other = &group->members[i];
		if ((other->occur == OCCUR_EXCLUDED) == (node->occur == OCCUR_EXCLUDED) &&
		    query_terms_compare(other->terms, other->words, node->terms, node->words) == 0)
			return other;
	}
	return NULL;
}

static bool reserve_member(struct query_node *group, struct arena *arena)
{
	if (group->member_count < group->member_capacity)
		return true;
	uint32_t room = group->member_capacity ? 2 * group->member_capacity : MEMBERS_FIRST;
	struct query_node *members = arena_new(arena, room * sizeof *members);
	if (!members)
		return false;
	if (group->member_count)
		memcpy(members, group->members, group->member_count * sizeof *members);
	group->members = members;
	group->member_capacity = room;
	return true;
}

/* Add a term or phrase; one that is there already counts once more, and takes the stricter of the two occurs. */
static int add_member(struct query *query, enum occur occur, struct query_term *terms, uint32_t words,
                      trawl_error *error)
{
	struct query_node *group = &query->root;
	struct query_node node = {.kind = words > 1 ? NODE_PHRASE : NODE_TERM,
	                          .occur = occur,
	                          .frequency = 1,
	                          .words = words,
	                          .terms = terms};
	struct query_node *other = find_member(group, &node);
	if (other) {
		other->frequency++;
		other->occur = occur > other->occur ? occur : other->occur;
		return 0;
	}
	if (words > TRAWL_PHRASE_MAX)
		return error_set(error, TRAWL_ELIMIT, "a phrase of %u words; %d are the most", (unsigned)words,
		                 TRAWL_PHRASE_MAX);
	if (group->member_count == TRAWL_CLAUSES_MAX)
		return error_set(error, TRAWL_ELIMIT, "a query of over %d words and phrases", TRAWL_CLAUSES_MAX);
	if (!reserve_member(group, &query->arena))
		return error_set_memory(error);
	group->members[group->member_count++] = node;
	return 0;
}

/* The terms of a word or quotation, in the arena. It has no more of them than bytes. */
static int analyse_text(struct query *query, struct tokenizer *tokenizer, const struct syntax *syntax,
                        struct query_term **terms, uint32_t *count, trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	int got;
	uint32_t first = 0;
	*count = 0;
	*terms = arena_new(&query->arena, (syntax->length + 1) * sizeof **terms);
	if (!*terms)
		return error_set_memory(error);
	tokenizer_start(tokenizer, syntax->text, syntax->length);
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

static int analyse_member(struct query *query, struct tokenizer *tokenizer, const struct syntax *syntax,
                          trawl_error *error)
{
	struct query_term *terms;
	uint32_t count;
	int code = analyse_text(query, tokenizer, syntax, &terms, &count, error);
	if (code || !count)
		return code;
	if (syntax->kind == SYNTAX_QUOTATION || syntax->occur == OCCUR_EXCLUDED)
		return add_member(query, syntax->occur, terms, count, error);
	for (uint32_t i = 0; !code && i < count; i++) {
		terms[i].offset = 0;
		code = add_member(query, syntax->occur, &terms[i], 1, error);
	}
	return code;
}

int query_read(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length, trawl_error *error)
{
	struct syntax *tree = NULL;
	arena_reset(&query->arena);
	query->root = (struct query_node){.kind = NODE_GROUP};
	int code = syntax_parse(&tree, text, length, &query->arena, error);
	for (const struct syntax *member = code ? NULL : tree->members; member && !code; member = member->next)
		code = analyse_member(query, tokenizer, member, error);
	return code;
}

void query_release(struct query *query)
{
	arena_release(&query->arena);
	*query = (struct query){0};
}
