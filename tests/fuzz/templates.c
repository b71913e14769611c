#include "tests/fuzz/templates.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/scratch.h"

static struct template templates[TEMPLATES];

static const struct shape {
	unsigned documents, commits;
	bool positions, stop_words, deletions, bigrams;
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
	                                .bigrams = shape->bigrams,
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
			for (uint32_t number = 0; template->count < TEMPLATE_EXTENTS; number++) {
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

void template_edit(struct template *template, struct fuzz_input *input, uint8_t edits)
{
	struct store_batch *batch;
	trawl_error error;
	bool edited[TEMPLATE_EXTENTS] = {false};
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

struct template *template_get(size_t number)
{
	if (!templates[number].count)
		build(&templates[number], number);
	return &templates[number];
}

const char *template_copy(const struct template *template)
{
	static uint8_t bytes[1 << 18];
	const char *copy = scratch_path("copy.trawl");
	int from = open(template->path, O_RDONLY), to = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t got;
	PROMISE(from >= 0 && to >= 0);
	while ((got = read(from, bytes, sizeof bytes)) > 0)
		PROMISE(write(to, bytes, (size_t)got) == got);
	close(from);
	close(to);
	return copy;
}
