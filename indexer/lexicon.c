#include "indexer/lexicon.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

void lexicon_init(struct lexicon *lexicon, bool shared)
{
	memset(lexicon, 0, sizeof *lexicon);
	lexicon->bits = shared ? LEXICON_SHARD_BITS : 0;
	for (unsigned i = 0; i < LEXICON_SHARDS; i++)
		pthread_mutex_init(&lexicon->shards[i].lock, NULL);
}

void lexicon_release(struct lexicon *lexicon)
{
	for (unsigned i = 0; i < LEXICON_SHARDS; i++) {
		vocabulary_release(&lexicon->shards[i].vocabulary);
		pthread_mutex_destroy(&lexicon->shards[i].lock);
	}
}

uint32_t lexicon_number(struct lexicon *lexicon, const char *term, uint8_t length)
{
	uint64_t hash = hash_bytes(term, length);
	uint32_t index = (uint32_t)(hash >> (64 - LEXICON_SHARD_BITS)) & ((1u << lexicon->bits) - 1);
	struct lexicon_shard *shard = &lexicon->shards[index];
	pthread_mutex_lock(&shard->lock);
	uint32_t number = vocabulary_number(&shard->vocabulary, term, length, (uint32_t)hash);
	pthread_mutex_unlock(&shard->lock);
	if (number >= UINT32_MAX >> lexicon->bits)
		return UINT32_MAX;
	return number << lexicon->bits | index;
}

uint32_t lexicon_count(const struct lexicon *lexicon)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < LEXICON_SHARDS; i++)
		count += lexicon->shards[i].vocabulary.count;
	return count;
}

uint32_t lexicon_limit(const struct lexicon *lexicon)
{
	uint32_t most = 0;
	for (unsigned i = 0; i < LEXICON_SHARDS; i++)
		if (lexicon->shards[i].vocabulary.count > most)
			most = lexicon->shards[i].vocabulary.count;
	return most << lexicon->bits;
}

/* Most comparisons are settled by the first 8 bytes. */
struct sort_key {
	uint64_t prefix;
	const char *bytes;
	uint32_t number;
};

size_t lexicon_memory(struct lexicon *lexicon)
{
	/* qsort may take as much again as it sorts. */
	const size_t term = 2 * sizeof(struct sort_key) + 2 * sizeof(uint32_t) + 2 * sizeof(uint64_t);
	size_t bytes = 0;
	for (unsigned i = 0; i < LEXICON_SHARDS; i++) {
		struct lexicon_shard *shard = &lexicon->shards[i];
		pthread_mutex_lock(&shard->lock);
		bytes += vocabulary_memory(&shard->vocabulary) + shard->vocabulary.count * term;
		pthread_mutex_unlock(&shard->lock);
	}
	return bytes;
}

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *left = a, *right = b;
	if (left->prefix != right->prefix)
		return left->prefix < right->prefix ? -1 : 1;
	return bytes_compare(left->bytes, (uint8_t)left->bytes[-1], right->bytes, (uint8_t)right->bytes[-1]);
}

bool lexicon_sort(const struct lexicon *lexicon, uint32_t *sorted)
{
	uint32_t count = lexicon_count(lexicon), at = 0;
	struct sort_key *keys = memory_new(count * sizeof *keys);
	if (!keys)
		return false;
	for (uint32_t shard = 0; shard < LEXICON_SHARDS; shard++) {
		const struct vocabulary *vocabulary = &lexicon->shards[shard].vocabulary;
		for (uint32_t i = 0; i < vocabulary->count; i++) {
			const char *bytes = vocabulary->terms[i].bytes;
			uint8_t prefix[8] = {0}, length = vocabulary_length(vocabulary, i);
			memcpy(prefix, bytes, length < 8 ? length : 8);
			keys[at++] =
			    (struct sort_key){__builtin_bswap64(load64(prefix)), bytes, i << lexicon->bits | shard};
		}
	}
	if (count)
		qsort(keys, count, sizeof *keys, compare_keys);
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = keys[i].number;
	memory_free(keys);
	return true;
}
