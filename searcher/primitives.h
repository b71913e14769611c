/*
 * primitives.h - what each kernel file defines with its instructions, before it includes the evaluators (*_impl.h) that are built on
 * it: the contract between the two. kernel.h has them in a table, for tests and kernel_bench.
 *
 * Every kernel gives the same bits: sums are taken element by element in the same order, without fused multiply-add.
 */
#ifndef TRAWL_SEARCHER_PRIMITIVES_H
#define TRAWL_SEARCHER_PRIMITIVES_H

#include "query/scoring.h"
#include "searcher/block.h"
#include "segment/chunk.h"

/* ---- bounds of superblocks and blocks ---- */

/* sums[i] += step * bounds[i], n a multiple of 16 */
typedef void add_bounds_fn(float *sums, const uint8_t *bounds, float step, uint32_t n);
/* add_required: the same, but -infinity where bounds[i] is 0 */

/* Indices of the sums that are not below `threshold` and above 0, in order; their number. n a multiple of 16; 16 more indices may be
 * written. */
typedef uint32_t select_sums_fn(const float *sums, float threshold, uint32_t n, uint32_t *indices);
/* bit i: bounds[i] >= threshold, of the blocks of a superblock */
typedef uint32_t blocks_at_least_fn(const float bounds[SUPERBLOCK_BLOCKS], float threshold);
/* The chunk's block bounds, levels[codebook index], into bounds[block]; 0 where there are no postings. */
typedef void find_bounds_fn(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_BLOCKS]);

/* ---- the postings of a block: number `rank` among the occupied ones of its chunk ---- */

/* Its documents. */
typedef uint64_t block_mask_fn(const struct chunk *chunk, uint32_t rank);
/* Add its contributions to scores[offset]; the mask of its documents. */
typedef uint64_t score_block_fn(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                                float weight, float scores[BLOCK_DOCUMENTS]);
/* bit i: scores[i] >= threshold */
typedef uint64_t at_least_fn(const float scores[BLOCK_DOCUMENTS], float threshold);

/* ---- rows of matches (bulk_impl.h), and sparse postings ---- */

/* bytes[offset] of each of these documents, one after the other; 64 may be written */
typedef void pick_bytes_fn(const uint8_t bytes[BLOCK_DOCUMENTS], uint64_t documents, uint8_t *out);
/* The tf in the block of each of these documents, 0 where it has none, one after the other; `mask` is the block's; 64 may be
 * written. false: some tf is over 255. */
typedef bool pick_tfs_fn(struct chunk *chunk, uint32_t rank, uint64_t mask, uint64_t documents, uint8_t *tfs);
/* out[i] = denominators[lengths[i]]; 15 more may be read and written */
typedef void find_denominators_fn(const float denominators[256], const uint8_t *lengths, uint32_t n, float *out);
/* scores[i] += weight * saturation where tfs[i] is not 0; 15 more may be read and written */
typedef void add_saturations_fn(const uint8_t *tfs, const float *denominators, float weight, uint32_t n, float *scores);
/* scores[i] = weight * saturation of tfs[i] in docs[i]; 15 more may be written */
typedef void score_postings_fn(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
                               const struct scorer *scorer, float weight, float *scores);

/* ---- positions ---- */

#define SHORTS_MAX 32
#define SHORT_NONE 0xc000u /* no position */

/*
 * The postings of a block, and how many bits their positions take, so that those of any document can be found. `tfs` and
 * `sizes` are in document order; where some do not fit, `wide`, they are in the wide arrays instead.
 */
struct block_positions {
	uint64_t mask, total; /* total: bits of all */
	uint32_t exceptions;  /* postings with tf >= 4 */
	bool wide;
	uint8_t tfs[BLOCK_DOCUMENTS];
	uint16_t sizes[BLOCK_DOCUMENTS];
	uint32_t wide_tfs[BLOCK_DOCUMENTS];
	uint64_t wide_starts[BLOCK_DOCUMENTS]; /* running sums of the sizes */
};

/* Measure the block; its first exception is number `exception` of the chunk. */
typedef void measure_block_fn(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *lengths,
                              struct block_positions *block);
/* The sum of the first n <= 64 numbers, each below 2^15; 64 are loaded. */
typedef uint32_t sum_sizes_fn(const uint16_t sizes[BLOCK_DOCUMENTS], uint32_t n);
/* starts[i] = the sum of the sizes before i < n; up to 7 more are read and written */
typedef void add_up_sizes_fn(const uint16_t *sizes, uint32_t n, uint16_t *starts);
/* Bit i < n: a[i] + delta is among b; all of b are compared with. */
typedef uint32_t among_shorts_fn(const uint16_t a[SHORTS_MAX], uint32_t n, const uint16_t b[SHORTS_MAX],
                                 uint16_t delta);
/* Positions stored as Elias-Fano, 8 <= tf <= SHORTS_MAX, in a document of at most 32,768 places, and SHORT_NONE behind the
 * last; `bytes` may be loaded up to EXTENT_SLACK behind theirs. false: malformed. */
typedef bool decode_shorts_fn(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                              uint16_t positions[SHORTS_MAX]);

#endif
