/*
 * leaf.h - a leaf of the plan, opened in one segment: its postings and what they can add to scores. Not written to while a query is
 * evaluated; where an evaluation stands in it, cursors tell.
 *
 * Sparse postings, and the matches of phrases, are materialised: docIDs, tfs and contributions in arrays. Dense postings stay in
 * place and are read superblock by superblock.
 */
#ifndef TRAWL_SEARCHER_LEAF_H
#define TRAWL_SEARCHER_LEAF_H

#include "query/scoring.h"
#include "query/syntax.h"
#include "searcher/block.h"
#include "segment/chunk.h"

#define POSITION_NONE UINT32_MAX
#define SCORES_SPARE 63

enum leaf_kind { LEAF_EMPTY, LEAF_SPARSE, LEAF_DENSE };

struct leaf {
	enum leaf_kind kind;
	enum occur occur;         /* in this evaluation */
	float weight;             /* when scored */
	struct part *part;        /* that its postings are in */
	uint32_t count;           /* postings, deleted documents' too */
	uint32_t live_df;         /* live documents of this segment that match it */
	bool live_df_unknown;     /* of a bigram, as deletions keep no account of these */
	uint64_t positions;       /* address of its positions */
	uint32_t inline_position; /* of a term that stands in one document once; else POSITION_NONE */
	/* LEAF_SPARSE */
	uint32_t *docs, *tfs;
	float *
	    scores; /* contributions, when scored; SCORES_SPARE more behind the last, which kernels may write and read */
	/* LEAF_DENSE */
	struct dense_list dense;
	float step;       /* bound byte -> contribution, at most */
	float levels[16]; /* codebook index -> contribution, at most */
};

#endif
