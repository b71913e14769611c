#include "input/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Folders found and not yet read: a list instead of recursion, since outsiders decide how deep folders nest. */
struct folders {
	const char **paths;
	size_t count, capacity;
};

void walk_release(struct walk *walk)
{
	memory_free(walk->files);
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

static char *join_path(struct arena *arena, const char *folder, const char *name)
{
	size_t folder_length = strlen(folder), name_length = strlen(name);
	bool slash = folder[folder_length - 1] != '/';
	char *path = arena_new(arena, folder_length + slash + name_length + 1);
	if (path) {
		memcpy(path, folder, folder_length + 1);
		path[folder_length] = '/';
		memcpy(path + folder_length + slash, name, name_length + 1);
	}
	return path;
}

/* What the entry of a folder is; false: something to pass over. */
static bool examine_entry(int folder, const char *name, struct stat *status, int *problem)
{
	*problem = 0;
	if (fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) != 0)
		*problem = errno;
	bool link = !*problem && S_ISLNK(status->st_mode);
	if (link && fstatat(folder, name, status, 0) != 0)
		*problem = errno;
	return *problem || S_ISREG(status->st_mode) || (!link && S_ISDIR(status->st_mode));
}

static int add_found(struct walk *walk, const char *path, const struct stat *status, int problem, trawl_error *error)
{
	struct walk_file file = {.path = path, .problem = problem, .found = true, .sized = true};
	file.size = problem ? 0 : (uint64_t)status->st_size;
	return add_file(walk, file, error);
}

static int add_entry(struct walk *walk, struct folders *folders, int folder, const char *folder_path,
                     const struct dirent *entry, trawl_error *error)
{
	struct stat status;
	int problem;
	if (entry->d_type == DT_FIFO || entry->d_type == DT_SOCK || entry->d_type == DT_CHR || entry->d_type == DT_BLK)
		return TRAWL_OK;
	if (!examine_entry(folder, entry->d_name, &status, &problem))
		return TRAWL_OK;
	const char *path = join_path(&walk->paths, folder_path, entry->d_name);
	if (!path)
		return error_set_memory(error);
	if (!problem && S_ISDIR(status.st_mode))
		return add_folder(folders, path, error);
	return add_found(walk, path, &status, problem, error);
}

/* Only the folder that the caller named may be a symbolic link: thus no folder is its own descendant. */
static DIR *open_folder(const char *path, bool named)
{
	int descriptor;
	do
		descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (named ? 0 : O_NOFOLLOW));
	while (descriptor < 0 && errno == EINTR);
	DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
	if (!stream && descriptor >= 0) {
		int saved = errno;
		close(descriptor);
		errno = saved;
	}
	return stream;
}

static int read_folder(struct walk *walk, struct folders *folders, const char *path, bool named, trawl_error *error)
{
	int status = TRAWL_OK;
	DIR *stream = open_folder(path, named);
	if (!stream)
		return add_file(walk, (struct walk_file){.path = path, .problem = errno, .found = true, .sized = true},
		                error);
	while (status == TRAWL_OK) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (!entry)
			break;
		if (entry->d_name[0] != '.')
			status = add_entry(walk, folders, dirfd(stream), path, entry, error);
	}
	if (status == TRAWL_OK && errno)
		status = add_file(
		    walk, (struct walk_file){.path = path, .problem = errno, .found = true, .sized = true}, error);
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

static int walk_folder(struct walk *walk, const char *path, trawl_error *error)
{
	struct folders folders = {0};
	size_t first = walk->count;
	int status = add_folder(&folders, path, error);
	for (bool named = true; status == TRAWL_OK && folders.count > 0; named = false)
		status = read_folder(walk, &folders, folders.paths[--folders.count], named, error);
	if (status == TRAWL_OK && walk->count > first)
		qsort(walk->files + first, walk->count - first, sizeof *walk->files, compare_paths);
	memory_free(folders.paths);
	return status;
}

int walk_add(struct walk *walk, const char *path, trawl_error *error)
{
	struct stat status;
	struct walk_file file = {.is_stdin = strcmp(path, "-") == 0};
	if ((file.is_stdin ? fstat(STDIN_FILENO, &status) : stat(path, &status)) != 0) {
		file.problem = errno;
		if (!file.is_stdin && (errno == ENOENT || errno == ENOTDIR))
			return error_set(error, TRAWL_ENOTFOUND, "no such file or folder: %s", path);
	} else {
		file.sized = S_ISREG(status.st_mode);
		file.size = file.sized ? (uint64_t)status.st_size : 0;
	}
	file.path = file.is_stdin ? "stdin" : arena_copy(&walk->paths, path, strlen(path) + 1);
	if (!file.path)
		return error_set_memory(error);
	if (!file.problem && S_ISDIR(status.st_mode) && !file.is_stdin)
		return walk_folder(walk, file.path, error);
	return add_file(walk, file, error);
}

int walk_add_found(struct walk *walk, const char *path, trawl_error *error)
{
	struct stat status;
	int problem;
	if (!examine_entry(AT_FDCWD, path, &status, &problem) || problem == ENOENT || problem == ENOTDIR)
		return TRAWL_OK;
	path = arena_copy(&walk->paths, path, strlen(path) + 1);
	if (!path)
		return error_set_memory(error);
	if (!problem && S_ISDIR(status.st_mode))
		return walk_folder(walk, path, error);
	return add_found(walk, path, &status, problem, error);
}
