/* parse.c - from a query's text to its syntax. */
#include "base/ascii.h"
#include "base/error.h"
#include "query/syntax.h"

/* Cut the next member off [*at, end); false at the end. */
static bool next_member(const char **at, const char *end, struct syntax *member)
{
	const char *p = *at;
	while (p < end && ascii_is_space(*p))
		p++;
	if (p == end)
		return false;
	*member = (struct syntax){.kind = SYNTAX_WORD, .occur = OCCUR_OPTIONAL};
	if (*p == '+' || *p == '-')
		member->occur = *p++ == '+' ? OCCUR_REQUIRED : OCCUR_EXCLUDED;
	if (p < end && *p == '"') {
		member->kind = SYNTAX_QUOTATION;
		member->text = ++p;
		while (p < end && *p != '"')
			p++;
		member->length = (size_t)(p - member->text);
		p += p < end;
	} else {
		member->text = p;
		while (p < end && !ascii_is_space(*p) && *p != '"')
			p++;
		member->length = (size_t)(p - member->text);
	}
	*at = p;
	return true;
}

int syntax_parse(struct syntax **tree, const char *text, size_t length, struct arena *arena, trawl_error *error)
{
	const char *at = text, *end = text + length;
	struct syntax member;
	if (length > TRAWL_QUERY_MAX)
		return error_set(error, TRAWL_ELIMIT, "a query of %zu bytes; %d are the most", length, TRAWL_QUERY_MAX);
	*tree = arena_copy(arena, &(struct syntax){.kind = SYNTAX_GROUP}, sizeof **tree);
	if (!*tree)
		return error_set_memory(error);
	struct syntax **last = &(*tree)->members;
	while (next_member(&at, end, &member)) {
		*last = arena_copy(arena, &member, sizeof member);
		if (!*last)
			return error_set_memory(error);
		last = &(*last)->next;
	}
	return 0;
}
