/*
 * segment_set.h - the segments that a writer sees: those of the last commit, and behind them those that its batch has filled since,
 * which are in the file but in no manifest; and which of their documents the next commit deletes.
 */
#ifndef TRAWL_INDEXER_SEGMENT_SET_H
#define TRAWL_INDEXER_SEGMENT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "indexer/budget.h"
#include "indexer/delete_buffer.h"
#include "indexer/id_filter.h"
#include "indexer/uncommitted.h"
#include "segment/segment.h"

struct document_place {
	size_t segment; /* its index in the set */
	uint32_t doc;
};

/* Zero-initialised is closed. */
struct segment_set {
	const struct budget *budget;
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest; /* of the last commit, and of the segments since */
	struct segment *segments;
	size_t cut_count; /* segments since */
	struct documents_scratch scratch;
	struct delete_buffer *deletes;      /* of each segment */
	struct tokenizer *delete_tokenizer; /* analyses deleted documents */
	struct id_filter cut_ids;           /* of the segments since */
	struct document_place expected; /* of the document that comes next if all come in the order of the last run */
};

/* Open the last commit of `store`, which may be the one that was open before: what was not committed is forgotten. */
int segment_set_open(struct segment_set *set, struct store *store, const struct budget *budget, trawl_error *error);
void segment_set_close(struct segment_set *set);
void segment_set_release(struct segment_set *set); /* closes it */

/* A segment with these documents was flushed: see it as if it were committed. What is known of deletions stays. */
int segment_set_add(struct segment_set *set, const struct manifest_segment *added,
                    const struct uncommitted *uncommitted, trawl_error *error);

/* The live document with this id: 1 and its place, 0, or negative. */
int segment_set_find(struct segment_set *set, const struct hashed_id *id, struct document_place *place,
                     trawl_error *error);

/* The next commit deletes a document. */
int segment_set_delete(struct segment_set *set, const struct document_place *place, trawl_error *error);
bool segment_set_has_deletions(const struct segment_set *set);

/* Put the deletions, and bring `manifest`, a copy of the set's, up to date: a segment without live documents goes altogether. */
int segment_set_write_deletions(struct segment_set *set, struct store_batch *output, struct manifest *manifest,
                                trawl_error *error);

/* Bytes that are held. */
size_t segment_set_memory(const struct segment_set *set);

#endif
