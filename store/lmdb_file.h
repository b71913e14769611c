/* lmdb_file.h - what store.c (reading), writing.c and batch.c, and compact.c share. Only they, reading.c and create.c talk to LMDB. */
#ifndef TRAWL_STORE_LMDB_FILE_H
#define TRAWL_STORE_LMDB_FILE_H

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "store/store.h"

#define VALUE_BYTES_MAX (EXTENT_HEADER + EXTENT_PAYLOAD + EXTENT_SLACK)

struct snapshot;

struct store {
	struct store *next;
	dev_t device;
	ino_t inode;
	int users;
	int file; /* open for reading: its locks say what our snapshots read (readers.h); -1: a parent's store, after fork */
	bool silent; /* a read-only file system without such locks */
	pthread_mutex_t lock;
	struct reading *reading;    /* under the lock: the latest map, */
	struct snapshot *snapshots; /* and those that are open */
	struct writing *writing;    /* while we are the writer */
	const char *real;           /* the path without symbolic links, behind `path` */
	char path[];
};

/* Describe a failure of LMDB, whose codes are negative, or errno. */
int lmdb_error(const struct store *store, int code, const char *doing, trawl_error *error);

/* Check LMDB's tree under a read transaction; a writer may overtake it. */
int store_check_tree(struct store *store, bool deep, trawl_error *error);

/* A store that was open when this process was forked is the parent's. */
static inline bool store_is_inherited(const struct store *store)
{
	return store->file < 0;
}

/* Go through all entries in order, each verified; `visit` may be NULL. *failed: what it returned, which ends the walk. */
typedef int visit_entry(void *context, uint32_t segment, MDB_val *key, MDB_val *value);
int snapshot_visit(struct snapshot *snapshot, visit_entry *visit, void *context, int *failed, trawl_error *error);

const struct snapshot *snapshot_next(const struct snapshot *snapshot); /* of the store */

/* Where LMDB has mapped the file, which it does not tell, by the address of a value; NULL: the value is not in the map. */
const uint8_t *map_of(MDB_env *environment, const void *value, size_t last_page);

/* ---- while we are the writer (writing.c) ---- */

MDB_env *writing_environment(const struct store *store);
MDB_dbi writing_database(const struct store *store);
/* Begin a transaction that writes and leaves alone what anybody reads. 0 or a TRAWL_E... code. */
int write_begin(struct store *store, const char *doing, MDB_txn **out, trawl_error *error);
/* Give all pages of the file back that are mapped for writing. They are mapped anew when they are looked at. */
void writing_give_back(const struct store *store, uint64_t file_bytes);

static inline void key_write(uint8_t key[KEY_BYTES], uint32_t segment, uint32_t part, uint32_t extent)
{
	store32(key, __builtin_bswap32(segment));
	store32(key + 4, __builtin_bswap32(part));
	store32(key + 8, __builtin_bswap32(extent));
}

static inline uint64_t extent_checksum(const uint8_t *header, const uint8_t *payload, uint32_t length)
{
	return XXH3_64bits_withSeed(payload, length, XXH3_64bits(header, 24));
}

#endif
