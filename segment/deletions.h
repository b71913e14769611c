/* deletions.h - the deleted documents of a segment, and how many of them each term has (docs/FORMAT.md, Deletions). */
#ifndef TRAWL_SEGMENT_DELETIONS_H
#define TRAWL_SEGMENT_DELETIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* Of every 64th term: its number, and where its record starts. */
struct deletions_mark {
	uint64_t number;
	size_t offset;
};

struct deletions {
	uint64_t *words; /* one bit a docID: 1 is deleted; NULL: none are */
	uint8_t *terms;  /* as they are stored: the difference of the numbers and the count of each */
	size_t terms_bytes;
	struct deletions_mark *marks;
	uint32_t term_count;
};

/* Read the stored form, of a segment with `documents` documents of which `deleted` are deleted. TRAWL_ENOMEM; TRAWL_ECORRUPT, and
 * *wrong says what is. */
int deletions_read(struct deletions *deletions, const uint8_t *bytes, uint64_t length, uint32_t documents,
                   uint32_t deleted, const char **wrong);
void deletions_release(struct deletions *deletions);
size_t deletions_memory(const struct deletions *deletions, uint32_t documents);

/* How many deleted documents have the term. */
uint32_t deletions_df(const struct deletions *deletions, uint64_t term);

/* The terms of deleted documents, one after the other. Zero-initialised stands before the first. */
struct deletions_cursor {
	size_t offset;
	uint64_t number; /* of a term */
	uint32_t count;  /* of deleted documents that have it */
};

bool deletions_next(const struct deletions *deletions, struct deletions_cursor *cursor); /* false: at the end */

/* Writes the stored form to the end of a buffer, a term at a time: what it takes is what is written. */
struct deletions_writer {
	struct buffer *out;
	size_t count_at; /* where the number of terms will stand */
	uint64_t number; /* of the last term */
	uint32_t term_count;
};

/* Room for the words comes first, as it is stored: the caller fills them in. false: out of memory. */
bool deletions_begin(struct deletions_writer *writer, struct buffer *out, uint32_t documents);
static inline uint8_t *deletions_words(const struct deletions_writer *writer, uint32_t documents)
{
	return writer->out->data + writer->count_at - ((size_t)documents + 63) / 64 * 8;
}
/* Terms in ascending order of their numbers. */
bool deletions_put(struct deletions_writer *writer, uint64_t number, uint32_t count);
void deletions_end(struct deletions_writer *writer);

#endif
