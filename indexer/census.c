#include "indexer/census.h"

#include <string.h>

#include "base/error.h"
#include "segment/length.h"

void census_release(struct census *census)
{
	memory_free(census->docs);
	memory_free(census->order);
	memory_free(census->hashes);
	memory_free(census->lengths);
	memory_free(census->spans);
}

/* The living in order of their ordinals. */
static void list_living(struct census *census, const struct pending *pending)
{
	for (uint32_t ordinal = 0; ordinal < pending->count; ordinal++)
		if (!pending->documents[ordinal].dead)
			census->order[census->count++] = ordinal;
}

int census_take(struct census *census, const struct pending *pending, const struct unordered *unordered,
                trawl_error *error)
{
	*census = (struct census){.hashes = memory_new(pending->count * sizeof(uint32_t)),
	                          .order = memory_new(pending->count * sizeof(uint32_t)),
	                          .docs = memory_new(pending->count * sizeof(uint32_t)),
	                          .lengths = memory_new(pending->count),
	                          .spans = memory_new(pending->count)};
	if (!census->hashes || !census->order || !census->docs || !census->lengths || !census->spans)
		return error_set_memory(error);
	int code = 0;
	list_living(census, pending);
	memset(census->docs, 0xff, pending->count * sizeof *census->docs); /* DOCUMENT_NONE */
	for (uint32_t doc = 0; doc < census->count; doc++)
		census->docs[census->order[doc]] = doc;
	if (unordered)
		code =
		    reorder_documents(unordered, census->docs, census->order, census->count, &census->reordered, error);
	for (uint32_t doc = 0; !code && doc < census->count; doc++) {
		const struct pending_document *document = &pending->documents[census->order[doc]];
		census->hashes[doc] = document->id_hash;
		census->spans[doc] = length_encode(document->span);
		census->lengths[doc] = length_encode(document->tokens);
		census->tokens += document->tokens;
		census->text_bytes += document->text_bytes;
	}
	return code;
}
