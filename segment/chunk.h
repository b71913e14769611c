/*
 * chunk.h - reading dense lists: heads, and the chunks of superblocks (docs/FORMAT.md, Dense list).
 *
 * Inline, because every kernel compiles it for its own instruction set. Bytes are not trusted: what does not fit is refused
 * by the two _open functions, and the rest stays within the extent and its slack whatever the bytes are.
 */
#ifndef TRAWL_SEGMENT_CHUNK_H
#define TRAWL_SEGMENT_CHUNK_H

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "segment/postings.h"

/* The head of a dense list, in place. */
struct dense_list {
	uint32_t df, groups;
	float maximum;   /* saturation */
	float floors[3]; /* of the 10th, 100th, 1000th best */
	const uint8_t *codebook, *bounds, *directory;
	uint8_t shift, offset_bytes, exception_bits;
	uint64_t address; /* of the head */
};

/* A chunk of a dense list, parsed: one superblock's postings. */
struct chunk {
	uint32_t block_mask;  /* blocks with postings */
	uint32_t bitmap_mask; /* of these, by rank: in bitmap form */
	uint32_t block_count;
	const uint8_t *headers; /* one byte a block */
	const uint8_t *bitmaps;
	const uint8_t *bytes; /* byte-form postings */
	uint32_t byte_count;
	const uint8_t *codes; /* 2 bits a bitmap posting */
	uint32_t bitmap_postings;
	const uint8_t *exceptions, *end;
	uint32_t exception_bits; /* of each exception: 4 or 8 */
	uint64_t positions;      /* bits of those before its first posting's, if the list has positions */
	/* by rank: where the block's postings start, in `bytes` or (bitmap form) in `codes` */
	uint16_t starts[SUPERBLOCK_BLOCKS];
	/* filled when first needed: exceptions before each 32nd 2-bit code, of which there may be SUPERBLOCK_DOCUMENTS */
	bool measured;
	uint16_t exceptions_before[SUPERBLOCK_DOCUMENTS / 32 + 1];
};

/* Where the chunk of superblock `superblock` is: address in the postings part and length; length 0: no postings. */
static inline uint64_t chunk_place(const struct dense_list *list, uint32_t superblock, uint32_t *length)
{
	const uint8_t *group = list->directory + (uint64_t)(superblock / GROUP_SUPERBLOCKS) * GROUP_ENTRY;
	uint32_t within = superblock % GROUP_SUPERBLOCKS, before = 0;
	const uint8_t *lengths = group + 4;
#if defined(__SSE2__)
	__m128i index = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i earlier = _mm_cmplt_epi8(index, _mm_set1_epi8((char)within));
	__m128i sums =
	    _mm_sad_epu8(_mm_and_si128(_mm_loadu_si128((const __m128i *)lengths), earlier), _mm_setzero_si128());
	before = (uint32_t)_mm_cvtsi128_si32(sums) + (uint32_t)_mm_extract_epi16(sums, 4);
#else
	for (uint32_t i = 0; i < within; i++)
		before += lengths[i];
#endif
	*length = (uint32_t)lengths[within] << list->shift;
	uint32_t start;
	__builtin_memcpy(&start, group, 4);
	return list->address + start + ((uint64_t)before << list->shift);
}

static inline uint64_t group_positions(const struct dense_list *list, uint32_t superblock)
{
	uint64_t positions;
	__builtin_memcpy(&positions, list->directory + (uint64_t)(superblock / GROUP_SUPERBLOCKS) * GROUP_ENTRY + 20,
	                 8);
	return positions;
}

/* The 2-bit codes from number `first` on: 32 of them, low first. May load 9 bytes past the last. */
static inline uint64_t load_codes(const uint8_t *codes, uint32_t first)
{
	uint64_t low;
	__builtin_memcpy(&low, codes + first / 4, 8);
	uint32_t shift = first % 4 * 2;
	return shift ? low >> shift | (uint64_t)codes[first / 4 + 8] << (64 - shift) : low;
}

/* Read the head of a dense list at `address`; `left` bytes of it are in reach. false: malformed. */
static inline bool dense_list_open(struct dense_list *list, const uint8_t *bytes, uint64_t left, uint64_t address,
                                   uint32_t documents)
{
	uint32_t groups = group_count(documents);
	if (left < DENSE_HEAD + (uint64_t)groups * (GROUP_SUPERBLOCKS + GROUP_ENTRY) || load32(bytes + 40) != groups)
		return false;
	list->df = load32(bytes);
	memcpy(&list->maximum, bytes + 4, 4);
	memcpy(list->floors, bytes + 8, 12);
	list->codebook = bytes + 20;
	list->shift = bytes[36];
	list->offset_bytes = bytes[37];
	list->exception_bits = bytes[38];
	list->groups = groups;
	list->bounds = bytes + DENSE_HEAD;
	list->directory = list->bounds + (uint64_t)groups * GROUP_SUPERBLOCKS;
	list->address = address;
	return list->shift < 16 && (list->offset_bytes == 0 || list->offset_bytes == 2 || list->offset_bytes == 4) &&
	       (list->exception_bits == 4 || list->exception_bits == 8) && list->maximum > 0 && list->maximum <= 1;
}

/* From the header bytes of a chunk's blocks: where each one's byte-form postings start, how many there are in all, and which
 * blocks are in bitmap form (returned). */
static inline uint32_t chunk_starts(struct chunk *chunk, const uint8_t *headers, uint32_t blocks, uint32_t *byte_count)
{
	uint32_t bitmap_mask = 0, count = 0;
#if defined(__SSE2__)
	/* 16 headers at once: (n + 1) & 15 postings, 0 for bitmaps, and their running sum, which stays below 256. */
	uint32_t present = (1u << blocks) - 1;
	__m128i low = _mm_set1_epi8(15), n = _mm_and_si128(_mm_loadu_si128((const __m128i *)headers), low);
	__m128i index = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i valid = _mm_cmplt_epi8(index, _mm_set1_epi8((char)blocks));
	bitmap_mask = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(n, low)) & present;
	__m128i own = _mm_and_si128(_mm_and_si128(_mm_add_epi8(n, _mm_set1_epi8(1)), low), valid);
	__m128i sum = _mm_add_epi8(own, _mm_slli_si128(own, 1));
	sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 2));
	sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 4));
	sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 8));
	count = (uint32_t)_mm_extract_epi16(sum, 7) >> 8;
	__m128i before = _mm_sub_epi8(sum, own), zero = _mm_setzero_si128();
	_mm_storeu_si128((__m128i *)chunk->starts, _mm_unpacklo_epi8(before, zero));
	_mm_storeu_si128((__m128i *)(chunk->starts + 8), _mm_unpackhi_epi8(before, zero));
#else
	for (uint32_t rank = 0; rank < blocks; rank++) {
		uint32_t n = (headers[rank] & 15u) + 1;
		chunk->starts[rank] = (uint16_t)count;
		bitmap_mask |= (n >> 4) << rank;
		count += n & 15;
	}
#endif
	*byte_count = count;
	return bitmap_mask;
}

/* Parse as much of a chunk of `length` bytes as tells its documents. false: malformed. */
static inline bool chunk_open_documents(struct chunk *chunk, const struct dense_list *list, const uint8_t *bytes,
                                        uint32_t length)
{
	const uint8_t *end = bytes + length;
	if (length < list->offset_bytes + 2u)
		return false;
	bytes += list->offset_bytes;
	uint32_t mask = load16(bytes), blocks = (uint32_t)__builtin_popcount(mask);
	bytes += 2;
	chunk->measured = false;
	chunk->block_mask = mask;
	chunk->block_count = blocks;
	chunk->headers = bytes;
	if ((uint64_t)(end - bytes) < blocks)
		return false;
	uint32_t byte_count, bitmap_mask = chunk_starts(chunk, bytes, blocks, &byte_count);
	bytes += blocks;
	chunk->bitmap_mask = bitmap_mask;
	chunk->byte_count = byte_count;
	chunk->bitmaps = bytes;
	uint32_t bitmap_count = (uint32_t)__builtin_popcount(bitmap_mask);
	chunk->bytes = bytes + 8 * (uint64_t)bitmap_count;
	chunk->end = end;
	return (uint64_t)(end - bytes) >= 8 * (uint64_t)bitmap_count + byte_count;
}

/* Parse a chunk of `length` bytes. false: malformed. */
static inline bool chunk_open(struct chunk *chunk, const struct dense_list *list, uint32_t superblock,
                              const uint8_t *bytes, uint32_t length)
{
	if (!chunk_open_documents(chunk, list, bytes, length))
		return false;
	uint64_t offset = list->offset_bytes == 2 ? load16(bytes) : load32(bytes);
	chunk->positions = list->offset_bytes ? group_positions(list, superblock) + offset : 0;
	const uint8_t *bitmap = chunk->bitmaps;
	uint32_t postings = 0;
	for (uint32_t left = chunk->bitmap_mask; left; left &= left - 1, bitmap += 8) {
		chunk->starts[__builtin_ctz(left)] = (uint16_t)postings;
		postings += (uint32_t)__builtin_popcountll(load64(bitmap));
	}
	chunk->codes = chunk->bytes + chunk->byte_count;
	chunk->bitmap_postings = postings;
	chunk->exceptions = chunk->codes + (postings + 3) / 4;
	chunk->exception_bits = list->exception_bits;
	return chunk->exceptions <= chunk->end;
}

#define CODE_LOW_BITS 0x5555555555555555u
#define BYTE_HIGH_BITS 0x8080808080808080u

/* Of the first n 2-bit codes, how many are 3. */
static inline uint32_t large_codes(const uint8_t *codes, uint32_t n)
{
	uint32_t large = 0;
	for (uint32_t i = 0; i < n; i += 32) {
		uint64_t word = load64(codes + i / 4);
		uint64_t wanted = n - i < 32 ? CODE_LOW_BITS & (((uint64_t)1 << (2 * (n - i))) - 1) : CODE_LOW_BITS;
		large += (uint32_t)__builtin_popcountll(word & word >> 1 & wanted);
	}
	return large;
}

/* Of the first n byte-form postings, how many have the code 3. */
static inline uint32_t large_bytes(const uint8_t *bytes, uint32_t n)
{
	uint32_t large = 0;
	for (uint32_t i = 0; i < n; i += 8) {
		uint64_t word = load64(bytes + i);
		uint64_t wanted = n - i < 8 ? BYTE_HIGH_BITS & (((uint64_t)1 << (8 * (n - i))) - 1) : BYTE_HIGH_BITS;
		large += (uint32_t)__builtin_popcountll(word & word << 1 & wanted);
	}
	return large;
}

/* Words of frequent terms are asked for again and again. */
static inline void chunk_measure(struct chunk *chunk)
{
	uint32_t large = large_bytes(chunk->bytes, chunk->byte_count);
	for (uint32_t i = 0; i <= chunk->bitmap_postings / 32; i++) {
		uint64_t word = load64(chunk->codes + i * 8);
		chunk->exceptions_before[i] = (uint16_t)large;
		large += (uint32_t)__builtin_popcountll(word & word >> 1 & CODE_LOW_BITS);
	}
	chunk->measured = true;
}

/* How many exceptions the postings before number `index` of block number `rank` have, in the whole chunk. */
static inline uint32_t chunk_exceptions_before(struct chunk *chunk, uint32_t rank, uint32_t index)
{
	uint32_t before = chunk->starts[rank] + index;
	if (!(chunk->bitmap_mask >> rank & 1))
		return large_bytes(chunk->bytes, before);
	if (!chunk->measured)
		chunk_measure(chunk);
	return chunk->exceptions_before[before / 32] + large_codes(chunk->codes + before / 32 * 8, before % 32);
}

/* What is stored for exception number `index` of the chunk: tf - 4, or the most that its bits hold. */
static inline uint32_t chunk_exception_value(const struct chunk *chunk, uint32_t index)
{
	uint32_t bit = index * chunk->exception_bits;
	/* It points into the chunk's bytes from its opening on. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return chunk->exceptions[bit / 8] >> (bit % 8) & ((1u << chunk->exception_bits) - 1);
}

/* Of the first n exceptions, how many did not fit their bits. */
static inline uint32_t chunk_overflow(const struct chunk *chunk, uint32_t n)
{
	uint32_t bits = chunk->exception_bits, last = n * bits, overflow = 0;
	for (uint32_t bit = 0; bit < last; bit += 64) {
		uint64_t word = load64(chunk->exceptions + bit / 8);
		if (last - bit < 64)
			word &= ((uint64_t)1 << (last - bit)) - 1;
		word &= word >> 2;
		word &= word >> 1; /* bit 4i: all of nibble i */
		if (bits == 8)
			word &= word >> 4;
		overflow +=
		    (uint32_t)__builtin_popcountll(word & (bits == 4 ? 0x1111111111111111u : 0x0101010101010101u));
	}
	return overflow;
}

/* The tf of exception number `index` of the chunk. A malformed chunk gives a wrong tf, never a load outside the extent and its
 * slack. */
static inline uint32_t chunk_exception(const struct chunk *chunk, uint32_t index)
{
	uint32_t most = (1u << chunk->exception_bits) - 1;
	if (chunk->exceptions + index * chunk->exception_bits / 8 >= chunk->end)
		return 4;
	uint32_t value = chunk_exception_value(chunk, index);
	if (value < most)
		return value + 4;
	uint32_t total =
	    large_bytes(chunk->bytes, chunk->byte_count) + large_codes(chunk->codes, chunk->bitmap_postings);
	uint32_t overflow = chunk_overflow(chunk, index);
	const uint8_t *at = chunk->exceptions + (total * chunk->exception_bits + 7) / 8 + 4 * (uint64_t)overflow;
	uint32_t tf = at + 4 <= chunk->end ? load32(at) : 4;
	return tf ? tf : 4;
}

static inline const uint8_t *chunk_bitmap(const struct chunk *chunk, uint32_t rank)
{
	return chunk->bitmaps + 8 * (uint64_t)__builtin_popcount(chunk->bitmap_mask & ((1u << rank) - 1));
}

static inline uint64_t offsets_mask_plain(const uint8_t *bytes, uint32_t count)
{
	uint64_t mask = 0;
	for (uint32_t i = 0; i < count; i++)
		mask |= (uint64_t)1 << (bytes[i] & 63);
	return mask;
}

/* The document mask of block number `rank`. */
static inline uint64_t chunk_block_mask(const struct chunk *chunk, uint32_t rank)
{
	if (chunk->bitmap_mask >> rank & 1)
		return load64(chunk_bitmap(chunk, rank));
	return offsets_mask_plain(chunk->bytes + chunk->starts[rank], (chunk->headers[rank] & 15u) + 1);
}

/* The index of the byte-form posting with this offset among `count`, or UINT32_MAX. */
static inline uint32_t chunk_find_offset(const uint8_t *bytes, uint32_t count, uint32_t offset)
{
#if defined(__SSE2__)
	__m128i offsets = _mm_and_si128(_mm_loadu_si128((const __m128i *)bytes), _mm_set1_epi8(63));
	uint32_t found = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(offsets, _mm_set1_epi8((char)offset)));
	found &= (1u << count) - 1;
	return found ? (uint32_t)__builtin_ctz(found) : UINT32_MAX;
#else
	for (uint32_t i = 0; i < count; i++)
		if ((bytes[i] & 63) == offset)
			return i;
	return UINT32_MAX;
#endif
}

/* The tf of the document at `offset` in block number `rank`; 0 when it has no posting. */
static inline uint32_t chunk_tf(struct chunk *chunk, uint32_t rank, uint32_t offset)
{
	uint32_t index = 0, code;
	if (chunk->bitmap_mask >> rank & 1) {
		uint64_t bitmap = load64(chunk_bitmap(chunk, rank));
		if (!(bitmap >> offset & 1))
			return 0;
		index = (uint32_t)__builtin_popcountll(bitmap & (((uint64_t)1 << offset) - 1));
		uint32_t at = chunk->starts[rank] + index;
		code = chunk->codes[at / 4] >> (at % 4 * 2) & 3;
	} else {
		const uint8_t *bytes = chunk->bytes + chunk->starts[rank];
		index = chunk_find_offset(bytes, (chunk->headers[rank] & 15u) + 1, offset);
		if (index == UINT32_MAX)
			return 0;
		code = bytes[index] >> 6;
	}
	return code < 3 ? code + 1 : chunk_exception(chunk, chunk_exceptions_before(chunk, rank, index));
}

/* Decode block number `rank` (counted among the occupied ones): its document mask, and tfs of its documents in order. Returns
 * the number of postings. */
static inline uint32_t chunk_block(struct chunk *chunk, uint32_t rank, uint64_t *mask, uint32_t tfs[BLOCK_DOCUMENTS])
{
	uint32_t exception = UINT32_MAX, count;
	if (chunk->bitmap_mask >> rank & 1) {
		*mask = load64(chunk_bitmap(chunk, rank));
		count = (uint32_t)__builtin_popcountll(*mask);
		for (uint32_t i = 0; i < count; i += 32) {
			uint64_t codes = load_codes(chunk->codes, chunk->starts[rank] + i);
			for (uint32_t j = i; j < i + 32; j++, codes >>= 2) /* up to 64 */
				tfs[j] = (codes & 3) + 1;
		}
	} else {
		const uint8_t *bytes = chunk->bytes + chunk->starts[rank];
		count = (chunk->headers[rank] & 15u) + 1;
		*mask = 0;
		for (uint32_t i = 0; i < count; i++) {
			*mask |= (uint64_t)1 << (bytes[i] & 63);
			tfs[i] = (bytes[i] >> 6) + 1u;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		if (tfs[i] == 4) {
			if (exception == UINT32_MAX)
				exception = chunk_exceptions_before(chunk, rank, i);
			tfs[i] = chunk_exception(chunk, exception++);
		}
	return count;
}

#endif
