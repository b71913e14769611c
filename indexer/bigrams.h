/*
 * bigrams.h - which frequent words stand side by side: the bigram lists of a segment, found while its terms are written.
 *
 * The occurrences of terms frequent enough to be in a listed bigram are kept (12 bytes each, sorted in buckets of documents, beyond
 * the memory allowed in a temporary file). When all terms are written, each bucket is sorted into text order, neighbours make
 * bigrams, and the bigrams are inverted as a batch's terms are.
 */
#ifndef TRAWL_INDEXER_BIGRAMS_H
#define TRAWL_INDEXER_BIGRAMS_H

#include "indexer/work.h"
#include "segment/segment_writer.h"

struct bigram_builder;

/* For a segment whose terms are about to be written. `memory`: bytes for occurrences, and as many for the bigrams; `path`: of the index.
 * Both are borrowed until bigram_builder_free. */
int bigram_builder_new(struct bigram_builder **out, struct segment_writer *segment, size_t memory, const char *path,
                       trawl_error *error);
void bigram_builder_free(struct bigram_builder *builder);

/* segment_writer_term, and keep what bigrams need. */
int bigram_builder_term(struct bigram_builder *builder, const struct term_list *list, trawl_error *error);

/* All terms are written: write the bigrams, as stages of `work` (which may be NULL) of that share. */
int bigram_builder_finish(struct bigram_builder *builder, struct work *work, double share, trawl_error *error);

#endif
