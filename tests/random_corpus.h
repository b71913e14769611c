/*
 * random_corpus.h - random document collections and random queries for them, from a seed.
 *
 * The collections are made to reach the corners of an index: Zipfian words, words in nearly every document, in more than
 * half, in runs of documents and in exactly 64 neighbours; documents of 0, 1, more than 256 and more than 5000 tokens,
 * now and then one of 70,000; term frequencies over 3, 15, 63 and 255; documents equal to others, so that scores tie;
 * stop words, compounds, diacritics, ideographs; ids of all lengths and bytes.
 */
#ifndef TRAWL_TESTS_RANDOM_CORPUS_H
#define TRAWL_TESTS_RANDOM_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

struct random {
	uint64_t state; /* any seed will do */
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0 to limit - 1 */
double random_unit(struct random *random);                    /* [0, 1) */
bool random_chance(struct random *random, double probability);

struct random_corpus {
	trawl_document *documents; /* ids are unique; `fields` is empty */
	size_t count;
	size_t vocabulary; /* words numbered from 0, the most frequent first */
	size_t cluster;    /* documents in a run that share a word */
	bool plain;        /* short documents of made-up words only */
	uint64_t salt;     /* makes the ids differ from corpus to corpus */
};

void random_corpus_make(struct random_corpus *corpus, struct random *random, size_t documents);
void random_corpus_release(struct random_corpus *corpus);

/* Another document with the id of `like`; free it with random_document_release. */
void random_document_make(trawl_document *document, const struct random_corpus *corpus, struct random *random,
                          const trawl_document *like);
void random_document_release(trawl_document *document);

#define RANDOM_QUERY_MAX TRAWL_QUERY_MAX

enum query_kind {
	QUERY_TERM,
	QUERY_OR,
	QUERY_LONG_OR,
	QUERY_AND,
	QUERY_MIXED,
	QUERY_EXCLUDED,
	QUERY_PHRASE,
	QUERY_RANDOM_PHRASE,
	QUERY_PHRASE_MIXED,
	QUERY_ODD, /* signs and quotes where they make little sense */
	QUERY_KINDS
};

/* Writes a query of up to RANDOM_QUERY_MAX bytes and returns its length; words come from the vocabulary and from
 * documents, some from neither. */
size_t random_query(char *query, const struct random_corpus *corpus, struct random *random, enum query_kind kind);

#endif
