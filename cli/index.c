/* index.c - `trawl index`: documents from files into an index, with progress, and nothing half done when stopped. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/index_job.h"
#include "cli/options.h"
#include "cli/readers.h"
#include "cli/standard.h"

static const char usage[] =
    "trawl index [options] INDEX PATH...\n"
    "\n"
    "Adds the documents in PATH... to the file INDEX, which is made if it is not there. A document with an id that\n"
    "INDEX has already replaces the old one, and an unchanged one costs nothing. All of them become visible at once,\n"
    "at the end; until then, and when stopped, INDEX stays as it was.\n"
    "\n"
    "  trawl index notes.trawl ~/notes             a folder: each text file is a document, its path the id\n"
    "  trawl index news.trawl a.jsonl b.json.zst   JSON, in lines or an array: {\"id\": ..., \"title\": ..., \"text\": "
    "...}\n"
    "  zcat dump.gz | trawl index x.trawl -        standard input\n"
    "  trawl index --id url --text body x.trawl pages.jsonl\n"
    "  trawl index --delete-missing notes.trawl ~/notes     as the folder is now\n"
    "  trawl index --watch notes.trawl ~/notes              and as it will be\n"
    "  trawl index --language german --fold-diacritics wiki.trawl wiki.jsonl\n"
    "\n"
    "  --id, --title, --text FIELD   the JSON fields to read instead of \"id\", \"title\", \"text\"\n"
    "  --auto-id                     a JSON object without an id gets FILE:LINE as its id\n"
    "  --format auto|text|json       what the files are; auto goes by their content, then by their names\n"
    "  --encoding NAME               the encoding of what is not UTF-8, as iconv names it; windows-1252 is guessed\n"
    "  --strict                      stop at the first bad line or file instead of skipping it; nothing is changed\n"
    "  --memory SIZE                 keep the resident set within SIZE (64M, 2G; 64M and more are kept to); usual: a "
    "quarter of\n"
    "                                what this process may use (RAM, control group, ulimit)\n"
    "  --threads N                   use N threads; usual: as many as there are processors that it may use\n"
    "  --delete-missing              delete the documents of files, and of lines in them, that are gone from PATH...\n"
    "  --yes                         also if that is nearly all there are, or PATH is gone or has no files\n"
    "  --watch                       go on: follow the changes in the folders PATH..., until Ctrl-C\n"
    "  --exclude GLOB                leave out files and folders by their names or, with a slash in GLOB, by their "
    "paths\n"
    "                                below PATH; may be given several times\n"
    "  --follow                      read symbolic links to folders as folders, each folder once\n"
    "  --commit-every N|Ns|Nm        let documents be found early: every N documents, seconds or minutes\n"
    "  --wait                        wait for another writer to finish\n"
    "  --compare                     look for changes byte by byte, not only by hashes of 64 bits\n"
    "  --no-merge                    do not merge segments afterwards: sooner done, but searches get slower\n"
    "  -q, --quiet                   no progress and no summary\n"
    "  -v, --verbose                 tell of all that is skipped, not only of the first 20\n"
    "  --json                        the summary as one JSON object; with -v, it lists all that was skipped\n"
    "\n"
    "For a new index:\n"
    "  --language L        stem the words of language L (english unless said), or none\n"
    "  --stop-words        leave out the language's stop words\n"
    "  --fold-diacritics   let cafe find caf\xc3\xa9\n"
    "  --no-positions      a smaller index, without phrases and distances\n"
    "  --bigrams           lists of frequent bigrams (words side by side): faster phrases, a larger index\n"
    "  --order ORDER       input, or similar: similar documents are neighbours inside, which makes the index\n"
    "                      smaller and searches faster, for more time to build it; auto, unless said: similar\n"
    "                      for 65,536 documents or more that are committed at once, input for fewer\n"
    "\n"
    "In folders, hidden entries, backups (name~, #name#) and what belongs to INDEX itself are left out.\n"
    "\n"
    "Exit status: 0 done, even if some lines or files were skipped; 1 no documents found, or some input was cut off "
    "or\n"
    "corrupt; 2 error; 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP (0 where it watches).\n";

/* ---- options --------------------------------------------------------------------------------------------------- */

static bool parse_format(const char *name, enum trawl_format *format)
{
	static const struct {
		const char *name;
		enum trawl_format format;
	} formats[] = {{"auto", TRAWL_FORMAT_AUTO},
	               {"text", TRAWL_FORMAT_TEXT},
	               {"json", TRAWL_FORMAT_JSONL},
	               {"jsonl", TRAWL_FORMAT_JSONL}};
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (strcmp(name, formats[i].name) == 0) {
			*format = formats[i].format;
			return true;
		}
	}
	return false;
}

static int check_language(const char *language)
{
	const char *const *known = trawl_languages();
	for (size_t i = 0; known[i]; i++)
		if (strcmp(language, known[i]) == 0)
			return EXIT_DONE;
	if (strcmp(language, "none") == 0)
		return EXIT_DONE;
	char list[1024] = "";
	size_t used = 0;
	for (size_t i = 0; known[i] && used < sizeof list; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, " %s", known[i]);
	return complain("--language %s is not known; there are:%s", language, list);
}

enum {
	OPTION_ID = 256,
	OPTION_TITLE,
	OPTION_TEXT,
	OPTION_FORMAT,
	OPTION_ENCODING,
	OPTION_AUTO_ID,
	OPTION_STRICT,
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_LANGUAGE,
	OPTION_STOP_WORDS,
	OPTION_FOLD,
	OPTION_NO_POSITIONS,
	OPTION_BIGRAMS,
	OPTION_ORDER,
	OPTION_WAIT,
	OPTION_DELETE_MISSING,
	OPTION_COMMIT_EVERY,
	OPTION_WATCH,
	OPTION_NO_MERGE,
	OPTION_COMPARE,
	OPTION_EXCLUDE,
	OPTION_FOLLOW,
	OPTION_YES,
	OPTION_JSON
};

static const struct option options[] = {{"id", required_argument, NULL, OPTION_ID},
                                        {"title", required_argument, NULL, OPTION_TITLE},
                                        {"text", required_argument, NULL, OPTION_TEXT},
                                        {"format", required_argument, NULL, OPTION_FORMAT},
                                        {"encoding", required_argument, NULL, OPTION_ENCODING},
                                        {"auto-id", no_argument, NULL, OPTION_AUTO_ID},
                                        {"strict", no_argument, NULL, OPTION_STRICT},
                                        {"memory", required_argument, NULL, OPTION_MEMORY},
                                        {"threads", required_argument, NULL, OPTION_THREADS},
                                        {"language", required_argument, NULL, OPTION_LANGUAGE},
                                        {"stop-words", no_argument, NULL, OPTION_STOP_WORDS},
                                        {"fold-diacritics", no_argument, NULL, OPTION_FOLD},
                                        {"no-positions", no_argument, NULL, OPTION_NO_POSITIONS},
                                        {"bigrams", no_argument, NULL, OPTION_BIGRAMS},
                                        {"pairs", no_argument, NULL, OPTION_BIGRAMS}, /* as it was called once */
                                        {"order", required_argument, NULL, OPTION_ORDER},
                                        {"wait", no_argument, NULL, OPTION_WAIT},
                                        {"delete-missing", no_argument, NULL, OPTION_DELETE_MISSING},
                                        {"commit-every", required_argument, NULL, OPTION_COMMIT_EVERY},
                                        {"watch", no_argument, NULL, OPTION_WATCH},
                                        {"no-merge", no_argument, NULL, OPTION_NO_MERGE},
                                        {"compare", no_argument, NULL, OPTION_COMPARE},
                                        {"exclude", required_argument, NULL, OPTION_EXCLUDE},
                                        {"follow", no_argument, NULL, OPTION_FOLLOW},
                                        {"yes", no_argument, NULL, OPTION_YES},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"verbose", no_argument, NULL, 'v'},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static int set_memory(struct index_job *job, const char *value)
{
	uint64_t bytes;
	if (!parse_size(value, &bytes))
		return complain_usage("index", "--memory %s is not a size; write it like 512M or 2G", value);
	if (bytes < (1u << 20))
		return complain_usage("index", "--memory %s is too little; it takes at least 1M", value);
	if (bytes < MEMORY_KEPT)
		fprintf(stderr, "trawl index: --memory %s cannot be kept to: up to 64M may be taken\n", value);
	job->writer_options.memory_budget = job->source_options.memory_budget = (size_t)bytes;
	return EXIT_DONE;
}

static int set_threads(struct index_job *job, const char *value)
{
	char *end;
	unsigned long threads = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || !threads || threads > TRAWL_THREADS_MAX)
		return complain_usage("index", "--threads %s: it takes a number from 1 to %d", value,
		                      TRAWL_THREADS_MAX);
	job->writer_options.threads = (unsigned)threads;
	return EXIT_DONE;
}

static int set_order(struct index_job *job, const char *value)
{
	static const char *const names[] = {
	    [TRAWL_ORDER_AUTO] = "auto", [TRAWL_ORDER_INPUT] = "input", [TRAWL_ORDER_SIMILAR] = "similar"};
	for (int order = TRAWL_ORDER_AUTO; order <= TRAWL_ORDER_SIMILAR; order++)
		if (strcmp(value, names[order]) == 0) {
			job->writer_options.order = (enum trawl_order)order;
			return EXIT_DONE;
		}
	return complain_usage("index", "--order is input, similar or auto, not %s", value);
}

/* N documents, or Ns, Nm: seconds, minutes. */
static int set_commit_every(struct index_job *job, const char *value)
{
	uint64_t number;
	char digits[NUMBER_SIZE];
	size_t length = strlen(value);
	char unit = length > 0 ? value[length - 1] : 0;
	bool timed = unit == 's' || unit == 'm';
	snprintf(digits, sizeof digits, "%.*s", (int)(length - timed), value);
	if (length >= sizeof digits || !parse_number(digits, 1, 1000000000, &number))
		return complain_usage("index", "--commit-every takes documents or a time, as 10000, 30s or 5m, not %s",
		                      value);
	job->commit_documents = timed ? 0 : number;
	job->commit_seconds = timed ? (double)number * (unit == 'm' ? 60 : 1) : 0;
	return EXIT_DONE;
}

/* Globs stay those of the command line; the list ends in NULL. */
static int add_exclude(struct index_job *job, const char *glob)
{
	const char **larger = realloc(job->exclude, (job->exclude_count + 2) * sizeof *larger);
	if (!larger)
		return complain("out of memory");
	job->exclude = larger;
	job->exclude[job->exclude_count++] = glob;
	job->exclude[job->exclude_count] = NULL;
	job->source_options.exclude = larger;
	return EXIT_DONE;
}

static int set_option(struct index_job *job, int option)
{
	trawl_source_options *source = &job->source_options;
	trawl_writer_options *writer = &job->writer_options;
	switch (option) {
	case OPTION_ID: source->id_field = optarg; break;
	case OPTION_TITLE: source->title_field = optarg; break;
	case OPTION_TEXT: source->text_field = optarg; break;
	case OPTION_ENCODING: source->encoding = optarg; break;
	case OPTION_AUTO_ID: source->auto_id = true; break;
	case OPTION_STRICT: source->strict = true; break;
	case OPTION_STOP_WORDS: writer->analysis.stop_words = true; break;
	case OPTION_FOLD: writer->analysis.fold_diacritics = true; break;
	case OPTION_BIGRAMS: writer->bigrams = true; break;
	case OPTION_NO_POSITIONS: writer->no_positions = true; break;
	case OPTION_WAIT: writer->wait = true; break;
	case OPTION_DELETE_MISSING: job->delete_missing = true; break;
	case OPTION_WATCH: job->watch = job->delete_missing = true; break;
	case OPTION_COMMIT_EVERY: return set_commit_every(job, optarg);
	case OPTION_COMPARE: writer->compare = true; break;
	case OPTION_NO_MERGE: writer->no_merge = true; break;
	case OPTION_EXCLUDE: return add_exclude(job, optarg);
	case OPTION_FOLLOW: source->follow = true; break;
	case OPTION_YES: job->yes = true; break;
	case OPTION_JSON: job->json = true; break;
	case 'q': job->quiet = true; break;
	case 'v': job->verbose = true; break;
	case OPTION_MEMORY: return set_memory(job, optarg);
	case OPTION_THREADS: return set_threads(job, optarg);
	case OPTION_ORDER: return set_order(job, optarg);
	case OPTION_LANGUAGE: writer->analysis.language = optarg; return check_language(optarg);
	case OPTION_FORMAT:
		if (!parse_format(optarg, &source->format))
			return complain_usage("index", "--format is auto, text or json, not %s", optarg);
		break;
	}
	return EXIT_DONE;
}

/* ---- the run --------------------------------------------------------------------------------------------------- */

static int nothing_found(const struct index_job *job, char **paths, int count)
{
	trawl_source_progress source;
	trawl_source_get_progress(job->source, &source);
	job_tell_notices(job);
	if (job->json)
		printf("{\"documents\":0,\"skipped\":%" PRIu64, source.skipped), job_print_notices(job), puts("}");
	if (source.skipped)
		complain("no documents found in %s%s: %" PRIu64 " skipped", paths[0],
		         count > 1 ? " and the other paths" : "", source.skipped);
	else
		complain("no documents found in %s%s", paths[0], count > 1 ? " and the other paths" : "");
	return EXIT_NONE;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Let the paths own their documents. With --yes one that is gone is taken out, so that the source does not ask for it. */
static int own_paths(struct index_job *job, char **paths, int *count)
{
	int kept = 0;
	for (int i = 0; i < *count; i++) {
		char *path = paths[i];
		bool gone = access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
		if (job->watch && !is_folder(path))
			return complain_usage("index", "--watch follows folders, and %s is none", path);
		if (gone && !job->yes && strcmp(path, "-") != 0)
			return complain("%s is not there (is its disk mounted?); to delete its documents, say --yes",
			                path);
		if (strcmp(path, "-") != 0 && !missing_own(&job->missing, path))
			return complain("out of memory");
		if (!gone || strcmp(path, "-") == 0)
			paths[kept++] = path;
	}
	*count = kept;
	if (job->missing.count == 0)
		return complain_usage("index",
		                      "--delete-missing needs a file or folder, of which something may be missing");
	return EXIT_DONE;
}

/* The first document is read before the index is touched: where there is none, no file is made. */
static int run(struct index_job *job, char **paths, int count)
{
	trawl_error error = {0};
	trawl_document document;
	int code;
	catch_signals();
	progress_begin(&job->progress.line, !job->quiet);
	int result =
	    trawl_source_open(&job->source, (const char *const *)paths, (size_t)count, &job->source_options, &error);
	if (result == TRAWL_OK)
		result = trawl_source_next(job->source, &document, &error);
	bool found = result > 0;
	if (result == TRAWL_ESTOPPED) {
		progress_end(&job->progress.line);
		return job_tell_end(job, 1, &error);
	}
	if (result == 0 && !(job->delete_missing && access(job->index_path, F_OK) == 0)) {
		progress_end(&job->progress.line);
		return nothing_found(job, paths, count);
	}
	if (result >= 0) {
		limit_readers(job->source, job->index_path, job->quiet);
		result = job_open_writer(job, &error);
	}
	if (result < 0) {
		progress_end(&job->progress.line);
		return complain("%s", error.text);
	}
	if (!job->quiet && !job->writer_options.memory_budget)
		tell_little_memory("index");
	if (result == TRAWL_OK)
		result = job_add_all(job, found ? &document : NULL, &error);
	if (result == TRAWL_OK)
		result = job_finish(job, &error);
	progress_end(&job->progress.line);
	code = job_tell_end(job, result, &error);
	if (code != EXIT_ERROR && job->missing.refused)
		return EXIT_ERROR;
	if (code == EXIT_DONE && !found) {
		trawl_writer_stats written;
		trawl_writer_get_stats(job->writer, &written);
		code = written.deleted ? EXIT_DONE : EXIT_NONE;
	}
	return code;
}

int index_command(int argc, char **argv)
{
	struct index_job job = {.writer_options = {.any_file = true},
	                        .source_options = {.diagnostic = job_take_notice,
	                                           .diagnostic_context = &job,
	                                           .file_done = job_take_file,
	                                           .file_done_context = &job,
	                                           .wait = job_wait_for_input,
	                                           .wait_context = &job}};
	int option, code;
	options_begin();
	while ((option = getopt_long(argc, argv, ":qvh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_DONE;
		}
		code =
		    option == '?' || option == ':' ? complain_option("index", option, argv) : set_option(&job, option);
		if (code != EXIT_DONE)
			return code;
	}
	if (optind == argc)
		return complain_usage("index", "which INDEX, and which PATH? trawl index INDEX PATH...");
	if (optind + 1 == argc)
		return complain_usage("index", "nothing to put into %s: give a file, a folder, or - for standard input",
		                      argv[optind]);
	if (job.watch && job.source_options.follow)
		return complain_usage(
		    "index", "--watch does not go with --follow: changes behind symbolic links are not noticed");
	job.index_path = job.source_options.index_path = argv[optind];
	char **paths = argv + optind + 1;
	int count = argc - optind - 1;
	for (int i = 0; i < count; i++)
		if (strcmp(paths[i], "-") == 0 && refuse_closed_input("index", "documents") != EXIT_NONE)
			return EXIT_ERROR;
	job_begin_pass(&job);
	code = job.delete_missing ? own_paths(&job, paths, &count) : EXIT_DONE;
	if (code == EXIT_DONE)
		code = job.watch ? job_watch(&job, paths, count) : run(&job, paths, count);
	job_end_pass(&job);
	free(job.exclude);
	free(job.fields);
	id_set_release(&job.of_lines_known);
	return code;
}
