/* writer.c - trawl_writer: documents in, commits out. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "indexer/batch.h"
#include "indexer/budget.h"
#include "indexer/census.h"
#include "indexer/encode.h"
#include "indexer/graveyard.h"
#include "indexer/merge.h"
#include "indexer/pairs.h"
#include "indexer/pending.h"
#include "indexer/pipeline.h"
#include "indexer/reorder.h"
#include "indexer/run.h"
#include "indexer/settings.h"
#include "indexer/shrink.h"
#include "indexer/temporary.h"
#include "indexer/unchanged.h"
#include "segment/segment.h"
#include "segment/segment_writer.h"
#include "store/create.h"

#define MEMORY_LEAST ((size_t)1 << 20)
#define LARGE_TEXT ((size_t)1 << 20)     /* a document that takes more than a job is allowed */
#define THREAD_BYTES ((size_t)8 << 20)   /* of the budget for each thread that nobody asked for */
#define LARGE_COST 8                     /* bytes for each of its text, while it is parsed and analysed */
#define TEXT_BYTES_MAX ((size_t)1 << 30) /* of a document: tokens are counted in 32 bits */

struct trawl_writer {
	struct store *store;
	int lock;
	bool fresh;  /* the file was made by this writer and has no commit */
	bool failed; /* an error ended the batch */
	bool no_merge, compare;
	struct budget budget;
	enum trawl_order order;
	unsigned threads;
	struct workers *workers;
	struct pipeline *pipeline;
	struct tokenizer *mourner; /* analyses dead documents */

	/* the last commit, and behind its segments those that were cut off the batch since: in the file, but in no manifest */
	struct snapshot *snapshot;
	struct manifest manifest;
	size_t cut_count;
	struct segment *segments;
	struct documents_scratch scratch;
	size_t expected_segment; /* of the document that comes next if all come in the order of the last run */
	uint32_t expected_doc;

	/* since then */
	struct grave *graves; /* of each segment */
	struct store_batch *output;
	struct segment_writer *segment; /* NULL: no document yet */
	struct batch batch;
	struct pending pending;
	struct id_filter cut_ids;   /* of the segments that were cut off */
	struct pair_builder *pairs; /* while a segment with pair lists is being written */
	struct run *runs;
	size_t run_count, run_capacity;
	trawl_writer_stats stats;
};

/* ---- opening ---- */

static void close_segments(struct trawl_writer *writer)
{
	for (size_t i = 0; writer->segments && i < writer->manifest.segment_count; i++)
		segment_close(&writer->segments[i]);
	memory_free(writer->segments);
	writer->segments = NULL;
	documents_scratch_release(&writer->scratch);
	snapshot_close(writer->snapshot);
	writer->snapshot = NULL;
}

static void close_snapshot(struct trawl_writer *writer)
{
	close_segments(writer);
	for (size_t i = 0; writer->graves && i < writer->manifest.segment_count; i++)
		grave_release(&writer->graves[i]);
	memory_free(writer->graves);
	writer->graves = NULL;
	writer->cut_count = 0;
	id_filter_release(&writer->cut_ids);
	manifest_release(&writer->manifest);
}

static int open_segments(struct trawl_writer *writer, trawl_error *error)
{
	int code = 0;
	for (size_t i = 0; !code && i < writer->manifest.segment_count; i++)
		code = segment_open(&writer->segments[i], writer->snapshot, &writer->manifest, i, error);
	return code;
}

static int open_snapshot(struct trawl_writer *writer, trawl_error *error)
{
	int code = snapshot_open(&writer->snapshot, writer->store, error);
	if (!code)
		code = manifest_read(&writer->manifest, writer->snapshot, error);
	if (code)
		return code;
	snapshot_limit(writer->snapshot, writer->budget.mapped);
	size_t count = writer->manifest.segment_count;
	writer->segments = memory_new_zeroed(count, sizeof *writer->segments);
	writer->graves = memory_new_zeroed(count, sizeof *writer->graves);
	if (!writer->segments || !writer->graves)
		return error_set_memory(error);
	return open_segments(writer, error);
}

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

/* Remove what an unfinished commit or merge wrote. */
static int sweep_garbage(struct trawl_writer *writer, trawl_error *error)
{
	struct sweep sweep = {keep_segment, advance_segment, &writer->manifest};
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

static int new_pipeline(struct trawl_writer *writer, trawl_error *error)
{
	struct pipeline_options options = {.analysis = manifest_analysis(&writer->manifest),
	                                   .threads = writer->threads,
	                                   .memory = writer->budget.pipeline,
	                                   .workers = writer->workers,
	                                   .batch = &writer->batch,
	                                   .pending = &writer->pending};
	return pipeline_new(&writer->pipeline, &options, error);
}

/* A manifest of no commit goes before the first extent, so that a file with extents has one, or is damaged. */
static int put_first_manifest(struct trawl_writer *writer, trawl_error *error)
{
	struct buffer bytes = {0};
	int code = manifest_write(&writer->manifest, &bytes) ? 0 : error_set_memory(error);
	if (!code)
		code = store_batch_put(writer->output, 0, PART_MANIFEST, 0, bytes.data, (uint32_t)bytes.length, error);
	buffer_release(&bytes);
	return code;
}

static int start(struct trawl_writer *writer, const char *path, const trawl_writer_options *options, bool *existed,
                 trawl_error *error)
{
	int code;
	/* While we waited for the lock the file may have been compacted, which puts another one in its place. */
	do {
		store_close(writer->store);
		*existed = access(path, F_OK) == 0;
		code = store_open(&writer->store, path, true, error);
		if (!code)
			code = store_lock(writer->store, options->wait, &writer->lock, error);
	} while (code == STORE_REPLACED);
	if (code)
		return code;
	store_remove_temporaries(writer->store);
	temporary_sweep(path);
	code = open_snapshot(writer, error);
	/* Not where another writer was faster, nor where we cannot tell: closing removes a fresh file. */
	writer->fresh = !code && !*existed && !writer->manifest.generation;
	if (!code)
		code = settings_settle(&writer->manifest, store_path(writer->store), options, error);
	/* Who made the file may have died before its name was durable. */
	if (!code && !writer->manifest.generation)
		code = store_sync_name(writer->store, error);
	if (!code)
		code = sweep_garbage(writer, error);
	if (code)
		return code;
	code = new_pipeline(writer, error);
	if (!code)
		code = store_batch_new(&writer->output, writer->store, error);
	if (!code)
		store_batch_limit(writer->output, writer->budget.flush);
	if (!code)
		store_batch_give_back(writer->output, writer->budget.mapped);
	return code || writer->manifest.generation ? code : put_first_manifest(writer, error);
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
	trawl_writer *writer = memory_new_zeroed(1, sizeof *writer);
	if (!writer)
		return error_set_memory(error);
	writer->lock = -1;
	writer->order = options->order;
	writer->no_merge = options->no_merge;
	writer->compare = options->compare;
	writer->budget = budget_divide(options->memory_budget);
	if (options->memory_budget || limits_memory().by != LIMITED_BY_RAM)
		memory_return_large();
	writer->budget.graph = reorder_memory(options->order, writer->budget.total);
	writer->threads = options->threads ? options->threads : default_threads(&writer->budget);
	batch_init(&writer->batch, 0, writer->threads > 1);
	writer->workers = workers_new(writer->threads);
	bool existed = true;
	int code = writer->workers ? start(writer, path, options, &existed, error) : error_set_memory(error);
	if (code) {
		trawl_writer_close(writer);
		if (!existed)
			create_undo(path);
		return code;
	}
	*out = writer;
	return 0;
}

/* ---- adding ---- */

static void drop_batch(struct trawl_writer *writer)
{
	if (writer->pipeline) /* first: jobs under way look at what is dropped here */
		pipeline_reset(writer->pipeline);
	for (size_t i = 0; i < writer->run_count; i++)
		run_release(&writer->runs[i]);
	writer->run_count = 0;
	if (writer->segment)
		segment_writer_release(writer->segment);
	memory_free(writer->segment);
	writer->segment = NULL;
	batch_release(&writer->batch);
	batch_init(&writer->batch, 0, writer->threads > 1);
	pending_release(&writer->pending);
}

/* Combine all runs into one: each holds a file open, and a merge looks at each for every term. */
static int combine_runs(struct trawl_writer *writer, trawl_error *error)
{
	struct run combined;
	int code = run_combine(&combined, writer->runs, writer->run_count, store_path(writer->store), error);
	if (code)
		return code;
	for (size_t i = 0; i < writer->run_count; i++)
		run_release(&writer->runs[i]);
	writer->runs[0] = combined;
	writer->run_count = 1;
	return 0;
}

static int spill(struct trawl_writer *writer, trawl_error *error)
{
	int settled = pipeline_settle(writer->pipeline, error);
	if (!settled && writer->run_count == RUNS_MAX)
		settled = combine_runs(writer, error);
	if (settled)
		return settled;
	if (!memory_reserve(&writer->runs, &writer->run_capacity, writer->run_count + 1, sizeof *writer->runs))
		return error_set_memory(error);
	pipeline_forget(writer->pipeline); /* the batch ends here, and its inversion needs memory */
	int code = run_write(&writer->runs[writer->run_count], &writer->batch, store_path(writer->store), error);
	if (code)
		return code;
	writer->run_count++;
	writer->stats.runs++;
	batch_reset(&writer->batch);
	memory_trim();
	return 0;
}

static int begin_segment(struct trawl_writer *writer, trawl_error *error)
{
	if (writer->segment)
		return 0;
	writer->segment = memory_new_zeroed(1, sizeof *writer->segment);
	if (!writer->segment)
		return error_set_memory(error);
	return segment_writer_init(writer->segment, writer->output, writer->manifest.next_segment,
	                           writer->manifest.flags & FLAG_POSITIONS, error);
}

/* ---- a segment ---- */

static int write_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                      uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct trawl_writer *writer = context;
	if (writer->pairs)
		return pair_builder_term(writer->pairs, term, length, docs, tfs, df, source, error);
	return segment_writer_term(writer->segment, term, length, docs, tfs, df, source, error);
}

static struct unordered unordered_documents(const struct trawl_writer *writer)
{
	return (struct unordered){.batch = &writer->batch,
	                          .runs = writer->runs,
	                          .run_count = writer->run_count,
	                          .memory = writer->budget.graph,
	                          .workers = writer->workers,
	                          .threads = writer->threads};
}

/* Dropped stop words leave gaps, so that positions may go beyond the number of tokens. */
static bool has_gaps(const struct trawl_writer *writer)
{
	return writer->manifest.flags & FLAG_STOP_WORDS && writer->manifest.flags & FLAG_POSITIONS;
}

/* Whether the batch has to spill before its segment is written, because that takes memory of its own. */
static bool lacks_room(struct trawl_writer *writer)
{
	const struct budget *budget = &writer->budget;
	size_t extra = writer->manifest.flags & FLAG_PAIRS ? 2 * budget->pairs : 0;
	return extra && budget->fixed + 2 * budget->flush + pending_commit_memory(&writer->pending) + extra +
	                        batch_memory(&writer->batch) >
	                    budget->total;
}

static int write_segment(struct trawl_writer *writer, struct manifest_segment *summary, trawl_error *error)
{
	struct census census = {0};
	struct term_sink sink = {write_term, writer};
	int code = pipeline_finish(writer->pipeline, error);
	if (!code) {
		pipeline_forget(writer->pipeline); /* the batch ends here, and its inversion needs memory */
		memory_trim();
	}
	uint32_t living = (uint32_t)(writer->pending.count - writer->pending.dead_count);
	bool similar = reorder_wanted(writer->order, living);
	if (!code && writer->batch.document_count && (writer->run_count || lacks_room(writer)))
		code = spill(writer, error);
	struct unordered unordered = unordered_documents(writer);
	if (!code)
		code = census_take(&census, &writer->pending, similar ? &unordered : NULL, error);
	struct encode_settings encoding = {writer->segment, writer->workers, writer->threads, writer->budget.total,
	                                   census.reordered};
	if (!code) {
		writer->segment->text_bytes = census.text_bytes;
		bool moved = census.reordered || writer->pending.dead_count;
		code = segment_writer_begin_terms(writer->segment, census.count, census.lengths,
		                                  has_gaps(writer) ? census.spans : NULL, census.tokens,
		                                  moved ? census.order : NULL, census.hashes, error);
	}
	if (!code && writer->manifest.flags & FLAG_PAIRS)
		code = pair_builder_new(&writer->pairs, writer->segment, writer->budget.pairs,
		                        store_path(writer->store), error);
	if (!code && census.reordered && writer->run_count && writer->pairs)
		code = reordered_runs(&unordered, census.docs, &sink, error);
	else if (!code && writer->run_count && !writer->pairs)
		code = encode_runs(&encoding, writer->runs, writer->run_count, census.docs, error);
	else if (!code && writer->run_count)
		code = runs_merge(writer->runs, writer->run_count, census.docs, &sink, error);
	else if (!code && writer->pairs)
		code = batch_invert(&writer->batch, census.docs, &sink, error);
	else if (!code)
		code = encode_batch(&encoding, &writer->batch, census.docs, error);
	if (!code && writer->pairs)
		code = pair_builder_finish(writer->pairs, error);
	if (!code)
		code = segment_writer_finish(writer->segment, summary, error);
	pair_builder_free(writer->pairs);
	writer->pairs = NULL;
	census_release(&census);
	return code;
}

/* The batch's last segment is in the file: see it as if it were committed. What is known of the dead stays. */
static int see_cut_segment(struct trawl_writer *writer, const struct manifest_segment *added, trawl_error *error)
{
	struct manifest *manifest = &writer->manifest;
	size_t count = manifest->segment_count;
	struct grave *graves = memory_resize(writer->graves, (count + 1) * sizeof *graves);
	if (!graves)
		return error_set_memory(error);
	writer->graves = graves;
	if (!memory_reserve(&manifest->segments, &manifest->segment_capacity, count + 1, sizeof *manifest->segments))
		return error_set_memory(error);
	close_segments(writer);
	graves[count] = (struct grave){0};
	manifest->segments[count] = *added;
	manifest->segment_count++;
	manifest->next_segment++;
	writer->cut_count++;
	if (!id_filter_add(&writer->cut_ids, &writer->pending, writer->budget.filter))
		return error_set_memory(error);
	writer->segments = memory_new_zeroed(count + 1, sizeof *writer->segments);
	int code = writer->segments ? snapshot_open(&writer->snapshot, writer->store, error) : error_set_memory(error);
	if (code)
		return code;
	snapshot_limit(writer->snapshot, writer->budget.mapped);
	return open_segments(writer, error);
}

/* Make a segment of the batch, which the commit will name with the others: ids and lengths of documents do not spill. */
static int cut_segment(struct trawl_writer *writer, trawl_error *error)
{
	struct manifest_segment added;
	int code;
	if (writer->pending.count == writer->pending.dead_count) {
		code = store_batch_remove_segment(writer->output, writer->segment->number, error);
		writer->manifest.next_segment++;
		drop_batch(writer);
		return code;
	}
	code = write_segment(writer, &added, error);
	if (!code)
		code = store_batch_flush(writer->output, error);
	if (code)
		return code;
	code = see_cut_segment(writer, &added, error);
	drop_batch(writer);
	if (!code)
		writer->stats.segment_bytes += segment_bytes(&writer->segments[writer->manifest.segment_count - 1]);
	return code;
}

/* ---- looking ids up ---- */

/* Whether the document after the one found last has this id, and lives: 1 or 0. A run over the same input looks there for
 * each document, which saves the id index's cache misses. */
static int find_expected(struct trawl_writer *writer, const char *id, size_t length, trawl_error *error)
{
	size_t i = writer->expected_segment;
	const char *found;
	size_t found_length;
	uint32_t doc = writer->expected_doc, ordinal;
	if (i >= writer->manifest.segment_count || doc >= writer->segments[i].documents_count ||
	    segment_is_dead(&writer->segments[i], doc) || grave_has(&writer->graves[i], doc))
		return 0;
	int code = segment_ordinal(&writer->segments[i], doc, &ordinal, error);
	if (!code)
		code =
		    documents_id(&writer->segments[i].stored, ordinal, &writer->scratch, &found, &found_length, error);
	return code ? code : found_length == length && memcmp(found, id, length) == 0;
}

/* The live committed document with this id: 1, its segment's index and docID; 0: none. */
static int find_committed(struct trawl_writer *writer, const char *id, size_t length, size_t *index, uint32_t *doc,
                          trawl_error *error)
{
	int found = find_expected(writer, id, length, error);
	*index = writer->expected_segment;
	*doc = writer->expected_doc;
	size_t i = writer->manifest.segment_count;
	if (!found && writer->cut_count && !id_filter_has(&writer->cut_ids, id, length))
		i -= writer->cut_count;
	while (!found && i-- > 0) {
		found = segment_find_id(&writer->segments[i], id, length, &writer->scratch, doc, error);
		if (found > 0 && grave_has(&writer->graves[i], *doc))
			found = 0;
		*index = i;
	}
	if (found > 0) {
		writer->expected_segment = *index;
		writer->expected_doc = *doc + 1;
	}
	return found;
}

static int bury(struct trawl_writer *writer, size_t index, uint32_t doc, const trawl_document *stored,
                trawl_error *error)
{
	if (!writer->mourner) {
		trawl_analysis analysis = manifest_analysis(&writer->manifest);
		int code = tokenizer_new(&writer->mourner, &analysis, error);
		if (code)
			return code;
	}
	return grave_add(&writer->graves[index], &writer->segments[index], doc, stored, writer->mourner, error);
}

enum verdict { VERDICT_NEW, VERDICT_REPLACES, VERDICT_UNCHANGED };

/* Whether the id is known; a committed document with it is buried, unless it is the very same document. */
static int judge(struct trawl_writer *writer, const trawl_document *document, enum verdict *verdict, trawl_error *error)
{
	size_t index;
	uint32_t doc;
	*verdict = VERDICT_NEW;
	if (pending_find(&writer->pending, document->id, document->id_length) != PENDING_NONE) {
		*verdict = VERDICT_REPLACES;
		return 0;
	}
	int found = find_committed(writer, document->id, document->id_length, &index, &doc, error);
	if (found <= 0)
		return found;
	trawl_document stored;
	struct segment *segment = &writer->segments[index];
	int same = document_is_stored(segment, doc, document, writer->compare, &writer->scratch, error);
	*verdict = same ? VERDICT_UNCHANGED : VERDICT_REPLACES;
	if (same)
		return same < 0 ? same : 0;
	int code = segment_fetch(segment, doc, &writer->scratch, &stored, error);
	return code ? code : bury(writer, index, doc, &stored, error);
}

static int check_document(const trawl_writer *writer, const trawl_document *document, trawl_error *error)
{
	if (!document->id_length)
		return error_set(error, TRAWL_EINPUT, "a document without an id");
	if (document->id_length > ID_BYTES_MAX)
		return error_set(error, TRAWL_ELIMIT, "an id of %zu bytes; %d are the most", document->id_length,
		                 ID_BYTES_MAX);
	if (document->title_length > TEXT_BYTES_MAX || document->text_length > TEXT_BYTES_MAX ||
	    document->fields_length > TEXT_BYTES_MAX)
		return error_set(error, TRAWL_ELIMIT, "a document of over 1 GiB");
	if (writer->pending.count >= DOCUMENTS_MAX)
		return error_set(error, TRAWL_ELIMIT, "%u documents in one commit are the most; commit first",
		                 DOCUMENTS_MAX);
	return 0;
}

/* What is held of the segments that are open. */
static size_t held_by_segments(const struct trawl_writer *writer)
{
	size_t bytes = writer->cut_ids.bits / 8;
	for (size_t i = 0; i < writer->manifest.segment_count; i++)
		bytes += segment_memory(&writer->segments[i]) + grave_memory(&writer->graves[i]);
	return bytes;
}

/* `more`: bytes that are about to be needed. */
static bool is_over_budget(struct trawl_writer *writer, size_t more)
{
	const struct budget *budget = &writer->budget;
	size_t batch = batch_memory(&writer->batch), taken = writer->batch.document_count;
	/* What is on its way to the batch: taken to be as what is there. */
	batch += taken ? (size_t)((double)batch / (double)taken *
	                          (double)(writer->pending.count - writer->batch.first_ordinal - taken))
	               : 0;
	size_t used = budget->fixed + 2 * budget->flush + batch + pending_commit_memory(&writer->pending) +
	              pipeline_memory(writer->pipeline) + snapshot_resident(writer->snapshot) +
	              held_by_segments(writer) + more;
	/* A run needs a batch worth its file: a budget that ids alone have eaten must not make a run a job. */
	return used > budget->total - budget->graph && batch > budget->total / 4;
}

static int add(struct trawl_writer *writer, const trawl_document *document, trawl_error *error)
{
	enum verdict verdict;
	uint64_t text_bytes = document->title_length + document->text_length;
	int code = judge(writer, document, &verdict, error);
	if (code || verdict == VERDICT_UNCHANGED) {
		writer->stats.unchanged += !code;
		return code;
	}
	code = begin_segment(writer, error);
	if (!code && text_bytes > LARGE_TEXT && is_over_budget(writer, text_bytes * LARGE_COST))
		code = spill(writer, error);
	if (!code && !pending_add(&writer->pending, document->id, document->id_length, text_bytes))
		code = error_set_memory(error);
	if (!code)
		code = pipeline_add(writer->pipeline, &writer->segment->stored, document, error);
	if (code)
		return code;
	*(verdict == VERDICT_NEW ? &writer->stats.added : &writer->stats.replaced) += 1;
	writer->stats.text_bytes += text_bytes;
	if (pending_commit_memory(&writer->pending) > writer->budget.documents)
		return cut_segment(writer, error);
	return pipeline_between_jobs(writer->pipeline) && is_over_budget(writer, 0) ? spill(writer, error) : 0;
}

static int refuse_failed(trawl_error *error)
{
	return error_set(error, TRAWL_EINVAL, "an earlier error ended this batch: close the writer");
}

int trawl_writer_add(trawl_writer *writer, const trawl_document *document, trawl_error *error)
{
	if (writer->failed)
		return refuse_failed(error);
	int code = check_document(writer, document, error);
	if (code)
		return code;
	code = add(writer, document, error);
	writer->failed = code < 0;
	return code;
}

int trawl_writer_delete(trawl_writer *writer, const char *id, size_t id_length, trawl_error *error)
{
	size_t index;
	uint32_t doc;
	if (writer->failed)
		return refuse_failed(error);
	uint32_t ordinal = pending_find(&writer->pending, id, id_length);
	if (ordinal != PENDING_NONE) {
		pending_remove(&writer->pending, ordinal);
		writer->stats.deleted++;
		return 0;
	}
	int found = find_committed(writer, id, id_length, &index, &doc, error);
	if (!found)
		return error_set(error, TRAWL_ENOTFOUND, "no such document: %.*s",
		                 (int)(id_length < 256 ? id_length : 256), id);
	trawl_document stored;
	int code = found < 0 ? found : segment_fetch(&writer->segments[index], doc, &writer->scratch, &stored, error);
	if (!code)
		code = bury(writer, index, doc, &stored, error);
	writer->stats.deleted += !code;
	writer->failed = code < 0;
	return code;
}

/* ---- committing ---- */

/* Deletions of the old segments; one without living documents goes altogether. */
static int write_graves(struct trawl_writer *writer, struct manifest *manifest, trawl_error *error)
{
	struct buffer bytes = {0};
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; !code && i < writer->manifest.segment_count; i++) {
		struct manifest_segment *summary = &manifest->segments[i];
		uint32_t number = summary->number, extent = 0;
		if (writer->graves[i].deaths)
			code = grave_write(&writer->graves[i], &writer->segments[i], summary, &bytes, error);
		if (!code && summary->deleted == summary->documents) {
			code = store_batch_remove_segment(writer->output, number, error);
			continue;
		}
		for (size_t at = 0; !code && writer->graves[i].deaths && at < bytes.length;
		     at += EXTENT_PAYLOAD, extent++) {
			size_t left = bytes.length - at;
			code = store_batch_put(writer->output, number, PART_DELETIONS, extent, bytes.data + at,
			                       (uint32_t)(left < EXTENT_PAYLOAD ? left : EXTENT_PAYLOAD), error);
		}
		manifest->segments[kept++] = *summary;
	}
	manifest->segment_count = kept;
	buffer_release(&bytes);
	return code;
}

static bool has_deaths(const struct trawl_writer *writer)
{
	for (size_t i = 0; i < writer->manifest.segment_count; i++)
		if (writer->graves[i].deaths)
			return true;
	return false;
}

/* An index that has no commit yet gets one even without documents. */
static bool has_changes(const struct trawl_writer *writer)
{
	return writer->pending.count > 0 || writer->cut_count || !writer->manifest.generation || has_deaths(writer);
}

static int commit(struct trawl_writer *writer, trawl_error *error)
{
	struct manifest manifest;
	struct manifest_segment added;
	struct buffer bytes = {0};
	bool has_living = writer->pending.count > writer->pending.dead_count;
	if (!manifest_copy(&manifest, &writer->manifest))
		return error_set_memory(error);
	int code = has_living ? write_segment(writer, &added, error) : 0;
	/* From here on the old commit's own extents change, which must be seen together with the manifest. */
	if (!code && has_deaths(writer))
		code = store_batch_hold(writer->output, error);
	if (!code)
		code = write_graves(writer, &manifest, error);
	if (!code && !has_living && writer->segment) /* all its documents were deleted again */
		code = store_batch_remove_segment(writer->output, writer->segment->number, error);
	if (!code && has_living) {
		if (memory_reserve(&manifest.segments, &manifest.segment_capacity, manifest.segment_count + 1,
		                   sizeof *manifest.segments))
			manifest.segments[manifest.segment_count++] = added;
		else
			code = error_set_memory(error);
	}
	manifest.next_segment += writer->segment != NULL;
	manifest.generation++;
	if (!code && !manifest_write(&manifest, &bytes))
		code = error_set_memory(error);
	if (!code && bytes.length > EXTENT_PAYLOAD)
		code = error_set(error, TRAWL_ELIMIT, "too many segments");
	if (!code)
		code = store_batch_commit(writer->output, bytes.data, (uint32_t)bytes.length, error);
	manifest_release(&manifest);
	buffer_release(&bytes);
	return code;
}

/* ---- merging ---- */

static int reopen_snapshot(struct trawl_writer *writer, trawl_error *error)
{
	close_snapshot(writer);
	return open_snapshot(writer, error);
}

/* Bytes of the segment that the last commit made, if it made one. */
static uint64_t bytes_made(const struct trawl_writer *writer)
{
	for (size_t i = 0; i < writer->manifest.segment_count; i++)
		if (writer->manifest.segments[i].number + 1 == writer->manifest.next_segment)
			return segment_bytes(&writer->segments[i]);
	return 0;
}

/* Sweep what a failed merge wrote. On a disk without a single page left that fails too: then its segment's number is passed over, and
 * the next sweep removes it. */
static void clean_up_merge(struct trawl_writer *writer)
{
	if (sweep_garbage(writer, NULL))
		writer->manifest.next_segment++;
}

/* Merge until there are `wanted` segments; 0: as many as the policy wants. */
static int merge(struct trawl_writer *writer, size_t wanted, trawl_error *error)
{
	for (;;) {
		size_t count = writer->manifest.segment_count;
		struct merge_candidate *candidates = memory_new(count * sizeof *candidates);
		if (!candidates)
			return error_set_memory(error);
		merge_candidates(candidates, writer->segments, count);
		const struct merge_limits *limits = &writer->budget.merge;
		size_t chosen = wanted ? merge_policy_force(candidates, count, wanted, limits)
		                       : merge_policy_choose(candidates, count, limits);
		int code = chosen ? merge_commit(writer->store, &writer->manifest, writer->segments, candidates,
		                                 &writer->budget, error)
		                  : 0;
		memory_free(candidates);
		if (!chosen)
			return 0;
		if (code) {
			clean_up_merge(writer);
			return code;
		}
		code = reopen_snapshot(writer, error);
		if (code) {
			writer->failed = true;
			return code;
		}
		writer->stats.merges++;
		writer->stats.merge_bytes += bytes_made(writer);
	}
}

/* Go on in the file that took this one's place, whose lock we have. */
static int move_to(struct trawl_writer *writer, int lock, trawl_error *error)
{
	struct store *store;
	close_snapshot(writer);
	store_batch_free(writer->output);
	writer->output = NULL;
	store_unlock(writer->lock);
	writer->lock = lock;
	int code = store_open(&store, store_path(writer->store), false, error);
	if (code)
		return code;
	store_close(writer->store);
	writer->store = store;
	code = store_batch_new(&writer->output, store, error);
	if (code)
		return code;
	store_batch_limit(writer->output, writer->budget.flush);
	store_batch_give_back(writer->output, writer->budget.mapped);
	return open_snapshot(writer, error);
}

/* Give back what the file has too much of. */
static int shrink(struct trawl_writer *writer, trawl_error *error)
{
	uint64_t bytes;
	int lock;
	enum shrinking choice = shrink_choose(writer->snapshot, writer->segments, writer->manifest.segment_count);
	if (choice == SHRINK_NOT)
		return 0;
	int code = choice == SHRINK_MERGE_AND_COPY ? merge(writer, 1, error) : 0;
	if (code)
		return code;
	code = store_compact(writer->store, &bytes, &lock, error);
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
static int forgive(struct trawl_writer *writer, int code, const trawl_error *why, trawl_error *error)
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

static int merge_after_commit(struct trawl_writer *writer, trawl_error *error)
{
	trawl_error why = {0};
	if (writer->no_merge)
		return 0;
	int code = merge(writer, 0, &why);
	if (!code)
		code = shrink(writer, &why);
	return forgive(writer, code, &why, error);
}

int trawl_writer_merge(trawl_writer *writer, size_t segments, trawl_error *error)
{
	trawl_error why = {0};
	if (writer->failed)
		return refuse_failed(error);
	if (has_changes(writer))
		return error_set(error, TRAWL_EINVAL, "there are changes that are not committed: commit, then merge");
	int code = merge(writer, segments ? segments : 1, error);
	if (code || writer->no_merge)
		return code;
	code = shrink(writer, &why);
	return forgive(writer, code, &why, error);
}

int trawl_writer_commit(trawl_writer *writer, trawl_error *error)
{
	if (writer->failed)
		return refuse_failed(error);
	if (!has_changes(writer))
		return 0;
	bool added = writer->pending.count > writer->pending.dead_count;
	int code = commit(writer, error);
	if (!code) {
		writer->fresh = false;
		writer->stats.commits++;
		drop_batch(writer);
		code = reopen_snapshot(writer, error);
		if (!code && added)
			writer->stats.segment_bytes += bytes_made(writer);
		if (!code)
			code = merge_after_commit(writer, error);
	}
	writer->failed = code < 0;
	return code;
}

void trawl_writer_get_stats(const trawl_writer *writer, trawl_writer_stats *stats)
{
	*stats = writer->stats;
	stats->tokens = pipeline_tokens(writer->pipeline);
}

void trawl_writer_close(trawl_writer *writer)
{
	if (!writer)
		return;
	drop_batch(writer);
	memory_free(writer->runs);
	store_batch_free(writer->output);
	pipeline_free(writer->pipeline);
	workers_free(writer->workers);
	tokenizer_free(writer->mourner);
	close_snapshot(writer);
	if (writer->fresh)
		store_remove(writer->store); /* a file without a commit is of no use to anybody */
	store_unlock(writer->lock);
	store_close(writer->store);
	memory_free(writer);
}
