/*
 * made_lists.h - posting lists for tests: made from a seed, written by the encoder into a real index file, opened again.
 */
#ifndef TRAWL_TESTS_MADE_LISTS_H
#define TRAWL_TESTS_MADE_LISTS_H

#include <stdint.h>

#include "segment/chunk.h"
#include "tests/random_corpus.h"

/* A list as it was before encoding, and where it went. */
struct made_list {
	uint32_t n;
	uint32_t *docs, *tfs;
	uint32_t *positions; /* of all postings, one after the other; NULL: the index has none */
	size_t position_count;
	struct list_place place;
};

/* A file with nothing but the postings and the positions of segment 1. */
struct made_lists {
	uint32_t documents;
	uint32_t *true_lengths, *true_ends;
	uint8_t *lengths, *last_positions; /* in one byte each; EXTENT_SLACK more may be loaded */
	float average;
	bool positions;
	struct made_list *lists;
	size_t count, capacity;
	struct store *store;
	struct store_batch *batch;
	struct part_writer postings_writer, positions_writer;
	struct postings_encoder encoder;
	struct snapshot *snapshot;
	struct part postings_part, positions_part;
};

/* Start a file named `name` for `documents` documents. Lengths: mostly some dozens, some up to `longest`, a few beyond; some
 * documents' last_positions are longer than that, as dropped stop words make them. */
void made_lists_begin(struct made_lists *made, const char *name, uint32_t documents, uint32_t longest, bool positions,
                      struct random *random);

/* Encode a list over the documents whose bit `wanted(context, doc)` is; tfs are random, with some in each of the forms that the
 * format has (1 to 3, 4 to 258, 259 and more) where the document is long enough. */
struct made_list *made_lists_add(struct made_lists *made, bool (*wanted)(void *context, uint32_t doc), void *context,
                                 struct random *random);

/* The same for docs and tfs given. */
struct made_list *made_lists_add_postings(struct made_lists *made, const uint32_t *docs, const uint32_t *tfs,
                                          uint32_t n, struct random *random);

/* A dense list of every document, with tfs of which so few are 19 and more that exceptions have 4 bits; else they mostly have 8. */
struct made_list *made_lists_add_tame(struct made_lists *made, struct random *random);

/* Commit, and open for reading. */
void made_lists_open(struct made_lists *made);
void made_lists_release(struct made_lists *made);

/* The head of a list; fails the test when it does not open. */
void made_lists_head(struct made_lists *made, const struct made_list *list, struct dense_list *head);

/* The chunk of a superblock: false when the list has no postings there; fails the test when it does not open. */
bool made_lists_chunk(struct made_lists *made, const struct dense_list *head, uint32_t superblock, struct chunk *chunk);

/* `superblock` has postings of all kinds of blocks, among them of each count from 1 to 64; for made_lists_add. */
bool every_block_count(void *context, uint32_t doc);
/* A posting with probability *(double *)context, by a hash of the document. */
bool by_chance(void *context, uint32_t doc);

/* The seed: of the environment variable TRAWL_SEED, or drawn; printed. */
struct random seeded(void);

#endif
