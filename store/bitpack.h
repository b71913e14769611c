/*
 * bitpack.h - runs of integers in w bits each, with patched exceptions ("PFOR": Zukowski et al., ICDE 2006), in the byte
 * layout of docs/FORMAT.md ("integer run"). Pure: bytes in, integers out.
 */
#ifndef TRAWL_STORE_BITPACK_H
#define TRAWL_STORE_BITPACK_H

#include <stddef.h>
#include <stdint.h>

#define INTEGER_RUN_MAX 128 /* integers in a run */
#define INTEGER_RUN_BYTES (2 + 4 * INTEGER_RUN_MAX + INTEGER_RUN_MAX + 5 * INTEGER_RUN_MAX)

/* Write n <= INTEGER_RUN_MAX integers to `out` (room for INTEGER_RUN_BYTES); returns the bytes written. */
size_t integer_run_encode(const uint32_t *values, size_t n, uint8_t *out);

/* Read n integers from [in, end); 8 bytes past `end` may be loaded. Returns the byte after the run, NULL if malformed. */
const uint8_t *integer_run_decode(const uint8_t *in, const uint8_t *end, size_t n, uint32_t *values);

#endif
