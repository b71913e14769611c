/* test_lines.c - what the tool prints: chosen fields, wrapped lines, shortened names. */
#include "cli/fields.c" /* these are not part of the library */
#include "cli/reserved.c"
#include "cli/text.c"
#include "cli/wrap.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What is printed from here to printed(), NUL-terminated; to be freed. */
static FILE *screen;
static char *caught;
static size_t caught_length;

static void catch_output(void)
{
	screen = stdout;
	stdout = open_memstream(&caught, &caught_length);
	assert_non_null(stdout);
}

static char *printed(void)
{
	fclose(stdout);
	stdout = screen;
	return caught;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static char *chosen(const char *names, const char *fields, size_t length)
{
	struct field_choice choice;
	assert_true(field_choice_parse(&choice, names));
	char *exact = malloc(length + 1); /* so that a sanitizer sees what is read past the end */
	memcpy(exact, fields, length);
	exact = realloc(exact, length ? length : 1);
	trawl_document document = {.fields = exact, .fields_length = length, .text = "T", .text_length = 1};
	catch_output();
	print_fields(&choice, &document);
	free(exact);
	return printed();
}

static void assert_chosen(const char *names, const char *fields, const char *expected)
{
	char *got = chosen(names, fields, strlen(fields));
	assert_string_equal(got, expected);
	free(got);
}

static void fields_keep_the_bytes_they_were_given(void **state)
{
	(void)state;
	assert_chosen("a", "{\"a\":1.10,\"b\":2}", "{\"a\":1.10}");
	assert_chosen("b,a", " { \"a\" : [ 1 , {} ] ,\n\"b\" : \"}\\\"\" } ", "{\"a\":[ 1 , {} ],\"b\":\"}\\\"\"}");
	assert_chosen("a.b", "{\"a\":{\"b\":1e400,\"c\":0},\"a.b\":true}", "{\"a\":{\"b\":1e400},\"a.b\":true}");
	assert_chosen("a.b", "{\"a\":[{\"c\":1},7,[{\"b\":1}],{\"b\":2}]}", "{\"a\":[{\"b\":2}]}");
	assert_chosen("\xc3\xa9", "{\"\\u00e9\":1}", "{\"\\u00e9\":1}");
	assert_chosen("text", "{\"a\":1}", "{\"text\":\"T\"}");
	assert_chosen("text", "{\"text\":1}", "{\"text\":1}");
	assert_chosen("all", "{\"a\":\n1}", "{\"a\": 1}");
	assert_chosen("all", "", "{}");
	assert_chosen("all", "no object", "\"no object\"");
	assert_chosen("a", "no object", "{}");
}

/* A program may store anything as fields. */
static void fields_that_are_no_json_are_not_read_past_their_end(void **state)
{
	(void)state;
	static const char fields[] =
	    "{\"a\":{\"b\":[{\"c\":\"x\\\"\"},[1]],\"b\":\"\\u00e9\\\\\"},\"\\\"\":null,\"a.b\":12}";
	for (size_t length = 0; length < sizeof fields; length++) {
		free(chosen("a.b.c,a.b,\"", fields, length));
		free(chosen("all", fields, length));
	}
	static const char signs[] = "{}[]\",:\\a1 ";
	char text[24];
	uint32_t random = 7;
	for (int round = 0; round < 20000; round++) {
		size_t length = (random = random * 1664525 + 1013904223) >> 16;
		length %= sizeof text;
		for (size_t i = 0; i < length; i++)
			text[i] = signs[((random = random * 1664525 + 1013904223) >> 16) % (sizeof signs - 1)];
		free(chosen("a,a.a,1.a", text, length));
		free(chosen("a.a", text, length));
	}
	size_t depth = 100000;
	char *deep = malloc(5 * depth);
	for (size_t i = 0; i < depth; i++)
		memcpy(deep + 5 * i, "{\"a\":", 5);
	free(chosen("a.a.a.a.a.a.a.a.a.b", deep, 5 * depth));
	free(deep);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static char *wrapped(const char *text, size_t length, size_t columns, size_t used, const trawl_span *marks,
                     size_t count)
{
	struct wrapping wrapping = {
	    .columns = columns, .indent = 3, .used = used, .before = "*", .behind = "*", .mark_columns = 1};
	catch_output();
	write_wrapped(&wrapping, text, length, marks, count);
	return printed();
}

static void assert_wrapped(const char *text, size_t columns, size_t used, const char *expected)
{
	char *got = wrapped(text, strlen(text), columns, used, NULL, 0);
	assert_string_equal(got, expected);
	free(got);
}

static void lines_end_between_words(void **state)
{
	(void)state;
	assert_wrapped("one two three four", 12, 3, "one two\n   three\n   four");
	assert_wrapped("one two three four", 13, 4, "one two\n   three four");
	assert_wrapped("one two", 0, 3, "one two");
	assert_wrapped("one two", 10, 10, "\n   one two");
	assert_wrapped("abcdefghijklmnop q", 9, 3, "abcdef\n   ghijkl\n   mnop q");
	assert_wrapped("\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xa7\xe3\x80\x82", 9, 3, /* no line begins with a full stop */
	               "\xe6\x9d\xb1\xe4\xba\xac\n   \xe3\x81\xa7\xe3\x80\x82");
	assert_wrapped("e\xcc\x81"
	               "e\xcc\x81"
	               "e\xcc\x81",
	               5, 3,
	               "e\xcc\x81"
	               "e\xcc\x81\n   e\xcc\x81");
	assert_wrapped("a\nb\x1b[m\xff", 80, 3, "a b\xef\xbf\xbd[m\xef\xbf\xbd");
	const trawl_span marks[] = {{0, 3}, {8, 5}};
	char *got = wrapped("one two three four", 18, 14, 3, marks, 2);
	assert_string_equal(got, "*one* two\n   *three*\n   four");
	free(got);
}

/* Whatever the text and the marks, no line is longer, and nothing but spaces and line ends is lost. */
static void wrapped_lines_have_all_the_text(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", " ", "bc",           "\xe6\x9d\xb1", "\xcc\x81",
	                                     "-", "/", "\xe3\x80\x82", "\xff"};
	uint32_t random = 3;
	for (int round = 0; round < 3000; round++) {
		char text[200] = "", joined[800] = "", wanted[800] = "";
		for (size_t i = 0; i < 40; i++)
			strcat(text, pieces[((random = random * 1664525 + 1013904223) >> 16) % 9]);
		size_t columns = 6 + round % 20;
		char *got = wrapped(text, strlen(text), columns, 3, NULL, 0),
		     *whole = wrapped(text, strlen(text), 0, 3, NULL, 0);
		for (char *line = strtok(got, "\n"), *first = line; line; line = strtok(NULL, "\n")) {
			assert_true(text_columns(line, strlen(line)) + (line == first ? 3 : 0) <= columns);
			strcat(joined, line);
		}
		for (char *from = joined, *to = joined; (*to = *from); from++)
			to += *to != ' ';
		for (char *from = whole, *to = wanted; (*to = *from); from++)
			to += *to != ' ';
		assert_string_equal(joined, wanted);
		free(got);
		free(whole);
	}
}

static void names_lose_their_middle(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t columns;
		const char *expected;
	} cases[] = {
	    {"abcdefghij", 10, "abcdefghij"},
	    {"abcdefghij", 7, "ab\xe2\x80\xa6ghij"},
	    {"abcdefghij", 1, "\xe2\x80\xa6"},
	    {"\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac", 7, "\xe6\x9d\xb1\xe2\x80\xa6\xe6\x9d\xb1\xe4\xba\xac"},
	    {"abcdefgh", 0, "abcdefgh"},
	    {"", 5, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		catch_output();
		size_t columns = write_shortened(cases[i].name, strlen(cases[i].name), cases[i].columns);
		char *got = printed();
		assert_string_equal(got, cases[i].expected);
		assert_int_equal(columns, text_columns(got, strlen(got)));
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_keep_the_bytes_they_were_given),
	    cmocka_unit_test(fields_that_are_no_json_are_not_read_past_their_end),
	    cmocka_unit_test(lines_end_between_words),
	    cmocka_unit_test(wrapped_lines_have_all_the_text),
	    cmocka_unit_test(names_lose_their_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
