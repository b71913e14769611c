/*
 * filter.h - the documents that a filter lets pass, as a set of bits.
 *
 * A filter is a query whose matches restrict the hits of another and add nothing to their scores. It is evaluated once for the whole
 * snapshot and kept until another one comes: the same filter mostly comes with many queries.
 */
#ifndef TRAWL_SEARCHER_FILTER_H
#define TRAWL_SEARCHER_FILTER_H

#include "query/collection.h"
#include "query/query.h"
#include "searcher/context.h"

struct filter {
	struct buffer text; /* the filter that `bits` holds */
	bool known;         /* it holds one */
	uint64_t *bits;     /* live documents that pass (collection_word) */
	size_t capacity;
	/* while it is evaluated */
	struct query query;
	struct arena arena; /* of the plan */
};

/* Find the documents that pass the filter `text`, unless that is known. */
int filter_prepare(struct filter *filter, const struct collection *collection, struct tokenizer *tokenizer,
                   const char *text, size_t length, const struct query_options *options, struct context *context);

void filter_release(struct filter *filter);

#endif
