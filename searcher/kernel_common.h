/* kernel_common.h - the parts of the kernels that are plain C: each kernel file compiles them for its instruction set. */
#ifndef TRAWL_SEARCHER_KERNEL_COMMON_H
#define TRAWL_SEARCHER_KERNEL_COMMON_H

#include "base/bytes.h"
#include "searcher/kernel.h"

/* Where the byte-form postings of range `rank` start. */
static inline uint32_t bytes_before(const struct chunk *chunk, uint32_t rank)
{
	uint32_t start = 0;
	for (uint32_t i = 0; i < rank; i++)
		start += (chunk->bitmap_mask >> i & 1) ? 0 : (chunk->headers[i] & 15u) + 1;
	return start;
}

/* The general way: through chunk_range, which knows exceptions. */
static inline uint64_t score_range_general(const struct chunk *chunk, uint32_t rank, const uint8_t *lengths,
                                           const struct scorer *scorer, float weight, float *scores)
{
	uint32_t tfs[RANGE_DOCUMENTS], i = 0;
	uint64_t mask;
	chunk_range(chunk, rank, &mask, tfs);
	for (uint64_t left = mask; left && i < RANGE_DOCUMENTS; left &= left - 1, i++) {
		uint32_t offset = (uint32_t)__builtin_ctzll(left);
		scores[offset] += score_posting(scorer, weight, tfs[i], lengths[offset]);
	}
	return mask;
}

static inline uint64_t score_range_plain(const struct chunk *chunk, uint32_t rank, const uint8_t *lengths,
                                         const struct scorer *scorer, float weight, float *scores)
{
	if (chunk->bitmap_mask >> rank & 1)
		return score_range_general(chunk, rank, lengths, scorer, weight, scores);
	const uint8_t *bytes = chunk->bytes + bytes_before(chunk, rank);
	uint32_t count = (chunk->headers[rank] & 15u) + 1;
	uint64_t mask = 0;
	for (uint32_t i = 0; i < count; i++)
		if (bytes[i] >= 3u << 6)
			return score_range_general(chunk, rank, lengths, scorer, weight, scores);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t offset = bytes[i] & 63u;
		mask |= (uint64_t)1 << offset;
		scores[offset] += weight * scorer->saturations[bytes[i] >> 6][lengths[offset]];
	}
	return mask;
}

static inline void chunk_masks_plain(const struct chunk *chunk, uint64_t masks[SUPERBLOCK_RANGES])
{
	const uint8_t *bytes = chunk->bytes, *bitmaps = chunk->bitmaps, *headers = chunk->headers;
	uint32_t rank = 0;
	memset(masks, 0, SUPERBLOCK_RANGES * sizeof *masks);
	for (uint32_t left = chunk->range_mask; left; left &= left - 1, rank++) {
		uint64_t *mask = &masks[__builtin_ctz(left)];
		uint32_t count = (headers[rank] & 15u) + 1;
		if (count == 16) {
			*mask = load64(bitmaps);
			bitmaps += 8;
			continue;
		}
		uint64_t bits = 0;
		for (uint32_t i = 0; i < count; i++)
			bits |= (uint64_t)1 << (bytes[i] & 63);
		*mask = bits;
		bytes += count;
	}
}

static inline void add_levels_plain(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_RANGES])
{
	uint32_t rank = 0;
	for (uint32_t left = chunk->range_mask; left; left &= left - 1, rank++)
		bounds[__builtin_ctz(left)] += levels[chunk->headers[rank] >> 4];
}

#endif
