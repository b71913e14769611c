/*
 * readers.h - who reads which commit of an index file.
 *
 * A reader tells its writer by open file description locks on bytes of the index file itself, far behind its end: one byte
 * stands for one commit's number. That takes no more than permission to read, works on read-only mounts and across containers, needs no
 * disk, and a lock goes when its process dies. Nobody ever waits for such a lock; the writer only looks for them.
 *
 *   COMING + n   somebody is about to open commit n or a later one
 *   AT + n       somebody has commit n open
 *
 * A reader takes COMING before it begins, AT when it knows its commit, and gives COMING back then. Who looks for COMING first
 * and AT next sees each reader that took COMING before the look began. One who took it later begins at the commit that was the newest
 * one when the look began, or a later one.
 */
#ifndef TRAWL_STORE_READERS_H
#define TRAWL_STORE_READERS_H

#include <stdbool.h>
#include <stdint.h>

enum readers_place { READERS_COMING, READERS_AT };

#define COMMIT_NUMBER_MAX (((uint64_t)1 << 59) - 1)

/* Take or give back one byte through `file`, which is open for reading. Locks of one description do not add up. 0 or errno. */
int readers_lock(int file, enum readers_place place, uint64_t number);
int readers_unlock(int file, enum readers_place place, uint64_t number);

/* Whether readers_lock fails so where the file system, or the sandbox, has no such locks. */
bool readers_unsupported(int failed);

/* The lowest number that a reader is at or comes to, of other descriptions than `file`; `most` where there is none below it. 0 or
 * errno. */
int readers_lowest(int file, uint64_t most, uint64_t *lowest);

/* Whether another description is at `first` or a later commit. 0 or errno. */
int readers_from(int file, uint64_t first, bool *found);

#endif
