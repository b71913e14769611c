/* score.h - BM25 contributions, as trawl.h defines them. */
#ifndef TRAWL_SEARCHER_SCORE_H
#define TRAWL_SEARCHER_SCORE_H

#include <stdint.h>

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

#endif
