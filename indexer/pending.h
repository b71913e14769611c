/* pending.h - the ids of documents that are added but not committed: to find a second document with the same id. */
#ifndef TRAWL_INDEXER_PENDING_H
#define TRAWL_INDEXER_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct pending {
	struct arena ids;
	struct pending_document {
		const char *id;
		uint32_t id_length, id_hash; /* as segment/documents.h hashes ids */
		uint32_t tokens, span;       /* span: last position + 1; both known when the document is analysed */
		bool dead;                   /* a later document took its place */
		uint64_t text_bytes;
	} * documents; /* by ordinal */
	size_t count, capacity;
	uint32_t *slots; /* open addressing: ordinal + 1 of the live document, 0: empty */
	size_t slot_count;
	size_t dead_count;
};

#define PENDING_NONE UINT32_MAX

/* The ordinal of the live document with this id, or PENDING_NONE. */
uint32_t pending_find(const struct pending *pending, const char *id, size_t length);

/* Append a document, of 0 tokens as yet; when there is one with its id, that one dies. false: out of memory. */
bool pending_add(struct pending *pending, const char *id, size_t length, uint64_t text_bytes);

/* The document with this id dies without a successor. */
void pending_remove(struct pending *pending, uint32_t ordinal);

size_t pending_memory(const struct pending *pending);
/* With what the commit will hold for them. It follows from the documents alone. */
size_t pending_commit_memory(const struct pending *pending);
/* Ids that were pending once, as a set of hashes: it may say of others too that they were. Zero-initialised has none. */
struct id_filter {
	uint64_t *words;
	uint64_t bits; /* a power of two */
};

/* Add all; the filter takes `bytes` at most. false: out of memory. */
bool id_filter_add(struct id_filter *filter, const struct pending *pending, size_t bytes);
bool id_filter_has(const struct id_filter *filter, const char *id, size_t length);
void id_filter_release(struct id_filter *filter);

void pending_release(struct pending *pending);

#endif
