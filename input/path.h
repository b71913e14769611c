/* path.h - paths as ids: one spelling for each. */
#ifndef TRAWL_INPUT_PATH_H
#define TRAWL_INPUT_PATH_H

#include "base/memory.h"

/* trawl_normal_path in the arena; NULL: out of memory. */
const char *path_normal(struct arena *arena, const char *path);

/* The entry `name` of `folder`, which is in its normal form: so is the path. NULL: out of memory. */
const char *path_join(struct arena *arena, const char *folder, const char *name);

/* What of `path` is below `root`, both in their normal forms; NULL: it is not below it. */
const char *path_below(const char *root, const char *path);

/* The last name of a path in its normal form. */
const char *path_name(const char *path);

#endif
