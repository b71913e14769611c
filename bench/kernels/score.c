#include "bench/kernels/bench.h"

/* The contributions add up from superblock to superblock: what clears the scores in a search is not part of the figure. */
static inline void score_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                             struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	kernel->score_block(&opened->chunk, rank, bench->segment.lengths + first_doc, &bench->scorer,
	                    subject->leaves[0].weight, bench->output->scores + first_doc % SUPERBLOCK_DOCUMENTS);
}

static void run_score_block(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_blocks(bench, subject, kernel, score_one);
}

static inline void digest_scores_of_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                                        struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	float scores[BLOCK_DOCUMENTS];
	for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++)
		scores[i] = bench->random_scores[(first_doc + i) % RANDOM_SCORES];
	uint64_t mask = kernel->score_block(&opened->chunk, rank, bench->segment.lengths + first_doc, &bench->scorer,
	                                    subject->leaves[0].weight, scores);
	add_to_digest(bench, &mask, sizeof mask);
	add_to_digest(bench, scores, sizeof scores);
}

static void digest_score_block(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_blocks(bench, subject, kernel, digest_scores_of_one);
}

static inline void measure_one(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
                               struct opened_chunk *opened, uint32_t rank, uint32_t first_doc)
{
	(void)subject;
	kernel->measure_block(&opened->chunk, rank, opened->exceptions[rank], bench->segment.lengths + first_doc,
	                      &bench->output->positions);
}

static void run_measure_block(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_blocks(bench, subject, kernel, measure_one);
}

/* Kernels may choose either form: what counts is the tf of each posting and where its positions start. */
static inline void digest_measure_of_one(struct bench *bench, const struct subject *subject,
                                         const struct kernel *kernel, struct opened_chunk *opened, uint32_t rank,
                                         uint32_t first_doc)
{
	const struct block_positions *block = &bench->output->positions;
	uint64_t start = 0, numbers[3 + 2 * BLOCK_DOCUMENTS];
	measure_one(bench, subject, kernel, opened, rank, first_doc);
	uint32_t count = (uint32_t)__builtin_popcountll(block->mask), n = 0;
	numbers[n++] = block->mask;
	numbers[n++] = block->total;
	numbers[n++] = block->exceptions;
	for (uint32_t i = 0; i < count; i++) {
		numbers[n++] = block->wide ? block->wide_tfs[i] : block->tfs[i];
		numbers[n++] = block->wide ? block->wide_starts[i] : start;
		start += block->sizes[i];
	}
	add_to_digest(bench, numbers, n * sizeof *numbers);
}

static void digest_measure_block(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	walk_blocks(bench, subject, kernel, digest_measure_of_one);
}

const struct operation score_operations[] = {
    {"score_block", "posting", AIM_POSTING, ON_DENSE, false, count_postings, run_score_block, digest_score_block},
    {"measure_block", "posting", NULL, ON_DENSE, false, count_postings, run_measure_block, digest_measure_block},
    {0}};
