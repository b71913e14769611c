#include "checker/source.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "store/signature.h"
#include "store/tree.h"

#define SECONDS_LEAST 10 /* of trying */

/* Of an error's text only what is wrong: the findings are all of one file, and their reader knows that it is damaged. */
static void report_pages(struct report *report, const trawl_error *error)
{
	static const char before[] = "is damaged: ", after[] = "; restore it";
	const char *from = strstr(error->text, before);
	from = from ? from + strlen(before) : error->text;
	const char *end = strstr(from, after);
	report_damage(report, 0, "pages", NO_OFFSET, "%.*s", (int)(end ? end - from : (long)strlen(from)), from);
}

static int examine(struct source *source, trawl_error *error)
{
	const struct image *image = &source->image;
	int code = tree_check_meta(image->file, image->path, error);
	if (!code)
		code = signature_check(image->file, image->path, error);
	source->metas_sound = !code;
	return code ? code : tree_check(image->file, image->path, image->transaction, true, error);
}

/* Hold the commit that the image shows and that was examined, or else a newer one, which is examined; 1: begin again. */
static int hold(struct source *source, bool examined, trawl_error *error)
{
	int code = store_open(&source->store, source->image.path, false, error);
	if (!code && !store_is_file(source->store, source->image.file))
		return 1; /* a compaction's: the image is of a file that has no name any more */
	if (!code)
		code = snapshot_open(&source->snapshot, source->store, error);
	if (code)
		return code;
	uint64_t transaction = snapshot_transaction(source->snapshot);
	if (examined && transaction == source->image.transaction)
		return 0;
	return image_choose(&source->image, transaction) ? examine(source, error) : 1;
}

static void let_go(struct source *source)
{
	snapshot_close(source->snapshot);
	store_close(source->store);
	source->snapshot = NULL;
	source->store = NULL;
}

int source_open(struct source *source, struct report *report, trawl_error *error)
{
	struct image *image = &source->image;
	trawl_error why = {0};
	struct timespec began, now;
	clock_gettime(CLOCK_MONOTONIC, &began);
	/* At first as bytes that nobody has mapped. A writer may overtake that, each time again where its commits are quicker than the
	 * pages are read: afterwards, under a snapshot, whose pages stay. */
	for (bool held = false;; held = true) {
		uint64_t transaction = image->transaction;
		int code = held ? 0 : examine(source, &why);
		if (!code)
			code = hold(source, !held, &why);
		if (!code) {
			source->sound = true;
			return 0;
		}
		let_go(source);
		if (code == TRAWL_EIO && why.code == TRAWL_EIO && !examine(source, &why)) {
			source->sound = true; /* no permission to take part in its locks: go on without */
			return 0;
		}
		int again = image_follow(image, error);
		if (again)
			return again;
		if (code == TRAWL_ENOMEM)
			return error_set_memory(error);
		if (code != 1 && code != TRAWL_ENOTFOUND && image->transaction == transaction) {
			report_pages(report, &why);
			return 0;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - began.tv_sec > SECONDS_LEAST)
			return error_set(error, TRAWL_EBUSY, "%s changes too fast; try again", image->path);
	}
}

void source_close(struct source *source)
{
	let_go(source);
	image_close(&source->image);
}

bool source_moved(struct source *source)
{
	struct image *image = &source->image;
	uint64_t transaction = image->transaction;
	int file = image->file;
	return !source->snapshot && !image_follow(image, NULL) &&
	       (image->transaction != transaction || image->file != file);
}
