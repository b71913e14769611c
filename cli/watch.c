#include "cli/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOLD                                                                                                           \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |                \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
#define TOUCHED_MAX ((size_t)1 << 16) /* paths gathered one by one */
#define GONE_MAX ((size_t)64)         /* folders: all ids are compared with each */

struct watched {
	int number; /* inotify's */
	bool named; /* by the caller */
	char *path;
};

struct watch {
	int descriptor;
	char *const *folders;
	size_t folder_count;
	const trawl_source_options *options;
	struct watched *watched; /* ascending by number */
	size_t count, capacity;
	struct watch_changes changes;
};

/* ---- small verbs ----------------------------------------------------------------------------------------------- */

static int fail(trawl_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(trawl_error *error, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	error->code = code;
	return code;
}

static int fail_memory(trawl_error *error)
{
	return fail(error, TRAWL_ENOMEM, "out of memory");
}

static void list_release(struct path_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct path_list){0};
}

/* Append a copy. Much is told twice in a row. */
static bool list_add(struct path_list *list, const char *path)
{
	if (list->count > 0 && strcmp(list->paths[list->count - 1], path) == 0)
		return true;
	if (list->count == list->capacity) {
		size_t capacity = 2 * list->capacity + 16;
		char **paths = realloc(list->paths, capacity * sizeof *paths);
		if (!paths)
			return false;
		list->paths = paths;
		list->capacity = capacity;
	}
	list->paths[list->count] = strdup(path);
	return list->paths[list->count] && ++list->count;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_sort(struct path_list *list)
{
	size_t kept = 0;
	if (list->count > 1)
		qsort(list->paths, list->count, sizeof *list->paths, compare_paths);
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && strcmp(list->paths[i], list->paths[kept - 1]) == 0)
			free(list->paths[i]);
		else
			list->paths[kept++] = list->paths[i];
	}
	list->count = kept;
}

bool path_list_covers(const struct path_list *folders, const char *path)
{
	char *above = strdup(path), *slash;
	bool covers = false;
	while (above && !covers && folders->count > 0 && (slash = strrchr(above, '/')) && slash > above) {
		*slash = 0;
		covers = bsearch(&above, folders->paths, folders->count, sizeof above, compare_paths) != NULL;
	}
	free(above); /* without memory for it, it is only looked at twice */
	return covers;
}

/* As trawl_source joins them, for paths are ids. NULL: out of memory. */
static char *join(const char *folder, const char *name)
{
	size_t length = strlen(folder);
	if (strcmp(folder, ".") == 0)
		return strdup(name);
	char *path = malloc(length + strlen(name) + 2);
	if (path)
		sprintf(path, "%s%s%s", folder, length > 0 && folder[length - 1] == '/' ? "" : "/", name);
	return path;
}

/* Whether it is the folder, or below it; paths are in their normal form. */
static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	if (strcmp(folder, ".") == 0)
		return path[0] != '/' && strncmp(path, "../", 3) != 0 && strcmp(path, "..") != 0;
	if (strncmp(path, folder, length) != 0)
		return false;
	return path[length] == 0 || path[length] == '/' || folder[length - 1] == '/';
}

/* The longest of the folders named that the path is below. */
static const char *root_of(const struct watch *watch, const char *path)
{
	const char *longest = "";
	for (size_t i = 0; i < watch->folder_count; i++)
		if (is_below(path, watch->folders[i]) && strlen(watch->folders[i]) > strlen(longest))
			longest = watch->folders[i];
	return longest;
}

/* What a walk would pass over below each of the folders named that have it below them. */
static bool passes_over(const struct watch *watch, const char *path, bool is_folder)
{
	const char *root = root_of(watch, path);
	return *root && trawl_source_passes_over(watch->options, root, path, is_folder);
}

/* ---- folders --------------------------------------------------------------------------------------------------- */

/* The place of a number among those watched, or where it belongs. */
static size_t place_of(const struct watch *watch, int number)
{
	size_t low = 0, high = watch->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (watch->watched[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct watched *find(const struct watch *watch, int number)
{
	size_t place = place_of(watch, number);
	return place < watch->count && watch->watched[place].number == number ? &watch->watched[place] : NULL;
}

static void forget(struct watch *watch, struct watched *watched)
{
	free(watched->path);
	watch->count--;
	memmove(watched, watched + 1, (size_t)(watch->watched + watch->count - watched) * sizeof *watched);
}

static bool remember(struct watch *watch, int number, const char *path, bool named)
{
	struct watched *known = find(watch, number);
	char *copy = strdup(path);
	if (!copy)
		return false;
	if (known) { /* it moved */
		free(known->path);
		known->path = copy;
		known->named |= named;
		return true;
	}
	if (watch->count == watch->capacity) {
		size_t capacity = 2 * watch->capacity + 16;
		struct watched *larger = realloc(watch->watched, capacity * sizeof *larger);
		if (!larger) {
			free(copy);
			return false;
		}
		watch->watched = larger;
		watch->capacity = capacity;
	}
	size_t place = place_of(watch, number);
	memmove(watch->watched + place + 1, watch->watched + place, (watch->count - place) * sizeof *watch->watched);
	watch->watched[place] = (struct watched){number, named, copy};
	watch->count++;
	return true;
}

/* No longer watch `folder` and what is below it: it is gone, or goes by another name. */
static void unwatch(struct watch *watch, const char *folder)
{
	for (size_t i = watch->count; i-- > 0;) {
		if (watch->watched[i].named || !is_below(watch->watched[i].path, folder))
			continue;
		inotify_rm_watch(watch->descriptor, watch->watched[i].number);
		forget(watch, &watch->watched[i]);
	}
}

static int watch_one(struct watch *watch, const char *path, bool named, trawl_error *error)
{
	int number = inotify_add_watch(watch->descriptor, path, TOLD | (named ? 0 : IN_DONT_FOLLOW));
	if (number >= 0)
		return remember(watch, number, path, named) ? TRAWL_OK : fail_memory(error);
	if (errno == ENOSPC)
		return fail(error, TRAWL_ELIMIT,
		            "%s: more folders than this system watches for a user; raise fs.inotify.max_user_watches",
		            path);
	if (errno == ENOMEM)
		return fail_memory(error);
	/* It is gone again, or not for us; the walk will tell. */
	return named ? fail(error, TRAWL_EIO, "cannot watch %s: %s", path, strerror(errno)) : TRAWL_OK;
}

/* Put the folders in `path` on the list of those to watch. */
static int list_folders(const struct watch *watch, const char *path, struct path_list *folders, trawl_error *error)
{
	int code = TRAWL_OK;
	const struct dirent *entry;
	DIR *stream = opendir(path);
	while (stream && code == TRAWL_OK && (entry = readdir(stream))) {
		struct stat status;
		if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (entry->d_type == DT_UNKNOWN &&
		    (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
		     !S_ISDIR(status.st_mode)))
			continue;
		char *joined = join(path, entry->d_name);
		if (!joined || (!passes_over(watch, joined, true) && !list_add(folders, joined)))
			code = fail_memory(error);
		free(joined);
	}
	if (stream)
		closedir(stream);
	return code;
}

/* Watch a folder and all below it. It is watched before it is read, so that nothing new in it is missed. */
static int watch_folder(struct watch *watch, const char *path, bool named, trawl_error *error)
{
	struct path_list folders = {0};
	int code = list_add(&folders, path) ? TRAWL_OK : fail_memory(error);
	while (code == TRAWL_OK && folders.count > 0) {
		char *folder = folders.paths[--folders.count];
		code = watch_one(watch, folder, named, error);
		if (code == TRAWL_OK)
			code = list_folders(watch, folder, &folders, error);
		named = false;
		free(folder);
	}
	list_release(&folders);
	return code;
}

static int watch_all(struct watch *watch, trawl_error *error)
{
	int code = TRAWL_OK;
	for (size_t i = 0; i < watch->folder_count && code == TRAWL_OK; i++)
		code = watch_folder(watch, watch->folders[i], true, error);
	return code;
}

int watch_new(struct watch **out, char *const *folders, size_t folder_count, const trawl_source_options *options,
              trawl_error *error)
{
	struct watch *watch = *out = calloc(1, sizeof *watch);
	if (!watch)
		return fail_memory(error);
	*watch = (struct watch){.folders = folders, .folder_count = folder_count, .options = options};
	watch->changes.everything = true;
	watch->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->descriptor < 0)
		return fail(error, TRAWL_EIO, "cannot watch folders: %s", strerror(errno));
	return watch_all(watch, error);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->descriptor >= 0)
		close(watch->descriptor);
	for (size_t i = 0; i < watch->count; i++)
		free(watch->watched[i].path);
	free(watch->watched);
	watch_forget_changes(watch);
	free(watch);
}

int watch_descriptor(const struct watch *watch)
{
	return watch->descriptor;
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The index, and what a writer puts beside it. By device and inode, for the watched folder may have other names for it. */
static bool belongs_to_index(const char *index_path, const struct stat *status)
{
	static const char *const beside[] = {"", "-lock", "-new", "-new-lock", "-compact", "-compact-lock", "-run"};
	char real[PATH_MAX], name[PATH_MAX + 32];
	struct stat other;
	for (size_t i = 0; i < 2 * (sizeof beside / sizeof *beside); i++) {
		const char *index = i % 2 ? realpath(index_path, real) : index_path;
		snprintf(name, sizeof name, "%s%s", index ? index : index_path, beside[i / 2]);
		if (stat(name, &other) == 0 && same_file(status, &other))
			return true;
	}
	return false;
}

/* What we write must not wake us: the index, and a file that takes our output. */
static bool is_ours(const struct watch *watch, const char *path)
{
	struct stat status, other;
	if (stat(path, &status) != 0)
		return false;
	for (int descriptor = STDOUT_FILENO; descriptor <= STDERR_FILENO; descriptor++)
		if (fstat(descriptor, &other) == 0 && same_file(&status, &other))
			return true;
	return belongs_to_index(watch->options->index_path, &status);
}

/* Put a path on a list of changes, which takes so many. */
static int tell(struct watch *watch, struct path_list *list, size_t most, const char *path, trawl_error *error)
{
	if (list->count >= most)
		watch->changes.everything = true;
	if (watch->changes.everything)
		return TRAWL_OK;
	return list_add(list, path) ? TRAWL_OK : fail_memory(error);
}

/* Events were lost: watch all folders afresh. What was watched is told apart from it by its number. */
static int start_over(struct watch *watch, trawl_error *error)
{
	while (watch->count > 0) {
		inotify_rm_watch(watch->descriptor, watch->watched[watch->count - 1].number);
		forget(watch, &watch->watched[watch->count - 1]);
	}
	watch->changes.everything = true;
	return watch_all(watch, error);
}

static int folder_event(struct watch *watch, uint32_t mask, const char *path, trawl_error *error)
{
	int code = TRAWL_OK;
	if (mask & (IN_DELETE | IN_MOVED_FROM)) {
		unwatch(watch, path);
		return tell(watch, &watch->changes.gone, GONE_MAX, path, error);
	}
	if (mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB))
		code = watch_folder(watch, path, false, error);
	return code ? code : tell(watch, &watch->changes.folders, TOUCHED_MAX, path, error);
}

static int handle(struct watch *watch, const struct inotify_event *event, bool *happened, trawl_error *error)
{
	if (event->mask & IN_Q_OVERFLOW) {
		*happened = true;
		return start_over(watch, error);
	}
	struct watched *folder = find(watch, event->wd);
	if (!folder)
		return TRAWL_OK;
	if (folder->named && event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
		return fail(error, TRAWL_ENOTFOUND, "%s is no longer there", folder->path);
	if (event->mask & IN_IGNORED)
		forget(watch, folder);
	if (event->mask & IN_IGNORED || !event->len || event->name[0] == '.')
		return TRAWL_OK;
	char *path = join(folder->path, event->name);
	int code = path ? TRAWL_OK : fail_memory(error);
	if (code == TRAWL_OK && !passes_over(watch, path, event->mask & IN_ISDIR) && !is_ours(watch, path)) {
		*happened = true;
		code = event->mask & IN_ISDIR ? folder_event(watch, event->mask, path, error)
		                              : tell(watch, &watch->changes.files, TOUCHED_MAX, path, error);
	}
	free(path);
	return code;
}

int watch_gather(struct watch *watch, bool *happened, trawl_error *error)
{
	_Alignas(struct inotify_event) char buffer[1 << 16];
	*happened = false;
	for (;;) {
		ssize_t got = read(watch->descriptor, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 || errno == EAGAIN ? TRAWL_OK
			                                   : fail(error, TRAWL_EIO, "watching: %s", strerror(errno));
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
			int code = handle(watch, event, happened, error);
			if (code)
				return code;
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
}

const struct watch_changes *watch_changes(struct watch *watch)
{
	list_sort(&watch->changes.files);
	list_sort(&watch->changes.folders);
	list_sort(&watch->changes.gone);
	return &watch->changes;
}

void watch_forget_changes(struct watch *watch)
{
	list_release(&watch->changes.files);
	list_release(&watch->changes.folders);
	list_release(&watch->changes.gone);
	watch->changes.everything = false;
}
