/* phrase_open.h - opening a phrase of the plan in one segment. */
#ifndef TRAWL_SEARCHER_PHRASE_OPEN_H
#define TRAWL_SEARCHER_PHRASE_OPEN_H

#include "query/plan.h"
#include "searcher/evaluation.h"

struct phrase_source {
	const struct plan_node *node;
	const struct collection *collection;
	size_t number;                 /* of the segment */
	const struct scoring *scoring; /* to rank it; or NULL */
};

/* Open the postings of its words, and the bigrams of neighbouring ones. 1; 0 when the dictionary says that the phrase stands nowhere in
 * the segment; negative on error. What it points to comes from `arena`. */
int phrase_open(struct phrase_evaluation *phrase, const struct phrase_source *source, struct arena *arena,
                trawl_error *error);

#endif
