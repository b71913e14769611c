#include "indexer/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* The name that a file has for a moment where the file system knows none without. */
#define TEMPORARY_SUFFIX "-run"

void temporary_sweep(const char *path)
{
	remove_beside(path, TEMPORARY_SUFFIX);
}

static int open_without_name(const char *path)
{
	char folder[PATH_MAX];
	errno = path_folder(path, folder);
	return errno ? -1 : file_open(folder, O_TMPFILE | O_RDWR, 0600);
}

/* There is one writer an index, so that one name will do; what a killed one left in it goes. */
static int open_and_unlink(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	unlink(name);
	int file = file_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	int reason = errno;
	if (file >= 0)
		unlink(name);
	pthread_mutex_unlock(&lock);
	errno = reason;
	return file;
}

int temporary_file(const char *path, trawl_error *error)
{
	int file = open_without_name(path);
	if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
		char name[BESIDE_BYTES];
		file = open_and_unlink(path_beside(path, TEMPORARY_SUFFIX, name));
	}
	return file >= 0 ? file : error_set_system(error, errno, "making a temporary file beside %s", path);
}

int temporary_write(int file, const void *bytes, size_t length, trawl_error *error)
{
	int failed = file_write_all(file, bytes, length);
	return failed ? error_set_system(error, failed, "writing a temporary file beside the index") : 0;
}

int temporary_read(int file, void *into, size_t length, uint64_t offset, trawl_error *error)
{
	int64_t got = file_read_at(file, into, length, offset);
	if (got < 0)
		return error_set_system(error, (int)-got, "reading a temporary file beside the index");
	return (size_t)got == length ? 0 : temporary_differs(error);
}

int temporary_differs(trawl_error *error)
{
	return error_set(error, TRAWL_EIO, "a temporary file reads back otherwise than it was written");
}
