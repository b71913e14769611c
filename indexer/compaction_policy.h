/*
 * compaction_policy.h - when a file that grew is replaced by a copy without free pages.
 *
 * LMDB uses pages again but never gives them back. A merge needs room for the new segment beside the old ones, so that the file comes
 * to more than twice the live data when the largest segment is written anew, and would stay there. Once it is over 7/4 of
 * them, and 256 KiB, it is due for compaction (store_compact), unless somebody reads it: a reader would keep the old file on
 * the disk besides. Where less than a quarter of it is free, deleted documents and what many small segments take beyond their share
 * are the greater part of it, and all segments are merged first.
 *
 * What that costs: a compacted file has no free pages, so each byte by which it grows afterwards has been written. Until it is
 * due again it grows by 7/16 of the live data or more, or that share of them is deleted, and what is written then is at most
 * three times as much: copying and merging for it add at most 3 bytes to each that commits and other merges write, or that is deleted.
 */
#ifndef TRAWL_INDEXER_COMPACTION_POLICY_H
#define TRAWL_INDEXER_COMPACTION_POLICY_H

#include <stddef.h>

#include "segment/segment.h"

enum compaction {
	COMPACTION_NONE, /* or others read it, or the disk has no room */
	COMPACTION_COPY,
	COMPACTION_MERGE_AND_COPY
};

/* What to do with the file of a snapshot with these segments. */
enum compaction compaction_choose(struct snapshot *snapshot, const struct segment *segments, size_t count);

#endif
