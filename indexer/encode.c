#include "indexer/encode.h"

#include "base/error.h"

#define JOBS_PER_THREAD 3

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

static int encode_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                       uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct range_sink *sink = context;
	return segment_term_encode(sink->encoder, term, length, docs, tfs, df, source, sink->out, error);
}

static void run_range(struct job *base, unsigned worker)
{
	struct range_job *job = (struct range_job *)base;
	const struct term_ranges *ranges = job->encoding->ranges;
	struct range_sink range = {&job->encoding->encoders[worker], &job->encoded};
	struct term_sink sink = {encode_term, &range};
	job->encoded.length = 0;
	job->code = ranges->run(ranges->source, job->range, &sink, &job->error);
}

/* ---- the caller's thread ---- */

static int place_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                      uint32_t df, const struct position_source *source, trawl_error *error)
{
	return segment_writer_term(context, term, length, docs, tfs, df, source, error);
}

static bool is_large(const struct encoding *encoding, size_t range)
{
	const struct term_ranges *ranges = encoding->ranges;
	return encoding->threads == 1 || ranges->is_large(ranges->source, range);
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
	struct range_job *job = &encoding->jobs[range % encoding->job_count];
	struct term_sink sink = {place_term, encoding->segment};
	int code;
	if (is_large(encoding, range)) {
		code = ranges->run(ranges->source, range, &sink, error);
	} else {
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

int encode_terms(struct segment_writer *segment, const struct term_ranges *ranges, struct workers *workers,
                 unsigned threads, trawl_error *error)
{
	struct encoding encoding = {.segment = segment,
	                            .ranges = ranges,
	                            .workers = workers,
	                            .threads = threads,
	                            .job_count = (size_t)JOBS_PER_THREAD * threads};
	int code = prepare(&encoding) ? 0 : error_set_memory(error);
	while (!code && encoding.placed < ranges->count) {
		submit_ranges(&encoding);
		code = place_range(&encoding, error);
	}
	release(&encoding);
	return code;
}
