/*
 * missing.h - documents whose files are gone.
 *
 * A folder owns the ids that the walk of it would make: those which begin with its path and a slash, so that "a" owns
 * "a/x" but not "ab/x". Such a document is missing when no regular file has its id as the path. What cannot be looked
 * at (no permission, a broken disk) is not missing.
 */
#ifndef TRAWL_CLI_MISSING_H
#define TRAWL_CLI_MISSING_H

#include <stdbool.h>
#include <stddef.h>

#include "trawl.h"

/* Zero-initialised is empty: owns nothing. */
struct missing {
	char **prefixes; /* "folder/" */
	size_t count, capacity;
	void *seen; /* a tree of ids below the folders that this run yielded though they are no files */
};

/* Let `folder` own what lies below it. false: out of memory. */
bool missing_own(struct missing *missing, const char *folder);

/* This run has yielded the document: it is not missing, even if its id only looks like a path (of JSON Lines). */
bool missing_see(struct missing *missing, const char *id, size_t length);

/* Whether no regular file is at `path`. */
bool file_is_gone(const char *path);

/* Delete through `writer` the missing ones among the documents of the last commit. */
int missing_delete(const struct missing *missing, const char *index_path, trawl_writer *writer, trawl_error *error);

void missing_release(struct missing *missing);

#endif
