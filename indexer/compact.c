/* compact.c - trawl_compact: all segments merged, and the file replaced by one without free pages. */
#include "base/error.h"
#include "segment/manifest.h"

/* The file's size; TRAWL_ENOTINDEX without a commit. */
static int measure(struct store *store, uint64_t *bytes, trawl_error *error)
{
	struct snapshot *snapshot = NULL;
	struct manifest manifest = {0};
	uint64_t unused;
	int code = snapshot_open(&snapshot, store, error);
	if (!code)
		code = manifest_read(&manifest, snapshot, error);
	if (!code && !manifest.generation)
		code = error_set(error, TRAWL_ENOTINDEX, "%s has no commit yet", store_path(store));
	if (!code)
		snapshot_file_size(snapshot, bytes, &unused);
	manifest_release(&manifest);
	snapshot_close(snapshot);
	return code;
}

int trawl_compact(const char *path, bool wait, trawl_compaction *sizes, trawl_error *error)
{
	return trawl_compact_watched(path, wait, NULL, NULL, sizes, error);
}

int trawl_compact_watched(const char *path, bool wait, trawl_progress_function *progress, void *context,
                          trawl_compaction *sizes, trawl_error *error)
{
	struct copy_progress copying = {progress, context};
	trawl_writer_options options = {
	    .wait = wait, .no_merge = true, .progress = progress, .progress_context = context};
	trawl_compaction unwanted, *told = sizes ? sizes : &unwanted;
	struct store *store = NULL;
	trawl_writer *writer = NULL;
	*told = (trawl_compaction){0};
	int code = store_open(&store, path, false, error); /* so that no file is made where none is */
	if (!code)
		code = trawl_writer_open(&writer, path, &options, error);
	if (!code) { /* while the writer waited for its lock, the file may have been replaced */
		store_close(store);
		store = NULL;
		code = store_open(&store, path, false, error);
	}
	if (!code)
		code = measure(store, &told->bytes_before, error);
	if (!code)
		code = trawl_writer_merge(writer, 1, error);
	if (!code)
		code = store_compact(store, &told->bytes_after, NULL, &copying, error);
	trawl_writer_close(writer);
	store_close(store);
	return code;
}
