#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
