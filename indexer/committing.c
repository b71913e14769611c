/* committing.c - trawl_writer_commit: what was added and deleted becomes visible, all of it at once. */
#include "base/error.h"
#include "indexer/writer.h"

static int name_segment(struct manifest *manifest, const struct manifest_segment *added, trawl_error *error)
{
	if (!memory_reserve(&manifest->segments, &manifest->segment_capacity, manifest->segment_count + 1,
	                    sizeof *manifest->segments))
		return error_set_memory(error);
	manifest->segments[manifest->segment_count++] = *added;
	return 0;
}

static int commit_manifest(struct store_batch *output, const struct manifest *manifest, trawl_error *error)
{
	struct buffer bytes = {0};
	int code = manifest_write(manifest, &bytes) ? 0 : error_set_memory(error);
	if (!code && bytes.length > EXTENT_PAYLOAD)
		code = error_set(error, TRAWL_ELIMIT, "too many segments");
	if (!code)
		code = store_batch_commit(output, bytes.data, (uint32_t)bytes.length, error);
	buffer_release(&bytes);
	return code;
}

static int commit(struct trawl_writer *writer, trawl_error *error)
{
	struct segment_builder *builder = &writer->builder;
	struct segment_set *segments = &writer->segments;
	struct manifest manifest;
	struct manifest_segment added;
	bool has_live = uncommitted_live_count(&builder->documents);
	if (!manifest_copy(&manifest, &segments->manifest))
		return error_set_memory(error);
	int code = has_live ? segment_builder_finish(builder, &added, error) : 0;
	/* From here on the old commit's own extents change, which must be seen together with the manifest. */
	if (!code && segment_set_has_deletions(segments))
		code = store_batch_hold(writer->output, error);
	if (!code)
		code = segment_set_write_deletions(segments, writer->output, &manifest, error);
	if (!code && !has_live && builder->segment) /* all its documents were deleted again */
		code = store_batch_remove_segment(writer->output, builder->segment->number, error);
	if (!code && has_live)
		code = name_segment(&manifest, &added, error);
	manifest.next_segment += builder->segment != NULL;
	manifest.generation++;
	if (!code)
		code = commit_manifest(writer->output, &manifest, error);
	manifest_release(&manifest);
	return code;
}

int trawl_writer_commit(trawl_writer *writer, trawl_error *error)
{
	if (writer->failed)
		return writer_refuse_failed(error);
	if (!writer_has_changes(writer))
		return 0;
	bool added = uncommitted_live_count(&writer->builder.documents);
	uint64_t documents = writer->builder.documents.count;
	estimate_begin_writing(&writer->estimate);
	int code = commit(writer, error);
	if (!code) {
		writer->fresh = false;
		writer->stats.commits++;
		segment_builder_reset(&writer->builder);
		code = segment_set_open(&writer->segments, writer->store, &writer->budget, error);
		if (!code && added)
			writer->stats.segment_bytes += writer_bytes_made(writer);
		if (!code)
			code = writer_merge_as_due(writer, error);
	}
	estimate_end_writing(&writer->estimate, documents);
	writer->failed = code < 0;
	return code;
}
