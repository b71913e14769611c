/* kernel_avx2.c - AVX2 and BMI2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "searcher/kernel_common.h"

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

static uint64_t at_least(const float scores[RANGE_DOCUMENTS], float threshold)
{
	__m256 least = _mm256_set1_ps(threshold);
	uint64_t mask = 0;
	for (uint32_t i = 0; i < RANGE_DOCUMENTS; i += 8) {
		__m256 keep = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), least, _CMP_GE_OQ);
		mask |= (uint64_t)(uint32_t)_mm256_movemask_ps(keep) << i;
	}
	return mask;
}

static uint32_t ranges_at_least(const float bests[SUPERBLOCK_RANGES], float threshold)
{
	__m256 least = _mm256_set1_ps(threshold);
	__m256 low = _mm256_cmp_ps(_mm256_loadu_ps(bests), least, _CMP_GE_OQ);
	__m256 high = _mm256_cmp_ps(_mm256_loadu_ps(bests + 8), least, _CMP_GE_OQ);
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

static bool decode_shorts(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span,
                          uint16_t positions[SHORTS_MAX])
{
	return decode_shorts_plain(bytes, first, tf, span, positions);
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

static uint64_t range_mask(const struct chunk *chunk, uint32_t rank)
{
	if (chunk->bitmap_mask >> rank & 1)
		return load64(chunk_bitmap(chunk, rank));
	return bytes_mask(chunk->bytes + chunk->starts[rank], (chunk->headers[rank] & 15u) + 1);
}

/* The tfs, one byte each, of a bitmap range: four 2-bit codes a byte, pulled apart and put in order again. */
static inline void bitmap_tfs(const struct chunk *chunk, uint32_t rank, uint8_t tfs[RANGE_DOCUMENTS])
{
	uint32_t start = chunk->starts[rank];
	__m128i codes =
	    _mm_set_epi64x((long long)load_codes(chunk->codes, start + 32), (long long)load_codes(chunk->codes, start));
	__m128i three = _mm_set1_epi8(3), one = _mm_set1_epi8(1);
	__m128i a = _mm_and_si128(codes, three), b = _mm_and_si128(_mm_srli_epi16(codes, 2), three);
	__m128i c = _mm_and_si128(_mm_srli_epi16(codes, 4), three), d = _mm_and_si128(_mm_srli_epi16(codes, 6), three);
	__m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
	_mm_storeu_si128((__m128i *)tfs, _mm_add_epi8(_mm_unpacklo_epi16(ab, cd), one));
	_mm_storeu_si128((__m128i *)(tfs + 16), _mm_add_epi8(_mm_unpackhi_epi16(ab, cd), one));
	ab = _mm_unpackhi_epi8(a, b);
	cd = _mm_unpackhi_epi8(c, d);
	_mm_storeu_si128((__m128i *)(tfs + 32), _mm_add_epi8(_mm_unpacklo_epi16(ab, cd), one));
	_mm_storeu_si128((__m128i *)(tfs + 48), _mm_add_epi8(_mm_unpackhi_epi16(ab, cd), one));
}

/* bit i: bytes[i] >= least */
static inline uint64_t bytes_at_least(const uint8_t bytes[RANGE_DOCUMENTS], uint8_t least)
{
	/* Unsigned bytes compare as: a >= b where max(a, b) = a. */
	__m256i bound = _mm256_set1_epi8((char)least);
	__m256i low = _mm256_loadu_si256((const __m256i *)bytes),
	        high = _mm256_loadu_si256((const __m256i *)(bytes + 32));
	uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(low, bound), low));
	uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(high, bound), high));
	return (uint64_t)high_mask << 32 | low_mask;
}

static uint32_t sum_sizes(const uint16_t sizes[RANGE_DOCUMENTS], uint32_t n)
{
	const __m256i index = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m256i sums = _mm256_setzero_si256(), one = _mm256_set1_epi16(1);
	for (uint32_t i = 0; i < n; i += 16) {
		__m256i wanted = _mm256_cmpgt_epi16(_mm256_set1_epi16((short)(n - i)), index);
		__m256i own = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(sizes + i)), wanted);
		sums = _mm256_add_epi32(sums, _mm256_madd_epi16(own, one));
	}
	__m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	__m128i two = _mm_add_epi32(four, _mm_srli_si128(four, 8));
	return (uint32_t)(_mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1));
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

/* sizes[i] = tfs[i] * position_gap_bits[spans[i]] + 1, for 32 tfs up to 3 and spans up to 127. */
static inline void gap_sizes(const uint8_t *tfs, const uint8_t *spans, uint16_t *sizes)
{
	/* The first eight steps of position_gap_bits; from the last on there is one every 8 spans. */
	static const uint8_t least[] = {3, 5, 9, 17, 33, 50, 61, 70};
	__m256i tf = _mm256_loadu_si256((const __m256i *)tfs), span = _mm256_loadu_si256((const __m256i *)spans);
	__m256i one = _mm256_set1_epi8(1), beyond = _mm256_subs_epu8(span, _mm256_set1_epi8(71));
	__m256i bits = _mm256_and_si256(_mm256_srli_epi16(beyond, 3), _mm256_set1_epi8(31));
	for (uint32_t i = 0; i < sizeof least; i++)
		bits = _mm256_sub_epi8(bits, _mm256_cmpgt_epi8(span, _mm256_set1_epi8((char)(least[i] - 1))));
	__m256i twice = _mm256_and_si256(bits, _mm256_cmpgt_epi8(tf, one));
	__m256i thrice = _mm256_and_si256(bits, _mm256_cmpgt_epi8(tf, _mm256_set1_epi8(2)));
	__m256i all = _mm256_add_epi8(_mm256_add_epi8(bits, one), _mm256_add_epi8(twice, thrice));
	_mm256_storeu_si256((__m256i *)sizes, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(all)));
	_mm256_storeu_si256((__m256i *)(sizes + 16), _mm256_cvtepu8_epi16(_mm256_extracti128_si256(all, 1)));
}

/* What is stored for `count` exceptions from number `first` on, a byte each, maybe in `room`. NULL: not all are in the
 * chunk. */
static inline const uint8_t *exception_values(const struct chunk *chunk, uint32_t first, uint32_t count,
                                              uint8_t room[RANGE_DOCUMENTS + 8])
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
	uint8_t tfs[RANGE_DOCUMENTS], some[RANGE_DOCUMENTS + 8];
	/* Of the postings in order, those that are wanted; of the documents in order, those that have a posting. */
	uint64_t wanted = _pext_u64(documents, mask), places = _pext_u64(mask, documents);
	if (chunk->bitmap_mask >> rank & 1) {
		bitmap_tfs(chunk, rank, tfs);
	} else {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
		__m128i codes = _mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3));
		_mm_storeu_si128((__m128i *)tfs, _mm_add_epi8(codes, _mm_set1_epi8(1)));
		memset(tfs + 16, 0, sizeof tfs - 16);
	}
	uint64_t large = bytes_at_least(tfs, 4);
	uint32_t first = large & wanted ? chunk_exceptions_before(chunk, rank, 0) : 0;
	uint32_t most = (1u << chunk->exception_bits) - 1;
	uint8_t room[RANGE_DOCUMENTS + 8];
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
	for (uint32_t i = 0; i < RANGE_DOCUMENTS; i += 8, places >>= 8) {
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

/* Up to this span byte gap_sizes is right. */
#define NARROW_SPAN_MAX 127

/* As measure_range_plain, for ranges whose positions' sizes fit bytes. */
static void measure_range(const struct chunk *chunk, uint32_t rank, uint32_t exception, const uint8_t *spans,
                          struct range_positions *range)
{
	uint64_t mask = range_mask(chunk, rank);
	uint32_t count = (uint32_t)__builtin_popcountll(mask), next = exception;
	uint8_t own[RANGE_DOCUMENTS + 8];
	if (bytes_at_least(spans, NARROW_SPAN_MAX + 1) & mask)
		goto plain;
	pick_bytes(spans, mask, own);
	if (chunk->bitmap_mask >> rank & 1) {
		bitmap_tfs(chunk, rank, range->tfs);
	} else {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(chunk->bytes + chunk->starts[rank]));
		__m128i codes = _mm_and_si128(_mm_srli_epi16(bytes, 6), _mm_set1_epi8(3));
		_mm_storeu_si128((__m128i *)range->tfs, _mm_add_epi8(codes, _mm_set1_epi8(1)));
	}
	for (uint32_t i = 0; i < count; i += 32)
		gap_sizes(range->tfs + i, own + i, range->sizes + i);
	uint64_t present = count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
	uint64_t large = bytes_at_least(range->tfs, 4) & present;
	uint32_t most = (1u << chunk->exception_bits) - 1;
	uint8_t room[RANGE_DOCUMENTS + 8];
	const uint8_t *value = exception_values(chunk, exception, (uint32_t)__builtin_popcountll(large), room);
	if (!value)
		goto plain;
	for (uint64_t left = large; left; left &= left - 1, next++, value++) {
		uint32_t tf = *value < most ? *value + 4u : chunk_exception(chunk, next);
		uint32_t index = (uint32_t)__builtin_ctzll(left);
		uint64_t bits = position_bits(tf, own[index]);
		if (tf > 255 || bits > INT16_MAX)
			goto plain;
		range->tfs[index] = (uint8_t)tf;
		range->sizes[index] = (uint16_t)bits;
	}
	range->wide = false;
	range->mask = mask;
	range->exceptions = next - exception;
	range->total = sum_sizes(range->sizes, count);
	return;
plain:
	measure_range_plain(chunk, rank, exception, spans, range);
}

#include "searcher/kernel_plain.h"

#define SCORES_IN_BULK true
#define OPTIONAL_IN_BULK false /* spreading their tfs costs more than it saves */
#include "searcher/evaluate_impl.h"
#include "searcher/phrase_impl.h"

const struct kernel kernel_avx2 = KERNEL_TABLE;
#else
typedef int kernel_avx2_unused;
#endif
