/* incoming.h - a document on its way into a segment, with what was found out about it: each of these once. */
#ifndef TRAWL_INDEXER_INCOMING_H
#define TRAWL_INDEXER_INCOMING_H

#include <stdbool.h>
#include <stdint.h>

#include "segment/documents.h"

struct incoming {
	const trawl_document *document;
	struct hashed_id id;
	uint64_t text_bytes;   /* of title and text */
	uint64_t content_hash; /* where has_hash: only a document whose id is known needs it before it is stored */
	bool has_hash;
};

static inline uint64_t incoming_hash(struct incoming *incoming)
{
	if (!incoming->has_hash)
		incoming->content_hash = document_hash(incoming->document);
	incoming->has_hash = true;
	return incoming->content_hash;
}

#endif
