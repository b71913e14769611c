/*
 * missing.h - documents whose files, or whose lines in them, are gone.
 *
 * The paths given to a run own the documents that came from them and from what is below them. Such a document is missing when the
 * run has not yielded it and its file is gone, is no regular file any more, is left out now, or was read to its end or found to
 * have no text. What could not be read, or not as a whole, keeps its documents; and so does a file that is there but was not looked at.
 *
 * Which file a document came from is stored with it (reserved.h). Of older documents, and of those from standard input, the id is
 * taken for the path; there a path below the working folder counts only if it begins with "./", as it did then.
 */
#ifndef TRAWL_CLI_MISSING_H
#define TRAWL_CLI_MISSING_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/id_set.h"
#include "trawl.h"

struct missing_root {
	char *path; /* in its normal form */
	uint64_t files, known, going;
};

/* Zero-initialised, with the options of the source, owns nothing. */
struct missing {
	const trawl_source_options *options;
	bool active; /* take note of what is yielded */
	bool yes;    /* delete however much is missing */
	bool refused;
	struct missing_root *roots;
	size_t count, capacity;
	struct id_set seen;    /* ids yielded, with the numbers of their roots */
	struct id_set read;    /* files read, of which other documents came than one with the path as its id */
	struct id_set empty;   /* files without text */
	struct id_list unread; /* files and folders */
};

/* Let the folder or file own what is below it. false: out of memory. */
bool missing_own(struct missing *missing, const char *path);

/* This run has yielded the document; `file`: trawl_source_file. false: out of memory. */
bool missing_see(struct missing *missing, const trawl_document *document, const char *file);

/* What became of a file; `is_document`: its path is the id of the only document of it. false: out of memory. */
bool missing_file(struct missing *missing, const char *path, enum trawl_file_outcome outcome, bool is_document);

/* Whether no regular file is at `path`. */
bool file_is_gone(const char *path);

/* Delete through `writer` the missing ones among the documents of the last commit. Where that looks like a mistake, as when a disk is not
 * mounted, nothing is deleted: that is told, and missing->refused set. */
int missing_delete(struct missing *missing, const char *index_path, trawl_writer *writer, trawl_error *error);

void missing_release(struct missing *missing);

#endif
