/*
 * signature.h - is the tree that LMDB shows that of the last commit?
 *
 * LMDB's pages do not tell when they were written. A bit of a meta page's transaction number, or a page of the tree whose last
 * write was lost, would pass an older commit for the last one. So every transaction writes its number to the manifest's header
 * (docs/FORMAT.md), and both meta pages must lead to a manifest with the number that they have themselves.
 */
#ifndef TRAWL_STORE_SIGNATURE_H
#define TRAWL_STORE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/extent.h"
#include "trawl.h"

/* Whether a manifest with this signature may be what transaction `transaction` shows. In the first one of a file, which is also
 * what LMDB's compacting copy makes, every page was written once: nothing can be old. 0 is no signature: every transaction signs. */
static inline bool signature_fits(uint64_t signature, uint64_t transaction)
{
	return signature && (signature == transaction || transaction <= 1);
}

/* The signature of the manifest that a meta page leads to; false: there is none, or it cannot be followed. */
bool signature_find(int file, const uint8_t *meta, size_t page_bytes, uint64_t *signature);

/* Check what the two meta pages lead to, while a read transaction is open. TRAWL_ECORRUPT; a tree that cannot be read is
 * another's business. */
int signature_check(int file, const char *path, trawl_error *error);

#endif
