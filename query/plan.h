/*
 * plan.h - a query over one commit: what each dictionary says of its words, what each part weighs, and in which order contributions
 * are added. Made once, and then never written to, so that any number of threads may run it.
 */
#ifndef TRAWL_QUERY_PLAN_H
#define TRAWL_QUERY_PLAN_H

#include "query/collection.h"
#include "query/query.h"

/* What a segment says of two words that stand side by side. */
struct bigram {
	enum bigram_state state;
	struct term_entry entry; /* BIGRAM_FOUND */
};

struct plan_node {
	enum node_kind kind;
	enum occur occur;
	float weight; /* of a match: qtf times the sum of its words' idf */
	/* a leaf: NODE_TERM, NODE_PHRASE, NODE_NEAR */
	uint32_t words;
	const struct query_term *terms;
	const struct term_entry **entries; /* of each word, in each segment; df 0: absent */
	const uint32_t *same;              /* of each word of several: the first one with the same term */
	uint64_t df;                       /* NODE_TERM: live documents */
	const struct bigram *bigrams;      /* of a phrase that is a bigram: in each segment; else NULL */
	/* NODE_NEAR */
	const struct query_near *near;
	const struct plan_group *all; /* its words, each once and required */
	/* NODE_GROUP, also what a pattern has become; `weight` is the most that it can score */
	const struct plan_group *group;
};

/* Members in the order in which their contributions are added: falling weight, then the terms' bytes; excluded ones last. A document
 * matches with all required members and no excluded one; where none is required, with any optional one. */
struct plan_group {
	struct plan_node *members;
	uint32_t count;
	uint32_t required, optional, excluded; /* so many of each */
	uint32_t minimum; /* so many optional members must match; 0: one, and none beside required ones */
	bool constant;    /* a match scores `score`, whatever it has */
	float score;
};

/* Nothing but exclusions: what matches is every other live document, and it scores `score`. */
static inline bool matches_others(const struct plan_group *group)
{
	return group->count && group->excluded == group->count;
}

struct plan {
	const struct collection *collection;
	struct plan_group root;
	size_t terms;      /* words of the query */
	uint64_t postings; /* live documents with each, added up */
	bool complement;   /* what matches is every other live document (PLAN_FILTER) */
};

enum plan_use {
	PLAN_SEARCH,
	PLAN_FILTER /* with nothing but exclusions all other documents pass */
};

/* `query` must live as long as the plan, and `arena`, from which it comes. */
int plan_make(struct plan *plan, const struct query *query, const struct collection *collection, enum plan_use use,
              struct arena *arena, trawl_error *error);

/* The most that a document can score: saturations are at most 1. */
float plan_most(const struct plan *plan);

#endif
