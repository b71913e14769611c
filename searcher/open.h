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

struct leaf_scoring {
	const uint8_t *lengths; /* of each docID */
	const struct scorer *scorer;
	float weight;    /* of a match */
	float inflation; /* of what bounds say */
};

/* Let it score. */
int leaf_score(struct leaf *leaf, const struct leaf_scoring *scoring, struct arena *arena, trawl_error *error);

#endif
