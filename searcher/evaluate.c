#include "searcher/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* A list in the superblock being visited. */
struct visit {
	uint32_t ranges;      /* mask of the ranges with postings */
	struct chunk chunk;   /* LIST_RANGED */
	uint32_t begin, end;  /* LIST_SHORT: postings in the superblock */
	/* in the range being visited */
	uint64_t mask;
	uint32_t first; /* LIST_SHORT: index of its first posting */
	uint32_t tfs[RANGE_DOCUMENTS];
};

/* ---- a superblock ---- */

static uint32_t short_ranges(const struct list *list, const struct visit *visit)
{
	uint32_t ranges = 0;
	for (uint32_t i = visit->begin; i < visit->end; i++)
		ranges |= 1u << (list->docs[i] / RANGE_DOCUMENTS % SUPERBLOCK_RANGES);
	return ranges;
}

/* Find the list's postings in the superblock; visit->ranges is 0 when there are none. */
static int enter(struct evaluation *evaluation, uint32_t number, uint32_t superblock)
{
	struct list *list = &evaluation->lists[number];
	struct visit *visit = &evaluation->visits[number];
	visit->ranges = 0;
	if (list->kind == LIST_RANGED) {
		int found = list_chunk(list, evaluation->segment, superblock, &visit->chunk, evaluation->error);
		if (found > 0)
			visit->ranges = visit->chunk.range_mask;
		return found < 0 ? found : 0;
	}
	visit->begin = visit->end = list_seek(list, superblock * SUPERBLOCK_DOCUMENTS);
	uint64_t last = ((uint64_t)superblock + 1) * SUPERBLOCK_DOCUMENTS;
	while (visit->end < list->count && list->docs[visit->end] < last)
		visit->end++;
	list->cursor = visit->end ? visit->end - 1 : 0;
	visit->ranges = short_ranges(list, visit);
	return 0;
}

static void add_short_bounds(const struct list *list, const struct visit *visit, float *bounds)
{
	for (uint32_t i = visit->begin; i < visit->end;) {
		uint32_t range = list->docs[i] / RANGE_DOCUMENTS;
		float best = 0;
		for (; i < visit->end && list->docs[i] / RANGE_DOCUMENTS == range; i++)
			best = list->scores[i] > best ? list->scores[i] : best;
		bounds[range % SUPERBLOCK_RANGES] += best;
	}
}

/* Enter all lists and tell which ranges can match; with `bounds`, add up what a document of each range can score. */
static int enter_all(struct evaluation *evaluation, uint32_t superblock, float *bounds, uint32_t *ranges)
{
	uint32_t required = 0xffff, optional = 0;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		struct visit *visit = &evaluation->visits[i];
		int code = enter(evaluation, i, superblock);
		if (code)
			return code;
		if (list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->occur == OCCUR_REQUIRED)
			required &= visit->ranges;
		else
			optional |= visit->ranges;
		if (!required)
			break;
		if (!bounds || !visit->ranges)
			continue;
		if (list->kind == LIST_RANGED)
			evaluation->kernel->add_levels(&visit->chunk, list->levels, bounds);
		else
			add_short_bounds(list, visit, bounds);
	}
	*ranges = evaluation->required ? required : optional;
	return 0;
}

/* ---- a range ---- */

static uint32_t rank_of(const struct visit *visit, uint32_t range)
{
	return (uint32_t)__builtin_popcount(visit->ranges & ((1u << range) - 1));
}

static void short_mask(const struct list *list, struct visit *visit, uint32_t first_doc)
{
	uint32_t i = visit->begin;
	visit->mask = 0;
	while (i < visit->end && list->docs[i] < first_doc)
		i++;
	visit->first = i;
	for (; i < visit->end && list->docs[i] - first_doc < RANGE_DOCUMENTS; i++)
		visit->mask |= (uint64_t)1 << (list->docs[i] - first_doc);
}

/* The documents of the list in the range, and for ranged lists their tfs. */
static uint64_t decode_range(const struct list *list, struct visit *visit, uint32_t range, uint32_t first_doc)
{
	visit->mask = 0;
	if (!(visit->ranges >> range & 1))
		return 0;
	if (list->kind == LIST_SHORT)
		short_mask(list, visit, first_doc);
	else
		chunk_range(&visit->chunk, rank_of(visit, range), &visit->mask, visit->tfs);
	return visit->mask;
}

static uint64_t live_documents(const struct evaluation *evaluation, uint32_t first_doc)
{
	const struct segment *segment = evaluation->segment;
	uint64_t live = segment->deletions.words ? ~segment->deletions.words[first_doc / 64] : UINT64_MAX;
	uint32_t left = segment->documents_count - first_doc;
	return left < 64 ? live & (((uint64_t)1 << left) - 1) : live;
}

static void push(const struct evaluation *evaluation, struct top *top, uint64_t documents, uint32_t first_doc,
                 const float *scores)
{
	for (; documents; documents &= documents - 1) {
		uint32_t offset = (uint32_t)__builtin_ctzll(documents);
		if (scores[offset] >= top->threshold)
			top_push(top, evaluation->base + first_doc + offset, scores[offset]);
	}
}

static uint64_t excluded_documents(struct evaluation *evaluation, uint32_t range, uint32_t first_doc)
{
	uint64_t documents = 0;
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			documents |= decode_range(&evaluation->lists[i], &evaluation->visits[i], range, first_doc);
	return documents;
}

static uint64_t score_short(const struct list *list, struct visit *visit, uint32_t first_doc, float *scores)
{
	short_mask(list, visit, first_doc);
	uint32_t i = visit->first;
	for (uint64_t left = visit->mask; left; left &= left - 1, i++)
		scores[__builtin_ctzll(left)] += list->scores[i];
	return visit->mask;
}

/* Any list makes a match: add all contributions, then look which sums are high enough. */
static void score_union(struct evaluation *evaluation, uint32_t range, uint32_t first_doc, bool excluding, struct top *top)
{
	float scores[RANGE_DOCUMENTS] = {0};
	const uint8_t *lengths = evaluation->segment->lengths + first_doc;
	uint64_t matches = 0;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		struct visit *visit = &evaluation->visits[i];
		const struct list *list = &evaluation->lists[i];
		if (!(visit->ranges >> range & 1) || list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->kind == LIST_SHORT)
			matches |= score_short(list, visit, first_doc, scores);
		else
			matches |= evaluation->kernel->score_range(&visit->chunk, rank_of(visit, range), lengths, evaluation->scorer,
			                                           list->weight, scores);
	}
	matches &= live_documents(evaluation, first_doc) & evaluation->kernel->at_least(scores, top->threshold);
	if (matches && excluding)
		matches &= ~excluded_documents(evaluation, range, first_doc);
	push(evaluation, top, matches, first_doc, scores);
}

static float score_in_list(const struct evaluation *evaluation, uint32_t number, uint32_t first_doc, uint32_t offset)
{
	const struct list *list = &evaluation->lists[number];
	const struct visit *visit = &evaluation->visits[number];
	uint64_t bit = (uint64_t)1 << offset;
	if (!(visit->mask & bit))
		return 0;
	uint32_t index = (uint32_t)__builtin_popcountll(visit->mask & (bit - 1));
	if (list->kind == LIST_SHORT)
		return list->scores[visit->first + index];
	return score_posting(evaluation->scorer, list->weight, visit->tfs[index],
	                     evaluation->segment->lengths[first_doc + offset]);
}

/* Some lists are required: AND their documents first, and score only what is left. */
static void score_intersection(struct evaluation *evaluation, uint32_t range, uint32_t first_doc, struct top *top)
{
	uint64_t matches = live_documents(evaluation, first_doc);
	for (uint32_t i = 0; i < evaluation->count && matches; i++)
		if (evaluation->lists[i].occur == OCCUR_REQUIRED)
			matches &= decode_range(&evaluation->lists[i], &evaluation->visits[i], range, first_doc);
	if (matches)
		matches &= ~excluded_documents(evaluation, range, first_doc);
	if (!matches)
		return;
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->lists[i].occur == OCCUR_OPTIONAL)
			decode_range(&evaluation->lists[i], &evaluation->visits[i], range, first_doc);
	for (; matches; matches &= matches - 1) {
		uint32_t offset = (uint32_t)__builtin_ctzll(matches);
		float score = 0;
		for (uint32_t i = 0; i < evaluation->count; i++)
			if (evaluation->lists[i].occur != OCCUR_EXCLUDED)
				score += score_in_list(evaluation, i, first_doc, offset);
		if (score >= top->threshold)
			top_push(top, evaluation->base + first_doc + offset, score);
	}
}

/* ---- all superblocks ---- */

/* Upper bounds of the scores in each superblock; -infinity where a required list has no postings. */
static float *superblock_bounds(struct evaluation *evaluation)
{
	uint32_t n = group_count(evaluation->segment->documents_count) * GROUP_SUPERBLOCKS;
	float *sums = arena_new(evaluation->arena, n * sizeof *sums), *mine = NULL;
	if (!sums)
		return NULL;
	memset(sums, 0, n * sizeof *sums);
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		bool required = list->occur == OCCUR_REQUIRED;
		if (list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->kind == LIST_RANGED) {
			(required ? evaluation->kernel->add_required : evaluation->kernel->add_bounds)(sums, list->ranged.bounds,
			                                                                              list->step, n);
			continue;
		}
		if (required && !mine && !(mine = arena_new(evaluation->arena, n * sizeof *mine)))
			return NULL;
		if (required)
			for (uint32_t s = 0; s < n; s++)
				mine[s] = -INFINITY;
		for (uint32_t p = 0; p < list->count;) {
			uint32_t superblock = list->docs[p] / SUPERBLOCK_DOCUMENTS;
			float best = 0;
			for (; p < list->count && list->docs[p] / SUPERBLOCK_DOCUMENTS == superblock; p++)
				best = list->scores[p] > best ? list->scores[p] : best;
			if (required)
				mine[superblock] = best;
			else
				sums[superblock] += best;
		}
		if (required)
			for (uint32_t s = 0; s < n; s++)
				sums[s] += mine[s];
	}
	return sums;
}

#define ORDER_BUCKETS 64

/* Sort candidates by falling bound, roughly: the best first raise the threshold for the rest. */
static void order_by_bound(const float *sums, uint32_t *candidates, uint32_t *sorted, uint32_t n)
{
	uint32_t starts[ORDER_BUCKETS + 1] = {0};
	float highest = 0, lowest = INFINITY;
	for (uint32_t i = 0; i < n; i++) {
		float sum = sums[candidates[i]];
		highest = sum > highest ? sum : highest;
		lowest = sum < lowest ? sum : lowest;
	}
	float scale = highest > lowest ? (ORDER_BUCKETS - 1) / (highest - lowest) : 0;
	for (uint32_t i = 0; i < n; i++)
		starts[(uint32_t)((highest - sums[candidates[i]]) * scale) + 1]++;
	for (uint32_t b = 0; b < ORDER_BUCKETS; b++)
		starts[b + 1] += starts[b];
	for (uint32_t i = 0; i < n; i++)
		sorted[starts[(uint32_t)((highest - sums[candidates[i]]) * scale)]++] = candidates[i];
}

static int visit_superblock(struct evaluation *evaluation, uint32_t superblock, bool excluding, struct top *top)
{
	float bounds[SUPERBLOCK_RANGES] = {0};
	uint32_t ranges;
	int code = enter_all(evaluation, superblock, bounds, &ranges);
	if (code)
		return code;
	for (; ranges; ranges &= ranges - 1) {
		uint32_t range = (uint32_t)__builtin_ctz(ranges);
		uint32_t first_doc = superblock * SUPERBLOCK_DOCUMENTS + range * RANGE_DOCUMENTS;
		if (bounds[range] < top->threshold || first_doc >= evaluation->segment->documents_count)
			continue;
		if (evaluation->required)
			score_intersection(evaluation, range, first_doc, top);
		else
			score_union(evaluation, range, first_doc, excluding, top);
	}
	return 0;
}

/* One short list alone: its contributions are there already. */
static void take_short(const struct evaluation *evaluation, struct top *top)
{
	const struct list *list = &evaluation->lists[0];
	for (uint32_t i = 0; i < list->count; i++)
		if (list->scores[i] >= top->threshold && !segment_is_dead(evaluation->segment, list->docs[i]))
			top_push(top, evaluation->base + list->docs[i], list->scores[i]);
}

static bool any_excluded(const struct evaluation *evaluation)
{
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			return true;
	return false;
}

static bool make_visits(struct evaluation *evaluation)
{
	evaluation->visits = arena_new(evaluation->arena, evaluation->count * sizeof *evaluation->visits);
	return evaluation->visits != NULL;
}

int evaluate_top(struct evaluation *evaluation, struct top *top)
{
	if (evaluation->count == 1 && evaluation->lists[0].kind == LIST_SHORT) {
		take_short(evaluation, top);
		return 0;
	}
	uint32_t n = group_count(evaluation->segment->documents_count) * GROUP_SUPERBLOCKS;
	float *sums = superblock_bounds(evaluation);
	/* 16 more: a vector kernel stores whole vectors */
	uint32_t *candidates = arena_new(evaluation->arena, (2 * (size_t)n + 16) * sizeof *candidates);
	if (!sums || !candidates || !make_visits(evaluation))
		return error_set_memory(evaluation->error);
	uint32_t count = evaluation->kernel->select(sums, top->threshold, n, candidates), *sorted = candidates + n + 16;
	order_by_bound(sums, candidates, sorted, count);
	bool excluding = any_excluded(evaluation);
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++)
		if (sums[sorted[i]] >= top->threshold)
			code = visit_superblock(evaluation, sorted[i], excluding, top);
	return code;
}

/* ---- counting ---- */

/* The list's documents in the superblock entered, as masks. */
static void list_masks(const struct evaluation *evaluation, uint32_t number, uint64_t masks[SUPERBLOCK_RANGES])
{
	const struct list *list = &evaluation->lists[number];
	const struct visit *visit = &evaluation->visits[number];
	if (list->kind == LIST_RANGED && visit->ranges) {
		evaluation->kernel->chunk_masks(&visit->chunk, masks);
		return;
	}
	memset(masks, 0, SUPERBLOCK_RANGES * sizeof *masks);
	for (uint32_t i = visit->begin; visit->ranges && i < visit->end; i++)
		masks[list->docs[i] / RANGE_DOCUMENTS % SUPERBLOCK_RANGES] |= (uint64_t)1 << (list->docs[i] % RANGE_DOCUMENTS);
}

static uint64_t count_superblock(const struct evaluation *evaluation, uint32_t superblock)
{
	uint64_t required[SUPERBLOCK_RANGES], optional[SUPERBLOCK_RANGES] = {0}, excluded[SUPERBLOCK_RANGES] = {0};
	uint64_t masks[SUPERBLOCK_RANGES], matches = 0;
	memset(required, 0xff, sizeof required);
	for (uint32_t i = 0; i < evaluation->count; i++) {
		enum occur occur = evaluation->lists[i].occur;
		if (evaluation->required && occur == OCCUR_OPTIONAL)
			continue;
		list_masks(evaluation, i, masks);
		for (uint32_t r = 0; r < SUPERBLOCK_RANGES; r++)
			if (occur == OCCUR_REQUIRED)
				required[r] &= masks[r];
			else
				(occur == OCCUR_EXCLUDED ? excluded : optional)[r] |= masks[r];
	}
	for (uint32_t r = 0; r < SUPERBLOCK_RANGES; r++) {
		uint32_t first_doc = superblock * SUPERBLOCK_DOCUMENTS + r * RANGE_DOCUMENTS;
		uint64_t found = (evaluation->required ? required[r] : optional[r]) & ~excluded[r];
		if (found && first_doc < evaluation->segment->documents_count)
			matches += (uint64_t)__builtin_popcountll(found & live_documents(evaluation, first_doc));
	}
	return matches;
}

int evaluate_count(struct evaluation *evaluation, uint64_t *matches)
{
	if (evaluation->count == 1) {
		*matches += evaluation->lists[0].live_df;
		return 0;
	}
	if (!make_visits(evaluation))
		return error_set_memory(evaluation->error);
	for (uint32_t i = 0; i < evaluation->count; i++)
		evaluation->lists[i].cursor = 0;
	for (uint32_t s = 0; s < superblock_count(evaluation->segment->documents_count); s++) {
		uint32_t ranges;
		int code = enter_all(evaluation, s, NULL, &ranges);
		if (code)
			return code;
		if (ranges)
			*matches += count_superblock(evaluation, s);
	}
	return 0;
}
