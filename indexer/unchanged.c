#include "indexer/unchanged.h"

#include <string.h>

#include "base/reserved.h"

static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length && (!a_length || memcmp(a, b, a_length) == 0);
}

/* The same fields but for the file, which the stored ones have if the others do. */
static bool same_fields_of_any_file(const trawl_document *document, const trawl_document *stored)
{
	size_t mine = reserved_length(document->fields, document->fields_length);
	size_t theirs = reserved_length(stored->fields, stored->fields_length);
	size_t own_fields = document->fields_length - mine, their_fields = stored->fields_length - theirs;
	if (!mine && theirs && own_fields == 0)
		return their_fields == strlen("}");
	if (!mine && theirs) /* a comma follows where the whole has a brace */
		return own_fields == their_fields &&
		       memcmp(document->fields + 1, stored->fields + theirs + 1, own_fields - 1) == 0;
	return !mine == !theirs &&
	       same_bytes(document->fields + mine, own_fields, stored->fields + theirs, their_fields);
}

int document_is_stored(struct segment *segment, uint32_t doc, struct incoming *incoming, struct sameness sameness,
                       struct documents_scratch *scratch, trawl_error *error)
{
	const trawl_document *document = incoming->document;
	trawl_document stored;
	uint64_t hash;
	int code = segment_content_hash(segment, doc, &hash, error);
	if (code)
		return code;
	bool equal = hash == incoming_hash(incoming);
	if (equal ? !sameness.compare : !sameness.of_any_file)
		return equal;
	code = segment_fetch(segment, doc, scratch, &stored, error);
	if (code)
		return code;
	return same_bytes(document->title, document->title_length, stored.title, stored.title_length) &&
	       same_bytes(document->text, document->text_length, stored.text, stored.text_length) &&
	       (sameness.of_any_file
	            ? same_fields_of_any_file(document, &stored)
	            : same_bytes(document->fields, document->fields_length, stored.fields, stored.fields_length));
}
