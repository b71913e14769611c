/* bench_command.c - `trawl bench`: how fast an index answers. */
#include "bench/commands.h"
#include "bench/fit.h"
#include "bench/game.h"
#include "bench/plot.h"
#include "bench/report.h"
#include "bench/search_options.h"

#include <errno.h>
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
    "  trawl bench arxiv.trawl queries.jsonl --threads 2,4 queries a second of 1, 2 and 4 threads\n"
    "  trawl bench arxiv.trawl queries.jsonl --json >a     figures for another program\n"
    "  trawl bench arxiv.trawl queries.jsonl --plot a.svg  a picture of the distribution\n"
    "  trawl bench --protocol game arxiv.trawl <commands   answer COMMAND<TAB>QUERY, line by line\n"
    "\n"
    "QUERIES has a query a line, as plain text or as {\"query\": \"...\", \"tags\": [\"...\"], \"filter\": \"...\"};\n"
    "tags and filter may be absent; '-' is standard input. The file may be .gz or .zst. A line that cannot be read is\n"
    "told and passed over, so is a query that is refused; of one that is too long the beginning counts.\n"
    "Every tag gets its own line of figures. The results' hash is the same for the same index and options: compare\n"
    "it before you compare times.\n"
    "\n"
    "  -n, --top N         hits wanted (10); 0 with --count: count only\n"
    "      --count         count all matching documents too\n"
    "      --command C     TOP_10, TOP_100, TOP_1000, COUNT, TOP_10_COUNT, ...: --top and --count in one word\n"
    "      --rounds N      timed rounds over all queries (10)\n"
    "      --warmup N      rounds before these (2)\n"
    "      --pin CPU       stay on this processor\n"
    "      --threads N,... instead of each query's time: queries a second of so many threads over one open index,\n"
    "                      each with a searcher, and the ratio to one thread\n"
    "      --json          one JSON object instead of the table\n"
    "      --plot FILE     draw the distribution of the times into FILE.svg or FILE.png\n"
    "      --protocol game the search-benchmark-game protocol on standard input and output: COUNT, TOP_n,\n"
    "                      TOP_n_COUNT, and TOP_n_DOCS for the hits as id:score\n"
    "      --k1 X, --b X   BM25's parameters (0.9 and 0.4)\n"
    "      --stable-ties   equal scores in order of the ids\n"
    "      --strict        a line that cannot be read is an error\n"
    "\n"
    "Exit status: 0 measured, 1 the results differed between rounds or threads, 2 error.\n";

struct bench_options {
	struct measure_plan plan;
	bool json, strict, game, pinned, help, top_set, count_set, command_set;
	size_t processor;
	const char *plot_path;
	size_t threads[THREAD_COUNTS_MAX], thread_counts; /* how many numbers of threads; 0: no such run */
};

enum {
	OPTION_COUNT = 256,
	OPTION_COMMAND,
	OPTION_ROUNDS,
	OPTION_WARMUP,
	OPTION_PIN,
	OPTION_JSON,
	OPTION_PLOT,
	OPTION_PROTOCOL,
	OPTION_THREADS,
	OPTION_STRICT
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
                                             {"threads", required_argument, NULL, OPTION_THREADS},
                                             {"strict", no_argument, NULL, OPTION_STRICT},
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

/* Numbers with commas between them. */
static int set_threads(struct bench_options *options, const char *value)
{
	char number[24];
	for (const char *at = value;; at++) {
		size_t length = strcspn(at, ",");
		if (options->thread_counts == THREAD_COUNTS_MAX)
			return bench_fail("--threads: at most %d numbers", THREAD_COUNTS_MAX);
		snprintf(number, sizeof number, "%.*s", (int)(length < sizeof number ? length : sizeof number), at);
		if (!bench_parse_size(number, 1, THREADS_MAX, &options->threads[options->thread_counts++]))
			return bench_fail("--threads %s: not whole numbers from 1 to %d with commas between", value,
			                  THREADS_MAX);
		at += length;
		if (!*at)
			return 0;
	}
}

static int set_option(void *context, int option, const char *value)
{
	struct bench_options *options = context;
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
	case OPTION_STRICT: options->strict = true; return 0;
	case OPTION_THREADS: return set_threads(options, value);
	case 'h': options->help = true; return 0;
	default: return search_option_set(&options->plan.search, option, value);
	}
}

/* 0, or BENCH_ERROR with a message. */
static int parse(struct bench_options *options, int argc, char **argv)
{
	*options = (struct bench_options){.plan = {.rounds = 10, .warmup = 2, .search = {.top = 10}}};
	int result = options_read("bench", argc, argv, ":n:h", long_options, set_option, options, &options->help);
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
	if (options->thread_counts && (options->game || options->pinned || options->plot_path))
		return bench_fail("--threads goes neither with --pin nor --plot nor --protocol");
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
	int result = text_print(&out);
	if (!result && options->plot_path)
		result = report_plot(report, options->plot_path);
	return result;
}

static int run_measurement(const struct bench_options *options, struct report *report, const trawl_index *index)
{
	struct measurement measurement = {0};
	trawl_searcher *searcher;
	trawl_error error = {0};
	if (trawl_searcher_new(&searcher, index, &error))
		return bench_fail("%s", error.text);
	int result = measure(&measurement, report->set, &options->plan, searcher);
	report->measurement = &measurement;
	if (!result)
		result = print_report(report, options);
	if (!result && !measurement.same_results) {
		bench_fail("the results differed between rounds: something is wrong, and the times mean nothing");
		result = BENCH_UNTRUSTED;
	}
	report->measurement = NULL;
	measurement_release(&measurement);
	trawl_searcher_free(searcher);
	return result;
}

static int run_threads(const struct bench_options *options, struct report *report, const trawl_index *index)
{
	struct throughput_run run;
	struct bench_text out = {0};
	trawl_limits limits;
	trawl_get_limits(&limits);
	report->processors = (long)limits.processors;
	int result =
	    throughput_measure(&run, report->set, &options->plan, index, options->threads, options->thread_counts);
	if (result)
		return result;
	if (options->json)
		report_threads_json(report, &run, &out);
	else
		report_threads_text(report, &run, &out);
	result = text_print(&out);
	if (!result && !run.same_results) {
		bench_fail("the results differed between threads: something is wrong, and the figures mean nothing");
		result = BENCH_UNTRUSTED;
	}
	return result;
}

static int run_queries(const struct bench_options *options, const char *index_path, const char *queries_path,
                       const trawl_index *index)
{
	struct query_set set;
	struct report report = {.index_path = index_path,
	                        .queries_path = queries_path,
	                        .set = &set,
	                        .plan = &options->plan,
	                        .pinned = options->pinned,
	                        .processor = options->processor};
	trawl_error error = {0};
	if (trawl_get_stats(index, &report.index, &error))
		return bench_fail("%s: %s", index_path, error.text);
	int result = query_set_load(&set, queries_path, options->strict);
	if (result)
		return result;
	result = fit_queries(&set, &options->plan, index);
	if (!result)
		result = (options->thread_counts ? run_threads : run_measurement)(options, &report, index);
	query_set_release(&set);
	return result;
}

static int run_game(const struct bench_options *options, const trawl_index *index)
{
	trawl_searcher *searcher;
	trawl_error error = {0};
	if (trawl_searcher_new(&searcher, index, &error))
		return bench_fail("%s", error.text);
	int result = game_run(searcher, &options->plan.search, STDIN_FILENO, STDOUT_FILENO);
	trawl_searcher_free(searcher);
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

	trawl_index *index = NULL;
	trawl_error error = {0};
	if (trawl_open(&index, argv[optind], &error))
		return bench_fail("%s", error.text);
	if (options.game)
		result = run_game(&options, index);
	else
		result = run_queries(&options, argv[optind], argv[optind + 1], index);
	trawl_close(index);
	return result;
}
