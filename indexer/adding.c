/* adding.c - trawl_writer_add, trawl_writer_delete: a document's way into the segment builder, or out of the index. */
#include "base/error.h"
#include "indexer/unchanged.h"
#include "indexer/writer.h"

#define LARGE_TEXT ((size_t)1 << 20)     /* a document that takes more than a job is allowed */
#define LARGE_COST 8                     /* bytes for each of its text, while it is parsed and analysed */
#define TEXT_BYTES_MAX ((size_t)1 << 30) /* of a document: tokens are counted in 32 bits */

/* ---- memory ---- */

/* `more`: bytes that are about to be needed. */
static bool is_over_budget(struct trawl_writer *writer, size_t more)
{
	return segment_builder_is_full(&writer->builder, segment_set_memory(&writer->segments) + more);
}

/* Make a segment of the batch, which the commit will name with the others: ids and lengths of documents do not spill. */
static int cut_segment(struct trawl_writer *writer, trawl_error *error)
{
	struct segment_builder *builder = &writer->builder;
	struct segment_set *segments = &writer->segments;
	struct manifest_segment added;
	int code;
	if (!uncommitted_live_count(&builder->documents)) {
		code = store_batch_remove_segment(writer->output, builder->segment->number, error);
		segments->manifest.next_segment++;
		segment_builder_reset(builder);
		return code;
	}
	uint64_t documents = builder->documents.count;
	estimate_begin_writing(&writer->estimate);
	code = segment_builder_finish(builder, &added, error);
	if (!code)
		code = store_batch_flush(writer->output, error);
	if (code)
		return code;
	code = segment_set_add(segments, &added, &builder->documents, error);
	segment_builder_reset(builder);
	estimate_end_writing(&writer->estimate, documents);
	if (!code)
		writer->stats.segment_bytes += segment_bytes(&segments->segments[segments->manifest.segment_count - 1]);
	return code;
}

/* ---- adding ---- */

enum change { CHANGE_NEW, CHANGE_REPLACES, CHANGE_NONE };

/* What a document changes, whose id has this slot among the uncommitted ones. A committed one that it replaces is deleted. */
static int find_change(struct trawl_writer *writer, struct incoming *incoming, const uint32_t *slot,
                       enum change *change, trawl_error *error)
{
	struct segment_set *segments = &writer->segments;
	struct document_place place;
	*change = CHANGE_REPLACES;
	if (uncommitted_live(&writer->builder.documents, slot) != UNCOMMITTED_NONE)
		return 0;
	int found = segment_set_find(segments, &incoming->id, &place, error);
	if (found <= 0) {
		*change = CHANGE_NEW;
		return found;
	}
	int same = document_is_stored(&segments->segments[place.segment], place.doc, incoming, writer->sameness,
	                              &segments->scratch, error);
	if (same) {
		*change = CHANGE_NONE;
		return same < 0 ? same : 0;
	}
	return segment_set_delete(segments, &place, error);
}

static int check_document(const trawl_writer *writer, const trawl_document *document, trawl_error *error)
{
	if (!document->id_length)
		return error_set(error, TRAWL_EINPUT, "a document without an id");
	if (document->id_length > ID_BYTES_MAX)
		return error_set(error, TRAWL_ELIMIT, "an id of %zu bytes; %d are the most", document->id_length,
		                 ID_BYTES_MAX);
	if (document->title_length > TEXT_BYTES_MAX || document->text_length > TEXT_BYTES_MAX ||
	    document->fields_length > TEXT_BYTES_MAX)
		return error_set(error, TRAWL_ELIMIT, "a document of over 1 GiB");
	if (writer->builder.documents.count >= DOCUMENTS_MAX)
		return error_set(error, TRAWL_ELIMIT, "%u documents in one commit are the most; commit first",
		                 DOCUMENTS_MAX);
	return 0;
}

static int add(struct trawl_writer *writer, struct incoming *incoming, trawl_error *error)
{
	struct segment_builder *builder = &writer->builder;
	enum change change;
	uint32_t *slot = uncommitted_slot(&builder->documents, &incoming->id);
	if (!slot)
		return error_set_memory(error);
	int code = find_change(writer, incoming, slot, &change, error);
	if (code || change == CHANGE_NONE) {
		writer->stats.unchanged += !code;
		return code;
	}
	if (incoming->text_bytes > LARGE_TEXT && is_over_budget(writer, incoming->text_bytes * LARGE_COST))
		code = segment_builder_spill(builder, error);
	if (!code)
		code = segment_builder_add(builder, writer->segments.manifest.next_segment, incoming, slot, error);
	if (code)
		return code;
	*(change == CHANGE_NEW ? &writer->stats.added : &writer->stats.replaced) += 1;
	writer->stats.text_bytes += incoming->text_bytes;
	if (uncommitted_memory(&builder->documents) > writer->budget.documents)
		return cut_segment(writer, error);
	return pipeline_between_jobs(builder->pipeline) && is_over_budget(writer, 0)
	           ? segment_builder_spill(builder, error)
	           : 0;
}

int trawl_writer_add(trawl_writer *writer, const trawl_document *document, trawl_error *error)
{
	if (writer->failed)
		return writer_refuse_failed(error);
	int code = check_document(writer, document, error);
	if (code)
		return code;
	struct incoming incoming = {.document = document,
	                            .id = hashed_id(document->id, document->id_length),
	                            .text_bytes = document->title_length + document->text_length};
	code = add(writer, &incoming, error);
	writer->failed = code < 0;
	return code;
}

/* ---- deleting ---- */

int trawl_writer_delete(trawl_writer *writer, const char *id, size_t id_length, trawl_error *error)
{
	struct uncommitted *uncommitted = &writer->builder.documents;
	struct hashed_id hashed = hashed_id(id, id_length);
	struct document_place place;
	if (writer->failed)
		return writer_refuse_failed(error);
	const uint32_t *slot = uncommitted_slot(uncommitted, &hashed);
	if (!slot)
		return error_set_memory(error);
	uint32_t ordinal = uncommitted_live(uncommitted, slot);
	if (ordinal != UNCOMMITTED_NONE) {
		uncommitted_delete(uncommitted, ordinal);
		writer->stats.deleted++;
		return 0;
	}
	int found = segment_set_find(&writer->segments, &hashed, &place, error);
	if (!found)
		return error_set(error, TRAWL_ENOTFOUND, "no such document: %.*s",
		                 (int)(id_length < 256 ? id_length : 256), id);
	int code = found < 0 ? found : segment_set_delete(&writer->segments, &place, error);
	writer->stats.deleted += !code;
	writer->failed = code < 0;
	return code;
}
