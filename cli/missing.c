#include "cli/missing.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool missing_own(struct missing *missing, const char *folder)
{
	if (missing->count == missing->capacity) {
		size_t capacity = 2 * missing->capacity + 8;
		char **prefixes = realloc(missing->prefixes, capacity * sizeof *prefixes);
		if (!prefixes)
			return false;
		missing->prefixes = prefixes;
		missing->capacity = capacity;
	}
	char *prefix = malloc(strlen(folder) + 3);
	if (!prefix)
		return false;
	trawl_normal_path(folder, prefix);
	size_t length = strlen(prefix);
	if (length > 0 && folder[length - 1] != '/')
		memcpy(prefix + length, "/", 2);
	missing->prefixes[missing->count++] = prefix;
	return true;
}

void missing_release(struct missing *missing)
{
	for (size_t i = 0; i < missing->count; i++)
		free(missing->prefixes[i]);
	free(missing->prefixes);
	if (missing->seen)
		tdestroy(missing->seen, free);
	*missing = (struct missing){0};
}

bool file_is_gone(const char *path)
{
	struct stat status;
	if (stat(path, &status) == 0)
		return !S_ISREG(status.st_mode);
	return errno == ENOENT || errno == ENOTDIR;
}

/* The id as a path, when a folder owns it. */
static bool owned_path(const struct missing *missing, const char *id, size_t length, char path[PATH_MAX])
{
	bool owned = false;
	if (length >= PATH_MAX || memchr(id, 0, length))
		return false;
	for (size_t i = 0; i < missing->count && !owned; i++) {
		size_t prefix = strlen(missing->prefixes[i]);
		owned = length > prefix && memcmp(id, missing->prefixes[i], prefix) == 0;
	}
	if (owned) {
		memcpy(path, id, length);
		path[length] = 0;
	}
	return owned;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool missing_see(struct missing *missing, const char *id, size_t length)
{
	char path[PATH_MAX];
	if (!owned_path(missing, id, length, path) || !file_is_gone(path))
		return true;
	char *copy = strdup(path), **slot = copy ? tsearch(copy, &missing->seen, compare_ids) : NULL;
	if (!slot || *slot != copy)
		free(copy);
	return slot != NULL;
}

struct search {
	const struct missing *missing;
	trawl_writer *writer;
	trawl_error *error;
};

static int delete_missing(void *context, const char *id, size_t length)
{
	const struct search *search = context;
	char path[PATH_MAX];
	if (!owned_path(search->missing, id, length, path) || !file_is_gone(path) ||
	    tfind(path, &search->missing->seen, compare_ids))
		return TRAWL_OK;
	int result = trawl_writer_delete(search->writer, id, length, search->error);
	return result == TRAWL_ENOTFOUND ? TRAWL_OK : result;
}

int missing_delete(const struct missing *missing, const char *index_path, trawl_writer *writer, trawl_error *error)
{
	trawl_index *index = NULL;
	struct search search = {missing, writer, error};
	int result = missing->count ? trawl_open(&index, index_path, error) : TRAWL_ENOTINDEX;
	if (result == TRAWL_ENOTINDEX) /* the writer has it open, so it is one: without a commit yet */
		return TRAWL_OK;
	if (result == TRAWL_OK)
		result = trawl_walk_ids(index, delete_missing, &search, error);
	trawl_close(index);
	return result;
}
