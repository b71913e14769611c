/* evaluate.h - a query's lists in one segment, as the kernels (kernel.h) evaluate them. */
#ifndef TRAWL_SEARCHER_EVALUATE_H
#define TRAWL_SEARCHER_EVALUATE_H

#include "searcher/list.h"
#include "searcher/top.h"

struct evaluation {
	struct segment *segment;
	const struct scorer *scorer;
	struct list *lists; /* in the order in which contributions are added */
	uint32_t count;
	bool required;           /* some list is */
	const uint64_t *allowed; /* a bit a docID: live documents that pass the filter; NULL: there is none */
	uint64_t base;           /* of the segment's documents in hits */
	struct arena *arena;
	trawl_error *error;
	/* scratch of the evaluator, for the superblock and the range being visited */
	struct visit *visits;
	float (*rest)[SUPERBLOCK_RANGES]; /* by list and range: the most that this list and those behind it can add */
	uint32_t superblock, first_doc;
	struct bulk *bulk; /* NULL: matches are not scored in bulk */
};

/*
 * The postings of a range, and how many bits their positions take, so that those of any document can be found. `tfs` and
 * `sizes` are in document order; where some do not fit, `wide`, they are in the wide arrays instead.
 */
struct range_positions {
	uint64_t mask, total; /* total: bits of all */
	uint32_t exceptions;  /* postings with tf >= 4 */
	bool wide;
	uint8_t tfs[RANGE_DOCUMENTS];
	uint16_t sizes[RANGE_DOCUMENTS];
	uint32_t wide_tfs[RANGE_DOCUMENTS];
	uint64_t wide_starts[RANGE_DOCUMENTS]; /* running sums of the sizes */
};

/*
 * A phrase in one segment. What becomes of its matches: with `top` they are scored (weight * saturation of the number of
 * occurrences) and pushed, with `out` collected as a short list whose tfs are the occurrences; else they are only counted.
 */
struct phrase_evaluation {
	struct segment *segment;
	const struct scorer *scorer;
	const struct query_term *terms;
	const struct term_entry *const *entries; /* of each word: what each segment's dictionary says of it */
	size_t number;                           /* of the segment */
	uint32_t words;
	float weight, inflation, slack; /* for `top`: as list_score wants them */
	uint64_t base;
	struct top *top;
	bool count_all; /* with `top`: also count the matches that cannot enter it */
	struct list *out;
	uint64_t matches;
	struct arena *arena;
	struct buffer *scratch; /* of positions that extents cut */
	trawl_error *error;
};

#endif
