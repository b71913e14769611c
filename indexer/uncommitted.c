#include "indexer/uncommitted.h"

#include <string.h>

#define SLOTS_FIRST 1024

/* docIDs, ordinals, hashes and lengths (14), the id index while it is sorted (16), a posting each of the longest list (20). */
#define COMMIT_BYTES 50

static bool grow_slots(struct uncommitted *uncommitted)
{
	size_t old_count = uncommitted->slot_count, count = old_count ? old_count * 2 : SLOTS_FIRST;
	uint32_t *old = uncommitted->slots, *slots = memory_new_zeroed(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i])
			continue;
		size_t at = uncommitted->documents[old[i] - 1].id_hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = old[i];
	}
	memory_free(old);
	uncommitted->slots = slots;
	uncommitted->slot_count = count;
	return true;
}

static bool has_id(const struct uncommitted_document *document, const struct hashed_id *id)
{
	return document->id_hash == id->hash && document->id_length == id->length &&
	       memcmp(document->id, id->bytes, id->length) == 0;
}

/* A deleted document keeps its slot until a new one takes it. */
uint32_t *uncommitted_slot(struct uncommitted *uncommitted, const struct hashed_id *id)
{
	if ((uncommitted->count + 1) * 2 > uncommitted->slot_count && !grow_slots(uncommitted))
		return NULL;
	size_t mask = uncommitted->slot_count - 1, at = id->hash & mask;
	while (uncommitted->slots[at] && !has_id(&uncommitted->documents[uncommitted->slots[at] - 1], id))
		at = (at + 1) & mask;
	return &uncommitted->slots[at];
}

bool uncommitted_add(struct uncommitted *uncommitted, uint32_t *slot, const struct hashed_id *id, uint64_t text_bytes)
{
	if (!memory_reserve(&uncommitted->documents, &uncommitted->capacity, uncommitted->count + 1,
	                    sizeof *uncommitted->documents))
		return false;
	const char *copy = arena_copy(&uncommitted->ids, id->bytes, id->length);
	if (!copy)
		return false;
	if (*slot)
		uncommitted_delete(uncommitted, *slot - 1);
	uncommitted->documents[uncommitted->count++] = (struct uncommitted_document){
	    .id = copy, .id_length = (uint32_t)id->length, .id_hash = id->hash, .text_bytes = text_bytes};
	*slot = (uint32_t)uncommitted->count;
	return true;
}

void uncommitted_delete(struct uncommitted *uncommitted, uint32_t ordinal)
{
	struct uncommitted_document *document = &uncommitted->documents[ordinal];
	uncommitted->deleted_count += !document->deleted;
	document->deleted = true;
}

size_t uncommitted_memory(const struct uncommitted *uncommitted)
{
	return uncommitted->ids.used + uncommitted->capacity * sizeof *uncommitted->documents +
	       uncommitted->slot_count * sizeof *uncommitted->slots + uncommitted->count * COMMIT_BYTES;
}

void uncommitted_release(struct uncommitted *uncommitted)
{
	arena_release(&uncommitted->ids);
	memory_free(uncommitted->documents);
	memory_free(uncommitted->slots);
	*uncommitted = (struct uncommitted){0};
}
