/*
 * What a source does when the system fails under it: every call that opens, examines or reads something, in turn; every
 * allocation; and what a folder may have in it that no test can make there.
 *
 * The calls are wrapped by the linker (Makefile).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "input/reader.h"
#include "input/walk.h"
#include "tests/failing_calls.h"
#include "tests/sources.h"

/* ---- the calls that fail ----------------------------------------------------------------------------------------- */

/* The first two are called until they are no longer interrupted. */
static const char *const call_names[] = {"read", "open", "fstat", "fstatat", "fdopendir", "readdir", "stat"};

#define CALLS (sizeof call_names / sizeof *call_names)

/* What the calls that succeed say. */
static struct {
	unsigned char type; /* of each entry of a folder, unless 0 */
	size_t piece;       /* no read gives more, unless 0 */
} said;

FAILING(int, fstat, (int file, struct stat *status), (file, status), -1)
FAILING(int, stat, (const char *path, struct stat *status), (path, status), -1)
FAILING(int, fstatat, (int folder, const char *path, struct stat *status, int flags), (folder, path, status, flags), -1)
FAILING(DIR *, fdopendir, (int file), (file), NULL)

ssize_t __real_read(int file, void *bytes, size_t length);
ssize_t __wrap_read(int file, void *bytes, size_t length);
ssize_t __wrap___read_chk(int file, void *bytes, size_t length, size_t room);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
struct dirent *__real_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder);
void *__real__ZnwmRKSt9nothrow_t(size_t size, const void *nothrow);
void *__wrap__ZnwmRKSt9nothrow_t(size_t size, const void *nothrow);
void *__real__ZnamRKSt9nothrow_t(size_t size, const void *nothrow);
void *__wrap__ZnamRKSt9nothrow_t(size_t size, const void *nothrow);

ssize_t __wrap_read(int file, void *bytes, size_t length)
{
	return call_fails("read") ? -1
	                          : __real_read(file, bytes, said.piece && said.piece < length ? said.piece : length);
}

ssize_t __wrap___read_chk(int file, void *bytes, size_t length, size_t room)
{
	assert_true(length <= room);
	return __wrap_read(file, bytes, length);
}

int __wrap_open(const char *path, int flags, ...)
{
	return call_fails("open") ? -1 : __real_open(path, flags);
}

int __wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

struct dirent *__wrap_readdir(DIR *folder)
{
	struct dirent *entry = call_fails("readdir") ? NULL : __real_readdir(folder);
	if (entry && said.type)
		entry->d_type = said.type;
	return entry;
}

/* As simdjson calls it, for one thing or for several. */
void *__wrap__ZnwmRKSt9nothrow_t(size_t size, const void *nothrow)
{
	return call_fails("new") ? NULL : __real__ZnwmRKSt9nothrow_t(size, nothrow);
}

void *__wrap__ZnamRKSt9nothrow_t(size_t size, const void *nothrow)
{
	return call_fails("new") ? NULL : __real__ZnamRKSt9nothrow_t(size, nothrow);
}

/* ---- a folder of everything -------------------------------------------------------------------------------------- */

#define LINES "{\"id\":1,\"title\":[\"a\",\"b\\n\"],\"text\":[\"\\u00e9\"],\"x\":{},\"y\":\"\"}\nbad\n{\"id\":2}\n"

static const char *const everything[] = {"d"};

/* Text that hardly compresses, so that it is read and decompressed in several pieces. */
static char *long_text(size_t length)
{
	char *text = malloc(length + 1);
	uint64_t state = 88172645463325252u;
	assert_non_null(text);
	for (size_t i = 0; i < length; i++) {
		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		text[i] = i % 60 == 59 ? '\n' : (char)('0' + state % 60);
	}
	text[length] = 0;
	return text;
}

static void make_everything(void)
{
	enum { LONG = 700000 };
	size_t packed;
	char name[200], *text = long_text(LONG);
	uint8_t *out = malloc(2 * LONG);
	assert_non_null(out);
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777) | mkdir("d/e/f", 0777), 0);
	write_text("d/a.txt", "title\ntext");
	write_text("d/b.jsonl", LINES);
	write_text("d/e/f/c.txt", "deep");
	write_text("d/h.json",
	           "[\n{\"id\":1,\"x\":\"\\ud800\"},\n{\"id\":2,\n\"text\":[\"a\",1]},{\"x\":1}, 7,\n{\"id\":\"cut\n");
	write_bytes("d/i.txt",
	            "\xff\xfe"
	            "a\0\xe9\0\n\0b\0",
	            10);
	write_text("d/j.txt", "caf\xe9");
	write_text("d/k.txt", "{\"id\":1,\"body\":\"caf\xe9\"}\n{\"id\":2}");
	packed = pack_gzip(out, 2 * LONG, text, LONG);
	packed += pack_gzip(out + packed, 2 * LONG - packed, "second member", 13);
	memset(out + packed, 0, 600);
	write_bytes("d/g.txt.gz", out, packed + 600);
	packed = pack_zstd(out, 2 * LONG, text, LONG);
	packed += pack_zstd(out + packed, 2 * LONG - packed, "second frame", 12);
	write_bytes("d/z.txt.zst", out, packed);
	/* So many names that they need more than one block of memory. */
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "d/e/%0150d", i);
		write_text(name, "x");
	}
	free(text);
	free(out);
}

static size_t lines_in(const struct buffer *text)
{
	size_t count = 0;
	for (size_t i = 0; i < text->length; i++)
		count += text->data[i] == '\n';
	return count;
}

static struct outcome read_everything(bool strict)
{
	return read_paths(everything, 1, (trawl_source_options){.strict = strict});
}

static void expect_same(const struct outcome *outcome, const struct outcome *whole)
{
	assert_int_equal(outcome->status, whole->status);
	assert_string_equal(outcome->documents.data, whole->documents.data);
	assert_string_equal(outcome->problems.data, whole->problems.data);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static void an_interrupted_call_is_made_again(void **state)
{
	(void)state;
	make_everything();
	struct outcome whole = read_everything(false);
	assert_int_equal(whole.status, 0);
	for (size_t call = 0; call < 2; call++) {
		long n = 0;
		for (bool met = true; met; n++) {
			fail_calls(call_names[call], n, false, EINTR);
			struct outcome outcome = read_everything(false);
			met = stop_failing();
			expect_same(&outcome, &whole);
			release_outcome(&outcome);
			assert_true(n < 3000);
		}
		assert_true(n > 8);
	}
	release_outcome(&whole);
}

static void short_reads_make_no_difference(void **state)
{
	(void)state;
	make_everything();
	struct outcome whole = read_everything(false);
	static const size_t pieces[] = {1, 3, 4093};
	for (size_t i = 0; i < 3; i++) {
		said.piece = pieces[i];
		struct outcome outcome = read_everything(false);
		said.piece = 0;
		expect_same(&outcome, &whole);
		release_outcome(&outcome);
	}
	release_outcome(&whole);
}

/* The nth call fails for good: it is told where, what is read is some of the whole, and nothing comes after the last. */
static bool try_failing(const char *call, long n, const struct outcome *whole)
{
	fail_calls(call, n, false, EIO);
	struct outcome outcome = read_everything(false);
	bool met = stop_failing();
	if (outcome.status < 0) { /* of the folder that was named */
		assert_string_equal(call, "stat");
	} else if (met) {
		assert_non_null(strstr((char *)outcome.problems.data, "nput/output error"));
		if (outcome.documents.length > whole->documents.length)
			fail_msg("%s %ld: %s", call, n, (char *)outcome.problems.data);
	} else {
		expect_same(&outcome, whole);
	}
	release_outcome(&outcome);
	fail_calls(call, n, false, EIO);
	outcome = read_everything(true);
	if (stop_failing()) {
		assert_true(outcome.status == TRAWL_EIO || outcome.status == TRAWL_EINPUT);
		assert_true(lines_in(&outcome.problems) == 0);
	}
	release_outcome(&outcome);
	return met;
}

static void what_fails_in_the_middle_is_told_and_the_rest_is_read(void **state)
{
	(void)state;
	make_everything();
	struct outcome whole = read_everything(false);
	for (size_t call = 0; call < CALLS; call++) {
		long n = 0;
		while (try_failing(call_names[call], n, &whole))
			assert_true(++n < 3000);
		if (!n)
			fail_msg("nobody calls %s", call_names[call]);
	}
	release_outcome(&whole);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	make_everything();
	struct outcome whole = read_everything(false);
	for (int sticky = 0; sticky < 2; sticky++) {
		bool through = false;
		for (long n = 0; !through; n++) {
			assert_true(n < 3000);
			trawl_source *source;
			trawl_document document;
			trawl_error error = {0};
			size_t documents = 0;
			memory_fail_after(n, sticky);
			int status = trawl_source_open(&source, everything, 1, NULL, &error);
			if (!status)
				while ((status = trawl_source_next(source, &document, &error)) == 1)
					documents++;
			memory_fail_after(-1, false);
			trawl_source_close(source);
			through = !status;
			assert_true(through ? documents == whole.progress.documents : status == TRAWL_ENOMEM);
			assert_true(through || error.code == TRAWL_ENOMEM);
		}
	}
	release_outcome(&whole);
}

static void the_json_parser_says_when_it_has_no_memory(void **state)
{
	(void)state;
	char *line = malloc(3 << 20);
	memset(line, ' ', 3 << 20);
	write_text("a.jsonl", LINES);
	memcpy(line, "{\"id\":1,\n{\"id\":7}", 18);
	memcpy(line + (2 << 20), "\n{\"id\":8, \"text\":\"", 18);
	memcpy(line + (3 << 20) - 3, "\"}\n", 3);
	write_bytes("b.jsonl", line, 3 << 20); /* lines for which the parser grows */
	free(line);
	const char *paths[] = {"a.jsonl", "b.jsonl"};
	struct outcome whole = read_paths(paths, 2, (trawl_source_options){0});
	long failures = 0;
	for (long n = 0, met = true; met; n++) {
		fail_calls("new", n, true, ENOMEM);
		struct outcome outcome = read_paths(paths, 2, (trawl_source_options){0});
		met = stop_failing();
		failures += met;
		if (met)
			assert_int_equal(outcome.status, TRAWL_ENOMEM);
		else
			expect_same(&outcome, &whole);
		release_outcome(&outcome);
	}
	assert_true(failures > 0);
	release_outcome(&whole);
}

static void special_entries_are_passed_over_without_a_look(void **state)
{
	(void)state;
	static const unsigned char types[] = {DT_FIFO, DT_SOCK, DT_CHR, DT_BLK};
	assert_int_equal(mkdir("d", 0777), 0);
	write_text("d/a", "x");
	for (size_t i = 0; i < sizeof types; i++) {
		said.type = types[i];
		fail_calls("fstatat", 0, false, EIO);
		struct outcome outcome = read_paths(everything, 1, (trawl_source_options){.strict = true});
		assert_false(stop_failing());
		said.type = 0;
		assert_int_equal(outcome.status, 0);
		assert_int_equal(outcome.progress.documents, 0);
		release_outcome(&outcome);
	}
	said.type = DT_UNKNOWN;
	expect("d", "d/a|x||\n", "");
}

static void links_without_a_target_and_to_folders_are_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777) | mkdir("other", 0777), 0);
	write_text("other/x", "x");
	assert_int_equal(symlink("nowhere", "d/a") | symlink("../other", "d/b") | symlink("../other/x", "d/c"), 0);
	expect("d", "d/c|x||\n",
	       "d/a: cannot open: No such file or directory\nd/b: a symbolic link to a folder; --follow reads these\n");
}

static void what_cannot_be_examined_is_told_when_it_is_read(void **state)
{
	(void)state;
	write_text("a", "x");
	fail_calls("stat", 0, false, EACCES);
	const char *path = "a";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_true(stop_failing());
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.problems.data, "a: cannot open: Permission denied\n");
	release_outcome(&outcome);
	path = "a/b";
	outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, TRAWL_ENOTFOUND);
	release_outcome(&outcome);
	fail_calls("fstat", 0, false, EBADF);
	path = "-";
	outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_true(stop_failing());
	assert_string_equal(outcome.problems.data, "stdin: cannot open: Bad file descriptor\n");
	release_outcome(&outcome);
}

static void entries_that_were_found_are_read_by_the_rules_of_folders(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777) | mkfifo("d/pipe", 0777), 0);
	write_text("d/a", "x");
	write_text("d/e/b", "y");
	write_bytes("d/binary", "a\0b", 3);
	assert_int_equal(symlink("e", "d/link"), 0);
	const char *paths[] = {"d/a", "d/gone", "d/a/under", "d/pipe", "d/link", "d/e", "d/binary"};
	struct outcome outcome = read_paths(paths, 7, (trawl_source_options){.found = true});
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.documents.data, "d/a|x||\nd/e/b|y||\n");
	assert_string_equal(outcome.problems.data,
	                    "d/link: a symbolic link to a folder; --follow reads these\nd/binary: binary file\n");
	release_outcome(&outcome);
	fail_calls("fstatat", 0, false, EACCES);
	outcome = read_paths(paths, 1, (trawl_source_options){.found = true});
	assert_true(stop_failing());
	assert_string_equal(outcome.problems.data, "d/a: cannot open: Permission denied\n");
	release_outcome(&outcome);
	struct walk walk = {0};
	trawl_error error;
	memory_fail_after(0, true);
	assert_int_equal(walk_add_found(&walk, NULL, "d/a", &error), TRAWL_ENOMEM);
	memory_fail_after(-1, false);
	walk_release(&walk);
}

static void options_that_mean_nothing_are_refused(void **state)
{
	(void)state;
	const char *paths[] = {"a", ""}, *none[] = {NULL};
	write_text("a", "x");
	struct outcome outcome = read_paths(paths, 2, (trawl_source_options){0});
	assert_int_equal(outcome.status, TRAWL_EINVAL);
	release_outcome(&outcome);
	outcome = read_paths(none, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, TRAWL_EINVAL);
	release_outcome(&outcome);
	outcome = read_paths(paths, 1, (trawl_source_options){.format = (enum trawl_format)77});
	assert_int_equal(outcome.status, TRAWL_EINVAL);
	assert_string_equal(outcome.error.text, "no such format: 77");
	release_outcome(&outcome);
}

/* A file of `blanks` blanks and then `rest` as standard input, which has no name to tell its format. */
static void expect_behind_blanks(size_t blanks, const char *rest, const char *documents)
{
	char *text = malloc(blanks + strlen(rest) + 1);
	memset(text, ' ', blanks);
	strcpy(text + blanks, rest);
	write_text("input", text);
	free(text);
	int saved = dup(STDIN_FILENO), file = __real_open("input", O_RDONLY | O_CLOEXEC);
	dup2(file, STDIN_FILENO);
	close(file);
	expect("-", documents, "");
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void standard_input_is_text_when_it_begins_with_too_much_white_space(void **state)
{
	(void)state;
	expect_behind_blanks(65535, "{\"id\":1}\n", "1|||\n");
	expect_behind_blanks(600000, "{\"id\":1}\n", "stdin|{\"id\":1}||\n");
	said.piece = 2;
	fail_calls("read", 2, false, EIO); /* behind what the encoding needs, before what the format does */
	expect_stdin("     x", 6, (trawl_source_options){0}, "", "stdin: cannot read at byte 4: Input/output error\n");
	said.piece = 0;
	assert_true(stop_failing());
}

/* The bounds of a budget are a 32nd of it, and 1 MiB at least. */
static void a_memory_budget_bounds_lines_and_texts(void **state)
{
	(void)state;
	enum { LONG = (1 << 20) + 10 };
	char *text = malloc(4 * LONG);
	memset(text, 'x', 4 * LONG);
	memcpy(text + LONG, "\n{\"id\":1}\n", 10);
	write_bytes("a.jsonl", text, LONG + 10);
	write_bytes("b.txt", text, LONG);
	write_bytes("c.jsonl", text + LONG + 10, 3 * LONG - 10); /* no end of line */
	free(text);
	trawl_source_options little = {.memory_budget = 1 << 20}, enough = {.memory_budget = (size_t)256 << 20};
	trawl_source_options little_json = {.memory_budget = 1 << 20, .format = TRAWL_FORMAT_JSONL};
	expect_with("a.jsonl", little, "1|||\n", "a.jsonl:1: line longer than 1 MiB, a 32nd of the memory allowed\n");
	expect_with("b.txt", little, "", "b.txt: text larger than 1 MiB, a 32nd of the memory allowed\n");
	expect_with("c.jsonl", little_json, "", "c.jsonl:1: line longer than 1 MiB, a 32nd of the memory allowed\n");
	expect_with("c.jsonl", little, "",
	            "c.jsonl: no JSON object in it, for all its name; --format text reads it as a text\n");
	expect_with("a.jsonl", enough, "1|||\n",
	            "a.jsonl:1:1: not a JSON object: JSON Lines wants one object a line\n");
	expect_with("a.jsonl", (trawl_source_options){.memory_budget = SIZE_MAX}, "1|||\n",
	            "a.jsonl:1:1: not a JSON object: JSON Lines wants one object a line\n");
	for (long n = 0; n < 2; n++) { /* while the rest of a line that is too long is passed over, too */
		fail_calls("read", n + 1, false, EIO);
		const char *path = "c.jsonl";
		struct outcome outcome = read_paths(&path, 1, little_json);
		assert_true(stop_failing());
		assert_non_null(strstr((char *)outcome.problems.data, "Input/output error"));
		release_outcome(&outcome);
	}
}

static void memory_for_a_huge_text_is_not_kept_for_the_next(void **state)
{
	(void)state;
	write_text("huge", "x");
	assert_int_equal(truncate("huge", (off_t)65 << 20), 0);
	write_text("next", "y");
	const char *paths[] = {"huge", "next"};
	trawl_source *source;
	trawl_document document;
	trawl_error error;
	const trawl_source_options as_text = {.format = TRAWL_FORMAT_TEXT};
	assert_int_equal(trawl_source_open(&source, paths, 2, &as_text, &error), 0);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(document.title_length + document.text_length, 65 << 20);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(document.title_length, 1);
	assert_int_equal(trawl_source_next(source, &document, &error), 0);
	trawl_source_close(source);
}

static void titles_are_cut_at_white_space_or_between_characters(void **state)
{
	(void)state;
	char text[1200], expected[2400];
	/* Blanks before the cut are in neither part. */
	memset(text, 'a', sizeof text);
	memset(text + 1000, ' ', 25);
	text[1100] = 0;
	write_text("a.txt", text);
	snprintf(expected, sizeof expected, "a.txt|%.1000s|%s|\n", text, text + 1024);
	expect("a.txt", expected, "");
	/* A blank line at the beginning cannot be a title; white space behind one is not in it. */
	write_text("c.txt", "\n \t\n title \t \n\ntext");
	expect("c.txt", "c.txt|title|\ntext|\n", "");
}

static void an_error_shows_a_path_from_the_beginning_of_a_character(void **state)
{
	(void)state;
	char path[600] = "";
	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < 80; j++)
			strcat(path, "\xe2\x82\xac");
		assert_int_equal(mkdir(path, 0777), 0);
		strcat(path, "/");
	}
	for (int i = 0; i < 3; i++) { /* the cut falls on each byte of a character */
		char file[640];
		snprintf(file, sizeof file, "%s%.*s.jsonl", path, i, "abc");
		write_text(file, "x\n");
		const char *paths[] = {file};
		struct outcome outcome = read_paths(paths, 1, (trawl_source_options){.strict = true});
		assert_int_equal(outcome.status, TRAWL_EINPUT);
		assert_memory_equal(outcome.error.text, "...", 3);
		assert_int_not_equal((unsigned char)outcome.error.text[3] & 0xc0, 0x80);
		release_outcome(&outcome);
	}
}

static void hostile_starts_of_compressed_data_are_cut_off(void **state)
{
	(void)state;
	write_bytes("a.txt", "\x1f\x8b\x08", 3);
	expect("a.txt", "", "a.txt: cut off: the gzip data ends too early, at byte 3\n");
	write_bytes("b.txt", "\x28\xb5\x2f\xfd", 4);
	expect("b.txt", "", "b.txt: cut off: the zstd data ends too early, at byte 4\n");
	write_bytes("c.txt", "\x1f\x8b", 2);
	expect("c.txt", "c.txt|\x1f\xe2\x80\xb9||\n",
	       "c.txt: not UTF-8, read as windows-1252 (--encoding names another)\n");
}

/* Each lead byte has bytes of its own that may follow. */
static void invalid_utf8_is_replaced_where_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *becomes;
	} lines[] = {
	    {"\x80", "."},
	    {"\xc1\x80", ".."},
	    {"\xc3\xa9\xe0\x9f\xbf", "\xc3\xa9..."},
	    {"\xe2\x82\xac\xed\xa0\x80", "\xe2\x82\xac..."},
	    {"\xe2\x82\x41", "..A"},
	    {"\xe2\xc0\x80", "..."},
	    {"\xef\xbf\xbf\xf0\x8f\xbf\xbf", "\xef\xbf\xbf...."},
	    {"\xf0\x9f\x98\x80\xf4\x90\x80\x80", "\xf0\x9f\x98\x80...."},
	    {"\xf1\x80\x41\x80", "..A."},
	    {"\xf1\x80\x80\x41", "...A"},
	    {"\xf5\x80\x80\x80", "...."},
	    {"\xff", "."},
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char line[100], expected[100] = "1||a";
		snprintf(line, sizeof line, " {\"id\":\"1\",\r\"text\": \"a%s\"}", lines[i].bytes);
		write_text("a.jsonl", line);
		for (const char *at = lines[i].becomes; *at; at++)
			snprintf(expected + strlen(expected), 4, "%.*s", *at == '.' ? 3 : 1,
			         *at == '.' ? "\xef\xbf\xbd" : at);
		strcat(expected, "|\n");
		expect_with("a.jsonl", (trawl_source_options){.encoding = "UTF-8"}, expected,
		            "a.jsonl:1: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n");
	}
}

static void numbers_and_types_of_every_shape_are_judged(void **state)
{
	(void)state;
	write_text("a.jsonl",
	           "{\"id\":1,\"x\":-0.5E+7,\"y\":1e-3,\"z\":[0e1,\t-1.25]}\n"
	           "{\"id\":2,\"x\":1e}\n{\"id\":3,\"x\":1.}\n{\"id\":4,\"x\":-}\n{\"id\":5,\"x\":nul}\n"
	           "{\"id\":6,\"x\":1e+}\n{}\n\t \r\n{\"id\":false}\n{\"id\":{}}\n{\"id\":\"7\",\"text\":-1}\n");
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_string_equal(outcome.documents.data, "1|||{\"x\":-0.5E+7,\"y\":1e-3,\"z\":[0e1,\t-1.25]}\n7||-1|\n");
	assert_int_equal(lines_in(&outcome.problems), 8);
	release_outcome(&outcome);
	/* One field that is id and title must be right as an id. */
	trawl_source_options both = {.id_field = "k", .title_field = "k"};
	write_text("b.jsonl", "{\"k\":7}\n{\"k\":\"7\"}\n{\"k\":[\"7\"]}\n{\"k\":1.5}\n");
	expect_with("b.jsonl", both, "7|7||\n7|7||\n1.5|1.5||\n",
	            "b.jsonl:3:6: field \"k\" is an array; wanted is a string or a number\n");
}

/* A caller may offer more room than a system call takes at once. */
static void room_of_gigabytes_is_no_trouble(void **state)
{
	(void)state;
	size_t room = (size_t)3 << 30, length, packed;
	uint8_t bytes[200];
	void *out = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct stream *stream;
	trawl_error error;
	if (out == MAP_FAILED) {
		print_message("SKIP: no 3 GiB of addresses\n");
		skip();
	}
	packed = pack_gzip(bytes, sizeof bytes, "text", 4);
	write_bytes("a.gz", bytes, packed);
	write_text("a", "plain text");
	assert_int_equal(stream_new(&stream, &error), 0);
	for (int i = 0; i < 2; i++) {
		int file = __real_open(i ? "a" : "a.gz", O_RDONLY | O_CLOEXEC);
		size_t all = 0;
		stream_start(stream, file, false);
		do {
			assert_int_equal(stream_read(stream, (char *)out + all, room - all, &length, &error), 0);
			all += length;
		} while (length);
		assert_int_equal(all, i ? 10 : 4);
		assert_memory_equal(out, i ? "plain text" : "text", all);
		close(file);
	}
	stream_free(stream);
	munmap(out, room);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLAIM(an_interrupted_call_is_made_again),
	    CLAIM(short_reads_make_no_difference),
	    CLAIM(what_fails_in_the_middle_is_told_and_the_rest_is_read),
	    CLAIM(every_allocation_may_fail),
	    CLAIM(the_json_parser_says_when_it_has_no_memory),
	    CLAIM(special_entries_are_passed_over_without_a_look),
	    CLAIM(links_without_a_target_and_to_folders_are_told),
	    CLAIM(what_cannot_be_examined_is_told_when_it_is_read),
	    CLAIM(entries_that_were_found_are_read_by_the_rules_of_folders),
	    CLAIM(options_that_mean_nothing_are_refused),
	    CLAIM(standard_input_is_text_when_it_begins_with_too_much_white_space),
	    CLAIM(a_memory_budget_bounds_lines_and_texts),
	    CLAIM(memory_for_a_huge_text_is_not_kept_for_the_next),
	    CLAIM(titles_are_cut_at_white_space_or_between_characters),
	    CLAIM(an_error_shows_a_path_from_the_beginning_of_a_character),
	    CLAIM(hostile_starts_of_compressed_data_are_cut_off),
	    CLAIM(invalid_utf8_is_replaced_where_it_is),
	    CLAIM(numbers_and_types_of_every_shape_are_judged),
	    CLAIM(room_of_gigabytes_is_no_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
