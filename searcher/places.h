/* places.h - where a word stands in documents that have it, which are asked for in ascending order: one at a time, without vectors. */
#ifndef TRAWL_SEARCHER_PLACES_H
#define TRAWL_SEARCHER_PLACES_H

#include "searcher/context.h"
#include "searcher/leaf.h"
#include "segment/segment.h"

struct places {
	struct segment *segment;
	struct leaf leaf;
	/* LEAF_SPARSE: the posting reached; LEAF_DENSE: the block reached */
	uint64_t address; /* of its positions: a bit of the part */
	uint32_t index;
	/* LEAF_DENSE */
	uint32_t superblock; /* UINT32_MAX: none yet */
	struct chunk chunk;
	uint32_t blocks; /* the block reached and those behind it, as a mask */
	uint32_t rank;   /* of the block reached */
	bool decoded;    /* it is in `mask` and `tfs` */
	uint64_t mask;
	uint32_t tfs[BLOCK_DOCUMENTS];
	/* of the document asked for */
	uint32_t tf;
	uint32_t *at; /* ascending, unless the file is damaged */
	size_t capacity;
};

/* Of the term that `entry` describes. Memory comes from `context->phrase_arena`, as all below. */
int places_open(struct places *places, struct segment *segment, const struct term_entry *entry,
                struct context *context);

/* Those in `doc`, which has the term. TRAWL_ECORRUPT where it does not. */
int places_find(struct places *places, uint32_t doc, struct context *context);

/* Room for `wanted` elements in an array of the phrase arena; what it held is lost. */
int places_reserve(uint32_t **array, size_t *capacity, size_t wanted, struct context *context);

#endif
