/* index.h - a commit, opened for searching. */
#ifndef TRAWL_SEARCHER_INDEX_H
#define TRAWL_SEARCHER_INDEX_H

#include "query/collection.h"

struct trawl_index {
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	struct collection collection; /* its segments */
};

/* The two halves of trawl_open. After an error trawl_close releases what there is. */
int index_open_manifest(struct trawl_index *index, const char *path, trawl_error *error);
int index_open_segments(struct trawl_index *index, trawl_error *error);

/* The segment that has a hit's document, and its docID there. false: no such document. */
bool index_locate(const struct trawl_index *index, uint64_t document, struct segment **segment, uint32_t *doc);

#endif
