/* copy.h - copies of one commit: what compact.c and store_copy share. */
#ifndef TRAWL_STORE_COPY_H
#define TRAWL_STORE_COPY_H

#include "store/store.h"

#define UNFINISHED_COPY_SUFFIX "-copy"

/* Write the snapshot's entries to the empty file at `path`, open as `file`, each verified as it is read. *last: the meta page of its last
 * transaction. */
int copy_entries(struct snapshot *snapshot, int file, const char *path, const struct copy_wishes *wishes, size_t *last,
                 trawl_error *error);
/* Number the copy as the commit that it is of, sync it and check its pages. */
int copy_finish(int file, const char *path, size_t last, uint64_t transaction, trawl_error *error);
/* Give `file` what the index at `like` has: owner, group, mode and access list, as far as we may. */
int copy_take_after(int file, const char *like, const char *path, trawl_error *error);

#endif
