#include "indexer/segment_builder.h"

#include "base/error.h"
#include "indexer/bigrams.h"
#include "indexer/document_table.h"
#include "indexer/encode.h"
#include "indexer/reorder.h"

/* ---- life ---- */

int segment_builder_init(struct segment_builder *builder, const struct builder_settings *settings, trawl_error *error)
{
	*builder = (struct segment_builder){.settings = *settings, .flags = settings->manifest->flags};
	builder->settings.manifest = NULL;
	batch_init(&builder->batch, 0, settings->threads > 1);
	struct pipeline_options options = {.analysis = manifest_analysis(settings->manifest),
	                                   .threads = settings->threads,
	                                   .memory = settings->budget->pipeline,
	                                   .workers = settings->workers,
	                                   .batch = &builder->batch,
	                                   .uncommitted = &builder->documents};
	return pipeline_new(&builder->pipeline, &options, error);
}

void segment_builder_reset(struct segment_builder *builder)
{
	if (builder->pipeline) /* first: jobs under way look at what is dropped here */
		pipeline_reset(builder->pipeline);
	for (size_t i = 0; i < builder->run_count; i++)
		run_release(&builder->runs[i]);
	builder->run_count = 0;
	if (builder->segment)
		segment_writer_release(builder->segment);
	memory_free(builder->segment);
	builder->segment = NULL;
	batch_release(&builder->batch);
	batch_init(&builder->batch, 0, builder->settings.threads > 1);
	uncommitted_release(&builder->documents);
}

void segment_builder_release(struct segment_builder *builder)
{
	if (!builder->settings.threads)
		return; /* it was not made */
	segment_builder_reset(builder);
	batch_release(&builder->batch);
	memory_free(builder->runs);
	pipeline_free(builder->pipeline);
}

/* ---- documents ---- */

static int begin_segment(struct segment_builder *builder, uint32_t number, trawl_error *error)
{
	builder->segment = memory_new_zeroed(1, sizeof *builder->segment);
	if (!builder->segment)
		return error_set_memory(error);
	return segment_writer_init(builder->segment, builder->output, number, builder->flags & FLAG_POSITIONS, error);
}

int segment_builder_add(struct segment_builder *builder, uint32_t number, const struct incoming *incoming,
                        uint32_t *slot, trawl_error *error)
{
	int code = builder->segment ? 0 : begin_segment(builder, number, error);
	if (!code && !uncommitted_add(&builder->documents, slot, &incoming->id, incoming->text_bytes))
		code = error_set_memory(error);
	return code ? code : pipeline_add(builder->pipeline, &builder->segment->stored, incoming, error);
}

/* ---- memory ---- */

/* What is held but for postings, and what writing queues. */
static size_t fixed_memory(const struct segment_builder *builder)
{
	const struct budget *budget = builder->settings.budget;
	return budget->fixed + 2 * budget->flush + uncommitted_memory(&builder->documents);
}

bool segment_builder_is_full(struct segment_builder *builder, size_t elsewhere)
{
	const struct budget *budget = builder->settings.budget;
	size_t batch = batch_memory(&builder->batch), taken = builder->batch.document_count;
	/* What is on its way to the batch: taken to be as what is there. */
	batch += taken ? (size_t)((double)batch / (double)taken *
	                          (double)(builder->documents.count - builder->batch.first_ordinal - taken))
	               : 0;
	size_t used = fixed_memory(builder) + batch + pipeline_memory(builder->pipeline) + elsewhere;
	/* A run needs a batch worth its file: a budget that ids alone have eaten must not make a run a job. */
	return used > budget->total - budget->graph && batch > budget->total / 4;
}

/* Whether the batch has to spill before its segment is written, because that takes memory of its own. */
static bool lacks_room(struct segment_builder *builder)
{
	const struct budget *budget = builder->settings.budget;
	size_t bigrams = builder->flags & FLAG_BIGRAMS ? 2 * budget->bigrams : 0;
	return bigrams && fixed_memory(builder) + bigrams + batch_memory(&builder->batch) > budget->total;
}

/* Combine all runs into one: each holds a file open, and a merge looks at each for every term. */
static int combine_runs(struct segment_builder *builder, trawl_error *error)
{
	struct run combined;
	int code = run_combine(&combined, builder->runs, builder->run_count, builder->path, error);
	if (code)
		return code;
	for (size_t i = 0; i < builder->run_count; i++)
		run_release(&builder->runs[i]);
	builder->runs[0] = combined;
	builder->run_count = 1;
	return 0;
}

int segment_builder_spill(struct segment_builder *builder, trawl_error *error)
{
	int code = pipeline_drain(builder->pipeline, error);
	if (!code && builder->run_count == RUNS_MAX)
		code = combine_runs(builder, error);
	if (code)
		return code;
	if (!memory_reserve(&builder->runs, &builder->run_capacity, builder->run_count + 1, sizeof *builder->runs))
		return error_set_memory(error);
	pipeline_forget(builder->pipeline); /* the batch ends here, and its inversion needs memory */
	code = run_write(&builder->runs[builder->run_count], &builder->batch, builder->path, error);
	if (code)
		return code;
	builder->run_count++;
	builder->runs_written++;
	batch_reset(&builder->batch);
	memory_trim();
	return 0;
}

/* ---- writing ---- */

struct stage_costs segment_builder_costs(const struct segment_builder *builder, uint64_t more)
{
	uint64_t documents = uncommitted_live_count(&builder->documents) + more;
	uint32_t count = documents < DOCUMENTS_MAX ? (uint32_t)documents : DOCUMENTS_MAX;
	return stage_costs(reorder_wanted(builder->settings.order, count), builder->run_count > 0,
	                   builder->flags & FLAG_BIGRAMS, count);
}

/* The costs as shares of the whole. */
static struct stage_costs stage_shares(const struct segment_builder *builder)
{
	struct stage_costs costs = segment_builder_costs(builder, 0);
	double sum = costs.order + costs.terms + costs.bigrams;
	return (struct stage_costs){costs.order / sum, costs.terms / sum, costs.bigrams / sum};
}

static struct unordered unordered_documents(const struct segment_builder *builder, double share)
{
	return (struct unordered){.batch = &builder->batch,
	                          .runs = builder->runs,
	                          .run_count = builder->run_count,
	                          .memory = builder->settings.budget->graph,
	                          .workers = builder->settings.workers,
	                          .threads = builder->settings.threads,
	                          .work = builder->settings.work,
	                          .share = share};
}

/* All documents are analysed, and what is left in memory of them is the batch or, where there are runs, nothing. */
static int finish_documents(struct segment_builder *builder, trawl_error *error)
{
	int code = pipeline_finish(builder->pipeline, error);
	if (code)
		return code;
	pipeline_forget(builder->pipeline); /* the batch ends here, and its inversion needs memory */
	memory_trim();
	bool has_batch = builder->batch.document_count;
	return has_batch && (builder->run_count || lacks_room(builder)) ? segment_builder_spill(builder, error) : 0;
}

static int begin_terms(struct segment_builder *builder, const struct document_table *table, trawl_error *error)
{
	/* Dropped stop words leave gaps, so that positions may go beyond the number of tokens. */
	bool has_gaps = builder->flags & FLAG_STOP_WORDS && builder->flags & FLAG_POSITIONS;
	bool moved = table->reordered || builder->documents.deleted_count;
	builder->segment->text_bytes = table->text_bytes;
	return segment_writer_begin_terms(builder->segment, table->count, table->lengths,
	                                  has_gaps ? table->last_positions : NULL, table->tokens,
	                                  moved ? table->order : NULL, table->hashes, error);
}

/* Terms alone: several threads encode them. */
static int write_terms(struct segment_builder *builder, const struct document_table *table, double share,
                       trawl_error *error)
{
	const struct builder_settings *settings = &builder->settings;
	struct encode_settings encoding = {builder->segment,
	                                   settings->workers,
	                                   settings->threads,
	                                   settings->budget->total,
	                                   table->reordered,
	                                   settings->work,
	                                   share};
	return builder->run_count ? encode_runs(&encoding, builder->runs, builder->run_count, table->docs, error)
	                          : encode_batch(&encoding, &builder->batch, table->docs, error);
}

struct bigrams_sink {
	struct bigram_builder *bigrams;
	struct work *work;
	uint64_t tokens; /* so far */
};

static int write_term_and_note_bigrams(void *context, const struct term_list *list, trawl_error *error)
{
	struct bigrams_sink *sink = context;
	int code = bigram_builder_term(sink->bigrams, list, error);
	for (uint32_t i = 0; i < list->df; i++)
		sink->tokens += list->tfs[i];
	work_done(sink->work, sink->tokens);
	return code;
}

static int write_terms_and_bigrams(struct segment_builder *builder, const struct document_table *table,
                                   const struct stage_costs *shares, trawl_error *error)
{
	struct bigrams_sink to = {.work = builder->settings.work};
	struct unordered unordered = unordered_documents(builder, 0);
	int code =
	    bigram_builder_new(&to.bigrams, builder->segment, builder->settings.budget->bigrams, builder->path, error);
	struct term_sink sink = {write_term_and_note_bigrams, &to};
	/* One thread does this, which keeps occurrences as well: it is a good part of what bigrams take. */
	work_stage(to.work, "writing terms", shares->terms + shares->bigrams / 2, table->tokens);
	if (!code && !builder->run_count)
		code = batch_invert(&builder->batch, table->docs, &sink, error);
	else if (!code && table->reordered)
		code = reordered_runs(&unordered, table->docs, &sink, error);
	else if (!code)
		code = runs_merge(builder->runs, builder->run_count, table->docs, &sink, error);
	if (!code)
		code = bigram_builder_finish(to.bigrams, to.work, shares->bigrams / 2, error);
	bigram_builder_free(to.bigrams);
	return code;
}

int segment_builder_finish(struct segment_builder *builder, struct manifest_segment *summary, trawl_error *error)
{
	struct document_table table = {0};
	bool similar = reorder_wanted(builder->settings.order, uncommitted_live_count(&builder->documents));
	work_begin(builder->settings.work);
	int code = finish_documents(builder, error);
	struct stage_costs shares = stage_shares(builder);
	struct unordered unordered = unordered_documents(builder, shares.order);
	if (!code)
		code = document_table_make(&table, &builder->documents, similar ? &unordered : NULL, error);
	if (!code)
		code = begin_terms(builder, &table, error);
	if (!code)
		code = builder->flags & FLAG_BIGRAMS ? write_terms_and_bigrams(builder, &table, &shares, error)
		                                     : write_terms(builder, &table, shares.terms, error);
	if (!code)
		code = segment_writer_finish(builder->segment, summary, error);
	document_table_release(&table);
	work_end(builder->settings.work);
	return code;
}
