/* id_filter.h - a set of ids by their hashes: it may say of others too that they are in it. */
#ifndef TRAWL_INDEXER_ID_FILTER_H
#define TRAWL_INDEXER_ID_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* Zero-initialised is empty. */
struct id_filter {
	uint64_t *words;
	uint64_t bits; /* a power of two */
};

/* Make room, once: `bytes` at most. false: out of memory. */
static inline bool id_filter_reserve(struct id_filter *filter, size_t bytes)
{
	if (filter->words)
		return true;
	filter->bits = 64;
	while (filter->bits * 2 / 8 <= bytes && filter->bits < (uint64_t)1 << 32)
		filter->bits *= 2;
	filter->words = memory_new_zeroed(filter->bits / 64, 8);
	return filter->words;
}

static inline void id_filter_add(struct id_filter *filter, uint32_t hash)
{
	uint64_t bit = hash & (filter->bits - 1);
	filter->words[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static inline bool id_filter_has(const struct id_filter *filter, uint32_t hash)
{
	uint64_t bit = hash & (filter->bits - 1);
	return filter->words[bit / 64] >> (bit % 64) & 1;
}

static inline void id_filter_release(struct id_filter *filter)
{
	memory_free(filter->words);
	*filter = (struct id_filter){0};
}

#endif
