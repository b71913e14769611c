#include "searcher/index.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "segment/part.h"

int index_open_segments(struct trawl_index *index, trawl_error *error)
{
	struct collection *collection = &index->collection;
	size_t count = index->manifest.segment_count;
	uint64_t base = 0;
	collection->segments = memory_new_zeroed(count, sizeof *collection->segments);
	collection->bases = memory_new_zeroed(count, sizeof *collection->bases);
	if (!collection->segments || !collection->bases)
		return error_set_memory(error);
	collection->segment_count = count;
	collection->has_bigrams = index->manifest.flags & FLAG_BIGRAMS;
	for (size_t i = 0; i < count; i++) {
		int code = segment_open(&collection->segments[i], index->snapshot, &index->manifest, i, error);
		if (code)
			return code;
		const struct manifest_segment *summary = &index->manifest.segments[i];
		collection->bases[i] = base;
		base += summary->documents;
		collection->documents += summary->documents - summary->deleted;
		collection->tokens += summary->live_tokens;
	}
	if (collection->documents)
		collection->average = (float)((double)collection->tokens / (double)collection->documents);
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
	int code = cpu_check(error);
	if (!code)
		code = index_open_manifest(index, path, error);
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
	for (size_t i = 0; i < index->collection.segment_count; i++)
		segment_close(&index->collection.segments[i]);
	memory_free(index->collection.segments);
	memory_free(index->collection.bases);
	manifest_release(&index->manifest);
	snapshot_close(index->snapshot);
	store_close(index->store);
	memory_free(index);
}

bool index_locate(const struct trawl_index *index, uint64_t document, struct segment **segment, uint32_t *doc)
{
	const struct collection *collection = &index->collection;
	for (size_t i = collection->segment_count; i-- > 0;) {
		if (document < collection->bases[i])
			continue;
		*segment = &collection->segments[i];
		*doc = (uint32_t)(document - collection->bases[i]);
		return document - collection->bases[i] < collection->segments[i].documents_count;
	}
	return false;
}

enum unit { UNIT_NONE, UNIT_DOCUMENT, UNIT_POSTING, UNIT_TOKEN, UNIT_TERM, UNIT_BIGRAM_POSTING, UNIT_COUNT };

/* What the segments hold, the dead included. */
static void count_units(const struct trawl_index *index, uint64_t units[UNIT_COUNT])
{
	for (size_t i = 0; i < index->manifest.segment_count; i++) {
		const struct segment *segment = &index->collection.segments[i];
		units[UNIT_DOCUMENT] += segment->documents_count;
		units[UNIT_POSTING] += segment->postings_count;
		units[UNIT_TOKEN] += segment->tokens;
		units[UNIT_TERM] += segment->term_count;
		units[UNIT_BIGRAM_POSTING] += segment->bigrams.postings_count;
	}
}

int trawl_get_stats(const trawl_index *index, trawl_index_stats *stats, trawl_error *error)
{
	static const struct {
		const char *name;
		int first, last;
		enum unit unit;
	} parts[] = {{"documents", PART_DOCUMENTS, PART_DOCUMENT_DICTIONARY, UNIT_DOCUMENT},
	             {"hashes", PART_CONTENT_HASHES, PART_CONTENT_HASHES, UNIT_DOCUMENT},
	             {"ids", PART_IDS, PART_ORDER, UNIT_DOCUMENT},
	             {"lengths", PART_LENGTHS, PART_LENGTHS, UNIT_DOCUMENT},
	             {"last_positions", PART_LAST_POSITIONS, PART_LAST_POSITIONS, UNIT_DOCUMENT},
	             {"postings", PART_POSTINGS, PART_POSTINGS, UNIT_POSTING},
	             {"positions", PART_POSITIONS, PART_POSITIONS, UNIT_TOKEN},
	             {"bigrams", PART_BIGRAM_POSTINGS, PART_BIGRAM_ROOT, UNIT_BIGRAM_POSTING},
	             {"dictionary", PART_TERMS, PART_TERMS, UNIT_TERM},
	             {"statistics", PART_ROOT, PART_ROOT, UNIT_NONE},
	             {"deletions", PART_DELETIONS, PART_DELETIONS, UNIT_NONE}};
	static const char *const units[UNIT_COUNT] = {NULL, "document", "posting", "token", "term", "bigram posting"};
	uint64_t counts[UNIT_COUNT] = {0};
	(void)error;
	*stats = (trawl_index_stats){.documents = index->collection.documents,
	                             .tokens = index->collection.tokens,
	                             .segments = index->manifest.segment_count,
	                             .generation = index->manifest.generation,
	                             .positions = index->manifest.flags & FLAG_POSITIONS,
	                             .bigrams = index->manifest.flags & FLAG_BIGRAMS,
	                             .analysis = manifest_analysis(&index->manifest),
	                             .part_count = sizeof parts / sizeof *parts};
	count_units(index, counts);
	for (size_t p = 0; p < stats->part_count; p++) {
		stats->parts[p].name = parts[p].name;
		stats->parts[p].unit = units[parts[p].unit];
		stats->parts[p].units = counts[parts[p].unit];
		for (size_t i = 0; i < index->manifest.segment_count; i++)
			for (int part = parts[p].first; part <= parts[p].last; part++)
				stats->parts[p].bytes +=
				    part_file_bytes(index->collection.segments[i].part_bytes[part]);
	}
	for (size_t i = 0; i < index->manifest.segment_count; i++) {
		const struct manifest_segment *summary = &index->manifest.segments[i];
		stats->deleted += summary->deleted;
		stats->terms += index->collection.segments[i].term_count;
		stats->postings += summary->live_postings;
		stats->bigram_lists += index->collection.segments[i].bigrams.count;
		stats->bigram_postings += index->collection.segments[i].bigrams.postings_count;
		stats->text_bytes += summary->live_text_bytes;
	}
	snapshot_file_size(index->snapshot, &stats->file_bytes, &stats->free_bytes);
	return 0;
}

int trawl_get_segment(const trawl_index *index, size_t which, trawl_segment_stats *stats, trawl_error *error)
{
	if (which >= index->manifest.segment_count)
		return error_set(error, TRAWL_EINVAL, "segment %zu of %zu", which, index->manifest.segment_count);
	const struct manifest_segment *summary = &index->manifest.segments[which];
	*stats = (trawl_segment_stats){.number = summary->number,
	                               .documents = summary->documents,
	                               .deleted = summary->deleted,
	                               .text_bytes = summary->live_text_bytes,
	                               .bytes = segment_file_bytes(&index->collection.segments[which])};
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
		found =
		    segment_find_id(&index->collection.segments[i], id, id_length, &(*handle)->scratch, &doc, error);
	int code = found < 0 ? found : 0;
	if (!found)
		code = error_set(error, TRAWL_ENOTFOUND, "no such document: %.*s",
		                 (int)(id_length < 256 ? id_length : 256), id);
	if (found > 0)
		code = segment_fetch(&index->collection.segments[i], doc, &(*handle)->scratch, document, error);
	if (code) {
		trawl_stored_free(*handle);
		*handle = NULL;
	}
	return code;
}
