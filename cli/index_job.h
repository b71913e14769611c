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

#include "cli/missing.h"
#include "cli/terminal.h"
#include "trawl.h"

struct index_job {
	const char *index_path;
	trawl_source_options source_options;
	trawl_writer_options writer_options;
	bool quiet, json, delete_missing, watch;
	uint64_t commit_documents; /* commit after so many, 0: at the end only */
	double commit_seconds;     /* the same, in time */

	/* of a pass */
	trawl_source *source;
	trawl_writer *writer;
	struct missing missing;
	struct progress progress;
	uint64_t refused;    /* documents that the writer did not take */
	uint64_t skips_told; /* lines about skipped ones on stderr */
	uint64_t text_bytes; /* of the documents, with their titles */
	uint64_t taken;      /* documents since the last commit */
	uint64_t committed;  /* documents in commits along the way */
	double last_commit;
};

/* The first SIGINT or SIGTERM asks to stop, the second one kills. */
void catch_signals(void);
int caught_signal(void); /* its number, or 0 */

/* The diagnostic of job->source_options. */
void job_tell_skip(void *context, const char *place, const char *message);

/* Add `document` (NULL: there is none) and all that follow it, with commits along the way. TRAWL_OK, an error, or 1 when a
 * signal came. */
int job_add_all(struct index_job *job, trawl_document *document, trawl_error *error);

/* Delete what is missing and commit. TRAWL_OK, an error, or 1 when a signal came before. */
int job_finish(struct index_job *job, trawl_error *error);

/* What the pass has done, on stdout; and how it ended when `result`, of job_add_all or job_finish, is no success. */
void job_print_summary(const struct index_job *job);
int job_tell_end(const struct index_job *job, int result, const trawl_error *error);

/* Close source and writer, and forget the pass. */
void job_end_pass(struct index_job *job);

/* The same for --watch: over the folders `paths` until a signal comes. Returns the exit code. */
int job_watch(struct index_job *job, char **paths, int count);

#endif
