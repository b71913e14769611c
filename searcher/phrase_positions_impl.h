/*
 * phrase_positions_impl.h - the words of a phrase in a document: where their positions are, and how often they stand side by side.
 *
 * A word's positions in a document are found by adding up the sizes of those before (docs/FORMAT.md, Positions). They are compared
 * in the cheapest of three ways that their number allows: with those of other documents, as 16-bit numbers, or as they are.
 *
 * Included by phrase_impl.h, which says what documents are looked up.
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
/* An offset in the phrase, so that no position that is wanted wraps to a real one or to SHORT_NONE. */
#define SHORT_OFFSET_MAX 0x2000
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
/* So many vectors of words become one of shorts or a few. */
#if VECTOR_BYTES == 32
#define NARROWED 4
#else
#define NARROWED 1
#endif
#define AT_ONCE (NARROWED * MANY_WORDS)
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

/* Of each number the low 16 bits. */
static inline void narrow_words(const many_words numbers[NARROWED], uint16_t *out)
{
#if NARROWED == 4
	/* Compilers do this number by number. Packed, a lane has two of each four: */
	__m256i low = _mm256_packus_epi32((__m256i)numbers[0], (__m256i)numbers[1]);
	__m256i high = _mm256_packus_epi32((__m256i)numbers[2], (__m256i)numbers[3]);
	__m256i pairs = _mm256_packus_epi32(low, high);
	pairs = _mm256_permutevar8x32_epi32(pairs, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	_mm256_storeu_si256((__m256i *)out, pairs);
#else
	for (uint32_t i = 0; i < NARROWED; i++)
		*(few_shorts *)(out + i * MANY_WORDS) = __builtin_convertvector(numbers[i], few_shorts);
#endif
}

static void load_gaps(const struct phrase *phrase, struct phrase_word *word, const uint64_t *gap_bits)
{
	uint64_t loaded[WAITING_MAX];
	uint32_t n = phrase->waiting, end = (n + AT_ONCE - 1) / AT_ONCE * AT_ONCE, most = word->gaps_most;
	for (uint32_t i = 0; i < n; i++)
		loaded[i] = load64(word->waiting_places[i].bytes) >> word->waiting_places[i].first;
	for (uint32_t i = n; i < end; i++)
		loaded[i] = 0;
	for (uint32_t i = 0; i < end; i += AT_ONCE) {
		many_words bits[NARROWED], gap[NARROWED], most_gap[NARROWED], circle[NARROWED], position[NARROWED];
#pragma GCC unroll 4 /* into registers */
		for (uint32_t j = 0; j < NARROWED; j++) {
			gap[j] = *(const many_words *)(gap_bits + i + j * MANY_WORDS);
			bits[j] = *(const many_words *)(loaded + i + j * MANY_WORDS);
			most_gap[j] = (((many_words){0} + 1) << gap[j]) - 1;
			circle[j] = most_gap[j] * 2 + 1;
			position[j] = bits[j] & circle[j];
			bits[j] >>= 1;
		}
		for (uint32_t k = 0; k < most; k++) {
			narrow_words(position, word->gaps_positions[k] + i);
#pragma GCC unroll 4
			for (uint32_t j = 0; j < NARROWED; j++) {
				bits[j] >>= gap[j];
				position[j] = (position[j] + (bits[j] & most_gap[j]) + 1) & circle[j];
			}
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
	for (uint32_t i = n; i % AT_ONCE; i++)
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
	for (uint32_t k = 0; k < SHORTS_MAX; k++)
		word->shorts[k] = SHORT_NONE;
	for (uint32_t k = 0; k < tf; k++)
		word->shorts[k] = word->gaps_positions[k][i];
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
