/* prefetch.h - asking for postings that will be read soon. */
#ifndef TRAWL_SEARCHER_PREFETCH_H
#define TRAWL_SEARCHER_PREFETCH_H

#include "searcher/leaf.h"

/* Up to `most` bytes of a dense leaf's chunk in a superblock, if they have been read before. */
static inline void prefetch_chunk(const struct leaf *leaf, uint32_t superblock, uint32_t most)
{
	uint32_t length;
	uint64_t address = chunk_place(&leaf->dense, superblock, &length), extent = address / EXTENT_PAYLOAD;
	const uint8_t *payload = extent < leaf->part->extent_count
	                             ? atomic_load_explicit(&leaf->part->extents[extent], memory_order_relaxed)
	                             : NULL;
	if (!payload)
		return;
	const uint8_t *chunk = payload + address % EXTENT_PAYLOAD;
	for (uint32_t at = 0; at < length && at < most; at += 64)
		__builtin_prefetch(chunk + at);
}

#endif
