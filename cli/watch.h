/*
 * watch.h - what changes in folders, told by inotify.
 *
 * Folders are watched with all that are below them, but for hidden ones and symbolic links, as trawl_source walks them. What the
 * kernel tells is gathered until it is forgotten. When too much happened to be told one by one, everything may have changed.
 */
#ifndef TRAWL_CLI_WATCH_H
#define TRAWL_CLI_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "trawl.h"

/* Paths, each once and in byte order. */
struct path_list {
	char **paths;
	size_t count, capacity;
};

struct watch_changes {
	bool everything;          /* look at all there is */
	struct path_list files;   /* new, changed or gone */
	struct path_list folders; /* new, or to be looked at again with all below them */
	struct path_list gone;    /* folders that are gone with all below them */
};

/* Whether a folder in the list, other than `path` itself, has it below it. */
bool path_list_covers(const struct path_list *folders, const char *path);

struct watch;

/* Begin to watch. `folders` are in their normal form. What a walk with the options passes over is not told of, nor what belongs to
 * options->index_path, or takes our output. All is borrowed. */
int watch_new(struct watch **out, char *const *folders, size_t folder_count, const trawl_source_options *options,
              trawl_error *error);
void watch_free(struct watch *watch);

int watch_descriptor(const struct watch *watch); /* can be read when something happened */

/* Gather what was told so far; *happened: whether there was anything. TRAWL_ENOTFOUND: one of the folders itself is gone. */
int watch_gather(struct watch *watch, bool *happened, trawl_error *error);

/* What was gathered so far, until it is forgotten; at the beginning: everything. */
const struct watch_changes *watch_changes(struct watch *watch);
void watch_forget_changes(struct watch *watch);

#endif
