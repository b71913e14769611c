/* damage.h - kinds of damage to an index file, each a function of a seed and a number, so that one can be made again alone. */
#ifndef TRAWL_TESTS_DAMAGE_H
#define TRAWL_TESTS_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "checker/image.h"
#include "tests/file_bytes.h"

#define PAGE 4096

static inline uint64_t hash_more(uint64_t hash, const void *bytes, size_t length)
{
	return XXH3_64bits_withSeed(bytes, length, hash);
}

/* ---- an index to damage ---- */

enum { OLDER_MOST = 16 };

struct subject {
	int ids;            /* "d0", "d1", ... */
	uint64_t documents; /* live */
	struct file file;
	struct file older[OLDER_MOST]; /* before the last commits */
	int older_count;
	uint64_t answers; /* what hash_index gives */
	struct extent_place *places;
	size_t place_count;
	uint64_t *versions; /* hashes of all documents that there ever were */
	size_t version_count;
	bool large;
};

/* ---- what came of it ---- */

enum verdict {
	SAME,
	REFUSED,
	WRONG,      /* another answer */
	UNREPORTED, /* refused, and trawl_check finds nothing */
	INVENTED,   /* trawl_salvage brought a document that was never there */
	MISCOUNTED, /* it told numbers that are not so */
	BELIEVED,   /* bytes that lie under a good checksum: another answer, and trawl_check finds nothing */
	SPEECHLESS, /* an error without a text */
	DEAD,
	VERDICTS
};

/* ---- damage ---- */

/* Up to two runs of bytes with others in their place, and a new length. */
struct patch {
	size_t offset, length;
	uint8_t bytes[PAGE];
};

struct damage {
	struct patch patches[2];
	int patch_count;
	size_t length; /* of the file */
	char what[100];
};

struct trials {
	const struct subject *subject;
	uint64_t count, seed;
	/* Damage number i, always the same. */
	void (*make)(const struct trials *trials, uint64_t i, struct damage *damage);
	enum verdict (*attempt)(const struct subject *subject, const char *path, uint64_t turn);
	bool changes; /* the attempt writes to the file */
};

/* Of what a meta page says: the number of the commit, the kinds of both trees, the size of the map. */
#define META_BITS (64 + 16 + 16 + 64)

/* Bits: any (of bytes that are not 0, mostly); each of `count` of them, evenly spread; of the tree's pages; of the manifest's key; of the
 * meta pages. */
void flip_random_bit(const struct trials *trials, uint64_t i, struct damage *damage);
void flip_each_bit(const struct trials *trials, uint64_t i, struct damage *damage);
void flip_bit_of_tree(const struct trials *trials, uint64_t i, struct damage *damage);
void flip_manifest_key(const struct trials *trials, uint64_t i, struct damage *damage);
void flip_meta(const struct trials *trials, uint64_t i, struct damage *damage);
/* Random bytes; a page zeroed, swapped, torn or overwritten by another; pages as they once were; a file that is cut off. */
void overwrite_run(const struct trials *trials, uint64_t i, struct damage *damage);
void change_page(const struct trials *trials, uint64_t i, struct damage *damage);
void stale_page(const struct trials *trials, uint64_t i, struct damage *damage);
void cut_off(const struct trials *trials, uint64_t i, struct damage *damage);
/* A changed payload, and its checksum made good. */
void lie(const struct trials *trials, uint64_t i, struct damage *damage);

#endif
