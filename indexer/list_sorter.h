/*
 * list_sorter.h - posting lists with docIDs in any order, put in order.
 */
#ifndef TRAWL_INDEXER_LIST_SORTER_H
#define TRAWL_INDEXER_LIST_SORTER_H

#include "indexer/batch.h"
#include "indexer/doc_sorter.h"

/* The scratch of one thread; only `sink` needs to be set. */
struct list_sorter {
	const struct term_sink *sink; /* gets the lists in order */
	struct doc_sorter sorter;
	uint32_t *docs, *tfs, *positions;
	uint64_t *starts; /* of each posting's positions, as it came */
	size_t doc_capacity, tf_capacity, position_capacity, start_capacity;
	uint32_t posting, count;
};

/* What a term_sink calls, with the sorter as its context. */
int list_sorter_term(void *context, const struct term_list *list, trawl_error *error);

void list_sorter_release(struct list_sorter *sorter);

#endif
