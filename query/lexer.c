/* lexer.c - a query's text, cut in words, quotations, brackets and operators. What counts where: docs/QUERY.md. */
#include "query/lexer.h"

#include <string.h>
#include <unictype.h>

#include "base/ascii.h"
#include "tokenizer/utf8.h"

#define NUMBER_DIGITS 6 /* of a number behind ~, ^ or / */
#define FIELD_BYTES 64
#define BOOST_LEAST 1e-6f /* what matches has a score: evaluation passes over what can score nothing */

/* ---- characters ---- */

/* The character at `at` and its length; 0 and 1 past the end. */
static uint32_t character_at(const struct lexer *lexer, size_t at, size_t *length)
{
	uint32_t character = 0;
	*length = 1;
	if (at < lexer->length)
		*length = utf8_decode((const uint8_t *)lexer->text + at, lexer->length - at, &character);
	return character;
}

/* Full-width forms of the marks of the grammar, and the minus sign, are these marks. */
static uint32_t as_mark(uint32_t character)
{
	if (character == 0x2212)
		return '-';
	if (character >= 0xff01 && character <= 0xff5e && character != 0xff02 && !uc_is_alnum(character - 0xfee0))
		return character - 0xfee0;
	return character;
}

static uint32_t mark_at(const struct lexer *lexer, size_t at, size_t *length)
{
	return as_mark(character_at(lexer, at, length));
}

static bool is_word(uint32_t character)
{
	if (character < 0x80)
		return ascii_is_alnum((char)character);
	return uc_is_alnum(character) || uc_is_general_category_withtable(character, UC_CATEGORY_MASK_M);
}

static bool is_space(uint32_t character)
{
	if (character < 0x80)
		return character == ' ' || character - '\t' < 5;
	return uc_is_property_white_space(character);
}

static bool is_hebrew(uint32_t character)
{
	return character >= 0x05d0 && character <= 0x05ea;
}

/* The character that ends before `at`; 0 at the beginning. */
static uint32_t character_before(const struct lexer *lexer, size_t at)
{
	uint32_t character = 0;
	if (!at)
		return 0;
	size_t start = at - 1;
	while (start > 0 && at - start < 4 && utf8_continues((uint8_t)lexer->text[start]))
		start--;
	utf8_decode((const uint8_t *)lexer->text + start, at - start, &character);
	return character;
}

/* ---- quotation marks ---- */

/* A mark that opens a quotation, those that close it, and those that do where none of these follows. */
static const struct quotes {
	uint32_t opening, closing[2], otherwise[3];
	bool behind_words; /* it opens one also directly behind a word */
} quotes[] = {
    {0x22, {0x22}, {0x201d, 0x201c}, false}, {0x201c, {0x201d}, {0x201c, 0x22}, true},
    {0x201d, {0x201d}, {0x22}, false},       {0x201e, {0x201c, 0x201d}, {0x22}, true},
    {0x201f, {0x201d}, {0x22}, true},        {0xab, {0xbb}, {0xab, 0x22}, true},
    {0xbb, {0xab}, {0xbb, 0x22}, false},     {0x2039, {0x203a}, {0x2039}, true},
    {0x203a, {0x2039}, {0x203a}, false},     {0x300c, {0x300d}, {0x22}, true},
    {0x300e, {0x300f}, {0x22}, true},        {0x301d, {0x301e, 0x301f}, {0x22}, true},
    {0xfe41, {0xfe42}, {0}, true},           {0xff02, {0xff02}, {0x22}, false},
    {0xff62, {0xff63}, {0}, true},
};

static const struct quotes *find_quotes(uint32_t character)
{
	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
		if (quotes[i].opening == character)
			return &quotes[i];
	return NULL;
}

/* Hebrew writes abbreviations with a quotation mark between letters. */
static bool is_between_hebrew(const struct lexer *lexer, size_t at, size_t length)
{
	size_t next;
	return is_hebrew(character_before(lexer, at)) && is_hebrew(character_at(lexer, at + length, &next));
}

/* The first of `marks` from `at` on: its place, or the text's length. */
static size_t find_mark(const struct lexer *lexer, size_t at, const uint32_t *marks, size_t count)
{
	size_t length;
	for (; at < lexer->length; at += length) {
		uint32_t character = character_at(lexer, at, &length);
		for (size_t i = 0; i < count; i++)
			if (character == marks[i] && !is_between_hebrew(lexer, at, length))
				return at;
	}
	return lexer->length;
}

static size_t find_closing(const struct lexer *lexer, size_t at, const struct quotes *marks)
{
	size_t found = find_mark(lexer, at, marks->closing, marks->closing[1] ? 2 : 1);
	size_t others = marks->otherwise[1] ? 2 : marks->otherwise[0] ? 1 : 0;
	return found == lexer->length && others ? find_mark(lexer, at, marks->otherwise, others) : found;
}

/* ---- notes ---- */

void lexer_complain(struct lexer *lexer, size_t at, size_t length, const char *text)
{
	if (lexer->options->strict) {
		if (!lexer->problem) {
			lexer->problem = text;
			lexer->problem_at = at;
		}
		return;
	}
	struct syntax_note note = {.at = at, .length = length, .text = text};
	struct syntax_note *copy = arena_copy(lexer->arena, &note, sizeof note);
	if (!copy) {
		lexer->out_of_memory = true;
		return;
	}
	*lexer->last_note = copy;
	lexer->last_note = &copy->next;
}

/* ---- what stands behind words, quotations and brackets ---- */

/* Digits from `at` on; how many bytes. 0: none, or too many. */
static size_t read_number(const struct lexer *lexer, size_t at, size_t end, uint32_t *number)
{
	size_t start = at;
	*number = 0;
	for (; at < end && lexer->text[at] >= '0' && lexer->text[at] <= '9'; at++)
		*number = at - start < NUMBER_DIGITS ? *number * 10 + (uint32_t)(lexer->text[at] - '0') : 0;
	return at - start <= NUMBER_DIGITS ? at - start : 0;
}

/* As read_number, with a decimal fraction. */
static size_t read_decimal(const struct lexer *lexer, size_t at, size_t end, float *number)
{
	uint32_t whole, part = 0;
	size_t digits = read_number(lexer, at, end, &whole), more = 0;
	double scale = 1;
	if (digits && at + digits < end && lexer->text[at + digits] == '.')
		more = read_number(lexer, at + digits + 1, end, &part);
	for (size_t i = 0; i < more; i++)
		scale *= 10;
	*number = (float)(whole + part / scale);
	return more ? digits + 1 + more : digits;
}

/* ^N or ^=N from `at` on, not past `end`: its length, 0 where there is none. */
static size_t read_boost(const struct lexer *lexer, size_t at, size_t end, struct syntax *leaf)
{
	size_t length, used;
	if (at >= end || mark_at(lexer, at, &length) != '^')
		return 0;
	used = length;
	bool constant = at + used < end && mark_at(lexer, at + used, &length) == '=';
	used += constant ? length : 0;
	float boost;
	size_t digits = read_decimal(lexer, at + used, end, &boost);
	if (!digits)
		return 0;
	leaf->boost = boost < BOOST_LEAST ? BOOST_LEAST : boost;
	leaf->constant = constant;
	return used + digits;
}

/* ~, ~N or ~N% from `at` on, not past `end`: its length, 0 where there is none. */
static size_t read_count(const struct lexer *lexer, size_t at, size_t end, struct syntax *leaf)
{
	size_t length;
	if (at >= end || mark_at(lexer, at, &length) != '~')
		return 0;
	size_t digits = read_number(lexer, at + length, end, &leaf->number), used = length + digits;
	leaf->counted = digits > 0;
	if (digits && at + used < end && mark_at(lexer, at + used, &length) == '%') {
		leaf->percent = true;
		used += length;
	}
	return used;
}

/* What stands directly behind a quotation or a bracket. */
static void read_behind(struct lexer *lexer, struct syntax *leaf)
{
	size_t start = lexer->at;
	lexer->at += read_count(lexer, lexer->at, lexer->length, leaf);
	if (lexer->at > start && !leaf->counted) {
		lexer_complain(lexer, start, lexer->at - start, "a number is missing behind it: read as nothing");
		leaf->number = 0;
	}
	lexer->at += read_boost(lexer, lexer->at, lexer->length, leaf);
}

/* ---- words ---- */

/* Where the word that starts at `at` ends: at a space, a bracket that it has not opened, or a mark that opens a quotation. */
static size_t find_word_end(const struct lexer *lexer, size_t at)
{
	size_t length, start = at, open = 0;
	for (; at < lexer->length; at += length) {
		uint32_t character = character_at(lexer, at, &length), mark = as_mark(character);
		if (is_space(character))
			break;
		open += mark == '(';
		if (mark == ')' && !open)
			break;
		open -= mark == ')';
		const struct quotes *marks = at > start ? find_quotes(character) : NULL;
		if (marks && marks->behind_words)
			break;
	}
	return at;
}

/* Punctuation behind a word, which no operator of ours ends with. */
static size_t trim(const struct lexer *lexer, size_t start, size_t end)
{
	while (end > start + 1 && strchr(".,;:!", lexer->text[end - 1]))
		end--;
	return end;
}

/* What a word's characters are. */
struct letters {
	bool any,
	    other; /* a letter or digit; something else than these, '-', '_', '.', apostrophes and marks of patterns */
	bool letter;
	uint32_t stars, questions;
	bool star_last, doubled, question_at_end;
};

static struct letters look_at(const struct lexer *lexer, size_t at, size_t end)
{
	struct letters letters = {0};
	size_t length;
	uint32_t before = 0;
	for (; at < end; at += length) {
		uint32_t mark = mark_at(lexer, at, &length);
		letters.star_last = mark == '*';
		letters.doubled |= mark == '*' && before == '*';
		letters.stars += mark == '*';
		letters.questions += mark == '?';
		letters.question_at_end |= mark == '?' && (!before || at + length == end);
		letters.any |= is_word(mark);
		letters.letter |= is_word(mark) && !(mark >= '0' && mark <= '9');
		letters.other |= !is_word(mark) && !(mark < 0x80 && strchr("-_.'*?", (int)mark)) && mark != 0x2019;
		before = mark;
	}
	return letters;
}

/* Is the word a prefix or a pattern? A question mark at its end is punctuation unless the syntax is strict. */
static void find_pattern(const struct lexer *lexer, struct syntax *leaf)
{
	size_t start = (size_t)(leaf->text - lexer->text), end = start + leaf->length, star = 1;
	while (!lexer->options->strict && end > start + 1 && lexer->text[end - 1] == '?')
		end--;
	struct letters letters = look_at(lexer, start, end);
	if (!letters.any || letters.other || letters.doubled || !(letters.stars || letters.questions))
		return;
	if (letters.stars == 1 && letters.star_last && !letters.questions) {
		while (end - star > start && utf8_continues((uint8_t)lexer->text[end - star]))
			star++;
		leaf->kind = SYNTAX_PREFIX;
		leaf->length = end - star - start;
	} else if (letters.letter && (lexer->options->strict || !letters.question_at_end)) {
		leaf->kind = SYNTAX_WILDCARD;
		leaf->length = end - start;
	}
}

#define EDITS_MAX 2

/* word~ and word~N. */
static void make_fuzzy(struct lexer *lexer, struct syntax *leaf)
{
	leaf->kind = SYNTAX_FUZZY;
	if (leaf->number > EDITS_MAX) {
		lexer_complain(lexer, leaf->at, leaf->length, "more than two edits: read as two");
		leaf->number = EDITS_MAX;
	}
}

/* The word from `start` to `end`, with what stands at its end. */
static void read_word(struct lexer *lexer, size_t start, size_t end, struct syntax *leaf)
{
	size_t length, last = trim(lexer, start, end);
	struct syntax modified = *leaf;
	leaf->kind = SYNTAX_WORD;
	leaf->text = lexer->text + start;
	leaf->length = end - start;
	/* From the front: the first ~ or ^ from which on only these and numbers stand. */
	for (size_t at = start; at < last; at += length) {
		uint32_t mark = mark_at(lexer, at, &length);
		if (at == start || (mark != '~' && mark != '^'))
			continue;
		modified = *leaf;
		size_t behind = at + read_count(lexer, at, last, &modified);
		bool fuzzy = behind > at && !modified.percent;
		behind += read_boost(lexer, behind, last, &modified);
		if (behind != last || modified.percent || !look_at(lexer, start, at).any)
			continue;
		modified.length = at - start;
		*leaf = modified;
		if (fuzzy)
			make_fuzzy(lexer, leaf);
		break;
	}
	if (leaf->kind == SYNTAX_FUZZY)
		return;
	if (leaf->length == end - start)
		leaf->length = last - start;
	if (leaf->length > 1 && mark_at(lexer, start, &length) == '=') {
		size_t next;
		if (is_word(character_at(lexer, start + length, &next))) {
			leaf->kind = SYNTAX_EXACT;
			leaf->text += length;
			leaf->length -= length;
			return;
		}
	}
	find_pattern(lexer, leaf);
}

/* ---- fields ---- */

/* NAME: from `at` on, with something behind: its length without the colon, else 0. */
static size_t find_field(const struct lexer *lexer, size_t at, size_t *colon)
{
	size_t start = at, length, next;
	uint32_t mark = mark_at(lexer, at, &length);
	if (!is_word(mark) && mark != '_')
		return 0;
	if (mark >= '0' && mark <= '9')
		return 0;
	while (is_word(mark) || (mark && mark < 0x80 && strchr("_.-", (int)mark))) {
		at += length;
		mark = mark_at(lexer, at, &length);
	}
	*colon = length;
	if (mark != ':' || at - start > FIELD_BYTES)
		return 0;
	uint32_t behind = mark_at(lexer, at + length, &next);
	return !behind || is_space(behind) || behind == ':' || behind == '/' || behind == '\\' ? 0 : at - start;
}

static bool only_digits(const struct lexer *lexer, size_t at)
{
	size_t start = at, length;
	uint32_t mark = mark_at(lexer, at, &length);
	for (; mark >= '0' && mark <= '9'; mark = mark_at(lexer, at, &length))
		at += length;
	return at > start && !is_word(mark);
}

/* Read a field's name, if one stands here: true. */
static bool read_field(struct lexer *lexer, struct syntax *leaf)
{
	const struct syntax_options *options = lexer->options;
	size_t colon, length = find_field(lexer, lexer->at, &colon);
	const char *name = lexer->text + lexer->at;
	if (!length)
		return false;
	if (options->has_field && options->has_field(options->context, name, length)) {
		leaf->field = name;
		leaf->field_length = length;
		lexer->at += length + colon;
		return true;
	}
	if (!only_digits(lexer, lexer->at + length + colon))
		lexer_complain(lexer, lexer->at, length, "no such field: read as plain text");
	return false;
}

/* ---- ranges ---- */

/* One end of a range, up to a space or `last`. A star is an open end. */
static void read_bound(struct lexer *lexer, size_t last, const char **text, size_t *length)
{
	size_t step, start;
	while (lexer->at < last && is_space(character_at(lexer, lexer->at, &step)))
		lexer->at += step;
	start = lexer->at;
	while (lexer->at < last && !is_space(character_at(lexer, lexer->at, &step)))
		lexer->at += step;
	*text = lexer->text + start;
	*length = lexer->at - start;
	if (*length == 1 && **text == '*')
		*length = 0;
}

/* [low TO high], with { } where an end does not belong to it. false: it is none. */
static bool read_brackets(struct lexer *lexer, struct syntax *leaf)
{
	size_t start = lexer->at, last = start + 1, length;
	while (last < lexer->length && lexer->text[last] != ']' && lexer->text[last] != '}')
		last++;
	if (last == lexer->length)
		return false;
	const char *to;
	size_t to_length;
	leaf->low_excluded = lexer->text[start] == '{';
	leaf->high_excluded = lexer->text[last] == '}';
	lexer->at = start + 1;
	read_bound(lexer, last, &leaf->text, &leaf->length);
	read_bound(lexer, last, &to, &to_length);
	read_bound(lexer, last, &leaf->high, &leaf->high_length);
	while (lexer->at < last && is_space(character_at(lexer, lexer->at, &length)))
		lexer->at += length;
	if (lexer->at != last || to_length != 2 || memcmp(to, "TO", 2) != 0) {
		lexer->at = start;
		return false;
	}
	lexer->at = last + 1;
	leaf->kind = SYNTAX_RANGE;
	return true;
}

/* >value, >=value, <value, <=value behind a field. */
static bool read_comparison(struct lexer *lexer, struct syntax *leaf)
{
	char sign = lexer->text[lexer->at];
	size_t at = lexer->at + 1;
	bool equal = at < lexer->length && lexer->text[at] == '=';
	at += equal;
	size_t end = find_word_end(lexer, at);
	if (end == at)
		return false;
	const char *value = lexer->text + at;
	*(sign == '>' ? &leaf->text : &leaf->high) = value;
	*(sign == '>' ? &leaf->length : &leaf->high_length) = end - at;
	leaf->low_excluded = sign == '>' && !equal;
	leaf->high_excluded = sign == '<' && !equal;
	leaf->kind = SYNTAX_RANGE;
	lexer->at = end;
	return true;
}

static bool read_range(struct lexer *lexer, struct syntax *leaf)
{
	char first = lexer->at < lexer->length ? lexer->text[lexer->at] : 0;
	if (first == '[' || first == '{') {
		if (read_brackets(lexer, leaf))
			return true;
		lexer_complain(lexer, lexer->at, 1, "not a range like [low TO high]: read as plain text");
	}
	return (first == '<' || first == '>') && read_comparison(lexer, leaf);
}

/* ---- tokens ---- */

void lexer_start(struct lexer *lexer, const char *text, size_t length, const struct syntax_options *options,
                 struct arena *arena)
{
	*lexer = (struct lexer){.text = text, .length = length, .options = options, .arena = arena};
	lexer->last_note = &lexer->notes;
}

static bool word_is(const struct syntax *leaf, const char *word)
{
	return leaf->length == strlen(word) && memcmp(leaf->text, word, leaf->length) == 0;
}

/* NEAR/N and BEFORE/N. */
static bool is_near(struct lexer *lexer, struct syntax *leaf)
{
	static const char *const names[] = {"NEAR/", "BEFORE/"};
	for (int i = 0; i < 2; i++) {
		size_t name = strlen(names[i]), start = (size_t)(leaf->text - lexer->text);
		if (leaf->length <= name || memcmp(leaf->text, names[i], name) != 0 ||
		    read_number(lexer, start + name, start + leaf->length, &leaf->number) != leaf->length - name)
			continue;
		leaf->ordered = i == 1;
		return true;
	}
	return false;
}

static enum token_kind operator_of(struct lexer *lexer, struct syntax *leaf)
{
	if (leaf->kind != SYNTAX_WORD || leaf->boost != 1)
		return TOKEN_LEAF;
	if (word_is(leaf, "AND") || word_is(leaf, "&&"))
		return TOKEN_AND;
	if (word_is(leaf, "OR") || word_is(leaf, "||"))
		return TOKEN_OR;
	if (word_is(leaf, "NOT"))
		return TOKEN_NOT;
	return is_near(lexer, leaf) ? TOKEN_NEAR : TOKEN_LEAF;
}

/* + or - counts directly before a word, a quotation or a bracket. */
static void read_sign(struct lexer *lexer, struct syntax *leaf)
{
	size_t length, next;
	uint32_t mark = mark_at(lexer, lexer->at, &length);
	if (mark != '+' && mark != '-')
		return;
	uint32_t behind = character_at(lexer, lexer->at + length, &next), behind_mark = as_mark(behind);
	if (!is_word(behind) && !find_quotes(behind) &&
	    !(behind_mark && behind_mark < 0x80 && strchr("(=_*?#@$.", (int)behind_mark)))
		return;
	leaf->occur = mark == '+' ? OCCUR_REQUIRED : OCCUR_EXCLUDED;
	if (mark == '-' && !lexer->options->strict && behind >= '0' && behind <= '9')
		lexer_complain(lexer, lexer->at, length,
		               "leaves out documents with the number behind it; in quotation marks it is searched for");
	lexer->at += length;
}

static bool read_quotation(struct lexer *lexer, struct token *token)
{
	size_t length, close;
	const struct quotes *marks = find_quotes(character_at(lexer, lexer->at, &length));
	if (!marks)
		return false;
	size_t start = lexer->at + length, end = find_closing(lexer, start, marks);
	if (end == lexer->length) {
		/* What mostly closes is a stray mark where nothing closes it. */
		if (marks->opening != 0x22 && !marks->behind_words)
			return false;
		lexer_complain(lexer, lexer->at, length, "a quotation that does not end: read up to the end");
	}
	token->kind = TOKEN_LEAF;
	token->leaf.kind = SYNTAX_QUOTATION;
	token->leaf.text = lexer->text + start;
	token->leaf.length = end - start;
	lexer->at = end;
	if (end < lexer->length) {
		character_at(lexer, end, &close);
		lexer->at += close;
		read_behind(lexer, &token->leaf);
		if (token->leaf.percent)
			lexer_complain(lexer, token->at, lexer->at - token->at,
			               "a phrase takes no share: % is left out");
	}
	return true;
}

static bool read_bracket(struct lexer *lexer, struct token *token)
{
	size_t length;
	uint32_t mark = mark_at(lexer, lexer->at, &length);
	if (mark != '(' && mark != ')')
		return false;
	token->kind = mark == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
	lexer->at += length;
	if (mark == ')')
		read_behind(lexer, &token->leaf);
	return true;
}

static void read_text(struct lexer *lexer, struct token *token)
{
	size_t start = lexer->at, end = find_word_end(lexer, start);
	token->kind = TOKEN_LEAF;
	if (end - start == 3 && memcmp(lexer->text + start, "*:*", 3) == 0) {
		token->leaf.kind = SYNTAX_ALL;
		token->leaf.text = lexer->text + start;
		token->leaf.length = 3;
	} else {
		bool free_word = !token->leaf.field && token->leaf.occur == OCCUR_OPTIONAL;
		read_word(lexer, start, end, &token->leaf);
		if (free_word)
			token->kind = operator_of(lexer, &token->leaf);
	}
	lexer->at = end;
}

/* Most words by far are letters and digits up to a space, perhaps with a sign: nothing of the grammar can stand in them. What begins as
 * an operator does, and a number behind a minus sign, are left to the ways that know these. */
static bool read_simple_word(struct lexer *lexer, struct token *token)
{
	const char *text = lexer->text;
	size_t at = lexer->at, end;
	bool has_sign = (text[at] == '+' || text[at] == '-') && at + 1 < lexer->length;
	at += has_sign;
	if (text[at] < 'a' && (has_sign || text[at] == 'A' || text[at] == 'B' || text[at] == 'N' || text[at] == 'O'))
		return false;
	for (end = at; end < lexer->length && ascii_is_alnum(text[end]); end++)
		;
	if (end == at || (end < lexer->length && text[end] != ' '))
		return false;
	if (has_sign)
		token->leaf.occur = text[at - 1] == '+' ? OCCUR_REQUIRED : OCCUR_EXCLUDED;
	token->kind = TOKEN_LEAF;
	token->leaf.text = text + at; /* a word: SYNTAX_WORD is 0 */
	token->leaf.length = end - at;
	lexer->at = token->end = end;
	return true;
}

struct token lexer_next(struct lexer *lexer)
{
	size_t length;
	while (lexer->at < lexer->length && lexer->text[lexer->at] == ' ')
		lexer->at++;
	while (lexer->at < lexer->length && is_space(character_at(lexer, lexer->at, &length)))
		lexer->at += length;
	struct token token = {.kind = TOKEN_END, .at = lexer->at, .leaf = {.at = lexer->at, .boost = 1}};
	if (lexer->at < lexer->length && !lexer->problem && !lexer->out_of_memory && read_simple_word(lexer, &token))
		return token;
	if (lexer->at < lexer->length && !lexer->problem && !lexer->out_of_memory && !read_bracket(lexer, &token)) {
		read_sign(lexer, &token.leaf);
		bool field = read_field(lexer, &token.leaf);
		if (field && read_range(lexer, &token.leaf))
			token.kind = TOKEN_LEAF;
		else if (!read_quotation(lexer, &token) && !read_bracket(lexer, &token))
			read_text(lexer, &token);
	}
	token.end = lexer->at;
	return token;
}
