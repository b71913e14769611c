/*
 * snippet.c - choose and lay out the part of a document that shows best where a query matched.
 *
 * One pass over the document's tokens slides two windows along the matching ones, one as wide as the snippet and one
 * half as wide, and remembers the best stand of each; the half one also for each term of the query. When two halves
 * show terms of more weight than one whole window does, the snippet has two fragments: the best half window, and the
 * best one with the heaviest term that the first lacks. Memory depends on the width and the query, not the document.
 *
 * The score of a window, in whole numbers so that adding and taking away leaves no rounding behind:
 *     for each distinct term  100 * weight, and a little more for its second, third and fourth occurrence
 *     for each word that follows the word before it in the query  100 * weight within a phrase, 20 * weight outside,
 *     and a little more when that happens again
 * Equal scores: the shorter stretch from first to last match wins, then the earlier.
 */
#include "searcher/snippet.h"

#include <math.h>

#include "base/ascii.h"
#include "base/hash.h"

enum {
	WIDTH_DEFAULT = 240,
	WIDTH_MIN = 16,
	WIDTH_MAX = 16384,
	TOKEN_BATCH = 128,
	WEIGHT_STEPS = 1000, /* term weights as whole numbers */
	WORD_SEARCH_MAX = 40 /* bytes to look for a word boundary before cutting within the word */
};

#define ELLIPSIS "\xe2\x80\xa6"
#define NO_KEY UINT32_MAX

/* ---- characters ------------------------------------------------------------------------------------------------ */

/* Bytes of the valid UTF-8 sequence at `at`, or 1 for a byte that starts none. */
static size_t character_length(const char *text, size_t at, size_t end)
{
	unsigned char lead = (unsigned char)text[at];
	size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
	if (length > end - at)
		return 1;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[at + i] & 0xc0) != 0x80)
			return 1;
	return length;
}

/* The start of the character that holds the byte before `at`; `at` is a character boundary above `low`. */
static size_t character_before(const char *text, size_t low, size_t at)
{
	for (size_t back = 2; back <= 4 && back <= at - low; back++)
		if (character_length(text, at - back, at) == back)
			return at - back;
	return at - 1;
}

/* `at`, or the start of the character that it is within. */
static size_t character_align(const char *text, size_t low, size_t at, size_t end)
{
	for (size_t back = 1; at < end && back <= 3 && back <= at - low; back++)
		if (character_length(text, at - back, end) > back)
			return at - back;
	return at;
}

static bool character_is(const char *text, size_t at, size_t length, const char *other)
{
	return strlen(other) == length && memcmp(text + at, other, length) == 0;
}

static bool is_one_of(const char *text, size_t at, size_t length, const char *const *set)
{
	for (; *set; set++)
		if (character_is(text, at, length, *set))
			return true;
	return false;
}

static bool is_space(const char *text, size_t at, size_t length)
{
	const unsigned char *c = (const unsigned char *)text + at;
	switch (length) {
	case 1: return ascii_is_space(text[at]);
	case 2: return c[0] == 0xc2 && (c[1] == 0x85 || c[1] == 0xa0);
	case 3:
		if (c[0] == 0xe2 && c[1] == 0x80)
			return c[2] <= 0x8a || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf;
		return character_is(text, at, length, "\xe2\x81\x9f") ||
		       character_is(text, at, length, "\xe3\x80\x80") || character_is(text, at, length, "\xe1\x9a\x80");
	default: return false;
	}
}

static bool space_at(const char *text, size_t at, size_t end)
{
	return at < end && is_space(text, at, character_length(text, at, end));
}

static size_t skip_space(const char *text, size_t at, size_t end)
{
	while (space_at(text, at, end))
		at += character_length(text, at, end);
	return at;
}

static size_t trim_space(const char *text, size_t low, size_t end)
{
	while (end > low) {
		size_t before = character_before(text, low, end);
		if (!is_space(text, before, end - before))
			break;
		end = before;
	}
	return end;
}

/* ---- sentences and words --------------------------------------------------------------------------------------- */

/* Besides the Latin ones: the Arabic question mark and full stop, the danda. */
static bool is_full_stop(const char *text, size_t at, size_t length)
{
	static const char *const stops[] = {".", "!", "?", ELLIPSIS, "\xd8\x9f", "\xdb\x94", "\xe0\xa5\xa4", NULL};
	return is_one_of(text, at, length, stops);
}

/* The ideographic and full-width ones, which end a sentence without a space behind. */
static bool is_wide_stop(const char *text, size_t at, size_t length)
{
	static const char *const stops[] = {"\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f", "\xef\xbd\xa1", NULL};
	return is_one_of(text, at, length, stops);
}

/* Quotation marks and brackets that may stand behind a full stop: the ASCII ones, the typographic, the wide. */
static bool is_closer(const char *text, size_t at, size_t length)
{
	static const char *const closers[] = {
	    "\"",           "'", ")", "]", "\xe2\x80\x9d", "\xe2\x80\x99", "\xc2\xbb", "\xe3\x80\x8d", "\xe3\x80\x8f",
	    "\xef\xbc\x89", NULL};
	return is_one_of(text, at, length, closers);
}

/* ASCII letters and digits: what mostly stands before a place that is no sentence start. */
static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Whether a sentence or paragraph begins at the character boundary `at`, which is not at white space. */
static bool sentence_starts(const char *text, size_t at, size_t end)
{
	if (at > 0 && at < end && is_word_byte(text[at - 1]))
		return false;
	size_t before = trim_space(text, 0, at);
	if (before == 0)
		return true;
	int newlines = 0;
	for (size_t i = before; i < at; i++)
		newlines += text[i] == '\n';
	if (newlines >= 2)
		return true;
	if (at < end && is_closer(text, at, character_length(text, at, end)))
		return false;
	for (int closers = 0; closers < 4; closers++) {
		size_t last = character_before(text, 0, before);
		if (is_wide_stop(text, last, before - last))
			return true;
		if (is_full_stop(text, last, before - last))
			return at == end || (before < at && !(text[at] >= 'a' && text[at] <= 'z'));
		if (last == 0 || !is_closer(text, last, before - last))
			return false;
		before = last;
	}
	return false;
}

/* Ideographs, kana and hangul are E3 80 80 and up; a line may break between any two of them. */
static bool is_wide(const char *text, size_t at)
{
	return (unsigned char)text[at] >= 0xe3 && (unsigned char)text[at] < 0xf5;
}

static bool word_breaks(const char *text, size_t at, size_t end)
{
	if (at == 0 || at == end)
		return true;
	size_t before = character_before(text, 0, at);
	return space_at(text, at, end) || is_space(text, before, at - before) || is_wide(text, at) ||
	       is_wide(text, before);
}

/* ---- fragments ------------------------------------------------------------------------------------------------- */

/* A stretch of the text that holds the matches to be shown. */
struct window {
	int64_t score; /* 0: there is none */
	size_t start, end;
};

struct fragment {
	size_t start, end;
	bool cut_start, cut_end; /* within a sentence */
	bool all_marked;         /* it is the piece of one long matching word */
};

/* The furthest character boundary from `at` on, up to `high`, with at most `*room` bytes between once white space is
 * folded; takes these off `*room`. */
static size_t walk_forward(const char *text, size_t at, size_t high, size_t *room)
{
	while (at < high) {
		size_t length = character_length(text, at, high), next = at + length;
		if (is_space(text, at, length)) {
			next = skip_space(text, at, high);
			length = 1;
		}
		if (length > *room)
			break;
		*room -= length;
		at = next;
	}
	return at;
}

static size_t walk_back(const char *text, size_t at, size_t low, size_t *room)
{
	while (at > low) {
		size_t before = character_before(text, low, at), length = at - before;
		if (is_space(text, before, length)) {
			before = trim_space(text, low, at);
			length = 1;
		}
		if (length > *room)
			break;
		*room -= length;
		at = before;
	}
	return at;
}

/* Where to begin between `earliest` and the first match: at the first sentence start, else at a word. */
static size_t choose_start(const char *text, size_t earliest, size_t match, size_t end)
{
	for (size_t at = skip_space(text, earliest, match); at <= match;) {
		if (sentence_starts(text, at, end))
			return at;
		if (at == match)
			break;
		at += character_length(text, at, match);
		at = skip_space(text, at, match);
	}
	size_t at = earliest;
	while (at < match && !word_breaks(text, at, end))
		at += character_length(text, at, match);
	if (at - earliest > WORD_SEARCH_MAX)
		at = earliest;
	return skip_space(text, at, match);
}

/* Where to end between the last match's end and `latest`: behind the last sentence that ends in the second half of it,
 * else behind a word. */
static size_t choose_end(const char *text, size_t match_end, size_t latest, size_t end)
{
	size_t middle = match_end + (latest - match_end) / 2;
	for (size_t at = latest; at > middle;) {
		if (!space_at(text, at, end) && sentence_starts(text, at, end))
			return trim_space(text, match_end, at);
		at = character_before(text, middle, at);
	}
	size_t at = latest;
	while (at > match_end && !word_breaks(text, at, end))
		at = character_before(text, match_end, at);
	if (latest - at > WORD_SEARCH_MAX)
		at = latest;
	return trim_space(text, match_end, at);
}

/* Grow a window to a fragment of up to `width` bytes between `low` and `high`. */
static struct fragment fragment_around(const char *text, size_t length, const struct window *window, size_t low,
                                       size_t high, size_t width)
{
	struct fragment fragment = {.start = window->start, .end = window->end};
	if (window->end - window->start > width) {
		fragment.end = character_align(text, window->start, window->start + width, window->end);
		fragment.cut_end = fragment.all_marked = true;
		fragment.cut_start = !sentence_starts(text, fragment.start, length);
		return fragment;
	}
	size_t spare = width - (window->end - window->start), after = spare;
	walk_forward(text, window->end, high, &after);
	size_t before = after > spare / 2 ? after : spare / 2; /* what the text behind leaves, at least half */
	size_t allowed = before;
	size_t earliest = walk_back(text, window->start, low, &before);
	if (earliest > low || low == 0)
		fragment.start = choose_start(text, earliest, window->start, length);
	else
		fragment.start = skip_space(text, low, window->start);
	before = allowed;
	walk_back(text, window->start, fragment.start, &before);
	after = spare - (allowed - before);
	size_t latest = walk_forward(text, window->end, high, &after);
	fragment.end =
	    latest == high ? trim_space(text, window->end, high) : choose_end(text, window->end, latest, length);
	fragment.cut_start = !sentence_starts(text, fragment.start, length);
	size_t next = skip_space(text, fragment.end, length);
	fragment.cut_end = next < length && !sentence_starts(text, next, length);
	return fragment;
}

/* ---- the query's terms ----------------------------------------------------------------------------------------- */

enum adjacency { APART, FOLLOWING, IN_PHRASE };

/* A distinct term. Keys number them. */
struct key {
	const char *term;
	size_t length;
	int64_t weight;          /* 1 to WEIGHT_STEPS */
	bool present;            /* in the document */
	struct window best_half; /* the best half window that begins or ends with this term */
};

struct query {
	struct key *keys;
	uint32_t key_count;
	uint32_t *slots;      /* open addressing: key numbers by the hash of the term, NO_KEY: free */
	uint64_t *pairs;      /* open addressing: (key, following key, adjacency), 0: free */
	size_t slot_mask;     /* of both tables */
	uint8_t lengths[256]; /* by the first byte of a term: bit n for a length of n modulo 8 */
};

static uint32_t *slot_of(const struct query *query, const char *term, size_t length)
{
	size_t slot = hash_bytes(term, length) & query->slot_mask;
	for (;; slot = (slot + 1) & query->slot_mask) {
		uint32_t key = query->slots[slot];
		if (key == NO_KEY ||
		    (query->keys[key].length == length && memcmp(query->keys[key].term, term, length) == 0))
			return &query->slots[slot];
	}
}

/* The key of a term of the document, or NO_KEY; most are told apart by first byte and length already. */
static uint32_t key_of(const struct query *query, const struct word *word)
{
	if (word->term_length == 0 || !(query->lengths[(uint8_t)word->term[0]] >> (word->term_length & 7) & 1))
		return NO_KEY;
	return *slot_of(query, word->term, word->term_length);
}

/* A pair is its two keys and two bits of adjacency, in one number. */
static uint64_t *pair_slot(const struct query *query, uint32_t first, uint32_t second)
{
	uint64_t pair = ((uint64_t)first + 1) << 32 | (uint64_t)second << 2;
	size_t slot = hash_bytes(&pair, sizeof pair) & query->slot_mask;
	while (query->pairs[slot] && (query->pairs[slot] & ~(uint64_t)3) != pair)
		slot = (slot + 1) & query->slot_mask;
	return &query->pairs[slot];
}

static enum adjacency pair_adjacency(const struct query *query, uint32_t first, uint32_t second)
{
	return (enum adjacency)(*pair_slot(query, first, second) & 3);
}

static void add_pair(struct query *query, uint32_t first, uint32_t second, enum adjacency adjacency)
{
	uint64_t *pair = pair_slot(query, first, second);
	uint64_t keys = ((uint64_t)first + 1) << 32 | (uint64_t)second << 2;
	if ((*pair & 3) < adjacency)
		*pair = keys | adjacency;
}

static int64_t weight_steps(float weight, float heaviest)
{
	if (!(weight > 0) || !isfinite(heaviest))
		return 1;
	return 1 + (int64_t)((WEIGHT_STEPS - 1) * (weight / heaviest));
}

static bool query_init(struct query *query, struct arena *arena, const struct snippet_term *terms, size_t term_count)
{
	size_t slots = 16;
	while (slots < term_count * 2)
		slots *= 2;
	query->slot_mask = slots - 1;
	query->keys = arena_new(arena, term_count * sizeof *query->keys);
	query->slots = arena_new(arena, slots * sizeof *query->slots);
	query->pairs = arena_new(arena, slots * sizeof *query->pairs);
	uint32_t *numbers = arena_new(arena, term_count * sizeof *numbers);
	if (!query->keys || !query->slots || !query->pairs || !numbers)
		return false;
	memset(query->slots, 0xff, slots * sizeof *query->slots);
	memset(query->pairs, 0, slots * sizeof *query->pairs);
	float heaviest = 0;
	for (size_t i = 0; i < term_count; i++)
		heaviest = terms[i].weight > heaviest ? terms[i].weight : heaviest;
	for (size_t i = 0; i < term_count; i++) {
		uint32_t *slot = slot_of(query, terms[i].term, terms[i].length);
		int64_t weight = weight_steps(terms[i].weight, heaviest);
		if (*slot == NO_KEY) {
			*slot = query->key_count++;
			query->keys[*slot] = (struct key){.term = terms[i].term, .length = terms[i].length};
			if (terms[i].length > 0)
				query->lengths[(uint8_t)terms[i].term[0]] |= (uint8_t)(1u << (terms[i].length & 7));
		}
		numbers[i] = *slot;
		if (query->keys[*slot].weight < weight)
			query->keys[*slot].weight = weight;
		if (i > 0 && terms[i].phrase == terms[i - 1].phrase)
			add_pair(query, numbers[i - 1], numbers[i], terms[i].phrase ? IN_PHRASE : FOLLOWING);
	}
	return true;
}

/* ---- sliding windows ------------------------------------------------------------------------------------------- */

struct match {
	size_t start, end;
	uint32_t key, position;
	enum adjacency adjacency; /* to the match before */
};

/* The latest matches: those that start within the snippet's width before the last one are all there. */
struct ring {
	struct match *matches;
	size_t mask, count; /* of all matches so far */
};

static struct match *ring_at(const struct ring *ring, size_t number)
{
	return &ring->matches[number & ring->mask];
}

struct slider {
	size_t width;
	size_t first; /* number of the first match within */
	int64_t score;
	uint32_t *words;   /* occurrences by key */
	uint32_t *follows; /* the same, of those that follow the word before as in the query: two kinds for each key */
	struct window best;
};

static int64_t word_gain(int64_t weight, uint32_t occurrence)
{
	static const int64_t gains[] = {100, 8, 4, 2};
	return occurrence < 4 ? weight * gains[occurrence] : 0;
}

static int64_t follow_gain(int64_t weight, uint32_t occurrence, enum adjacency adjacency)
{
	int64_t gain = adjacency == IN_PHRASE ? 100 : 20;
	return occurrence == 0 ? weight * gain : occurrence < 4 ? weight * 4 : 0;
}

/* What the match `match` counts for when it follows the one before it. */
static void slider_add_follow(struct slider *slider, const struct query *query, const struct match *match)
{
	if (match->adjacency == APART)
		return;
	uint32_t *count = &slider->follows[match->key * 2 + (match->adjacency == IN_PHRASE)];
	slider->score += follow_gain(query->keys[match->key].weight, (*count)++, match->adjacency);
}

static void slider_remove_follow(struct slider *slider, const struct query *query, const struct match *match)
{
	if (match->adjacency == APART)
		return;
	uint32_t *count = &slider->follows[match->key * 2 + (match->adjacency == IN_PHRASE)];
	slider->score -= follow_gain(query->keys[match->key].weight, --*count, match->adjacency);
}

/* The last match of the ring comes in, those too far behind it go. */
static void slider_advance(struct slider *slider, struct query *query, const struct ring *ring)
{
	size_t last = ring->count - 1;
	const struct match *match = ring_at(ring, last);
	slider->score += word_gain(query->keys[match->key].weight, slider->words[match->key]++);
	if (slider->first < last)
		slider_add_follow(slider, query, match);
	while (slider->first < last && match->end - ring_at(ring, slider->first)->start > slider->width) {
		const struct match *gone = ring_at(ring, slider->first++);
		slider->score -= word_gain(query->keys[gone->key].weight, --slider->words[gone->key]);
		slider_remove_follow(slider, query, ring_at(ring, slider->first));
	}
}

static void keep_better(struct window *best, const struct window *window)
{
	if (window->score > best->score ||
	    (window->score == best->score && window->end - window->start < best->end - best->start))
		*best = *window;
}

static struct window slider_window(const struct slider *slider, const struct ring *ring)
{
	return (struct window){slider->score, ring_at(ring, slider->first)->start, ring_at(ring, ring->count - 1)->end};
}

static bool slider_init(struct slider *slider, struct arena *arena, const struct query *query, size_t width)
{
	size_t size = query->key_count * sizeof *slider->words;
	*slider =
	    (struct slider){.width = width, .words = arena_new(arena, size), .follows = arena_new(arena, size * 2)};
	if (!slider->words || !slider->follows)
		return false;
	memset(slider->words, 0, size);
	memset(slider->follows, 0, size * 2);
	return true;
}

static void ring_add(struct ring *ring, struct query *query, const struct token *token, uint32_t key)
{
	struct match match = {token->start, token->start + token->length, key, token->position, APART};
	if (ring->count) {
		const struct match *before = ring_at(ring, ring->count - 1);
		if (before->position + 1 == match.position)
			match.adjacency = pair_adjacency(query, before->key, key);
	}
	*ring_at(ring, ring->count++) = match;
}

/* One pass over the document: the best window into `*whole` and `*half`, and the keys' own. */
static int scan(struct query *query, struct arena *arena, struct tokenizer *tokenizer, const char *text, size_t length,
                size_t width, struct window *whole, struct window *half)
{
	struct ring ring = {.mask = 15};
	while (ring.mask < width + 2) /* matches do not overlap: a window has fewer than it has bytes */
		ring.mask = ring.mask * 2 + 1;
	struct slider wide, narrow;
	struct token *tokens = arena_new(arena, TOKEN_BATCH * sizeof *tokens);
	ring.matches = arena_new(arena, (ring.mask + 1) * sizeof *ring.matches);
	if (!tokens || !ring.matches || !slider_init(&wide, arena, query, width) ||
	    !slider_init(&narrow, arena, query, width / 2))
		return TRAWL_ENOMEM;
	tokenizer_start(tokenizer, text, length);
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKEN_BATCH)) > 0) {
		for (int i = 0; i < count; i++) {
			uint32_t key = key_of(query, tokens[i].word);
			if (key == NO_KEY)
				continue;
			query->keys[key].present = true;
			ring_add(&ring, query, &tokens[i], key);
			slider_advance(&wide, query, &ring);
			slider_advance(&narrow, query, &ring);
			struct window window = slider_window(&wide, &ring);
			keep_better(&wide.best, &window);
			window = slider_window(&narrow, &ring);
			keep_better(&narrow.best, &window);
			keep_better(&query->keys[key].best_half, &window);
			keep_better(&query->keys[ring_at(&ring, narrow.first)->key].best_half, &window);
		}
	}
	*whole = wide.best;
	*half = narrow.best;
	return count;
}

/* ---- one fragment or two --------------------------------------------------------------------------------------- */

/* Set shown[key] for the terms within `window`; tokenized alone, since it begins and ends with a word. */
static int mark_shown(const struct query *query, struct tokenizer *tokenizer, const char *text,
                      const struct window *window, bool *shown)
{
	struct token tokens[TOKEN_BATCH];
	int count;
	tokenizer_start(tokenizer, text + window->start, window->end - window->start);
	while ((count = tokenizer_next(tokenizer, tokens, TOKEN_BATCH)) > 0) {
		for (int i = 0; i < count; i++) {
			uint32_t key = key_of(query, tokens[i].word);
			if (key != NO_KEY)
				shown[key] = true;
		}
	}
	return count;
}

/* The weight of the terms shown, and in `*missing` the heaviest one that is in the document but not shown, or NULL. */
static int64_t weight_shown(const struct query *query, const bool *shown, struct key **missing)
{
	int64_t weight = 0;
	*missing = NULL;
	for (uint32_t i = 0; i < query->key_count; i++) {
		struct key *key = &query->keys[i];
		if (shown[i])
			weight += key->weight;
		else if (key->present &&
		         (!*missing || key->weight > (*missing)->weight ||
		          (key->weight == (*missing)->weight && key->best_half.score > (*missing)->best_half.score)))
			*missing = key;
	}
	return weight;
}

/* The windows to show, one or two, in the document's order: their number, or negative. */
static int choose_windows(const struct query *query, struct arena *arena, struct tokenizer *tokenizer, const char *text,
                          const struct window *whole, const struct window *half, struct window *chosen)
{
	struct key *missing;
	bool *shown = arena_new(arena, query->key_count * sizeof *shown);
	if (!shown)
		return TRAWL_ENOMEM;
	chosen[0] = *whole;
	memset(shown, 0, query->key_count * sizeof *shown);
	int result = mark_shown(query, tokenizer, text, whole, shown);
	int64_t one_weight = weight_shown(query, shown, &missing);
	if (result < 0 || !missing)
		return result < 0 ? result : 1;

	memset(shown, 0, query->key_count * sizeof *shown);
	result = mark_shown(query, tokenizer, text, half, shown);
	weight_shown(query, shown, &missing);
	if (result < 0 || !missing)
		return result < 0 ? result : 1;
	struct window other = missing->best_half;
	result = mark_shown(query, tokenizer, text, &other, shown);
	if (result < 0)
		return result;
	bool apart = other.start >= half->end || half->start >= other.end;
	if (weight_shown(query, shown, &missing) <= one_weight || !apart)
		return 1;
	chosen[0] = half->start < other.start ? *half : other;
	chosen[1] = half->start < other.start ? other : *half;
	return 2;
}

/* ---- layout ---------------------------------------------------------------------------------------------------- */

struct layout {
	struct buffer *text, *marks;
	bool space; /* a space is due before the next character */
	bool failed;
};

static void put(struct layout *layout, const char *bytes, size_t length)
{
	if (layout->space) {
		layout->space = false;
		put(layout, " ", 1);
	}
	if (!buffer_append(layout->text, bytes, length))
		layout->failed = true;
}

static void put_folded(struct layout *layout, const char *text, size_t at, size_t end)
{
	while (at < end) {
		size_t run = at;
		while (run < end && !space_at(text, run, end))
			run += character_length(text, run, end);
		if (run > at)
			put(layout, text + at, run - at);
		if (run < end) {
			layout->space = true;
			run = skip_space(text, run, end);
		}
		at = run;
	}
}

/* Words that touch, as ideographs do, become one mark. */
static void put_marked(struct layout *layout, const char *text, size_t at, size_t end)
{
	if (layout->space)
		put(layout, "", 0);
	size_t count = layout->marks->length / sizeof(trawl_span);
	trawl_span mark = {layout->text->length, end - at};
	trawl_span *last = count ? (trawl_span *)(void *)layout->marks->data + count - 1 : NULL;
	put(layout, text + at, end - at);
	if (last && last->start + last->length == mark.start)
		last->length += mark.length;
	else if (!buffer_append(layout->marks, &mark, sizeof mark))
		layout->failed = true;
}

static int put_fragment(struct layout *layout, const struct query *query, struct tokenizer *tokenizer, const char *text,
                        const struct fragment *fragment)
{
	if (fragment->all_marked || query->key_count == 0) {
		(fragment->all_marked ? put_marked : put_folded)(layout, text, fragment->start, fragment->end);
		return 0;
	}
	struct token tokens[TOKEN_BATCH];
	size_t at = fragment->start;
	int count;
	tokenizer_start(tokenizer, text + fragment->start, fragment->end - fragment->start);
	while ((count = tokenizer_next(tokenizer, tokens, TOKEN_BATCH)) > 0) {
		for (int i = 0; i < count; i++) {
			if (key_of(query, tokens[i].word) == NO_KEY)
				continue;
			size_t start = fragment->start + tokens[i].start;
			put_folded(layout, text, at, start);
			at = start + tokens[i].length;
			put_marked(layout, text, start, at);
		}
	}
	put_folded(layout, text, at, fragment->end);
	return count;
}

static int lay_out(struct layout *layout, const struct query *query, struct tokenizer *tokenizer, const char *text,
                   const struct fragment *fragments, int count)
{
	if (fragments[0].cut_start)
		put(layout, ELLIPSIS, strlen(ELLIPSIS));
	for (int i = 0; i < count; i++) {
		if (i > 0)
			put(layout, " " ELLIPSIS " ", strlen(ELLIPSIS) + 2);
		int result = put_fragment(layout, query, tokenizer, text, &fragments[i]);
		if (result < 0)
			return result;
		layout->space = false;
	}
	if (fragments[count - 1].cut_end)
		put(layout, ELLIPSIS, strlen(ELLIPSIS));
	return layout->failed ? TRAWL_ENOMEM : 0;
}

/* Turn one or two windows into fragments; two that meet become one. Their number. */
static int make_fragments(const char *text, size_t length, const struct window *windows, int count, size_t width,
                          struct fragment *fragments)
{
	if (count == 1) {
		fragments[0] = fragment_around(text, length, &windows[0], 0, length, width);
		return 1;
	}
	fragments[0] = fragment_around(text, length, &windows[0], 0, windows[1].start, width / 2);
	fragments[1] = fragment_around(text, length, &windows[1], fragments[0].end, length, width / 2);
	bool whole_words = !fragments[0].all_marked && !fragments[1].all_marked;
	if (whole_words && skip_space(text, fragments[0].end, fragments[1].start) == fragments[1].start) {
		fragments[0].end = fragments[1].end;
		fragments[0].cut_end = fragments[1].cut_end;
		return 1;
	}
	return 2;
}

void snippet_maker_release(struct snippet_maker *maker)
{
	buffer_release(&maker->text);
	buffer_release(&maker->marks);
	arena_release(&maker->arena);
}

int snippet_make(struct snippet_maker *maker, struct tokenizer *tokenizer, const char *text, size_t length,
                 const struct snippet_term *terms, size_t term_count, size_t width, trawl_snippet *snippet)
{
	struct query query = {0};
	struct window whole = {0}, half = {0}, windows[2];
	struct fragment fragments[2];
	struct layout layout = {.text = &maker->text, .marks = &maker->marks};
	int result = 0, count = 1;

	*snippet = (trawl_snippet){0};
	arena_reset(&maker->arena);
	maker->text.length = maker->marks.length = 0;
	width = width == 0 ? WIDTH_DEFAULT : width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;

	size_t begin = skip_space(text, 0, length);
	if (begin == length)
		return 0;
	if (term_count > 0) {
		if (!query_init(&query, &maker->arena, terms, term_count))
			return TRAWL_ENOMEM;
		/* A quarter is left for the words around the matches. */
		result = scan(&query, &maker->arena, tokenizer, text, length, width - width / 4, &whole, &half);
	}
	if (result == 0 && whole.score > 0)
		result = count = choose_windows(&query, &maker->arena, tokenizer, text, &whole, &half, windows);
	else
		windows[0] = (struct window){.start = begin, .end = begin};
	if (result < 0)
		return result;
	count = make_fragments(text, length, windows, count, width, fragments);
	result = lay_out(&layout, &query, tokenizer, text, fragments, count);
	if (result < 0)
		return result;
	*snippet = (trawl_snippet){.text = (const char *)maker->text.data,
	                           .length = maker->text.length,
	                           .marks = (const trawl_span *)(const void *)maker->marks.data,
	                           .mark_count = maker->marks.length / sizeof(trawl_span),
	                           .fragments = (size_t)count};
	return 0;
}
