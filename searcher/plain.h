/* plain.h - the parts of the kernels that are plain C: each kernel file compiles them for its instruction set. */
#ifndef TRAWL_SEARCHER_PLAIN_H
#define TRAWL_SEARCHER_PLAIN_H

#include "base/bytes.h"
#include "searcher/primitives.h"
#include "segment/chunk.h"

/* A posting with the code 3, tf >= 4: *exception is its number in the chunk, found out when first needed. */
static inline uint32_t large_tf(struct chunk *chunk, uint32_t rank, uint32_t index, uint32_t *exception)
{
	if (*exception == UINT32_MAX)
		*exception = chunk_exceptions_before(chunk, rank, index);
	return chunk_exception(chunk, (*exception)++);
}

static inline uint64_t score_bitmap_plain(struct chunk *chunk, uint32_t rank, const uint8_t *lengths,
                                          const struct scorer *scorer, float weight, float *scores)
{
	uint64_t mask = chunk_block_mask(chunk, rank), codes = load_codes(chunk->codes, chunk->starts[rank]);
	uint32_t exception = UINT32_MAX, index = 0;
	for (uint64_t left = mask; left; left &= left - 1, index++, codes >>= 2) {
		uint32_t offset = (uint32_t)__builtin_ctzll(left);
		if (index == 32)
			codes = load_codes(chunk->codes, chunk->starts[rank] + 32u);
		if ((codes & 3) < 3)
			scores[offset] += weight * scorer->saturations[codes & 3][lengths[offset]];
		else
			scores[offset] +=
			    score_posting(scorer, weight, large_tf(chunk, rank, index, &exception), lengths[offset]);
	}
	return mask;
}

static inline uint64_t score_bytes_plain(struct chunk *chunk, uint32_t rank, const uint8_t *lengths,
                                         const struct scorer *scorer, float weight, float *scores)
{
	const uint8_t *bytes = chunk->bytes + chunk->starts[rank];
	uint32_t count = (chunk->headers[rank] & 15u) + 1, exception = UINT32_MAX;
	uint64_t mask = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t offset = bytes[i] & 63u, code = bytes[i] >> 6;
		mask |= (uint64_t)1 << offset;
		if (code < 3)
			scores[offset] += weight * scorer->saturations[code][lengths[offset]];
		else
			scores[offset] +=
			    score_posting(scorer, weight, large_tf(chunk, rank, i, &exception), lengths[offset]);
	}
	return mask;
}

static inline void pick_bytes_plain(const uint8_t *bytes, uint64_t documents, uint8_t *out)
{
	for (; documents; documents &= documents - 1)
		*out++ = bytes[__builtin_ctzll(documents)];
}

static inline bool pick_tfs_plain(struct chunk *chunk, uint32_t rank, uint64_t documents, uint8_t *tfs)
{
	for (; documents; documents &= documents - 1) {
		uint32_t tf = chunk_tf(chunk, rank, (uint32_t)__builtin_ctzll(documents));
		if (tf > 255)
			return false;
		*tfs++ = (uint8_t)tf;
	}
	return true;
}

static inline void find_denominators_plain(const float denominators[256], const uint8_t *lengths, uint32_t n,
                                           float *out)
{
	for (uint32_t i = 0; i < n; i++)
		out[i] = denominators[lengths[i]];
}

static inline void add_saturations_plain(const uint8_t *tfs, const float *denominators, float weight, uint32_t n,
                                         float *scores)
{
	for (uint32_t i = 0; i < n; i++)
		if (tfs[i])
			scores[i] += weight * saturation(tfs[i], denominators[i]);
}

static inline void score_postings_plain(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
                                        const struct scorer *scorer, float weight, float *scores)
{
	for (uint32_t i = 0; i < n; i++)
		scores[i] = score_posting(scorer, weight, tfs[i], lengths[docs[i]]);
}

/* The tfs of the block in document order; exceptions from number `exception` on. Returns the number of exceptions. */
static inline uint32_t block_tfs(const struct chunk *chunk, uint32_t rank, uint32_t exception, uint32_t *tfs)
{
	uint32_t first = exception, count;
	if (chunk->bitmap_mask >> rank & 1) {
		count = (uint32_t)__builtin_popcountll(load64(chunk_bitmap(chunk, rank)));
		for (uint32_t i = 0; i < count; i += 32) {
			uint64_t codes = load_codes(chunk->codes, chunk->starts[rank] + i);
			for (uint32_t j = i; j < count && j < i + 32; j++, codes >>= 2)
				tfs[j] = (codes & 3) + 1;
		}
	} else {
		count = (chunk->headers[rank] & 15u) + 1;
		for (uint32_t i = 0; i < count; i++)
			tfs[i] = (chunk->bytes[chunk->starts[rank] + i] >> 6) + 1u;
	}
	for (uint32_t i = 0; i < count; i++)
		if (tfs[i] == 4)
			tfs[i] = chunk_exception(chunk, exception++);
	return exception - first;
}

static inline void measure_block_plain(const struct chunk *chunk, uint32_t rank, uint32_t exception,
                                       const uint8_t *lengths, struct block_positions *block)
{
	uint32_t i = 0;
	block->mask = chunk_block_mask(chunk, rank);
	block->exceptions = block_tfs(chunk, rank, exception, block->wide_tfs);
	block->total = 0;
	block->wide = true;
	for (uint64_t left = block->mask; left; left &= left - 1, i++) {
		uint32_t offset = (uint32_t)__builtin_ctzll(left);
		block->wide_starts[i] = block->total;
		block->total += position_bits(block->wide_tfs[i], lengths[offset]);
	}
}

static inline bool decode_shorts_plain(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                                       uint16_t positions[SHORTS_MAX])
{
	uint32_t decoded[SHORTS_MAX];
	if (!positions_decode(bytes, first, tf, span, decoded))
		return false;
	for (uint32_t i = 0; i < SHORTS_MAX; i++)
		positions[i] = i < tf ? (uint16_t)decoded[i] : SHORT_NONE;
	return true;
}

#endif
