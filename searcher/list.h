/*
 * list.h - one clause of a query in one segment: its postings, ready to be evaluated.
 *
 * Short posting lists, and the matches of phrases, are materialised: docIDs, tfs and contributions in arrays. Ranged lists stay in
 * place and are read by superblock.
 */
#ifndef TRAWL_SEARCHER_LIST_H
#define TRAWL_SEARCHER_LIST_H

#include "searcher/query.h"
#include "searcher/score.h"
#include "segment/chunk.h"
#include "segment/segment.h"

#define POSITION_NONE UINT32_MAX

enum list_kind { LIST_EMPTY, LIST_SHORT, LIST_RANGED };

struct list {
	enum list_kind kind;
	enum occur occur;
	float weight;
	struct part *postings;    /* that it is in */
	uint32_t live_df;         /* live documents of this segment that match it */
	bool live_df_unknown;     /* of a pair list, as deletions keep no account of pairs */
	uint64_t positions;       /* address of its positions */
	uint32_t inline_position; /* of a term that stands in one document once; else POSITION_NONE */
	/* LIST_SHORT */
	uint32_t count, cursor; /* cursor: where the last superblock's postings ended */
	uint32_t *docs, *tfs;
	float *scores;  /* contributions; made by list_score */
	uint32_t *ends; /* of each superblock: one past its last posting, 0: none; NULL: not known */
	/* LIST_RANGED */
	struct ranged_list ranged;
	float step;       /* bound byte -> contribution, at most */
	float levels[16]; /* codebook index -> contribution, at most */
};

/* Open the postings of a term that the dictionary has. Arrays come from `arena`. */
int list_open(struct list *list, struct segment *segment, const struct term_entry *entry, struct arena *arena,
              trawl_error *error);

/* The same for a pair list. */
int list_open_pair(struct list *list, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                   trawl_error *error);

/* Make it score: `weight`, and `inflation` on the stored bounds (evaluate.h). */
int list_score(struct list *list, const struct segment *segment, const struct scorer *scorer, float weight,
               float inflation, float slack, struct arena *arena, trawl_error *error);

/* The postings of a short list from docID `doc` on: the index of the first one not below it. */
uint32_t list_seek(const struct list *list, uint32_t doc);

#endif
