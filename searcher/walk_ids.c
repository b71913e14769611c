/* walk_ids.c - the ids of all live documents. */
#include "base/error.h"
#include "searcher/index.h"

static int walk_segment(struct segment *segment, struct documents_scratch *scratch, trawl_id_visitor *visit,
                        void *context, trawl_error *error)
{
	for (uint32_t doc = 0; doc < segment->documents_count; doc++) {
		const char *id;
		size_t length;
		uint32_t ordinal;
		if (segment_is_deleted(segment, doc))
			continue;
		int code = segment_ordinal(segment, doc, &ordinal, error);
		if (!code)
			code = documents_id(&segment->stored, ordinal, scratch, &id, &length, error);
		if (!code)
			code = visit(context, id, length);
		if (code)
			return code;
	}
	return 0;
}

int trawl_walk_ids(const trawl_index *index, trawl_id_visitor *visit, void *context, trawl_error *error)
{
	struct documents_scratch scratch = {0};
	int code = 0;
	for (size_t i = 0; !code && i < index->manifest.segment_count; i++)
		code = walk_segment(&index->collection.segments[i], &scratch, visit, context, error);
	documents_scratch_release(&scratch);
	return code;
}
