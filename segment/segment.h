/* segment.h - one segment as a snapshot sees it. */
#ifndef TRAWL_SEGMENT_SEGMENT_H
#define TRAWL_SEGMENT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment/bigrams.h"
#include "segment/deletions.h"
#include "segment/documents.h"
#include "segment/id_index.h"
#include "segment/manifest.h"
#include "segment/postings.h"
#include "segment/terms.h"
#include "store/store.h"

struct segment {
	struct snapshot *snapshot;
	struct manifest_segment summary;
	uint32_t documents_count, ordinals;
	uint64_t tokens, postings_count, term_count, text_bytes;
	float build_average;
	uint8_t least_length, greatest_length; /* bytes */
	uint64_t part_bytes[PART_COUNT];
	struct buffer root;
	struct id_index id_index;
	struct part order, lengths_part, last_positions_part, postings, positions, content_hashes;
	const uint8_t *lengths; /* of all docIDs, contiguous, and EXTENT_SLACK more */
	const uint8_t
	    *last_positions; /* likewise what positions are laid out by: the lengths, unless stop words left gaps */
	uint8_t *lengths_copy, *last_positions_copy; /* when they fill more than an extent */
	struct terms terms;
	struct documents stored;
	struct deletions deletions;
	struct bigram_lists bigrams; /* only where has_bigrams */
	bool has_bigrams;
	bool has_positions, has_gaps; /* has_gaps: dropped stop words leave positions without a term */
};

int segment_open(struct segment *segment, struct snapshot *snapshot, const struct manifest *manifest, size_t index,
                 trawl_error *error);
void segment_close(struct segment *segment);

static inline bool segment_is_deleted(const struct segment *segment, uint32_t doc)
{
	return segment->deletions.words && (segment->deletions.words[doc / 64] >> (doc % 64) & 1);
}

/* Bytes of memory it holds. */
size_t segment_memory(const struct segment *segment);

/* Bytes of all its parts, and what they take in the file. */
uint64_t segment_bytes(const struct segment *segment);
uint64_t segment_file_bytes(const struct segment *segment);

/* Live documents with the term. */
uint32_t segment_live_df(const struct segment *segment, const struct term_entry *entry);

/* The bigram list of two terms, the first right before the second: an enum bigram_state, or negative on error. */
int segment_find_bigram(struct segment *segment, const struct term_entry *first, const struct term_entry *second,
                        struct term_entry *bigram, trawl_error *error);

int segment_ordinal(struct segment *segment, uint32_t doc, uint32_t *ordinal, trawl_error *error);

/* The live document with this id: 1 and its docID, 0 when there is none, negative on error. */
int segment_find_hashed_id(struct segment *segment, const struct hashed_id *id, struct documents_scratch *scratch,
                           uint32_t *doc, trawl_error *error);
int segment_find_id(struct segment *segment, const char *id, size_t length, struct documents_scratch *scratch,
                    uint32_t *doc, trawl_error *error);

/* The document's content hash (document_hash of what is stored). */
int segment_content_hash(struct segment *segment, uint32_t doc, uint64_t *hash, trawl_error *error);

/* The stored document, id included; lives until the next use of the scratch. */
int segment_fetch(struct segment *segment, uint32_t doc, struct documents_scratch *scratch, trawl_document *document,
                  trawl_error *error);

#endif
