/* estimate.h - how long writing segments will take, from what adding documents took: for progress alone, nothing depends on it. */
#ifndef TRAWL_INDEXER_ESTIMATE_H
#define TRAWL_INDEXER_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "trawl.h"

/* What the stages of writing a segment cost, in processor time, where adding its documents cost 1. Measured on abstracts, news and
 * generated text: ordering took 0.35 to 1.05, terms 0.3 to 0.5, bigrams 1.4 to 2.5 more. */
struct stage_costs {
	double order, terms, bigrams;
};

struct stage_costs stage_costs(bool similar, bool has_runs, bool has_bigrams, uint32_t documents);

struct estimate {
	double batch_seconds, batch_processor; /* clock and processor time when the batch began */
	double begun;                          /* clock when the writing began that is under way */
	double written_seconds;                /* all that writing took so far */
	uint64_t written_documents;
};

void estimate_begin_batch(struct estimate *estimate);
void estimate_begin_writing(struct estimate *estimate);
void estimate_end_writing(struct estimate *estimate, uint64_t documents);

/* Seconds to write `documents`, where the batch has `added` so far and `costs` is for all of them. */
double estimate_writing(const struct estimate *estimate, uint64_t added, uint64_t documents, unsigned threads,
                        const struct stage_costs *costs);

#endif
