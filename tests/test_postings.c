/* Posting lists and positions: what the encoder wrote into an index file is what the decoders read; hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/made_lists.h"

#define LOAD_SLACK 64 /* that sparse_list_decode and positions_decode may load past the end */

static trawl_error error;

static const uint8_t *read_part(struct part *part, uint64_t address, uint64_t length, struct buffer *scratch)
{
	const uint8_t *bytes = part_read(part, address, length, scratch, &error);
	if (!bytes)
		fail_msg("%s", error.text);
	return bytes;
}

static uint32_t whole_blocks(uint32_t n)
{
	return (n + SPARSE_RUN - 1) / SPARSE_RUN * SPARSE_RUN;
}

/* ---- comparing ---- */

static void check_sparse(struct made_lists *made, const struct made_list *list)
{
	uint64_t left;
	const uint8_t *bytes = part_at(&made->postings_part, list->place.postings, &left, &error);
	assert_non_null(bytes);
	assert_true(list->place.postings_bytes <= left); /* whole */
	uint32_t *docs = malloc(whole_blocks(list->n) * sizeof *docs),
	         *tfs = malloc(whole_blocks(list->n) * sizeof *tfs);
	assert_true(sparse_list_decode(bytes, list->place.postings_bytes, list->n, made->documents, docs, tfs));
	assert_memory_equal(docs, list->docs, list->n * sizeof *docs);
	assert_memory_equal(tfs, list->tfs, list->n * sizeof *tfs);
	free(docs);
	free(tfs);
}

static uint64_t block_of(const struct made_list *list, uint32_t first, uint32_t block, uint32_t *count)
{
	uint64_t mask = 0;
	for (*count = 0; first + *count < list->n && list->docs[first + *count] / BLOCK_DOCUMENTS == block; ++*count)
		mask |= (uint64_t)1 << list->docs[first + *count] % BLOCK_DOCUMENTS;
	return mask;
}

/* All ways to read a block say the same as the list from posting `first` on; the number of postings. */
static uint32_t check_block(struct chunk *chunk, uint32_t rank, const struct made_list *list, uint32_t first,
                            uint32_t block)
{
	uint32_t tfs[BLOCK_DOCUMENTS], count, index = 0;
	uint64_t mask, expected = block_of(list, first, block, &count);
	assert_int_equal(chunk_block(chunk, rank, &mask, tfs), count);
	assert_true(mask == expected);
	assert_true(chunk_block_mask(chunk, rank) == expected);
	assert_memory_equal(tfs, list->tfs + first, count * sizeof *tfs);
	for (uint32_t offset = 0; offset < BLOCK_DOCUMENTS; offset++) {
		bool there = expected >> offset & 1;
		assert_int_equal(chunk_tf(chunk, rank, offset), there ? tfs[index] : 0);
		index += there;
	}
	return count;
}

static void check_dense(struct made_lists *made, const struct made_list *list)
{
	struct dense_list head;
	struct chunk chunk;
	uint32_t next = 0;
	uint64_t positions = 0;
	made_lists_head(made, list, &head);
	assert_int_equal(head.df, list->n);
	for (uint32_t superblock = 0; superblock < head.groups * GROUP_SUPERBLOCKS; superblock++) {
		bool expected = next < list->n && list->docs[next] / SUPERBLOCK_DOCUMENTS == superblock;
		assert_int_equal(made_lists_chunk(made, &head, superblock, &chunk), expected);
		assert_int_equal(head.bounds[superblock] != 0, expected);
		if (!expected)
			continue;
		if (made->positions)
			assert_true(chunk.positions == positions);
		for (uint32_t left = chunk.block_mask, rank = 0; left; left &= left - 1, rank++) {
			uint32_t block = superblock * SUPERBLOCK_BLOCKS + (uint32_t)__builtin_ctz(left);
			uint32_t count = check_block(&chunk, rank, list, next, block);
			for (uint32_t i = 0; i < count; i++, next++)
				positions += position_bits(list->tfs[next], made->last_positions[list->docs[next]]);
		}
	}
	assert_int_equal(next, list->n);
}

static void check_positions(struct made_lists *made, const struct made_list *list)
{
	struct buffer scratch = {0};
	uint64_t at = 8 * list->place.positions;
	const uint32_t *expected = list->positions;
	for (uint32_t i = 0; i < list->n; i++) {
		uint8_t span = made->last_positions[list->docs[i]];
		uint64_t bits = position_bits(list->tfs[i], span);
		uint32_t *decoded = malloc(list->tfs[i] * sizeof *decoded);
		const uint8_t *stored = read_part(&made->positions_part, at / 8, bytes_of_bits(at % 8, bits), &scratch);
		assert_true(positions_decode(stored, at % 8, list->tfs[i], span, decoded));
		assert_memory_equal(decoded, expected, list->tfs[i] * sizeof *decoded);
		free(decoded);
		at += bits;
		expected += list->tfs[i];
	}
	assert_true((at + 7) / 8 == list->place.positions + list->place.positions_bytes);
	buffer_release(&scratch);
}

static void check_list(struct made_lists *made, const struct made_list *list)
{
	if (list->n < dense_list_border(made->documents))
		check_sparse(made, list);
	else
		check_dense(made, list);
	if (made->positions)
		check_positions(made, list);
	else
		assert_true(list->place.positions_bytes == 0);
}

/* ---- round trips ---- */

static bool one_in(void *context, uint32_t doc)
{
	return doc % *(uint32_t *)context == 0;
}

static bool at_the_ends(void *context, uint32_t doc)
{
	uint32_t documents = *(uint32_t *)context;
	return doc < 1100 || doc + 1100 >= documents;
}

static void round_trip(uint32_t documents, uint32_t longest, bool positions, struct random *random)
{
	struct made_lists made;
	made_lists_begin(&made, "lists", documents, longest, positions, random);
	const double chances[] = {0.0005, 0.01, 0.04, 0.06, 0.1, 0.2, 0.3, 0.5, 0.9, 1.0};
	for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
		double chance = chances[i];
		made_lists_add(&made, by_chance, &chance, random);
	}
	for (uint32_t step = 2; step <= documents / 2; step = step * 3 + 1)
		made_lists_add(&made, one_in, &step, random);
	made_lists_add(&made, every_block_count, NULL, random);
	made_lists_add(&made, at_the_ends, &documents, random);
	made_lists_add_tame(&made, random);
	made_lists_open(&made);
	for (size_t i = 0; i < made.count; i++)
		check_list(&made, &made.lists[i]);
	made_lists_release(&made);
}

static void lists_round_trip(void **state)
{
	(void)state;
	struct random random = seeded();
	round_trip(40000, 5000, true, &random);
	round_trip(40000, 5000, false, &random);
	round_trip(16384, 300, true, &random); /* exactly one group */
	round_trip(2049, 300, true, &random);
	round_trip(65, 40, true, &random);
}

static void positions_of_very_long_documents_round_trip(void **state)
{
	(void)state;
	struct random random = seeded();
	round_trip(3000, 80000, true, &random);
	round_trip(3000, 20 << 20, true, &random);
	round_trip(3000, INT32_MAX, true, &random);
}

/* Of 1.7 million documents: the border is above the least one, groups fill extents, and heads and groups are moved to the next. */
static void lists_over_many_extents_round_trip(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	made_lists_begin(&made, "large", 1700000, 200, false, &random);
	assert_int_equal(dense_list_border(made.documents), 3320);
	for (uint32_t step = 2; step < 1024; step = step * 3 / 2)
		made_lists_add(&made, one_in, &step, &random);
	made_lists_open(&made);
	assert_true(made.postings_part.extent_count > 4);
	for (size_t i = 0; i < made.count; i++)
		check_list(&made, &made.lists[i]);
	made_lists_release(&made);
}

static void sparse_lists_of_every_size_around_blocks_round_trip(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	uint32_t docs[3074], tfs[3074];
	made_lists_begin(&made, "short", 4000, 300, true, &random);
	const uint32_t sizes[] = {2, 3, 127, 128, 129, 255, 256, 257, 1023, 3070, 3071, 3072, 3073};
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		for (uint32_t i = 0, doc = 0; i < sizes[s]; i++, doc++) {
			while (random_below(&random, 4000 - doc) >= sizes[s] - i)
				doc++;
			docs[i] = doc;
			tfs[i] = 1 + (uint32_t)random_below(&random, made.true_lengths[doc]);
		}
		made_lists_add_postings(&made, docs, tfs, sizes[s], &random);
	}
	made_lists_open(&made);
	for (size_t i = 0; i < made.count; i++)
		check_list(&made, &made.lists[i]);
	made_lists_release(&made);
}

/* ---- what the head promises ---- */

/* 255 times a 255th need not be the whole: searchers allow for some units in the last place. */
#define ROUNDING 1.000001f

static int compare_falling(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;
	return (left < right) - (left > right);
}

static void heads_bound_saturations_and_floors_are_reached(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	static const uint32_t ranks[3] = {10, 100, 1000};
	made_lists_begin(&made, "heads", 60000, 5000, false, &random);
	for (double chance = 0.07; chance < 1; chance += 0.3)
		made_lists_add(&made, by_chance, &chance, &random);
	made_lists_open(&made);
	for (size_t l = 0; l < made.count; l++) {
		const struct made_list *list = &made.lists[l];
		struct dense_list head;
		float *saturations = malloc(list->n * sizeof *saturations);
		made_lists_head(&made, list, &head);
		for (uint32_t i = 0; i < list->n; i++) {
			saturations[i] =
			    saturation(list->tfs[i], made.encoder.denominators[made.lengths[list->docs[i]]]);
			float step = head.maximum / 255 * ROUNDING;
			assert_true(saturations[i] <= step * (float)head.bounds[list->docs[i] / SUPERBLOCK_DOCUMENTS]);
		}
		qsort(saturations, list->n, sizeof *saturations, compare_falling);
		assert_true(head.maximum == saturations[0]);
		for (int seed = 0; seed < 3; seed++) {
			assert_true(head.floors[seed] <= saturations[ranks[seed] - 1]);
			assert_true(head.floors[seed] > saturations[ranks[seed] - 1] - 0.001f); /* and not by much */
		}
		free(saturations);
	}
	made_lists_release(&made);
}

static void block_bounds_bound_every_saturation(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	double chance = 0.15;
	made_lists_begin(&made, "blocks", 40000, 3000, true, &random);
	made_lists_add(&made, every_block_count, NULL, &random);
	made_lists_add(&made, by_chance, &chance, &random);
	made_lists_open(&made);
	for (size_t l = 0; l < made.count; l++) {
		const struct made_list *list = &made.lists[l];
		struct dense_list head;
		struct chunk chunk;
		made_lists_head(&made, list, &head);
		for (int i = 1; i < 16; i++)
			assert_true(head.codebook[i - 1] <= head.codebook[i]);
		assert_int_equal(head.codebook[15], 255);
		for (uint32_t i = 0; i < list->n; i++) {
			uint32_t doc = list->docs[i], block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
			assert_true(made_lists_chunk(&made, &head, doc / SUPERBLOCK_DOCUMENTS, &chunk));
			uint32_t rank = (uint32_t)__builtin_popcount(chunk.block_mask & ((1u << block) - 1));
			float bound = head.maximum / 255 * (float)head.codebook[chunk.headers[rank] >> 4] * ROUNDING;
			assert_true(saturation(list->tfs[i], made.encoder.denominators[made.lengths[doc]]) <= bound);
		}
	}
	made_lists_release(&made);
}

/* ---- lengths ---- */

static void length_bytes_are_exact_below_40_and_monotone(void **state)
{
	(void)state;
	for (uint32_t length = 0; length < 40; length++)
		assert_int_equal(length_decode(length_encode(length)), length);
	for (uint32_t code = 0; code < 255; code++) {
		uint32_t longest = length_longest((uint8_t)code);
		assert_int_equal(length_encode(length_decode((uint8_t)code)), code);
		assert_int_equal(length_encode(longest), code);
		assert_int_equal(length_encode(longest + 1), code + 1);
		assert_true(length_decode((uint8_t)code) < length_decode((uint8_t)(code + 1)));
		/* four significant bits of what is over 24: within an eighth */
		assert_true((longest - 24.0) < (length_decode((uint8_t)code) - 24.0) * 1.125 || longest < 40);
	}
	assert_int_equal(length_encode(UINT32_MAX), 255);
}

static void position_sizes_follow_the_formula(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 256; code++)
		for (uint32_t tf = 1; tf < 100000; tf = tf < 8 ? tf + 1 : tf * 5 / 4) {
			uint64_t longest = length_longest((uint8_t)code), last = longest ? longest - 1 : 0, bits;
			if (tf < 8) {
				double floor_log = last ? floor(log2((double)last)) : 0;
				bits = (uint64_t)(tf * floor_log + 1);
			} else {
				uint32_t low = last < tf ? 0 : (uint32_t)floor(log2((double)last / tf));
				bits = (uint64_t)tf * (low + 1) + (last >> low);
			}
			assert_true(position_bits(tf, (uint8_t)code) == bits);
		}
}

/* Every set of positions of short documents, behind every number of bits. */
static void all_positions_of_short_documents_round_trip(void **state)
{
	(void)state;
	for (uint32_t length = 1; length <= 13; length++) {
		uint8_t span = length_encode(length);
		for (uint32_t set = 1; set < 1u << length; set++) {
			uint32_t positions[13], decoded[13], tf = 0, first = set % 8;
			struct buffer out = {0};
			struct bit_writer writer = {.out = &out};
			for (uint32_t i = 0; i < length; i++)
				if (set >> i & 1)
					positions[tf++] = i;
			uint64_t bits = position_bits(tf, span);
			static const uint8_t ones[16] = {255};
			assert_true(bits_append(&writer, ones, 0, first) &&
			            positions_append(&writer, positions, tf, span));
			bits_finish(&writer);
			assert_int_equal(out.length, bytes_of_bits(first, bits));
			assert_true(buffer_reserve(&out, LOAD_SLACK));
			memset(out.data + out.length, 0xff, LOAD_SLACK);
			assert_true(positions_decode(out.data, first, tf, span, decoded));
			assert_memory_equal(decoded, positions, tf * sizeof *decoded);
			buffer_release(&out);
		}
	}
}

/* Documents of all sizes, tfs from 1 to the document's length, copied bit by bit to where they are read. */
static void random_positions_round_trip_also_when_copied(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {1, 2, 3, 127, 128, 129, 255, 256, 257, 279, 280, 5000, 70000, 4000000000u};
	struct random random = seeded();
	for (int round = 0; round < 4000; round++) {
		uint32_t length = lengths[random_below(&random, sizeof lengths / sizeof *lengths)];
		uint32_t most = length < 9000 ? length : 9000, tf = 1 + (uint32_t)random_below(&random, most);
		if (random_chance(&random, 0.7))
			tf = tf % 9 + 1 < most ? tf % 9 + 1 : most;
		uint32_t *positions = malloc(tf * sizeof *positions), *decoded = malloc(tf * sizeof *decoded);
		uint32_t spread = (uint32_t)random_below(&random, (uint64_t)length - tf + 1);
		for (uint32_t i = 0; i < tf; i++) /* ascending: i, and a share of what is left */
			positions[i] = i + (uint32_t)((double)spread * (i + 1) / tf);
		uint8_t span = length_encode(length);
		uint64_t bits = position_bits(tf, span);
		struct buffer made = {0}, copy = {0};
		struct bit_writer writer = {.out = &made}, copier = {.out = &copy};
		uint32_t first = (uint32_t)random_below(&random, 8), other = (uint32_t)random_below(&random, 8);
		static const uint8_t some[16] = {0xa5};
		assert_true(bits_append(&writer, some, 0, first) && positions_append(&writer, positions, tf, span));
		bits_finish(&writer);
		assert_true(buffer_reserve(&made, LOAD_SLACK));
		memset(made.data + made.length, 0xff, LOAD_SLACK);
		assert_true(bits_append(&copier, some, 0, other) &&
		            bits_append(&copier, made.data + first / 8, first, bits));
		bits_finish(&copier);
		assert_true(buffer_reserve(&copy, LOAD_SLACK));
		memset(copy.data + copy.length, 0xff, LOAD_SLACK);
		assert_int_equal(copy.length, bytes_of_bits(other, bits));
		assert_true(positions_decode(copy.data, other, tf, span, decoded));
		assert_memory_equal(decoded, positions, tf * sizeof *decoded);
		buffer_release(&made);
		buffer_release(&copy);
		free(positions);
		free(decoded);
	}
}

/* ---- hostile bytes ---- */

static bool decode_sparse_tightly(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents)
{
	uint8_t *tight = malloc(length + LOAD_SLACK);
	uint32_t *docs = malloc(whole_blocks(n) * sizeof *docs), *tfs = malloc(whole_blocks(n) * sizeof *tfs);
	memcpy(tight, bytes, length);
	memset(tight + length, 0xff, LOAD_SLACK);
	bool decoded = sparse_list_decode(tight, length, n, documents, docs, tfs);
	for (uint32_t i = 0; decoded && i < n; i++)
		assert_true(docs[i] < documents && (!i || docs[i] > docs[i - 1]) && tfs[i] > 0);
	free(tight);
	free(docs);
	free(tfs);
	return decoded;
}

static void short_list_decode_rejects_truncations_and_survives_flips(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	double chance = 0.01;
	made_lists_begin(&made, "hostile", 40000, 1000, false, &random);
	const struct made_list list = *made_lists_add(&made, by_chance, &chance, &random);
	made_lists_open(&made);
	struct buffer scratch = {0};
	uint64_t length = list.place.postings_bytes;
	const uint8_t *bytes = read_part(&made.postings_part, list.place.postings, length, &scratch);
	for (uint64_t cut = 0; cut < length; cut++)
		assert_false(decode_sparse_tightly(bytes, cut, list.n, made.documents));
	assert_false(decode_sparse_tightly(bytes, length, list.n, list.docs[list.n - 1])); /* docID = documents */
	uint8_t *damaged = malloc(length);
	for (int round = 0; round < 20000; round++) {
		memcpy(damaged, bytes, length);
		for (uint64_t flips = 1 + random_below(&random, 4); flips; flips--)
			damaged[random_below(&random, length)] = (uint8_t)random_next(&random);
		decode_sparse_tightly(damaged, length, list.n, made.documents);
	}
	free(damaged);
	buffer_release(&scratch);
	made_lists_release(&made);
}

/* Everything that chunk.h has, on a chunk whose bytes may be anything. */
static void read_everything(const struct dense_list *head, const uint8_t *bytes, uint32_t length)
{
	struct chunk chunk;
	uint32_t tfs[BLOCK_DOCUMENTS];
	uint64_t mask;
	uint8_t *tight = malloc(length + EXTENT_SLACK);
	memcpy(tight, bytes, length);
	memset(tight + length, 0xff, EXTENT_SLACK);
	if (chunk_open(&chunk, head, 0, tight, length))
		for (uint32_t rank = 0; rank < chunk.block_count; rank++) {
			uint32_t count = chunk_block(&chunk, rank, &mask, tfs);
			assert_in_range(count, 0, BLOCK_DOCUMENTS);
			for (uint32_t i = 0; i < count; i++)
				assert_true(tfs[i] > 0);
			assert_true(chunk_block_mask(&chunk, rank) == mask);
			for (uint32_t offset = 0; offset < BLOCK_DOCUMENTS; offset++)
				if (chunk_tf(&chunk, rank, offset)) /* documents out of order may not be found */
					assert_true(mask >> offset & 1);
		}
	free(tight);
}

static void chunks_of_any_bytes_stay_within_their_slack(void **state)
{
	(void)state;
	struct random random = seeded();
	struct made_lists made;
	struct dense_list head;
	uint32_t length;
	uint64_t left;
	made_lists_begin(&made, "chunks", 20000, 1000, true, &random);
	const struct made_list list = *made_lists_add(&made, every_block_count, NULL, &random);
	made_lists_open(&made);
	made_lists_head(&made, &list, &head);
	for (uint32_t superblock = 0; superblock < 4; superblock++) {
		uint64_t address = chunk_place(&head, superblock, &length);
		const uint8_t *bytes = part_at(&made.postings_part, address, &left, &error);
		uint8_t *damaged = malloc(length);
		for (uint32_t cut = 0; cut <= length; cut++)
			read_everything(&head, bytes, cut);
		for (int round = 0; round < 3000; round++) {
			uint32_t cut =
			    random_chance(&random, 0.5) ? length : (uint32_t)random_below(&random, length + 1);
			memcpy(damaged, bytes, length);
			for (uint64_t flips = random_below(&random, 6); cut && flips; flips--)
				damaged[random_below(&random, random_chance(&random, 0.5) && cut > 24 ? 24 : cut)] =
				    (uint8_t)random_next(&random);
			read_everything(&head, damaged, cut);
			if (round % 8)
				continue;
			for (uint32_t i = 0; i < cut; i++)
				damaged[i] = (uint8_t)random_next(&random);
			read_everything(&head, damaged, cut);
		}
		free(damaged);
	}
	made_lists_release(&made);
}

static void heads_of_any_bytes_are_refused_or_stay_within_reach(void **state)
{
	(void)state;
	struct random random = seeded();
	struct dense_list head;
	const uint32_t documents = 40000, groups = 3;
	const uint64_t least = DENSE_HEAD + groups * (GROUP_SUPERBLOCKS + GROUP_ENTRY);
	for (uint64_t length = 0; length < least + 20; length++) {
		uint8_t *tight = malloc(length + EXTENT_SLACK);
		for (int round = 0; round < 200; round++) {
			for (uint64_t i = 0; i < length + EXTENT_SLACK; i++)
				tight[i] = (uint8_t)random_next(&random);
			if (length >= 44 && random_chance(&random, 0.9)) {
				store32(tight + 40, groups);
				tight[36] &= 31;
				tight[37] &= 6;
				tight[38] = random_chance(&random, 0.5) ? 4 : 8;
				tight[7] = 0x3f; /* a maximum of 0.5 to 2 */
			}
			bool opened = dense_list_open(&head, tight, length, 0, documents);
			assert_true(!opened || length >= least);
			for (uint32_t superblock = 0; opened && superblock < groups * GROUP_SUPERBLOCKS; superblock++) {
				uint32_t chunk_length;
				chunk_place(&head, superblock, &chunk_length);
				group_positions(&head, superblock);
			}
		}
		free(tight);
	}
}

static void positions_of_any_bytes_stay_within_their_slack(void **state)
{
	(void)state;
	struct random random = seeded();
	for (int round = 0; round < 30000; round++) {
		uint8_t code = (uint8_t)random_below(&random, 256);
		uint32_t tf = 1 + (uint32_t)random_below(&random, random_chance(&random, 0.9) ? 20 : 2000);
		uint32_t first = (uint32_t)random_below(&random, 8);
		uint64_t length = bytes_of_bits(first, position_bits(tf, code));
		uint8_t *tight = malloc(length + LOAD_SLACK);
		uint32_t *positions = malloc(tf * sizeof *positions);
		uint64_t filling = random_next(&random);
		for (uint64_t i = 0; i < length + LOAD_SLACK; i++)
			tight[i] = filling & 1 ? (uint8_t)random_next(&random) : (uint8_t)(filling & 2 ? 0 : 0xff);
		positions_decode(tight, first, tf, code, positions);
		free(tight);
		free(positions);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_round_trip),
	    cmocka_unit_test(positions_of_very_long_documents_round_trip),
	    cmocka_unit_test(lists_over_many_extents_round_trip),
	    cmocka_unit_test(sparse_lists_of_every_size_around_blocks_round_trip),
	    cmocka_unit_test(heads_bound_saturations_and_floors_are_reached),
	    cmocka_unit_test(block_bounds_bound_every_saturation),
	    cmocka_unit_test(length_bytes_are_exact_below_40_and_monotone),
	    cmocka_unit_test(position_sizes_follow_the_formula),
	    cmocka_unit_test(all_positions_of_short_documents_round_trip),
	    cmocka_unit_test(random_positions_round_trip_also_when_copied),
	    cmocka_unit_test(short_list_decode_rejects_truncations_and_survives_flips),
	    cmocka_unit_test(chunks_of_any_bytes_stay_within_their_slack),
	    cmocka_unit_test(heads_of_any_bytes_are_refused_or_stay_within_reach),
	    cmocka_unit_test(positions_of_any_bytes_stay_within_their_slack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
