/* The member "_trawl" of JSON Lines: what trawl export has to say beside the other fields is read to the byte, and what is not so costs its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/reserved.h"
#include "tests/seed.h"
#include "tests/sources.h"
#include "trawl.h"

static void expect_line(const char *line, const char *documents)
{
	write_text("a.jsonl", line);
	expect("a.jsonl", documents, "");
}

static void exact_bytes_take_the_place_of_the_others(void **state)
{
	(void)state;
	expect_line(
	    "{\"id\":\"x\",\"title\":\"t\",\"text\":\"b\",\"_trawl\":{\"id\":\"caf%E9\",\"text\":\"%25 a%0ab\"}}",
	    "caf\xe9|t|% a\nb|\n");
	expect_line("{\"id\":1,\"_trawl\" : { \"title\" : \"\\/%5C\" , \"id\" : \"\xc3\xa9\" } , \"text\":\"b\"}",
	            "\xc3\xa9|/\\|b|\n");
	expect_line("{\"id\":\"1\",\"_trawl\":{}}", "1|||\n");
}

static void fields_come_from_within_and_beside(void **state)
{
	(void)state;
	expect_line("{\"id\":\"1\",\"_trawl\":{\"fields\":{\"id\" : {\"}\":\"\\\"{\"},\"b\":[1]}}}",
	            "1|||{\"id\" : {\"}\":\"\\\"{\"},\"b\":[1]}\n");
	expect_line("{\"id\":\"1\",\"n\":1,\"_trawl\":{\"fields\":{\"id\":7}},\"m\":2}",
	            "1|||{\"n\":1,\"m\":2,\"id\":7}\n");
	expect_line("{\"id\":\"1\",\"_trawl\":{\"fields\":{}}}", "1|||{}\n");
	expect_line("{\"id\":\"1\",\"n\":1,\"_trawl\":{\"fields\":{}}}", "1|||{\"n\":1}\n");
	expect_line("{\"id\":\"1\",\"_trawl\":{\"fields\":\"no %FF object\"}}", "1|||no \xff object\n");
	expect_line("{\"id\":\"1\",\"n\":1,\"_trawl\":{\"fields\":\"{%22a%22:1}\"}}", "1|||{\"n\":1,\"a\":1}\n");
	expect_line("{\"id\":\"1\",\"_trawl\":{\"file\":\"d/%FF\"}}", "1|||{\"_trawl\":{\"file\":\"d/%FF\"}}\n");
	expect_line("{\"id\":\"1\",\"n\":1,\"_trawl\":{\"file\":true,\"fields\":{\"text\":2}}}",
	            "1|||{\"_trawl\":{\"file\":true},\"n\":1,\"text\":2}\n");
}

static void what_export_does_not_write_costs_its_line(void **state)
{
	(void)state;
	static const char *const wrong[] = {
	    "{\"id\":\"%\"}",     "{\"id\":\"%4\"}",  "{\"id\":\"%zz\"}",
	    "{\"id\":\"\"}",      "{\"id\":7}",       "{\"more\":\"x\"}",
	    "{\"text\":null}",    "{\"file\":false}", "{\"title\":\"\\u0041\"}",
	    "{\"file\":\"\\n\"}", "{\"fields\":[1]}", "{\"fields\":\"x\",\"file\":true}"};
	char line[256];
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(line, sizeof line, "{\"id\":\"1\",\"_trawl\":%s}\n{\"id\":\"2\"}\n", wrong[i]);
		write_text("a.jsonl", line);
		const char *path = "a.jsonl";
		struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
		assert_string_equal(outcome.documents.data, "2|||\n");
		assert_non_null(strstr((char *)outcome.problems.data, "a.jsonl:1"));
		assert_non_null(strstr((char *)outcome.problems.data, "\"_trawl\""));
		release_outcome(&outcome);
	}
	expect_line("{\"id\":\"1\",\"_trawl\":\"mine\"}", "1|||{\"_trawl\":\"mine\"}\n");
}

static void the_member_is_measured_within_its_bounds(void **state)
{
	(void)state;
	static const char whole[] = "{\"_trawl\":{\"file\":\"a%20b\"},\"n\":1}", id[] = "{\"_trawl\":{\"file\":true}}";
	assert_int_equal(reserved_length(whole, strlen(whole)), strlen(whole) - strlen(",\"n\":1}"));
	assert_int_equal(reserved_length(id, strlen(id)), strlen(id) - 1);
	for (size_t i = 0; i < strlen(id) - 1; i++) {
		char *copy = malloc(i + 1); /* of the very size: a byte too far is found */
		assert_non_null(copy);
		memcpy(copy, id, i);
		assert_int_equal(reserved_length(copy, i), 0);
		free(copy);
	}
	assert_int_equal(reserved_length("{\"_trawl\":{\"file\":\"a", 20), 0);
	assert_int_equal(reserved_length("{\"a\":1}", 7), 0);
}

static void damaged_lines_never_do_worse_than_being_skipped(void **state)
{
	(void)state;
	static const char whole[] =
	    "{\"id\":\"1\",\"n\":{\"a\":[1]},\"_trawl\":{\"id\":\"a%E9\",\"title\":\"%41\",\"text\":\"b\\/\","
	    "\"fields\":{\"id\":[7,{}]},\"file\":\"d/%20\"},\"m\":\"x\"}";
	static const char palette[] = "{}[]\",:\\%0tfn-1. \x01\x80";
	srandom((unsigned)test_seed());
	FILE *file = fopen("a.jsonl", "wb");
	assert_non_null(file);
	for (int i = 0; i < 20000; i++) {
		char line[sizeof whole];
		memcpy(line, whole, sizeof whole);
		for (long changes = 1 + random() % 3; changes > 0; changes--)
			line[(size_t)random() % (sizeof whole - 1)] = palette[(size_t)random() % (sizeof palette - 1)];
		fprintf(file, "%s\n", line);
	}
	assert_int_equal(fclose(file), 0);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.progress.documents > 100 && outcome.progress.skipped > 100);
	release_outcome(&outcome);
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	const char *path = "a.jsonl";
	write_text(
	    path, "{\"id\":\"1\",\"n\":1,\"_trawl\":{\"id\":\"a\",\"title\":\"b\",\"text\":\"c\",\"fields\":{\"id\":1},"
	          "\"file\":true}}\n");
	int status = TRAWL_ENOMEM;
	for (long n = 0; n < 1000 && status != 1; n++) {
		trawl_source *source;
		trawl_document document;
		memory_fail_after(n, false);
		status = trawl_source_open(&source, &path, 1, NULL, NULL);
		if (status == TRAWL_OK)
			status = trawl_source_next(source, &document, NULL);
		memory_fail_after(-1, false);
		assert_true(status == 1 || status == TRAWL_ENOMEM);
		trawl_source_close(source);
	}
	assert_int_equal(status, 1);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest claims[] = {
	    CLAIM(exact_bytes_take_the_place_of_the_others),        CLAIM(fields_come_from_within_and_beside),
	    CLAIM(what_export_does_not_write_costs_its_line),       CLAIM(the_member_is_measured_within_its_bounds),
	    CLAIM(damaged_lines_never_do_worse_than_being_skipped), CLAIM(memory_may_run_out_anywhere),
	};
	return cmocka_run_group_tests(claims, NULL, NULL);
}
