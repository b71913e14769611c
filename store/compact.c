/*
 * compact.c - an index file replaced by a copy without free pages.
 *
 * LMDB keeps the list of readers in a lock file beside the data, found by its name, together with the number of the last
 * commit. The old file's readers go on with the old lock file, so the new data gets a new one. That takes two renames; three
 * things keep anybody from seeing new data with an old lock file, or the other way round:
 *
 *   - who opens a file holds its opening lock meanwhile; here it is held for writing, of the old file and of the new one
 *   - the data is renamed first, so that nobody opens the old data with an empty list of readers and a writer reuses their pages
 *   - the copy's meta pages are given the number that the old lock file has: should we be killed between the two, the next
 *     ones find a pair that fits
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
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/tree.h"

#define COPY_SUFFIX "-compact"
#define COPY_LOCK_SUFFIX COPY_SUFFIX LOCK_SUFFIX

void store_remove(const struct store *store)
{
	unlink(store->real);
	remove_beside(store->real, LOCK_SUFFIX);
}

void store_remove_temporaries(const struct store *store)
{
	remove_beside(store->real, COPY_SUFFIX);
	remove_beside(store->real, COPY_LOCK_SUFFIX);
}

bool store_is_current(const struct store *store)
{
	const struct stat ours = {.st_ino = store->inode, .st_dev = store->device};
	return leads_to(store->path, &ours) > 0;
}

/* LMDB tells of each reader in a line that begins with its process, and in one of words that there are none. */
static int count_reader(const char *line, void *count)
{
	unsigned long transaction;
	*(size_t *)count += sscanf(line, "%*d %*x %lu", &transaction) == 1;
	return 0;
}

size_t store_readers(const struct store *store)
{
	size_t count = 0;
	int dead;
	mdb_reader_check(store->environment, &dead);
	return mdb_reader_list(store->environment, count_reader, &count) < 0 ? SIZE_MAX : count;
}

uint64_t store_disk_left(const struct store *store)
{
	struct statvfs status;
	return statvfs(store->real, &status) == 0 ? (uint64_t)status.f_bavail * status.f_frsize : 0;
}

/* Make an empty file with the mode, and if we may the owner, of `like`. */
static int make_like(const char *path, const char *like, int *file, trawl_error *error)
{
	struct stat status;
	if (stat(like, &status) != 0)
		return error_set_system(error, errno, "%s", like);
	*file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*file < 0)
		return error_set_system(error, errno, "%s", path);
	/* The owner first: changing it may drop bits of the mode. */
	if (fchown(*file, status.st_uid, status.st_gid) != 0 && errno != EPERM)
		return error_set_system(error, errno, "%s", path);
	if (fchmod(*file, status.st_mode & 07777) != 0)
		return error_set_system(error, errno, "%s", path);
	return 0;
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
	int code = mdb_env_create(&environment);
	if (code)
		return code;
	code = mdb_env_set_mapsize(environment, room);
	if (!code)
		code = mdb_env_open(environment, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
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
	int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &transaction);
	if (code)
		return code;
	code = mdb_cursor_open(transaction, store->database, &cursor);
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
	code = mdb_env_copyfd2(store->environment, file, MDB_CP_COMPACT);
	if (code == MDB_INCOMPATIBLE)
		code = copy_entries(store, file, path, &last);
	if (code)
		return lmdb_error(store, code, "copying", error);
	mdb_env_stat(store->environment, &layout);
	mdb_env_info(store->environment, &information);
	code = number_copy(file, path, layout.ms_psize, last, information.me_last_txnid, error);
	if (!code && fsync(file) != 0)
		code = error_set_system(error, errno, "syncing %s", path);
	if (!code)
		code = tree_check_meta(file, path, error);
	return code ? code : tree_check(file, path, information.me_last_txnid, true, error);
}

/* Put the copy and a new lock file in place. */
static int put_in_place(struct store *store, int copy, const char *copy_path, trawl_error *error)
{
	char lock_name[BESIDE_BYTES], copy_lock_name[BESIDE_BYTES];
	const char *lock_path = path_beside(store->real, LOCK_SUFFIX, lock_name);
	const char *copy_lock_path = path_beside(store->real, COPY_LOCK_SUFFIX, copy_lock_name);
	int lock = -1, old = open(store->real, O_RDWR | O_CLOEXEC);
	int code = old < 0 ? error_set_system(error, errno, "%s", store->path)
	                   : make_like(copy_lock_path, lock_path, &lock, error);
	if (code)
		goto done;
	int failed = opening_lock(copy, F_WRLCK);
	if (!failed)
		failed = opening_lock(old, F_WRLCK);
	if (!failed && rename(copy_path, store->real) != 0)
		failed = errno;
	if (failed) {
		code = error_set_system(error, failed, "replacing %s", store->path);
		goto done;
	}
	rename(copy_lock_path, lock_path); /* should it fail, the old one does */
	failed = sync_folder(store->real);
	if (failed)
		code = error_set_system(error, failed, "syncing the folder of %s", store->path);
done:
	if (old >= 0)
		close(old);
	if (lock >= 0)
		close(lock);
	return code;
}

/* Make `file`, which the name leads to by now, the writer lock that `lock` keeps. We had it before anybody knew the name. */
static void keep_lock(int *file, int *lock)
{
	opening_lock(*file, F_UNLCK);
	*lock = *file;
	*file = -1;
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
	if (!code && (fstat(file, &status) != 0 || (lock && flock(file, LOCK_EX | LOCK_NB) != 0)))
		code = error_set_system(error, errno, "%s", path);
	if (!code)
		code = put_in_place(store, file, path, error);
	if (!code)
		*bytes = (uint64_t)status.st_size;
	store_remove_temporaries(store); /* nothing is left of them but after an error */
	if (!code && lock)
		keep_lock(&file, lock);
	if (file >= 0)
		close(file);
	return code;
}
