/*
 * life.h - the life of an index as a function of a seed: what each commit does, and what the index answers after it.
 *
 * Generation g follows from generation g - 1 by a few additions, replacements and deletions, all drawn from the seed and
 * g. So a process that finds an index can tell which generation it is, whoever wrote it and however that one ended.
 */
#ifndef TRAWL_TESTS_RELIABILITY_LIFE_H
#define TRAWL_TESTS_RELIABILITY_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "trawl.h"

#define LIFE_IDS 20
#define LIFE_QUERIES 8
#define LIFE_BATCH 3 /* additions of a LIFE_ADDS */
#define LIFE_STEPS (LIFE_IDS + 8)

struct life_state; /* a generation */

/* What a generation is made of, so that one command of the tool can make it. */
enum life_kind {
	LIFE_ANY,     /* additions, replacements and deletions; now and then of everything */
	LIFE_ADDS,    /* LIFE_BATCH documents, new or replaced */
	LIFE_LARGE,   /* the same, so large that the writer spills */
	LIFE_FAT,     /* many documents of some 30 KB: the file grows and has to be compacted */
	LIFE_DELETES, /* deletions, where there is something to delete; else additions */
	LIFE_MATCHES, /* deletions of all that match life_query() */
	LIFE_FILES    /* additions and deletions, but never the last document */
};

struct life {
	uint64_t seed;
	uint32_t generations; /* 0 to this one */
	uint32_t large_every; /* each so many commits one adds a document that makes the writer spill; 0: none */
	const uint8_t *kinds; /* an enum life_kind each; NULL: LIFE_ANY throughout */
	struct life_state *states;
};

void life_make(struct life *life, uint64_t seed, uint32_t generations, uint32_t large_every, const uint8_t *kinds);
void life_release(struct life *life);

/* Bring an open writer, at generation g - 1, to the brink of generation g: what is left to do is to commit. */
int life_change(const struct life *life, trawl_writer *writer, uint32_t g, trawl_error *error);

/* The steps from generation g - 1 to g: at most LIFE_STEPS. */
struct life_step {
	uint32_t id;
	bool deletes;
};
size_t life_steps(const struct life *life, uint32_t g, struct life_step *steps);
/* The query whose matches generation g deletes; NULL when it does something else. */
const char *life_query(const struct life *life, uint32_t g);
/* The generation that wrote what generation g has under the id; 0: nothing. */
uint32_t life_version(const struct life *life, uint32_t g, uint32_t id);
/* A version of a document, as a line of JSON or as a text with its title in the first line. */
void life_write(const struct life *life, uint32_t id, uint32_t version, bool json, FILE *out);

/* Look at everything in the index: 0 when it is one of generations `low` to `high`, which goes to `*found`. Otherwise -1 and
 * what is wrong in `why`, or the error of trawl. */
int life_verify(const struct life *life, const char *path, uint32_t low, uint32_t high, uint32_t *found,
                trawl_error *why);
/* The same of an index that is open. */
int life_verify_open(const struct life *life, const trawl_index *index, uint32_t low, uint32_t high, uint32_t *found,
                     trawl_error *why);

#endif
