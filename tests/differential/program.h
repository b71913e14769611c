/*
 * program.h - the life of an index as a list of steps: what the differential tester makes at random, runs, shrinks, and keeps as text.
 *
 * As text a step is a line; fields are parted by |, and bytes that are no printable ASCII, % and | stand as %XX:
 *     analysis LANGUAGE [stop] [fold]          first, once
 *     writer [no-positions] [bigrams] [similar] [memory=N] [threads=N] [kernel=NAME]    second, once
 *     add ID|TITLE|TEXT        delete ID        commit
 *     reopen                   close the writer, which drops what was not committed, and open it again
 *     query TOP [count] [stable] [k1=X] [b=X]|QUERY       ask the last commit
 */
#ifndef TRAWL_TESTS_PROGRAM_H
#define TRAWL_TESTS_PROGRAM_H

#include <stdio.h>

#include "base/memory.h"
#include "tests/random_corpus.h"
#include "trawl.h"

enum step_kind { STEP_ADD, STEP_DELETE, STEP_COMMIT, STEP_REOPEN, STEP_QUERY };

struct step {
	enum step_kind kind;
	struct buffer id, title, text; /* text: of a document or a query */
	trawl_search_options options;
};

struct program {
	uint64_t seed; /* 0: not made at random */
	trawl_analysis analysis;
	trawl_writer_options writer; /* but for the analysis */
	char language[32], kernel[16];
	struct step *steps;
	size_t count, capacity;
};

/* A random program with about `queries` queries. */
void program_make(struct program *program, uint64_t seed, size_t queries);
void program_release(struct program *program);
struct step *program_add(struct program *program, enum step_kind kind);
void program_copy(struct program *copy, const struct program *program);

void program_print(const struct program *program, FILE *out);
/* false: the file is no program, and why is said on standard error. */
bool program_read(struct program *program, const char *path);

/* Run it in a process of its own; false: it went wrong, and `complaint` says what. *queries: asked. */
bool program_holds(const struct program *program, char *complaint, size_t size, size_t *queries);

/* Drop steps and words while it still goes wrong. */
void program_shrink(struct program *program);

#endif
