/*
 * pairs.h - which frequent words stand side by side: the pair lists of a segment, found while its terms are written.
 *
 * The occurrences of terms frequent enough to be in a listed pair are kept (12 bytes each, sorted in buckets of documents, beyond
 * the memory allowed in a temporary file). When all terms are written, each bucket is sorted into text order, neighbours make
 * pairs, and the pairs are inverted as a batch's terms are.
 */
#ifndef TRAWL_INDEXER_PAIRS_H
#define TRAWL_INDEXER_PAIRS_H

#include "indexer/work.h"
#include "segment/segment_writer.h"

struct pair_builder;

/* For a segment whose terms are about to be written. `memory`: bytes for occurrences, and as many for the pairs; `path`: of the index.
 * Both are borrowed until pair_builder_free. */
int pair_builder_new(struct pair_builder **out, struct segment_writer *segment, size_t memory, const char *path,
                     trawl_error *error);
void pair_builder_free(struct pair_builder *builder);

/* segment_writer_term, and keep what pairs need. */
int pair_builder_term(struct pair_builder *builder, const struct term_list *list, trawl_error *error);

/* All terms are written: write the pairs, as stages of `work` (which may be NULL) of that share. */
int pair_builder_finish(struct pair_builder *builder, struct work *work, double share, trawl_error *error);

#endif
