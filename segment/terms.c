#include "segment/terms.h"

#include "base/bytes.h"
#include "base/error.h"

/* What the index of an extent takes for each block. */
#define INDEX_BYTES (8 + 4)

/* The first 8 bytes of a term as a number that compares as the bytes do. */
static uint64_t term_prefix(const void *term, size_t length)
{
	uint8_t bytes[8] = {0};
	memcpy(bytes, term, length < 8 ? length : 8);
	return __builtin_bswap64(load64(bytes));
}

/* ---- writing ---- */

int terms_writer_init(struct terms_writer *writer, struct store_batch *batch, uint32_t segment, uint32_t number,
                      bool positions, trawl_error *error)
{
	*writer = (struct terms_writer){.positions = positions};
	return part_writer_init(&writer->part, batch, segment, number, error);
}

void terms_writer_release(struct terms_writer *writer)
{
	part_writer_release(&writer->part);
	buffer_release(&writer->extent);
	buffer_release(&writer->block);
	buffer_release(&writer->prefixes);
	buffer_release(&writer->offsets);
	buffer_release(&writer->first_terms);
}

/* Close the extent: its index goes behind its blocks, and it is padded to the full length unless it is the last. */
static int close_extent(struct terms_writer *writer, bool last, trawl_error *error)
{
	struct buffer *extent = &writer->extent;
	if (!extent->length)
		return 0;
	uint32_t count = (uint32_t)(writer->prefixes.length / 8);
	uint64_t blocks = extent->length, index = (uint64_t)count * INDEX_BYTES + 4;
	/* The index ends the payload, so zeros go between the blocks and it. */
	uint64_t padding = last ? 0 : EXTENT_PAYLOAD - blocks - index;
	uint8_t count_bytes[4];
	store32(count_bytes, count);
	if (!buffer_reserve(extent, padding))
		return error_set_memory(error);
	memset(extent->data + blocks, 0, padding);
	extent->length += padding;
	if (!buffer_append(extent, writer->prefixes.data, writer->prefixes.length) ||
	    !buffer_append(extent, writer->offsets.data, writer->offsets.length) ||
	    !buffer_append(extent, count_bytes, 4))
		return error_set_memory(error);
	int code = part_writer_append(&writer->part, extent->data, extent->length, error);
	extent->length = writer->prefixes.length = writer->offsets.length = 0;
	return code;
}

static int close_block(struct terms_writer *writer, trawl_error *error)
{
	if (!writer->in_block)
		return 0;
	writer->block.data[writer->count_at] = (uint8_t)writer->in_block;
	uint64_t index = (writer->prefixes.length / 8 + 1) * INDEX_BYTES + 4;
	if (writer->extent.length + writer->block.length + index > EXTENT_PAYLOAD) {
		int code = close_extent(writer, false, error);
		if (code)
			return code;
	}
	if (!writer->extent.length &&
	    (!buffer_append_byte(&writer->first_terms, writer->block_first_length) ||
	     !buffer_append(&writer->first_terms, writer->block_first, writer->block_first_length)))
		return error_set_memory(error);
	uint64_t prefix = term_prefix(writer->block_first, writer->block_first_length);
	uint32_t offset = (uint32_t)writer->extent.length;
	if (!buffer_append(&writer->prefixes, &prefix, 8) || !buffer_append(&writer->offsets, &offset, 4) ||
	    !buffer_append(&writer->extent, writer->block.data, writer->block.length))
		return error_set_memory(error);
	writer->block.length = 0;
	writer->in_block = 0;
	return 0;
}

static bool open_block(struct terms_writer *writer, const char *term, uint8_t length, const struct term_entry *entry)
{
	struct buffer *block = &writer->block;
	memcpy(writer->block_first, term, length);
	writer->block_first_length = length;
	bool done = buffer_append_varint(block, writer->terms) && buffer_append_varint(block, entry->place.postings) &&
	            buffer_append_varint(block, entry->place.positions);
	writer->count_at = block->length;
	writer->last_length = 0;
	writer->next_postings = entry->place.postings;
	writer->next_positions = entry->place.positions;
	return done && buffer_append_byte(block, 0);
}

static bool append_entry(struct terms_writer *writer, const struct term_entry *entry)
{
	struct buffer *block = &writer->block;
	if (!buffer_append_varint(block, entry->df))
		return false;
	if (entry->df == 1 && entry->position_inline)
		return buffer_append_varint(block, (uint64_t)entry->doc * 4) &&
		       buffer_append_varint(block, entry->position);
	if (entry->df == 1) {
		if (!buffer_append_varint(block, (uint64_t)entry->doc * 4 + 1) ||
		    !buffer_append_varint(block, entry->tf))
			return false;
	} else {
		if (!buffer_append_varint(block, entry->place.postings_bytes))
			return false;
		writer->next_postings += entry->place.postings_bytes;
	}
	writer->next_positions += entry->place.positions_bytes;
	return !writer->positions || buffer_append_varint(block, entry->place.positions_bytes);
}

int terms_writer_add(struct terms_writer *writer, const char *term, uint8_t length, const struct term_entry *entry,
                     trawl_error *error)
{
	bool follows = entry->df == 1 || entry->place.postings == writer->next_postings;
	if (!entry->position_inline && entry->place.positions != writer->next_positions)
		follows = false;
	if (writer->in_block == TERM_BLOCK || !follows) {
		int code = close_block(writer, error);
		if (code)
			return code;
	}
	struct term_entry placed = *entry;
	if (entry->df == 1)
		placed.place.postings = writer->next_postings;
	if (entry->position_inline)
		placed.place.positions = writer->next_positions;
	bool done = writer->in_block || open_block(writer, term, length, &placed);
	uint8_t shared = 0;
	while (shared < writer->last_length && shared < length && (uint8_t)term[shared] == writer->last_term[shared])
		shared++;
	done = done && buffer_append_byte(&writer->block, shared) &&
	       buffer_append_byte(&writer->block, (uint8_t)(length - shared)) &&
	       buffer_append(&writer->block, term + shared, (size_t)(length - shared)) && append_entry(writer, &placed);
	memcpy(writer->last_term, term, length);
	writer->last_length = length;
	writer->in_block++;
	writer->terms++;
	return done ? 0 : error_set_memory(error);
}

int terms_writer_finish(struct terms_writer *writer, trawl_error *error)
{
	int code = close_block(writer, error);
	if (!code)
		code = close_extent(writer, true, error);
	return code ? code : part_writer_finish(&writer->part, error);
}

/* ---- reading ---- */

int terms_open(struct terms *terms, struct snapshot *snapshot, uint32_t segment, uint32_t number, uint64_t bytes,
               bool positions, const uint8_t *first_terms, uint64_t length, uint64_t *used, trawl_error *error)
{
	*terms = (struct terms){.positions = positions, .first_terms = first_terms};
	int code = part_open(&terms->part, snapshot, segment, number, bytes, error);
	if (code)
		return code;
	terms->extent_count = terms->part.extent_count;
	terms->first_term_offsets = memory_new((size_t)terms->extent_count * sizeof(uint32_t));
	if (!terms->first_term_offsets)
		return error_set_memory(error);
	uint64_t at = 0;
	for (uint32_t i = 0; i < terms->extent_count; i++) {
		if (at >= length || first_terms[at] > length - at - 1)
			return part_corrupt(&terms->part, 0, "a root that is cut off", error);
		terms->first_term_offsets[i] = (uint32_t)at;
		at += 1u + first_terms[at];
	}
	*used = at;
	return 0;
}

void terms_release(struct terms *terms)
{
	part_release(&terms->part);
	memory_free(terms->first_term_offsets);
	terms->first_term_offsets = NULL;
}

static int corrupt_extent(struct terms *terms, uint32_t extent, const char *what, trawl_error *error)
{
	return part_corrupt(&terms->part, (uint64_t)extent * EXTENT_PAYLOAD, what, error);
}

/* Go to the first entry of block `block` of extent `extent`. */
static int enter_block(struct terms *terms, struct terms_cursor *cursor, trawl_error *error)
{
	uint32_t offset = load32(cursor->offsets + 4 * (uint64_t)cursor->block);
	if (offset >= (uint64_t)(cursor->end - cursor->payload))
		return corrupt_extent(terms, cursor->extent, "a block past the end", error);
	cursor->at = cursor->payload + offset;
	bool good = true;
	uint64_t number = varint_next(&cursor->at, cursor->end, &good);
	cursor->postings = varint_next(&cursor->at, cursor->end, &good);
	cursor->positions = varint_next(&cursor->at, cursor->end, &good);
	if (!good || cursor->at == cursor->end)
		return corrupt_extent(terms, cursor->extent, "a block that is cut off", error);
	cursor->block_terms = *cursor->at++;
	cursor->in_block = 0;
	cursor->length = 0;
	cursor->entry.number = number - 1;
	return 0;
}

static int enter_extent(struct terms *terms, struct terms_cursor *cursor, uint32_t extent, trawl_error *error)
{
	uint64_t left;
	const uint8_t *payload = part_at(&terms->part, (uint64_t)extent * EXTENT_PAYLOAD, &left, error);
	if (!payload)
		return error_code(error);
	cursor->extent = extent;
	cursor->block = 0;
	cursor->payload = payload;
	cursor->block_count = left < 4 ? 0 : load32(payload + left - 4);
	if (!cursor->block_count || cursor->block_count > (left - 4) / INDEX_BYTES)
		return corrupt_extent(terms, extent, "an impossible number of blocks", error);
	cursor->offsets = payload + left - 4 - 4 * (uint64_t)cursor->block_count;
	cursor->end = cursor->offsets - 8 * (uint64_t)cursor->block_count;
	return 0;
}

/* Read the entry at the cursor. */
static int read_entry(struct terms *terms, struct terms_cursor *cursor, trawl_error *error)
{
	const uint8_t *at = cursor->at, *end = cursor->end;
	struct term_entry *entry = &cursor->entry;
	bool good = true;
	/* Both lengths are there: the extent's index follows the blocks. */
	if (at[0] > cursor->length || at[0] + at[1] > 255 || end - at - 2 < at[1])
		goto damaged;
	memcpy(cursor->term + at[0], at + 2, at[1]);
	cursor->length = (uint8_t)(at[0] + at[1]);
	at += 2 + at[1];
	uint64_t df = varint_next(&at, end, &good);
	if (!df || df > UINT32_MAX)
		goto damaged;
	entry->number++;
	entry->df = (uint32_t)df;
	entry->position_inline = false;
	entry->place = (struct list_place){cursor->postings, 0, cursor->positions, 0};
	if (df == 1) {
		uint64_t doc = varint_next(&at, end, &good), more = varint_next(&at, end, &good);
		if (doc >> 2 > UINT32_MAX || (doc & 3) > 1 || more > UINT32_MAX)
			goto damaged;
		entry->doc = (uint32_t)(doc >> 2);
		entry->position_inline = !(doc & 3);
		entry->tf = entry->position_inline ? 1 : (uint32_t)more;
		if (entry->position_inline)
			entry->position = (uint32_t)more;
	} else {
		entry->place.postings_bytes = varint_next(&at, end, &good);
	}
	if (terms->positions && !entry->position_inline)
		entry->place.positions_bytes = varint_next(&at, end, &good);
	if (!good)
		goto damaged;
	cursor->postings += entry->place.postings_bytes;
	cursor->positions += entry->place.positions_bytes;
	cursor->at = at;
	cursor->in_block++;
	return 1;
damaged:
	return corrupt_extent(terms, cursor->extent, "a term that makes no sense", error);
}

int terms_next(struct terms *terms, struct terms_cursor *cursor, trawl_error *error)
{
	int code = 0;
	if (!cursor->payload) {
		if (!terms->extent_count)
			return 0;
		code = enter_extent(terms, cursor, 0, error);
		if (!code)
			code = enter_block(terms, cursor, error);
	}
	while (!code && cursor->in_block == cursor->block_terms) {
		if (++cursor->block < cursor->block_count) {
			code = enter_block(terms, cursor, error);
		} else if (cursor->extent + 1 < terms->extent_count) {
			code = enter_extent(terms, cursor, cursor->extent + 1, error);
			if (!code)
				code = enter_block(terms, cursor, error);
		} else {
			return 0;
		}
	}
	return code ? code : read_entry(terms, cursor, error);
}

/* The last extent whose first term is not above `term`; -1 when all are above. */
static int64_t find_extent(const struct terms *terms, const char *term, size_t length)
{
	int64_t low = -1, high = terms->extent_count;
	while (high - low > 1) {
		int64_t middle = (low + high) / 2;
		const uint8_t *first = terms->first_terms + terms->first_term_offsets[middle];
		if (bytes_compare(first + 1, first[0], term, length) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Read the first entry of the last block of extent `extent` that begins with a term not above `term`, or of its first block. */
static int enter_near(struct terms *terms, struct terms_cursor *cursor, uint32_t extent, const char *term,
                      size_t length, trawl_error *error)
{
	int code = enter_extent(terms, cursor, extent, error);
	if (code)
		return code;
	/* The last block whose prefix is not above the term's; where prefixes are equal, an earlier one may be it. */
	uint64_t prefix = term_prefix(term, length);
	int64_t low = 0, high = cursor->block_count;
	while (high - low > 1) {
		int64_t middle = (low + high) / 2;
		if (load64(cursor->end + 8 * middle) <= prefix)
			low = middle;
		else
			high = middle;
	}
	for (;; low--) {
		cursor->block = (uint32_t)low;
		code = enter_block(terms, cursor, error);
		if (!code)
			code = read_entry(terms, cursor, error);
		if (code < 0)
			return code;
		if (!low || bytes_compare(cursor->term, cursor->length, term, length) <= 0)
			return 0;
	}
}

int terms_seek(struct terms *terms, struct terms_cursor *cursor, const char *term, size_t length, trawl_error *error)
{
	int64_t extent = find_extent(terms, term, length);
	*cursor = (struct terms_cursor){0};
	if (extent < 0)
		return terms_next(terms, cursor, error);
	int code = enter_near(terms, cursor, (uint32_t)extent, term, length, error);
	code = code ? code : 1;
	while (code > 0 && bytes_compare(cursor->term, cursor->length, term, length) < 0)
		code = terms_next(terms, cursor, error);
	return code;
}

int terms_find(struct terms *terms, const char *term, size_t length, struct term_entry *entry, trawl_error *error)
{
	struct terms_cursor cursor;
	int64_t extent = length <= 255 ? find_extent(terms, term, length) : -1;
	if (extent < 0)
		return 0;
	int code = enter_near(terms, &cursor, (uint32_t)extent, term, length, error);
	if (code)
		return code;
	for (;;) {
		int order = bytes_compare(cursor.term, cursor.length, term, length);
		if (order == 0)
			*entry = cursor.entry;
		if (order >= 0)
			return order == 0;
		if (cursor.in_block == cursor.block_terms)
			return 0;
		code = read_entry(terms, &cursor, error);
		if (code < 0)
			return code;
	}
}
