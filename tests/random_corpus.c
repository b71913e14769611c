#include "random_corpus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

uint64_t random_next(struct random *random)
{
	/* SplitMix64 (Steele, Lea, Flood 2014) */
	uint64_t z = random->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
	return (uint64_t)((unsigned __int128)random_next(random) * limit >> 64);
}

double random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

bool random_chance(struct random *random, double probability)
{
	return random_unit(random) < probability;
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

/* Words that analysis does something to. They take every seventh of the first ranks, unless the corpus is plain. */
static const char *const special_words[] = {"the",
                                            "heat-transfer",
                                            "of",
                                            "running",
                                            "and",
                                            "caf\u00e9",
                                            "Stra\u00dfe",
                                            "don\u2019t",
                                            "to",
                                            "3.14",
                                            "be",
                                            "U.S.",
                                            "X-ray",
                                            "\u65e5\u672c",
                                            "not",
                                            "O'Neill",
                                            "na\u00efve",
                                            "be-it",
                                            "or",
                                            "e-mail",
                                            "STATE-of-the-art"};
#define SPECIAL_COUNT (sizeof special_words / sizeof special_words[0])

static size_t word_spell(char *word, const struct random_corpus *corpus, uint64_t number)
{
	if (!corpus->plain && number % 7 == 2 && number / 7 < SPECIAL_COUNT) {
		size_t length = strlen(special_words[number / 7]);
		memcpy(word, special_words[number / 7], length);
		return length;
	}
	size_t length = 0;
	do {
		word[length++] = "bcdfghjklmnpqrtvwxz"[number % 19];
		word[length++] = "aeiou"[number / 19 % 5];
		number /= 95;
	} while (number);
	return length;
}

/* Zipf with exponent 1: the rank is log-uniform. */
static uint64_t word_choose(const struct random_corpus *corpus, struct random *random)
{
	return (uint64_t)exp(random_unit(random) * log((double)corpus->vocabulary + 1)) - 1;
}

/* Words past the vocabulary: one for each run of `cluster` documents, then one for each 64. */
static uint64_t cluster_word(const struct random_corpus *corpus, size_t document)
{
	return corpus->vocabulary + document / corpus->cluster;
}

static uint64_t range_word(const struct random_corpus *corpus, size_t document)
{
	return corpus->vocabulary + 100000 + document / 64;
}

/* ---- documents ------------------------------------------------------------------------------------------------- */

struct text {
	char *bytes;
	size_t length, capacity;
};

static void text_append(struct text *text, const char *bytes, size_t length)
{
	if (length > SIZE_MAX / 4)
		exit(99);
	if (text->length + length + 1 > text->capacity) {
		text->capacity = (text->length + length + 1) * 2;
		text->bytes = realloc(text->bytes, text->capacity);
		if (!text->bytes)
			exit(99);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static void text_append_word(struct text *text, const struct random_corpus *corpus, uint64_t number)
{
	char word[WORD_MAX];
	if (text->length)
		text_append(text, " ", 1);
	text_append(text, word, word_spell(word, corpus, number));
}

static void text_append_words(struct text *text, const struct random_corpus *corpus, struct random *random,
                              size_t count)
{
	while (count) {
		uint64_t word = word_choose(corpus, random);
		size_t times = random_chance(random, 0.02) ? 1 + random_below(random, 8) : 1;
		for (; times && count; times--, count--)
			text_append_word(text, corpus, word);
	}
}

static size_t random_length(const struct random_corpus *corpus, struct random *random)
{
	double kind = random_unit(random);
	if (kind < 0.03)
		return random_below(random, 2);
	if (corpus->plain || kind < 0.7)
		return 1 + random_below(random, 16);
	if (kind < 0.98)
		return 10 + random_below(random, 80);
	if (kind < 0.998)
		return 240 + random_below(random, 400);
	return 5000 + random_below(random, 3000);
}

static char *text_take(struct text *text, size_t *length)
{
	*length = text->length;
	char *bytes = text->bytes ? text->bytes : calloc(1, 1);
	*text = (struct text){0};
	return bytes;
}

static void random_body(trawl_document *document, const struct random_corpus *corpus, struct random *random,
                        size_t number)
{
	struct text title = {0}, text = {0};
	size_t length = random_length(corpus, random);
	size_t of_title = random_chance(random, 0.5) ? random_below(random, 6) : 0;
	text_append_words(&title, corpus, random, of_title < length ? of_title : length);
	text_append_words(&text, corpus, random, of_title < length ? length - of_title : 0);
	if (length && random_chance(random, 0.7))
		text_append_word(&text, corpus, cluster_word(corpus, number));
	if (number / 64 % 3 == 0)
		text_append_word(&text, corpus, range_word(corpus, number));
	if (!corpus->plain && random_chance(random, 0.01)) {
		static const uint16_t frequencies[] = {4, 15, 16, 17, 63, 64, 65, 254, 255, 256, 257, 1000};
		uint64_t word = word_choose(corpus, random);
		for (size_t times = frequencies[random_below(random, 12)]; times; times--)
			text_append_word(&text, corpus, word);
	}
	if (corpus->count > 500 && number == corpus->count / 3 && random_chance(random, 0.3))
		text_append_words(&text, corpus, random, 70000);
	document->title = text_take(&title, &document->title_length);
	document->text = text_take(&text, &document->text_length);
}

static void same_body(trawl_document *document, const trawl_document *other)
{
	struct text title = {0}, text = {0};
	text_append(&title, other->title, other->title_length);
	text_append(&text, other->text, other->text_length);
	document->title = text_take(&title, &document->title_length);
	document->text = text_take(&text, &document->text_length);
}

/* Unique: each starts or ends with the document's number in a form of its own. */
static void random_id(trawl_document *document, const struct random_corpus *corpus, struct random *random,
                      size_t number)
{
	struct text id = {0};
	char digits[48];
	uint64_t scrambled = (number * 0x9e3779b1u ^ corpus->salt) & 0xffffffff;
	int length = snprintf(digits, sizeof digits, "%x%c", (unsigned)scrambled, number % 3 ? 'd' : 'D');
	if (random_chance(random, 0.02)) {
		size_t filler =
		    random_chance(random, 0.1) ? TRAWL_QUERY_MAX / 2 - (size_t)length : random_below(random, 40);
		while (filler--) {
			char byte = (char)random_next(random);
			text_append(&id, &byte, 1);
		}
	}
	text_append(&id, digits, (size_t)length);
	document->id = text_take(&id, &document->id_length);
}

void random_corpus_make(struct random_corpus *corpus, struct random *random, size_t documents)
{
	static const size_t vocabularies[] = {3, 40, 300, 2000, 30000};
	*corpus = (struct random_corpus){.count = documents, .salt = random_next(random)};
	corpus->vocabulary = vocabularies[random_below(random, 5)];
	corpus->cluster = 10 + random_below(random, 2000);
	corpus->plain = random_chance(random, documents > 10000 ? 0.6 : 0.2);
	corpus->documents = calloc(documents + 1, sizeof *corpus->documents);
	if (!corpus->documents)
		exit(99);
	for (size_t i = 0; i < documents; i++) {
		trawl_document *document = &corpus->documents[i];
		random_id(document, corpus, random, i);
		if (i && random_chance(random, 0.1))
			same_body(document, &corpus->documents[random_below(random, i)]);
		else
			random_body(document, corpus, random, i);
	}
}

void random_document_make(trawl_document *document, const struct random_corpus *corpus, struct random *random,
                          const trawl_document *like)
{
	struct text id = {0};
	text_append(&id, like->id, like->id_length);
	*document = (trawl_document){.id = text_take(&id, &document->id_length)};
	document->id_length = like->id_length;
	random_body(document, corpus, random, random_below(random, corpus->count));
}

void random_document_release(trawl_document *document)
{
	free((void *)(uintptr_t)document->id);
	free((void *)(uintptr_t)document->title);
	free((void *)(uintptr_t)document->text);
	*document = (trawl_document){0};
}

void random_corpus_release(struct random_corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++)
		random_document_release(&corpus->documents[i]);
	free(corpus->documents);
	*corpus = (struct random_corpus){0};
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

struct query {
	char *bytes;
	size_t length;
};

static void query_append(struct query *query, const char *bytes, size_t length)
{
	if (query->length + length > RANDOM_QUERY_MAX - 8) /* 8: a closing quote and the like always fit */
		return;
	memcpy(query->bytes + query->length, bytes, length);
	query->length += length;
}

static void query_append_text(struct query *query, const char *text)
{
	query_append(query, text, strlen(text));
}

static void query_append_word(struct query *query, const struct random_corpus *corpus, struct random *random)
{
	char word[WORD_MAX];
	double kind = random_unit(random);
	uint64_t number = word_choose(corpus, random);
	if (kind < 0.2)
		number = random_below(random, corpus->vocabulary);
	else if (kind < 0.3 && corpus->count)
		number = cluster_word(corpus, random_below(random, corpus->count));
	else if (kind < 0.35 && corpus->count)
		number = range_word(corpus, random_below(random, corpus->count));
	else if (kind < 0.37)
		number = corpus->vocabulary + 200000; /* in no document */
	query_append(query, word, word_spell(word, corpus, number));
}

/* `words` neighbours from a document. */
static void query_append_excerpt(struct query *query, const struct random_corpus *corpus, struct random *random,
                                 size_t words)
{
	if (!corpus->count)
		return;
	const trawl_document *document = &corpus->documents[random_below(random, corpus->count)];
	if (!document->text_length)
		return;
	size_t start = random_below(random, document->text_length), end;
	while (start && document->text[start - 1] != ' ')
		start--;
	for (end = start; words && end < document->text_length; end++)
		if (document->text[end] == ' ' && --words == 0)
			break;
	query_append(query, document->text + start, end - start);
}

static void query_append_words(struct query *query, const struct random_corpus *corpus, struct random *random,
                               size_t count, const char *sign)
{
	for (; count; count--) {
		if (query->length)
			query_append_text(query, " ");
		query_append_text(query, sign);
		query_append_word(query, corpus, random);
	}
}

static void query_append_phrase(struct query *query, const struct random_corpus *corpus, struct random *random,
                                const char *sign, bool from_document)
{
	size_t words = 1 + random_below(random, 6);
	if (query->length)
		query_append_text(query, " ");
	query_append_text(query, sign);
	query_append_text(query, "\"");
	if (from_document)
		query_append_excerpt(query, corpus, random, words);
	else
		query_append_words(query, corpus, random, words, "");
	query_append_text(query, "\"");
}

/* Any pieces in any order. */
static void query_append_odd(struct query *query, const struct random_corpus *corpus, struct random *random)
{
	static const char *const pieces[] = {"+", "-", "\"", " ", "\t", "+\"", "-\"", "\" ", "--", "+-", "...", "'"};
	for (size_t count = 1 + random_below(random, 12); count; count--) {
		query_append_text(query, pieces[random_below(random, sizeof pieces / sizeof pieces[0])]);
		if (random_chance(random, 0.1))
			query_append(query, "\0", 1);
		if (random_chance(random, 0.7))
			query_append_word(query, corpus, random);
	}
}

static const char *random_sign(struct random *random)
{
	static const char *const signs[] = {"", "+", "-"};
	return signs[random_below(random, 3)];
}

size_t random_query(char *bytes, const struct random_corpus *corpus, struct random *random, enum query_kind kind)
{
	struct query query = {.bytes = bytes};
	size_t few = 1 + random_below(random, 4);
	switch (kind) {
	case QUERY_TERM: query_append_words(&query, corpus, random, 1, ""); break;
	case QUERY_OR:
		query_append_words(&query, corpus, random, 2 + random_below(random, few < 4 ? 6 : 49), "");
		break;
	case QUERY_LONG_OR: query_append_words(&query, corpus, random, 50 + random_below(random, 900), ""); break;
	case QUERY_AND: query_append_words(&query, corpus, random, 1 + few, "+"); break;
	case QUERY_MIXED:
		query_append_words(&query, corpus, random, few, "+");
		query_append_words(&query, corpus, random, 1 + random_below(random, 6), "");
		if (random_chance(random, 0.3))
			query_append_words(&query, corpus, random, 1 + random_below(random, 2), "-");
		break;
	case QUERY_EXCLUDED:
		query_append_words(&query, corpus, random, few - 1, "");
		query_append_words(&query, corpus, random, 1 + random_below(random, 3), "-");
		query_append_words(&query, corpus, random, random_below(random, 2), "");
		break;
	case QUERY_PHRASE: query_append_phrase(&query, corpus, random, "", true); break;
	case QUERY_RANDOM_PHRASE: query_append_phrase(&query, corpus, random, "", false); break;
	case QUERY_PHRASE_MIXED:
		for (; few; few--) {
			query_append_phrase(&query, corpus, random, random_sign(random), random_chance(random, 0.7));
			query_append_words(&query, corpus, random, random_below(random, 3), random_sign(random));
		}
		break;
	case QUERY_ODD:
	case QUERY_KINDS: query_append_odd(&query, corpus, random); break;
	}
	return query.length;
}
