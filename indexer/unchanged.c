#include "indexer/unchanged.h"

#include <string.h>

static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length && (!a_length || memcmp(a, b, a_length) == 0);
}

int document_is_stored(struct segment *segment, uint32_t doc, struct incoming *incoming, bool compare,
                       struct documents_scratch *scratch, trawl_error *error)
{
	const trawl_document *document = incoming->document;
	trawl_document stored;
	uint64_t hash;
	int code = segment_content_hash(segment, doc, &hash, error);
	if (code)
		return code;
	if (hash != incoming_hash(incoming))
		return 0;
	if (!compare)
		return 1;
	code = segment_fetch(segment, doc, scratch, &stored, error);
	if (code)
		return code;
	return same_bytes(document->title, document->title_length, stored.title, stored.title_length) &&
	       same_bytes(document->text, document->text_length, stored.text, stored.text_length) &&
	       same_bytes(document->fields, document->fields_length, stored.fields, stored.fields_length);
}
