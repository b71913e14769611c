#include "store/create.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "store/page.h"

#define NEW_SUFFIX "-new"

/* ---- file systems ---- */

bool file_system_is_shared(uint64_t type)
{
	switch (type) {
	case 0x6969:     /* NFS */
	case 0x517B:     /* SMB */
	case 0xFE534D42: /* SMB 2 */
	case 0xFF534D42: /* CIFS */
	case 0x564C:     /* NCP */
	case 0x5346414F: /* AFS */
	case 0x6B414653: /* AFS of the kernel */
	case 0x73757245: /* Coda */
	case 0x00C36400: /* Ceph */
	case 0x0BD00BD0: /* Lustre */
	case 0x47504653: /* GPFS */
	case 0x20030528: /* OrangeFS */
	case 0x7461636F: /* OCFS2 */
	case 0x01161970: /* GFS2 */ return true;
	default: return false;
	}
}

int check_file_system(const char *path, trawl_error *error)
{
	struct statfs status;
	char folder[PATH_MAX];
	const char *forced = getenv("TRAWL_SHARED_DISK");
	if (forced && strcmp(forced, "1") == 0)
		return 0;
	if (statfs(path, &status) != 0 && (path_folder(path, folder) || statfs(folder, &status) != 0))
		return 0; /* what is wrong with the path is told by those who open it */
	if (!file_system_is_shared((uint32_t)status.f_type))
		return 0;
	return error_set(error, TRAWL_EINVAL,
	                 "%s is on a network file system, where an index may be damaged: keep it on a local disk, or "
	                 "set TRAWL_SHARED_DISK=1 if no other machine uses it",
	                 path);
}

int leads_to(const char *path, const struct stat *status)
{
	struct stat named;
	if (stat(path, &named) != 0)
		return errno == ENOENT ? 0 : -errno;
	return named.st_ino == status->st_ino && named.st_dev == status->st_dev;
}

int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int code = path_folder(path, folder);
	if (code)
		return code;
	int file = file_open(folder, O_RDONLY | O_DIRECTORY, 0);
	if (file < 0)
		return errno;
	code = fsync(file) == 0 ? 0 : errno;
	close(file);
	return code == EINVAL ? 0 : code; /* some file systems cannot sync a folder */
}

/* ---- creation ---- */

void create_sweep(const char *path)
{
	remove_beside(path, NEW_SUFFIX);
}

/* Open and lock the file `name`, for as long as it takes to make it: two processes may want the same index. */
static int open_locked(const char *name, int *locked)
{
	for (;;) {
		struct stat ours;
		int file = file_open(name, O_RDWR | O_CREAT, 0666), failed;
		if (file < 0)
			return errno;
		do
			failed = flock(file, LOCK_EX);
		while (failed && errno == EINTR);
		if (failed || fstat(file, &ours) != 0) {
			int reason = errno;
			close(file);
			return reason;
		}
		int same = leads_to(name, &ours);
		if (same > 0) {
			*locked = file;
			return 0;
		}
		close(file); /* whoever held it has made the index, or given up */
		if (same < 0)
			return -same;
	}
}

/* Let LMDB write its first pages, and sync them. */
static int write_first_pages(const char *name)
{
	MDB_env *environment;
	int descriptor, held[3];
	int code = mdb_env_create(&environment);
	if (code)
		return code;
	standard_hold(held);
	code = mdb_env_open(environment, name, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NORDAHEAD, 0666);
	standard_release(held);
	if (!code)
		code = mdb_env_get_fd(environment, &descriptor);
	if (!code && fsync(descriptor) != 0)
		code = errno;
	mdb_env_close(environment);
	return code;
}

static int told(int code, const char *path, trawl_error *error)
{
	if (code < 0)
		return error_set(error, TRAWL_EIO, "making %s: %s", path, mdb_strerror(code));
	if (code == EACCES || code == EPERM || code == EROFS)
		return error_set(error, TRAWL_EIO, "%s cannot be made: no permission to write to its folder%s", path,
		                 code == EROFS ? ", whose file system is read-only" : "");
	if (code == ENOENT || code == ENOTDIR)
		return error_set(error, TRAWL_ENOTFOUND, "%s cannot be made: %s", path,
		                 *path ? "there is no such folder" : "the name is empty");
	return code ? error_set_system(error, code, "making %s", path) : 0;
}

int create_fill(const char *path, trawl_error *error)
{
	struct stat status;
	int file = file_open(path, O_RDWR, 0), code = 0;
	if (file < 0)
		return told(errno, path, error);
	while (flock(file, LOCK_EX) != 0 && !code)
		code = errno == EINTR ? 0 : errno;
	if (!code && fstat(file, &status) != 0)
		code = errno;
	/* Somebody may have been faster. */
	if (!code && status.st_size == 0)
		code = write_first_pages(path);
	flock(file, LOCK_UN);
	close(file);
	return told(code, path, error);
}

/* A file that appeared meanwhile stays; it is as good as ours. */
static int give_name(const char *name, const char *path)
{
	if (link(name, path) == 0 || errno == EEXIST)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return errno;
	/* A file system without links. */
	return access(path, F_OK) == 0 || rename(name, path) == 0 ? 0 : errno;
}

int create_file(const char *path, trawl_error *error)
{
	int locked = -1;
	char name[BESIDE_BYTES];
	path_beside(path, NEW_SUFFIX, name);
	int code = open_locked(name, &locked);
	if (!code && ftruncate(locked, 0) != 0)
		code = errno;
	if (!code)
		code = write_first_pages(name);
	if (!code)
		code = give_name(name, path);
	if (locked >= 0) {
		unlink(name);
		close(locked);
	}
	if (!code)
		code = sync_folder(path);
	return told(code, path, error);
}

/* No transaction is number 0: both meta pages of a new file say so. */
static bool is_untouched(int file)
{
	uint8_t meta[META_END];
	uint64_t page_bytes = 0;
	for (int i = 0; i < 2; i++) {
		if (file_read_at(file, meta, META_END, page_bytes) != META_END || load64(meta + META_TRANSACTION))
			return false;
		page_bytes = load32(meta + META_TREES);
	}
	return true;
}

void create_undo(const char *path)
{
	struct stat status;
	int file = file_open(path, O_RDWR, 0);
	if (file < 0)
		return;
	if (flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &status) == 0 && leads_to(path, &status) > 0 &&
	    is_untouched(file)) {
		unlink(path);
		remove_beside(path, LOCK_SUFFIX);
	}
	close(file);
}
