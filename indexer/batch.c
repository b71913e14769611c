#include "indexer/batch.h"

#include <string.h>

#include "base/error.h"
#include "indexer/doc_sorter.h"

#define PREFETCH 8 /* records ahead */

void batch_init(struct batch *batch, uint32_t first_ordinal, bool shared)
{
	*batch = (struct batch){.first_ordinal = first_ordinal};
	lexicon_init(&batch->lexicon, shared);
}

void batch_release(struct batch *batch)
{
	for (size_t i = 0; i < batch->piece_count; i++)
		piece_release(&batch->pieces[i]);
	memory_free(batch->pieces);
	lexicon_release(&batch->lexicon);
	*batch = (struct batch){0};
}

void batch_reset(struct batch *batch)
{
	uint32_t next = batch->first_ordinal + batch->document_count;
	bool shared = batch->lexicon.bits;
	batch_release(batch);
	batch_init(batch, next, shared);
}

int batch_take(struct batch *batch, struct piece *piece, trawl_error *error)
{
	if (!memory_reserve(&batch->pieces, &batch->piece_capacity, batch->piece_count + 1, sizeof *batch->pieces))
		return error_set_memory(error);
	batch->pieces[batch->piece_count++] = *piece;
	batch->piece_bytes += piece_memory(piece);
	batch->entry_count += piece->entry_count;
	batch->document_count += piece->document_count;
	*piece = (struct piece){0};
	return 0;
}

size_t batch_memory(struct batch *batch)
{
	return lexicon_memory(&batch->lexicon) + batch->piece_bytes + batch->piece_capacity * sizeof *batch->pieces +
	       batch->entry_count * sizeof(struct piece_reference);
}

/* ---- gathering the records of each term ---- */

/* rank[number] = place in byte order. */
static uint32_t *rank_terms(const struct inversion *inversion)
{
	uint32_t *ranks = memory_new(lexicon_limit(&inversion->batch->lexicon) * sizeof *ranks);
	for (uint32_t i = 0; ranks && i < inversion->term_count; i++)
		ranks[inversion->sorted[i]] = i;
	return ranks;
}

static uint32_t record_bytes(const struct piece *piece, uint32_t entry)
{
	size_t end = entry + 1 < piece->entry_count ? piece->entries[entry + 1].offset : piece->record_bytes;
	return (uint32_t)(end - piece->entries[entry].offset);
}

/* Counting sort of the pieces' entries by term, so that a term's records are found one after the other. `bytes`: how many they
 * have. */
static void gather(struct inversion *inversion, const uint32_t *ranks, uint64_t *bytes)
{
	const struct batch *batch = inversion->batch;
	uint64_t *cursors = inversion->ends, sum = 0;
	memset(cursors, 0, inversion->term_count * sizeof *cursors);
	memset(bytes, 0, inversion->term_count * sizeof *bytes);
	for (size_t p = 0; p < batch->piece_count; p++)
		for (uint32_t i = 0; i < batch->pieces[p].entry_count; i++) {
			uint32_t rank = ranks[batch->pieces[p].entries[i].term];
			cursors[rank]++;
			bytes[rank] += record_bytes(&batch->pieces[p], i);
		}
	for (uint32_t i = 0; i < inversion->term_count; i++) {
		uint64_t count = cursors[i];
		cursors[i] = sum;
		sum += count;
	}
	for (size_t p = 0; p < batch->piece_count; p++)
		for (uint32_t i = 0; i < batch->pieces[p].entry_count; i++) {
			const struct piece_entry *entry = &batch->pieces[p].entries[i];
			inversion->references[cursors[ranks[entry->term]]++] =
			    (struct piece_reference){(uint32_t)p, entry->offset};
		}
}

static bool add_range(struct inversion *inversion, uint32_t end, uint64_t bytes)
{
	if (!memory_reserve(&inversion->range_ends, &inversion->range_capacity, inversion->range_count + 1,
	                    sizeof *inversion->range_ends) ||
	    !memory_reserve(&inversion->range_bytes, &inversion->range_bytes_capacity, inversion->range_count + 1,
	                    sizeof *inversion->range_bytes))
		return false;
	inversion->range_ends[inversion->range_count] = end;
	inversion->range_bytes[inversion->range_count++] = bytes;
	return true;
}

static bool cut_ranges(struct inversion *inversion, const uint64_t *bytes, size_t most)
{
	uint64_t sum = 0;
	uint32_t start = 0;
	for (uint32_t i = 0; i < inversion->term_count; i++) {
		if (i > start && sum + bytes[i] > most) {
			if (!add_range(inversion, i, sum))
				return false;
			start = i;
			sum = 0;
		}
		sum += bytes[i];
	}
	return start == inversion->term_count || add_range(inversion, inversion->term_count, sum);
}

int inversion_prepare(struct inversion *inversion, const struct batch *batch, const uint32_t *docs, size_t most,
                      trawl_error *error)
{
	uint32_t count = lexicon_count(&batch->lexicon), *ranks = NULL;
	uint64_t *bytes = memory_new(count * sizeof *bytes);
	*inversion = (struct inversion){.batch = batch,
	                                .docs = docs,
	                                .term_count = count,
	                                .range_most = most,
	                                .sorted = memory_new(count * sizeof(uint32_t)),
	                                .ends = memory_new(count * sizeof(uint64_t)),
	                                .references = memory_new(batch->entry_count * sizeof(struct piece_reference))};
	bool done = bytes && inversion->sorted && inversion->ends && inversion->references &&
	            lexicon_sort(&batch->lexicon, inversion->sorted) && (ranks = rank_terms(inversion));
	if (done) {
		gather(inversion, ranks, bytes);
		done = cut_ranges(inversion, bytes, most);
	}
	memory_free(ranks);
	memory_free(bytes);
	if (done)
		return 0;
	inversion_release(inversion);
	return error_set_memory(error);
}

void inversion_release(struct inversion *inversion)
{
	memory_free(inversion->sorted);
	memory_free(inversion->ends);
	memory_free(inversion->references);
	memory_free(inversion->range_ends);
	memory_free(inversion->range_bytes);
	*inversion = (struct inversion){0};
}

/* ---- handing terms over ---- */

/* The list of a term. */
struct gathered {
	uint32_t *docs, *tfs;
	uint64_t
	    *places; /* of the positions of each posting in its record: address x 2, + 1 when they are a byte each */
	size_t doc_capacity, tf_capacity, place_capacity;
	struct doc_sorter sorter;
	uint32_t *spare_tfs; /* where a list in another order is put in order */
	uint64_t *spare_places;
	size_t spare_tf_capacity, spare_place_capacity;
	uint32_t df;
	uint32_t posting; /* the position source's next one */
};

static void gathered_release(struct gathered *list)
{
	memory_free(list->docs);
	memory_free(list->tfs);
	memory_free(list->places);
	memory_free(list->spare_tfs);
	memory_free(list->spare_places);
	doc_sorter_release(&list->sorter);
}

static int next_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)error;
	struct gathered *list = context;
	uint64_t place = list->places[list->posting++];
	if (list->posting + PREFETCH <= list->df)
		__builtin_prefetch((const uint8_t *)(uintptr_t)(list->places[list->posting + PREFETCH - 1] >> 1));
	const uint8_t *at = (const uint8_t *)(uintptr_t)(place >> 1);
	uint32_t position = 0;
	if (place & 1)
		for (uint32_t i = 0; i < count; i++)
			positions[i] = at[i];
	else
		for (uint32_t i = 0; i < count; i++)
			positions[i] = position += piece_number(&at);
	return 0;
}

static bool reserve_postings(struct gathered *list, size_t count)
{
	return memory_reserve(&list->docs, &list->doc_capacity, count, sizeof *list->docs) &&
	       memory_reserve(&list->tfs, &list->tf_capacity, count, sizeof *list->tfs) &&
	       memory_reserve(&list->places, &list->place_capacity, count, sizeof *list->places);
}

/* Append a record's postings to the list. */
static bool append_record(struct gathered *list, const struct piece *piece, const uint8_t *at, const uint32_t *docs)
{
	struct piece_posting posting = {.ordinal = piece->first_ordinal - 1};
	uint32_t df = list->df;
	if (!reserve_postings(list, (size_t)df + piece->document_count))
		return false;
	while (piece_next_posting(&at, &posting)) {
		list->docs[df] = docs ? docs[posting.ordinal] : posting.ordinal;
		list->tfs[df] = posting.tf;
		list->places[df] = (uint64_t)(uintptr_t)posting.positions << 1 | posting.is_short;
		df += list->docs[df] != DOCUMENT_NONE;
	}
	list->df = df;
	return true;
}

/* gcc takes a call of a function that only prefetches for one without effect, and drops it before it would be inlined. */
__attribute__((always_inline)) static inline void prefetch(const struct inversion *inversion, uint64_t i)
{
	if (i < inversion->ends[inversion->term_count - 1]) {
		struct piece_reference reference = inversion->references[i];
		__builtin_prefetch(inversion->batch->pieces[reference.piece].records + reference.offset);
	}
}

/* The postings in order of the docIDs. */
static bool sort_postings(struct gathered *list)
{
	bool sorted = true;
	for (uint32_t i = 1; i < list->df; i++)
		sorted &= list->docs[i - 1] < list->docs[i];
	if (sorted)
		return true;
	if (!memory_reserve(&list->spare_tfs, &list->spare_tf_capacity, list->df, sizeof *list->tfs) ||
	    !memory_reserve(&list->spare_places, &list->spare_place_capacity, list->df, sizeof *list->places) ||
	    !doc_sorter_sort(&list->sorter, list->docs, list->df))
		return false;
	memcpy(list->spare_tfs, list->tfs, list->df * sizeof *list->tfs);
	memcpy(list->spare_places, list->places, list->df * sizeof *list->places);
	for (uint32_t i = 0; i < list->df; i++) {
		uint64_t key = list->sorter.keys[i];
		list->docs[i] = (uint32_t)(key >> 32);
		list->tfs[i] = list->spare_tfs[(uint32_t)key];
		list->places[i] = list->spare_places[(uint32_t)key];
	}
	return true;
}

static int hand_over(const struct inversion *inversion, struct gathered *list, uint32_t rank,
                     const struct term_sink *sink, trawl_error *error)
{
	const struct batch *batch = inversion->batch;
	list->df = list->posting = 0;
	for (uint64_t i = rank ? inversion->ends[rank - 1] : 0; i < inversion->ends[rank]; i++) {
		const struct piece *piece = &batch->pieces[inversion->references[i].piece];
		prefetch(inversion, i + PREFETCH);
		if (!append_record(list, piece, piece->records + inversion->references[i].offset, inversion->docs))
			return error_set_memory(error);
	}
	if (!list->df)
		return 0; /* all its documents were left out */
	if (!sort_postings(list))
		return error_set_memory(error);
	struct position_source source = {next_positions, list};
	uint8_t length;
	const char *term = lexicon_term(&batch->lexicon, inversion->sorted[rank], &length);
	struct term_list handed = {term, length, list->df, list->docs, list->tfs, &source};
	return sink->term(sink->context, &handed, error);
}

int inversion_run(const struct inversion *inversion, size_t range, const struct term_sink *sink, trawl_error *error)
{
	struct gathered list = {0};
	int code = 0;
	for (uint32_t rank = range ? inversion->range_ends[range - 1] : 0; !code && rank < inversion->range_ends[range];
	     rank++)
		code = hand_over(inversion, &list, rank, sink, error);
	gathered_release(&list);
	return code;
}

int batch_invert(const struct batch *batch, const uint32_t *docs, const struct term_sink *sink, trawl_error *error)
{
	struct inversion inversion;
	int code = inversion_prepare(&inversion, batch, docs, SIZE_MAX, error);
	for (size_t range = 0; !code && range < inversion.range_count; range++)
		code = inversion_run(&inversion, range, sink, error);
	inversion_release(&inversion);
	return code;
}
