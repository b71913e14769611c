/* delete.c - `trawl delete`: documents out of an index, by their ids or by a query, all in one commit. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/lines.h"
#include "cli/options.h"
#include "cli/standard.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl delete [options] INDEX ID...\n"
    "trawl delete [options] INDEX --query QUERY\n"
    "\n"
    "Deletes documents: those with the ids, or all that match the query. They vanish together, or, when something\n"
    "goes wrong, not at all.\n"
    "\n"
    "  trawl delete notes.trawl notes/old.txt notes/older.txt\n"
    "  trawl delete news.trawl - <ids.txt           ids from standard input, one a line\n"
    "  trawl delete news.trawl --query '+football \"league cup\"' --dry-run\n"
    "  trawl delete news.trawl -- -17               an id that begins with -\n"
    "\n"
    "  --query QUERY   every document that 'trawl search' would find, however many; -WORD alone means all others\n"
    "  --dry-run       delete nothing, print the ids\n"
    "  -0, --null      ids on standard input and output end in a NUL instead of a line end\n"
    "  --wait          wait for another writer to finish\n"
    "  -q, --quiet     no summary, and nothing about ids that are not there\n"
    "  --json          the summary as one JSON object\n"
    "\n"
    "An ID may be as any command prints it: bytes that are no text as bytes:caf%E9.txt; and a path in any spelling.\n"
    "With -0 ids on standard input are taken to the byte.\n"
    "Exit status: 0 deleted (or would), 1 nothing to delete, 2 error: nothing was deleted, unless it says so.\n";

enum { MISSING_TOLD = 20 };

struct delete_job {
	const char *index_path, *query;
	char **ids;
	int id_count;
	bool dry, null, wait, quiet, json;

	trawl_index *index;
	trawl_writer *writer; /* NULL: a dry run */
	uint64_t deleted, missing;
};

/* ---- one document ---------------------------------------------------------------------------------------------- */

static void tell_missing(struct delete_job *job, const char *id, size_t length)
{
	job->missing++;
	if (job->quiet)
		return;
	if (job->missing <= MISSING_TOLD)
		complain("%s has no document with the id %.*s", job->index_path, (int)(length < 300 ? length : 300),
		         id);
	else if (job->missing == MISSING_TOLD + 1)
		complain("more ids are not there; from here on they are only counted");
}

/* As it is into a file or pipe, where that can be read again; safe to look at on a terminal. */
static void print_id(const struct delete_job *job, const char *id, size_t length)
{
	if (!job->null && isatty(STDOUT_FILENO))
		id_write_clean(stdout, id, length);
	else if (!job->null)
		id_write_line(stdout, id, length);
	else
		fwrite(id, 1, length, stdout);
	putchar(job->null ? 0 : '\n');
}

/* A document to be deleted, by its very id. */
struct target {
	struct delete_job *job;
	trawl_error *error;
};

static int delete_exactly(void *context, const char *id, size_t length)
{
	const struct target *target = context;
	const struct delete_job *job = target->job;
	trawl_stored *stored = NULL;
	trawl_document document;
	if (job->writer)
		return trawl_writer_delete(job->writer, id, length, target->error);
	int result = trawl_fetch(job->index, id, length, &stored, &document, target->error);
	if (result == TRAWL_OK)
		print_id(job, id, length);
	trawl_stored_free(stored);
	return result;
}

static int count_deleted(struct delete_job *job, int result, const char *id, size_t length)
{
	if (result == TRAWL_ENOTFOUND) {
		tell_missing(job, id, length);
		return TRAWL_OK;
	}
	job->deleted += result == TRAWL_OK;
	return result;
}

/* The document with this very id, or the one that is meant by an id as it was given. TRAWL_OK, also when there is none, or the error
 * that ends the run. */
static int delete_one(struct delete_job *job, const char *id, size_t length, bool exact, trawl_error *error)
{
	struct target target = {job, error};
	int result =
	    exact ? delete_exactly(&target, id, length) : id_try(id, length, TRAWL_ENOTFOUND, delete_exactly, &target);
	return count_deleted(job, result, id, length);
}

/* ---- which documents ------------------------------------------------------------------------------------------- */

static int delete_lines(struct delete_job *job, trawl_error *error)
{
	struct lines *lines = malloc(sizeof *lines);
	int result = TRAWL_OK;
	if (!lines) {
		snprintf(error->text, sizeof error->text, "out of memory");
		return TRAWL_ENOMEM;
	}
	lines->end = job->null ? 0 : '\n';
	lines->begun = false;
	while (result == TRAWL_OK && lines_next(lines))
		if (lines->length > 0)
			result = delete_one(job, lines->bytes, lines->length, job->null, error);
	free(lines);
	if (result == TRAWL_OK && ferror(stdin)) {
		snprintf(error->text, sizeof error->text, "cannot read ids from standard input: %s", strerror(errno));
		return TRAWL_EIO;
	}
	return result;
}

static int delete_ids(struct delete_job *job, trawl_error *error)
{
	int result = TRAWL_OK;
	for (int i = 0; i < job->id_count && result == TRAWL_OK; i++)
		result = strcmp(job->ids[i], "-") == 0
		             ? delete_lines(job, error)
		             : delete_one(job, job->ids[i], strlen(job->ids[i]), false, error);
	return result;
}

static int delete_matches(struct delete_job *job, trawl_error *error)
{
	trawl_searcher *searcher = NULL;
	trawl_search_options options = {.top = TRAWL_TOP_ALL, .stable_ties = job->dry};
	struct target target = {job, error};
	const char *id;
	size_t count, length;
	int result = trawl_searcher_new(&searcher, job->index, error);
	if (result == TRAWL_OK)
		result = trawl_search(searcher, job->query, strlen(job->query), &options, error);
	if (result == TRAWL_OK) {
		const trawl_hit *hits = trawl_hits(searcher, &count);
		for (size_t i = 0; i < count && result == TRAWL_OK; i++) {
			result = trawl_hit_id(searcher, hits[i].document, &id, &length, error);
			if (result == TRAWL_OK)
				result = count_deleted(job, delete_exactly(&target, id, length), id, length);
		}
	}
	trawl_searcher_free(searcher);
	return result;
}

/* ---- the run --------------------------------------------------------------------------------------------------- */

/* The index is opened first, for a writer would make it; and behind the writer's lock once more, when nobody changes it. */
static int open_index(struct delete_job *job, trawl_error *error)
{
	trawl_writer_options options = {.wait = job->wait};
	int result = trawl_open(&job->index, job->index_path, error);
	if (result != TRAWL_OK || job->dry)
		return result;
	result = trawl_writer_open(&job->writer, job->index_path, &options, error);
	if (result != TRAWL_OK)
		return result;
	trawl_close(job->index);
	job->index = NULL;
	return trawl_open(&job->index, job->index_path, error);
}

static void print_summary(const struct delete_job *job)
{
	char deleted[NUMBER_SIZE], missing[NUMBER_SIZE];
	if (job->json) {
		printf("{\"deleted\":%" PRIu64 ",\"missing\":%" PRIu64 "}\n", job->deleted, job->missing);
		return;
	}
	printf("deleted %s document%s", grouped(job->deleted, deleted), job->deleted == 1 ? "" : "s");
	if (job->missing)
		printf("; %s id%s not there", grouped(job->missing, missing), job->missing == 1 ? " was" : "s were");
	putchar('\n');
}

static int run(struct delete_job *job)
{
	trawl_error error = {0};
	int result = open_index(job, &error);
	if (result == TRAWL_OK)
		result = job->query ? delete_matches(job, &error) : delete_ids(job, &error);
	trawl_writer_stats written = {0};
	trawl_close(job->index); /* who reads the file keeps it from shrinking */
	job->index = NULL;
	if (result == TRAWL_OK && job->writer)
		result = trawl_writer_commit(job->writer, &error);
	if (job->writer)
		trawl_writer_get_stats(job->writer, &written);
	if (result != TRAWL_OK && written.commits)
		complain("%s; deleting was done before, and %" PRIu64
		         " document%s gone: only what comes after it failed",
		         error.text, job->deleted, job->deleted == 1 ? " is" : "s are");
	else if (result != TRAWL_OK)
		complain("%s%s", error.text, job->dry ? "" : "; nothing was deleted");
	else if (!job->dry && (!job->quiet || job->json))
		print_summary(job);
	trawl_writer_close(job->writer);
	trawl_close(job->index);
	return result != TRAWL_OK ? EXIT_ERROR : job->deleted ? EXIT_DONE : EXIT_NONE;
}

/* EXIT_DONE when what was asked for makes sense. */
static int take_arguments(struct delete_job *job, int argc, char **argv)
{
	if (optind == argc)
		return complain_usage("delete", "which INDEX, and which ID? trawl delete INDEX ID...");
	job->index_path = argv[optind];
	job->ids = argv + optind + 1;
	job->id_count = argc - optind - 1;
	if (job->query && job->id_count > 0)
		return complain_usage("delete", "either ids or --query QUERY, not both");
	if (!job->query && job->id_count == 0)
		return complain_usage("delete", "which documents of %s? ids, - for standard input, or --query QUERY",
		                      job->index_path);
	if (job->dry && job->json)
		return complain_usage("delete", "--dry-run prints ids; it does not go with --json");
	return EXIT_DONE;
}

int delete_command(int argc, char **argv)
{
	static const struct option options[] = {
	    {"query", required_argument, NULL, 'Q'}, {"dry-run", no_argument, NULL, 'n'},
	    {"null", no_argument, NULL, '0'},        {"wait", no_argument, NULL, 'w'},
	    {"quiet", no_argument, NULL, 'q'},       {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},        {0}};
	struct delete_job job = {0};
	int option, code;
	options_begin();
	while ((option = getopt_long(argc, argv, ":0qh", options, NULL)) != -1) {
		switch (option) {
		case 'Q': job.query = optarg; break;
		case 'n': job.dry = true; break;
		case '0': job.null = true; break;
		case 'w': job.wait = true; break;
		case 'q': job.quiet = true; break;
		case 'j': job.json = true; break;
		case 'h': fputs(usage, stdout); return EXIT_DONE;
		default: return complain_option("delete", option, argv);
		}
	}
	code = take_arguments(&job, argc, argv);
	for (int i = 0; i < job.id_count && code == EXIT_DONE; i++)
		if (strcmp(job.ids[i], "-") == 0 && refuse_closed_input("delete", "ids") != EXIT_NONE)
			return EXIT_ERROR;
	return code == EXIT_DONE ? run(&job) : code;
}
