/*
 * merge_policy.h - which segments to merge, and when. Deterministic: it looks at sizes alone.
 *
 * A segment's size is the bytes of its documents' text, and 64 for each document: of the live ones, if nothing else is said. So a
 * merged segment's size is the sum of its sources'. Tier t has the segments of size 8^t to 8^(t+1). Two rules, the
 * first that applies:
 *
 *   1. A tier of 8 segments or more is merged into one, which then is in a higher tier; where that makes 8 of
 *      them there, these are merged in the same go.
 *   2. When more than a quarter of the whole size, deleted documents included, is theirs, and more than 64 KiB, the segments that
 *      are more than a quarter deleted are merged.
 *
 * So at rest a tier has at most 7 segments, and an index of size n at most 7 (1 + log8(n / s)), s the size of its least
 * segment. By rule 1 a document is written again at most once a tier; by rule 2 at most three times as much as is
 * dropped. No merge makes a segment of more documents than its limits allow (DOCUMENTS_MAX at most): an index that is larger
 * has more segments.
 */
#ifndef TRAWL_INDEXER_MERGE_POLICY_H
#define TRAWL_INDEXER_MERGE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment/format.h"

#define MERGE_TIER_WIDTH 8
#define MERGE_SOURCES_MAX 64 /* segments merged at once: more are merged in several goes */

#define MERGE_DOCUMENT_SIZE 64
#define MERGE_DELETED_LEAST ((uint64_t)64 << 10) /* a commit costs more than the room that fewer deleted ones take */

struct merge_candidate {
	uint64_t size, live_size; /* as above: of all its documents, and of the live ones */
	uint32_t live;            /* documents */
	bool chosen;              /* the answer */
};

/* What the memory for a merge allows. */
struct merge_limits {
	uint64_t documents; /* of the result */
	size_t sources;     /* at least 2 */
};

#define MERGE_UNLIMITED (&(const struct merge_limits){DOCUMENTS_MAX, MERGE_SOURCES_MAX})

/* Choose what to merge now; the number of segments chosen, 0: nothing. */
size_t merge_policy_choose(struct merge_candidate *candidates, size_t count, const struct merge_limits *limits);

/* Choose what to merge next so that `wanted` > 0 segments are left, and without deleted documents if that is one; 0: they are,
 * or no merge is possible. */
size_t merge_policy_force(struct merge_candidate *candidates, size_t count, size_t wanted,
                          const struct merge_limits *limits);

#endif
