/*
 * LMDB's pages: any bytes as an index file are accepted or refused by the page verifier; what it accepts, LMDB can read, and what it
 * accepts in depth, LMDB's writer can write to. Inputs are patches of a healthy file, or a file as it is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/tree.h"
#include "tests/fuzz/fuzz.h"
#include "tests/scratch.h"

#define PAGE 4096

static struct buffer healthy;
static char path[1024];

static void add(trawl_writer *writer, unsigned number)
{
	char id[32], text[64];
	trawl_error error;
	trawl_document document = {.id = id, .text = text};
	document.id_length = (size_t)snprintf(id, sizeof id, "document %u", number);
	document.text_length = (size_t)snprintf(text, sizeof text, "text %u of some words %u", number, number % 7);
	fuzz_need(trawl_writer_add(writer, &document, &error), &error);
}

/* Some commits, so that there are free pages; small ones, so that values share pages. */
static void build(void)
{
	trawl_error error;
	trawl_writer *writer;
	snprintf(path, sizeof path, "%s", scratch_path("tree.trawl"));
	fuzz_need(trawl_writer_open(&writer, path, NULL, &error), &error);
	for (unsigned i = 0; i < 60; i++) {
		add(writer, i % 45);
		if (i % 10 == 9)
			fuzz_need(trawl_writer_commit(writer, &error), &error);
	}
	trawl_writer_close(writer);
	int file = open(path, O_RDONLY);
	off_t length = lseek(file, 0, SEEK_END);
	PROMISE(file >= 0 && length > 0 && buffer_reserve(&healthy, (size_t)length));
	PROMISE(pread(file, healthy.data, (size_t)length, 0) == length);
	healthy.length = (size_t)length;
	close(file);
}

static void patch(struct fuzz_input *input, struct buffer *bytes)
{
	while (input->left >= 4) {
		size_t at = (size_t)take8(input) % (bytes->length / PAGE) * PAGE, length;
		uint16_t where = take16(input);
		/* The first bytes of a page hold what decides most. */
		at += where & 0x8000 ? where % 160 : where % PAGE;
		uint8_t shape = take8(input);
		const uint8_t *new = take(input, shape % 9, &length);
		length = length < bytes->length - at ? length : bytes->length - at;
		if (shape & 64) {
			memset(bytes->data + at, 0, length);
			length = length < 1 ? length : 1;
		}
		memcpy(bytes->data + at, new, length);
	}
}

static uint64_t newest(const struct buffer *bytes)
{
	uint64_t one = bytes->length < PAGE ? 0 : load64(bytes->data + 144);
	uint64_t other = bytes->length < 2 * PAGE ? 0 : load64(bytes->data + PAGE + 144);
	return one > other ? one : other;
}

static void replace_file(const struct buffer *bytes)
{
	unlink(path);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	PROMISE(file >= 0 && write(file, bytes->data, bytes->length) == (ssize_t)bytes->length);
	close(file);
}

static void use(bool write)
{
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_writer *writer;
	trawl_error error;
	trawl_index_stats stats;
	const trawl_search_options options = {.top = 10, .count = true};
	if (!trawl_open(&index, path, &error)) {
		trawl_get_stats(index, &stats, &error);
		if (!trawl_searcher_new(&searcher, index, &error)) {
			trawl_search(searcher, "some text 7", 11, &options, &error);
			trawl_searcher_free(searcher);
		}
		trawl_close(index);
	}
	if (!write || trawl_writer_open(&writer, path, NULL, &error))
		return;
	trawl_document document = {.id = "new", .id_length = 3, .text = "some new text", .text_length = 13};
	if (!trawl_writer_add(writer, &document, &error))
		trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	struct buffer bytes = {0};
	struct fuzz_input input = {data, size};
	trawl_error error = {0};
	if (!healthy.length)
		build();
	if (file < 0)
		file = memfd_create("tree", MFD_CLOEXEC);
	uint8_t kind = take8(&input);
	if (kind & 1) {
		PROMISE(buffer_append(&bytes, input.at, input.left));
	} else {
		PROMISE(buffer_append(&bytes, healthy.data, healthy.length));
		patch(&input, &bytes);
	}
	PROMISE(ftruncate(file, 0) == 0 && pwrite(file, bytes.data, bytes.length, 0) == (ssize_t)bytes.length);
	bool deep = kind & 2;
	int code = tree_check_meta(file, "file", &error);
	if (!code)
		code = tree_check(file, "file", newest(&bytes), deep, &error);
	PROMISE(code == 0 || code == TRAWL_ECORRUPT || code == TRAWL_ENOTFOUND || code == TRAWL_ENOMEM);
	if (!code) {
		replace_file(&bytes);
		use(deep && kind & 4);
	}
	buffer_release(&bytes);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const uint8_t patches[][12] = {{0},
	                                      {6, 0, 20, 0x80, 8, 1, 2, 3, 4, 5, 6, 7},
	                                      {2, 5, 16, 0x80, 2, 0, 9, 7, 12, 0x80, 1, 30},
	                                      {6, 1, 40, 0x80, 4, 0xff, 0xff, 0xff, 0xff, 3, 0, 8},
	                                      {6, 1, 144, 0x80, 1, 9, 0, 144, 0x80, 1, 9, 0}};
	if (number < 5)
		return buffer_append(out, patches[number], sizeof patches[0]);
	if (!healthy.length)
		build();
	return number == 5 && buffer_append_byte(out, 3) && buffer_append(out, healthy.data, 2 * PAGE);
}
