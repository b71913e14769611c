/*
 * collector.h - what becomes of the documents that match.
 *
 * Evaluators find matches superblock by superblock, in whatever order prunes best, and hand them to a collector. The best k by score
 * (top.h) and a count are compiled into the evaluators. Any other collector is called once for each superblock with matches: sets of
 * documents (filter.c), facets and histograms (masks alone), the best by a key or of each group (masks, and scores if it wants them).
 */
#ifndef TRAWL_SEARCHER_COLLECTOR_H
#define TRAWL_SEARCHER_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "searcher/block.h"

/* The matches of one superblock. */
struct matches {
	size_t segment;      /* number of the segment */
	uint64_t base;       /* of it: its docID 0 in trawl_hit.document */
	uint32_t superblock; /* of it */
	uint32_t blocks;     /* that have matches; what stands of others means nothing */
	uint64_t masks[SUPERBLOCK_BLOCKS];
	float (*scores)[BLOCK_DOCUMENTS]; /* by block and document; NULL when matches are not ranked */
};

enum collector_kind {
	COLLECT_TOP,   /* a struct top, in which this is the first member */
	COLLECT_COUNT, /* `matches` alone */
	COLLECT_CALL
};

struct collector {
	enum collector_kind kind;
	float threshold;  /* documents with lower scores are of no use, those with equal ones may be */
	bool every;       /* COLLECT_TOP: `matches` must be right, so no match may be passed over */
	uint64_t matches; /* handed over; COLLECT_TOP: only with `every` */
	/* COLLECT_CALL: 0, or a negative code that ends the evaluation */
	int (*take)(struct collector *collector, const struct matches *matches);
};

#endif
