#include "indexer/vocabulary.h"

#include <string.h>

#define SLOTS_FIRST 4096

static bool grow_slots(struct vocabulary *vocabulary)
{
	size_t count = vocabulary->slot_count ? vocabulary->slot_count * 2 : SLOTS_FIRST;
	struct vocabulary_slot *slots = memory_new_zeroed(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < vocabulary->slot_count; i++) {
		struct vocabulary_slot slot = vocabulary->slots[i];
		if (!slot.number_plus_one)
			continue;
		size_t at = slot.hash & (count - 1);
		while (slots[at].number_plus_one)
			at = (at + 1) & (count - 1);
		slots[at] = slot;
	}
	memory_free(vocabulary->slots);
	vocabulary->slots = slots;
	vocabulary->slot_count = count;
	return true;
}

static uint32_t add_term(struct vocabulary *vocabulary, const char *term, uint8_t length)
{
	if (vocabulary->count == UINT32_MAX - 2 ||
	    !memory_reserve(&vocabulary->terms, &vocabulary->capacity, (size_t)vocabulary->count + 1,
	                    sizeof *vocabulary->terms))
		return UINT32_MAX;
	char *bytes = arena_new(&vocabulary->arena, (size_t)length + 1);
	if (!bytes)
		return UINT32_MAX;
	bytes[0] = (char)length;
	memcpy(bytes + 1, term, length);
	vocabulary->terms[vocabulary->count].bytes = bytes + 1;
	return vocabulary->count++;
}

uint32_t vocabulary_number(struct vocabulary *vocabulary, const char *term, uint8_t length, uint32_t hash)
{
	if (((size_t)vocabulary->count + 1) * 2 > vocabulary->slot_count && !grow_slots(vocabulary))
		return UINT32_MAX;
	size_t at = hash & (vocabulary->slot_count - 1);
	for (; vocabulary->slots[at].number_plus_one; at = (at + 1) & (vocabulary->slot_count - 1)) {
		struct vocabulary_slot slot = vocabulary->slots[at];
		if (slot.hash != hash)
			continue;
		const char *bytes = vocabulary->terms[slot.number_plus_one - 1].bytes;
		if ((uint8_t)bytes[-1] == length && memcmp(bytes, term, length) == 0)
			return slot.number_plus_one - 1;
	}
	uint32_t number = add_term(vocabulary, term, length);
	if (number != UINT32_MAX)
		vocabulary->slots[at] = (struct vocabulary_slot){hash, number + 1};
	return number;
}

size_t vocabulary_memory(const struct vocabulary *vocabulary)
{
	return vocabulary->arena.used + vocabulary->capacity * sizeof *vocabulary->terms +
	       vocabulary->slot_count * sizeof *vocabulary->slots;
}

void vocabulary_release(struct vocabulary *vocabulary)
{
	arena_release(&vocabulary->arena);
	memory_free(vocabulary->terms);
	memory_free(vocabulary->slots);
	*vocabulary = (struct vocabulary){0};
}
