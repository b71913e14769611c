/* searcher.h - the inside of a trawl_searcher, shared by searcher.c and hits.c. */
#ifndef TRAWL_SEARCHER_SEARCHER_H
#define TRAWL_SEARCHER_SEARCHER_H

#include "searcher/evaluate.h"
#include "searcher/filter.h"
#include "searcher/index.h"
#include "searcher/kernel.h"
#include "searcher/query.h"
#include "searcher/snippet.h"
#include "searcher/top.h"

/* A clause and what a match of it weighs: qtf times the sum of its words' idf. */
struct weighed {
	struct clause clause;
	float weight;
	uint64_t df;                 /* of a single word: live documents */
	struct term_entry **entries; /* of each word, in each segment; df 0: absent */
	struct pair *pairs;          /* of a phrase of two words: in each segment; else NULL */
};

/* What a segment says of a phrase of two words. */
struct pair {
	enum pair_state state;
	struct term_entry entry; /* PAIR_FOUND */
};

/* How much more, and how much less, a saturation can be now than with what a segment's bounds assume (docs/DESIGN.md). */
struct inflation {
	float most, least;
};

struct trawl_searcher {
	const trawl_index *index;
	struct tokenizer *tokenizer;
	struct query query;
	struct weighed *clauses; /* in the order in which contributions are added */
	size_t clause_count, clause_capacity;
	bool required, positive; /* some clause is required; some is not excluded */
	bool count_while_ranking;
	struct filter filter;
	bool filtering; /* this query has a filter */
	struct scorer scorer;
	float k1, b;                  /* of the scorer */
	struct inflation *inflations; /* of each segment, for this k1 and b */
	struct top top;
	uint64_t matches, postings;
	size_t terms;
	struct arena arena;   /* of one query */
	struct buffer joined; /* positions that extents cut */
	/* hits.c */
	struct documents_scratch scratch;
	struct snippet_maker snippets;
};

/* Look a clause up: its weight, and what the dictionaries say of its words. Adds to searcher->postings and terms. */
int weigh(trawl_searcher *searcher, struct weighed *weighed, trawl_error *error);

/* Open the postings of a clause in a segment, or find the matches of a phrase. */
int open_list(trawl_searcher *searcher, struct list *list, size_t number, const struct weighed *weighed,
              trawl_error *error);

/* Sort the hits by falling score, then ascending id. */
int sort_by_id(trawl_searcher *searcher, trawl_error *error);

#endif
