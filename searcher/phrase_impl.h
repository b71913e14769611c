/*
 * phrase_impl.h - phrases: documents that have all words, and of these the places where the words stand side by side.
 *
 * Candidates come from the shortest word's list, or where all words are frequent, superblock by superblock from the AND of the
 * ranges' document masks. A phrase occurs at most as often as its rarest word does in the document, so the least of the words' bounds
 * bounds it: superblocks, ranges and documents that cannot enter the top are left out before any position is
 * read. A word's positions in a document are found by adding up the sizes of those before (docs/FORMAT.md, Positions).
 *
 * Included by the kernel files behind evaluate_impl.h, whose primitives and list_chunk it uses.
 */

/* Documents that have all words wait until there are some, so that their positions are on the way when they are looked at, and
 * many can be looked at together. */
#define WAITING_MAX 64

/* A document is small if the positions of all words in it are gaps that together take at most that many bits: then one load
 * brings those of a word, the first one's additional bit and up to 7 others before them. */
#define SMALL_TF (POSITIONS_ELIAS_FANO - 1)
#define SMALL_BITS 56
/* A document is middling if it is not small, and its positions and their numbers (SHORTS_MAX) are not large either. */
#define SHORT_GAP_MAX 14 /* positions below 2^15 */
#define SHORT_OFFSET_MAX                                                                                               \
	0x2000 /* in the phrase, so that no position that is wanted wraps to a real one or to SHORT_NONE */
/* So many positions take less than so many bytes. */
#define NEAR_TF 128
#define NEAR_BYTES 1024

/* Vectors as wide as the instruction set's: of wider ones compilers make numbers one by one. */
#if defined(__AVX512BW__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define MANY_WORDS (VECTOR_BYTES / 8)
#define MANY_SHORTS (VECTOR_BYTES / 2)
typedef uint64_t many_words __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef int16_t many_shorts __attribute__((vector_size(VECTOR_BYTES), aligned(2), may_alias));
typedef uint16_t few_shorts __attribute__((vector_size(VECTOR_BYTES / 4), aligned(2), may_alias));

/* Where bits are in memory. */
struct place {
	const uint8_t *bytes;
	uint32_t first; /* bit, below 8 */
};

/* A word of the phrase, and where its last look-up ended, so that looking on costs only what lies between. */
struct phrase_word {
	struct list list;
	uint32_t offset;
	bool implied;  /* a pair list has it in all its documents, so that it is only looked up for its positions */
	uint32_t same; /* index of the first word with the same term: they share one reader */
	/* LIST_SHORT */
	uint32_t index;   /* posting reached */
	uint64_t address; /* of its positions: a bit of the part, as all addresses here */
	/* LIST_RANGED: the superblock entered, the range reached in it */
	uint32_t superblock; /* UINT32_MAX: none yet */
	bool present;        /* the superblock has postings */
	struct chunk chunk;
	uint32_t rank;                               /* of the range */
	uint32_t ranges;                             /* the range and those behind it, as a mask */
	uint64_t range_address;                      /* of its first posting's positions */
	uint32_t byte_exceptions, bitmap_exceptions; /* number of the next range's first exception, by its form */
	struct range_positions range;
	/* of the document last looked up, and of those that wait to be examined */
	uint32_t tf;
	uint64_t found_address;
	struct place found; /* of its positions */
	uint32_t waiting_tfs[WAITING_MAX];
	struct place waiting_places[WAITING_MAX];
	/* of those of them where the positions are gaps: tfs (else 0), the greatest of these, and the positions, each number in all
	 * documents together, SHORT_NONE behind the last */
	uint32_t gaps_most;
	uint16_t gaps_tfs[WAITING_MAX], gaps_positions[SMALL_TF][WAITING_MAX];
	/* of a middling document, and of a large one */
	uint16_t shorts[SHORTS_MAX];
	uint32_t *positions;
	size_t position_capacity;
	uint64_t *inline_bits; /* the position that the dictionary has, as it would be stored */
};

struct phrase {
	struct phrase_evaluation *in;
	struct segment *segment;
	const uint8_t *lengths, *spans; /* of the segment: for scores; for the layout of positions */
	struct phrase_word *words;      /* `count` words, then the lists of pairs of them: up to `total` */
	uint32_t count, total, capacity;
	/* Indices into `words` of the distinct lists: first the `deciding` ones (pairs, then words that no pair implies), which
	 * find the documents, then the implied words, looked up in these documents alone. */
	uint32_t *order, distinct, deciding, pairs;
	uint32_t
	    pair_tf; /* the least of the pairs' tfs in the document being looked up: the phrase stands there no more often */
	bool pruning;  /* only matches that can enter the top are wanted */
	bool is_short; /* its last word's offset is at most SHORT_OFFSET_MAX */
	uint32_t waiting, waiting_docs[WAITING_MAX], waiting_pair_tfs[WAITING_MAX];
	uint8_t waiting_gaps[WAITING_MAX]; /* position_gap_bits */
	enum document_size { DOCUMENT_SMALL, DOCUMENT_MIDDLING, DOCUMENT_LARGE } waiting_sizes[WAITING_MAX];
};

/* ---- looking a document up ---- */

/* Documents come in ascending order within a superblock; short lists are only searched when one of them drives. */
static int find_in_short(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	const struct list *list = &word->list;
	while (word->index < list->count && list->docs[word->index] < doc) {
		word->address += position_bits(list->tfs[word->index], phrase->spans[list->docs[word->index]]);
		word->index++;
	}
	if (word->index == list->count || list->docs[word->index] != doc)
		return 0;
	word->tf = list->tfs[word->index];
	word->found_address = word->address;
	return 1;
}

/* Measure the range reached. */
static void reach_range(const struct phrase *phrase, struct phrase_word *word)
{
	bool bitmap = word->chunk.bitmap_mask >> word->rank & 1;
	uint32_t *exceptions = bitmap ? &word->bitmap_exceptions : &word->byte_exceptions;
	uint32_t first =
	    word->superblock * SUPERBLOCK_DOCUMENTS + (uint32_t)__builtin_ctz(word->ranges) * RANGE_DOCUMENTS;
	measure_range(&word->chunk, word->rank, *exceptions, phrase->spans + first, &word->range);
	*exceptions += word->range.exceptions;
}

static int enter_superblock(struct phrase *phrase, struct phrase_word *word, uint32_t superblock)
{
	if (word->superblock == superblock)
		return word->present;
	int found = list_chunk(&word->list, superblock, &word->chunk, phrase->in->error);
	if (found > 0) {
		__builtin_prefetch(word->chunk.codes);
		__builtin_prefetch(word->chunk.exceptions);
	}
	word->superblock = superblock;
	word->present = found > 0;
	word->rank = UINT32_MAX;
	return found;
}

/* Go on to a range of the entered superblock that has postings. */
static void enter_range(struct phrase *phrase, struct phrase_word *word, uint32_t range)
{
	const struct chunk *chunk = &word->chunk;
	if (word->rank == UINT32_MAX) {
		word->rank = 0;
		word->ranges = chunk->range_mask;
		word->range_address = 8 * word->list.positions + chunk->positions;
		word->byte_exceptions = 0;
		word->bitmap_exceptions = chunk->bitmap_mask ? large_bytes(chunk->bytes, chunk->byte_count) : 0;
		reach_range(phrase, word);
	}
	while ((uint32_t)__builtin_ctz(word->ranges) < range) {
		word->range_address += word->range.total;
		word->ranges &= word->ranges - 1;
		word->rank++;
		reach_range(phrase, word);
	}
}

static void find_in_range(struct phrase_word *word, uint32_t doc)
{
	const struct range_positions *range = &word->range;
	uint64_t before = range->mask & (((uint64_t)1 << (doc % RANGE_DOCUMENTS)) - 1);
	uint32_t index = (uint32_t)__builtin_popcountll(before);
	word->tf = range->wide ? range->wide_tfs[index] : range->tfs[index];
	word->found_address =
	    word->range_address + (range->wide ? range->wide_starts[index] : sum_sizes(range->sizes, index));
}

static int find_in_pair(struct phrase *phrase, struct phrase_word *pair, uint32_t doc)
{
	uint32_t range = doc / RANGE_DOCUMENTS % SUPERBLOCK_RANGES;
	int found = enter_superblock(phrase, pair, doc / SUPERBLOCK_DOCUMENTS);
	if (found <= 0 || !(pair->chunk.range_mask >> range & 1))
		return found < 0 ? found : 0;
	uint32_t rank = (uint32_t)__builtin_popcount(pair->chunk.range_mask & ((1u << range) - 1));
	pair->tf = chunk_tf(&pair->chunk, rank, doc % RANGE_DOCUMENTS);
	return pair->tf > 0;
}

static int find(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	if (word->list.kind == LIST_SHORT)
		return find_in_short(phrase, word, doc);
	if (word >= phrase->words + phrase->count)
		return find_in_pair(phrase, word, doc);
	int found = enter_superblock(phrase, word, doc / SUPERBLOCK_DOCUMENTS);
	uint32_t range = doc / RANGE_DOCUMENTS % SUPERBLOCK_RANGES;
	if (found <= 0 || !(word->chunk.range_mask >> range & 1))
		return found < 0 ? found : 0;
	enter_range(phrase, word, range);
	if (!(word->range.mask >> (doc % RANGE_DOCUMENTS) & 1))
		return 0;
	find_in_range(word, doc);
	return 1;
}

/* ---- positions ---- */

/* Find where the positions of the word in the document just looked up are. */
static int locate(struct phrase *phrase, struct phrase_word *word, uint32_t doc)
{
	trawl_error *error = phrase->in->error;
	struct part *part = &phrase->segment->positions;
	uint64_t address = word->found_address / 8, left = 0;
	uint8_t span = phrase->spans[doc];
	word->found.first = word->found_address % 8;
	if (word->inline_bits) {
		word->found = (struct place){(const uint8_t *)word->inline_bits, 0};
		return 0;
	}
	/* More positions than there are places would make a look at all of them endless. */
	if (word->tf > SMALL_TF && word->tf > length_longest(span))
		return part_corrupt(part, address, "more occurrences than places", error);
	word->found.bytes = part_at(part, address, &left, error);
	if (!word->found.bytes)
		return error_code(error);
	__builtin_prefetch(word->found.bytes);
	if (left >= NEAR_BYTES && word->tf <= NEAR_TF)
		return 0;
	uint64_t size = bytes_of_bits(word->found.first, position_bits(word->tf, span));
	if (left >= size)
		return 0;
	/* Cut by the end of an extent, which is rare: gather a copy that lives as long as the query. */
	const uint8_t *copy = part_read(part, address, size, phrase->in->scratch, error);
	if (!copy)
		return error_code(error);
	word->found.bytes = arena_copy(phrase->in->arena, copy, size + EXTENT_SLACK);
	return word->found.bytes ? 0 : error_set_memory(error);
}

/* The positions of a word in a document that waits. */
static int decode_waiting(struct phrase *phrase, struct phrase_word *word, uint32_t i)
{
	const struct place *place = &word->waiting_places[i];
	word->tf = word->waiting_tfs[i];
	if (word->tf > word->position_capacity) {
		size_t room = word->tf + (size_t)word->tf / 2 + 64;
		word->positions = arena_new(phrase->in->arena, room * sizeof *word->positions);
		word->position_capacity = word->positions ? room : 0;
		if (!word->positions)
			return error_set_memory(phrase->in->error);
	}
	if (!positions_decode(place->bytes, place->first, word->tf, phrase->spans[phrase->waiting_docs[i]],
	                      word->positions))
		return part_corrupt(&phrase->segment->positions, 8 * word->list.positions,
		                    "positions that make no sense", phrase->in->error);
	return 0;
}

/* ---- small documents that wait, all together ---- */

static void load_gaps(const struct phrase *phrase, struct phrase_word *word, const uint64_t *gap_bits)
{
	uint64_t loaded[WAITING_MAX];
	uint32_t n = phrase->waiting, end = (n + MANY_WORDS - 1) / MANY_WORDS * MANY_WORDS, most = word->gaps_most;
	for (uint32_t i = 0; i < n; i++)
		loaded[i] = load64(word->waiting_places[i].bytes) >> word->waiting_places[i].first;
	for (uint32_t i = n; i < end; i++)
		loaded[i] = 0;
	for (uint32_t i = 0; i < end; i += MANY_WORDS) {
		many_words bits = *(const many_words *)(loaded + i), gap = *(const many_words *)(gap_bits + i);
		many_words one = (many_words){0} + 1, most_gap = (one << gap) - 1, circle = most_gap * 2 + 1;
		many_words position = bits & circle;
		bits >>= 1;
		for (uint32_t k = 0; k < most; k++) {
			*(few_shorts *)(word->gaps_positions[k] + i) = __builtin_convertvector(position, few_shorts);
			bits >>= gap;
			position = (position + (bits & most_gap) + 1) & circle;
		}
	}
	for (uint32_t k = 0; k < most; k++)
		for (uint32_t i = 0; i < n; i += MANY_SHORTS) {
			many_shorts *positions = (many_shorts *)(word->gaps_positions[k] + i);
			many_shorts none = *(const many_shorts *)(word->gaps_tfs + i) <= (int16_t)k;
			*positions = (*positions & ~none) | (none & (int16_t)SHORT_NONE);
		}
}

/* How often the words stand side by side in each document that waits and is small; of others it is not known. */
static void count_small(struct phrase *phrase, uint16_t places[WAITING_MAX])
{
	uint64_t gap_bits[WAITING_MAX];
	uint32_t n = phrase->waiting;
	for (uint32_t i = 0; i < n; i++)
		gap_bits[i] = phrase->waiting_gaps[i];
	for (uint32_t i = n; i % MANY_WORDS; i++)
		gap_bits[i] = 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (phrase->words[w].same == w)
			load_gaps(phrase, &phrase->words[w], gap_bits);
	const struct phrase_word *first = &phrase->words[0];
	for (uint32_t i = 0; i < n; i += MANY_SHORTS) {
		many_shorts found = {0};
		for (uint32_t k = 0; k < first->gaps_most; k++) {
			many_shorts at = *(const many_shorts *)(first->gaps_positions[k] + i);
			many_shorts here = at >= 0; /* SHORT_NONE is not */
			for (uint32_t w = 1; w < phrase->count; w++) {
				const struct phrase_word *word = &phrase->words[phrase->words[w].same];
				int16_t offset = (int16_t)(phrase->words[w].offset - first->offset);
				many_shorts wanted = at + offset, there = {0};
				for (uint32_t j = 0; j < word->gaps_most; j++)
					there |= *(const many_shorts *)(word->gaps_positions[j] + i) == wanted;
				here &= there;
			}
			found -= here;
		}
		*(many_shorts *)(places + i) = found;
	}
}

/* ---- middling documents ---- */

static bool load_shorts(const struct phrase *phrase, struct phrase_word *word, uint32_t i)
{
	const struct place *place = &word->waiting_places[i];
	uint8_t span = phrase->spans[phrase->waiting_docs[i]];
	uint32_t tf = word->waiting_tfs[i];
	if (tf > SMALL_TF)
		return decode_shorts(place->bytes, place->first, tf, span, word->shorts);
	if (tf * phrase->waiting_gaps[i] > SMALL_BITS)
		return decode_shorts_plain(place->bytes, place->first, tf, span, word->shorts);
	for (uint32_t k = 0; k < SMALL_TF; k++)
		word->shorts[k] = k < tf ? word->gaps_positions[k][i] : SHORT_NONE;
	for (uint32_t k = SMALL_TF; k < SHORTS_MAX; k++)
		word->shorts[k] = SHORT_NONE;
	return true;
}

/* How often the words stand side by side in a middling document; `rarest` is the word with the fewest positions. false: it
 * cannot be told this way. */
static bool count_middling(struct phrase *phrase, uint32_t i, uint32_t rarest, uint32_t *places)
{
	struct phrase_word *words = phrase->words;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (words[w].same == w && !load_shorts(phrase, &words[w], i))
			return false;
	const struct phrase_word *rare = &words[rarest];
	uint32_t found = rare->tf < 32 ? (1u << rare->tf) - 1 : UINT32_MAX;
	for (uint32_t w = 0; found && w < phrase->count; w++)
		if (w != rarest)
			found &= among_shorts(rare->shorts, rare->tf, words[words[w].same].shorts,
			                      (uint16_t)(words[w].offset - rare->offset));
	*places = (uint32_t)__builtin_popcount(found);
	return true;
}

/* ---- large documents ---- */

static bool has_position(const struct phrase_word *word, uint32_t wanted)
{
	uint32_t low = 0, high = word->tf;
	while (high - low > 8) {
		uint32_t middle = low + (high - low) / 2;
		if (word->positions[middle] <= wanted)
			low = middle;
		else
			high = middle;
	}
	while (low < high && word->positions[low] < wanted)
		low++;
	return low < high && word->positions[low] == wanted;
}

/* How often the words stand side by side; `rarest` is the word with the fewest positions. */
static uint32_t count_places(const struct phrase *phrase, uint32_t rarest)
{
	const struct phrase_word *first = &phrase->words[rarest];
	uint32_t places = 0, offset = first->offset;
	for (uint32_t i = 0; i < first->tf; i++) {
		uint32_t position = first->positions[i], start = position - offset;
		bool all = position >= offset;
		for (uint32_t w = 0; all && w < phrase->count; w++) {
			const struct phrase_word *word = &phrase->words[phrase->words[w].same];
			if (w != rarest)
				all = has_position(word, start + phrase->words[w].offset);
		}
		places += all;
	}
	return places;
}

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
