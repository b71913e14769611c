/* reading.h - an index file mapped for reading, without LMDB's lock file. */
#ifndef TRAWL_STORE_READING_H
#define TRAWL_STORE_READING_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct reading {
	MDB_env *environment;
	MDB_dbi database;
	size_t page_bytes;
	size_t users;               /* the store, while it is the latest, and snapshots */
	const uint8_t *_Atomic map; /* where LMDB maps the file; NULL until a snapshot has found out */
};

/* Map the file of `status` at `path`: 0, an error of LMDB's or errno; ESTALE where the name leads to another file. */
int reading_open(struct reading **out, const char *path, const struct stat *status);
void reading_release(struct reading *reading); /* one user less */

/* Open an environment with as large a map as the system grants: LMDB's or errno. `grows`: it must hold what will be written. */
int environment_open(MDB_env **out, const char *path, unsigned flags, uint64_t file_bytes, bool grows);

/* Whether a limit of the process's address space is set (ulimit -v). */
bool address_space_is_limited(void);

#endif
