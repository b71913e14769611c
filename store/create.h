/* create.h - index files come into being whole, on file systems that LMDB can live with. */
#ifndef TRAWL_STORE_CREATE_H
#define TRAWL_STORE_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "trawl.h"

/* Make an LMDB file without entries at `path`, unless there is a file. It is made under another name, INDEX-new, synced and then
 * linked, so that at no time, not even when the power fails, a part of one stands at `path`. 0, or a TRAWL_E... code. */
int create_file(const char *path, trawl_error *error);

/* Make an LMDB file without entries of an empty one. 0, or a TRAWL_E... code. */
int create_fill(const char *path, trawl_error *error);

/* Remove the file at `path` if nothing was ever committed to it and nobody writes to it: for one who made it and could not go on.
 * Takes no memory. */
void create_undo(const char *path);

/* Remove what a killed create_file left beside `path`, which exists. */
void create_sweep(const char *path);

/* Whether `path` leads to the file that `status` is of: 1, or 0 where it leads to another one or none, or negative errno. */
int leads_to(const char *path, const struct stat *status);

/* Make the entry of `path` in its folder durable. 0 or errno. */
int sync_folder(const char *path);

/* Whether statfs's f_type tells of a file system that other machines share: LMDB's locks and its map of the file do not
 * work there. */
bool file_system_is_shared(uint64_t type);

/* Refuse files on such a file system, unless the environment variable TRAWL_SHARED_DISK is set to 1. TRAWL_EINVAL. */
int check_file_system(const char *path, trawl_error *error);

#endif
