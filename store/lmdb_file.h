/* lmdb_file.h - what store.c (reading), batch.c (writing) and compact.c share. Only they and create.c talk to LMDB. */
#ifndef TRAWL_STORE_LMDB_FILE_H
#define TRAWL_STORE_LMDB_FILE_H

#include <lmdb.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "store/store.h"

#define VALUE_BYTES_MAX (EXTENT_HEADER + EXTENT_PAYLOAD + EXTENT_SLACK)

struct store {
	struct store *next;
	dev_t device;
	ino_t inode;
	int users;
	bool writable;
	bool lock_held; /* lock_file is told of (base/held.h) */
	struct stat lock_file;
	MDB_env *environment;
	MDB_dbi database;
	const uint8_t *_Atomic map; /* where LMDB maps the file; NULL until a snapshot has found out */
	const char *real;           /* the path without symbolic links, behind `path` */
	char path[];
};

/* Describe a failure of LMDB, whose codes are negative, or errno. */
int lmdb_error(const struct store *store, int code, const char *doing, trawl_error *error);

/* Who opens a file holds this lock for reading meanwhile (F_RDLCK), who replaces it holds it for writing (F_WRLCK). It goes when
 * `file` is closed. 0 or errno. */
int opening_lock(int file, short type);

/* Give all mapped pages of the file back. They are mapped anew when they are looked at. */
void store_give_back(const struct store *store, uint64_t file_bytes);

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
