/*
 * filter.h - the documents that a filter lets pass, as a set of bits.
 *
 * A filter is a query whose matches restrict the hits of another and add nothing to their scores. It is evaluated once for the whole
 * snapshot and kept until another one comes: the same filter mostly comes with many queries.
 */
#ifndef TRAWL_SEARCHER_FILTER_H
#define TRAWL_SEARCHER_FILTER_H

#include "searcher/query.h"

struct filter {
	struct query query;
	struct buffer text; /* the filter that `bits` holds */
	bool known;         /* it holds one */
	uint64_t *bits;     /* a bit a docID, segment after segment */
	size_t capacity;
};

/* Find the documents that pass the filter `text`, unless that is known. */
int filter_prepare(struct trawl_searcher *searcher, const char *text, size_t length, trawl_error *error);

/* The live documents of a segment that pass: a bit a docID, in whole superblocks. */
const uint64_t *filter_bits(const struct trawl_searcher *searcher, size_t segment);

void filter_release(struct filter *filter);

#endif
