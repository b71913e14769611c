/*
 * segment_plan.h - how a plan is run in one segment: which postings are to be opened, and in which way matches are found.
 *
 * Chosen from what the dictionary says, before any posting is read.
 */
#ifndef TRAWL_QUERY_SEGMENT_PLAN_H
#define TRAWL_QUERY_SEGMENT_PLAN_H

#include "query/plan.h"

enum strategy {
	STRATEGY_NOTHING, /* no document can match */
	STRATEGY_PHRASE,  /* a phrase alone, which is ranked and counted as it is found: leaves[0] */
	STRATEGY_LEAVES   /* all leaves side by side, superblock by superblock */
};

/* Where a leaf's postings come from. */
enum leaf_source { FROM_TERM, FROM_BIGRAM, FROM_PHRASE, FROM_NEAR, FROM_GROUP, FROM_ALL };

struct segment_leaf {
	const struct plan_node *node;
	enum leaf_source source;
	const struct term_entry *entry; /* FROM_TERM, FROM_BIGRAM */
};

enum purpose {
	PURPOSE_RANK,
	PURPOSE_MATCH /* which documents match; their scores do not matter */
};

struct segment_plan {
	/* what is asked */
	const struct plan *plan;
	size_t number; /* of the segment */
	enum purpose purpose;
	bool filtered; /* only documents that pass a filter count */
	/* the answer */
	enum strategy strategy;
	struct segment_leaf *leaves; /* those that can have postings here, in the plan's order */
	uint32_t count;
};

/* Answer what is asked. */
int segment_plan_make(struct segment_plan *segment_plan, struct arena *arena, trawl_error *error);

#endif
