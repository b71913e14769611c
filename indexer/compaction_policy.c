#include "indexer/compaction_policy.h"

#include "indexer/merge.h"

#define WASTE_LEAST ((uint64_t)256 << 10)
#define ROOM_BESIDE ((uint64_t)1 << 20) /* for the store's own pages */

/* What the live documents would take in one segment, about: as densely as those of the largest one. */
static uint64_t live_bytes(const struct segment *segments, size_t count)
{
	uint64_t live = 0, size = 1, bytes = 1;
	for (size_t i = 0; i < count; i++) {
		struct merge_candidate candidate;
		merge_candidates(&candidate, &segments[i], 1);
		live += candidate.live_size;
		if (candidate.size > size) {
			size = candidate.size;
			bytes = segment_file_bytes(&segments[i]);
		}
	}
	return (uint64_t)((double)live / (double)size * (double)bytes);
}

enum compaction compaction_choose(struct snapshot *snapshot, const struct segment *segments, size_t count)
{
	struct store *store = snapshot_store(snapshot);
	uint64_t file, free, live = live_bytes(segments, count);
	snapshot_file_size(snapshot, &file, &free);
	if (file <= live / 4 * 7 + WASTE_LEAST || store_readers(store) > 1)
		return COMPACTION_NONE;
	bool copy = free > file / 4;
	if (store_disk_left(store) <= (copy ? file - free : 2 * live) + ROOM_BESIDE)
		return COMPACTION_NONE;
	return copy ? COMPACTION_COPY : COMPACTION_MERGE_AND_COPY;
}
