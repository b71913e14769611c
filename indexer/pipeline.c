#include "indexer/pipeline.h"

#include <string.h>

#include <zstd.h>

#include "base/error.h"
#include "base/hash.h"

#define JOB_BYTES_MOST ((size_t)2 << 20) /* of documents; more would leave the cache */
#define JOB_BYTES_LEAST ((size_t)32 << 10)
#define JOBS_PER_THREAD 2
#define JOB_COST 3 /* bytes that a job holds for each byte of its documents, in itself and in its worker's scratch */
#define SCRATCH_KEPT 4                /* times its usual size a buffer may keep after a huge document */
#define WORDS_SHARE 3                 /* eighths: tables double, and the old one stays until its words have moved */
#define WORDS_MOST ((size_t)64 << 20) /* for the words that a worker knows */

struct block {
	uint32_t first, documents; /* first: ordinal */
	size_t bytes, compressed;
};

/* Some blocks of documents, and what a worker makes of them. */
struct document_job {
	struct job job;
	struct pipeline *pipeline;
	uint32_t first_ordinal;
	struct buffer documents; /* as they are stored */
	struct block *blocks;
	size_t block_count, block_capacity;
	size_t block_start; /* of the unfinished block, in documents */
	uint32_t document_count, block_documents;
	const struct compression_dictionary *dictionary;
	/* results */
	struct buffer compressed;
	struct piece piece;
	struct document_size {
		uint32_t tokens, position_end;
	} * sizes;
	size_t size_capacity;
	unsigned worker;
	size_t worker_memory; /* what it had for itself afterwards */
	int code;
	trawl_error error;
};

/* What a worker has for itself, made when it does its first job. */
struct worker_state {
	struct tokenizer *tokenizer;
	struct piece_maker maker;
	struct ZSTD_CCtx_s *compressor;
	size_t memory; /* of these, as last told by a job that was taken: the caller's thread's */
};

struct pipeline {
	struct pipeline_options options;
	size_t job_bytes, word_bytes;
	struct worker_state *workers;
	struct document_job *jobs; /* a ring: [taken, filled) are under way, `filled` is being filled */
	size_t job_count, taken, filled;
	struct documents_writer *stored;
	uint64_t tokens;
};

/* ---- life ---- */

static int prepare_worker(struct worker_state *worker, const struct pipeline *pipeline, trawl_error *error)
{
	if (!worker->compressor && !(worker->compressor = compressor_new()))
		return error_set_memory(error);
	if (worker->tokenizer)
		return 0;
	int code = tokenizer_new(&worker->tokenizer, &pipeline->options.analysis, error);
	if (!code)
		tokenizer_limit_cache(worker->tokenizer, pipeline->word_bytes);
	return code;
}

int pipeline_new(struct pipeline **out, const struct pipeline_options *options, trawl_error *error)
{
	struct pipeline *pipeline = *out = memory_new_zeroed(1, sizeof *pipeline);
	if (!pipeline)
		return error_set_memory(error);
	unsigned threads = options->threads;
	pipeline->options = *options;
	pipeline->job_count = threads > 1 ? (size_t)JOBS_PER_THREAD * threads + 1 : 1;
	pipeline->workers = memory_new_zeroed(threads, sizeof *pipeline->workers);
	pipeline->jobs = memory_new_zeroed(pipeline->job_count, sizeof *pipeline->jobs);
	if (!pipeline->workers || !pipeline->jobs)
		return error_set_memory(error);
	size_t share = options->memory / 3 / (pipeline->job_count + threads) / JOB_COST;
	pipeline->job_bytes = share < JOB_BYTES_LEAST  ? JOB_BYTES_LEAST
	                      : share > JOB_BYTES_MOST ? JOB_BYTES_MOST
	                                               : share;
	share = options->memory / 3 * 2 / threads * WORDS_SHARE / 8;
	pipeline->word_bytes = share > WORDS_MOST ? WORDS_MOST : share;
	return prepare_worker(&pipeline->workers[0], pipeline, error); /* refuses an unknown language now */
}

static void job_reset(struct document_job *job, size_t usual)
{
	piece_release(&job->piece);
	if (job->documents.capacity > SCRATCH_KEPT * usual)
		buffer_release(&job->documents);
	if (job->compressed.capacity > SCRATCH_KEPT * usual)
		buffer_release(&job->compressed);
	job->documents.length = job->compressed.length = 0;
	job->block_count = job->block_start = 0;
	job->document_count = job->block_documents = 0;
	job->code = 0;
}

/* Nobody can be stopped half-way, so jobs under way are waited for. */
void pipeline_reset(struct pipeline *pipeline)
{
	if (!pipeline->jobs || !pipeline->workers)
		return; /* only half made */
	for (; pipeline->taken < pipeline->filled; pipeline->taken++)
		workers_wait(pipeline->options.workers, &pipeline->jobs[pipeline->taken % pipeline->job_count].job);
	for (size_t i = 0; i < pipeline->job_count; i++)
		job_reset(&pipeline->jobs[i], pipeline->job_bytes);
	pipeline_forget(pipeline);
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	pipeline_reset(pipeline);
	for (size_t i = 0; pipeline->jobs && i < pipeline->job_count; i++) {
		struct document_job *job = &pipeline->jobs[i];
		buffer_release(&job->documents);
		buffer_release(&job->compressed);
		memory_free(job->blocks);
		memory_free(job->sizes);
	}
	for (size_t i = 0; pipeline->workers && i < pipeline->options.threads; i++) {
		tokenizer_free(pipeline->workers[i].tokenizer);
		piece_maker_release(&pipeline->workers[i].maker);
		ZSTD_freeCCtx(pipeline->workers[i].compressor);
	}
	memory_free(pipeline->jobs);
	memory_free(pipeline->workers);
	memory_free(pipeline);
}

void pipeline_forget(struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->options.threads; i++) {
		struct worker_state *worker = &pipeline->workers[i];
		if (worker->tokenizer)
			tokenizer_forget(worker->tokenizer);
		piece_maker_release(&worker->maker);
		worker->memory = worker->tokenizer ? tokenizer_memory(worker->tokenizer) : 0;
	}
}

size_t pipeline_memory(const struct pipeline *pipeline)
{
	size_t bytes = 0;
	for (size_t i = 0; i < pipeline->options.threads; i++)
		bytes += pipeline->workers[i].memory;
	/* Jobs under way are counted as if they were done. */
	return bytes + pipeline->job_count * pipeline->job_bytes * JOB_COST;
}

uint64_t pipeline_tokens(const struct pipeline *pipeline)
{
	return pipeline->tokens;
}

/* ---- a worker ---- */

static int compress(struct document_job *job, struct worker_state *worker)
{
	const uint8_t *from = job->documents.data;
	int code = 0;
	for (size_t i = 0; !code && i < job->block_count; i++) {
		struct block *block = &job->blocks[i];
		size_t before = job->compressed.length;
		code = stored_block_compress(worker->compressor, job->dictionary, from, block->bytes, &job->compressed,
		                             &job->error);
		block->compressed = job->compressed.length - before;
		from += block->bytes;
	}
	return code;
}

static int analyse(struct document_job *job, struct worker_state *worker)
{
	const uint8_t *at = job->documents.data, *end = at + job->documents.length;
	if (!memory_reserve(&job->sizes, &job->size_capacity, job->document_count, sizeof *job->sizes))
		return error_set_memory(&job->error);
	for (uint32_t i = 0; i < job->document_count; i++) {
		trawl_document document = {0};
		struct document_size *size = &job->sizes[i];
		stored_document_read(&at, end, &document); /* just written */
		int code = piece_add(&worker->maker, &job->pipeline->options.batch->lexicon, worker->tokenizer,
		                     &document, &size->tokens, &size->position_end, &job->error);
		if (code)
			return code;
	}
	return piece_finish(&worker->maker, &job->piece, job->first_ordinal, &job->error);
}

static void run_job(struct job *base, unsigned number)
{
	struct document_job *job = (struct document_job *)base;
	struct worker_state *worker = &job->pipeline->workers[number];
	job->code = prepare_worker(worker, job->pipeline, &job->error);
	if (!job->code)
		job->code = analyse(job, worker);
	if (!job->code)
		job->code = compress(job, worker);
	if (worker->maker.token_capacity > SCRATCH_KEPT * job->pipeline->job_bytes)
		piece_maker_release(&worker->maker);
	job->worker = number;
	job->worker_memory = (worker->tokenizer ? tokenizer_memory(worker->tokenizer) : 0) +
	                     (worker->compressor ? ZSTD_sizeof_CCtx(worker->compressor) : 0) +
	                     piece_maker_memory(&worker->maker);
}

/* ---- the caller's thread ---- */

static struct document_job *job_at(struct pipeline *pipeline, size_t number)
{
	return &pipeline->jobs[number % pipeline->job_count];
}

/* Take the results of the oldest job over. */
static int take_job(struct pipeline *pipeline, trawl_error *error)
{
	struct document_job *job = job_at(pipeline, pipeline->taken);
	workers_wait(pipeline->options.workers, &job->job);
	pipeline->taken++;
	int code = job->code;
	if (code && error)
		*error = job->error;
	pipeline->workers[job->worker].memory = job->worker_memory;
	const uint8_t *compressed = job->compressed.data;
	for (size_t i = 0; !code && i < job->block_count; i++) {
		const struct block *block = &job->blocks[i];
		code = documents_writer_block(pipeline->stored, block->first, (uint32_t)block->bytes, compressed,
		                              block->compressed, error);
		compressed += block->compressed;
	}
	for (uint32_t i = 0; !code && i < job->document_count; i++) {
		struct uncommitted_document *document =
		    &pipeline->options.uncommitted->documents[job->first_ordinal + i];
		document->tokens = job->sizes[i].tokens;
		document->position_end = job->sizes[i].position_end;
		pipeline->tokens += document->tokens;
	}
	if (!code)
		code = batch_take(pipeline->options.batch, &job->piece, error);
	job_reset(job, pipeline->job_bytes);
	return code;
}

static void submit_job(struct pipeline *pipeline)
{
	struct document_job *job = job_at(pipeline, pipeline->filled++);
	job->job.run = run_job;
	job->pipeline = pipeline;
	job->dictionary = pipeline->stored->prepared;
	workers_submit(pipeline->options.workers, &job->job);
}

static int end_block(struct pipeline *pipeline, struct document_job *job, trawl_error *error)
{
	size_t bytes = job->documents.length - job->block_start;
	if (!memory_reserve(&job->blocks, &job->block_capacity, job->block_count + 1, sizeof *job->blocks))
		return error_set_memory(error);
	job->blocks[job->block_count++] = (struct block){
	    job->first_ordinal + job->document_count - job->block_documents, job->block_documents, bytes, 0};
	int code =
	    pipeline->stored->prepared
	        ? 0
	        : documents_writer_prepare(pipeline->stored, job->documents.data + job->block_start, bytes, error);
	job->block_start = job->documents.length;
	job->block_documents = 0;
	return code;
}

/* Finished jobs at the front are taken whenever one is submitted, the oldest one is waited for when the ring is full. */
static int end_job(struct pipeline *pipeline, trawl_error *error)
{
	int code = 0;
	submit_job(pipeline);
	while (!code && pipeline->taken < pipeline->filled &&
	       (pipeline->filled - pipeline->taken == pipeline->job_count ||
	        workers_done(pipeline->options.workers, &job_at(pipeline, pipeline->taken)->job)))
		code = take_job(pipeline, error);
	return code;
}

int pipeline_add(struct pipeline *pipeline, struct documents_writer *stored, const struct incoming *incoming,
                 trawl_error *error)
{
	struct document_job *job = job_at(pipeline, pipeline->filled);
	pipeline->stored = stored;
	if (!job->document_count)
		job->first_ordinal = stored->ordinal;
	size_t before = job->documents.length;
	int code = documents_writer_id(stored, incoming->id.bytes, incoming->id.length, error);
	if (code)
		return code;
	if (!stored_document_append(&job->documents, incoming->document))
		return error_set_memory(error);
	code = documents_writer_hash(stored,
	                             incoming->has_hash
	                                 ? incoming->content_hash
	                                 : hash_bytes(job->documents.data + before, job->documents.length - before),
	                             error);
	if (code)
		return code;
	job->document_count++;
	job->block_documents++;
	if (job->documents.length - job->block_start >= stored_block_border(stored))
		code = end_block(pipeline, job, error);
	if (!code && !job->block_documents && job->documents.length >= pipeline->job_bytes)
		code = end_job(pipeline, error);
	return code;
}

bool pipeline_between_jobs(const struct pipeline *pipeline)
{
	return !pipeline->jobs[pipeline->filled % pipeline->job_count].document_count;
}

int pipeline_drain(struct pipeline *pipeline, trawl_error *error)
{
	int code = 0;
	while (!code && pipeline->taken < pipeline->filled)
		code = take_job(pipeline, error);
	return code;
}

int pipeline_finish(struct pipeline *pipeline, trawl_error *error)
{
	struct document_job *job = job_at(pipeline, pipeline->filled);
	int code = job->block_documents ? end_block(pipeline, job, error) : 0;
	if (!code && job->document_count)
		submit_job(pipeline);
	return code ? code : pipeline_drain(pipeline, error);
}
