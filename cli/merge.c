/* merge.c - `trawl merge`, `trawl compact`: fewer segments, without the documents that were deleted; a smaller file. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char merge_usage[] =
    "trawl merge [options] INDEX\n"
    "\n"
    "Merges the segments of an index, and drops deleted and replaced documents. Indexing does so by itself as far as "
    "it\n"
    "pays; this goes on to the end. Answers stay the same. The room won is used by what is indexed next; 'trawl "
    "compact'\n"
    "gives it back.\n"
    "\n"
    "  trawl merge news.trawl\n"
    "\n"
    "  --segments N   leave up to N segments (1 unless said)\n"
    "  --wait         wait for another writer to finish\n"
    "  -q, --quiet    no summary\n"
    "  --json         the summary as one JSON object\n"
    "\n"
    "Exit status: 0 done, 2 error; when stopped, the index is as it was before or after one of the merges.\n";

static const char compact_usage[] = "trawl compact [options] INDEX\n"
                                    "\n"
                                    "Makes the file as small as it gets: merges its segments into one, drops deleted "
                                    "and replaced documents, and gives free\n"
                                    "pages back. A copy is written beside INDEX and then put in its place, so there "
                                    "must be room for both. Searches that\n"
                                    "are going on are not disturbed; when stopped, INDEX is whole.\n"
                                    "\n"
                                    "  trawl compact news.trawl\n"
                                    "\n"
                                    "  --wait         wait for another writer to finish\n"
                                    "  -q, --quiet    no summary\n"
                                    "  --json         the summary as one JSON object\n"
                                    "\n"
                                    "Exit status: 0 done, 2 error.\n";

struct merge_job {
	const char *index_path;
	uint64_t segments;
	bool wait, quiet, json;
	double begun;
	struct progress progress;
};

static uint64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static void print_path(const char *path)
{
	clean_write(stdout, path, strlen(path), CLEAN_LINE);
}

/* What is in the index now. An index that is not there is not to be made. */
static int look(const char *path, trawl_index_stats *stats, trawl_error *error)
{
	trawl_index *index = NULL;
	int result = trawl_open(&index, path, error);
	if (result == TRAWL_OK)
		result = trawl_get_stats(index, stats, error);
	trawl_close(index);
	return result;
}

/* ---- merge ----------------------------------------------------------------------------------------------------- */

static void print_merge(const struct merge_job *job, const trawl_index_stats *before, const trawl_index_stats *after,
                        const trawl_writer_stats *written)
{
	char text[4][NUMBER_SIZE];
	double seconds = clock_seconds() - job->begun;
	if (job->json) {
		printf("{\"segments_before\":%" PRIu64 ",\"segments\":%" PRIu64 ",\"deleted_before\":%" PRIu64
		       ",\"deleted\":%" PRIu64 ",\"merges\":%" PRIu64 ",\"merge_bytes\":%" PRIu64
		       ",\"compactions\":%" PRIu64 ",\"compaction_bytes\":%" PRIu64
		       ",\"seconds\":%.3f,\"file_bytes\":%" PRIu64 "}\n",
		       before->segments, after->segments, before->deleted, after->deleted, written->merges,
		       written->merge_bytes, written->compactions, written->compaction_bytes, seconds,
		       file_bytes(job->index_path));
		return;
	}
	printf("merged %s segment%s into %s, %s written in %.2f s; dropped %s dead document%s; ",
	       grouped(before->segments, text[0]), before->segments == 1 ? "" : "s", grouped(after->segments, text[1]),
	       megabytes(written->merge_bytes, text[2]), seconds, grouped(before->deleted - after->deleted, text[3]),
	       before->deleted - after->deleted == 1 ? "" : "s");
	print_path(job->index_path);
	printf(written->compactions ? ", compacted, is %s\n" : " is %s\n",
	       megabytes(file_bytes(job->index_path), text[0]));
}

static void show_progress(void *context, const char *stage, uint64_t done, uint64_t total)
{
	struct merge_job *job = context;
	progress_stage(&job->progress, stage, done, total);
}

static int run_merge(struct merge_job *job)
{
	trawl_error error = {0};
	trawl_index_stats before, after;
	trawl_writer_stats written;
	trawl_writer *writer = NULL;
	trawl_writer_options options = {.wait = job->wait, .progress = show_progress, .progress_context = job};
	job->begun = clock_seconds();
	progress_begin(&job->progress, !job->quiet);
	int result = look(job->index_path, &before, &error);
	if (result == TRAWL_OK)
		result = trawl_writer_open(&writer, job->index_path, &options, &error);
	if (result == TRAWL_OK && job->wait) /* the writer that was waited for may have changed it */
		result = look(job->index_path, &before, &error);
	if (result == TRAWL_OK)
		result = trawl_writer_merge(writer, (size_t)job->segments, &error);
	progress_end(&job->progress);
	if (result == TRAWL_OK)
		result = look(job->index_path, &after, &error);
	if (result == TRAWL_OK) {
		trawl_writer_get_stats(writer, &written);
		if (!job->quiet || job->json)
			print_merge(job, &before, &after, &written);
	}
	trawl_writer_close(writer);
	return result == TRAWL_OK ? EXIT_DONE : complain("%s", error.text);
}

/* ---- compact --------------------------------------------------------------------------------------------------- */

static int run_compact(struct merge_job *job)
{
	trawl_error error = {0};
	trawl_compaction sizes;
	char text[2][NUMBER_SIZE];
	job->begun = clock_seconds();
	progress_begin(&job->progress, !job->quiet);
	int result = trawl_compact_watched(job->index_path, job->wait, show_progress, job, &sizes, &error);
	progress_end(&job->progress);
	if (result != TRAWL_OK)
		return complain("%s", error.text);
	double seconds = clock_seconds() - job->begun;
	if (job->json) {
		printf("{\"bytes_before\":%" PRIu64 ",\"bytes_after\":%" PRIu64 ",\"seconds\":%.3f}\n",
		       sizes.bytes_before, sizes.bytes_after, seconds);
	} else if (!job->quiet) {
		fputs("compacted ", stdout);
		print_path(job->index_path);
		printf(" from %s to %s in %.2f s\n", megabytes(sizes.bytes_before, text[0]),
		       megabytes(sizes.bytes_after, text[1]), seconds);
	}
	return EXIT_DONE;
}

/* ---- options --------------------------------------------------------------------------------------------------- */

/* The options that both have, and --segments for merge. EXIT_NONE: go on and do the work. */
static int parse_options(struct merge_job *job, const char *command, const char *usage, const struct option *options,
                         int argc, char **argv)
{
	int option;
	options_begin();
	while ((option = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
		switch (option) {
		case 'h': fputs(usage, stdout); return EXIT_DONE;
		case 'w': job->wait = true; break;
		case 'q': job->quiet = true; break;
		case 'j': job->json = true; break;
		case 's':
			if (!parse_number(optarg, 1, 1000000, &job->segments))
				return complain_usage(command, "--segments %s is not a number of segments", optarg);
			break;
		default: return complain_option(command, option, argv);
		}
	}
	if (optind + 1 != argc)
		return complain_usage(command, "it takes one INDEX");
	job->index_path = argv[optind];
	return EXIT_NONE;
}

#define COMMON_OPTIONS                                                                                                 \
	{"wait", no_argument, NULL, 'w'}, {"quiet", no_argument, NULL, 'q'}, {"json", no_argument, NULL, 'j'},         \
	    {"help", no_argument, NULL, 'h'},                                                                          \
	{                                                                                                              \
		0                                                                                                      \
	}

int merge_command(int argc, char **argv)
{
	static const struct option options[] = {{"segments", required_argument, NULL, 's'}, COMMON_OPTIONS};
	struct merge_job job = {.segments = 1};
	int code = parse_options(&job, "merge", merge_usage, options, argc, argv);
	return code == EXIT_NONE ? run_merge(&job) : code;
}

int compact_command(int argc, char **argv)
{
	static const struct option options[] = {COMMON_OPTIONS};
	struct merge_job job = {0};
	int code = parse_options(&job, "compact", compact_usage, options, argc, argv);
	return code == EXIT_NONE ? run_compact(&job) : code;
}
