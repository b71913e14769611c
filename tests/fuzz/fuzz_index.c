/*
 * A whole index whose stored values are hostile: edits of its parts, which are sealed again (the store puts a right checksum on what
 * it is given), so that they reach the decoders behind the checksums. The index is refused, or searched, fetched from and written to;
 * nothing may crash, hang, or read beyond a value and its slack.
 *
 * An input: shape, kernel and options, number of edits; each edit: extent, place, how, bytes; the rest is a query.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "searcher/kernel.h"
#include "store/segment.h"
#include "tests/fuzz/fuzz.h"
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

#define TEMPLATES 3
#define EXTENTS_MAX 96
#define EDITS_MAX 8
#define PAGE 4096

struct extent {
	uint32_t segment, part, number;
	struct buffer healthy, edited;
	bool dirty; /* the file has not the healthy bytes */
};

/* A healthy index, kept open for writing values into it. */
static struct template
{
	char path[1024];
	struct store *store;
	struct extent extents[EXTENTS_MAX];
	size_t count;
	struct buffer manifest, edited_manifest;
}
templates[TEMPLATES];

static const struct shape {
	unsigned documents, commits;
	bool positions, stop_words, deletions, pairs;
	enum trawl_order order;
} shapes[TEMPLATES] = {{2200, 1, true, true, true, true, TRAWL_ORDER_SIMILAR},
                       {90, 3, true, false, true, true, TRAWL_ORDER_INPUT},
                       {2100, 1, false, false, false, false, TRAWL_ORDER_INPUT}};

/* ---- templates ---- */

static void add(trawl_writer *writer, unsigned number)
{
	char id[32], text[1000];
	trawl_error error;
	trawl_document document = {.id = id, .title = "common title", .title_length = 12, .text = text};
	document.id_length = (size_t)snprintf(id, sizeof id, "id%u", number);
	int at = snprintf(text, sizeof text, "the common%s word%u of rare%u", number % 11 ? " frequent" : "",
	                  number % 50, number / 20);
	for (unsigned i = 0; i < number % 8 + (number % 97 ? 0 : 20); i++)
		at += snprintf(text + at, sizeof text - (size_t)at, " frequent common");
	document.text_length = (size_t)at;
	fuzz_need(trawl_writer_add(writer, &document, &error), &error);
}

static void build_file(const struct template *template, const struct shape *shape)
{
	trawl_error error;
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = {.language = "english", .stop_words = shape->stop_words},
	                                .no_positions = !shape->positions,
	                                .pairs = shape->pairs,
	                                .order = shape->order};
	fuzz_need(trawl_writer_open(&writer, template->path, &options, &error), &error);
	for (unsigned i = 0; i < shape->documents; i++) {
		add(writer, i);
		if (i + 1 < shape->documents && (i + 1) % (shape->documents / shape->commits) == 0)
			fuzz_need(trawl_writer_commit(writer, &error), &error);
	}
	fuzz_need(trawl_writer_commit(writer, &error), &error);
	for (unsigned i = 0; shape->deletions && i < 20; i++) {
		char id[32];
		size_t length = (size_t)snprintf(id, sizeof id, "id%u", i * 4);
		fuzz_need(trawl_writer_delete(writer, id, length, &error), &error);
	}
	fuzz_need(trawl_writer_commit(writer, &error), &error);
	trawl_writer_close(writer);
}

static void copy_extents(struct template *template)
{
	struct snapshot *snapshot;
	trawl_error error;
	const uint8_t *payload;
	uint32_t length;
	fuzz_need(snapshot_open(&snapshot, template->store, &error), &error);
	fuzz_need(snapshot_extent(snapshot, 0, PART_MANIFEST, 0, &payload, &length, &error), &error);
	PROMISE(buffer_append(&template->manifest, payload, length));
	for (uint32_t segment = 1; segment < 10; segment++)
		for (uint32_t part = 1; part < PART_COUNT; part++)
			for (uint32_t number = 0; template->count < EXTENTS_MAX; number++) {
				if (snapshot_extent(snapshot, segment, part, number, &payload, &length, &error))
					break;
				struct extent *extent = &template->extents[template->count++];
				*extent = (struct extent){.segment = segment, .part = part, .number = number};
				PROMISE(buffer_append(&extent->healthy, payload, length));
			}
	snapshot_close(snapshot);
}

static void build(struct template *template, size_t number)
{
	char name[32];
	trawl_error error;
	snprintf(name, sizeof name, "index%zu.trawl", number);
	snprintf(template->path, sizeof template->path, "%s", scratch_path(name));
	build_file(template, &shapes[number]);
	fuzz_need(store_open(&template->store, template->path, true, &error), &error);
	copy_extents(template);
}

/* ---- edits ---- */

static void assign(struct buffer *to, const struct buffer *from)
{
	to->length = 0;
	PROMISE(buffer_append(to, from->data, from->length));
}

static void edit(struct buffer *bytes, struct fuzz_input *input)
{
	uint16_t where = take16(input);
	uint8_t how = take8(input);
	size_t length, at = bytes->length ? (where & 0x8000 ? bytes->length - 1 - where % 256 % bytes->length
	                                                    : where % bytes->length)
	                                  : 0;
	const uint8_t *new = take(input, how >> 3 & 15, &length);
	size_t over = length < bytes->length - at ? length : bytes->length - at;
	switch (how & 7) {
	case 0: /* put in */
		if (bytes->length + length > EXTENT_PAYLOAD || !length || !buffer_reserve(bytes, length))
			return;
		memmove(bytes->data + at + length, bytes->data + at, bytes->length - at);
		memcpy(bytes->data + at, new, length);
		bytes->length += length;
		return;
	case 1: /* take out */
		memmove(bytes->data + at, bytes->data + at + over, bytes->length - at - over);
		bytes->length -= over;
		return;
	case 2: bytes->length = at; return; /* cut */
	case 3:
		if (at < bytes->length)
			bytes->data[at] ^= (uint8_t)(1u << (how >> 3 & 7));
		return;
	default:
		if (over)
			memcpy(bytes->data + at, new, over);
	}
}

/* Write the edited values, and healthy ones over those of the last input. */
static void commit(struct template *template, struct fuzz_input *input, uint8_t edits)
{
	struct store_batch *batch;
	trawl_error error;
	bool edited[EXTENTS_MAX] = {false};
	assign(&template->edited_manifest, &template->manifest);
	for (; edits; edits--) {
		size_t which = take8(input) % (template->count + 1);
		if (which < template->count && !edited[which])
			assign(&template->extents[which].edited, &template->extents[which].healthy);
		if (which < template->count)
			edited[which] = true;
		edit(which < template->count ? &template->extents[which].edited : &template->edited_manifest, input);
	}
	fuzz_need(store_batch_new(&batch, template->store, &error), &error);
	for (size_t i = 0; i < template->count; i++) {
		struct extent *extent = &template->extents[i];
		const struct buffer *bytes = edited[i] ? &extent->edited : &extent->healthy;
		if (edited[i] || extent->dirty)
			fuzz_need(store_batch_put(batch, extent->segment, extent->part, extent->number, bytes->data,
			                          (uint32_t)bytes->length, &error),
			          &error);
		extent->dirty = edited[i];
	}
	fuzz_need(store_batch_commit(batch, template->edited_manifest.data, (uint32_t) template->edited_manifest.length,
	                             &error),
	          &error);
	store_batch_free(batch);
}

/* ---- use ---- */

/* What lies behind the slack of values that have pages of their own may not be looked at. */
static struct {
	const uint8_t *start;
	size_t length;
} guarded[EXTENTS_MAX];
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

static void write_to_copy(const char *path)
{
	const char *copy = scratch_path("copy.trawl");
	trawl_writer *writer;
	trawl_error error;
	static uint8_t bytes[64 * PAGE];
	int from = open(path, O_RDONLY), to = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t got;
	PROMISE(from >= 0 && to >= 0);
	while ((got = read(from, bytes, sizeof bytes)) > 0)
		PROMISE(write(to, bytes, (size_t)got) == got);
	close(from);
	close(to);
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
	uint8_t kind = take8(&input), shape = take8(&input), edits = take8(&input) % (EDITS_MAX + 1);
	struct template *template = &templates[kind % TEMPLATES];
	if (!template->count)
		build(template, kind % TEMPLATES);
	commit(template, &input, edits);
	fuzz_use_kernel(kernel_for((enum cpu_level)(kind / TEMPLATES % 3)));
	char *query = (char *)fuzz_tight(input.at, input.left, 0);
	guard(template);
	search(template->path, query, input.left, shape);
	unguard();
	if (kind > 230)
		write_to_copy(template->path);
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
