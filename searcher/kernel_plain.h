/* kernel_plain.h - the primitives for which a kernel has nothing better than plain C compiled for its instruction set. */

static uint64_t score_range(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                            float weight, float scores[RANGE_DOCUMENTS])
{
	if (chunk->bitmap_mask >> rank & 1)
		return score_bitmap_plain(chunk, rank, lengths, scorer, weight, scores);
	return score_bytes_plain(chunk, rank, lengths, scorer, weight, scores);
}

static void find_levels(const struct chunk *chunk, const float levels[16], float bests[SUPERBLOCK_RANGES])
{
	uint32_t rank = 0;
	memset(bests, 0, SUPERBLOCK_RANGES * sizeof *bests);
	for (uint32_t left = chunk->range_mask; left; left &= left - 1, rank++)
		bests[__builtin_ctz(left)] = levels[chunk->headers[rank] >> 4];
}
