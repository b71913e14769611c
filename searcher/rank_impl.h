/*
 * rank_impl.h - block-max evaluation (searcher/README.md): bounds are added up over all superblocks, those that can still matter are
 * visited best first, block bounds are added up in each, and only blocks that can still matter are decoded and scored.
 *
 * The kernel files say whether rows of matches (bulk_impl.h) pay: SCORES_IN_BULK, and OPTIONAL_IN_BULK with optional leaves beside
 * required ones.
 */
#include "searcher/union_impl.h"

#include "searcher/intersection_impl.h"

/* Ask for the chunks of a superblock that will be visited soon. */
static void prefetch_superblock(const struct walk *walk, uint32_t superblock)
{
	for (uint32_t i = 0; i < walk->in.count; i++) {
		const struct leaf *leaf = &walk->in.leaves[i];
		if (leaf->kind == LEAF_DENSE && leaf->dense.bounds[superblock])
			prefetch_chunk(leaf, superblock, 512);
	}
}

static int visit_superblock(struct walk *walk, uint32_t superblock, bool excluding)
{
	uint32_t blocks, count = walk->in.count;
	walk->superblock = superblock;
	int code = enter_all(walk, superblock, &blocks);
	if (code || !blocks)
		return code;
	sum_rest(walk);
	blocks &= blocks_at_least(walk->rest[0], lowered(least_score(&walk->sink), count));
	for (uint32_t left = blocks; left; left &= left - 1)
		__builtin_prefetch(walk->in.lengths + superblock * SUPERBLOCK_DOCUMENTS +
		                   (uint32_t)__builtin_ctz(left) * BLOCK_DOCUMENTS);
	for (; blocks; blocks &= blocks - 1) {
		uint32_t block = (uint32_t)__builtin_ctz(blocks);
		walk->first_doc = superblock * SUPERBLOCK_DOCUMENTS + block * BLOCK_DOCUMENTS;
		if (walk->rest[0][block] < lowered(least_score(&walk->sink), count) ||
		    walk->first_doc >= walk->in.live.count)
			continue;
		if (walk->in.required)
			score_intersection(walk, block);
		else
			score_union(walk, block, excluding);
	}
	if (walk->bulk)
		bulk_flush(walk);
	return sink_flush(&walk->sink);
}

/* One sparse leaf alone: its contributions are there already. */
static int rank_sparse(struct walk *walk)
{
	const struct leaf *leaf = &walk->in.leaves[0];
	for (uint32_t first = 0; first < leaf->count; first += BLOCK_DOCUMENTS) {
		uint64_t passing = at_least(leaf->scores + first, least_score(&walk->sink));
		if (leaf->count - first < BLOCK_DOCUMENTS)
			passing &= ((uint64_t)1 << (leaf->count - first)) - 1;
		for (; passing; passing &= passing - 1) {
			uint32_t i = first + (uint32_t)__builtin_ctzll(passing);
			if (leaf->scores[i] >= least_score(&walk->sink) && is_live(&walk->in.live, leaf->docs[i]))
				offer(&walk->sink, leaf->docs[i], leaf->scores[i]);
		}
	}
	return sink_flush(&walk->sink);
}

/* Where no leaf's absence can save work: some are required, or there is but one. */
static bool scores_in_bulk(const struct evaluation *in)
{
	uint32_t required = 0, optional = 0;
	for (uint32_t i = 0; i < in->count; i++) {
		required += in->leaves[i].occur == OCCUR_REQUIRED;
		optional += in->leaves[i].occur == OCCUR_OPTIONAL;
	}
	if (!SCORES_IN_BULK || in->count > BULK_LEAVES)
		return false;
	return in->required ? required && (OPTIONAL_IN_BULK || !optional) : optional == 1;
}

static bool rank_begin(struct walk *walk)
{
	walk->rest = arena_new(&walk->context->arena, ((size_t)walk->in.count + 1) * sizeof *walk->rest);
	return walk->rest && (!scores_in_bulk(&walk->in) || bulk_begin(walk));
}

static int rank_documents(const struct evaluation *evaluation, struct context *context, struct collector *collector)
{
	struct walk walk = {.in = *evaluation, .context = context};
	struct arena *arena = &context->arena;
	if (!sink_begin(&walk.sink, collector, evaluation->segment, evaluation->base, arena))
		return error_set_memory(context->error);
	if (evaluation->count == 1 && evaluation->leaves[0].kind == LEAF_SPARSE)
		return rank_sparse(&walk);
	uint32_t n = group_count(evaluation->live.count) * GROUP_SUPERBLOCKS;
	float *sums = walk_begin(&walk) ? superblock_bounds(&walk) : NULL;
	/* 16 more: a vector kernel stores whole vectors */
	uint32_t *candidates = sums ? arena_new(arena, (2 * (size_t)n + 16) * sizeof *candidates) : NULL;
	if (!candidates || !rank_begin(&walk))
		return error_set_memory(context->error);
	if (evaluation->live.allowed)
		drop_empty(&evaluation->live, sums);
	uint32_t count = select_sums(sums, collector->threshold, n, candidates), *sorted = candidates + n + 16;
	order_by_bound(sums, candidates, sorted, count);
	bool excluding = any_excluded(evaluation);
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++) {
		if (i + 1 < count && sums[sorted[i + 1]] >= collector->threshold)
			prefetch_superblock(&walk, sorted[i + 1]);
		if (sums[sorted[i]] >= collector->threshold)
			code = visit_superblock(&walk, sorted[i], excluding);
	}
	return code;
}
