/*
 * query.h - a query after analysis: a tree of terms, phrases and groups, the same for any index with this analysis.
 *
 * text -- syntax_parse --> syntax -- query_analyse --> query -- plan_make --> plan -- segment_plan_make --> one a segment
 *
 * Today's queries are one group of terms and phrases. A nested group is a member like any other.
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

enum node_kind { NODE_TERM, NODE_PHRASE, NODE_GROUP };

struct query_node {
	enum node_kind kind;
	enum occur occur;
	uint32_t frequency; /* times it stands in its group (qtf) */
	/* NODE_TERM: one word; NODE_PHRASE: several */
	uint32_t words;
	struct query_term *terms;
	/* NODE_GROUP; equal members are one */
	struct query_node *members;
	uint32_t member_count, member_capacity;
};

struct query {
	struct query_node root; /* NODE_GROUP */
	struct arena arena;     /* of all that it points to */
};

/* Parse and analyse `text`, which must live as long as the query. What the query held before is dropped. TRAWL_ELIMIT where trawl.h
 * tells a limit. */
int query_read(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length, trawl_error *error);

/* Terms and phrases by their bytes; equal ones (their occur and frequency apart) compare 0. */
int query_terms_compare(const struct query_term *a, uint32_t a_words, const struct query_term *b, uint32_t b_words);

void query_release(struct query *query);

#endif
