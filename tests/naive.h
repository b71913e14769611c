/*
 * naive.h - a scorer too simple to be wrong: the oracle that the engine's rankings are compared with.
 *
 * It keeps every document as the list of its tokens and scores all of them for each query, by the formula and the query
 * syntax of trawl.h, in double precision. It shares nothing with the engine but the tokenizer. Memory that runs out
 * ends the program: this is test code.
 */
#ifndef TRAWL_TESTS_NAIVE_H
#define TRAWL_TESTS_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

#define NAIVE_NONE SIZE_MAX
#define NAIVE_NO_MATCH (-1.0) /* a score that no document can have */

struct naive;

struct naive *naive_new(const trawl_analysis *analysis);
void naive_free(struct naive *naive);

/* Add a document or replace the one with the same id. */
void naive_put(struct naive *naive, const trawl_document *document);
/* false: there is none. */
bool naive_delete(struct naive *naive, const char *id, size_t id_length);

/* The number of the live document with this id, or NAIVE_NONE. Numbers grow in order of addition, with gaps. */
size_t naive_find(const struct naive *naive, const char *id, size_t id_length);
/* All document numbers are below this; dead ones are among them. */
size_t naive_numbers(const struct naive *naive);
void naive_id(const struct naive *naive, size_t number, const char **id, size_t *id_length);

uint64_t naive_documents(const struct naive *naive); /* live ones */
uint64_t naive_tokens(const struct naive *naive);    /* of live documents */

/* Score all documents. Returns their scores by number, NAIVE_NO_MATCH where a document does not match or is dead; they
 * live until the next call. `*matches` is the number of documents that match. */
const double *naive_search(struct naive *naive, const char *query, size_t length, double k1, double b, size_t *matches);

/* Words and phrases within a distance: all members, each at a place of its own, with at most `distance` more places between the first
 * and the last than they take themselves. */
struct naive_near {
	const char *members[4];
	int count;
	bool ordered; /* each behind the one before */
	bool
	    loose; /* the one member is a phrase, whose words stand in order and apart by at least what they are in it */
	uint32_t distance;
};

/* As naive_search. A document's term frequency is how many such stretches can stand side by side. */
const double *naive_near(struct naive *naive, const struct naive_near *near, double k1, double b, size_t *matches);

/* From now on only documents that pass this filter match, until `filter` is NULL. It must live as long. */
void naive_filter(struct naive *naive, const char *filter, size_t length);

/* From now on a word that analysis cuts in several stands for each of its terms, as on an index without positions, or (the usual) is a
 * phrase of them. Excluded ones are phrases always. */
void naive_split_words(struct naive *naive, bool split);

/* The number of terms and phrases of the last query, repetitions included. */
size_t naive_clauses(const struct naive *naive);
/* Whether one of them has several words. */
bool naive_has_phrase(const struct naive *naive);

/* The score of one document, computed by scanning its tokens once for each clause: naive_search without the lists of
 * occurrences that make that one bearable, so that a test can hold one against the other. */
double naive_scan(struct naive *naive, size_t number, const char *query, size_t length, double k1, double b);

/* A document's length as one byte keeps it: exact below 40, then four significant bits. */
uint64_t naive_length(uint64_t length);

#endif
