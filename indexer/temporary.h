/* temporary.h - files without a name in the folder of an index, for what memory cannot hold. */
#ifndef TRAWL_INDEXER_TEMPORARY_H
#define TRAWL_INDEXER_TEMPORARY_H

#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

/* Open a new file without a name in the folder of `path`: a killed process leaves nothing. A descriptor, or negative. */
int temporary_file(const char *path, trawl_error *error);

/* Where files without a name are not known, a writer killed at the wrong moment leaves one: remove it. Lock held. */
void temporary_sweep(const char *path);

/* Write all of it, where the file stands. */
int temporary_write(int file, const void *bytes, size_t length, trawl_error *error);

/* Read what was written, all of it. */
int temporary_read(int file, void *into, size_t length, uint64_t offset, trawl_error *error);

/* The file is our own and has no name, so its bytes are trusted; lengths are checked all the same, and this says of them that they are
 * wrong. TRAWL_EIO. */
int temporary_differs(trawl_error *error);

#endif
