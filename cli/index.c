/* index.c - `trawl index`: documents from files into an index, with progress, and nothing half done when stopped. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl index [options] INDEX PATH...\n"
    "\n"
    "Adds the documents in PATH... to the file INDEX, which is made if it is not there. A document with an id that\n"
    "INDEX has already replaces the old one. All of them become visible at once, at the end; until then, and when\n"
    "stopped, INDEX stays as it was.\n"
    "\n"
    "  trawl index notes.trawl ~/notes             a folder: each text file is a document, its path the id\n"
    "  trawl index news.trawl a.jsonl b.jsonl.zst  JSON Lines: {\"id\": ..., \"title\": ..., \"text\": ...}\n"
    "  zcat dump.gz | trawl index x.trawl -        standard input\n"
    "  trawl index --id url --text body x.trawl pages.jsonl\n"
    "  trawl index --language german --fold-diacritics wiki.trawl wiki.jsonl\n"
    "\n"
    "  --id, --title, --text FIELD   the JSON fields to read instead of \"id\", \"title\", \"text\"\n"
    "  --format auto|text|jsonl      what the files are; auto goes by their names\n"
    "  --strict                      stop at the first bad line or file instead of skipping it; nothing is changed\n"
    "  --memory SIZE                 use up to SIZE (64M, 2G; at least 1M) before spilling; usual: a quarter of RAM\n"
    "  --threads N                   use N threads; usual: as many as there are cores\n"
    "  --wait                        wait for another writer to finish\n"
    "  -q, --quiet                   no progress and no summary\n"
    "  --json                        the summary as one JSON object\n"
    "\n"
    "For a new index:\n"
    "  --language L        stem the words of language L (english unless said), or none\n"
    "  --stop-words        leave out the language's stop words\n"
    "  --fold-diacritics   let cafe find caf\xc3\xa9\n"
    "  --no-positions      a smaller index, without phrases\n"
    "  --pairs             lists of frequent word pairs: faster phrases, a larger index\n"
    "  --order ORDER       input, or similar: similar documents are neighbours inside, which makes the index\n"
    "                      smaller and searches faster, for more time to build it\n"
    "\n"
    "Exit status: 0 done, even if some lines were skipped; 1 no documents found; 2 error; 130 interrupted.\n";

enum { SKIPS_TOLD = 20 };

struct index_job {
	const char *index_path;
	trawl_source_options source_options;
	trawl_writer_options writer_options;
	bool quiet, json;

	trawl_source *source;
	trawl_writer *writer;
	struct progress progress;
	uint64_t refused;    /* documents that the writer did not take */
	uint64_t skips_told; /* lines about skipped ones on stderr */
	uint64_t text_bytes; /* of the documents, with their titles */
};

static volatile sig_atomic_t caught_signal;

static void catch_signal(int number)
{
	caught_signal = number;
}

/* The first signal asks to stop, the second one kills. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = catch_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- options --------------------------------------------------------------------------------------------------- */

static bool parse_format(const char *name, enum trawl_format *format)
{
	static const char *const names[] = {"auto", "text", "jsonl"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*format = (enum trawl_format)i;
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
	return complain("--language %s is not known; there are: none%s", language, list);
}

enum {
	OPTION_ID = 256,
	OPTION_TITLE,
	OPTION_TEXT,
	OPTION_FORMAT,
	OPTION_STRICT,
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_LANGUAGE,
	OPTION_STOP_WORDS,
	OPTION_FOLD,
	OPTION_NO_POSITIONS,
	OPTION_PAIRS,
	OPTION_ORDER,
	OPTION_WAIT,
	OPTION_JSON
};

static const struct option options[] = {{"id", required_argument, NULL, OPTION_ID},
                                        {"title", required_argument, NULL, OPTION_TITLE},
                                        {"text", required_argument, NULL, OPTION_TEXT},
                                        {"format", required_argument, NULL, OPTION_FORMAT},
                                        {"strict", no_argument, NULL, OPTION_STRICT},
                                        {"memory", required_argument, NULL, OPTION_MEMORY},
                                        {"threads", required_argument, NULL, OPTION_THREADS},
                                        {"language", required_argument, NULL, OPTION_LANGUAGE},
                                        {"stop-words", no_argument, NULL, OPTION_STOP_WORDS},
                                        {"fold-diacritics", no_argument, NULL, OPTION_FOLD},
                                        {"no-positions", no_argument, NULL, OPTION_NO_POSITIONS},
                                        {"pairs", no_argument, NULL, OPTION_PAIRS},
                                        {"order", required_argument, NULL, OPTION_ORDER},
                                        {"wait", no_argument, NULL, OPTION_WAIT},
                                        {"quiet", no_argument, NULL, 'q'},
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
	job->writer_options.memory_budget = (size_t)bytes;
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
	if (strcmp(value, "similar") == 0)
		job->writer_options.order = TRAWL_ORDER_SIMILAR;
	else if (strcmp(value, "input") != 0)
		return complain_usage("index", "--order is input or similar, not %s", value);
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
	case OPTION_STRICT: source->strict = true; break;
	case OPTION_STOP_WORDS: writer->analysis.stop_words = true; break;
	case OPTION_FOLD: writer->analysis.fold_diacritics = true; break;
	case OPTION_PAIRS: writer->pairs = true; break;
	case OPTION_NO_POSITIONS: writer->no_positions = true; break;
	case OPTION_WAIT: writer->wait = true; break;
	case OPTION_JSON: job->json = true; break;
	case 'q': job->quiet = true; break;
	case OPTION_MEMORY: return set_memory(job, optarg);
	case OPTION_THREADS: return set_threads(job, optarg);
	case OPTION_ORDER: return set_order(job, optarg);
	case OPTION_LANGUAGE: writer->analysis.language = optarg; return check_language(optarg);
	case OPTION_FORMAT:
		if (!parse_format(optarg, &source->format))
			return complain_usage("index", "--format is auto, text or jsonl, not %s", optarg);
		break;
	}
	return EXIT_DONE;
}

/* ---- what is told on the way ----------------------------------------------------------------------------------- */

static void tell_skip(void *context, const char *place, const char *message)
{
	struct index_job *job = context;
	if (job->source_options.strict)
		return; /* it comes back as the error */
	job->skips_told++;
	if (job->skips_told <= SKIPS_TOLD)
		complain("skipped %s: %s", place, message);
	else if (job->skips_told == SKIPS_TOLD + 1)
		complain("more was skipped; from here on it is only counted");
}

static void draw_progress(struct index_job *job, const trawl_source_progress *source)
{
	char line[160], documents[NUMBER_SIZE], done[NUMBER_SIZE], total[NUMBER_SIZE];
	double seconds = clock_seconds() - job->progress.begun;
	int used = snprintf(line, sizeof line, "%.1f MB/s  %s documents  %s",
	                    seconds > 0 ? (double)job->text_bytes / 1e6 / seconds : 0,
	                    grouped(source->documents, documents), megabytes(source->bytes, done));
	if (source->total_bytes >= source->bytes && source->bytes > 0) {
		double share = (double)source->bytes / (double)source->total_bytes;
		long left = (long)(seconds * (1 - share) / share + 0.5);
		snprintf(line + used, sizeof line - (size_t)used, " of %s (%d%%)  %ld:%02ld left",
		         megabytes(source->total_bytes, total), (int)(share * 100), left / 60, left % 60);
	}
	progress_draw(&job->progress, line);
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static void print_summary(const struct index_job *job)
{
	trawl_source_progress source;
	trawl_writer_stats written;
	char text[8][NUMBER_SIZE];
	trawl_source_get_progress(job->source, &source);
	trawl_writer_get_stats(job->writer, &written);
	uint64_t documents = written.added + written.replaced + written.unchanged,
	         skipped = source.skipped + job->refused;
	double seconds = clock_seconds() - job->progress.begun;
	if (job->json) {
		printf("{\"documents\":%" PRIu64 ",\"added\":%" PRIu64 ",\"replaced\":%" PRIu64
		       ",\"unchanged\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"files\":%" PRIu64
		       ",\"text_bytes\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"runs\":%" PRIu64
		       ",\"seconds\":%.3f,\"file_bytes\":%" PRIu64 "}\n",
		       documents, written.added, written.replaced, written.unchanged, skipped, source.files,
		       job->text_bytes, written.tokens, written.runs, seconds, file_bytes(job->index_path));
		return;
	}
	if (written.added + written.replaced == 0) {
		printf("nothing changed: %s document%s as %s; skipped %s\n", grouped(documents, text[0]),
		       documents == 1 ? "" : "s", documents == 1 ? "it was" : "they were", grouped(skipped, text[1]));
		return;
	}
	printf("indexed %s document%s (%s added, %s replaced, %s unchanged) from %s file%s, %s of text in %.2f s "
	       "(%.1f MB/s); skipped %s; ",
	       grouped(documents, text[0]), documents == 1 ? "" : "s", grouped(written.added, text[1]),
	       grouped(written.replaced, text[2]), grouped(written.unchanged, text[3]), grouped(source.files, text[4]),
	       source.files == 1 ? "" : "s", megabytes(job->text_bytes, text[5]), seconds,
	       seconds > 0 ? (double)job->text_bytes / 1e6 / seconds : 0, grouped(skipped, text[6]));
	clean_write(stdout, job->index_path, strlen(job->index_path), CLEAN_LINE);
	printf(" is %s\n", megabytes(file_bytes(job->index_path), text[7]));
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

/* TRAWL_OK, or the error that ends the run. A document that the index cannot hold is skipped, unless strict. */
static int add_document(struct index_job *job, const trawl_document *document, trawl_error *error)
{
	int result = trawl_writer_add(job->writer, document, error);
	if ((result == TRAWL_ELIMIT || result == TRAWL_EINPUT) && !job->source_options.strict) {
		int length = document->id_length < 200 ? (int)document->id_length : 200;
		char place[256];
		snprintf(place, sizeof place, "document %.*s", length, document->id);
		tell_skip(job, place, error->text);
		job->refused++;
		return TRAWL_OK;
	}
	if (result == TRAWL_OK)
		job->text_bytes += document->title_length + document->text_length;
	return result;
}

/* Add `document` and all that follow it, then commit. TRAWL_OK, an error, or 1 when a signal came before the commit. */
static int add_all(struct index_job *job, trawl_document *document, trawl_error *error)
{
	trawl_source_progress source;
	int result = 1;
	while (result > 0) {
		if (caught_signal)
			return 1;
		result = add_document(job, document, error);
		if (result < 0)
			return result;
		if (progress_due(&job->progress)) {
			trawl_source_get_progress(job->source, &source);
			draw_progress(job, &source);
		}
		result = trawl_source_next(job->source, document, error);
	}
	if (caught_signal)
		return 1;
	if (result < 0)
		return result;
	progress_draw(&job->progress, "writing the index");
	return trawl_writer_commit(job->writer, error);
}

static int nothing_found(const struct index_job *job, char **paths, int count)
{
	trawl_source_progress source;
	trawl_source_get_progress(job->source, &source);
	if (job->json)
		printf("{\"documents\":0,\"skipped\":%" PRIu64 "}\n", source.skipped);
	if (source.skipped)
		complain("no documents found in %s%s: %" PRIu64 " skipped", paths[0],
		         count > 1 ? " and the other paths" : "", source.skipped);
	else
		complain("no documents found in %s%s", paths[0], count > 1 ? " and the other paths" : "");
	return EXIT_NONE;
}

/* How it ended; `result` is from add_all. Returns the exit code. */
static int tell_end(const struct index_job *job, int result, const trawl_error *error)
{
	static const char unchanged[] = "nothing was committed, the index is as it was before";
	if (result < 0)
		return complain("%s; %s", error->text, unchanged);
	if (result > 0) {
		complain("stopped; %s", unchanged);
		return EXIT_SIGNAL + caught_signal;
	}
	if (job->skips_told > SKIPS_TOLD)
		complain("skipped %" PRIu64 " in all", job->skips_told);
	if (!job->quiet || job->json)
		print_summary(job);
	return EXIT_DONE;
}

/* The first document is read before the index is touched: where there is none, no file is made. */
static int run(struct index_job *job, char **paths, int count)
{
	trawl_error error = {0};
	trawl_document document;
	int code;
	progress_begin(&job->progress, !job->quiet);
	int result =
	    trawl_source_open(&job->source, (const char *const *)paths, (size_t)count, &job->source_options, &error);
	if (result == TRAWL_OK)
		result = trawl_source_next(job->source, &document, &error);
	if (result == 0) {
		progress_end(&job->progress);
		code = nothing_found(job, paths, count);
		goto done;
	}
	if (result > 0)
		result = trawl_writer_open(&job->writer, job->index_path, &job->writer_options, &error);
	if (result < 0) {
		progress_end(&job->progress);
		code = complain("%s", error.text);
		goto done;
	}
	catch_signals();
	result = add_all(job, &document, &error);
	progress_end(&job->progress);
	code = tell_end(job, result, &error);

done:
	trawl_writer_close(job->writer);
	trawl_source_close(job->source);
	return code;
}

int index_command(int argc, char **argv)
{
	struct index_job job = {.source_options = {.diagnostic = tell_skip, .diagnostic_context = &job}};
	int option, code;
	options_begin();
	while ((option = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
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
	job.index_path = argv[optind];
	return run(&job, argv + optind + 1, argc - optind - 1);
}
