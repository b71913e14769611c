/*
 * kernel.h - the hot loops, once for each instruction set; kernel_get() chooses at run time (base/cpu.h).
 *
 * Each kernel file defines the primitives (primitives.h) with its instructions and compiles the evaluators (kernel_impl.h) around
 * them. A kernel reads an evaluation and its postings, writes to a context, and hands what matches to a collector.
 */
#ifndef TRAWL_SEARCHER_KERNEL_H
#define TRAWL_SEARCHER_KERNEL_H

#include "base/cpu.h"
#include "searcher/context.h"
#include "searcher/evaluation.h"
#include "searcher/primitives.h"
#include "searcher/top.h"

struct kernel {
	/* Hand over every document that matches and does not score less than the collector's threshold, with its score. */
	int (*rank)(const struct evaluation *evaluation, struct context *context, struct collector *collector);
	/* Hand over, without scores, every document that matches, and count them. */
	int (*match)(const struct evaluation *evaluation, struct context *context, struct collector *collector);
	/* Find the matches of a phrase: rank them, count them (COLLECT_COUNT), or only list them (`collector` NULL). */
	int (*phrase)(const struct phrase_evaluation *evaluation, struct context *context, struct collector *collector,
	              struct phrase_matches *list);

	/* The primitives, for tests and kernel_bench; score_postings for open.c too. */
	add_bounds_fn *add_bounds, *add_required;
	select_sums_fn *select_sums;
	blocks_at_least_fn *blocks_at_least;
	find_bounds_fn *find_bounds;
	block_mask_fn *block_mask;
	score_block_fn *score_block;
	at_least_fn *at_least;
	pick_bytes_fn *pick_bytes;
	pick_tfs_fn *pick_tfs;
	find_denominators_fn *find_denominators;
	add_saturations_fn *add_saturations;
	score_postings_fn *score_postings;
	measure_block_fn *measure_block;
	sum_sizes_fn *sum_sizes;
	among_shorts_fn *among_shorts;
	decode_shorts_fn *decode_shorts;
};

const struct kernel *kernel_for(enum cpu_level level); /* NULL where this machine or build lacks it */
const struct kernel *kernel_get(void);

extern const struct kernel kernel_scalar, kernel_avx2, kernel_avx512;

#endif
