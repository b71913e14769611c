/*
 * model.h - documents drawn from a model of text (docs/BENCHMARKING.md, Corpora of any size).
 *
 * A word is its rank by frequency, from 1. Ranks are drawn from a double power law (Gerlach and Altmann: Stochastic model
 * for the vocabulary growth in natural languages, 2013), Zipf and Mandelbrot's up to BEND:
 *
 *     p(r) ~ (r + SHIFT)^-HEAD_SLOPE for r <= BEND,  ~ (r + SHIFT)^-2 beyond
 *
 * which has no last word, so that the vocabulary grows with the corpus (Heaps). What makes a document of it:
 *
 *   length    log-normal
 *   topics    a document has one or two of TOPICS. The ranks from FIRST_CONTENT on are cut into blocks of BLOCK neighbours,
 *             and a topic has a word in each block that takes a part of what the others would get
 *   pairs     a word of content has a few partners, in its block, one of which often follows it: phrases that many documents
 *             have; and words that every text has (below FIRST_CONTENT) tend to stand between those of content
 *   echoes    a document repeats what it has said, a word or several in a row
 *
 * Topics, pairs and echoes leave the frequencies of the ranks as they are, but for shares within a block.
 * Document d depends on the seed and d alone: a smaller corpus is the beginning of a larger one.
 */
#ifndef TRAWL_BENCH_CORPUS_MODEL_H
#define TRAWL_BENCH_CORPUS_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define HEAD_WORDS (1u << 15) /* ranks below are drawn from a table */
#define RANK_MAX (1u << 28)
#define WORD_BYTES 16    /* room for the longest word */
#define LENGTH_MAX 65536 /* words of a document */

struct model {
	uint64_t seed;
	double log_mean;                /* of the length's logarithm */
	uint32_t common_behind_content; /* the chance, of 2^16 */
	/* Walker's alias method: a slot gives its own rank or another; rank 0 stands for all from HEAD_WORDS on. */
	struct slot {
		uint32_t own; /* the share of 2^32 */
		uint32_t other;
	} slots[HEAD_WORDS];
	struct word {
		char bytes[WORD_BYTES];
	} words[HEAD_WORDS];
	uint8_t lengths[HEAD_WORDS];
};

/* A document: words[0 .. title) are the title. */
struct drawn {
	uint32_t words[LENGTH_MAX];
	uint8_t breaks[LENGTH_MAX]; /* behind the word: 0, ',' or '.' */
	uint32_t title, length;
};

struct random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Below n. */
static inline uint32_t random_below(struct random *random, uint32_t n)
{
	return (uint32_t)((random_next(random) >> 32) * n >> 32);
}

/* In (0, 1). */
static inline double random_unit(struct random *random)
{
	return ((double)(random_next(random) >> 12) + 0.5) * 0x1p-52;
}

/* `mean_length`: words of a document, its title included. */
void model_init(struct model *model, uint64_t seed, double mean_length);

/* A generator of its own for each (model, purpose, number). */
struct random model_random(const struct model *model, uint32_t purpose, uint64_t number);

void model_draw(const struct model *model, uint64_t number, struct drawn *document);

/* The word of a rank, of up to WORD_BYTES small letters; all WORD_BYTES may be written. Its length. */
size_t model_word(const struct model *model, uint32_t rank, char *out);

#endif
