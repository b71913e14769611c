/* The tokenizer: word boundaries, normal forms, stop words, stems, offsets; both paths against each other and against
 * libunistring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwbrk.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "tests/seed.h"
#include "tokenizer/classify.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode_words.h"
#include "tokenizer/utf8.h"

/* ---- helpers --------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) % limit);
}

static void seed_random(void)
{
	random_state = test_seed();
}

static struct tokenizer *new_tokenizer(const char *language, bool stop_words, bool fold_diacritics)
{
	struct tokenizer *tokenizer;
	trawl_analysis analysis = {language, stop_words, fold_diacritics};
	trawl_error error = {0};
	int result = tokenizer_new(&tokenizer, &analysis, &error);
	if (result != 0)
		print_error("%s\n", error.text);
	assert_int_equal(result, 0);
	return tokenizer;
}

/* The terms of the current text, each followed by '|'; a gap in the positions shows as '_|'. */
static void collect(struct tokenizer *tokenizer, char *out, size_t size, uint32_t position)
{
	struct token tokens[3]; /* few, so that calls resume often */
	size_t used = 0;
	int count;
	*out = '\0';
	while ((count = tokenizer_next(tokenizer, tokens, 3)) > 0) {
		for (int i = 0; i < count; i++) {
			for (; position < tokens[i].position; position++)
				used += (size_t)snprintf(out + used, size - used, "_|");
			position++;
			used += (size_t)snprintf(out + used, size - used, "%.*s|", tokens[i].word->term_length,
			                         tokens[i].word->term);
			assert_true(used < size);
		}
	}
	assert_int_equal(count, 0);
}

static void check_terms_of(struct tokenizer *tokenizer, const char *text, size_t length, const char *expected)
{
	for (int force = 0; force < 2; force++) {
		char out[4096];
		tokenizer_force_unicode(tokenizer, force);
		tokenizer_start(tokenizer, text, length);
		collect(tokenizer, out, sizeof(out), 0);
		assert_string_equal(out, expected);
	}
}

static void check_terms(const char *language, const char *text, const char *expected)
{
	struct tokenizer *tokenizer = new_tokenizer(language, false, false);
	check_terms_of(tokenizer, text, strlen(text), expected);
	tokenizer_free(tokenizer);
}

static void check_words(const char *text, const char *expected)
{
	check_terms("none", text, expected);
}

/* Both paths must yield the same words, at the same places, with the same terms. */
static void check_paths_agree(struct tokenizer *fast, struct tokenizer *slow, const char *text, size_t length)
{
	struct token a[100], b[7];
	int a_count = 0, b_count = 0, i = 0, j = 0;
	tokenizer_force_unicode(slow, true);
	tokenizer_start(fast, text, length);
	tokenizer_start(slow, text, length);
	for (;; i++, j++) {
		if (i == a_count) {
			a_count = tokenizer_next(fast, a, 100);
			i = 0;
		}
		if (j == b_count) {
			b_count = tokenizer_next(slow, b, 7);
			j = 0;
		}
		assert_true(a_count >= 0 && b_count >= 0);
		if (a_count == 0 || b_count == 0)
			break;
		if (a[i].start != b[j].start || a[i].length != b[j].length)
			print_error("\"%.*s\" at %llu, \"%.*s\" at %llu\n", (int)a[i].length, text + a[i].start,
			            (unsigned long long)a[i].start, (int)b[j].length, text + b[j].start,
			            (unsigned long long)b[j].start);
		assert_int_equal(a[i].start, b[j].start);
		assert_int_equal(a[i].length, b[j].length);
		assert_int_equal(a[i].position, b[j].position);
		assert_int_equal(a[i].word->stop, b[j].word->stop);
		assert_int_equal(a[i].word->term_length, b[j].word->term_length);
		assert_memory_equal(a[i].word->term, b[j].word->term, a[i].word->term_length);
	}
	assert_int_equal(a_count, b_count);
}

/* ---- boundaries ------------------------------------------------------------------------------------------------ */

static void words_split_by_uax29(void **state)
{
	(void)state;
	check_words("", "");
	check_words(" \t\n", "");
	check_words("a", "a|");
	check_words("The quick (\"brown\") fox can't jump 32.3 feet, right?",
	            "the|quick|brown|fox|can't|jump|32.3|feet|right|");
	check_words("e.g. i.e., U.S.A. a.b..c", "e.g|i.e|u.s.a|a.b|c|");
	check_words("3,456.789;5 3,a a,3 1:2 a:b 1.a a.1 1'2", "3,456.789;5|3|a|a|3|1|2|a:b|1|a|a|1|1'2|");
	check_words("foo_bar _x x_ __ _1_ _", "foo_bar|_x|x_|_1_|");
	check_words("a-b a/b a@b.c #tag $5 100% C++ x=1", "a|b|a|b|a|b.c|tag|5|100|c|x|1|");
	check_words("'tis rock'n'roll dogs' 'quoted' a''b '", "tis|rock'n'roll|dogs|quoted|a|b|");
	check_words("A1b2C3 R2D2 4x4", "a1b2c3|r2d2|4x4|");
}

static void curly_apostrophes_are_straight_ones(void **state)
{
	(void)state;
	check_words("“children’s services” don‘t ’tis dogs’", "children's|services|don't|tis|dogs|");
	check_words("can＇t mʼyata ʼx aʼ", "can't|m'yata|x|a|");
	check_words("end.’” next—word… £5 a’’b 1’2 1’a ’", "end|next|word|5|a|b|1'2|1|a|");
	check_words("l’été l'été é’s", "l'été|l'été|é's|");
	struct tokenizer *tokenizer = new_tokenizer("english", false, false);
	check_terms_of(tokenizer, "children’s children's", strlen("children’s children's"), "children|children|");
	tokenizer_free(tokenizer);
}

static void words_are_nfkc_casefolded(void **state)
{
	(void)state;
	check_words("ﬁne Straße ＡＢＣ１２３ ΣΊΣΥΦΟΣ Σίσυφος", "fine|strasse|abc123|σίσυφοσ|σίσυφοσ|");
	check_words("co\xC2\xADoperate a\xE2\x80\x8D"
	            "b x\xE2\x81\xA0y",
	            "cooperate|ab|xy|");
	check_words("É E\xCC\x81 İ ᴬ ² ½ Ⅳ ﬃ", "é|é|i̇|a|2|1⁄2|iv|ffi|");
	check_words("\xF0\x9D\x90\x87\xF0\x9D\x90\xA2", "hi|"); /* mathematical bold */
	check_words("\xE3\x85\xA4 x", "x|");                    /* a filler is a letter and normalises to nothing */
}

static void diacritics_fold_when_asked(void **state)
{
	(void)state;
	struct tokenizer *tokenizer = new_tokenizer("none", false, true);
	const char *text = "café naïve Ångström über 한국 ёлка \xCC\x81 ﾞ";
	check_terms_of(tokenizer, text, strlen(text), "cafe|naive|angstrom|uber|한국|елка|");
	tokenizer_free(tokenizer);
	check_words("café", "café|");
}

static void scripts_split_by_uax29(void **state)
{
	(void)state;
	check_words("中文字", "中|文|字|");
	check_words("カタカナ ひら ﾊﾝｶｸ カナ_1 カ1", "カタカナ|ひ|ら|ハンカク|カナ_1|カ|1|");
	check_words("한국어 단어입니다", "한국어|단어입니다|");
	check_words("Привет, мир! слово.слово", "привет|мир|слово.слово|");
	check_words("שלום צה\"ל ג'ירפה א' \"ש\"", "שלום|צה\"ל|ג'ירפה|א|ש|"); /* WB7a keeps א', the term drops it */
	check_words("العربية ١٢٣٫٤", "العربية|١٢٣٫٤|");
	check_words("naïve-é é.é é_b é,b 1.é é", "naïve|é|é.é|é_b|é|b|1|é|é|");
	check_words("😀 👨‍👩‍👧 🇩🇪 — … ☃", "");
	check_words("a😀b 😀a", "a|b|a|");
}

static void rules_look_past_marks_and_joiners(void **state)
{
	(void)state;
	check_words("a.\xCC\x88"
	            "b",
	            "a.\xCC\x88"
	            "b|");
	check_words("a\xCC\x88.b", "ä.b|");
	check_words("1,\xE2\x81\xA0"
	            "2",
	            "1,2|");
	check_words("x \xCC\x88y -\xCC\x88z", "x|y|z|");
	check_words("\n\xE2\x80\x8Dy", "y|");
	check_words("- \xE2\x80\x8Dℹa", "ia|"); /* WB3c: the word starts at the letter */
	check_words("ℹ'\xE2\x80\x8Dℹ", "i'i|"); /* WB6, over WB4 */
}

static void invalid_bytes_are_in_no_word(void **state)
{
	(void)state;
	check_words("a\xff"
	            "b \xc3 caf\xc3",
	            "a|b|caf|");
	check_words("x\xe2\x80y \x80\x80z \xed\xa0\x80q \xf5\x80\x80\x80w \xc0\xafu", "x|y|z|q|w|u|");
	check_words("é\xe2\x80", "é|");
	check_words("a\xe2\x80\x99", "a|");
	check_words("don\xe2\x80\x99", "don|");
	struct tokenizer *tokenizer = new_tokenizer("none", false, false);
	check_terms_of(tokenizer, "a\0b\0\0é\0", 8, "a|b|é|");
	tokenizer_free(tokenizer);
}

/* ---- long texts ------------------------------------------------------------------------------------------------ */

static void check_long(const char *unit, size_t bytes, const char *prefix, size_t term_length)
{
	size_t unit_length = strlen(unit), prefix_length = strlen(prefix), length = prefix_length;
	char *text = malloc(bytes + unit_length + 3);
	memcpy(text, prefix, prefix_length);
	for (; length < bytes; length += unit_length)
		memcpy(text + length, unit, unit_length);
	memcpy(text + length, " z", 2);
	struct tokenizer *tokenizer = new_tokenizer("none", false, false);
	size_t memory = tokenizer_memory(tokenizer);
	for (int force = 0; force < 2; force++) {
		struct token tokens[4];
		tokenizer_force_unicode(tokenizer, force);
		tokenizer_start(tokenizer, text, length + 2);
		assert_int_equal(tokenizer_next(tokenizer, tokens, 4), 2);
		assert_int_equal(tokens[0].start, prefix_length);
		assert_int_equal(tokens[0].length, length - prefix_length);
		assert_int_equal(tokens[0].word->term_length, term_length);
		assert_int_equal(tokens[1].start, length + 1);
		assert_int_equal(tokens[1].position, 1);
	}
	assert_true(tokenizer_memory(tokenizer) - memory < (size_t)1 << 18);
	tokenizer_free(tokenizer);
	free(text);
}

static void long_words_are_cut_at_a_character(void **state)
{
	(void)state;
	for (size_t bytes = 250; bytes < 9000; bytes += bytes < 260 || (bytes > 4080 && bytes < 4110) ? 1 : 17)
		check_long("x", bytes, "", bytes < 255 ? bytes : 255);
	check_long("é", 1000, " ", 254);
}

static void long_words_take_bounded_memory(void **state)
{
	(void)state;
	check_long("x", 20 << 20, "  ", 255);
	check_long("ж", 20 << 20, "", 254);
	check_long("x.x", 20 << 20, "", 255);
	check_long("x’x", 20 << 20, "", 255);
	check_long("𝐇", 20 << 20, "", 255);
}

static void ideographs_without_a_break_are_words_each(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	char *text = malloc(COUNT * 3);
	for (int i = 0; i < COUNT; i++)
		memcpy(text + i * 3, "日", 3);
	struct tokenizer *tokenizer = new_tokenizer("none", false, false);
	struct token tokens[64];
	tokenizer_start(tokenizer, text, COUNT * 3);
	uint32_t seen = 0;
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, 64)) > 0)
		for (int i = 0; i < count; i++, seen++)
			assert_true(tokens[i].start == seen * 3 && tokens[i].length == 3 && tokens[i].position == seen);
	assert_int_equal(seen, COUNT);
	tokenizer_free(tokenizer);
	free(text);
}

/* ---- positions, stop words, stems ------------------------------------------------------------------------------ */

static void positions_run_on_over_continue(void **state)
{
	(void)state;
	struct tokenizer *tokenizer = new_tokenizer("english", false, false);
	struct token tokens[8];
	tokenizer_start(tokenizer, "One two", 7);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 2);
	tokenizer_continue(tokenizer, " three", 6);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 1);
	assert_int_equal(tokens[0].position, 2);
	assert_int_equal(tokens[0].start, 1);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 0);
	tokenizer_continue(tokenizer, NULL, 0);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 0);
	tokenizer_start(tokenizer, "x", 1);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 1);
	assert_int_equal(tokens[0].position, 0);
	tokenizer_free(tokenizer);
}

static void offsets_are_exact(void **state)
{
	(void)state;
	const char *text = "  Naïve “don’t”, x";
	static const uint64_t starts[] = {2, 12, 24}, lengths[] = {6, 7, 1};
	struct tokenizer *tokenizer = new_tokenizer("none", false, false);
	struct token tokens[8];
	for (int force = 0; force < 2; force++) {
		tokenizer_force_unicode(tokenizer, force);
		tokenizer_start(tokenizer, text, strlen(text));
		assert_int_equal(tokenizer_next(tokenizer, tokens, 8), 3);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(tokens[i].start, starts[i]);
			assert_int_equal(tokens[i].length, lengths[i]);
		}
	}
	tokenizer_free(tokenizer);
}

static void equal_words_share_a_struct_and_keep_their_tag(void **state)
{
	(void)state;
	struct tokenizer *tokenizer = new_tokenizer("english", false, false);
	struct token tokens[4];
	const char *text = "Word wOrd internationalization INTERNATIONALIZATION";
	tokenizer_start(tokenizer, text, strlen(text));
	assert_int_equal(tokenizer_next(tokenizer, tokens, 4), 4);
	assert_ptr_equal(tokens[0].word, tokens[1].word);
	assert_ptr_equal(tokens[2].word, tokens[3].word);
	assert_int_equal(tokens[0].word->tag, WORD_TAG_NONE);
	tokens[0].word->tag = 7;
	tokenizer_start(tokenizer, "word", 4);
	assert_int_equal(tokenizer_next(tokenizer, tokens, 4), 1);
	assert_int_equal(tokens[0].word->tag, 7);
	tokenizer_free(tokenizer);
}

static void stop_words_leave_gaps(void **state)
{
	(void)state;
	static const struct {
		const char *language, *text, *expected;
		bool fold;
	} cases[] = {
	    {"english", "The cat and the dogs DON’T sit", "_|cat|_|_|dog|_|sit|", false},
	    {"french", "l'été c été eau", "l'et|_|_|eau|", false},
	    {"french", "ÉTÉ ete maison", "_|_|maison|", true},
	    {"german", "Über den Wolken", "_|_|wolk|", false},
	    {"russian", "и в лесу", "_|_|лес|", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tokenizer *tokenizer = new_tokenizer(cases[i].language, true, cases[i].fold);
		check_terms_of(tokenizer, cases[i].text, strlen(cases[i].text), cases[i].expected);
		tokenizer_free(tokenizer);
	}
}

static void stop_words_without_a_list_are_refused(void **state)
{
	(void)state;
	struct tokenizer *tokenizer;
	trawl_analysis analysis = {"turkish", true, false};
	trawl_error error;
	assert_int_equal(tokenizer_new(&tokenizer, &analysis, &error), TRAWL_EINVAL);
	assert_null(tokenizer);
	assert_non_null(strstr(error.text, "turkish"));
	assert_non_null(strstr(error.text, "swedish"));
	analysis.language = "none";
	assert_int_equal(tokenizer_new(&tokenizer, &analysis, NULL), TRAWL_EINVAL);
}

static void unknown_languages_are_refused(void **state)
{
	(void)state;
	struct tokenizer *tokenizer;
	static const char *const names[] = {"klingon", "English", "en", "english "};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		trawl_analysis analysis = {names[i], false, false};
		trawl_error error;
		assert_int_equal(tokenizer_new(&tokenizer, &analysis, &error), TRAWL_EINVAL);
		assert_non_null(strstr(error.text, names[i]));
	}
	assert_int_equal(tokenizer_new(&tokenizer, NULL, NULL), 0);
	check_terms_of(tokenizer, "running", 7, "run|");
	tokenizer_free(tokenizer);
}

static void every_language_stems(void **state)
{
	(void)state;
	static const struct {
		const char *language, *text, *expected;
	} cases[] = {
	    {"", "generously flying skies", "generous|fli|sky|"},
	    {"english", "happiness", "happi|"},
	    {"porter", "generously", "gener|"},
	    {"german", "Häuser", "haus|"},
	    {"french", "continuellement", "continuel|"},
	    {"spanish", "chicas", "chic|"},
	    {"russian", "важнейшие", "важн|"},
	    {"none", "Running", "running|"},
	    {"swedish", "jaktkarlarne", "jaktkarl|"},
	    {"dutch", "lichamelijk", "licham|"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_terms(cases[i].language, cases[i].text, cases[i].expected);
	size_t count = 0;
	bool none = false, english = false;
	for (const char *const *name = trawl_languages(); *name; name++, count++) {
		struct tokenizer *tokenizer = new_tokenizer(*name, false, false);
		char out[100];
		tokenizer_start(tokenizer, "a слова words", strlen("a слова words"));
		collect(tokenizer, out, sizeof(out), 0);
		assert_true(strlen(out) > 8);
		tokenizer_free(tokenizer);
		none = none || strcmp(*name, "none") == 0;
		english = english || strcmp(*name, "english") == 0;
	}
	assert_true(count > 10 && none && english);
}

/* ---- the paths against each other, and against libunistring ----------------------------------------------------- */

static const char *const pieces[] = {
    "a",
    "Z",
    "word",
    "x",
    "1",
    "42",
    "_",
    ".",
    ",",
    ";",
    ":",
    "'",
    "\"",
    " ",
    "\n",
    "-",
    "(",
    "é",
    "ж",
    "日",
    "カ",
    "ﾞ",
    "한",
    "א",
    "ש",
    "’",
    "‘",
    "“",
    "”",
    "–",
    "—",
    "…",
    "£",
    "\xC2\xA0",
    "\xC2\xAD",
    "\xCC\x81",
    "\xE2\x80\x8D",
    "\xE2\x80\x8B",
    "😀",
    "ℹ",
    "☃",
    "🇩",
    "‿",
    "·",
    "٫",
    "١",
    "٬",
    "\xE2\x80\xA4",
    "\xE3\x80\x80",
    "\xE2\x80\x83",
    "\xC2\x85",
    "\xE2\x80\xA8",
    "\xff",
    "\xe2\x80",
    "\xe2",
    "\x80",
    "\xc3",
    "\xF0\x9D\x90\x87",
    "🏽",
    "ʼ",
    "＇",
    "ª",
    "²",
    "\r",
    "\t",
    "\v",
};

/* A text of random pieces; the first `some` of a shuffled choice come most, so that texts differ in kind. */
static size_t random_text(char *out, size_t limit)
{
	uint32_t count = sizeof(pieces) / sizeof(pieces[0]), kinds = 1 + random_below(6), favoured[6];
	for (uint32_t i = 0; i < kinds; i++)
		favoured[i] = random_below(random_below(2) ? 17 : count);
	uint32_t strange = random_below(3) * 5;
	size_t length = 0, wanted = random_below((uint32_t)limit - 8);
	while (length < wanted) {
		uint32_t piece = random_below(100) < strange ? random_below(count) : favoured[random_below(kinds)];
		size_t size = strlen(pieces[piece]);
		memcpy(out + length, pieces[piece], size);
		length += size;
	}
	return length;
}

static void fast_path_agrees_with_unicode_path_on_random_text(void **state)
{
	(void)state;
	seed_random();
	struct tokenizer *fast = new_tokenizer("none", false, false), *slow = new_tokenizer("none", false, false);
	static char text[20000];
	for (int round = 0; round < 6000; round++) {
		size_t length = random_text(text, round % 8 ? 200 : sizeof(text));
		check_paths_agree(fast, slow, text, length);
	}
	for (int round = 0; round < 500; round++) {
		for (size_t i = 0; i < 6000; i++)
			text[i] = (char)random_below(128);
		check_paths_agree(fast, slow, text, 6000);
	}
	tokenizer_free(fast);
	tokenizer_free(slow);
}

static bool counts(uint32_t character)
{
	int property = uc_wordbreak_property(character);
	return property != WBP_EXTEND && property != WBP_FORMAT && property != WBP_ZWJ &&
	       uc_is_general_category_withtable(character, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N);
}

static bool starts_word(uint32_t character)
{
	switch (uc_wordbreak_property(character)) {
	case WBP_ALETTER:
	case WBP_HL:
	case WBP_NUMERIC:
	case WBP_KATAKANA:
	case WBP_EXTENDNUMLET: return true;
	default: return counts(character);
	}
}

/* Where WB3c joins a letter to the joiner after an apostrophe or full stop (ℹ ' ZWJ ℹ), libunistring misses that WB6
 * joins that to the letter before it. */
static bool is_contested(const uint32_t *characters, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (characters[i - 1] == 0x200d && counts(characters[i]) &&
		    uc_is_property_extended_pictographic(characters[i]))
			return true;
	return false;
}

/* The words of `text` as libunistring sees them, compared with ours. */
static void check_against_libunistring(struct unicode_words *words, const uint8_t *text, size_t length)
{
	static uint32_t characters[20001];
	static size_t offsets[20002];
	static char breaks[20001];
	size_t count = 0, at = 0, start, end;
	for (size_t i = 0; i < length; count++) {
		offsets[count] = i;
		i += utf8_decode(text + i, length - i, &characters[count]);
	}
	offsets[count] = length;
	if (is_contested(characters, count))
		return;
	u32_wordbreaks(characters, count, breaks);
	for (size_t from = 0, to; from < count; from = to) {
		bool word = false;
		for (to = from; to == from || (to < count && !breaks[to]); to++)
			word = word || counts(characters[to]);
		if (!word)
			continue;
		while (!starts_word(characters[from]))
			from++;
		assert_true(unicode_words_next(words, text, length, at, &start, &end));
		if (start != offsets[from] || end != offsets[to])
			print_error("theirs [%zu, %zu) \"%.*s\", ours [%zu, %zu)\n", offsets[from], offsets[to],
			            (int)(offsets[to] - offsets[from]), text + offsets[from], start, end);
		assert_int_equal(start, offsets[from]);
		assert_int_equal(end, offsets[to]);
		at = end;
	}
	assert_false(unicode_words_next(words, text, length, at, &start, &end));
}

static void word_boundaries_agree_with_libunistring(void **state)
{
	(void)state;
	seed_random();
	struct unicode_words *words = calloc(1, sizeof(*words));
	static char text[20000];
	for (int round = 0; round < 20000; round++) {
		size_t length = random_text(text, round % 16 ? 100 : 5000);
		check_against_libunistring(words, (const uint8_t *)text, length);
	}
	for (int round = 0; round < 2000; round++) {
		size_t length = 0;
		while (length < 1000) {
			uint32_t character = random_below(random_below(2) ? 0x3000 : 0x110000);
			int size = u8_uctomb((uint8_t *)text + length, character, 8);
			length += size > 0 ? (size_t)size : 0;
		}
		check_against_libunistring(words, (const uint8_t *)text, length);
	}
	free(words);
}

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	char *text = malloc(1 << 22);
	*length = fread(text, 1, 1 << 22, file);
	fclose(file);
	return text;
}

static void fast_path_agrees_with_unicode_path_on_real_text(void **state)
{
	(void)state;
	static const char *const names[] = {"cacm",     "cranfield", "scifact",  "xquad-de",
	                                    "xquad-ru", "xquad-ar",  "xquad-zh", "jsquad-ja"};
	const char *shared = getenv("TRAWL_SHARED");
	int found = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		size_t length;
		snprintf(path, sizeof(path), "%s/corpora/%s/corpus.jsonl", shared ? shared : "../shared", names[i]);
		char *text = read_file(path, &length);
		if (!text)
			continue;
		struct tokenizer *fast = new_tokenizer("english", false, false),
		                 *slow = new_tokenizer(NULL, false, false);
		check_paths_agree(fast, slow, text, length);
		tokenizer_free(fast);
		tokenizer_free(slow);
		free(text);
		found++;
	}
	if (!found) {
		print_message("SKIP: no corpora in %s (set TRAWL_SHARED)\n", shared ? shared : "../shared");
		skip();
	}
}

static void check_classifier(classify_function *classify, const uint8_t *text, size_t blocks)
{
	struct byte_classes expected[64], found[64];
	uint8_t expected_lower[64 * 64], lower[64 * 64];
	classify_portable(text, blocks, expected, expected_lower);
	classify(text, blocks, found, lower);
	assert_memory_equal(found, expected, blocks * sizeof(*found));
	assert_memory_equal(lower, expected_lower, blocks * 64);
}

static void every_classifier_agrees_with_the_portable_one(void **state)
{
	(void)state;
	uint8_t text[64 * 64];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 257 / 256);
	check_classifier(classify_sse2, text, 64);
	if (cpu_level_available() >= CPU_AVX2)
		check_classifier(classify_avx2, text, 64);
	else
		print_message("SKIP: no AVX2 here\n");
	if (cpu_level_available() >= CPU_AVX512)
		check_classifier(classify_avx512, text, 64);
	else
		print_message("SKIP: no AVX-512 here\n");
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static void words_are_forgotten_only_at_start_and_above_the_limit(void **state)
{
	(void)state;
	struct tokenizer *tokenizer = new_tokenizer("english", false, false);
	char text[64];
	struct token token;
	size_t empty = tokenizer_memory(tokenizer), most = 0;
	tokenizer_limit_cache(tokenizer, 1 << 20);
	tokenizer_start(tokenizer, "", 0);
	for (int i = 0; i < 100000; i++) {
		int length = snprintf(text, sizeof(text), "word%d", i);
		tokenizer_continue(tokenizer, text, (size_t)length);
		assert_int_equal(tokenizer_next(tokenizer, &token, 1), 1);
		token.word->tag = (uint32_t)i;
	}
	tokenizer_continue(tokenizer, "word7", 5);
	assert_int_equal(tokenizer_next(tokenizer, &token, 1), 1);
	assert_int_equal(token.word->tag, 7);
	assert_true(tokenizer_memory(tokenizer) > empty + (2 << 20));
	tokenizer_start(tokenizer, "word7", 5);
	assert_true(tokenizer_memory(tokenizer) < empty + (1 << 18));
	assert_int_equal(tokenizer_next(tokenizer, &token, 1), 1);
	assert_int_equal(token.word->tag, WORD_TAG_NONE);
	for (int i = 0; i < 100000; i++) {
		int length = snprintf(text, sizeof(text), "word%d", i);
		tokenizer_start(tokenizer, text, (size_t)length);
		assert_int_equal(tokenizer_next(tokenizer, &token, 1), 1);
		if (most < tokenizer_memory(tokenizer))
			most = tokenizer_memory(tokenizer);
	}
	assert_true(most < empty + (3 << 20));
	tokenizer_free(tokenizer);
}

static void every_failing_allocation_is_reported_and_survived(void **state)
{
	(void)state;
	static const char text[] =
	    "Some words, naïve ones, internationalisation’s overflowingly long characterisations";
	trawl_analysis analysis = {"english", true, true};
	for (int sticky = 0; sticky < 2; sticky++) {
		bool failed = true;
		for (long n = 0; failed; n++) {
			struct tokenizer *tokenizer;
			trawl_error error;
			memory_fail_after(n, sticky);
			int result = tokenizer_new(&tokenizer, &analysis, &error);
			failed = result < 0;
			if (failed) {
				assert_int_equal(result, TRAWL_ENOMEM);
				assert_int_equal(error.code, TRAWL_ENOMEM);
				assert_null(tokenizer);
			} else {
				struct token tokens[16];
				int count = 0, got = 0;
				tokenizer_start(tokenizer, text, strlen(text));
				while (count >= 0 && (got = tokenizer_next(tokenizer, tokens, 16)) > 0)
					count += got;
				failed = got < 0;
				assert_true(got == 0 || got == TRAWL_ENOMEM);
				memory_fail_after(-1, false);
				while ((got = tokenizer_next(tokenizer, tokens, 16)) > 0) /* it goes on where it was */
					count += got;
				assert_int_equal(got, 0);
				assert_int_equal(count, 7);
				tokenizer_free(tokenizer);
			}
			memory_fail_after(-1, false);
		}
	}
}

static void growing_tables_survive_failing_allocations(void **state)
{
	(void)state;
	struct tokenizer *tokenizer = new_tokenizer("none", false, false);
	char text[32];
	struct token token;
	int failures = 0;
	tokenizer_start(tokenizer, "", 0);
	for (int i = 0; i < 20000; i++) {
		int length = snprintf(text, sizeof(text), "w%d", i), got;
		tokenizer_continue(tokenizer, text, (size_t)length);
		memory_fail_after(0, false);
		while ((got = tokenizer_next(tokenizer, &token, 1)) < 0) {
			assert_int_equal(got, TRAWL_ENOMEM);
			failures++;
		}
		memory_fail_after(-1, false);
		assert_int_equal(got, 1);
		assert_int_equal(token.position, i);
		assert_memory_equal(token.word->term, text, (size_t)length);
	}
	assert_true(failures > 3);
	tokenizer_free(tokenizer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_split_by_uax29),
	    cmocka_unit_test(curly_apostrophes_are_straight_ones),
	    cmocka_unit_test(words_are_nfkc_casefolded),
	    cmocka_unit_test(diacritics_fold_when_asked),
	    cmocka_unit_test(scripts_split_by_uax29),
	    cmocka_unit_test(rules_look_past_marks_and_joiners),
	    cmocka_unit_test(invalid_bytes_are_in_no_word),
	    cmocka_unit_test(long_words_are_cut_at_a_character),
	    cmocka_unit_test(long_words_take_bounded_memory),
	    cmocka_unit_test(ideographs_without_a_break_are_words_each),
	    cmocka_unit_test(positions_run_on_over_continue),
	    cmocka_unit_test(offsets_are_exact),
	    cmocka_unit_test(equal_words_share_a_struct_and_keep_their_tag),
	    cmocka_unit_test(stop_words_leave_gaps),
	    cmocka_unit_test(stop_words_without_a_list_are_refused),
	    cmocka_unit_test(unknown_languages_are_refused),
	    cmocka_unit_test(every_language_stems),
	    cmocka_unit_test(fast_path_agrees_with_unicode_path_on_random_text),
	    cmocka_unit_test(word_boundaries_agree_with_libunistring),
	    cmocka_unit_test(fast_path_agrees_with_unicode_path_on_real_text),
	    cmocka_unit_test(every_classifier_agrees_with_the_portable_one),
	    cmocka_unit_test(words_are_forgotten_only_at_start_and_above_the_limit),
	    cmocka_unit_test(every_failing_allocation_is_reported_and_survived),
	    cmocka_unit_test(growing_tables_survive_failing_allocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
