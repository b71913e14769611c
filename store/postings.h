/*
 * postings.h - posting lists: short and ranged, and token positions, as docs/FORMAT.md lays them out.
 *
 * Encoders write to parts; decoders are pure and never trust a byte.
 */
#ifndef TRAWL_STORE_POSTINGS_H
#define TRAWL_STORE_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "store/format.h"
#include "store/length.h"
#include "store/store.h"

/* The denominator's K = k1 * (1 - b + b * length / average) for each length byte. */
void bm25_denominators(float k1, float b, float average, float denominators[256]);

static inline float saturation(uint32_t tf, float denominator)
{
	float frequency = (float)tf;
	return frequency / (frequency + denominator);
}

/* ---- encoding ---- */

/* Yields the positions of a list's postings one after the other: `count` of them, ascending, into `positions`. */
struct position_source {
	int (*next)(void *context, uint32_t count, uint32_t *positions, trawl_error *error);
	void *context;
};

struct postings_encoder {
	struct part_writer *postings, *positions; /* positions: NULL when the index has none */
	const uint8_t *lengths;                   /* of each docID */
	uint32_t documents;
	float denominators[256]; /* of the stored bounds */
	/* scratch */
	struct buffer chunks, gathered;
	uint32_t *position_scratch;
	size_t position_capacity;
	float *saturations;
	size_t saturation_capacity;
};

void postings_encoder_release(struct postings_encoder *encoder);

/* Write the list of a term: n > 0 postings with ascending docIDs. *list_address, *list_bytes and likewise for positions tell
 * where it went; the postings may have been padded to a new extent first. */
struct list_place {
	uint64_t postings, postings_bytes, positions, positions_bytes;
};

int postings_encode(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                    const struct position_source *source, struct list_place *place, trawl_error *error);

/* The positions of one posting alone (for the dictionary's df = 1 terms). */
int positions_encode(struct postings_encoder *encoder, uint32_t doc, uint32_t tf, const struct position_source *source,
                     trawl_error *error);

/* ---- decoding ---- */

/* Decode a short list of n postings from `bytes`; docs and tfs have room for n rounded up to SHORT_BLOCK. false: malformed
 * (docIDs not ascending or not below `documents`, counts that do not fit). */
bool short_list_decode(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents, uint32_t *docs,
                       uint32_t *tfs);

/* The head of a ranged list, in place. */
struct ranged_list {
	uint32_t df, groups;
	float maximum;      /* saturation */
	float seeds[3];     /* of the 10th, 100th, 1000th best */
	const uint8_t *codebook, *bounds, *directory;
	uint8_t shift, offset_bytes;
	uint64_t address; /* of the head */
};

bool ranged_list_open(struct ranged_list *list, const uint8_t *bytes, uint64_t left, uint64_t address,
                      uint32_t documents);

/* A chunk of a ranged list, parsed: one superblock's postings. */
struct chunk {
	uint32_t range_mask;   /* ranges with postings */
	uint32_t bitmap_mask;  /* of these, by rank: in bitmap form */
	uint32_t range_count;
	const uint8_t *headers; /* one byte a range */
	const uint8_t *bitmaps;
	const uint8_t *bytes;   /* byte-form postings */
	uint32_t byte_count;
	const uint8_t *codes;   /* 2 bits a bitmap posting */
	uint32_t bitmap_postings;
	const uint8_t *exceptions, *end;
	uint64_t positions;     /* address less the list's, if the list has positions */
	/* by rank: where the range's postings start, in `bytes` or (bitmap form) in `codes` */
	uint16_t starts[SUPERBLOCK_RANGES];
};

/* Where the chunk of superblock `superblock` is: address in the postings part and length; length 0: no postings. */
static inline uint64_t chunk_place(const struct ranged_list *list, uint32_t superblock, uint32_t *length)
{
	const uint8_t *group = list->directory + (uint64_t)(superblock / GROUP_SUPERBLOCKS) * GROUP_ENTRY;
	uint32_t within = superblock % GROUP_SUPERBLOCKS, before = 0;
	const uint8_t *lengths = group + 4;
	for (uint32_t i = 0; i < within; i++)
		before += lengths[i];
	*length = (uint32_t)lengths[within] << list->shift;
	uint32_t start;
	__builtin_memcpy(&start, group, 4);
	return list->address + start + ((uint64_t)before << list->shift);
}

static inline uint64_t group_positions(const struct ranged_list *list, uint32_t superblock)
{
	uint64_t positions;
	__builtin_memcpy(&positions, list->directory + (uint64_t)(superblock / GROUP_SUPERBLOCKS) * GROUP_ENTRY + 20, 8);
	return positions;
}

/* Parse a chunk of `length` bytes. false: malformed. */
bool chunk_open(struct chunk *chunk, const struct ranged_list *list, uint32_t superblock, const uint8_t *bytes,
                uint32_t length);

/* Decode range number `rank` (counted among the occupied ones) of a chunk: its document mask, and tfs of its documents in
 * order. Returns the number of postings. */
uint32_t chunk_range(const struct chunk *chunk, uint32_t rank, uint64_t *mask, uint32_t tfs[RANGE_DOCUMENTS]);

/* The document mask of range number `rank`. */
uint64_t chunk_range_mask(const struct chunk *chunk, uint32_t rank);

/* The tf of the document at `offset` in range number `rank`; 0 when it has no posting. */
uint32_t chunk_tf(const struct chunk *chunk, uint32_t rank, uint32_t offset);

/* How many exceptions the postings before number `index` of range number `rank` have, in the whole chunk. */
uint32_t chunk_exceptions_before(const struct chunk *chunk, uint32_t rank, uint32_t index);

/* The tf of exception number `index` of the chunk. */
uint32_t chunk_exception(const struct chunk *chunk, uint32_t index);

/* The 2-bit codes from number `first` on: 32 of them, low first. May load 9 bytes past the last. */
static inline uint64_t load_codes(const uint8_t *codes, uint32_t first)
{
	uint64_t low;
	__builtin_memcpy(&low, codes + first / 4, 8);
	uint32_t shift = first % 4 * 2;
	return shift ? low >> shift | (uint64_t)codes[first / 4 + 8] << (64 - shift) : low;
}

/* Positions of one posting: `count` = tf values, ascending, into `positions`; `bytes` hold position_bytes(tf, length) bytes and
 * 8 more may be loaded. false: malformed. */
bool positions_decode(const uint8_t *bytes, uint32_t tf, uint8_t length_code, uint32_t *positions);

#endif
