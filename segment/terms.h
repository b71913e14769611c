/* terms.h - the dictionary of a segment: front-coded blocks in self-contained extents (docs/FORMAT.md, Terms). */
#ifndef TRAWL_SEGMENT_TERMS_H
#define TRAWL_SEGMENT_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/postings.h"
#include "store/store.h"

/* What the dictionary says of one term. */
struct term_entry {
	uint32_t df;
	uint64_t number; /* in byte order of the segment's terms */
	/* df = 1 */
	uint32_t doc, tf;
	bool position_inline;
	uint32_t position;
	/* where its lists are; for df = 1 only the positions, unless inline */
	struct list_place place;
};

/* ---- writing: terms in ascending byte order ---- */

struct terms_writer {
	struct part_writer part;
	bool positions;
	struct buffer extent, block, prefixes, offsets; /* the extent in the making */
	struct buffer first_terms; /* for the root: u8 length and bytes of each extent's first term */
	uint64_t terms;
	uint32_t in_block;
	size_t count_at;                        /* in block: where its number of terms stands */
	uint64_t next_postings, next_positions; /* addresses at which the next lists would follow on */
	uint8_t last_term[256], block_first[256];
	uint8_t last_length, block_first_length;
};

/* Into part `number`: PART_TERMS, or a dictionary of the same form. */
int terms_writer_init(struct terms_writer *writer, struct store_batch *batch, uint32_t segment, uint32_t number,
                      bool positions, trawl_error *error);
int terms_writer_add(struct terms_writer *writer, const char *term, uint8_t length, const struct term_entry *entry,
                     trawl_error *error);
int terms_writer_finish(struct terms_writer *writer, trawl_error *error);
void terms_writer_release(struct terms_writer *writer);

/* ---- reading ---- */

struct terms {
	struct part part;
	bool positions;
	uint32_t extent_count;
	const uint8_t *first_terms;   /* of the root */
	uint32_t *first_term_offsets; /* in first_terms, of each extent */
};

/* `first_terms` is borrowed from the root; `*used` bytes of it are the dictionary's. */
int terms_open(struct terms *terms, struct snapshot *snapshot, uint32_t segment, uint32_t number, uint64_t bytes,
               bool positions, const uint8_t *first_terms, uint64_t length, uint64_t *used, trawl_error *error);
void terms_release(struct terms *terms);

/* Find a term: 1 and *entry, 0 when absent, negative on error. */
int terms_find(struct terms *terms, const char *term, size_t length, struct term_entry *entry, trawl_error *error);

/* All terms in order: start with a zeroed cursor; 1 and an item, 0 at the end, negative on error. */
struct terms_cursor {
	uint32_t extent, block, in_block, block_count, block_terms;
	const uint8_t *at, *end, *payload, *offsets;
	struct term_entry entry;
	uint8_t term[256];
	uint8_t length;
	uint64_t postings, positions;
};

int terms_next(struct terms *terms, struct terms_cursor *cursor, trawl_error *error);
/* As terms_next, for the first term that is not below `term`. */
int terms_seek(struct terms *terms, struct terms_cursor *cursor, const char *term, size_t length, trawl_error *error);

#endif
