/* fuzz_store.h - an index file for targets that need one around the bytes they try. */
#ifndef TRAWL_TESTS_FUZZ_STORE_H
#define TRAWL_TESTS_FUZZ_STORE_H

#include "segment/segment.h"
#include "tests/fuzz/fuzz.h"

/* A file of some hundred KiB with one commit, open for writing; made at first use. */
struct store *fuzz_store(void);

/* Let a part that was opened have these bytes (at most an extent) in place of what the file has. Free the copy returned. */
uint8_t *fuzz_part(struct part *part, const uint8_t *bytes, size_t length);

#endif
