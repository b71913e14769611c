/* merging.c - trawl_writer_merge, and what is merged or compacted after a commit without being asked for. */
#include <unistd.h>

#include "base/error.h"
#include "indexer/compaction_policy.h"
#include "indexer/merge.h"
#include "indexer/writer.h"

/* Sweep what a failed merge wrote. On a disk without a single page left that fails too: then its segment's number is passed over, and
 * the next sweep removes it. */
static void clean_up_merge(struct trawl_writer *writer)
{
	if (writer_sweep(writer, NULL))
		writer->segments.manifest.next_segment++;
}

/* Merge until there are `wanted` segments; 0: as many as the policy wants. */
static int merge(struct trawl_writer *writer, size_t wanted, trawl_error *error)
{
	struct segment_set *set = &writer->segments;
	struct merge_means means = {&writer->budget, &writer->work};
	for (;;) {
		size_t count = set->manifest.segment_count;
		struct merge_candidate *candidates = memory_new(count * sizeof *candidates);
		if (!candidates)
			return error_set_memory(error);
		merge_candidates(candidates, set->segments, count);
		const struct merge_limits *limits = &writer->budget.merge;
		size_t chosen = wanted ? merge_policy_force(candidates, count, wanted, limits)
		                       : merge_policy_choose(candidates, count, limits);
		int code =
		    chosen ? merge_commit(writer->store, &set->manifest, set->segments, candidates, &means, error) : 0;
		memory_free(candidates);
		if (!chosen)
			return 0;
		if (code) {
			clean_up_merge(writer);
			return code;
		}
		code = segment_set_open(set, writer->store, &writer->budget, error);
		if (code) {
			writer->failed = true;
			return code;
		}
		writer->stats.merges++;
		writer->stats.merge_bytes += writer_bytes_made(writer);
	}
}

/* Go on in the file that took this one's place, whose lock we have. */
static int move_to(struct trawl_writer *writer, int lock, trawl_error *error)
{
	struct store *store;
	segment_set_close(&writer->segments);
	store_batch_free(writer->output);
	writer->output = NULL;
	store_unlock(writer->store, writer->lock);
	writer->lock = -1;
	int code = store_open(&store, store_path(writer->store), false, error);
	if (!code) {
		store_close(writer->store);
		writer->store = store;
		code = store_write(store, lock, error);
	}
	if (code) {
		close(lock);
		return code;
	}
	writer->lock = lock;
	code = writer_open_output(writer, error);
	return code ? code : segment_set_open(&writer->segments, store, &writer->budget, error);
}

/* Give back what the file has too much of. */
static int compact_as_due(struct trawl_writer *writer, trawl_error *error)
{
	const struct copy_progress copying = {writer->work.function, writer->work.context};
	uint64_t bytes;
	int lock;
	const struct segment_set *set = &writer->segments;
	enum compaction choice = compaction_choose(set->snapshot, set->segments, set->manifest.segment_count);
	if (choice == COMPACTION_NONE)
		return 0;
	int code = choice == COMPACTION_MERGE_AND_COPY ? merge(writer, 1, error) : 0;
	if (code)
		return code;
	code = store_compact(writer->store, &bytes, &lock, &copying, error);
	if (code) {
		writer->failed = !store_is_current(writer->store); /* the name is another's, and not durable */
		return code;
	}
	writer->stats.compactions++;
	writer->stats.compaction_bytes += bytes;
	code = move_to(writer, lock, error);
	writer->failed = code < 0;
	return code;
}

/* What is committed is durable already, so a merge that lacks room (a short write comes as TRAWL_EIO) or memory only means that
 * there are more segments, or that the file is larger. */
static int only_note_failure(struct trawl_writer *writer, int code, const trawl_error *why, trawl_error *error)
{
	if (!writer->failed &&
	    (code == TRAWL_EFULL || code == TRAWL_EIO || code == TRAWL_ENOMEM || code == TRAWL_ELIMIT)) {
		writer->stats.merges_failed++;
		return 0;
	}
	if (code && error)
		*error = *why;
	return code;
}

int writer_merge_as_due(struct trawl_writer *writer, trawl_error *error)
{
	trawl_error why = {0};
	if (writer->no_merge)
		return 0;
	int code = merge(writer, 0, &why);
	if (!code)
		code = compact_as_due(writer, &why);
	return only_note_failure(writer, code, &why, error);
}

int trawl_writer_merge(trawl_writer *writer, size_t segments, trawl_error *error)
{
	trawl_error why = {0};
	if (writer->failed)
		return writer_refuse_failed(error);
	if (writer_has_changes(writer))
		return error_set(error, TRAWL_EINVAL, "there are changes that are not committed: commit, then merge");
	int code = merge(writer, segments ? segments : 1, error);
	if (code || writer->no_merge)
		return code;
	code = compact_as_due(writer, &why);
	return only_note_failure(writer, code, &why, error);
}
