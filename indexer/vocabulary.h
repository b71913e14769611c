/* vocabulary.h - distinct terms, numbered from 0 in order of appearance: a share of a lexicon. */
#ifndef TRAWL_INDEXER_VOCABULARY_H
#define TRAWL_INDEXER_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct vocabulary_term {
	const char *bytes; /* in the vocabulary's arena; its length stands in the byte before it */
};

struct vocabulary {
	struct arena arena;
	struct vocabulary_term *terms;
	size_t capacity;
	uint32_t count;
	/* open addressing: 0 is empty, else term number + 1, and 32 bits of the hash, so that a probe rarely looks at bytes */
	struct vocabulary_slot {
		uint32_t hash, number_plus_one;
	} * slots;
	size_t slot_count; /* a power of two */
};

static inline uint8_t vocabulary_length(const struct vocabulary *vocabulary, uint32_t number)
{
	return (uint8_t)vocabulary->terms[number].bytes[-1];
}

/* The number of a term with this hash, added when new; UINT32_MAX: out of memory. */
uint32_t vocabulary_number(struct vocabulary *vocabulary, const char *term, uint8_t length, uint32_t hash);

size_t vocabulary_memory(const struct vocabulary *vocabulary);
void vocabulary_release(struct vocabulary *vocabulary);

#endif
