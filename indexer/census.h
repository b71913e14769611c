/* census.h - what the pending documents come to: docIDs of the living, their lengths, and the rest that a segment needs. */
#ifndef TRAWL_INDEXER_CENSUS_H
#define TRAWL_INDEXER_CENSUS_H

#include "indexer/pending.h"
#include "indexer/reorder.h"

struct census {
	uint32_t *docs;  /* docID of each ordinal */
	uint32_t *order; /* ordinal of each docID */
	bool reordered;
	uint32_t *hashes;
	uint8_t *lengths, *spans;
	uint32_t count;
	uint64_t tokens, text_bytes;
};

/* `unordered`: what to find an order of similar documents by; NULL: as they were added. Release it also after a failure. */
int census_take(struct census *census, const struct pending *pending, const struct unordered *unordered,
                trawl_error *error);
void census_release(struct census *census);

#endif
