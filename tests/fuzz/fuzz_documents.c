/*
 * Stored documents and ids: any bytes as the five parts are read or refused (frames also with any content behind valid compression);
 * any documents come back.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz_store.h"

#define PARTS 5
#define ORDINALS_READ 200

static void read_all(struct documents *documents, uint32_t ordinals)
{
	struct documents_scratch scratch = {0};
	trawl_document document;
	trawl_error error;
	for (uint32_t i = 0; i < ordinals && i < ORDINALS_READ; i++) {
		const char *id;
		size_t length;
		int code = documents_id(documents, i, &scratch, &id, &length, &error);
		PROMISE(code == 0 || code == TRAWL_ECORRUPT);
		if (!code)
			fuzz_touch(id, length);
		code = documents_fetch(documents, i * 7 % ordinals, &scratch, &document, &error);
		PROMISE(code == 0 || code == TRAWL_ECORRUPT || code == TRAWL_ENOMEM);
		if (code)
			continue;
		fuzz_touch(document.title, document.title_length);
		fuzz_touch(document.text, document.text_length);
		fuzz_touch(document.fields, document.fields_length);
	}
	documents_scratch_release(&scratch);
}

/* Compressed, so that what the decompressor yields is hostile, too. */
static void compress(struct buffer *bytes)
{
	struct buffer frame = {0};
	PROMISE(buffer_reserve(&frame, ZSTD_compressBound(bytes->length)));
	size_t size = ZSTD_compress(frame.data, frame.capacity, bytes->data, bytes->length, 1);
	PROMISE(!ZSTD_isError(size));
	frame.length = size;
	buffer_release(bytes);
	*bytes = frame;
}

static void arbitrary(struct fuzz_input *input, bool compressed)
{
	struct snapshot *snapshot;
	struct documents documents;
	struct buffer parts[PARTS] = {{0}};
	uint64_t sizes[PART_COUNT] = {0};
	uint8_t *copies[PARTS];
	trawl_error error;
	uint32_t ordinals = take8(input) + 1u;
	for (size_t i = 0; i < PARTS; i++) {
		size_t length, wanted = i + 1 < PARTS ? take16(input) % 2048 : (ordinals + 31) / 32 * 8;
		const uint8_t *bytes = take(input, wanted, &length);
		PROMISE(buffer_append(&parts[i], bytes, length));
		if (i + 1 == PARTS) /* the number of id blocks is checked first; go on behind that */
			while (parts[i].length < wanted)
				PROMISE(buffer_append_byte(&parts[i], 0));
	}
	if (compressed) {
		uint32_t length = (uint32_t)parts[0].length;
		compress(&parts[0]);
		compress(&parts[2]);
		parts[1].length = 0;
		uint8_t entry[16] = {0};
		store32(entry + 4, length);
		PROMISE(buffer_append(&parts[1], entry, sizeof entry));
	}
	for (size_t i = 0; i < PARTS; i++)
		sizes[PART_DOCUMENTS + i] = parts[i].length;
	fuzz_need(snapshot_open(&snapshot, fuzz_store(), &error), &error);
	fuzz_need(documents_open(&documents, snapshot, 9, ordinals, sizes, &error), &error);
	struct part *const opened[] = {&documents.documents, &documents.blocks, &documents.dictionary, &documents.ids,
	                               &documents.id_blocks};
	for (size_t i = 0; i < PARTS; i++)
		copies[i] = fuzz_part(opened[i], parts[i].data, parts[i].length);
	read_all(&documents, ordinals);
	documents_release(&documents);
	snapshot_close(snapshot);
	for (size_t i = 0; i < PARTS; i++) {
		free(copies[i]);
		buffer_release(&parts[i]);
	}
}

/* ---- round trips ---- */

#define DOCUMENTS_MADE 100

static size_t make(trawl_document *documents, struct fuzz_input *input)
{
	size_t n = 0;
	while (n < DOCUMENTS_MADE && input->left) {
		trawl_document *document = &documents[n++];
		uint8_t shape = take8(input);
		document->id = (const char *)take(input, shape % 20, &document->id_length);
		document->title = (const char *)take(input, shape >> 5, &document->title_length);
		document->text = (const char *)take(input, shape & 64 ? take16(input) : shape, &document->text_length);
		document->fields = (const char *)take(input, shape & 3, &document->fields_length);
	}
	return n;
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length && (!a_length || memcmp(a, b, a_length) == 0);
}

static void check(struct documents *read, const trawl_document *made, size_t n)
{
	struct documents_scratch scratch = {0};
	trawl_document got;
	trawl_error error;
	for (size_t i = 0; i < n; i++) {
		size_t number = n - 1 - i;
		const trawl_document *wanted = &made[number];
		fuzz_need(documents_fetch(read, (uint32_t)number, &scratch, &got, &error), &error);
		PROMISE(same(got.title, got.title_length, wanted->title, wanted->title_length));
		PROMISE(same(got.text, got.text_length, wanted->text, wanted->text_length));
		PROMISE(same(got.fields, got.fields_length, wanted->fields, wanted->fields_length));
		fuzz_need(documents_id(read, (uint32_t)number, &scratch, &got.id, &got.id_length, &error), &error);
		PROMISE(same(got.id, got.id_length, wanted->id, wanted->id_length));
	}
	documents_scratch_release(&scratch);
}

static void round_trip(struct fuzz_input *input)
{
	trawl_document made[DOCUMENTS_MADE];
	struct store_batch *batch;
	struct documents_writer writer;
	struct documents documents;
	struct snapshot *snapshot;
	trawl_error error;
	fuzz_need(store_batch_new(&batch, fuzz_store(), &error), &error);
	fuzz_need(documents_writer_init(&writer, batch, 1, &error), &error);
	size_t n = make(made, input);
	for (size_t i = 0; i < n; i++)
		fuzz_need(documents_writer_add(&writer, &made[i], &error), &error);
	fuzz_need(documents_writer_finish(&writer, &error), &error);
	fuzz_need(store_batch_commit(batch, (const uint8_t *)"", 0, &error), &error);
	const uint64_t sizes[PART_COUNT] = {[PART_DOCUMENTS] = writer.documents.address,
	                                    [PART_DOCUMENT_BLOCKS] = writer.blocks.address,
	                                    [PART_DOCUMENT_DICTIONARY] = writer.dictionary.length,
	                                    [PART_IDS] = writer.ids.address,
	                                    [PART_ID_BLOCKS] = writer.id_blocks.address};
	fuzz_need(snapshot_open(&snapshot, fuzz_store(), &error), &error);
	fuzz_need(documents_open(&documents, snapshot, 1, (uint32_t)n, sizes, &error), &error);
	check(&documents, made, n);
	documents_release(&documents);
	snapshot_close(snapshot);
	documents_writer_release(&writer);
	store_batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	switch (take8(&input) % 3) {
	case 0: arbitrary(&input, false); break;
	case 1: arbitrary(&input, true); break;
	default: round_trip(&input);
	}
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char text[] =
	    "a record of some text, a record of some text, and once more a record of some text; ";
	static const uint8_t head[] = {1, 2, 16, 0, 0, 0, 40, 0, 12, 0};
	static const uint8_t records[] = {1, 2, 0, 'T', 'x', 'y', 0, 1, 2, 'z', '{', '}', 0, 0, 0, 0};
	static const uint8_t ids[] = {0, 1, 'a', 0, 2, 'b', 'c', 1, 1, 'd', 0, 0};
	if (number == 0)
		return buffer_append(out, head, sizeof head - 4) && buffer_append(out, records, sizeof records) &&
		       buffer_append(out, head + 4, 0) && buffer_append(out, "\0\0", 2) &&
		       buffer_append(out, "\x28\0", 2) && buffer_append(out, text, 40) &&
		       buffer_append(out, "\x0c\0", 2) && buffer_append(out, ids, sizeof ids);
	if (number > 3)
		return false;
	bool done = buffer_append_byte(out, 2);
	for (unsigned i = 0; done && i < 20 * number; i++)
		done = buffer_append_byte(out, (uint8_t)(i * 37)) && buffer_append(out, text, sizeof text - 1);
	return done;
}
