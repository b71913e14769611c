/*
 * bench.h - the hot loops alone, kernel by kernel (docs/BENCHMARKING.md, The hot loops).
 *
 * Posting lists are made from a seed, written to a temporary index by the library's own encoder, and opened as a search opens
 * them (lists.c, subjects.c). Each operation (decode.c, score.c, count.c, bounds.c, top.c, union.c) then runs over them with every
 * kernel of this machine: first once, to compare all that it puts out with what the scalar kernel puts out, then in rounds against
 * the clock (main.c), and the figures are told (report.c). This is the one bench that looks inside the library.
 */
#ifndef TRAWL_BENCH_KERNELS_BENCH_H
#define TRAWL_BENCH_KERNELS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "searcher/kernel.h"

#define DOCUMENTS (1u << 20)
#define BLOCKS (DOCUMENTS / BLOCK_DOCUMENTS)
#define SUPERBLOCKS (DOCUMENTS / SUPERBLOCK_DOCUMENTS)
#define SPARSE_LISTS 16 /* so many that their branches cannot be learnt by heart */
#define SELECTIONS 16   /* likewise: arrays of sums for select_sums */
#define RANDOM_SCORES (1u << 18)
#define KERNELS 3
#define ROUNDS_MAX 10000

/* The densities of the lists; the first is that of the short ones, which must stay below the border. */
extern const struct density {
	const char *name;
	uint32_t one_in;
	double more; /* the chance that a tf is one more */
} densities[];
#define DENSITIES 5
#define PAIRS 4

/* What the figures are to be measured by, in nanoseconds. */
#define AIM_INTEGER "0.2"
#define AIM_POSTING "1.1-1.5"

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *allocate(size_t count, size_t size);

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t random_next(uint64_t *state);
double random_unit(uint64_t *state); /* in (0, 1) */

/* ---- what is measured ---- */

struct opened_chunk {
	struct chunk chunk;
	uint32_t superblock;
	uint32_t exceptions[SUPERBLOCK_BLOCKS]; /* by rank: the number of its first one */
};

/* What an operation runs over: the sparse lists, a dense list, or two lists. */
struct subject {
	char name[16];
	struct leaf *leaves; /* scored; the heavier first */
	uint32_t count;
	uint64_t postings;
	/* sparse lists: their bytes */
	const uint8_t *coded[SPARSE_LISTS];
	uint64_t coded_bytes[SPARSE_LISTS];
	/* a dense list */
	struct opened_chunk *chunks;
	uint32_t chunk_count, blocks;
	uint64_t *masks; /* of its blocks */
};

struct bench {
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	struct segment segment;
	struct scorer scorer;
	struct arena kept;
	struct context context;
	struct subject shorts, dense[DENSITIES], pair[PAIRS], none;
	float *random_scores, *random_sums;
	/* what operations put out */
	struct output {
		uint64_t numbers[BLOCKS];
		float scores[SUPERBLOCK_DOCUMENTS];
		float sums[SUPERBLOCKS];
		float bounds[BLOCKS];
		uint32_t indices[SELECTIONS][SUPERBLOCKS + 16];
		uint32_t docs[SPARSE_LISTS][DOCUMENTS / 512 + SPARSE_RUN],
		    tfs[SPARSE_LISTS][DOCUMENTS / 512 + SPARSE_RUN];
		struct block_positions positions;
	} * output;
	struct top top;
	XXH3_state_t *digest;
};

struct operation {
	const char *name, *unit;
	const char *aim; /* ns a unit that it should take, or NULL */
	enum { ON_SPARSE, ON_DENSE, ON_PAIR, ON_NOTHING } on;
	bool portable; /* the same code for all kernels */
	uint64_t (*units)(const struct subject *subject);
	void (*run)(struct bench *bench, const struct subject *subject, const struct kernel *kernel);
	/* Run once, and add all that it puts out to bench->digest. */
	void (*digest)(struct bench *bench, const struct subject *subject, const struct kernel *kernel);
};

/* The operations of a subject, in the order of the table; the last has no name. */
extern const struct operation decode_operations[], score_operations[], count_operations[], bounds_operations[],
    top_operations[], union_operations[];
#define OPERATIONS_MAX 32
#define FIGURES_MAX (OPERATIONS_MAX * DENSITIES)

/* Units of a run. */
uint64_t count_postings(const struct subject *subject);
uint64_t count_scores(const struct subject *subject);

static inline void add_to_digest(struct bench *bench, const void *bytes, size_t length)
{
	XXH3_64bits_update(bench->digest, bytes, length);
}

uint64_t count_bits(const uint64_t *masks, uint32_t n);

/* The best k: start, and put what was found into the digest. */
void begin_top(struct bench *bench, size_t k);
void digest_top(struct bench *bench);

/* An operation of one line, and its digest. */
#define TOP_OPERATION(name, action)                                                                                    \
	static void run_##name(struct bench *bench, const struct subject *subject, const struct kernel *kernel)        \
	{                                                                                                              \
		(void)subject;                                                                                         \
		(void)kernel;                                                                                          \
		action;                                                                                                \
	}                                                                                                              \
	static void digest_##name(struct bench *bench, const struct subject *subject, const struct kernel *kernel)     \
	{                                                                                                              \
		run_##name(bench, subject, kernel);                                                                    \
		digest_top(bench);                                                                                     \
	}

/* Calls `each` with every occupied block: its rank, and the first docID. Inlined, so that the call costs nothing. */
static inline __attribute__((always_inline)) void
walk_blocks(struct bench *bench, const struct subject *subject, const struct kernel *kernel,
            void (*each)(struct bench *, const struct subject *, const struct kernel *, struct opened_chunk *,
                         uint32_t rank, uint32_t first_doc))
{
	for (uint32_t i = 0; i < subject->chunk_count; i++) {
		struct opened_chunk *opened = &subject->chunks[i];
		uint32_t rank = 0;
		for (uint32_t left = opened->chunk.block_mask; left; left &= left - 1, rank++)
			each(bench, subject, kernel, opened, rank,
			     opened->superblock * SUPERBLOCK_DOCUMENTS +
			         (uint32_t)__builtin_ctz(left) * BLOCK_DOCUMENTS);
	}
}

/* ---- the index and the figures ---- */

/* One segment in a new index at `path`, of the lists that the seed makes. */
void write_index(struct store *store, uint64_t seed);

void bench_open(struct bench *bench, uint64_t seed);
void bench_close(struct bench *bench);

struct options {
	size_t rounds, seed;
	double sample; /* ns that one reading should take at least */
	bool json, quick;
};

struct figure {
	const struct operation *operation;
	const char *subject;
	uint64_t units;
	bool measured[KERNELS], differs[KERNELS];
	double best[KERNELS], median[KERNELS]; /* ns a unit */
};

void print_heading(const struct bench *bench, const struct options *options, int processor);
void print_table(const struct figure *figures, size_t count);
void print_json(const struct options *options, int processor, double tokens, const struct figure *figures,
                size_t count);
/* Name what differs on stderr; whether something does. */
bool print_differences(const struct figure *figures, size_t count);

#endif
