#include "indexer/shrink.h"

#include "indexer/merge.h"

#define WASTE_LEAST ((uint64_t)256 << 10)
#define ROOM_BESIDE ((uint64_t)1 << 20) /* for the store's own pages */

/* What the living documents would take in one segment, about: as densely as those of the largest one. */
static uint64_t living_bytes(const struct segment *segments, size_t count)
{
	uint64_t living = 0, size = 1, bytes = 1;
	for (size_t i = 0; i < count; i++) {
		struct merge_candidate candidate;
		merge_candidates(&candidate, &segments[i], 1);
		living += candidate.living_size;
		if (candidate.size > size) {
			size = candidate.size;
			bytes = segment_file_bytes(&segments[i]);
		}
	}
	return (uint64_t)((double)living / (double)size * (double)bytes);
}

enum shrinking shrink_choose(struct snapshot *snapshot, const struct segment *segments, size_t count)
{
	const struct store *store = snapshot_store(snapshot);
	uint64_t file, free, living = living_bytes(segments, count);
	snapshot_file_size(snapshot, &file, &free);
	if (file <= living / 4 * 7 + WASTE_LEAST || store_readers(store) > 1)
		return SHRINK_NOT;
	bool copy = free > file / 4;
	if (store_disk_left(store) <= (copy ? file - free : 2 * living) + ROOM_BESIDE)
		return SHRINK_NOT;
	return copy ? SHRINK_COPY : SHRINK_MERGE_AND_COPY;
}
