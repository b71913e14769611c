/*
 * index_progress.h - how far `trawl index` is, and how long it will still take.
 *
 * Documents are read, and then, after the last one or when memory is used up, written. What is left of the reading follows
 * from the bytes read; what is left of the writing from what the writer expects and, once it is under way, from how fast it goes.
 */
#ifndef TRAWL_CLI_INDEX_PROGRESS_H
#define TRAWL_CLI_INDEX_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/terminal.h"
#include "trawl.h"

struct index_progress {
	struct progress line;
	const trawl_source *source;
	const trawl_writer *writer;
	uint64_t text_bytes;               /* of the documents that were added, with their titles */
	double shown;                      /* of the whole: what was told, which never goes back */
	double reading_left;               /* seconds; negative: unknown */
	double writing_left, writing_next; /* seconds: of all writing to come, and of that before the next commit */
	/* of the writing under way */
	bool writing;
	double begun, expected;
	uint64_t done;
};

/* Show what is left to read and to write, if it is time to. */
void index_progress_reading(struct index_progress *progress);

/* A commit is next; `last`: nothing is left to read. */
void index_progress_commit(struct index_progress *progress, bool last);

/* The trawl_progress_function of the writer; `context` is the progress. */
void index_progress_writing(void *context, const char *stage, uint64_t done, uint64_t total);

#endif
