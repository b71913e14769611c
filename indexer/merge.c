#include "indexer/merge.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "indexer/batch.h"
#include "indexer/bigrams.h"
#include "indexer/term_heap.h"
#include "segment/postings_read.h"
#include "segment/segment_writer.h"

/* One of the segments being merged. */
struct source {
	struct term_head head; /* the cursor's term */
	struct segment *segment;
	uint32_t first; /* docID that its first live document gets */
	uint32_t live;  /* documents */
	uint32_t
	    *docs; /* the new docID of each docID, DOCUMENT_NONE for the deleted ones; NULL: `first` and the docID */
	struct terms_cursor cursor;
};

/* Positions to be copied: `length` stored bits at bit `address` of a source's positions; or (source: STRETCH_INLINE) the position
 * `address` of a document whose last-position byte is `length`. */
struct stretch {
	uint64_t address, length;
	uint32_t source;
};

#define STRETCH_INLINE UINT32_MAX
#define DOCUMENTS_SHARE 0.4    /* of the time of a merge: for the stored documents, which are compressed anew */
#define COPIED_BITS (1u << 19) /* at a time */

struct merge_settings {
	bool bigrams;         /* write bigram lists */
	size_t bigram_memory; /* what bigram_builder_new wants */
	const char *path;     /* of the index: temporary files of bigrams go beside it */
	struct work *work;
};

struct merge {
	struct source *sources;
	size_t count;
	struct term_heap heap; /* of those with terms left */
	struct segment_writer writer;
	struct work *work; /* of documents, then of postings, those done so far: */
	uint64_t units_done;
	struct bigram_builder *bigrams; /* NULL: the index has no bigram lists */
	bool positions;

	/* of each document */
	uint32_t documents;
	uint8_t *lengths, *last_positions;
	uint32_t *hashes, *order;
	uint64_t tokens;

	/* the term at hand */
	uint8_t term[256], length;
	uint32_t *docs, *tfs, df;
	size_t docs_capacity, tfs_capacity;
	struct stretch *stretches;
	size_t stretch_count, stretch_capacity;
	size_t stretch_next, posting_next; /* of those that next_positions has still to yield */
	uint64_t stretch_offset;
	struct buffer gathered;
};

/* ---- documents ---- */

/* Number the source's documents from merge->documents on, and take over what is known of each. */
static int number_documents(struct merge *merge, struct source *source, trawl_error *error)
{
	struct segment *segment = source->segment;
	uint64_t left = 0, total = (uint64_t)segment->documents_count * 8;
	uint32_t n = segment->documents_count;
	source->first = merge->documents;
	if (segment->deletions.words && !(source->docs = memory_new(n * sizeof *source->docs)))
		return error_set_memory(error);
	for (uint32_t doc = 0; doc < n; doc++) {
		bool deleted = segment_is_deleted(segment, doc);
		if (source->docs)
			source->docs[doc] = deleted ? DOCUMENT_NONE : merge->documents;
		if (deleted)
			continue;
		merge->lengths[merge->documents] = segment->lengths[doc];
		merge->last_positions[merge->documents++] = segment->last_positions[doc];
	}
	for (uint64_t at = 0; at < total; at += left) {
		const uint8_t *entries = part_at(&segment->id_index.part, at, &left, error);
		if (!entries)
			return error_code(error);
		for (uint64_t i = 0; i + 8 <= left; i += 8) {
			uint32_t doc = load32(entries + i + 4);
			if (doc >= n)
				return part_corrupt(&segment->id_index.part, at + i, "a docID past the end", error);
			if (!segment_is_deleted(segment, doc))
				merge->hashes[source->docs ? source->docs[doc] : source->first + doc] =
				    load32(entries + i);
		}
	}
	return 0;
}

/* Which ordinals are to be copied, and in merge->order the new ordinal of each new docID, where they differ from the old ones. `kept`
 * has room for a number an ordinal: the new one, or DOCUMENT_NONE. */
static int number_ordinals(struct merge *merge, const struct source *source, uint32_t *kept, trawl_error *error)
{
	struct segment *segment = source->segment;
	uint32_t ordinal = 0, next = source->first, doc;
	int code = 0;
	memset(kept, 0xff, segment->ordinals * sizeof *kept);
	for (doc = 0; !code && doc < segment->documents_count; doc++) {
		if (segment_is_deleted(segment, doc))
			continue;
		code = segment_ordinal(segment, doc, &ordinal, error);
		if (!code && (ordinal >= segment->ordinals || kept[ordinal] != DOCUMENT_NONE))
			code =
			    part_corrupt(&segment->order, 4 * (uint64_t)doc, "an ordinal that makes no sense", error);
		if (!code)
			kept[ordinal] = source->docs ? source->docs[doc] : source->first + doc;
	}
	for (ordinal = 0; !code && ordinal < segment->ordinals; ordinal++)
		if (kept[ordinal] != DOCUMENT_NONE)
			merge->order[kept[ordinal]] = next++;
	return code;
}

static int copy_documents(struct merge *merge, const struct source *source, trawl_error *error)
{
	struct segment *segment = source->segment;
	struct documents_scratch scratch = {0};
	trawl_document document;
	uint32_t *kept = memory_new(segment->ordinals * sizeof *kept);
	int code = kept ? number_ordinals(merge, source, kept, error) : error_set_memory(error);
	for (uint32_t ordinal = 0; !code && ordinal < segment->ordinals; ordinal++) {
		if (kept[ordinal] == DOCUMENT_NONE)
			continue;
		code = documents_id(&segment->stored, ordinal, &scratch, &document.id, &document.id_length, error);
		if (!code)
			code = documents_fetch(&segment->stored, ordinal, &scratch, &document, error);
		if (!code)
			code = segment_writer_document(&merge->writer, &document, error);
		work_done(merge->work, ++merge->units_done);
	}
	documents_scratch_release(&scratch);
	memory_free(kept);
	return code;
}

static int merge_documents(struct merge *merge, trawl_error *error)
{
	uint32_t live = 0;
	int code = 0;
	for (size_t i = 0; i < merge->count; i++)
		live += merge->sources[i].live;
	merge->lengths = memory_new(live);
	merge->last_positions = memory_new(live);
	merge->hashes = memory_new_zeroed(live, sizeof *merge->hashes);
	merge->order = memory_new(live * sizeof *merge->order);
	if (!merge->lengths || !merge->last_positions || !merge->hashes || !merge->order)
		return error_set_memory(error);
	work_stage(merge->work, "merging documents", DOCUMENTS_SHARE, live);
	for (size_t i = 0; !code && i < merge->count; i++) {
		code = number_documents(merge, &merge->sources[i], error);
		if (!code)
			code = copy_documents(merge, &merge->sources[i], error);
	}
	return code;
}

/* ---- positions ---- */

static bool add_stretch(struct merge *merge, uint64_t address, uint64_t length, uint32_t source)
{
	if (!length)
		return true;
	if (!memory_reserve(&merge->stretches, &merge->stretch_capacity, merge->stretch_count + 1,
	                    sizeof *merge->stretches))
		return false;
	merge->stretches[merge->stretch_count++] = (struct stretch){address, length, source};
	return true;
}

static int copy_stretch(struct merge *merge, const struct stretch *stretch, struct postings_encoder *encoder,
                        trawl_error *error)
{
	uint64_t at = stretch->address, end = at + stretch->length, left;
	int code = 0;
	if (stretch->source == STRETCH_INLINE) {
		uint32_t position = (uint32_t)stretch->address;
		return positions_put(encoder, &position, 1, (uint8_t)stretch->length, error);
	}
	while (!code && at < end) {
		struct part *part = &merge->sources[stretch->source].segment->positions;
		const uint8_t *bytes = part_at(part, at / 8, &left, error);
		if (!bytes)
			return error_code(error);
		left = left * 8 - at % 8;
		left = left < end - at ? left : end - at;
		left = left < COPIED_BITS ? left : COPIED_BITS;
		code = positions_copy(encoder, bytes, at % 8, left, error);
		at += left;
	}
	return code;
}

static int copy_positions(void *context, struct postings_encoder *encoder, trawl_error *error)
{
	struct merge *merge = context;
	int code = 0;
	for (size_t i = 0; !code && i < merge->stretch_count; i++)
		code = copy_stretch(merge, &merge->stretches[i], encoder, error);
	return code;
}

/* The positions of the list's next posting: for terms that occur once, which keep theirs in the dictionary, and for bigrams. */
static int next_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	struct merge *merge = context;
	if (!merge->positions)
		return 0;
	const struct stretch *stretch = &merge->stretches[merge->stretch_next];
	uint8_t last_byte = merge->last_positions[merge->docs[merge->posting_next++]];
	if (stretch->source == STRETCH_INLINE) {
		positions[0] = (uint32_t)stretch->address;
		merge->stretch_next++;
		return 0;
	}
	struct part *part = &merge->sources[stretch->source].segment->positions;
	uint64_t at = stretch->address + merge->stretch_offset, bits = position_bits(count, last_byte);
	const uint8_t *stored = part_read(part, at / 8, bytes_of_bits(at % 8, bits), &merge->gathered, error);
	if (!stored)
		return error_code(error);
	if (!positions_decode(stored, at % 8, count, last_byte, positions))
		return part_corrupt(part, at / 8, "positions that make no sense", error);
	merge->stretch_offset += bits;
	if (merge->stretch_offset == stretch->length) {
		merge->stretch_next++;
		merge->stretch_offset = 0;
	}
	return 0;
}

/* ---- posting lists ---- */

/* The positions of the postings just decoded, those of the deleted ones left out. */
static int take_positions(struct merge *merge, const struct source *source, const uint32_t *docs, const uint32_t *tfs,
                          trawl_error *error)
{
	const struct segment *segment = source->segment;
	const struct term_entry *entry = &source->cursor.entry;
	uint64_t first = entry->place.positions, last = first + entry->place.positions_bytes, start = 8 * first,
	         at = start;
	uint32_t number = (uint32_t)(source - merge->sources);
	bool done = true;
	if (entry->df == 1 && entry->position_inline) {
		/* What is encoded must fit where its document's last position says that it does. */
		uint8_t last_byte = segment->last_positions[docs[0]];
		if (entry->position >= length_longest(last_byte))
			return part_corrupt(&segment->terms.part, 0, "a position past its document's end", error);
		if (!source->docs || source->docs[docs[0]] != DOCUMENT_NONE) {
			done = add_stretch(merge, entry->position, last_byte, STRETCH_INLINE);
		}
		return done ? 0 : error_set_memory(error);
	}
	if (last < first || last > segment->positions.bytes)
		return part_corrupt(&segment->positions, first, "positions past the end", error);
	for (uint32_t i = 0; done && i < entry->df && at <= 8 * last; i++) {
		uint64_t bits = position_bits(tfs[i], segment->last_positions[docs[i]]);
		if (source->docs && source->docs[docs[i]] == DOCUMENT_NONE) {
			done = add_stretch(merge, start, at - start, number);
			start = at + bits;
		}
		at += bits;
	}
	if (done && (at + 7) / 8 != last)
		return part_corrupt(&segment->positions, first, "not as many positions as postings tell", error);
	return done && add_stretch(merge, start, at - start, number) ? 0 : error_set_memory(error);
}

/* Append the live postings of the source's current term to the list at hand. */
static int take_list(struct merge *merge, struct source *source, trawl_error *error)
{
	const struct term_entry *entry = &source->cursor.entry;
	int code = postings_check_df(source->segment, entry, error);
	if (code)
		return code;
	size_t room = merge->df + postings_read_room(entry->df);
	if (!memory_reserve(&merge->docs, &merge->docs_capacity, room, sizeof *merge->docs) ||
	    !memory_reserve(&merge->tfs, &merge->tfs_capacity, room, sizeof *merge->tfs))
		return error_set_memory(error);
	uint32_t *docs = merge->docs + merge->df, *tfs = merge->tfs + merge->df, kept = 0;
	code = postings_read(source->segment, entry, docs, tfs, error);
	if (!code && merge->positions)
		code = take_positions(merge, source, docs, tfs, error);
	if (code)
		return code;
	for (uint32_t i = 0; i < entry->df; i++) {
		uint32_t doc = source->docs ? source->docs[docs[i]] : source->first + docs[i];
		docs[kept] = doc;
		tfs[kept] = tfs[i];
		kept += doc != DOCUMENT_NONE;
	}
	merge->df += kept;
	return 0;
}

/* ---- dictionaries ---- */

static int next_term(struct source *source, trawl_error *error)
{
	int more = terms_next(&source->segment->terms, &source->cursor, error);
	if (more > 0)
		term_head_set(&source->head, source->cursor.term, source->cursor.length);
	return more;
}

static int fill_heap(struct merge *merge, trawl_error *error)
{
	for (size_t i = 0; i < merge->count; i++) {
		int more = next_term(&merge->sources[i], error);
		if (more < 0)
			return more;
		if (more)
			term_heap_add(&merge->heap, &merge->sources[i].head);
	}
	return 0;
}

/* Step the source whose term was least to its next one. */
static int advance_least(struct merge *merge, trawl_error *error)
{
	struct source *source = (struct source *)merge->heap.heads[0];
	int more = next_term(source, error);
	if (more < 0)
		return more;
	if (!more) {
		term_heap_remove_least(&merge->heap);
		return 0;
	}
	if (bytes_compare(source->cursor.term, source->cursor.length, merge->term, merge->length) <= 0)
		return part_corrupt(&source->segment->terms.part, 0, "terms out of order", error);
	term_heap_least_grew(&merge->heap);
	return 0;
}

static bool least_is_at_hand(const struct merge *merge)
{
	const struct term_head *least = merge->heap.count ? merge->heap.heads[0] : NULL;
	return least && least->length == merge->length && memcmp(least->bytes, merge->term, merge->length) == 0;
}

/* The least term, from all sources that have it. */
static int merge_term(struct merge *merge, trawl_error *error)
{
	struct position_source positions = {next_positions, merge};
	int code = 0;
	merge->df = 0;
	merge->stretch_count = merge->stretch_next = merge->posting_next = 0;
	merge->stretch_offset = 0;
	merge->length = merge->heap.heads[0]->length;
	memcpy(merge->term, merge->heap.heads[0]->bytes, merge->length);
	while (!code && least_is_at_hand(merge)) {
		code = take_list(merge, (struct source *)merge->heap.heads[0], error);
		if (!code)
			code = advance_least(merge, error);
	}
	work_done(merge->work, merge->units_done += merge->df);
	if (code || !merge->df)
		return code;
	struct term_list list = {
	    (const char *)merge->term, merge->length, merge->df, merge->docs, merge->tfs, &positions};
	return merge->bigrams ? bigram_builder_term(merge->bigrams, &list, error)
	                      : segment_writer_term(&merge->writer, &list, error);
}

static bool is_identity(const uint32_t *order, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (order[i] != i)
			return false;
	return true;
}

static uint64_t live_postings(const struct merge *merge)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < merge->count; i++)
		sum += merge->sources[i].segment->summary.live_postings;
	return sum;
}

static int merge_terms(struct merge *merge, const struct merge_settings *settings, trawl_error *error)
{
	const struct segment *any = merge->sources[0].segment;
	bool ordered = !is_identity(merge->order, merge->documents);
	int code = segment_writer_begin_terms(&merge->writer, merge->documents, merge->lengths,
	                                      any->has_gaps ? merge->last_positions : NULL, merge->tokens,
	                                      ordered ? merge->order : NULL, merge->hashes, error);
	if (!code && settings->bigrams)
		code =
		    bigram_builder_new(&merge->bigrams, &merge->writer, settings->bigram_memory, settings->path, error);
	if (!merge->bigrams) /* which want to see the positions */
		merge->writer.encoder.copy_positions = copy_positions;
	if (!code)
		code = fill_heap(merge, error);
	double share = 1 - DOCUMENTS_SHARE, bigrams_share = merge->bigrams ? share / 2 : 0;
	merge->units_done = 0;
	work_stage(merge->work, "merging terms", share - bigrams_share, live_postings(merge));
	while (!code && merge->heap.count)
		code = merge_term(merge, error);
	if (!code && merge->bigrams)
		code = bigram_builder_finish(merge->bigrams, merge->work, bigrams_share, error);
	return code;
}

/* ---- the whole ---- */

static int begin(struct merge *merge, struct segment *const *sources, size_t count, struct store_batch *output,
                 uint32_t number, trawl_error *error)
{
	*merge = (struct merge){.sources = memory_new_zeroed(count, sizeof *merge->sources),
	                        .heap.heads = memory_new(count * sizeof(struct term_head *)),
	                        .count = count,
	                        .positions = sources[0]->has_positions};
	if (!merge->sources || !merge->heap.heads) {
		merge->count = 0;
		return error_set_memory(error);
	}
	int code = segment_writer_init(&merge->writer, output, number, merge->positions, error);
	for (size_t i = 0; i < count; i++) {
		const struct manifest_segment *summary = &sources[i]->summary;
		merge->sources[i].segment = sources[i];
		merge->sources[i].head.number = (uint32_t)i;
		merge->sources[i].live = summary->documents - summary->deleted;
		merge->tokens += summary->live_tokens;
		merge->writer.text_bytes += summary->live_text_bytes;
	}
	return code;
}

static void release(struct merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		memory_free(merge->sources[i].docs);
	memory_free(merge->sources);
	memory_free(merge->heap.heads);
	memory_free(merge->lengths);
	memory_free(merge->last_positions);
	memory_free(merge->hashes);
	memory_free(merge->order);
	memory_free(merge->docs);
	memory_free(merge->tfs);
	memory_free(merge->stretches);
	buffer_release(&merge->gathered);
	bigram_builder_free(merge->bigrams);
	segment_writer_release(&merge->writer);
}

/* Write segment `number` through `output`: the live documents of `sources`, `count` segments of one snapshot, in this
 * order. *summary is what the manifest says of it. There must be a live document, and no more than DOCUMENTS_MAX. */
static int merge_write(struct segment *const *sources, size_t count, const struct merge_settings *settings,
                       struct store_batch *output, uint32_t number, struct manifest_segment *summary,
                       trawl_error *error)
{
	struct merge merge;
	int code = begin(&merge, sources, count, output, number, error);
	merge.work = settings->work;
	work_begin(merge.work);
	if (!code)
		code = merge_documents(&merge, error);
	if (!code)
		code = merge_terms(&merge, settings, error);
	if (!code)
		code = segment_writer_finish(&merge.writer, summary, error);
	release(&merge);
	work_end(settings->work);
	return code;
}

void merge_candidates(struct merge_candidate *candidates, const struct segment *segments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct segment *segment = &segments[i];
		uint32_t live = segment->summary.documents - segment->summary.deleted;
		candidates[i] = (struct merge_candidate){
		    .size = segment->text_bytes + (uint64_t)segment->documents_count * MERGE_DOCUMENT_SIZE,
		    .live_size = segment->summary.live_text_bytes + (uint64_t)live * MERGE_DOCUMENT_SIZE,
		    .live = live};
	}
}

/* The manifest without the chosen segments, which are removed, and with the merged one, if there is one. */
static int replace_chosen(struct manifest *manifest, const struct merge_candidate *chosen,
                          const struct manifest_segment *merged, struct store_batch *output, trawl_error *error)
{
	size_t kept = 0;
	bool placed = !merged->documents;
	int code = 0;
	for (size_t i = 0; !code && i < manifest->segment_count; i++) {
		struct manifest_segment summary = manifest->segments[i];
		if (!chosen[i].chosen) {
			manifest->segments[kept++] = summary;
			continue;
		}
		code = store_batch_remove_segment(output, summary.number, error);
		if (!placed)
			manifest->segments[kept++] = *merged;
		placed = true;
	}
	manifest->segment_count = kept;
	manifest->next_segment++;
	manifest->generation++;
	return code;
}

static int write_chosen(const struct manifest *manifest, struct segment *segments, const struct merge_candidate *chosen,
                        const struct merge_settings *settings, struct store_batch *output,
                        struct manifest_segment *merged, trawl_error *error)
{
	struct segment **sources = memory_new(manifest->segment_count * sizeof(struct segment *));
	size_t count = 0;
	uint64_t live = 0;
	if (!sources)
		return error_set_memory(error);
	for (size_t i = 0; i < manifest->segment_count; i++)
		if (chosen[i].chosen) {
			sources[count++] = &segments[i];
			live += chosen[i].live;
		}
	*merged = (struct manifest_segment){0};
	int code = live ? merge_write(sources, count, settings, output, manifest->next_segment, merged, error) : 0;
	memory_free(sources);
	return code;
}

int merge_commit(struct store *store, const struct manifest *manifest, struct segment *segments,
                 const struct merge_candidate *chosen, const struct merge_means *means, trawl_error *error)
{
	const struct budget *budget = means->budget;
	struct merge_settings settings = {manifest->flags & FLAG_BIGRAMS, budget->bigrams, store_path(store),
	                                  means->work};
	struct store_batch *output =
	    NULL; /* of its own: what a failed merge has queued must not reach the next commit */
	struct manifest after = {0};
	struct manifest_segment merged;
	struct buffer bytes = {0};
	int code = store_batch_new(&output, store, error);
	if (!code) {
		store_batch_limit(output, budget->flush);
		store_batch_give_back(output, budget->mapped);
	}
	if (!code && !manifest_copy(&after, manifest))
		code = error_set_memory(error);
	if (!code)
		code = write_chosen(manifest, segments, chosen, &settings, output, &merged, error);
	if (!code)
		code = replace_chosen(&after, chosen, &merged, output, error);
	if (!code && !manifest_write(&after, &bytes))
		code = error_set_memory(error);
	if (!code)
		code = store_batch_commit(output, bytes.data, (uint32_t)bytes.length, error);
	store_batch_free(output);
	manifest_release(&after);
	buffer_release(&bytes);
	return code;
}
