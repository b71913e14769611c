/*
 * A whole index whose stored values are hostile: edits of its parts, which are sealed again (the store puts a right checksum on what
 * it is given), so that they reach the decoders behind the checksums. The index is refused, or searched, fetched from and written to;
 * nothing may crash, hang, or read beyond a value and its slack.
 *
 * An input: shape, kernel and options, number of edits; each edit: extent, place, how, bytes; the rest is a query.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "searcher/kernel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/templates.h"
#include "tests/scratch.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, length) ((void)(start), (void)(length))
#define ASAN_UNPOISON_MEMORY_REGION(start, length) ((void)(start), (void)(length))
#endif

#define PAGE 4096

/* ---- use ---- */

/* What lies behind the slack of values that have pages of their own may not be looked at. */
static struct {
	const uint8_t *start;
	size_t length;
} guarded[TEMPLATE_EXTENTS];
static size_t guarded_count;

static void guard(const struct template *template)
{
	struct snapshot *snapshot;
	trawl_error error;
	guarded_count = 0;
	fuzz_need(snapshot_open(&snapshot, template->store, &error), &error);
	for (size_t i = 0; i < template->count; i++) {
		const struct extent *extent = &template->extents[i];
		const uint8_t *payload;
		uint32_t length;
		fuzz_need(
		    snapshot_extent(snapshot, extent->segment, extent->part, extent->number, &payload, &length, &error),
		    &error);
		const uint8_t *end = payload + length + EXTENT_SLACK;
		if ((uintptr_t)payload % PAGE != 16 + EXTENT_HEADER)
			continue;
		guarded[guarded_count].start = end;
		guarded[guarded_count++].length = (PAGE - (uintptr_t)end % PAGE) % PAGE;
	}
	snapshot_close(snapshot);
	for (size_t i = 0; i < guarded_count; i++)
		ASAN_POISON_MEMORY_REGION(guarded[i].start, guarded[i].length);
}

static void unguard(void)
{
	for (size_t i = 0; i < guarded_count; i++)
		ASAN_UNPOISON_MEMORY_REGION(guarded[i].start, guarded[i].length);
}

static void look_at_hits(trawl_searcher *searcher)
{
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < count && i < 3; i++) {
		trawl_error error;
		trawl_document document;
		trawl_snippet snippet;
		const char *id;
		size_t length;
		if (!trawl_hit_id(searcher, hits[i].document, &id, &length, &error))
			fuzz_touch(id, length);
		if (!trawl_hit_document(searcher, hits[i].document, &document, &error)) {
			fuzz_touch(document.id, document.id_length);
			fuzz_touch(document.title, document.title_length);
			fuzz_touch(document.text, document.text_length);
			fuzz_touch(document.fields, document.fields_length);
		}
		if (!trawl_hit_snippet(searcher, hits[i].document, 100, &snippet, &error))
			fuzz_touch(snippet.text, snippet.length);
	}
}

static void ask(trawl_searcher *searcher, const char *query, size_t length, const trawl_search_options *options)
{
	trawl_error error = {0};
	int code = trawl_search(searcher, query, length, options, &error);
	PROMISE(code == 0 || code == TRAWL_ECORRUPT || code == TRAWL_EINVAL || code == TRAWL_ELIMIT ||
	        code == TRAWL_ENOMEM || code == TRAWL_EVERSION);
	look_at_hits(searcher);
}

static void search(const char *path, const char *query, size_t length, uint8_t shape)
{
	static const char *const more[] = {"common frequent rare3 word7", "\"common frequent\"",
	                                   "+frequent +word7 -rare1", "\"frequent common frequent\" title"};
	static const size_t tops[] = {10, 1, 100, 10000};
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_stored *stored;
	trawl_document document;
	trawl_index_stats stats;
	trawl_error error;
	if (trawl_open(&index, path, &error))
		return;
	trawl_search_options options = {.top = tops[shape & 3], .count = shape & 4, .stable_ties = shape & 8};
	if (!trawl_searcher_new(&searcher, index, &error)) {
		ask(searcher, query, length, &options);
		ask(searcher, more[shape >> 4 & 3], strlen(more[shape >> 4 & 3]), &options);
		trawl_searcher_free(searcher);
	}
	if (!trawl_fetch(index, "id77", 4, &stored, &document, &error)) {
		fuzz_touch(document.text, document.text_length);
		trawl_stored_free(stored);
	}
	trawl_get_stats(index, &stats, &error);
	trawl_close(index);
}

static void write_to_copy(const struct template *template)
{
	const char *copy = template_copy(template);
	trawl_writer *writer;
	trawl_error error;
	if (!trawl_writer_open(&writer, copy, NULL, &error)) {
		int code = trawl_writer_delete(writer, "id77", 4, &error);
		trawl_document document = {.id = "id78", .id_length = 4, .text = "frequent changes", .text_length = 16};
		if (!code || code == TRAWL_ENOTFOUND)
			code = trawl_writer_add(writer, &document, &error);
		if (!code)
			trawl_writer_commit(writer, &error);
		trawl_writer_close(writer);
	}
	unlink(copy);
	unlink(scratch_path("copy.trawl-lock"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input), shape = take8(&input), edits = take8(&input) % (TEMPLATE_EDITS + 1);
	struct template *template = template_get(kind % TEMPLATES);
	template_edit(template, &input, edits);
	fuzz_use_kernel(kernel_for((enum cpu_level)(kind / TEMPLATES % 3)));
	char *query = (char *)fuzz_tight(input.at, input.left, 0);
	guard(template);
	search(template->path, query, input.left, shape);
	unguard();
	if (kind > 230)
		write_to_copy(template);
	memory_free(query);
	return 0;
}

/* An edit of each part of each template, in front of a query. */
bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char *const queries[] = {"common frequent rare1", "\"common frequent\" word3",
	                                      "+common +frequent -word1", "\"frequent common\"",
	                                      "title rare3 word9 word8"};
	if (number >= 60)
		return false;
	const uint8_t bytes[] = {(uint8_t)(number % 3 + (number < 50 ? number % 9 / 3 * 3 : 231)),
	                         (uint8_t)(number * 37),
	                         (uint8_t)(number % 7 ? 1 : 0),
	                         (uint8_t)number,
	                         (uint8_t)(number * 13),
	                         0,
	                         3 << 3 | 4,
	                         0,
	                         (uint8_t)number,
	                         0xff};
	return buffer_append(out, bytes, number % 7 ? sizeof bytes : 3) &&
	       buffer_append(out, queries[number % 5], strlen(queries[number % 5]));
}
