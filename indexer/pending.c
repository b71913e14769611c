#include "indexer/pending.h"

#include <string.h>

#include "segment/documents.h"

#define SLOTS_FIRST 1024

/* The slot of this id, or the empty one where it would go. A dead document keeps its slot until a new one takes it. */
static size_t find_slot(const struct pending *pending, const char *id, size_t length, uint32_t hash)
{
	size_t at = hash & (pending->slot_count - 1);
	for (; pending->slots[at]; at = (at + 1) & (pending->slot_count - 1)) {
		const struct pending_document *document = &pending->documents[pending->slots[at] - 1];
		if (document->id_hash == hash && document->id_length == length && memcmp(document->id, id, length) == 0)
			return at;
	}
	return at;
}

uint32_t pending_find(const struct pending *pending, const char *id, size_t length)
{
	if (!pending->slot_count)
		return PENDING_NONE;
	uint32_t found = pending->slots[find_slot(pending, id, length, id_hash(id, length))];
	return found && !pending->documents[found - 1].dead ? found - 1 : PENDING_NONE;
}

static bool grow_slots(struct pending *pending)
{
	size_t old_count = pending->slot_count, count = old_count ? old_count * 2 : SLOTS_FIRST;
	uint32_t *old = pending->slots, *slots = memory_new_zeroed(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i])
			continue;
		size_t at = pending->documents[old[i] - 1].id_hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = old[i];
	}
	memory_free(old);
	pending->slots = slots;
	pending->slot_count = count;
	return true;
}

bool pending_add(struct pending *pending, const char *id, size_t length, uint64_t text_bytes)
{
	if ((pending->count + 1) * 2 > pending->slot_count && !grow_slots(pending))
		return false;
	if (!memory_reserve(&pending->documents, &pending->capacity, pending->count + 1, sizeof *pending->documents))
		return false;
	const char *copy = arena_copy(&pending->ids, id, length);
	if (!copy)
		return false;
	uint32_t hash = id_hash(id, length);
	size_t slot = find_slot(pending, id, length, hash);
	if (pending->slots[slot])
		pending_remove(pending, pending->slots[slot] - 1);
	pending->documents[pending->count++] = (struct pending_document){
	    .id = copy, .id_length = (uint32_t)length, .id_hash = hash, .text_bytes = text_bytes};
	pending->slots[slot] = (uint32_t)pending->count;
	return true;
}

void pending_remove(struct pending *pending, uint32_t ordinal)
{
	if (!pending->documents[ordinal].dead)
		pending->dead_count++;
	pending->documents[ordinal].dead = true;
}

size_t pending_memory(const struct pending *pending)
{
	return pending->ids.used + pending->capacity * sizeof *pending->documents +
	       pending->slot_count * sizeof *pending->slots;
}

/* docIDs, ordinals, hashes and lengths (14), the id index while it is sorted (16), a posting each of the longest list (20). */
#define COMMIT_BYTES 50

size_t pending_commit_memory(const struct pending *pending)
{
	return pending_memory(pending) + pending->count * COMMIT_BYTES;
}

void pending_release(struct pending *pending)
{
	arena_release(&pending->ids);
	memory_free(pending->documents);
	memory_free(pending->slots);
	*pending = (struct pending){0};
}

bool id_filter_add(struct id_filter *filter, const struct pending *pending, size_t bytes)
{
	if (!filter->words) {
		filter->bits = 64;
		while (filter->bits * 2 / 8 <= bytes && filter->bits < (uint64_t)1 << 32)
			filter->bits *= 2;
		filter->words = memory_new_zeroed(filter->bits / 64, 8);
		if (!filter->words)
			return false;
	}
	for (size_t i = 0; i < pending->count; i++) {
		uint64_t bit = pending->documents[i].id_hash & (filter->bits - 1);
		filter->words[bit / 64] |= (uint64_t)1 << (bit % 64);
	}
	return true;
}

bool id_filter_has(const struct id_filter *filter, const char *id, size_t length)
{
	uint64_t bit = id_hash(id, length) & (filter->bits - 1);
	return filter->words[bit / 64] >> (bit % 64) & 1;
}

void id_filter_release(struct id_filter *filter)
{
	memory_free(filter->words);
	*filter = (struct id_filter){0};
}
