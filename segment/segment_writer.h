/* segment_writer.h - a segment being written: its documents in order of their ordinals, then its terms in byte order, then its root. */
#ifndef TRAWL_SEGMENT_SEGMENT_WRITER_H
#define TRAWL_SEGMENT_SEGMENT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/documents.h"
#include "segment/manifest.h"
#include "segment/postings.h"
#include "segment/terms.h"
#include "store/store.h"

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

int segment_writer_init(struct segment_writer *writer, struct store_batch *batch, uint32_t number, bool positions,
                        trawl_error *error);
void segment_writer_release(struct segment_writer *writer);

/* Store a document. */
int segment_writer_document(struct segment_writer *writer, const trawl_document *document, trawl_error *error);

/* All documents are stored: `documents` of them have docIDs, their length bytes are `lengths`, the bytes of their last positions + 1
 * are `last_positions` (NULL: the lengths; both borrowed until finish). `order`: the
 * ordinal of each docID, or NULL when each is its own. `hashes`: id_hash of each docID. */
int segment_writer_begin_terms(struct segment_writer *writer, uint32_t documents, const uint8_t *lengths,
                               const uint8_t *last_positions, uint64_t tokens, const uint32_t *order,
                               const uint32_t *hashes, trawl_error *error);

/* Terms in ascending byte order. */
int segment_writer_term(struct segment_writer *writer, const struct term_list *list, trawl_error *error);

/* The same in two steps: encoding, by any thread with an encoder of its own, appends terms in ascending byte order to `out`; placing
 * takes such runs of terms in order. */
void segment_writer_encoder(const struct segment_writer *writer, struct postings_encoder *encoder);
int segment_term_encode(struct postings_encoder *encoder, const struct term_list *list, struct buffer *out,
                        trawl_error *error);
int segment_writer_place(struct segment_writer *writer, const struct buffer *encoded, trawl_error *error);

/* Write the root and fill in what the manifest says of the segment. */
int segment_writer_finish(struct segment_writer *writer, struct manifest_segment *summary, trawl_error *error);

#endif
