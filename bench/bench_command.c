/* bench_command.c - `trawl bench`: how fast an index answers. */
#include "bench/commands.h"
#include "bench/game.h"
#include "bench/plot.h"
#include "bench/report.h"
#include "bench/search_options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "trawl bench measures how fast an index answers queries.\n"
    "\n"
    "  trawl bench arxiv.trawl queries.jsonl               time every query for its best 10 hits\n"
    "  trawl bench arxiv.trawl queries.jsonl -n 1000       for its best 1000\n"
    "  trawl bench arxiv.trawl queries.jsonl --count       and count all matches as well\n"
    "  trawl bench arxiv.trawl queries.jsonl --rounds 50 --pin 1\n"
    "                                                      steadier figures, on one processor\n"
    "  trawl bench arxiv.trawl queries.jsonl --json >a     figures for another program\n"
    "  trawl bench arxiv.trawl queries.jsonl --plot a.svg  a picture of the distribution\n"
    "  trawl bench --protocol game arxiv.trawl <commands   answer COMMAND<TAB>QUERY, line by line\n"
    "\n"
    "QUERIES has a query a line, as plain text or as {\"query\": \"...\", \"tags\": [\"...\"]}; '-' is standard "
    "input.\n"
    "Every tag gets its own line of figures. The results' hash is the same for the same index and options: compare\n"
    "it before you compare times.\n"
    "\n"
    "  -n, --top N         hits wanted (10); 0 with --count: count only\n"
    "      --count         count all matching documents too\n"
    "      --command C     TOP_10, TOP_100, TOP_1000, COUNT, TOP_10_COUNT, ...: --top and --count in one word\n"
    "      --rounds N      timed rounds over all queries (10)\n"
    "      --warmup N      rounds before these (2)\n"
    "      --pin CPU       stay on this processor\n"
    "      --json          one JSON object instead of the table\n"
    "      --plot FILE     draw the distribution of the times into FILE.svg or FILE.png\n"
    "      --protocol game the search-benchmark-game protocol on standard input and output: COUNT, TOP_n,\n"
    "                      TOP_n_COUNT, and TOP_n_DOCS for the hits as id:score\n"
    "      --k1 X, --b X   BM25's parameters (0.9 and 0.4)\n"
    "      --stable-ties   equal scores in order of the ids\n"
    "\n"
    "Exit status: 0 measured, 1 the results differed between rounds, 2 error.\n";

struct bench_options {
	struct measure_plan plan;
	bool json, game, pinned, help, top_set, count_set, command_set;
	size_t processor;
	const char *plot_path;
};

enum {
	OPTION_COUNT = 256,
	OPTION_COMMAND,
	OPTION_ROUNDS,
	OPTION_WARMUP,
	OPTION_PIN,
	OPTION_JSON,
	OPTION_PLOT,
	OPTION_PROTOCOL
};

static const struct option long_options[] = {{"top", required_argument, NULL, 'n'},
                                             {"count", no_argument, NULL, OPTION_COUNT},
                                             {"command", required_argument, NULL, OPTION_COMMAND},
                                             {"rounds", required_argument, NULL, OPTION_ROUNDS},
                                             {"warmup", required_argument, NULL, OPTION_WARMUP},
                                             {"pin", required_argument, NULL, OPTION_PIN},
                                             {"json", no_argument, NULL, OPTION_JSON},
                                             {"plot", required_argument, NULL, OPTION_PLOT},
                                             {"protocol", required_argument, NULL, OPTION_PROTOCOL},
                                             SEARCH_LONG_OPTIONS,
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* ---- options --------------------------------------------------------------------------------------------------- */

static int set_command(struct bench_options *options, const char *name)
{
	struct game_command command;
	if (!game_command_parse(name, strlen(name), &command) || command.documents)
		return bench_fail("--command %s: not TOP_n, COUNT or TOP_n_COUNT with n up to %d", name, TRAWL_TOP_MAX);
	options->plan.search.top = command.top;
	options->plan.search.count = command.count;
	options->command_set = true;
	return 0;
}

static int set_size(const char *name, const char *text, size_t low, size_t high, size_t *value)
{
	if (bench_parse_size(text, low, high, value))
		return 0;
	return bench_fail("%s %s: not a whole number from %zu to %zu", name, text, low, high);
}

static int set_option(struct bench_options *options, int option, const char *value)
{
	switch (option) {
	case 'n': options->top_set = true; return set_size("--top", value, 0, TRAWL_TOP_MAX, &options->plan.search.top);
	case OPTION_COUNT: options->plan.search.count = options->count_set = true; return 0;
	case OPTION_COMMAND: return set_command(options, value);
	case OPTION_ROUNDS: return set_size("--rounds", value, 1, 1000000, &options->plan.rounds);
	case OPTION_WARMUP: return set_size("--warmup", value, 0, 1000000, &options->plan.warmup);
	case OPTION_PIN:
		options->pinned = true;
		return set_size("--pin", value, 0, CPU_SETSIZE - 1, &options->processor);
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_PLOT: options->plot_path = value; return plot_check(value);
	case OPTION_PROTOCOL:
		options->game = true;
		return strcmp(value, "game") == 0 ? 0 : bench_fail("--protocol %s: only 'game' is known", value);
	case 'h': options->help = true; return 0;
	default: return search_option_set(&options->plan.search, option, value);
	}
}

/* 0, or BENCH_ERROR with a message. */
static int parse(struct bench_options *options, int argc, char **argv)
{
	*options = (struct bench_options){.plan = {.rounds = 10, .warmup = 2, .search = {.top = 10}}};
	int option, result = 0;
	optind = 0;
	opterr = 0;
	while (!result && !options->help && (option = getopt_long(argc, argv, ":n:h", long_options, NULL)) != -1)
		result = option == '?' || option == ':' ? search_option_complain("bench", option, argv)
		                                        : set_option(options, option, optarg);
	if (result || options->help)
		return result;
	if (argc - optind != (options->game ? 1 : 2))
		return bench_fail("bench needs %s ('trawl bench --help' shows examples)",
		                  options->game ? "one INDEX; the commands come from standard input"
		                                : "INDEX and QUERIES");
	if (options->command_set && (options->top_set || options->count_set))
		return bench_fail("--command stands for --top and --count: give one or the other");
	if (options->game && (options->command_set || options->top_set || options->count_set))
		return bench_fail("with --protocol game each line says what it wants: no --command, --top or --count");
	if (!options->plan.search.top && !options->plan.search.count)
		return bench_fail("--top 0 without --count asks for nothing");
	return 0;
}

static int pin(size_t processor)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		return bench_fail("--pin %zu: %s", processor, errno == EINVAL ? "no such processor" : strerror(errno));
	return 0;
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

static int print_report(const struct report *report, const struct bench_options *options)
{
	struct bench_text out = {0};
	if (options->json)
		report_json(report, &out);
	else
		report_text(report, &out);
	fwrite(out.data, 1, out.length, stdout);
	text_release(&out);
	int result = bench_flush(stdout, "standard output");
	if (!result && options->plot_path)
		result = report_plot(report, options->plot_path);
	return result;
}

static int run_measurement(const struct bench_options *options, const char *index_path, const char *queries_path,
                           const trawl_index *index, trawl_searcher *searcher)
{
	struct query_set set;
	struct measurement measurement = {0};
	struct report report = {.index_path = index_path,
	                        .queries_path = queries_path,
	                        .set = &set,
	                        .plan = &options->plan,
	                        .measurement = &measurement,
	                        .pinned = options->pinned,
	                        .processor = options->processor};
	trawl_error error = {0};
	if (trawl_get_stats(index, &report.index, &error))
		return bench_fail("%s: %s", index_path, error.text);
	int result = query_set_load(&set, queries_path);
	if (result)
		return result;
	result = measure(&measurement, &set, &options->plan, searcher);
	if (!result)
		result = print_report(&report, options);
	if (!result && !measurement.same_results) {
		bench_fail("the results differed between rounds: something is wrong, and the times mean nothing");
		result = BENCH_UNTRUSTED;
	}
	measurement_release(&measurement);
	query_set_release(&set);
	return result;
}

int bench_command(int argc, char **argv)
{
	struct bench_options options;
	int result = parse(&options, argc, argv);
	if (result)
		return result;
	if (options.help) {
		fputs(usage, stdout);
		return bench_flush(stdout, "standard output");
	}
	if (options.pinned && (result = pin(options.processor)))
		return result;

	const char *index_path = argv[optind], *queries_path = options.game ? NULL : argv[optind + 1];
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_error error = {0};
	if (trawl_open(&index, index_path, &error) || trawl_searcher_new(&searcher, index, &error))
		result = bench_fail("%s", error.text);
	else if (options.game)
		result = game_run(searcher, &options.plan.search, STDIN_FILENO, STDOUT_FILENO);
	else
		result = run_measurement(&options, index_path, queries_path, index, searcher);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return result;
}
