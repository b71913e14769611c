/* unpack.h - files that were compressed with gzip or zstd. */
#ifndef TRAWL_BENCH_UNPACK_H
#define TRAWL_BENCH_UNPACK_H

#include "bench/support.h"

/* Whether the bytes begin as a compressed file does. */
bool is_packed(const char *data, size_t length);

/* Append what the compressed bytes hold to `out`, at most `most` bytes. NULL, or what is wrong with them; static storage. */
const char *unpack(const char *data, size_t length, size_t most, struct bench_text *out);

#endif
