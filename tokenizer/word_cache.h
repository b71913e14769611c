/*
 * word_cache.h - the distinct words met so far, by their bytes: an open-addressed table.
 *
 * A slot holds a key of up to 24 bytes itself, so that the common hit reads one slot and nothing else. A longer key is
 * there as its hash and length, with 0xff in place of text (which UTF-8 never has), and stands in full before the
 * word's term. The hashes are seeded by chance, so that no text can be made to collide.
 */
#ifndef TRAWL_TOKENIZER_WORD_CACHE_H
#define TRAWL_TOKENIZER_WORD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "tokenizer/analyzer.h"
#include "tokenizer/tokenizer.h"

#define SHORT_KEY_MAX 24

struct word_key {
	uint64_t part[3];
};

/* A pointer to a struct word and, in its low bits, how to treat it; 0: an empty slot. */
typedef uintptr_t word_reference;
#define WORD_STOPPED ((word_reference)1) /* not yielded, but takes a position */
#define WORD_NOTHING ((word_reference)2) /* normalises to nothing: not yielded, takes no position */
#define WORD_MARKS (WORD_STOPPED | WORD_NOTHING)

struct word_slot {
	struct word_key key;
	word_reference word;
};

struct word_cache {
	struct word_slot *slots;
	size_t mask;  /* slots less one; a power of two less one */
	size_t count; /* words */
	uint64_t seeds[3];
	struct word_slot *first_slots; /* the smallest table, kept to start over with */
	struct arena words;            /* struct word, packed */
	struct arena texts;
};

bool word_cache_init(struct word_cache *cache);
void word_cache_release(struct word_cache *cache);
void word_cache_forget(struct word_cache *cache);
size_t word_cache_memory(const struct word_cache *cache);

/* Any word of up to SURFACE_BYTES_MAX bytes: find it or analyse and insert it. 0: out of memory. */
word_reference word_cache_get(struct word_cache *cache, struct analyzer *analyzer, const uint8_t *bytes, size_t length);

/* The cold end of word_cache_get for a short key. */
word_reference word_cache_insert_short(struct word_cache *cache, struct analyzer *analyzer, const struct word_key *key);

static inline uint64_t word_cache_fold(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (uint64_t)(uint32_t)a * b;
	return (low ^ ((a >> 32) * b)) * 0x9e3779b97f4a7c15u ^ low >> 29;
#endif
}

static inline uint64_t word_cache_hash(const struct word_cache *cache, const struct word_key *key)
{
	uint64_t hash = word_cache_fold(key->part[0] ^ cache->seeds[0], key->part[1] ^ cache->seeds[1]);
	if (key->part[2])
		hash = word_cache_fold(hash ^ key->part[2], cache->seeds[2]);
	return hash;
}

static inline bool word_key_equal(const struct word_key *a, const struct word_key *b)
{
	return ((a->part[0] ^ b->part[0]) | (a->part[1] ^ b->part[1]) | (a->part[2] ^ b->part[2])) == 0;
}

/* The word with this short key and its hash; 0: not there. */
static inline word_reference word_cache_find(const struct word_cache *cache, const struct word_key *key, uint64_t hash)
{
	for (size_t i = hash & cache->mask;; i = (i + 1) & cache->mask) {
		const struct word_slot *slot = &cache->slots[i];
		if (word_key_equal(&slot->key, key))
			return slot->word;
		if (!slot->word)
			return 0;
	}
}

#endif
