/*
 * held.h - files that must not be opened and closed again in this process.
 *
 * LMDB's readers and writer are known by record locks (fcntl) on its lock file. Such locks belong to the process and the file:
 * closing any descriptor of that file drops all of them, also those that others rely on. So the store tells here which lock files
 * it has open, and whoever opens files by names that come from outside asks first.
 */
#ifndef TRAWL_BASE_HELD_H
#define TRAWL_BASE_HELD_H

#include <stdbool.h>
#include <sys/stat.h>

/* Tell of a file, by its path; *status says which it was, for held_remove. A file may be told of several times. false: it is not
 * there, or memory ran out. */
bool held_add(const char *path, struct stat *status);
void held_remove(const struct stat *status);

/* Whether it is one of them. Threads may ask at any time. */
bool held_has(const struct stat *status);

/* Whether there are any at all. */
bool held_any(void);

#endif
