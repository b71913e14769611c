/* kernel_avx2.c - AVX2 and BMI2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "searcher/plain.h"
#include "searcher/sums_sse.h"

#define VECTOR_BYTES 32
#define NARROWED 4
#include "searcher/vectors.h"

static inline __m256 widen(const uint8_t *bytes)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes)));
}

static void add_bounds(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m256 factor = _mm256_set1_ps(step);
	for (uint32_t i = 0; i < n; i += 8)
		_mm256_storeu_ps(sums + i,
		                 _mm256_add_ps(_mm256_loadu_ps(sums + i), _mm256_mul_ps(factor, widen(bounds + i))));
}

static void add_required(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m256 factor = _mm256_set1_ps(step), never = _mm256_set1_ps(-INFINITY), zero = _mm256_setzero_ps();
	for (uint32_t i = 0; i < n; i += 8) {
		__m256 bound = widen(bounds + i);
		__m256 sum = _mm256_add_ps(_mm256_loadu_ps(sums + i), _mm256_mul_ps(factor, bound));
		_mm256_storeu_ps(sums + i, _mm256_blendv_ps(sum, never, _mm256_cmp_ps(bound, zero, _CMP_EQ_OQ)));
	}
}

static uint32_t select_sums(const float *sums, float threshold, uint32_t n, uint32_t *indices)
{
	__m256 least = _mm256_set1_ps(threshold), zero = _mm256_setzero_ps();
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i += 8) {
		__m256 sum = _mm256_loadu_ps(sums + i);
		__m256 keep =
		    _mm256_and_ps(_mm256_cmp_ps(sum, least, _CMP_GE_OQ), _mm256_cmp_ps(sum, zero, _CMP_GT_OQ));
		for (uint32_t mask = (uint32_t)_mm256_movemask_ps(keep); mask; mask &= mask - 1)
			indices[count++] = i + (uint32_t)__builtin_ctz(mask);
	}
	return count;
}

static uint64_t at_least(const float scores[BLOCK_DOCUMENTS], float threshold)
{
	__m256 least = _mm256_set1_ps(threshold);
	uint64_t mask = 0;
	for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i += 8) {
		__m256 keep = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), least, _CMP_GE_OQ);
		mask |= (uint64_t)(uint32_t)_mm256_movemask_ps(keep) << i;
	}
	return mask;
}

static uint32_t blocks_at_least(const float bounds[SUPERBLOCK_BLOCKS], float threshold)
{
	__m256 least = _mm256_set1_ps(threshold);
	__m256 low = _mm256_cmp_ps(_mm256_loadu_ps(bounds), least, _CMP_GE_OQ);
	__m256 high = _mm256_cmp_ps(_mm256_loadu_ps(bounds + 8), least, _CMP_GE_OQ);
	return (uint32_t)_mm256_movemask_ps(low) | (uint32_t)_mm256_movemask_ps(high) << 8;
}

static uint32_t among_shorts(const uint16_t a[SHORTS_MAX], uint32_t n, const uint16_t b[SHORTS_MAX], uint16_t delta)
{
	__m256i low = _mm256_loadu_si256((const __m256i *)b), high = _mm256_loadu_si256((const __m256i *)(b + 16));
	uint32_t found = 0;
	for (uint32_t i = 0; i < n; i++) {
		__m256i wanted = _mm256_set1_epi16((short)(a[i] + delta));
		__m256i equal = _mm256_or_si256(_mm256_cmpeq_epi16(low, wanted), _mm256_cmpeq_epi16(high, wanted));
		found |= (uint32_t)!_mm256_testz_si256(equal, equal) << i;
	}
	return found;
}

/* Four positions at a time: pdep spreads low parts to 16 bits each; the places of the ones, less their numbers, are the high parts. */
static bool decode_shorts(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                          uint16_t positions[SHORTS_MAX])
{
	const uint64_t each = 0x0001000100010001, none = each * SHORT_NONE;
	uint32_t last = position_last(span), low = position_low_bits(tf, last), unary = first + tf * low, bit = first;
	uint32_t bits = tf + (last >> low);
	if (bits > 64)
		return decode_shorts_plain(bytes, first, tf, span, positions);
	uint64_t ones = load64(bytes + unary / 8) >> (unary % 8);
	ones |= (uint64_t)bytes[unary / 8 + 8] << 1 << (63 - unary % 8);
	ones = _bzhi_u64(ones, bits);
	if ((uint32_t)__builtin_popcountll(ones) < tf)
		return false;
	uint64_t low_bits = each * ((1u << low) - 1), numbers = 0x0003000200010000, four = none;
	__m256i nones = _mm256_set1_epi16((short)SHORT_NONE);
	_mm256_storeu_si256((__m256i *)positions, nones);
	_mm256_storeu_si256((__m256i *)(positions + 16), nones);
	for (uint32_t i = 0; i < tf; i += 4) {
		uint64_t high = 0;
#pragma GCC unroll 4
		for (uint32_t k = 0; k < 64; k += 16, ones &= ones - 1)
			high |= _tzcnt_u64(ones) << k;
		four = _pdep_u64(load64(bytes + bit / 8) >> (bit % 8), low_bits) | (high - numbers) << low;
		memcpy(positions + i, &four, sizeof four);
		bit += 4 * low;
		numbers += each * 4;
	}
	if (tf % 4) {
		uint64_t present = ((uint64_t)1 << (16 * (tf % 4))) - 1;
		four = (four & present) | (none & ~present);
		memcpy(positions + (tf & ~3u), &four, sizeof four);
	}
	return true;
}

/* The mask of the offsets of `count` byte-form postings: shift a one for each, and OR them all. Those behind the last get a shift that
 * leaves nothing. */
static inline uint64_t bytes_mask(const uint8_t *bytes, uint32_t count)
{
	const __m128i index = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i offsets = _mm_and_si128(_mm_loadu_si128((const __m128i *)bytes), _mm_set1_epi8(63));
	offsets = _mm_or_si128(offsets, _mm_cmpgt_epi8(index, _mm_set1_epi8((char)(count - 1))));
	__m256i one = _mm256_set1_epi64x(1), bits = _mm256_sllv_epi64(one, _mm256_cvtepu8_epi64(offsets));
	bits = _mm256_or_si256(bits, _mm256_sllv_epi64(one, _mm256_cvtepu8_epi64(_mm_srli_si128(offsets, 4))));
	if (count > 8) {
		bits = _mm256_or_si256(bits, _mm256_sllv_epi64(one, _mm256_cvtepu8_epi64(_mm_srli_si128(offsets, 8))));
		bits = _mm256_or_si256(bits, _mm256_sllv_epi64(one, _mm256_cvtepu8_epi64(_mm_srli_si128(offsets, 12))));
	}
	__m128i pair = _mm_or_si128(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
	return (uint64_t)(_mm_cvtsi128_si64(pair) | _mm_extract_epi64(pair, 1));
}

static uint64_t block_mask(const struct chunk *chunk, uint32_t rank)
{
	if (chunk->bitmap_mask >> rank & 1)
		return load64(chunk_bitmap(chunk, rank));
	return bytes_mask(chunk->bytes + chunk->starts[rank], (chunk->headers[rank] & 15u) + 1);
}

/* The tfs, one byte each, of a bitmap block: four 2-bit codes a byte, pulled apart and put in order again. */
static inline void bitmap_tfs(const struct chunk *chunk, uint32_t rank, __m256i tfs[2])
{
	uint32_t start = chunk->starts[rank];
	__m128i both =
	    _mm_set_epi64x((long long)load_codes(chunk->codes, start + 32), (long long)load_codes(chunk->codes, start));
	/* Unpacking takes each lane's first bytes: let them be those of the first vector's lanes, then of the second's. */
	__m256i codes =
	    _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(both), _mm256_setr_epi32(0, 2, 0, 0, 1, 3, 0, 0));
	__m256i three = _mm256_set1_epi8(3), one = _mm256_set1_epi8(1);
	__m256i a = _mm256_and_si256(codes, three), b = _mm256_and_si256(_mm256_srli_epi16(codes, 2), three);
	__m256i c = _mm256_and_si256(_mm256_srli_epi16(codes, 4), three);
	__m256i d = _mm256_and_si256(_mm256_srli_epi16(codes, 6), three);
	__m256i ab = _mm256_unpacklo_epi8(a, b), cd = _mm256_unpacklo_epi8(c, d);
	tfs[0] = _mm256_add_epi8(_mm256_unpacklo_epi16(ab, cd), one);
	tfs[1] = _mm256_add_epi8(_mm256_unpackhi_epi16(ab, cd), one);
}

/* The same of a block in byte form. */
static inline __m128i bytes_tfs(const struct chunk *chunk, uint32_t rank)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
	return _mm_add_epi8(_mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3)), _mm_set1_epi8(1));
}

/* bit i: bytes[i] >= least */
static inline uint64_t bytes_at_least(const uint8_t bytes[BLOCK_DOCUMENTS], uint8_t least)
{
	/* Unsigned bytes compare as: a >= b where max(a, b) = a. */
	__m256i bound = _mm256_set1_epi8((char)least);
	__m256i low = _mm256_loadu_si256((const __m256i *)bytes),
	        high = _mm256_loadu_si256((const __m256i *)(bytes + 32));
	uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(low, bound), low));
	uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(high, bound), high));
	return (uint64_t)high_mask << 32 | low_mask;
}

/* Eight bytes at a time: a bit of the mask becomes a byte of ones, and pext pulls those bytes together. */
static void pick_bytes(const uint8_t *bytes, uint64_t documents, uint8_t *out)
{
	for (; documents; documents >>= 8, bytes += 8) {
		uint64_t wanted = _pdep_u64(documents & 255, 0x0101010101010101) * 255;
		uint64_t picked = _pext_u64(load64(bytes), wanted);
		memcpy(out, &picked, sizeof picked);
		out += __builtin_popcountll(documents & 255);
	}
}

/* What is stored for `count` exceptions from number `first` on, a byte each, maybe in `room`. NULL: not all are in the
 * chunk. */
static inline const uint8_t *exception_values(const struct chunk *chunk, uint32_t first, uint32_t count,
                                              uint8_t room[BLOCK_DOCUMENTS + 8])
{
	uint32_t bits = chunk->exception_bits;
	if (chunk->exceptions + ((first + count) * bits + 7) / 8 > chunk->end)
		return NULL;
	if (bits == 8)
		return chunk->exceptions + first;
	for (uint32_t i = 0; i < count; i += 8) {
		uint64_t nibbles = load64(chunk->exceptions + (first + i) / 2) >> (first % 2 * 4);
		nibbles = _pdep_u64(nibbles, 0x0f0f0f0f0f0f0f0f);
		memcpy(room + i, &nibbles, sizeof nibbles);
	}
	return room;
}

static bool pick_tfs(struct chunk *chunk, uint32_t rank, uint64_t mask, uint64_t documents, uint8_t *out)
{
	uint8_t tfs[BLOCK_DOCUMENTS], some[BLOCK_DOCUMENTS + 8];
	/* Of the postings in order, those that are wanted; of the documents in order, those that have a posting. */
	uint64_t wanted = _pext_u64(documents, mask), places = _pext_u64(mask, documents);
	if (chunk->bitmap_mask >> rank & 1) {
		__m256i halves[2];
		bitmap_tfs(chunk, rank, halves);
		_mm256_storeu_si256((__m256i *)tfs, halves[0]);
		_mm256_storeu_si256((__m256i *)(tfs + 32), halves[1]);
	} else {
		_mm_storeu_si128((__m128i *)tfs, bytes_tfs(chunk, rank));
		memset(tfs + 16, 0, sizeof tfs - 16);
	}
	uint64_t large = bytes_at_least(tfs, 4);
	uint32_t first = large & wanted ? chunk_exceptions_before(chunk, rank, 0) : 0;
	uint32_t most = (1u << chunk->exception_bits) - 1;
	uint8_t room[BLOCK_DOCUMENTS + 8];
	const uint8_t *values = exception_values(chunk, first, (uint32_t)__builtin_popcountll(large), room);
	if (large & wanted && !values)
		return pick_tfs_plain(chunk, rank, documents, out);
	for (uint64_t left = large & wanted; left; left &= left - 1) {
		uint32_t number = (uint32_t)__builtin_popcountll(large & ((left & -left) - 1));
		uint32_t tf = values[number] < most ? values[number] + 4u : chunk_exception(chunk, first + number);
		if (tf > 255)
			return false;
		tfs[__builtin_ctzll(left)] = (uint8_t)tf;
	}
	if (!(documents & ~mask)) {
		pick_bytes(tfs, wanted, out);
		return true;
	}
	pick_bytes(tfs, wanted, some);
	const uint8_t *next = some;
	for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i += 8, places >>= 8) {
		uint64_t spread = _pdep_u64(load64(next), _pdep_u64(places & 255, 0x0101010101010101) * 255);
		memcpy(out + i, &spread, sizeof spread);
		next += __builtin_popcountll(places & 255);
	}
	return true;
}

static void find_denominators(const float denominators[256], const uint8_t *lengths, uint32_t n, float *out)
{
	find_denominators_plain(denominators, lengths, n, out);
}

static void add_saturations(const uint8_t *tfs, const float *denominators, float weight, uint32_t n, float *scores)
{
	__m256 factor = _mm256_set1_ps(weight), zero = _mm256_setzero_ps();
	for (uint32_t i = 0; i < n; i += 8) {
		__m256 tf = widen(tfs + i), sum = _mm256_loadu_ps(scores + i);
		__m256 part = _mm256_div_ps(tf, _mm256_add_ps(tf, _mm256_loadu_ps(denominators + i)));
		/* 0 / (0 + 0) is not a number */
		part = _mm256_and_ps(_mm256_mul_ps(factor, part), _mm256_cmp_ps(tf, zero, _CMP_GT_OQ));
		_mm256_storeu_ps(scores + i, _mm256_add_ps(sum, part));
	}
}

static void score_postings(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
                           const struct scorer *scorer, float weight, float *scores)
{
	score_postings_plain(docs, tfs, n, lengths, scorer, weight, scores);
}

/* ---- sizes of positions ---- */

/* What they are found for by vector; and span bytes below 128. */
#define NARROW_TF_MAX 127

static inline __m256i twice(__m128i bytes)
{
	return _mm256_broadcastsi128_si256(bytes);
}

/* Of a table, row number `row` of 16 bytes, for the indices in it; 0 for all others, which get the bit by which a shuffle gives 0. */
static inline __m256i look_up_row(__m128i bytes, uint32_t row, __m256i index)
{
	__m256i within = _mm256_sub_epi8(index, _mm256_set1_epi8((char)(16 * row)));
	return _mm256_shuffle_epi8(twice(bytes), _mm256_adds_epu8(within, _mm256_set1_epi8(0x70)));
}

/* table[index[i]], indices below 64: a shuffle heeds the low 4 bits, the others choose. */
static inline __m256i look_up_64(const uint8_t *table, __m256i index)
{
	const __m128i *rows = (const __m128i *)table;
	__m256i bit_4 = _mm256_slli_epi16(index, 3), bit_5 = _mm256_slli_epi16(index, 2);
	__m256i a = _mm256_shuffle_epi8(twice(_mm_loadu_si128(rows)), index);
	__m256i b = _mm256_shuffle_epi8(twice(_mm_loadu_si128(rows + 1)), index);
	__m256i c = _mm256_shuffle_epi8(twice(_mm_loadu_si128(rows + 2)), index);
	__m256i d = _mm256_shuffle_epi8(twice(_mm_loadu_si128(rows + 3)), index);
	return _mm256_blendv_epi8(_mm256_blendv_epi8(a, b, bit_4), _mm256_blendv_epi8(c, d, bit_4), bit_5);
}

/* the same below 128 */
static inline __m256i look_up_128(const uint8_t *table, __m256i index)
{
	__m256i bit_6 = _mm256_slli_epi16(index, 1);
	return _mm256_blendv_epi8(look_up_64(table, index), look_up_64(table + 64, index), bit_6);
}

/* position_bits of Elias-Fano are tf * each + rest: the bits of a low part and one, and position_last >> low; `gaps` are the
 * position_gap_bits. */
static inline void fano_sizes(__m256i tfs, __m256i spans, __m256i gaps, __m256i *each, __m256i *rest)
{
	/* by span byte: the 8 leading bits of position_last */
	static const uint8_t leading[128] = {
	    0,   0,   128, 128, 192, 128, 160, 192, 224, 128, 144, 160, 176, 192, 208, 224, 240, 128, 136,
	    144, 152, 160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 240, 248, 128, 132, 136, 140, 144,
	    148, 152, 160, 168, 176, 184, 192, 200, 208, 216, 232, 248, 132, 140, 148, 156, 164, 172, 188,
	    204, 220, 236, 252, 134, 142, 150, 166, 182, 198, 214, 230, 246, 131, 139, 155, 171, 187, 203,
	    219, 235, 251, 133, 149, 165, 181, 197, 213, 229, 245, 130, 146, 162, 178, 194, 210, 226, 242,
	    129, 145, 161, 177, 193, 209, 225, 241, 128, 144, 160, 176, 192, 208, 224, 240, 128, 144, 160,
	    176, 192, 208, 224, 240, 128, 144, 160, 176, 192, 208, 224, 240, 128};
	const __m256i nibble = _mm256_set1_epi8(15), even = _mm256_set1_epi16(255);
	const __m256i low_logs = twice(_mm_setr_epi8(0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3));
	const __m256i high_logs = twice(_mm_setr_epi8(0, 4, 5, 5, 6, 6, 6, 6, 0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i powers = twice(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	__m256i log = _mm256_shuffle_epi8(low_logs, _mm256_and_si256(tfs, nibble));
	__m256i high_nibble = _mm256_and_si256(_mm256_srli_epi16(tfs, 4), nibble);
	log = _mm256_min_epu8(_mm256_max_epu8(log, _mm256_shuffle_epi8(high_logs, high_nibble)), gaps);
	/* With gap - log - 1 low bits, the log + 2 leading bits of position_last are its rest; with gap - log, one bit fewer. */
	__m256i bits = look_up_128(leading, spans), power = _mm256_shuffle_epi8(powers, log);
	__m256i evens = _mm256_srli_epi16(_mm256_maddubs_epi16(bits, _mm256_and_si256(power, even)), 6);
	__m256i odds = _mm256_slli_epi16(_mm256_maddubs_epi16(bits, _mm256_andnot_si256(even, power)), 2);
	__m256i more = _mm256_or_si256(evens, _mm256_andnot_si256(even, odds));
	__m256i fewer = _mm256_and_si256(_mm256_srli_epi16(more, 1), _mm256_set1_epi8(127));
	__m256i too_many = _mm256_and_si256(_mm256_cmpgt_epi8(tfs, fewer), _mm256_cmpgt_epi8(gaps, log));
	*each = _mm256_add_epi8(_mm256_sub_epi8(_mm256_add_epi8(gaps, _mm256_set1_epi8(1)), log), too_many);
	*rest = _mm256_blendv_epi8(fewer, more, too_many);
}

/* sizes[i] = position_bits of 32 postings, 0 where tf is 0. Eight parts of their sum. */
static inline __m256i narrow_sizes(__m256i tfs, __m256i spans, uint16_t *sizes)
{
	const __m256i one = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
	__m256i gaps = look_up_128(position_gap_bits, spans), each = gaps, rest = one;
	__m256i fano = _mm256_cmpgt_epi8(tfs, _mm256_set1_epi8(POSITIONS_ELIAS_FANO - 1));
	if (!_mm256_testz_si256(fano, fano)) {
		fano_sizes(tfs, spans, gaps, &each, &rest);
		each = _mm256_blendv_epi8(gaps, each, fano);
		rest = _mm256_blendv_epi8(one, rest, fano);
	}
	rest = _mm256_and_si256(rest, _mm256_cmpgt_epi8(tfs, _mm256_setzero_si256()));
	__m256i low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(each, rest), _mm256_unpacklo_epi8(tfs, one));
	__m256i high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(each, rest), _mm256_unpackhi_epi8(tfs, one));
	_mm256_storeu_si256((__m256i *)sizes, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256((__m256i *)(sizes + 16), _mm256_permute2x128_si256(low, high, 0x31));
	return _mm256_add_epi32(_mm256_madd_epi16(low, ones), _mm256_madd_epi16(high, ones));
}

/* Of 32 bytes that are 0 or 255: how many of those before each are 255. */
static inline __m256i count_before(__m256i set)
{
	__m256i sum = _mm256_sub_epi8(_mm256_setzero_si256(), set);
	sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 1));
	sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 2));
	sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 4));
	sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 8));
	__m256i halves = _mm256_shuffle_epi8(sum, _mm256_set1_epi8(15));
	sum = _mm256_add_epi8(sum, _mm256_permute2x128_si256(halves, halves, 0x08));
	return _mm256_add_epi8(sum, set);
}

/* 8 nibbles from number `first` on, a byte each */
static inline long long load_nibbles(const uint8_t *nibbles, uint32_t first)
{
	return (long long)_pdep_u64(load64(nibbles + first / 2) >> (first % 2 * 4), 0x0f0f0f0f0f0f0f0f);
}

/* What is stored for the exceptions from number `first` on, to the `large` ones of 32 postings. */
static inline __m256i spread_exceptions(const struct chunk *chunk, uint32_t first, __m256i large)
{
	const uint8_t *values = chunk->exceptions;
	__m128i low, high;
	if (chunk->exception_bits == 4) {
		low = _mm_set_epi64x(load_nibbles(values, first + 8), load_nibbles(values, first));
		high = _mm_set_epi64x(load_nibbles(values, first + 24), load_nibbles(values, first + 16));
	} else {
		low = _mm_loadu_si128((const __m128i *)(values + first));
		high = _mm_loadu_si128((const __m128i *)(values + first + 16));
	}
	__m256i number = count_before(large);
	__m256i spread = _mm256_or_si256(look_up_row(low, 0, number), look_up_row(high, 1, number));
	return _mm256_and_si256(spread, large);
}

/* Those few tfs of 32 that did not fit 4 bits. false: some tf is over NARROW_TF_MAX. */
static bool patch_overflow(const struct chunk *chunk, uint32_t first, uint32_t large, uint32_t overflow, __m256i *tfs)
{
	uint8_t bytes[32];
	_mm256_storeu_si256((__m256i *)bytes, *tfs);
	for (; overflow; overflow &= overflow - 1) {
		uint32_t before = (uint32_t)__builtin_popcount(large & ((overflow & -overflow) - 1));
		uint32_t tf = chunk_exception(chunk, first + before);
		if (tf > NARROW_TF_MAX)
			return false;
		bytes[__builtin_ctz(overflow)] = (uint8_t)tf;
	}
	*tfs = _mm256_loadu_si256((const __m256i *)bytes);
	return true;
}

/* Replace the 4s among 32 tfs by what the exceptions from number *next on say. false: some tf is over NARROW_TF_MAX. */
static inline bool patch_exceptions(const struct chunk *chunk, uint32_t *next, __m256i *tfs)
{
	__m256i large = _mm256_cmpeq_epi8(*tfs, _mm256_set1_epi8(4));
	uint32_t mask = (uint32_t)_mm256_movemask_epi8(large), first = *next, bits = chunk->exception_bits;
	if (!mask)
		return true;
	*next += (uint32_t)__builtin_popcount(mask);
	if (chunk->exceptions + (*next * bits + 7) / 8 > chunk->end)
		return false;
	__m256i values = spread_exceptions(chunk, first, large);
	__m256i least = _mm256_set1_epi8(bits == 4 ? 15 : NARROW_TF_MAX - 3);
	__m256i beyond = _mm256_cmpeq_epi8(_mm256_max_epu8(values, least), values);
	uint32_t overflow = (uint32_t)_mm256_movemask_epi8(beyond);
	*tfs = _mm256_add_epi8(*tfs, values);
	return !overflow || (bits == 4 && patch_overflow(chunk, first, mask, overflow, tfs));
}

/* Measure up to 32 postings; the sum of their sizes is added to the eight of *sums. false: not all are narrow. */
static inline bool measure_half(const struct chunk *chunk, uint32_t *exception, __m256i tfs, __m256i spans,
                                uint32_t count, uint32_t first, struct block_positions *block, __m256i *sums)
{
	const __m256i index = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	                                       21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
	__m256i present = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(count - first)), index);
	tfs = _mm256_and_si256(tfs, present);
	spans = _mm256_and_si256(spans, present);
	if (_mm256_movemask_epi8(spans) || !patch_exceptions(chunk, exception, &tfs))
		return false;
	_mm256_storeu_si256((__m256i *)(block->tfs + first), tfs);
	*sums = _mm256_add_epi32(*sums, narrow_sizes(tfs, spans, block->sizes + first));
	return true;
}

static inline uint32_t sum_eight(__m256i sums)
{
	__m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	__m128i two = _mm_add_epi32(four, _mm_srli_si128(four, 8));
	return (uint32_t)(_mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1));
}

/* As measure_block_plain, for tfs and span bytes that are narrow. */
static void measure_block(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *spans,
                          struct block_positions *block)
{
	uint64_t mask = block_mask(chunk, rank);
	uint32_t count = (uint32_t)__builtin_popcountll(mask), next = exception;
	__m256i sums = _mm256_setzero_si256(), tfs[2];
	bool narrow;
	if (chunk->bitmap_mask >> rank & 1) {
		uint8_t own[BLOCK_DOCUMENTS + 8];
		pick_bytes(spans, mask, own);
		bitmap_tfs(chunk, rank, tfs);
		narrow = measure_half(chunk, &next, tfs[0], _mm256_loadu_si256((const __m256i *)own), count, 0, block,
		                      &sums);
		if (narrow && count > 32)
			narrow = measure_half(chunk, &next, tfs[1], _mm256_loadu_si256((const __m256i *)(own + 32)),
			                      count, 32, block, &sums);
	} else {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
		__m256i own = look_up_64(spans, twice(_mm_and_si128(bytes, _mm_set1_epi8(63))));
		narrow = measure_half(chunk, &next, twice(bytes_tfs(chunk, rank)), own, count, 0, block, &sums);
	}
	if (!narrow) {
		measure_block_plain(chunk, rank, exception, spans, block);
		return;
	}
	if (count <= 32) {
		_mm256_storeu_si256((__m256i *)(block->sizes + 32), _mm256_setzero_si256());
		_mm256_storeu_si256((__m256i *)(block->sizes + 48), _mm256_setzero_si256());
	}
	block->wide = false;
	block->mask = mask;
	block->exceptions = next - exception;
	block->total = sum_eight(sums);
}

static uint32_t sum_sizes(const uint16_t sizes[BLOCK_DOCUMENTS], uint32_t n)
{
	/* 64 that are wanted, then as many that are not */
	static const int16_t wanted[2 * BLOCK_DOCUMENTS] = {
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	const __m256i *all = (const __m256i *)sizes, *own = (const __m256i *)(wanted + BLOCK_DOCUMENTS - n);
	__m256i sums = _mm256_madd_epi16(_mm256_loadu_si256(all), _mm256_loadu_si256(own));
	sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_loadu_si256(all + 1), _mm256_loadu_si256(own + 1)));
	sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_loadu_si256(all + 2), _mm256_loadu_si256(own + 2)));
	sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_loadu_si256(all + 3), _mm256_loadu_si256(own + 3)));
	return sum_eight(sums);
}

/* Compilers do this number by number. Packed, a lane has two of each four. */
static inline void narrow_words(const many_words numbers[NARROWED], uint16_t *out)
{
	__m256i low = _mm256_packus_epi32((__m256i)numbers[0], (__m256i)numbers[1]);
	__m256i high = _mm256_packus_epi32((__m256i)numbers[2], (__m256i)numbers[3]);
	__m256i packed = _mm256_packus_epi32(low, high);
	packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	_mm256_storeu_si256((__m256i *)out, packed);
}

#include "searcher/plain_impl.h"

#define SCORES_IN_BULK true
#define OPTIONAL_IN_BULK false /* spreading their tfs costs more than it saves */
#include "searcher/kernel_impl.h"

const struct kernel kernel_avx2 = KERNEL_TABLE;
#else
typedef int kernel_avx2_unused;
#endif
