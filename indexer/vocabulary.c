#include "indexer/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

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

uint32_t vocabulary_number(struct vocabulary *vocabulary, const char *term, uint8_t length)
{
	if (((size_t)vocabulary->count + 1) * 2 > vocabulary->slot_count && !grow_slots(vocabulary))
		return UINT32_MAX;
	uint32_t hash = (uint32_t)hash_bytes(term, length);
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

/* Most comparisons are settled by the first 8 bytes. */
struct sort_key {
	uint64_t prefix;
	const char *bytes;
	uint32_t number;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *left = a, *right = b;
	if (left->prefix != right->prefix)
		return left->prefix < right->prefix ? -1 : 1;
	return bytes_compare(left->bytes, (uint8_t)left->bytes[-1], right->bytes, (uint8_t)right->bytes[-1]);
}

bool vocabulary_sort(const struct vocabulary *vocabulary, uint32_t *sorted)
{
	struct sort_key *keys = memory_new(vocabulary->count * sizeof *keys);
	if (!keys)
		return false;
	for (uint32_t i = 0; i < vocabulary->count; i++) {
		uint8_t prefix[8] = {0}, length = vocabulary_length(vocabulary, i);
		memcpy(prefix, vocabulary->terms[i].bytes, length < 8 ? length : 8);
		keys[i] = (struct sort_key){__builtin_bswap64(load64(prefix)), vocabulary->terms[i].bytes, i};
	}
	if (vocabulary->count)
		qsort(keys, vocabulary->count, sizeof *keys, compare_keys);
	for (uint32_t i = 0; i < vocabulary->count; i++)
		sorted[i] = keys[i].number;
	memory_free(keys);
	return true;
}

size_t vocabulary_memory(const struct vocabulary *vocabulary)
{
	/* and the keys that vocabulary_sort will need */
	return vocabulary->arena.used + vocabulary->capacity * sizeof *vocabulary->terms +
	       vocabulary->slot_count * sizeof *vocabulary->slots + vocabulary->count * sizeof(struct sort_key);
}

void vocabulary_release(struct vocabulary *vocabulary)
{
	arena_release(&vocabulary->arena);
	memory_free(vocabulary->terms);
	memory_free(vocabulary->slots);
	*vocabulary = (struct vocabulary){0};
}
