/*
 * kernel_impl.h - the evaluators, compiled by each kernel file around its primitives, and the kernel's table.
 *
 * They are parts of one translation unit, so that the compiler can put primitives into loops, and are included in this order.
 */
#include "searcher/collect_impl.h"

#include "searcher/walk_impl.h"

#include "searcher/bounds_impl.h"

#include "searcher/rank_impl.h"

#include "searcher/match_impl.h"

#include "searcher/phrase_lookup_impl.h"

#include "searcher/phrase_positions_impl.h"

#include "searcher/phrase_impl.h"

#define KERNEL_TABLE                                                                                                   \
	{                                                                                                              \
		.rank = rank_documents, .match = match_documents, .phrase = phrase_documents,                          \
		.add_bounds = add_bounds, .add_required = add_required, .select_sums = select_sums,                    \
		.blocks_at_least = blocks_at_least, .find_bounds = find_bounds, .block_mask = block_mask,              \
		.score_block = score_block, .at_least = at_least, .pick_bytes = pick_bytes, .pick_tfs = pick_tfs,      \
		.find_denominators = find_denominators, .add_saturations = add_saturations,                            \
		.score_postings = score_postings, .measure_block = measure_block, .sum_sizes = sum_sizes,              \
		.among_shorts = among_shorts, .decode_shorts = decode_shorts                                           \
	}
