/*
 * bulk_impl.h - matches scored many at a time.
 *
 * Where all matches of a range are to be scored, by all lists, they are not scored one by one: each list's tfs, the length bytes and
 * the places of the matches are appended to rows, range after range, and a full row is scored with vectors: tf / (tf + K), in the
 * order of the lists, which gives the same bits as the table of saturations does.
 *
 * Included by evaluate_impl.h.
 */
#define BULK_MATCHES 256                               /* scored at once, for many hits */
#define BULK_FEW 64                                    /* for few: their threshold should rise soon */
#define BULK_ROOM (BULK_MATCHES + 2 * RANGE_DOCUMENTS) /* whole ranges are appended, and whole vectors stored */
#define BULK_LISTS 64                                  /* queries of more are scored as unions are */

struct bulk {
	uint32_t count, limit;
	uint8_t lengths[BULK_ROOM], offsets[BULK_ROOM], ranges[BULK_ROOM];
	float denominators[BULK_ROOM], totals[BULK_ROOM];
	uint8_t (*tfs)[BULK_ROOM];  /* of each ranged list; 0: not in the document */
	float (*scores)[BULK_ROOM]; /* of each short list */
};

static const uint8_t range_offsets[RANGE_DOCUMENTS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                       16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                                       32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                                       48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* false: out of memory. */
static bool bulk_make(struct evaluation *evaluation, size_t k)
{
	struct bulk *bulk = evaluation->bulk = arena_new(evaluation->arena, sizeof *bulk);
	if (!bulk)
		return false;
	bulk->count = 0;
	bulk->limit = k <= TOP_HEAP_MAX ? BULK_FEW : BULK_MATCHES;
	bulk->tfs = arena_new(evaluation->arena, evaluation->count * sizeof *bulk->tfs);
	bulk->scores = arena_new(evaluation->arena, evaluation->count * sizeof *bulk->scores);
	return bulk->tfs && bulk->scores;
}

static void bulk_flush(struct evaluation *evaluation, struct top *top)
{
	struct bulk *bulk = evaluation->bulk;
	uint32_t n = bulk->count;
	if (!n)
		return;
	find_denominators(evaluation->scorer->denominators, bulk->lengths, n, bulk->denominators);
	memset(bulk->totals, 0, (n + RANGE_DOCUMENTS) * sizeof *bulk->totals);
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		if (list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->kind == LIST_RANGED)
			add_saturations(bulk->tfs[i], bulk->denominators, list->weight, n, bulk->totals);
		else
			for (uint32_t m = 0; m < n; m++)
				bulk->totals[m] += bulk->scores[i][m];
	}
	uint64_t base = evaluation->base + (uint64_t)evaluation->superblock * SUPERBLOCK_DOCUMENTS;
	for (uint32_t first = 0; first < n; first += RANGE_DOCUMENTS) {
		uint64_t passing = at_least(bulk->totals + first, top->threshold);
		if (n - first < RANGE_DOCUMENTS)
			passing &= ((uint64_t)1 << (n - first)) - 1;
		for (; passing; passing &= passing - 1) {
			uint32_t m = first + (uint32_t)__builtin_ctzll(passing);
			if (bulk->totals[m] >= top->threshold)
				top_push(top, base + bulk->ranges[m] * RANGE_DOCUMENTS + bulk->offsets[m],
				         bulk->totals[m]);
		}
	}
	bulk->count = 0;
}

/* What a short list adds to the matches of a range. */
static void bulk_short(const struct list *list, const struct visit *visit, uint32_t range, uint64_t matches,
                       float *scores)
{
	uint64_t mask = visit->masks[range];
	for (uint64_t left = matches; left; left &= left - 1) {
		uint64_t bit = left & -left;
		uint32_t index = visit->firsts[range] + (uint32_t)__builtin_popcountll(mask & (bit - 1));
		*scores++ = mask & bit ? list->scores[index] : 0;
	}
}

/* Append the matches of a range. false: some tf is too large for a byte. */
static bool bulk_add(struct evaluation *evaluation, uint32_t range, uint64_t matches, struct top *top)
{
	struct bulk *bulk = evaluation->bulk;
	uint32_t n = bulk->count, added = (uint32_t)__builtin_popcountll(matches);
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		struct visit *visit = &evaluation->visits[i];
		bool present = visit->ranges >> range & 1;
		/* the masks of required lists have been found before */
		bool required = evaluation->required && list->occur == OCCUR_REQUIRED;
		if (list->occur == OCCUR_EXCLUDED)
			continue;
		if (list->kind == LIST_SHORT && present)
			bulk_short(list, visit, range, matches, bulk->scores[i] + n);
		else if (list->kind == LIST_SHORT)
			memset(bulk->scores[i] + n, 0, added * sizeof *bulk->scores[i]);
		else if (!present)
			memset(bulk->tfs[i] + n, 0, RANGE_DOCUMENTS);
		else if (!pick_tfs(&visit->chunk, rank_of(visit, range),
		                   required ? visit->masks[range] : list_mask(evaluation, i, range), matches,
		                   bulk->tfs[i] + n))
			return false;
	}
	pick_bytes(evaluation->segment->lengths + evaluation->first_doc, matches, bulk->lengths + n);
	pick_bytes(range_offsets, matches, bulk->offsets + n);
	memset(bulk->ranges + n, (int)range, RANGE_DOCUMENTS);
	bulk->count += added;
	if (bulk->count >= bulk->limit)
		bulk_flush(evaluation, top);
	return true;
}
