/* collection.h - what a query is planned against: the segments of one commit, and the statistics of all of them. */
#ifndef TRAWL_QUERY_COLLECTION_H
#define TRAWL_QUERY_COLLECTION_H

#include "segment/segment.h"

struct collection {
	struct segment *segments;
	uint64_t *bases; /* of each segment: the number of its docID 0 in trawl_hit.document */
	size_t segment_count;
	bool has_bigrams;           /* the index was made with lists of frequent bigrams */
	uint64_t documents, tokens; /* live */
	float average;              /* length */
};

#define SUPERBLOCK_WORDS (SUPERBLOCK_DOCUMENTS / 64)

/* A set of documents of all segments has a bit a docID, segment after segment, each from a whole superblock on. The word at which a
 * segment starts; of number segment_count: where all end. */
static inline size_t collection_word(const struct collection *collection, size_t segment)
{
	uint64_t documents = 0;
	if (segment < collection->segment_count)
		documents = collection->bases[segment];
	else if (segment)
		documents = collection->bases[segment - 1] + collection->segments[segment - 1].documents_count;
	return (size_t)(documents / SUPERBLOCK_DOCUMENTS + segment) * SUPERBLOCK_WORDS;
}

#endif
