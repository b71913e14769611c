#include "naive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer.h"

static void *must(void *pointer)
{
	if (!pointer) {
		fputs("naive: out of memory\n", stderr);
		exit(99);
	}
	return pointer;
}

/* Room for one more element: returns the array, moved if it was full. */
static void *grown(void *array, size_t count, size_t *capacity, size_t element)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 16;
	return must(realloc(array, *capacity * element));
}

/* ---- a set of byte strings, numbered in order of arrival ------------------------------------------------------- */

struct string {
	char *bytes;
	size_t length;
};

struct strings {
	struct string *all;
	size_t count, capacity;
	size_t *slots; /* number + 1, 0 when free; open addressing, a power of two of them */
	size_t slot_count;
};

static size_t string_slot(const struct strings *strings, const char *bytes, size_t length)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
	size_t slot = (hash ^ hash >> 32) & (strings->slot_count - 1);
	for (; strings->slots[slot]; slot = (slot + 1) & (strings->slot_count - 1)) {
		const struct string *s = &strings->all[strings->slots[slot] - 1];
		if (s->length == length && (!length || memcmp(s->bytes, bytes, length) == 0))
			break;
	}
	return slot;
}

static size_t strings_find(const struct strings *strings, const char *bytes, size_t length)
{
	return strings->slot_count ? strings->slots[string_slot(strings, bytes, length)] - 1 : NAIVE_NONE;
}

static void strings_widen(struct strings *strings)
{
	strings->slot_count = strings->slot_count ? strings->slot_count * 2 : 64;
	free(strings->slots);
	strings->slots = must(calloc(strings->slot_count, sizeof *strings->slots));
	for (size_t i = 0; i < strings->count; i++)
		strings->slots[string_slot(strings, strings->all[i].bytes, strings->all[i].length)] = i + 1;
}

static size_t strings_add(struct strings *strings, const char *bytes, size_t length)
{
	size_t found = strings_find(strings, bytes, length);
	if (found != NAIVE_NONE)
		return found;
	strings->all = grown(strings->all, strings->count, &strings->capacity, sizeof *strings->all);
	char *copy = must(malloc(length + 1));
	if (length)
		memcpy(copy, bytes, length);
	strings->all[strings->count++] = (struct string){copy, length};
	if (strings->count * 2 > strings->slot_count)
		strings_widen(strings);
	else
		strings->slots[string_slot(strings, bytes, length)] = strings->count;
	return strings->count - 1;
}

static void strings_release(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->all[i].bytes);
	free(strings->all);
	free(strings->slots);
}

/* ---- documents ------------------------------------------------------------------------------------------------- */

struct naive_token {
	uint32_t term;
	uint32_t position;
};

struct naive_document {
	size_t id;          /* its number in naive.ids */
	size_t first_token; /* in naive.tokens, ascending by position */
	size_t token_count;
	bool live;
};

struct occurrence {
	uint32_t document;
	uint32_t position;
};

enum clause_kind { OPTIONAL, REQUIRED, EXCLUDED };

/* One word or phrase: terms[i] is wanted `offsets[i]` positions after terms[0]. */
struct clause {
	enum clause_kind kind;
	size_t count;
	size_t *terms; /* NAIVE_NONE: in no document */
	uint32_t *offsets;
};

struct naive {
	struct tokenizer *tokenizer;
	struct strings terms, ids;
	struct naive_document *documents;
	size_t document_count, document_capacity;
	size_t *number_of_id; /* by number in ids: its newest document */
	size_t number_of_id_capacity;
	struct naive_token *tokens;
	size_t token_count, token_capacity;

	/* Of the live documents, rebuilt when documents have changed. */
	bool stale;
	uint64_t live_documents, live_tokens;
	struct occurrence *occurrences; /* by term, then document, then position */
	size_t *first_occurrence;       /* by term; one more at the end */
	size_t *document_frequency;     /* by term */

	struct clause *clauses; /* of the last query */
	size_t clause_count, clause_capacity;
	double *scores;
	uint32_t *required_seen, *optional_seen;
	bool *excluded, *passes;
	const char *filter; /* NULL: none */
	size_t filter_length;
	bool split_words;
};

struct naive *naive_new(const trawl_analysis *analysis)
{
	struct naive *naive = must(calloc(1, sizeof *naive));
	trawl_error error;
	if (tokenizer_new(&naive->tokenizer, analysis, &error)) {
		fprintf(stderr, "naive: %s\n", error.text);
		exit(99);
	}
	naive->stale = true;
	return naive;
}

static void clauses_clear(struct naive *naive)
{
	for (size_t i = 0; i < naive->clause_count; i++) {
		free(naive->clauses[i].terms);
		free(naive->clauses[i].offsets);
	}
	naive->clause_count = 0;
}

void naive_free(struct naive *naive)
{
	if (!naive)
		return;
	clauses_clear(naive);
	strings_release(&naive->terms);
	strings_release(&naive->ids);
	tokenizer_free(naive->tokenizer);
	free(naive->documents);
	free(naive->number_of_id);
	free(naive->tokens);
	free(naive->occurrences);
	free(naive->first_occurrence);
	free(naive->document_frequency);
	free(naive->clauses);
	free(naive->scores);
	free(naive->required_seen);
	free(naive->optional_seen);
	free(naive->excluded);
	free(naive->passes);
	free(naive);
}

static int next_token(struct naive *naive, struct token *token)
{
	int got = tokenizer_next(naive->tokenizer, token, 1);
	if (got < 0)
		must(NULL);
	return got;
}

static void put_tokens(struct naive *naive)
{
	struct token token;
	while (next_token(naive, &token)) {
		naive->tokens = grown(naive->tokens, naive->token_count, &naive->token_capacity, sizeof *naive->tokens);
		size_t term = strings_add(&naive->terms, token.word->term, token.word->term_length);
		naive->tokens[naive->token_count++] = (struct naive_token){(uint32_t)term, token.position};
	}
}

void naive_put(struct naive *naive, const trawl_document *document)
{
	size_t known = naive->ids.count;
	size_t id = strings_add(&naive->ids, document->id, document->id_length);
	if (id < known)
		naive->documents[naive->number_of_id[id]].live = false;
	else
		naive->number_of_id =
		    grown(naive->number_of_id, id, &naive->number_of_id_capacity, sizeof *naive->number_of_id);
	naive->number_of_id[id] = naive->document_count;

	naive->documents =
	    grown(naive->documents, naive->document_count, &naive->document_capacity, sizeof *naive->documents);
	struct naive_document *added = &naive->documents[naive->document_count++];
	*added = (struct naive_document){.id = id, .first_token = naive->token_count, .live = true};
	tokenizer_start(naive->tokenizer, document->title, document->title_length);
	put_tokens(naive);
	tokenizer_continue(naive->tokenizer, document->text, document->text_length);
	put_tokens(naive);
	added->token_count = naive->token_count - added->first_token;
	naive->stale = true;
}

bool naive_delete(struct naive *naive, const char *id, size_t id_length)
{
	size_t number = naive_find(naive, id, id_length);
	if (number == NAIVE_NONE)
		return false;
	naive->documents[number].live = false;
	naive->stale = true;
	return true;
}

size_t naive_find(const struct naive *naive, const char *id, size_t id_length)
{
	size_t known = strings_find(&naive->ids, id, id_length);
	if (known == NAIVE_NONE || !naive->documents[naive->number_of_id[known]].live)
		return NAIVE_NONE;
	return naive->number_of_id[known];
}

size_t naive_numbers(const struct naive *naive)
{
	return naive->document_count;
}

void naive_id(const struct naive *naive, size_t number, const char **id, size_t *id_length)
{
	const struct string *string = &naive->ids.all[naive->documents[number].id];
	*id = string->bytes;
	*id_length = string->length;
}

static void count_occurrences(struct naive *naive)
{
	naive->live_documents = naive->live_tokens = 0;
	for (size_t d = 0; d < naive->document_count; d++) {
		const struct naive_document *document = &naive->documents[d];
		if (!document->live)
			continue;
		naive->live_documents++;
		naive->live_tokens += document->token_count;
		for (size_t i = 0; i < document->token_count; i++)
			naive->first_occurrence[naive->tokens[document->first_token + i].term + 1]++;
	}
	for (size_t t = 0; t < naive->terms.count; t++)
		naive->first_occurrence[t + 1] += naive->first_occurrence[t];
}

static void list_occurrences(struct naive *naive)
{
	size_t *end = must(calloc(naive->terms.count + 1, sizeof *end)); /* of each term's list so far */
	for (size_t d = 0; d < naive->document_count; d++) {
		const struct naive_document *document = &naive->documents[d];
		for (size_t i = 0; document->live && i < document->token_count; i++) {
			struct naive_token token = naive->tokens[document->first_token + i];
			struct occurrence *list = naive->occurrences + naive->first_occurrence[token.term];
			size_t length = end[token.term]++;
			if (!length || list[length - 1].document != d)
				naive->document_frequency[token.term]++;
			list[length] = (struct occurrence){(uint32_t)d, token.position};
		}
	}
	free(end);
}

static void refresh(struct naive *naive)
{
	if (!naive->stale)
		return;
	naive->stale = false;
	free(naive->first_occurrence);
	free(naive->document_frequency);
	free(naive->occurrences);
	naive->first_occurrence = must(calloc(naive->terms.count + 2, sizeof *naive->first_occurrence));
	naive->document_frequency = must(calloc(naive->terms.count + 1, sizeof *naive->document_frequency));
	count_occurrences(naive);
	naive->occurrences = must(malloc((naive->live_tokens + 1) * sizeof *naive->occurrences));
	list_occurrences(naive);

	size_t room = naive->document_count + 1;
	naive->scores = must(realloc(naive->scores, room * sizeof *naive->scores));
	naive->required_seen = must(realloc(naive->required_seen, room * sizeof *naive->required_seen));
	naive->optional_seen = must(realloc(naive->optional_seen, room * sizeof *naive->optional_seen));
	naive->excluded = must(realloc(naive->excluded, room * sizeof *naive->excluded));
	naive->passes = must(realloc(naive->passes, room * sizeof *naive->passes));
}

uint64_t naive_documents(const struct naive *naive)
{
	uint64_t live = 0;
	for (size_t d = 0; d < naive->document_count; d++)
		live += naive->documents[d].live;
	return live;
}

uint64_t naive_tokens(const struct naive *naive)
{
	uint64_t tokens = 0;
	for (size_t d = 0; d < naive->document_count; d++)
		tokens += naive->documents[d].live ? naive->documents[d].token_count : 0;
	return tokens;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static struct clause *clause_add(struct naive *naive, enum clause_kind kind)
{
	naive->clauses = grown(naive->clauses, naive->clause_count, &naive->clause_capacity, sizeof *naive->clauses);
	struct clause *clause = &naive->clauses[naive->clause_count++];
	*clause = (struct clause){.kind = kind};
	return clause;
}

static void clause_append(struct naive *naive, struct clause *clause, const struct token *token, uint32_t first)
{
	size_t count = clause->count++;
	clause->terms = must(realloc(clause->terms, clause->count * sizeof *clause->terms));
	clause->offsets = must(realloc(clause->offsets, clause->count * sizeof *clause->offsets));
	clause->terms[count] = strings_find(&naive->terms, token->word->term, token->word->term_length);
	clause->offsets[count] = token->position - first;
}

/* A clause for each `width` neighbours of clause number `which`, in its place. */
static void clause_split(struct naive *naive, size_t which, size_t width)
{
	struct clause whole = naive->clauses[which];
	naive->clause_count = which;
	for (size_t i = 0; i + width <= whole.count; i++) {
		struct clause *part = clause_add(naive, whole.kind);
		part->count = width;
		part->terms = must(calloc(width, sizeof *part->terms));
		part->offsets = must(calloc(width, sizeof *part->offsets));
		memcpy(part->terms, whole.terms + i, width * sizeof *part->terms);
		for (size_t w = 1; w < width; w++)
			part->offsets[w] = whole.offsets[i + w] - whole.offsets[i];
	}
	free(whole.terms);
	free(whole.offsets);
}

/* Analyse [text, length): one clause of all its terms, but where Chinese or the like is not quoted. */
static void clauses_parse(struct naive *naive, enum clause_kind kind, bool quoted, const char *text, size_t length)
{
	struct token token;
	struct clause *clause = NULL;
	size_t which = naive->clause_count;
	uint32_t first = 0;
	bool ideographs = false;
	tokenizer_start(naive->tokenizer, text, length);
	while (next_token(naive, &token)) {
		if (!clause) {
			clause = clause_add(naive, kind);
			first = token.position;
		}
		ideographs |= (unsigned char)token.word->term[0] >= 0xe3; /* U+3000 on */
		clause_append(naive, clause, &token, first);
	}
	if (clause && !quoted && naive->split_words && kind != EXCLUDED)
		clause_split(naive, which, 1);
	else if (clause && !quoted && ideographs && clause->count > 2 && (kind == OPTIONAL || clause->count > 8))
		clause_split(naive, which, 2);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A sign counts directly before a word or a quotation. */
static bool is_signed(const char *query, size_t length, size_t i)
{
	if ((query[i] != '+' && query[i] != '-') || i + 1 == length)
		return false;
	unsigned char next = (unsigned char)query[i + 1];
	return next == '"' || next == '.' || next >= 0x80 || (next >= '0' && next <= '9') ||
	       ((next | 0x20) >= 'a' && (next | 0x20) <= 'z');
}

/* Words and quotations with their signs; groups and the like are for test_groups.c. */
static void query_parse(struct naive *naive, const char *query, size_t length)
{
	clauses_clear(naive);
	for (size_t i = 0; i < length;) {
		if (is_space(query[i])) {
			i++;
			continue;
		}
		enum clause_kind kind = OPTIONAL;
		if (is_signed(query, length, i))
			kind = query[i++] == '+' ? REQUIRED : EXCLUDED;
		bool quoted = i < length && query[i] == '"';
		size_t start = i += quoted;
		while (i < length && (quoted ? query[i] != '"' : !is_space(query[i])))
			i++;
		clauses_parse(naive, kind, quoted, query + start, i - start);
		if (quoted && i < length)
			i++; /* the closing quote */
	}
}

void naive_split_words(struct naive *naive, bool split)
{
	naive->split_words = split;
}

size_t naive_clauses(const struct naive *naive)
{
	return naive->clause_count;
}

bool naive_has_phrase(const struct naive *naive)
{
	for (size_t i = 0; i < naive->clause_count; i++)
		if (naive->clauses[i].count > 1)
			return true;
	return false;
}

uint64_t naive_length(uint64_t length)
{
	if (length < 24)
		return length;
	uint64_t rest = length - 24;
	unsigned shift = 0;
	while (rest >> shift >= 16)
		shift++;
	return 24 + (rest >> shift << shift);
}

static double inverse_frequency(const struct naive *naive, const struct clause *clause)
{
	double sum = 0, n = (double)naive->live_documents;
	for (size_t i = 0; i < clause->count; i++) {
		double df = clause->terms[i] == NAIVE_NONE ? 0 : (double)naive->document_frequency[clause->terms[i]];
		sum += log1p((n - df + 0.5) / (df + 0.5));
	}
	return sum;
}

static double saturation(const struct naive *naive, const struct naive_document *document, double tf, double k1,
                         double b)
{
	double average = (double)naive->live_tokens / (double)naive->live_documents;
	double length = (double)naive_length(document->token_count);
	return tf / (tf + k1 * (1 - b + b * length / average));
}

/* Whether `term` stands at `position` of the document. */
static bool stands_at(const struct naive *naive, const struct naive_document *document, size_t term, uint64_t position)
{
	const struct naive_token *tokens = naive->tokens + document->first_token;
	size_t low = 0, high = document->token_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (tokens[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < document->token_count && tokens[low].position == position && tokens[low].term == term;
}

static bool phrase_stands_at(const struct naive *naive, const struct clause *clause,
                             const struct naive_document *document, uint32_t position)
{
	for (size_t i = 1; i < clause->count; i++)
		if (!stands_at(naive, document, clause->terms[i], (uint64_t)position + clause->offsets[i]))
			return false;
	return true;
}

static bool clause_is_nowhere(const struct clause *clause)
{
	for (size_t i = 0; i < clause->count; i++)
		if (clause->terms[i] == NAIVE_NONE)
			return true;
	return false;
}

static void clause_found(struct naive *naive, const struct clause *clause, size_t d, double tf, double idf, double k1,
                         double b)
{
	if (clause->kind == EXCLUDED) {
		naive->excluded[d] = true;
		return;
	}
	if (clause->kind == REQUIRED)
		naive->required_seen[d]++;
	else
		naive->optional_seen[d]++;
	naive->scores[d] += idf * saturation(naive, &naive->documents[d], tf, k1, b);
}

static void clause_score(struct naive *naive, const struct clause *clause, double k1, double b)
{
	if (clause_is_nowhere(clause))
		return;
	double idf = inverse_frequency(naive, clause);
	const struct occurrence *at = naive->occurrences + naive->first_occurrence[clause->terms[0]];
	const struct occurrence *end = naive->occurrences + naive->first_occurrence[clause->terms[0] + 1];
	while (at < end) {
		size_t d = at->document, tf = 0;
		for (; at < end && at->document == d; at++)
			tf += phrase_stands_at(naive, clause, &naive->documents[d], at->position);
		if (tf)
			clause_found(naive, clause, d, (double)tf, idf, k1, b);
	}
}

/* Score all documents by the clauses of the query; the number of required ones. */
static size_t clauses_score(struct naive *naive, double k1, double b)
{
	size_t count = naive->document_count, required = 0;
	memset(naive->required_seen, 0, count * sizeof *naive->required_seen);
	memset(naive->optional_seen, 0, count * sizeof *naive->optional_seen);
	memset(naive->excluded, 0, count * sizeof *naive->excluded);
	for (size_t d = 0; d < count; d++)
		naive->scores[d] = 0;
	for (size_t i = 0; i < naive->clause_count; i++) {
		required += naive->clauses[i].kind == REQUIRED;
		clause_score(naive, &naive->clauses[i], k1, b);
	}
	return required;
}

void naive_filter(struct naive *naive, const char *filter, size_t length)
{
	naive->filter = filter;
	naive->filter_length = length;
}

static void find_passing(struct naive *naive)
{
	size_t wanted = 0;
	for (size_t d = 0; d < naive->document_count; d++)
		naive->passes[d] = true;
	if (!naive->filter)
		return;
	query_parse(naive, naive->filter, naive->filter_length);
	size_t required = clauses_score(naive, 1, 1);
	for (size_t i = 0; i < naive->clause_count; i++)
		wanted += naive->clauses[i].kind != EXCLUDED;
	for (size_t d = 0; d < naive->document_count; d++) {
		if (required)
			naive->passes[d] = naive->required_seen[d] == required;
		else if (wanted)
			naive->passes[d] = naive->optional_seen[d] > 0;
		if (naive->excluded[d])
			naive->passes[d] = false;
	}
}

/* Nothing but exclusions: all other documents match, and score 1. */
static bool only_excludes(const struct naive *naive)
{
	for (size_t i = 0; i < naive->clause_count; i++)
		if (naive->clauses[i].kind != EXCLUDED)
			return false;
	return naive->clause_count > 0;
}

const double *naive_search(struct naive *naive, const char *query, size_t length, double k1, double b, size_t *matches)
{
	refresh(naive);
	find_passing(naive);
	query_parse(naive, query, length);
	size_t required = clauses_score(naive, k1, b);
	*matches = 0;
	for (size_t d = 0; d < naive->document_count; d++) {
		bool wanted = required ? naive->required_seen[d] == required : naive->optional_seen[d] > 0;
		if (only_excludes(naive)) {
			wanted = naive->documents[d].live;
			naive->scores[d] = 1;
		}
		if (wanted && naive->passes[d] && !naive->excluded[d])
			++*matches;
		else
			naive->scores[d] = NAIVE_NO_MATCH;
	}
	return naive->scores;
}

/* ---- the same, once more, without the lists -------------------------------------------------------------------- */

static size_t scan_term_frequency(const struct naive *naive, const struct clause *clause,
                                  const struct naive_document *document)
{
	const struct naive_token *tokens = naive->tokens + document->first_token;
	size_t tf = 0;
	for (size_t i = 0; i < document->token_count; i++) {
		size_t found = 0;
		for (size_t w = 0; w < clause->count; w++)
			for (size_t j = i; j < document->token_count; j++)
				found += tokens[j].term == clause->terms[w] &&
				         tokens[j].position == (uint64_t)tokens[i].position + clause->offsets[w];
		tf += found == clause->count;
	}
	return tf;
}

double naive_scan(struct naive *naive, size_t number, const char *query, size_t length, double k1, double b)
{
	query_parse(naive, query, length);
	refresh(naive);
	const struct naive_document *document = &naive->documents[number];
	bool any = false, missing = false, excluded = false;
	double score = 0;
	for (size_t i = 0; i < naive->clause_count; i++) {
		const struct clause *clause = &naive->clauses[i];
		size_t tf = scan_term_frequency(naive, clause, document);
		missing |= clause->kind == REQUIRED && !tf;
		excluded |= clause->kind == EXCLUDED && tf;
		if (clause->kind == EXCLUDED || !tf)
			continue;
		any = true;
		score += inverse_frequency(naive, clause) * saturation(naive, document, (double)tf, k1, b);
	}
	if (only_excludes(naive)) {
		any = true;
		score = 1;
	}
	if (!document->live || excluded || missing || !any)
		return NAIVE_NO_MATCH;
	return score;
}

/* ---- distances: all ways to place the members ------------------------------------------------------------------ */

#define PLACED_MOST 16

/* A member, and where it may stand in the document at hand. */
struct placed {
	struct clause clause;
	uint32_t width, gap; /* gap: from it to the next one, if in order */
	const char *text;
	uint32_t *starts;
	size_t count;
};

struct placing {
	struct placed all[PLACED_MOST];
	size_t count;
	bool ordered;
	uint64_t span;
	uint64_t *latest; /* by end: where the shortest stretch begins that ends there, plus 1 */
};

/* The words of a loose phrase are members of their own. */
static void split_phrase(struct placing *placing, const struct clause *clause, uint32_t distance)
{
	for (size_t i = 0; i < clause->count && i < PLACED_MOST; i++) {
		static uint32_t none = 0;
		struct placed *placed = &placing->all[placing->count++];
		*placed =
		    (struct placed){.clause = {.count = 1, .terms = clause->terms + i, .offsets = &none}, .width = 1};
		placed->gap = i + 1 < clause->count ? clause->offsets[i + 1] - clause->offsets[i] : 0;
	}
	placing->ordered = true;
	placing->span = (uint64_t)clause->offsets[clause->count - 1] + 1 + distance;
}

static void list_members(struct naive *naive, const struct naive_near *near, struct placing *placing)
{
	clauses_clear(naive);
	for (int i = 0; i < near->count; i++)
		clauses_parse(naive, REQUIRED, true, near->members[i], strlen(near->members[i]));
	if (near->loose) {
		split_phrase(placing, &naive->clauses[0], near->distance);
		return;
	}
	placing->ordered = near->ordered;
	placing->span = near->distance;
	for (size_t i = 0; i < naive->clause_count; i++) {
		const struct clause *clause = &naive->clauses[i];
		uint32_t width = clause->offsets[clause->count - 1] + 1;
		placing->all[placing->count++] = (struct placed){*clause, width, width, near->members[i], NULL, 0};
		placing->span += width;
	}
}

static void find_starts(const struct naive *naive, const struct naive_document *document, struct placed *placed)
{
	placed->count = 0;
	placed->starts = must(realloc(placed->starts, (document->token_count + 1) * sizeof *placed->starts));
	for (size_t i = 0; i < document->token_count; i++) {
		struct naive_token token = naive->tokens[document->first_token + i];
		if (token.term == placed->clause.terms[0] &&
		    phrase_stands_at(naive, &placed->clause, document, token.position))
			placed->starts[placed->count++] = token.position;
	}
}

/* Place member number i and those behind it. */
static void place(struct placing *placing, size_t i, uint32_t *chosen, uint64_t begin, uint64_t end)
{
	if (i == placing->count) {
		if (placing->latest[end] < begin + 1)
			placing->latest[end] = begin + 1;
		return;
	}
	const struct placed *placed = &placing->all[i];
	for (size_t s = 0; s < placed->count; s++) {
		uint32_t start = placed->starts[s];
		bool taken = placing->ordered && i && start < chosen[i - 1] + placing->all[i - 1].gap;
		for (size_t j = 0; j < i && !placing->ordered; j++)
			taken |= chosen[j] == start && strcmp(placing->all[j].text, placed->text) == 0;
		uint64_t first = i && begin < start ? begin : start;
		uint64_t last = i && end > start + placed->width ? end : start + placed->width;
		chosen[i] = start;
		if (!taken && last - first <= placing->span)
			place(placing, i + 1, chosen, first, last);
	}
}

static size_t most_side_by_side(const struct placing *placing, size_t end)
{
	size_t *best = must(calloc(end + 1, sizeof *best));
	for (size_t e = 1; e <= end; e++) {
		size_t with = placing->latest[e] ? best[placing->latest[e] - 1] + 1 : 0;
		best[e] = with > best[e - 1] ? with : best[e - 1];
	}
	size_t most = best[end];
	free(best);
	return most;
}

static size_t near_frequency(const struct naive *naive, const struct naive_document *document, struct placing *placing)
{
	uint32_t chosen[PLACED_MOST];
	if (!document->token_count)
		return 0;
	for (size_t i = 0; i < placing->count; i++)
		find_starts(naive, document, &placing->all[i]);
	size_t end = naive->tokens[document->first_token + document->token_count - 1].position + 1u;
	placing->latest = must(calloc(end + 1, sizeof *placing->latest));
	place(placing, 0, chosen, 0, 0);
	size_t frequency = most_side_by_side(placing, end);
	free(placing->latest);
	return frequency;
}

const double *naive_near(struct naive *naive, const struct naive_near *near, double k1, double b, size_t *matches)
{
	struct placing placing = {.count = 0};
	double idf = 0;
	refresh(naive);
	list_members(naive, near, &placing);
	for (size_t i = 0; i < naive->clause_count; i++)
		idf += inverse_frequency(naive, &naive->clauses[i]);
	*matches = 0;
	for (size_t d = 0; d < naive->document_count; d++) {
		const struct naive_document *document = &naive->documents[d];
		size_t tf = document->live ? near_frequency(naive, document, &placing) : 0;
		naive->scores[d] = tf ? idf * saturation(naive, document, (double)tf, k1, b) : NAIVE_NO_MATCH;
		*matches += tf > 0;
	}
	for (size_t i = 0; i < placing.count; i++)
		free(placing.all[i].starts);
	return naive->scores;
}
