#include "segment/id_index.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "segment/part.h"

#define ID_ENTRIES_PER_EXTENT (EXTENT_PAYLOAD / ID_ENTRY)

/* ---- reading ---- */

/* The first of n entries whose hash is not below `hash`; n when there is none. */
static uint64_t first_not_below(const uint8_t *entries, uint64_t n, uint32_t hash)
{
	uint64_t from = 0, to = n;
	while (from < to) {
		uint64_t middle = (from + to) / 2;
		if (load32(entries + middle * ID_ENTRY) < hash)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The first of an extent's entries [0, n) whose hash is not below `hash`, read by windows: hashes are spread evenly between
 * `first`, the extent's first one, and `next`, that of the extent behind it. `low`: the extent's first entry. */
static int find_by_windows(struct id_index *index, uint32_t hash, uint64_t low, uint64_t n, uint32_t first,
                           uint32_t next, uint64_t *number, trawl_error *error)
{
	enum { WINDOW = 256 };
	uint8_t entries[WINDOW * ID_ENTRY];
	uint64_t guess = hash > first && next > first ? n * (hash - first) / (next - first) : 0;
	uint64_t from = guess < WINDOW / 2 ? 0 : guess - WINDOW / 2, floor = 0, ceiling = n;
	while (floor < ceiling) {
		if (from > n - 1)
			from = n - 1;
		uint64_t count = n - from < WINDOW ? n - from : WINDOW;
		int code =
		    part_copy(&index->part, (low + from) * ID_ENTRY, (uint32_t)(count * ID_ENTRY), entries, error);
		if (code)
			return code;
		uint64_t a = first_not_below(entries, count, hash);
		/* At the window's border it may be before or behind. */
		if (a < count)
			ceiling = from + a;
		if (a || !from)
			floor = from + a;
		from = a ? floor : ceiling < WINDOW ? 0 : ceiling - WINDOW;
	}
	*number = low + floor;
	return 0;
}

int id_index_find(struct id_index *index, uint32_t hash, uint64_t *number, trawl_error *error)
{
	uint64_t left;
	/* The last extent that starts below the hash, for equal ones may begin at its end; else the first. */
	uint32_t extent = 0, above = index->part.extent_count;
	while (above - extent > 1) {
		uint32_t middle = extent + (above - extent) / 2;
		if (load32(index->first_hashes + 4 * (uint64_t)middle) < hash)
			extent = middle;
		else
			above = middle;
	}
	uint64_t low = (uint64_t)extent * ID_ENTRIES_PER_EXTENT;
	if (index->part.places && index->part.places[extent]) {
		uint64_t behind = index->count - low;
		const uint8_t *first = index->first_hashes + 4 * (uint64_t)extent;
		return find_by_windows(
		    index, hash, low, behind < ID_ENTRIES_PER_EXTENT ? behind : ID_ENTRIES_PER_EXTENT, load32(first),
		    extent + 1 < index->part.extent_count ? load32(first + 4) : UINT32_MAX, number, error);
	}
	const uint8_t *entries = part_at(&index->part, low * ID_ENTRY, &left, error);
	if (!entries)
		return error_code(error);
	*number = low + first_not_below(entries, left / ID_ENTRY, hash);
	return 0;
}

int id_index_doc(struct id_index *index, uint64_t number, uint32_t hash, uint32_t *doc, trawl_error *error)
{
	uint8_t entry[ID_ENTRY];
	int code = part_copy(&index->part, number * ID_ENTRY, ID_ENTRY, entry, error);
	if (code || load32(entry) != hash)
		return code;
	*doc = load32(entry + 4);
	return *doc < index->count ? 1 : part_corrupt(&index->part, number * ID_ENTRY, "a docID past the end", error);
}

/* ---- writing ---- */

struct id_entry {
	uint32_t hash, doc;
};

/* Sort by hash, stably, so that docIDs ascend among equal hashes: least significant 16 bits first. */
static void sort_ids(struct id_entry *entries, struct id_entry *scratch, uint32_t n, uint32_t *counts)
{
	for (int shift = 0; shift < 32; shift += 16) {
		memset(counts, 0, 65537 * sizeof *counts);
		for (uint32_t i = 0; i < n; i++)
			counts[(entries[i].hash >> shift & 0xffff) + 1]++;
		for (int i = 0; i < 65536; i++)
			counts[i + 1] += counts[i];
		for (uint32_t i = 0; i < n; i++)
			scratch[counts[entries[i].hash >> shift & 0xffff]++] = entries[i];
		struct id_entry *other = entries;
		entries = scratch;
		scratch = other;
	}
}

int id_index_write(struct store_batch *batch, uint32_t segment, const uint32_t *hashes, uint32_t count,
                   struct buffer *first_hashes, trawl_error *error)
{
	struct id_entry *entries = memory_new(2 * (size_t)count * sizeof *entries);
	uint32_t *counts = memory_new(65537 * sizeof *counts);
	int code = entries && counts ? 0 : error_set_memory(error);
	if (!code) {
		for (uint32_t i = 0; i < count; i++)
			entries[i] = (struct id_entry){hashes[i], i};
		sort_ids(entries, entries + count, count, counts);
		code = part_write(batch, segment, PART_ID_INDEX, entries, (uint64_t)count * ID_ENTRY, error);
		for (uint64_t i = 0; !code && i < count; i += ID_ENTRIES_PER_EXTENT)
			if (!buffer_append(first_hashes, &entries[i].hash, 4))
				code = error_set_memory(error);
	}
	memory_free(entries);
	memory_free(counts);
	return code;
}
