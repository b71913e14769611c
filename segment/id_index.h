/* id_index.h - from the hash of an id to docIDs: sorted pairs, and the first hash of each extent (docs/FORMAT.md, Id index). */
#ifndef TRAWL_SEGMENT_ID_INDEX_H
#define TRAWL_SEGMENT_ID_INDEX_H

#include <stdint.h>

#include "base/memory.h"
#include "segment/format.h"
#include "store/store.h"

struct id_index {
	struct part part;
	const uint8_t *first_hashes; /* of its extents; in the root */
	uint32_t count;
};

/* The number of the first entry whose hash is not below `hash`; `count` when there is none. */
int id_index_find(struct id_index *index, uint32_t hash, uint64_t *number, trawl_error *error);

/* Entry `number`: 1 when it has this hash, and its docID, which is below `count`; 0: another one; or negative. */
int id_index_doc(struct id_index *index, uint64_t number, uint32_t hash, uint32_t *doc, trawl_error *error);

/* Write the index of `hashes`, one a docID, in ascending order of hash, then docID. `first_hashes` gets those of its extents. */
int id_index_write(struct store_batch *batch, uint32_t segment, const uint32_t *hashes, uint32_t count,
                   struct buffer *first_hashes, trawl_error *error);

#endif
