/* oracle.h - hold an answer of the engine against the naive scorer's: which documents, in which order, with which scores, how many. */
#ifndef TRAWL_TESTS_ORACLE_H
#define TRAWL_TESTS_ORACLE_H

#include "tests/naive.h"

/* Ask `searcher` and compare; NULL when the answer is right, else what is wrong with it (static storage). `positions`: the index has
 * them, so phrases must be answered, and must be refused otherwise. */
const char *oracle_complaint(struct naive *naive, trawl_searcher *searcher, const char *query, size_t length,
                             const trawl_search_options *options, bool positions);

#endif
