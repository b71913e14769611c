/* expand.h - the terms of the dictionaries that a pattern stands for. */
#ifndef TRAWL_QUERY_EXPAND_H
#define TRAWL_QUERY_EXPAND_H

#include "query/collection.h"
#include "query/query.h"

#define EXPANSIONS_MAX 1024     /* of a prefix or wildcard: the most frequent terms */
#define FUZZY_EXPANSIONS_MAX 32 /* of a word with edits: the nearest terms, of equally near ones the most frequent */

/* Add the terms of `collection` that `pattern` (NODE_PATTERN) stands for as optional members to `group`. Which ones does not depend on
 * how documents are spread over segments. */
int expand_pattern(struct query_node *group, const struct query_node *pattern, const struct collection *collection,
                   struct arena *arena, trawl_error *error);

#endif
