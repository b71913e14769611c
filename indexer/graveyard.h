/*
 * graveyard.h - committed documents that the next commit will drop, and what their going changes in the statistics.
 *
 * Document frequencies, lengths and counts stay exactly those of the living. For that the text of a dead document is analysed
 * again; but when the dead are many, or their terms more than there is room for, or a text no longer gives the terms that the segment has for it (another version
 * of the stemmer analyses it now), all posting lists of the segment are read, and the dead in them counted.
 */
#ifndef TRAWL_INDEXER_GRAVEYARD_H
#define TRAWL_INDEXER_GRAVEYARD_H

#include "segment/segment.h"
#include "tokenizer/tokenizer.h"

/* The dead of one segment since the last commit. */
struct grave {
	uint64_t *words; /* one bit a docID; NULL: none died */
	uint32_t deaths;
	uint64_t tokens, postings, text_bytes;
	uint64_t *terms; /* numbers of their terms, one for each document that has it, in no order */
	size_t term_count, term_capacity;
	size_t room;   /* bytes that these may be, about */
	bool by_lists; /* terms, tokens and postings are found in the posting lists, when the grave is written */
};

/* Bury `document`, the stored form of live docID `doc`. grave->room is to be set. */
int grave_add(struct grave *grave, struct segment *segment, uint32_t doc, const trawl_document *document,
              struct tokenizer *tokenizer, trawl_error *error);

static inline bool grave_has(const struct grave *grave, uint32_t doc)
{
	return grave->words && (grave->words[doc / 64] >> (doc % 64) & 1);
}

/* The segment's deletions with these added, in their stored form; *summary is brought up to date. */
int grave_write(struct grave *grave, struct segment *segment, struct manifest_segment *summary, struct buffer *out,
                trawl_error *error);

static inline size_t grave_memory(const struct grave *grave)
{
	return grave->term_capacity * sizeof *grave->terms;
}

void grave_release(struct grave *grave);

#endif
