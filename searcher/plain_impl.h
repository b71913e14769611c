/* plain_impl.h - the primitives for which a kernel has nothing better than plain C compiled for its instruction set. */

static uint64_t score_block(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                            float weight, float scores[BLOCK_DOCUMENTS])
{
	if (chunk->bitmap_mask >> rank & 1)
		return score_bitmap_plain(chunk, rank, lengths, scorer, weight, scores);
	return score_bytes_plain(chunk, rank, lengths, scorer, weight, scores);
}

static void find_bounds(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_BLOCKS])
{
	uint32_t rank = 0;
	memset(bounds, 0, SUPERBLOCK_BLOCKS * sizeof *bounds);
	for (uint32_t left = chunk->block_mask; left; left &= left - 1, rank++)
		bounds[__builtin_ctz(left)] = levels[chunk->headers[rank] >> 4];
}
