#include "searcher/phrase_open.h"

#include "base/error.h"
#include "searcher/open.h"

/* What is being opened. */
struct opening {
	const struct plan_node *node;
	struct segment *segment;
	size_t number; /* of the segment */
	struct phrase_part *parts;
	uint32_t total; /* parts so far */
	struct arena *arena;
	trawl_error *error;
};

static int open_word(struct opening *opening, uint32_t w)
{
	const struct plan_node *node = opening->node;
	struct phrase_part *part = &opening->parts[w];
	const struct term_entry *entry = &node->entries[w][opening->number];
	*part = (struct phrase_part){.offset = node->terms[w].offset, .same = node->same[w]};
	if (part->same != w || !entry->df) /* LEAF_EMPTY */
		return 0;
	int code = leaf_open(&part->leaf, opening->segment, entry, opening->arena, opening->error);
	if (!code && part->leaf.inline_position != POSITION_NONE) {
		uint64_t *bits = arena_new(opening->arena, EXTENT_SLACK);
		if (!bits)
			return error_set_memory(opening->error);
		*bits = part->leaf.inline_position;
		part->inline_bits = bits;
	}
	return code;
}

/* 1; 0 when a word has no postings; negative on error. */
static int open_words(struct opening *opening)
{
	for (uint32_t w = 0; w < opening->node->words; w++) {
		int code = open_word(opening, w);
		if (code)
			return code;
		if (opening->parts[opening->parts[w].same].leaf.kind == LEAF_EMPTY)
			return 0;
	}
	opening->total = opening->node->words;
	return 1;
}

/* Find the bigrams of neighbouring words. 1; 0 when two of them stand side by side nowhere; negative on error. */
static int open_bigrams(struct opening *opening)
{
	const struct plan_node *node = opening->node;
	struct phrase_part *parts = opening->parts;
	for (uint32_t w = 0; w + 1 < node->words; w++) {
		struct term_entry entry;
		struct phrase_part *bigram = &parts[opening->total];
		if (parts[w].offset + 1 != parts[w + 1].offset)
			continue;
		int state = segment_find_bigram(opening->segment, &node->entries[w][opening->number],
		                                &node->entries[w + 1][opening->number], &entry, opening->error);
		if (state == BIGRAM_UNLISTED)
			continue;
		if (state != BIGRAM_FOUND)
			return state == BIGRAM_ABSENT ? 0 : state;
		parts[parts[w].same].implied = true;
		parts[parts[w + 1].same].implied = true;
		*bigram = (struct phrase_part){.same = opening->total};
		int code = leaf_open_bigram(&bigram->leaf, opening->segment, &entry, opening->arena, opening->error);
		if (code)
			return code;
		opening->total++;
	}
	return 1;
}

/* Put the distinct parts in order. */
static int order_parts(struct phrase_evaluation *phrase, const struct opening *opening)
{
	uint32_t *order = arena_new(opening->arena, opening->total * sizeof *order);
	if (!order)
		return error_set_memory(opening->error);
	for (uint32_t i = phrase->words; i < opening->total; i++)
		order[phrase->distinct++] = i;
	for (int implied = 0; implied <= 1; implied++) {
		for (uint32_t w = 0; w < phrase->words; w++)
			if (phrase->parts[w].same == w && phrase->parts[w].implied == implied)
				order[phrase->distinct++] = w;
		if (!implied)
			phrase->deciding = phrase->distinct;
	}
	phrase->order = order;
	return 0;
}

/* Tell the dense deciding parts how to bound scores: the phrase stands in a document no more often than each of them does. */
static int bound_parts(struct phrase_evaluation *phrase, const struct opening *opening, const struct scoring *scoring)
{
	struct leaf_scoring bounds = {phrase->lengths, &scoring->scorer, opening->node->weight,
	                              scoring->inflations[opening->number].most};
	int code = 0;
	phrase->weight = bounds.weight;
	phrase->scorer = bounds.scorer;
	for (uint32_t i = 0; !code && i < phrase->deciding; i++) {
		struct leaf *leaf = &opening->parts[phrase->order[i]].leaf;
		if (leaf->kind == LEAF_DENSE)
			code = leaf_score(leaf, &bounds, opening->arena, opening->error);
	}
	return code;
}

int phrase_open(struct phrase_evaluation *phrase, const struct phrase_source *source, struct arena *arena,
                trawl_error *error)
{
	struct segment *segment = &source->collection->segments[source->number];
	struct opening opening = {
	    .node = source->node, .segment = segment, .number = source->number, .arena = arena, .error = error};
	uint32_t words = source->node->words;
	opening.parts = arena_new(arena, (segment->has_bigrams ? 2 : 1) * (size_t)words * sizeof *opening.parts);
	if (!opening.parts)
		return error_set_memory(error);
	int possible = open_words(&opening);
	if (possible > 0 && segment->has_bigrams)
		possible = open_bigrams(&opening);
	if (possible <= 0)
		return possible;
	*phrase = (struct phrase_evaluation){.live = {segment->documents_count, segment->deletions.words, NULL},
	                                     .parts = opening.parts,
	                                     .words = words,
	                                     .bigrams = opening.total - words,
	                                     .spans = segment->last_positions,
	                                     .positions = &segment->positions,
	                                     .segment = source->number,
	                                     .base = source->collection->bases[source->number],
	                                     .lengths = segment->lengths};
	int code = order_parts(phrase, &opening);
	if (!code && source->scoring)
		code = bound_parts(phrase, &opening, source->scoring);
	return code ? code : 1;
}
