/*
 * postings.h - posting lists: sparse and dense, and token positions, as docs/FORMAT.md lays them out.
 *
 * Encoders write to parts; decoders are pure and never trust a byte.
 */
#ifndef TRAWL_SEGMENT_POSTINGS_H
#define TRAWL_SEGMENT_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/format.h"
#include "segment/length.h"
#include "segment/positions.h"
#include "store/store.h"

/* The denominator's K = k1 * (1 - b + b * length / average) for each length byte. */
void bm25_denominators(float k1, float b, float average, float denominators[256]);

static inline float saturation(uint32_t tf, float denominator)
{
	float frequency = (float)tf;
	return frequency / (frequency + denominator);
}

/* ---- encoding ---- */

/* Yields the positions of a list's postings one after the other: `count` of them, ascending, into `positions`. */
struct position_source {
	int (*next)(void *context, uint32_t count, uint32_t *positions, trawl_error *error);
	void *context;
};

/* A term and its list: df postings by docID, ascending unless another order is said, and where their positions come from. */
struct term_list {
	const char *term;
	uint8_t length;
	uint32_t df;
	const uint32_t *docs, *tfs;
	const struct position_source *source;
};

struct postings_encoder {
	struct part_writer *postings, *positions; /* positions: NULL when the index has none */
	const uint8_t *lengths;                   /* of each docID */
	const uint8_t *last_positions;            /* of each docID: its last position + 1, in the same form */
	uint32_t documents;
	float denominators[256]; /* of the stored bounds */
	/* Where the positions of a list are there in their stored form already: hands all of them over by positions_copy and
	 * positions_put, instead of the source's next posting by posting. NULL: none. */
	int (*copy_positions)(void *context, struct postings_encoder *encoder, trawl_error *error);
	/* scratch */
	struct buffer chunks, gathered;
	uint32_t *position_scratch;
	size_t position_capacity;
	float *saturations;
	size_t saturation_capacity;
	struct chunk_sketch *sketches;
	size_t sketch_capacity;
	uint8_t *bounds;
	size_t bound_capacity;
	struct buffer *apart;   /* where positions go instead */
	struct bit_writer bits; /* of the list at hand */
};

void postings_encoder_release(struct postings_encoder *encoder);

/* Write the list of a term: n > 0 postings with ascending docIDs. *place tells where it went; the
 * postings may have been padded to a new extent first. */
struct list_place {
	uint64_t postings, postings_bytes, positions, positions_bytes;
};

int postings_encode(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                    const struct position_source *source, struct list_place *place, trawl_error *error);

/* The same in two steps: encoding, which any thread can do with an encoder of its own (its parts are not touched, but there
 * are positions if it has a part for them), appends to `out`, whose length is a multiple of 8; and placing, list by list. */
int postings_encode_to(struct postings_encoder *encoder, const uint32_t *docs, const uint32_t *tfs, uint32_t n,
                       const struct position_source *source, struct buffer *out, trawl_error *error);
int postings_place(struct postings_encoder *encoder, const uint8_t **at, struct list_place *place, trawl_error *error);

/* The positions of a list: of one posting, the source's next; of one posting; stored ones. Then, for the last byte, finish. */
int positions_encode(struct postings_encoder *encoder, uint32_t doc, uint32_t tf, const struct position_source *source,
                     trawl_error *error);
int positions_put(struct postings_encoder *encoder, const uint32_t *positions, uint32_t tf, uint8_t last_byte,
                  trawl_error *error);
int positions_copy(struct postings_encoder *encoder, const uint8_t *bytes, uint32_t first, uint64_t bits,
                   trawl_error *error);
int positions_finish(struct postings_encoder *encoder, trawl_error *error);

/* ---- decoding ---- */

/* Decode a sparse list of n postings from `bytes`; docs and tfs have room for n rounded up to SPARSE_RUN. false: malformed
 * (docIDs not ascending or not below `documents`, counts that do not fit). */
bool sparse_list_decode(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents, uint32_t *docs,
                        uint32_t *tfs);

#endif
