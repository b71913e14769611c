/*
 * life.h - the life of an index as a function of a seed: what each commit does, and what the index answers after it.
 *
 * Generation g follows from generation g - 1 by a few additions, replacements and deletions, all drawn from the seed and
 * g. So a process that finds an index can tell which generation it is, whoever wrote it and however that one ended.
 */
#ifndef TRAWL_TESTS_RELIABILITY_LIFE_H
#define TRAWL_TESTS_RELIABILITY_LIFE_H

#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

#define LIFE_IDS 20
#define LIFE_QUERIES 8

struct life_state; /* a generation */

struct life {
	uint64_t seed;
	uint32_t generations; /* 0 to this one */
	uint32_t large_every; /* each so many commits one adds a document that makes the writer spill; 0: none */
	struct life_state *states;
};

void life_make(struct life *life, uint64_t seed, uint32_t generations, uint32_t large_every);
void life_release(struct life *life);

/* Bring an open writer, at generation g - 1, to the brink of generation g: what is left to do is to commit. */
int life_change(const struct life *life, trawl_writer *writer, uint32_t g, trawl_error *error);

/* Look at everything in the index: 0 when it is one of generations `low` to `high`, which goes to `*found`. Otherwise -1 and
 * what is wrong in `why`, or the error of trawl. */
int life_verify(const struct life *life, const char *path, uint32_t low, uint32_t high, uint32_t *found,
                trawl_error *why);
/* The same of an index that is open. */
int life_verify_open(const struct life *life, const trawl_index *index, uint32_t low, uint32_t high, uint32_t *found,
                     trawl_error *why);

#endif
