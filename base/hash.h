/* hash.h - XXH3-64, inlined: short keys are hashed several times faster than through a call. */
#ifndef TRAWL_BASE_HASH_H
#define TRAWL_BASE_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdint.h>

static inline uint64_t hash_bytes(const void *bytes, size_t length)
{
	return XXH3_64bits(bytes, length);
}

#endif
