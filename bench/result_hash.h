/* result_hash.h - 64 bits that stand for all results of a run, so that a fast wrong answer is seen.
 *
 * FNV-1a over, query by query in the order of the file, all numbers little-endian:
 *     matches u64 (0 unless counted), hits u64, and for each hit, best first: document u64, bits of the score u32.
 * Documents are the snapshot's internal numbers, so the hash compares runs over the same index file and options. */
#ifndef TRAWL_BENCH_RESULT_HASH_H
#define TRAWL_BENCH_RESULT_HASH_H

#include "trawl.h"

#include <string.h>

#define RESULT_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t result_hash_number(uint64_t hash, uint64_t number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		hash = (hash ^ (number >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

static inline uint64_t result_hash_query(uint64_t hash, uint64_t matches, const trawl_hit *hits, size_t count)
{
	hash = result_hash_number(hash, matches, 8);
	hash = result_hash_number(hash, count, 8);
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &hits[i].score, sizeof bits);
		hash = result_hash_number(hash, hits[i].document, 8);
		hash = result_hash_number(hash, bits, 4);
	}
	return hash;
}

#endif
