/* match_impl.h - which documents match, without their scores: superblock by superblock in order, as masks. */

/* The blocks of a superblock: the documents that can still match, and those that do. */
struct block_matches {
	uint32_t blocks; /* that can have matches */
	uint64_t live[SUPERBLOCK_BLOCKS], masks[SUPERBLOCK_BLOCKS];
};

/* Find a leaf's blocks in the superblock, and of a sparse leaf its documents. */
static int enter_documents(struct walk *walk, uint32_t number)
{
	const struct leaf *leaf = &walk->in.leaves[number];
	struct cursor *cursor = &walk->cursors[number];
	uint32_t superblock = walk->superblock, length;
	int code;
	cursor->blocks = 0;
	if (leaf->kind == LEAF_SPARSE) {
		enter_sparse_documents(leaf, cursor, superblock);
		return 0;
	}
	const uint8_t *bytes = chunk_bytes(leaf, superblock, &length, &code, walk->context->error);
	if (!bytes)
		return code;
	/* The next superblock's chunk mostly follows on this one. */
	for (uint32_t at = 0; at < length && at < 256; at += 64)
		__builtin_prefetch(bytes + length + at);
	if (!chunk_open_documents(&cursor->chunk, &leaf->dense, bytes, length))
		return chunk_is_corrupt(leaf, superblock, walk->context->error);
	cursor->blocks = cursor->chunk.block_mask;
	return 0;
}

/* The documents of an entered leaf in those `wanted` of its blocks. */
static const uint64_t *find_masks(const struct walk *walk, uint32_t number, uint32_t wanted)
{
	struct cursor *cursor = &walk->cursors[number];
	const struct chunk *chunk = &cursor->chunk;
	if (walk->in.leaves[number].kind == LEAF_SPARSE)
		return cursor->masks;
	for (uint32_t left = cursor->blocks & wanted; left; left &= left - 1) {
		uint32_t block = (uint32_t)__builtin_ctz(left);
		cursor->masks[block] = block_mask(chunk, rank_of(cursor, block));
	}
	return cursor->masks;
}

static int match_required(struct walk *walk, struct block_matches *found)
{
	for (uint32_t i = 0; i < walk->in.count && found->blocks; i++) {
		if (walk->in.leaves[i].occur != OCCUR_REQUIRED)
			continue;
		int code = enter_documents(walk, i);
		if (code)
			return code;
		found->blocks &= walk->cursors[i].blocks;
	}
	memcpy(found->masks, found->live, sizeof found->masks);
	for (uint32_t i = 0; i < walk->in.count && found->blocks; i++) {
		if (walk->in.leaves[i].occur != OCCUR_REQUIRED)
			continue;
		const uint64_t *masks = find_masks(walk, i, found->blocks);
		for (uint32_t left = found->blocks; left; left &= left - 1) {
			uint32_t block = (uint32_t)__builtin_ctz(left);
			found->masks[block] &= masks[block];
			if (!found->masks[block])
				found->blocks ^= 1u << block;
		}
	}
	return 0;
}

/* The last leaves are those of the most frequent words: often they have all documents, and the others need no look. */
static int match_any(struct walk *walk, struct block_matches *found)
{
	uint32_t open = found->blocks, any = 0;
	memset(found->masks, 0, sizeof found->masks);
	for (uint32_t i = walk->in.count; i-- > 0 && open;) {
		if (walk->in.leaves[i].occur == OCCUR_EXCLUDED)
			continue;
		int code = enter_documents(walk, i);
		if (code)
			return code;
		const uint64_t *masks = find_masks(walk, i, open);
		any |= walk->cursors[i].blocks;
		for (uint32_t left = walk->cursors[i].blocks & open; left; left &= left - 1) {
			uint32_t block = (uint32_t)__builtin_ctz(left);
			found->masks[block] |= masks[block] & found->live[block];
			if (found->masks[block] == found->live[block])
				open ^= 1u << block;
		}
	}
	found->blocks &= any;
	return 0;
}

static int take_excluded(struct walk *walk, struct block_matches *found)
{
	for (uint32_t i = 0; i < walk->in.count && found->blocks; i++) {
		if (walk->in.leaves[i].occur != OCCUR_EXCLUDED)
			continue;
		int code = enter_documents(walk, i);
		if (code)
			return code;
		const uint64_t *masks = find_masks(walk, i, found->blocks);
		for (uint32_t left = walk->cursors[i].blocks & found->blocks; left; left &= left - 1)
			found->masks[__builtin_ctz(left)] &= ~masks[__builtin_ctz(left)];
	}
	return 0;
}

/* The live documents of the superblock; blocks without any are left out. */
static void match_begin(const struct walk *walk, struct block_matches *found)
{
	const struct live_documents *live = &walk->in.live;
	uint32_t first = walk->superblock * SUPERBLOCK_DOCUMENTS;
	if (!live->allowed && !live->deleted && live->count - first >= SUPERBLOCK_DOCUMENTS) {
		found->blocks = BLOCKS_ALL;
		memset(found->live, 0xff, sizeof found->live);
		return;
	}
	found->blocks = 0;
	for (uint32_t r = 0; r < SUPERBLOCK_BLOCKS; r++) {
		uint32_t doc = first + r * BLOCK_DOCUMENTS;
		found->live[r] = doc < live->count ? live_in_block(live, doc) : 0;
		found->blocks |= found->live[r] ? 1u << r : 0;
	}
}

/* Hand the superblock's matches over; what its last leaves took away is left out. */
static int call_with_masks(const struct walk *walk, const struct block_matches *found)
{
	struct matches matches = {.segment = walk->in.segment, .base = walk->in.base, .superblock = walk->superblock};
	for (uint32_t left = found->blocks; left; left &= left - 1) {
		uint32_t block = (uint32_t)__builtin_ctz(left);
		matches.masks[block] = found->masks[block];
		matches.blocks |= found->masks[block] ? 1u << block : 0;
	}
	return matches.blocks ? walk->sink.collector->take(walk->sink.collector, &matches) : 0;
}

static int match_documents(const struct evaluation *evaluation, struct context *context, struct collector *collector)
{
	struct walk walk = {.in = *evaluation, .context = context, .sink = {.collector = collector}};
	bool excluding = any_excluded(evaluation);
	if (!walk_begin(&walk))
		return error_set_memory(context->error);
	for (uint32_t s = 0; s < superblock_count(evaluation->live.count); s++) {
		struct block_matches found;
		walk.superblock = s;
		match_begin(&walk, &found);
		int code = evaluation->required ? match_required(&walk, &found) : match_any(&walk, &found);
		if (!code && excluding)
			code = take_excluded(&walk, &found);
		for (uint32_t left = code ? 0 : found.blocks; left; left &= left - 1)
			collector->matches += (uint64_t)__builtin_popcountll(found.masks[__builtin_ctz(left)]);
		if (!code && collector->kind == COLLECT_CALL)
			code = call_with_masks(&walk, &found);
		if (code)
			return code;
	}
	return 0;
}
