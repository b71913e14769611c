/* reopen.c - from an open commit to the newest one. */
#include "searcher/index.h"

#include "base/error.h"

/* The path is looked up again: the file may have been replaced by another one since. */
static int open_newer(struct trawl_index *newer, const struct trawl_index *index, trawl_error *error)
{
	int code = index_open_manifest(newer, store_path(index->store), error);
	if (code)
		return code;
	if (newer->store == index->store && newer->manifest.generation == index->manifest.generation)
		return 0;
	code = index_open_segments(newer, error);
	return code ? code : 1;
}

int trawl_reopen(trawl_index **out, const trawl_index *index, trawl_error *error)
{
	*out = NULL;
	if (snapshot_is_newest(index->snapshot))
		return 0;
	trawl_index *newer = memory_new_zeroed(1, sizeof *newer);
	if (!newer)
		return error_set_memory(error);
	int code = open_newer(newer, index, error);
	if (code == 1)
		*out = newer;
	else
		trawl_close(newer);
	return code;
}
