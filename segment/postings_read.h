/* postings_read.h - whole posting lists decoded, of either kind: for passes over a segment that want every posting. */
#ifndef TRAWL_SEGMENT_POSTINGS_READ_H
#define TRAWL_SEGMENT_POSTINGS_READ_H

#include "segment/segment.h"

/* The room that the two arrays of postings_read need for a list of df postings. */
static inline uint64_t postings_read_room(uint32_t df)
{
	return ((uint64_t)df + SHORT_BLOCK - 1) / SHORT_BLOCK * SHORT_BLOCK;
}

/* Decode the list of a term: entry->df docIDs, ascending and all of the segment, and their tfs, at least 1 and no more than the
 * documents' length bytes allow. The df of an entry that the dictionary yields may be any number: ask
 * postings_check_df before making room. TRAWL_ECORRUPT. */
int postings_read(struct segment *segment, const struct term_entry *entry, uint32_t *docs, uint32_t *tfs,
                  trawl_error *error);

/* Whether the segment has as many documents as the entry has postings. TRAWL_ECORRUPT. */
int postings_check_df(const struct segment *segment, const struct term_entry *entry, trawl_error *error);

#endif
