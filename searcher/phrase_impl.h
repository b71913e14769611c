/*
 * phrase_impl.h - phrases: the documents that have all words, and how often each of them has the words side by side.
 *
 * Candidates come from the shortest word's list, or where all words are frequent, superblock by superblock from the AND of the
 * ranges' document masks. A phrase occurs at most as often as its rarest word does in the document, so the least of the words' bounds
 * bounds it: superblocks, ranges and documents that cannot enter the top are left out before any position is
 * read. What is found out about a document's positions, phrase_positions_impl.h does.
 *
 * Included by the kernel files behind evaluate_impl.h, whose primitives and list_chunk it uses.
 */
#ifdef __SSE4_2__
#include <immintrin.h>
#endif

#include "searcher/phrase_positions_impl.h"

/* ---- matches ---- */

static int collect(struct phrase *phrase, uint32_t doc, uint32_t tf)
{
	struct list *out = phrase->in->out;
	if (out->count == phrase->capacity) {
		uint32_t room = phrase->capacity ? phrase->capacity * 2 : 256;
		uint32_t *docs = arena_new(phrase->in->arena, room * sizeof *docs);
		uint32_t *tfs = arena_new(phrase->in->arena, room * sizeof *tfs);
		if (!docs || !tfs)
			return error_set_memory(phrase->in->error);
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

static uint32_t rarest_word(const struct phrase *phrase)
{
	uint32_t rarest = 0;
	for (uint32_t w = 1; w < phrase->count; w++)
		if (phrase->words[w].same == w && phrase->words[w].tf < phrase->words[rarest].tf)
			rarest = w;
	return rarest;
}

/* How often the phrase can stand in the document at most. */
static uint32_t most_places(const struct phrase *phrase, uint32_t rarest)
{
	uint32_t tf = phrase->words[rarest].tf;
	return tf < phrase->pair_tf ? tf : phrase->pair_tf;
}

/* Whether a document in which the rarest word stands `tf` times can enter the top. */
static bool can_enter(const struct phrase *phrase, uint32_t doc, uint32_t tf)
{
	const struct phrase_evaluation *in = phrase->in;
	return score_posting(in->scorer, in->weight, tf, phrase->lengths[doc]) * in->slack >= in->top->threshold;
}

static int take_match(struct phrase *phrase, uint32_t doc, uint32_t places)
{
	struct phrase_evaluation *in = phrase->in;
	in->matches++;
	if (in->top) {
		float score = score_posting(in->scorer, in->weight, places, phrase->lengths[doc]);
		if (score >= in->top->threshold)
			top_push(in->top, in->base + doc, score);
	}
	return in->out ? collect(phrase, doc, places) : 0;
}

/* How often the phrase stands in a document that waits and is not small, if that can matter: *places. */
static int examine_one(struct phrase *phrase, uint32_t i, uint32_t *places)
{
	*places = 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		phrase->words[w].tf = phrase->words[w].waiting_tfs[i];
	uint32_t rarest = rarest_word(phrase);
	phrase->pair_tf = phrase->waiting_pair_tfs[i];
	if (phrase->pruning && !can_enter(phrase, phrase->waiting_docs[i], most_places(phrase, rarest)))
		return 0;
	if (phrase->waiting_sizes[i] == DOCUMENT_MIDDLING && count_middling(phrase, i, rarest, places))
		return 0;
	for (uint32_t w = 0; w < phrase->count; w++) {
		int code = phrase->words[w].same == w ? decode_waiting(phrase, &phrase->words[w], i) : 0;
		if (code)
			return code;
	}
	*places = count_places(phrase, rarest);
	return 0;
}

static int examine_waiting(struct phrase *phrase)
{
	uint16_t small[WAITING_MAX];
	int code = 0;
	count_small(phrase, small);
	for (uint32_t i = 0; !code && i < phrase->waiting; i++) {
		uint32_t places = small[i];
		if (phrase->waiting_sizes[i] != DOCUMENT_SMALL)
			code = examine_one(phrase, i, &places);
		if (!code && places)
			code = take_match(phrase, phrase->waiting_docs[i], places);
	}
	phrase->waiting = 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		phrase->words[w].gaps_most = 0;
	return code;
}

/* The document begins to wait: `most` positions of any word. */
static inline void begin_to_wait(struct phrase *phrase, uint32_t doc, uint32_t most)
{
	uint32_t gap = position_gap_bits[phrase->spans[doc]], i = phrase->waiting++;
	bool small = most <= SMALL_TF && most * gap <= SMALL_BITS && gap <= SHORT_GAP_MAX && phrase->is_short;
	bool large = most > SHORTS_MAX || gap > SHORT_GAP_MAX || !phrase->is_short;
	phrase->waiting_docs[i] = doc;
	phrase->waiting_pair_tfs[i] = phrase->pair_tf;
	phrase->waiting_gaps[i] = (uint8_t)gap;
	phrase->waiting_sizes[i] = small ? DOCUMENT_SMALL : large ? DOCUMENT_LARGE : DOCUMENT_MIDDLING;
	for (uint32_t w = 0; w < phrase->count; w++) {
		struct phrase_word *word = &phrase->words[w];
		uint32_t tf = word->waiting_tfs[i], gaps_tf = tf <= SMALL_TF ? tf : 0;
		word->gaps_tfs[i] = (uint16_t)gaps_tf;
		word->gaps_most = gaps_tf > word->gaps_most ? gaps_tf : word->gaps_most;
	}
}

/* All words have been found in `doc`, and where: let it wait, if it can matter at all. */
static int add_waiting(struct phrase *phrase, uint32_t doc)
{
	uint32_t i = phrase->waiting, most = 0;
	if (phrase->pruning && !can_enter(phrase, doc, most_places(phrase, rarest_word(phrase))))
		return 0;
	for (uint32_t w = 0; w < phrase->count; w++) {
		struct phrase_word *word = &phrase->words[w];
		int code = word->same == w ? locate(phrase, word, doc) : 0;
		if (code)
			return code;
		word->waiting_tfs[i] = word->tf;
		word->waiting_places[i] = word->found;
		most = word->tf > most ? word->tf : most;
	}
	begin_to_wait(phrase, doc, most);
	return phrase->waiting == WAITING_MAX ? examine_waiting(phrase) : 0;
}

/* ---- candidates ---- */

/* Look `doc` up in the distinct lists from number `first` to before `last`. */
static int find_all(struct phrase *phrase, uint32_t first, uint32_t last, uint32_t doc)
{
	int found = 1;
	for (uint32_t i = first; found > 0 && i < last; i++)
		found = find(phrase, &phrase->words[phrase->order[i]], doc);
	return found;
}

/* After the pairs have been looked up: whether the document matters still. */
static bool pairs_suffice(struct phrase *phrase, uint32_t doc)
{
	phrase->pair_tf = UINT32_MAX;
	for (uint32_t i = 0; i < phrase->pairs; i++) {
		uint32_t tf = phrase->words[phrase->count + i].tf;
		phrase->pair_tf = tf < phrase->pair_tf ? tf : phrase->pair_tf;
	}
	return !phrase->pairs || !phrase->pruning || can_enter(phrase, doc, phrase->pair_tf);
}

static int drive_by_short(struct phrase *phrase, const struct list *shortest)
{
	for (uint32_t i = 0; i < shortest->count; i++) {
		uint32_t doc = shortest->docs[i];
		int found = !segment_is_dead(phrase->segment, doc);
		if (found > 0)
			found = find_all(phrase, 0, phrase->pairs, doc);
		if (found > 0)
			found = pairs_suffice(phrase, doc) ? find_all(phrase, phrase->pairs, phrase->distinct, doc) : 0;
		if (found > 0)
			found = add_waiting(phrase, doc);
		if (found < 0)
			return found;
	}
	return examine_waiting(phrase);
}

#define DENSE_WORDS 8     /* of a phrase, at most */
#define DENSE_DOCUMENTS 6 /* of a range with all words, at least */

/* starts[i] = the sum of the sizes before i < n */
static void add_up(const uint16_t sizes[RANGE_DOCUMENTS], uint32_t n, uint16_t *starts)
{
#ifdef __SSE4_2__
	__m128i sum = _mm_setzero_si128();
	for (uint32_t i = 0; i < n; i += 8) {
		__m128i own = _mm_loadu_si128((const __m128i *)(sizes + i));
		__m128i up_to = _mm_add_epi16(own, _mm_slli_si128(own, 2));
		up_to = _mm_add_epi16(up_to, _mm_slli_si128(up_to, 4));
		up_to = _mm_add_epi16(up_to, _mm_slli_si128(up_to, 8));
		up_to = _mm_add_epi16(up_to, sum);
		_mm_storeu_si128((__m128i *)(starts + i), _mm_sub_epi16(up_to, own));
		sum = _mm_shuffle_epi8(up_to, _mm_set1_epi16(0x0f0e));
	}
#else
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; sum += sizes[i++])
		starts[i] = (uint16_t)sum;
#endif
}

/* Where the positions of the word in the range begin, if they are one after the other in memory, and where in them (`starts`) those
 * of each posting. */
static const uint8_t *open_dense(const struct phrase *phrase, const struct phrase_word *word, uint16_t *starts)
{
	const struct range_positions *range = &word->range;
	uint64_t left;
	if (range->wide || range->total > UINT16_MAX || word->list.kind != LIST_RANGED)
		return NULL;
	const uint8_t *bytes = part_at(&phrase->segment->positions, word->range_address / 8, &left, phrase->in->error);
	if (!bytes || left < bytes_of_bits(word->range_address % 8, range->total))
		return NULL;
	for (uint64_t ahead = 0; ahead < range->total / 8; ahead += 64)
		__builtin_prefetch(bytes + ahead);
	add_up(range->sizes, (uint32_t)__builtin_popcountll(range->mask), starts);
	return bytes;
}

/* Let documents of a range that all words have entered wait: where they are many, their positions stand close together. 1
 * done, 0 not possible, negative on error. */
static int add_dense(struct phrase *phrase, uint32_t first, uint64_t docs)
{
	uint16_t starts[DENSE_WORDS][RANGE_DOCUMENTS + 8];
	const uint8_t *bytes[DENSE_WORDS];
	if (phrase->pairs || phrase->count > DENSE_WORDS || __builtin_popcountll(docs) < DENSE_DOCUMENTS)
		return 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (phrase->words[w].same == w && !(bytes[w] = open_dense(phrase, &phrase->words[w], starts[w])))
			return 0;
	phrase->pair_tf = UINT32_MAX;
	for (; docs; docs &= docs - 1) {
		uint32_t doc = first + (uint32_t)__builtin_ctzll(docs), i = phrase->waiting, most = 0,
		         least = UINT32_MAX;
		uint64_t before = (docs & -docs) - 1;
		for (uint32_t w = 0; w < phrase->count; w++) {
			struct phrase_word *word = &phrase->words[w];
			if (word->same != w) {
				word->waiting_tfs[i] = phrase->words[word->same].waiting_tfs[i];
				continue;
			}
			uint32_t index = (uint32_t)__builtin_popcountll(word->range.mask & before);
			uint32_t tf = word->range.tfs[index], bit = word->range_address % 8 + starts[w][index];
			word->waiting_tfs[i] = tf;
			word->waiting_places[i] = (struct place){bytes[w] + bit / 8, bit % 8};
			most = tf > most ? tf : most;
			least = tf < least ? tf : least;
		}
		if (phrase->pruning && !can_enter(phrase, doc, least))
			continue;
		begin_to_wait(phrase, doc, most);
		int code = phrase->waiting == WAITING_MAX ? examine_waiting(phrase) : 0;
		if (code)
			return code;
	}
	return 1;
}

static int examine_range(struct phrase *phrase, uint32_t superblock, uint32_t range)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS + range * RANGE_DOCUMENTS;
	const struct segment *segment = phrase->segment;
	if (first >= segment->documents_count)
		return 0;
	uint64_t docs = segment->deletions.words ? ~segment->deletions.words[first / 64] : UINT64_MAX;
	if (segment->documents_count - first < RANGE_DOCUMENTS)
		docs &= ((uint64_t)1 << (segment->documents_count - first)) - 1;
	float bound = INFINITY;
	for (uint32_t i = 0; phrase->pruning && i < phrase->deciding; i++) {
		const struct phrase_word *word = &phrase->words[phrase->order[i]];
		uint32_t rank = (uint32_t)__builtin_popcount(word->chunk.range_mask & ((1u << range) - 1));
		float level = word->list.levels[word->chunk.headers[rank] >> 4];
		bound = level < bound ? level : bound;
	}
	if (phrase->pruning && bound < phrase->in->top->threshold)
		return 0;
	for (uint32_t i = 0; i < phrase->deciding && docs; i++) {
		const struct chunk *chunk = &phrase->words[phrase->order[i]].chunk;
		uint32_t before = chunk->range_mask & ((1u << range) - 1);
		docs &= range_mask(chunk, (uint32_t)__builtin_popcount(before));
	}
	for (uint32_t i = phrase->pairs; i < phrase->deciding && docs; i++)
		enter_range(phrase, &phrase->words[phrase->order[i]], range);
	int done = docs ? add_dense(phrase, first, docs) : 0;
	if (done)
		return done < 0 ? done : 0;
	for (; docs; docs &= docs - 1) {
		uint32_t doc = first + (uint32_t)__builtin_ctzll(docs);
		int found = find_all(phrase, 0, phrase->pairs, doc);
		if (found > 0 && !pairs_suffice(phrase, doc))
			continue;
		for (uint32_t i = phrase->pairs; i < phrase->deciding; i++)
			find_in_range(&phrase->words[phrase->order[i]], doc);
		if (found > 0)
			found = find_all(phrase, phrase->deciding, phrase->distinct, doc);
		if (found > 0)
			found = add_waiting(phrase, doc);
		if (found < 0)
			return found;
	}
	return 0;
}

static int phrase_superblock(struct phrase *phrase, uint32_t superblock)
{
	uint32_t ranges = 0xffff;
	for (uint32_t i = 0; i < phrase->deciding && ranges; i++) {
		struct phrase_word *word = &phrase->words[phrase->order[i]];
		int found = enter_superblock(phrase, word, superblock);
		if (found <= 0)
			return found;
		ranges &= word->chunk.range_mask;
	}
	int code = 0;
	for (; ranges && !code; ranges &= ranges - 1)
		code = examine_range(phrase, superblock, (uint32_t)__builtin_ctz(ranges));
	/* What is found changes what is worth looking for. */
	return !code && phrase->pruning ? examine_waiting(phrase) : code;
}

static void prefetch_chunk(const struct list *list, uint32_t superblock)
{
	uint32_t length;
	uint64_t address = chunk_place(&list->ranged, superblock, &length), extent = address / EXTENT_PAYLOAD;
	const uint8_t *payload = extent < list->postings->extent_count
	                             ? atomic_load_explicit(&list->postings->extents[extent], memory_order_relaxed)
	                             : NULL;
	if (payload) {
		__builtin_prefetch(payload + address % EXTENT_PAYLOAD);
		__builtin_prefetch(payload + address % EXTENT_PAYLOAD + 64);
	}
}

/* sums[i] = min(sums[i], step * bounds[i]) */
static void take_least(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		float bound = step * (float)bounds[i];
		sums[i] = bound < sums[i] ? bound : sums[i];
	}
}

/* All deciding lists are ranged: superblocks by falling bound, or all in order when nothing is to be ranked. */
static int drive_by_superblocks(struct phrase *phrase)
{
	struct arena *arena = phrase->in->arena;
	uint32_t n = group_count(phrase->segment->documents_count) * GROUP_SUPERBLOCKS;
	float *sums = arena_new(arena, n * sizeof *sums), threshold = phrase->pruning ? phrase->in->top->threshold : 0;
	uint32_t *candidates = arena_new(arena, (2 * (size_t)n + 16) * sizeof *candidates);
	if (!sums || !candidates)
		return error_set_memory(phrase->in->error);
	uint32_t *sorted = candidates + n + 16;
	for (uint32_t i = 0; i < n; i++)
		sums[i] = INFINITY;
	for (uint32_t i = 0; i < phrase->deciding; i++) {
		const struct list *list = &phrase->words[phrase->order[i]].list;
		take_least(sums, list->ranged.bounds, phrase->pruning ? list->step : 1, n);
	}
	uint32_t count = select_sums(sums, threshold, n, candidates);
	if (phrase->pruning)
		order_by_bound(sums, candidates, sorted, count);
	else
		sorted = candidates;
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++) {
		for (uint32_t w = 0; phrase->pruning && i + 1 < count && w < phrase->deciding; w++)
			prefetch_chunk(&phrase->words[phrase->order[w]].list, sorted[i + 1]);
		if (!phrase->pruning || sums[sorted[i]] >= phrase->in->top->threshold)
			code = phrase_superblock(phrase, sorted[i]);
	}
	return code ? code : examine_waiting(phrase);
}

static bool same_term(const struct query_term *a, const struct query_term *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static int open_word(struct phrase *phrase, uint32_t w)
{
	struct phrase_evaluation *in = phrase->in;
	struct phrase_word *word = &phrase->words[w];
	*word = (struct phrase_word){.offset = in->terms[w].offset, .same = w, .superblock = UINT32_MAX};
	for (uint32_t other = 0; other < w && word->same == w; other++)
		if (same_term(&in->terms[other], &in->terms[w]))
			word->same = other;
	const struct term_entry *entry = &in->entries[w][in->number];
	if (word->same != w || !entry->df) /* LIST_EMPTY */
		return 0;
	int code = list_open(&word->list, in->segment, entry, in->arena, in->error);
	word->address = 8 * word->list.positions;
	if (!code && word->list.inline_position != POSITION_NONE) {
		word->inline_bits = arena_new(in->arena, EXTENT_SLACK);
		if (!word->inline_bits)
			return error_set_memory(in->error);
		*word->inline_bits = word->list.inline_position;
	}
	return code;
}

/* Find the pair lists of neighbouring words. 1, 0 when two of them stand side by side nowhere, or negative. */
static int open_pairs(struct phrase *phrase)
{
	struct phrase_evaluation *in = phrase->in;
	for (uint32_t w = 0; w + 1 < phrase->count; w++) {
		struct term_entry entry;
		struct phrase_word *pair = &phrase->words[phrase->total];
		if (phrase->words[w].offset + 1 != phrase->words[w + 1].offset)
			continue;
		int state = segment_find_pair(in->segment, &in->entries[w][in->number], &in->entries[w + 1][in->number],
		                              &entry, in->error);
		if (state == PAIR_UNLISTED)
			continue;
		if (state != PAIR_FOUND)
			return state == PAIR_ABSENT ? 0 : state;
		phrase->words[phrase->words[w].same].implied = true;
		phrase->words[phrase->words[w + 1].same].implied = true;
		*pair = (struct phrase_word){.same = phrase->total, .superblock = UINT32_MAX};
		int code = list_open_pair(&pair->list, in->segment, &entry, in->arena, in->error);
		if (code)
			return code;
		phrase->total++;
		phrase->pairs++;
	}
	return 1;
}

/* Put the distinct lists in order, and tell the deciding ones how to bound scores. */
static int order_lists(struct phrase *phrase)
{
	struct phrase_evaluation *in = phrase->in;
	for (uint32_t i = phrase->count; i < phrase->total; i++)
		phrase->order[phrase->distinct++] = i;
	for (int implied = 0; implied <= 1; implied++) {
		for (uint32_t w = 0; w < phrase->count; w++)
			if (phrase->words[w].same == w && phrase->words[w].implied == implied)
				phrase->order[phrase->distinct++] = w;
		if (!implied)
			phrase->deciding = phrase->distinct;
	}
	for (uint32_t i = 0; in->top && i < phrase->deciding; i++) {
		struct list *list = &phrase->words[phrase->order[i]].list;
		int code = list->kind == LIST_RANGED ? list_score(list, in->segment, in->scorer, in->weight,
		                                                  in->inflation, in->slack, in->arena, in->error)
		                                     : 0;
		if (code)
			return code;
	}
	return 0;
}

static int evaluate_phrase(struct phrase_evaluation *in)
{
	struct phrase phrase = {.in = in,
	                        .segment = in->segment,
	                        .lengths = in->segment->lengths,
	                        .spans = in->segment->spans,
	                        .pruning = in->top && !in->count_all,
	                        .count = in->words,
	                        .total = in->words,
	                        .pair_tf = UINT32_MAX};
	const struct list *shortest = NULL;
	phrase.words = arena_new(in->arena, 2 * (size_t)in->words * sizeof *phrase.words);
	phrase.order = arena_new(in->arena, 2 * (size_t)in->words * sizeof *phrase.order);
	if (!phrase.words || !phrase.order)
		return error_set_memory(in->error);
	for (uint32_t w = 0; w < phrase.count; w++) {
		int code = open_word(&phrase, w);
		const struct list *list = &phrase.words[phrase.words[w].same].list;
		if (code || list->kind == LIST_EMPTY)
			return code;
	}
	phrase.is_short = phrase.words[phrase.count - 1].offset <= SHORT_OFFSET_MAX;
	int possible = in->segment->has_pairs ? open_pairs(&phrase) : 1;
	if (possible <= 0)
		return possible;
	int code = order_lists(&phrase);
	if (code)
		return code;
	for (uint32_t i = 0; i < phrase.deciding; i++) {
		const struct list *list = &phrase.words[phrase.order[i]].list;
		if (list->kind == LIST_SHORT && (!shortest || list->count < shortest->count))
			shortest = list;
	}
	return shortest ? drive_by_short(&phrase, shortest) : drive_by_superblocks(&phrase);
}
