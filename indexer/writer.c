/* writer.c - trawl_writer: opening and closing. */
#include "indexer/writer.h"

#include <unistd.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/limits.h"
#include "indexer/reorder.h"
#include "indexer/settings.h"
#include "indexer/temporary.h"
#include "store/create.h"

#define MEMORY_LEAST ((size_t)1 << 20)
#define THREAD_BYTES ((size_t)8 << 20) /* of the budget for each thread that nobody asked for */

/* ---- opening ---- */

static bool keep_segment(void *context, uint32_t segment)
{
	const struct manifest *manifest = context;
	for (size_t i = 0; i < manifest->segment_count; i++)
		if (manifest->segments[i].number == segment)
			return true;
	return segment == 0;
}

/* The next segment's number comes after that of one that was swept. */
static bool advance_segment(void *context, uint32_t last, struct buffer *out)
{
	struct manifest *manifest = context;
	if (last >= manifest->next_segment && last < UINT32_MAX)
		manifest->next_segment = last + 1;
	return manifest_write(manifest, out);
}

int writer_sweep(struct trawl_writer *writer, trawl_error *error)
{
	struct sweep sweep = {keep_segment, advance_segment, &writer->segments.manifest};
	return store_sweep(writer->store, &sweep, error);
}

/* Each thread takes stack, heap and word cache of its own, some 3 MiB, in whatever share jobs have. */
static unsigned default_threads(const struct budget *budget)
{
	unsigned count = limits_processors();
	size_t fit = budget->total / THREAD_BYTES;
	if (fit < count)
		count = fit ? (unsigned)fit : 1;
	return count > TRAWL_THREADS_MAX ? TRAWL_THREADS_MAX : count;
}

/* A manifest of no commit goes before the first extent, so that a file with extents has one, or is damaged. */
static int put_first_manifest(struct trawl_writer *writer, trawl_error *error)
{
	struct buffer bytes = {0};
	int code = manifest_write(&writer->segments.manifest, &bytes) ? 0 : error_set_memory(error);
	if (!code)
		code = store_batch_put(writer->output, 0, PART_MANIFEST, 0, bytes.data, (uint32_t)bytes.length, error);
	buffer_release(&bytes);
	return code;
}

static int open_locked(struct trawl_writer *writer, const char *path, bool wait, bool *existed, trawl_error *error)
{
	int code;
	/* While we waited for the lock the file may have been compacted, which puts another one in its place. */
	do {
		store_close(writer->store);
		*existed = access(path, F_OK) == 0;
		code = store_open(&writer->store, path, true, error);
		if (!code)
			code = store_lock(writer->store, wait, &writer->lock, error);
	} while (code == STORE_REPLACED);
	return code;
}

static int start_builder(struct trawl_writer *writer, unsigned threads, enum trawl_order order, trawl_error *error)
{
	struct builder_settings settings = {.budget = &writer->budget,
	                                    .workers = writer->workers,
	                                    .threads = threads,
	                                    .order = order,
	                                    .work = &writer->work,
	                                    .manifest = &writer->segments.manifest};
	return segment_builder_init(&writer->builder, &settings, error);
}

/* What the options say of a new index, or must not say of an old one. */
static int settle_index(struct trawl_writer *writer, const trawl_writer_options *options, bool existed,
                        trawl_error *error)
{
	struct manifest *manifest = &writer->segments.manifest;
	int code = segment_set_open(&writer->segments, writer->store, &writer->budget, error);
	/* Not where another writer was faster, nor where we cannot tell: closing removes a fresh file. */
	writer->fresh = !code && !existed && !manifest->generation;
	if (!code)
		code = settings_apply(manifest, store_path(writer->store), options, error);
	/* Who made the file may have died before its name was durable. */
	if (!code && !manifest->generation)
		code = store_sync_name(writer->store, error);
	return code ? code : writer_sweep(writer, error);
}

int writer_open_output(struct trawl_writer *writer, trawl_error *error)
{
	int code = store_batch_new(&writer->output, writer->store, error);
	if (code)
		return code;
	store_batch_limit(writer->output, writer->budget.flush);
	store_batch_give_back(writer->output, writer->budget.mapped);
	writer->builder.output = writer->output;
	writer->builder.path = store_path(writer->store);
	return 0;
}

static int start(struct trawl_writer *writer, const char *path, const trawl_writer_options *options, bool *existed,
                 trawl_error *error)
{
	unsigned threads = options->threads ? options->threads : default_threads(&writer->budget);
	writer->workers = workers_new(threads);
	if (!writer->workers)
		return error_set_memory(error);
	int code = open_locked(writer, path, options->wait, existed, error);
	if (code)
		return code;
	store_remove_temporaries(writer->store);
	temporary_sweep(path);
	code = settle_index(writer, options, *existed, error);
	if (!code)
		code = start_builder(writer, threads, options->order, error);
	if (!code)
		code = writer_open_output(writer, error);
	return code || writer->segments.manifest.generation ? code : put_first_manifest(writer, error);
}

int trawl_writer_open(trawl_writer **out, const char *path, const trawl_writer_options *options, trawl_error *error)
{
	static const trawl_writer_options defaults;
	*out = NULL;
	if (!options)
		options = &defaults;
	if (options->threads > TRAWL_THREADS_MAX)
		return error_set(error, TRAWL_EINVAL, "%u threads; %d are the most", options->threads,
		                 TRAWL_THREADS_MAX);
	if (options->memory_budget && options->memory_budget < MEMORY_LEAST)
		return error_set(error, TRAWL_EINVAL, "a memory budget below 1 MiB");
	int code = cpu_check(error);
	if (code)
		return code;
	trawl_writer *writer = memory_new_zeroed(1, sizeof *writer);
	if (!writer)
		return error_set_memory(error);
	writer->lock = -1;
	writer->no_merge = options->no_merge;
	writer->sameness = (struct sameness){.compare = options->compare, .of_any_file = options->any_file};
	writer->work = (struct work){.function = options->progress, .context = options->progress_context};
	estimate_begin_batch(&writer->estimate);
	writer->budget = budget_divide(options->memory_budget);
	if (options->memory_budget || limits_memory().by != LIMITED_BY_RAM)
		memory_return_large();
	writer->budget.graph = reorder_memory(options->order, writer->budget.total);
	bool existed = true;
	code = start(writer, path, options, &existed, error);
	if (code) {
		trawl_writer_close(writer);
		if (!existed)
			create_undo(path);
		return code;
	}
	*out = writer;
	return 0;
}

/* ---- what all parts ask ---- */

int writer_refuse_failed(trawl_error *error)
{
	return error_set(error, TRAWL_EINVAL, "an earlier error ended this batch: close the writer");
}

bool writer_has_changes(const struct trawl_writer *writer)
{
	const struct segment_set *segments = &writer->segments;
	return writer->builder.documents.count > 0 || segments->cut_count || !segments->manifest.generation ||
	       segment_set_has_deletions(segments);
}

uint64_t writer_bytes_made(const struct trawl_writer *writer)
{
	const struct manifest *manifest = &writer->segments.manifest;
	for (size_t i = 0; i < manifest->segment_count; i++)
		if (manifest->segments[i].number + 1 == manifest->next_segment)
			return segment_bytes(&writer->segments.segments[i]);
	return 0;
}

/* ---- the end ---- */

void trawl_writer_get_stats(const trawl_writer *writer, trawl_writer_stats *stats)
{
	*stats = writer->stats;
	stats->runs = writer->builder.runs_written;
	stats->tokens = pipeline_tokens(writer->builder.pipeline);
}

double trawl_writer_expected_seconds(const trawl_writer *writer, uint64_t more)
{
	const struct segment_builder *builder = &writer->builder;
	struct stage_costs costs = segment_builder_costs(builder, more);
	uint64_t added = builder->documents.count;
	return estimate_writing(&writer->estimate, added, added + more, builder->settings.threads, &costs);
}

double trawl_writer_written_seconds(const trawl_writer *writer)
{
	return writer->estimate.written_seconds;
}

void trawl_writer_close(trawl_writer *writer)
{
	if (!writer)
		return;
	segment_builder_release(&writer->builder);
	store_batch_free(writer->output);
	workers_free(writer->workers);
	segment_set_release(&writer->segments);
	if (writer->fresh)
		store_remove(writer->store); /* a file without a commit is of no use to anybody */
	store_unlock(writer->store, writer->lock);
	store_close(writer->store);
	memory_free(writer);
}
