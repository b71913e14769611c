/* postings_read.h - whole posting lists decoded, of either kind: for passes over a segment that want every posting. */
#ifndef TRAWL_SEGMENT_POSTINGS_READ_H
#define TRAWL_SEGMENT_POSTINGS_READ_H

#include "segment/segment.h"

/* The room that the two arrays of postings_read need for a list of df postings. */
static inline uint64_t postings_read_room(uint32_t df)
{
	return ((uint64_t)df + SPARSE_RUN - 1) / SPARSE_RUN * SPARSE_RUN;
}

/* Decode the list of a term: entry->df docIDs, ascending and all of the segment, and their tfs, at least 1 and no more than the
 * documents' length bytes allow. The df of an entry that the dictionary yields may be any number: ask
 * postings_check_df before making room. TRAWL_ECORRUPT. */
int postings_read(struct segment *segment, const struct term_entry *entry, uint32_t *docs, uint32_t *tfs,
                  trawl_error *error);

/* The same without room for the whole list: `visit` is called with some postings at a time, in order. If the list turns out to be
 * malformed, it has been called with the beginning. */
typedef void postings_visitor(void *context, const uint32_t *docs, const uint32_t *tfs, uint32_t count);
struct postings_visit {
	uint32_t *docs, *tfs; /* scratch: room for postings_visit_room each */
	postings_visitor *visit;
	void *context;
};
uint64_t postings_visit_room(uint32_t documents); /* of the segment */
int postings_visit(struct segment *segment, const struct term_entry *entry, const struct postings_visit *visit,
                   trawl_error *error);

/* Whether the segment has as many documents as the entry has postings. TRAWL_ECORRUPT. */
int postings_check_df(const struct segment *segment, const struct term_entry *entry, trawl_error *error);

#endif
