#include "tokenizer/word_cache.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

#define FIRST_SLOTS ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

bool word_cache_init(struct word_cache *cache)
{
	*cache = (struct word_cache){0};
	if (getrandom(cache->seeds, sizeof(cache->seeds), GRND_NONBLOCK) != (ssize_t)sizeof(cache->seeds)) {
		uint64_t weak[2] = {(uint64_t)time(NULL), (uint64_t)(uintptr_t)cache};
		for (int i = 0; i < 3; i++)
			cache->seeds[i] = XXH3_64bits_withSeed(weak, sizeof(weak), (XXH64_hash_t)i);
	}
	cache->seeds[2] |= 1;
	cache->first_slots = memory_new_zeroed(FIRST_SLOTS, sizeof(struct word_slot));
	cache->slots = cache->first_slots;
	cache->mask = FIRST_SLOTS - 1;
	return cache->first_slots != NULL;
}

void word_cache_release(struct word_cache *cache)
{
	if (cache->slots != cache->first_slots)
		memory_free(cache->slots);
	memory_free(cache->first_slots);
	arena_release(&cache->words);
	arena_release(&cache->texts);
	*cache = (struct word_cache){0};
}

void word_cache_forget(struct word_cache *cache)
{
	if (cache->slots != cache->first_slots)
		memory_free(cache->slots);
	cache->slots = cache->first_slots;
	cache->mask = FIRST_SLOTS - 1;
	cache->count = 0;
	memset(cache->slots, 0, FIRST_SLOTS * sizeof(struct word_slot));
	arena_release(&cache->words);
	arena_release(&cache->texts);
}

size_t word_cache_memory(const struct word_cache *cache)
{
	size_t slots = FIRST_SLOTS + (cache->slots != cache->first_slots ? cache->mask + 1 : 0);
	return slots * sizeof(struct word_slot) + cache->words.used + cache->texts.used;
}

static uint64_t slot_hash(const struct word_cache *cache, const struct word_slot *slot)
{
	return slot->key.part[2] == UINT64_MAX ? slot->key.part[0] : word_cache_hash(cache, &slot->key);
}

static struct word_slot *empty_slot(const struct word_cache *cache, uint64_t hash)
{
	size_t i = hash & cache->mask;
	while (cache->slots[i].word)
		i = (i + 1) & cache->mask;
	return &cache->slots[i];
}

/* A big table is read all over: huge pages, where there are any, spare most of the address translation misses. */
static void advise_huge_pages(struct word_slot *slots, size_t bytes)
{
	uintptr_t start = ((uintptr_t)slots + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t end = ((uintptr_t)slots + bytes) & ~(HUGE_PAGE - 1);
	if (start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE); /* only a wish: failure changes nothing */
}

/* At most half full: most words are then found in the first slot tried. */
static bool make_room(struct word_cache *cache)
{
	size_t slots = cache->mask + 1;
	if (cache->count < slots / 2)
		return true;
	struct word_cache grown = *cache;
	grown.slots = memory_new_zeroed(slots * 2, sizeof(struct word_slot));
	if (!grown.slots)
		return false;
	advise_huge_pages(grown.slots, slots * 2 * sizeof(struct word_slot));
	grown.mask = slots * 2 - 1;
	for (size_t i = 0; i < slots; i++)
		if (cache->slots[i].word)
			*empty_slot(&grown, slot_hash(cache, &cache->slots[i])) = cache->slots[i];
	if (cache->slots != cache->first_slots)
		memory_free(cache->slots);
	*cache = grown;
	return true;
}

/* Analyse `surface` and keep the word; `prefix` bytes of the surface are kept before its term. */
static word_reference new_word(struct word_cache *cache, struct analyzer *analyzer, const uint8_t *surface,
                               size_t length, size_t prefix)
{
	struct analyzed analyzed;
	if (analyzer_run(analyzer, surface, length, &analyzed) < 0)
		return 0;
	uint8_t *text = arena_new(&cache->texts, prefix + analyzed.length);
	struct word *word = text ? arena_new(&cache->words, sizeof(*word)) : NULL;
	if (!word)
		return 0;
	memcpy(text, surface, prefix);
	memcpy(text + prefix, analyzed.term, analyzed.length);
	*word = (struct word){.term = (const char *)text + prefix,
	                      .term_length = analyzed.length,
	                      .stop = analyzed.stop,
	                      .tag = WORD_TAG_NONE};
	word_reference marks = analyzed.length == 0 ? WORD_NOTHING : analyzed.stop ? WORD_STOPPED : 0;
	return (word_reference)word | marks;
}

static word_reference insert(struct word_cache *cache, struct analyzer *analyzer, const struct word_key *key,
                             uint64_t hash, const uint8_t *surface, size_t length, size_t prefix)
{
	if (!make_room(cache))
		return 0;
	word_reference word = new_word(cache, analyzer, surface, length, prefix);
	if (word) {
		*empty_slot(cache, hash) = (struct word_slot){*key, word};
		cache->count++;
	}
	return word;
}

word_reference word_cache_insert_short(struct word_cache *cache, struct analyzer *analyzer, const struct word_key *key)
{
	uint8_t surface[SHORT_KEY_MAX + 1] = {0};
	memcpy(surface, key, SHORT_KEY_MAX);
	size_t length = strlen((const char *)surface); /* a word has no NUL */
	return insert(cache, analyzer, key, word_cache_hash(cache, key), surface, length, 0);
}

static word_reference get_long(struct word_cache *cache, struct analyzer *analyzer, const uint8_t *bytes, size_t length)
{
	struct word_key key = {{XXH3_64bits_withSeed(bytes, length, cache->seeds[0]), length, UINT64_MAX}};
	for (size_t i = key.part[0] & cache->mask; cache->slots[i].word; i = (i + 1) & cache->mask) {
		const struct word_slot *slot = &cache->slots[i];
		if (!word_key_equal(&slot->key, &key))
			continue;
		const struct word *word = (const struct word *)(slot->word & ~WORD_MARKS);
		if (memcmp(word->term - length, bytes, length) == 0)
			return slot->word;
	}
	return insert(cache, analyzer, &key, key.part[0], bytes, length, length);
}

word_reference word_cache_get(struct word_cache *cache, struct analyzer *analyzer, const uint8_t *bytes, size_t length)
{
	if (length > SHORT_KEY_MAX)
		return get_long(cache, analyzer, bytes, length);
	struct word_key key = {{0}};
	memcpy(&key, bytes, length);
	word_reference word = word_cache_find(cache, &key, word_cache_hash(cache, &key));
	return word ? word : word_cache_insert_short(cache, analyzer, &key);
}
