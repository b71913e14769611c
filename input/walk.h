/* walk.h - the list of files that the given paths stand for. */
#ifndef TRAWL_INPUT_WALK_H
#define TRAWL_INPUT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "trawl.h"

struct walk_file {
	const char *path;
	uint64_t size; /* as stored, when it was found; 0 for what is not a regular file */
	int problem;   /* the errno that will keep it from being read, or 0 */
	bool found;    /* in a folder, not named by the caller */
	bool is_stdin;
	bool sized; /* size is known */
};

/* Zero-initialised is empty. */
struct walk {
	struct walk_file *files;
	size_t count, capacity;
	struct arena paths;
};

/* Append what `path` stands for: standard input ("-"), the file, or the regular files below the folder, in byte order
 * of the names at each level. Hidden entries are passed over, and so are symbolic links to folders, pipes, devices and
 * sockets within folders. What cannot be read is listed with its `problem`. TRAWL_ENOTFOUND, TRAWL_ENOMEM. */
int walk_add(struct walk *walk, const char *path, trawl_error *error);

/* The same for an entry that was found in a folder, under the rules for those; nothing if it is no longer there. */
int walk_add_found(struct walk *walk, const char *path, trawl_error *error);

void walk_release(struct walk *walk);

#endif
