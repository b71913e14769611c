#include "cli/id_set.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, and a last mix for the bits that choose the slot. */
static uint64_t hash_of(const char *string, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)string[i]) * 0x100000001b3u;
	hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* The slot of a hash, or the free one where it belongs. The top bits are the hash's that are kept. */
static size_t slot_of(const uint64_t *slots, size_t capacity, uint64_t hash)
{
	size_t at = (size_t)(hash >> 8) & (capacity - 1);
	while (slots[at] && slots[at] >> 8 != hash >> 8)
		at = (at + 1) & (capacity - 1);
	return at;
}

static bool grow(struct id_set *set)
{
	size_t capacity = set->capacity ? 2 * set->capacity : 256;
	uint64_t *slots = calloc(capacity, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i])
			slots[slot_of(slots, capacity, set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->capacity = capacity;
	return true;
}

bool id_set_add(struct id_set *set, const char *string, size_t length, unsigned number)
{
	if (set->count >= set->capacity / 4 * 3 && !grow(set))
		return false;
	uint64_t hash = hash_of(string, length);
	uint64_t *slot = &set->slots[slot_of(set->slots, set->capacity, hash)];
	if (!*slot) {
		*slot = (hash & ~(uint64_t)255) | (number + 1);
		set->count++;
	}
	return true;
}

int id_set_find(const struct id_set *set, const char *string, size_t length)
{
	if (set->count == 0)
		return -1;
	uint64_t slot = set->slots[slot_of(set->slots, set->capacity, hash_of(string, length))];
	return slot ? (int)(slot & 255) - 1 : -1;
}

void id_set_release(struct id_set *set)
{
	free(set->slots);
	*set = (struct id_set){0};
}

bool id_list_add(struct id_list *list, const char *string, size_t length)
{
	if (length > list->capacity - list->length) {
		size_t capacity = 2 * (list->length + length) + 256;
		char *bytes = realloc(list->bytes, capacity);
		if (!bytes)
			return false;
		list->bytes = bytes;
		list->capacity = capacity;
	}
	if (list->count == list->end_capacity) {
		size_t capacity = 2 * list->count + 64;
		size_t *ends = realloc(list->ends, capacity * sizeof *ends);
		if (!ends)
			return false;
		list->ends = ends;
		list->end_capacity = capacity;
	}
	memcpy(list->bytes + list->length, string, length);
	list->length += length;
	list->ends[list->count++] = list->length;
	return true;
}

const char *id_list_get(const struct id_list *list, size_t which, size_t *length)
{
	size_t start = which ? list->ends[which - 1] : 0;
	*length = list->ends[which] - start;
	return list->bytes + start;
}

void id_list_release(struct id_list *list)
{
	free(list->bytes);
	free(list->ends);
	*list = (struct id_list){0};
}
