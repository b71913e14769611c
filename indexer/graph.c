/*
 * graph.c - documents and their terms, gathered in passes over the postings: how many documents a term has; of the terms that are
 * wanted, how many a document has; and which. Pieces are looked at by several threads, runs by one.
 *
 * A term tells little that only a handful of documents have, and little for its many postings when a great share of all has it.
 */
#include "indexer/graph.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DF_LEAST 8
#define DF_SHARE 16           /* terms in over a 16th of the documents are left out, */
#define DF_SHARE_SMALL 4      /* or over a fourth, if those */
#define DF_SMALL 8192         /* are no more than this */
#define POSTINGS_LEAST 6      /* of a document, on average; with room for fewer, they stay as they are */
#define DOCUMENT_BYTES 32     /* of each document, in the graph and while it is bisected */
#define NOT_WANTED UINT32_MAX /* no number in the graph */

enum pass { PASS_FREQUENCIES, PASS_DEGREES, PASS_TERMS };

struct builder {
	struct graph *graph;
	const struct unordered *unordered;
	const uint32_t *docs;
	enum pass pass;
	size_t term_count, frequency_capacity;
	/* By a term's number in the batch or place in the runs: */
	uint32_t *frequencies; /* documents */
	uint32_t *numbers;     /* in the graph */
	uint64_t *next;        /* of each document: how many terms; then where the next one goes */
};

/* ---- passes over pieces ---- */

struct piece_job {
	struct job job;
	struct builder *builder;
	const struct piece *piece;
};

static void look_at_record(const struct builder *builder, const struct piece *piece, const struct piece_entry *entry)
{
	const uint8_t *at = piece->records + entry->offset;
	struct piece_posting posting = {.ordinal = piece->first_ordinal - 1};
	uint32_t frequency = 0;
	uint32_t number = builder->pass == PASS_FREQUENCIES ? 0 : builder->numbers[entry->term];
	if (number == NOT_WANTED)
		return;
	while (piece_next_posting(&at, &posting)) {
		uint32_t doc = builder->docs[posting.ordinal];
		if (doc == DOCUMENT_NONE)
			continue;
		if (builder->pass == PASS_FREQUENCIES)
			frequency++;
		else if (builder->pass == PASS_DEGREES)
			builder->next[doc]++;
		else
			builder->graph->terms[builder->next[doc]++] = number;
	}
	if (builder->pass == PASS_FREQUENCIES)
		atomic_fetch_add_explicit((_Atomic uint32_t *)&builder->frequencies[entry->term], frequency,
		                          memory_order_relaxed);
}

/* A document is in one piece alone. */
static void look_at_piece(struct job *base, unsigned worker)
{
	const struct piece_job *job = (struct piece_job *)base;
	(void)worker;
	for (uint32_t i = 0; i < job->piece->entry_count; i++)
		look_at_record(job->builder, job->piece, &job->piece->entries[i]);
}

static int look_at_pieces(struct builder *builder, trawl_error *error)
{
	const struct batch *batch = builder->unordered->batch;
	struct piece_job *jobs = memory_new(batch->piece_count * sizeof *jobs);
	if (!jobs)
		return error_set_memory(error);
	for (size_t i = 0; i < batch->piece_count; i++) {
		jobs[i] = (struct piece_job){{.run = look_at_piece}, builder, &batch->pieces[i]};
		workers_submit(builder->unordered->workers, &jobs[i].job);
	}
	for (size_t i = 0; i < batch->piece_count; i++)
		workers_wait(builder->unordered->workers, &jobs[i].job);
	memory_free(jobs);
	return 0;
}

/* ---- passes over runs ---- */

static int look_at_term(void *context, const struct term_list *list, trawl_error *error)
{
	struct builder *builder = context;
	size_t place = builder->term_count++;
	if (builder->pass == PASS_FREQUENCIES) {
		if (!memory_reserve(&builder->frequencies, &builder->frequency_capacity, place + 1,
		                    sizeof *builder->frequencies))
			return error_set_memory(error);
		builder->frequencies[place] = list->df;
		return 0;
	}
	uint32_t number = builder->numbers[place];
	for (uint32_t i = 0; number != NOT_WANTED && i < list->df; i++)
		if (builder->pass == PASS_DEGREES)
			builder->next[list->docs[i]]++;
		else
			builder->graph->terms[builder->next[list->docs[i]]++] = number;
	return 0;
}

static int look(struct builder *builder, enum pass pass, trawl_error *error)
{
	const struct unordered *unordered = builder->unordered;
	struct term_sink sink = {look_at_term, builder};
	builder->pass = pass;
	if (!unordered->run_count)
		return look_at_pieces(builder, error);
	builder->term_count = 0;
	return runs_merge(unordered->runs, unordered->run_count, builder->docs, &sink, error);
}

/* ---- which terms ---- */

/* The greatest df that is wanted: fewer when postings have no room. counts[df] becomes how many terms have a greater one that
 * is wanted too, which is the number that the first term of this df gets. */
static void choose_terms(struct builder *builder, uint32_t *counts, uint32_t most)
{
	size_t memory = builder->unordered->memory, fixed = (size_t)builder->graph->document_count * DOCUMENT_BYTES;
	uint64_t room = memory > fixed ? (memory - fixed) / sizeof(uint32_t) : 0, wanted = 0;
	uint32_t df = DF_LEAST, number = 0;
	for (; df <= most && wanted + (uint64_t)counts[df] * df <= room; df++)
		wanted += (uint64_t)counts[df] * df;
	if (df <= most && builder->graph->document_count > wanted / POSTINGS_LEAST)
		df = DF_LEAST;
	for (uint32_t above = df; above <= most; above++)
		counts[above] = NOT_WANTED;
	while (df-- > DF_LEAST) {
		uint32_t count = counts[df];
		counts[df] = number;
		number += count;
	}
	builder->graph->term_count = number;
}

static uint32_t greatest_wanted(uint32_t documents)
{
	uint32_t share = documents / DF_SHARE, small = documents / DF_SHARE_SMALL;
	small = small < DF_SMALL ? small : DF_SMALL;
	return share > small ? share : small;
}

/* Number the terms wanted by falling df. */
static int number_terms(struct builder *builder, trawl_error *error)
{
	uint32_t most = greatest_wanted(builder->graph->document_count);
	uint32_t *counts = memory_new_zeroed((size_t)most + 1, sizeof *counts);
	builder->numbers = memory_new(builder->term_count * sizeof *builder->numbers);
	if (!counts || !builder->numbers) {
		memory_free(counts);
		return error_set_memory(error);
	}
	for (size_t i = 0; i < builder->term_count; i++)
		if (builder->frequencies[i] >= DF_LEAST && builder->frequencies[i] <= most)
			counts[builder->frequencies[i]]++;
	choose_terms(builder, counts, most);
	for (size_t i = 0; i < builder->term_count; i++) {
		uint32_t df = builder->frequencies[i];
		bool wanted = df >= DF_LEAST && df <= most && counts[df] != NOT_WANTED;
		builder->numbers[i] = wanted ? counts[df]++ : NOT_WANTED;
	}
	memory_free(counts);
	return 0;
}

static bool place_documents(struct builder *builder)
{
	struct graph *graph = builder->graph;
	uint64_t sum = 0;
	for (uint32_t d = 0; d < graph->document_count; d++) {
		uint64_t degree = builder->next[d];
		graph->starts[d] = builder->next[d] = sum;
		sum += degree;
	}
	graph->starts[graph->document_count] = sum;
	graph->terms = memory_new(sum * sizeof *graph->terms);
	return graph->terms;
}

int graph_build(struct graph *graph, const struct unordered *unordered, const uint32_t *docs, uint32_t count,
                trawl_error *error)
{
	struct builder builder = {.graph = graph, .unordered = unordered, .docs = docs};
	*graph = (struct graph){.document_count = count};
	graph->starts = memory_new(((size_t)count + 1) * sizeof *graph->starts);
	builder.next = memory_new_zeroed(count, sizeof *builder.next);
	int code = graph->starts && builder.next ? 0 : error_set_memory(error);
	if (!code && !unordered->run_count) {
		builder.term_count = lexicon_limit(&unordered->batch->lexicon);
		builder.frequencies = memory_new_zeroed(builder.term_count, sizeof *builder.frequencies);
		code = builder.frequencies ? 0 : error_set_memory(error);
	}
	if (!code)
		code = look(&builder, PASS_FREQUENCIES, error);
	if (!code)
		code = number_terms(&builder, error);
	if (!code)
		code = look(&builder, PASS_DEGREES, error);
	if (!code && !place_documents(&builder))
		code = error_set_memory(error);
	if (!code)
		code = look(&builder, PASS_TERMS, error);
	memory_free(builder.frequencies);
	memory_free(builder.numbers);
	memory_free(builder.next);
	if (code)
		graph_release(graph);
	return code;
}
