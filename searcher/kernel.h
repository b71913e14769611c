/*
 * kernel.h - the hot loops, once for each instruction set; kernel_get() chooses at run time (base/cpu.h).
 *
 * Every kernel gives the same bits: sums are taken element by element in the same order, without fused multiply-add.
 */
#ifndef TRAWL_SEARCHER_KERNEL_H
#define TRAWL_SEARCHER_KERNEL_H

#include <stdint.h>

#include "base/cpu.h"
#include "store/postings.h"

#define SATURATION_TFS 16 /* tfs 1 to 16 have their saturation in a table */

/* What turns (tf, length byte) into a saturation, for one k1, b and average length. */
struct scorer {
	float denominators[256];
	float saturations[SATURATION_TFS][256]; /* [tf - 1][length byte] */
};

static inline float score_posting(const struct scorer *scorer, float weight, uint32_t tf, uint8_t length)
{
	if (tf <= SATURATION_TFS)
		return weight * scorer->saturations[tf - 1][length];
	return weight * saturation(tf, scorer->denominators[length]);
}

struct kernel {
	/* sums[i] += step * bounds[i], n a multiple of 16 */
	void (*add_bounds)(float *sums, const uint8_t *bounds, float step, uint32_t n);
	/* the same, but -infinity where bounds[i] is 0 */
	void (*add_required)(float *sums, const uint8_t *bounds, float step, uint32_t n);
	/* indices of the sums that are not below `threshold` and above 0, in order; their number. n a multiple of 16 */
	uint32_t (*select)(const float *sums, float threshold, uint32_t n, uint32_t *indices);
	/* bit i: scores[i] >= threshold */
	uint64_t (*at_least)(const float scores[RANGE_DOCUMENTS], float threshold);
	/* Add the contributions of range number `rank` of the chunk to scores[offset]; the mask of its documents. */
	uint64_t (*score_range)(const struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
	                        float weight, float scores[RANGE_DOCUMENTS]);
	/* The documents of range number `rank`. */
	uint64_t (*range_mask)(const struct chunk *chunk, uint32_t rank);
	/* The chunk's range bounds, levels[codebook index], added to bounds[range]. */
	void (*add_levels)(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_RANGES]);
};

const struct kernel *kernel_for(enum cpu_level level); /* NULL where this machine or build lacks it */
const struct kernel *kernel_get(void);

extern const struct kernel kernel_scalar, kernel_avx2, kernel_avx512;

#endif
