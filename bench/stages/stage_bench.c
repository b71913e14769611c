/*
 * stage_bench.c - where the time goes while an index is built: each stage by itself, on one thread, over a whole corpus.
 *
 *   stage_bench CORPUS   a JSON Lines file, compressed or not
 *
 * Each stage is given what the one before it made, and only its own work is timed. CPU seconds are the thread's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "indexer/batch.h"
#include "input/stream.h"
#include "segment/documents.h"
#include "segment/segment.h"
#include "segment/segment_writer.h"
#include "trawl.h"

#define PIECE_BYTES ((size_t)2 << 20)
#define CHUNK_BYTES ((size_t)64 << 10)

static trawl_error error;

static void check(int code, const char *doing)
{
	if (code < 0) {
		fprintf(stderr, "stage_bench: %s: %s\n", doing, error.text);
		exit(2);
	}
}

static double cpu_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t text_bytes;

static void tell(const char *stage, double seconds, const char *what, double bytes)
{
	printf("%-34s %8.3f s %8.0f MB/s", stage, seconds, (double)text_bytes / 1e6 / seconds);
	if (what)
		printf("   %s %.1f MB", what, bytes / 1e6);
	printf("\n");
}

/* ---- the corpus in memory: documents as they are stored ---- */

struct corpus {
	struct buffer documents, ids;
	uint32_t *id_lengths;
	size_t count, capacity;
};

static double read_corpus(struct corpus *corpus, const char *path)
{
	trawl_source *source;
	trawl_document document;
	double seconds = -cpu_seconds();
	int more;
	check(trawl_source_open(&source, &path, 1, NULL, &error), path);
	while ((more = trawl_source_next(source, &document, &error)) > 0) {
		seconds += cpu_seconds();
		if (!stored_document_append(&corpus->documents, &document) ||
		    !buffer_append(&corpus->ids, document.id, document.id_length) ||
		    !memory_reserve(&corpus->id_lengths, &corpus->capacity, corpus->count + 1, sizeof(uint32_t)))
			abort();
		corpus->id_lengths[corpus->count++] = (uint32_t)document.id_length;
		text_bytes += document.title_length + document.text_length;
		seconds -= cpu_seconds();
	}
	check(more, path);
	trawl_source_close(source);
	return seconds + cpu_seconds();
}

static double read_only(const char *path)
{
	struct stream *stream;
	static uint8_t bytes[CHUNK_BYTES];
	double seconds = -cpu_seconds();
	FILE *file = fopen(path, "rb");
	if (!file)
		return 0;
	check(stream_new(&stream, &error), path);
	stream_start(stream, fileno(file), false);
	size_t length = 1;
	while (length)
		check(stream_read(stream, bytes, sizeof bytes, &length, &error), path);
	stream_free(stream);
	fclose(file);
	return seconds + cpu_seconds();
}

/* ---- the stages ---- */

static uint64_t tokenize_only(const struct corpus *corpus, struct tokenizer *tokenizer)
{
	const uint8_t *at = corpus->documents.data, *end = at + corpus->documents.length;
	struct token tokens[256];
	trawl_document document;
	uint64_t total = 0;
	int count;
	while (at < end && stored_document_read(&at, end, &document)) {
		tokenizer_start(tokenizer, document.title, document.title_length);
		while ((count = tokenizer_next(tokenizer, tokens, 256)) > 0)
			total += (uint64_t)count;
		tokenizer_continue(tokenizer, document.text, document.text_length);
		while ((count = tokenizer_next(tokenizer, tokens, 256)) > 0)
			total += (uint64_t)count;
	}
	return total;
}

struct index_work {
	struct batch batch;
	uint8_t *lengths, *last_positions;
	uint32_t *hashes;
	uint64_t tokens;
	double numbering, inverting;
};

/* Tokens to term numbers, piece by piece, and their inversion. */
static void make_pieces(struct index_work *work, const struct corpus *corpus, struct tokenizer *tokenizer)
{
	const uint8_t *at = corpus->documents.data, *end = at + corpus->documents.length, *start = at;
	struct piece_maker maker = {0};
	struct piece piece;
	trawl_document document;
	uint32_t length, span;
	double began = cpu_seconds();
	for (size_t i = 0; at < end && stored_document_read(&at, end, &document); i++) {
		check(piece_add(&maker, &work->batch.lexicon, tokenizer, &document, &length, &span, &error),
		      "analysing");
		work->lengths[i] = length_encode(length);
		work->tokens += length;
		if ((size_t)(at - start) < PIECE_BYTES && at < end)
			continue;
		double now = cpu_seconds();
		work->numbering += now - began;
		check(piece_finish(&maker, &piece, work->batch.document_count, &error), "inverting");
		check(batch_take(&work->batch, &piece, &error), "inverting");
		began = cpu_seconds();
		work->inverting += began - now;
		start = at;
	}
	piece_maker_release(&maker);
}

static int drop_term(void *context, const struct term_list *list, trawl_error *unused)
{
	uint32_t **positions = context;
	static size_t capacity;
	int code = 0;
	for (uint32_t i = 0; !code && i < list->df; i++) {
		if (!memory_reserve(positions, &capacity, list->tfs[i], sizeof **positions))
			return TRAWL_ENOMEM;
		code = list->source->next(list->source->context, list->tfs[i], *positions, unused);
	}
	return code;
}

static int put_term(void *context, const struct term_list *list, trawl_error *unused)
{
	return segment_writer_term(context, list, unused);
}

/* Blocks cut as the pipeline cuts them, compressed, and dropped. */
static double compress_only(const struct corpus *corpus, uint64_t *bytes)
{
	const uint8_t *at = corpus->documents.data, *end = at + corpus->documents.length, *start = at;
	size_t border = STORED_DICTIONARY_BYTES;
	struct buffer out = {0};
	trawl_document document;
	ZSTD_CCtx *compressor = ZSTD_createCCtx();
	double began = cpu_seconds();
	struct compression_dictionary *dictionary = compression_dictionary_new(start, STORED_DICTIONARY_BYTES, 3);
	while (at < end && stored_document_read(&at, end, &document)) {
		if ((size_t)(at - start) < border && at < end)
			continue;
		out.length = 0;
		check(stored_block_compress(compressor, dictionary, start, (size_t)(at - start), &out, &error),
		      "compressing");
		*bytes += out.length;
		start = at;
		border = STORED_BLOCK_BYTES;
	}
	double seconds = cpu_seconds() - began;
	ZSTD_freeCCtx(compressor);
	compression_dictionary_free(dictionary);
	buffer_release(&out);
	return seconds;
}

/* Extents of as many bytes through the store, to a file beside the corpus. */
static double write_only(const char *path, uint64_t bytes)
{
	struct store *store;
	struct store_batch *batch;
	struct part_writer part;
	static uint8_t noise[CHUNK_BYTES];
	uint64_t random = 1;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)((random = random * 6364136223846793005u + 1) >> 56);
	check(store_open(&store, path, true, &error), path);
	check(store_batch_new(&batch, store, &error), path);
	check(part_writer_init(&part, batch, 1, PART_DOCUMENTS, &error), path);
	double began = cpu_seconds();
	for (uint64_t done = 0; done < bytes; done += sizeof noise)
		check(part_writer_append(&part, noise, sizeof noise, &error), path);
	check(part_writer_finish(&part, &error), path);
	check(store_batch_commit(batch, noise, 64, &error), path);
	double seconds = cpu_seconds() - began;
	part_writer_release(&part);
	store_batch_free(batch);
	store_close(store);
	return seconds;
}

static double encode(struct index_work *work, size_t documents, const char *path, uint64_t *bytes)
{
	struct store *store;
	struct store_batch *batch;
	struct segment_writer writer;
	struct term_sink sink = {put_term, &writer};
	check(store_open(&store, path, true, &error), path);
	check(store_batch_new(&batch, store, &error), path);
	check(store_batch_hold(batch, &error), path); /* writing is a stage of its own */
	check(segment_writer_init(&writer, batch, 1, true, &error), path);
	check(segment_writer_begin_terms(&writer, (uint32_t)documents, work->lengths, NULL, work->tokens, NULL,
	                                 work->hashes, &error),
	      path);
	double began = cpu_seconds();
	check(batch_invert(&work->batch, NULL, &sink, &error), "encoding");
	double seconds = cpu_seconds() - began;
	*bytes = writer.postings_part.address + writer.positions_part.address + writer.terms.part.address;
	segment_writer_release(&writer);
	store_batch_free(batch);
	store_close(store);
	return seconds;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: stage_bench CORPUS\n");
		return 2;
	}
	struct corpus corpus = {0};
	struct index_work work = {0};
	struct tokenizer *tokenizer;
	uint64_t compressed = 0, encoded = 0;
	uint32_t *positions = NULL;
	const trawl_analysis analysis = {0};
	char path[64];
	snprintf(path, sizeof path, "stage-bench-%ld.trawl", (long)getpid());
	read_only(argv[1]); /* into the page cache */
	double reading = read_only(argv[1]), parsing = read_corpus(&corpus, argv[1]);
	printf("%zu documents, %.1f MB of title and text\n", corpus.count, (double)text_bytes / 1e6);
	tell("read and decompress", reading, NULL, 0);
	tell("parse", parsing - reading, NULL, 0);
	check(tokenizer_new(&tokenizer, &analysis, &error), "a tokenizer");
	double began = cpu_seconds();
	tokenize_only(&corpus, tokenizer);
	double tokenizing = cpu_seconds() - began;
	tell("tokenize and stem", tokenizing, NULL, 0);
	tokenizer_forget(tokenizer);
	work.lengths = calloc(corpus.count + 64, 1);
	work.hashes = calloc(corpus.count + 1, sizeof *work.hashes);
	batch_init(&work.batch, 0, false);
	make_pieces(&work, &corpus, tokenizer);
	tell("number terms (beyond tokenizing)", work.numbering - tokenizing, NULL, 0);
	tell("invert pieces", work.inverting, "in memory", (double)work.batch.piece_bytes);
	printf("%-34s %8.2f (and %.2f for the terms)\n", "bytes a token in memory",
	       (double)work.batch.piece_bytes / (double)work.tokens,
	       (double)lexicon_memory(&work.batch.lexicon) / (double)work.tokens);
	began = cpu_seconds();
	struct term_sink drop = {drop_term, &positions};
	check(batch_invert(&work.batch, NULL, &drop, &error), "merging");
	double merging = cpu_seconds() - began;
	tell("merge pieces by term", merging, NULL, 0);
	double encoding = encode(&work, corpus.count, path, &encoded);
	tell("encode (beyond merging)", encoding - merging, "lists, positions, terms", (double)encoded);
	batch_release(&work.batch);
	double compressing = compress_only(&corpus, &compressed);
	tell("compress documents", compressing, "stored", (double)compressed);
	double writing = write_only(path, encoded + compressed);
	tell("write (checksums, file system)", writing, "written", (double)(encoded + compressed));
	tell("all", parsing + work.numbering + work.inverting + encoding + compressing + writing, NULL, 0);
	unlink(path);
	snprintf(path, sizeof path, "stage-bench-%ld.trawl-lock", (long)getpid());
	unlink(path);
	return 0;
}
