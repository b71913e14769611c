/* test_game.c - the commands of the search-benchmark-game protocol; tests/bench/test_game.sh has the conversation. */
#include "bench/game.c" /* not part of the library */
#include "bench/support.c"
#include "cli/text.c"
#include "cli/trec.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_command_says_what_it_wants(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct game_command wanted;
	} cases[] = {{"COUNT", {0, true, false}},           {"TOP_10", {10, false, false}},
	             {"TOP_1000", {1000, false, false}},    {"TOP_10_COUNT", {10, true, false}},
	             {"TOP_100_COUNT", {100, true, false}}, {"TOP_10_DOCS", {10, false, true}},
	             {"TOP_1_DOCS", {1, false, true}},      {"TOP_10000", {10000, false, false}}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct game_command command;
		assert_true(game_command_parse(cases[i].name, strlen(cases[i].name), &command));
		assert_int_equal(command.top, cases[i].wanted.top);
		assert_int_equal(command.count, cases[i].wanted.count);
		assert_int_equal(command.documents, cases[i].wanted.documents);
	}
}

static void what_is_no_command_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
	                                  "TOP",
	                                  "TOP_",
	                                  "TOP_0",
	                                  "TOP_010",
	                                  "TOP_10001",
	                                  "TOP_-1",
	                                  "TOP_10_",
	                                  "TOP_10DOCS",
	                                  "TOP_10_DOCS_",
	                                  "TOP_COUNT",
	                                  "count",
	                                  "COUNT ",
	                                  "COUNTS",
	                                  "UNOPTIMIZED_COUNT",
	                                  "TOP_99999999999999999999999999999999",
	                                  "TOP__DOCS",
	                                  "TOP_10_COUNT_DOCS"};
	struct game_command command;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(game_command_parse(bad[i], strlen(bad[i]), &command));
	assert_false(game_command_parse("TOP_10\0", 7, &command));
	assert_true(game_command_parse("TOP_10", 5, &command)); /* the length counts: TOP_1 */
	assert_int_equal(command.top, 1);
}

/* A conversation without an engine: lines that ask nothing of it. */
static void every_line_gets_a_line(void **state)
{
	(void)state;
	int input[2], output[2];
	assert_int_equal(pipe(input), 0);
	assert_int_equal(pipe(output), 0);
	static const char lines[] = "FOO\tx\n\n\tx\nCOUNT\nTOP_10\r\nlast";
	assert_int_equal(write(input[1], lines, sizeof lines - 1), sizeof lines - 1);
	close(input[1]);
	trawl_search_options options = {0};
	assert_int_equal(game_run(NULL, &options, input[0], output[1]), 0);
	close(output[1]);
	char answers[512];
	ssize_t length = read(output[0], answers, sizeof answers - 1);
	assert_true(length > 0);
	answers[length] = '\0';
	assert_string_equal(answers, "UNSUPPORTED\nUNSUPPORTED\nUNSUPPORTED\nERROR no tab after the command\n"
	                             "ERROR no tab after the command\nUNSUPPORTED\n");
	close(input[0]);
	close(output[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_command_says_what_it_wants),
	    cmocka_unit_test(what_is_no_command_is_refused),
	    cmocka_unit_test(every_line_gets_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
