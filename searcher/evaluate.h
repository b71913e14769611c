/*
 * evaluate.h - a query's lists in one segment -> its best documents, or their number.
 *
 * Range-max evaluation (docs/DESIGN.md): bounds are added up over all superblocks, those that can still matter are visited best
 * first, range bounds are added up in each, and only ranges that can still matter are decoded and scored.
 */
#ifndef TRAWL_SEARCHER_EVALUATE_H
#define TRAWL_SEARCHER_EVALUATE_H

#include "searcher/list.h"
#include "searcher/top.h"

struct evaluation {
	struct segment *segment;
	const struct kernel *kernel;
	const struct scorer *scorer;
	struct list *lists; /* in the order in which contributions are added */
	uint32_t count;
	bool required;      /* some list is */
	uint64_t base;      /* of the segment's documents in hits */
	struct arena *arena;
	trawl_error *error;
	/* scratch of the evaluator: of each list; of the range being visited */
	struct visit *visits;
	uint16_t *participants;
	float *rest;
	uint32_t first_doc;
};

/* Push every document that may be among the best to `top`. */
int evaluate_top(struct evaluation *evaluation, struct top *top);

/* Count the live documents that match. */
int evaluate_count(struct evaluation *evaluation, uint64_t *matches);

#endif
