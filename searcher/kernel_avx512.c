/* kernel_avx512.c - AVX-512 F, BW, DQ, VL, VBMI, VBMI2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "searcher/plain.h"
#include "searcher/sums_sse.h"

#define VECTOR_BYTES 64
#define NARROWED 1
#include "searcher/vectors.h"

static inline __m512 widen(const uint8_t *bytes)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)bytes)));
}

static void add_bounds(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m512 factor = _mm512_set1_ps(step);
	for (uint32_t i = 0; i < n; i += 16)
		_mm512_storeu_ps(sums + i,
		                 _mm512_add_ps(_mm512_loadu_ps(sums + i), _mm512_mul_ps(factor, widen(bounds + i))));
}

static void add_required(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m512 factor = _mm512_set1_ps(step), never = _mm512_set1_ps(-INFINITY);
	for (uint32_t i = 0; i < n; i += 16) {
		__m512 bound = widen(bounds + i);
		__mmask16 present = _mm512_cmp_ps_mask(bound, _mm512_setzero_ps(), _CMP_NEQ_OQ);
		__m512 sum = _mm512_add_ps(_mm512_loadu_ps(sums + i), _mm512_mul_ps(factor, bound));
		_mm512_storeu_ps(sums + i, _mm512_mask_mov_ps(never, present, sum));
	}
}

static uint32_t select_sums(const float *sums, float threshold, uint32_t n, uint32_t *indices)
{
	__m512 least = _mm512_set1_ps(threshold), zero = _mm512_setzero_ps();
	__m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i += 16) {
		__m512 sum = _mm512_loadu_ps(sums + i);
		__mmask16 keep = _mm512_cmp_ps_mask(sum, least, _CMP_GE_OQ) & _mm512_cmp_ps_mask(sum, zero, _CMP_GT_OQ);
		if (keep) {
			/* Compress in a register: the store form is microcoded on some processors. */
			__m512i kept =
			    _mm512_maskz_compress_epi32(keep, _mm512_add_epi32(index, _mm512_set1_epi32((int)i)));
			_mm512_storeu_si512(indices + count, kept);
			count += (uint32_t)__builtin_popcount(keep);
		}
	}
	return count;
}

static uint64_t at_least(const float scores[BLOCK_DOCUMENTS], float threshold)
{
	__m512 least = _mm512_set1_ps(threshold);
	uint64_t mask = 0;
	for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i += 16)
		mask |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), least, _CMP_GE_OQ) << i;
	return mask;
}

static uint32_t blocks_at_least(const float bounds[SUPERBLOCK_BLOCKS], float threshold)
{
	return _mm512_cmp_ps_mask(_mm512_loadu_ps(bounds), _mm512_set1_ps(threshold), _CMP_GE_OQ);
}

static void find_bounds(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_BLOCKS])
{
	/* One header byte an occupied block: expand to the 16 blocks, look the levels up in a register. */
	__mmask16 occupied = (__mmask16)chunk->block_mask;
	__m128i headers = _mm_maskz_expand_epi8(occupied, _mm_loadu_si128((const __m128i *)chunk->headers));
	__m512i index = _mm512_srli_epi32(_mm512_cvtepu8_epi32(headers), 4);
	_mm512_storeu_ps(bounds, _mm512_maskz_permutexvar_ps(occupied, index, _mm512_loadu_ps(levels)));
}

/* The mask of up to 16 offsets, one a byte: shift a one for each, and OR them all. */
static inline uint64_t offsets_mask(__m128i offsets, uint32_t count)
{
	__m512i one = _mm512_set1_epi64(1);
	__m512i low = _mm512_maskz_sllv_epi64((__mmask8)((1u << count) - 1), one, _mm512_cvtepu8_epi64(offsets));
	__m512i high = _mm512_maskz_sllv_epi64((__mmask8)(((1u << count) - 1) >> 8), one,
	                                       _mm512_cvtepu8_epi64(_mm_srli_si128(offsets, 8)));
	return (uint64_t)_mm512_reduce_or_epi64(_mm512_or_si512(low, high));
}

/* The mask of the offsets of `count` byte-form postings. */
static inline uint64_t bytes_mask(const uint8_t *bytes, uint32_t count)
{
	__m128i loaded = _mm_loadu_si128((const __m128i *)bytes);
	return offsets_mask(_mm_and_si128(loaded, _mm_set1_epi8(63)), count);
}

static uint64_t block_mask(const struct chunk *chunk, uint32_t rank)
{
	if (chunk->bitmap_mask >> rank & 1)
		return load64(chunk_bitmap(chunk, rank));
	return bytes_mask(chunk->bytes + chunk->starts[rank], (chunk->headers[rank] & 15u) + 1);
}

/* 64 nibbles from number `first` on, a byte each: every 8 of them are 36 bits at most, which a word holds. */
static inline __m512i load_nibbles(const uint8_t *nibbles, uint32_t first)
{
	const __m512i four =
	    _mm512_setr_epi64(0x0706050403020100, 0x0b0a090807060504, 0x0f0e0d0c0b0a0908, 0x131211100f0e0d0c,
	                      0x1716151413121110, 0x1b1a191817161514, 0x1f1e1d1c1b1a1918, 0x232221201f1e1d1c);
	__m512i words = _mm512_permutexvar_epi8(four, _mm512_loadu_si512(nibbles + first / 2));
	__m512i shifts = _mm512_set1_epi64((long long)(0x1c1814100c080400 + first % 2 * 0x0404040404040404));
	return _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, words), _mm512_set1_epi8(15));
}

/* Those few values that did not fit 4 bits. false: some tf is over `most`. */
static bool patch_overflow(const struct chunk *chunk, uint32_t first, uint8_t most, __m512i *values, __mmask64 large,
                           __mmask64 overflow)
{
	uint8_t bytes[BLOCK_DOCUMENTS];
	_mm512_storeu_si512(bytes, *values);
	for (uint64_t left = overflow; left; left &= left - 1) {
		uint32_t before = (uint32_t)__builtin_popcountll(large & ((left & -left) - 1));
		uint32_t tf = chunk_exception(chunk, first + before);
		if (tf > most)
			return false;
		bytes[__builtin_ctzll(left)] = (uint8_t)(tf - 4);
	}
	*values = _mm512_loadu_si512(bytes);
	return true;
}

/* Replace the 4s in `tfs` (one byte a posting, in order) by what the exceptions from number `first` on say. false: some tf is over
 * `most`, so that the plain way must be taken. */
static inline bool patch_exceptions(const struct chunk *chunk, uint32_t first, uint8_t most, __m512i *tfs,
                                    __mmask64 large)
{
	uint32_t count = (uint32_t)__builtin_popcountll(large), bits = chunk->exception_bits;
	if (chunk->exceptions + ((first + count) * bits + 7) / 8 > chunk->end)
		return false;
	/* What follows on them is loaded too: so that the load need not wait for their number. */
	__m512i values =
	    bits == 4 ? load_nibbles(chunk->exceptions, first) : _mm512_loadu_si512(chunk->exceptions + first);
	values = _mm512_maskz_expand_epi8(large, values);
	__mmask64 overflow = bits == 4 ? _mm512_cmpeq_epu8_mask(values, _mm512_set1_epi8(15)) : 0;
	if (overflow && !patch_overflow(chunk, first, most, &values, large, overflow))
		return false;
	if (_mm512_cmpgt_epu8_mask(values, _mm512_set1_epi8((char)(most - 4))))
		return false;
	*tfs = _mm512_mask_add_epi8(*tfs, large, values, _mm512_set1_epi8(4));
	return true;
}

/* 16 contributions from tfs and length bytes, widened. Lanes outside `lanes` are 0. */
static inline __m512 contributions(const struct scorer *scorer, __m512 weight, __m128i tfs, __m128i lengths,
                                   __mmask16 lanes)
{
	__m512i row = _mm512_slli_epi32(_mm512_sub_epi32(_mm512_cvtepu8_epi32(tfs), _mm512_set1_epi32(1)), 8);
	__m512i index = _mm512_or_si512(row, _mm512_cvtepu8_epi32(lengths));
	__m512 values = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, index, scorer->saturations, 4);
	return _mm512_mul_ps(weight, values);
}

static inline void add_quarter(float *scores, __mmask16 lanes, __m512 values)
{
	__m512 sum = _mm512_loadu_ps(scores);
	_mm512_storeu_ps(scores, _mm512_mask_add_ps(sum, lanes, sum, values));
}

/* The tfs, one byte each, of a bitmap block with `count` postings; *large: those that are 4 for now, as their code is 3. */
static inline __m512i bitmap_tfs(const struct chunk *chunk, uint32_t rank, uint32_t count, __mmask64 *large)
{
	/* 64 codes are 16 bytes: byte i of the vector takes bits 2i and 2i + 1 of its half. */
	uint32_t start = chunk->starts[rank];
	__m128i both =
	    _mm_set_epi64x((long long)load_codes(chunk->codes, start + 32), (long long)load_codes(chunk->codes, start));
	__m512i halves =
	    _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1), _mm512_castsi128_si512(both));
	const __m512i shifts =
	    _mm512_setr_epi64(0x0e0c0a0806040200, 0x1e1c1a1816141210, 0x2e2c2a2826242220, 0x3e3c3a3836343230,
	                      0x0e0c0a0806040200, 0x1e1c1a1816141210, 0x2e2c2a2826242220, 0x3e3c3a3836343230);
	__m512i codes = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, halves), _mm512_set1_epi8(3));
	__mmask64 present = count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
	*large = _mm512_mask_cmpeq_epi8_mask(present, codes, _mm512_set1_epi8(3));
	return _mm512_maskz_add_epi8(present, codes, _mm512_set1_epi8(1));
}

/* Bitmap form: the tfs are expanded to their documents' places, and all 64 are looked up. */
static uint64_t score_bitmap(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                             float weight, float *scores)
{
	uint64_t mask = load64(chunk_bitmap(chunk, rank));
	__mmask64 large;
	__m512i tfs = bitmap_tfs(chunk, rank, (uint32_t)__builtin_popcountll(mask), &large);
	if (large && !patch_exceptions(chunk, chunk_exceptions_before(chunk, rank, 0), SATURATION_TFS, &tfs, large))
		return score_bitmap_plain(chunk, rank, lengths, scorer, weight, scores);
	tfs = _mm512_maskz_expand_epi8(mask, tfs);
	__m512i codes_of_lengths = _mm512_loadu_si512(lengths);
	__m512 factor = _mm512_set1_ps(weight);
#define QUARTER(q)                                                                                                     \
	do {                                                                                                           \
		__mmask16 lanes = (__mmask16)(mask >> (16 * (q)));                                                     \
		if (lanes)                                                                                             \
			add_quarter(scores + 16 * (q), lanes,                                                          \
			            contributions(scorer, factor, _mm512_extracti32x4_epi32(tfs, q),                   \
			                          _mm512_extracti32x4_epi32(codes_of_lengths, q), lanes));             \
	} while (0)
	QUARTER(0);
	QUARTER(1);
	QUARTER(2);
	QUARTER(3);
#undef QUARTER
	return mask;
}

#define FEW_BYTES 4 /* postings that are scored one by one */

/* Byte form: one look-up for up to 15 postings, then to their documents' places. */
static uint64_t score_bytes(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                            float weight, float *scores)
{
	uint32_t count = (chunk->headers[rank] & 15u) + 1;
	if (count <= FEW_BYTES)
		return score_bytes_plain(chunk, rank, lengths, scorer, weight, scores);
	__mmask16 present = (__mmask16)((1u << count) - 1);
	__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
	if (_mm_mask_cmpge_epu8_mask(present, bytes, _mm_set1_epi8((char)(3 << 6))))
		return score_bytes_plain(chunk, rank, lengths, scorer, weight, scores);
	__m128i offsets = _mm_and_si128(bytes, _mm_set1_epi8(63));
	__m128i tfs = _mm_add_epi8(_mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3)), _mm_set1_epi8(1));
	__m512i wide_offsets = _mm512_castsi128_si512(offsets);
	__m128i codes = _mm512_castsi512_si128(_mm512_permutexvar_epi8(wide_offsets, _mm512_loadu_si512(lengths)));
	__m512 values = contributions(scorer, _mm512_set1_ps(weight), tfs, codes, present);
	uint64_t mask = offsets_mask(offsets, count);
	const __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	uint32_t before = 0;
	for (uint32_t quarter = 0; quarter < 4; quarter++) {
		__mmask16 lanes = (__mmask16)(mask >> (16 * quarter));
		if (!lanes)
			continue;
		__m512i from = _mm512_add_epi32(index, _mm512_set1_epi32((int)before));
		__m512 own = _mm512_maskz_expand_ps(lanes, _mm512_permutexvar_ps(from, values));
		add_quarter(scores + 16 * quarter, lanes, own);
		before += (uint32_t)__builtin_popcount(lanes);
	}
	return mask;
}

static uint64_t score_block(struct chunk *chunk, uint32_t rank, const uint8_t *lengths, const struct scorer *scorer,
                            float weight, float scores[BLOCK_DOCUMENTS])
{
	if (chunk->bitmap_mask >> rank & 1)
		return score_bitmap(chunk, rank, lengths, scorer, weight, scores);
	return score_bytes(chunk, rank, lengths, scorer, weight, scores);
}

static void pick_bytes(const uint8_t *bytes, uint64_t documents, uint8_t *out)
{
	_mm512_storeu_si512(out, _mm512_maskz_compress_epi8(documents, _mm512_loadu_si512(bytes)));
}

/* The tfs are expanded to their documents' places, and those wanted pulled together again. */
static bool pick_tfs(struct chunk *chunk, uint32_t rank, uint64_t mask, uint64_t documents, uint8_t *out)
{
	uint32_t count = (uint32_t)__builtin_popcountll(mask);
	__mmask64 large;
	__m512i tfs;
	if (chunk->bitmap_mask >> rank & 1) {
		tfs = bitmap_tfs(chunk, rank, count, &large);
	} else {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
		__m128i codes = _mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3));
		tfs = _mm512_castsi128_si512(_mm_add_epi8(codes, _mm_set1_epi8(1)));
		large = _mm512_mask_cmpeq_epi8_mask(((uint64_t)1 << count) - 1, tfs, _mm512_set1_epi8(4));
	}
	if (large && _pdep_u64(large, mask) & documents &&
	    !patch_exceptions(chunk, chunk_exceptions_before(chunk, rank, 0), 255, &tfs, large))
		return pick_tfs_plain(chunk, rank, documents, out);
	tfs = _mm512_maskz_expand_epi8(mask, tfs);
	_mm512_storeu_si512(out, _mm512_maskz_compress_epi8(documents, tfs));
	return true;
}

static void find_denominators(const float denominators[256], const uint8_t *lengths, uint32_t n, float *out)
{
	for (uint32_t i = 0; i < n; i += 16) {
		__m512i index = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(lengths + i)));
		_mm512_storeu_ps(out + i, _mm512_i32gather_ps(index, denominators, 4));
	}
}

static void add_saturations(const uint8_t *tfs, const float *denominators, float weight, uint32_t n, float *scores)
{
	__m512 factor = _mm512_set1_ps(weight);
	for (uint32_t i = 0; i < n; i += 16) {
		__m512i tf = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(tfs + i)));
		__m512 frequency = _mm512_cvtepi32_ps(tf), sum = _mm512_loadu_ps(scores + i);
		__m512 part = _mm512_div_ps(frequency, _mm512_add_ps(frequency, _mm512_loadu_ps(denominators + i)));
		sum = _mm512_mask_add_ps(sum, _mm512_test_epi32_mask(tf, tf), sum, _mm512_mul_ps(factor, part));
		_mm512_storeu_ps(scores + i, sum);
	}
}

static void score_postings(const uint32_t *docs, const uint32_t *tfs, uint32_t n, const uint8_t *lengths,
                           const struct scorer *scorer, float weight, float *scores)
{
	const __m512i one = _mm512_set1_epi32(1), zero = _mm512_setzero_si512();
	__m512 factor = _mm512_set1_ps(weight);
	for (uint32_t i = 0; i < n; i += 16) {
		__mmask16 present = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : 0xffff;
		__m512i doc = _mm512_maskz_loadu_epi32(present, docs + i), tf = _mm512_loadu_si512(tfs + i);
		/* 3 bytes past the last length are loaded. */
		__m512i length = _mm512_mask_i32gather_epi32(zero, present, doc, lengths, 1);
		__mmask16 small = _mm512_mask_cmple_epu32_mask(present, tf, _mm512_set1_epi32(SATURATION_TFS));
		__m512i row = _mm512_slli_epi32(_mm512_sub_epi32(tf, one), 8);
		__m512i index = _mm512_or_si512(row, _mm512_and_si512(length, _mm512_set1_epi32(255)));
		__m512 values = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), small, index, scorer->saturations, 4);
		_mm512_storeu_ps(scores + i, _mm512_mul_ps(factor, values));
		for (uint32_t left = present & ~(uint32_t)small; left; left &= left - 1) {
			uint32_t at = i + (uint32_t)__builtin_ctz(left);
			scores[at] = score_posting(scorer, weight, tfs[at], lengths[docs[at]]);
		}
	}
}

#define NARROW_TF_MAX 127 /* of sizes_of */

static const uint8_t counting[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                     32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                     48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* position_gap_bits of 64 span bytes below 128. */
static inline __m512i gap_bits(__m512i spans)
{
	return _mm512_permutex2var_epi8(_mm512_loadu_si512(position_gap_bits), spans,
	                                _mm512_loadu_si512(position_gap_bits + 64));
}

/* position_bits of 32 postings with tf <= 127 in documents of a span byte below 128; `gaps` are the position_gap_bits. */
static inline __m512i sizes_of(__m256i tfs, __m256i gaps, __m256i spans)
{
	__m512i tf = _mm512_cvtepu8_epi16(tfs), gap = _mm512_cvtepu8_epi16(gaps), one = _mm512_set1_epi16(1);
	__m512i sizes = _mm512_add_epi16(_mm512_mullo_epi16(tf, gap), one);
	__mmask32 fano = _mm512_cmpge_epu16_mask(tf, _mm512_set1_epi16(POSITIONS_ELIAS_FANO));
	if (!fano)
		return sizes;
	/* position_last, position_low_bits */
	static const uint8_t floor_log[128] = {
	    0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	    5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
	    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
	    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6};
	__m512i logs = _mm512_permutex2var_epi8(_mm512_loadu_si512(floor_log), _mm512_castsi256_si512(tfs),
	                                        _mm512_loadu_si512(floor_log + 64));
	__m512i span = _mm512_cvtepu8_epi16(spans), next = _mm512_sub_epi16(span, _mm512_set1_epi16(23));
	__m512i digits = _mm512_or_si512(_mm512_and_si512(next, _mm512_set1_epi16(7)), _mm512_set1_epi16(8));
	__m512i shift = _mm512_sub_epi16(_mm512_srli_epi16(next, 3), one);
	__m512i last = _mm512_add_epi16(_mm512_sllv_epi16(digits, shift), _mm512_set1_epi16(22));
	last = _mm512_mask_subs_epu16(last, _mm512_cmplt_epu16_mask(span, _mm512_set1_epi16(31)), span, one);
	__m512i low = _mm512_subs_epu16(gap, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(logs)));
	__mmask32 too_many = _mm512_cmpgt_epu16_mask(tf, _mm512_srlv_epi16(last, low));
	low = _mm512_mask_subs_epu16(low, too_many, low, one);
	__m512i bits = _mm512_mullo_epi16(tf, _mm512_add_epi16(low, one));
	return _mm512_mask_add_epi16(sizes, fano, bits, _mm512_srlv_epi16(last, low));
}

/* Of numbers below 2^15. */
static inline uint32_t sum_shorts(__m512i a, __m512i b)
{
	__m512i one = _mm512_set1_epi16(1);
	__m512i pairs = _mm512_add_epi32(_mm512_madd_epi16(a, one), _mm512_madd_epi16(b, one));
	return (uint32_t)_mm512_reduce_add_epi32(pairs);
}

/* As measure_block_plain, for blocks whose positions' sizes fit bytes. */
static void measure_block(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *spans,
                          struct block_positions *block)
{
	uint64_t mask = block_mask(chunk, rank);
	uint32_t count = (uint32_t)__builtin_popcountll(mask);
	__mmask64 large, present = count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
	__m512i tfs, own = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(spans));
	if (chunk->bitmap_mask >> rank & 1) {
		tfs = bitmap_tfs(chunk, rank, count, &large);
	} else {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
		__m128i code = _mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3));
		tfs = _mm512_maskz_mov_epi8(present, _mm512_castsi128_si512(_mm_add_epi8(code, _mm_set1_epi8(1))));
		large = _mm512_mask_cmpeq_epi8_mask(present, tfs, _mm512_set1_epi8(4));
	}
	block->exceptions = (uint32_t)__builtin_popcountll(large);
	if (_mm512_movepi8_mask(own) || (large && !patch_exceptions(chunk, exception, NARROW_TF_MAX, &tfs, large))) {
		measure_block_plain(chunk, rank, exception, spans, block);
		return;
	}
	__m512i gaps = gap_bits(own);
	__m512i low = _mm512_maskz_mov_epi16(
	    (__mmask32)present,
	    sizes_of(_mm512_castsi512_si256(tfs), _mm512_castsi512_si256(gaps), _mm512_castsi512_si256(own)));
	__m512i high = _mm512_setzero_si512();
	if (count > 32)
		high = _mm512_maskz_mov_epi16((__mmask32)(present >> 32), sizes_of(_mm512_extracti64x4_epi64(tfs, 1),
		                                                                   _mm512_extracti64x4_epi64(gaps, 1),
		                                                                   _mm512_extracti64x4_epi64(own, 1)));
	block->wide = false;
	block->mask = mask;
	block->total = sum_shorts(low, high);
	_mm512_storeu_si512(block->tfs, tfs);
	_mm512_storeu_si512(block->sizes, low);
	_mm512_storeu_si512(block->sizes + 32, high);
}

static uint32_t sum_sizes(const uint16_t sizes[BLOCK_DOCUMENTS], uint32_t n)
{
	uint64_t wanted = n < 64 ? ((uint64_t)1 << n) - 1 : UINT64_MAX;
	return sum_shorts(_mm512_maskz_loadu_epi16((__mmask32)wanted, sizes),
	                  _mm512_maskz_loadu_epi16((__mmask32)(wanted >> 32), sizes + 32));
}

static uint32_t among_shorts(const uint16_t a[SHORTS_MAX], uint32_t n, const uint16_t b[SHORTS_MAX], uint16_t delta)
{
	__m512i others = _mm512_loadu_si512(b);
	uint32_t found = 0;
	for (uint32_t i = 0; i < n; i++) {
		__m512i wanted = _mm512_set1_epi16((short)(a[i] + delta));
		found |= (uint32_t)(_mm512_cmpeq_epi16_mask(others, wanted) != 0) << i;
	}
	return found;
}

#define LOW_BITS_MAX 9 /* that lie in 16 bits from whatever byte they begin in */

static bool decode_shorts(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                          uint16_t positions[SHORTS_MAX])
{
	uint32_t last = position_last(span), low = position_low_bits(tf, last), unary = first + tf * low;
	uint32_t bits = tf + (last >> low);
	if (low > LOW_BITS_MAX || bits > 64)
		return decode_shorts_plain(bytes, first, tf, span, positions);
	/* The places of the ones, less their numbers, are the high parts. */
	uint64_t ones = load64(bytes + unary / 8) >> (unary % 8);
	if (unary % 8)
		ones |= (uint64_t)bytes[unary / 8 + 8] << (64 - unary % 8);
	ones = _bzhi_u64(ones, bits);
	if ((uint32_t)__builtin_popcountll(ones) < tf)
		return false;
	const __m512i index = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)counting));
	__m512i places = _mm512_maskz_compress_epi8(ones, _mm512_loadu_si512(counting));
	__m512i high = _mm512_sub_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(places)), index);
	/* Each low part is cut out of the two bytes that it begins in. */
	__m512i starts =
	    _mm512_add_epi16(_mm512_mullo_epi16(index, _mm512_set1_epi16((short)low)), _mm512_set1_epi16((short)first));
	__m512i byte = _mm512_srli_epi16(starts, 3);
	__m512i both = _mm512_or_si512(byte, _mm512_slli_epi16(_mm512_add_epi16(byte, _mm512_set1_epi16(1)), 8));
	__m512i parts = _mm512_permutexvar_epi8(both, _mm512_loadu_si512(bytes));
	parts = _mm512_srlv_epi16(parts, _mm512_and_si512(starts, _mm512_set1_epi16(7)));
	parts = _mm512_and_si512(parts, _mm512_set1_epi16((short)((1u << low) - 1)));
	parts = _mm512_or_si512(parts, _mm512_sll_epi16(high, _mm_cvtsi32_si128((int)low)));
	__mmask32 present = (__mmask32)(((uint64_t)1 << tf) - 1);
	_mm512_storeu_si512(positions, _mm512_mask_mov_epi16(_mm512_set1_epi16((short)SHORT_NONE), present, parts));
	return true;
}

static inline void narrow_words(const many_words numbers[NARROWED], uint16_t *out)
{
	*(few_shorts *)out = __builtin_convertvector(*numbers, few_shorts);
}

#define SCORES_IN_BULK true
#define OPTIONAL_IN_BULK true
#include "searcher/kernel_impl.h"

const struct kernel kernel_avx512 = KERNEL_TABLE;
#else
typedef int kernel_avx512_unused;
#endif
