#include "tests/made_lists.h"
#include "tests/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scratch.h"
#include "tests/seed.h"

static trawl_error error;

struct random seeded(void)
{
	return (struct random){test_seed()};
}

/* ---- making ---- */

static uint32_t random_length(struct random *random, uint32_t longest)
{
	if (random_chance(random, 0.02))
		return 1 + (uint32_t)random_below(random, longest);
	if (random_chance(random, 0.1))
		return 1 + (uint32_t)random_below(random, longest < 1200 ? longest : 1200);
	if (random_chance(random, 0.001))
		return 1u << (10 + random_below(random, 20));
	return 1 + (uint32_t)random_below(random, 80);
}

void made_lists_begin(struct made_lists *made, const char *name, uint32_t documents, uint32_t longest, bool positions,
                      struct random *random)
{
	*made = (struct made_lists){.documents = documents, .positions = positions};
	double total = 0;
	made->true_lengths = memory_new(documents * sizeof *made->true_lengths);
	made->lengths = memory_new_zeroed(documents + EXTENT_SLACK + BLOCK_DOCUMENTS, 1);
	made->true_ends = memory_new(documents * sizeof *made->true_ends);
	made->last_positions = memory_new_zeroed(documents + EXTENT_SLACK + BLOCK_DOCUMENTS, 1);
	for (uint32_t doc = 0; doc < documents; doc++) {
		uint32_t length = random_length(random, longest), gaps = length < 1u << 30 ? length : 0;
		made->true_lengths[doc] = length;
		made->true_ends[doc] =
		    length + (random_chance(random, 0.3) ? (uint32_t)random_below(random, gaps + 1) : 0);
		made->lengths[doc] = length_encode(length);
		made->last_positions[doc] = length_encode(made->true_ends[doc]);
		total += made->true_lengths[doc] < 100000 ? made->true_lengths[doc] : 100;
	}
	made->average = (float)(total / documents);
	remove(scratch_path(name));
	CHECK(store_open(&made->store, scratch_path(name), true, &error));
	CHECK(store_batch_new(&made->batch, made->store, &error));
	CHECK(part_writer_init(&made->postings_writer, made->batch, 1, PART_POSTINGS, &error));
	CHECK(part_writer_init(&made->positions_writer, made->batch, 1, PART_POSITIONS, &error));
	made->encoder = (struct postings_encoder){.postings = &made->postings_writer,
	                                          .positions = positions ? &made->positions_writer : NULL,
	                                          .lengths = made->lengths,
	                                          .last_positions = made->last_positions,
	                                          .documents = documents};
	bm25_denominators(BUILD_K1, BUILD_B, made->average, made->encoder.denominators);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

/* tf different numbers below `length`, ascending. */
static void random_positions(uint32_t *positions, uint32_t tf, uint32_t length, struct random *random)
{
	if (tf > length / 2) { /* nearly all: leave some out */
		uint32_t skip = length - tf;
		for (uint32_t i = 0, at = 0; i < tf; at++) {
			if (skip && random_below(random, length - at) < skip)
				skip--;
			else
				positions[i++] = at;
		}
		return;
	}
	for (bool again = true; again;) {
		again = false;
		for (uint32_t i = 0; i < tf; i++)
			positions[i] = (uint32_t)random_below(random, length);
		if (random_chance(random, 0.3))
			positions[0] = length - 1;
		qsort(positions, tf, sizeof *positions, compare_numbers);
		for (uint32_t i = 1; i < tf; i++)
			if (positions[i] <= positions[i - 1])
				positions[i] = positions[i - 1] + 1;
		again = positions[tf - 1] >= length;
	}
}

struct handing_over {
	const uint32_t *next;
};

static int hand_over(void *context, uint32_t count, uint32_t *positions, trawl_error *unused)
{
	(void)unused;
	struct handing_over *source = context;
	if (source->next) {
		memcpy(positions, source->next, count * sizeof *positions);
		source->next += count;
	}
	return 0;
}

struct made_list *made_lists_add_postings(struct made_lists *made, const uint32_t *docs, const uint32_t *tfs,
                                          uint32_t n, struct random *random)
{
	assert_true(memory_reserve(&made->lists, &made->capacity, made->count + 1, sizeof *made->lists));
	struct made_list *list = &made->lists[made->count++];
	*list = (struct made_list){.n = n};
	list->docs = memory_new(n * sizeof *docs);
	list->tfs = memory_new(n * sizeof *tfs);
	memcpy(list->docs, docs, n * sizeof *docs);
	memcpy(list->tfs, tfs, n * sizeof *tfs);
	for (uint32_t i = 0; i < n; i++)
		list->position_count += tfs[i];
	if (made->positions) {
		uint32_t *at = list->positions = memory_new(list->position_count * sizeof *at);
		for (uint32_t i = 0; i < n; at += tfs[i++])
			random_positions(at, tfs[i], made->true_ends[docs[i]], random);
	}
	struct handing_over over = {list->positions};
	struct position_source source = {hand_over, &over};
	CHECK(postings_encode(&made->encoder, docs, tfs, n, &source, &list->place, &error));
	return list;
}

static uint32_t random_tf(struct random *random, uint32_t length)
{
	uint64_t tf = 1 + random_below(random, 3);
	if (random_chance(random, 0.1))
		tf = 4 + random_below(random, 20);
	else if (random_chance(random, 0.05))
		tf = 250 + random_below(random, 20);
	else if (random_chance(random, 0.01))
		tf = random_below(random, 3000) + 1;
	return tf < length ? (uint32_t)tf : length;
}

struct made_list *made_lists_add(struct made_lists *made, bool (*wanted)(void *context, uint32_t doc), void *context,
                                 struct random *random)
{
	uint32_t *docs = memory_new(made->documents * sizeof *docs), *tfs = memory_new(made->documents * sizeof *tfs);
	uint32_t n = 0;
	for (uint32_t doc = 0; doc < made->documents; doc++)
		if (wanted(context, doc)) {
			docs[n] = doc;
			tfs[n++] = random_tf(random, made->true_lengths[doc]);
		}
	struct made_list *list = made_lists_add_postings(made, docs, tfs, n, random);
	memory_free(docs);
	memory_free(tfs);
	return list;
}

struct made_list *made_lists_add_tame(struct made_lists *made, struct random *random)
{
	uint32_t *docs = memory_new(made->documents * sizeof *docs), *tfs = memory_new(made->documents * sizeof *tfs);
	for (uint32_t doc = 0; doc < made->documents; doc++) {
		uint32_t tf = 1 + (uint32_t)random_below(random, 18);
		if (doc % 1000 == 999)
			tf = 19 + (uint32_t)random_below(random, 300);
		docs[doc] = doc;
		tfs[doc] = tf < made->true_lengths[doc] ? tf : made->true_lengths[doc];
	}
	struct made_list *list = made_lists_add_postings(made, docs, tfs, made->documents, random);
	memory_free(docs);
	memory_free(tfs);
	return list;
}

bool every_block_count(void *context, uint32_t doc)
{
	(void)context;
	uint32_t count = doc / BLOCK_DOCUMENTS * 7 % 71; /* over 64: none at all */
	if (count > BLOCK_DOCUMENTS)
		return false;
	/* an odd multiplier shuffles the offsets of the block */
	return (doc * 37 + doc / BLOCK_DOCUMENTS) % BLOCK_DOCUMENTS < count;
}

bool by_chance(void *context, uint32_t doc)
{
	struct random random = {doc * 0x9E3779B97F4A7C15u};
	random_next(&random);
	return random_unit(&random) < *(const double *)context;
}

/* ---- opening ---- */

void made_lists_open(struct made_lists *made)
{
	CHECK(part_writer_finish(&made->postings_writer, &error));
	CHECK(part_writer_finish(&made->positions_writer, &error));
	CHECK(store_batch_commit(made->batch, (const uint8_t *)"made", 4, &error));
	CHECK(snapshot_open(&made->snapshot, made->store, &error));
	CHECK(part_open(&made->postings_part, made->snapshot, 1, PART_POSTINGS, made->postings_writer.address, &error));
	CHECK(part_open(&made->positions_part, made->snapshot, 1, PART_POSITIONS, made->positions_writer.address,
	                &error));
}

void made_lists_release(struct made_lists *made)
{
	part_release(&made->postings_part);
	part_release(&made->positions_part);
	snapshot_close(made->snapshot);
	part_writer_release(&made->postings_writer);
	part_writer_release(&made->positions_writer);
	postings_encoder_release(&made->encoder);
	store_batch_free(made->batch);
	store_close(made->store);
	for (size_t i = 0; i < made->count; i++) {
		memory_free(made->lists[i].docs);
		memory_free(made->lists[i].tfs);
		memory_free(made->lists[i].positions);
	}
	memory_free(made->lists);
	memory_free(made->lengths);
	memory_free(made->true_lengths);
	memory_free(made->last_positions);
	memory_free(made->true_ends);
	*made = (struct made_lists){0};
}

void made_lists_head(struct made_lists *made, const struct made_list *list, struct dense_list *head)
{
	uint64_t left = 0;
	const uint8_t *bytes = part_at(&made->postings_part, list->place.postings, &left, &error);
	if (!bytes)
		fail_msg("%s", error.text);
	assert_true(dense_list_open(head, bytes, left, list->place.postings, made->documents));
}

bool made_lists_chunk(struct made_lists *made, const struct dense_list *head, uint32_t superblock, struct chunk *chunk)
{
	uint64_t left = 0;
	uint32_t length;
	uint64_t address = chunk_place(head, superblock, &length);
	if (!length)
		return false;
	const uint8_t *bytes = part_at(&made->postings_part, address, &left, &error);
	if (!bytes)
		fail_msg("%s", error.text);
	assert_true(length <= left);
	assert_true(chunk_open(chunk, head, superblock, bytes, length));
	return true;
}
