/* Kernels: every primitive of every kernel that this machine has gives the scalar one's bits; bounds are bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "searcher/kernel.h"
#include "searcher/open.h"
#include "tests/made_lists.h"

#define DOCUMENTS 60000

static struct made_lists made;
static struct scorer scorer;
static struct random random_source;

static void fill_scorer(struct scorer *out, float k1, float b, float average)
{
	bm25_denominators(k1, b, average, out->denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			out->saturations[tf - 1][code] = saturation(tf, out->denominators[code]);
}

/* Every 37th document: long blocks of nothing, byte form. Superblocks 3 to 5: all documents. */
static bool patchy(void *context, uint32_t doc)
{
	(void)context;
	uint32_t superblock = doc / SUPERBLOCK_DOCUMENTS;
	return superblock >= 3 && superblock <= 5 ? true
	       : superblock % 4 == 1              ? false
	                                          : doc % 37 == 0 || doc % 64 == 63;
}

static int make_lists(void **state)
{
	(void)state;
	random_source = seeded();
	made_lists_begin(&made, "kernels", DOCUMENTS, 5000, true, &random_source);
	const double chances[] = {0.06, 0.15, 0.24, 0.3, 0.6, 1.0};
	for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
		double chance = chances[i];
		made_lists_add(&made, by_chance, &chance, &random_source);
	}
	made_lists_add(&made, every_block_count, NULL, &random_source);
	made_lists_add(&made, patchy, NULL, &random_source);
	made_lists_add_tame(&made, &random_source);
	made_lists_open(&made);
	fill_scorer(&scorer, BUILD_K1, BUILD_B, made.average);
	return 0;
}

static int drop_lists(void **state)
{
	(void)state;
	made_lists_release(&made);
	return 0;
}

/* ---- over kernels and chunks ---- */

typedef void check(const struct kernel *kernel, const struct kernel *scalar);

static void for_each_kernel(check *run)
{
	const struct kernel *scalar = kernel_for(CPU_SCALAR);
	assert_ptr_equal(scalar, &kernel_scalar);
	for (int level = CPU_SCALAR; level <= CPU_AVX512; level++) {
		const struct kernel *kernel = kernel_for((enum cpu_level)level);
		if (kernel)
			run(kernel, scalar);
		else
			print_message("SKIP: this machine has no %s, so that kernel was not tested\n",
			              cpu_level_name((enum cpu_level)level));
	}
}

typedef void check_chunk(const struct kernel *kernel, const struct kernel *scalar, struct chunk *chunk,
                         const uint8_t *lengths);

static void for_each_chunk(const struct kernel *kernel, const struct kernel *scalar, check_chunk *run)
{
	struct dense_list head;
	struct chunk chunk;
	for (size_t i = 0; i < made.count; i++) {
		made_lists_head(&made, &made.lists[i], &head);
		for (uint32_t superblock = 0; superblock < superblock_count(DOCUMENTS); superblock++)
			if (made_lists_chunk(&made, &head, superblock, &chunk))
				run(kernel, scalar, &chunk, made.lengths + superblock * SUPERBLOCK_DOCUMENTS);
	}
}

/* Where the blocks of a chunk are, by rank. */
static uint32_t block_places(struct chunk *chunk, uint32_t places[SUPERBLOCK_BLOCKS])
{
	uint32_t rank = 0;
	for (uint32_t left = chunk->block_mask; left; left &= left - 1)
		places[rank++] = (uint32_t)__builtin_ctz(left);
	return rank;
}

static void assert_same_floats(const float *a, const float *b, size_t n)
{
	assert_memory_equal(a, b, n * sizeof *a);
}

/* ---- lists of bounds ---- */

#define SUMS 4096

static void fill_floats(float *values, size_t n, float most)
{
	for (size_t i = 0; i < n; i++)
		values[i] = random_chance(&random_source, 0.1) ? 0 : most * (float)random_unit(&random_source);
}

static void fill_bounds(uint8_t *bounds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bounds[i] = random_chance(&random_source, 0.3) ? 0 : (uint8_t)random_next(&random_source);
}

/* What is added to the negated product, rounded, leaves nothing; fused, it leaves what the rounding took. */
static void check_roundings(const struct kernel *kernel, const struct kernel *scalar)
{
	(void)scalar;
	float sums[64], denominators[64 + 15], scores[64 + 15];
	uint8_t bounds[64], tfs[64 + 15];
	for (int round = 0; round < 100; round++) {
		volatile float step = 0.1f + (float)random_unit(&random_source);
		for (int i = 0; i < 64; i++) {
			bounds[i] = (uint8_t)(1 + random_below(&random_source, 255));
			volatile float product = step * (float)bounds[i];
			sums[i] = -product;
			tfs[i] = bounds[i];
			denominators[i] = 0.5f + (float)random_unit(&random_source);
			volatile float below = (float)tfs[i] + denominators[i], part = (float)tfs[i] / below;
			volatile float score = step * part;
			scores[i] = -score;
		}
		kernel->add_bounds(sums, bounds, step, 64);
		kernel->add_saturations(tfs, denominators, step, 64, scores);
		for (int i = 0; i < 64; i++) {
			assert_true(sums[i] == 0);
			assert_true(scores[i] == 0);
		}
	}
}

static void no_kernel_fuses_a_product_with_a_sum(void **state)
{
	(void)state;
	for_each_kernel(check_roundings);
}

static void check_sums(const struct kernel *kernel, const struct kernel *scalar)
{
	static float base[SUMS], ours[SUMS], theirs[SUMS];
	static uint8_t bounds[SUMS];
	for (uint32_t n = 16; n <= SUMS; n = n < 256 ? n + 16 : n * 2) {
		fill_floats(base, n, 20);
		fill_bounds(bounds, n);
		memcpy(ours, base, sizeof base);
		memcpy(theirs, base, sizeof base);
		for (int term = 0; term < 5; term++) {
			float step = 0.1f * (float)random_unit(&random_source);
			fill_bounds(bounds, n);
			scalar->add_bounds(ours, bounds, step, n);
			kernel->add_bounds(theirs, bounds, step, n);
			assert_same_floats(ours, theirs, n);
		}
		scalar->add_required(ours, bounds, 0.01f, n);
		kernel->add_required(theirs, bounds, 0.01f, n);
		assert_same_floats(ours, theirs, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(isinf(ours[i]), bounds[i] ? 0 : isinf(-INFINITY));
	}
}

static void bounds_are_summed_to_the_same_bits(void **state)
{
	(void)state;
	for_each_kernel(check_sums);
}

static void check_selections(const struct kernel *kernel, const struct kernel *scalar)
{
	static float sums[SUMS];
	static uint32_t ours[SUMS + 16], theirs[SUMS + 16];
	for (int round = 0; round < 300; round++) {
		uint32_t n = 16 * (1 + (uint32_t)random_below(&random_source, SUMS / 16));
		fill_floats(sums, n, 10);
		if (round % 3 == 0)
			for (uint32_t i = 0; i < n; i += 3)
				sums[i] = -INFINITY;
		float threshold = round % 4 == 0   ? 0
		                  : round % 4 == 1 ? sums[random_below(&random_source, n)] /* equal ones stay */
		                                   : 11 * (float)random_unit(&random_source);
		uint32_t count = scalar->select_sums(sums, threshold, n, ours), expected = 0;
		assert_int_equal(kernel->select_sums(sums, threshold, n, theirs), count);
		assert_memory_equal(ours, theirs, count * sizeof *ours);
		for (uint32_t i = 0; i < n; i++)
			expected += sums[i] >= threshold && sums[i] > 0;
		assert_int_equal(count, expected);
	}
}

static void selections_are_the_same(void **state)
{
	(void)state;
	for_each_kernel(check_selections);
}

static void check_at_least(const struct kernel *kernel, const struct kernel *scalar)
{
	float scores[BLOCK_DOCUMENTS];
	for (int round = 0; round < 2000; round++) {
		fill_floats(scores, BLOCK_DOCUMENTS, 5);
		float threshold = round % 2 ? scores[random_below(&random_source, BLOCK_DOCUMENTS)]
		                            : 5 * (float)random_unit(&random_source);
		uint64_t mask = scalar->at_least(scores, threshold);
		assert_true(kernel->at_least(scores, threshold) == mask);
		for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++)
			assert_int_equal(mask >> i & 1, scores[i] >= threshold);
	}
}

static void check_blocks_at_least(const struct kernel *kernel, const struct kernel *scalar)
{
	for (int round = 0; round < 1000; round++) {
		float bests[SUPERBLOCK_BLOCKS], threshold;
		fill_floats(bests, SUPERBLOCK_BLOCKS, 3);
		threshold = bests[random_below(&random_source, SUPERBLOCK_BLOCKS)];
		uint32_t expected = 0;
		for (uint32_t r = 0; r < SUPERBLOCK_BLOCKS; r++)
			expected |= bests[r] >= threshold ? 1u << r : 0;
		assert_int_equal(scalar->blocks_at_least(bests, threshold), expected);
		assert_int_equal(kernel->blocks_at_least(bests, threshold), expected);
	}
}

static void scores_at_least_the_threshold_are_the_same(void **state)
{
	(void)state;
	for_each_kernel(check_at_least);
	for_each_kernel(check_blocks_at_least);
}

static void check_shorts(const struct kernel *kernel, const struct kernel *scalar)
{
	/* Heap blocks of exactly what may be loaded. */
	uint16_t *sizes = malloc(BLOCK_DOCUMENTS * sizeof *sizes);
	uint16_t *a = malloc(SHORTS_MAX * sizeof *a), *b = malloc(SHORTS_MAX * sizeof *b);
	for (int round = 0; round < 3000; round++) {
		uint32_t n = (uint32_t)random_below(&random_source, BLOCK_DOCUMENTS + 1), sum = 0, expected = 0;
		for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++) {
			sizes[i] = (uint16_t)random_below(&random_source, 1 << 15);
			sum += i < n ? sizes[i] : 0;
		}
		assert_int_equal(scalar->sum_sizes(sizes, n), sum);
		assert_int_equal(kernel->sum_sizes(sizes, n), sum);
		uint32_t most = random_chance(&random_source, 0.5) ? 40 : 1 << 15;
		uint16_t delta = (uint16_t)(random_below(&random_source, 9) - 4);
		for (uint32_t i = 0; i < SHORTS_MAX; i++) {
			a[i] = (uint16_t)random_below(&random_source, most);
			b[i] = random_chance(&random_source, 0.2) ? SHORT_NONE
			                                          : (uint16_t)random_below(&random_source, most);
		}
		n = 1 + (uint32_t)random_below(&random_source, SHORTS_MAX);
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t k = 0; k < SHORTS_MAX; k++)
				expected |= (uint32_t)((uint16_t)(a[i] + delta) == b[k]) << i;
		assert_int_equal(scalar->among_shorts(a, n, b, delta), expected);
		assert_int_equal(kernel->among_shorts(a, n, b, delta), expected);
	}
	free(sizes);
	free(a);
	free(b);
}

static void shorts_are_summed_and_found_alike(void **state)
{
	(void)state;
	for_each_kernel(check_shorts);
}

/* Positions of 8 to SHORTS_MAX occurrences in documents of each size: those that were written, and of any other bytes the same
 * answer, without a load past the slack. */
static void check_decoded_shorts(const struct kernel *kernel, const struct kernel *scalar)
{
	for (int round = 0; round < 20000; round++) {
		uint8_t span = (uint8_t)(8 + random_below(&random_source, 119));
		uint32_t last = position_last(span), tf = 8 + (uint32_t)random_below(&random_source, SHORTS_MAX - 7);
		uint32_t first = (uint32_t)random_below(&random_source, 8), written[SHORTS_MAX];
		uint16_t ours[SHORTS_MAX], theirs[SHORTS_MAX];
		if (tf > last + 1)
			tf = last + 1;
		if (tf < 8)
			continue;
		uint64_t length = bytes_of_bits(first, position_bits(tf, span));
		uint8_t *tight = malloc(length + EXTENT_SLACK);
		bool sound = random_chance(&random_source, 0.8);
		if (sound) {
			struct buffer out = {0};
			struct bit_writer writer = {.out = &out};
			static const uint8_t some[16] = {0x5a};
			uint32_t spread = (uint32_t)random_below(&random_source, (uint64_t)last + 2 - tf);
			for (uint32_t i = 0; i < tf; i++)
				written[i] = i + (uint32_t)((uint64_t)spread * i / (tf - 1));
			assert_true(bits_append(&writer, some, 0, first) &&
			            positions_append(&writer, written, tf, span));
			bits_finish(&writer);
			assert_int_equal(out.length, length);
			memcpy(tight, out.data, length);
			buffer_release(&out);
		} else {
			for (uint64_t i = 0; i < length; i++)
				tight[i] = (uint8_t)random_next(&random_source);
		}
		memset(tight + length, 0xff, EXTENT_SLACK);
		bool decoded = kernel->decode_shorts(tight, first, tf, span, ours);
		assert_int_equal(decoded, scalar->decode_shorts(tight, first, tf, span, theirs));
		assert_true(decoded || !sound);
		if (decoded)
			assert_memory_equal(ours, theirs, sizeof ours);
		for (uint32_t i = 0; sound && i < SHORTS_MAX; i++)
			assert_int_equal(ours[i], i < tf ? written[i] : SHORT_NONE);
		free(tight);
	}
}

static void positions_are_decoded_alike(void **state)
{
	(void)state;
	for_each_kernel(check_decoded_shorts);
}

/* ---- chunks ---- */

static void check_chunk_scores(const struct kernel *kernel, const struct kernel *scalar, struct chunk *chunk,
                               const uint8_t *lengths)
{
	uint32_t places[SUPERBLOCK_BLOCKS], ranks = block_places(chunk, places), tfs[BLOCK_DOCUMENTS];
	for (uint32_t rank = 0; rank < ranks; rank++) {
		float ours[BLOCK_DOCUMENTS], theirs[BLOCK_DOCUMENTS], expected[BLOCK_DOCUMENTS];
		float weight = 0.1f + 8 * (float)random_unit(&random_source);
		const uint8_t *of_block = lengths + places[rank] * BLOCK_DOCUMENTS;
		uint64_t mask;
		fill_floats(ours, BLOCK_DOCUMENTS, 3);
		memcpy(theirs, ours, sizeof ours);
		memcpy(expected, ours, sizeof ours);
		uint32_t count = chunk_block(chunk, rank, &mask, tfs), index = 0;
		for (uint64_t left = mask; left; left &= left - 1, index++) {
			int doc = __builtin_ctzll(left);
			expected[doc] += weight * saturation(tfs[index], scorer.denominators[of_block[doc]]);
		}
		assert_int_equal(index, count);
		assert_true(scalar->score_block(chunk, rank, of_block, &scorer, weight, ours) == mask);
		assert_true(kernel->score_block(chunk, rank, of_block, &scorer, weight, theirs) == mask);
		assert_true(scalar->block_mask(chunk, rank) == mask);
		assert_true(kernel->block_mask(chunk, rank) == mask);
		assert_same_floats(ours, expected, BLOCK_DOCUMENTS);
		assert_same_floats(theirs, expected, BLOCK_DOCUMENTS);
	}
}

static void check_all_scores(const struct kernel *kernel, const struct kernel *scalar)
{
	for_each_chunk(kernel, scalar, check_chunk_scores);
}

static void blocks_are_scored_to_the_same_bits(void **state)
{
	(void)state;
	for_each_kernel(check_all_scores);
}

/* What bulk_impl.h puts together: tfs, length bytes and scores of some documents of a block. */
static void check_picked(const struct kernel *kernel, struct chunk *chunk, uint32_t rank, const uint8_t *lengths,
                         uint64_t wanted)
{
	uint32_t tfs[BLOCK_DOCUMENTS], index = 0;
	uint64_t mask;
	uint8_t picked[BLOCK_DOCUMENTS + 16] = {0}, codes[BLOCK_DOCUMENTS + 16] = {0};
	float denominators[BLOCK_DOCUMENTS + 16], scores[BLOCK_DOCUMENTS + 16] = {0}, weight = 1.75f;
	bool wide = false;
	chunk_block(chunk, rank, &mask, tfs);
	for (uint64_t left = mask; left; left &= left - 1, index++)
		wide |= wanted & left & -left && tfs[index] > 255;
	uint32_t count = (uint32_t)__builtin_popcountll(wanted), place = 0;
	assert_true(wide != kernel->pick_tfs(chunk, rank, mask, wanted, picked));
	if (wide)
		return;
	kernel->pick_bytes(lengths, wanted, codes);
	kernel->find_denominators(scorer.denominators, codes, count, denominators);
	kernel->add_saturations(picked, denominators, weight, count, scores);
	for (uint64_t left = wanted; left; left &= left - 1, place++) {
		uint64_t bit = left & -left;
		uint32_t tf = mask & bit ? tfs[__builtin_popcountll(mask & (bit - 1))] : 0;
		uint8_t code = lengths[__builtin_ctzll(left)];
		float expected = tf ? weight * saturation(tf, scorer.denominators[code]) : 0;
		assert_int_equal(picked[place], tf);
		assert_int_equal(codes[place], code);
		assert_true(denominators[place] == scorer.denominators[code]);
		assert_same_floats(&scores[place], &expected, 1);
	}
}

static void check_chunk_picks(const struct kernel *kernel, const struct kernel *scalar, struct chunk *chunk,
                              const uint8_t *lengths)
{
	uint32_t places[SUPERBLOCK_BLOCKS], ranks = block_places(chunk, places);
	for (uint32_t rank = 0; rank < ranks; rank++) {
		const uint8_t *of_block = lengths + places[rank] * BLOCK_DOCUMENTS;
		uint64_t mask = kernel->block_mask(chunk, rank), any = random_next(&random_source);
		const uint64_t wanted[] = {mask, mask & any, any, UINT64_MAX, mask & -mask, 0};
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
			check_picked(scalar, chunk, rank, of_block, wanted[i]);
			check_picked(kernel, chunk, rank, of_block, wanted[i]);
		}
	}
}

static void check_all_picks(const struct kernel *kernel, const struct kernel *scalar)
{
	for_each_chunk(kernel, scalar, check_chunk_picks);
}

static void some_documents_of_a_block_are_picked_and_scored_to_the_same_bits(void **state)
{
	(void)state;
	for_each_kernel(check_all_picks);
}

/* A block as measured: in document order the tfs, and where each posting's positions start. */
static uint32_t measured(const struct block_positions *block, uint32_t *tfs, uint64_t *starts)
{
	uint32_t count = (uint32_t)__builtin_popcountll(block->mask);
	uint64_t start = 0;
	for (uint32_t i = 0; i < count; i++) {
		tfs[i] = block->wide ? block->wide_tfs[i] : block->tfs[i];
		starts[i] = block->wide ? block->wide_starts[i] : start;
		start += block->wide ? 0 : block->sizes[i];
	}
	if (!block->wide)
		assert_true(block->total == start);
	return count;
}

static void check_measured(const struct kernel *kernel, struct chunk *chunk, uint32_t rank, uint32_t exception,
                           const uint8_t *lengths)
{
	struct block_positions block;
	uint32_t expected[BLOCK_DOCUMENTS], tfs[BLOCK_DOCUMENTS], index = 0, exceptions = 0;
	uint64_t mask, starts[BLOCK_DOCUMENTS], total = 0;
	kernel->measure_block(chunk, rank, exception, lengths, &block);
	uint32_t count = chunk_block(chunk, rank, &mask, expected);
	assert_true(block.mask == mask);
	assert_int_equal(measured(&block, tfs, starts), count);
	for (uint64_t left = mask; left; left &= left - 1, index++) {
		assert_int_equal(tfs[index], expected[index]);
		assert_true(starts[index] == total);
		total += position_bits(expected[index], lengths[__builtin_ctzll(left)]);
		exceptions += expected[index] >= 4;
	}
	assert_true(block.total == total);
	assert_int_equal(block.exceptions, exceptions);
}

static void check_chunk_measures(const struct kernel *kernel, const struct kernel *scalar, struct chunk *chunk,
                                 const uint8_t *lengths)
{
	uint32_t places[SUPERBLOCK_BLOCKS], ranks = block_places(chunk, places);
	uint8_t lengths_here[BLOCK_DOCUMENTS];
	for (uint32_t rank = 0; rank < ranks; rank++) {
		uint32_t exception = chunk_exceptions_before(chunk, rank, 0);
		const uint8_t *of_block = lengths + places[rank] * BLOCK_DOCUMENTS;
		check_measured(scalar, chunk, rank, exception, of_block);
		check_measured(kernel, chunk, rank, exception, of_block);
		/* and with all documents as short as makes no difference, or around where sizes change */
		uint8_t most = (uint8_t)(20 + random_below(&random_source, 115));
		for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++)
			lengths_here[i] = (uint8_t)(1 + random_below(&random_source, most));
		check_measured(kernel, chunk, rank, exception, lengths_here);
	}
}

/* Every tf at every last-position byte, around where sizes are no longer found by vector: a block of all 64 documents, whose tfs are exceptions or
 * none is, of either width. */
static void check_every_size(const struct kernel *kernel, const struct kernel *scalar)
{
	uint8_t room[512], header = 15, last_positions[BLOCK_DOCUMENTS];
	(void)scalar;
	for (uint32_t tf = 1; tf <= 140; tf++)
		for (uint32_t first = 0; first < 256; first += BLOCK_DOCUMENTS / 2) {
			struct chunk chunk = {.block_mask = 1, .block_count = 1, .bitmap_mask = 1, .headers = &header};
			memset(room, 0xff, sizeof room);
			chunk.bitmaps = room;
			chunk.bytes = chunk.codes = room + 8;
			chunk.bitmap_postings = BLOCK_DOCUMENTS;
			chunk.exception_bits = tf % 2 && tf < 4 + 15 ? 4 : 8;
			chunk.exceptions = chunk.codes + BLOCK_DOCUMENTS / 4;
			memset(room + 8, tf < 4 ? (int)(tf - 1) * 0x55 : 0xff, BLOCK_DOCUMENTS / 4);
			uint8_t value = (uint8_t)(tf - 4);
			memset(room + 24, chunk.exception_bits == 4 ? value * 0x11 : value, BLOCK_DOCUMENTS);
			chunk.end = chunk.exceptions + BLOCK_DOCUMENTS * chunk.exception_bits / 8;
			for (uint32_t i = 0; i < BLOCK_DOCUMENTS; i++)
				last_positions[i] = (uint8_t)(first + i / 2);
			check_measured(kernel, &chunk, 0, 0, last_positions);
		}
}

static void sizes_are_right_for_every_tf_and_span(void **state)
{
	(void)state;
	for_each_kernel(check_every_size);
}

static void check_all_measures(const struct kernel *kernel, const struct kernel *scalar)
{
	for_each_chunk(kernel, scalar, check_chunk_measures);
}

static void blocks_are_measured_alike(void **state)
{
	(void)state;
	for_each_kernel(check_all_measures);
}

static void check_chunk_levels(const struct kernel *kernel, const struct kernel *scalar, struct chunk *chunk,
                               const uint8_t *lengths)
{
	float levels[16], ours[SUPERBLOCK_BLOCKS], theirs[SUPERBLOCK_BLOCKS];
	uint32_t places[SUPERBLOCK_BLOCKS], ranks = block_places(chunk, places);
	(void)lengths;
	fill_floats(levels, 16, 4);
	float expected[SUPERBLOCK_BLOCKS] = {0};
	for (uint32_t rank = 0; rank < ranks; rank++)
		expected[places[rank]] = levels[chunk->headers[rank] >> 4];
	/* What was there before is overwritten. */
	fill_floats(ours, SUPERBLOCK_BLOCKS, 4);
	fill_floats(theirs, SUPERBLOCK_BLOCKS, 4);
	scalar->find_bounds(chunk, levels, ours);
	kernel->find_bounds(chunk, levels, theirs);
	assert_same_floats(ours, expected, SUPERBLOCK_BLOCKS);
	assert_same_floats(theirs, expected, SUPERBLOCK_BLOCKS);
}

static void check_all_levels(const struct kernel *kernel, const struct kernel *scalar)
{
	for_each_chunk(kernel, scalar, check_chunk_levels);
}

static void block_bounds_are_added_to_the_same_bits(void **state)
{
	(void)state;
	for_each_kernel(check_all_levels);
}

/* The lists above hold what the kernels take different ways for. */
static void the_lists_have_every_form(void **state)
{
	(void)state;
	bool counts[BLOCK_DOCUMENTS + 1] = {false}, forms[2] = {false}, tfs[4] = {false};
	for (size_t l = 0; l < made.count; l++) {
		const struct made_list *list = &made.lists[l];
		for (uint32_t i = 0, first = 0; i < list->n; i++) {
			uint32_t tf = list->tfs[i];
			tfs[tf < 4 ? 0 : tf <= 16 ? 1 : tf < 259 ? 2 : 3] = true;
			if (i + 1 < list->n && list->docs[i + 1] / BLOCK_DOCUMENTS == list->docs[i] / BLOCK_DOCUMENTS)
				continue;
			counts[i + 1 - first] = true;
			forms[i + 1 - first > 15] = true;
			first = i + 1;
		}
	}
	for (int i = 1; i <= BLOCK_DOCUMENTS; i++)
		assert_true(counts[i]);
	assert_true(forms[0] && forms[1] && tfs[0] && tfs[1] && tfs[2] && tfs[3]);
}

/* ---- hostile chunks ---- */

static void check_hostile(const struct kernel *kernel, const struct kernel *scalar)
{
	struct dense_list head;
	struct chunk chunk;
	float levels[16] = {0}, scores[BLOCK_DOCUMENTS] = {0}, bounds[SUPERBLOCK_BLOCKS] = {0};
	uint32_t length;
	uint64_t left;
	for (int round = 0; round < 20000; round++) {
		made_lists_head(&made, &made.lists[random_below(&random_source, made.count)], &head);
		uint32_t superblock = (uint32_t)random_below(&random_source, superblock_count(DOCUMENTS));
		uint64_t address = chunk_place(&head, superblock, &length);
		if (!length)
			continue;
		uint32_t cut = round % 2 ? length : (uint32_t)random_below(&random_source, length + 1);
		uint8_t *tight = malloc(cut + EXTENT_SLACK);
		memcpy(tight, part_at(&made.postings_part, address, &left, NULL), cut);
		memset(tight + cut, 0xff, EXTENT_SLACK);
		for (uint64_t flips = random_below(&random_source, 8); cut && flips; flips--)
			tight[random_below(&random_source, flips % 2 && cut > 24 ? 24 : cut)] =
			    (uint8_t)random_next(&random_source);
		if (chunk_open(&chunk, &head, superblock, tight, cut)) {
			kernel->find_bounds(&chunk, levels, bounds);
			for (uint32_t rank = 0; rank < chunk.block_count; rank++) {
				struct block_positions block;
				uint64_t mask = scalar->block_mask(&chunk, rank);
				assert_true(kernel->block_mask(&chunk, rank) == mask);
				assert_true(kernel->score_block(&chunk, rank, made.lengths, &scorer, 1, scores) ==
				            mask);
				kernel->measure_block(&chunk, rank, (uint32_t)random_below(&random_source, 2000),
				                      made.lengths, &block);
				assert_true(block.mask == mask);
			}
		}
		free(tight);
	}
}

static void damaged_chunks_stay_within_their_slack(void **state)
{
	(void)state;
	for_each_kernel(check_hostile);
}

/* ---- bounds ---- */

/* The greatest ratio of the denominators born and now over the lengths present, at least 1 (searcher/README.md). */
static float inflation_for(const struct scorer *now)
{
	float most = 1;
	for (uint32_t doc = 0; doc < made.documents; doc++) {
		float ratio = made.encoder.denominators[made.lengths[doc]] / now->denominators[made.lengths[doc]];
		most = ratio > most ? ratio : most;
	}
	return most;
}

static void check_bounds(const struct made_list *made_list, const struct scorer *now)
{
	struct leaf leaf = {.kind = LEAF_DENSE};
	struct chunk chunk;
	uint32_t superblock = UINT32_MAX;
	made_lists_head(&made, made_list, &leaf.dense);
	assert_int_equal(leaf_score(&leaf, &(struct leaf_scoring){NULL, now, 3.7f, inflation_for(now)}, NULL, NULL), 0);
	for (uint32_t i = 0; i < made_list->n; i++) {
		uint32_t doc = made_list->docs[i], block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
		if (doc / SUPERBLOCK_DOCUMENTS != superblock) {
			superblock = doc / SUPERBLOCK_DOCUMENTS;
			assert_true(made_lists_chunk(&made, &leaf.dense, superblock, &chunk));
		}
		float score = score_posting(now, 3.7f, made_list->tfs[i], made.lengths[doc]);
		uint32_t rank = (uint32_t)__builtin_popcount(chunk.block_mask & ((1u << block) - 1));
		assert_true(score <= leaf.step * (float)leaf.dense.bounds[superblock]);
		assert_true(score <= leaf.levels[chunk.headers[rank] >> 4]);
	}
}

static void bounds_bound_contributions_for_any_parameters(void **state)
{
	(void)state;
	static const float k1s[] = {0, 0.0001f, 0.5f, 0.9f, 1.2f, 2, 1000}, bs[] = {0, 0.1f, 0.4f, 0.75f, 1};
	static const float averages[] = {0.1f, 0.9f, 1, 1.1f, 20}; /* of the average at birth */
	struct scorer now;
	for (size_t k = 0; k < sizeof k1s / sizeof *k1s; k++)
		for (size_t b = 0; b < sizeof bs / sizeof *bs; b++)
			for (size_t a = 0; a < sizeof averages / sizeof *averages; a++) {
				fill_scorer(&now, k1s[k], bs[b], made.average * averages[a]);
				for (size_t l = (k + b + a) % 3; l < made.count; l += 3)
					check_bounds(&made.lists[l], &now);
			}
}

static void check_postings(const struct kernel *kernel, const struct kernel *scalar)
{
	enum { ROOM = 80, SPARE = 15 };
	uint32_t docs[ROOM], tfs[ROOM];
	float ours[ROOM + SPARE], theirs[ROOM + SPARE];
	for (int round = 0; round < 2000; round++) {
		/* The rest of the arrays is of no document. */
		uint32_t n = 1 + (uint32_t)random_below(&random_source, ROOM), doc = 0;
		memset(docs, 0xff, sizeof docs);
		memset(tfs, 0xff, sizeof tfs);
		for (uint32_t i = 0; i < n; i++) {
			doc = i + 1 == n ? DOCUMENTS - 1 : doc + 1 + (uint32_t)random_below(&random_source, 700);
			docs[i] = doc;
			tfs[i] = 1 + (uint32_t)random_below(&random_source, i % 5 ? SATURATION_TFS + 1 : 100000);
		}
		float weight = 3 * (float)random_unit(&random_source);
		scalar->score_postings(docs, tfs, n, made.lengths, &scorer, weight, ours);
		kernel->score_postings(docs, tfs, n, made.lengths, &scorer, weight, theirs);
		assert_same_floats(ours, theirs, n);
		for (uint32_t i = 0; i < n; i++)
			assert_true(ours[i] == score_posting(&scorer, weight, tfs[i], made.lengths[docs[i]]));
	}
}

static void postings_of_sparse_lists_are_scored_to_the_same_bits(void **state)
{
	(void)state;
	for_each_kernel(check_postings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_lists_have_every_form),
	    cmocka_unit_test(no_kernel_fuses_a_product_with_a_sum),
	    cmocka_unit_test(bounds_are_summed_to_the_same_bits),
	    cmocka_unit_test(selections_are_the_same),
	    cmocka_unit_test(scores_at_least_the_threshold_are_the_same),
	    cmocka_unit_test(shorts_are_summed_and_found_alike),
	    cmocka_unit_test(positions_are_decoded_alike),
	    cmocka_unit_test(blocks_are_scored_to_the_same_bits),
	    cmocka_unit_test(some_documents_of_a_block_are_picked_and_scored_to_the_same_bits),
	    cmocka_unit_test(postings_of_sparse_lists_are_scored_to_the_same_bits),
	    cmocka_unit_test(blocks_are_measured_alike),
	    cmocka_unit_test(sizes_are_right_for_every_tf_and_span),
	    cmocka_unit_test(block_bounds_are_added_to_the_same_bits),
	    cmocka_unit_test(damaged_chunks_stay_within_their_slack),
	    cmocka_unit_test(bounds_bound_contributions_for_any_parameters),
	};
	return cmocka_run_group_tests(tests, make_lists, drop_lists);
}
