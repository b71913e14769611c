/*
 * batch.h - documents in memory, as pieces that are inverted each for itself, and their inversion as a whole.
 *
 * Documents are named by ordinal: the first one of the batch has `first_ordinal`. An inverted batch goes to a sink, term by
 * term in byte order, either straight into a segment or into a run (run.h).
 */
#ifndef TRAWL_INDEXER_BATCH_H
#define TRAWL_INDEXER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "indexer/lexicon.h"
#include "indexer/piece.h"
#include "segment/postings.h"

struct batch {
	struct lexicon lexicon;
	struct piece *pieces; /* in order of their documents */
	size_t piece_count, piece_capacity;
	size_t piece_bytes, entry_count; /* of all */
	uint32_t first_ordinal, document_count;
};

/* `shared`: several threads add to the lexicon. */
void batch_init(struct batch *batch, uint32_t first_ordinal, bool shared);
void batch_release(struct batch *batch);

/* Drop all documents; the next ones follow on. */
void batch_reset(struct batch *batch);

/* Take a piece over, whose documents follow on those of the batch. TRAWL_ENOMEM: the piece stays the caller's. */
int batch_take(struct batch *batch, struct piece *piece, trawl_error *error);

/* Bytes the batch holds, and those it will hold while it is inverted. */
size_t batch_memory(struct batch *batch);

/* Receives terms in byte order with their postings (docs are what `docs` made of the ordinals). */
struct term_sink {
	int (*term)(void *context, const struct term_list *list, trawl_error *error);
	void *context;
};

#define DOCUMENT_NONE UINT32_MAX

/* Invert. `docs`: the docID of each ordinal, in any order, DOCUMENT_NONE for those to leave out; NULL: as they are. */
int batch_invert(const struct batch *batch, const uint32_t *docs, const struct term_sink *sink, trawl_error *error);

/* The same in two steps, of which the second can be done by several threads, each with a range of terms. */
struct inversion {
	const struct batch *batch;
	const uint32_t *docs;
	uint32_t *sorted; /* term numbers in byte order */
	uint32_t term_count;
	uint64_t *ends; /* ends[i]: where the references of term sorted[i] end */
	struct piece_reference {
		uint32_t piece, offset;
	} * references;
	uint32_t *range_ends; /* in `sorted` */
	size_t range_count, range_capacity;
	uint64_t *range_bytes; /* of their records */
	size_t range_bytes_capacity, range_most;
};

/* Terms in ranges of `most` bytes of records or, where a single term has more, of that term. */
int inversion_prepare(struct inversion *inversion, const struct batch *batch, const uint32_t *docs, size_t most,
                      trawl_error *error);
void inversion_release(struct inversion *inversion);
int inversion_run(const struct inversion *inversion, size_t range, const struct term_sink *sink, trawl_error *error);

#endif
