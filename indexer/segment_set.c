#include "indexer/segment_set.h"

#include <string.h>

#include "base/error.h"

/* ---- opening ---- */

static void close_segments(struct segment_set *set)
{
	for (size_t i = 0; set->segments && i < set->manifest.segment_count; i++)
		segment_close(&set->segments[i]);
	memory_free(set->segments);
	set->segments = NULL;
	documents_scratch_release(&set->scratch);
	snapshot_close(set->snapshot);
	set->snapshot = NULL;
}

void segment_set_close(struct segment_set *set)
{
	close_segments(set);
	for (size_t i = 0; set->deletes && i < set->manifest.segment_count; i++)
		delete_buffer_release(&set->deletes[i]);
	memory_free(set->deletes);
	set->deletes = NULL;
	set->cut_count = 0;
	id_filter_release(&set->cut_ids);
	manifest_release(&set->manifest);
}

void segment_set_release(struct segment_set *set)
{
	segment_set_close(set);
	tokenizer_free(set->delete_tokenizer);
	set->delete_tokenizer = NULL;
}

/* The segments that the manifest has by now, in the snapshot. */
static int open_segments(struct segment_set *set, trawl_error *error)
{
	int code = 0;
	snapshot_limit(set->snapshot, set->budget->mapped);
	set->segments = memory_new_zeroed(set->manifest.segment_count, sizeof *set->segments);
	if (!set->segments)
		return error_set_memory(error);
	for (size_t i = 0; !code && i < set->manifest.segment_count; i++)
		code = segment_open(&set->segments[i], set->snapshot, &set->manifest, i, error);
	return code;
}

int segment_set_open(struct segment_set *set, struct store *store, const struct budget *budget, trawl_error *error)
{
	segment_set_close(set);
	set->store = store;
	set->budget = budget;
	int code = snapshot_open(&set->snapshot, store, error);
	if (!code)
		code = manifest_read(&set->manifest, set->snapshot, error);
	if (code)
		return code;
	set->deletes = memory_new_zeroed(set->manifest.segment_count, sizeof *set->deletes);
	return set->deletes ? open_segments(set, error) : error_set_memory(error);
}

int segment_set_add(struct segment_set *set, const struct manifest_segment *added,
                    const struct uncommitted *uncommitted, trawl_error *error)
{
	struct manifest *manifest = &set->manifest;
	size_t count = manifest->segment_count;
	struct delete_buffer *deletes = memory_resize(set->deletes, (count + 1) * sizeof *deletes);
	if (!deletes)
		return error_set_memory(error);
	set->deletes = deletes;
	if (!memory_reserve(&manifest->segments, &manifest->segment_capacity, count + 1, sizeof *manifest->segments) ||
	    !id_filter_reserve(&set->cut_ids, set->budget->filter))
		return error_set_memory(error);
	close_segments(set);
	deletes[count] = (struct delete_buffer){0};
	manifest->segments[count] = *added;
	manifest->segment_count++;
	manifest->next_segment++;
	set->cut_count++;
	for (size_t i = 0; i < uncommitted->count; i++)
		id_filter_add(&set->cut_ids, uncommitted->documents[i].id_hash);
	int code = snapshot_open(&set->snapshot, set->store, error);
	return code ? code : open_segments(set, error);
}

static size_t deletes_memory(const struct segment_set *set)
{
	size_t bytes = 0;
	for (size_t i = 0; i < set->manifest.segment_count; i++)
		bytes += delete_buffer_memory(&set->deletes[i]);
	return bytes;
}

size_t segment_set_memory(const struct segment_set *set)
{
	size_t bytes = snapshot_resident(set->snapshot) + set->cut_ids.bits / 8 + deletes_memory(set);
	for (size_t i = 0; i < set->manifest.segment_count; i++)
		bytes += segment_memory(&set->segments[i]);
	return bytes;
}

/* ---- looking ids up ---- */

/* Whether the document after the one found last has this id, and lives: 1 or 0. A run over the same input looks there for
 * each document, which saves the id index's cache misses. */
static int is_expected(struct segment_set *set, const struct hashed_id *id, trawl_error *error)
{
	size_t i = set->expected.segment, length;
	uint32_t doc = set->expected.doc, ordinal;
	const char *found;
	if (i >= set->manifest.segment_count || doc >= set->segments[i].documents_count ||
	    segment_is_deleted(&set->segments[i], doc) || delete_buffer_has(&set->deletes[i], doc))
		return 0;
	int code = segment_ordinal(&set->segments[i], doc, &ordinal, error);
	if (!code)
		code = documents_id(&set->segments[i].stored, ordinal, &set->scratch, &found, &length, error);
	return code ? code : length == id->length && memcmp(found, id->bytes, length) == 0;
}

int segment_set_find(struct segment_set *set, const struct hashed_id *id, struct document_place *place,
                     trawl_error *error)
{
	int found = is_expected(set, id, error);
	size_t i = set->manifest.segment_count;
	*place = set->expected;
	if (!found && set->cut_count && !id_filter_has(&set->cut_ids, id->hash))
		i -= set->cut_count;
	while (!found && i-- > 0) {
		place->segment = i;
		found = segment_find_hashed_id(&set->segments[i], id, &set->scratch, &place->doc, error);
		if (found > 0 && delete_buffer_has(&set->deletes[i], place->doc))
			found = 0;
	}
	if (found > 0)
		set->expected = (struct document_place){place->segment, place->doc + 1};
	return found;
}

/* ---- deletions ---- */

int segment_set_delete(struct segment_set *set, const struct document_place *place, trawl_error *error)
{
	trawl_document stored;
	struct segment *segment = &set->segments[place->segment];
	struct delete_buffer *deletes = &set->deletes[place->segment];
	size_t others = deletes_memory(set) - delete_buffer_memory(deletes), room = set->budget->deletes;
	deletes->room = others < room ? (room - others) / 2 : 0; /* half: a list doubles when it grows */
	int code = segment_fetch(segment, place->doc, &set->scratch, &stored, error);
	if (!code && !set->delete_tokenizer) {
		trawl_analysis analysis = manifest_analysis(&set->manifest);
		code = tokenizer_new(&set->delete_tokenizer, &analysis, error);
	}
	if (!code)
		code = delete_buffer_add(deletes, segment, place->doc, &stored, set->delete_tokenizer, error);
	return code;
}

bool segment_set_has_deletions(const struct segment_set *set)
{
	for (size_t i = 0; i < set->manifest.segment_count; i++)
		if (set->deletes[i].count)
			return true;
	return false;
}

static int put_deletions(struct store_batch *output, uint32_t segment, const struct buffer *bytes, trawl_error *error)
{
	int code = 0;
	uint32_t extent = 0;
	for (size_t at = 0; !code && at < bytes->length; at += EXTENT_PAYLOAD, extent++) {
		size_t left = bytes->length - at;
		code = store_batch_put(output, segment, PART_DELETIONS, extent, bytes->data + at,
		                       (uint32_t)(left < EXTENT_PAYLOAD ? left : EXTENT_PAYLOAD), error);
	}
	return code;
}

int segment_set_write_deletions(struct segment_set *set, struct store_batch *output, struct manifest *manifest,
                                trawl_error *error)
{
	struct buffer bytes = {0};
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; !code && i < set->manifest.segment_count; i++) {
		struct manifest_segment *summary = &manifest->segments[i];
		bytes.length = 0;
		if (set->deletes[i].count)
			code = delete_buffer_write(&set->deletes[i], &set->segments[i], summary, &bytes, error);
		if (!code && summary->deleted == summary->documents) {
			code = store_batch_remove_segment(output, summary->number, error);
			continue;
		}
		if (!code)
			code = put_deletions(output, summary->number, &bytes, error);
		manifest->segments[kept++] = *summary;
	}
	manifest->segment_count = kept;
	buffer_release(&bytes);
	return code;
}
