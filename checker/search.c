/* search.c - image_search: extents by their own headers, wherever they lie in the file. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "checker/image.h"
#include "store/page.h"

enum { PAGES_AT_ONCE = 256 };

struct search {
	struct image *image;
	struct extent_place *found;
	size_t count, capacity;
	trawl_error *error;
};

/* Which of several values of one key is the newest: by what only grows. */
static uint64_t rank_of(const uint8_t *value, uint32_t part, uint32_t extent)
{
	const uint8_t *payload = value + EXTENT_HEADER;
	uint32_t length = load32(value + 16);
	uint64_t deleted = 0;
	if (part == PART_MANIFEST && length >= MANIFEST_MAGIC_LENGTH + 12)
		return load64(payload + MANIFEST_MAGIC_LENGTH + 4);
	if (part != PART_DELETIONS || extent || length < 8)
		return 0;
	uint64_t bytes = ((uint64_t)load32(payload) + 63) / 64 * 8;
	for (uint64_t i = 4; i < length && i < 4 + bytes; i++)
		deleted += (uint64_t)__builtin_popcount(payload[i]);
	return deleted;
}

/* A value at `offset`, if one verifies there that ends within `room` bytes. Its length; 0: none. */
static int take_value(struct search *search, uint64_t offset, const uint8_t *header, uint64_t room, uint32_t *bytes)
{
	struct image *image = search->image;
	uint64_t length = load32(header + 16);
	*bytes = 0;
	if (length > EXTENT_PAYLOAD || length + VALUE_BYTES_LEAST > room)
		return 0;
	struct extent_place place = {.segment = load32(header + 8),
	                             .part = load16(header + 6),
	                             .extent = load32(header + 12),
	                             .bytes = (uint32_t)length + VALUE_BYTES_LEAST,
	                             .offset = offset,
	                             .checksum = load64(header + 24)};
	if (image_verify(image, &place, NULL))
		return 0;
	place.rank = rank_of(image->value, place.part, place.extent);
	if (!memory_reserve(&search->found, &search->capacity, search->count + 1, sizeof *search->found))
		return error_set_memory(search->error);
	search->found[search->count++] = place;
	*bytes = place.bytes;
	return 0;
}

/* A page on which large values do not go on: one may begin here, or (a leaf) small ones stand among its nodes. Only leaves
 * are looked through, and by either sign of one, so that the inside of a document does not pass for an extent. */
static int search_page(struct search *search, uint64_t number, const uint8_t *page, uint64_t *covered)
{
	struct image *image = search->image;
	size_t size = image->page_bytes;
	uint32_t bytes;
	*covered = 1;
	if (load32(page + PAGE_HEADER) == EXTENT_MAGIC) {
		uint64_t offset = number * size + PAGE_HEADER;
		int code = take_value(search, offset, page + PAGE_HEADER, image->file_bytes - offset, &bytes);
		if (code || bytes) {
			*covered = (PAGE_HEADER + (uint64_t)bytes + size - 1) / size;
			return code;
		}
	}
	if (load64(page) != number && load16(page + 10) != PAGE_LEAF)
		return 0;
	for (size_t at = PAGE_HEADER + 2; at + VALUE_BYTES_LEAST <= size; at += 2) {
		if (load32(page + at) != EXTENT_MAGIC)
			continue;
		int code = take_value(search, number * size + at, page + at, size - at, &bytes);
		if (code)
			return code;
	}
	return 0;
}

static int search_pages(struct search *search, void (*progress)(void *context, uint64_t bytes), void *context)
{
	struct image *image = search->image;
	uint64_t pages = image->file_bytes / image->page_bytes, step = PAGES_AT_ONCE, covered;
	uint8_t *buffer = memory_new(step * image->page_bytes);
	int code = buffer ? 0 : error_set_memory(search->error);
	for (uint64_t first = 2, skip = 2; !code && first < pages; first += step) {
		if (pages - first < step)
			step = pages - first;
		progress(context, step * image->page_bytes);
		if (skip >= first + step)
			continue;
		int64_t got = image_read(image, first * image->page_bytes, buffer, step * image->page_bytes);
		/* A bad sector: page by page around it. */
		for (uint64_t page = skip > first ? skip : first; !code && page < first + step; page += covered) {
			uint8_t *at = buffer + (page - first) * image->page_bytes;
			covered = 1;
			if (got != (int64_t)(step * image->page_bytes) &&
			    image_read(image, page * image->page_bytes, at, image->page_bytes) !=
			        (int64_t)image->page_bytes)
				continue;
			code = search_page(search, page, at, &covered);
			skip = page + covered;
		}
	}
	memory_free(buffer);
	return code;
}

static int compare_found(const void *a, const void *b)
{
	const struct extent_place *left = a, *right = b;
	int order = extent_place_compare(left, right);
	if (order)
		return order;
	if (left->rank != right->rank)
		return left->rank > right->rank ? -1 : 1;
	return left->checksum < right->checksum ? -1 : left->checksum > right->checksum;
}

static bool same_key(const struct extent_place *a, const struct extent_place *b)
{
	return a->segment == b->segment && a->part == b->part && a->extent == b->extent;
}

/* The checksum that a damaged value's header tells, if the header is still this extent's. */
static bool told_checksum(const struct image *image, const struct extent_place *place, uint64_t *checksum)
{
	uint8_t header[EXTENT_HEADER];
	if (image_read(image, place->offset, header, sizeof header) != (int64_t)sizeof header ||
	    load32(header) != EXTENT_MAGIC || load32(header + 8) != place->segment ||
	    load16(header + 6) != place->part || load32(header + 12) != place->extent)
		return false;
	*checksum = load64(header + 24);
	return true;
}

/* Of the values of one key, sorted by rank, the one to take; NULL: none. */
static const struct extent_place *choose(const struct image *image, const struct extent_place *old,
                                         const struct extent_place *values, size_t count)
{
	uint64_t checksum;
	bool ranked = values->part == PART_DELETIONS || !values->segment;
	if (old && values->segment && told_checksum(image, old, &checksum)) {
		for (size_t i = 0; i < count; i++)
			if (values[i].checksum == checksum)
				return &values[i];
		if (!ranked) /* an unfinished commit's, whose number was given again */
			return NULL;
	}
	for (size_t i = 1; i < count; i++)
		if (values[i].checksum != values->checksum && (!ranked || values[i].rank == values->rank))
			return NULL;
	return values;
}

static int adopt(struct search *search)
{
	struct image *image = search->image;
	size_t known = image->place_count;
	for (size_t i = 0, end; i < search->count; i = end) {
		const struct extent_place *first = &search->found[i];
		for (end = i + 1; end < search->count && same_key(first, &search->found[end]);)
			end++;
		struct extent_place *old = NULL;
		size_t added = image->place_count;
		image->place_count = known; /* the sorted ones */
		old = image_find(image, first->segment, first->part, first->extent);
		image->place_count = added;
		if (old && old->verified)
			continue;
		const struct extent_place *chosen = choose(image, old, first, end - i);
		if (chosen && old) {
			*old = *chosen;
		} else if (chosen) {
			if (!memory_reserve(&image->places, &image->place_capacity, image->place_count + 1,
			                    sizeof *image->places))
				return error_set_memory(search->error);
			image->places[image->place_count++] = *chosen;
		}
	}
	if (image->place_count)
		qsort(image->places, image->place_count, sizeof *image->places, compare_found);
	return 0;
}

int image_search(struct image *image, void (*progress)(void *context, uint64_t bytes), void *context,
                 trawl_error *error)
{
	struct search search = {.image = image, .error = error};
	int code = search_pages(&search, progress, context);
	if (search.count)
		qsort(search.found, search.count, sizeof *search.found, compare_found);
	if (!code)
		code = adopt(&search);
	memory_free(search.found);
	return code;
}
