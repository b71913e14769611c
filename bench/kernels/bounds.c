#include "bench/kernels/bench.h"

#include <string.h>

static uint64_t count_blocks(const struct subject *subject)
{
	return subject->blocks;
}

static uint64_t count_bounds(const struct subject *subject)
{
	(void)subject;
	return (DENSITIES - 1) * SUPERBLOCKS;
}

static uint64_t count_sums(const struct subject *subject)
{
	(void)subject;
	return SELECTIONS * SUPERBLOCKS;
}

static void run_find_levels(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	for (uint32_t i = 0; i < subject->chunk_count; i++)
		kernel->find_bounds(&subject->chunks[i].chunk, subject->leaves[0].levels,
		                    bench->output->bounds + subject->chunks[i].superblock * SUPERBLOCK_BLOCKS);
}

static void digest_find_levels(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	memset(bench->output->bounds, 0, sizeof bench->output->bounds);
	run_find_levels(bench, subject, kernel);
	add_to_digest(bench, bench->output->bounds, sizeof bench->output->bounds);
}

/* ---- bounds of superblocks ---- */

static void add_all_bounds(struct bench *bench, void (*add)(float *, const uint8_t *, float, uint32_t))
{
	for (uint32_t i = 1; i < DENSITIES; i++) {
		const struct leaf *leaf = &bench->dense[i].leaves[0];
		add(bench->output->sums, leaf->dense.bounds, leaf->step, SUPERBLOCKS);
	}
}

static void run_add_bounds(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	add_all_bounds(bench, kernel->add_bounds);
}

static void run_add_required(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	add_all_bounds(bench, kernel->add_required);
}

static void digest_sums(struct bench *bench, void (*add)(float *, const uint8_t *, float, uint32_t))
{
	memset(bench->output->sums, 0, sizeof bench->output->sums);
	add_all_bounds(bench, add);
	add_to_digest(bench, bench->output->sums, sizeof bench->output->sums);
}

static void digest_add_bounds(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	digest_sums(bench, kernel->add_bounds);
}

static void digest_add_required(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	digest_sums(bench, kernel->add_required);
}

/* The random numbers are -ln(u): one in 20 is above a threshold with e^-threshold = 1/20. */
#define ONE_IN_20 2.9957323f

static void run_select_sums(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)subject;
	for (uint32_t i = 0; i < SELECTIONS; i++)
		bench->output->numbers[i] = kernel->select_sums(bench->random_sums + i * SUPERBLOCKS, ONE_IN_20,
		                                                SUPERBLOCKS, bench->output->indices[i]);
}

static void digest_select_sums(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_select_sums(bench, subject, kernel);
	for (uint32_t i = 0; i < SELECTIONS; i++) {
		uint64_t count = bench->output->numbers[i];
		add_to_digest(bench, &count, sizeof count);
		add_to_digest(bench, bench->output->indices[i], count * sizeof **bench->output->indices);
	}
}

const struct operation bounds_operations[] = {
    {"find_bounds", "block", NULL, ON_DENSE, false, count_blocks, run_find_levels, digest_find_levels},
    {"add_bounds", "bound", NULL, ON_NOTHING, false, count_bounds, run_add_bounds, digest_add_bounds},
    {"add_required", "bound", NULL, ON_NOTHING, false, count_bounds, run_add_required, digest_add_required},
    {"select_sums", "sum", NULL, ON_NOTHING, false, count_sums, run_select_sums, digest_select_sums},
    {0}};
