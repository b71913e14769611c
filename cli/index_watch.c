/*
 * index_watch.c - `trawl index --watch`: an index that follows its folders.
 *
 * First the folders are walked whole. Then what inotify tells is gathered until nothing came for a moment, or for too long; each
 * batch is one commit. The index is locked only while a batch is written, so that other writers get their turns.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/index_job.h"
#include "cli/readers.h"
#include "cli/watch.h"

#define QUIET_SECONDS 0.3 /* without an event end a batch */
#define BATCH_SECONDS 2.0 /* after its first event a batch ends anyhow */
#define IDLE_SECONDS 3600 /* to sleep without events */
#define BUSY_SECONDS 0.2  /* until the next try while another process writes */

struct follower {
	struct index_job *job;
	char **paths;   /* as given */
	char **folders; /* the same in their normal form, and NULL */
	size_t folder_count;
	struct watch *watch;
	double first, last; /* times of the events in the batch; first 0: none */
	double next_try;    /* while another process writes; 0: none is known to */
};

/* ---- a batch --------------------------------------------------------------------------------------------------- */

/* Found below `folders`; NULL: they are the folders. */
static int add_paths(struct index_job *job, char *const *paths, size_t count, char *const *folders, trawl_error *error)
{
	trawl_document document;
	trawl_source_options options = job->source_options;
	options.found = folders != NULL;
	options.found_below = (const char *const *)folders;
	int result = trawl_source_open(&job->source, (const char *const *)paths, count, &options, error);
	if (result == TRAWL_OK)
		result = trawl_source_next(job->source, &document, error);
	if (result == TRAWL_ESTOPPED)
		return 1;
	return result < 0 ? result : job_add_all(job, result ? &document : NULL, error);
}

static int fail_memory(trawl_error *error)
{
	snprintf(error->text, sizeof error->text, "out of memory");
	return TRAWL_ENOMEM;
}

/* What was touched and is there. What is below a folder that is walked comes with it. */
static int add_touched(struct follower *follower, const struct watch_changes *changes, trawl_error *error)
{
	const struct path_list *lists[] = {&changes->folders, &changes->files};
	size_t count = 0;
	char **paths = malloc((changes->folders.count + changes->files.count + 1) * sizeof *paths);
	if (!paths)
		return fail_memory(error);
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < lists[list]->count; i++)
			if (!path_list_covers(&changes->folders, lists[list]->paths[i]))
				paths[count++] = lists[list]->paths[i];
	int result = count ? add_paths(follower->job, paths, count, follower->folders, error) : TRAWL_OK;
	free(paths);
	return result;
}

/* The document of a file that is no longer one goes. */
static int delete_if_gone(struct index_job *job, const char *path, trawl_error *error)
{
	return file_is_gone(path) ? job_lose_file(job, path, error) : TRAWL_OK;
}

static int delete_gone(struct index_job *job, const struct watch_changes *changes, trawl_error *error)
{
	int result = TRAWL_OK;
	for (size_t i = 0; i < changes->files.count && result == TRAWL_OK; i++)
		result = delete_if_gone(job, changes->files.paths[i], error);
	for (size_t i = 0; i < changes->folders.count && result == TRAWL_OK; i++)
		result = delete_if_gone(job, changes->folders.paths[i], error);
	for (size_t i = 0; i < changes->gone.count && result == TRAWL_OK; i++)
		if (!missing_own(&job->missing, changes->gone.paths[i]))
			result = fail_memory(error);
	return result;
}

static int own_all(struct follower *follower, trawl_error *error)
{
	for (size_t i = 0; i < follower->folder_count; i++)
		if (!missing_own(&follower->job->missing, follower->folders[i]))
			return fail_memory(error);
	return TRAWL_OK;
}

/* Whether the index that the writer has opened has no commit: someone removed the old one. */
static bool is_new(const char *path)
{
	trawl_index *index = NULL;
	int result = trawl_open(&index, path, NULL);
	trawl_close(index);
	return result == TRAWL_ENOTINDEX || result == TRAWL_ENOTFOUND;
}

/* A new index is made before its documents are read: look at their files first. */
static int prepare_new(struct follower *follower, trawl_error *error)
{
	struct index_job *job = follower->job;
	trawl_source *source = NULL;
	if (access(job->index_path, F_OK) == 0)
		return TRAWL_OK;
	int result = trawl_source_open(&source, (const char *const *)follower->paths, follower->folder_count,
	                               &job->source_options, error);
	if (result == TRAWL_OK)
		limit_readers(source, job->index_path, job->quiet);
	trawl_source_close(source);
	return result;
}

/* Bring the index up to date. TRAWL_OK, an error, or 1 when a signal came. */
static int write_batch(struct follower *follower, trawl_error *error)
{
	struct index_job *job = follower->job;
	const struct watch_changes *changes = watch_changes(follower->watch);
	job_end_pass(job);
	int result = prepare_new(follower, error);
	if (result == TRAWL_OK)
		result = job_open_writer(job, error);
	if (result != TRAWL_OK)
		return result;
	bool everything = changes->everything || is_new(job->index_path);
	job->batch = !everything;
	job_begin_pass(job);
	if (everything)
		result = own_all(follower, error);
	else
		result = delete_gone(job, changes, error);
	if (result == TRAWL_OK && everything)
		result = add_paths(job, follower->paths, follower->folder_count, NULL, error);
	else if (result == TRAWL_OK)
		result = add_touched(follower, changes, error);
	return result == TRAWL_OK ? job_finish(job, error) : result;
}

static void print_commit(const struct index_job *job)
{
	trawl_writer_stats written;
	trawl_writer_get_stats(job->writer, &written);
	if (written.added + written.replaced + written.deleted == 0)
		return;
	if (job->json)
		printf("{\"added\":%" PRIu64 ",\"replaced\":%" PRIu64 ",\"deleted\":%" PRIu64 "}\n", written.added,
		       written.replaced, written.deleted);
	else if (!job->quiet)
		printf("committed: %" PRIu64 " added, %" PRIu64 " replaced, %" PRIu64 " deleted\n", written.added,
		       written.replaced, written.deleted);
	fflush(stdout);
}

/* Write the batch that was gathered; one that another writer keeps from being written waits for the next try. */
static int apply(struct follower *follower, trawl_error *error)
{
	int result = write_batch(follower, error);
	if (result == TRAWL_EBUSY) {
		if (!follower->next_try && !follower->job->quiet)
			complain("%s", error->text);
		follower->next_try = clock_seconds() + BUSY_SECONDS;
		return TRAWL_OK;
	}
	watch_forget_changes(follower->watch);
	follower->first = follower->next_try = 0;
	if (result == TRAWL_OK) {
		job_tell_notices(follower->job);
		print_commit(follower->job);
	}
	return result;
}

/* ---- the life of it -------------------------------------------------------------------------------------------- */

static double seconds_left(const struct follower *follower)
{
	double quiet = follower->last + QUIET_SECONDS, full = follower->first + BATCH_SECONDS;
	double due = follower->next_try > 0 ? follower->next_try : quiet < full ? quiet : full;
	double left = due - clock_seconds();
	return follower->first > 0 ? (left > 0 ? left : 0) : IDLE_SECONDS;
}

/* Sleep until something happens, the batch is due (1), or a signal comes (0). Signals are let in only here, so that none is
 * missed between looking for it and falling asleep. */
static int sleep_until_due(struct follower *follower, trawl_error *error)
{
	sigset_t ends, before;
	struct pollfd poll = {watch_descriptor(follower->watch), POLLIN, 0};
	int result = 0;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	while (result == 0 && !caught_signal()) {
		double left = seconds_left(follower);
		struct timespec patience = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
		bool happened = false;
		int got = ppoll(&poll, 1, &patience, &before);
		if (got > 0)
			result = watch_gather(follower->watch, &happened, error);
		if (happened) {
			follower->last = clock_seconds();
			follower->first = follower->first > 0 ? follower->first : follower->last;
		}
		if (result == TRAWL_OK && seconds_left(follower) <= 0)
			result = 1;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

static int follow(struct follower *follower, trawl_error *error)
{
	struct index_job *job = follower->job;
	progress_begin(&job->progress.line, !job->quiet);
	int result = write_batch(follower, error);
	progress_end(&job->progress.line);
	if (result != TRAWL_OK)
		return result;
	watch_forget_changes(follower->watch);
	job_tell_notices(job);
	if (!job->quiet || job->json)
		job_print_summary(job);
	if (!job->quiet && !job->json)
		puts("watching; Ctrl-C ends it");
	fflush(stdout);
	job->writer_options.wait = false; /* from here on signals and events come first */
	while (result == TRAWL_OK && !caught_signal()) {
		job_end_pass(job);
		result = sleep_until_due(follower, error);
		if (result == 1)
			result = apply(follower, error);
	}
	return result;
}

static void free_folders(char **folders)
{
	for (char **folder = folders; folders && *folder; folder++)
		free(*folder);
	free(folders);
}

/* The normal forms of the paths, and NULL behind them. NULL: out of memory. */
static char **normal_folders(char **paths, size_t count)
{
	char **folders = calloc(count + 1, sizeof *folders);
	for (size_t i = 0; folders && i < count; i++) {
		folders[i] = malloc(strlen(paths[i]) + 2);
		if (!folders[i]) {
			free_folders(folders);
			return NULL;
		}
		trawl_normal_path(paths[i], folders[i]);
	}
	return folders;
}

int job_watch(struct index_job *job, char **paths, int count)
{
	trawl_error error = {0};
	struct follower follower = {.job = job, .paths = paths, .folder_count = (size_t)count};
	follower.folders = normal_folders(paths, (size_t)count);
	if (!follower.folders)
		return complain("out of memory");
	catch_signals();
	int result = watch_new(&follower.watch, follower.folders, (size_t)count, &job->source_options, &error);
	if (result == TRAWL_OK)
		result = follow(&follower, &error);
	if (result < 0)
		complain("%s; watching ends", error.text);
	watch_free(follower.watch);
	free_folders(follower.folders);
	return result < 0 ? EXIT_ERROR : EXIT_DONE;
}
