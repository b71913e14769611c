#include "indexer/encode.h"

#include "base/error.h"
#include "indexer/list_sorter.h"

#define JOBS_PER_THREAD 3
#define RANGE_BYTES_MOST ((size_t)512 << 10)
#define RANGE_SHARE 256 /* of the memory, for a range of terms of a batch */
#define RUN_RANGE_LEAST ((size_t)128 << 10)
#define LARGE_RANGES 16 /* a term of so many ranges is encoded as it is placed */

/* The terms in ranges, one after the other in byte order. */
struct term_ranges {
	const void *source;
	size_t count;
	bool reordered;
	/* Any thread: hand the terms of a range over. */
	int (*run)(const void *source, size_t range, const struct term_sink *sink, trawl_error *error);
	/* Whether a range had better be encoded where it is placed, because it would take too much memory. */
	bool (*is_large)(const void *source, size_t range);
};

struct range_job {
	struct job job;
	struct encoding *encoding;
	size_t range;
	struct buffer encoded;
	int code;
	trawl_error error;
};

struct encoding {
	struct segment_writer *segment;
	const struct term_ranges *ranges;
	struct workers *workers;
	unsigned threads;
	struct postings_encoder *encoders; /* of each worker */
	struct range_job *jobs;            /* a ring: ranges [placed, submitted) */
	size_t job_count, placed, submitted;
};

/* ---- a worker ---- */

struct range_sink {
	struct postings_encoder *encoder;
	struct buffer *out;
};

static int encode_term(void *context, const struct term_list *list, trawl_error *error)
{
	struct range_sink *sink = context;
	return segment_term_encode(sink->encoder, list, sink->out, error);
}

/* Hand a range's terms over, each list in ascending order. */
static int run(const struct term_ranges *ranges, size_t range, const struct term_sink *sink, trawl_error *error)
{
	if (!ranges->reordered)
		return ranges->run(ranges->source, range, sink, error);
	struct list_sorter sorter = {.sink = sink};
	struct term_sink between = {list_sorter_term, &sorter};
	int code = ranges->run(ranges->source, range, &between, error);
	list_sorter_release(&sorter);
	return code;
}

static void run_range(struct job *base, unsigned worker)
{
	struct range_job *job = (struct range_job *)base;
	const struct term_ranges *ranges = job->encoding->ranges;
	struct range_sink range = {&job->encoding->encoders[worker], &job->encoded};
	struct term_sink sink = {encode_term, &range};
	job->encoded.length = 0;
	job->code = run(ranges, job->range, &sink, &job->error);
}

/* ---- the caller's thread ---- */

static int place_term(void *context, const struct term_list *list, trawl_error *error)
{
	return segment_writer_term(context, list, error);
}

static bool is_large(const struct encoding *encoding, size_t range)
{
	const struct term_ranges *ranges = encoding->ranges;
	return encoding->threads <= 1 || ranges->is_large(ranges->source, range);
}

static void submit_ranges(struct encoding *encoding)
{
	for (; encoding->submitted < encoding->ranges->count &&
	       encoding->submitted - encoding->placed < encoding->job_count;
	     encoding->submitted++) {
		struct range_job *job = &encoding->jobs[encoding->submitted % encoding->job_count];
		if (is_large(encoding, encoding->submitted))
			continue;
		job->job.run = run_range;
		job->encoding = encoding;
		job->range = encoding->submitted;
		workers_submit(encoding->workers, &job->job);
	}
}

static int place_range(struct encoding *encoding, trawl_error *error)
{
	const struct term_ranges *ranges = encoding->ranges;
	size_t range = encoding->placed;
	struct term_sink sink = {place_term, encoding->segment};
	int code;
	if (is_large(encoding, range)) {
		code = run(ranges, range, &sink, error);
	} else {
		struct range_job *job = &encoding->jobs[range % encoding->job_count];
		workers_wait(encoding->workers, &job->job);
		code = job->code;
		if (code && error)
			*error = job->error;
		if (!code)
			code = segment_writer_place(encoding->segment, &job->encoded, error);
	}
	encoding->placed++;
	return code;
}

static bool prepare(struct encoding *encoding)
{
	encoding->encoders = memory_new_zeroed(encoding->threads, sizeof *encoding->encoders);
	encoding->jobs = memory_new_zeroed(encoding->job_count, sizeof *encoding->jobs);
	for (unsigned i = 0; encoding->encoders && i < encoding->threads; i++)
		segment_writer_encoder(encoding->segment, &encoding->encoders[i]);
	return encoding->encoders && encoding->jobs;
}

static void release(struct encoding *encoding)
{
	for (; encoding->jobs && encoding->placed < encoding->submitted; encoding->placed++)
		if (!is_large(encoding, encoding->placed))
			workers_wait(encoding->workers, &encoding->jobs[encoding->placed % encoding->job_count].job);
	for (size_t i = 0; encoding->jobs && i < encoding->job_count; i++)
		buffer_release(&encoding->jobs[i].encoded);
	for (unsigned i = 0; encoding->encoders && i < encoding->threads; i++)
		postings_encoder_release(&encoding->encoders[i]);
	memory_free(encoding->encoders);
	memory_free(encoding->jobs);
}

static int encode_terms(const struct encode_settings *settings, const struct term_ranges *ranges, trawl_error *error)
{
	struct encoding encoding = {.segment = settings->segment,
	                            .ranges = ranges,
	                            .workers = settings->workers,
	                            .threads = settings->threads,
	                            .job_count = (size_t)JOBS_PER_THREAD * settings->threads};
	int code = prepare(&encoding) ? 0 : error_set_memory(error);
	work_stage(settings->work, "writing terms", settings->share, ranges->count);
	while (!code && encoding.placed < ranges->count) {
		submit_ranges(&encoding);
		code = place_range(&encoding, error);
		work_done(settings->work, encoding.placed);
	}
	release(&encoding);
	return code;
}

/* ---- where the terms come from ---- */

static int run_batch_range(const void *source, size_t range, const struct term_sink *sink, trawl_error *error)
{
	return inversion_run(source, range, sink, error);
}

static bool is_large_batch_range(const void *source, size_t range)
{
	const struct inversion *inversion = source;
	return inversion->range_bytes[range] > LARGE_RANGES * inversion->range_most;
}

int encode_batch(const struct encode_settings *settings, const struct batch *batch, const uint32_t *docs,
                 trawl_error *error)
{
	struct inversion inversion;
	size_t most = settings->memory / RANGE_SHARE;
	int code = inversion_prepare(&inversion, batch, docs, most < RANGE_BYTES_MOST ? most : RANGE_BYTES_MOST, error);
	if (code)
		return code;
	struct term_ranges ranges = {&inversion, inversion.range_count, false, run_batch_range, is_large_batch_range};
	code = encode_terms(settings, &ranges, error);
	inversion_release(&inversion);
	return code;
}

static int run_runs_range(const void *source, size_t range, const struct term_sink *sink, trawl_error *error)
{
	return run_ranges_merge(source, range, sink, error);
}

static bool is_large_runs_range(const void *source, size_t range)
{
	const struct run_ranges *ranges = source;
	return ranges->range_bytes[range] > LARGE_RANGES * ranges->range_most;
}

int encode_runs(const struct encode_settings *settings, const struct run *runs, size_t count, const uint32_t *docs,
                trawl_error *error)
{
	struct run_ranges prepared;
	/* For each range a thread reads up to a mark's bytes of each run in vain: ranges must not be too small. */
	size_t share = settings->memory / RANGE_SHARE;
	size_t bytes = share < RUN_RANGE_LEAST ? RUN_RANGE_LEAST : share > RANGE_BYTES_MOST ? RANGE_BYTES_MOST : share;
	int code = run_ranges_prepare(&prepared, runs, count, docs, bytes, error);
	if (code)
		return code;
	struct term_ranges ranges = {&prepared, prepared.range_count, settings->reordered, run_runs_range,
	                             is_large_runs_range};
	code = encode_terms(settings, &ranges, error);
	run_ranges_release(&prepared);
	return code;
}
