/* gather.h - matches of a group in one segment, gathered to become a leaf of the evaluation that the group is a part of. */
#ifndef TRAWL_SEARCHER_GATHER_H
#define TRAWL_SEARCHER_GATHER_H

#include "base/memory.h"
#include "searcher/collector.h"
#include "searcher/leaf.h"

/* Keeps every match of one segment and, if there are any, its score. */
struct gather {
	struct collector collector;
	struct arena *arena;
	uint32_t superblocks;
	uint64_t *masks;  /* a bit a docID */
	uint32_t *starts; /* of each superblock: where its scores begin */
	float *scores;    /* NULL: matches are not ranked */
	size_t count, capacity;
	bool ranked;
};

/* For a segment of `documents`. false: out of memory. */
bool gather_init(struct gather *gather, uint32_t documents, bool ranked, struct arena *arena);

/* What was gathered, as a sparse leaf; LEAF_EMPTY where nothing was. With `constant` each scores `score`. false: out of memory. */
bool gather_leaf(const struct gather *gather, struct leaf *leaf, bool constant, float score);

/* ---- how many of several sets a document is in ---- */

#define TALLY_PLANES 11 /* binary digits: a group has at most 1,024 members */

struct tally {
	uint64_t *planes[TALLY_PLANES]; /* digit by digit, a bit a docID */
	size_t words;
};

bool tally_init(struct tally *tally, uint32_t documents, struct arena *arena);
void tally_add(struct tally *tally, const uint64_t *set);
/* Keep in `set` those documents that were in at least `minimum` of the sets added. */
void tally_restrict(const struct tally *tally, uint32_t minimum, uint64_t *set);

#endif
