/* watched_copy.h - LMDB's own copy of a file, and somebody told of how far it is. */
#ifndef TRAWL_STORE_WATCHED_COPY_H
#define TRAWL_STORE_WATCHED_COPY_H

#include <stdint.h>

#include "store/lmdb_file.h"
#include "store/store.h"

/* What comes before and after the pages of a copy: everything is verified, and the copy synced. */
void copy_tell_begin(const struct copy_progress *progress);
void copy_tell_end(const struct copy_progress *progress);

/* Copy the pages in use of the last commit to `file`, about `bytes`. LMDB's code. */
int copy_watched(MDB_env *environment, int file, uint64_t bytes, const struct copy_progress *progress);

#endif
