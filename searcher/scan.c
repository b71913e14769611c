/* scan.c - all live documents, one after the other. */
#include "base/error.h"
#include "searcher/index.h"

#define NO_DOCUMENT UINT32_MAX

struct trawl_scan {
	const struct trawl_index *index;
	bool as_added;
	size_t segment; /* the one being read */
	uint32_t next;  /* within it: a docID, or (as_added) an ordinal */
	uint32_t *docs; /* as_added, where docIDs are in another order: the docID of each ordinal of the segment */
	struct documents_scratch scratch;
};

int trawl_scan_new(trawl_scan **out, const trawl_index *index, bool as_added, trawl_error *error)
{
	*out = memory_new_zeroed(1, sizeof **out);
	if (!*out)
		return error_set_memory(error);
	(*out)->index = index;
	(*out)->as_added = as_added;
	return 0;
}

void trawl_scan_free(trawl_scan *scan)
{
	if (!scan)
		return;
	documents_scratch_release(&scan->scratch);
	memory_free(scan->docs);
	memory_free(scan);
}

/* Turn a segment's table of ordinals around. Ordinals of documents replaced before their commit have no docID. */
static int invert_order(struct trawl_scan *scan, struct segment *segment, trawl_error *error)
{
	scan->docs = memory_new((size_t)segment->ordinals * sizeof *scan->docs);
	if (!scan->docs)
		return error_set_memory(error);
	for (uint32_t ordinal = 0; ordinal < segment->ordinals; ordinal++)
		scan->docs[ordinal] = NO_DOCUMENT;
	for (uint32_t doc = 0; doc < segment->documents_count; doc++) {
		uint32_t ordinal;
		int code = segment_ordinal(segment, doc, &ordinal, error);
		if (!code && ordinal >= segment->ordinals)
			code = error_set(error, TRAWL_ECORRUPT, "segment %u: document %u has an ordinal past the end",
			                 (unsigned)segment->summary.number, (unsigned)doc);
		if (code)
			return code;
		scan->docs[ordinal] = doc;
	}
	return 0;
}

/* The next live docID of the segment: 1, or 0 at its end. */
static int next_doc(struct trawl_scan *scan, struct segment *segment, uint32_t *doc, trawl_error *error)
{
	bool inverted = scan->as_added && segment->order.bytes;
	if (inverted && !scan->docs) {
		int code = invert_order(scan, segment, error);
		if (code)
			return code;
	}
	uint32_t end = inverted ? segment->ordinals : segment->documents_count;
	while (scan->next < end) {
		uint32_t at = scan->next++;
		*doc = inverted ? scan->docs[at] : at;
		if (*doc != NO_DOCUMENT && !segment_is_deleted(segment, *doc))
			return 1;
	}
	return 0;
}

int trawl_scan_next(trawl_scan *scan, trawl_document *document, trawl_error *error)
{
	for (; scan->segment < scan->index->manifest.segment_count; scan->segment++) {
		struct segment *segment = &scan->index->collection.segments[scan->segment];
		uint32_t doc = 0;
		int code = next_doc(scan, segment, &doc, error);
		if (code > 0)
			code = segment_fetch(segment, doc, &scan->scratch, document, error);
		else if (!code) {
			memory_free(scan->docs);
			scan->docs = NULL;
			scan->next = 0;
			continue;
		}
		return code ? code : 1;
	}
	return 0;
}
