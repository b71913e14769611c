/* long_query.h - queries beyond the limits of the library, cut to what it takes. */
#ifndef TRAWL_CLI_LONG_QUERY_H
#define TRAWL_CLI_LONG_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "trawl.h"

/* trawl_search with the beginning of a query that is too long or has too many words: *length becomes that of the part that was
 * searched for, which ends before a word, as long as possible. The error is the library's where no part will do. */
int search_beginning(trawl_searcher *searcher, const char *query, size_t *length, const trawl_search_options *options,
                     trawl_error *error);

/* Whether an error is the query's own, so that the next one may do. */
bool query_fails_alone(int status);

#endif
