/*
 * syntax.h - a query as it was written: a tree of words, quotations and groups, not yet analysed. docs/QUERY.md has the grammar.
 *
 * Plain syntax takes any text: what does not parse as the grammar says is read as words, and a note tells so. Strict syntax refuses it.
 */
#ifndef TRAWL_QUERY_SYNTAX_H
#define TRAWL_QUERY_SYNTAX_H

#include "base/memory.h"
#include "trawl.h"

#define SYNTAX_DEPTH_MAX 64 /* groups within groups */

/* What a member means to its group. */
enum occur { OCCUR_OPTIONAL, OCCUR_REQUIRED, OCCUR_EXCLUDED };

enum syntax_kind {
	SYNTAX_WORD,
	SYNTAX_QUOTATION, /* "several words"~number */
	SYNTAX_GROUP,     /* (members)~number */
	SYNTAX_NEAR,      /* members NEAR/number, each a word or quotation */
	SYNTAX_PREFIX,    /* word*: text without the star */
	SYNTAX_WILDCARD,  /* w?r*d */
	SYNTAX_FUZZY,     /* word~number: edits */
	SYNTAX_EXACT,     /* =word: as it is written, not stemmed */
	SYNTAX_RANGE,     /* field:[low TO high} */
	SYNTAX_ALL        /* *:* */
};

struct syntax {
	enum syntax_kind kind;
	enum occur occur;
	size_t at; /* where it begins in the query */
	/* parts of the query's text */
	const char *text; /* words and quotations, without their marks; SYNTAX_RANGE: the low end */
	size_t length;
	const char *high; /* SYNTAX_RANGE: the high end; no length: open */
	size_t high_length;
	const char *field; /* NULL: the fields that are searched by default */
	size_t field_length;
	bool low_excluded, high_excluded; /* SYNTAX_RANGE: its end does not belong to it */
	bool ordered;                     /* SYNTAX_NEAR: in the order of the members */
	bool percent;                     /* SYNTAX_GROUP: number is a share of the optional members */
	bool counted;                     /* `number` was given */
	bool constant;                    /* boost is the score, whatever matches */
	uint32_t number;                  /* slop, distance, edits, or how many optional members must match */
	float boost;                      /* 1: none */
	struct syntax *members;           /* SYNTAX_GROUP, SYNTAX_NEAR: the first one; NULL: it has none */
	struct syntax *next;              /* member of the same group */
};

/* Something that was not read as the grammar would have it. */
struct syntax_note {
	struct syntax_note *next;
	size_t at, length; /* of the query's text */
	const char *text;  /* what became of it. Static storage */
};

struct syntax_options {
	bool strict;
	/* Whether the index has the field; NULL: it has none that can be searched. */
	bool (*has_field)(void *context, const char *name, size_t length);
	void *context;
};

struct syntax_result {
	struct syntax *tree;       /* a group, from the arena */
	struct syntax_note *notes; /* plain syntax: in order of their places */
	size_t error_at;           /* strict syntax, on TRAWL_EINVAL: the byte that the error is about */
};

/* Parse `text`, which must live as long as the tree. TRAWL_ELIMIT for a longer query than trawl.h allows; strict syntax: TRAWL_EINVAL
 * where the text does not follow the grammar; plain syntax: any other text is a query. */
int syntax_parse(struct syntax_result *result, const char *text, size_t length, const struct syntax_options *options,
                 struct arena *arena, trawl_error *error);

#endif
