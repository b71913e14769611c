#include "searcher/list.h"

#include <string.h>

#include "base/error.h"
#include "searcher/kernel.h"

static int open_short(struct list *list, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                      trawl_error *error)
{
	uint32_t room = (entry->df + SHORT_BLOCK - 1) / SHORT_BLOCK * SHORT_BLOCK;
	uint64_t left;
	list->kind = LIST_SHORT;
	list->count = entry->df;
	list->docs = arena_new(arena, room * sizeof *list->docs);
	list->tfs = arena_new(arena, room * sizeof *list->tfs);
	if (!list->docs || !list->tfs)
		return error_set_memory(error);
	if (entry->df == 1) {
		if (entry->doc >= segment->documents_count || !entry->tf)
			return part_corrupt(list->postings, 0, "a docID past the end", error);
		list->docs[0] = entry->doc;
		list->tfs[0] = entry->tf;
		list->inline_position = entry->position_inline ? entry->position : POSITION_NONE;
		return 0;
	}
	const uint8_t *bytes = part_at(list->postings, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	if (entry->place.postings_bytes > left || !short_list_decode(bytes, entry->place.postings_bytes, entry->df,
	                                                             segment->documents_count, list->docs, list->tfs))
		return part_corrupt(list->postings, entry->place.postings, "a posting list that makes no sense", error);
	return 0;
}

/* Open the list that `entry` says stands in list->postings. */
static int open_postings(struct list *list, struct segment *segment, const struct term_entry *entry,
                         struct arena *arena, trawl_error *error)
{
	uint64_t left;
	if (entry->df > segment->documents_count)
		return part_corrupt(list->postings, 0, "more postings than documents", error);
	if (entry->df == 1 || entry->df < short_list_border(segment->documents_count))
		return open_short(list, segment, entry, arena, error);
	const uint8_t *bytes = part_at(list->postings, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	list->kind = LIST_RANGED;
	if (!ranged_list_open(&list->ranged, bytes, left, entry->place.postings, segment->documents_count) ||
	    list->ranged.df != entry->df)
		return part_corrupt(list->postings, entry->place.postings, "a posting list that makes no sense", error);
	list->count = entry->df;
	return 0;
}

int list_open(struct list *list, struct segment *segment, const struct term_entry *entry, struct arena *arena,
              trawl_error *error)
{
	*list = (struct list){.kind = LIST_EMPTY,
	                      .inline_position = POSITION_NONE,
	                      .postings = &segment->postings,
	                      .live_df = segment_live_df(segment, entry),
	                      .positions = entry->place.positions};
	return open_postings(list, segment, entry, arena, error);
}

int list_open_pair(struct list *list, struct segment *segment, const struct term_entry *entry, struct arena *arena,
                   trawl_error *error)
{
	*list = (struct list){.kind = LIST_EMPTY,
	                      .inline_position = POSITION_NONE,
	                      .postings = &segment->pairs.postings,
	                      .live_df = entry->df,
	                      .live_df_unknown = segment->deletions.words != NULL};
	return open_postings(list, segment, entry, arena, error);
}

#define SCORES_SPARE 63 /* that kernels may write and read behind the last */

int list_score(struct list *list, const struct segment *segment, const struct scorer *scorer, float weight,
               float inflation, float slack, struct arena *arena, trawl_error *error)
{
	list->weight = weight;
	if (list->kind == LIST_SHORT) {
		list->scores = arena_new(arena, (list->count + SCORES_SPARE) * sizeof *list->scores);
		if (!list->scores)
			return error_set_memory(error);
		kernel_get()->score_postings(list->docs, list->tfs, list->count, segment->lengths, scorer, weight,
		                             list->scores);
	} else if (list->kind == LIST_RANGED) {
		/* A saturation is at most 1, so more inflation than makes the least bound 1 is of no use (and may be infinite). */
		float most = 255 / list->ranged.maximum;
		float step = list->ranged.maximum / 255 * (inflation < most ? inflation : most);
		list->step = weight * step * slack;
		for (int i = 0; i < 16; i++)
			list->levels[i] = list->step * (float)list->ranged.codebook[i];
	}
	return 0;
}

uint32_t list_seek(const struct list *list, uint32_t doc)
{
	uint32_t low = 0, high = list->count;
	/* Superblocks are mostly visited in order: try from where the last search ended. */
	if (list->cursor < high && list->docs[list->cursor] < doc)
		low = list->cursor + 1;
	if (low < high && list->docs[low] >= doc && (!low || list->docs[low - 1] < doc))
		return low;
	for (uint32_t reach = 8; low + reach < high; reach *= 4)
		if (list->docs[low + reach] >= doc)
			high = low + reach;
		else
			low += reach + 1;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (list->docs[middle] < doc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
