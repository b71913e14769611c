/* copy.c - one commit, entry by entry, in a file of its own. */
#include "store/copy.h"

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
#include "base/limits.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/page.h"
#include "store/reading.h"
#include "store/tree.h"

#define ACCESS_LIST "system.posix_acl_access"
#define ACCESS_LIST_MOST 4096
#define GROUP_BITS 070

/* Give `file` what the index at `like` has: owner, group, mode and access list, as far as we may. A group that we may not give gets no more
 * rights than everybody. */
int copy_take_after(int file, const char *like, const char *path, trawl_error *error)
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

/* ---- entries ---- */

#define COPY_BYTES ((size_t)16 << 20) /* a transaction */
#define COPY_ROOM ((size_t)8 << 20)   /* that the copy may need beyond what the file has, and an eighth of that */

struct copying {
	const struct copy_wishes *wishes;
	MDB_env *environment;
	MDB_txn *transaction; /* NULL: none is under way */
	MDB_dbi database;
	size_t bytes; /* in it */
	uint64_t copied;
};

static int end_transaction(struct copying *copying)
{
	MDB_txn *transaction = copying->transaction;
	copying->transaction = NULL;
	copying->bytes = 0;
	return transaction ? mdb_txn_commit(transaction) : 0;
}

static int copy_entry(void *context, uint32_t segment, MDB_val *key, MDB_val *value)
{
	struct copying *copying = context;
	const struct copy_wishes *wishes = copying->wishes;
	int code = 0;
	if (wishes->keep && !wishes->keep(wishes->context, segment))
		return 0;
	if (copying->bytes >= COPY_BYTES)
		code = end_transaction(copying);
	if (!code && !copying->transaction) {
		code = mdb_txn_begin(copying->environment, NULL, 0, &copying->transaction);
		if (!code)
			code = mdb_dbi_open(copying->transaction, NULL, 0, &copying->database);
	}
	if (!code)
		code = mdb_put(copying->transaction, copying->database, key, value, MDB_APPEND);
	copying->bytes += value->mv_size;
	copying->copied += value->mv_size;
	if (wishes->progress)
		wishes->progress(wishes->context, copying->copied);
	/* LMDB has read it from the map, which the system keeps. */
	if (value->mv_size > EXTENT_PAYLOAD / 2)
		extent_give_back(value->mv_data, value->mv_size);
	return code;
}

static int open_copy(MDB_env **environment, const char *path, size_t room)
{
	int held[3], code = mdb_env_create(environment);
	if (code)
		return code;
	code = mdb_env_set_mapsize(*environment, room);
	standard_hold(held);
	if (!code)
		code = mdb_env_open(*environment, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
	standard_release(held);
	if (code)
		mdb_env_close(*environment);
	return code;
}

static int refuse_copy(int file, const char *path, int code, trawl_error *error)
{
	struct statvfs status;
	struct stat copied;
	bool full =
	    code == ENOSPC || code == EDQUOT || (code == EIO && fstatvfs(file, &status) == 0 && status.f_bavail < 64);
	bool limited = code == EFBIG ||
	               (code == EIO && !full && fstat(file, &copied) == 0 && limits_end_file((uint64_t)copied.st_size));
	if (limited)
		return error_set(
		    error, TRAWL_EFULL,
		    "%s: the file would be larger than this process may make it (ulimit -f); nothing was copied", path);
	if (full)
		return error_set(error, TRAWL_EFULL, "%s: the disk is full; nothing was copied", path);
	if (code == ENOMEM && address_space_is_limited())
		return error_set(error, TRAWL_ENOMEM, "%s does not fit into the address space that is left (ulimit -v)",
		                 path);
	return code < 0 ? error_set(error, TRAWL_EIO, "writing %s: %s", path, mdb_strerror(code))
	                : error_set_system(error, code, "writing %s", path);
}

int copy_entries(struct snapshot *snapshot, int file, const char *path, const struct copy_wishes *wishes, size_t *last,
                 trawl_error *error)
{
	struct copying copying = {.wishes = wishes};
	MDB_envinfo information;
	uint64_t bytes, unused;
	int failed = ftruncate(file, 0) == 0 ? 0 : errno;
	snapshot_file_size(snapshot, &bytes, &unused);
	if (!failed)
		failed = open_copy(&copying.environment, path, bytes + bytes / 8 + COPY_ROOM);
	if (failed)
		return refuse_copy(file, path, failed, error);
	int code = snapshot_visit(snapshot, copy_entry, &copying, &failed, error);
	if (!code && !failed)
		failed = end_transaction(&copying);
	if (copying.transaction)
		mdb_txn_abort(copying.transaction);
	mdb_env_info(copying.environment, &information);
	*last = information.me_last_txnid % 2;
	mdb_env_close(copying.environment);
	return failed ? refuse_copy(file, path, failed, error) : code;
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

int copy_finish(int file, const char *path, size_t last, uint64_t transaction, trawl_error *error)
{
	uint8_t meta[META_END];
	if (file_read_at(file, meta, META_END, 0) != META_END)
		return error_set(error, TRAWL_EIO, "%s could not be read", path);
	int code = number_copy(file, path, load32(meta + META_TREES), last, transaction, error);
	if (!code && fsync(file) != 0)
		code = error_set_system(error, errno, "syncing %s", path);
	if (!code)
		code = tree_check_meta(file, path, error);
	return code ? code : tree_check(file, path, transaction, true, error);
}

/* ---- under a new name ---- */

static int refuse_existing(const char *path, trawl_error *error)
{
	return error_set(error, TRAWL_EINVAL, "%s exists already: a copy takes a new name", path);
}

/* The unfinished copy, ours alone. What a killed process left is taken over, unless it has a second name. */
static int open_nameless(const char *name, int *file, trawl_error *error)
{
	struct stat status;
	for (;;) {
		*file = file_open(name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
		if (*file < 0)
			return error_set_system(error, errno, "%s", name);
		if (flock(*file, LOCK_EX | LOCK_NB) != 0) {
			int reason = errno;
			close(*file);
			return reason == EWOULDBLOCK
			           ? error_set(error, TRAWL_EBUSY, "%s is being written by another copy", name)
			           : error_set_system(error, reason, "locking %s", name);
		}
		int same = fstat(*file, &status) == 0 ? leads_to(name, &status) : -errno;
		if (same > 0 && status.st_nlink == 1)
			return 0;
		if (same > 0 && unlink(name) != 0)
			same = -errno;
		close(*file);
		if (same < 0)
			return error_set_system(error, -same, "%s", name);
	}
}

/* Give the finished copy its name, which nothing may have. */
static int name_copy(const char *name, const char *path, trawl_error *error)
{
	int failed = link(name, path) == 0 ? 0 : errno;
	if (!failed)
		unlink(name);
	else if (failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS || failed == EMLINK) /* no links there */
		failed = renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ? 0 : errno;
	if (failed == EEXIST)
		return refuse_existing(path, error);
	if (!failed)
		failed = sync_folder(path);
	return failed ? error_set_system(error, failed, "naming %s", path) : 0;
}

int store_copy(struct snapshot *snapshot, const char *path, const struct copy_wishes *wishes, uint64_t *bytes,
               trawl_error *error)
{
	char name[BESIDE_BYTES];
	struct stat status;
	size_t last;
	int file;
	if (lstat(path, &status) == 0)
		return refuse_existing(path, error);
	path_beside(path, UNFINISHED_COPY_SUFFIX, name);
	int code = check_file_system(path, error);
	if (!code)
		code = open_nameless(name, &file, error);
	if (code)
		return code;
	code = copy_entries(snapshot, file, name, wishes, &last, error);
	if (!code)
		code = copy_finish(file, name, last, snapshot_transaction(snapshot), error);
	if (!code)
		code = copy_take_after(file, store_path(snapshot_store(snapshot)), name, error);
	if (!code && fstat(file, &status) == 0)
		*bytes = (uint64_t)status.st_size;
	if (!code)
		code = name_copy(name, path, error);
	if (code)
		unlink(name);
	close(file);
	return code;
}
