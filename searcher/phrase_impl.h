/*
 * phrase_impl.h - phrases: the documents that have all words, and how often each of them has the words side by side.
 *
 * Candidates come from the sparsest word's postings, or where all words are dense, superblock by superblock from the AND of the
 * blocks' document masks. A phrase occurs at most as often as its rarest word does in the document, so the least of the words' bounds
 * bounds it: superblocks, blocks and documents that cannot enter the top are left out before any position is read.
 */

/* ---- matches ---- */

static int list_match(struct phrase *phrase, uint32_t doc, uint32_t tf)
{
	struct phrase_matches *list = phrase->list;
	if (list->count == list->capacity) {
		uint32_t room = list->capacity ? list->capacity * 2 : 256;
		uint32_t *docs = arena_new(list->arena, room * sizeof *docs);
		uint32_t *tfs = arena_new(list->arena, room * sizeof *tfs);
		if (!docs || !tfs)
			return error_set_memory(phrase->context->error);
		if (list->count) {
			memcpy(docs, list->docs, list->count * sizeof *docs);
			memcpy(tfs, list->tfs, list->count * sizeof *tfs);
		}
		list->docs = docs;
		list->tfs = tfs;
		list->capacity = room;
	}
	list->docs[list->count] = doc;
	list->tfs[list->count++] = tf;
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
	return tf < phrase->bigram_tf ? tf : phrase->bigram_tf;
}

/* Whether a document in which the rarest word stands `tf` times can enter the top. */
static bool can_enter(const struct phrase *phrase, uint32_t doc, uint32_t tf)
{
	const struct phrase_evaluation *in = phrase->in;
	return score_posting(in->scorer, in->weight, tf, in->lengths[doc]) * BOUND_SLACK >= least_score(&phrase->sink);
}

static int take_match(struct phrase *phrase, uint32_t doc, uint32_t places)
{
	const struct phrase_evaluation *in = phrase->in;
	if (phrase->list)
		return list_match(phrase, doc, places);
	phrase->sink.collector->matches++;
	if (phrase->ranking) {
		float score = score_posting(in->scorer, in->weight, places, in->lengths[doc]);
		if (score >= least_score(&phrase->sink))
			offer(&phrase->sink, doc, score);
	}
	return phrase->sink.code;
}

/* How often the phrase stands in a document that waits and is not small, if that can matter: *places. */
static int examine_one(struct phrase *phrase, uint32_t i, uint32_t *places)
{
	*places = 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		phrase->words[w].tf = phrase->words[w].waiting_tfs[i];
	uint32_t rarest = rarest_word(phrase);
	phrase->bigram_tf = phrase->waiting_bigram_tfs[i];
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
	phrase->waiting_bigram_tfs[i] = phrase->bigram_tf;
	phrase->waiting_gaps[i] = (uint8_t)gap;
	phrase->waiting_sizes[i] = small ? DOCUMENT_SMALL : large ? DOCUMENT_LARGE : DOCUMENT_MIDDLING;
	for (uint32_t w = 0; w < phrase->count; w++) {
		struct word *word = &phrase->words[w];
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
		struct word *word = &phrase->words[w];
		int code = phrase->words[w].same == w ? locate(phrase, word, doc) : 0;
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

/* Look `doc` up in the distinct parts from number `first` to before `last`. */
static int find_all(struct phrase *phrase, uint32_t first, uint32_t last, uint32_t doc)
{
	int found = 1;
	for (uint32_t i = first; found > 0 && i < last; i++)
		found = find(phrase, &phrase->words[phrase->order[i]], doc);
	return found;
}

/* After the bigrams have been looked up: whether the document matters still. */
static bool bigrams_suffice(struct phrase *phrase, uint32_t doc)
{
	phrase->bigram_tf = UINT32_MAX;
	for (uint32_t i = 0; i < phrase->bigrams; i++) {
		uint32_t tf = phrase->words[phrase->count + i].tf;
		phrase->bigram_tf = tf < phrase->bigram_tf ? tf : phrase->bigram_tf;
	}
	return !phrase->bigrams || !phrase->pruning || can_enter(phrase, doc, phrase->bigram_tf);
}

static int drive_by_sparse(struct phrase *phrase, const struct leaf *sparsest)
{
	for (uint32_t i = 0; i < sparsest->count; i++) {
		uint32_t doc = sparsest->docs[i];
		int found = is_live(&phrase->in->live, doc);
		if (found > 0)
			found = find_all(phrase, 0, phrase->bigrams, doc);
		if (found > 0)
			found =
			    bigrams_suffice(phrase, doc) ? find_all(phrase, phrase->bigrams, phrase->distinct, doc) : 0;
		if (found > 0)
			found = add_waiting(phrase, doc);
		if (found < 0)
			return found;
	}
	return examine_waiting(phrase);
}

#define CROWD_WORDS 8     /* of a phrase, at most */
#define CROWD_DOCUMENTS 6 /* of a block with all words, at least */

/* Where the positions of the word in the block begin, if they are one after the other in memory, and where in them (`starts`) those
 * of each posting. */
static const uint8_t *open_crowd(const struct phrase *phrase, const struct word *word, uint16_t *starts)
{
	const struct block_positions *block = &word->block;
	uint64_t left;
	if (block->wide || block->total > UINT16_MAX || word->part->leaf.kind != LEAF_DENSE)
		return NULL;
	const uint8_t *bytes = part_at(phrase->in->positions, word->block_address / 8, &left, phrase->context->error);
	if (!bytes || left < bytes_of_bits(word->block_address % 8, block->total))
		return NULL;
	for (uint64_t ahead = 0; ahead < block->total / 8; ahead += 64)
		__builtin_prefetch(bytes + ahead);
	add_up_sizes(block->sizes, (uint32_t)__builtin_popcountll(block->mask), starts);
	return bytes;
}

/* Let documents of a block that all words have entered wait: where they are many, their positions stand close together. 1
 * done, 0 not possible, negative on error. */
static int add_crowd(struct phrase *phrase, uint32_t first, uint64_t docs)
{
	uint16_t starts[CROWD_WORDS][BLOCK_DOCUMENTS + 8];
	const uint8_t *bytes[CROWD_WORDS];
	if (phrase->bigrams || phrase->count > CROWD_WORDS || __builtin_popcountll(docs) < CROWD_DOCUMENTS)
		return 0;
	for (uint32_t w = 0; w < phrase->count; w++)
		if (phrase->words[w].same == w && !(bytes[w] = open_crowd(phrase, &phrase->words[w], starts[w])))
			return 0;
	phrase->bigram_tf = UINT32_MAX;
	for (; docs; docs &= docs - 1) {
		uint32_t doc = first + (uint32_t)__builtin_ctzll(docs), i = phrase->waiting, most = 0,
		         least = UINT32_MAX;
		uint64_t before = (docs & -docs) - 1;
		for (uint32_t w = 0; w < phrase->count; w++) {
			struct word *word = &phrase->words[w];
			if (phrase->words[w].same != w) {
				word->waiting_tfs[i] = phrase->words[phrase->words[w].same].waiting_tfs[i];
				continue;
			}
			uint32_t index = (uint32_t)__builtin_popcountll(word->block.mask & before);
			uint32_t tf = word->block.tfs[index], bit = word->block_address % 8 + starts[w][index];
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

/* The most that a document of the block can score. */
static float block_bound(const struct phrase *phrase, uint32_t block)
{
	float bound = INFINITY;
	for (uint32_t i = 0; i < phrase->deciding; i++) {
		const struct word *word = &phrase->words[phrase->order[i]];
		uint32_t rank = (uint32_t)__builtin_popcount(word->chunk.block_mask & ((1u << block) - 1));
		float level = word->part->leaf.levels[word->chunk.headers[rank] >> 4];
		bound = level < bound ? level : bound;
	}
	return bound;
}

/* One by one, where they are few. */
static int examine_documents(struct phrase *phrase, uint32_t first, uint64_t docs)
{
	for (; docs; docs &= docs - 1) {
		uint32_t doc = first + (uint32_t)__builtin_ctzll(docs);
		int found = find_all(phrase, 0, phrase->bigrams, doc);
		if (found > 0 && !bigrams_suffice(phrase, doc))
			continue;
		for (uint32_t i = phrase->bigrams; i < phrase->deciding; i++)
			find_in_block(&phrase->words[phrase->order[i]], doc);
		if (found > 0)
			found = find_all(phrase, phrase->deciding, phrase->distinct, doc);
		if (found > 0)
			found = add_waiting(phrase, doc);
		if (found < 0)
			return found;
	}
	return 0;
}

static int examine_block(struct phrase *phrase, uint32_t superblock, uint32_t block)
{
	uint32_t first = superblock * SUPERBLOCK_DOCUMENTS + block * BLOCK_DOCUMENTS;
	if (first >= phrase->in->live.count)
		return 0;
	if (phrase->pruning && block_bound(phrase, block) < least_score(&phrase->sink))
		return 0;
	uint64_t docs = live_in_block(&phrase->in->live, first);
	for (uint32_t i = 0; i < phrase->deciding && docs; i++) {
		const struct chunk *chunk = &phrase->words[phrase->order[i]].chunk;
		uint32_t before = chunk->block_mask & ((1u << block) - 1);
		docs &= block_mask(chunk, (uint32_t)__builtin_popcount(before));
	}
	for (uint32_t i = phrase->bigrams; i < phrase->deciding && docs; i++)
		enter_block(phrase, &phrase->words[phrase->order[i]], block);
	int done = docs ? add_crowd(phrase, first, docs) : 1;
	if (done)
		return done < 0 ? done : 0;
	return examine_documents(phrase, first, docs);
}

static int examine_superblock(struct phrase *phrase, uint32_t superblock)
{
	uint32_t blocks = BLOCKS_ALL;
	for (uint32_t i = 0; i < phrase->deciding && blocks; i++) {
		struct word *word = &phrase->words[phrase->order[i]];
		int found = enter_superblock(phrase, word, superblock);
		if (found <= 0)
			return found;
		blocks &= word->chunk.block_mask;
	}
	int code = 0;
	for (; blocks && !code; blocks &= blocks - 1)
		code = examine_block(phrase, superblock, (uint32_t)__builtin_ctz(blocks));
	/* What is found changes what is worth looking for. */
	return !code && phrase->pruning ? examine_waiting(phrase) : code;
}

/* sums[i] = min(sums[i], step * bounds[i]) */
static void take_least(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		float bound = step * (float)bounds[i];
		sums[i] = bound < sums[i] ? bound : sums[i];
	}
}

/* All deciding parts are dense: superblocks by falling bound, or all in order when nothing is to be pruned. */
static int drive_by_superblocks(struct phrase *phrase)
{
	struct arena *arena = &phrase->context->phrase_arena;
	uint32_t n = group_count(phrase->in->live.count) * GROUP_SUPERBLOCKS;
	float *sums = arena_new(arena, n * sizeof *sums), threshold = phrase->pruning ? least_score(&phrase->sink) : 0;
	uint32_t *candidates = arena_new(arena, (2 * (size_t)n + 16) * sizeof *candidates);
	if (!sums || !candidates)
		return error_set_memory(phrase->context->error);
	uint32_t *sorted = candidates + n + 16;
	for (uint32_t i = 0; i < n; i++)
		sums[i] = INFINITY;
	for (uint32_t i = 0; i < phrase->deciding; i++) {
		const struct leaf *leaf = &phrase->parts[phrase->order[i]].leaf;
		take_least(sums, leaf->dense.bounds, phrase->pruning ? leaf->step : 1, n);
	}
	uint32_t count = select_sums(sums, threshold, n, candidates);
	if (phrase->pruning)
		order_by_bound(sums, candidates, sorted, count);
	else
		sorted = candidates;
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++) {
		for (uint32_t w = 0; phrase->pruning && i + 1 < count && w < phrase->deciding; w++)
			prefetch_chunk(&phrase->parts[phrase->order[w]].leaf, sorted[i + 1], 128);
		if (!phrase->pruning || sums[sorted[i]] >= least_score(&phrase->sink))
			code = examine_superblock(phrase, sorted[i]);
	}
	return code ? code : examine_waiting(phrase);
}

static int drive(struct phrase *phrase)
{
	const struct leaf *sparsest = NULL;
	for (uint32_t i = 0; i < phrase->deciding; i++) {
		const struct leaf *leaf = &phrase->parts[phrase->order[i]].leaf;
		if (leaf->kind == LEAF_SPARSE && (!sparsest || leaf->count < sparsest->count))
			sparsest = leaf;
	}
	int code = sparsest ? drive_by_sparse(phrase, sparsest) : drive_by_superblocks(phrase);
	return code ? code : sink_flush(&phrase->sink);
}

static int phrase_documents(const struct phrase_evaluation *in, struct context *context, struct collector *collector,
                            struct phrase_matches *list)
{
	struct phrase phrase = {.in = in,
	                        .parts = in->parts,
	                        .count = in->words,
	                        .bigrams = in->bigrams,
	                        .distinct = in->distinct,
	                        .deciding = in->deciding,
	                        .order = in->order,
	                        .spans = in->spans,
	                        .context = context,
	                        .list = list,
	                        .ranking = collector && collector->kind != COLLECT_COUNT,
	                        .pruning = collector && collector->kind == COLLECT_TOP && !collector->every,
	                        .is_short = in->parts[in->words - 1].offset <= SHORT_OFFSET_MAX,
	                        .bigram_tf = UINT32_MAX};
	struct arena *arena = &context->phrase_arena;
	uint32_t total = in->words + in->bigrams;
	phrase.words = arena_new(arena, total * sizeof *phrase.words);
	if (!phrase.words || (collector && !sink_begin(&phrase.sink, collector, in->segment, in->base, arena)))
		return error_set_memory(context->error);
	for (uint32_t i = 0; i < total; i++) {
		const struct phrase_part *part = &in->parts[i];
		phrase.words[i] = (struct word){.part = part,
		                                .same = part->same,
		                                .offset = part->offset,
		                                .superblock = UINT32_MAX,
		                                .address = 8 * part->leaf.positions};
	}
	return drive(&phrase);
}
