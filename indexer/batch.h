/*
 * batch.h - documents in memory, as term numbers in text order (a forward index), and their inversion.
 *
 * Documents are named by ordinal: the first one of the batch has `first_ordinal`. An inverted batch goes to a sink, term by
 * term in byte order, either straight into a segment or into a run (run.h).
 */
#ifndef TRAWL_INDEXER_BATCH_H
#define TRAWL_INDEXER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "indexer/vocabulary.h"
#include "store/postings.h"
#include "tokenizer/tokenizer.h"

struct batch {
	struct vocabulary vocabulary;
	uint32_t *tokens; /* term numbers; a position without a term (a dropped stop word) is WORD_TAG_NONE */
	size_t token_count, token_capacity;
	uint64_t *starts; /* of each document in tokens */
	size_t document_count, start_capacity;
	uint32_t first_ordinal;
};

/* Analyse a document and append it; *length is its number of tokens, *span its last position + 1. TRAWL_ENOMEM. */
int batch_add(struct batch *batch, struct tokenizer *tokenizer, const trawl_document *document, uint32_t *length,
              uint32_t *span, trawl_error *error);

/* Bytes the batch holds, and those it will hold while it is inverted. */
size_t batch_memory(const struct batch *batch);

void batch_reset(struct batch *batch);
void batch_release(struct batch *batch);

/* Receives terms in byte order with their postings (docs are what `document_of` made of the ordinals). */
struct term_sink {
	int (*term)(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
	            uint32_t df, const struct position_source *source, trawl_error *error);
	void *context;
};

#define DOCUMENT_NONE UINT32_MAX

/* Invert. `docs`: the docID of each ordinal, ascending, DOCUMENT_NONE for those to leave out; NULL: as they are. */
int batch_invert(const struct batch *batch, const uint32_t *docs, const struct term_sink *sink, trawl_error *error);

/* Invert with docIDs in another order than ordinals: docID i is the ordinal order[i], i < count. */
int batch_invert_ordered(const struct batch *batch, const uint32_t *order, uint32_t count, const struct term_sink *sink,
                         trawl_error *error);

#endif
