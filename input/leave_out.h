/* leave_out.h - what is not read though it is there: hidden entries, backups, what the caller excludes, and the files of indexes. */
#ifndef TRAWL_INPUT_LEAVE_OUT_H
#define TRAWL_INPUT_LEAVE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define OWN_FILES_MAX 32

struct leave_out {
	const char *const *exclude; /* globs, ending in NULL; NULL: none. Borrowed */
	struct {
		dev_t device;
		ino_t inode;
	} own[OWN_FILES_MAX];
	size_t own_count;
};

/* Take the rules. `index_path`, NULL for none, is looked up now, with the files beside it. */
void leave_out_set(struct leave_out *rules, const char *const *exclude, const char *index_path);

/* Whether the file belongs to that index, or is the lock file of one that this process has open: by device and inode. */
bool leave_out_own(const struct leave_out *rules, const struct stat *status);

/* Whether a walk of `root` passes over the entry `path`, both in their normal forms, by its last name alone or by a glob. */
bool leave_out_entry(const char *const *exclude, const char *root, const char *path, bool is_folder);

/* Whether a glob says so: what is named by the caller may be hidden, or a backup. */
bool leave_out_excluded(const char *const *exclude, const char *root, const char *path, bool is_folder);

#endif
