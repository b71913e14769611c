/* inverted.h - an inverted batch as bytes, so that tests can compare two; and random documents to invert. */
#ifndef TRAWL_TESTS_INVERTED_H
#define TRAWL_TESTS_INVERTED_H

#include "base/memory.h"
#include "indexer/batch.h"
#include "tests/random_corpus.h"

/* Appends each term with its documents, tfs and positions to `out`, as text. */
struct term_sink dump_sink(struct buffer *out);

/* The same for documents `first` to `end` - 1 of a corpus, by sorting all (term, document, position). `docs` as for batch_invert. */
void dump_naively(struct buffer *out, const struct random_corpus *corpus, size_t first, size_t end,
                  const uint32_t *docs, struct tokenizer *tokenizer);

/* `batch` with documents `first` to `end` - 1 added. */
void fill_batch(struct batch *batch, const struct random_corpus *corpus, size_t first, size_t end,
                struct tokenizer *tokenizer);

/* A piece of one document. */
void add_document(struct batch *batch, const trawl_document *document, struct tokenizer *tokenizer, uint32_t *length,
                  uint32_t *span);

void assert_same_dump(const struct buffer *a, const struct buffer *b);

struct tokenizer *tokenizer_with(bool stop_words);

#endif
