/*
 * merge.h - several segments made into one, without their deleted documents.
 *
 * Nothing is analysed again: the dictionaries are merged term by term in byte order, posting lists are decoded, their
 * docIDs renumbered, and encoded anew; positions are copied as they are stored (they depend on the document alone); stored
 * documents are compressed anew; bigram lists are found again, for which words are in them depends on the whole segment.
 * Live documents are numbered in the order of the sources and, within one, of their docIDs. The result is what
 * indexing the live documents into one segment would have made, byte for byte, as long as no source was reordered.
 *
 * Memory: some 20 bytes a live document; 20 bytes a posting of the longest list, and 24 for each stretch of its
 * positions between deleted documents; what bigrams take; and what the store batch queues.
 */
#ifndef TRAWL_INDEXER_MERGE_H
#define TRAWL_INDEXER_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "indexer/budget.h"
#include "indexer/merge_policy.h"
#include "indexer/work.h"
#include "segment/segment.h"

/* What a writer lends. */
struct merge_means {
	const struct budget *budget;
	struct work *work; /* the merge is a job of it; may be NULL */
};

/* Merge those of the manifest's segments that are chosen (chosen[i].chosen), and commit: the result takes the place of the
 * first of them. The snapshot that `segments` and `manifest` come from must be opened anew afterwards. After an error the last commit is as it was, but for garbage that store_sweep removes. */
int merge_commit(struct store *store, const struct manifest *manifest, struct segment *segments,
                 const struct merge_candidate *chosen, const struct merge_means *means, trawl_error *error);

/* What the policy wants to know of each segment. */
void merge_candidates(struct merge_candidate *candidates, const struct segment *segments, size_t count);

#endif
