/*
 * walk_impl.h - an evaluation under way, superblock by superblock: cursors over its leaves, and what they tell of blocks and documents.
 *
 * Included by the kernel files behind their primitives (primitives.h).
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "searcher/kernel.h"
#include "searcher/prefetch.h"

/* A leaf in the superblock being visited. */
struct cursor {
	uint32_t blocks;                 /* mask of the blocks with postings */
	struct chunk chunk;              /* LEAF_DENSE */
	float bounds[SUPERBLOCK_BLOCKS]; /* by block: the most that a document can get */
	/* by block, its documents, if block_documents has been asked; LEAF_SPARSE: also the index of the first one's posting */
	uint64_t masks[SUPERBLOCK_BLOCKS];
	uint32_t firsts[SUPERBLOCK_BLOCKS];
	/* LEAF_SPARSE */
	uint32_t *ends; /* of each superblock: one past its last posting, 0: none; NULL: not known */
	uint32_t at;    /* the last superblock's last posting, where `ends` are not known */
};

struct walk {
	struct evaluation in;
	struct context *context;
	struct cursor *cursors;
	float (*rest)[SUPERBLOCK_BLOCKS]; /* by leaf and block: the most that this leaf and those behind it can add */
	uint32_t superblock, first_doc;   /* being visited; first_doc: of the block */
	struct bulk *bulk;                /* NULL: matches are not scored in bulk */
	struct sink sink;
};

/* false: out of memory. */
static bool walk_begin(struct walk *walk)
{
	uint32_t n = walk->in.count;
	walk->cursors = arena_new(&walk->context->arena, n * sizeof *walk->cursors);
	if (!walk->cursors)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		walk->cursors[i].ends = NULL;
		walk->cursors[i].at = 0;
	}
	return true;
}

/* ---- chunks ---- */

/* The bytes of a dense leaf's chunk in a superblock: NULL when it has no postings there (*code 0) and on error. */
static const uint8_t *chunk_bytes(const struct leaf *leaf, uint32_t superblock, uint32_t *length, int *code,
                                  trawl_error *error)
{
	uint64_t left, address = chunk_place(&leaf->dense, superblock, length);
	*code = 0;
	if (!*length)
		return NULL;
	const uint8_t *bytes = part_at(leaf->part, address, &left, error);
	if (!bytes)
		*code = error_code(error);
	else if (*length > left)
		*code = part_corrupt(leaf->part, address, "a chunk of postings that makes no sense", error);
	return *code ? NULL : bytes;
}

static int chunk_is_corrupt(const struct leaf *leaf, uint32_t superblock, trawl_error *error)
{
	uint32_t length;
	return part_corrupt(leaf->part, chunk_place(&leaf->dense, superblock, &length),
	                    "a chunk of postings that makes no sense", error);
}

/* The chunk of a dense leaf in a superblock: 1, 0 when it has no postings there, negative on error. */
static int leaf_chunk(const struct leaf *leaf, uint32_t superblock, struct chunk *chunk, trawl_error *error)
{
	uint32_t length;
	int code;
	const uint8_t *bytes = chunk_bytes(leaf, superblock, &length, &code, error);
	if (!bytes)
		return code;
	if (!chunk_open(chunk, &leaf->dense, superblock, bytes, length))
		return chunk_is_corrupt(leaf, superblock, error);
	return 1;
}

/* ---- entering a superblock ---- */

static void enter_sparse(const struct leaf *leaf, struct cursor *cursor, uint32_t superblock)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS, i = cursor->ends[superblock];
	memset(cursor->bounds, 0, sizeof cursor->bounds);
	memset(cursor->masks, 0, sizeof cursor->masks);
	for (; i && leaf->docs[i - 1] >= first; i--) {
		uint32_t offset = leaf->docs[i - 1] - first, block = offset / BLOCK_DOCUMENTS;
		float score = leaf->scores[i - 1];
		cursor->blocks |= 1u << block;
		cursor->firsts[block] = i - 1;
		cursor->masks[block] |= (uint64_t)1 << (offset % BLOCK_DOCUMENTS);
		cursor->bounds[block] = score > cursor->bounds[block] ? score : cursor->bounds[block];
	}
}

/* The index of the leaf's first posting not below docID `doc`. */
static uint32_t seek(const struct leaf *leaf, const struct cursor *cursor, uint32_t doc)
{
	uint32_t low = 0, high = leaf->count;
	/* Superblocks are mostly visited in order: try from where the last search ended. */
	if (cursor->at < high && leaf->docs[cursor->at] < doc)
		low = cursor->at + 1;
	if (low < high && leaf->docs[low] >= doc && (!low || leaf->docs[low - 1] < doc))
		return low;
	for (uint32_t reach = 8; low + reach < high; reach *= 4)
		if (leaf->docs[low + reach] >= doc)
			high = low + reach;
		else
			low += reach + 1;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (leaf->docs[middle] < doc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* As enter_sparse, for documents alone. */
static void enter_sparse_documents(const struct leaf *leaf, struct cursor *cursor, uint32_t superblock)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS, i = seek(leaf, cursor, first);
	memset(cursor->masks, 0, sizeof cursor->masks);
	for (; i < leaf->count && leaf->docs[i] - first < SUPERBLOCK_DOCUMENTS; i++) {
		uint32_t offset = leaf->docs[i] - first, block = offset / BLOCK_DOCUMENTS;
		cursor->blocks |= 1u << block;
		cursor->masks[block] |= (uint64_t)1 << (offset % BLOCK_DOCUMENTS);
	}
	cursor->at = i ? i - 1 : 0;
}

/* Find the leaf's postings in the superblock; cursor->blocks is 0 when there are none. */
static int enter(struct walk *walk, uint32_t number, uint32_t superblock)
{
	const struct leaf *leaf = &walk->in.leaves[number];
	struct cursor *cursor = &walk->cursors[number];
	cursor->blocks = 0;
	if (leaf->kind == LEAF_SPARSE) {
		if (cursor->ends)
			enter_sparse(leaf, cursor, superblock);
		else
			enter_sparse_documents(leaf, cursor, superblock);
		return 0;
	}
	int found = leaf_chunk(leaf, superblock, &cursor->chunk, walk->context->error);
	if (found > 0)
		cursor->blocks = cursor->chunk.block_mask;
	return found < 0 ? found : 0;
}

/* Enter all leaves, tell which blocks can match, and find what a document of each block can get from each leaf. */
static int enter_all(struct walk *walk, uint32_t superblock, uint32_t *blocks)
{
	uint32_t required = BLOCKS_ALL, optional = 0;
	for (uint32_t i = 0; i < walk->in.count; i++) {
		const struct leaf *leaf = &walk->in.leaves[i];
		struct cursor *cursor = &walk->cursors[i];
		int code = enter(walk, i, superblock);
		if (code)
			return code;
		if (leaf->occur == OCCUR_EXCLUDED)
			continue;
		if (leaf->occur == OCCUR_REQUIRED)
			required &= cursor->blocks;
		else
			optional |= cursor->blocks;
		if (!required)
			break;
		if (leaf->kind == LEAF_SPARSE)
			continue;
		if (cursor->blocks)
			find_bounds(&cursor->chunk, leaf->levels, cursor->bounds);
		else
			memset(cursor->bounds, 0, sizeof cursor->bounds);
	}
	*blocks = walk->in.required ? required : optional;
	return 0;
}

/* ---- a block ---- */

static uint32_t rank_of(const struct cursor *cursor, uint32_t block)
{
	return (uint32_t)__builtin_popcount(cursor->blocks & ((1u << block) - 1));
}

/* The documents of the leaf in the block. */
static uint64_t block_documents(const struct walk *walk, uint32_t number, uint32_t block)
{
	struct cursor *cursor = &walk->cursors[number];
	if (!(cursor->blocks >> block & 1))
		return 0;
	if (walk->in.leaves[number].kind == LEAF_DENSE)
		cursor->masks[block] = block_mask(&cursor->chunk, rank_of(cursor, block));
	return cursor->masks[block];
}

/* What the leaf adds to the score of one document. */
static float contribution(const struct walk *walk, uint32_t number, uint32_t block, uint32_t offset)
{
	const struct leaf *leaf = &walk->in.leaves[number];
	struct cursor *cursor = &walk->cursors[number];
	if (!(cursor->blocks >> block & 1))
		return 0;
	if (leaf->kind == LEAF_SPARSE) {
		uint64_t bit = (uint64_t)1 << offset, mask = cursor->masks[block];
		return mask & bit
		           ? leaf->scores[cursor->firsts[block] + (uint32_t)__builtin_popcountll(mask & (bit - 1))]
		           : 0;
	}
	uint32_t tf = chunk_tf(&cursor->chunk, rank_of(cursor, block), offset);
	return tf ? score_posting(walk->in.scorer, leaf->weight, tf, walk->in.lengths[walk->first_doc + offset]) : 0;
}

/* Add all contributions of a leaf in the block; its documents. */
static uint64_t score_leaf(const struct walk *walk, uint32_t number, uint32_t block, float *scores)
{
	const struct leaf *leaf = &walk->in.leaves[number];
	struct cursor *cursor = &walk->cursors[number];
	if (leaf->kind == LEAF_DENSE)
		return score_block(&cursor->chunk, rank_of(cursor, block), walk->in.lengths + walk->first_doc,
		                   walk->in.scorer, leaf->weight, scores);
	uint32_t i = cursor->firsts[block];
	for (uint64_t left = cursor->masks[block]; left; left &= left - 1, i++)
		scores[__builtin_ctzll(left)] += leaf->scores[i];
	return cursor->masks[block];
}

static uint64_t excluded_documents(const struct walk *walk, uint32_t block)
{
	uint64_t documents = 0;
	for (uint32_t i = 0; i < walk->in.count; i++)
		if (walk->in.leaves[i].occur == OCCUR_EXCLUDED)
			documents |= block_documents(walk, i, block);
	return documents;
}

static bool any_excluded(const struct evaluation *in)
{
	for (uint32_t i = 0; i < in->count; i++)
		if (in->leaves[i].occur == OCCUR_EXCLUDED)
			return true;
	return false;
}
