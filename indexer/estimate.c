#include "indexer/estimate.h"

#include <math.h>
#include <time.h>

#define ORDER_COST 0.75 /* of some 300,000 documents: a cut for each doubling of their number */
#define ORDER_CUTS 12
#define LEAF_CUTS 6 /* documents of a leaf are not cut: as a power of two */
#define TERMS_COST 0.45
#define RUN_TERMS_COST 0.3 /* part of the work was done when the runs were written */
#define BIGRAMS_COST 2.0
#define LEARNT_LEAST                                                                                                   \
	1000 /* documents written, whose time says more than what adding took; and a tenth of those to come */
#define PARALLEL_LEAST 0.25

static double seconds_of(clockid_t clock)
{
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct stage_costs stage_costs(bool similar, bool has_runs, bool has_bigrams, uint32_t documents)
{
	double cuts = documents ? log2((double)documents) - LEAF_CUTS : 0;
	return (struct stage_costs){.order = similar && cuts > 0 ? ORDER_COST * cuts / ORDER_CUTS : 0,
	                            .terms = has_runs ? RUN_TERMS_COST : TERMS_COST,
	                            .bigrams = has_bigrams ? BIGRAMS_COST : 0};
}

void estimate_begin_batch(struct estimate *estimate)
{
	estimate->batch_seconds = seconds_of(CLOCK_MONOTONIC);
	estimate->batch_processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void estimate_begin_writing(struct estimate *estimate)
{
	estimate->begun = seconds_of(CLOCK_MONOTONIC);
}

void estimate_end_writing(struct estimate *estimate, uint64_t documents)
{
	estimate->written_seconds += seconds_of(CLOCK_MONOTONIC) - estimate->begun;
	estimate->written_documents += documents;
	estimate_begin_batch(estimate);
}

/* Processors that adding kept busy: as many will be busy with writing. Where input is slow it says too little. */
static double parallelism(double processor, double seconds, unsigned threads)
{
	double busy = seconds > 0 ? processor / seconds : 1;
	return busy < PARALLEL_LEAST ? PARALLEL_LEAST : busy > threads ? threads : busy;
}

double estimate_writing(const struct estimate *estimate, uint64_t added, uint64_t documents, unsigned threads,
                        const struct stage_costs *costs)
{
	if (estimate->written_documents >= LEARNT_LEAST && estimate->written_documents >= documents / 10)
		return estimate->written_seconds * (double)documents / (double)estimate->written_documents;
	if (!added)
		return 0;
	double processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - estimate->batch_processor,
	       seconds = seconds_of(CLOCK_MONOTONIC) - estimate->batch_seconds;
	double whole = processor * (double)documents / (double)added;
	return whole * (costs->order + costs->terms + costs->bigrams) / parallelism(processor, seconds, threads);
}
