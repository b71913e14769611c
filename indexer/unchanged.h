/*
 * unchanged.h - whether a document that comes again is the one that is stored.
 *
 * By its content hash (docs/FORMAT.md, part 18), so that no block needs to be decompressed, in whatever order documents come.
 * Two versions of a document have the same 64 bits by chance once in 2^64 changes; but XXH3 is no cryptographic hash, and
 * who writes both versions can make them so. An index that must not be fooled compares the bytes.
 *
 * The file that a document came from (base/reserved.h) is part of what is stored and hashed. Where it must not count, a document
 * with another hash is compared without it: else the same lines in a file of another name would all be written again. One that is stored
 * without a file counts as changed when it comes from one, so that it is known from then on.
 */
#ifndef TRAWL_INDEXER_UNCHANGED_H
#define TRAWL_INDEXER_UNCHANGED_H

#include <stdbool.h>

#include "indexer/incoming.h"
#include "segment/segment.h"

struct sameness {
	bool compare;     /* byte by byte, also where the hashes are equal */
	bool of_any_file; /* the file does not count */
};

/* Whether title, text and fields are those of the segment's document: 1 or 0, or negative. */
int document_is_stored(struct segment *segment, uint32_t doc, struct incoming *incoming, struct sameness sameness,
                       struct documents_scratch *scratch, trawl_error *error);

#endif
