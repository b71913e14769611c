/*
 * scenario.h - what is done to an index while every change of its files is recorded.
 *
 * A scenario is a list of lines; each commit is a generation (life.h), and goes to the journal when it is acknowledged:
 *   commit N          the next N generations (harness.h: with new writers and dropped work now and then)
 *   churn N           the same, of many and larger documents: the file grows
 *   killed N          a writer of the next generation is killed before its Nth change of a file; no tool before it
 *   abandon           a writer that changes much and is closed without a commit
 *   index N WORDS...  N generations, each by `trawl index WORDS...` of a file of JSON Lines
 *   large N WORDS...  the same, of documents so large that little memory makes the tool spill
 *   spilled           it must have said that it did, the last time
 *   commits N         N generations by one `trawl index --commit-every`, acknowledged together
 *   follow N          N generations by `trawl index --delete-missing` of a folder of texts
 *   delete N          N generations by `trawl delete` with ids
 *   matches N         N generations by `trawl delete --query`
 *   salvage           `trawl salvage` into a second index, once
 *   tool WORDS...     the tool; {index} is the index. It must leave the last generation as it was.
 *   replaced          the file must be another one than at the last such line, or at the beginning
 */
#ifndef TRAWL_TESTS_RELIABILITY_SCENARIO_H
#define TRAWL_TESTS_RELIABILITY_SCENARIO_H

#include "tests/reliability/harness.h"

enum { GENERATIONS_MAX = 400 };

struct scenario {
	const char *path, *tool, *interpose;
	char log[440], inputs[440];
	uint8_t kinds[GENERATIONS_MAX + 1];  /* for life_make() */
	uint32_t reach[GENERATIONS_MAX + 1]; /* while this one is the last acknowledged, up to that one may be there */
	uint32_t rescued;                    /* the generation that is salvaged; 0: none */
	uint64_t inode;                      /* at the last `replaced` */
};

/* Read its lines: what generations are like. 0, or -1 and why. */
int scenario_read(struct scenario *scenario, trawl_error *error);

/* In a child, as it records: play it. The report tells how many generations there are; `found`. */
void scenario_play(struct scenario *scenario, const struct life *life, const struct home *home, struct report *report);

void scenario_remove_inputs(const struct scenario *scenario);

#endif
