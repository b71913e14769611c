/*
 * compact.c - copies of one commit: in the index's place, without free pages, or under another name.
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
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/readers.h"
#include "store/tree.h"

#define COPY_SUFFIX "-compact"
#define ACCESS_LIST "system.posix_acl_access"
#define ACCESS_LIST_MOST 4096

void store_remove(const struct store *store)
{
	unlink(store->real);
	remove_beside(store->real, LOCK_SUFFIX);
}

void store_remove_temporaries(const struct store *store)
{
	remove_beside(store->real, COPY_SUFFIX);
	remove_beside(store->real, COPY_SUFFIX LOCK_SUFFIX); /* of older versions */
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

#define GROUP_BITS 070

/* Give `file` what the index at `like` has: owner, group, mode and access list, as far as we may. A group that we may not give gets no more
 * rights than everybody. */
static int take_after(int file, const char *like, const char *path, trawl_error *error)
{
	struct stat status, ours;
	char list[ACCESS_LIST_MOST];
	if (stat(like, &status) != 0)
		return error_set_system(error, errno, "%s", like);
	/* The owner first: changing it may drop bits of the mode. */
	if (fchown(file, status.st_uid, status.st_gid) != 0 && fchown(file, (uid_t)-1, status.st_gid) != 0 &&
	    errno != EPERM)
		return error_set_system(error, errno, "%s", path);
	mode_t mode = status.st_mode & 07777;
	if (fstat(file, &ours) == 0 && ours.st_gid != status.st_gid)
		mode = (mode & ~(mode_t)GROUP_BITS) | (mode & (mode & 07) << 3);
	ssize_t length = getxattr(like, ACCESS_LIST, list, sizeof list);
	if (length > 0)
		fsetxattr(file, ACCESS_LIST, list, (size_t)length, 0);
	if (fchmod(file, mode) != 0)
		return error_set_system(error, errno, "%s", path);
	return 0;
}

/* Make an empty file that takes after `like`. */
static int make_like(const char *path, const char *like, int *file, trawl_error *error)
{
	*file = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (*file < 0)
		return error_set_system(error, errno, "%s", path);
	return take_after(*file, like, path, error);
}

/* The copy has numbers of its own, and its last meta page at `last`: number them `transaction` - 1 and `transaction`, both of the same
 * pages. */
static int number_copy(int file, const char *path, size_t page_bytes, size_t last, uint64_t transaction,
                       trawl_error *error)
{
	uint8_t *page = memory_new(page_bytes);
	if (!page)
		return error_set_memory(error);
	ssize_t done = pread(file, page, page_bytes, (off_t)(last * page_bytes));
	for (uint64_t number = transaction - 1; done == (ssize_t)page_bytes && number <= transaction; number++) {
		tree_number_meta(page, number);
		done = pwrite(file, page, page_bytes, (off_t)(number % 2 * page_bytes));
	}
	int code =
	    done == (ssize_t)page_bytes ? 0 : error_set_system(error, done < 0 ? errno : EIO, "writing %s", path);
	memory_free(page);
	return code;
}

/* ---- entry by entry ---- */

#define COPY_BYTES ((size_t)16 << 20) /* a transaction */
#define COPY_ROOM ((size_t)64 << 20)  /* that the copy may need beyond what the file has */

/* Put entries from where the cursor stands, some megabytes of them. MDB_NOTFOUND: these were the last. */
static int copy_some(MDB_cursor *from, MDB_txn *to, MDB_dbi database)
{
	MDB_val key, value;
	size_t bytes = 0;
	int code = 0;
	while (!code && bytes < COPY_BYTES && !(code = mdb_cursor_get(from, &key, &value, MDB_NEXT))) {
		bytes += value.mv_size;
		code = mdb_put(to, database, &key, &value, MDB_APPEND);
	}
	return code;
}

static int copy_all(MDB_cursor *from, MDB_env *environment)
{
	for (;;) {
		MDB_txn *to;
		MDB_dbi database;
		int code = mdb_txn_begin(environment, NULL, 0, &to);
		if (code)
			return code;
		code = mdb_dbi_open(to, NULL, 0, &database);
		if (!code)
			code = copy_some(from, to, database);
		if (code && code != MDB_NOTFOUND) {
			mdb_txn_abort(to);
			return code;
		}
		int failed = mdb_txn_commit(to);
		if (failed || code)
			return failed;
	}
}

/* Into the empty file at `path`, which is synced later. *last: the page of its last commit's meta. */
static int copy_into(MDB_cursor *from, const char *path, size_t room, size_t *last)
{
	MDB_env *environment;
	MDB_envinfo information;
	int held[3], code = mdb_env_create(&environment);
	if (code)
		return code;
	code = mdb_env_set_mapsize(environment, room);
	standard_hold(held);
	if (!code)
		code = mdb_env_open(environment, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
	standard_release(held);
	if (!code)
		code = copy_all(from, environment);
	if (!code) { /* an environment that did not open has no pages to tell of */
		mdb_env_info(environment, &information);
		*last = information.me_last_txnid % 2;
	}
	mdb_env_close(environment);
	return code;
}

/* LMDB's own copy counts all pages, and gives up where some were lost: where neither the tree nor the lists of free ones have
 * them. They do no other harm; a copy of the entries is without them. */
static int copy_entries(struct store *store, int file, const char *path, size_t *last)
{
	MDB_txn *transaction;
	MDB_cursor *cursor = NULL;
	struct stat status;
	if (ftruncate(file, 0) != 0 || stat(store->real, &status) != 0)
		return errno;
	int code = mdb_txn_begin(writing_environment(store), NULL, MDB_RDONLY, &transaction);
	if (code)
		return code;
	code = mdb_cursor_open(transaction, writing_database(store), &cursor);
	if (!code)
		code = copy_into(cursor, path, (size_t)status.st_size + COPY_ROOM, last);
	if (cursor)
		mdb_cursor_close(cursor);
	mdb_txn_abort(transaction);
	return code;
}

/* Copy the last commit's pages, when every extent has verified: damage must not become the only copy. */
static int write_copy(struct store *store, int file, const char *path, trawl_error *error)
{
	struct snapshot *snapshot;
	MDB_stat layout;
	MDB_envinfo information;
	int code = snapshot_open(&snapshot, store, error);
	if (!code) {
		code = snapshot_verify(snapshot, error);
		snapshot_close(snapshot);
	}
	if (code)
		return code;
	size_t last = 1; /* of LMDB's copy */
	code = mdb_env_copyfd2(writing_environment(store), file, MDB_CP_COMPACT);
	if (code == MDB_INCOMPATIBLE)
		code = copy_entries(store, file, path, &last);
	if (code)
		return lmdb_error(store, code, "copying", error);
	mdb_env_stat(writing_environment(store), &layout);
	mdb_env_info(writing_environment(store), &information);
	code = number_copy(file, path, layout.ms_psize, last, information.me_last_txnid, error);
	if (!code && fsync(file) != 0)
		code = error_set_system(error, errno, "syncing %s", path);
	if (!code)
		code = tree_check_meta(file, path, error);
	return code ? code : tree_check(file, path, information.me_last_txnid, true, error);
}

static int put_in_place(const struct store *store, const char *copy_path, trawl_error *error)
{
	if (rename(copy_path, store->real) != 0)
		return error_set_system(error, errno, "replacing %s", store->path);
	int failed = sync_folder(store->real);
	return failed ? error_set_system(error, failed, "syncing the folder of %s", store->path) : 0;
}

int store_compact(struct store *store, uint64_t *bytes, int *lock, trawl_error *error)
{
	struct stat status;
	int file = -1;
	char name[BESIDE_BYTES];
	const char *path = path_beside(store->real, COPY_SUFFIX, name);
	store_remove_temporaries(store);
	int code = make_like(path, store->real, &file, error);
	if (!code)
		code = write_copy(store, file, path, error);
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
