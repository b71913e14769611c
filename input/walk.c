#include "input/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "input/path.h"

/* Folders found and not yet read: a list instead of recursion, since outsiders decide how deep folders nest. */
struct folders {
	const char **paths;
	size_t count, capacity;
};

void walk_release(struct walk *walk)
{
	memory_free(walk->files);
	memory_free(walk->folders.slots);
	arena_release(&walk->paths);
	*walk = (struct walk){0};
}

static int add_file(struct walk *walk, struct walk_file file, trawl_error *error)
{
	if (!memory_reserve(&walk->files, &walk->capacity, walk->count + 1, sizeof *walk->files))
		return error_set_memory(error);
	walk->files[walk->count++] = file;
	return TRAWL_OK;
}

static int add_folder(struct folders *folders, const char *path, trawl_error *error)
{
	if (!memory_reserve(&folders->paths, &folders->capacity, folders->count + 1, sizeof *folders->paths))
		return error_set_memory(error);
	folders->paths[folders->count++] = path;
	return TRAWL_OK;
}

/* ---- folders that were read ---------------------------------------------------------------------------------------- */

static size_t slot_of(const struct identities *identities, const struct stat *status)
{
	uint64_t mixed = ((uint64_t)status->st_ino ^ (uint64_t)status->st_dev << 40) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(mixed >> 32) & (identities->capacity - 1);
	while (identities->slots[at].used &&
	       (identities->slots[at].inode != status->st_ino || identities->slots[at].device != status->st_dev))
		at = (at + 1) & (identities->capacity - 1);
	return at;
}

static bool grow(struct identities *identities)
{
	struct identities larger = {.capacity = identities->capacity ? 2 * identities->capacity : 64};
	if (!(larger.slots = memory_new_zeroed(larger.capacity, sizeof *larger.slots)))
		return false;
	for (size_t i = 0; i < identities->capacity; i++) {
		struct stat status = {.st_dev = identities->slots[i].device, .st_ino = identities->slots[i].inode};
		if (identities->slots[i].used)
			larger.slots[slot_of(&larger, &status)] = identities->slots[i];
	}
	larger.count = identities->count;
	memory_free(identities->slots);
	*identities = larger;
	return true;
}

/* 1: it is new, 0: it was there before, -1: out of memory. */
static int identities_add(struct identities *identities, const struct stat *status)
{
	if (identities->count * 2 >= identities->capacity && !grow(identities))
		return -1;
	struct stat_identity *slot = &identities->slots[slot_of(identities, status)];
	if (slot->used)
		return 0;
	*slot = (struct stat_identity){status->st_dev, status->st_ino, true};
	identities->count++;
	return 1;
}

/* ---- entries --------------------------------------------------------------------------------------------------------- */

/* Take note of who may read a file, or look into a folder. Who is in the group of one need not be in that of another. */
static void note_access(struct walk *walk, const struct stat *status)
{
	struct walk_access *access = &walk->access;
	unsigned open = S_ISDIR(status->st_mode) ? (status->st_mode & 0011) << 2 : status->st_mode & 0044;
	access->denied |= ~open & 0044;
	if (open & 0004)
		return;
	access->many_groups |= access->known && access->group != status->st_gid;
	access->group = status->st_gid;
	access->known = true;
}

/* What the entry of a folder is; false: something to pass over. */
static bool examine_entry(int folder, const char *name, struct stat *status, int *problem, bool *link)
{
	*problem = 0;
	if (fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) != 0)
		*problem = errno;
	*link = !*problem && S_ISLNK(status->st_mode);
	if (*link && fstatat(folder, name, status, 0) != 0)
		*problem = errno;
	return *problem || S_ISREG(status->st_mode) || S_ISDIR(status->st_mode);
}

/* Whether it is of the index. It stays on the list, so that what was once made of it is known to have no file. */
static bool set_own(struct walk *walk, struct walk_file *file, const struct stat *status)
{
	file->own = leave_out_own(&walk->rules, status);
	if (!file->own)
		return false;
	file->why_not = "the index, or a file that belongs to an index in use";
	file->size = 0;
	return true;
}

static int add_found(struct walk *walk, const char *path, const struct stat *status, int problem, trawl_error *error)
{
	struct walk_file file = {.path = path, .problem = problem, .found = true, .sized = true};
	if (problem)
		return add_file(walk, file, error);
	file.size = (uint64_t)status->st_size;
	if (!set_own(walk, &file, status))
		note_access(walk, status);
	return add_file(walk, file, error);
}

static int add_link(struct walk *walk, struct folders *links, const char *path, trawl_error *error)
{
	if (walk->follow)
		return add_folder(links, path, error);
	struct walk_file file = {.path = path, .found = true, .sized = true};
	file.why_not = "a symbolic link to a folder; --follow reads these";
	return add_file(walk, file, error);
}

/* A walk under way below `root`. */
struct walking {
	const char *root;
	struct folders folders, links;
};

static int add_entry(struct walk *walk, struct walking *walking, int folder, const char *folder_path,
                     const struct dirent *entry, trawl_error *error)
{
	struct stat status;
	int problem;
	bool link;
	if (entry->d_type == DT_FIFO || entry->d_type == DT_SOCK || entry->d_type == DT_CHR || entry->d_type == DT_BLK)
		return TRAWL_OK;
	if (!examine_entry(folder, entry->d_name, &status, &problem, &link))
		return TRAWL_OK;
	const char *path = path_join(&walk->paths, folder_path, entry->d_name);
	if (!path)
		return error_set_memory(error);
	bool is_folder = !problem && S_ISDIR(status.st_mode);
	if (leave_out_entry(walk->rules.exclude, walking->root, path, is_folder)) {
		walk->left_out++;
		return TRAWL_OK;
	}
	if (is_folder)
		return link ? add_link(walk, &walking->links, path, error) : add_folder(&walking->folders, path, error);
	return add_found(walk, path, &status, problem, error);
}

/* ---- folders --------------------------------------------------------------------------------------------------------- */

/* Unless links are followed, only the folder that the caller named may be one: thus no folder is its own descendant. */
static DIR *open_folder(const char *path, bool through_link)
{
	int descriptor;
	do
		descriptor = file_open(path, O_RDONLY | O_DIRECTORY | (through_link ? 0 : O_NOFOLLOW), 0);
	while (descriptor < 0 && errno == EINTR);
	DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
	if (!stream && descriptor >= 0) {
		int saved = errno;
		close(descriptor);
		errno = saved;
	}
	return stream;
}

/* Whether the folder is to be read: who follows links may have been there. */
static int enter_folder(struct walk *walk, DIR *stream, bool *enter, int *problem, trawl_error *error)
{
	struct stat status;
	*enter = false;
	*problem = fstat(dirfd(stream), &status) != 0 ? errno : 0;
	if (*problem)
		return TRAWL_OK;
	note_access(walk, &status);
	int added = walk->follow ? identities_add(&walk->folders, &status) : 1;
	*enter = added > 0;
	return added < 0 ? error_set_memory(error) : TRAWL_OK;
}

static int add_problem(struct walk *walk, const char *path, int problem, trawl_error *error)
{
	return add_file(walk, (struct walk_file){.path = path, .problem = problem, .found = true, .sized = true},
	                error);
}

static int read_folder(struct walk *walk, struct walking *walking, const char *path, bool through_link,
                       trawl_error *error)
{
	bool enter;
	int problem;
	DIR *stream = open_folder(path, through_link);
	if (!stream)
		return add_problem(walk, path, errno, error);
	int status = enter_folder(walk, stream, &enter, &problem, error);
	while (status == TRAWL_OK && enter) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (!entry) {
			problem = errno;
			break;
		}
		if (entry->d_name[0] != '.')
			status = add_entry(walk, walking, dirfd(stream), path, entry, error);
	}
	if (status == TRAWL_OK && problem)
		status = add_problem(walk, path, problem, error);
	closedir(stream);
	return status;
}

/* By names, level by level: the slash sorts before every other byte. */
static int compare_paths(const void *a, const void *b)
{
	const unsigned char *p = (const unsigned char *)((const struct walk_file *)a)->path;
	const unsigned char *q = (const unsigned char *)((const struct walk_file *)b)->path;
	while (*p && *p == *q)
		p++, q++;
	int left = *p == '/' ? 1 : *p ? *p + 1 : 0;
	int right = *q == '/' ? 1 : *q ? *q + 1 : 0;
	return left - right;
}

/* Greatest first: they are taken from the end. */
static int compare_links(const void *a, const void *b)
{
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

static int walk_folder(struct walk *walk, const char *root, const char *path, trawl_error *error)
{
	struct walking walking = {.root = root};
	struct folders *folders = &walking.folders, *links = &walking.links;
	size_t first = walk->count;
	int status = add_folder(folders, path, error);
	for (bool through_link = true; status == TRAWL_OK && folders->count + links->count > 0; through_link = false) {
		if (folders->count == 0) {
			qsort(links->paths, links->count, sizeof *links->paths, compare_links);
			through_link = true;
			status = add_folder(folders, links->paths[--links->count], error);
			if (status != TRAWL_OK)
				break;
		}
		status = read_folder(walk, &walking, folders->paths[--folders->count], through_link, error);
	}
	if (status == TRAWL_OK && walk->count > first)
		qsort(walk->files + first, walk->count - first, sizeof *walk->files, compare_paths);
	memory_free(folders->paths);
	memory_free(links->paths);
	return status;
}

static int add_stdin(struct walk *walk, trawl_error *error)
{
	struct stat status;
	struct walk_file file = {.path = "stdin", .is_stdin = true};
	if (fstat(STDIN_FILENO, &status) != 0) {
		file.problem = errno;
	} else if (S_ISREG(status.st_mode)) {
		file.sized = true;
		file.size = (uint64_t)status.st_size;
		note_access(walk, &status);
	}
	return add_file(walk, file, error);
}

int walk_add(struct walk *walk, const char *path, trawl_error *error)
{
	struct stat status;
	if (strcmp(path, "-") == 0)
		return add_stdin(walk, error);
	struct walk_file file = {.problem = stat(path, &status) != 0 ? errno : 0};
	if (file.problem == ENOENT || file.problem == ENOTDIR)
		return error_set(error, TRAWL_ENOTFOUND, "no such file or folder: %s", path);
	if (!(file.path = path_normal(&walk->paths, path)))
		return error_set_memory(error);
	if (file.problem)
		return add_file(walk, file, error);
	if (S_ISDIR(status.st_mode))
		return walk_folder(walk, file.path, file.path, error);
	if (leave_out_excluded(walk->rules.exclude, ".", file.path, false)) {
		walk->left_out++;
		return TRAWL_OK;
	}
	file.sized = S_ISREG(status.st_mode);
	file.size = file.sized ? (uint64_t)status.st_size : 0;
	if (!set_own(walk, &file, &status) && file.sized)
		note_access(walk, &status);
	return add_file(walk, file, error);
}

int walk_add_found(struct walk *walk, const char *root, const char *path, trawl_error *error)
{
	struct stat status;
	int problem;
	bool link;
	if (!examine_entry(AT_FDCWD, path, &status, &problem, &link) || problem == ENOENT || problem == ENOTDIR)
		return TRAWL_OK;
	path = path_normal(&walk->paths, path);
	if (path && root)
		root = path_normal(&walk->paths, root);
	if (!path)
		return error_set_memory(error);
	bool is_folder = !problem && S_ISDIR(status.st_mode);
	if (leave_out_entry(walk->rules.exclude, root ? root : ".", path, is_folder)) {
		walk->left_out++;
		return TRAWL_OK;
	}
	if (is_folder && link && !walk->follow)
		return add_link(walk, NULL, path, error);
	if (is_folder)
		return walk_folder(walk, root ? root : path, path, error);
	return add_found(walk, path, &status, problem, error);
}
