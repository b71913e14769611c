/*
 * unchanged.h - whether a document that comes again is the one that is stored.
 *
 * By its content hash (docs/FORMAT.md, part 18), so that no block needs to be decompressed, in whatever order documents come.
 * Two versions of a document have the same 64 bits by chance once in 2^64 changes; but XXH3 is no cryptographic hash, and
 * who writes both versions can make them so. An index that must not be fooled compares the bytes.
 */
#ifndef TRAWL_INDEXER_UNCHANGED_H
#define TRAWL_INDEXER_UNCHANGED_H

#include <stdbool.h>

#include "indexer/incoming.h"
#include "segment/segment.h"

/* Whether title, text and fields are those of the segment's document: 1 or 0, or negative. `compare`: byte by byte, where the hashes
 * are equal. */
int document_is_stored(struct segment *segment, uint32_t doc, struct incoming *incoming, bool compare,
                       struct documents_scratch *scratch, trawl_error *error);

#endif
