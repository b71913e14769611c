#include "input/leave_out.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/path.h"
#include "trawl.h"

/* ---- the files of indexes ---------------------------------------------------------------------------------------- */

static void add_own(struct leave_out *rules, const char *path)
{
	struct stat status;
	if (rules->own_count == OWN_FILES_MAX || stat(path, &status) != 0)
		return;
	rules->own[rules->own_count].device = status.st_dev;
	rules->own[rules->own_count++].inode = status.st_ino;
}

/* An index, what a writer and a compaction put beside it for a time, and LMDB's lock file of each (docs/FORMAT.md). */
static void add_index(struct leave_out *rules, const char *path)
{
	static const char *const beside[] = {"", "-new", "-compact", "-run"};
	char name[PATH_MAX + 32];
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		snprintf(name, sizeof name, "%s%s", path, beside[i]);
		add_own(rules, name);
		snprintf(name, sizeof name, "%s%s-lock", path, beside[i]);
		add_own(rules, name);
	}
}

void leave_out_set(struct leave_out *rules, const char *const *exclude, const char *index_path)
{
	char real[PATH_MAX];
	*rules = (struct leave_out){.exclude = exclude};
	if (!index_path || strlen(index_path) >= PATH_MAX)
		return;
	add_index(rules, index_path);
	if (realpath(index_path, real) && strcmp(real, index_path) != 0)
		add_index(rules, real);
}

bool leave_out_own(const struct leave_out *rules, const struct stat *status)
{
	for (size_t i = 0; i < rules->own_count; i++)
		if (rules->own[i].device == status->st_dev && rules->own[i].inode == status->st_ino)
			return true;
	return false;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* What editors leave behind: name~ and #name#. */
static bool is_backup(const char *name)
{
	size_t length = strlen(name);
	return length > 1 && (name[length - 1] == '~' || (length > 2 && name[0] == '#' && name[length - 1] == '#'));
}

/* A glob with a slash within is for the path below the root, as a whole; one without for the last name at any depth. */
static bool matches(const char *glob, const char *path, const char *below, bool is_folder)
{
	char copy[PATH_MAX];
	size_t length = strlen(glob);
	if (length > 1 && glob[length - 1] == '/') {
		if (!is_folder || length > sizeof copy)
			return false;
		memcpy(copy, glob, length - 1);
		copy[length - 1] = 0;
		glob = copy;
	}
	int flags = strstr(glob, "**") ? 0 : FNM_PATHNAME;
	if (fnmatch(glob, path, flags) == 0)
		return true;
	bool deep = strncmp(glob, "**/", 3) == 0;
	if (deep)
		glob += 3;
	if (!strchr(glob, '/'))
		return fnmatch(glob, path_name(below), flags) == 0;
	if (!deep)
		return fnmatch(glob + (glob[0] == '/') + 2 * (strncmp(glob, "./", 2) == 0), below, flags) == 0;
	for (; below; below = strchr(below, '/') ? strchr(below, '/') + 1 : NULL)
		if (fnmatch(glob, below, flags) == 0)
			return true;
	return false;
}

bool leave_out_excluded(const char *const *exclude, const char *root, const char *path, bool is_folder)
{
	const char *below = path_below(root, path);
	for (; exclude && *exclude; exclude++)
		if (matches(*exclude, path, below ? below : path, is_folder))
			return true;
	return false;
}

bool leave_out_entry(const char *const *exclude, const char *root, const char *path, bool is_folder)
{
	const char *name = path_name(path);
	return name[0] == '.' || (!is_folder && is_backup(name)) || leave_out_excluded(exclude, root, path, is_folder);
}

bool trawl_source_passes_over(const trawl_source_options *options, const char *root, const char *path, bool is_folder)
{
	char upper[PATH_MAX];
	const char *below = path_below(root, path);
	if (!below || strlen(path) >= sizeof upper)
		return false;
	const char *const *exclude = options ? options->exclude : NULL;
	for (const char *slash = strchr(below, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(upper, path, (size_t)(slash - path));
		upper[slash - path] = 0;
		if (leave_out_entry(exclude, root, upper, true))
			return true;
	}
	return leave_out_entry(exclude, root, path, is_folder);
}
