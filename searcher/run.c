#include "searcher/run.h"

#include <string.h>

#include "base/error.h"
#include "query/segment_plan.h"
#include "searcher/gather.h"
#include "searcher/kernel.h"
#include "searcher/near.h"
#include "searcher/open.h"
#include "searcher/phrase_open.h"

/* A segment being searched. */
struct segment_run {
	const struct run *run;
	struct segment_plan plan;
	const struct scoring *scoring; /* NULL: matches are not ranked */
	struct segment *segment;
	const uint64_t *allowed; /* documents of the segment that count; NULL: all live ones */
	struct context *context;
};

/* ---- opening ---- */

/* The matches of a phrase among other leaves, as postings like any others. */
static int open_phrase(const struct segment_run *at, struct leaf *leaf, const struct plan_node *node)
{
	struct context *context = at->context;
	struct phrase_evaluation phrase;
	struct phrase_matches found = {.arena = &context->arena};
	arena_reset(&context->phrase_arena);
	*leaf = (struct leaf){.kind = LEAF_EMPTY, .inline_position = POSITION_NONE};
	struct phrase_source source = {node, at->run->plan->collection, at->plan.number, NULL};
	int code = phrase_open(&phrase, &source, &context->phrase_arena, context->error);
	if (code <= 0)
		return code;
	code = kernel_get()->phrase(&phrase, context, NULL, &found);
	if (found.count) {
		leaf->kind = LEAF_SPARSE;
		leaf->docs = found.docs;
		leaf->tfs = found.tfs;
		leaf->count = leaf->live_df = found.count;
	}
	return code;
}

/* ---- groups within groups: evaluated first, to become a leaf ---- */

static int open_group(const struct segment_run *at, struct leaf *leaf, const struct plan_node *node);
static int open_near(const struct segment_run *at, struct leaf *leaf, const struct plan_node *node);

/* All documents that count. */
static int open_all(const struct segment_run *at, struct leaf *leaf, float score)
{
	struct live_documents live = {at->segment->documents_count, at->segment->deletions.words, at->allowed};
	struct gather gather;
	bool done = gather_init(&gather, live.count, false, &at->context->arena);
	for (uint32_t doc = 0; done && doc < live.count; doc += BLOCK_DOCUMENTS)
		gather.masks[doc / BLOCK_DOCUMENTS] = live_in_block(&live, doc);
	done = done && gather_leaf(&gather, leaf, true, score);
	return done ? 0 : error_set_memory(at->context->error);
}

static int open_leaf(const struct segment_run *at, struct leaf *leaf, const struct segment_leaf *planned)
{
	struct context *context = at->context;
	const struct plan_node *node = planned->node;
	int code = 0;
	switch (planned->source) {
	case FROM_TERM: code = leaf_open(leaf, at->segment, planned->entry, &context->arena, context->error); break;
	case FROM_BIGRAM:
		code = leaf_open_bigram(leaf, at->segment, planned->entry, &context->arena, context->error);
		break;
	case FROM_PHRASE: code = open_phrase(at, leaf, node); break;
	case FROM_NEAR: code = open_near(at, leaf, node); break;
	case FROM_GROUP: code = open_group(at, leaf, node); break;
	case FROM_ALL: code = open_all(at, leaf, node->weight); break;
	}
	leaf->occur = node->occur;
	if (planned->source == FROM_GROUP || planned->source == FROM_ALL)
		leaf->weight = node->weight; /* and it has its scores */
	else if (!code && at->scoring && node->occur != OCCUR_EXCLUDED)
		code = leaf_score(leaf,
		                  &(struct leaf_scoring){at->segment->lengths, &at->scoring->scorer, node->weight,
		                                         at->scoring->inflations[at->plan.number].most},
		                  &context->arena, context->error);
	return code;
}

/* Open the leaves that have postings. 1; 0 when no document can match; negative on error. */
static int open_leaves(const struct segment_run *at, struct leaf *leaves, uint32_t *count)
{
	uint32_t positive = 0;
	for (uint32_t i = 0; i < at->plan.count; i++) {
		struct leaf *leaf = &leaves[*count];
		int code = open_leaf(at, leaf, &at->plan.leaves[i]);
		if (code)
			return code;
		if (leaf->kind != LEAF_EMPTY) {
			positive += leaf->occur != OCCUR_EXCLUDED;
			++*count;
		} else if (leaf->occur == OCCUR_REQUIRED) {
			return 0;
		}
	}
	/* What a single leaf requires needs no intersection. */
	for (uint32_t i = 0; positive == 1 && i < *count; i++)
		if (leaves[i].occur == OCCUR_REQUIRED)
			leaves[i].occur = OCCUR_OPTIONAL;
	return positive > 0;
}

/* 1; 0 when no document can match; negative on error. */
static int open_evaluation(const struct segment_run *at, struct evaluation *evaluation)
{
	struct segment *segment = at->segment;
	struct leaf *leaves = arena_new(&at->context->arena, at->plan.count * sizeof *leaves);
	if (!leaves)
		return error_set_memory(at->context->error);
	*evaluation = (struct evaluation){.live = {segment->documents_count, segment->deletions.words, at->allowed},
	                                  .leaves = leaves,
	                                  .segment = at->plan.number,
	                                  .base = at->run->plan->collection->bases[at->plan.number],
	                                  .scorer = at->scoring ? &at->scoring->scorer : NULL,
	                                  .lengths = segment->lengths};
	int possible = open_leaves(at, leaves, &evaluation->count);
	for (uint32_t i = 0; possible > 0 && i < evaluation->count; i++)
		evaluation->required |= leaves[i].occur == OCCUR_REQUIRED;
	return possible;
}

/* Hand what matches a group to the collector. 0, also when nothing does. */
static int evaluate_group(const struct segment_run *at, const struct plan_group *group, const uint64_t *allowed,
                          struct collector *collector)
{
	struct plan plan = {.collection = at->run->plan->collection, .root = *group};
	struct run run = {.plan = &plan, .scoring = at->scoring};
	struct segment_run inner = *at;
	struct evaluation evaluation;
	inner.run = &run;
	inner.allowed = allowed;
	inner.plan = (struct segment_plan){.plan = &plan,
	                                   .number = at->plan.number,
	                                   .purpose = at->scoring ? PURPOSE_RANK : PURPOSE_MATCH,
	                                   .filtered = allowed != NULL};
	int code = segment_plan_make(&inner.plan, &at->context->arena, at->context->error);
	if (code || inner.plan.strategy == STRATEGY_NOTHING)
		return code;
	int possible = open_evaluation(&inner, &evaluation);
	if (possible <= 0)
		return possible;
	code = at->scoring ? kernel_get()->rank(&evaluation, at->context, collector)
	                   : kernel_get()->match(&evaluation, at->context, collector);
	return code == TRAWL_ENOMEM ? error_set_memory(at->context->error) : code;
}

/* As evaluate_group, without scores. */
static int match_group(const struct segment_run *at, const struct plan_group *group, struct collector *collector)
{
	struct segment_run unranked = *at;
	unranked.scoring = NULL;
	return evaluate_group(&unranked, group, at->allowed, collector);
}

/* Words within a distance: documents with all of them are found as any others are, and these alone are looked into. */
static int open_near(const struct segment_run *at, struct leaf *leaf, const struct plan_node *node)
{
	struct gather gather;
	if (!gather_init(&gather, at->segment->documents_count, false, &at->context->arena))
		return error_set_memory(at->context->error);
	int code = match_group(at, node->all, &gather.collector);
	struct near_source source = {node, at->segment, at->plan.number, gather.masks};
	return code ? code : near_open(leaf, &source, at->context);
}

/* Turn what was gathered around: the documents that count and were not. */
static void take_others(const struct segment_run *at, struct gather *gather)
{
	struct live_documents live = {at->segment->documents_count, at->segment->deletions.words, at->allowed};
	for (uint32_t doc = 0; doc < live.count; doc += BLOCK_DOCUMENTS)
		gather->masks[doc / BLOCK_DOCUMENTS] =
		    live_in_block(&live, doc) & ~gather->masks[doc / BLOCK_DOCUMENTS];
}

/* What a group of nothing but exclusions matches. */
static int open_others(const struct segment_run *at, struct leaf *leaf, const struct plan_group *group)
{
	struct plan_group any = *group;
	struct gather gather;
	any.members = arena_copy(&at->context->arena, group->members, group->count * sizeof *group->members);
	if (!any.members || !gather_init(&gather, at->segment->documents_count, false, &at->context->arena))
		return error_set_memory(at->context->error);
	for (uint32_t i = 0; i < any.count; i++)
		any.members[i].occur = OCCUR_OPTIONAL;
	any.optional = any.count;
	any.required = any.excluded = 0;
	int code = match_group(at, &any, &gather.collector);
	if (code)
		return code;
	take_others(at, &gather);
	return gather_leaf(&gather, leaf, true, group->score) ? 0 : error_set_memory(at->context->error);
}

/* The documents that have at least the minimum of a group's optional members. */
static int find_minimum(const struct segment_run *at, const struct plan_group *group, uint64_t **allowed)
{
	struct arena *arena = &at->context->arena;
	uint32_t documents = at->segment->documents_count;
	struct live_documents live = {documents, at->segment->deletions.words, at->allowed};
	struct tally tally;
	struct gather gather;
	if (!tally_init(&tally, documents, arena) || !gather_init(&gather, documents, false, arena))
		return error_set_memory(at->context->error);
	for (uint32_t i = 0; i < group->count; i++) {
		struct plan_node member = group->members[i];
		struct plan_group one = {.members = &member, .count = 1, .optional = 1};
		if (member.occur != OCCUR_OPTIONAL)
			continue;
		memset(gather.masks, 0, tally.words * sizeof *gather.masks);
		int code = match_group(at, &one, &gather.collector);
		if (code)
			return code;
		tally_add(&tally, gather.masks);
	}
	memset(gather.masks, 0, tally.words * sizeof *gather.masks);
	for (uint32_t doc = 0; doc < documents; doc += BLOCK_DOCUMENTS)
		gather.masks[doc / BLOCK_DOCUMENTS] = live_in_block(&live, doc);
	tally_restrict(&tally, group->minimum, gather.masks);
	*allowed = gather.masks;
	return 0;
}

static int open_group(const struct segment_run *at, struct leaf *leaf, const struct plan_node *node)
{
	const struct plan_group *group = node->group;
	struct segment_run inner = *at;
	struct gather gather;
	uint64_t *enough = NULL;
	int code = 0;
	if (matches_others(group))
		return open_others(at, leaf, group);
	if (group->constant)
		inner.scoring = NULL;
	if (group->minimum)
		code = find_minimum(at, group, &enough);
	if (code)
		return code;
	if (!gather_init(&gather, at->segment->documents_count, inner.scoring != NULL, &at->context->arena))
		return error_set_memory(at->context->error);
	code = evaluate_group(&inner, group, enough ? enough : at->allowed, &gather.collector);
	if (code)
		return code;
	return gather_leaf(&gather, leaf, group->constant, group->score) ? 0 : error_set_memory(at->context->error);
}

/* ---- counting ---- */

static bool any_excluded(const struct evaluation *evaluation)
{
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->leaves[i].occur == OCCUR_EXCLUDED)
			return true;
	return false;
}

static int count_in_blocks(const struct evaluation *evaluation, struct context *context, uint64_t *matches)
{
	struct collector counter = {.kind = COLLECT_COUNT};
	int code = kernel_get()->match(evaluation, context, &counter);
	*matches += counter.matches;
	return code;
}

/* Add the number of matches to collector->matches, where it can be without a look at all of them. */
static int count_leaves(const struct evaluation *evaluation, struct context *context, struct collector *collector)
{
	const struct leaf *leaves = evaluation->leaves;
	bool known = !evaluation->live.allowed;
	for (uint32_t i = 0; i < evaluation->count; i++)
		known = known && !leaves[i].live_df_unknown;
	if (known && evaluation->count == 1) {
		collector->matches += leaves[0].live_df;
		return 0;
	}
	if (!known || evaluation->count != 2 || evaluation->required || any_excluded(evaluation))
		return count_in_blocks(evaluation, context, &collector->matches);
	/* |A or B| = |A| + |B| - |A and B|, and the intersection looks at fewer blocks. */
	struct leaf both[2] = {leaves[0], leaves[1]};
	struct evaluation intersection = *evaluation;
	uint64_t shared = 0;
	both[0].occur = both[1].occur = OCCUR_REQUIRED;
	intersection.leaves = both;
	intersection.required = true;
	int code = count_in_blocks(&intersection, context, &shared);
	collector->matches += (uint64_t)leaves[0].live_df + leaves[1].live_df - shared;
	return code;
}

/* ---- ranking and matching ---- */

/* Top-k floors: in a union every posting of a leaf is a match, so the k-th best contribution of any leaf, which the index keeps for
 * some k, bounds the k-th best score. */
static void raise_to_floor(struct top *top, const struct evaluation *evaluation, float least)
{
	int which = top->k <= 10 ? 0 : top->k <= 100 ? 1 : top->k <= 1000 ? 2 : 3;
	if (which == 3 || evaluation->required || evaluation->live.allowed || evaluation->live.deleted ||
	    any_excluded(evaluation))
		return;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct leaf *leaf = &evaluation->leaves[i];
		if (leaf->kind == LEAF_DENSE)
			top_raise(top, leaf->dense.floors[which] * least * leaf->weight / BOUND_SLACK);
	}
}

static int rank_leaves(const struct segment_run *at, struct collector *collector)
{
	struct evaluation evaluation;
	int possible = open_evaluation(at, &evaluation);
	if (possible <= 0)
		return possible;
	if (collector->kind == COLLECT_TOP)
		raise_to_floor((struct top *)collector, &evaluation, at->scoring->inflations[at->plan.number].least);
	int code = kernel_get()->rank(&evaluation, at->context, collector);
	return code || !collector->every ? code : count_leaves(&evaluation, at->context, collector);
}

static int match_leaves(const struct segment_run *at, struct collector *collector)
{
	struct evaluation evaluation;
	int possible = open_evaluation(at, &evaluation);
	if (possible <= 0)
		return possible;
	if (collector->kind == COLLECT_COUNT)
		return count_leaves(&evaluation, at->context, collector);
	return kernel_get()->match(&evaluation, at->context, collector);
}

/* ---- a phrase alone ---- */

/* Ranked, or counted, as it is found. */
static int run_phrase(const struct segment_run *at, struct collector *collector)
{
	struct context *context = at->context;
	struct phrase_evaluation phrase;
	arena_reset(&context->phrase_arena);
	struct phrase_source source = {at->plan.leaves[0].node, at->run->plan->collection, at->plan.number,
	                               at->scoring};
	int possible = phrase_open(&phrase, &source, &context->phrase_arena, context->error);
	return possible <= 0 ? possible : kernel_get()->phrase(&phrase, context, collector, NULL);
}

/* ---- all segments ---- */

static int run_segment(const struct run *run, size_t number, enum purpose purpose, struct context *context,
                       struct collector *collector)
{
	const struct collection *collection = run->plan->collection;
	struct segment_run at = {
	    .run = run,
	    .plan = {.plan = run->plan, .number = number, .purpose = purpose, .filtered = run->allowed != NULL},
	    .scoring = purpose == PURPOSE_RANK ? run->scoring : NULL,
	    .segment = &collection->segments[number],
	    .allowed = run->allowed ? run->allowed + collection_word(collection, number) : NULL,
	    .context = context};
	arena_reset(&context->arena);
	int code = segment_plan_make(&at.plan, &context->arena, context->error);
	if (code || at.plan.strategy == STRATEGY_NOTHING)
		return code;
	/* Without scores a phrase is counted here; for sets of documents it is a leaf. */
	if (at.plan.strategy == STRATEGY_PHRASE && (at.scoring || collector->kind == COLLECT_COUNT))
		return run_phrase(&at, collector);
	return at.scoring ? rank_leaves(&at, collector) : match_leaves(&at, collector);
}

static int run_segments(const struct run *run, enum purpose purpose, struct context *context,
                        struct collector *collector)
{
	int code = 0;
	for (size_t i = 0; !code && i < run->plan->collection->segment_count; i++)
		code = run_segment(run, i, purpose, context, collector);
	return code;
}

int run_rank(const struct run *run, struct context *context, struct collector *collector)
{
	return run_segments(run, PURPOSE_RANK, context, collector);
}

/* A word whose live documents are all the matches: nothing else decides, and there is no filter. NULL: there is none. */
static const struct plan_node *deciding_word(const struct run *run)
{
	const struct plan_group *root = &run->plan->root;
	const struct plan_node *word = NULL;
	if (run->allowed || root->excluded)
		return NULL;
	for (uint32_t i = 0; i < root->count; i++) {
		const struct plan_node *node = &root->members[i];
		if (node->occur == OCCUR_OPTIONAL && root->required)
			continue;
		if (word || node->kind != NODE_TERM)
			return NULL;
		word = node;
	}
	return word;
}

int run_match(const struct run *run, struct context *context, struct collector *collector)
{
	const struct plan_node *word = collector->kind == COLLECT_COUNT ? deciding_word(run) : NULL;
	if (word) {
		collector->matches += word->df;
		return 0;
	}
	return run_segments(run, PURPOSE_MATCH, context, collector);
}

bool run_counts_while_ranking(const struct run *run)
{
	return !run->allowed && run->plan->root.count == 1 && run->plan->root.members[0].kind == NODE_PHRASE;
}
