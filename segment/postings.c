#include "segment/postings.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "base/error.h"
#include "segment/bitpack.h"

void bm25_denominators(float k1, float b, float average, float denominators[256])
{
	for (int code = 0; code < 256; code++) {
		float relative = average > 0 ? (float)length_decode((uint8_t)code) / average : 0;
		denominators[code] = k1 * ((1 - b) + b * relative);
	}
}

void postings_encoder_release(struct postings_encoder *encoder)
{
	buffer_release(&encoder->chunks);
	buffer_release(&encoder->gathered);
	memory_free(encoder->position_scratch);
	memory_free(encoder->saturations);
	memory_free(encoder->sketches);
	memory_free(encoder->bounds);
	encoder->position_scratch = NULL;
	encoder->saturations = NULL;
	encoder->sketches = NULL;
	encoder->bounds = NULL;
	encoder->position_capacity = encoder->saturation_capacity = 0;
	encoder->sketch_capacity = encoder->bound_capacity = 0;
}

/* ---- positions ---- */

#define POSITIONS_GATHERED (64u << 10) /* bytes, before they go to the part */

static void begin_bits(struct postings_encoder *encoder)
{
	encoder->bits.out = encoder->apart ? encoder->apart : &encoder->gathered;
}

static int flush_bits(struct postings_encoder *encoder, size_t least, trawl_error *error)
{
	struct buffer *gathered = &encoder->gathered;
	if (encoder->apart || gathered->length < least)
		return 0;
	int code = part_writer_append(encoder->positions, gathered->data, gathered->length, error);
	gathered->length = 0;
	return code;
}

int positions_put(struct postings_encoder *encoder, const uint32_t *positions, uint32_t tf, uint8_t last_byte,
                  trawl_error *error)
{
	begin_bits(encoder);
	if (!positions_append(&encoder->bits, positions, tf, last_byte))
		return error_set_memory(error);
	return flush_bits(encoder, POSITIONS_GATHERED, error);
}

int positions_copy(struct postings_encoder *encoder, const uint8_t *bytes, uint32_t first, uint64_t bits,
                   trawl_error *error)
{
	begin_bits(encoder);
	if (!bits_append(&encoder->bits, bytes, first, bits))
		return error_set_memory(error);
	return flush_bits(encoder, POSITIONS_GATHERED, error);
}

/* Fetch the next posting's positions from the source, and write them. */
int positions_encode(struct postings_encoder *encoder, uint32_t doc, uint32_t tf, const struct position_source *source,
                     trawl_error *error)
{
	if (!memory_reserve(&encoder->position_scratch, &encoder->position_capacity, tf, sizeof(uint32_t)))
		return error_set_memory(error);
	if (!source)
		return 0; /* a bigram list */
	int code = source->next(source->context, tf, encoder->position_scratch, error);
	if (code || !encoder->positions)
		return code;
	return positions_put(encoder, encoder->position_scratch, tf, encoder->last_positions[doc], error);
}

int positions_finish(struct postings_encoder *encoder, trawl_error *error)
{
	if (!encoder->positions)
		return 0;
	begin_bits(encoder);
	bits_finish(&encoder->bits);
	return flush_bits(encoder, 1, error);
}

/* ---- sparse lists ---- */

/* The widths of a block's low parts share a byte: that of tfs is mostly 0. */
#define SPARSE_WIDTH_BITS 5
#define SPARSE_TF_WIDTH_APART 7

static bool append_sparse_run(struct buffer *out, const uint32_t *differences, const uint32_t *frequencies, uint32_t n)
{
	if (!buffer_reserve(out, 2 + 2 * INTEGER_RUN_BYTES))
		return false;
	unsigned width = integer_run_width(differences, n), tf_width = integer_run_width(frequencies, n);
	unsigned told = tf_width < SPARSE_TF_WIDTH_APART ? tf_width : SPARSE_TF_WIDTH_APART;
	uint8_t *at = out->data + out->length;
	memset(at, 0, 2 + 2 * INTEGER_RUN_BYTES);
	*at++ = (uint8_t)(width | told << SPARSE_WIDTH_BITS);
	if (told == SPARSE_TF_WIDTH_APART)
		*at++ = (uint8_t)tf_width;
	uint64_t bit = integer_run_encode(differences, n, width, at, 0);
	bit = integer_run_encode(frequencies, n, tf_width, at, bit);
	out->length = (size_t)(at - out->data) + (bit + 7) / 8;
	return true;
}

/* A block's postings; docs[] gets differences. Returns the byte after it, NULL if malformed. */
static const uint8_t *decode_sparse_run(const uint8_t *bytes, const uint8_t *end, uint32_t n, uint32_t *docs,
                                        uint32_t *tfs)
{
	uint64_t bit = 0;
	if (bytes == end)
		return NULL;
	unsigned width = *bytes & ((1u << SPARSE_WIDTH_BITS) - 1), tf_width = *bytes >> SPARSE_WIDTH_BITS;
	bytes++;
	if (tf_width == SPARSE_TF_WIDTH_APART) {
		if (bytes == end)
			return NULL;
		tf_width = *bytes++;
	}
	if (!integer_run_decode(bytes, end, &bit, n, width, docs) ||
	    !integer_run_decode(bytes, end, &bit, n, tf_width, tfs))
		return NULL;
	return bytes + (bit + 7) / 8;
}

/* To encoder->chunks. */
static int encode_sparse(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                         trawl_error *error)
{
	struct buffer *out = &encoder->chunks;
	uint32_t differences[SPARSE_RUN], frequencies[SPARSE_RUN], expected = 0;
	out->length = 0;
	for (uint32_t start = 0; start < n; start += SPARSE_RUN) {
		uint32_t count = n - start < SPARSE_RUN ? n - start : SPARSE_RUN;
		for (uint32_t i = 0; i < count; i++) {
			differences[i] = docs[start + i] - expected;
			frequencies[i] = tfs[start + i] - 1;
			expected = docs[start + i] + 1;
		}
		if (!append_sparse_run(out, differences, frequencies, count))
			return error_set_memory(error);
	}
	return 0;
}

static int place_sparse(struct postings_encoder *encoder, const uint8_t *bytes, uint64_t length,
                        struct list_place *place, trawl_error *error)
{
	int code = part_writer_align(encoder->postings, length, error);
	place->postings = encoder->postings->address;
	place->postings_bytes = length;
	return code ? code : part_writer_append(encoder->postings, bytes, length, error);
}

/* From differences less one to docIDs, the first at least `next`, which is moved behind the last. */
static void sum_differences(uint32_t *docs, uint32_t n, uint64_t *next)
{
	uint32_t i = 0;
#if defined(__SSE2__)
	__m128i base = _mm_set1_epi32((int)(uint32_t)*next), any = _mm_setzero_si128();
	for (uint32_t j = 0; j + 4 <= n; j += 4)
		any = _mm_or_si128(any, _mm_loadu_si128((const __m128i *)(docs + j)));
	/* Sums of 128 numbers below 2^24 fit 32 bits; few blocks have others. */
	any = _mm_cmpeq_epi32(_mm_srli_epi32(any, 24), _mm_setzero_si128());
	if (_mm_movemask_epi8(any) == 0xffff && *next < 1u << 31)
		for (; i + 4 <= n; i += 4) {
			__m128i sum = _mm_loadu_si128((const __m128i *)(docs + i));
			sum = _mm_add_epi32(sum, _mm_slli_si128(sum, 4));
			sum = _mm_add_epi32(sum, _mm_slli_si128(sum, 8));
			sum = _mm_add_epi32(_mm_add_epi32(sum, _mm_setr_epi32(0, 1, 2, 3)), base);
			_mm_storeu_si128((__m128i *)(docs + i), sum);
			base = _mm_add_epi32(_mm_shuffle_epi32(sum, 0xff), _mm_set1_epi32(1));
		}
	*next = i ? (uint64_t)docs[i - 1] + 1 : *next;
#endif
	for (; i < n; i++) {
		*next += docs[i];
		docs[i] = (uint32_t)(*next)++;
	}
}

/* From tfs less one to tfs. false: one is over 32 bits. */
static bool add_one(uint32_t *tfs, uint32_t n)
{
	uint32_t i = 0;
	bool fits = true;
#if defined(__SSE2__)
	__m128i zero = _mm_setzero_si128(), wrapped = zero;
	for (; i + 4 <= n; i += 4) {
		__m128i more = _mm_add_epi32(_mm_loadu_si128((const __m128i *)(tfs + i)), _mm_set1_epi32(1));
		wrapped = _mm_or_si128(wrapped, _mm_cmpeq_epi32(more, zero));
		_mm_storeu_si128((__m128i *)(tfs + i), more);
	}
	fits = !_mm_movemask_epi8(wrapped);
#endif
	for (; i < n; i++)
		fits &= ++tfs[i] != 0;
	return fits;
}

bool sparse_list_decode(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents, uint32_t *docs,
                        uint32_t *tfs)
{
	const uint8_t *end = bytes + length;
	uint64_t next = 0;
	for (uint32_t start = 0; start < n; start += SPARSE_RUN) {
		uint32_t count = n - start < SPARSE_RUN ? n - start : SPARSE_RUN;
		bytes = decode_sparse_run(bytes, end, count, docs + start, tfs + start);
		if (!bytes)
			return false;
		sum_differences(docs + start, count, &next);
		if (!add_one(tfs + start, count) || next > documents)
			return false;
	}
	return true;
}

/* ---- dense lists: encoding ---- */

#define SEED_BUCKETS 16384

struct dense_plan {
	float maximum;
	uint8_t codebook[16];
	uint8_t level_of[256]; /* bound -> index of the least level that covers it */
	float floors[3];
	uint32_t postings, chunks; /* how many */
	uint32_t exception_bits;   /* of tfs from 4 on */
};

/* The least q with q / 255 * maximum >= value, in the arithmetic that the searcher uses. */
static uint8_t quantize_bound(float value, float maximum)
{
	float step = maximum / 255;
	int q = (int)(value / step);
	while (q < 255 && (float)q * step < value)
		q++;
	return (uint8_t)q; /* at least 1: no saturation is 0 */
}

/* 16 levels for the block bounds: about equal shares of the blocks, high bounds counting for more as these decide which
 * blocks are visited. */
static void make_codebook(const uint32_t count[256], struct dense_plan *plan)
{
	double total = 0, sum = 0;
	for (int q = 1; q < 256; q++)
		total += (double)count[q] * q * q;
	int level = 0, target = 1;
	for (int q = 1; q < 256 && level < 15; q++) {
		sum += (double)count[q] * q * q;
		if (sum * 16 < total * target)
			continue;
		plan->codebook[level++] = (uint8_t)q;
		while (target <= 16 && sum * 16 >= total * target)
			target++;
	}
	while (level < 16)
		plan->codebook[level++] = 255;
	for (int q = 0, at = 0; q < 256; q++) {
		while (plan->codebook[at] < q)
			at++;
		plan->level_of[q] = (uint8_t)at;
	}
}

/* Lower bounds of the 10th, 100th and 1000th best saturation, which every dense list has, from a histogram. */
static void find_floors(const float *saturations, uint32_t n, uint32_t *histogram, float floors[3])
{
	static const uint32_t ranks[3] = {10, 100, 1000};
	memset(histogram, 0, SEED_BUCKETS * sizeof *histogram);
	for (uint32_t i = 0; i < n; i++)
		histogram[(uint32_t)(saturations[i] * (SEED_BUCKETS - 1))]++;
	uint32_t seen = 0, found = 0;
	for (uint32_t bucket = SEED_BUCKETS - 1; found < 3; bucket--) {
		seen += histogram[bucket];
		for (; found < 3 && seen >= ranks[found]; found++)
			floors[found] = (float)bucket / SEED_BUCKETS; /* below the bucket's least value */
	}
}

/* Most tfs from 4 on fit 4 bits with a few to be told apart, which is slow; those of the most frequent words do not. */
#define FEW_LARGE 256

static uint32_t choose_exception_bits(const uint32_t *tfs, uint32_t n)
{
	uint32_t exceptions = 0, large = 0;
	for (uint32_t i = 0; i < n; i++) {
		exceptions += tfs[i] >= 4;
		large += tfs[i] >= 4 + 15;
	}
	return large <= exceptions / FEW_LARGE ? 4 : 8;
}

static int plan_dense(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                      struct dense_plan *plan, trawl_error *error)
{
	if (!memory_reserve(&encoder->saturations, &encoder->saturation_capacity, (size_t)n + SEED_BUCKETS,
	                    sizeof(float)))
		return error_set_memory(error);
	float *saturations = encoder->saturations;
	plan->maximum = 0;
	for (uint32_t i = 0; i < n; i++) {
		saturations[i] = saturation(tfs[i], encoder->denominators[encoder->lengths[docs[i]]]);
		if (saturations[i] > plan->maximum)
			plan->maximum = saturations[i];
	}
	uint32_t count[256] = {0};
	for (uint32_t i = 0; i < n;) {
		uint32_t block = docs[i] / BLOCK_DOCUMENTS;
		float best = 0;
		for (; i < n && docs[i] / BLOCK_DOCUMENTS == block; i++)
			if (saturations[i] > best)
				best = saturations[i];
		count[quantize_bound(best, plan->maximum)]++;
	}
	make_codebook(count, plan);
	find_floors(saturations, n, (uint32_t *)(saturations + n), plan->floors);
	plan->exception_bits = choose_exception_bits(tfs, n);
	return 0;
}

/* The tfs from 4 on of a chunk, in `bits` each; those that do not fit, behind them. */
static bool append_exceptions(struct buffer *out, const uint32_t *tfs, uint32_t n, uint32_t bits)
{
	uint8_t packed[SUPERBLOCK_DOCUMENTS] = {0};
	uint32_t most = (1u << bits) - 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t value = tfs[i] - 4 < most ? tfs[i] - 4 : most;
		packed[i * bits / 8] |= (uint8_t)(value << (i * bits % 8));
	}
	bool done = buffer_append(out, packed, (n * bits + 7) / 8);
	for (uint32_t i = 0; done && i < n; i++)
		if (tfs[i] - 4 >= most)
			done = buffer_append(out, &tfs[i], 4);
	return done;
}

/* The postings of one superblock, [first, last) of the list, appended to encoder->chunks without their position offset. */
static bool append_chunk(struct postings_encoder *encoder, const struct dense_plan *plan, const uint32_t *docs,
                         const uint32_t *tfs, uint32_t n)
{
	uint8_t headers[SUPERBLOCK_BLOCKS], bytes[SUPERBLOCK_DOCUMENTS], codes[SUPERBLOCK_DOCUMENTS / 4] = {0};
	uint64_t bitmaps[SUPERBLOCK_BLOCKS];
	uint32_t byte_exceptions[SUPERBLOCK_DOCUMENTS], bitmap_exceptions[SUPERBLOCK_DOCUMENTS];
	uint32_t blocks = 0, bitmap_count = 0, byte_count = 0, code_count = 0, byte_large = 0, bitmap_large = 0,
	         mask = 0;
	for (uint32_t i = 0; i < n;) {
		uint32_t block = docs[i] / BLOCK_DOCUMENTS, count = 0;
		float best = 0;
		for (; i + count < n && docs[i + count] / BLOCK_DOCUMENTS == block; count++) {
			float value =
			    saturation(tfs[i + count], encoder->denominators[encoder->lengths[docs[i + count]]]);
			best = value > best ? value : best;
		}
		uint8_t level = plan->level_of[quantize_bound(best, plan->maximum)];
		bool bitmap = count > BLOCK_BYTES_MAX;
		headers[blocks++] = (uint8_t)(level << 4 | (bitmap ? 15 : count - 1));
		mask |= 1u << (block % SUPERBLOCK_BLOCKS);
		if (bitmap)
			bitmaps[bitmap_count] = 0;
		for (uint32_t j = i; j < i + count; j++) {
			uint32_t offset = docs[j] % BLOCK_DOCUMENTS, code = tfs[j] < 4 ? tfs[j] - 1 : 3;
			if (bitmap) {
				bitmaps[bitmap_count] |= (uint64_t)1 << offset;
				codes[code_count / 4] |= (uint8_t)(code << (code_count % 4 * 2));
				code_count++;
				if (code == 3)
					bitmap_exceptions[bitmap_large++] = tfs[j];
			} else {
				bytes[byte_count++] = (uint8_t)(offset | code << 6);
				if (code == 3)
					byte_exceptions[byte_large++] = tfs[j];
			}
		}
		bitmap_count += bitmap;
		i += count;
	}
	struct buffer *out = &encoder->chunks;
	uint8_t mask_bytes[2] = {(uint8_t)mask, (uint8_t)(mask >> 8)};
	bool done = buffer_append(out, mask_bytes, 2) && buffer_append(out, headers, blocks) &&
	            buffer_append(out, bitmaps, 8 * (size_t)bitmap_count) && buffer_append(out, bytes, byte_count) &&
	            buffer_append(out, codes, (code_count + 3) / 4);
	memcpy(byte_exceptions + byte_large, bitmap_exceptions, bitmap_large * sizeof *bitmap_exceptions);
	uint32_t large = byte_large + bitmap_large;
	return done && append_exceptions(out, byte_exceptions, large, plan->exception_bits);
}

/* A list's chunks while they are put together: where each starts and ends in encoder->chunks (position offsets left out). */
struct chunk_sketch {
	uint32_t superblock;
	uint64_t start, end; /* in encoder->chunks */
	uint64_t positions;  /* bits of those before its first posting's */
};

static uint64_t positions_of(const struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs,
                             uint32_t n)
{
	uint64_t bits = 0;
	for (uint32_t i = 0; i < n; i++)
		bits += position_bits(tfs[i], encoder->last_positions[docs[i]]);
	return bits;
}

static int sketch_chunks(struct postings_encoder *encoder, const struct dense_plan *plan, const uint32_t *docs,
                         const uint32_t *tfs, uint32_t n, uint32_t *count, trawl_error *error)
{
	struct chunk_sketch *sketches = encoder->sketches;
	uint64_t positions = 0;
	encoder->chunks.length = 0;
	*count = 0;
	for (uint32_t i = 0; i < n;) {
		uint32_t superblock = docs[i] / SUPERBLOCK_DOCUMENTS, last = i;
		while (last < n && docs[last] / SUPERBLOCK_DOCUMENTS == superblock)
			last++;
		struct chunk_sketch *sketch = &sketches[(*count)++];
		*sketch = (struct chunk_sketch){
		    .superblock = superblock, .start = encoder->chunks.length, .positions = positions};
		if (!append_chunk(encoder, plan, docs + i, tfs + i, last - i))
			return error_set_memory(error);
		sketch->end = encoder->chunks.length;
		if (encoder->positions)
			positions += positions_of(encoder, docs + i, tfs + i, last - i);
		i = last;
	}
	return 0;
}

/* Superblocks are bounded in whole groups. */
static size_t bounds_bytes(const struct postings_encoder *encoder)
{
	return (size_t)group_count(encoder->documents) * GROUP_SUPERBLOCKS;
}

/* The widths that all chunks of the list can live with. */
static int choose_widths(const struct chunk_sketch *sketches, uint32_t count, bool positions, uint8_t *shift,
                         uint8_t *offset_bytes, trawl_error *error)
{
	uint64_t longest = 0, farthest = 0, group_base = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!i || sketches[i].superblock / GROUP_SUPERBLOCKS != sketches[i - 1].superblock / GROUP_SUPERBLOCKS)
			group_base = sketches[i].positions;
		if (sketches[i].end - sketches[i].start > longest)
			longest = sketches[i].end - sketches[i].start;
		if (sketches[i].positions - group_base > farthest)
			farthest = sketches[i].positions - group_base;
	}
	if (farthest > UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT, "over 512 MiB of positions of a term in 16,384 documents");
	*offset_bytes = !positions ? 0 : farthest > UINT16_MAX ? 4 : 2;
	longest += *offset_bytes;
	for (*shift = 0; longest > 255u << *shift; ++*shift)
		;
	return 0;
}

/* A chunk takes at most so much, padded; with gaps, which are less than what they are followed by, all of a list's chunks lie within
 * 32 bits of its head. */
#define CHUNK_BYTES_MAX (SUPERBLOCK_DOCUMENTS * 6)
_Static_assert((uint64_t)DOCUMENTS_MAX / SUPERBLOCK_DOCUMENTS * CHUNK_BYTES_MAX * 2 < UINT32_MAX, "addresses fit");

/* Lay the chunks out behind the head, group by group, and fill in the head's directory. The padded chunks go to `body`,
 * with `gaps`[group] telling how many bytes to leave out before each group so that it is whole. */
static int lay_out(const uint8_t *chunks, const struct chunk_sketch *sketches, uint32_t count, uint8_t *head,
                   uint32_t groups, uint8_t shift, uint8_t offset_bytes, uint64_t head_address, uint64_t head_bytes,
                   struct buffer *body, trawl_error *error)
{
	uint8_t *directory = head + DENSE_HEAD + (uint64_t)groups * GROUP_SUPERBLOCKS;
	uint64_t address = head_address + head_bytes;
	for (uint32_t i = 0; i < count;) {
		uint32_t group = sketches[i].superblock / GROUP_SUPERBLOCKS, last = i;
		uint64_t bytes = 0, base = sketches[i].positions;
		uint8_t *entry = directory + (uint64_t)group * GROUP_ENTRY;
		for (; last < count && sketches[last].superblock / GROUP_SUPERBLOCKS == group; last++) {
			uint64_t length = sketches[last].end - sketches[last].start + offset_bytes;
			uint64_t units = (length + ((uint64_t)1 << shift) - 1) >> shift;
			entry[4 + sketches[last].superblock % GROUP_SUPERBLOCKS] = (uint8_t)units;
			bytes += units << shift;
		}
		uint64_t room = EXTENT_PAYLOAD - address % EXTENT_PAYLOAD, gap = bytes > room ? room : 0;
		address += gap;
		store32(entry, (uint32_t)(address - head_address));
		store64(entry + 20, base);
		if (!buffer_reserve(body, gap + bytes))
			return error_set_memory(error);
		memset(body->data + body->length, 0, gap + bytes);
		body->length += gap;
		for (; i < last; i++) {
			uint8_t *at = body->data + body->length;
			uint64_t offset = sketches[i].positions - base, length = sketches[i].end - sketches[i].start;
			memcpy(at, &offset, offset_bytes);
			memcpy(at + offset_bytes, chunks + sketches[i].start, length);
			body->length += (uint64_t)entry[4 + sketches[i].superblock % GROUP_SUPERBLOCKS] << shift;
		}
		address += bytes;
	}
	return 0;
}

/* The bound of each superblock. */
static void find_bounds(const struct postings_encoder *encoder, const struct dense_plan *plan, const uint32_t *docs,
                        uint8_t *bounds)
{
	for (uint32_t i = 0; i < plan->postings; i++) {
		uint8_t *bound = bounds + docs[i] / SUPERBLOCK_DOCUMENTS;
		uint8_t q = quantize_bound(encoder->saturations[i], plan->maximum);
		if (q > *bound)
			*bound = q;
	}
}

/* To *plan, encoder->chunks, encoder->sketches and encoder->bounds. */
static int encode_dense(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                        struct dense_plan *plan, trawl_error *error)
{
	size_t superblocks = superblock_count(encoder->documents), bounds = bounds_bytes(encoder);
	if (!memory_reserve(&encoder->sketches, &encoder->sketch_capacity, superblocks, sizeof *encoder->sketches) ||
	    !memory_reserve(&encoder->bounds, &encoder->bound_capacity, bounds, 1))
		return error_set_memory(error);
	plan->postings = n;
	int code = plan_dense(encoder, docs, tfs, n, plan, error);
	if (!code)
		code = sketch_chunks(encoder, plan, docs, tfs, n, &plan->chunks, error);
	if (code)
		return code;
	memset(encoder->bounds, 0, bounds);
	find_bounds(encoder, plan, docs, encoder->bounds);
	return 0;
}

static void fill_head(uint8_t *head, const struct dense_plan *plan, const uint8_t *bounds, uint32_t groups,
                      uint8_t shift, uint8_t offset_bytes)
{
	store32(head, plan->postings);
	memcpy(head + 4, &plan->maximum, 4);
	memcpy(head + 8, plan->floors, 12);
	memcpy(head + 20, plan->codebook, 16);
	head[36] = shift;
	head[37] = offset_bytes;
	head[38] = (uint8_t)plan->exception_bits;
	store32(head + 40, groups);
	memcpy(head + DENSE_HEAD, bounds, (size_t)groups * GROUP_SUPERBLOCKS);
}

static int place_dense(struct postings_encoder *encoder, const struct dense_plan *plan,
                       const struct chunk_sketch *sketches, const uint8_t *bounds, const uint8_t *chunks,
                       struct list_place *place, trawl_error *error)
{
	struct buffer body = {0};
	uint8_t shift = 0, offset_bytes = 0;
	uint32_t groups = group_count(encoder->documents);
	uint64_t head_bytes = DENSE_HEAD + (uint64_t)groups * (GROUP_SUPERBLOCKS + GROUP_ENTRY);
	uint8_t *head = memory_new_zeroed(1, head_bytes);
	int code = head
	               ? choose_widths(sketches, plan->chunks, encoder->positions != NULL, &shift, &offset_bytes, error)
	               : error_set_memory(error);
	if (!code)
		code = part_writer_align(encoder->postings, head_bytes, error);
	if (code)
		goto done;
	place->postings = encoder->postings->address;
	fill_head(head, plan, bounds, groups, shift, offset_bytes);
	code = lay_out(chunks, sketches, plan->chunks, head, groups, shift, offset_bytes, place->postings, head_bytes,
	               &body, error);
	if (!code)
		code = part_writer_append(encoder->postings, head, head_bytes, error);
	if (!code)
		code = part_writer_append(encoder->postings, body.data, body.length, error);
	place->postings_bytes = head_bytes + body.length;
done:
	memory_free(head);
	buffer_release(&body);
	return code;
}

/* ---- lists ---- */

static int encode_positions(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                            const struct position_source *source, trawl_error *error)
{
	int code = 0;
	if (encoder->copy_positions && source)
		code = encoder->copy_positions(source->context, encoder, error);
	else
		for (uint32_t i = 0; !code && i < n; i++)
			code = positions_encode(encoder, docs[i], tfs[i], source, error);
	return code ? code : positions_finish(encoder, error);
}

int postings_encode(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                    const struct position_source *source, struct list_place *place, trawl_error *error)
{
	struct dense_plan plan;
	struct buffer *chunks = &encoder->chunks;
	int code;
	place->positions = encoder->positions ? encoder->positions->address : 0;
	if (n >= dense_list_border(encoder->documents)) {
		code = encode_dense(encoder, docs, tfs, n, &plan, error);
		if (!code)
			code =
			    place_dense(encoder, &plan, encoder->sketches, encoder->bounds, chunks->data, place, error);
	} else {
		code = encode_sparse(encoder, docs, tfs, n, error);
		if (!code)
			code = place_sparse(encoder, chunks->data, chunks->length, place, error);
	}
	if (!code)
		code = encode_positions(encoder, docs, tfs, n, source, error);
	place->positions_bytes = encoder->positions ? encoder->positions->address - place->positions : 0;
	return code;
}

/* ---- lists apart: a head, and behind it the plan, sketches and bounds of a dense list; the postings; the positions ---- */

struct encoded_head {
	uint64_t postings_bytes, positions_bytes;
	bool dense;
};

static bool append_aligned(struct buffer *out, const void *bytes, size_t length)
{
	return buffer_append(out, bytes, length) && buffer_pad(out, 8);
}

static const void *take_aligned(const uint8_t **at, size_t length)
{
	const uint8_t *taken = *at;
	*at += (length + 7) & ~(size_t)7;
	return taken;
}

int postings_encode_to(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                       const struct position_source *source, struct buffer *out, trawl_error *error)
{
	struct dense_plan plan;
	struct encoded_head head = {.dense = n >= dense_list_border(encoder->documents)};
	int code = head.dense ? encode_dense(encoder, docs, tfs, n, &plan, error)
	                      : encode_sparse(encoder, docs, tfs, n, error);
	if (code)
		return code;
	size_t head_at = out->length;
	head.postings_bytes = encoder->chunks.length;
	bool done = append_aligned(out, &head, sizeof head);
	if (head.dense)
		done = done && append_aligned(out, &plan, sizeof plan) &&
		       append_aligned(out, encoder->sketches, plan.chunks * sizeof *encoder->sketches) &&
		       append_aligned(out, encoder->bounds, bounds_bytes(encoder));
	if (!done || !append_aligned(out, encoder->chunks.data, encoder->chunks.length))
		return error_set_memory(error);
	size_t positions_at = out->length;
	encoder->apart = out;
	code = encode_positions(encoder, docs, tfs, n, source, error);
	head.positions_bytes = out->length - positions_at;
	memcpy(out->data + head_at, &head, sizeof head);
	return !code && !buffer_pad(out, 8) ? error_set_memory(error) : code;
}

int postings_place(struct postings_encoder *encoder, const uint8_t **at, struct list_place *place, trawl_error *error)
{
	const struct encoded_head *head = take_aligned(at, sizeof *head);
	int code;
	place->positions = encoder->positions ? encoder->positions->address : 0;
	if (head->dense) {
		const struct dense_plan *plan = take_aligned(at, sizeof *plan);
		const struct chunk_sketch *sketches = take_aligned(at, plan->chunks * sizeof *sketches);
		const uint8_t *bounds = take_aligned(at, bounds_bytes(encoder));
		const uint8_t *chunks = take_aligned(at, head->postings_bytes);
		code = place_dense(encoder, plan, sketches, bounds, chunks, place, error);
	} else {
		code =
		    place_sparse(encoder, take_aligned(at, head->postings_bytes), head->postings_bytes, place, error);
	}
	const uint8_t *positions = take_aligned(at, head->positions_bytes);
	place->positions_bytes = head->positions_bytes;
	if (!code && encoder->positions)
		code = part_writer_append(encoder->positions, positions, head->positions_bytes, error);
	return code;
}
