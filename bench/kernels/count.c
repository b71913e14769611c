#include "bench/kernels/bench.h"

uint64_t count_bits(const uint64_t *masks, uint32_t n)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < n; i++)
		count += (uint64_t)__builtin_popcountll(masks[i]);
	return count;
}

/* As the evaluators do it, but not a primitive of theirs: compiled here for the instruction that AVX2 kernels may use. */
#if defined(__x86_64__)
static __attribute__((target("popcnt"))) uint64_t count_bits_popcnt(const uint64_t *masks, uint32_t n)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < n; i++)
		count += (uint64_t)__builtin_popcountll(masks[i]);
	return count;
}
#else
#define count_bits_popcnt count_bits
#endif

static void run_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	bench->output->numbers[0] =
	    (kernel == kernel_for(CPU_SCALAR) ? count_bits : count_bits_popcnt)(subject->masks, subject->blocks);
}

static void digest_count(struct bench *bench, const struct subject *subject, const struct kernel *kernel)
{
	run_count(bench, subject, kernel);
	add_to_digest(bench, bench->output->numbers, sizeof *bench->output->numbers);
}

const struct operation count_operations[] = {
    {"popcount", "posting", NULL, ON_DENSE, false, count_postings, run_count, digest_count}, {0}};
