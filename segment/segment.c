#include "segment/segment.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "segment/part.h"

/* ---- opening ---- */

static int bad_root(const struct segment *segment, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT, "%s is damaged: segment %u, root: %s; restore it or index again",
	                 store_path(snapshot_store(segment->snapshot)), segment->summary.number, what);
}

static int parse_root(struct segment *segment, trawl_error *error)
{
	if (segment->root.length < ROOT_FIXED)
		return bad_root(segment, "cut off", error);
	const uint8_t *at = segment->root.data;
	segment->documents_count = load32(at + ROOT_DOCUMENTS);
	segment->ordinals = load32(at + ROOT_ORDINALS);
	segment->tokens = load64(at + ROOT_TOKENS);
	segment->postings_count = load64(at + ROOT_POSTINGS);
	segment->term_count = load64(at + ROOT_TERMS);
	segment->text_bytes = load64(at + ROOT_TEXT_BYTES);
	memcpy(&segment->build_average, at + ROOT_AVERAGE, 4);
	segment->least_length = at[ROOT_LEAST_LENGTH];
	segment->greatest_length = at[ROOT_GREATEST_LENGTH];
	for (int part = PART_DOCUMENTS; part <= PART_TERMS; part++)
		segment->part_bytes[part] = load64(at + ROOT_PART_BYTES + 8 * (part - PART_DOCUMENTS));
	segment->part_bytes[PART_ROOT] = segment->root.length;
	segment->part_bytes[PART_DELETIONS] = segment->summary.deletion_bytes;
	segment->part_bytes[PART_LAST_POSITIONS] = segment->has_gaps ? segment->documents_count : 0;
	segment->part_bytes[PART_CONTENT_HASHES] = CONTENT_HASH * (uint64_t)segment->ordinals;
	const uint64_t *bytes = segment->part_bytes;
	uint32_t n = segment->documents_count;
	if (n != segment->summary.documents || n > DOCUMENTS_MAX || segment->ordinals < n || bytes[PART_LENGTHS] != n ||
	    bytes[PART_ID_INDEX] != (uint64_t)n * ID_ENTRY ||
	    (bytes[PART_ORDER] && bytes[PART_ORDER] != 4 * (uint64_t)n) ||
	    (!bytes[PART_ORDER] && segment->ordinals != n))
		return bad_root(segment, "counts that contradict each other", error);
	return 0;
}

static int open_parts(struct segment *segment, trawl_error *error)
{
	struct {
		struct part *part;
		uint32_t number;
	} parts[] = {{&segment->id_index.part, PART_ID_INDEX},
	             {&segment->order, PART_ORDER},
	             {&segment->lengths_part, PART_LENGTHS},
	             {&segment->last_positions_part, PART_LAST_POSITIONS},
	             {&segment->postings, PART_POSTINGS},
	             {&segment->positions, PART_POSITIONS},
	             {&segment->content_hashes, PART_CONTENT_HASHES}};
	uint32_t number = segment->summary.number;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		int code = part_open(parts[i].part, segment->snapshot, number, parts[i].number,
		                     segment->part_bytes[parts[i].number], error);
		if (code)
			return code;
	}
	uint64_t used, left = segment->root.length - ROOT_FIXED;
	const uint8_t *lists = segment->root.data + ROOT_FIXED;
	int code = terms_open(&segment->terms, segment->snapshot, number, PART_TERMS, segment->part_bytes[PART_TERMS],
	                      segment->has_positions, lists, left, &used, error);
	if (code)
		return code;
	if (left - used != 4 * (uint64_t)segment->id_index.part.extent_count)
		return bad_root(segment, "not a hash for each extent of ids", error);
	segment->id_index.first_hashes = lists + used;
	segment->id_index.count = segment->documents_count;
	return documents_open(&segment->stored, segment->snapshot, number, segment->ordinals, segment->part_bytes,
	                      error);
}

/* Scoring looks up a length for each posting it scores, so these bytes are kept in one piece. */
static int load_lengths(struct segment *segment, trawl_error *error)
{
	int code = part_in_one(&segment->lengths_part, &segment->lengths, &segment->lengths_copy, error);
	segment->last_positions = segment->lengths;
	if (code || !segment->part_bytes[PART_LAST_POSITIONS])
		return code;
	return part_in_one(&segment->last_positions_part, &segment->last_positions, &segment->last_positions_copy,
	                   error);
}

static int load_deletions(struct segment *segment, trawl_error *error)
{
	const struct manifest_segment *summary = &segment->summary;
	struct buffer bytes = {0};
	const char *wrong = "deletions of the wrong length";
	if (!summary->deletion_bytes)
		return summary->deleted ? bad_root(segment, "deletions are missing", error) : 0;
	int code = part_read_all(segment->snapshot, summary->number, PART_DELETIONS, &bytes, error);
	if (code)
		goto done;
	/* An older, longer form may have left extents behind. */
	code = bytes.length < summary->deletion_bytes
	           ? TRAWL_ECORRUPT
	           : deletions_read(&segment->deletions, bytes.data, summary->deletion_bytes, segment->documents_count,
	                            summary->deleted, &wrong);
	if (code)
		code = code == TRAWL_ECORRUPT ? bad_root(segment, wrong, error) : error_set_memory(error);
done:
	buffer_release(&bytes);
	return code;
}

int segment_open(struct segment *segment, struct snapshot *snapshot, const struct manifest *manifest, size_t index,
                 trawl_error *error)
{
	*segment = (struct segment){.snapshot = snapshot, .summary = manifest->segments[index]};
	segment->has_positions = manifest->flags & FLAG_POSITIONS;
	segment->has_gaps = segment->has_positions && manifest->flags & FLAG_STOP_WORDS;
	segment->has_bigrams = manifest->flags & FLAG_BIGRAMS;
	int code = part_read_all(snapshot, segment->summary.number, PART_ROOT, &segment->root, error);
	if (!code)
		code = parse_root(segment, error);
	if (!code)
		code = open_parts(segment, error);
	if (!code)
		code = load_lengths(segment, error);
	if (!code)
		code = load_deletions(segment, error);
	if (!code && segment->has_bigrams)
		code =
		    bigram_lists_open(&segment->bigrams, snapshot, segment->summary.number, segment->part_bytes, error);
	if (code)
		segment_close(segment);
	return code;
}

void segment_close(struct segment *segment)
{
	part_release(&segment->id_index.part);
	part_release(&segment->order);
	part_release(&segment->lengths_part);
	part_release(&segment->last_positions_part);
	part_release(&segment->postings);
	part_release(&segment->positions);
	part_release(&segment->content_hashes);
	terms_release(&segment->terms);
	bigram_lists_release(&segment->bigrams);
	documents_release(&segment->stored);
	deletions_release(&segment->deletions);
	buffer_release(&segment->root);
	memory_free(segment->lengths_copy);
	memory_free(segment->last_positions_copy);
	segment->lengths_copy = segment->last_positions_copy = NULL;
}

/* ---- sizes ---- */

size_t segment_memory(const struct segment *segment)
{
	size_t copies = (segment->lengths_copy ? segment->lengths_part.bytes : 0) +
	                (segment->last_positions_copy ? segment->last_positions_part.bytes : 0);
	size_t extents = segment_bytes(segment) / EXTENT_PAYLOAD * sizeof *segment->postings.extents;
	return copies + extents + segment->root.capacity + segment->bigrams.root.capacity +
	       deletions_memory(&segment->deletions, segment->documents_count);
}

uint64_t segment_bytes(const struct segment *segment)
{
	uint64_t bytes = 0;
	for (int part = PART_DOCUMENTS; part < PART_COUNT; part++)
		bytes += segment->part_bytes[part];
	return bytes;
}

uint64_t segment_file_bytes(const struct segment *segment)
{
	uint64_t bytes = 0;
	for (int part = PART_DOCUMENTS; part < PART_COUNT; part++)
		bytes += part_file_bytes(segment->part_bytes[part]);
	return bytes;
}

/* ---- looking up ---- */

uint32_t segment_live_df(const struct segment *segment, const struct term_entry *entry)
{
	uint32_t deleted = deletions_df(&segment->deletions, entry->number);
	return entry->df > deleted ? entry->df - deleted : 0;
}

int segment_find_bigram(struct segment *segment, const struct term_entry *first, const struct term_entry *second,
                        struct term_entry *bigram, trawl_error *error)
{
	char name[BIGRAM_NAME_BYTES];
	if (!first->df || !second->df)
		return BIGRAM_ABSENT;
	if (!segment->has_bigrams || !bigram_is_listed(first->df, second->df, segment->documents_count))
		return BIGRAM_UNLISTED;
	bigram_name(name, (uint32_t)first->number, (uint32_t)second->number);
	int found = terms_find(&segment->bigrams.terms, name, sizeof name, bigram, error);
	return found < 0 ? found : found ? BIGRAM_FOUND : BIGRAM_ABSENT;
}

int segment_ordinal(struct segment *segment, uint32_t doc, uint32_t *ordinal, trawl_error *error)
{
	uint64_t left;
	*ordinal = doc;
	if (!segment->order.bytes)
		return 0;
	const uint8_t *at = part_at(&segment->order, 4 * (uint64_t)doc, &left, error);
	if (!at)
		return error_code(error);
	*ordinal = load32(at);
	return 0;
}

int segment_find_hashed_id(struct segment *segment, const struct hashed_id *id, struct documents_scratch *scratch,
                           uint32_t *doc, trawl_error *error)
{
	uint64_t number;
	uint32_t ordinal;
	const char *found;
	size_t found_length;
	if (!segment->documents_count)
		return 0;
	int code = id_index_find(&segment->id_index, id->hash, &number, error);
	for (; !code && number < segment->documents_count; number++) {
		int same = id_index_doc(&segment->id_index, number, id->hash, doc, error);
		if (same <= 0)
			return same;
		if (segment_is_deleted(segment, *doc))
			continue;
		code = segment_ordinal(segment, *doc, &ordinal, error);
		if (!code)
			code = documents_id(&segment->stored, ordinal, scratch, &found, &found_length, error);
		if (!code && found_length == id->length && memcmp(found, id->bytes, found_length) == 0)
			return 1;
	}
	return code;
}

int segment_find_id(struct segment *segment, const char *id, size_t length, struct documents_scratch *scratch,
                    uint32_t *doc, trawl_error *error)
{
	struct hashed_id hashed = hashed_id(id, length);
	return segment_find_hashed_id(segment, &hashed, scratch, doc, error);
}

int segment_content_hash(struct segment *segment, uint32_t doc, uint64_t *hash, trawl_error *error)
{
	uint64_t left;
	uint32_t ordinal;
	int code = segment_ordinal(segment, doc, &ordinal, error);
	if (code)
		return code;
	/* Eight bytes divide an extent, so that none lies across two. */
	const uint8_t *at = part_at(&segment->content_hashes, CONTENT_HASH * (uint64_t)ordinal, &left, error);
	if (!at)
		return error_code(error);
	*hash = load64(at);
	return 0;
}

int segment_fetch(struct segment *segment, uint32_t doc, struct documents_scratch *scratch, trawl_document *document,
                  trawl_error *error)
{
	uint32_t ordinal;
	int code = segment_ordinal(segment, doc, &ordinal, error);
	if (!code)
		code = documents_id(&segment->stored, ordinal, scratch, &document->id, &document->id_length, error);
	return code ? code : documents_fetch(&segment->stored, ordinal, scratch, document, error);
}
