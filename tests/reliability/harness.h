/* harness.h - what the fault harnesses share: scenarios, children that may die, the folder of an index, tables. */
#ifndef TRAWL_TESTS_RELIABILITY_HARNESS_H
#define TRAWL_TESTS_RELIABILITY_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/random_corpus.h"
#include "tests/reliability/life.h"

/* The sub-commands of the harness: arguments after the name; 0 when nothing is left to mend. */
int kill_command(int argc, char **argv);
int power_command(int argc, char **argv);
int hold_command(int argc, char **argv);
int verify_command(int argc, char **argv);

/* ---- options: NAME=VALUE ---- */

uint64_t option_number(int argc, char **argv, const char *name, uint64_t otherwise);
const char *option_text(int argc, char **argv, const char *name, const char *otherwise);

/* ---- a folder with an index, a journal of acknowledged commits, and nothing else ---- */

struct home {
	char folder[400], index[440], lock[440], journal[440];
	bool rescues; /* a second index may be there, made by a salvage, and its lock file */
};

void home_name(struct home *home, const char *folder); /* paths only */
void home_make(struct home *home, const char *folder); /* the folder is made, and emptied if it was there */
void home_clear(const struct home *home);
void home_remove(const struct home *home);
/* The first name in the folder that has no business there, or NULL. */
const char *home_stranger(const struct home *home);
void home_copy(const struct home *from, const struct home *to);      /* index and journal */
void home_rescued(const struct home *home, char *path, size_t size); /* the name of that one */
/* The last generation in the journal; 0 when there is none. */
uint32_t journal_last(const struct home *home);
/* Write `g` to the journal, with a word behind it, and sync it. */
void journal_add(const struct home *home, uint32_t g, const char *word);

/* ---- writing ---- */

/* Commit generations `from` to `to`, with new writers now and then and work that is dropped. 0, or the error of trawl. */
int write_generations(const struct life *life, const struct home *home, uint32_t from, uint32_t to, trawl_error *error);

/* ---- children ---- */

/* What a child tells: in memory shared with it. */
struct report {
	int code; /* 0: well; else what is wrong is in `why` */
	uint32_t found;
	double open_seconds;
	trawl_error why;
};

void *memory_shared(size_t size); /* zeroed; children write to it too */
struct report *report_shared(void);
/* Wait for a child: 0 and its report, or -1 when a signal or a time-out ended it, which is put into the report. */
int child_wait(int child, struct report *report);

/* The whole verdict on an index after a fault, to be run in a child: it is one of generations low to high, or (only when
 * low is 0) has no commit; a writer finds no lock in its way, and the deep check of pages well; its next commit works;
 * nothing but index, lock and journal is left in the folder. */
void judge_index(const struct life *life, const struct home *home, uint32_t low, uint32_t high, struct report *report);

/* Fork a judge and wait for its verdict: 0 when all is well. */
int judge_in_child(const struct life *life, const struct home *home, uint32_t low, uint32_t high,
                   struct report *report);

double now_seconds(void);

#endif
