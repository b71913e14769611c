/* document_table.h - the documents of a segment that is about to be written: docIDs of those that live, and what stands by docID. */
#ifndef TRAWL_INDEXER_DOCUMENT_TABLE_H
#define TRAWL_INDEXER_DOCUMENT_TABLE_H

#include "indexer/reorder.h"
#include "indexer/uncommitted.h"

struct document_table {
	uint32_t *docs;  /* docID of each ordinal, or DOCUMENT_NONE */
	uint32_t *order; /* ordinal of each docID */
	bool reordered;
	uint32_t *hashes;                  /* of the ids */
	uint8_t *lengths, *last_positions; /* bytes */
	uint32_t count;
	uint64_t tokens, text_bytes;
};

/* `unordered`: what to find an order of similar documents by; NULL: as they were added. Release it also after a failure. */
int document_table_make(struct document_table *table, const struct uncommitted *uncommitted,
                        const struct unordered *unordered, trawl_error *error);
void document_table_release(struct document_table *table);

#endif
