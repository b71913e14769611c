/*
 * doc_sorter.h - docIDs that come in any order, sorted.
 */
#ifndef TRAWL_INDEXER_DOC_SORTER_H
#define TRAWL_INDEXER_DOC_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is empty. */
struct doc_sorter {
	uint64_t *keys, *spare;
	size_t key_capacity, spare_capacity;
};

/* keys[i]: the docID in the high half, in ascending order; in the low one its place in `docs`. false: out of memory. */
bool doc_sorter_sort(struct doc_sorter *sorter, const uint32_t *docs, uint32_t count);
void doc_sorter_release(struct doc_sorter *sorter);

#endif
