/*
 * phrase_lookup_impl.h - the parts of a phrase, and in which documents they stand: looking a document up, and finding where its
 * positions are.
 *
 * A word's positions in a document are found by adding up the sizes of those before (docs/FORMAT.md, Positions).
 */

/* Documents that have all words wait until there are some, so that their positions are on the way when they are looked at, and
 * many can be looked at together. */
#define WAITING_MAX 64

/* A document is small if the positions of all words in it are gaps that together take at most that many bits: then one load
 * brings those of a word, the first one's additional bit and up to 7 others before them. */
#define SMALL_TF (POSITIONS_ELIAS_FANO - 1)
#define SMALL_BITS 56
/* A document is middling if it is not small, and its positions and their numbers (SHORTS_MAX) are not large either. */
#define SHORT_GAP_MAX 14 /* positions below 2^15 */
/* An offset in the phrase, so that no position that is wanted wraps to a real one or to SHORT_NONE. */
#define SHORT_OFFSET_MAX 0x2000
/* So many positions take less than so many bytes. */
#define NEAR_TF 128
#define NEAR_BYTES 1024

/* Where bits are in memory. */
struct place {
	const uint8_t *bytes;
	uint32_t first; /* bit, below 8 */
};

/* A part of the phrase, and where its last look-up ended, so that looking on costs only what lies between. */
struct word {
	const struct phrase_part *part;
	uint32_t same, offset; /* the part's, at hand */
	/* LEAF_SPARSE */
	uint32_t index;   /* posting reached */
	uint64_t address; /* of its positions: a bit of the part, as all addresses here */
	/* LEAF_DENSE: the superblock entered, the block reached in it */
	uint32_t superblock; /* UINT32_MAX: none yet */
	bool present;        /* the superblock has postings */
	struct chunk chunk;
	uint32_t rank;                               /* of the block */
	uint32_t blocks;                             /* the block and those behind it, as a mask */
	uint64_t block_address;                      /* of its first posting's positions */
	uint32_t byte_exceptions, bitmap_exceptions; /* number of the next block's first exception, by its form */
	struct block_positions block;
	/* of the document last looked up, and of those that wait to be examined */
	uint32_t tf;
	uint64_t found_address;
	struct place found; /* of its positions */
	uint32_t waiting_tfs[WAITING_MAX];
	struct place waiting_places[WAITING_MAX];
	/* of those of them where the positions are gaps: tfs (else 0), the greatest of these, and the positions, each number in all
	 * documents together, SHORT_NONE behind the last */
	uint32_t gaps_most;
	uint16_t gaps_tfs[WAITING_MAX], gaps_positions[SMALL_TF][WAITING_MAX];
	/* of a middling document, and of a large one */
	uint16_t shorts[SHORTS_MAX];
	uint32_t *positions;
	size_t position_capacity;
};

/* A phrase being evaluated. */
struct phrase {
	const struct phrase_evaluation *in;
	const struct phrase_part *parts; /* of `in`, as all up to `order` */
	uint32_t count, bigrams;         /* parts: words, and bigrams behind them */
	uint32_t distinct, deciding;
	const uint32_t *order;
	const uint8_t *spans;
	struct word *words; /* of each part */
	struct context *context;
	struct sink sink;
	struct phrase_matches *list; /* NULL: matches are not listed */
	bool ranking, pruning;       /* matches are scored; only those that can enter the top are wanted */
	bool is_short;               /* its last word's offset is at most SHORT_OFFSET_MAX */
	/* the least of the bigrams' tfs in the document being looked up: the phrase stands there no more often */
	uint32_t bigram_tf;
	uint32_t waiting, waiting_docs[WAITING_MAX], waiting_bigram_tfs[WAITING_MAX];
	uint8_t waiting_gaps[WAITING_MAX]; /* position_gap_bits */
	enum document_size { DOCUMENT_SMALL, DOCUMENT_MIDDLING, DOCUMENT_LARGE } waiting_sizes[WAITING_MAX];
};

/* ---- looking a document up ---- */

/* Documents come in ascending order within a superblock; sparse postings are only searched when one of them drives. */
static int find_in_sparse(struct phrase *phrase, struct word *word, uint32_t doc)
{
	const struct leaf *leaf = &word->part->leaf;
	while (word->index < leaf->count && leaf->docs[word->index] < doc) {
		word->address += position_bits(leaf->tfs[word->index], phrase->spans[leaf->docs[word->index]]);
		word->index++;
	}
	if (word->index == leaf->count || leaf->docs[word->index] != doc)
		return 0;
	word->tf = leaf->tfs[word->index];
	word->found_address = word->address;
	return 1;
}

/* Measure the block reached. */
static void reach_block(const struct phrase *phrase, struct word *word)
{
	bool bitmap = word->chunk.bitmap_mask >> word->rank & 1;
	uint32_t *exceptions = bitmap ? &word->bitmap_exceptions : &word->byte_exceptions;
	uint32_t first =
	    word->superblock * SUPERBLOCK_DOCUMENTS + (uint32_t)__builtin_ctz(word->blocks) * BLOCK_DOCUMENTS;
	measure_block(&word->chunk, word->rank, *exceptions, phrase->spans + first, &word->block);
	*exceptions += word->block.exceptions;
}

static int enter_superblock(struct phrase *phrase, struct word *word, uint32_t superblock)
{
	if (word->superblock == superblock)
		return word->present;
	int found = leaf_chunk(&word->part->leaf, superblock, &word->chunk, phrase->context->error);
	if (found > 0) {
		__builtin_prefetch(word->chunk.codes);
		__builtin_prefetch(word->chunk.exceptions);
	}
	word->superblock = superblock;
	word->present = found > 0;
	word->rank = UINT32_MAX;
	return found;
}

/* Go on to a block of the entered superblock that has postings. */
static void enter_block(struct phrase *phrase, struct word *word, uint32_t block)
{
	const struct chunk *chunk = &word->chunk;
	if (word->rank == UINT32_MAX) {
		word->rank = 0;
		word->blocks = chunk->block_mask;
		word->block_address = 8 * word->part->leaf.positions + chunk->positions;
		word->byte_exceptions = 0;
		word->bitmap_exceptions = chunk->bitmap_mask ? large_bytes(chunk->bytes, chunk->byte_count) : 0;
		reach_block(phrase, word);
	}
	while ((uint32_t)__builtin_ctz(word->blocks) < block) {
		word->block_address += word->block.total;
		word->blocks &= word->blocks - 1;
		word->rank++;
		reach_block(phrase, word);
	}
}

static void find_in_block(struct word *word, uint32_t doc)
{
	const struct block_positions *block = &word->block;
	uint64_t before = block->mask & (((uint64_t)1 << (doc % BLOCK_DOCUMENTS)) - 1);
	uint32_t index = (uint32_t)__builtin_popcountll(before);
	word->tf = block->wide ? block->wide_tfs[index] : block->tfs[index];
	word->found_address =
	    word->block_address + (block->wide ? block->wide_starts[index] : sum_sizes(block->sizes, index));
}

static int find_in_bigram(struct phrase *phrase, struct word *bigram, uint32_t doc)
{
	uint32_t block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
	int found = enter_superblock(phrase, bigram, doc / SUPERBLOCK_DOCUMENTS);
	if (found <= 0 || !(bigram->chunk.block_mask >> block & 1))
		return found < 0 ? found : 0;
	uint32_t rank = (uint32_t)__builtin_popcount(bigram->chunk.block_mask & ((1u << block) - 1));
	bigram->tf = chunk_tf(&bigram->chunk, rank, doc % BLOCK_DOCUMENTS);
	return bigram->tf > 0;
}

static int find(struct phrase *phrase, struct word *word, uint32_t doc)
{
	if (word->part->leaf.kind == LEAF_SPARSE)
		return find_in_sparse(phrase, word, doc);
	if (word >= phrase->words + phrase->count)
		return find_in_bigram(phrase, word, doc);
	int found = enter_superblock(phrase, word, doc / SUPERBLOCK_DOCUMENTS);
	uint32_t block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
	if (found <= 0 || !(word->chunk.block_mask >> block & 1))
		return found < 0 ? found : 0;
	enter_block(phrase, word, block);
	if (!(word->block.mask >> (doc % BLOCK_DOCUMENTS) & 1))
		return 0;
	find_in_block(word, doc);
	return 1;
}

/* ---- positions ---- */

/* Find where the positions of the word in the document just looked up are. */
static int locate(struct phrase *phrase, struct word *word, uint32_t doc)
{
	trawl_error *error = phrase->context->error;
	struct part *part = phrase->in->positions;
	uint64_t address = word->found_address / 8, left = 0;
	uint8_t span = phrase->spans[doc];
	word->found.first = word->found_address % 8;
	if (word->part->inline_bits) {
		word->found = (struct place){(const uint8_t *)word->part->inline_bits, 0};
		return 0;
	}
	/* More positions than there are places would make a look at all of them endless. */
	if (word->tf > SMALL_TF && word->tf > length_longest(span))
		return part_corrupt(part, address, "more occurrences than places", error);
	word->found.bytes = part_at(part, address, &left, error);
	if (!word->found.bytes)
		return error_code(error);
	__builtin_prefetch(word->found.bytes);
	if (left >= NEAR_BYTES && word->tf <= NEAR_TF)
		return 0;
	uint64_t size = bytes_of_bits(word->found.first, position_bits(word->tf, span));
	if (left >= size)
		return 0;
	/* Cut by the end of an extent, which is rare: gather a copy that lives as long as the query. */
	const uint8_t *copy = part_read(part, address, size, &phrase->context->gather, error);
	if (!copy)
		return error_code(error);
	word->found.bytes = arena_copy(&phrase->context->phrase_arena, copy, size + EXTENT_SLACK);
	return word->found.bytes ? 0 : error_set_memory(error);
}
