/* The grammar of queries: what parses as what, what plain syntax notes, what strict syntax refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/syntax.h"
#include "tests/seed.h"

static bool has_field(void *context, const char *name, size_t length)
{
	(void)context;
	return (length == 5 && memcmp(name, "title", 5) == 0) || (length == 4 && memcmp(name, "date", 4) == 0);
}

struct shown {
	char text[4000];
	size_t used;
};

static void put(struct shown *shown, const char *text, size_t length)
{
	assert_true(shown->used + length < sizeof shown->text);
	memcpy(shown->text + shown->used, text, length);
	shown->used += length;
	shown->text[shown->used] = 0;
}

static void put_string(struct shown *shown, const char *text)
{
	put(shown, text, strlen(text));
}

static void put_number(struct shown *shown, const char *before, double number)
{
	char text[40];
	put(shown, text, (size_t)snprintf(text, sizeof text, "%s%g", before, number));
}

/* The tree as text: groups in brackets, what is read as an operator in words. */
static void show(struct shown *shown, const struct syntax *node)
{
	static const char *const names[] = {
	    [SYNTAX_WORD] = "",        [SYNTAX_QUOTATION] = "\"",   [SYNTAX_GROUP] = "(",
	    [SYNTAX_NEAR] = "near(",   [SYNTAX_PREFIX] = "prefix ", [SYNTAX_WILDCARD] = "like ",
	    [SYNTAX_FUZZY] = "fuzzy ", [SYNTAX_EXACT] = "exact ",   [SYNTAX_RANGE] = "[",
	    [SYNTAX_ALL] = ""};
	put_string(shown, node->occur == OCCUR_REQUIRED ? "+" : node->occur == OCCUR_EXCLUDED ? "-" : "");
	if (node->field) {
		put(shown, node->field, node->field_length);
		put_string(shown, ":");
	}
	put_string(shown, node->kind == SYNTAX_RANGE && node->low_excluded ? "{" : names[node->kind]);
	if (node->text)
		put(shown, node->text, node->length);
	if (node->kind == SYNTAX_RANGE) {
		put_string(shown, " TO ");
		if (node->high)
			put(shown, node->high, node->high_length);
		put_string(shown, node->high_excluded ? "}" : "]");
	}
	put_string(shown, node->kind == SYNTAX_QUOTATION ? "\"" : "");
	for (const struct syntax *member = node->members; member; member = member->next) {
		show(shown, member);
		put_string(shown, member->next ? " " : "");
	}
	put_string(shown, node->kind == SYNTAX_GROUP || node->kind == SYNTAX_NEAR ? ")" : "");
	if (node->counted)
		put_number(shown, node->ordered ? "!" : "~", node->number);
	put_string(shown, node->percent ? "%" : "");
	if (node->boost != 1 || node->constant)
		put_number(shown, node->constant ? "^=" : "^", (double)node->boost);
}

static int parse(struct syntax_result *result, struct arena *arena, const char *text, size_t length, bool strict,
                 trawl_error *error)
{
	return syntax_parse(result, text, length, &(struct syntax_options){.strict = strict, .has_field = has_field},
	                    arena, error);
}

/* The tree, without a note. */
static void check_read(const char *text, const char *expected, bool strict)
{
	struct arena arena = {0};
	struct syntax_result result;
	struct shown shown = {0};
	trawl_error error = {0};
	assert_int_equal(parse(&result, &arena, text, strlen(text), strict, &error), 0);
	show(&shown, result.tree);
	assert_string_equal(shown.text, expected);
	assert_null(result.notes);
	arena_release(&arena);
}

/* Both readers agree, and there is nothing to note. */
static void check(const char *text, const char *expected)
{
	check_read(text, expected, false);
	check_read(text, expected, true);
}

/* Plain syntax reads it so, with one note at byte `at`; strict syntax refuses it there. */
static void check_noted(const char *text, const char *expected, size_t at, const char *note)
{
	struct arena arena = {0};
	struct syntax_result result;
	struct shown shown = {0};
	trawl_error error = {0};
	assert_int_equal(parse(&result, &arena, text, strlen(text), false, &error), 0);
	show(&shown, result.tree);
	assert_string_equal(shown.text, expected);
	assert_non_null(result.notes);
	assert_int_equal(result.notes->at, at);
	assert_non_null(strstr(result.notes->text, note));
	assert_int_equal(parse(&result, &arena, text, strlen(text), true, &error), TRAWL_EINVAL);
	assert_int_equal(result.error_at, at);
	arena_release(&arena);
}

/* Plain syntax alone: text that it reads as words without a note. */
static void check_plain(const char *text, const char *expected)
{
	check_read(text, expected, false);
}

static void words_and_signs(void **state)
{
	(void)state;
	check("", "()");
	check(" \t\xc2\xa0\xe3\x80\x80", "()");
	check("red fish", "(red fish)");
	check("+red -fish blue", "(+red -fish blue)");
	check("rain\xe3\x80\x80spain\xc2\xa0\xef\xbc\x8d"
	      "france",
	      "(rain spain -france)");
	check("\xe2\x88\x92snow \xef\xbc\x8brain", "(-snow +rain)");
	check("well-known c++ C# .NET", "(well-known c++ C# .NET)");
	check_plain("--option - dash -- + end", "(--option - dash -- + end)");
	check("rain, wind; snow.", "(rain wind snow)");
}

static void operators_in_capitals(void **state)
{
	(void)state;
	check("rain NOT spain", "(rain -spain)");
	check("rain AND spain", "(+rain +spain)");
	check("rain && spain || france", "((+rain +spain) france)");
	check("rain OR spain", "(rain spain)");
	check("rain and spain or not", "(rain and spain or not)");
	check("a AND b NOT c", "(+a +b -c)");
	check("NOT c a AND b", "(-c +a +b)");
	check("a b AND c", "(a (+b +c))");
	check("a AND b OR c AND d", "((+a +b) (+c +d))");
	check("a AND NOT b", "(+a -b)");
	check("a OR NOT b", "(a (-b))");
	check("NOT a OR b", "((-a) b)");
	check("NOT -a", "(-a)");
}

static void groups_nest(void **state)
{
	(void)state;
	check("rain AND (spain OR france)", "(+rain +(spain france))");
	check("\xef\xbc\x88rain spain\xef\xbc\x89 x", "((rain spain) x)");
	check("(rain)", "(rain)");
	check("-(rain) +((snow))", "(-rain +snow)");
	check("NOT (a b)", "(-(a b))");
	check("(a b)~2 (a b c)~60%^2 (a b)^=1.5", "((a b)~2 (a b c)~60%^2 (a b)^=1.5)");
	check("f(x) foo(bar) (g(y) z)", "(f(x) foo(bar) (g(y) z))");
	check("(a AND (b OR (c NOT d)))", "((+a +(b (c -d))))");
}

static void quotations_of_all_kinds(void **state)
{
	(void)state;
	check("\"burst its banks\"", "(\"burst its banks\")");
	check("“burst its banks” «a b» „x y“ »z w« ”s t” ‹u v›",
	      "(\"burst its banks\" \"a b\" \"x y\" \"z w\" \"s t\" \"u v\")");
	check("東京「駅前」ホテル『本』 ＂q r＂ 〝c d〟", "(東京 \"駅前\" ホテル \"本\" \"q r\" \"c d\")");
	check("\"mixed marks”", "(\"mixed marks\")");
	check("\"in spain\"~3^2 +\"a b\" -\"c d\"", "(\"in spain\"~3^2 +\"a b\" -\"c d\")");
	check("5'11\" tall 12\" x", "(5'11\" tall 12\" x)");
	check("צה\"ל \"צה\"ל הודיע\"", "(צה\"ל \"צה\"ל הודיע\")");
	check("don’t ‘so’", "(don’t ‘so’)");
	check("\"AND\" \"(a\"", "(\"AND\" \"(a\")");
}

static void what_stands_at_a_word(void **state)
{
	(void)state;
	check("child* wom?n *burger x*y", "(prefix child like wom?n like *burger like x*y)");
	check("child＊", "(prefix child)");
	check_plain("what is rain? colou?r? **bold** 5*3 * ?", "(what is rain? like colou?r **bold** 5*3 * ?)");
	check("rian~ rian~1 rian~2^3", "(fuzzy rian fuzzy rian~1 fuzzy rian~2^3)");
	check("rain^2 rain^2.5 rain^=3", "(rain^2 rain^2.5 rain^=3)");
	check_plain("~ ^ ~5 ^2 a^b", "(~ ^ ~5 ^2 a^b)");
	check("=universe", "(exact universe)");
	check_plain("a = b ==x", "(a = b ==x)");
	check("*:* -x", "(*:* -x)");
}

static void near_joins_words_and_phrases(void **state)
{
	(void)state;
	check("a NEAR/3 b NEAR/3 c d", "(near(a b c)~3 d)");
	check("\"a b\" BEFORE/5 c -x", "(near(\"a b\" c)!5 -x)");
	check("+a NEAR/2 b", "(+near(a b)~2)");
	check("x AND a NEAR/2 b", "(+x +near(a b)~2)");
	check("NEARLY NEAR/ NEAR/x", "(NEARLY NEAR/ NEAR/x)");
}

static void fields_and_ranges(void **state)
{
	(void)state;
	check("title:river title:\"a b\"^2 -title:(a b)", "(title:river title:\"a b\"^2 -title:(a b))");
	check("date:[2012-01 TO 2012-06}", "(date:[2012-01 TO 2012-06})");
	check("date:{a TO *]", "(date:{a TO ])");
	check("date:>=2008 date:>1 date:<3 date:<=4", "(date:[2008 TO ] date:{1 TO ] date:[ TO 3} date:[ TO 4])");
	check("http://foo.com/a?b=c 12:30 C:\\x std::vector Re: localhost:8080",
	      "(http://foo.com/a?b=c 12:30 C:\\x std::vector Re localhost:8080)");
	check_noted("author:x", "(author:x)", 0, "no such field");
	check_noted("date:[x", "(date:[x)", 5, "not a range");
}

static void what_plain_syntax_notes_and_strict_refuses(void **state)
{
	(void)state;
	check_noted("say \"open phrase", "(say \"open phrase\")", 4, "does not end");
	check_noted("x (open group", "(x (open group))", 2, "not closed");
	check_noted(") shut", "(shut)", 0, "closes no bracket");
	check_noted("a () b", "(a b)", 2, "around nothing");
	check_noted("AND", "(AND)", 0, "an operator");
	check_noted("a AND", "(a AND)", 2, "an operator");
	check_noted("OR b", "(OR b)", 0, "an operator");
	check_noted("a AND OR b", "(a AND OR b)", 2, "an operator");
	check_noted("a NOT", "(a NOT)", 2, "an operator");
	check_noted("NOT NOT a", "(NOT -a)", 0, "an operator");
	check_noted("word~3", "(fuzzy word~2)", 0, "two edits");
	check_noted("a NEAR/2 (b c)", "(+a +(b c))", 2, "words and phrases alone");
	check_noted("\"a b\"~", "(\"a b\")", 5, "number");
}

static void an_excluded_number_is_told(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct syntax_result result;
	trawl_error error = {0};
	assert_int_equal(parse(&result, &arena, "-95", 3, false, &error), 0);
	assert_int_equal(result.tree->members->occur, OCCUR_EXCLUDED);
	assert_non_null(result.notes);
	assert_int_equal(parse(&result, &arena, "-95", 3, true, &error), 0);
	arena_release(&arena);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char text[2 * 200 + 2];
	struct arena arena = {0};
	struct syntax_result result;
	trawl_error error = {0};
	for (int depth = 64; depth <= 200; depth += 68) {
		memset(text, '(', (size_t)depth);
		text[depth] = 'a';
		memset(text + depth + 1, ')', (size_t)depth);
		assert_int_equal(parse(&result, &arena, text, (size_t)(2 * depth + 1), false, &error), 0);
		assert_int_equal(result.tree->members->kind, SYNTAX_WORD);
		assert_true((result.notes != NULL) == (depth > SYNTAX_DEPTH_MAX));
		assert_int_equal(parse(&result, &arena, text, (size_t)(2 * depth + 1), true, &error),
		                 depth > SYNTAX_DEPTH_MAX ? TRAWL_EINVAL : 0);
	}
	assert_int_equal(parse(&result, &arena, text, TRAWL_QUERY_MAX + 1, false, &error), TRAWL_ELIMIT);
	arena_release(&arena);
}

/* Every node but the root is in reach once, its text within the query; what is grouped has members. */
static size_t check_tree(const struct syntax *node, const char *text, size_t length)
{
	size_t nodes = 1;
	if (node->text)
		assert_true(node->text >= text && node->text + node->length <= text + length);
	assert_true(node->boost >= 0);
	for (const struct syntax *member = node->members; member; member = member->next) {
		assert_true(member->kind != SYNTAX_GROUP || member->members);
		nodes += check_tree(member, text, length);
	}
	return nodes;
}

static void any_text_is_a_query(void **state)
{
	(void)state;
	static const char *const parts[] = {
	    "a", "b",  "AND", "OR",           "NOT", "NEAR/3", "BEFORE/2", "(",      ")",     "\"", "“",    "”", "+",
	    "-", "~",  "~2",  "^2",           "*",   "?",      ":",        "title:", "date:", "[",  " TO ", "]", "{",
	    "}", ">",  "=",   "\xe3\x80\x80", "－",  "（",     "é",        "כ",      "東",    "%",  "\\",   ".", ",",
	    "«", "「", "!",   "&&",           "||",  "\xff",   "\xe2\x80", " ",      " ",     " ",  " "};
	uint64_t seed = test_seed();
	srand((unsigned)seed);
	for (int round = 0; round < 20000; round++) {
		char text[400];
		size_t length = 0;
		for (int n = rand() % 30; n > 0; n--) {
			const char *part = parts[(size_t)rand() % (sizeof parts / sizeof *parts)];
			memcpy(text + length, part, strlen(part));
			length += strlen(part);
		}
		char *exact = malloc(length ? length : 1);
		memcpy(exact, text, length);
		struct arena arena = {0};
		struct syntax_result result;
		trawl_error error = {0};
		assert_int_equal(parse(&result, &arena, exact, length, false, &error), 0);
		assert_true(check_tree(result.tree, exact, length) <= length + 1);
		bool noted = result.notes && strncmp(result.notes->text, "leaves out", 10) != 0;
		for (const struct syntax_note *note = result.notes; note && note->next; note = note->next) {
			assert_true(note->at <= note->next->at);
			noted |= strncmp(note->next->text, "leaves out", 10) != 0;
		}
		/* What plain syntax has nothing to say of is no error of strict syntax. */
		int code = parse(&result, &arena, exact, length, true, &error);
		assert_true(code == 0 || (code == TRAWL_EINVAL && result.error_at <= length && noted));
		arena_release(&arena);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_and_signs),
	    cmocka_unit_test(operators_in_capitals),
	    cmocka_unit_test(groups_nest),
	    cmocka_unit_test(quotations_of_all_kinds),
	    cmocka_unit_test(what_stands_at_a_word),
	    cmocka_unit_test(near_joins_words_and_phrases),
	    cmocka_unit_test(fields_and_ranges),
	    cmocka_unit_test(what_plain_syntax_notes_and_strict_refuses),
	    cmocka_unit_test(an_excluded_number_is_told),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(any_text_is_a_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
