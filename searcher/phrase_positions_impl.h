/*
 * phrase_positions_impl.h - how often the words of a phrase stand side by side in documents that wait.
 *
 * Positions are compared in the cheapest of three ways that their number allows: with those of other documents, as 16-bit numbers, or
 * as they are.
 */

/* The positions of a word in a document that waits. */
static int decode_waiting(struct phrase *phrase, struct word *word, uint32_t i)
{
	const struct place *place = &word->waiting_places[i];
	word->tf = word->waiting_tfs[i];
	if (word->tf > word->position_capacity) {
		size_t room = word->tf + (size_t)word->tf / 2 + 64;
		word->positions = arena_new(&phrase->context->phrase_arena, room * sizeof *word->positions);
		word->position_capacity = word->positions ? room : 0;
		if (!word->positions)
			return error_set_memory(phrase->context->error);
	}
	if (!positions_decode(place->bytes, place->first, word->tf, phrase->spans[phrase->waiting_docs[i]],
	                      word->positions))
		return part_corrupt(phrase->in->positions, 8 * word->part->leaf.positions,
		                    "positions that make no sense", phrase->context->error);
	return 0;
}

/* ---- small documents that wait, all together ---- */

static void load_gaps(const struct phrase *phrase, struct word *word, const uint64_t *gap_bits)
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
	const struct word *first = &phrase->words[0];
	for (uint32_t i = 0; i < n; i += MANY_SHORTS) {
		many_shorts found = {0};
		for (uint32_t k = 0; k < first->gaps_most; k++) {
			many_shorts at = *(const many_shorts *)(first->gaps_positions[k] + i);
			many_shorts here = at >= 0; /* SHORT_NONE is not */
			for (uint32_t w = 1; w < phrase->count; w++) {
				const struct word *word = &phrase->words[phrase->words[w].same];
				int16_t offset = (int16_t)(phrase->words[w].offset - phrase->words[0].offset);
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

static bool load_shorts(const struct phrase *phrase, struct word *word, uint32_t i)
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
	struct word *words = phrase->words;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (phrase->words[w].same == w && !load_shorts(phrase, &words[w], i))
			return false;
	const struct word *rare = &words[rarest];
	uint32_t found = rare->tf < 32 ? (1u << rare->tf) - 1 : UINT32_MAX;
	for (uint32_t w = 0; found && w < phrase->count; w++)
		if (w != rarest)
			found &= among_shorts(rare->shorts, rare->tf, words[phrase->words[w].same].shorts,
			                      (uint16_t)(phrase->words[w].offset - phrase->words[rarest].offset));
	*places = (uint32_t)__builtin_popcount(found);
	return true;
}

/* ---- large documents ---- */

static bool has_position(const struct word *word, uint32_t wanted)
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
	const struct word *first = &phrase->words[rarest];
	uint32_t places = 0, offset = phrase->words[rarest].offset;
	for (uint32_t i = 0; i < first->tf; i++) {
		uint32_t position = first->positions[i], start = position - offset;
		bool all = position >= offset;
		for (uint32_t w = 0; all && w < phrase->count; w++) {
			const struct word *word = &phrase->words[phrase->words[w].same];
			if (w != rarest)
				all = has_position(word, start + phrase->words[w].offset);
		}
		places += all;
	}
	return places;
}
