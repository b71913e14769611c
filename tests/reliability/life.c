#include "tests/reliability/life.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/naive.h"
#include "tests/random_corpus.h"

#define WORDS 60
#define TEXT_ROOM 8192
#define LARGE_TOKENS 300000 /* 4 bytes each in the batch: more than the least memory budget */
#define LARGE_ID (LIFE_IDS - 1)
#define FAT_WORDS 2000 /* of 17 bytes */

/* What the index must answer to a query: the documents, and their scores. */
struct answer {
	size_t count;
	double scores[LIFE_IDS]; /* NAIVE_NO_MATCH: not a match */
};

struct life_state {
	uint32_t versions[LIFE_IDS]; /* the generation that wrote the document; 0: there is none */
	uint32_t documents;
	struct answer answers[LIFE_QUERIES];
};

static const char *const queries[LIFE_QUERIES] = {"common",      "w1 w2 w30",       "+w0 +w3", "\"w1 w2\"",
                                                  "+common -w4", "w5 \"red fish\"", "absent",  "+\"w0 w1\" w7 w8 w9"};

/* ---- documents ---- */

struct life_document {
	char id[16];
	char title[64];
	char *text;
	size_t length;
};

static struct random random_for(const struct life *life, uint64_t a, uint64_t b)
{
	struct random random = {life->seed ^ a * 0x9E3779B97F4A7C15u ^ b * 0xC2B2AE3D27D4EB4Fu};
	random_next(&random);
	return random;
}

static enum life_kind kind_of(const struct life *life, uint32_t g)
{
	return life->kinds ? (enum life_kind)life->kinds[g] : LIFE_ANY;
}

static bool is_large(const struct life *life, uint32_t id, uint32_t version)
{
	return kind_of(life, version) == LIFE_LARGE ||
	       (id == LARGE_ID && life->large_every && version % life->large_every == 0);
}

static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

/* Zipf-like: small numbers more often. */
static unsigned word(struct random *random)
{
	double unit = random_unit(random);
	return (unsigned)(unit * unit * WORDS);
}

static void make_document(const struct life *life, uint32_t id, uint32_t version, struct life_document *document)
{
	struct random random = random_for(life, version, id + 1);
	bool large = is_large(life, id, version), fat = kind_of(life, version) == LIFE_FAT;
	size_t room = TEXT_ROOM + (large ? LARGE_TOKENS * 4 : 0) + (fat ? FAT_WORDS * 20 : 0), length = 0;
	char *text = must(malloc(room));
	snprintf(document->id, sizeof document->id, "document/%u", id);
	snprintf(document->title, sizeof document->title, "title w%u of %u", word(&random), version);
	length += (size_t)snprintf(text, room, "common version%u ", version);
	if (random_chance(&random, 0.2))
		length += (size_t)snprintf(text + length, room - length, "red fish ");
	for (size_t words = 3 + random_below(&random, 40); words; words--)
		length += (size_t)snprintf(text + length, room - length, "w%u ", word(&random));
	/* Now and then values that fill pages of their own. */
	size_t odd = random_chance(&random, 0.1) ? 100 + random_below(&random, 250) : 0;
	for (size_t words = fat ? FAT_WORDS : odd; words; words--)
		length +=
		    (size_t)snprintf(text + length, room - length, "x%llx ", (unsigned long long)random_next(&random));
	for (size_t tokens = large ? LARGE_TOKENS : 0; tokens; tokens--) {
		text[length++] = (char)('a' + tokens % 26);
		text[length++] = (char)('a' + tokens / 26 % 26);
		text[length++] = ' ';
	}
	text[length] = 0;
	document->text = text;
	document->length = length;
}

static trawl_document view(const struct life_document *document)
{
	return (trawl_document){.id = document->id,
	                        .id_length = strlen(document->id),
	                        .title = document->title,
	                        .title_length = strlen(document->title),
	                        .text = document->text,
	                        .text_length = document->length,
	                        .fields = "{}",
	                        .fields_length = 2};
}

/* ---- what a commit does ---- */

static size_t delete_all(const bool *present, struct life_step *steps)
{
	size_t count = 0;
	for (uint32_t id = 0; id < LIFE_IDS; id++)
		if (present[id])
			steps[count++] = (struct life_step){id, true};
	return count;
}

/* The first query from a drawn one that matches something, but not all; LIFE_QUERIES: there is none. */
static size_t choose_query(const struct life_state *state, struct random random)
{
	size_t first = random_below(&random, LIFE_QUERIES);
	for (size_t i = 0; i < LIFE_QUERIES; i++) {
		size_t q = (first + i) % LIFE_QUERIES;
		if (state->answers[q].count && state->answers[q].count < state->documents)
			return q;
	}
	return LIFE_QUERIES;
}

static size_t plan_additions(struct random *random, enum life_kind kind, struct life_step *steps)
{
	size_t count = kind == LIFE_FAT ? 10 : LIFE_BATCH;
	for (size_t i = 0; i < count; i++)
		steps[i] = (struct life_step){(uint32_t)random_below(random, LIFE_IDS), false};
	return count;
}

static size_t plan_deletions(struct random *random, const bool *present, struct life_step *steps)
{
	size_t count = delete_all(present, steps), wanted = 1 + random_below(random, 4);
	for (size_t i = 0; i < count && i < wanted; i++) {
		size_t other = i + random_below(random, count - i);
		struct life_step swap = steps[i];
		steps[i] = steps[other];
		steps[other] = swap;
	}
	return count < wanted ? count : wanted;
}

static size_t plan_matches(const struct life_state *state, struct random random, struct life_step *steps)
{
	bool matches[LIFE_IDS] = {0};
	size_t q = choose_query(state, random);
	for (uint32_t id = 0; q < LIFE_QUERIES && id < LIFE_IDS; id++)
		matches[id] = state->answers[q].scores[id] != NAIVE_NO_MATCH;
	return delete_all(matches, steps);
}

/* The steps from a state to the next generation, g. Each commit changes something. */
static size_t plan_steps(const struct life *life, const struct life_state *state, uint32_t g, struct life_step *steps)
{
	struct random random = random_for(life, g, 0);
	enum life_kind what = kind_of(life, g);
	bool present[LIFE_IDS];
	size_t count = 0;
	for (uint32_t id = 0; id < LIFE_IDS; id++)
		present[id] = state->versions[id] != 0;
	double kind = random_unit(&random);
	if (what == LIFE_DELETES)
		count = plan_deletions(&random, present, steps);
	if (what == LIFE_MATCHES)
		count = plan_matches(state, random, steps);
	if (kind < 0.04 && what == LIFE_ANY) /* nothing is left */
		count = delete_all(present, steps);
	if (count)
		return count;
	if (what != LIFE_ANY && what != LIFE_FILES)
		return plan_additions(&random, what, steps);
	for (size_t wanted = random_below(&random, 5); wanted; wanted--) {
		uint32_t id = (uint32_t)random_below(&random, LIFE_IDS);
		bool deletes = present[id] && random_chance(&random, 0.4);
		steps[count++] = (struct life_step){id, deletes};
		present[id] = !deletes;
	}
	/* A commit that only adds leaves the old segments alone; others must rewrite deletions. */
	uint32_t last = (uint32_t)random_below(&random, LIFE_IDS);
	for (uint32_t tries = 0; kind > 0.6 && present[last] && tries < LIFE_IDS; tries++)
		last = (last + 1) % LIFE_IDS;
	if (life->large_every && g % life->large_every == 0)
		last = LARGE_ID;
	steps[count++] = (struct life_step){last, false};
	return count;
}

size_t life_steps(const struct life *life, uint32_t g, struct life_step *steps)
{
	return plan_steps(life, &life->states[g - 1], g, steps);
}

const char *life_query(const struct life *life, uint32_t g)
{
	struct random random = random_for(life, g, 0);
	random_unit(&random);
	size_t q = choose_query(&life->states[g - 1], random);
	return kind_of(life, g) == LIFE_MATCHES && q < LIFE_QUERIES ? queries[q] : NULL;
}

uint32_t life_version(const struct life *life, uint32_t g, uint32_t id)
{
	return life->states[g].versions[id];
}

void life_write(const struct life *life, uint32_t id, uint32_t version, bool json, FILE *out)
{
	struct life_document document;
	make_document(life, id, version, &document); /* letters, digits and spaces: nothing to escape */
	fprintf(out, json ? "{\"id\":\"%s\",\"title\":\"%s\",\"text\":\"%s\"}\n" : "%.0s%s\n%s", document.id,
	        document.title, document.text);
	free(document.text);
}

int life_change(const struct life *life, trawl_writer *writer, uint32_t g, trawl_error *error)
{
	struct life_step steps[LIFE_STEPS];
	size_t count = life_steps(life, g, steps);
	int code = 0;
	for (size_t i = 0; !code && i < count; i++) {
		struct life_document document;
		make_document(life, steps[i].id, g, &document);
		trawl_document bytes = view(&document);
		code = steps[i].deletes ? trawl_writer_delete(writer, bytes.id, bytes.id_length, error)
		                        : trawl_writer_add(writer, &bytes, error);
		free(document.text);
	}
	return code;
}

/* ---- what must come of it ---- */

static void apply_steps(const struct life *life, struct life_state *state, struct naive *naive, uint32_t g)
{
	struct life_step steps[LIFE_STEPS];
	size_t count = plan_steps(life, state, g, steps);
	for (size_t i = 0; i < count; i++) {
		struct life_document document;
		make_document(life, steps[i].id, g, &document);
		trawl_document bytes = view(&document);
		state->versions[steps[i].id] = steps[i].deletes ? 0 : g;
		if (steps[i].deletes)
			naive_delete(naive, bytes.id, bytes.id_length);
		else
			naive_put(naive, &bytes);
		free(document.text);
	}
	state->documents = 0;
	for (uint32_t id = 0; id < LIFE_IDS; id++)
		state->documents += state->versions[id] != 0;
}

static void ask_naive(struct life_state *state, struct naive *naive)
{
	for (size_t q = 0; q < LIFE_QUERIES; q++) {
		struct answer *answer = &state->answers[q];
		const double *scores = naive_search(naive, queries[q], strlen(queries[q]), 0.9f, 0.4f, &answer->count);
		for (uint32_t id = 0; id < LIFE_IDS; id++) {
			char name[16];
			size_t length = (size_t)snprintf(name, sizeof name, "document/%u", id);
			size_t number = naive_find(naive, name, length);
			answer->scores[id] = number == NAIVE_NONE ? NAIVE_NO_MATCH : scores[number];
		}
	}
}

void life_make(struct life *life, uint64_t seed, uint32_t generations, uint32_t large_every, const uint8_t *kinds)
{
	trawl_analysis analysis = {.language = "none"};
	struct naive *naive = naive_new(&analysis);
	*life = (struct life){.seed = seed, .generations = generations, .large_every = large_every, .kinds = kinds};
	life->states = must(calloc(generations + 1, sizeof *life->states));
	for (uint32_t g = 0; g <= generations; g++) {
		if (g) {
			life->states[g] = life->states[g - 1];
			apply_steps(life, &life->states[g], naive, g);
		}
		ask_naive(&life->states[g], naive);
	}
	naive_free(naive);
}

void life_release(struct life *life)
{
	free(life->states);
	life->states = NULL;
}

/* ---- verifying ---- */

static int wrong(trawl_error *why, uint32_t g, const char *what, const char *detail)
{
	why->code = -1;
	snprintf(why->text, sizeof why->text, "not generation %u: %s %s", g, what, detail);
	return -1;
}

/* 0: the document is as generation g has it; 1: it is not; negative: trawl fails. */
static int check_document(const struct life *life, const trawl_index *index, uint32_t id, uint32_t g, trawl_error *why)
{
	struct life_document document;
	trawl_stored *handle = NULL;
	trawl_document stored;
	uint32_t version = life->states[g].versions[id];
	make_document(life, id, version, &document);
	trawl_document bytes = view(&document);
	int code = trawl_fetch(index, bytes.id, bytes.id_length, &handle, &stored, why);
	int verdict = code == TRAWL_ENOTFOUND ? version != 0 : code;
	if (!code)
		verdict = !version || stored.text_length != bytes.text_length ||
		          memcmp(stored.text, bytes.text, bytes.text_length) != 0 ||
		          stored.title_length != bytes.title_length ||
		          memcmp(stored.title, bytes.title, bytes.title_length) != 0;
	trawl_stored_free(handle);
	free(document.text);
	return verdict == 1 ? wrong(why, g, "stored", document.id), 1 : verdict;
}

static int check_hit(trawl_searcher *searcher, const trawl_hit *hit, const struct answer *answer, trawl_error *why)
{
	const char *id;
	size_t length;
	char name[16] = "";
	int code = trawl_hit_id(searcher, hit->document, &id, &length, why);
	if (code)
		return code;
	memcpy(name, id, length < sizeof name ? length : sizeof name - 1);
	unsigned number = (unsigned)strtoul(name + (length > 9 ? 9 : 0), NULL, 10);
	if (length < 10 || number >= LIFE_IDS)
		return 1;
	double expected = answer->scores[number];
	return expected == NAIVE_NO_MATCH || fabs(hit->score - expected) > 1e-4 * (1 + fabs(expected));
}

static int check_query(trawl_searcher *searcher, size_t q, const struct answer *answer, uint32_t g, trawl_error *why)
{
	trawl_search_options options = {.top = 2 * LIFE_IDS, .count = true};
	trawl_snippet snippet;
	size_t count;
	int code = trawl_search(searcher, queries[q], strlen(queries[q]), &options, why);
	if (code)
		return code;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	if (count != answer->count || trawl_match_count(searcher) != answer->count)
		return wrong(why, g, "hits of", queries[q]), 1;
	for (size_t i = 0; i < count; i++) {
		code = check_hit(searcher, &hits[i], answer, why);
		if (code == 1 || (i && hits[i].score > hits[i - 1].score))
			return wrong(why, g, "scores of", queries[q]), 1;
		if (code)
			return code;
	}
	return count ? trawl_hit_snippet(searcher, hits[0].document, 0, &snippet, why) : 0;
}

/* 0: the index is generation g; 1: it is another, or none; negative: trawl fails. */
static int check_generation(const struct life *life, const trawl_index *index, uint32_t g, trawl_error *why)
{
	const struct life_state *state = &life->states[g];
	trawl_index_stats stats;
	trawl_searcher *searcher;
	int code = trawl_get_stats(index, &stats, why);
	if (code)
		return code;
	if (stats.documents != state->documents)
		return wrong(why, g, "number of documents", ""), 1;
	for (uint32_t id = 0; !code && id < LIFE_IDS; id++)
		code = check_document(life, index, id, g, why);
	if (code)
		return code;
	code = trawl_searcher_new(&searcher, index, why);
	if (code)
		return code;
	for (size_t q = 0; !code && q < LIFE_QUERIES; q++)
		code = check_query(searcher, q, &state->answers[q], g, why);
	trawl_searcher_free(searcher);
	return code;
}

int life_verify_open(const struct life *life, const trawl_index *index, uint32_t low, uint32_t high, uint32_t *found,
                     trawl_error *why)
{
	int code = 1;
	for (uint32_t g = low; code == 1 && g <= high && g <= life->generations; g++) {
		code = check_generation(life, index, g, why);
		if (!code)
			*found = g;
	}
	return code == 1 ? -1 : code;
}

int life_verify(const struct life *life, const char *path, uint32_t low, uint32_t high, uint32_t *found,
                trawl_error *why)
{
	trawl_index *index;
	int code = trawl_open(&index, path, why);
	if (!code)
		code = life_verify_open(life, index, low, high, found, why);
	else
		index = NULL;
	trawl_close(index);
	return code;
}
