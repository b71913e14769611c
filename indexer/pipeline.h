/*
 * pipeline.h - documents on their way into a batch: analysed, inverted and compressed by several threads.
 *
 * The caller's thread puts documents into blocks as they will be stored, and some blocks make a job. A worker compresses
 * the blocks and makes a piece of the documents (piece.h). The caller's thread takes finished jobs in the order in which
 * their documents came, so what is written does not depend on the number of threads.
 */
#ifndef TRAWL_INDEXER_PIPELINE_H
#define TRAWL_INDEXER_PIPELINE_H

#include "indexer/batch.h"
#include "indexer/incoming.h"
#include "indexer/uncommitted.h"
#include "indexer/workers.h"
#include "segment/documents.h"

struct pipeline;

struct pipeline_options {
	trawl_analysis analysis;
	unsigned threads;
	size_t memory; /* for jobs under way and what workers know of words; kept to roughly */
	struct workers *workers;
	struct batch *batch;             /* takes the pieces */
	struct uncommitted *uncommitted; /* is told the documents' lengths */
};

int pipeline_new(struct pipeline **out, const struct pipeline_options *options, trawl_error *error);
void pipeline_free(struct pipeline *pipeline); /* drops what is under way */

/* Add the next document. `stored` is where blocks go. The failure may be of an earlier document. */
int pipeline_add(struct pipeline *pipeline, struct documents_writer *stored, const struct incoming *incoming,
                 trawl_error *error);

/* Whether the last document added ended a job: a good time to look how much memory is in use. */
bool pipeline_between_jobs(const struct pipeline *pipeline);

/* Wait for all jobs under way, so that the batch holds whole jobs only. Documents of an unfinished block stay here. */
int pipeline_drain(struct pipeline *pipeline, trawl_error *error);

/* The last document is added: everything goes to the batch. */
int pipeline_finish(struct pipeline *pipeline, trawl_error *error);

/* Workers forget the numbers of words, which lead into a batch that was reset. After pipeline_drain. */
void pipeline_forget(struct pipeline *pipeline);

/* Drop what is here, after a failure or a commit. */
void pipeline_reset(struct pipeline *pipeline);

size_t pipeline_memory(const struct pipeline *pipeline);
uint64_t pipeline_tokens(const struct pipeline *pipeline); /* of all documents that reached the batch */

#endif
