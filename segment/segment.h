/*
 * segment.h - segments and the manifest that names them.
 *
 * `struct segment` is one segment as a snapshot sees it; `struct segment_writer` writes one, given its documents in order of
 * their ordinals and then its terms in byte order; `struct manifest` is the commit record.
 */
#ifndef TRAWL_SEGMENT_SEGMENT_H
#define TRAWL_SEGMENT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment/documents.h"
#include "segment/postings.h"
#include "segment/terms.h"
#include "store/store.h"

/* ---- the manifest ---- */

struct manifest_segment {
	uint32_t number, documents, deleted;
	uint64_t live_tokens, live_postings, live_text_bytes, deletion_bytes;
};

struct manifest {
	uint64_t generation;
	uint32_t next_segment, flags, analysis_version;
	char language[64];
	struct manifest_segment *segments;
	size_t segment_count, segment_capacity;
};

/* The last commit of a snapshot; a file without any is an empty manifest with generation 0. */
int manifest_read(struct manifest *manifest, struct snapshot *snapshot, trawl_error *error);
bool manifest_write(const struct manifest *manifest, struct buffer *out);
bool manifest_copy(struct manifest *copy, const struct manifest *manifest);
void manifest_release(struct manifest *manifest);
trawl_analysis manifest_analysis(const struct manifest *manifest);

/* ---- deletions ---- */

/* Document frequencies of the dead: by term number, ascending. */
struct dead_term {
	uint64_t number;
	uint32_t count;
};

struct deletions {
	uint64_t *words; /* one bit a docID: 1 is dead; NULL: none are */
	struct dead_term *terms;
	size_t term_count, term_capacity;
};

bool deletions_write(const struct deletions *deletions, uint32_t documents, struct buffer *out);
void deletions_release(struct deletions *deletions);

/* ---- reading ---- */

struct segment {
	struct snapshot *snapshot;
	struct manifest_segment summary;
	uint32_t documents_count, ordinals;
	uint64_t tokens, postings_count, term_count, text_bytes;
	float born_average;
	uint8_t least_length, greatest_length; /* bytes */
	uint64_t part_bytes[PART_COUNT];
	struct buffer root;
	struct part id_index, order, lengths_part, spans_part, postings, positions, content_hashes;
	const uint8_t *first_hashes; /* of the id index's extents; in the root */
	const uint8_t *lengths;      /* of all docIDs, contiguous, and EXTENT_SLACK more */
	const uint8_t *spans; /* likewise what positions are laid out by: the lengths, unless stop words left gaps */
	uint8_t *lengths_copy, *spans_copy; /* when they fill more than an extent */
	struct terms terms;
	struct documents stored;
	struct deletions deletions;
	/* pairs (pairs.c); only where has_pairs */
	struct terms pairs;
	struct part pair_postings;
	struct buffer pair_root;
	uint64_t pair_count, pair_postings_count;
	bool has_pairs;
	bool has_positions, has_gaps; /* has_gaps: dropped stop words leave positions without a term */
};

/* Read a whole part of unknown length, extent by extent. */
int segment_read_part(struct snapshot *snapshot, uint32_t segment, uint32_t number, struct buffer *out,
                      trawl_error *error);

int segment_open(struct segment *segment, struct snapshot *snapshot, const struct manifest *manifest, size_t index,
                 trawl_error *error);
void segment_close(struct segment *segment);

static inline bool segment_is_dead(const struct segment *segment, uint32_t doc)
{
	return segment->deletions.words && (segment->deletions.words[doc / 64] >> (doc % 64) & 1);
}

/* Bytes of memory it holds. */
size_t segment_memory(const struct segment *segment);

/* Bytes of all its parts, and what they take in the file. */
uint64_t segment_bytes(const struct segment *segment);
uint64_t segment_file_bytes(const struct segment *segment);
/* What a part of `bytes` takes in the file: LMDB gives a value of over half a page or so pages of its own. */
uint64_t part_file_bytes(uint64_t bytes);

/* Live documents with the term. */
uint32_t segment_live_df(const struct segment *segment, const struct term_entry *entry);

int segment_ordinal(struct segment *segment, uint32_t doc, uint32_t *ordinal, trawl_error *error);

/* The live document with this id: 1 and its docID, 0 when there is none, negative on error. */
int segment_find_id(struct segment *segment, const char *id, size_t length, struct documents_scratch *scratch,
                    uint32_t *doc, trawl_error *error);

/* The document's content hash (document_hash of what is stored). */
int segment_content_hash(struct segment *segment, uint32_t doc, uint64_t *hash, trawl_error *error);

/* The stored document, id included; lives until the next use of the scratch. */
int segment_fetch(struct segment *segment, uint32_t doc, struct documents_scratch *scratch, trawl_document *document,
                  trawl_error *error);

/* A pair's name in its dictionary: the numbers of its terms, big-endian. */
#define PAIR_NAME_BYTES 8
void pair_name(char name[PAIR_NAME_BYTES], uint32_t first, uint32_t second);

/* The pair list of two terms of this segment, of documents where the first stands right before the second (tf: how often). */
enum pair_state {
	PAIR_ABSENT, /* they stand so nowhere */
	PAIR_FOUND,
	PAIR_UNLISTED /* too rare for a list, or the segment has none */
};

/* An enum pair_state, or negative on error. */
int segment_find_pair(struct segment *segment, const struct term_entry *first, const struct term_entry *second,
                      struct term_entry *pair, trawl_error *error);

/* Called by segment_open and segment_close. */
int segment_open_pairs(struct segment *segment, trawl_error *error);
void segment_close_pairs(struct segment *segment);

/* ---- writing ---- */

struct segment_writer {
	struct store_batch *batch;
	uint32_t number;
	bool positions;
	struct documents_writer stored;
	uint64_t text_bytes;
	/* from segment_writer_begin_terms on */
	struct part_writer postings_part, positions_part;
	struct postings_encoder encoder;
	struct terms_writer terms;
	struct buffer first_hashes; /* of the id index's extents */
	bool ordered;
	uint32_t documents;
	const uint8_t *lengths;
	uint64_t tokens, postings_count;
	float average;
};

/* The pair lists of a segment whose terms are all written; they go to parts of their own. */
struct pairs_writer {
	const struct segment_writer *segment;
	struct part_writer postings_part;
	struct postings_encoder encoder;
	struct terms_writer terms;
	uint64_t postings_count;
};

int pairs_writer_init(struct pairs_writer *writer, const struct segment_writer *segment, trawl_error *error);
int pairs_writer_add(struct pairs_writer *writer, const char name[PAIR_NAME_BYTES], const uint32_t *docs,
                     const uint32_t *tfs, uint32_t df, trawl_error *error);
int pairs_writer_finish(struct pairs_writer *writer, trawl_error *error);
void pairs_writer_release(struct pairs_writer *writer);

int segment_writer_init(struct segment_writer *writer, struct store_batch *batch, uint32_t number, bool positions,
                        trawl_error *error);
void segment_writer_release(struct segment_writer *writer);

/* Store a document. */
int segment_writer_document(struct segment_writer *writer, const trawl_document *document, trawl_error *error);

/* All documents are stored: `documents` of them have docIDs, their length bytes are `lengths`, the bytes of their last positions + 1
 * are `spans` (NULL: the lengths; both borrowed until finish). `order`: the
 * ordinal of each docID, or NULL when each is its own. `hashes`: id_hash of each docID. */
int segment_writer_begin_terms(struct segment_writer *writer, uint32_t documents, const uint8_t *lengths,
                               const uint8_t *spans, uint64_t tokens, const uint32_t *order, const uint32_t *hashes,
                               trawl_error *error);

/* Terms in ascending byte order. */
int segment_writer_term(struct segment_writer *writer, const char *term, uint8_t length, const uint32_t *docs,
                        const uint32_t *tfs, uint32_t df, const struct position_source *source, trawl_error *error);

/* Write an array as a part of its own. */
int segment_write_part(struct store_batch *batch, uint32_t segment, uint32_t number, const void *bytes, uint64_t length,
                       trawl_error *error);

/* The same in two steps: encoding, by any thread with an encoder of its own, appends terms in ascending byte order to `out`; placing
 * takes such runs of terms in order. */
void segment_writer_encoder(const struct segment_writer *writer, struct postings_encoder *encoder);
int segment_term_encode(struct postings_encoder *encoder, const char *term, uint8_t length, const uint32_t *docs,
                        const uint32_t *tfs, uint32_t df, const struct position_source *source, struct buffer *out,
                        trawl_error *error);
int segment_writer_place(struct segment_writer *writer, const struct buffer *encoded, trawl_error *error);

/* Write the root and fill in what the manifest says of the segment. */
int segment_writer_finish(struct segment_writer *writer, struct manifest_segment *summary, trawl_error *error);

#endif
