/* copy.c - trawl_copy: one commit in a file of its own. */
#include "base/error.h"
#include "segment/manifest.h"

struct copier {
	struct manifest manifest;
	uint64_t total;
	trawl_copy_progress *progress;
	void *context;
};

/* Extents that no manifest names are of a commit that is not finished. */
static bool keep_segment(void *context, uint32_t segment)
{
	const struct copier *copier = context;
	for (size_t i = 0; i < copier->manifest.segment_count; i++)
		if (copier->manifest.segments[i].number == segment)
			return true;
	return segment == 0;
}

static void tell(void *context, uint64_t bytes)
{
	const struct copier *copier = context;
	if (copier->progress)
		copier->progress(copier->context, bytes < copier->total ? bytes : copier->total, copier->total);
}

int trawl_copy(const char *path, const char *new_path, trawl_copy_progress *progress, void *context, uint64_t *bytes,
               trawl_error *error)
{
	struct copier copier = {.progress = progress, .context = context};
	struct store *store = NULL;
	struct snapshot *snapshot = NULL;
	uint64_t unwanted, free_bytes;
	int code = store_open(&store, path, false, error);
	if (!code)
		code = snapshot_open(&snapshot, store, error);
	if (!code)
		code = manifest_read(&copier.manifest, snapshot, error);
	if (!code && !copier.manifest.generation)
		code = error_set(error, TRAWL_ENOTINDEX, "%s has no commit yet", path);
	if (!code) {
		const struct copy_wishes wishes = {keep_segment, tell, &copier};
		snapshot_file_size(snapshot, &copier.total, &free_bytes);
		copier.total -= free_bytes < copier.total ? free_bytes : 0;
		code = store_copy(snapshot, new_path, &wishes, bytes ? bytes : &unwanted, error);
	}
	manifest_release(&copier.manifest);
	snapshot_close(snapshot);
	store_close(store);
	return code;
}
