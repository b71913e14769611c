/*
 * trawl check and trawl salvage, whose decoders are their own, on hostile files: values of an index edited and sealed again, or
 * bytes of the file changed, cut off or moved as they are. Both end; what a search or a writer refuses as damaged check finds; what is
 * rescued is a whole index.
 *
 * An input: shape and kind, number of edits of values, these; number of edits of the file, these: page, place in it, how, bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/templates.h"
#include "tests/scratch.h"

#define PAGE 4096
#define FILE_EDITS 6

static void edit_file(const char *path, struct fuzz_input *input)
{
	static uint8_t pages[2][PAGE];
	struct stat status;
	int file = open(path, O_RDWR);
	PROMISE(file >= 0 && fstat(file, &status) == 0);
	for (uint8_t edits = take8(input) % (FILE_EDITS + 1); edits && status.st_size >= PAGE; edits--) {
		off_t page = take16(input) % (status.st_size / PAGE), other = take8(input) % (status.st_size / PAGE);
		uint16_t place = take16(input) % PAGE;
		uint8_t how = take8(input);
		size_t length;
		const uint8_t *bytes = take(input, how >> 3, &length);
		if (length > (size_t)(PAGE - place))
			length = PAGE - place;
		PROMISE(pread(file, pages[0], PAGE, page * PAGE) == PAGE);
		PROMISE(pread(file, pages[1], PAGE, other * PAGE) == PAGE);
		switch (how & 7) {
		case 0: memset(pages[0], 0, PAGE); break;
		case 1: memcpy(pages[0], pages[1], PAGE); break;
		case 2: memcpy(pages[0] + place, pages[1] + place, PAGE - place); break;
		case 3: pages[0][place] ^= (uint8_t)(1u << (how >> 3 & 7)); break;
		case 4:
			status.st_size = page * PAGE + (how & 8 ? place : 0);
			PROMISE(ftruncate(file, status.st_size) == 0);
			continue;
		default:
			if (length)
				memcpy(pages[0] + place, bytes, length);
		}
		PROMISE(pwrite(file, pages[0], PAGE, page * PAGE) == PAGE);
	}
	close(file);
}

static bool is_answer(int code)
{
	return code == 0 || code == TRAWL_ENOTFOUND || code == TRAWL_ENOTINDEX || code == TRAWL_EVERSION ||
	       code == TRAWL_EIO || code == TRAWL_ENOMEM || code == TRAWL_EBUSY || code == TRAWL_ECORRUPT;
}

/* Whether somebody refuses the file as damaged: opening, a search, a document, a writer. */
static bool is_refused(const char *path, char *what, size_t size)
{
	static const char *const queries[] = {"common frequent rare3 word7", "\"common frequent\" +of"};
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_error error = {0};
	trawl_search_options options = {.top = 100};
	int code = trawl_open(&index, path, &error);
	if (code) {
		snprintf(what, size, "opening: %.200s", error.text);
		return code == TRAWL_ECORRUPT;
	}
	code = trawl_searcher_new(&searcher, index, &error);
	for (size_t i = 0; !code && i < 2; i++)
		code = trawl_search(searcher, queries[i], strlen(queries[i]), &options, &error);
	for (unsigned number = 0; !code && number < 90; number += 11) {
		char id[16];
		trawl_stored *stored;
		trawl_document document;
		size_t length = (size_t)snprintf(id, sizeof id, "id%u", number);
		code = trawl_fetch(index, id, length, &stored, &document, &error);
		if (!code)
			trawl_stored_free(stored);
		code = code == TRAWL_ENOTFOUND ? 0 : code;
	}
	snprintf(what, size, "%.200s", error.text);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return code == TRAWL_ECORRUPT;
}

static void count_finding(void *context, const trawl_finding *finding)
{
	PROMISE(finding->part && finding->text && *finding->text);
	*(uint64_t *)context += !finding->harmless;
}

/* 0 or an error; *damages is what was found. */
static int check(const char *path, bool quick, bool text, uint64_t *damages)
{
	uint64_t told = 0;
	trawl_check_result result;
	trawl_error error = {0};
	trawl_check_options options = {.quick = quick, .text = text, .finding = count_finding, .context = &told};
	int code = trawl_check(path, &options, &result, &error);
	PROMISE(is_answer(code) && (!code || (error.code == code && *error.text)));
	PROMISE(code || told == result.damages);
	*damages = code ? 0 : result.damages;
	return code;
}

static void rescue(const char *path)
{
	const char *rescued = scratch_path("rescued.trawl");
	trawl_salvage_result result;
	trawl_error error = {0};
	trawl_salvage_options options = {.memory_budget = 1 << 20};
	uint64_t damages;
	int code = trawl_salvage(path, rescued, &options, &result, &error);
	PROMISE(is_answer(code));
	if (!code && result.rescued) {
		trawl_index *index;
		trawl_index_stats stats;
		PROMISE(check(rescued, false, true, &damages) == 0 && damages == 0);
		fuzz_need(trawl_open(&index, rescued, &error), &error);
		fuzz_need(trawl_get_stats(index, &stats, &error), &error);
		PROMISE(stats.documents == result.rescued);
		trawl_close(index);
	} else {
		PROMISE(access(rescued, F_OK) != 0);
	}
	unlink(rescued);
	unlink(scratch_path("rescued.trawl-lock"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input), edits = take8(&input) % (TEMPLATE_EDITS + 1);
	/* Mostly the small one. */
	struct template *template = template_get(kind % 16 < 14 ? 1 : kind % 16 == 14 ? 0 : 2);
	uint64_t damages, quick_damages;
	char what[256] = "";
	template_edit(template, &input, edits);
	const char *path = template_copy(template);
	edit_file(path, &input);
	int quick = check(path, true, false, &quick_damages);
	int code = check(path, false, kind & 16, &damages);
	PROMISE(quick || code || !quick_damages || damages);
	PROMISE(quick == code || quick == 0);
	if (is_refused(path, what, sizeof what) && !code && !damages)
		fuzz_broken(what, __FILE__, __LINE__);
	if (kind & 32)
		rescue(path);
	unlink(path);
	unlink(scratch_path("copy.trawl-lock"));
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	if (number >= 48)
		return false;
	const uint8_t value_edit[] = {(uint8_t)(number * 5),
	                              (uint8_t)(number * 13),
	                              (uint8_t)(number & 1 ? 0x80 : 0),
	                              3 << 3 | 4,
	                              0,
	                              (uint8_t)number,
	                              0xff};
	const uint8_t file_edit[] = {1, (uint8_t)number, 0, 3, (uint8_t)(number * 7), 1, (uint8_t)(number % 16), 1, 2};
	const uint8_t head[] = {(uint8_t)(number % 14 | (number % 4) << 4), (uint8_t)(number % 3 ? 1 : 0)};
	return buffer_append(out, head, sizeof head) &&
	       (!head[1] || buffer_append(out, value_edit, sizeof value_edit)) &&
	       (number % 3 == 2 || buffer_append(out, file_edit, sizeof file_edit));
}
