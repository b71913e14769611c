/* kernel_scalar.c - the kernel that runs anywhere, and that the others are tested against. */
#include <math.h>

#include "searcher/plain.h"

#define VECTOR_BYTES 16
#define NARROWED 1
#include "searcher/vectors.h"

static void add_bounds(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sums[i] += step * (float)bounds[i];
}

static void add_required(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sums[i] = bounds[i] ? sums[i] + step * (float)bounds[i] : -INFINITY;
}

static uint32_t select_sums(const float *sums, float threshold, uint32_t n, uint32_t *indices)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i++)
		if (sums[i] >= threshold && sums[i] > 0)
			indices[count++] = i;
	return count;
}

static uint64_t at_least(const float scores[BLOCK_DOCUMENTS], float threshold)
{
	uint64_t mask = 0;
	for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++)
		mask |= (uint64_t)(scores[i] >= threshold) << i;
	return mask;
}

static uint32_t blocks_at_least(const float bounds[SUPERBLOCK_BLOCKS], float threshold)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < SUPERBLOCK_BLOCKS; i++)
		mask |= (uint32_t)(bounds[i] >= threshold) << i;
	return mask;
}

static uint32_t among_shorts(const uint16_t a[SHORTS_MAX], uint32_t n, const uint16_t b[SHORTS_MAX], uint16_t delta)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t wanted = (uint16_t)(a[i] + delta);
		bool there = false;
		for (uint32_t k = 0; k < SHORTS_MAX; k++)
			there |= b[k] == wanted;
		found |= (uint32_t)there << i;
	}
	return found;
}

static bool decode_shorts(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                          uint16_t positions[SHORTS_MAX])
{
	return decode_shorts_plain(bytes, first, tf, span, positions);
}

static void measure_block(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *lengths,
                          struct block_positions *block)
{
	measure_block_plain(chunk, rank, exception, lengths, block);
}

static uint32_t sum_sizes(const uint16_t sizes[BLOCK_DOCUMENTS], uint32_t n)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += sizes[i];
	return sum;
}

static void add_up_sizes(const uint16_t *sizes, uint32_t n, uint16_t *starts)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; sum += sizes[i++])
		starts[i] = (uint16_t)sum;
}

#include "searcher/plain_impl.h"

static uint64_t block_mask(const struct chunk *chunk, uint32_t rank)
{
	return chunk_block_mask(chunk, rank);
}

static void pick_bytes(const uint8_t *bytes, uint64_t documents, uint8_t *out)
{
	pick_bytes_plain(bytes, documents, out);
}

static bool pick_tfs(struct chunk *chunk, uint32_t rank, uint64_t mask, uint64_t documents, uint8_t *tfs)
{
	(void)mask;
	return pick_tfs_plain(chunk, rank, documents, tfs);
}

static void find_denominators(const float denominators[256], const uint8_t *lengths, uint32_t n, float *out)
{
	find_denominators_plain(denominators, lengths, n, out);
}

static void add_saturations(const uint8_t *tfs, const float *denominators, float weight, uint32_t n, float *scores)
{
	add_saturations_plain(tfs, denominators, weight, n, scores);
}

static void score_postings(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
                           const struct scorer *scorer, float weight, float *scores)
{
	score_postings_plain(docs, tfs, n, lengths, scorer, weight, scores);
}

static inline void narrow_words(const many_words numbers[NARROWED], uint16_t *out)
{
	*(few_shorts *)out = __builtin_convertvector(*numbers, few_shorts);
}

#define SCORES_IN_BULK false /* it takes vectors to pay */
#define OPTIONAL_IN_BULK false
#include "searcher/kernel_impl.h"

const struct kernel kernel_scalar = KERNEL_TABLE;
