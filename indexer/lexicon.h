/*
 * lexicon.h - the distinct terms of a batch, which several threads number at once.
 *
 * It is made of vocabularies, each with its lock; a term's hash tells which one it is in. A thread comes here once for
 * each distinct word it meets, so the locks are hardly ever contended. Which number a term gets depends on chance; what is
 * written does not, as it follows the order of the terms' bytes.
 */
#ifndef TRAWL_INDEXER_LEXICON_H
#define TRAWL_INDEXER_LEXICON_H

#include <pthread.h>

#include "indexer/vocabulary.h"

#define LEXICON_SHARD_BITS 4
#define LEXICON_SHARDS (1u << LEXICON_SHARD_BITS)

struct lexicon {
	struct lexicon_shard {
		pthread_mutex_t lock;
		struct vocabulary vocabulary;
	} shards[LEXICON_SHARDS];
	unsigned bits; /* of a number that tell the shard; 0 for one thread: shards cost memory */
};

void lexicon_init(struct lexicon *lexicon, bool shared);
void lexicon_release(struct lexicon *lexicon);

/* The number of a term, added when new; UINT32_MAX: out of memory. Any thread. */
uint32_t lexicon_number(struct lexicon *lexicon, const char *term, uint8_t length);

/* The bytes it holds, and those that sorting it and numbering its terms anew will take. Any thread. */
size_t lexicon_memory(struct lexicon *lexicon);

/* What follows is for when no thread adds any more. */
uint32_t lexicon_count(const struct lexicon *lexicon);
uint32_t lexicon_limit(const struct lexicon *lexicon); /* above all numbers */

static inline const char *lexicon_term(const struct lexicon *lexicon, uint32_t number, uint8_t *length)
{
	const struct vocabulary *vocabulary = &lexicon->shards[number & ((1u << lexicon->bits) - 1)].vocabulary;
	const char *bytes = vocabulary->terms[number >> lexicon->bits].bytes;
	*length = (uint8_t)bytes[-1];
	return bytes;
}

/* All numbers in byte order of their terms: `sorted` has room for lexicon_count. false: out of memory. */
bool lexicon_sort(const struct lexicon *lexicon, uint32_t *sorted);

#endif
