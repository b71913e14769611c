/*
 * phrase.c - phrases: documents that have all words, and of these the places where the words stand side by side.
 *
 * Candidates come from the shortest word's list, or where all words are frequent, superblock by superblock from the AND of the ranges'
 * document masks. A word's positions in a document are found by adding up the sizes of those before (docs/FORMAT.md).
 */
#include <string.h>

#include "base/error.h"
#include "searcher/list.h"

/* A word of the phrase, and where its last look-up ended, so that looking on costs only what lies between. */
struct phrase_word {
	struct list list;
	uint32_t offset;
	uint32_t same; /* index of the first word with the same term: they share one reader */
	/* LIST_SHORT */
	uint32_t index;   /* posting reached */
	uint64_t address; /* of its positions */
	/* LIST_RANGED */
	uint32_t superblock; /* of the chunk; UINT32_MAX: none yet */
	bool present;        /* the superblock has postings */
	struct chunk chunk;
	uint32_t rank;          /* of the decoded range; UINT32_MAX: none yet */
	uint64_t range_address; /* of its first posting's positions */
	uint64_t mask;
	uint32_t tfs[RANGE_DOCUMENTS];
	/* of the document last looked up */
	uint32_t tf;
	uint64_t found_address;
	uint32_t *positions;
	size_t position_capacity;
};

struct phrase {
	struct segment *segment;
	struct phrase_word *words;
	uint32_t count;
	struct buffer scratch;
	trawl_error *error;
	struct arena *arena;
	struct list *out;
	uint32_t capacity;
};

/* The bytes of the positions of a range's postings in `mask`, of documents from `first` on. */
static uint64_t range_position_bytes(const struct phrase *phrase, uint32_t first, uint64_t mask, const uint32_t *tfs)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; mask; mask &= mask - 1, i++)
		bytes += position_bytes(tfs[i], phrase->segment->lengths[first + (uint32_t)__builtin_ctzll(mask)]);
	return bytes;
}

/* Look a document up in a short list: 1 found, 0 not. Documents come in ascending order. */
static int find_in_short(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	const struct list *list = &word->list;
	const uint8_t *lengths = phrase->segment->lengths;
	while (word->index < list->count && list->docs[word->index] < doc) {
		word->address += position_bytes(list->tfs[word->index], lengths[list->docs[word->index]]);
		word->index++;
	}
	if (word->index == list->count || list->docs[word->index] != doc)
		return 0;
	word->tf = list->tfs[word->index];
	word->found_address = word->address;
	return 1;
}

static int enter_superblock(struct phrase *phrase, struct phrase_word *word, uint32_t superblock)
{
	if (word->superblock == superblock)
		return word->present;
	int found = list_chunk(&word->list, phrase->segment, superblock, &word->chunk, phrase->error);
	word->superblock = superblock;
	word->present = found > 0;
	word->rank = UINT32_MAX;
	return found;
}

/* Decode the range of the entered superblock; 0 when it has no postings. */
static int enter_range(struct phrase *phrase, struct phrase_word *word, uint32_t range)
{
	const struct chunk *chunk = &word->chunk;
	if (!(chunk->range_mask >> range & 1))
		return 0;
	uint32_t rank = (uint32_t)__builtin_popcount(chunk->range_mask & ((1u << range) - 1));
	if (word->rank == rank)
		return 1;
	uint32_t from = word->rank, first = word->superblock * SUPERBLOCK_DOCUMENTS, ranges = chunk->range_mask;
	if (from == UINT32_MAX) {
		word->range_address = word->list.positions + chunk->positions;
		chunk_range(chunk, from = 0, &word->mask, word->tfs);
	}
	for (uint32_t skipped = 0; skipped < from; skipped++)
		ranges &= ranges - 1;
	for (; from < rank; from++, ranges &= ranges - 1) {
		uint32_t at = first + (uint32_t)__builtin_ctz(ranges) * RANGE_DOCUMENTS;
		word->range_address += range_position_bytes(phrase, at, word->mask, word->tfs);
		chunk_range(chunk, from + 1, &word->mask, word->tfs);
	}
	word->rank = rank;
	return 1;
}

static int find_in_ranged(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	int found = enter_superblock(phrase, word, doc / SUPERBLOCK_DOCUMENTS);
	if (found > 0)
		found = enter_range(phrase, word, doc / RANGE_DOCUMENTS % SUPERBLOCK_RANGES);
	if (found <= 0)
		return found;
	uint64_t bit = (uint64_t)1 << (doc % RANGE_DOCUMENTS);
	if (!(word->mask & bit))
		return 0;
	uint64_t before = word->mask & (bit - 1);
	word->tf = word->tfs[__builtin_popcountll(before)];
	word->found_address =
	    word->range_address + range_position_bytes(phrase, doc - doc % RANGE_DOCUMENTS, before, word->tfs);
	return 1;
}

static int find(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	return word->list.kind == LIST_SHORT ? find_in_short(phrase, word, doc) : find_in_ranged(phrase, word, doc);
}

static int read_positions(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	struct segment *segment = phrase->segment;
	uint8_t length = segment->lengths[doc];
	if (word->tf > word->position_capacity) {
		size_t room = word->tf + (size_t)word->tf / 2 + 64;
		word->positions = arena_new(phrase->arena, room * sizeof *word->positions);
		if (!word->positions)
			return error_set_memory(phrase->error);
		word->position_capacity = room;
	}
	/* A term in a single document with a single place has it in the dictionary. */
	if (word->list.kind == LIST_SHORT && word->list.inline_position != POSITION_NONE) {
		word->positions[0] = word->list.inline_position;
		return 0;
	}
	const uint8_t *bytes = part_read(&segment->positions, word->found_address, position_bytes(word->tf, length),
	                                 &phrase->scratch, phrase->error);
	if (!bytes)
		return phrase->error && phrase->error->code ? phrase->error->code : TRAWL_ECORRUPT;
	if (!positions_decode(bytes, word->tf, length, word->positions))
		return part_corrupt(&segment->positions, word->found_address, "positions that make no sense", phrase->error);
	return 0;
}

/* How often the words stand side by side, given all their positions; `rarest` is the word with the fewest. */
static uint32_t count_places(const struct phrase *phrase, uint32_t rarest)
{
	const struct phrase_word *first = &phrase->words[phrase->words[rarest].same];
	uint32_t places = 0, offset = phrase->words[rarest].offset;
	for (uint32_t i = 0; i < first->tf; i++) {
		bool all = first->positions[i] >= offset;
		uint32_t start = first->positions[i] - offset;
		for (uint32_t w = 0; all && w < phrase->count; w++) {
			if (w == rarest)
				continue;
			const struct phrase_word *word = &phrase->words[phrase->words[w].same];
			uint32_t wanted = start + phrase->words[w].offset, low = 0, high = word->tf;
			while (high - low > 8) {
				uint32_t middle = low + (high - low) / 2;
				if (word->positions[middle] <= wanted)
					low = middle;
				else
					high = middle;
			}
			while (low < high && word->positions[low] < wanted)
				low++;
			all = low < high && word->positions[low] == wanted;
		}
		places += all;
	}
	return places;
}

static int add_match(struct phrase *phrase, uint32_t doc, uint32_t tf)
{
	struct list *out = phrase->out;
	if (out->count == phrase->capacity) {
		uint32_t room = phrase->capacity ? phrase->capacity * 2 : 256;
		uint32_t *docs = arena_new(phrase->arena, room * sizeof *docs), *tfs = arena_new(phrase->arena, room * sizeof *tfs);
		if (!docs || !tfs)
			return error_set_memory(phrase->error);
		if (out->count) {
			memcpy(docs, out->docs, out->count * sizeof *docs);
			memcpy(tfs, out->tfs, out->count * sizeof *tfs);
		}
		out->docs = docs;
		out->tfs = tfs;
		phrase->capacity = room;
	}
	out->docs[out->count] = doc;
	out->tfs[out->count++] = tf;
	return 0;
}

/* `doc` has the rarest word: does it have the others, and the phrase? Negative on error. */
static int examine(struct phrase *phrase, uint32_t doc)
{
	uint32_t rarest = 0;
	if (segment_is_dead(phrase->segment, doc))
		return 0;
	for (uint32_t w = 0; w < phrase->count; w++) {
		if (phrase->words[w].same != w)
			continue;
		int found = find(phrase, &phrase->words[w], doc);
		if (found <= 0)
			return found;
		if (phrase->words[w].tf < phrase->words[rarest].tf)
			rarest = w;
	}
	for (uint32_t w = 0; w < phrase->count; w++) {
		int code = phrase->words[w].same == w ? read_positions(phrase, &phrase->words[w], doc) : 0;
		if (code)
			return code;
	}
	uint32_t places = count_places(phrase, rarest);
	return places ? add_match(phrase, doc, places) : 0;
}

/* All words are in ranged lists: AND the masks of the ranges. */
static int examine_superblock(struct phrase *phrase, uint32_t superblock)
{
	uint32_t ranges = 0xffff;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (!phrase->words[w].list.ranged.bounds[superblock])
			return 0;
	for (uint32_t w = 0; w < phrase->count && ranges; w++) {
		int found = phrase->words[w].same == w ? enter_superblock(phrase, &phrase->words[w], superblock) : 1;
		if (found <= 0)
			return found;
		if (phrase->words[w].same == w)
			ranges &= phrase->words[w].chunk.range_mask;
	}
	for (; ranges; ranges &= ranges - 1) {
		uint32_t range = (uint32_t)__builtin_ctz(ranges);
		uint64_t docs = UINT64_MAX;
		for (uint32_t w = 0; w < phrase->count && docs; w++)
			if (phrase->words[w].same == w && enter_range(phrase, &phrase->words[w], range))
				docs &= phrase->words[w].mask;
		for (; docs; docs &= docs - 1) {
			uint32_t doc = superblock * SUPERBLOCK_DOCUMENTS + range * RANGE_DOCUMENTS + (uint32_t)__builtin_ctzll(docs);
			if (doc >= phrase->segment->documents_count)
				break;
			int code = examine(phrase, doc);
			if (code)
				return code;
		}
	}
	return 0;
}

static int run(struct phrase *phrase)
{
	const struct list *shortest = NULL;
	int code = 0;
	for (uint32_t w = 0; w < phrase->count; w++) {
		const struct list *list = &phrase->words[w].list;
		if (list->kind == LIST_EMPTY)
			return 0;
		if (list->kind == LIST_SHORT && (!shortest || list->count < shortest->count))
			shortest = list;
	}
	if (shortest) {
		for (uint32_t i = 0; !code && i < shortest->count; i++)
			code = examine(phrase, shortest->docs[i]);
		return code;
	}
	for (uint32_t s = 0; !code && s < superblock_count(phrase->segment->documents_count); s++)
		code = examine_superblock(phrase, s);
	return code;
}

static int open_words(struct phrase *phrase, const struct query_term *terms)
{
	for (uint32_t w = 0; w < phrase->count; w++) {
		struct phrase_word *word = &phrase->words[w];
		*word = (struct phrase_word){.offset = terms[w].offset, .same = w, .superblock = UINT32_MAX, .rank = UINT32_MAX};
		for (uint32_t other = 0; other < w && word->same == w; other++)
			if (terms[other].length == terms[w].length && memcmp(terms[other].bytes, terms[w].bytes, terms[w].length) == 0)
				word->same = other;
		if (word->same != w) {
			word->list = phrase->words[word->same].list;
			continue;
		}
		int code = list_open(&word->list, phrase->segment, terms[w].bytes, terms[w].length, phrase->arena, phrase->error);
		if (code)
			return code;
		word->address = word->list.positions;
	}
	return 0;
}

int phrase_open(struct list *list, struct segment *segment, const struct query_term *terms, uint32_t words,
                struct arena *arena, trawl_error *error)
{
	struct phrase phrase = {.segment = segment, .count = words, .error = error, .arena = arena, .out = list};
	*list = (struct list){.kind = LIST_SHORT, .inline_position = POSITION_NONE};
	if (!segment->has_positions)
		return error_set(error, TRAWL_EINVAL, "%s has no positions, so it cannot answer phrases; index it again without "
		                                      "--no-positions",
		                 store_path(snapshot_store(segment->snapshot)));
	phrase.words = arena_new(arena, words * sizeof *phrase.words);
	if (!phrase.words)
		return error_set_memory(error);
	int code = open_words(&phrase, terms);
	if (!code)
		code = run(&phrase);
	buffer_release(&phrase.scratch);
	list->live_df = list->count;
	if (!list->count)
		list->kind = LIST_EMPTY;
	return code;
}
