#include "searcher/open.h"

#include <string.h>

#include "base/error.h"
#include "searcher/kernel.h"

static int open_sparse(struct leaf *leaf, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                       trawl_error *error)
{
	uint32_t room = (entry->df + SPARSE_RUN - 1) / SPARSE_RUN * SPARSE_RUN;
	uint64_t left;
	leaf->kind = LEAF_SPARSE;
	leaf->count = entry->df;
	leaf->docs = arena_new(arena, room * sizeof *leaf->docs);
	leaf->tfs = arena_new(arena, room * sizeof *leaf->tfs);
	if (!leaf->docs || !leaf->tfs)
		return error_set_memory(error);
	if (entry->df == 1) {
		if (entry->doc >= segment->documents_count || !entry->tf)
			return part_corrupt(leaf->part, 0, "a docID past the end", error);
		leaf->docs[0] = entry->doc;
		leaf->tfs[0] = entry->tf;
		leaf->inline_position = entry->position_inline ? entry->position : POSITION_NONE;
		return 0;
	}
	const uint8_t *bytes = part_at(leaf->part, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	if (entry->place.postings_bytes > left || !sparse_list_decode(bytes, entry->place.postings_bytes, entry->df,
	                                                              segment->documents_count, leaf->docs, leaf->tfs))
		return part_corrupt(leaf->part, entry->place.postings, "a posting list that makes no sense", error);
	return 0;
}

/* Open the postings that `entry` says stand in leaf->part. */
static int open_postings(struct leaf *leaf, struct segment *segment, const struct term_entry *entry,
                         struct arena *arena, trawl_error *error)
{
	uint64_t left;
	if (entry->df > segment->documents_count)
		return part_corrupt(leaf->part, 0, "more postings than documents", error);
	if (entry->df == 1 || entry->df < dense_list_border(segment->documents_count))
		return open_sparse(leaf, segment, entry, arena, error);
	const uint8_t *bytes = part_at(leaf->part, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	leaf->kind = LEAF_DENSE;
	if (!dense_list_open(&leaf->dense, bytes, left, entry->place.postings, segment->documents_count) ||
	    leaf->dense.df != entry->df)
		return part_corrupt(leaf->part, entry->place.postings, "a posting list that makes no sense", error);
	leaf->count = entry->df;
	return 0;
}

int leaf_open(struct leaf *leaf, struct segment *segment, const struct term_entry *entry, struct arena *arena,
              trawl_error *error)
{
	*leaf = (struct leaf){.kind = LEAF_EMPTY,
	                      .inline_position = POSITION_NONE,
	                      .part = &segment->postings,
	                      .live_df = segment_live_df(segment, entry),
	                      .positions = entry->place.positions};
	return open_postings(leaf, segment, entry, arena, error);
}

int leaf_open_bigram(struct leaf *leaf, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                     trawl_error *error)
{
	*leaf = (struct leaf){.kind = LEAF_EMPTY,
	                      .inline_position = POSITION_NONE,
	                      .part = &segment->bigrams.postings,
	                      .live_df = entry->df,
	                      .live_df_unknown = segment->deletions.words != NULL};
	return open_postings(leaf, segment, entry, arena, error);
}

int leaf_score(struct leaf *leaf, const struct leaf_scoring *scoring, struct arena *arena, trawl_error *error)
{
	leaf->weight = scoring->weight;
	if (leaf->kind == LEAF_SPARSE) {
		leaf->scores = arena_new(arena, (leaf->count + SCORES_SPARE) * sizeof *leaf->scores);
		if (!leaf->scores)
			return error_set_memory(error);
		kernel_get()->score_postings(leaf->docs, leaf->tfs, leaf->count, scoring->lengths, scoring->scorer,
		                             scoring->weight, leaf->scores);
	} else if (leaf->kind == LEAF_DENSE) {
		/* A saturation is at most 1, so more inflation than makes the least bound 1 is of no use (and may be infinite). */
		float most = 255 / leaf->dense.maximum;
		float step = leaf->dense.maximum / 255 * (scoring->inflation < most ? scoring->inflation : most);
		leaf->step = scoring->weight * step * BOUND_SLACK;
		for (int i = 0; i < 16; i++)
			leaf->levels[i] = leaf->step * (float)leaf->dense.codebook[i];
	}
	return 0;
}
