/* settings.h - what an index is made with once and for all, and what a writer may wish. */
#ifndef TRAWL_INDEXER_SETTINGS_H
#define TRAWL_INDEXER_SETTINGS_H

#include "segment/manifest.h"

/* A new index takes its analysis and flags from the options; an old one keeps its own, and other wishes are an error. */
int settings_apply(struct manifest *manifest, const char *path, const trawl_writer_options *options,
                   trawl_error *error);

#endif
