/* tree.h - is LMDB's tree in an index file sound? LMDB trusts its pages, so a damaged one would end in a signal. */
#ifndef TRAWL_STORE_TREE_H
#define TRAWL_STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "trawl.h"

/* Check the two meta pages, before LMDB maps the file. 0, TRAWL_ECORRUPT, TRAWL_EIO. */
int tree_check_meta(int file, const char *path, trawl_error *error);

/* Check every page of both trees of the commit `transaction` but the payloads: they have checksums of their own. A read
 * transaction of that number must be open, or a writer may reuse the pages meanwhile. Costs a page read for some 100
 * extents. `deep`: look at what only LMDB's writer believes too, the lists of free pages and the header of each
 * extent's first page. 0, TRAWL_ENOTFOUND: that commit is no longer one of the two that the file names, begin again; TRAWL_ECORRUPT,
 * TRAWL_EIO, TRAWL_ENOMEM. */
int tree_check(int file, const char *path, uint64_t transaction, bool deep, trawl_error *error);

/* Make a meta page that of commit `transaction`. */
void tree_number_meta(uint8_t *page, uint64_t transaction);

#endif
