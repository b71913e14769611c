/* searcher.h - the inside of a trawl_searcher, shared by searcher.c and hits.c: one thread's query, plan, context and results. */
#ifndef TRAWL_SEARCHER_SEARCHER_H
#define TRAWL_SEARCHER_SEARCHER_H

#include "query/plan.h"
#include "query/scoring.h"
#include "searcher/context.h"
#include "searcher/filter.h"
#include "searcher/index.h"
#include "searcher/snippet.h"
#include "searcher/top.h"

struct trawl_searcher {
	const trawl_index *index;
	struct tokenizer *tokenizer;
	struct query_options reading; /* how queries of the index are read */
	/* the last query; without members after a failure */
	struct query query;
	struct plan plan;
	struct arena plan_arena;
	struct scoring scoring; /* kept, as are the documents that pass the filter */
	struct filter filter;
	struct context context;
	/* results */
	struct top top;
	uint64_t matches;
	struct hit_reader {
		struct documents_scratch scratch;
		struct snippet_maker snippets;
		struct arena arena; /* of one call */
	} reader;
};

/* Sort the hits by falling score, then ascending id. */
int sort_by_id(trawl_searcher *searcher, trawl_error *error);

#endif
