#include "query/scoring.h"

#include <math.h>

bool scoring_init(struct scoring *scoring, const struct collection *collection)
{
	scoring->k1 = scoring->b = NAN;
	scoring->inflations = memory_new(collection->segment_count * sizeof *scoring->inflations);
	return scoring->inflations != NULL;
}

void scoring_release(struct scoring *scoring)
{
	memory_free(scoring->inflations);
}

static struct inflation find_inflation(const struct scorer *scorer, const struct segment *segment)
{
	struct inflation inflation = {1, 1};
	float built[256];
	bm25_denominators(BUILD_K1, BUILD_B, segment->build_average, built);
	for (int code = segment->least_length; code <= segment->greatest_length; code++) {
		float ratio = built[code] / scorer->denominators[code];
		if (isnan(ratio)) /* 0 / 0: both saturations are 1 */
			continue;
		inflation.most = ratio > inflation.most ? ratio : inflation.most;
		inflation.least = ratio < inflation.least ? ratio : inflation.least;
	}
	return inflation;
}

void scoring_make(struct scoring *scoring, const struct collection *collection, float k1, float b)
{
	struct scorer *scorer = &scoring->scorer;
	scoring->k1 = k1;
	scoring->b = b;
	bm25_denominators(k1, b, collection->average, scorer->denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			scorer->saturations[tf - 1][code] = saturation(tf, scorer->denominators[code]);
	for (size_t i = 0; i < collection->segment_count; i++)
		scoring->inflations[i] = find_inflation(scorer, &collection->segments[i]);
}
