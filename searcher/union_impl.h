/*
 * union_impl.h - scoring the documents of a block that have any leaf, and as little of them as the threshold allows.
 */

static bool takes_part(const struct walk *walk, uint32_t number, uint32_t block)
{
	return walk->cursors[number].blocks >> block & 1 && walk->in.leaves[number].occur != OCCUR_EXCLUDED;
}

/* Of the documents `live`, those that some leaf has. */
static uint64_t union_documents(const struct walk *walk, uint32_t block, uint64_t live)
{
	uint64_t documents = 0;
	/* The last leaves are those of the most frequent words: often they have all documents, and the others need no look. */
	for (uint32_t i = walk->in.count; i-- > 0 && documents != live;)
		if (walk->in.leaves[i].occur != OCCUR_EXCLUDED)
			documents |= block_documents(walk, i, block) & live;
	return documents;
}

/* Add what the leaves from number `first` on give to these few documents, each until it cannot pass any more, and offer those
 * that do. */
static void score_documents(struct walk *walk, uint32_t first, uint32_t block, uint64_t documents, const float *scores)
{
	for (; documents; documents &= documents - 1) {
		uint32_t offset = (uint32_t)__builtin_ctzll(documents), i = first, count = walk->in.count;
		float score = scores[offset], least = lowered(least_score(&walk->sink), count);
		for (; i < count && score + walk->rest[i][block] >= least; i++)
			if (takes_part(walk, i, block))
				score += contribution(walk, i, block, offset);
		if (i == count && score >= least_score(&walk->sink))
			offer(&walk->sink, walk->first_doc + offset, score);
	}
}

#define FEW_DOCUMENTS 6 /* looked up one by one rather than by scoring whole blocks */

/*
 * Score the documents of a block: those in `allowed` that have any leaf, or with `all` those in `allowed` themselves.
 * Leaves are taken by falling weight, and as soon as those still to come cannot lift a new document over the threshold,
 * only documents that can still pass it count: none, and the block is done; a few, and they are looked up one by one.
 */
static void score_allowed(struct walk *walk, uint32_t block, uint64_t allowed, bool all)
{
	float scores[BLOCK_DOCUMENTS] = {0}, threshold = least_score(&walk->sink),
	      least = lowered(threshold, walk->in.count);
	uint64_t matches = all ? allowed : 0;
	bool scored = false;
	for (uint32_t i = 0; i < walk->in.count; i++) {
		float rest = walk->rest[i][block];
		if (!takes_part(walk, i, block))
			continue;
		if (all || (scored && rest < least)) {
			uint64_t alive = scored ? matches & at_least(scores, least - rest) : matches;
			if (__builtin_popcountll(alive) <= FEW_DOCUMENTS) {
				score_documents(walk, i, block, alive, scores);
				return;
			}
		}
		uint64_t documents = score_leaf(walk, i, block, scores);
		matches |= all ? 0 : documents & allowed;
		scored = true;
	}
	offer_block(&walk->sink, matches & at_least(scores, threshold), walk->first_doc, scores);
}

#include "searcher/bulk_impl.h"

/* Score all of these documents, which match. */
static void score_matches(struct walk *walk, uint32_t block, uint64_t matches)
{
	if (!walk->bulk || !bulk_add(walk, block, matches))
		score_allowed(walk, block, matches, true);
}

static void score_union(struct walk *walk, uint32_t block, bool excluding)
{
	uint64_t live = live_in_block(&walk->in.live, walk->first_doc);
	if (excluding)
		live &= ~excluded_documents(walk, block);
	/* Of the few documents that a filter leaves, find those that match, and score no others. */
	bool few = walk->in.live.allowed && __builtin_popcountll(live) <= 2 * FEW_DOCUMENTS;
	if (walk->bulk || few)
		live = union_documents(walk, block, live);
	if (!live)
		return;
	if (walk->bulk)
		score_matches(walk, block, live);
	else
		score_allowed(walk, block, live, few);
}
