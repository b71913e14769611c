/* source.h - an index file that holds still: an image of one commit, and the snapshot that keeps writers off its pages. */
#ifndef TRAWL_CHECKER_SOURCE_H
#define TRAWL_CHECKER_SOURCE_H

#include "checker/image.h"
#include "checker/report.h"
#include "store/store.h"

struct source {
	struct image image; /* opened by the caller */
	struct store *store;
	struct snapshot *snapshot; /* NULL: the pages are damaged, or the lock file may not be written */
	bool sound;                /* the pages are whole */
	bool metas_sound;          /* the two meta pages are: the image is of the last commit */
	bool no_memory;
};

/* Examine the store's meta pages, its tree and its free list; what is wrong goes to the report. Only when nothing is, LMDB opens the
 * file, and a snapshot of the commit in the image is held. Negative: it could not be examined. */
int source_open(struct source *source, struct report *report, trawl_error *error);
void source_close(struct source *source);

/* Without a snapshot: has a writer gone on since the image was taken? */
bool source_moved(struct source *source);

#endif
