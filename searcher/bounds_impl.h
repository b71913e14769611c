/* bounds_impl.h - upper bounds of scores: of all superblocks, of the blocks of one, and of what the leaves still to come can add. */

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

/* The best contribution of a sparse leaf, and its end, in each superblock that it has postings in. Where the next superblock begins
 * cannot be foreseen, so there is no branch: contributions are not negative, and such floats compare as their bits do. */
static void bound_sparse(const struct leaf *leaf, float *bounds, uint32_t *ends)
{
	uint32_t before = UINT32_MAX, best = 0;
	for (uint32_t p = 0; p < leaf->count; p++) {
		uint32_t superblock = leaf->docs[p] / SUPERBLOCK_DOCUMENTS, score;
		memcpy(&score, &leaf->scores[p], sizeof score);
		best &= 0 - (uint32_t)(superblock == before);
		best = score > best ? score : best;
		memcpy(&bounds[superblock], &best, sizeof best);
		ends[superblock] = p + 1;
		before = superblock;
	}
}

/* Upper bounds of the scores in each superblock; -infinity where a required leaf has no postings. NULL: out of memory. */
static float *superblock_bounds(struct walk *walk)
{
	struct arena *arena = &walk->context->arena;
	uint32_t n = group_count(walk->in.live.count) * GROUP_SUPERBLOCKS;
	float *sums = arena_new(arena, n * sizeof *sums), *mine = NULL;
	if (!sums)
		return NULL;
	memset(sums, 0, n * sizeof *sums);
	for (uint32_t i = 0; i < walk->in.count; i++) {
		const struct leaf *leaf = &walk->in.leaves[i];
		struct cursor *cursor = &walk->cursors[i];
		bool required = leaf->occur == OCCUR_REQUIRED;
		if (leaf->occur == OCCUR_EXCLUDED)
			continue;
		if (leaf->kind == LEAF_DENSE) {
			(required ? add_required : add_bounds)(sums, leaf->dense.bounds, leaf->step, n);
			continue;
		}
		if (!mine && !(mine = arena_new(arena, n * sizeof *mine)))
			return NULL;
		if (!(cursor->ends = arena_new(arena, n * sizeof *cursor->ends)))
			return NULL;
		memset(cursor->ends, 0, n * sizeof *cursor->ends);
		fill_sums(mine, required ? -INFINITY : 0, n);
		bound_sparse(leaf, mine, cursor->ends);
		add_sums(sums, mine, n);
	}
	return sums;
}

/* Leave out superblocks without a document that passes the filter. */
static void drop_empty(const struct live_documents *live, float *sums)
{
	for (uint32_t s = 0; s < superblock_count(live->count); s++) {
		uint64_t any = 0;
		for (uint32_t r = 0; r < SUPERBLOCK_BLOCKS; r++)
			any |= live->allowed[s * SUPERBLOCK_BLOCKS + r];
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

/* ---- the blocks of a superblock ---- */

/* Add the leaves' bounds up from the last to the first. */
static void sum_rest(const struct walk *walk)
{
	float sum[SUPERBLOCK_BLOCKS] = {0}; /* a copy that nothing else can point to, so that the loop is a vector's */
	memcpy(walk->rest[walk->in.count], sum, sizeof sum);
	for (uint32_t i = walk->in.count; i-- > 0;) {
		const float *bounds = walk->cursors[i].bounds;
		if (walk->in.leaves[i].occur != OCCUR_EXCLUDED)
			for (uint32_t r = 0; r < SUPERBLOCK_BLOCKS; r++)
				sum[r] += bounds[r];
		memcpy(walk->rest[i], sum, sizeof sum);
	}
}

/* rest[] is added up from the other end than scores are: the threshold, less room for the rounding of `count` sums. */
static float lowered(float threshold, uint32_t count)
{
	return threshold * (1 - (float)(count + 2) * 0x1p-22f);
}
