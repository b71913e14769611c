/* writer.h - what writer.c (opening, closing), adding.c, committing.c and merging.c share of trawl_writer. */
#ifndef TRAWL_INDEXER_WRITER_H
#define TRAWL_INDEXER_WRITER_H

#include <stdbool.h>

#include "indexer/budget.h"
#include "indexer/segment_builder.h"
#include "indexer/segment_set.h"
#include "indexer/unchanged.h"
#include "indexer/workers.h"

struct trawl_writer {
	struct store *store;
	int lock;
	bool fresh;  /* the file was made by this writer and has no commit */
	bool failed; /* an error ended the batch */
	bool no_merge;
	struct sameness sameness; /* of a document that comes again with the one that is stored */
	struct budget budget;
	struct workers *workers;
	struct segment_set segments;
	struct store_batch *output;
	struct segment_builder builder;
	struct work work;
	struct estimate estimate;
	trawl_writer_stats stats;
};

/* The error of a writer that has failed. */
int writer_refuse_failed(trawl_error *error);

/* Make the batch that writes to the store. */
int writer_open_output(struct trawl_writer *writer, trawl_error *error);

/* Remove what an unfinished commit or merge wrote. */
int writer_sweep(struct trawl_writer *writer, trawl_error *error);

/* Whether there is something to commit: an index that has no commit yet gets one even without documents. */
bool writer_has_changes(const struct trawl_writer *writer);

/* Bytes of the segment that the last commit made, if it made one. */
uint64_t writer_bytes_made(const struct trawl_writer *writer);

/* What is due after a commit. What is committed stays so: where room or memory is short, it is left undone. */
int writer_merge_as_due(struct trawl_writer *writer, trawl_error *error);

#endif
