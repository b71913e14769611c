#include "indexer/doc_sorter.h"

#include <string.h>

#include "base/memory.h"

#define INSERTION_MOST 24
#define LARGE 4096 /* keys for which larger tables of digits pay */
#define DIGIT_BITS_MOST 11

static void insertion_sort(uint64_t *keys, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint64_t key = keys[i];
		uint32_t j = i;
		for (; j && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

/* By the docIDs, of which `greatest` is the greatest: digit by digit, from the lowest on. */
static void radix_sort(struct doc_sorter *sorter, uint32_t count, uint32_t greatest)
{
	uint32_t places[1 << DIGIT_BITS_MOST];
	unsigned bits = count < LARGE ? 8 : DIGIT_BITS_MOST, digits = 1u << bits;
	for (unsigned shift = 32; shift < 64 && greatest >> (shift - 32); shift += bits) {
		const uint64_t *keys = sorter->keys;
		uint64_t *sorted = sorter->spare;
		uint32_t sum = 0;
		memset(places, 0, digits * sizeof *places);
		for (uint32_t i = 0; i < count; i++)
			places[keys[i] >> shift & (digits - 1)]++;
		for (uint32_t digit = 0; digit < digits; digit++) {
			uint32_t next = sum + places[digit];
			places[digit] = sum;
			sum = next;
		}
		for (uint32_t i = 0; i < count; i++)
			sorted[places[keys[i] >> shift & (digits - 1)]++] = keys[i];
		size_t capacity = sorter->key_capacity;
		sorter->spare = sorter->keys;
		sorter->keys = sorted;
		sorter->key_capacity = sorter->spare_capacity;
		sorter->spare_capacity = capacity;
	}
}

bool doc_sorter_sort(struct doc_sorter *sorter, const uint32_t *docs, uint32_t count)
{
	uint32_t greatest = 0;
	if (!memory_reserve(&sorter->keys, &sorter->key_capacity, count, sizeof *sorter->keys) ||
	    !memory_reserve(&sorter->spare, &sorter->spare_capacity, count, sizeof *sorter->spare))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		sorter->keys[i] = (uint64_t)docs[i] << 32 | i;
		greatest = docs[i] > greatest ? docs[i] : greatest;
	}
	if (count <= INSERTION_MOST)
		insertion_sort(sorter->keys, count);
	else
		radix_sort(sorter, count, greatest);
	return true;
}

void doc_sorter_release(struct doc_sorter *sorter)
{
	memory_free(sorter->keys);
	memory_free(sorter->spare);
	*sorter = (struct doc_sorter){0};
}
