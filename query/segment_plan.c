#include "query/segment_plan.h"

#include "base/error.h"

/* false: the leaf has no postings in the segment, as far as its dictionary tells. */
static bool find_source(const struct plan_node *node, size_t number, struct segment_leaf *leaf)
{
	*leaf = (struct segment_leaf){.node = node, .source = FROM_PHRASE};
	if (node->bigrams && node->bigrams[number].state == BIGRAM_FOUND) {
		leaf->source = FROM_BIGRAM;
		leaf->entry = &node->bigrams[number].entry;
	} else if (node->kind == NODE_TERM) {
		leaf->source = FROM_TERM;
		leaf->entry = &node->entries[0][number];
		return leaf->entry->df > 0;
	} else if (node->kind == NODE_GROUP) {
		leaf->source = FROM_GROUP;
		return node->group->count > 0;
	} else if (node->kind == NODE_NEAR) {
		leaf->source = FROM_NEAR;
	} else if (node->kind == NODE_ALL) {
		leaf->source = FROM_ALL;
	}
	return true;
}

int segment_plan_make(struct segment_plan *segment_plan, struct arena *arena, trawl_error *error)
{
	const struct plan_group *root = &segment_plan->plan->root;
	uint32_t positive = 0;
	segment_plan->strategy = STRATEGY_NOTHING;
	segment_plan->count = 0;
	segment_plan->leaves = arena_new(arena, root->count * sizeof *segment_plan->leaves);
	if (!segment_plan->leaves)
		return error_set_memory(error);
	for (uint32_t i = 0; i < root->count; i++) {
		const struct plan_node *node = &root->members[i];
		if (segment_plan->purpose == PURPOSE_MATCH && root->required && node->occur == OCCUR_OPTIONAL)
			continue; /* does not change what matches */
		if (find_source(node, segment_plan->number, &segment_plan->leaves[segment_plan->count])) {
			segment_plan->count++;
			positive += node->occur != OCCUR_EXCLUDED;
		} else if (node->occur == OCCUR_REQUIRED) {
			return 0;
		}
	}
	if (positive && root->count == 1 && !segment_plan->filtered && segment_plan->leaves[0].source == FROM_PHRASE)
		segment_plan->strategy = STRATEGY_PHRASE;
	else if (positive)
		segment_plan->strategy = STRATEGY_LEAVES;
	return 0;
}
