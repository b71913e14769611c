/* uncommitted.h - the documents that are added but not committed, by ordinal and by id. */
#ifndef TRAWL_INDEXER_UNCOMMITTED_H
#define TRAWL_INDEXER_UNCOMMITTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/documents.h"

struct uncommitted {
	struct arena ids;
	struct uncommitted_document {
		const char *id;
		uint32_t id_length, id_hash;
		uint32_t tokens,
		    position_end; /* position_end: last position + 1; both known when the document is analysed */
		bool deleted;     /* or replaced by a later one */
		uint64_t text_bytes;
	} * documents; /* by ordinal */
	size_t count, capacity;
	uint32_t *slots; /* open addressing: ordinal + 1 of the live document, 0: empty */
	size_t slot_count;
	size_t deleted_count;
};

#define UNCOMMITTED_NONE UINT32_MAX

/* The slot where this id is, or would go. It is good until the next document is added. NULL: out of memory. */
uint32_t *uncommitted_slot(struct uncommitted *uncommitted, const struct hashed_id *id);

/* The ordinal of the live document in a slot, or UNCOMMITTED_NONE. */
static inline uint32_t uncommitted_live(const struct uncommitted *uncommitted, const uint32_t *slot)
{
	return *slot && !uncommitted->documents[*slot - 1].deleted ? *slot - 1 : UNCOMMITTED_NONE;
}

/* Append a document, of 0 tokens as yet, whose id has this slot; it replaces the one with its id. false: out of memory. */
bool uncommitted_add(struct uncommitted *uncommitted, uint32_t *slot, const struct hashed_id *id, uint64_t text_bytes);

void uncommitted_delete(struct uncommitted *uncommitted, uint32_t ordinal);

static inline uint32_t uncommitted_live_count(const struct uncommitted *uncommitted)
{
	return (uint32_t)(uncommitted->count - uncommitted->deleted_count);
}

/* The bytes that are held, with what the commit will hold for these documents. It follows from the documents alone. */
size_t uncommitted_memory(const struct uncommitted *uncommitted);

void uncommitted_release(struct uncommitted *uncommitted);

#endif
