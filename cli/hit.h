/* hit.h - the forms of a hit on standard output: for people, as JSON, for trec_eval. */
#ifndef TRAWL_CLI_HIT_H
#define TRAWL_CLI_HIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fields.h"
#include "trawl.h"

struct hit_style {
	/* AS_JSON: an object a hit; AS_JSON_LINES: an object a query, with its hits */
	enum { FOR_PEOPLE, AS_JSON, AS_JSON_LINES, AS_TREC } form;
	bool colour;
	size_t columns; /* of the terminal, to wrap at; 0: do not wrap */
	bool no_snippet;
	bool name_query; /* several queries: tell which one a hit is for, */
	bool seen;       /* unless it stands above on the same terminal */
	const char *trec_run;
	const struct field_choice *fields; /* for JSON; NULL: none */
};

struct query {
	const char *text;
	size_t length;
	const char *id; /* for TREC */
	size_t id_length;
};

/* What became of a query. */
struct outcome {
	bool begun;   /* the head is printed */
	size_t shown; /* hits */
	bool counted;
	uint64_t matches;               /* if counted */
	const char *error;              /* NULL: none */
	const trawl_searcher *searcher; /* that answered, for its notes */
};

/* Ahead of the hits of a query, and behind them, with the count if there is one. */
void print_query_head(const struct hit_style *style, const struct query *query);
void print_query_end(const struct hit_style *style, const struct outcome *outcome);

struct printed_hit {
	size_t number; /* of those printed for the query, from 0 */
	size_t rank;
	float score;
	const trawl_document *document; /* for TREC only the id is needed */
	const trawl_snippet *snippet;
};

void print_hit(const struct hit_style *style, const struct query *query, const struct printed_hit *hit);

#endif
