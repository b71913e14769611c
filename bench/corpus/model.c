#include "bench/corpus/model.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Fitted to the frequencies of 51 million words of abstracts from arXiv. */
#define SHIFT 0.3
#define HEAD_SLOPE 0.95
#define BEND 3000
#define LENGTH_SIGMA 0.52

#define FIRST_CONTENT 64 /* lower ranks are common: words that every text has */
#define BLOCK 32
#define TOPICS 256

/* Chances, of 2^16. */
#define OF(share) ((uint32_t)((share)*65536))
#define ECHO OF(0.19)    /* a word begins an echo */
#define ECHO_ON OF(0.42) /* an echo goes on */
#define PAIR OF(0.45)    /* a partner follows */
#define COMMON_BEHIND_COMMON OF(0.32)
#define TOPICAL OF(0.40)   /* a word of content is the topic's */
#define SECOND OF(0.35)    /* ... of the second topic */
#define TWO_TOPICS OF(0.5) /* a document has a second one */
#define SENTENCE_END OF(1 / 20.0)
#define COMMA OF(1 / 18.0)

/* ---- words as letters ------------------------------------------------------------------------------------------- */

/*
 * Consonants and vowels in turn, and at the end a consonant that no stemmer takes for part of an ending, so that each rank is
 * a term of its own whatever the language. Frequent words are short (Zipf's law of abbreviation). Within a length, ranks
 * are scattered over the alphabet.
 */
static size_t spell(uint32_t rank, char *out)
{
	static const char consonants[] = "bcdfghjklmnprstvwz", vowels[] = "aeiou", ends[] = "bkpvx";
	static const struct {
		uint32_t first, syllables, size;
	} lengths[] = {
	    {1, 1, 18 * 25}, {40, 2, 18 * 18 * 125}, {250, 3, 18 * 18 * 18 * 625}, {200000, 4, 104976u * 3125}};
	int l = 3;
	while (rank < lengths[l].first)
		l--;
	/* The factor is prime, and none of the sizes': a permutation. */
	uint64_t scattered = (uint64_t)(rank - lengths[l].first) * 2147483629u % lengths[l].size;
	size_t n = 0;
	for (uint32_t i = 0; i < lengths[l].syllables; i++, scattered /= 90) {
		out[n++] = consonants[scattered % 18];
		out[n++] = vowels[scattered / 18 % 5];
	}
	out[n++] = ends[scattered % 5];
	return n;
}

size_t model_word(const struct model *model, uint32_t rank, char *out)
{
	if (rank >= HEAD_WORDS)
		return spell(rank, out);
	memcpy(out, model->words[rank].bytes, WORD_BYTES);
	return model->lengths[rank];
}

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

static double weight(double rank)
{
	return rank <= BEND ? pow(rank + SHIFT, -HEAD_SLOPE)
	                    : pow(BEND + SHIFT, 2 - HEAD_SLOPE) * pow(rank + SHIFT, -2);
}

/* Vose's way to fill the table: slots with less than their share are topped up by those with more. */
static void fill_slots(struct model *model, double *shares)
{
	static uint32_t small[HEAD_WORDS], large[HEAD_WORDS];
	uint32_t small_count = 0, large_count = 0;
	for (uint32_t i = 0; i < HEAD_WORDS; i++) {
		model->slots[i] = (struct slot){UINT32_MAX, i};
		if (shares[i] < 1)
			small[small_count++] = i;
		else
			large[large_count++] = i;
	}
	while (small_count && large_count) {
		uint32_t less = small[--small_count], more = large[large_count - 1];
		model->slots[less] = (struct slot){(uint32_t)(shares[less] * 0x1p32), more};
		shares[more] -= 1 - shares[less];
		if (shares[more] < 1) {
			large_count--;
			small[small_count++] = more;
		}
	}
}

void model_init(struct model *model, uint64_t seed, double mean_length)
{
	static double shares[HEAD_WORDS];
	double sum = 0;
	memset(model, 0, sizeof *model);
	model->seed = seed;
	model->log_mean = log(mean_length) - LENGTH_SIGMA * LENGTH_SIGMA / 2;
	/* The sum over the rest as an integral: of (r + SHIFT)^-2 from half a step before. */
	shares[0] = weight(HEAD_WORDS) * pow(HEAD_WORDS + SHIFT, 2) / (HEAD_WORDS + SHIFT - 0.5);
	for (uint32_t rank = 1; rank < HEAD_WORDS; rank++)
		shares[rank] = weight(rank);
	for (uint32_t i = 0; i < HEAD_WORDS; i++)
		sum += shares[i];
	double common = 0;
	for (uint32_t rank = 1; rank < FIRST_CONTENT; rank++)
		common += shares[rank] / sum;
	model->common_behind_content = (uint32_t)(common * (65536 - COMMON_BEHIND_COMMON) / (1 - common));
	for (uint32_t i = 0; i < HEAD_WORDS; i++)
		shares[i] *= HEAD_WORDS / sum;
	fill_slots(model, shares);
	for (uint32_t rank = 1; rank < HEAD_WORDS; rank++)
		model->lengths[rank] = (uint8_t)spell(rank, model->words[rank].bytes);
}

static uint32_t draw_rank(const struct model *model, struct random *random)
{
	uint64_t bits = random_next(random);
	uint32_t at = (uint32_t)(bits >> 32) % HEAD_WORDS;
	const struct slot *slot = &model->slots[at];
	uint32_t rank = (uint32_t)bits < slot->own ? at : slot->other;
	if (rank)
		return rank;
	double beyond = HEAD_WORDS / random_unit(random);
	return beyond < RANK_MAX ? (uint32_t)beyond : RANK_MAX;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

struct random model_random(const struct model *model, uint32_t purpose, uint64_t number)
{
	struct random random = {model->seed * 0x9fb21c651e98df25u + purpose};
	random.state = random_next(&random) ^ number * 0xd6e8feb86659fd93u;
	random_next(&random);
	return random;
}

/* The word of the block of `rank` that the topic prefers. */
static uint32_t topic_word(uint32_t topic, uint32_t rank)
{
	struct random hash = {((uint64_t)topic << 32 | rank / BLOCK) * 0xd6e8feb86659fd93u};
	return rank / BLOCK * BLOCK + (uint32_t)(random_next(&hash) % BLOCK);
}

/* One of the four partners: a permutation of the block, so that no word becomes more frequent by it. */
static uint32_t partner(uint32_t rank, uint32_t which)
{
	uint32_t block = rank / BLOCK, offset = rank % BLOCK;
	return block * BLOCK + (offset * (4 * which + 5) + block * 7 + which * 11 + 3) % BLOCK;
}

static uint32_t draw_length(const struct model *model, struct random *random)
{
	double normal = sqrt(-2 * log(random_unit(random))) * cos(6.283185307179586 * random_unit(random));
	double length = exp(model->log_mean + LENGTH_SIGMA * normal);
	return length < 1 ? 1 : length > LENGTH_MAX ? LENGTH_MAX : (uint32_t)(length + 0.5);
}

/* A word of content or one that every text has, whichever is wanted, and not `previous` again if that can be had. */
static uint32_t draw_kind(const struct model *model, struct random *random, bool content, uint32_t previous)
{
	uint32_t rank = draw_rank(model, random), again = 1;
	while ((rank >= FIRST_CONTENT) != content || (rank == previous && again--))
		rank = draw_rank(model, random);
	return rank;
}

/* The word behind `previous` when it is no echo. Whether it is one of content depends on whether `previous` is, in such a way that
 * both kinds keep their shares. */
static uint32_t draw_word(const struct model *model, struct random *random, const uint32_t *topics, uint32_t previous)
{
	uint64_t chances = random_next(random);
	bool behind_content = previous >= FIRST_CONTENT;
	if ((chances & 0xffff) < (behind_content ? model->common_behind_content : COMMON_BEHIND_COMMON))
		return draw_kind(model, random, false, previous);
	chances >>= 16;
	if (behind_content && (chances & 0xffff) < PAIR)
		return partner(previous, (uint32_t)(chances >> 16 & 7) < 5 ? 0 : (uint32_t)(chances >> 16 & 3));
	uint32_t rank = draw_kind(model, random, true, previous);
	if ((chances >> 16 & 0xffff) >= TOPICAL)
		return rank;
	return topic_word(topics[chances >> 32 < SECOND], rank);
}

static void draw_breaks(struct random *random, struct drawn *document)
{
	for (uint32_t i = document->title; i < document->length; i++) {
		uint64_t chances = random_next(random);
		document->breaks[i] = (chances & 0xffff) < SENTENCE_END  ? '.'
		                      : (chances >> 16 & 0xffff) < COMMA ? ','
		                                                         : 0;
	}
	document->breaks[document->length - 1] = '.';
}

void model_draw(const struct model *model, uint64_t number, struct drawn *document)
{
	struct random random = model_random(model, 0, number);
	/* Topics are as unequal as the square of an even share. */
	double one = random_unit(&random), two = random_unit(&random);
	uint32_t topics[2] = {(uint32_t)(one * one * TOPICS), (uint32_t)(two * two * TOPICS)};
	if ((random_next(&random) & 0xffff) >= TWO_TOPICS)
		topics[1] = topics[0];
	uint32_t length = draw_length(model, &random), title = 5 + random_below(&random, 12);
	document->length = length;
	document->title = title < length / 2 ? title : length / 2;
	uint32_t echo = 0; /* where the echo goes on, if not 0 */
	for (uint32_t i = 0; i < length; i++) {
		uint32_t chance = (uint32_t)(random_next(&random) >> 48);
		uint32_t previous = i ? document->words[i - 1] : 0;
		if (!echo || chance >= ECHO_ON)
			echo = i > 1 && chance < ECHO ? random_below(&random, i) : 0;
		if (echo && document->words[echo] == previous)
			echo = 0;
		document->words[i] = echo ? document->words[echo++] : draw_word(model, &random, topics, previous);
	}
	memset(document->breaks, 0, document->title);
	draw_breaks(&random, document);
}
