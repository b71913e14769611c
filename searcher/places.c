#include "searcher/places.h"

#include "base/error.h"
#include "searcher/open.h"
#include "segment/positions.h"

int places_open(struct places *places, struct segment *segment, const struct term_entry *entry, struct context *context)
{
	*places = (struct places){.segment = segment, .superblock = UINT32_MAX};
	int code = leaf_open(&places->leaf, segment, entry, &context->phrase_arena, context->error);
	places->address = 8 * places->leaf.positions;
	return code;
}

int places_reserve(uint32_t **array, size_t *capacity, size_t wanted, struct context *context)
{
	if (wanted <= *capacity)
		return 0;
	size_t room = wanted + wanted / 2 + 64;
	uint32_t *more = arena_new(&context->phrase_arena, room * sizeof *more);
	if (!more)
		return error_set_memory(context->error);
	*array = more;
	*capacity = room;
	return 0;
}

static int corrupt_postings(struct places *places, trawl_error *error)
{
	return part_corrupt(&places->segment->postings, 0, "a posting list that makes no sense", error);
}

static int find_in_sparse(struct places *places, uint32_t doc, uint64_t *address, trawl_error *error)
{
	const struct leaf *leaf = &places->leaf;
	const uint8_t *spans = places->segment->last_positions;
	for (; places->index < leaf->count && leaf->docs[places->index] < doc; places->index++)
		places->address += position_bits(leaf->tfs[places->index], spans[leaf->docs[places->index]]);
	if (places->index == leaf->count || leaf->docs[places->index] != doc)
		return corrupt_postings(places, error);
	places->tf = leaf->tfs[places->index];
	*address = places->address;
	return 0;
}

static int enter_superblock(struct places *places, uint32_t superblock, trawl_error *error)
{
	struct part *part = &places->segment->postings;
	uint32_t length;
	uint64_t left, address = chunk_place(&places->leaf.dense, superblock, &length);
	const uint8_t *bytes = length ? part_at(part, address, &left, error) : NULL;
	if (length && !bytes)
		return error_code(error);
	if (!length || length > left || !chunk_open(&places->chunk, &places->leaf.dense, superblock, bytes, length))
		return corrupt_postings(places, error);
	places->superblock = superblock;
	places->blocks = places->chunk.block_mask;
	places->rank = 0;
	places->decoded = false;
	places->address = 8 * places->leaf.positions + places->chunk.positions;
	return 0;
}

/* Bits of the positions of those `documents` of the block reached, its first ones. */
static uint64_t sum_bits(const struct places *places, uint64_t documents)
{
	uint32_t block = (uint32_t)__builtin_ctz(places->blocks), i = 0;
	const uint8_t *spans = places->segment->last_positions +
	                       ((size_t)places->superblock * SUPERBLOCK_BLOCKS + block) * BLOCK_DOCUMENTS;
	uint64_t bits = 0;
	for (uint64_t left = documents; left; left &= left - 1)
		bits += position_bits(places->tfs[i++], spans[__builtin_ctzll(left)]);
	return bits;
}

static void decode_block(struct places *places)
{
	if (!places->decoded)
		chunk_block(&places->chunk, places->rank, &places->mask, places->tfs);
	places->decoded = true;
}

static int find_in_dense(struct places *places, uint32_t doc, uint64_t *address, trawl_error *error)
{
	uint32_t block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
	uint64_t bit = (uint64_t)1 << (doc % BLOCK_DOCUMENTS);
	if (doc / SUPERBLOCK_DOCUMENTS != places->superblock) {
		int code = enter_superblock(places, doc / SUPERBLOCK_DOCUMENTS, error);
		if (code)
			return code;
	}
	while (places->blocks && (uint32_t)__builtin_ctz(places->blocks) < block) {
		decode_block(places);
		places->address += sum_bits(places, places->mask);
		places->blocks &= places->blocks - 1;
		places->rank++;
		places->decoded = false;
	}
	if (!(places->blocks >> block & 1))
		return corrupt_postings(places, error);
	decode_block(places);
	if (!(places->mask & bit))
		return corrupt_postings(places, error);
	uint64_t before = places->mask & (bit - 1);
	places->tf = places->tfs[__builtin_popcountll(before)];
	*address = places->address + sum_bits(places, before);
	return 0;
}

int places_find(struct places *places, uint32_t doc, struct context *context)
{
	trawl_error *error = context->error;
	struct part *part = &places->segment->positions;
	uint8_t span = places->segment->last_positions[doc];
	uint64_t address = 0;
	int code = places->leaf.kind == LEAF_SPARSE ? find_in_sparse(places, doc, &address, error)
	                                            : find_in_dense(places, doc, &address, error);
	if (code)
		return code;
	bool single = places->leaf.inline_position != POSITION_NONE;
	if (!places->tf || places->tf > length_longest(span) || (single && places->tf > 1))
		return part_corrupt(part, address / 8, "more occurrences than places", error);
	const uint8_t *bytes = NULL;
	if (!single) {
		uint64_t size = bytes_of_bits(address % 8, position_bits(places->tf, span));
		bytes = part_read(part, address / 8, size, &context->gather, error);
		if (!bytes)
			return error_code(error);
	}
	code = places_reserve(&places->at, &places->capacity, places->tf, context);
	if (code)
		return code;
	if (single)
		places->at[0] = places->leaf.inline_position;
	else if (!positions_decode(bytes, address % 8, places->tf, span, places->at))
		return part_corrupt(part, address / 8, "positions that make no sense", error);
	return 0;
}
