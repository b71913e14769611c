#include "indexer/bigrams.h"

#include <unistd.h>

#include "base/error.h"
#include "indexer/batch.h"
#include "indexer/run.h"
#include "indexer/temporary.h"
#include "segment/bigrams_writer.h"

#define FINDING_SHARE 0.7 /* of the time for bigrams; the rest is for writing them */
#define BUCKET_DOCUMENTS_MAX (1u << 14)
#define LEAST_OF_RUN 1024 /* documents: a tiny budget must not make a run a document */
#define PIECE_BIGRAMS_MOST ((size_t)1 << 18)
#define PIECE_BIGRAMS_LEAST ((size_t)1 << 12)
#define BIGRAM_COST 64 /* bytes allowed for a bigram of the piece in the making, which needs a third of them */
#define DIGIT_BITS 11  /* of a position, sorted at a time */

struct occurrence {
	uint32_t doc, position, term; /* term: index in bigram_builder.frequent */
};

struct frequent {
	uint32_t number, df;
};

struct bucket {
	struct occurrence *occurrences;
	size_t count, capacity;
	uint64_t spilled;          /* occurrences in the file */
	uint32_t last_piece_plus1; /* of them; 0: none */
	uint32_t greatest_position;
};

/* Occurrences of one bucket in the temporary file. */
struct spilled_piece {
	uint32_t before_plus1; /* the bucket's piece before it; 0: none */
	uint64_t address, count;
};

struct bigram_builder {
	struct segment_writer *segment;
	size_t memory;
	const char *path;
	struct frequent *frequent;
	size_t frequent_count, frequent_capacity;
	struct bucket *buckets;
	uint32_t bucket_count, bucket_documents; /* the latter a power of two */
	size_t held;                             /* occurrences in memory */
	int file;                                /* -1: nothing has been spilled */
	uint64_t file_bytes;
	struct spilled_piece *pieces;
	size_t piece_count, piece_capacity;
	/* the list being written */
	const struct position_source *source;
	const uint32_t *docs;
	uint32_t posting;
	/* bigrams */
	struct batch batch;
	struct piece_maker maker;
	size_t piece_bigrams; /* that end a piece */
	struct run *runs;
	size_t run_count, run_capacity;
};

int bigram_builder_new(struct bigram_builder **out, struct segment_writer *segment, size_t memory, const char *path,
                       trawl_error *error)
{
	struct bigram_builder *builder = memory_new_zeroed(1, sizeof *builder);
	*out = NULL;
	if (!builder)
		return error_set_memory(error);
	batch_init(&builder->batch, 0, false);
	builder->segment = segment;
	builder->memory = memory;
	builder->path = path;
	builder->file = -1;
	builder->piece_bigrams = memory / BIGRAM_COST;
	if (builder->piece_bigrams < PIECE_BIGRAMS_LEAST)
		builder->piece_bigrams = PIECE_BIGRAMS_LEAST;
	if (builder->piece_bigrams > PIECE_BIGRAMS_MOST)
		builder->piece_bigrams = PIECE_BIGRAMS_MOST;
	/* A bucket and the room to sort it in must fit the memory allowed. */
	builder->bucket_documents = BUCKET_DOCUMENTS_MAX;
	double document_bytes = 2.0 * sizeof(struct occurrence) * (double)segment->average;
	while (builder->bucket_documents > 1 && builder->bucket_documents * document_bytes > (double)memory)
		builder->bucket_documents /= 2;
	builder->bucket_count = segment->documents / builder->bucket_documents + 1;
	builder->buckets = memory_new_zeroed(builder->bucket_count, sizeof *builder->buckets);
	if (!builder->buckets) {
		bigram_builder_free(builder);
		return error_set_memory(error);
	}
	*out = builder;
	return 0;
}

void bigram_builder_free(struct bigram_builder *builder)
{
	if (!builder)
		return;
	for (uint32_t i = 0; builder->buckets && i < builder->bucket_count; i++)
		memory_free(builder->buckets[i].occurrences);
	for (size_t i = 0; i < builder->run_count; i++)
		run_release(&builder->runs[i]);
	if (builder->file >= 0)
		close(builder->file);
	batch_release(&builder->batch);
	piece_maker_release(&builder->maker);
	memory_free(builder->runs);
	memory_free(builder->buckets);
	memory_free(builder->frequent);
	memory_free(builder->pieces);
	memory_free(builder);
}

/* ---- keeping occurrences ---- */

static int spill(struct bigram_builder *builder, trawl_error *error)
{
	if (builder->file < 0)
		builder->file = temporary_file(builder->path, error);
	if (builder->file < 0)
		return builder->file;
	for (uint32_t i = 0; i < builder->bucket_count; i++) {
		struct bucket *bucket = &builder->buckets[i];
		if (!bucket->count)
			continue;
		if (!memory_reserve(&builder->pieces, &builder->piece_capacity, builder->piece_count + 1,
		                    sizeof *builder->pieces))
			return error_set_memory(error);
		builder->pieces[builder->piece_count++] =
		    (struct spilled_piece){bucket->last_piece_plus1, builder->file_bytes, bucket->count};
		bucket->last_piece_plus1 = (uint32_t)builder->piece_count;
		size_t length = bucket->count * sizeof *bucket->occurrences;
		int code = temporary_write(builder->file, bucket->occurrences, length, error);
		if (code)
			return code;
		builder->file_bytes += length;
		bucket->spilled += bucket->count;
		bucket->count = bucket->capacity = 0;
		memory_free(bucket->occurrences);
		bucket->occurrences = NULL;
	}
	builder->held = 0;
	return 0;
}

/* A position source that keeps what passes. */
static int next_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	struct bigram_builder *builder = context;
	uint32_t doc = builder->docs[builder->posting++];
	struct bucket *bucket = &builder->buckets[doc / builder->bucket_documents];
	int code = builder->source->next(builder->source->context, count, positions, error);
	if (code)
		return code;
	if (!memory_reserve(&bucket->occurrences, &bucket->capacity, bucket->count + count,
	                    sizeof *bucket->occurrences))
		return error_set_memory(error);
	for (uint32_t i = 0; i < count; i++)
		bucket->occurrences[bucket->count++] =
		    (struct occurrence){doc, positions[i], (uint32_t)builder->frequent_count - 1};
	if (count && positions[count - 1] > bucket->greatest_position)
		bucket->greatest_position = positions[count - 1];
	builder->held += count;
	return builder->held > builder->memory / sizeof(struct occurrence) ? spill(builder, error) : 0;
}

int bigram_builder_term(struct bigram_builder *builder, const struct term_list *list, trawl_error *error)
{
	struct segment_writer *segment = builder->segment;
	uint64_t number = segment->terms.terms;
	/* No word makes a listed bigram that does not with the most frequent word there can be. */
	if (!bigram_is_listed(list->df, segment->documents, segment->documents))
		return segment_writer_term(segment, list, error);
	if (number > UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT,
		                 "over 4 billion distinct terms: commit more often, or without bigrams");
	if (!memory_reserve(&builder->frequent, &builder->frequent_capacity, builder->frequent_count + 1,
	                    sizeof *builder->frequent))
		return error_set_memory(error);
	builder->frequent[builder->frequent_count++] = (struct frequent){(uint32_t)number, list->df};
	builder->source = list->source;
	builder->docs = list->docs;
	builder->posting = 0;
	struct position_source keeping = {next_positions, builder};
	struct term_list kept = *list;
	kept.source = &keeping;
	return segment_writer_term(segment, &kept, error);
}

/* ---- text order ---- */

/* Bring a bucket's spilled occurrences back. */
static int gather(struct bigram_builder *builder, uint32_t number, trawl_error *error)
{
	struct bucket *bucket = &builder->buckets[number];
	size_t held = bucket->count;
	if (!bucket->spilled)
		return 0;
	if (!memory_reserve(&bucket->occurrences, &bucket->capacity, held + bucket->spilled,
	                    sizeof *bucket->occurrences))
		return error_set_memory(error);
	for (uint32_t next = bucket->last_piece_plus1; next; next = builder->pieces[next - 1].before_plus1) {
		const struct spilled_piece *piece = &builder->pieces[next - 1];
		int code = temporary_read(builder->file, bucket->occurrences + bucket->count,
		                          piece->count * sizeof *bucket->occurrences, piece->address, error);
		if (code)
			return code;
		bucket->count += piece->count;
	}
	return 0;
}

/* One pass of a radix sort: stably, by digit(occurrence) < digits. */
static void sort_pass(const struct occurrence *from, struct occurrence *to, size_t count, bool by_document, int shift)
{
	static const uint32_t mask = (1u << DIGIT_BITS) - 1;
	uint32_t starts[BUCKET_DOCUMENTS_MAX + 1] = {0};
	for (size_t i = 0; i < count; i++)
		starts[(by_document ? from[i].doc % BUCKET_DOCUMENTS_MAX : from[i].position >> shift & mask) + 1]++;
	for (uint32_t i = 0; i < BUCKET_DOCUMENTS_MAX; i++)
		starts[i + 1] += starts[i];
	for (size_t i = 0; i < count; i++)
		to[starts[by_document ? from[i].doc % BUCKET_DOCUMENTS_MAX : from[i].position >> shift & mask]++] =
		    from[i];
}

/* By document, then by position: into text order. */
static int sort_bucket(struct bucket *bucket, trawl_error *error)
{
	struct occurrence *from = bucket->occurrences, *to = memory_new(bucket->count * sizeof *to);
	if (!to)
		return error_set_memory(error);
	for (int shift = 0; shift < 32 && (shift == 0 || bucket->greatest_position >> shift); shift += DIGIT_BITS) {
		sort_pass(from, to, bucket->count, false, shift);
		struct occurrence *other = from;
		from = to;
		to = other;
	}
	sort_pass(from, to, bucket->count, true, 0);
	memory_free(from);
	bucket->occurrences = to;
	bucket->capacity = bucket->count;
	return 0;
}

/* ---- bigrams ---- */

static int spill_bigrams(struct bigram_builder *builder, trawl_error *error)
{
	if (!memory_reserve(&builder->runs, &builder->run_capacity, builder->run_count + 1, sizeof *builder->runs))
		return error_set_memory(error);
	int code = run_write(&builder->runs[builder->run_count], &builder->batch, builder->path, error);
	if (code)
		return code;
	builder->run_count++;
	batch_reset(&builder->batch);
	return 0;
}

static int end_piece(struct bigram_builder *builder, trawl_error *error)
{
	struct batch *batch = &builder->batch;
	struct piece piece;
	int code = piece_finish(&builder->maker, &piece, batch->first_ordinal + batch->document_count, error);
	if (!code)
		code = batch_take(batch, &piece, error);
	if (code)
		piece_release(&piece);
	else if (batch_memory(batch) > builder->memory && batch->document_count >= LEAST_OF_RUN)
		code = spill_bigrams(builder, error);
	return code;
}

static int add_bigram(struct bigram_builder *builder, uint32_t first, uint32_t second, trawl_error *error)
{
	char name[BIGRAM_NAME_BYTES];
	bigram_name(name, first, second);
	uint32_t number = lexicon_number(&builder->batch.lexicon, name, sizeof name);
	return number != UINT32_MAX && piece_add_term(&builder->maker, number) ? 0 : error_set_memory(error);
}

/* The document's occurrences are at[0..count). */
static int add_document(struct bigram_builder *builder, const struct occurrence *at, size_t count, trawl_error *error)
{
	int code = piece_begin_document(&builder->maker) ? 0 : error_set_memory(error);
	for (size_t i = 0; !code && i + 1 < count; i++) {
		const struct frequent *first = &builder->frequent[at[i].term],
		                      *second = &builder->frequent[at[i + 1].term];
		if (at[i].position + 1 == at[i + 1].position &&
		    bigram_is_listed(first->df, second->df, builder->segment->documents))
			code = add_bigram(builder, first->number, second->number, error);
	}
	if (!code)
		piece_end_document(&builder->maker);
	if (!code && builder->maker.token_count >= builder->piece_bigrams)
		code = end_piece(builder, error);
	return code;
}

static int add_bucket(struct bigram_builder *builder, uint32_t number, trawl_error *error)
{
	struct bucket *bucket = &builder->buckets[number];
	int code = gather(builder, number, error);
	if (!code)
		code = sort_bucket(bucket, error);
	uint32_t doc = number * builder->bucket_documents, left = builder->segment->documents - doc;
	uint32_t end = doc + (left < builder->bucket_documents ? left : builder->bucket_documents);
	for (size_t i = 0; !code && doc < end; doc++) {
		size_t from = i;
		while (i < bucket->count && bucket->occurrences[i].doc == doc)
			i++;
		code = add_document(builder, bucket->occurrences + from, i - from, error);
	}
	memory_free(bucket->occurrences);
	bucket->occurrences = NULL;
	bucket->count = bucket->capacity = 0;
	return code;
}

static int write_bigram(void *context, const struct term_list *list, trawl_error *error)
{
	return bigrams_writer_add(context, list->term, list->docs, list->tfs, list->df, error);
}

static int write_bigrams(struct bigram_builder *builder, trawl_error *error)
{
	struct bigrams_writer writer;
	struct term_sink sink = {write_bigram, &writer};
	int code = bigrams_writer_init(&writer, builder->segment, error);
	if (!code)
		code = end_piece(builder, error);
	if (!code && builder->run_count && builder->batch.document_count)
		code = spill_bigrams(builder, error);
	if (!code && builder->run_count)
		code = runs_merge(builder->runs, builder->run_count, NULL, &sink, error);
	else if (!code)
		code = batch_invert(&builder->batch, NULL, &sink, error);
	if (!code)
		code = bigrams_writer_finish(&writer, error);
	bigrams_writer_release(&writer);
	return code;
}

int bigram_builder_finish(struct bigram_builder *builder, struct work *work, double share, trawl_error *error)
{
	int code = 0;
	work_stage(work, "finding bigrams", share * FINDING_SHARE, builder->bucket_count);
	for (uint32_t i = 0; !code && i < builder->bucket_count; i++) {
		if (i * builder->bucket_documents < builder->segment->documents)
			code = add_bucket(builder, i, error);
		work_done(work, i + 1);
	}
	work_stage(work, "writing bigrams", share * (1 - FINDING_SHARE), 1);
	return code ? code : write_bigrams(builder, error);
}
