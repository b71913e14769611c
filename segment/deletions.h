/* deletions.h - the deleted documents of a segment, and how many of them each term has (docs/FORMAT.md, Deletions). */
#ifndef TRAWL_SEGMENT_DELETIONS_H
#define TRAWL_SEGMENT_DELETIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* How many deleted documents have the term of this number. */
struct dead_term {
	uint64_t number;
	uint32_t count;
};

struct deletions {
	uint64_t *words;         /* one bit a docID: 1 is deleted; NULL: none are */
	struct dead_term *terms; /* by number, ascending; those of deleted documents alone */
	size_t term_count, term_capacity;
};

/* Read the stored form, of a segment with `documents` documents of which `deleted` are deleted. TRAWL_ENOMEM; TRAWL_ECORRUPT, and
 * *wrong says what is. */
int deletions_read(struct deletions *deletions, const uint8_t *bytes, uint64_t length, uint32_t documents,
                   uint32_t deleted, const char **wrong);
/* Append the stored form. false: out of memory. */
bool deletions_write(const struct deletions *deletions, uint32_t documents, struct buffer *out);
void deletions_release(struct deletions *deletions);

/* How many deleted documents have the term. */
uint32_t deletions_df(const struct deletions *deletions, uint64_t term);

#endif
