/*
 * Text is taken in chunks of up to CHUNK_BYTES. A chunk is classified, 64 bytes at a time, into bit masks; the rules of
 * UAX #29, as far as ASCII goes, are a few shifts on these (joined_bytes); the runs of set bits that come out are the
 * words, and their ends go to a list that the loop in emit_words walks down, one look into the word cache each.
 *
 * A run with bytes above 0x7f in it (and the ASCII characters beside them that some rule may look at) goes through
 * unicode_words.c instead; what is outside such a run cannot change what is inside. Common punctuation such as dashes
 * and curly quotes is spared that: see clear_punctuation.
 *
 * A run that reaches the end of its chunk is left to the next, which begins with it. One that fills a whole chunk is a
 * word, or many without a separator, of any length: unicode_words.c takes it as it is, in constant memory.
 */
#include "tokenizer/tokenizer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "tokenizer/analyzer.h"
#include "tokenizer/classify.h"
#include "tokenizer/normalize.h"
#include "tokenizer/unicode_words.h"
#include "tokenizer/utf8.h"
#include "tokenizer/word_cache.h"

#define CHUNK_BYTES 4096
#define CHUNK_BLOCKS (CHUNK_BYTES / CLASSIFY_BLOCK)
#define CACHE_LIMIT ((size_t)64 << 20)

/* Nothing nearer than this to the end of a chunk is decided in it: the rules look ahead up to two characters. */
#define LOOK_AHEAD 8

struct chunk {
	size_t base; /* its offset in the text */
	size_t next; /* the offset of the chunk after it */
	size_t length, blocks;
	unsigned run, run_count;                      /* the run to do next, the runs there are */
	size_t next_high;                             /* the first byte above 0x7f that is left, at or after `run` */
	uint16_t edges[CHUNK_BYTES + CLASSIFY_BLOCK]; /* start and end of each run */
	struct byte_classes classes[CHUNK_BLOCKS + 1];
	uint8_t lower[CHUNK_BYTES + SHORT_KEY_MAX + CLASSIFY_BLOCK]; /* the text with A-Z as a-z */
};

struct tokenizer {
	struct analyzer analyzer;
	struct word_cache cache;
	struct unicode_words *unicode;
	classify_function *classify;
	size_t cache_limit;
	bool force_unicode;
	uint64_t plain_e2_80; /* bit i: U+2000 + i is in no word and joins none */
	uint64_t plain_c2;    /* bit i: U+0080 + i likewise */

	const uint8_t *text;
	size_t length;
	uint32_t position;
	size_t region_at, region_end; /* of the text: left to do by unicode_words.c, before the rest of the chunk */
	struct chunk chunk;
};

/* ---- life ------------------------------------------------------------------------------------------------------ */

static uint64_t plain_characters(struct unicode_words *words, uint32_t first)
{
	uint64_t plain = 0;
	for (uint32_t i = 0; i < 64; i++)
		if (unicode_words_lookup(words, first + i) == (CHARACTER_KNOWN | CLASS_OTHER))
			plain |= (uint64_t)1 << i;
	return plain;
}

int tokenizer_new(struct tokenizer **out, const trawl_analysis *analysis, trawl_error *error)
{
	*out = NULL;
	struct tokenizer *tokenizer = memory_new_zeroed(1, sizeof(*tokenizer));
	if (!tokenizer)
		return error_set_memory(error);
	int result = analyzer_init(&tokenizer->analyzer, analysis, error);
	if (result < 0)
		goto done;
	tokenizer->unicode = memory_new_zeroed(1, sizeof(*tokenizer->unicode));
	if (!tokenizer->unicode || !word_cache_init(&tokenizer->cache)) {
		result = error_set_memory(error);
		goto done;
	}
	tokenizer->classify = classify_best();
	tokenizer->cache_limit = CACHE_LIMIT;
	tokenizer->plain_e2_80 = plain_characters(tokenizer->unicode, 0x2000);
	tokenizer->plain_c2 = plain_characters(tokenizer->unicode, 0x80);
	*out = tokenizer;
done:
	if (result < 0)
		tokenizer_free(tokenizer);
	return result;
}

void tokenizer_free(struct tokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	analyzer_release(&tokenizer->analyzer);
	word_cache_release(&tokenizer->cache);
	memory_free(tokenizer->unicode);
	memory_free(tokenizer);
}

size_t tokenizer_memory(const struct tokenizer *tokenizer)
{
	return sizeof(*tokenizer) + sizeof(*tokenizer->unicode) + word_cache_memory(&tokenizer->cache) +
	       tokenizer->analyzer.stop_word_text.used + tokenizer->analyzer.stop_word_count * sizeof(struct stop_word);
}

void tokenizer_force_unicode(struct tokenizer *tokenizer, bool force)
{
	tokenizer->force_unicode = force;
}

void tokenizer_limit_cache(struct tokenizer *tokenizer, size_t bytes)
{
	tokenizer->cache_limit = bytes;
}

void tokenizer_forget(struct tokenizer *tokenizer)
{
	word_cache_forget(&tokenizer->cache);
}

void tokenizer_start(struct tokenizer *tokenizer, const char *text, size_t length)
{
	if (tokenizer->cache.count && word_cache_memory(&tokenizer->cache) > tokenizer->cache_limit)
		word_cache_forget(&tokenizer->cache);
	tokenizer->position = 0;
	tokenizer_continue(tokenizer, text, length);
}

void tokenizer_continue(struct tokenizer *tokenizer, const char *text, size_t length)
{
	tokenizer->text = (const uint8_t *)text;
	tokenizer->length = length;
	tokenizer->region_at = 0;
	tokenizer->region_end = tokenizer->force_unicode ? length : 0;
	tokenizer->chunk.run = tokenizer->chunk.run_count = 0;
	tokenizer->chunk.next = tokenizer->region_end;
}

/* ---- text -> runs ---------------------------------------------------------------------------------------------- */

static inline bool bit_at(const struct chunk *chunk, size_t at)
{
	return chunk->classes[at / 64].high >> (at % 64) & 1;
}

static void clear_high(struct chunk *chunk, size_t at, size_t count)
{
	for (; count > 0; at++, count--)
		chunk->classes[at / 64].high &= ~((uint64_t)1 << (at % 64));
}

/* The length of the character at `p` if it is plain punctuation or one of the quotation marks U+2018 and U+2019, of
 * class MidNumLet; else 0. */
static inline size_t punctuation(const struct tokenizer *tokenizer, const uint8_t *p, bool *quotation_mark)
{
	*quotation_mark = false;
	if (!utf8_continues(p[1]))
		return 0;
	if (p[0] == 0xc2)
		return tokenizer->plain_c2 >> (p[1] & 0x3f) & 1 ? 2 : 0;
	if (p[0] != 0xe2 || p[1] != 0x80 || !utf8_continues(p[2]))
		return 0;
	*quotation_mark = p[2] == 0x98 || p[2] == 0x99;
	return *quotation_mark || (tokenizer->plain_e2_80 >> (p[2] & 0x3f) & 1) ? 3 : 0;
}

static bool is_ascii_letter(uint8_t lower)
{
	return lower >= 'a' && lower <= 'z';
}

static bool is_ascii_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether a quotation mark (three bytes at `at`) parts its neighbours, which then may be taken for ASCII text. Not if
 * it joins them, nor if one is a character that this path does not know: such marks stay in their run. */
static bool mark_parts(const struct tokenizer *tokenizer, const struct chunk *chunk, size_t at)
{
	const uint8_t *p = chunk->lower + at;
	bool ignored;
	if ((at > 0 && bit_at(chunk, at - 1)) || (p[3] >= 0x80 && !punctuation(tokenizer, p + 3, &ignored)))
		return false;
	if (at == 0)
		return true;
	return !(is_ascii_letter(p[-1]) && is_ascii_letter(p[3])) && !(is_ascii_digit(p[-1]) && is_ascii_digit(p[3]));
}

/* Take common punctuation out of the bytes that count as high: it parts words just as ASCII punctuation does. */
static void clear_punctuation(const struct tokenizer *tokenizer, struct chunk *chunk)
{
	for (size_t block = 0; block < chunk->blocks; block++) {
		uint64_t left = chunk->classes[block].high;
		while (left) {
			size_t at = block * 64 + (size_t)__builtin_ctzll(left);
			left &= left - 1;
			bool mark;
			size_t size = punctuation(tokenizer, chunk->lower + at, &mark);
			if (size && at + size <= chunk->length && !(mark && !mark_parts(tokenizer, chunk, at)))
				clear_high(chunk, at, size);
		}
	}
}

static inline uint64_t from_left(uint64_t bits, uint64_t before)
{
	return bits << 1 | before >> 63;
}

static inline uint64_t from_right(uint64_t bits, uint64_t after)
{
	return bits >> 1 | after << 63;
}

/* The bytes of a block that are in a run. `c` has blocks before and after it, in the array of classes. */
static inline uint64_t joined_bytes(const struct byte_classes *before, const struct byte_classes *c,
                                    const struct byte_classes *after)
{
	uint64_t between_letters = from_left(c->letter, before->letter) & from_right(c->letter, after->letter);
	uint64_t between_digits = from_left(c->digit, before->digit) & from_right(c->digit, after->digit);
	uint64_t beside_high = from_left(c->high, before->high) | from_right(c->high, after->high);
	uint64_t any_mid = c->mid_letter | c->mid_number | c->mid_both | c->quote;
	return c->letter | c->digit | c->connector | c->high |
	       (between_letters & (c->mid_letter | c->mid_both)) /* WB6, WB7 */ |
	       (between_digits & (c->mid_number | c->mid_both)) /* WB11, WB12 */ | (beside_high & any_mid);
}

/* The edges of the runs go to chunk->edges, starts and ends by turns. */
static void find_runs(struct chunk *chunk)
{
	static const struct byte_classes none;
	const struct byte_classes *classes = chunk->classes;
	uint64_t carry = 0;
	size_t count = 0;
	chunk->classes[chunk->blocks] = none;
	for (size_t block = 0; block < chunk->blocks; block++) {
		uint64_t run = joined_bytes(block ? &classes[block - 1] : &none, &classes[block], &classes[block + 1]);
		uint64_t edges = run ^ (run << 1 | carry);
		carry = run >> 63;
		unsigned base = (unsigned)block * 64;
		size_t found = (size_t)__builtin_popcountll(edges);
		uint16_t *out = chunk->edges + count;
		for (size_t i = 0; i < found; i += 4) { /* four at a time, the last ones in vain: fewer branches */
			for (size_t j = 0; j < 4; j++) {
				out[i + j] = (uint16_t)(base + (unsigned)__builtin_ctzll(edges | (uint64_t)1 << 63));
				edges &= edges - 1;
			}
		}
		count += found;
	}
	if (carry)
		chunk->edges[count++] = (uint16_t)(chunk->blocks * 64);
	chunk->run = 0;
	chunk->run_count = (unsigned)(count / 2);
}

static size_t find_high(const struct chunk *chunk, size_t from)
{
	if (from >= chunk->length)
		return SIZE_MAX;
	uint64_t bits = chunk->classes[from / 64].high & ~(uint64_t)0 << (from % 64);
	for (size_t block = from / 64;;) {
		if (bits)
			return block * 64 + (size_t)__builtin_ctzll(bits);
		if (++block == chunk->blocks)
			return SIZE_MAX;
		bits = chunk->classes[block].high;
	}
}

/* Where a chunk that is not the last ends for good: at the start of a run that comes too near to its end, which is
 * then dropped, or a few bytes before its end, at a character. */
static size_t settle_end(struct chunk *chunk)
{
	size_t end = chunk->length - LOOK_AHEAD;
	while (chunk->run_count && chunk->edges[2 * chunk->run_count - 1] >= chunk->length - LOOK_AHEAD) {
		chunk->run_count--;
		if (chunk->edges[2 * chunk->run_count] < end)
			end = chunk->edges[2 * chunk->run_count];
	}
	while (utf8_continues(chunk->lower[end]) && !bit_at(chunk, end))
		end--;
	return end;
}

/* The next byte that no rule joins to anything: the end of a run however long. */
static size_t find_separator(const uint8_t *text, size_t length, size_t at)
{
	static const uint8_t joins[128] = {
	    ['"'] = 1, ['\''] = 1, [','] = 1, ['.'] = 1, [':'] = 1, [';'] = 1, ['_'] = 1};
	while (at < length &&
	       (text[at] >= 0x80 || joins[text[at]] || is_ascii_digit(text[at]) || is_ascii_letter(text[at] | 0x20)))
		at++;
	return at;
}

static void classify_chunk(struct tokenizer *tokenizer, struct chunk *chunk)
{
	const uint8_t *from = tokenizer->text + chunk->base;
	size_t whole = chunk->length / CLASSIFY_BLOCK, rest = chunk->length % CLASSIFY_BLOCK;
	if (whole)
		tokenizer->classify(from, whole, chunk->classes, chunk->lower);
	if (rest) {
		uint8_t last[CLASSIFY_BLOCK] = {0};
		memcpy(last, from + whole * CLASSIFY_BLOCK, rest);
		tokenizer->classify(last, 1, &chunk->classes[whole], chunk->lower + whole * CLASSIFY_BLOCK);
	}
	chunk->blocks = whole + (rest != 0);
	memset(chunk->lower + chunk->blocks * CLASSIFY_BLOCK, 0, SHORT_KEY_MAX);
}

/* Prepare the next chunk; false at the end of the text. */
static bool next_chunk(struct tokenizer *tokenizer)
{
	struct chunk *chunk = &tokenizer->chunk;
	size_t left = tokenizer->length - chunk->next;
	if (left == 0)
		return false;
	chunk->base = chunk->next;
	chunk->length = left < CHUNK_BYTES ? left : CHUNK_BYTES;
	classify_chunk(tokenizer, chunk);
	chunk->next_high = find_high(chunk, 0);
	if (chunk->next_high != SIZE_MAX) {
		clear_punctuation(tokenizer, chunk);
		chunk->next_high = find_high(chunk, 0);
	}
	find_runs(chunk);
	chunk->next = tokenizer->length;
	if (chunk->length == left)
		return true;
	size_t end = settle_end(chunk);
	if (end == 0) {
		tokenizer->region_at = chunk->base;
		end = find_separator(tokenizer->text, tokenizer->length, chunk->base) - chunk->base;
		tokenizer->region_end = chunk->base + end;
	}
	chunk->next = chunk->base + end;
	return true;
}

/* ---- runs -> tokens -------------------------------------------------------------------------------------------- */

/* Where the tokens of one call go. */
struct sink {
	struct token *tokens;
	int count, capacity;
	uint32_t position;
};

/* Add a word to the sink, unless it is a stop word or none at all. Branch-free, as stop words come unforeseeably. */
static inline void sink_add(struct sink *sink, word_reference word, uint64_t start, uint64_t length)
{
	sink->tokens[sink->count] = (struct token){
	    .word = (struct word *)(word & ~WORD_MARKS),
	    .start = start,
	    .length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX,
	    .position = sink->position,
	};
	sink->count += (word & WORD_MARKS) == 0;
	sink->position += (word & WORD_NOTHING) == 0;
}

/* The words of the region, until it is done or the sink is full; false: out of memory. */
static bool emit_region(struct tokenizer *tokenizer, struct sink *sink)
{
	size_t start, end;
	while (sink->count < sink->capacity &&
	       unicode_words_next(tokenizer->unicode, tokenizer->text, tokenizer->region_end, tokenizer->region_at,
	                          &start, &end)) {
		const uint8_t *word_bytes = tokenizer->text + start;
		size_t looked_at = utf8_cut(word_bytes, end - start, SURFACE_BYTES_MAX);
		word_reference word = word_cache_get(&tokenizer->cache, &tokenizer->analyzer, word_bytes, looked_at);
		if (!word)
			return false;
		sink_add(sink, word, start, end - start);
		tokenizer->region_at = end;
	}
	if (sink->count < sink->capacity)
		tokenizer->region_at = tokenizer->region_end;
	return true;
}

/* Copy a run with curly apostrophes for its only characters above 0x7f, straightened; false if it has others. Such a
 * run is one word: clear_punctuation left only the marks that join their neighbours. */
static bool straighten_run(const uint8_t *run, size_t length, uint8_t out[WORD_BYTES_MAX], size_t *out_length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = run[i];
		if (byte >= 0x80) {
			if (byte != 0xe2 || length - i < 3 || run[i + 1] != 0x80 || (run[i + 2] & 0xfe) != 0x98)
				return false;
			byte = '\'';
			i += 2;
		}
		if (count < WORD_BYTES_MAX)
			out[count++] = byte;
	}
	*out_length = count;
	return true;
}

/* '_' is in words but makes none. */
static bool has_letter_or_digit(const uint8_t *run, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (is_ascii_letter(run[i]) || is_ascii_digit(run[i]))
			return true;
	return false;
}

/* A run with bytes above 0x7f: one word, or a region for unicode_words.c; false: out of memory. */
static bool emit_high_run(struct tokenizer *tokenizer, struct sink *sink, size_t start, size_t end)
{
	struct chunk *chunk = &tokenizer->chunk;
	uint8_t straight[WORD_BYTES_MAX];
	size_t length;
	if (straighten_run(chunk->lower + start, end - start, straight, &length)) {
		word_reference word = word_cache_get(&tokenizer->cache, &tokenizer->analyzer, straight, length);
		if (!word)
			return false;
		sink_add(sink, word, chunk->base + start, end - start);
	} else {
		tokenizer->region_at = chunk->base + start;
		tokenizer->region_end = chunk->base + end;
	}
	chunk->next_high = find_high(chunk, end);
	return true;
}

/* An ASCII word of more than 16 bytes or with '_' for its first byte, which the loop leaves to this. */
static __attribute__((noinline)) bool emit_odd_run(struct tokenizer *tokenizer, struct sink *sink, size_t start,
                                                   size_t end)
{
	struct chunk *chunk = &tokenizer->chunk;
	const uint8_t *run = chunk->lower + start;
	if (!has_letter_or_digit(run, end - start))
		return true;
	size_t length = end - start < WORD_BYTES_MAX ? end - start : WORD_BYTES_MAX;
	word_reference word = word_cache_get(&tokenizer->cache, &tokenizer->analyzer, run, length);
	if (!word)
		return false;
	sink_add(sink, word, chunk->base + start, end - start);
	return true;
}

/* low_bytes[n]: the first n of 16 bytes. */
static const uint64_t low_bytes[17][2] = {
    {0, 0},
    {0xff, 0},
    {0xffff, 0},
    {0xffffff, 0},
    {0xffffffff, 0},
    {0xffffffffff, 0},
    {0xffffffffffff, 0},
    {0xffffffffffffff, 0},
    {~0ull, 0},
    {~0ull, 0xff},
    {~0ull, 0xffff},
    {~0ull, 0xffffff},
    {~0ull, 0xffffffff},
    {~0ull, 0xffffffffff},
    {~0ull, 0xffffffffffff},
    {~0ull, 0xffffffffffffff},
    {~0ull, ~0ull},
};

/* The runs of the chunk, until they are done, one is a region, or the sink is full; false: out of memory. */
static bool emit_words(struct tokenizer *tokenizer, struct sink *sink)
{
	struct chunk *chunk = &tokenizer->chunk;
	while (chunk->run < chunk->run_count && sink->count < sink->capacity) {
		size_t start = chunk->edges[2 * chunk->run], end = chunk->edges[2 * chunk->run + 1];
		const uint8_t *run = chunk->lower + start;
		if (__builtin_expect(end > chunk->next_high, 0)) {
			if (!emit_high_run(tokenizer, sink, start, end))
				return false;
			chunk->run++;
			if (tokenizer->region_at < tokenizer->region_end)
				return true;
			continue;
		}
		if (__builtin_expect(end - start > 16 || *run == '_', 0)) {
			if (!emit_odd_run(tokenizer, sink, start, end))
				return false;
			chunk->run++;
			continue;
		}
		const uint64_t *mask = low_bytes[end - start];
		struct word_key key = {{load64(run) & mask[0], load64(run + 8) & mask[1], 0}};
		word_reference word =
		    word_cache_find(&tokenizer->cache, &key, word_cache_hash(&tokenizer->cache, &key));
		if (__builtin_expect(!word, 0)) {
			word = word_cache_insert_short(&tokenizer->cache, &tokenizer->analyzer, &key);
			if (!word)
				return false;
		}
		sink_add(sink, word, chunk->base + start, end - start);
		chunk->run++;
	}
	return true;
}

int tokenizer_next(struct tokenizer *tokenizer, struct token *tokens, int capacity)
{
	struct sink sink = {tokens, 0, capacity, tokenizer->position};
	bool memory = true;
	while (memory && sink.count < capacity) {
		if (tokenizer->region_at < tokenizer->region_end)
			memory = emit_region(tokenizer, &sink);
		else if (tokenizer->chunk.run < tokenizer->chunk.run_count)
			memory = emit_words(tokenizer, &sink);
		else if (!next_chunk(tokenizer))
			break;
	}
	tokenizer->position = sink.position;
	return memory || sink.count ? sink.count : TRAWL_ENOMEM; /* the word that failed comes again */
}
