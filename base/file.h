/* file.h - whole reads and writes, where the system may do a part of one; names of files beside the index. */
#ifndef TRAWL_BASE_FILE_H
#define TRAWL_BASE_FILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* Read `length` bytes at `offset`: the number read, less only at the end of the file; negative errno. */
int64_t file_read_at(int file, void *into, size_t length, uint64_t offset);

/* Write `length` bytes where the file stands. 0 or errno. */
int file_write_all(int file, const void *bytes, size_t length);

/* `path` with a suffix of up to 15 bytes. Not from the heap, so that tidying up works without memory. One that is too long for
 * the system remains so: it is cut to a length that every call refuses with ENAMETOOLONG. Returns `name`. */
#define BESIDE_BYTES (PATH_MAX + 16)
const char *path_beside(const char *path, const char *suffix, char name[BESIDE_BYTES]);

/* Unlink that file, if there is one. */
void remove_beside(const char *path, const char *suffix);

/* The folder of `path`, with a slash behind it; "." where it names none. 0 or ENAMETOOLONG. */
int path_folder(const char *path, char folder[PATH_MAX]);

/* What LMDB calls an index's list of readers. */
#define LOCK_SUFFIX "-lock"

#endif
