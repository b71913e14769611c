/*
 * evaluate_impl.h - range-max evaluation (docs/DESIGN.md): bounds are added up over all superblocks, those that can still matter are
 * visited best first, range bounds are added up in each, and only ranges that can still matter are decoded and scored.
 *
 * Included by the kernel files, which define before it, for their instruction set: add_bounds, add_required, select_sums,
 * at_least, ranges_at_least, score_range, range_mask, find_levels, pick_bytes, pick_tfs, find_denominators, add_saturations (kernel.h says what they do), and
 * SCORES_IN_BULK, OPTIONAL_IN_BULK: whether bulk_impl.h pays, and with optional lists beside required ones.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "searcher/evaluate.h"

/* The bytes of a ranged list's chunk in a superblock: NULL when it has no postings there (*code 0) and on error. */
static const uint8_t *chunk_bytes(const struct list *list, uint32_t superblock, uint32_t *length, int *code,
                                  trawl_error *error)
{
	uint64_t left, address = chunk_place(&list->ranged, superblock, length);
	*code = 0;
	if (!*length)
		return NULL;
	const uint8_t *bytes = part_at(list->postings, address, &left, error);
	if (!bytes)
		*code = error_code(error);
	else if (*length > left)
		*code = part_corrupt(list->postings, address, "a chunk of postings that makes no sense", error);
	return *code ? NULL : bytes;
}

static int chunk_is_corrupt(const struct list *list, uint32_t superblock, trawl_error *error)
{
	uint32_t length;
	return part_corrupt(list->postings, chunk_place(&list->ranged, superblock, &length),
	                    "a chunk of postings that makes no sense", error);
}

/* The chunk of a ranged list in a superblock: 1, 0 when it has no postings there, negative on error. */
static int list_chunk(const struct list *list, uint32_t superblock, struct chunk *chunk, trawl_error *error)
{
	uint32_t length;
	int code;
	const uint8_t *bytes = chunk_bytes(list, superblock, &length, &code, error);
	if (!bytes)
		return code;
	if (!chunk_open(chunk, &list->ranged, superblock, bytes, length))
		return chunk_is_corrupt(list, superblock, error);
	return 1;
}

/* A list in the superblock being visited. */
struct visit {
	uint32_t ranges;                /* mask of the ranges with postings */
	struct chunk chunk;             /* LIST_RANGED */
	float bests[SUPERBLOCK_RANGES]; /* by range: the most that a document can get */
	/* by range, its documents, if list_mask has been asked; LIST_SHORT: also the index of the first one's posting */
	uint64_t masks[SUPERBLOCK_RANGES];
	uint32_t firsts[SUPERBLOCK_RANGES];
};

/* ---- a superblock ---- */

static void enter_short(struct list *list, struct visit *visit, uint32_t superblock)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS, i = list->ends[superblock];
	memset(visit->bests, 0, sizeof visit->bests);
	memset(visit->masks, 0, sizeof visit->masks);
	for (; i && list->docs[i - 1] >= first; i--) {
		uint32_t offset = list->docs[i - 1] - first, range = offset / RANGE_DOCUMENTS;
		float score = list->scores[i - 1];
		visit->ranges |= 1u << range;
		visit->firsts[range] = i - 1;
		visit->masks[range] |= (uint64_t)1 << (offset % RANGE_DOCUMENTS);
		visit->bests[range] = score > visit->bests[range] ? score : visit->bests[range];
	}
}

/* As enter_short, for documents alone. */
static void enter_short_documents(struct list *list, struct visit *visit, uint32_t superblock)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS, i = list_seek(list, first);
	memset(visit->masks, 0, sizeof visit->masks);
	for (; i < list->count && list->docs[i] - first < SUPERBLOCK_DOCUMENTS; i++) {
		uint32_t offset = list->docs[i] - first, range = offset / RANGE_DOCUMENTS;
		visit->ranges |= 1u << range;
		visit->masks[range] |= (uint64_t)1 << (offset % RANGE_DOCUMENTS);
	}
	list->cursor = i ? i - 1 : 0;
}

/* Find the list's postings in the superblock; visit->ranges is 0 when there are none. */
static int enter(struct evaluation *evaluation, uint32_t number, uint32_t superblock)
{
	struct list *list = &evaluation->lists[number];
	struct visit *visit = &evaluation->visits[number];
	visit->ranges = 0;
	if (list->kind == LIST_SHORT) {
		if (list->ends)
			enter_short(list, visit, superblock);
		else
			enter_short_documents(list, visit, superblock);
		return 0;
	}
	int found = list_chunk(list, superblock, &visit->chunk, evaluation->error);
	if (found > 0)
		visit->ranges = visit->chunk.range_mask;
	return found < 0 ? found : 0;
}

/* Enter all lists, tell which ranges can match, and find what a document of each range can get from each. */
static int enter_all(struct evaluation *evaluation, uint32_t superblock, uint32_t *ranges)
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
		if (list->kind == LIST_SHORT)
			continue;
		if (visit->ranges)
			find_levels(&visit->chunk, list->levels, visit->bests);
		else
			memset(visit->bests, 0, sizeof visit->bests);
	}
	*ranges = evaluation->required ? required : optional;
	return 0;
}

/* ---- a range ---- */

static uint32_t rank_of(const struct visit *visit, uint32_t range)
{
	return (uint32_t)__builtin_popcount(visit->ranges & ((1u << range) - 1));
}

/* The documents of the list in the range. */
static uint64_t list_mask(const struct evaluation *evaluation, uint32_t number, uint32_t range)
{
	struct visit *visit = &evaluation->visits[number];
	if (!(visit->ranges >> range & 1))
		return 0;
	if (evaluation->lists[number].kind == LIST_RANGED)
		visit->masks[range] = range_mask(&visit->chunk, rank_of(visit, range));
	return visit->masks[range];
}

/* What the list adds to the score of one document. */
static float list_contribution(const struct evaluation *evaluation, uint32_t number, uint32_t range, uint32_t offset)
{
	const struct list *list = &evaluation->lists[number];
	struct visit *visit = &evaluation->visits[number];
	if (!(visit->ranges >> range & 1))
		return 0;
	if (list->kind == LIST_SHORT) {
		uint64_t bit = (uint64_t)1 << offset, mask = visit->masks[range];
		return mask & bit
		           ? list->scores[visit->firsts[range] + (uint32_t)__builtin_popcountll(mask & (bit - 1))]
		           : 0;
	}
	uint32_t tf = chunk_tf(&visit->chunk, rank_of(visit, range), offset);
	return tf ? score_posting(evaluation->scorer, list->weight, tf,
	                          evaluation->segment->lengths[evaluation->first_doc + offset])
	          : 0;
}

static uint64_t live_documents(const struct evaluation *evaluation, uint32_t first_doc)
{
	const struct segment *segment = evaluation->segment;
	if (evaluation->allowed)
		return evaluation->allowed[first_doc / 64];
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

static uint64_t excluded_documents(const struct evaluation *evaluation, uint32_t range)
{
	uint64_t documents = 0;
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			documents |= list_mask(evaluation, i, range);
	return documents;
}

/* Of the documents `live`, those that some list has. */
static uint64_t union_documents(const struct evaluation *evaluation, uint32_t range, uint64_t live)
{
	uint64_t documents = 0;
	/* The last lists are those of the most frequent words: often they have all documents, and the others need no look. */
	for (uint32_t i = evaluation->count; i-- > 0 && documents != live;)
		if (evaluation->lists[i].occur != OCCUR_EXCLUDED)
			documents |= list_mask(evaluation, i, range) & live;
	return documents;
}

/* Add all contributions of a list in the range; its documents. */
static uint64_t score_list(const struct evaluation *evaluation, uint32_t number, uint32_t range, float *scores)
{
	const struct list *list = &evaluation->lists[number];
	struct visit *visit = &evaluation->visits[number];
	if (list->kind == LIST_RANGED)
		return score_range(&visit->chunk, rank_of(visit, range),
		                   evaluation->segment->lengths + evaluation->first_doc, evaluation->scorer,
		                   list->weight, scores);
	uint32_t i = visit->firsts[range];
	for (uint64_t left = visit->masks[range]; left; left &= left - 1, i++)
		scores[__builtin_ctzll(left)] += list->scores[i];
	return visit->masks[range];
}

/* Add the lists' bests up from the last to the first. */
static void sum_rest(const struct evaluation *evaluation)
{
	float sum[SUPERBLOCK_RANGES] = {0}; /* a copy that nothing else can point to, so that the loop is a vector's */
	memcpy(evaluation->rest[evaluation->count], sum, sizeof sum);
	for (uint32_t i = evaluation->count; i-- > 0;) {
		const float *bests = evaluation->visits[i].bests;
		if (evaluation->lists[i].occur != OCCUR_EXCLUDED)
			for (uint32_t r = 0; r < SUPERBLOCK_RANGES; r++)
				sum[r] += bests[r];
		memcpy(evaluation->rest[i], sum, sizeof sum);
	}
}

/* rest[] is added up from the other end than scores are: the threshold, less room for the rounding of `count` sums. */
static float lowered(float threshold, uint32_t count)
{
	return threshold * (1 - (float)(count + 2) * 0x1p-22f);
}

static bool takes_part(const struct evaluation *evaluation, uint32_t number, uint32_t range)
{
	return evaluation->visits[number].ranges >> range & 1 && evaluation->lists[number].occur != OCCUR_EXCLUDED;
}

/* Add what the lists from number `first` on give to these few documents, each until it cannot pass any more, and push those
 * that do. */
static void score_documents(const struct evaluation *evaluation, uint32_t first, uint32_t range, uint64_t documents,
                            const float *scores, struct top *top)
{
	for (; documents; documents &= documents - 1) {
		uint32_t offset = (uint32_t)__builtin_ctzll(documents), i = first;
		float score = scores[offset], least = lowered(top->threshold, evaluation->count);
		for (; i < evaluation->count && score + evaluation->rest[i][range] >= least; i++)
			if (takes_part(evaluation, i, range))
				score += list_contribution(evaluation, i, range, offset);
		if (i == evaluation->count && score >= top->threshold)
			top_push(top, evaluation->base + evaluation->first_doc + offset, score);
	}
}

#define FEW_DOCUMENTS 6 /* looked up one by one rather than by scoring whole ranges */

/*
 * Score the documents of a range: those in `allowed` that have any list, or with `all` those in `allowed` themselves.
 * Lists are taken by falling weight, and as soon as those still to come cannot lift a new document over the threshold,
 * only documents that can still pass it count: none, and the range is done; a few, and they are looked up one by one.
 */
static void score_allowed(struct evaluation *evaluation, uint32_t range, uint64_t allowed, bool all, struct top *top)
{
	float scores[RANGE_DOCUMENTS] = {0}, threshold = top->threshold, least = lowered(threshold, evaluation->count);
	uint64_t matches = all ? allowed : 0;
	bool scored = false;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		float rest = evaluation->rest[i][range];
		if (!takes_part(evaluation, i, range))
			continue;
		if (all || (scored && rest < least)) {
			uint64_t alive = scored ? matches & at_least(scores, least - rest) : matches;
			if (__builtin_popcountll(alive) <= FEW_DOCUMENTS) {
				score_documents(evaluation, i, range, alive, scores, top);
				return;
			}
		}
		uint64_t documents = score_list(evaluation, i, range, scores);
		matches |= all ? 0 : documents & allowed;
		scored = true;
	}
	push(evaluation, top, matches & at_least(scores, threshold), evaluation->first_doc, scores);
}

#include "searcher/bulk_impl.h"

/* Score all of these documents, which match. */
static void score_matches(struct evaluation *evaluation, uint32_t range, uint64_t matches, struct top *top)
{
	if (!evaluation->bulk || !bulk_add(evaluation, range, matches, top))
		score_allowed(evaluation, range, matches, true, top);
}

static void score_union(struct evaluation *evaluation, uint32_t range, bool excluding, struct top *top)
{
	uint64_t live = live_documents(evaluation, evaluation->first_doc);
	if (excluding)
		live &= ~excluded_documents(evaluation, range);
	/* Of the few documents that a filter leaves, find those that match, and score no others. */
	bool few = evaluation->allowed && __builtin_popcountll(live) <= 2 * FEW_DOCUMENTS;
	if (evaluation->bulk || few)
		live = union_documents(evaluation, range, live);
	if (!live)
		return;
	if (evaluation->bulk)
		score_matches(evaluation, range, live, top);
	else
		score_allowed(evaluation, range, live, few, top);
}

/* Documents of the range that match, where some lists are required. */
static uint64_t intersect(const struct evaluation *evaluation, uint32_t range)
{
	uint64_t matches = live_documents(evaluation, evaluation->first_doc);
	for (uint32_t i = 0; i < evaluation->count && matches; i++)
		if (evaluation->lists[i].occur == OCCUR_REQUIRED)
			matches &= list_mask(evaluation, i, range);
		else if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			matches &= ~list_mask(evaluation, i, range);
	return matches;
}

static void score_intersection(struct evaluation *evaluation, uint32_t range, struct top *top)
{
	uint64_t matches = intersect(evaluation, range);
	if (matches)
		score_matches(evaluation, range, matches, top);
}

/* ---- all superblocks ---- */

/* n is a multiple of 16: loops that compilers make vectors of. */
static void fill_sums(float *sums, float value, uint32_t n)
{
	for (uint32_t s = 0; s < n; s += 16)
		for (uint32_t i = 0; i < 16; i++)
			sums[s + i] = value;
}

static void add_sums(float *restrict sums, const float *restrict more, uint32_t n)
{
	for (uint32_t s = 0; s < n; s += 16)
		for (uint32_t i = 0; i < 16; i++)
			sums[s + i] += more[s + i];
}

/* The best contribution of a short list, and its end, in each superblock that it has postings in. Where the next superblock begins cannot be
 * foreseen, so there is no branch: contributions are not negative, and such floats compare as their bits do. */
static void find_bests(struct list *list, float *bests)
{
	uint32_t before = UINT32_MAX, best = 0;
	for (uint32_t p = 0; p < list->count; p++) {
		uint32_t superblock = list->docs[p] / SUPERBLOCK_DOCUMENTS, score;
		memcpy(&score, &list->scores[p], sizeof score);
		best &= 0 - (uint32_t)(superblock == before);
		best = score > best ? score : best;
		memcpy(&bests[superblock], &best, sizeof best);
		list->ends[superblock] = p + 1;
		before = superblock;
	}
}

/* Upper bounds of the scores in each superblock; -infinity where a required list has no postings. */
static float *superblock_bounds(struct evaluation *evaluation)
{
	uint32_t n = group_count(evaluation->segment->documents_count) * GROUP_SUPERBLOCKS;
	float *sums = arena_new(evaluation->arena, n * sizeof *sums), *mine = NULL;
	if (!sums)
		return NULL;
	memset(sums, 0, n * sizeof *sums);
	for (uint32_t i = 0; i < evaluation->count; i++) {
		struct list *list = &evaluation->lists[i];
		bool required = list->occur == OCCUR_REQUIRED;
		if (list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->kind == LIST_RANGED) {
			(required ? add_required : add_bounds)(sums, list->ranged.bounds, list->step, n);
			continue;
		}
		if (!mine && !(mine = arena_new(evaluation->arena, n * sizeof *mine)))
			return NULL;
		if (!(list->ends = arena_new(evaluation->arena, n * sizeof *list->ends)))
			return NULL;
		memset(list->ends, 0, n * sizeof *list->ends);
		fill_sums(mine, required ? -INFINITY : 0, n);
		find_bests(list, mine);
		add_sums(sums, mine, n);
	}
	return sums;
}

/* Leave out superblocks without a document that passes the filter. */
static void drop_empty(const struct evaluation *evaluation, float *sums)
{
	const uint64_t *allowed = evaluation->allowed;
	for (uint32_t s = 0; s < superblock_count(evaluation->segment->documents_count); s++) {
		uint64_t any = 0;
		for (uint32_t r = 0; r < SUPERBLOCK_RANGES; r++)
			any |= allowed[s * SUPERBLOCK_RANGES + r];
		if (!any)
			sums[s] = -INFINITY;
	}
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
	if (!isfinite(scale)) /* only bounds that no writer makes are so close together */
		scale = 0;
	for (uint32_t i = 0; i < n; i++)
		starts[(uint32_t)((highest - sums[candidates[i]]) * scale) + 1]++;
	for (uint32_t b = 0; b < ORDER_BUCKETS; b++)
		starts[b + 1] += starts[b];
	for (uint32_t i = 0; i < n; i++)
		sorted[starts[(uint32_t)((highest - sums[candidates[i]]) * scale)]++] = candidates[i];
}

/* Ask for the chunks of a superblock that will be visited soon. */
static void prefetch_superblock(const struct evaluation *evaluation, uint32_t superblock)
{
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		const struct part *postings = list->postings;
		uint32_t length;
		if (list->kind != LIST_RANGED || !list->ranged.bounds[superblock])
			continue;
		uint64_t address = chunk_place(&list->ranged, superblock, &length), extent = address / EXTENT_PAYLOAD;
		const uint8_t *payload = extent < postings->extent_count
		                             ? atomic_load_explicit(&postings->extents[extent], memory_order_relaxed)
		                             : NULL;
		if (!payload)
			continue;
		const uint8_t *chunk = payload + address % EXTENT_PAYLOAD;
		for (uint32_t at = 0; at < length && at < 512; at += 64)
			__builtin_prefetch(chunk + at);
	}
}

static int visit_superblock(struct evaluation *evaluation, uint32_t superblock, bool excluding, struct top *top)
{
	uint32_t ranges;
	evaluation->superblock = superblock;
	int code = enter_all(evaluation, superblock, &ranges);
	if (code || !ranges)
		return code;
	sum_rest(evaluation);
	ranges &= ranges_at_least(evaluation->rest[0], lowered(top->threshold, evaluation->count));
	for (uint32_t left = ranges; left; left &= left - 1)
		__builtin_prefetch(evaluation->segment->lengths + superblock * SUPERBLOCK_DOCUMENTS +
		                   (uint32_t)__builtin_ctz(left) * RANGE_DOCUMENTS);
	for (; ranges; ranges &= ranges - 1) {
		uint32_t range = (uint32_t)__builtin_ctz(ranges);
		evaluation->first_doc = superblock * SUPERBLOCK_DOCUMENTS + range * RANGE_DOCUMENTS;
		if (evaluation->rest[0][range] < lowered(top->threshold, evaluation->count) ||
		    evaluation->first_doc >= evaluation->segment->documents_count)
			continue;
		if (evaluation->required)
			score_intersection(evaluation, range, top);
		else
			score_union(evaluation, range, excluding, top);
	}
	if (evaluation->bulk)
		bulk_flush(evaluation, top);
	return 0;
}

static bool is_allowed(const struct evaluation *evaluation, uint32_t doc)
{
	if (evaluation->allowed)
		return evaluation->allowed[doc / 64] >> (doc % 64) & 1;
	return !segment_is_dead(evaluation->segment, doc);
}

/* One short list alone: its contributions are there already. */
static void take_short(const struct evaluation *evaluation, struct top *top)
{
	const struct list *list = &evaluation->lists[0];
	for (uint32_t first = 0; first < list->count; first += RANGE_DOCUMENTS) {
		uint64_t passing = at_least(list->scores + first, top->threshold);
		if (list->count - first < RANGE_DOCUMENTS)
			passing &= ((uint64_t)1 << (list->count - first)) - 1;
		for (; passing; passing &= passing - 1) {
			uint32_t i = first + (uint32_t)__builtin_ctzll(passing);
			if (list->scores[i] >= top->threshold && is_allowed(evaluation, list->docs[i]))
				top_push(top, evaluation->base + list->docs[i], list->scores[i]);
		}
	}
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
	uint32_t n = evaluation->count;
	evaluation->visits = arena_new(evaluation->arena, n * sizeof *evaluation->visits);
	evaluation->rest = arena_new(evaluation->arena, ((size_t)n + 1) * sizeof *evaluation->rest);
	return evaluation->visits && evaluation->rest;
}

/* Where no list's absence can save work: some are required, or there is but one. */
static bool scores_in_bulk(const struct evaluation *evaluation)
{
	uint32_t required = 0, optional = 0;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		required += evaluation->lists[i].occur == OCCUR_REQUIRED;
		optional += evaluation->lists[i].occur == OCCUR_OPTIONAL;
	}
	if (!SCORES_IN_BULK || evaluation->count > BULK_LISTS)
		return false;
	return evaluation->required ? required && (OPTIONAL_IN_BULK || !optional) : optional == 1;
}

static int evaluate_top(struct evaluation *evaluation, struct top *top)
{
	if (evaluation->count == 1 && evaluation->lists[0].kind == LIST_SHORT) {
		take_short(evaluation, top);
		return 0;
	}
	uint32_t n = group_count(evaluation->segment->documents_count) * GROUP_SUPERBLOCKS;
	float *sums = superblock_bounds(evaluation);
	/* 16 more: a vector kernel stores whole vectors */
	uint32_t *candidates = arena_new(evaluation->arena, (2 * (size_t)n + 16) * sizeof *candidates);
	if (!sums || !candidates || !make_visits(evaluation) ||
	    (scores_in_bulk(evaluation) && !bulk_make(evaluation, top->k)))
		return error_set_memory(evaluation->error);
	if (evaluation->allowed)
		drop_empty(evaluation, sums);
	uint32_t count = select_sums(sums, top->threshold, n, candidates), *sorted = candidates + n + 16;
	order_by_bound(sums, candidates, sorted, count);
	bool excluding = any_excluded(evaluation);
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++) {
		if (i + 1 < count && sums[sorted[i + 1]] >= top->threshold)
			prefetch_superblock(evaluation, sorted[i + 1]);
		if (sums[sorted[i]] >= top->threshold)
			code = visit_superblock(evaluation, sorted[i], excluding, top);
	}
	return code;
}

/* ---- counting ---- */

/* A superblock being counted: the documents of its ranges that can still match, and those that do. */
struct tally {
	uint32_t ranges; /* that can have matches */
	uint64_t live[SUPERBLOCK_RANGES], matches[SUPERBLOCK_RANGES];
};

/* Find a list's ranges in the superblock, and of a short list its documents. */
static int enter_documents(struct evaluation *evaluation, uint32_t number)
{
	struct list *list = &evaluation->lists[number];
	struct visit *visit = &evaluation->visits[number];
	uint32_t superblock = evaluation->superblock, length;
	int code;
	visit->ranges = 0;
	if (list->kind == LIST_SHORT) {
		enter_short_documents(list, visit, superblock);
		return 0;
	}
	const uint8_t *bytes = chunk_bytes(list, superblock, &length, &code, evaluation->error);
	if (!bytes)
		return code;
	/* The next superblock's chunk mostly follows on this one. */
	for (uint32_t at = 0; at < length && at < 256; at += 64)
		__builtin_prefetch(bytes + length + at);
	if (!chunk_open_documents(&visit->chunk, &list->ranged, bytes, length))
		return chunk_is_corrupt(list, superblock, evaluation->error);
	visit->ranges = visit->chunk.range_mask;
	return 0;
}

/* The documents of an entered list in those `wanted` of its ranges. */
static const uint64_t *find_masks(const struct evaluation *evaluation, uint32_t number, uint32_t wanted)
{
	struct visit *visit = &evaluation->visits[number];
	const struct chunk *chunk = &visit->chunk;
	if (evaluation->lists[number].kind == LIST_SHORT)
		return visit->masks;
	for (uint32_t left = visit->ranges & wanted; left; left &= left - 1) {
		uint32_t range = (uint32_t)__builtin_ctz(left);
		visit->masks[range] = range_mask(chunk, rank_of(visit, range));
	}
	return visit->masks;
}

static int tally_required(struct evaluation *evaluation, struct tally *tally)
{
	for (uint32_t i = 0; i < evaluation->count && tally->ranges; i++) {
		if (evaluation->lists[i].occur != OCCUR_REQUIRED)
			continue;
		int code = enter_documents(evaluation, i);
		if (code)
			return code;
		tally->ranges &= evaluation->visits[i].ranges;
	}
	memcpy(tally->matches, tally->live, sizeof tally->matches);
	for (uint32_t i = 0; i < evaluation->count && tally->ranges; i++) {
		if (evaluation->lists[i].occur != OCCUR_REQUIRED)
			continue;
		const uint64_t *masks = find_masks(evaluation, i, tally->ranges);
		for (uint32_t left = tally->ranges; left; left &= left - 1) {
			uint32_t range = (uint32_t)__builtin_ctz(left);
			tally->matches[range] &= masks[range];
			if (!tally->matches[range])
				tally->ranges ^= 1u << range;
		}
	}
	return 0;
}

/* The last lists are those of the most frequent words: often they have all documents, and the others need no look. */
static int tally_union(struct evaluation *evaluation, struct tally *tally)
{
	uint32_t open = tally->ranges, any = 0;
	memset(tally->matches, 0, sizeof tally->matches);
	for (uint32_t i = evaluation->count; i-- > 0 && open;) {
		if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			continue;
		int code = enter_documents(evaluation, i);
		if (code)
			return code;
		const uint64_t *masks = find_masks(evaluation, i, open);
		any |= evaluation->visits[i].ranges;
		for (uint32_t left = evaluation->visits[i].ranges & open; left; left &= left - 1) {
			uint32_t range = (uint32_t)__builtin_ctz(left);
			tally->matches[range] |= masks[range] & tally->live[range];
			if (tally->matches[range] == tally->live[range])
				open ^= 1u << range;
		}
	}
	tally->ranges &= any;
	return 0;
}

static int tally_excluded(struct evaluation *evaluation, struct tally *tally)
{
	for (uint32_t i = 0; i < evaluation->count && tally->ranges; i++) {
		if (evaluation->lists[i].occur != OCCUR_EXCLUDED)
			continue;
		int code = enter_documents(evaluation, i);
		if (code)
			return code;
		const uint64_t *masks = find_masks(evaluation, i, tally->ranges);
		for (uint32_t left = evaluation->visits[i].ranges & tally->ranges; left; left &= left - 1)
			tally->matches[__builtin_ctz(left)] &= ~masks[__builtin_ctz(left)];
	}
	return 0;
}

/* The live documents of the superblock; ranges without any are left out. */
static void tally_start(const struct evaluation *evaluation, struct tally *tally)
{
	uint32_t first = evaluation->superblock * SUPERBLOCK_DOCUMENTS,
	         documents = evaluation->segment->documents_count;
	if (!evaluation->allowed && !evaluation->segment->deletions.words &&
	    documents - first >= SUPERBLOCK_DOCUMENTS) {
		tally->ranges = 0xffff;
		memset(tally->live, 0xff, sizeof tally->live);
		return;
	}
	tally->ranges = 0;
	for (uint32_t r = 0; r < SUPERBLOCK_RANGES; r++) {
		uint32_t doc = first + r * RANGE_DOCUMENTS;
		tally->live[r] = doc < documents ? live_documents(evaluation, doc) : 0;
		tally->ranges |= tally->live[r] ? 1u << r : 0;
	}
}

/* Count the documents that match, and with `bits` set their bits. */
static int count_superblocks(struct evaluation *evaluation, uint64_t *matches, uint64_t *bits)
{
	bool excluding = any_excluded(evaluation);
	for (uint32_t s = 0; s < superblock_count(evaluation->segment->documents_count); s++) {
		struct tally tally;
		evaluation->superblock = s;
		tally_start(evaluation, &tally);
		int code = evaluation->required ? tally_required(evaluation, &tally) : tally_union(evaluation, &tally);
		if (!code && excluding)
			code = tally_excluded(evaluation, &tally);
		if (code)
			return code;
		for (uint32_t left = tally.ranges; left; left &= left - 1) {
			uint32_t range = (uint32_t)__builtin_ctz(left);
			*matches += (uint64_t)__builtin_popcountll(tally.matches[range]);
			if (bits)
				bits[s * SUPERBLOCK_RANGES + range] = tally.matches[range];
		}
	}
	return 0;
}

static int evaluate_count(struct evaluation *evaluation, uint64_t *matches)
{
	struct list *lists = evaluation->lists;
	bool known = true;
	for (uint32_t i = 0; i < evaluation->count; i++)
		known = known && !lists[i].live_df_unknown;
	if (evaluation->count == 1 && known && !evaluation->allowed) {
		*matches += lists[0].live_df;
		return 0;
	}
	if (!make_visits(evaluation))
		return error_set_memory(evaluation->error);
	for (uint32_t i = 0; i < evaluation->count; i++)
		lists[i].cursor = 0;
	if (evaluation->count != 2 || !known || evaluation->required || evaluation->allowed || any_excluded(evaluation))
		return count_superblocks(evaluation, matches, NULL);
	/* |A or B| = |A| + |B| - |A and B|, and the intersection looks at fewer ranges. */
	uint64_t both = 0;
	lists[0].occur = lists[1].occur = OCCUR_REQUIRED;
	evaluation->required = true;
	int code = count_superblocks(evaluation, &both, NULL);
	*matches += (uint64_t)lists[0].live_df + lists[1].live_df - both;
	return code;
}

static int evaluate_matches(struct evaluation *evaluation, uint64_t *bits)
{
	uint64_t matches = 0;
	if (!make_visits(evaluation))
		return error_set_memory(evaluation->error);
	return count_superblocks(evaluation, &matches, bits);
}
