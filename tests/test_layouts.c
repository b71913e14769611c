/* What a file may be: JSON laid out in any way, texts that begin like it, and encodings. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "input/encoding.h"
#include "input/json_scan.h"
#include "input/reader.h"
#include "tests/seed.h"
#include "tests/sources.h"
#include "trawl.h"

/* The bytes are the same documents under every name, on standard input, and in pieces of whatever size. */
static void expect_everywhere(const char *text, const char *documents)
{
	write_text("a.json", text);
	expect("a.json", documents, "");
	write_text("a.txt", text);
	expect("a.txt", documents, "");
	expect_stdin(text, strlen(text), (trawl_source_options){0}, documents, "");
}

/* ---- layouts ----------------------------------------------------------------------------------------------------- */

static void json_is_read_however_it_is_laid_out(void **state)
{
	(void)state;
	static const char documents[] = "1||a|\n2||b ]}|{\"x\":[{\"y\":{}},[]]}\n3||c|\n";
	static const char *const layouts[] = {
	    "{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\"b "
	    "]}\",\"x\":[{\"y\":{}},[]]}\n{\"id\":3,\"text\":\"c\"}\n",
	    "{\"id\":1,\"text\":\"a\"}{\"id\":2,\"text\":\"b ]}\",\"x\":[{\"y\":{}},[]]} {\"id\":3,\"text\":\"c\"}",
	    "{\"id\":1,\"text\":\"a\"},\r\n{\"id\":2,\"text\":\"b "
	    "]}\",\"x\":[{\"y\":{}},[]]},\r\n{\"id\":3,\"text\":\"c\"}",
	    "[{\"id\":1,\"text\":\"a\"},{\"id\":2,\"text\":\"b ]}\",\"x\":[{\"y\":{}},[]]},{\"id\":3,\"text\":\"c\"}]",
	    "[\n{\"id\":1,\"text\":\"a\"},\n{\"id\":2,\"text\":\"b "
	    "]}\",\"x\":[{\"y\":{}},[]]},\n{\"id\":3,\"text\":\"c\"}\n]\n",
	    "[ {\"id\":1,\"text\":\"a\"}\n, {\"id\":2,\"text\":\"b ]}\",\"x\":[{\"y\":{}},[]]}\n, "
	    "{\"id\":3,\"text\":\"c\"}\n, ]",
	    "{\n  \"id\": 1,\n  \"text\": \"a\"\n}\n{\n  \"id\": 2,\n  \"text\": \"b "
	    "]}\",\"x\":[{\"y\":{}},[]]\n}\n{\n  \"id\": 3,\n  "
	    "\"text\": \"c\"\n}\n",
	    "[\n  {\n    \"id\": 1,\n    \"text\": \"a\"\n  },\n  {\n    \"id\": 2,\n    \"text\": \"b "
	    "]}\",\"x\":[{\"y\":{}},[]]\n  },\n"
	    "  {\n    \"id\": 3,\n    \"text\": \"c\"\n  }\n]\n",
	    "[{\"id\":1,\"text\":\"a\"}]\n[{\"id\":2,\"text\":\"b "
	    "]}\",\"x\":[{\"y\":{}},[]]},{\"id\":3,\"text\":\"c\"}]\n",
	    "\n\n{\"id\":1,\"text\":\"a\"}\n\n{\"id\":2,\n\"text\":\"b "
	    "]}\",\"x\":[{\"y\":{}},[]]}\n\n{\"id\":3,\"text\":\"c\"}",
	    "\xef\xbb\xbf{\"id\":1,\"text\":\"a\"}\n\xef\xbb\xbf{\"id\":2,\"text\":\"b ]}\",\"x\":[{\"y\":{}},[]]}\n"
	    "\xef\xbb\xbf{\"id\":3,\"text\":\"c\"}",
	};
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		expect_everywhere(layouts[i], documents);
	expect_everywhere("[{\"id\":\"\\u0041\",\"text\":\"a\"}]", "A||a|\n");
	write_text("empty.json", "[]");
	expect("empty.json", "", "");
	write_text("sequence.json", "\x1e{\"id\":1}\n\x1e{\"id\":2}\n"); /* RFC 7464 */
	expect_with("sequence.json", (trawl_source_options){.format = TRAWL_FORMAT_JSONL}, "1|||\n2|||\n", "");
}

static void a_text_that_begins_like_json_is_a_text(void **state)
{
	(void)state;
	static const char *const texts[] = {"[1] a note",
	                                    "{x} is a set",
	                                    "{\"a quotation\" in braces}",
	                                    "[{\"id\":",
	                                    "{\"name\":\"settings\",\"size\":3}",
	                                    "{}",
	                                    "[]",
	                                    "{",
	                                    "["};
	char expected[100];
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_text("a.txt", texts[i]);
		snprintf(expected, sizeof expected, "a.txt|%s||\n", texts[i]);
		expect("a.txt", expected, "");
	}
	expect_stdin("[1] a note", 10, (trawl_source_options){0}, "stdin|[1] a note||\n", "");
	expect_stdin("{x}", 3, (trawl_source_options){0}, "stdin|{x}||\n", "");
}

static void a_text_named_as_json_is_told_once(void **state)
{
	(void)state;
	write_text("a.json", "id,text\n1,a\n2,b\n");
	expect("a.json", "", "a.json: no JSON object in it, for all its name; --format text reads it as a text\n");
	expect_with("a.json", (trawl_source_options){.format = TRAWL_FORMAT_TEXT}, "a.json|id,text|1,a\n2,b\n|\n", "");
	write_text("b.jsonl", "# a comment\n{\"id\":1}\n");
	expect("b.jsonl", "1|||\n", "b.jsonl:1:1: not a JSON object: JSON Lines wants one object a line\n");
	assert_int_equal(mkdir("x.json", 0777), 0);
	write_text("x.json/a", "text");
	expect("x.json", "x.json/a|text||\n", "");
}

/* ---- what is wrong ----------------------------------------------------------------------------------------------- */

static void what_is_wrong_with_an_object_costs_no_other(void **state)
{
	(void)state;
	write_text("a.json", "[{\"id\":1},\n {\"id\":tru},\n {\"id\":3,\"text\":\"cut\n },\n {\"id\":4,\"x\":[1}, "
	                     "{\"id\":5},\n {\"id\":6}]");
	expect("a.json", "1|||\n6|||\n",
	       "a.json:2:8: invalid JSON: a value is missing or misspelt\n"
	       "a.json:3:2: a string does not end on its line, 3\n"
	       "a.json:5:2: invalid JSON at line 5, column 16\n");
	write_text("b.json", "[\n  {\n    \"id\": 1\n  },\n  {\n    \"id\": 2,\n    \"text\": \"cut\n  }, {\n    "
	                     "\"id\": 3,\n    \"x\": 0x1\n"
	                     "  }, {\n    \"id\": 4\n  }\n]\n");
	expect("b.json", "1|||\n4|||\n",
	       "b.json:5:3: a string does not end on its line, 7\n"
	       "b.json:10:10: invalid JSON: a value is missing or misspelt\n");
	write_text("c.json", "[{\"id\":1}, 7, \"a, b\", [{}], null, {\"id\":2}]");
	expect("c.json", "1|||\n2|||\n",
	       "c.json:1:12: not a JSON object\nc.json:1:15: not a JSON object\n"
	       "c.json:1:23: not a JSON object, but an array\nc.json:1:29: not a JSON object\n");
}

static void what_is_cut_off_is_told_as_such(void **state)
{
	(void)state;
	write_text("a.json", "[{\"id\":1},\n {\"id\":2},\n");
	expect("a.json", "1|||\n2|||\n", "a.json:3:1: cut off: the array does not end\n");
	write_text("b.json", "[\n  {\n    \"id\": 1\n  },\n  {\n    \"id\": 2,\n    \"te");
	expect("b.json", "1|||\n", "b.json:5:3: cut off: the object that begins here does not end\n");
	write_text("c.json", "[{\"id\":1},{\"id\":2,\"text\":\"a\n");
	expect("c.json", "1|||\n",
	       "c.json:1:11: a string does not end on its line, 1; nothing that follows can be read\n");
}

static void a_line_that_is_cut_off_costs_no_other(void **state)
{
	(void)state;
	static const char *const cut[] = {"{\"id\":2",           "{\"id\":2,", "{\"id\":2,\"x\":", "{\"id\":2,\"x\":[",
	                                  "{\"id\":2,\"x\":[1,", "{",          "{\"id\":2,\"te"};
	char text[200];
	for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
		snprintf(text, sizeof text, "{\"id\":1}\n%s\n{\"id\":3}\n{\"id\":4}\n", cut[i]);
		write_text("a.jsonl", text);
		const char *path = "a.jsonl";
		struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
		assert_string_equal(outcome.documents.data, "1|||\n3|||\n4|||\n");
		assert_int_equal(outcome.progress.skipped, 1);
		assert_memory_equal(outcome.problems.data, "a.jsonl:2", 9);
		release_outcome(&outcome);
	}
}

/* Lines that each could be the beginning of an object up to the end of the file are not all tried to there. */
static void many_objects_that_do_not_end_take_no_square_of_time(void **state)
{
	(void)state;
	FILE *file = fopen("a.jsonl", "w");
	for (int i = 0; i < 300000; i++)
		fputs("{\"a\":[\n\"x\",\n", file);
	fputs("\n{\"id\":1}\n", file);
	fclose(file);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.documents.data, "1|||\n");
	release_outcome(&outcome);
}

static void an_object_over_the_limit_is_passed_over(void **state)
{
	(void)state;
	enum { LONG = 3 << 20 };
	char *text = malloc(LONG + 100);
	size_t head = (size_t)sprintf(text, "[{\"id\":1},{\"id\":2,\n\"text\":\"");
	memset(text + head, 'x', LONG);
	strcpy(text + head + LONG, "\"},\n{\"id\":3}]");
	write_text("a.json", text);
	free(text);
	expect_with("a.json", (trawl_source_options){.memory_budget = 1 << 20}, "1|||\n3|||\n",
	            "a.json:1:11: object longer than 1 MiB, a 32nd of the memory allowed\n");
}

/* ---- encodings --------------------------------------------------------------------------------------------------- */

static void utf16_and_utf32_with_a_mark_are_read(void **state)
{
	(void)state;
	write_bytes("a.txt",
	            "\xff\xfe"
	            "c\0a\0f\0\xe9\0\n\0\x3d\xd8\0\xde",
	            16);
	expect("a.txt", "a.txt|caf\xc3\xa9|\xf0\x9f\x98\x80|\n", "");
	write_bytes("b.txt", "\xfe\xff\0c\0a\0f\0\xe9", 10);
	expect("b.txt", "b.txt|caf\xc3\xa9||\n", "");
	write_bytes("c.txt", "\xff\xfe\0\0a\0\0\0", 8);
	expect("c.txt", "c.txt|a||\n", "");
	write_bytes("d.txt", "\0\0\xfe\xff\0\0\0a", 8);
	expect("d.txt", "d.txt|a||\n", "");
	write_bytes("e.jsonl",
	            "\xff\xfe{\0\"\0i\0d\0\"\0:\0"
	            "1\0}\0\n\0{\0\"\0i\0d\0\"\0:\0"
	            "2\0}\0",
	            36);
	expect("e.jsonl", "1|||\n2|||\n", "");
	write_bytes("f.txt",
	            "\xff\xfe"
	            "a\0\0\xd8"
	            "b\0c",
	            9);
	expect("f.txt",
	       "f.txt|a\xef\xbf\xbd"
	       "b\xef\xbf\xbd||\n",
	       "f.txt: 2 places that are no UTF-16LE became U+FFFD\n");
	write_bytes("g.txt", "\xff\xfe\x12\x34\x00\x00\x05", 7);
	expect("g.txt", "", "g.txt: binary file\n");
}

static void a_long_file_is_converted_in_pieces(void **state)
{
	(void)state;
	enum { LINES = 100000 };
	FILE *file = fopen("a.jsonl", "wb");
	char line[64];
	fwrite("\xff\xfe", 1, 2, file);
	for (int i = 0; i < LINES; i++) {
		int length = snprintf(line, sizeof line, "{\"id\":%d,\"text\":\"\xe9%d\"}\n", i, i * 7919);
		for (int j = 0; j < length; j++)
			fwrite((char[]){line[j], 0}, 1, 2, file);
	}
	fclose(file);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.progress.documents, LINES);
	assert_string_equal(outcome.problems.data, "");
	assert_non_null(strstr((char *)outcome.documents.data, "\n99999||\xc3\xa9"
	                                                       "791892081|\n"));
	release_outcome(&outcome);
}

static void text_that_is_no_utf8_is_read_as_what_it_looks_like(void **state)
{
	(void)state;
	write_text("latin.txt", "caf\xe9 cr\xe8me\n\x80 9 \x96 \x93so\x94");
	expect("latin.txt",
	       "latin.txt|caf\xc3\xa9 cr\xc3\xa8me|\xe2\x82\xac 9 \xe2\x80\x93 \xe2\x80\x9cso\xe2\x80\x9d|\n",
	       "latin.txt: not UTF-8, read as windows-1252 (--encoding names another)\n");
	write_text("mostly.txt", "\xc3\xa9\xc3\xa8\xc3\xa0 \xff");
	expect("mostly.txt", "mostly.txt|\xc3\xa9\xc3\xa8\xc3\xa0 \xef\xbf\xbd||\n",
	       "mostly.txt: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n");
	/* "Privet, mir! Kak dela?" in windows-1251: nearly all of its letters are above 0x7f, as in no western language. */
	write_text("cyrillic.txt", "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xca\xe0\xea \xe4\xe5\xeb\xe0?");
	const char *path = "cyrillic.txt";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_string_equal(outcome.problems.data,
	                    "cyrillic.txt: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n");
	release_outcome(&outcome);
	/* "nihongo no tekisuto" in Shift-JIS. */
	write_text("japanese.txt", "\x93\xfa\x96{\x8c\xea\x82\xcc\x83\x65\x83L\x83X\x83g");
	path = "japanese.txt";
	outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_non_null(strstr((char *)outcome.problems.data, "invalid UTF-8"));
	release_outcome(&outcome);
	expect_with("cyrillic.txt", (trawl_source_options){.encoding = "windows-1251"},
	            "cyrillic.txt|\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xbc\xd0\xb8\xd1\x80! "
	            "\xd0\x9a\xd0\xb0\xd0\xba \xd0\xb4\xd0\xb5\xd0\xbb\xd0\xb0?||\n",
	            "");
}

static void the_encoding_can_be_named(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":1,\"text\":\"\xa4\"}\n");
	expect_with("a.jsonl", (trawl_source_options){.encoding = "ISO-8859-15"}, "1||\xe2\x82\xac|\n", "");
	write_bytes("b.txt", "h\0\xe9\0l\0l\0o\0", 10);
	expect_with("b.txt", (trawl_source_options){.encoding = "UTF-16LE"}, "b.txt|h\xc3\xa9llo||\n", "");
	write_text("c.txt", "\xef\xbb\xbf"
	                    "caf\xc3\xa9"); /* a mark says it better */
	expect_with("c.txt", (trawl_source_options){.encoding = "latin1"}, "c.txt|caf\xc3\xa9||\n", "");
	write_text("d.txt", "a\xff"
	                    "b");
	expect_with("d.txt", (trawl_source_options){.encoding = "utf-8"},
	            "d.txt|a\xef\xbf\xbd"
	            "b||\n",
	            "d.txt: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n");
	const char *path = "d.txt";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){.encoding = "no-such"});
	assert_int_equal(outcome.status, TRAWL_EINVAL);
	assert_string_equal(outcome.error.text, "no such encoding: no-such; 'iconv -l' lists them");
	release_outcome(&outcome);
}

/* ---- random layouts ---------------------------------------------------------------------------------------------- */

/* Objects with random white space, brackets and line ends around them come out in their order, all of them. */
static void any_mixture_of_layouts_is_read(void **state)
{
	(void)state;
	srandom((unsigned)test_seed());
	static const char *const gaps[] = {"", " ", "\n", "\r\n", ",", ", ", ",\n", "\n\n\t", "][", "]\n[", "],["};
	static const char *const bodies[] = {"{\"id\":%d}", "{\n \"id\":%d\n}",
	                                     "{ \"x\":[\n{\"a\":\"\\\"}]\"}],\"id\":%d}",
	                                     "{\"id\"\n:%d,\"text\":\"[{\"}"};
	for (int round = 0; round < 300; round++) {
		FILE *file = fopen("a.json", "w");
		bool array = random() % 2;
		int count = (int)(random() % 20) + 1;
		fputs(array ? "[" : "", file);
		for (int i = 0; i < count; i++) {
			fprintf(file, bodies[random() % 4], i);
			if (i + 1 < count)
				fputs(gaps[random() % (array ? 11 : 8)], file);
		}
		fputs(array ? "]" : "", file);
		fclose(file);
		const char *path = "a.json";
		struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
		if (outcome.progress.documents != (uint64_t)count || *outcome.problems.data)
			fail_msg("round %d: %d objects, %d read: %s", round, count, (int)outcome.progress.documents,
			         (char *)outcome.problems.data);
		release_outcome(&outcome);
	}
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLAIM(json_is_read_however_it_is_laid_out),
	    CLAIM(a_text_that_begins_like_json_is_a_text),
	    CLAIM(a_text_named_as_json_is_told_once),
	    CLAIM(what_is_wrong_with_an_object_costs_no_other),
	    CLAIM(what_is_cut_off_is_told_as_such),
	    CLAIM(a_line_that_is_cut_off_costs_no_other),
	    CLAIM(many_objects_that_do_not_end_take_no_square_of_time),
	    CLAIM(an_object_over_the_limit_is_passed_over),
	    CLAIM(utf16_and_utf32_with_a_mark_are_read),
	    CLAIM(a_long_file_is_converted_in_pieces),
	    CLAIM(text_that_is_no_utf8_is_read_as_what_it_looks_like),
	    CLAIM(the_encoding_can_be_named),
	    CLAIM(any_mixture_of_layouts_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
