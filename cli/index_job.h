/*
 * index_job.h - the work of `trawl index`: documents of a source through a writer into commits.
 *
 * A pass opens a source and a writer, adds all documents, deletes those whose files are gone, and commits.
 */
#ifndef TRAWL_CLI_INDEX_JOB_H
#define TRAWL_CLI_INDEX_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/index_progress.h"
#include "cli/missing.h"
#include "cli/terminal.h"
#include "trawl.h"

struct index_job {
	const char *index_path;
	trawl_source_options source_options;
	trawl_writer_options writer_options;
	bool quiet, json, verbose, delete_missing, watch, yes;
	const char **exclude; /* of source_options */
	size_t exclude_count;
	uint64_t commit_documents; /* commit after so many, 0: at the end only */
	double commit_seconds;     /* the same, in time */

	struct id_set of_lines_known; /* files that have, ever */

	/* of a pass */
	trawl_source *source;
	trawl_writer *writer;
	struct missing missing;
	bool of_lines;  /* the file being read has yielded documents of other ids than its path */
	bool of_itself; /* it has yielded one with its path as the id */
	bool batch;     /* of --watch: changes, not everything */
	char *fields;   /* of a document, with its origin */
	size_t fields_capacity;
	struct index_progress progress;
	uint64_t refused; /* documents that the writer did not take */
	uint64_t skips;   /* lines, files and documents that were skipped, and of each kind of notice */
	uint64_t notices[TRAWL_NOTICES];
	char *first_place[TRAWL_NOTICES],
	    *first_message[TRAWL_NOTICES]; /* of the first of each kind that skips nothing */
	FILE *listing; /* all of them as JSON, into list[0..list_length): for --json with --verbose */
	char *list;
	size_t list_length;
	trawl_error file_error; /* what went wrong while notes were taken of a file */
	trawl_error wait_error; /* what went wrong while input was waited for */
	uint64_t taken;         /* documents since the last commit */
	uint64_t committed;     /* documents in commits along the way */
	double last_commit;
};

/* The first SIGINT, SIGTERM or SIGHUP asks to stop, the second one kills. What was ignored stays ignored. */
void catch_signals(void);
int caught_signal(void); /* its number, or 0 */

/* The diagnostic of job->source_options. */
void job_take_notice(void *context, enum trawl_notice notice, const char *place, const char *message);

/* Its file_done. */
void job_take_file(void *context, const char *path, enum trawl_file_outcome outcome);

/* Ready the job for a pass. */
void job_begin_pass(struct index_job *job);

/* Forget the document or documents that a file held; of a batch of --watch. */
int job_lose_file(struct index_job *job, const char *path, trawl_error *error);

/* Its wait: until there is input, or a signal; meanwhile, commits that are due by time are made. */
int job_wait_for_input(void *context, int descriptor);

/* Open job->writer; with --wait, when other writers are done. TRAWL_OK, an error, or 1 when a signal came. */
int job_open_writer(struct index_job *job, trawl_error *error);

/* Add `document` (NULL: there is none) and all that follow it, with commits along the way. TRAWL_OK, an error, or 1 when a
 * signal came. */
int job_add_all(struct index_job *job, trawl_document *document, trawl_error *error);

/* Delete what is missing and commit. TRAWL_OK, an error, or 1 when a signal came before. */
int job_finish(struct index_job *job, trawl_error *error);

/* What was skipped, reason by reason, and what is to be told of documents that were not: as members of a JSON object, or on stderr. */
void job_print_notices(const struct index_job *job);
void job_tell_notices(const struct index_job *job);

/* The exit code of a pass that has ended well: EXIT_NONE where some of the input was cut off or corrupt. */
int job_exit_code(const struct index_job *job);

/* What the pass has done, on stdout; and how it ended when `result`, of job_add_all or job_finish, is no success. */
void job_print_summary(const struct index_job *job);
int job_tell_end(const struct index_job *job, int result, const trawl_error *error);

/* Close source and writer, and forget the pass. */
void job_end_pass(struct index_job *job);

/* The same for --watch: over the folders `paths` until a signal comes. Returns the exit code. */
int job_watch(struct index_job *job, char **paths, int count);

#endif
