/*
 * bulk_impl.h - matches scored many at a time.
 *
 * Where all matches of a block are to be scored, by all leaves, they are not scored one by one: each leaf's tfs, the length bytes and
 * the places of the matches are appended to rows, block after block, and a full row is scored with vectors: tf / (tf + K), in the
 * order of the leaves, which gives the same bits as the table of saturations does.
 */
#define BULK_MATCHES 256                               /* scored at once, for many hits */
#define BULK_FEW 64                                    /* for few: their threshold should rise soon */
#define BULK_ROOM (BULK_MATCHES + 2 * BLOCK_DOCUMENTS) /* whole blocks are appended, and whole vectors stored */
#define BULK_LEAVES 64                                 /* queries of more are scored as unions are */

struct bulk {
	uint32_t count, limit;
	uint8_t lengths[BULK_ROOM], offsets[BULK_ROOM], blocks[BULK_ROOM];
	float denominators[BULK_ROOM], totals[BULK_ROOM];
	uint8_t (*tfs)[BULK_ROOM];  /* of each dense leaf; 0: not in the document */
	float (*scores)[BULK_ROOM]; /* of each sparse leaf */
};

static const uint8_t block_offsets[BLOCK_DOCUMENTS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                       16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                                       32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                                       48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* false: out of memory. */
static bool bulk_begin(struct walk *walk)
{
	struct bulk *bulk = walk->bulk = arena_new(&walk->context->arena, sizeof *bulk);
	if (!bulk)
		return false;
	bulk->count = 0;
	bulk->limit = walk->sink.top && walk->sink.top->k <= TOP_HEAP_MAX ? BULK_FEW : BULK_MATCHES;
	bulk->tfs = arena_new(&walk->context->arena, walk->in.count * sizeof *bulk->tfs);
	bulk->scores = arena_new(&walk->context->arena, walk->in.count * sizeof *bulk->scores);
	return bulk->tfs && bulk->scores;
}

static void bulk_flush(struct walk *walk)
{
	struct bulk *bulk = walk->bulk;
	uint32_t n = bulk->count;
	if (!n)
		return;
	find_denominators(walk->in.scorer->denominators, bulk->lengths, n, bulk->denominators);
	memset(bulk->totals, 0, (n + BLOCK_DOCUMENTS) * sizeof *bulk->totals);
	for (uint32_t i = 0; i < walk->in.count; i++) {
		const struct leaf *leaf = &walk->in.leaves[i];
		if (leaf->occur == OCCUR_EXCLUDED)
			continue;
		if (leaf->kind == LEAF_DENSE)
			add_saturations(bulk->tfs[i], bulk->denominators, leaf->weight, n, bulk->totals);
		else
			for (uint32_t m = 0; m < n; m++)
				bulk->totals[m] += bulk->scores[i][m];
	}
	uint32_t base = walk->superblock * SUPERBLOCK_DOCUMENTS;
	for (uint32_t first = 0; first < n; first += BLOCK_DOCUMENTS) {
		uint64_t passing = at_least(bulk->totals + first, least_score(&walk->sink));
		if (n - first < BLOCK_DOCUMENTS)
			passing &= ((uint64_t)1 << (n - first)) - 1;
		for (; passing; passing &= passing - 1) {
			uint32_t m = first + (uint32_t)__builtin_ctzll(passing);
			if (bulk->totals[m] >= least_score(&walk->sink))
				offer(&walk->sink, base + bulk->blocks[m] * BLOCK_DOCUMENTS + bulk->offsets[m],
				      bulk->totals[m]);
		}
	}
	bulk->count = 0;
}

/* What a sparse leaf adds to the matches of a block. */
static void bulk_sparse(const struct leaf *leaf, const struct cursor *cursor, uint32_t block, uint64_t matches,
                        float *scores)
{
	uint64_t mask = cursor->masks[block];
	for (uint64_t left = matches; left; left &= left - 1) {
		uint64_t bit = left & -left;
		uint32_t index = cursor->firsts[block] + (uint32_t)__builtin_popcountll(mask & (bit - 1));
		*scores++ = mask & bit ? leaf->scores[index] : 0;
	}
}

/* Append the matches of a block. false: some tf is too large for a byte. */
static bool bulk_add(struct walk *walk, uint32_t block, uint64_t matches)
{
	struct bulk *bulk = walk->bulk;
	uint32_t n = bulk->count, added = (uint32_t)__builtin_popcountll(matches);
	for (uint32_t i = 0; i < walk->in.count; i++) {
		const struct leaf *leaf = &walk->in.leaves[i];
		struct cursor *cursor = &walk->cursors[i];
		bool present = cursor->blocks >> block & 1;
		/* the masks of required leaves have been found before */
		bool required = walk->in.required && leaf->occur == OCCUR_REQUIRED;
		if (leaf->occur == OCCUR_EXCLUDED)
			continue;
		if (leaf->kind == LEAF_SPARSE && present)
			bulk_sparse(leaf, cursor, block, matches, bulk->scores[i] + n);
		else if (leaf->kind == LEAF_SPARSE)
			memset(bulk->scores[i] + n, 0, added * sizeof *bulk->scores[i]);
		else if (!present)
			memset(bulk->tfs[i] + n, 0, BLOCK_DOCUMENTS);
		else if (!pick_tfs(&cursor->chunk, rank_of(cursor, block),
		                   required ? cursor->masks[block] : block_documents(walk, i, block), matches,
		                   bulk->tfs[i] + n))
			return false;
	}
	pick_bytes(walk->in.lengths + walk->first_doc, matches, bulk->lengths + n);
	pick_bytes(block_offsets, matches, bulk->offsets + n);
	memset(bulk->blocks + n, (int)block, BLOCK_DOCUMENTS);
	bulk->count += added;
	if (bulk->count >= bulk->limit)
		bulk_flush(walk);
	return true;
}
