/*
 * query.h - a query after analysis: a tree of terms, phrases and groups, the same for any index with this analysis.
 *
 * text -- syntax_parse --> syntax -- query_analyse --> query -- plan_make --> plan -- segment_plan_make --> one a segment
 *
 * Most queries are one group of terms and phrases. A nested group is a member like any other; one that says the same without its
 * brackets is taken apart here, for flat groups are evaluated faster.
 */
#ifndef TRAWL_QUERY_QUERY_H
#define TRAWL_QUERY_QUERY_H

#include <stdint.h>

#include "query/syntax.h"
#include "tokenizer/tokenizer.h"

struct query_term {
	const char *bytes;
	uint32_t length;
	uint32_t offset; /* within its phrase: positions after the first word */
};

/* A part of a NODE_NEAR: some of its terms, side by side as the offsets say, which count from the first of them. */
struct query_part {
	uint32_t first, words;
	uint32_t width; /* in positions */
	uint32_t step;  /* in order: from where this part begins to where the next one may, at least */
	uint32_t times; /* in any order: equal parts are one, which must stand so often */
};

#define NEAR_PARTS_MAX 64 /* in any order: each place is compared with the last ones of all parts */

/* Parts within a stretch of positions. */
struct query_near {
	struct query_part *parts;
	uint32_t count;
	bool ordered;
	uint64_t span;  /* the longest stretch */
	double *boosts; /* of each word */
};

enum node_kind { NODE_TERM, NODE_PHRASE, NODE_NEAR, NODE_GROUP, NODE_PATTERN, NODE_ALL };

struct query_node {
	enum node_kind kind;
	enum occur occur;
	double frequency; /* times it stands in its group (qtf), each with its boost */
	/* NODE_TERM: one word; NODE_PHRASE, NODE_NEAR: several; NODE_PATTERN: the pattern in normal form, and the term that its letters
	 * give */
	uint32_t words;
	struct query_term *terms;
	const struct query_near *near;
	enum syntax_kind pattern; /* NODE_PATTERN: SYNTAX_PREFIX, SYNTAX_WILDCARD or SYNTAX_FUZZY */
	uint32_t edits;           /* SYNTAX_FUZZY */
	/* NODE_GROUP; equal members are one */
	struct query_node *members;
	uint32_t member_count, member_capacity;
	uint32_t minimum; /* so many optional members must match; 0: one, and none beside required ones */
	bool constant;    /* it scores `frequency` where it matches */
};

struct query_options {
	struct syntax_options syntax;
	bool no_positions;    /* of the index: a word that analysis cuts in several stands for each of its terms */
	bool unstemmed;       /* of the index: terms are the words themselves, so that =word is one */
	bool fold_diacritics; /* in patterns, as analysis does in words */
	bool others_match;    /* a query of nothing but exclusions matches all other documents; else none */
	uint32_t minimum;     /* of the root's optional members */
	bool percent;         /* `minimum` is a share of them */
};

struct query {
	struct query_node root;    /* NODE_GROUP */
	struct arena arena;        /* of all that it points to */
	struct syntax_note *notes; /* in order of their places */
	size_t error_at;           /* on TRAWL_EINVAL: the byte of the text */
};

/* Parse and analyse `text`, which must live as long as the query. What the query held before is dropped. TRAWL_ELIMIT where trawl.h
 * tells a limit, TRAWL_EINVAL in strict syntax. */
int query_read(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length,
               const struct query_options *options, trawl_error *error);

/* Terms and phrases by their bytes; equal ones (their occur and frequency apart) compare 0. */
int query_terms_compare(const struct query_term *a, uint32_t a_words, const struct query_term *b, uint32_t b_words);

void query_release(struct query *query);

#endif
