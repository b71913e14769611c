#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int file_clear_of_standard(int file)
{
	if (file < 0 || file > STDERR_FILENO)
		return file;
	int clear = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), reason = errno;
	close(file);
	errno = reason;
	return clear;
}

int file_open(const char *path, int flags, mode_t mode)
{
	return file_clear_of_standard(open(path, flags | O_CLOEXEC, mode));
}

int file_open_at(int folder, const char *path, int flags, mode_t mode)
{
	return file_clear_of_standard(openat(folder, path, flags | O_CLOEXEC, mode));
}

FILE *file_open_stream(const char *path, const char *mode)
{
	FILE *stream = fopen(path, mode), *clear;
	if (!stream || fileno(stream) > STDERR_FILENO)
		return stream;
	int file = fcntl(fileno(stream), F_DUPFD_CLOEXEC, STDERR_FILENO + 1), reason = errno;
	fclose(stream);
	errno = reason;
	if (file < 0)
		return NULL;
	clear = fdopen(file, mode);
	reason = errno;
	if (!clear)
		close(file);
	errno = reason;
	return clear;
}

DIR *file_open_folder(const char *path)
{
	int file = file_open(path, O_RDONLY | O_DIRECTORY, 0);
	DIR *stream = file < 0 ? NULL : fdopendir(file);
	if (file >= 0 && !stream) {
		int reason = errno;
		close(file);
		errno = reason;
	}
	return stream;
}

void standard_hold(int held[3])
{
	held[0] = held[1] = held[2] = -1;
	for (int i = 0; i < 3; i++) {
		held[i] = open("/", O_PATH | O_CLOEXEC);
		if (held[i] > STDERR_FILENO) {
			close(held[i]);
			held[i] = -1;
		}
		if (held[i] < 0)
			break;
	}
}

void standard_release(const int held[3])
{
	for (int i = 0; i < 3 && held[i] >= 0; i++)
		close(held[i]);
}

int64_t file_read_at(int file, void *into, size_t length, uint64_t offset)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = pread(file, (char *)into + done, length - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (int64_t)done;
}

int file_write_all(int file, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t wrote = write(file, (const char *)bytes + done, length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return errno;
		done += (size_t)wrote;
	}
	return 0;
}

const char *path_beside(const char *path, const char *suffix, char name[BESIDE_BYTES])
{
	snprintf(name, BESIDE_BYTES, "%s%s", path, suffix);
	return name;
}

void remove_beside(const char *path, const char *suffix)
{
	char name[BESIDE_BYTES];
	unlink(path_beside(path, suffix, name));
}

int path_folder(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0; /* with the slash: the root is one */
	if (length >= PATH_MAX - 1)
		return ENAMETOOLONG;
	memcpy(folder, path, length);
	memcpy(folder + length, slash ? "" : ".", slash ? 1 : 2);
	return 0;
}
