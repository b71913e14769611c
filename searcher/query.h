/* query.h - a query string as clauses over analysed terms. The syntax is in trawl.h. */
#ifndef TRAWL_SEARCHER_QUERY_H
#define TRAWL_SEARCHER_QUERY_H

#include <stdint.h>

#include "base/memory.h"
#include "tokenizer/tokenizer.h"
#include "trawl.h"

enum occur { OCCUR_OPTIONAL, OCCUR_REQUIRED, OCCUR_EXCLUDED };

struct query_term {
	const char *bytes;
	uint32_t length;
	uint32_t offset; /* within its phrase: positions after the first word */
};

/* One condition: a term (one word) or a phrase. */
struct clause {
	enum occur occur;
	uint32_t frequency; /* times it stands in the query (qtf) */
	uint32_t words;
	struct query_term *terms; /* `words` of them */
};

struct query {
	struct clause *clauses;
	size_t clause_count, clause_capacity;
	struct arena arena; /* of the terms */
};

/* Parse into `query`, which is reset first. TRAWL_ELIMIT for a longer query or more clauses than trawl.h allows. */
int query_parse(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length, trawl_error *error);

/* By the terms' bytes; equal clauses (their occur and frequency apart) compare 0. */
int clause_compare(const struct clause *a, const struct clause *b);

void query_release(struct query *query);

#endif
