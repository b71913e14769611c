/*
 * compact.c - an index file replaced by a copy without free pages.
 *
 * A compaction renames the copy to the index's name. Readers of the old file read on, and whoever opens the name gets the new
 * one; a store keeps to the file that it opened (its device and inode). The copy's meta pages go on with the old file's numbers,
 * so that a commit's number is never used twice under one name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "store/copy.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/readers.h"
#include "store/tree.h"
#include "store/watched_copy.h"

#define COPY_SUFFIX "-compact"

void store_remove(const struct store *store)
{
	unlink(store->real);
	remove_beside(store->real, LOCK_SUFFIX);
}

void store_remove_temporaries(const struct store *store)
{
	remove_beside(store->real, COPY_SUFFIX);
	remove_beside(store->real, COPY_SUFFIX LOCK_SUFFIX); /* of older versions */
	remove_beside(store->real, UNFINISHED_COPY_SUFFIX);  /* a second name, if any: there is an index */
}

bool store_is_current(const struct store *store)
{
	const struct stat ours = {.st_ino = store->inode, .st_dev = store->device};
	return leads_to(store->path, &ours) > 0;
}

size_t store_readers(struct store *store)
{
	uint64_t lowest = COMMIT_NUMBER_MAX;
	size_t count = 0;
	pthread_mutex_lock(&store->lock);
	for (const struct snapshot *snapshot = store->snapshots; snapshot; snapshot = snapshot_next(snapshot))
		count++;
	/* Our own locks are none for ourselves. */
	int failed = readers_lowest(store->file, COMMIT_NUMBER_MAX, &lowest);
	pthread_mutex_unlock(&store->lock);
	return failed ? SIZE_MAX : count + (lowest < COMMIT_NUMBER_MAX);
}

uint64_t store_disk_left(const struct store *store)
{
	struct statvfs status;
	return statvfs(store->real, &status) == 0 ? (uint64_t)status.f_bavail * status.f_frsize : 0;
}

/* Make an empty file that takes after `like`. */
static int make_like(const char *path, const char *like, int *file, trawl_error *error)
{
	*file = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (*file < 0 && (errno == EACCES || errno == EPERM))
		return error_set(error, TRAWL_EIO, "%s cannot be made: no permission to write to its folder", path);
	if (*file < 0)
		return error_set_system(error, errno, "%s", path);
	return copy_take_after(*file, like, path, error);
}

/* LMDB's own copy counts all pages, and gives up where some were lost: where neither the tree nor the lists of free ones have
 * them. They do no other harm; a copy of the entries is without them. It needs no thread either, for which there may be no room. */
static int copy_pages(struct store *store, struct snapshot *snapshot, int file, const char *path,
                      const struct copy_progress *progress, trawl_error *error)
{
	const struct copy_wishes all = {NULL, NULL, NULL};
	uint64_t transaction = snapshot_transaction(snapshot), file_bytes, free_bytes;
	size_t last = 1;
	snapshot_file_size(snapshot, &file_bytes, &free_bytes);
	int code = copy_watched(writing_environment(store), file, file_bytes - free_bytes, progress);
	if (code == MDB_INCOMPATIBLE || code == EAGAIN)
		code = copy_entries(snapshot, file, path, &all, &last, error);
	else if (code)
		code = lmdb_error(store, code, "copying", error);
	return code ? code : copy_finish(file, path, last, transaction, error);
}

/* Copy the last commit's pages, when every extent has verified: damage must not become the only copy. */
static int write_copy(struct store *store, int file, const char *path, const struct copy_progress *progress,
                      trawl_error *error)
{
	struct snapshot *snapshot;
	int code = snapshot_open(&snapshot, store, error);
	if (code)
		return code;
	copy_tell_begin(progress);
	code = snapshot_verify(snapshot, error);
	if (!code)
		code = copy_pages(store, snapshot, file, path, progress, error);
	snapshot_close(snapshot);
	copy_tell_end(progress);
	return code;
}

static int put_in_place(const struct store *store, const char *copy_path, trawl_error *error)
{
	if (rename(copy_path, store->real) != 0)
		return error_set_system(error, errno, "replacing %s", store->path);
	int failed = sync_folder(store->real);
	return failed ? error_set_system(error, failed, "syncing the folder of %s", store->path) : 0;
}

int store_compact(struct store *store, uint64_t *bytes, int *lock, const struct copy_progress *progress,
                  trawl_error *error)
{
	struct stat status;
	int file = -1;
	char name[BESIDE_BYTES];
	const char *path = path_beside(store->real, COPY_SUFFIX, name);
	store_remove_temporaries(store);
	int code = make_like(path, store->real, &file, error);
	if (!code)
		code = write_copy(store, file, path, progress, error);
	/* Whoever opens the new file waits until we are done: our temporary names are theirs too. */
	if (!code && (fstat(file, &status) != 0 || flock(file, LOCK_EX | LOCK_NB) != 0))
		code = error_set_system(error, errno, "%s", path);
	if (!code)
		code = put_in_place(store, path, error);
	if (!code)
		*bytes = (uint64_t)status.st_size;
	store_remove_temporaries(store); /* nothing is left of them but after an error */
	if (!code && lock) {             /* we had it before anybody knew the name */
		*lock = file;
		file = -1;
	}
	if (file >= 0)
		close(file);
	return code;
}
