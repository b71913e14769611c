/* search.c - `trawl search`: one query from the words, or many from standard input; for people, as JSON, for TREC. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hit.h"
#include "cli/long_query.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "trawl.h"

static const char usage[] =
    "trawl search [options] INDEX [WORD...]\n"
    "\n"
    "Finds the documents that have any of the words, best first. Without words, queries come from standard input, one\n"
    "a line.\n"
    "\n"
    "  trawl search notes.trawl rain in spain\n"
    "  trawl search notes.trawl +rain spain          rain must be there, spain is welcome\n"
    "  trawl search notes.trawl -- rain -spain       not with spain (-- ends the options)\n"
    "  trawl search notes.trawl '\"rain in spain\"'    the phrase\n"
    "  trawl search --json -n 3 notes.trawl rain | jq .id\n"
    "  trawl search --trec run1 x.trawl <queries.tsv >run1.txt\n"
    "\n"
    "  -n N                 N hits at most (10 unless said; up to 10000)\n"
    "  --filter QUERY       only documents that match this query too; it changes no score\n"
    "  --count              tell how many documents match in all; -n 0 with it: nothing else\n"
    "  --no-snippet         only the title and the id\n"
    "  --width BYTES        snippets of about so many bytes (240 unless said)\n"
    "  --json               one JSON object a hit: rank, score, id, title, snippet (and query, if from standard "
    "input)\n"
    "  --trec RUN           lines for trec_eval: QUERY Q0 ID RANK SCORE RUN; the queries are \"QUERY<tab>words\" "
    "lines\n"
    "  --k1 X, --b X        parameters of the score instead of 0.9 and 0.4\n"
    "  --stable-ties        order equal scores by id\n"
    "  --color WHEN         auto, always or never; marks are **so** without\n"
    "\n"
    "Exit status: 0 hits, 1 none, 2 error.\n";

enum { HITS_USUAL = 10, WIDTH_LEAST = 16, WIDTH_MOST = 16384, LINE_SIZE = 1 << 16 };

struct search_job {
	const char *index_path;
	trawl_search_options options;
	size_t width;
	struct hit_style style;
	bool json;

	trawl_searcher *searcher;
	bool any_hits, any_error;
};

/* ---- one query ------------------------------------------------------------------------------------------------- */

static int print_one(const struct search_job *job, const struct query *query, size_t rank, const trawl_hit *hit,
                     trawl_error *error)
{
	trawl_document document = {0};
	trawl_snippet snippet = {0};
	int result;
	if (job->style.form == AS_TREC)
		result = trawl_hit_id(job->searcher, hit->document, &document.id, &document.id_length, error);
	else
		result = trawl_hit_document(job->searcher, hit->document, &document, error);
	if (result == TRAWL_OK && job->style.form != AS_TREC && !job->style.no_snippet)
		result = trawl_hit_snippet(job->searcher, hit->document, job->width, &snippet, error);
	if (result == TRAWL_OK)
		print_hit(&job->style, query, rank, hit->score, &document, &snippet);
	return result;
}

/* Search and print. TRAWL_OK or the error. */
static int answer(struct search_job *job, const struct query *query, trawl_error *error)
{
	size_t count;
	int result = trawl_search(job->searcher, query->text, query->length, &job->options, error);
	if (result != TRAWL_OK)
		return result;
	print_query_head(&job->style, query);
	const trawl_hit *hits = trawl_hits(job->searcher, &count);
	for (size_t i = 0; i < count && result == TRAWL_OK; i++)
		result = print_one(job, query, i + 1, &hits[i], error);
	if (result != TRAWL_OK)
		return result;
	uint64_t matches = job->options.count ? trawl_match_count(job->searcher) : count;
	if (job->options.count)
		print_match_count(&job->style, query, count, matches);
	if (matches > 0)
		job->any_hits = true;
	else if (job->style.form == FOR_PEOPLE)
		complain("no hits%s", trawl_query_terms(job->searcher)
		                          ? ""
		                          : ": the query has no words to look for (signs and "
		                            "stop words do not count)");
	print_query_end(&job->style);
	return TRAWL_OK;
}

static int exit_code(const struct search_job *job)
{
	return job->any_error ? EXIT_ERROR : job->any_hits ? EXIT_DONE : EXIT_NONE;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static int search_words(struct search_job *job, char **words, int count)
{
	trawl_error error = {0};
	size_t length = 0;
	for (int i = 0; i < count; i++)
		length += strlen(words[i]) + 1;
	char *text = malloc(length + 1), *at = text;
	if (!text)
		return complain("out of memory");
	for (int i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, words[i]);
	}
	struct query query = {text, (size_t)(at - text), "1", 1};
	if (answer(job, &query, &error) != TRAWL_OK) {
		complain("%s", error.text);
		job->any_error = true;
	}
	free(text);
	return exit_code(job);
}

/* A line without its end into `line`; of a longer one the first LINE_SIZE bytes, which is more than a query may have.
 * false at the end of the input. */
static bool read_line(FILE *in, char *line, size_t *length)
{
	int c = getc_unlocked(in);
	size_t used = 0;
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(in))
		if (used < LINE_SIZE)
			line[used++] = (char)c;
	if (used > 0 && line[used - 1] == '\r')
		used--;
	*length = used;
	return true;
}

/* "ID<tab>words" in TREC mode; else, and without a tab, the line's number is the id. */
static void split_line(const struct search_job *job, const char *line, size_t length, const char *number,
                       struct query *query)
{
	const char *tab = job->style.form == AS_TREC ? memchr(line, '\t', length) : NULL;
	*query = (struct query){line, length, number, strlen(number)};
	if (tab && tab > line) {
		query->id = line;
		query->id_length = (size_t)(tab - line);
		query->text = tab + 1;
		query->length = length - query->id_length - 1;
	}
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t')
			return false;
	return true;
}

static int search_lines(struct search_job *job)
{
	trawl_error error = {0};
	struct query query;
	size_t length;
	char number[NUMBER_SIZE], *line = malloc(LINE_SIZE);
	if (!line)
		return complain("out of memory");
	if (isatty(STDIN_FILENO))
		complain("reading queries from the keyboard, one a line; Ctrl-D ends");
	job->style.name_query = true;
	for (uint64_t n = 1; !ferror(stdout) && read_line(stdin, line, &length); n++) {
		snprintf(number, sizeof number, "%" PRIu64, n);
		split_line(job, line, length, number, &query);
		if (is_blank(query.text, query.length))
			continue;
		if (answer(job, &query, &error) != TRAWL_OK) {
			complain("query line %" PRIu64 ": %s", n, error.text);
			job->any_error = true;
		}
		if (isatty(STDIN_FILENO))
			fflush(stdout);
	}
	if (ferror(stdin)) {
		complain("cannot read queries from standard input");
		job->any_error = true;
	}
	free(line);
	return exit_code(job);
}

/* ---- options --------------------------------------------------------------------------------------------------- */

enum {
	OPTION_JSON = 256,
	OPTION_TREC,
	OPTION_NO_SNIPPET,
	OPTION_COUNT,
	OPTION_FILTER,
	OPTION_K1,
	OPTION_B,
	OPTION_STABLE_TIES,
	OPTION_COLOR,
	OPTION_WIDTH,
	OPTION_HELP
};

static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
                                        {"trec", required_argument, NULL, OPTION_TREC},
                                        {"no-snippet", no_argument, NULL, OPTION_NO_SNIPPET},
                                        {"count", no_argument, NULL, OPTION_COUNT},
                                        {"filter", required_argument, NULL, OPTION_FILTER},
                                        {"k1", required_argument, NULL, OPTION_K1},
                                        {"b", required_argument, NULL, OPTION_B},
                                        {"stable-ties", no_argument, NULL, OPTION_STABLE_TIES},
                                        {"color", required_argument, NULL, OPTION_COLOR},
                                        {"colour", required_argument, NULL, OPTION_COLOR},
                                        {"width", required_argument, NULL, OPTION_WIDTH},
                                        {"help", no_argument, NULL, OPTION_HELP},
                                        {0}};

/* The argument at which getopt_long stopped: it goes on to the next one only behind the last letter of a word. */
static const char *current_word(char **argv)
{
	const char *word = argv[optind - 1];
	size_t length = strlen(word);
	if (word[0] == '-' && (word[1] == '-' || (length > 1 && word[length - 1] == optopt)))
		return word;
	return argv[optind] ? argv[optind] : word;
}

static int complain_unknown(int result, char **argv)
{
	const char *word = current_word(argv);
	if (result == ':' || word[0] != '-' || word[1] == '-' || strlen(word) < 3)
		return complain_option("search", result, argv);
	return complain_usage("search",
	                      "unknown option %s; to leave out documents with a word, put -- before the query: "
	                      "trawl search INDEX -- rain %s",
	                      word, word);
}

static int set_hits(struct search_job *job, const char *value)
{
	uint64_t number;
	if (parse_number(value, 0, TRAWL_TOP_MAX, &number)) {
		job->options.top = (size_t)number;
		return EXIT_DONE;
	}
	if (value[0] >= '0' && value[0] <= '9')
		return complain_usage("search", "-n takes a number from 1 to %d, not %s", TRAWL_TOP_MAX, value);
	return complain_usage("search",
	                      "-n takes a number from 1 to %d, not %s; to leave out documents with a word, put -- "
	                      "before the query",
	                      TRAWL_TOP_MAX, value);
}

static int set_option(struct search_job *job, int option, const char **colour)
{
	uint64_t number;
	switch (option) {
	case 'n': return set_hits(job, optarg);
	case OPTION_JSON: job->json = true; break;
	case OPTION_NO_SNIPPET: job->style.no_snippet = true; break;
	case OPTION_COUNT: job->options.count = true; break;
	case OPTION_STABLE_TIES: job->options.stable_ties = true; break;
	case OPTION_FILTER:
		job->options.filter = optarg;
		job->options.filter_length = strlen(optarg);
		break;
	case OPTION_TREC:
		job->style.trec_run = optarg;
		if (!*optarg)
			return complain_usage("search", "--trec needs a name for the run");
		break;
	case OPTION_K1:
		job->options.set_k1 = true;
		if (!parse_real(optarg, 0, 1000, &job->options.k1))
			return complain_usage("search", "--k1 takes a number from 0 to 1000, not %s", optarg);
		break;
	case OPTION_B:
		job->options.set_b = true;
		if (!parse_real(optarg, 0, 1, &job->options.b))
			return complain_usage("search", "--b takes a number from 0 to 1, not %s", optarg);
		break;
	case OPTION_WIDTH:
		if (!parse_number(optarg, WIDTH_LEAST, WIDTH_MOST, &number))
			return complain_usage("search", "--width takes a number of bytes from %d to %d, not %s",
			                      WIDTH_LEAST, WIDTH_MOST, optarg);
		job->width = (size_t)number;
		break;
	case OPTION_COLOR:
		*colour = optarg;
		if (strcmp(optarg, "auto") != 0 && strcmp(optarg, "always") != 0 && strcmp(optarg, "never") != 0)
			return complain_usage("search", "--color is auto, always or never, not %s", optarg);
		break;
	}
	return EXIT_DONE;
}

/* EXIT_DONE when the options agree with one another. */
static int check_options(const struct search_job *job)
{
	if (job->options.top == 0 && !job->options.count)
		return complain_usage("search", "-n 0 shows nothing; with --count it tells the number of matches");
	if (job->json && job->style.trec_run)
		return complain_usage("search", "--json and --trec do not go together");
	if (job->options.count && job->style.trec_run)
		return complain_usage("search", "--count and --trec do not go together");
	return EXIT_DONE;
}

static int run(struct search_job *job, char **words, int count)
{
	trawl_error error = {0};
	trawl_index *index = NULL;
	int code = EXIT_ERROR;
	if (trawl_open(&index, job->index_path, &error) != TRAWL_OK ||
	    trawl_searcher_new(&job->searcher, index, &error) != TRAWL_OK) {
		complain("%s", error.text);
		goto done;
	}
	code = count > 0 ? search_words(job, words, count) : search_lines(job);

done:
	trawl_searcher_free(job->searcher);
	trawl_close(index);
	return code;
}

int search_command(int argc, char **argv)
{
	struct search_job job = {.options = {.top = HITS_USUAL}};
	const char *colour = "auto";
	int option, code;
	options_begin();
	while ((option = getopt_long(argc, argv, ":n:h", options, NULL)) != -1) {
		if (option == OPTION_HELP || (option == 'h' && strcmp(argv[optind - 1], "-h") == 0)) {
			fputs(usage, stdout);
			return EXIT_DONE;
		}
		if (option == 'h')
			optopt = option; /* -h of -house: not help, but a word to leave out */
		bool wrong = option == 'h' || option == '?' || option == ':';
		code = wrong ? complain_unknown(option, argv) : set_option(&job, option, &colour);
		if (code != EXIT_DONE)
			return code;
	}
	code = check_options(&job);
	if (code != EXIT_DONE)
		return code;
	if (optind == argc)
		return complain_usage("search", "which INDEX? trawl search INDEX WORD...");
	job.index_path = argv[optind];
	job.style.form = job.json ? AS_JSON : job.style.trec_run ? AS_TREC : FOR_PEOPLE;
	job.style.colour = wants_colour(colour);
	job.style.columns = terminal_columns(STDOUT_FILENO);
	return run(&job, argv + optind + 1, argc - optind - 1);
}
