/* intersection_impl.h - scoring the documents of a block that have all required leaves. */

/* Documents of the block that match, where some leaves are required. */
static uint64_t intersect(const struct walk *walk, uint32_t block)
{
	uint64_t matches = live_in_block(&walk->in.live, walk->first_doc);
	for (uint32_t i = 0; i < walk->in.count && matches; i++)
		if (walk->in.leaves[i].occur == OCCUR_REQUIRED)
			matches &= block_documents(walk, i, block);
		else if (walk->in.leaves[i].occur == OCCUR_EXCLUDED)
			matches &= ~block_documents(walk, i, block);
	return matches;
}

static void score_intersection(struct walk *walk, uint32_t block)
{
	uint64_t matches = intersect(walk, block);
	if (matches)
		score_matches(walk, block, matches);
}
