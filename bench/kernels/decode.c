#include "bench/kernels/bench.h"

static uint64_t count_integers(const struct subject *subject)
{
	return 2 * subject->postings;
}

/* ---- sparse lists ---- */

static void run_sparse_lists(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	(void)kernel;
	for (uint32_t i = 0; i < subject->count; i++)
		if (!sparse_list_decode(subject->coded[i], subject->coded_bytes[i], subject->leaves[i].count, DOCUMENTS,
		                        bench->output->docs[i], bench->output->tfs[i]))
			die("a sparse list of its own making cannot be decoded");
}

/* ---- dense lists ---- */

static void run_block_mask(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	uint64_t *masks = bench->output->numbers;
	for (uint32_t i = 0; i < subject->chunk_count; i++)
		for (uint32_t rank = 0; rank < subject->chunks[i].chunk.block_count; rank++)
			*masks++ = kernel->block_mask(&subject->chunks[i].chunk, rank);
}

static void digest_block_mask(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_block_mask(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, subject->blocks * sizeof *bench->output->numbers);
}

/* For portable operations there is nothing to compare. */
const struct operation decode_operations[] = {
    {"sparse_list_decode", "integer", AIM_INTEGER, ON_SPARSE, true, count_integers, run_sparse_lists, NULL},
    {"block_mask", "posting", AIM_INTEGER, ON_DENSE, false, count_postings, run_block_mask, digest_block_mask},
    {0}};
