/* What a walk leaves out, follows, and calls by one name: paths, links, globs, backups, and the files of indexes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tests/sources.h"
#include "trawl.h"

static void expect_normal(const char *path, const char *normal)
{
	char out[64];
	trawl_normal_path(path, out);
	assert_string_equal(out, normal);
	trawl_normal_path(normal, out);
	assert_string_equal(out, normal);
}

static void a_path_has_one_normal_form(void **state)
{
	(void)state;
	static const char *const alike[][2] = {{"a", "a"},
	                                       {"./a", "a"},
	                                       {"a/", "a"},
	                                       {"a//b", "a/b"},
	                                       {"././a/./b/.", "a/b"},
	                                       {".", "."},
	                                       {"./", "."},
	                                       {"", "."},
	                                       {"/", "/"},
	                                       {"//", "/"},
	                                       {"//a//", "/a"},
	                                       {"/.", "/"},
	                                       {"/..", "/"},
	                                       {"/../a", "/a"},
	                                       {"..", ".."},
	                                       {"../.", ".."},
	                                       {"../../a", "../../a"},
	                                       {".a", ".a"},
	                                       {"a/.b/..c", "a/.b/..c"},
	                                       {"absent/../a", "absent/../a"},
	                                       {"-", "-"},
	                                       {"./-", "-"}};
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		expect_normal(alike[i][0], alike[i][1]);
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777) | symlink("d/e", "link"), 0);
	expect_normal("d/../d", "d");
	expect_normal("d/e/../../d/e/x", "d/e/x");
	expect_normal("d/..", ".");
	expect_normal("link/../e", "link/../e");
}

static void a_folder_gives_the_same_ids_however_it_is_spelled(void **state)
{
	(void)state;
	static const char *const spelled[] = {"d", "./d", "d/", "d//", "d/.", "././/d//", "d/../d"};
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777), 0);
	write_text("d/a", "a");
	write_text("d/e/b", "b");
	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
		expect(spelled[i], "d/a|a||\nd/e/b|b||\n", "");
	expect(".", "d/a|a||\nd/e/b|b||\n", "");
	expect("./d//a", "d/a|a||\n", "");
	write_text("-", "dash");
	expect("./-", "-|dash||\n", "");
}

static void a_link_to_a_folder_is_told_or_followed_once(void **state)
{
	(void)state;
	trawl_source_options follow = {.follow = true}, strict = {.strict = true};
	assert_int_equal(mkdir("real", 0777) | mkdir("d", 0777) | mkdir("d/z", 0777), 0);
	write_text("real/r", "r");
	write_text("d/p", "p");
	write_text("d/z/q", "q");
	assert_int_equal(symlink("../real", "d/a") | symlink("../real", "d/b"), 0);
	const char *told = "d/a: a symbolic link to a folder; --follow reads these\n"
	                   "d/b: a symbolic link to a folder; --follow reads these\n";
	expect("d", "d/p|p||\nd/z/q|q||\n", told);
	expect_with("d", strict, "d/p|p||\nd/z/q|q||\n", told);
	expect_with("d", follow, "d/a/r|r||\nd/p|p||\nd/z/q|q||\n", "");
	/* Links in a circle, to what is above, and to what the walk comes to by itself. */
	assert_int_equal(symlink("../d", "real/back") | symlink(".", "d/self") | symlink("z", "d/aa"), 0);
	expect_with("d", follow, "d/a/r|r||\nd/p|p||\nd/z/q|q||\n", "");
}

static void globs_leave_out_names_and_paths(void **state)
{
	(void)state;
	static const struct {
		const char *globs[3], *left;
	} cases[] = {
	    {{"*.o"}, "p/a.md|x||\np/b/a.md|x||\np/b/c/a.md|x||\np/n/m|x||\n"},
	    {{"b"}, "p/a.md|x||\np/a.o|x||\np/n/m|x||\n"},
	    {{"b/"}, "p/a.md|x||\np/a.o|x||\np/n/m|x||\n"},
	    {{"a.md/"}, "p/a.md|x||\np/a.o|x||\np/b/a.md|x||\np/b/c/a.md|x||\np/n/m|x||\n"},
	    {{"b/a.md"}, "p/a.md|x||\np/a.o|x||\np/b/c/a.md|x||\np/n/m|x||\n"},
	    {{"/a.md"}, "p/a.o|x||\np/b/a.md|x||\np/b/c/a.md|x||\np/n/m|x||\n"},
	    {{"b/*/a.md"}, "p/a.md|x||\np/a.o|x||\np/b/a.md|x||\np/n/m|x||\n"},
	    {{"b/*"}, "p/a.md|x||\np/a.o|x||\np/n/m|x||\n"},
	    {{"b/**.md"}, "p/a.md|x||\np/a.o|x||\np/n/m|x||\n"},
	    {{"**/c/*.md"}, "p/a.md|x||\np/a.o|x||\np/b/a.md|x||\np/n/m|x||\n"},
	    {{"p/b"}, "p/a.md|x||\np/a.o|x||\np/n/m|x||\n"},
	    {{"a.*", "n"}, ""},
	    {{"[abn]*"}, ""},
	};
	assert_int_equal(mkdir("p", 0777) | mkdir("p/b", 0777) | mkdir("p/b/c", 0777) | mkdir("p/n", 0777), 0);
	static const char *const files[] = {"p/a.md", "p/a.o", "p/b/a.md", "p/b/c/a.md", "p/n/m"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		write_text(files[i], "x");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_with("p", (trawl_source_options){.exclude = cases[i].globs}, cases[i].left, "");
	expect_with("p/a.o", (trawl_source_options){.exclude = cases[0].globs}, "", "");
}

static void backups_are_left_out_unless_they_are_named(void **state)
{
	(void)state;
	const char *path = "d";
	assert_int_equal(mkdir("d", 0777) | mkdir("d/folder~", 0777), 0);
	write_text("d/a", "a");
	write_text("d/a~", "old a");
	write_text("d/#a#", "unsaved a");
	write_text("d/#tag", "tag");
	write_text("d/folder~/x", "x");
	expect(path, "d/#tag|tag||\nd/a|a||\nd/folder~/x|x||\n", "");
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.progress.left_out, 2);
	assert_int_equal(outcome.progress.skipped, 0);
	release_outcome(&outcome);
	expect("d/a~", "d/a~|old a||\n", "");
}

static void what_is_passed_over_is_known_by_its_path(void **state)
{
	(void)state;
	static const char *const globs[] = {"build", "x/*.log", NULL};
	trawl_source_options options = {.exclude = globs};
	assert_true(trawl_source_passes_over(&options, "d", "d/build", true));
	assert_true(trawl_source_passes_over(&options, "d", "d/a/build/deep/file", false));
	assert_true(trawl_source_passes_over(&options, "d", "d/x/1.log", false));
	assert_true(trawl_source_passes_over(&options, ".", ".git/config", false));
	assert_true(trawl_source_passes_over(&options, "/", "/a/b~", false));
	assert_false(trawl_source_passes_over(&options, "d", "d/y/x/1.log", false));
	assert_false(trawl_source_passes_over(&options, "build", "build/a", false));
	assert_false(trawl_source_passes_over(&options, "d", "e/build", false));
	assert_false(trawl_source_passes_over(NULL, "d", "d/a", false));
}

/* ---- the files of indexes ------------------------------------------------------------------------------------------ */

static void add_one(const char *index, const char *id)
{
	trawl_writer *writer;
	trawl_document document = {.id = id, .id_length = strlen(id), .title = "", .text = "word", .text_length = 4};
	document.fields = "";
	assert_int_equal(trawl_writer_open(&writer, index, NULL, NULL), 0);
	assert_int_equal(trawl_writer_add(writer, &document, NULL), 0);
	assert_int_equal(trawl_writer_commit(writer, NULL), 0);
	trawl_writer_close(writer);
}

static void an_index_and_what_belongs_to_it_are_never_read(void **state)
{
	(void)state;
	trawl_source_options options = {.index_path = "d/x"};
	assert_int_equal(mkdir("d", 0777), 0);
	add_one("d/x", "1");
	write_text("d/a", "a");
	static const char *const beside[] = {"d/x-lock", "d/x-new",          "d/x-compact",
	                                     "d/x-run",  "d/x-compact-lock", "d/x-new-lock"};
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		write_text(beside[i], "t");
	assert_int_equal(link("d/x", "d/hard") | link("d/x-lock", "d/hard-lock"), 0);
	assert_int_equal(symlink("x", "d/soft") | symlink("d/x", "outside") | symlink("x-lock", "d/soft-lock"), 0);
	const char *path = "d";
	struct outcome outcome = read_paths(&path, 1, options);
	assert_string_equal(outcome.documents.data, "d/a|a||\n");
	assert_string_equal(outcome.problems.data, "");
	assert_int_equal(outcome.progress.left_out, 11);
	assert_int_equal(outcome.progress.skipped, 0);
	release_outcome(&outcome);
	expect_with("d/soft-lock", options, "", "d/soft-lock: the index, or a file that belongs to an index in use\n");
	options.strict = true;
	expect_with("d", options, "d/a|a||\n", "");
	expect_with("./d/hard", options, "", "d/hard: the index, or a file that belongs to an index in use\n");
	options.index_path = "outside"; /* a link to it stands for it, and for what is beside it */
	expect_with("d", options, "d/a|a||\n", "");
}

/* ---- what became of files ------------------------------------------------------------------------------------------ */

static void note_outcome(void *context, const char *path, enum trawl_file_outcome outcome)
{
	static const char *const names[] = {"read", "empty", "unread"};
	note_problem(context, TRAWL_NOTICES, path, names[outcome]);
}

static void what_became_of_each_file_is_told(void **state)
{
	(void)state;
	struct buffer outcomes = {0};
	trawl_source_options options = {.file_done = note_outcome, .file_done_context = &outcomes, .index_path = "d/x"};
	assert_int_equal(mkdir("d", 0777), 0);
	add_one("d/x", "1");
	write_text("d/a", "a");
	write_text("d/b", " \n");
	write_bytes("d/c", "x\0y", 3);
	write_text("d/d.jsonl", "{\"id\":1}\n{\"id\":2}\n");
	write_text("d/e.jsonl", "{\"id\":3}\nnonsense\n{\"id\":4}\n");
	write_bytes("d/f.gz", "\x1f\x8b\x08\0\0\0", 6);
	write_text("d/g.jsonl", "");
	assert_int_equal(symlink("absent", "d/h"), 0);
	const char *path = "d";
	struct outcome outcome = read_paths(&path, 1, options);
	buffer_append(&outcomes, "", 1);
	assert_string_equal(outcomes.data, "d/a: read\nd/b: empty\nd/c: empty\nd/d.jsonl: read\nd/e.jsonl: unread\n"
	                                   "d/f.gz: unread\nd/g.jsonl: read\nd/h: unread\nd/x: empty\n");
	release_outcome(&outcome);
	buffer_release(&outcomes);
}

static void a_document_tells_the_file_that_it_came_from(void **state)
{
	(void)state;
	const char *paths[] = {"./a", "b.jsonl", "c"};
	trawl_source *source;
	trawl_document document;
	write_text("a", "a");
	write_text("b.jsonl", "{\"id\":1}\n");
	write_text("c", "c");
	assert_int_equal(trawl_source_open(&source, paths, 3, NULL, NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(trawl_source_next(source, &document, NULL), 1);
		assert_string_equal(trawl_source_file(source), i == 0 ? "a" : paths[i]);
	}
	trawl_source_close(source);
}

static void who_may_read_the_inputs_is_known(void **state)
{
	(void)state;
	static const struct {
		mode_t folder, a, b;
		bool group_denied, others_denied;
	} cases[] = {{0755, 0644, 0664, false, false}, {0755, 0644, 0640, false, true},
	             {0755, 0644, 0600, true, true},   {0750, 0644, 0644, false, true},
	             {0700, 0644, 0644, true, true},   {0755, 0604, 0644, true, false}};
	assert_int_equal(mkdir("d", 0777), 0);
	write_text("d/a", "a");
	write_text("d/b", "b");
	const char *path = "d";
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		trawl_source *source;
		trawl_source_access access;
		assert_int_equal(chmod("d", cases[i].folder) | chmod("d/a", cases[i].a) | chmod("d/b", cases[i].b), 0);
		assert_int_equal(trawl_source_open(&source, &path, 1, NULL, NULL), 0);
		trawl_source_get_access(source, &access);
		assert_int_equal(access.group_denied, cases[i].group_denied);
		assert_int_equal(access.others_denied, cases[i].others_denied);
		assert_false(access.many_groups);
		trawl_source_close(source);
	}
}

static void a_walk_that_runs_out_of_memory_leaks_nothing(void **state)
{
	(void)state;
	const char *path = "d";
	trawl_source_options options = {.follow = true, .index_path = "x"};
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777) | symlink("e", "d/l") | symlink("..", "d/m"), 0);
	write_text("d/a", "a");
	int status = TRAWL_ENOMEM;
	for (long n = 0; n < 1000 && status != TRAWL_OK; n++) {
		trawl_source *source;
		memory_fail_after(n, false);
		status = trawl_source_open(&source, &path, 1, &options, NULL);
		memory_fail_after(-1, false);
		assert_true(status == TRAWL_OK || status == TRAWL_ENOMEM);
		trawl_source_close(source);
	}
	assert_int_equal(status, TRAWL_OK);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest claims[] = {
	    CLAIM(a_path_has_one_normal_form),
	    CLAIM(a_folder_gives_the_same_ids_however_it_is_spelled),
	    CLAIM(a_link_to_a_folder_is_told_or_followed_once),
	    CLAIM(globs_leave_out_names_and_paths),
	    CLAIM(backups_are_left_out_unless_they_are_named),
	    CLAIM(what_is_passed_over_is_known_by_its_path),
	    CLAIM(an_index_and_what_belongs_to_it_are_never_read),
	    CLAIM(what_became_of_each_file_is_told),
	    CLAIM(a_document_tells_the_file_that_it_came_from),
	    CLAIM(who_may_read_the_inputs_is_known),
	    CLAIM(a_walk_that_runs_out_of_memory_leaks_nothing),
	};
	return cmocka_run_group_tests(claims, NULL, NULL);
}
