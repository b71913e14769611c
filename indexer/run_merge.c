/* run_merge.c - runs read side by side. Each is read through a buffer, from front to back: mapped pages would count as memory. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "indexer/run.h"
#include "indexer/temporary.h"
#include "indexer/term_heap.h"

#define READING_BYTES ((size_t)1 << 20) /* of all buffers of a merge */
#define BUFFER_LEAST ((size_t)8 << 10)
#define BUFFER_MOST ((size_t)256 << 10)
#define NUMBER_BYTES_MAX 10 /* of a varint */

/* A run being read: the record of its current term. */
struct run_cursor {
	struct term_head head; /* the term */
	int file;
	uint64_t offset, file_end; /* of the byte behind the buffer's last one */
	uint8_t *buffer;
	size_t capacity;
	const uint8_t *at, *end;
	uint8_t term[256];
	uint32_t df;
	uint64_t record_end;
};

struct merge {
	struct run_cursor *cursors;
	struct term_heap heap;      /* of those with terms left */
	struct run_cursor **having; /* the term at hand, in order of the runs */
	size_t having_count, count;
	const uint32_t *docs;
	uint32_t *list_docs, *list_tfs, df;
	size_t docs_capacity, tfs_capacity;
	/* of each run that has the term: where its postings end in the list */
	uint32_t *ends;
	/* positions of documents that are left out, to step over before those of posting `before` */
	struct skip {
		uint32_t before;
		uint64_t count;
	} * skips;
	size_t skip_count, skip_capacity;
	/* the position source's: its next posting, run and skip */
	uint32_t posting;
	size_t run, skip;
};

/* ---- reading ---- */

static int refill(struct run_cursor *cursor, trawl_error *error)
{
	size_t kept = (size_t)(cursor->end - cursor->at), room = cursor->capacity - kept;
	uint64_t left = cursor->file_end - cursor->offset;
	memmove(cursor->buffer, cursor->at, kept);
	cursor->at = cursor->buffer;
	size_t wanted = left < room ? (size_t)left : room;
	int code = temporary_read(cursor->file, cursor->buffer + kept, wanted, cursor->offset, error);
	if (code)
		return code;
	cursor->offset += wanted;
	cursor->end = cursor->buffer + kept + wanted;
	return 0;
}

/* Let `bytes` lie in the buffer, or all that are left. */
static inline int need(struct run_cursor *cursor, size_t bytes, trawl_error *error)
{
	if ((size_t)(cursor->end - cursor->at) >= bytes || cursor->offset == cursor->file_end)
		return 0;
	return refill(cursor, error);
}

static inline int read_number(struct run_cursor *cursor, uint64_t *value, trawl_error *error)
{
	int code = need(cursor, NUMBER_BYTES_MAX, error);
	*value = 0;
	return code || varint_read(&cursor->at, cursor->end, value) ? code : temporary_differs(error);
}

static uint64_t place(const struct run_cursor *cursor)
{
	return cursor->offset - (uint64_t)(cursor->end - cursor->at);
}

static void go_to(struct run_cursor *cursor, uint64_t offset)
{
	uint64_t start = cursor->offset - (uint64_t)(cursor->end - cursor->buffer);
	if (offset >= start && offset <= cursor->offset) {
		cursor->at = cursor->buffer + (offset - start);
		return;
	}
	cursor->offset = offset;
	cursor->at = cursor->end = cursor->buffer;
}

/* Read the head of the record at the cursor: 1; 0 at the end. */
static int next_record(struct run_cursor *cursor, trawl_error *error)
{
	uint64_t df;
	int code = need(cursor, 1 + sizeof cursor->term, error);
	if (code)
		return code;
	if (cursor->at == cursor->end)
		return 0;
	uint8_t length = *cursor->at++;
	if (cursor->end - cursor->at < length)
		return temporary_differs(error);
	memcpy(cursor->term, cursor->at, length);
	cursor->at += length;
	term_head_set(&cursor->head, cursor->term, length);
	code = read_number(cursor, &df, error);
	if (!code && df > UINT32_MAX)
		code = temporary_differs(error);
	cursor->df = (uint32_t)df;
	return code ? code : 1;
}

/* Step over the record whose head was read. */
static int skip_record(struct run_cursor *cursor, trawl_error *error)
{
	uint64_t length;
	for (int i = 0; i < 2; i++) { /* postings, then positions */
		int code = read_number(cursor, &length, error);
		if (code)
			return code;
		if (length > cursor->file_end - place(cursor))
			return temporary_differs(error);
		go_to(cursor, place(cursor) + length);
	}
	return 0;
}

/* ---- the least term ---- */

/* Take the least term's cursors off the heap; they come in order of the runs. */
static void take_least(struct merge *merge)
{
	merge->having_count = 0;
	do {
		merge->having[merge->having_count++] = (struct run_cursor *)merge->heap.heads[0];
		term_heap_remove_least(&merge->heap);
	} while (merge->heap.count && term_head_compare(merge->heap.heads[0], &merge->having[0]->head) == 0);
}

/* ---- a term ---- */

static bool skip_positions(struct merge *merge, uint64_t count)
{
	if (merge->skip_count && merge->skips[merge->skip_count - 1].before == merge->df) {
		merge->skips[merge->skip_count - 1].count += count;
		return true;
	}
	if (!memory_reserve(&merge->skips, &merge->skip_capacity, merge->skip_count + 1, sizeof *merge->skips))
		return false;
	merge->skips[merge->skip_count++] = (struct skip){merge->df, count};
	return true;
}

/* Append the postings of a run; the cursor comes to stand before the positions. */
static int take_postings(struct merge *merge, struct run_cursor *cursor, trawl_error *error)
{
	uint64_t difference, tf, length, ordinal = 0;
	size_t skipped = merge->skip_count;
	int code = read_number(cursor, &length, error);
	for (uint32_t i = 0; !code && i < cursor->df; i++) {
		code = read_number(cursor, &difference, error);
		if (!code)
			code = read_number(cursor, &tf, error);
		if (code)
			return code;
		ordinal += difference;
		uint32_t doc = merge->docs ? merge->docs[ordinal] : (uint32_t)ordinal;
		if (doc != DOCUMENT_NONE) {
			merge->list_docs[merge->df] = doc;
			merge->list_tfs[merge->df++] = (uint32_t)tf;
		} else if (!skip_positions(merge, tf)) {
			return error_set_memory(error);
		}
	}
	/* What comes after the run's last posting is never reached: the next run has positions of its own. */
	if (merge->skip_count > skipped && merge->skips[merge->skip_count - 1].before == merge->df)
		merge->skip_count--;
	if (!code)
		code = read_number(cursor, &length, error);
	if (!code && length > cursor->file_end - place(cursor))
		code = temporary_differs(error);
	cursor->record_end = code ? 0 : place(cursor) + length;
	return code;
}

static int merged_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	struct merge *merge = context;
	uint64_t difference;
	uint32_t position = 0;
	int code = 0;
	while (merge->posting == merge->ends[merge->run])
		merge->run++;
	struct run_cursor *cursor = merge->having[merge->run];
	for (; merge->skip < merge->skip_count && merge->skips[merge->skip].before == merge->posting; merge->skip++)
		for (uint64_t i = 0; !code && i < merge->skips[merge->skip].count; i++)
			code = read_number(cursor, &difference, error);
	merge->posting++;
	for (uint32_t i = 0; !code && i < count; i++) {
		code = read_number(cursor, &difference, error);
		positions[i] = position += (uint32_t)difference;
	}
	return code;
}

/* Hand the least term over, gathered from all runs that have it. */
static int merge_term(struct merge *merge, const struct term_sink *sink, trawl_error *error)
{
	size_t total = 0;
	int code = 0;
	take_least(merge);
	for (size_t i = 0; i < merge->having_count; i++)
		total += merge->having[i]->df;
	if (!memory_reserve(&merge->list_docs, &merge->docs_capacity, total, sizeof(uint32_t)) ||
	    !memory_reserve(&merge->list_tfs, &merge->tfs_capacity, total, sizeof(uint32_t)))
		return error_set_memory(error);
	merge->df = merge->posting = 0;
	merge->skip_count = merge->skip = merge->run = 0;
	for (size_t i = 0; !code && i < merge->having_count; i++) {
		code = take_postings(merge, merge->having[i], error);
		merge->ends[i] = merge->df;
	}
	struct position_source source = {merged_positions, merge};
	const struct run_cursor *any = merge->having[0];
	struct term_list list = {(const char *)any->term, any->head.length, merge->df,
	                         merge->list_docs,        merge->list_tfs,  &source};
	if (!code && merge->df)
		code = sink->term(sink->context, &list, error);
	return code;
}

/* Step the cursors that had the term at hand on; those that are at or past the term `until` are done. */
static int advance(struct merge *merge, const struct term_head *until, trawl_error *error)
{
	for (size_t i = 0; i < merge->having_count; i++) {
		struct run_cursor *cursor = merge->having[i];
		go_to(cursor, cursor->record_end);
		int more = next_record(cursor, error);
		if (more < 0)
			return more;
		if (more && (!until || term_head_compare(&cursor->head, until) < 0))
			term_heap_add(&merge->heap, &cursor->head);
	}
	return 0;
}

/* ---- runs ---- */

/* The last mark whose term is not above `term`. */
static uint64_t mark_before(const struct run *run, const uint8_t *term)
{
	size_t low = 0, high = run->mark_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *marked = run->mark_terms.data + run->marks[middle].term;
		if (bytes_compare(marked + 1, *marked, term + 1, *term) <= 0)
			low = middle;
		else
			high = middle;
	}
	return run->mark_count ? run->marks[low].offset : 0;
}

/* Let the cursor stand at the first term that is not before `from` (NULL: the first of all), if it is before `until`. */
static int start_run(struct merge *merge, size_t i, const struct run *run, const uint8_t *from,
                     const struct term_head *until, trawl_error *error)
{
	struct run_cursor *cursor = &merge->cursors[i];
	struct term_head first;
	size_t share = READING_BYTES / merge->count;
	cursor->head.number = (uint32_t)i;
	cursor->file = run->file;
	cursor->file_end = run->bytes;
	cursor->capacity = share < BUFFER_LEAST ? BUFFER_LEAST : share > BUFFER_MOST ? BUFFER_MOST : share;
	cursor->buffer = memory_new(cursor->capacity);
	if (!cursor->buffer)
		return error_set_memory(error);
	cursor->at = cursor->end = cursor->buffer;
	cursor->offset = from ? mark_before(run, from) : 0;
	if (from)
		term_head_set(&first, from + 1, *from);
	int more = next_record(cursor, error);
	while (more == 1 && from && term_head_compare(&cursor->head, &first) < 0) {
		more = skip_record(cursor, error);
		if (!more)
			more = next_record(cursor, error);
	}
	if (more == 1 && (!until || term_head_compare(&cursor->head, until) < 0))
		term_heap_add(&merge->heap, &cursor->head);
	return more < 0 ? more : 0;
}

static void release(struct merge *merge)
{
	for (size_t i = 0; merge->cursors && i < merge->count; i++)
		memory_free(merge->cursors[i].buffer);
	memory_free(merge->cursors);
	memory_free(merge->heap.heads);
	memory_free(merge->having);
	memory_free(merge->ends);
	memory_free(merge->list_docs);
	memory_free(merge->list_tfs);
	memory_free(merge->skips);
}

/* Merge the terms from `from` on and before `until`; NULL: there is no such end. */
static int merge_between(const struct run *runs, size_t count, const uint32_t *docs, const uint8_t *from,
                         const uint8_t *until, const struct term_sink *sink, trawl_error *error)
{
	struct term_head last, *end = until ? &last : NULL;
	struct merge merge = {.count = count,
	                      .docs = docs,
	                      .cursors = memory_new_zeroed(count, sizeof(struct run_cursor)),
	                      .heap.heads = memory_new(count * sizeof(struct term_head *)),
	                      .having = memory_new(count * sizeof(struct run_cursor *)),
	                      .ends = memory_new(count * sizeof(uint32_t))};
	int code = merge.cursors && merge.heap.heads && merge.having && merge.ends ? 0 : error_set_memory(error);
	if (until)
		term_head_set(&last, until + 1, *until);
	for (size_t i = 0; !code && i < count; i++)
		code = start_run(&merge, i, &runs[i], from, end, error);
	while (!code && merge.heap.count) {
		code = merge_term(&merge, sink, error);
		if (!code)
			code = advance(&merge, end, error);
	}
	release(&merge);
	return code;
}

int runs_merge(const struct run *runs, size_t count, const uint32_t *docs, const struct term_sink *sink,
               trawl_error *error)
{
	return merge_between(runs, count, docs, NULL, NULL, sink, error);
}

/* ---- ranges ---- */

struct marked {
	const uint8_t *term;
	uint64_t bytes; /* from this mark to the run's next one */
};

static int compare_marks(const void *a, const void *b)
{
	const uint8_t *left = ((const struct marked *)a)->term, *right = ((const struct marked *)b)->term;
	return bytes_compare(left + 1, *left, right + 1, *right);
}

/* The marks of all runs in byte order. NULL: out of memory. */
static struct marked *sort_marks(const struct run *runs, size_t count, size_t *total)
{
	*total = 0;
	for (size_t i = 0; i < count; i++)
		*total += runs[i].mark_count;
	struct marked *all = memory_new(*total * sizeof *all);
	for (size_t i = 0, n = 0; all && i < count; i++)
		for (size_t m = 0; m < runs[i].mark_count; m++) {
			uint64_t next = m + 1 < runs[i].mark_count ? runs[i].marks[m + 1].offset : runs[i].bytes;
			all[n++] = (struct marked){runs[i].mark_terms.data + runs[i].marks[m].term,
			                           next - runs[i].marks[m].offset};
		}
	if (all && *total)
		qsort(all, *total, sizeof *all, compare_marks);
	return all;
}

int run_ranges_prepare(struct run_ranges *ranges, const struct run *runs, size_t count, const uint32_t *docs,
                       uint64_t bytes, trawl_error *error)
{
	size_t total;
	uint64_t sum = 0;
	struct marked *all = sort_marks(runs, count, &total);
	*ranges = (struct run_ranges){.runs = runs, .count = count, .docs = docs, .range_most = bytes};
	if (!all)
		return error_set_memory(error);
	ranges->splits = memory_new((total + 1) * sizeof *ranges->splits);
	ranges->range_bytes = memory_new_zeroed(total + 1, sizeof *ranges->range_bytes);
	if (ranges->splits && ranges->range_bytes) {
		ranges->splits[0] = NULL;
		ranges->range_count = 1;
		for (size_t i = 0; i < total; i++) {
			if (i && sum >= bytes && compare_marks(&all[i], &all[i - 1]) != 0) {
				ranges->splits[ranges->range_count++] = all[i].term;
				sum = 0;
			}
			sum += all[i].bytes;
			ranges->range_bytes[ranges->range_count - 1] = sum;
		}
	}
	memory_free(all);
	if (ranges->range_count)
		return 0;
	run_ranges_release(ranges);
	return error_set_memory(error);
}

void run_ranges_release(struct run_ranges *ranges)
{
	memory_free(ranges->splits);
	memory_free(ranges->range_bytes);
	*ranges = (struct run_ranges){0};
}

int run_ranges_merge(const struct run_ranges *ranges, size_t range, const struct term_sink *sink, trawl_error *error)
{
	const uint8_t *until = range + 1 < ranges->range_count ? ranges->splits[range + 1] : NULL;
	return merge_between(ranges->runs, ranges->count, ranges->docs, ranges->splits[range], until, sink, error);
}
