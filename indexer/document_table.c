#include "indexer/document_table.h"

#include <string.h>

#include "base/error.h"
#include "segment/length.h"

void document_table_release(struct document_table *table)
{
	memory_free(table->docs);
	memory_free(table->order);
	memory_free(table->hashes);
	memory_free(table->lengths);
	memory_free(table->last_positions);
}

/* The live documents in order of their ordinals. */
static void list_live(struct document_table *table, const struct uncommitted *uncommitted)
{
	memset(table->docs, 0xff, uncommitted->count * sizeof *table->docs); /* DOCUMENT_NONE */
	for (uint32_t ordinal = 0; ordinal < uncommitted->count; ordinal++) {
		if (uncommitted->documents[ordinal].deleted)
			continue;
		table->docs[ordinal] = table->count;
		table->order[table->count++] = ordinal;
	}
}

int document_table_make(struct document_table *table, const struct uncommitted *uncommitted,
                        const struct unordered *unordered, trawl_error *error)
{
	size_t count = uncommitted->count;
	*table = (struct document_table){.hashes = memory_new(count * sizeof(uint32_t)),
	                                 .order = memory_new(count * sizeof(uint32_t)),
	                                 .docs = memory_new(count * sizeof(uint32_t)),
	                                 .lengths = memory_new(count),
	                                 .last_positions = memory_new(count)};
	if (!table->hashes || !table->order || !table->docs || !table->lengths || !table->last_positions)
		return error_set_memory(error);
	int code = 0;
	list_live(table, uncommitted);
	if (unordered)
		code = reorder_documents(unordered, table->docs, table->order, table->count, &table->reordered, error);
	for (uint32_t doc = 0; !code && doc < table->count; doc++) {
		const struct uncommitted_document *document = &uncommitted->documents[table->order[doc]];
		table->hashes[doc] = document->id_hash;
		table->last_positions[doc] = length_encode(document->position_end);
		table->lengths[doc] = length_encode(document->tokens);
		table->tokens += document->tokens;
		table->text_bytes += document->text_bytes;
	}
	return code;
}
