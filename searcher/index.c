#include "searcher/index.h"

#include <string.h>

#include "base/error.h"

int index_open_segments(struct trawl_index *index, trawl_error *error)
{
	size_t count = index->manifest.segment_count;
	uint64_t base = 0;
	index->segments = memory_new_zeroed(count, sizeof *index->segments);
	index->bases = memory_new_zeroed(count, sizeof *index->bases);
	if (!index->segments || !index->bases)
		return error_set_memory(error);
	for (size_t i = 0; i < count; i++) {
		int code = segment_open(&index->segments[i], index->snapshot, &index->manifest, i, error);
		if (code)
			return code;
		const struct manifest_segment *summary = &index->manifest.segments[i];
		index->bases[i] = base;
		base += summary->documents;
		index->documents += summary->documents - summary->deleted;
		index->tokens += summary->live_tokens;
	}
	index->average = index->documents ? (float)((double)index->tokens / (double)index->documents) : 0;
	return 0;
}

int index_open_manifest(struct trawl_index *index, const char *path, trawl_error *error)
{
	int code = store_open(&index->store, path, false, error);
	if (!code)
		code = snapshot_open(&index->snapshot, index->store, error);
	if (!code)
		code = manifest_read(&index->manifest, index->snapshot, error);
	if (!code && !index->manifest.generation)
		code = error_set(error, TRAWL_ENOTINDEX,
		                 "%s has no commit yet: it is being written, or its first run did not finish", path);
	return code;
}

int trawl_open(trawl_index **out, const char *path, trawl_error *error)
{
	*out = NULL;
	trawl_index *index = memory_new_zeroed(1, sizeof *index);
	if (!index)
		return error_set_memory(error);
	int code = index_open_manifest(index, path, error);
	if (!code)
		code = index_open_segments(index, error);
	if (code) {
		trawl_close(index);
		return code;
	}
	*out = index;
	return 0;
}

void trawl_close(trawl_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; index->segments && i < index->manifest.segment_count; i++)
		segment_close(&index->segments[i]);
	memory_free(index->segments);
	memory_free(index->bases);
	manifest_release(&index->manifest);
	snapshot_close(index->snapshot);
	store_close(index->store);
	memory_free(index);
}

bool index_locate(const struct trawl_index *index, uint64_t document, struct segment **segment, uint32_t *doc)
{
	for (size_t i = index->manifest.segment_count; i-- > 0;) {
		if (document < index->bases[i])
			continue;
		*segment = &index->segments[i];
		*doc = (uint32_t)(document - index->bases[i]);
		return document - index->bases[i] < index->segments[i].documents_count;
	}
	return false;
}

int trawl_get_stats(const trawl_index *index, trawl_index_stats *stats, trawl_error *error)
{
	static const struct {
		const char *name;
		int first, last;
	} parts[] = {{"documents", PART_DOCUMENTS, PART_DOCUMENT_DICTIONARY},
	             {"content hashes", PART_CONTENT_HASHES, PART_CONTENT_HASHES},
	             {"ids", PART_IDS, PART_ORDER},
	             {"lengths", PART_LENGTHS, PART_LENGTHS},
	             {"spans", PART_SPANS, PART_SPANS},
	             {"postings", PART_POSTINGS, PART_POSTINGS},
	             {"positions", PART_POSITIONS, PART_POSITIONS},
	             {"pairs", PART_PAIR_POSTINGS, PART_PAIR_ROOT},
	             {"dictionary", PART_TERMS, PART_TERMS},
	             {"statistics", PART_ROOT, PART_ROOT},
	             {"deletions", PART_DELETIONS, PART_DELETIONS}};
	(void)error;
	*stats = (trawl_index_stats){.documents = index->documents,
	                             .tokens = index->tokens,
	                             .segments = index->manifest.segment_count,
	                             .generation = index->manifest.generation,
	                             .positions = index->manifest.flags & FLAG_POSITIONS,
	                             .pairs = index->manifest.flags & FLAG_PAIRS,
	                             .analysis = manifest_analysis(&index->manifest),
	                             .part_count = sizeof parts / sizeof *parts};
	for (size_t p = 0; p < stats->part_count; p++) {
		stats->parts[p].name = parts[p].name;
		for (size_t i = 0; i < index->manifest.segment_count; i++)
			for (int part = parts[p].first; part <= parts[p].last; part++)
				stats->parts[p].bytes += part_file_bytes(index->segments[i].part_bytes[part]);
	}
	for (size_t i = 0; i < index->manifest.segment_count; i++) {
		const struct manifest_segment *summary = &index->manifest.segments[i];
		stats->deleted += summary->deleted;
		stats->terms += index->segments[i].term_count;
		stats->postings += summary->live_postings;
		stats->pair_lists += index->segments[i].pair_count;
		stats->pair_postings += index->segments[i].pair_postings_count;
		stats->text_bytes += summary->live_text_bytes;
	}
	snapshot_file_size(index->snapshot, &stats->file_bytes, &stats->free_bytes);
	return 0;
}

struct trawl_stored {
	struct documents_scratch scratch;
};

void trawl_stored_free(trawl_stored *handle)
{
	if (handle)
		documents_scratch_release(&handle->scratch);
	memory_free(handle);
}

int trawl_fetch(const trawl_index *index, const char *id, size_t id_length, trawl_stored **handle,
                trawl_document *document, trawl_error *error)
{
	uint32_t doc = 0;
	int found = 0;
	*handle = memory_new_zeroed(1, sizeof **handle);
	if (!*handle)
		return error_set_memory(error);
	size_t i = index->manifest.segment_count;
	while (!found && i-- > 0)
		found = segment_find_id(&index->segments[i], id, id_length, &(*handle)->scratch, &doc, error);
	int code = found < 0 ? found : 0;
	if (!found)
		code = error_set(error, TRAWL_ENOTFOUND, "no such document: %.*s",
		                 (int)(id_length < 256 ? id_length : 256), id);
	if (found > 0)
		code = segment_fetch(&index->segments[i], doc, &(*handle)->scratch, document, error);
	if (code) {
		trawl_stored_free(*handle);
		*handle = NULL;
	}
	return code;
}
