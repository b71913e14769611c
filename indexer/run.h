/*
 * run.h - an inverted batch in a temporary file, and the merge of several into a segment.
 *
 * The file has no name (it is unlinked at once, in the index's folder), so a killed writer leaves nothing. A record a term, in byte
 * order: u8 length and bytes of the term, varint df, varint length of its postings, for each posting varint docID difference and
 * varint tf, varint length of its positions, for each posting varint position differences (the first as it is).
 */
#ifndef TRAWL_INDEXER_RUN_H
#define TRAWL_INDEXER_RUN_H

#include "indexer/batch.h"

#define RUNS_MAX 64 /* runs open at once; more are combined first */
#define RUN_MARK_BYTES ((size_t)16 << 10)

struct run {
	int file;
	uint64_t bytes;
	/* Where some records start, every RUN_MARK_BYTES or so: their terms (u8 length and bytes) stand in mark_terms. */
	struct run_mark {
		uint64_t offset;
		size_t term;
	} * marks;
	size_t mark_count, mark_capacity;
	struct buffer mark_terms;
};

/* Invert `batch` into a new run beside the index at `path`. */
int run_write(struct run *run, const struct batch *batch, const char *path, trawl_error *error);
void run_release(struct run *run);

/* Merge `count` runs into a new one. */
int run_combine(struct run *run, const struct run *runs, size_t count, const char *path, trawl_error *error);

/* Merge runs, whose documents are ascending from run to run, term by term. `docs` as for batch_invert. */
int runs_merge(const struct run *runs, size_t count, const uint32_t *docs, const struct term_sink *sink,
               trawl_error *error);

/* The same in ranges of terms, which several threads can merge: the pieces between marks, of `bytes` or so. */
struct run_ranges {
	const struct run *runs;
	size_t count;
	const uint32_t *docs;
	const uint8_t **splits; /* the term that each range but the first starts with: u8 length and bytes */
	size_t range_count;
	uint64_t *range_bytes, range_most;
};

int run_ranges_prepare(struct run_ranges *ranges, const struct run *runs, size_t count, const uint32_t *docs,
                       uint64_t bytes, trawl_error *error);
void run_ranges_release(struct run_ranges *ranges);
int run_ranges_merge(const struct run_ranges *ranges, size_t range, const struct term_sink *sink, trawl_error *error);

#endif
