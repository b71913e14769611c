/* file.h - files opened clear of the standard descriptors; whole reads and writes, where the system may do a part of one; names of
 * files beside the index. */
#ifndef TRAWL_BASE_FILE_H
#define TRAWL_BASE_FILE_H

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A program may run with its standard descriptors closed. Whatever is opened next then gets the number 0, 1 or 2, and what is
 * meant for a terminal would be written into it. So all that is opened here is put from 3 up, and closed on exec. */

/* open(2): a descriptor, or -1 and errno. */
int file_open(const char *path, int flags, mode_t mode);
int file_open_at(int folder, const char *path, int flags, mode_t mode);
/* Move a descriptor that another call has opened from 3 up; -1 (which it may be already) and errno, and it is closed then. */
int file_clear_of_standard(int file);
/* fopen(3) with a mode of "re" or "we", opendir(3). NULL and errno. */
FILE *file_open_stream(const char *path, const char *mode);
DIR *file_open_folder(const char *path);

/* Around calls of others that open files: fill what is closed of 0, 1 and 2 with descriptors that can neither be read nor written,
 * and empty it again. */
void standard_hold(int held[3]);
void standard_release(const int held[3]);

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
