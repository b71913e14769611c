/* manifest.h - the commit record: what an index was made with, and the segments it has (docs/FORMAT.md, Manifest). */
#ifndef TRAWL_SEGMENT_MANIFEST_H
#define TRAWL_SEGMENT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/format.h"
#include "store/store.h"
#include "trawl.h"

struct manifest_segment {
	uint32_t number, documents, deleted;
	uint64_t live_tokens, live_postings, live_text_bytes, deletion_bytes;
};

struct manifest {
	uint64_t generation;
	uint32_t next_segment, flags, analysis_version;
	char language[64];
	struct manifest_segment *segments;
	size_t segment_count, segment_capacity;
};

/* The last commit of a snapshot; a file without any is an empty manifest with generation 0. */
int manifest_read(struct manifest *manifest, struct snapshot *snapshot, trawl_error *error);
bool manifest_write(const struct manifest *manifest, struct buffer *out);
bool manifest_copy(struct manifest *copy, const struct manifest *manifest);
void manifest_release(struct manifest *manifest);
trawl_analysis manifest_analysis(const struct manifest *manifest);

#endif
