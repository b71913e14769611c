/*
 * kernel.h - the hot loops, once for each instruction set; kernel_get() chooses at run time (base/cpu.h).
 *
 * Each kernel file defines a few primitives with its instructions and compiles the evaluators (evaluate_impl.h, phrase_impl.h)
 * around them. Every kernel gives the same bits: sums are taken element by element in the same order, without fused
 * multiply-add.
 */
#ifndef TRAWL_SEARCHER_KERNEL_H
#define TRAWL_SEARCHER_KERNEL_H

#include "base/cpu.h"
#include "searcher/evaluate.h"

#define SHORTS_MAX 32
#define SHORT_NONE 0xc000u /* no position */

struct kernel {
	/* Push every document that may be among the best to `top`. */
	int (*evaluate_top)(struct evaluation *evaluation, struct top *top);
	/* Add the number of live documents that match to *matches. */
	int (*evaluate_count)(struct evaluation *evaluation, uint64_t *matches);
	/* Set the bits of the live documents that match; `bits` are 0. */
	int (*evaluate_matches)(struct evaluation *evaluation, uint64_t *bits);
	/* Find the matches of a phrase (evaluate.h). */
	int (*evaluate_phrase)(struct phrase_evaluation *evaluation);

	/* The primitives, for tests and kernel_bench. */

	/* sums[i] += step * bounds[i], n a multiple of 16 */
	void (*add_bounds)(float *sums, const uint8_t *bounds, float step, uint32_t n);
	/* the same, but -infinity where bounds[i] is 0 */
	void (*add_required)(float *sums, const uint8_t *bounds, float step, uint32_t n);
	/* indices of the sums that are not below `threshold` and above 0, in order; their number. n a multiple of 16; 16 more
	 * indices may be written */
	uint32_t (*select_sums)(const float *sums, float threshold, uint32_t n, uint32_t *indices);
	/* bit i: scores[i] >= threshold */
	uint64_t (*at_least)(const float scores[RANGE_DOCUMENTS], float threshold);
	/* the same for a number a range */
	uint32_t (*ranges_at_least)(const float bests[SUPERBLOCK_RANGES], float threshold);
	/* Add the contributions of range number `rank` of the chunk to scores[offset]; the mask of its documents. */
	uint64_t (*score_range)(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
	                        float weight, float scores[RANGE_DOCUMENTS]);
	/* bytes[offset] of each of these documents, one after the other; 64 may be written */
	void (*pick_bytes)(const uint8_t bytes[RANGE_DOCUMENTS], uint64_t documents, uint8_t *out);
	/* The tf in range number `rank` of each of these documents, 0 where it has none, one after the other; 64 may be written. false: some
	 * tf is over 255. */
	bool (*pick_tfs)(struct chunk *chunk, uint32_t rank, uint64_t mask, uint64_t documents, uint8_t *tfs);
	/* out[i] = denominators[lengths[i]]; 15 more may be read and written */
	void (*find_denominators)(const float denominators[256], const uint8_t *lengths, uint32_t n, float *out);
	/* scores[i] += weight * saturation where tfs[i] is not 0; 15 more may be read and written */
	void (*add_saturations)(const uint8_t *tfs, const float *denominators, float weight, uint32_t n, float *scores);
	/* scores[i] = weight * saturation of tfs[i] in docs[i]; 15 more may be written */
	void (*score_postings)(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
	                       const struct scorer *scorer, float weight, float *scores);
	/* The documents of range number `rank`. */
	uint64_t (*range_mask)(const struct chunk *chunk, uint32_t rank);
	/* The chunk's range bounds, levels[codebook index], into bests[range]; 0 where there are no postings. */
	void (*find_levels)(const struct chunk *chunk, const float levels[16], float bests[SUPERBLOCK_RANGES]);
	/* Measure range number `rank`; its first exception is number `exception` of the chunk. */
	void (*measure_range)(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *lengths,
	                      struct range_positions *range);
	/* The sum of the first n <= 64 numbers, each below 2^15; 64 are loaded. */
	uint32_t (*sum_sizes)(const uint16_t sizes[RANGE_DOCUMENTS], uint32_t n);
	/* Bit i < n: a[i] + delta is among b; all of b are compared with. */
	uint32_t (*among_shorts)(const uint16_t a[SHORTS_MAX], uint32_t n, const uint16_t b[SHORTS_MAX],
	                         uint16_t delta);
	/* Positions stored as Elias-Fano, 8 <= tf <= SHORTS_MAX, in a document of at most 32,768 places, and SHORT_NONE behind the
	 * last; `bytes` may be loaded up to EXTENT_SLACK behind theirs. false: malformed. */
	bool (*decode_shorts)(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
	                      uint16_t positions[SHORTS_MAX]);
};

#define KERNEL_TABLE                                                                                                   \
	{                                                                                                              \
		evaluate_top, evaluate_count, evaluate_matches, evaluate_phrase, add_bounds, add_required,             \
		    select_sums, at_least, ranges_at_least, score_range, pick_bytes, pick_tfs, find_denominators,      \
		    add_saturations, score_postings, range_mask, find_levels, measure_range, sum_sizes, among_shorts,  \
		    decode_shorts                                                                                      \
	}

const struct kernel *kernel_for(enum cpu_level level); /* NULL where this machine or build lacks it */
const struct kernel *kernel_get(void);

extern const struct kernel kernel_scalar, kernel_avx2, kernel_avx512;

#endif
