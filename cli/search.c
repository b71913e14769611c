/* search.c - `trawl search`: one query from the words, or many from standard input; for people, as JSON, for TREC. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/hit.h"
#include "cli/lines.h"
#include "cli/long_query.h"
#include "cli/options.h"
#include "cli/prompt.h"
#include "cli/standard.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl search [options] INDEX [WORD...]\n"
    "\n"
    "Finds the documents that have any of the words, best first. Without words, queries come from standard input, one\n"
    "a line; each is answered before the next one is read. A line typed at a terminal can be "
    "edited,\n"
    "and earlier ones called back, where trawl was built with libedit.\n"
    "\n"
    "  trawl search notes.trawl rain in spain\n"
    "  trawl search notes.trawl +rain spain          rain must be there, spain is welcome\n"
    "  trawl search notes.trawl -- rain -spain       not with spain (-- ends the options)\n"
    "  trawl search notes.trawl '\"rain in spain\"'    the phrase\n"
    "  trawl search --json -n 3 notes.trawl rain | jq .id\n"
    "  trawl search --trec run1 x.trawl <queries.tsv >run1.txt\n"
    "  trawl search --json --fields year,place.name notes.trawl rain\n"
    "\n"
    "  -n N                 N hits at most (10 unless said; up to 10000)\n"
    "  --offset N           leave out the first N; N and -n are up to 10000 together\n"
    "  --syntax strict      refuse a query that does not parse, instead of reading it as words\n"
    "  --min-match N|P%     so many of the words without a sign must match, or so large a share of them\n"
    "  --filter QUERY       only documents that match this query too; it changes no score\n"
    "  --count              tell how many documents match in all; -n 0 with it: nothing else\n"
    "  --no-snippet         only the title and the id\n"
    "  --width BYTES        snippets of about so many bytes (240 unless said)\n"
    "  --json               one JSON object a hit: rank, score, id, title, snippet; of queries from standard input "
    "one\n"
    "                       object a query, with all its hits\n"
    "  --fields A,B|all     and stored fields, by their names; A.B is the member B of the object A\n"
    "  --trec RUN           lines for trec_eval: QUERY Q0 ID RANK SCORE RUN; the queries are \"QUERY<tab>words\" "
    "lines\n"
    "  --k1 X, --b X        parameters of the score instead of 0.9 and 0.4\n"
    "  --stable-ties        order equal scores by id\n"
    "  --follow             answer each query from the newest commit, instead of all from the one at the start\n"
    "  --color WHEN         auto, always or never; marks are **so** without\n"
    "\n"
    "Exit status: 0 hits, 1 none, 2 error.\n";

enum { HITS_USUAL = 10, WIDTH_LEAST = 16, WIDTH_MOST = 16384, PLACE_SIZE = 48 };

struct search_job {
	const char *index_path;
	trawl_search_options options;
	size_t hits, offset; /* options.top is their sum */
	size_t width;
	struct hit_style style;
	struct field_choice fields;
	bool json, follow;

	trawl_index *index;
	trawl_searcher *searcher;
	char place[PLACE_SIZE]; /* "query line 7: ", for messages; "" where there is one query */
	bool any_hits, any_error, stale;
};

/* ---- one query ------------------------------------------------------------------------------------------------- */

static int print_one(const struct search_job *job, const struct query *query, size_t number, const trawl_hit *hit,
                     trawl_error *error)
{
	trawl_document document = {0};
	trawl_snippet snippet = {0};
	const struct printed_hit printed = {number, job->offset + number + 1, hit->score, &document, &snippet};
	int result;
	if (job->style.form == AS_TREC)
		result = trawl_hit_id(job->searcher, hit->document, &document.id, &document.id_length, error);
	else
		result = trawl_hit_document(job->searcher, hit->document, &document, error);
	if (result == TRAWL_OK && job->style.form != AS_TREC && !job->style.no_snippet)
		result = trawl_hit_snippet(job->searcher, hit->document, job->width, &snippet, error);
	if (result == TRAWL_OK)
		print_hit(&job->style, query, &printed);
	return result;
}

/* The query, and a caret under the byte where reading it ended. */
static void show_place(const struct query *query, size_t place)
{
	size_t start = place > 60 ? place - 60 : 0, width = 0;
	size_t length = query->length - start < 76 ? query->length - start : 76;
	if (place > query->length)
		return;
	for (size_t i = start; i < place; i++)
		width += ((unsigned char)query->text[i] & 0xc0) != 0x80;
	fputs("  ", stderr);
	clean_write(stderr, query->text + start, length, CLEAN_LINE);
	fprintf(stderr, "\n  %*s\n", (int)width + 1, "^");
}

/* What of the query was not read as it looks, a line each. */
static void tell_notes(const struct search_job *job, const struct query *query)
{
	trawl_query_note note;
	for (size_t i = 0; trawl_query_get_note(job->searcher, i, &note); i++) {
		int length = note.length < 60 ? (int)note.length : 60;
		if (!length)
			complain("%squery: %s", job->place, note.text);
		else
			complain("%squery, byte %zu: '%.*s': %s", job->place, note.start + 1, length,
			         query->text + note.start, note.text);
	}
}

/* Search and print the hits: their number into the outcome. TRAWL_OK or the error. */
static int print_hits(const struct search_job *job, const struct query *query, struct outcome *outcome,
                      trawl_error *error)
{
	size_t count, length = query->length;
	int result = search_beginning(job->searcher, query->text, &length, &job->options, error);
	if (result != TRAWL_OK)
		return result;
	if (length < query->length)
		complain("%s%s; only its first %zu bytes count", job->place, error->text, length);
	if (job->style.form != AS_JSON_LINES) /* they are in the object */
		tell_notes(job, query);
	print_query_head(&job->style, query);
	outcome->begun = true;
	const trawl_hit *hits = trawl_hits(job->searcher, &count);
	for (size_t i = job->offset; i < count && result == TRAWL_OK; i++) {
		result = print_one(job, query, outcome->shown, &hits[i], error);
		outcome->shown += result == TRAWL_OK;
	}
	outcome->counted = job->options.count;
	outcome->matches = job->options.count ? trawl_match_count(job->searcher) : count;
	return result;
}

/* Why there is nothing to see. */
static void tell_none(const struct search_job *job, const struct outcome *outcome)
{
	if (outcome->matches > 0)
		complain("no hits after the first %" PRIu64, outcome->matches);
	else
		complain("no hits%s", trawl_query_terms(job->searcher)
		                          ? ""
		                          : ": the query has no words to look for (signs and "
		                            "stop words do not count)");
}

static void answer(struct search_job *job, const struct query *query)
{
	struct outcome outcome = {.searcher = job->searcher};
	trawl_error error = {0};
	if (print_hits(job, query, &outcome, &error) != TRAWL_OK) {
		complain("%s%s", job->place, error.text);
		if (error.code == TRAWL_EINVAL && job->options.syntax == TRAWL_SYNTAX_STRICT)
			show_place(query, trawl_query_error_place(job->searcher));
		if (!outcome.begun)
			print_query_head(&job->style, query);
		job->any_error = true;
		outcome.error = error.text;
		outcome.counted = false;
	}
	bool found = outcome.shown > 0 || (outcome.counted && outcome.matches > 0);
	if (found)
		job->any_hits = true;
	else if (!outcome.error && job->style.form == FOR_PEOPLE)
		tell_none(job, &outcome);
	print_query_end(&job->style, &outcome);
}

static int exit_code(const struct search_job *job)
{
	return job->any_error ? EXIT_ERROR : job->any_hits ? EXIT_DONE : EXIT_NONE;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static int search_words(struct search_job *job, char **words, int count)
{
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
	answer(job, &query);
	free(text);
	return exit_code(job);
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

/* From the newest commit on. When it cannot be opened, the one that is open goes on answering. */
static void go_to_newest(struct search_job *job)
{
	trawl_error error = {0};
	trawl_index *newest = NULL;
	trawl_searcher *searcher = NULL;
	int result = trawl_reopen(&newest, job->index, &error);
	if (result > 0 && trawl_searcher_new(&searcher, newest, &error) == TRAWL_OK) {
		trawl_searcher_free(job->searcher);
		trawl_close(job->index);
		job->searcher = searcher;
		job->index = newest;
	} else if (result != 0) {
		trawl_close(newest);
		if (!job->stale)
			complain("answers are from an earlier commit, for the newest cannot be opened: %s", error.text);
	}
	job->stale = result != 0 && !searcher;
}

/* Whether whoever wrote the queries may be waiting for an answer. */
static bool is_waited_for(void)
{
	struct stat status;
	return fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode);
}

static void search_line(struct search_job *job, const char *line, size_t length, uint64_t n)
{
	struct query query;
	char number[NUMBER_SIZE];
	snprintf(number, sizeof number, "%" PRIu64, n);
	if (!job->style.seen)
		snprintf(job->place, sizeof job->place, "query line %s: ", number);
	split_line(job, line, length, number, &query);
	bool blank = is_blank(query.text, query.length);
	if (blank && (job->style.form == AS_TREC || isatty(STDIN_FILENO)))
		return;
	if (job->follow)
		go_to_newest(job);
	answer(job, &query);
}

static int search_input(struct search_job *job)
{
	struct lines *lines = malloc(sizeof *lines);
	bool flush = is_waited_for();
	if (!lines)
		return complain("out of memory");
	if (refuse_closed_input("search", "queries") != EXIT_NONE) {
		free(lines);
		return EXIT_ERROR;
	}
	lines->end = '\n';
	lines->begun = false;
	if (isatty(STDIN_FILENO))
		complain("reading queries from the keyboard, one a line; Ctrl-D ends");
	for (uint64_t n = 1; !ferror(stdout) && lines_next(lines); n++) {
		search_line(job, lines->bytes, lines->length, n);
		if (flush)
			fflush(stdout);
	}
	if (ferror(stdin)) {
		complain("cannot read queries from standard input: %s", strerror(errno));
		job->any_error = true;
	}
	free(lines);
	return exit_code(job);
}

static int search_prompt(struct search_job *job, struct prompt *prompt)
{
	const char *line;
	size_t length;
	job->style.seen = isatty(STDOUT_FILENO);
	for (uint64_t n = 1; !ferror(stdout) && (line = prompt_read(prompt, &length)); n++) {
		job->style.columns = terminal_columns(STDOUT_FILENO); /* the window may have changed */
		search_line(job, line, length, n);
		fflush(stdout);
	}
	return exit_code(job);
}

static int search_lines(struct search_job *job)
{
	struct prompt *prompt = prompt_open();
	job->style.name_query = true;
	if (job->style.form == AS_JSON)
		job->style.form = AS_JSON_LINES;
	int code = prompt ? search_prompt(job, prompt) : search_input(job);
	prompt_close(prompt);
	return code;
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
	OPTION_OFFSET,
	OPTION_FIELDS,
	OPTION_FOLLOW,
	OPTION_SYNTAX,
	OPTION_MIN_MATCH,
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
                                        {"offset", required_argument, NULL, OPTION_OFFSET},
                                        {"fields", required_argument, NULL, OPTION_FIELDS},
                                        {"follow", no_argument, NULL, OPTION_FOLLOW},
                                        {"syntax", required_argument, NULL, OPTION_SYNTAX},
                                        {"min-match", required_argument, NULL, OPTION_MIN_MATCH},
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
		job->hits = (size_t)number;
		return EXIT_DONE;
	}
	if (value[0] >= '0' && value[0] <= '9')
		return complain_usage("search", "-n takes a number from 1 to %d, not %s", TRAWL_TOP_MAX, value);
	return complain_usage("search",
	                      "-n takes a number from 1 to %d, not %s; to leave out documents with a word, put -- "
	                      "before the query",
	                      TRAWL_TOP_MAX, value);
}

/* N or P%. */
static int set_minimum(struct search_job *job, const char *value)
{
	char digits[16];
	uint64_t number;
	size_t length = strlen(value);
	bool percent = length > 1 && value[length - 1] == '%';
	snprintf(digits, sizeof digits, "%.*s", (int)(length - percent), value);
	if (length - percent >= sizeof digits || !parse_number(digits, 1, percent ? 100 : TRAWL_CLAUSES_MAX, &number))
		return complain_usage("search",
		                      "--min-match takes a number from 1 to %d or a share up to 100%%, not %s",
		                      TRAWL_CLAUSES_MAX, value);
	job->options.minimum = (unsigned)number;
	job->options.minimum_percent = percent;
	return EXIT_DONE;
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
	case OPTION_OFFSET:
		if (!parse_number(optarg, 0, TRAWL_TOP_MAX - 1, &number))
			return complain_usage("search", "--offset takes a number from 0 to %d, not %s",
			                      TRAWL_TOP_MAX - 1, optarg);
		job->offset = (size_t)number;
		break;
	case OPTION_FIELDS:
		job->style.fields = &job->fields;
		if (!field_choice_parse(&job->fields, optarg))
			return complain_usage("search",
			                      "--fields takes all or up to %d names with commas between them, not %s",
			                      FIELD_NAMES_MAX, optarg);
		break;
	case OPTION_FOLLOW: job->follow = true; break;
	case OPTION_SYNTAX:
		if (strcmp(optarg, "plain") != 0 && strcmp(optarg, "strict") != 0)
			return complain_usage("search", "--syntax is plain or strict, not %s", optarg);
		job->options.syntax = optarg[0] == 's' ? TRAWL_SYNTAX_STRICT : TRAWL_SYNTAX_PLAIN;
		break;
	case OPTION_MIN_MATCH: return set_minimum(job, optarg);
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
	if (job->hits == 0 && !job->options.count)
		return complain_usage("search", "-n 0 shows nothing; with --count it tells the number of matches");
	if (job->json && job->style.trec_run)
		return complain_usage("search", "--json and --trec do not go together");
	if (job->options.count && job->style.trec_run)
		return complain_usage("search", "--count and --trec do not go together");
	if (job->style.fields && !job->json)
		return complain_usage("search", "--fields goes with --json");
	if (job->offset + job->hits > TRAWL_TOP_MAX)
		return complain_usage("search", "--offset %zu and -n %zu are more than %d together", job->offset,
		                      job->hits, TRAWL_TOP_MAX);
	return EXIT_DONE;
}

static int run(struct search_job *job, char **words, int count)
{
	trawl_error error = {0};
	int code = EXIT_ERROR;
	if (trawl_open(&job->index, job->index_path, &error) != TRAWL_OK ||
	    trawl_searcher_new(&job->searcher, job->index, &error) != TRAWL_OK)
		complain("%s", error.text);
	else
		code = count > 0 ? search_words(job, words, count) : search_lines(job);
	trawl_searcher_free(job->searcher);
	trawl_close(job->index);
	return code;
}

int search_command(int argc, char **argv)
{
	struct search_job job = {.hits = HITS_USUAL};
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
	job.options.top = job.hits ? job.offset + job.hits : 0;
	job.style.form = job.json ? AS_JSON : job.style.trec_run ? AS_TREC : FOR_PEOPLE;
	job.style.colour = wants_colour(colour);
	job.style.columns = terminal_columns(STDOUT_FILENO);
	return run(&job, argv + optind + 1, argc - optind - 1);
}
