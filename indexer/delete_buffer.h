/*
 * delete_buffer.h - committed documents that the next commit will drop, and what their going changes in the statistics.
 *
 * Document frequencies, lengths and counts stay exactly those of the live ones. For that the text of a deleted document is analysed
 * again; but when the deleted ones are many, or their terms more than there is room for, or a text no longer gives the terms that the segment has for it (another version
 * of the stemmer analyses it now), all posting lists of the segment are read, and the deleted ones in them counted.
 */
#ifndef TRAWL_INDEXER_DELETE_BUFFER_H
#define TRAWL_INDEXER_DELETE_BUFFER_H

#include "segment/segment.h"
#include "tokenizer/tokenizer.h"

/* The deleted documents of one segment since the last commit. */
struct delete_buffer {
	uint64_t *words; /* one bit a docID; NULL: none was deleted */
	uint32_t count;
	uint64_t tokens, postings, text_bytes;
	uint64_t *terms; /* numbers of their terms, one for each document that has it, in no order */
	size_t term_count, term_capacity;
	size_t room;   /* bytes that these may be, about */
	bool by_lists; /* terms, tokens and postings are found in the posting lists, when it is written */
};

/* Note `document`, the stored form of live docID `doc`. deletes->room is to be set. */
int delete_buffer_add(struct delete_buffer *deletes, struct segment *segment, uint32_t doc,
                      const trawl_document *document, struct tokenizer *tokenizer, trawl_error *error);

static inline bool delete_buffer_has(const struct delete_buffer *deletes, uint32_t doc)
{
	return deletes->words && (deletes->words[doc / 64] >> (doc % 64) & 1);
}

/* The segment's deletions with these added, in their stored form; *summary is brought up to date. */
int delete_buffer_write(struct delete_buffer *deletes, struct segment *segment, struct manifest_segment *summary,
                        struct buffer *out, trawl_error *error);

static inline size_t delete_buffer_memory(const struct delete_buffer *deletes)
{
	return deletes->term_capacity * sizeof *deletes->terms;
}

void delete_buffer_release(struct delete_buffer *deletes);

#endif
