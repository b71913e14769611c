#include "searcher/gather.h"

#include <string.h>

static uint32_t superblocks_of(uint32_t documents)
{
	return (documents + SUPERBLOCK_DOCUMENTS - 1) / SUPERBLOCK_DOCUMENTS;
}

/* Room for the scores of one more superblock. */
static bool reserve(struct gather *gather)
{
	if (gather->count + SUPERBLOCK_DOCUMENTS <= gather->capacity)
		return true;
	size_t room = 2 * gather->capacity + SUPERBLOCK_DOCUMENTS;
	float *more = arena_new(gather->arena, room * sizeof *more);
	if (!more)
		return false;
	if (gather->count)
		memcpy(more, gather->scores, gather->count * sizeof *more);
	gather->scores = more;
	gather->capacity = room;
	return true;
}

static int take(struct collector *collector, const struct matches *matches)
{
	struct gather *gather = (struct gather *)collector;
	uint64_t *masks = gather->masks + (size_t)matches->superblock * SUPERBLOCK_BLOCKS;
	if (gather->ranked && !reserve(gather))
		return TRAWL_ENOMEM;
	gather->starts[matches->superblock] = (uint32_t)gather->count;
	for (uint32_t left = matches->blocks; left; left &= left - 1) {
		uint32_t block = (uint32_t)__builtin_ctz(left);
		masks[block] = matches->masks[block];
		if (!gather->ranked)
			gather->count += (size_t)__builtin_popcountll(masks[block]);
		for (uint64_t rest = gather->ranked ? masks[block] : 0; rest; rest &= rest - 1)
			gather->scores[gather->count++] = matches->scores[block][__builtin_ctzll(rest)];
	}
	return 0;
}

bool gather_init(struct gather *gather, uint32_t documents, bool ranked, struct arena *arena)
{
	*gather = (struct gather){.collector = {.kind = COLLECT_CALL, .take = take},
	                          .arena = arena,
	                          .superblocks = superblocks_of(documents),
	                          .ranked = ranked};
	size_t words = (size_t)gather->superblocks * SUPERBLOCK_BLOCKS;
	gather->masks = arena_new(arena, words * sizeof *gather->masks);
	gather->starts = arena_new(arena, gather->superblocks * sizeof *gather->starts);
	if (!gather->masks || !gather->starts)
		return false;
	memset(gather->masks, 0, words * sizeof *gather->masks);
	return true;
}

bool gather_leaf(const struct gather *gather, struct leaf *leaf, bool constant, float score)
{
	uint32_t n = 0;
	size_t count = 0;
	for (size_t i = 0; i < (size_t)gather->superblocks * SUPERBLOCK_BLOCKS; i++)
		count += (size_t)__builtin_popcountll(gather->masks[i]);
	*leaf = (struct leaf){.kind = count ? LEAF_SPARSE : LEAF_EMPTY,
	                      .inline_position = POSITION_NONE,
	                      .count = (uint32_t)count,
	                      .live_df = (uint32_t)count};
	leaf->docs = arena_new(gather->arena, (count + SCORES_SPARE) * sizeof *leaf->docs);
	leaf->scores = arena_new(gather->arena, (count + SCORES_SPARE) * sizeof *leaf->scores);
	if (!leaf->docs || !leaf->scores)
		return false;
	for (uint32_t s = 0; s < gather->superblocks; s++) {
		const uint64_t *masks = gather->masks + (size_t)s * SUPERBLOCK_BLOCKS;
		const float *scores = gather->scores ? gather->scores + gather->starts[s] : NULL;
		for (uint32_t block = 0; block < SUPERBLOCK_BLOCKS; block++)
			for (uint64_t left = masks[block]; left; left &= left - 1, n++) {
				leaf->docs[n] = s * SUPERBLOCK_DOCUMENTS + block * BLOCK_DOCUMENTS +
				                (uint32_t)__builtin_ctzll(left);
				leaf->scores[n] = constant ? score : scores ? *scores++ : 0;
			}
	}
	return true;
}

/* ---- how many of several sets a document is in ---- */

bool tally_init(struct tally *tally, uint32_t documents, struct arena *arena)
{
	tally->words = (size_t)superblocks_of(documents) * SUPERBLOCK_BLOCKS;
	for (int i = 0; i < TALLY_PLANES; i++) {
		tally->planes[i] = arena_new(arena, tally->words * sizeof(uint64_t));
		if (!tally->planes[i])
			return false;
		memset(tally->planes[i], 0, tally->words * sizeof(uint64_t));
	}
	return true;
}

void tally_add(struct tally *tally, const uint64_t *set)
{
	for (size_t w = 0; w < tally->words; w++) {
		uint64_t carry = set[w];
		for (int i = 0; carry && i < TALLY_PLANES; i++) {
			uint64_t digit = tally->planes[i][w];
			tally->planes[i][w] = digit ^ carry;
			carry &= digit;
		}
	}
}

void tally_restrict(const struct tally *tally, uint32_t minimum, uint64_t *set)
{
	for (size_t w = 0; w < tally->words; w++) {
		uint64_t above = 0, equal = UINT64_MAX; /* from the highest digit on */
		for (int i = TALLY_PLANES; i-- > 0;) {
			uint64_t digit = tally->planes[i][w], wanted = minimum >> i & 1 ? UINT64_MAX : 0;
			above |= equal & digit & ~wanted;
			equal &= ~(digit ^ wanted);
		}
		set[w] &= minimum >> TALLY_PLANES ? 0 : above | equal;
	}
}
