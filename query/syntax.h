/* syntax.h - a query as it was written: a tree of words, quotations and groups, not yet analysed. The syntax is in trawl.h. */
#ifndef TRAWL_QUERY_SYNTAX_H
#define TRAWL_QUERY_SYNTAX_H

#include "base/memory.h"
#include "trawl.h"

/* What a member means to its group. */
enum occur { OCCUR_OPTIONAL, OCCUR_REQUIRED, OCCUR_EXCLUDED };

enum syntax_kind { SYNTAX_WORD, SYNTAX_QUOTATION, SYNTAX_GROUP };

struct syntax {
	enum syntax_kind kind;
	enum occur occur;
	/* SYNTAX_WORD, SYNTAX_QUOTATION: a part of the query's text */
	const char *text;
	size_t length;
	struct syntax *members; /* SYNTAX_GROUP: the first one; NULL: it has none */
	struct syntax *next;    /* member of the same group */
};

/* Parse `text`, which must live as long as the tree. The tree is a group and comes from `arena`. TRAWL_ELIMIT for a longer query than
 * trawl.h allows; any other text is a query. */
int syntax_parse(struct syntax **tree, const char *text, size_t length, struct arena *arena, trawl_error *error);

#endif
