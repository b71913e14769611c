/* open.h - opening the postings of leaves. Arrays come from `arena`. */
#ifndef TRAWL_SEARCHER_OPEN_H
#define TRAWL_SEARCHER_OPEN_H

#include "searcher/leaf.h"

/* Open the postings of a term that the dictionary has. */
int leaf_open(struct leaf *leaf, struct segment *segment, const struct term_entry *entry, struct arena *arena,
              trawl_error *error);

/* The same for a bigram. */
int leaf_open_bigram(struct leaf *leaf, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                     trawl_error *error);

/* Let it score: a match weighs `weight`, and bounds grow by `inflation`. */
int leaf_score(struct leaf *leaf, const uint8_t *lengths, const struct scorer *scorer, float weight, float inflation,
               struct arena *arena, trawl_error *error);

#endif
