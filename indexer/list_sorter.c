#include "indexer/list_sorter.h"

#include <string.h>

#include "base/error.h"

#define INSERTION_MOST 24
#define LARGE 4096 /* keys for which larger tables of digits pay */
#define DIGIT_BITS_MOST 11
#define AHEAD 8 /* postings */

void list_sorter_release(struct list_sorter *sorter)
{
	memory_free(sorter->keys);
	memory_free(sorter->other_keys);
	memory_free(sorter->docs);
	memory_free(sorter->tfs);
	memory_free(sorter->positions);
	memory_free(sorter->starts);
	*sorter = (struct list_sorter){.sink = sorter->sink};
}

/* ---- sorting ---- */

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
static void radix_sort(struct list_sorter *sorter, uint32_t count, uint32_t greatest)
{
	uint32_t places[1 << DIGIT_BITS_MOST];
	unsigned bits = count < LARGE ? 8 : DIGIT_BITS_MOST, digits = 1u << bits;
	for (unsigned shift = 32; shift < 64 && greatest >> (shift - 32); shift += bits) {
		const uint64_t *keys = sorter->keys;
		uint64_t *sorted = sorter->other_keys;
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
		sorter->other_keys = sorter->keys;
		sorter->keys = sorted;
	}
}

/* ---- a list ---- */

static bool reserve(struct list_sorter *sorter, uint32_t df)
{
	/* Both arrays of keys grow at once, so that they can be exchanged. */
	if (!memory_reserve(&sorter->keys, &sorter->key_capacity, df, sizeof *sorter->keys) ||
	    !memory_reserve(&sorter->other_keys, &sorter->other_capacity, df, sizeof *sorter->other_keys))
		return false;
	return memory_reserve(&sorter->docs, &sorter->doc_capacity, df, sizeof *sorter->docs) &&
	       memory_reserve(&sorter->tfs, &sorter->tf_capacity, df, sizeof *sorter->tfs) &&
	       memory_reserve(&sorter->starts, &sorter->start_capacity, df, sizeof *sorter->starts);
}

static int sorted_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)error;
	struct list_sorter *sorter = context;
	const uint64_t *key = &sorter->keys[sorter->posting++];
	const uint32_t *from = sorter->positions + sorter->starts[(uint32_t)*key];
	if (sorter->posting + 2 * AHEAD <= sorter->count) {
		__builtin_prefetch(&sorter->starts[(uint32_t)key[2 * AHEAD]]);
		__builtin_prefetch(&sorter->positions[sorter->starts[(uint32_t)key[AHEAD]]]);
	}
	for (uint32_t i = 0; i < count; i++) /* mostly one or two */
		positions[i] = from[i];
	return 0;
}

/* All positions of the list, as it came. */
static int read_positions(struct list_sorter *sorter, const uint32_t *tfs, uint32_t df,
                          const struct position_source *source, trawl_error *error)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < df; i++) {
		sorter->starts[i] = sum;
		sum += tfs[i];
	}
	if (!memory_reserve(&sorter->positions, &sorter->position_capacity, sum, sizeof *sorter->positions))
		return error_set_memory(error);
	int code = 0;
	for (uint32_t i = 0; !code && i < df; i++)
		code = source->next(source->context, tfs[i], sorter->positions + sorter->starts[i], error);
	return code;
}

int list_sorter_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                     uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct list_sorter *sorter = context;
	const struct term_sink *sink = sorter->sink;
	uint32_t greatest = 0;
	if (df == 1)
		return sink->term(sink->context, term, length, docs, tfs, df, source, error);
	if (!reserve(sorter, df))
		return error_set_memory(error);
	int code = read_positions(sorter, tfs, df, source, error);
	if (code)
		return code;
	for (uint32_t i = 0; i < df; i++) {
		sorter->keys[i] = (uint64_t)docs[i] << 32 | i;
		greatest = docs[i] > greatest ? docs[i] : greatest;
	}
	if (df <= INSERTION_MOST)
		insertion_sort(sorter->keys, df);
	else
		radix_sort(sorter, df, greatest);
	for (uint32_t i = 0; i < df; i++) {
		sorter->docs[i] = (uint32_t)(sorter->keys[i] >> 32);
		sorter->tfs[i] = tfs[(uint32_t)sorter->keys[i]];
	}
	sorter->posting = 0;
	sorter->count = df;
	struct position_source sorted = {sorted_positions, sorter};
	return sink->term(sink->context, term, length, sorter->docs, sorter->tfs, df, &sorted, error);
}
