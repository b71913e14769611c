/* lexer.h - cuts a query's text in tokens. Used by parse.c alone. */
#ifndef TRAWL_QUERY_LEXER_H
#define TRAWL_QUERY_LEXER_H

#include "query/syntax.h"

enum token_kind {
	TOKEN_END,
	TOKEN_LEAF,  /* `leaf`, signed by `occur` */
	TOKEN_OPEN,  /* a bracket, signed by `occur`; `leaf` has its field */
	TOKEN_CLOSE, /* `leaf` has the number and boost behind it */
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_NEAR /* `leaf` has number and ordered */
};

struct token {
	enum token_kind kind;
	size_t at, end; /* of the text */
	struct syntax leaf;
};

struct lexer {
	const char *text;
	size_t length, at;
	const struct syntax_options *options;
	struct arena *arena;
	struct syntax_note *notes, **last_note;
	const char *problem; /* strict: what is wrong at problem_at */
	size_t problem_at;
	size_t last_straight_quote; /* one past the last " of the text */
	bool out_of_memory;
};

void lexer_start(struct lexer *lexer, const char *text, size_t length, const struct syntax_options *options,
                 struct arena *arena);

/* The next token; TOKEN_END at the end and after a problem. */
struct token lexer_next(struct lexer *lexer);

/* Plain syntax: note that the text from `at` on, `length` bytes, was read otherwise. Strict: that is the problem. */
void lexer_complain(struct lexer *lexer, size_t at, size_t length, const char *text);

#endif
