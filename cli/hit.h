/* hit.h - the forms of a hit on standard output: for people, as JSON, for trec_eval. */
#ifndef TRAWL_CLI_HIT_H
#define TRAWL_CLI_HIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

struct hit_style {
	enum { FOR_PEOPLE, AS_JSON, AS_TREC } form;
	bool colour;
	size_t columns; /* of the terminal, to wrap at; 0: do not wrap */
	bool no_snippet;
	bool name_query; /* several queries: tell which one a hit is for */
	const char *trec_run;
};

struct query {
	const char *text;
	size_t length;
	const char *id; /* for TREC */
	size_t id_length;
};

/* Ahead of the hits of one query of several, and behind them. */
void print_query_head(const struct hit_style *style, const struct query *query);
void print_query_end(const struct hit_style *style);

/* A hit; for TREC only the document's id is needed. */
void print_hit(const struct hit_style *style, const struct query *query, size_t rank, float score,
               const trawl_document *document, const trawl_snippet *snippet);

/* How many documents match, of which `shown` were printed. */
void print_match_count(const struct hit_style *style, const struct query *query, size_t shown, uint64_t matches);

#endif
