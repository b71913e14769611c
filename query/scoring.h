/* scoring.h - BM25 contributions, as trawl.h defines them, for one k1 and b. */
#ifndef TRAWL_QUERY_SCORING_H
#define TRAWL_QUERY_SCORING_H

#include "query/collection.h"
#include "segment/postings.h"

#define SATURATION_TFS 16 /* tfs 1 to 16 have their saturation in a table */

/* What turns (tf, length byte) into a saturation, for one k1, b and average length. */
struct scorer {
	float denominators[256];
	float saturations[SATURATION_TFS][256]; /* [tf - 1][length byte] */
};

static inline float score_posting(const struct scorer *scorer, float weight, uint32_t tf, uint8_t length)
{
	if (tf <= SATURATION_TFS)
		return weight * scorer->saturations[tf - 1][length];
	return weight * saturation(tf, scorer->denominators[length]);
}

/* Room for the rounding of a bound byte times its step. Sums of bounds need none: they are taken in the order in which scores
 * are, and rounding is monotone. */
#define BOUND_SLACK 1.000001f

/* How much more, and how much less, a saturation can be now than with what a segment's bounds assume (searcher/README.md). */
struct inflation {
	float most, least;
};

/* The tables for a k1 and b, and what they do to the bounds of each segment. */
struct scoring {
	float k1, b;
	struct scorer scorer;
	struct inflation *inflations; /* of each segment */
};

/* false: out of memory. */
bool scoring_init(struct scoring *scoring, const struct collection *collection);
void scoring_make(struct scoring *scoring, const struct collection *collection, float k1, float b);
/* Make the tables, unless they are those of the last call: queries mostly come with the same k1 and b. */
static inline void scoring_prepare(struct scoring *scoring, const struct collection *collection, float k1, float b)
{
	if (scoring->k1 != k1 || scoring->b != b)
		scoring_make(scoring, collection, k1, b);
}
void scoring_release(struct scoring *scoring);

#endif
