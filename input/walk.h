/* walk.h - the list of files that the given paths stand for. */
#ifndef TRAWL_INPUT_WALK_H
#define TRAWL_INPUT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "input/leave_out.h"
#include "trawl.h"

struct walk_file {
	const char *path;
	uint64_t size;       /* as stored, when it was found; 0 for what is not a regular file */
	int problem;         /* the errno that will keep it from being read, or 0 */
	const char *why_not; /* why it is passed over; NULL: it is read. Static storage */
	bool own;            /* it belongs to the index */
	bool found;          /* in a folder, not named by the caller */
	bool is_stdin;
	bool sized; /* size is known */
};

/* Who may read all files seen so far, and the folders that lead to them from the paths given: bits of 0044; and whether their groups
 * differ. */
struct walk_access {
	unsigned denied; /* to these, something */
	bool known, many_groups;
	gid_t group; /* of files and folders that are not for all others */
};

/* Devices and inodes, each once. Zero-initialised is empty. */
struct identities {
	struct stat_identity {
		dev_t device;
		ino_t inode;
		bool used;
	} * slots;
	size_t count, capacity;
};

/* Zero-initialised, with the rules set, is empty. */
struct walk {
	struct leave_out rules;
	bool follow; /* symbolic links to folders */
	struct walk_file *files;
	size_t count, capacity;
	uint64_t left_out; /* by the rules and not listed */
	struct walk_access access;
	struct identities folders; /* that were read; kept only to follow links */
	struct arena paths;
};

/* Append what `path` stands for: standard input ("-"), the file, or the regular files below the folder, in byte order
 * of the names at each level; paths get their normal form. What the rules leave out is passed over, and so are pipes, devices and
 * sockets within folders. Symbolic links to folders are told of, or followed once all folders are read that are none: no folder is read
 * twice. What cannot be read is listed with its `problem`. TRAWL_ENOTFOUND, TRAWL_ENOMEM. */
int walk_add(struct walk *walk, const char *path, trawl_error *error);

/* The same for an entry that was found below the folder `root`, under the rules for those; nothing if it is no longer there. */
int walk_add_found(struct walk *walk, const char *root, const char *path, trawl_error *error);

void walk_release(struct walk *walk);

#endif
