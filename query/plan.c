#include "query/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "query/expand.h"

/* ln(1 + (N - df + 0.5) / (df + 0.5)) */
static double inverse_document_frequency(uint64_t documents, uint64_t df)
{
	return log1p(((double)documents - (double)df + 0.5) / ((double)df + 0.5));
}

/* Live documents of all segments with the term, and what each dictionary says of it. */
static int document_frequency(const struct collection *collection, const struct query_term *term,
                              struct term_entry *entries, uint64_t *df, trawl_error *error)
{
	struct term_entry entry;
	*df = 0;
	for (size_t i = 0; i < collection->segment_count; i++) {
		int found = terms_find(&collection->segments[i].terms, term->bytes, term->length, &entry, error);
		if (found < 0)
			return found;
		if (found)
			*df += segment_live_df(&collection->segments[i], &entry);
		else
			entry.df = 0;
		entries[i] = entry;
	}
	return 0;
}

/* Look the bigram up that a phrase of two neighbouring words is. */
static int find_bigrams(struct plan_node *node, const struct collection *collection, struct arena *arena,
                        trawl_error *error)
{
	if (node->words != 2 || node->terms[1].offset != node->terms[0].offset + 1 || !collection->has_bigrams)
		return 0;
	struct bigram *bigrams = arena_new(arena, collection->segment_count * sizeof *bigrams);
	if (!bigrams)
		return error_set_memory(error);
	node->bigrams = bigrams;
	for (size_t i = 0; i < collection->segment_count; i++) {
		int state = segment_find_bigram(&collection->segments[i], &node->entries[0][i], &node->entries[1][i],
		                                &bigrams[i].entry, error);
		if (state < 0)
			return state;
		bigrams[i].state = (enum bigram_state)state;
	}
	return 0;
}

static bool term_equal(const struct query_term *a, const struct query_term *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Tell the words of a phrase that come again. */
static int find_same(struct plan_node *node, struct arena *arena, trawl_error *error)
{
	uint32_t *same = arena_new(arena, node->words * sizeof *same);
	if (!same)
		return error_set_memory(error);
	node->same = same;
	for (uint32_t w = 0; w < node->words; w++) {
		same[w] = w;
		for (uint32_t other = 0; other < w && same[w] == w; other++)
			if (term_equal(&node->terms[other], &node->terms[w]))
				same[w] = other;
	}
	return 0;
}

/* Make the group that finds the documents with all words of a NODE_NEAR. */
static int require_words(struct plan_node *node, struct arena *arena, trawl_error *error)
{
	struct plan_group *all = arena_new(arena, sizeof *all);
	if (!all)
		return error_set_memory(error);
	*all = (struct plan_group){.members = arena_new(arena, node->words * sizeof *all->members)};
	if (!all->members)
		return error_set_memory(error);
	for (uint32_t w = 0; w < node->words; w++)
		if (node->same[w] == w)
			all->members[all->count++] = (struct plan_node){.kind = NODE_TERM,
			                                                .occur = OCCUR_REQUIRED,
			                                                .words = 1,
			                                                .terms = &node->terms[w],
			                                                .entries = &node->entries[w]};
	all->required = all->count;
	node->all = all;
	return 0;
}

/* Look a leaf up: what it weighs, and what the dictionaries say of its words. */
static int plan_leaf(struct plan *plan, struct plan_node *node, const struct query_node *source, double boost,
                     struct arena *arena, trawl_error *error)
{
	double idf = 0;
	uint64_t df = 0;
	const struct collection *collection = plan->collection;
	*node = (struct plan_node){.kind = source->kind,
	                           .occur = source->occur,
	                           .words = source->words,
	                           .terms = source->terms,
	                           .near = source->near};
	node->entries = arena_new(arena, node->words * sizeof *node->entries);
	for (uint32_t i = 0; i < node->words; i++) {
		struct term_entry *entries =
		    node->entries ? arena_new(arena, collection->segment_count * sizeof *entries) : NULL;
		if (!entries)
			return error_set_memory(error);
		node->entries[i] = entries;
		int code = document_frequency(collection, &node->terms[i], entries, &df, error);
		if (code)
			return code;
		/* A word that no live document has matches nothing; its idf must only not be read as evidence. */
		double own = source->near ? source->near->boosts[i] : 1;
		idf += df ? own * inverse_document_frequency(collection->documents, df) : 0;
		plan->postings += df;
		plan->terms++;
	}
	node->weight = (float)(idf * source->frequency * boost);
	if (node->kind == NODE_TERM) {
		node->df = df;
		return 0;
	}
	int code = find_same(node, arena, error);
	if (!code)
		code = node->near ? require_words(node, arena, error) : find_bigrams(node, collection, arena, error);
	return code;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct plan_node *left = a, *right = b;
	bool left_excluded = left->occur == OCCUR_EXCLUDED, right_excluded = right->occur == OCCUR_EXCLUDED;
	if (left_excluded != right_excluded)
		return left_excluded ? 1 : -1;
	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return query_terms_compare(left->terms, left->words, right->terms, right->words);
}

/* Insertion sort for the usual few: qsort may allocate, and a query in steady state must not. */
static void sort_nodes(struct plan_node *nodes, uint32_t n)
{
	if (n > 64) {
		qsort(nodes, n, sizeof *nodes, compare_nodes);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct plan_node moving = nodes[i];
		uint32_t at = i;
		for (; at && compare_nodes(&moving, &nodes[at - 1]) < 0; at--)
			nodes[at] = nodes[at - 1];
		nodes[at] = moving;
	}
}

static void count_occurs(struct plan_group *group)
{
	group->required = group->optional = group->excluded = 0;
	for (uint32_t i = 0; i < group->count; i++)
		switch (group->members[i].occur) {
		case OCCUR_REQUIRED: group->required++; break;
		case OCCUR_OPTIONAL: group->optional++; break;
		case OCCUR_EXCLUDED: group->excluded++; break;
		}
}

/* What passes is what none of the excluded members has: find those that have any, and take all others. */
static void turn_around(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->root.count; i++)
		plan->root.members[i].occur = OCCUR_OPTIONAL;
	plan->complement = true;
	count_occurs(&plan->root);
}

/* Phrases need positions; an index has them everywhere or nowhere. */
static int check_positions(const struct collection *collection, trawl_error *error)
{
	if (!collection->segment_count || collection->segments[0].has_positions)
		return 0;
	return error_set(
	    error, TRAWL_EINVAL,
	    "%s has no positions, so it cannot answer phrases and distances; index again without --no-positions",
	    store_path(snapshot_store(collection->segments[0].snapshot)));
}

/* The most that a match can score: saturations are at most 1. */
static float group_most(const struct plan_group *group)
{
	float most = 0;
	if (matches_others(group))
		return group->score;
	for (uint32_t i = 0; i < group->count; i++)
		if (group->members[i].occur != OCCUR_EXCLUDED)
			most += group->members[i].weight;
	return group->constant ? group->score : most;
}

/* The terms that a pattern stands for, as a group. */
static int plan_pattern(struct plan *plan, struct plan_node *node, const struct query_node *source, double boost,
                        struct arena *arena, trawl_error *error)
{
	struct query_node terms = {.kind = NODE_GROUP, .frequency = 1};
	struct plan_group *group = arena_new(arena, sizeof *group);
	int code = group ? expand_pattern(&terms, source, plan->collection, arena, error) : error_set_memory(error);
	if (code)
		return code;
	*group = (struct plan_group){.count = terms.member_count,
	                             .constant = source->pattern != SYNTAX_FUZZY,
	                             .score = (float)(source->frequency * boost)};
	group->members = arena_new(arena, (group->count + !group->count) * sizeof *group->members);
	if (!group->members)
		return error_set_memory(error);
	for (uint32_t i = 0; !code && i < group->count; i++)
		code = plan_leaf(plan, &group->members[i], &terms.members[i], source->frequency * boost, arena, error);
	if (code)
		return code;
	sort_nodes(group->members, group->count);
	count_occurs(group);
	*node =
	    (struct plan_node){.kind = NODE_GROUP, .occur = source->occur, .group = group, .weight = group_most(group)};
	return 0;
}

static int plan_group(struct plan *plan, struct plan_group *group, const struct query_node *source, double boost,
                      struct arena *arena, trawl_error *error);

static int plan_member(struct plan *plan, struct plan_node *node, const struct query_node *source, double boost,
                       struct arena *arena, trawl_error *error)
{
	struct plan_group *group;
	int code = 0;
	switch (source->kind) {
	case NODE_GROUP:
		group = arena_new(arena, sizeof *group);
		if (!group)
			return error_set_memory(error);
		code = plan_group(plan, group, source, boost * source->frequency, arena, error);
		*node = (struct plan_node){
		    .kind = NODE_GROUP, .occur = source->occur, .group = group, .weight = code ? 0 : group_most(group)};
		return code;
	case NODE_ALL:
		*node = (struct plan_node){
		    .kind = NODE_ALL, .occur = source->occur, .weight = (float)(source->frequency * boost)};
		return 0;
	case NODE_PATTERN: return plan_pattern(plan, node, source, boost, arena, error);
	case NODE_PHRASE:
	case NODE_NEAR: code = check_positions(plan->collection, error); break;
	case NODE_TERM: break;
	}
	return code ? code : plan_leaf(plan, node, source, boost, arena, error);
}

/* Members and all that is within them; the analyser bounds the depth. */
static int plan_group(struct plan *plan, struct plan_group *group, const struct query_node *source, double boost,
                      struct arena *arena, trawl_error *error)
{
	*group = (struct plan_group){.count = source->member_count,
	                             .minimum = source->minimum,
	                             .constant = source->constant,
	                             .score = (float)boost};
	group->members = arena_new(arena, group->count * sizeof *group->members);
	if (!group->members)
		return error_set_memory(error);
	int code = 0;
	for (uint32_t i = 0; !code && i < group->count; i++)
		code = plan_member(plan, &group->members[i], &source->members[i], boost, arena, error);
	if (code)
		return code;
	sort_nodes(group->members, group->count);
	count_occurs(group);
	return 0;
}

int plan_make(struct plan *plan, const struct query *query, const struct collection *collection, enum plan_use use,
              struct arena *arena, trawl_error *error)
{
	*plan = (struct plan){.collection = collection};
	int code = plan_group(plan, &plan->root, &query->root, 1, arena, error);
	if (!code && use == PLAN_FILTER && plan->root.excluded == plan->root.count)
		turn_around(plan);
	return code;
}

float plan_most(const struct plan *plan)
{
	return group_most(&plan->root);
}
