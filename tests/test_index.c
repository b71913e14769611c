/* The life of an index through trawl.h: written, read, shared. test_damage.c damages it, test_exhausted.c starves and kills. */
#include "tests/index_verbs.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/memory.h"
#include "segment/format.h"
#include "tests/child.h"
#include "tests/file_bytes.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"
#include "tests/seed.h"
#include "trawl.h"

/* ---- the life cycle -------------------------------------------------------------------------------------------- */

static void committed_documents_are_found_after_reopening(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	trawl_document whole = {.id = "w\0h",
	                        .id_length = 3,
	                        .title = "A Title",
	                        .title_length = 7,
	                        .text = "and \xff\0text",
	                        .text_length = 10,
	                        .fields = "{\"year\": 1923}",
	                        .fields_length = 14};
	CHECK(trawl_writer_add(writer, &whole, &error));
	add(writer, "b", "green trees");
	add(writer, "empty", "");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);

	trawl_index *index = index_open(path);
	trawl_stored *handle;
	trawl_document got;
	CHECK(trawl_fetch(index, "w\0h", 3, &handle, &got, &error));
	assert_int_equal(got.id_length, 3);
	assert_memory_equal(got.id, whole.id, 3);
	assert_int_equal(got.title_length, 7);
	assert_memory_equal(got.title, whole.title, 7);
	assert_int_equal(got.text_length, 10);
	assert_memory_equal(got.text, whole.text, 10);
	assert_int_equal(got.fields_length, 14);
	assert_memory_equal(got.fields, whole.fields, 14);
	trawl_stored_free(handle);
	assert_string_equal(ids_found(index, "trees"), "b ");
	assert_text(index, "empty", "");
	assert_int_equal(fetch_status(index, "c"), TRAWL_ENOTFOUND);
	assert_int_equal(stats_of(index).documents, 3);
	trawl_close(index);
}

static void an_index_without_documents_answers_nothing(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "anything \"at all\""), "");
	assert_int_equal(stats_of(index).documents, 0);
	assert_int_equal(fetch_status(index, "a"), TRAWL_ENOTFOUND);
	trawl_close(index);
}

static void a_replaced_document_is_gone(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "red");
	add(writer, "b", "red");
	add(writer, "a", "blue"); /* in the same batch */
	CHECK(trawl_writer_commit(writer, &error));
	add(writer, "b", "green"); /* in a later one */
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_stats stats;
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.added, 2);
	assert_int_equal(stats.replaced, 2);
	trawl_writer_close(writer);

	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "");
	assert_string_equal(ids_found(index, "blue"), "a ");
	assert_string_equal(ids_found(index, "green"), "b ");
	assert_text(index, "a", "blue");
	assert_text(index, "b", "green");
	assert_int_equal(stats_of(index).documents, 2);
	assert_int_equal(stats_of(index).tokens, 2);
	trawl_close(index);
}

static void a_deleted_document_is_gone(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "red");
	add(writer, "b", "red");
	add(writer, "c", "red");
	CHECK(trawl_writer_delete(writer, "c", 1, &error)); /* of the same batch */
	assert_int_equal(trawl_writer_delete(writer, "c", 1, &error), TRAWL_ENOTFOUND);
	assert_int_equal(trawl_writer_delete(writer, "d", 1, &error), TRAWL_ENOTFOUND);
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_delete(writer, "a", 1, &error)); /* of an earlier one */
	assert_int_equal(trawl_writer_delete(writer, "a", 1, &error), TRAWL_ENOTFOUND);
	CHECK(trawl_writer_commit(writer, &error));

	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "b ");
	assert_int_equal(fetch_status(index, "a"), TRAWL_ENOTFOUND);
	assert_int_equal(fetch_status(index, "c"), TRAWL_ENOTFOUND);
	trawl_close(index);

	add(writer, "a", "red again");
	CHECK(trawl_writer_delete(writer, "b", 1, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a ");
	trawl_close(index);
}

static void an_index_can_be_emptied_and_filled_again(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "red");
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_delete(writer, "a", 1, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "");
	assert_int_equal(stats_of(index).documents, 0);
	assert_int_equal(stats_of(index).tokens, 0);
	trawl_close(index);
	add(writer, "a", "red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a ");
	trawl_close(index);
}

static void uncommitted_work_is_invisible_and_dropped(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red");
	trawl_writer *writer = writer_open(path);
	add(writer, "b", "red");
	CHECK(trawl_writer_delete(writer, "a", 1, &error));
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a ");
	trawl_close(index);
	trawl_writer_close(writer);
	index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a ");
	trawl_close(index);
	write_one(path, "c", "red");
	index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a c ");
	trawl_close(index);
}

static void an_open_index_keeps_its_snapshot(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red");
	trawl_index *old = index_open(path);
	uint64_t generation = stats_of(old).generation;
	for (int i = 0; i < 25; i++) { /* long enough for pages to be reused, if they were thought free */
		char id[16];
		snprintf(id, sizeof id, "n%d", i);
		trawl_writer *writer = writer_open(path);
		add(writer, id, "red herring");
		add(writer, "a", i % 2 ? "blue" : "green");
		CHECK(trawl_writer_commit(writer, &error));
		trawl_writer_close(writer);
		assert_string_equal(ids_found(old, "red"), "a ");
		assert_text(old, "a", "red");
		trawl_index *new = index_open(path);
		assert_true(stats_of(new).generation >= generation + (uint64_t)i + 1); /* merges are commits too */
		assert_int_equal(stats_of(new).documents, (uint64_t)i + 2);
		assert_string_equal(ids_found(new, i % 2 ? "blue" : "green"), "a ");
		trawl_close(new);
	}
	assert_int_equal(stats_of(old).documents, 1);
	trawl_close(old);
}

static void unchanged_documents_are_counted_and_write_nothing(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_document document = document_of("a", "red");
	document.fields = "{}";
	document.fields_length = 2;
	trawl_writer *writer = writer_open(path);
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);

	trawl_writer_stats stats;
	writer = writer_open(path);
	CHECK(trawl_writer_add(writer, &document, &error));
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.unchanged, 1);
	assert_int_equal(stats.added + stats.replaced, 0);
	document.fields = "[]"; /* as long, and other */
	CHECK(trawl_writer_add(writer, &document, &error));
	document.title = "t";
	document.title_length = 1;
	CHECK(trawl_writer_add(writer, &document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.unchanged, 1);
	assert_int_equal(stats.replaced, 2);
	trawl_writer_close(writer);

	trawl_index *index = index_open(path);
	trawl_index_stats index_stats = stats_of(index);
	assert_int_equal(index_stats.documents, 1);
	assert_string_equal(ids_found(index, "t"), "a ");
	trawl_close(index);
}

static void an_unchanged_document_after_a_change_in_the_batch_restores_it(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "blue");
	add(writer, "a", "red"); /* what is stored, but no longer what holds */
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_delete(writer, "a", 1, &error));
	add(writer, "a", "red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a ");
	assert_string_equal(ids_found(index, "blue"), "");
	trawl_close(index);
}

static void part_sizes_add_up_to_less_than_the_file(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red green blue");
	trawl_index *index = index_open(path);
	trawl_index_stats stats = stats_of(index);
	struct stat file;
	uint64_t sum = 0;
	assert_true(stats.part_count > 0 && stats.part_count <= TRAWL_PARTS_MAX);
	for (size_t i = 0; i < stats.part_count; i++) {
		assert_non_null(stats.parts[i].name);
		sum += stats.parts[i].bytes;
	}
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(stats.file_bytes, (uint64_t)file.st_size);
	assert_true(sum + stats.free_bytes <= stats.file_bytes);
	assert_int_equal(stats.terms, 3);
	assert_int_equal(stats.postings, 3);
	assert_int_equal(stats.tokens, 3);
	assert_int_equal(stats.text_bytes, 14);
	assert_true(stats.positions);
	trawl_close(index);
}

/* ---- random histories ------------------------------------------------------------------------------------------ */

#define HISTORY_IDS 40

/* What a history should have led to: for each id the number in its text, -1 when absent. */
struct model {
	int text[HISTORY_IDS];
};

static void history_step(trawl_writer *writer, struct model *now, struct random *random)
{
	char id[16], text[64];
	int i = (int)random_below(random, HISTORY_IDS), number = (int)random_below(random, 6);
	snprintf(id, sizeof id, "id%d", i);
	snprintf(text, sizeof text, "common text%d only%d", number, i);
	if (random_chance(random, 0.3)) {
		int status = trawl_writer_delete(writer, id, strlen(id), &error);
		assert_int_equal(status, now->text[i] < 0 ? TRAWL_ENOTFOUND : 0);
		now->text[i] = -1;
		return;
	}
	add(writer, id, text);
	now->text[i] = number;
}

static void assert_is_model(const char *path, const struct model *model)
{
	trawl_index *index = index_open(path);
	size_t live = 0;
	for (int i = 0; i < HISTORY_IDS; i++) {
		char id[16], text[64], query[64];
		snprintf(id, sizeof id, "id%d", i);
		snprintf(text, sizeof text, "common text%d only%d", model->text[i], i);
		snprintf(query, sizeof query, "+text%d +only%d", model->text[i], i);
		live += model->text[i] >= 0;
		if (model->text[i] < 0) {
			assert_int_equal(fetch_status(index, id), TRAWL_ENOTFOUND);
			continue;
		}
		assert_text(index, id, text);
		const char *found = ids_found(index, query);
		if (strncmp(found, id, strlen(id)) != 0 || found[strlen(id)] != ' ' || found[strlen(id) + 1])
			fail_msg("'%s' finds '%s', expected %s", query, found, id);
	}
	assert_int_equal(stats_of(index).documents, live);
	assert_int_equal(stats_of(index).tokens, 3 * live);
	trawl_close(index);
}

static void random_histories_end_as_a_model_does(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct random random = {seed};
		const char *path = scratch_path("history");
		struct model now, committed;
		memset(now.text, -1, sizeof now.text);
		committed = now;
		trawl_writer *writer = writer_open(path);
		CHECK(trawl_writer_commit(writer, &error));
		for (int step = 0; step < 400; step++) {
			double kind = random_unit(&random);
			history_step(writer, &now, &random);
			if (kind < 0.05) {
				CHECK(trawl_writer_commit(writer, &error));
				committed = now;
				assert_is_model(path, &committed);
			} else if (kind < 0.08) {
				trawl_writer_close(writer);
				now = committed;
				writer = writer_open(path);
			} else if (kind < 0.1) {
				assert_is_model(path, &committed);
			}
		}
		trawl_writer_close(writer);
		assert_is_model(path, &committed);
		scratch_clear();
	}
}

/* ---- locks, limits, options ------------------------------------------------------------------------------------ */

static int child_opens_writer(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	int status = trawl_writer_open(&writer, path, &options, &error);
	if (!status)
		trawl_writer_close(writer);
	return -status;
}

static int child_waits_and_writes(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20, .wait = true};
	trawl_document document = document_of("child", "red");
	int status = trawl_writer_open(&writer, path, &options, &error);
	if (status)
		return -status;
	status = trawl_writer_add(writer, &document, &error);
	if (!status)
		status = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	return -status;
}

static void a_second_writer_is_told_that_the_index_is_busy(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *first = writer_open(path), *second = NULL;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	assert_int_equal(trawl_writer_open(&second, path, &options, &error), TRAWL_EBUSY);
	assert_int_equal(error.code, TRAWL_EBUSY);
	assert_true(error.text[0]);
	assert_int_equal(in_child(child_opens_writer, path), -TRAWL_EBUSY);
	add(first, "a", "red");
	CHECK(trawl_writer_commit(first, &error));
	assert_int_equal(in_child(child_opens_writer, path), -TRAWL_EBUSY);
	trawl_writer_close(first);
	assert_int_equal(in_child(child_opens_writer, path), 0);
	trawl_writer_close(writer_open(path));
}

static void a_waiting_writer_gets_its_turn(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *first = writer_open(path);
	pid_t child = fork_mortal(60);
	if (child == 0)
		_exit(child_waits_and_writes(path));
	usleep(200000);
	add(first, "a", "red");
	CHECK(trawl_writer_commit(first, &error));
	trawl_writer_close(first);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the child ended with status 0x%x", (unsigned)status);
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "red"), "a child ");
	trawl_close(index);
}

static int child_reads_and_writes(const char *path)
{
	trawl_index *index = index_open(path);
	bool right = strcmp(ids_found(index, "red"), "a ") == 0;
	trawl_close(index);
	write_one(path, "child", "green");
	return right ? 0 : 1;
}

static void a_forked_child_that_opens_the_file_again_disturbs_no_snapshot(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red");
	trawl_index *index = index_open(path);
	assert_int_equal(in_child(child_reads_and_writes, path), 0);
	for (int i = 0; i < 20; i++) {
		write_one(path, "a", i % 2 ? "blue" : "yellow");
		assert_string_equal(ids_found(index, "red"), "a ");
		assert_text(index, "a", "red");
	}
	trawl_close(index);
	index = index_open(path);
	assert_string_equal(ids_found(index, "blue green"), "child a ");
	trawl_close(index);
}

static void a_refused_document_leaves_the_batch_usable(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	static char long_id[4098];
	memset(long_id, 'x', sizeof long_id - 1);
	trawl_document document = document_of(long_id, "red");
	trawl_writer *writer = writer_open(path);
	add(writer, "a", "red");
	document.id_length = 4097;
	int status = trawl_writer_add(writer, &document, &error);
	assert_true(status == TRAWL_ELIMIT || status == TRAWL_EINPUT);
	document.id_length = 0;
	status = trawl_writer_add(writer, &document, &error);
	assert_true(status == TRAWL_ELIMIT || status == TRAWL_EINPUT);
	document.id_length = 4096;
	CHECK(trawl_writer_add(writer, &document, &error));
	add(writer, "b", "red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_int_equal(stats_of(index).documents, 3);
	long_id[4096] = '\0';
	assert_text(index, long_id, "red");
	trawl_close(index);
}

static void a_document_of_megabytes_comes_back_whole(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	size_t length = 3 << 20;
	char *text = malloc(length + 1);
	assert_non_null(text);
	struct random random = {1};
	for (size_t i = 0; i < length; i++)
		text[i] = i % 7 ? (char)('a' + random_below(&random, 26)) : ' ';
	memcpy(text + length - 12, " theverylast", 12);
	text[length] = '\0';
	write_one(path, "big", text);
	trawl_index *index = index_open(path);
	assert_text(index, "big", text);
	assert_string_equal(ids_found(index, "theverylast"), "big ");
	trawl_close(index);
	free(text);
}

static void an_existing_index_keeps_its_analysis(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer;
	trawl_writer_options german = {.analysis = {.language = "german"}};
	trawl_writer_options french = {.analysis = {.language = "french"}};
	CHECK(trawl_writer_open(&writer, path, &german, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	assert_int_equal(trawl_writer_open(&writer, path, &french, &error), TRAWL_EINVAL);
	CHECK(trawl_writer_open(&writer, path, &german, &error));
	trawl_writer_close(writer);
	write_one(path, "a", "H\xc3\xa4user"); /* options left zero */
	trawl_index *index = index_open(path);
	assert_string_equal(stats_of(index).analysis.language, "german");
	assert_string_equal(ids_found(index, "Haus"), "a ");
	trawl_close(index);
	trawl_writer_options klingon = {.analysis = {.language = "klingon"}};
	assert_int_equal(trawl_writer_open(&writer, scratch_path("other"), &klingon, &error), TRAWL_EINVAL);
}

static void an_index_without_positions_finds_words(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer;
	trawl_writer_options options = {.no_positions = true};
	trawl_searcher *searcher;
	trawl_search_options search = {.top = 10};
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	add(writer, "a", "red green red");
	add(writer, "b", "green red");
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_false(stats_of(index).positions);
	assert_string_equal(ids_found(index, "+red +green"), "a b ");
	CHECK(trawl_searcher_new(&searcher, index, &error));
	assert_int_equal(trawl_search(searcher, "\"red green\"", 11, &search, &error), TRAWL_EINVAL);
	CHECK(trawl_search(searcher, "\"red\"", 5, &search, &error)); /* a phrase of one word is that word */
	trawl_searcher_free(searcher);
	trawl_close(index);
}

static void bigram_lists_change_no_answer_and_stay_with_the_index(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *writer;
	trawl_writer_options neither = {.no_positions = true, .bigrams = true}, bigrams = {.bigrams = true};
	assert_int_equal(trawl_writer_open(&writer, path, &neither, &error), TRAWL_EINVAL);
	CHECK(trawl_writer_open(&writer, path, &bigrams, &error));
	add(writer, "a", "red green red green blue");
	add(writer, "b", "green red");
	add(writer, "c", "red green");
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_delete(writer, "c", 1, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	write_one(path, "d", "green blue red green"); /* options left zero */
	trawl_index *index = index_open(path);
	assert_true(stats_of(index).bigrams);
	assert_int_equal(stats_of(index).bigram_lists, 3 + 3); /* of each segment, the dead document's included */
	assert_int_equal(stats_of(index).bigram_postings, 5 + 3);
	assert_string_equal(ids_found(index, "\"red green\""), "a d ");
	assert_string_equal(ids_found(index, "\"green red\""), "b a ");
	assert_string_equal(ids_found(index, "\"blue green\""), "");
	assert_string_equal(ids_found(index, "\"red green red\""), "a ");
	assert_string_equal(ids_found(index, "\"green blue red green\""), "d ");
	assert_string_equal(ids_found(index, "red -\"red green\""), "b ");
	trawl_close(index);
	scratch_clear();
	write_one(path, "a", "red");
	assert_int_equal(trawl_writer_open(&writer, path, &bigrams, &error), TRAWL_EINVAL);
}

static void append(char *text, const char *words, int times)
{
	for (text += strlen(text); times; times--)
		text = stpcpy(text, words);
}

/* Dropped stop words make positions larger than a document's length says. */
static void phrases_are_found_behind_many_stop_words(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	static char text[200000];
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = {.language = "english", .stop_words = true}};
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < 4; i++) {
		char id[2] = {(char)('a' + i), 0};
		static const int stop_words[] = {3, 300, 4000, 20000};
		text[0] = '\0';
		append(text, "red ", 1);
		append(text, "the ", stop_words[i]);
		append(text, "red herring ", 1 + i % 2);
		append(text, "the ", stop_words[i]);
		append(text, "red of herring", 1);
		add(writer, id, text);
	}
	for (int i = 0; i < 2; i++) { /* across position 256, and 256 apart */
		text[0] = '\0';
		append(text, "green ", i);
		append(text, "the ", 255 + i);
		append(text, i ? "fish" : "green fish", 1);
		add(writer, i ? "apart" : "across", text);
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(path);
	assert_string_equal(ids_found(index, "\"green fish\""), "across ");
	assert_string_equal(ids_found(index, "+\"red herring\""), "b d a c ");
	assert_int_equal(strlen(ids_found(index, "\"red the herring\"")), 8);
	assert_string_equal(ids_found(index, "\"red the the the red\""), "a ");
	assert_string_equal(ids_found(index, "\"herring red herring\""), "b d ");
	trawl_close(index);
}

static int search_status(trawl_searcher *searcher, size_t length, trawl_search_options options)
{
	static char query[TRAWL_QUERY_MAX + 2];
	memset(query, 'x', sizeof query);
	return trawl_search(searcher, query, length, &options, &error);
}

static void search_limits_are_those_documented(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	char query[TRAWL_QUERY_MAX];
	trawl_searcher *searcher;
	trawl_search_options top = {.top = 10};
	write_one(path, "a", "red");
	trawl_index *index = index_open(path);
	CHECK(trawl_searcher_new(&searcher, index, &error));
	assert_int_equal(search_status(searcher, TRAWL_QUERY_MAX, top), 0);
	assert_int_equal(search_status(searcher, TRAWL_QUERY_MAX + 1, top), TRAWL_ELIMIT);
	assert_int_equal(search_status(searcher, 3, (trawl_search_options){.top = TRAWL_TOP_MAX}), 0);
	assert_int_equal(search_status(searcher, 3, (trawl_search_options){.top = TRAWL_TOP_MAX + 1}), TRAWL_ELIMIT);
	static const float bad[] = {-0.5f, 1001, NAN, INFINITY, -INFINITY};
	for (int i = 0; i < 5; i++) {
		trawl_search_options k1 = {.top = 1, .set_k1 = true, .k1 = bad[i]};
		trawl_search_options b = {.top = 1, .set_b = true, .b = bad[i]};
		assert_int_equal(search_status(searcher, 3, k1), TRAWL_EINVAL);
		assert_int_equal(search_status(searcher, 3, b), TRAWL_EINVAL);
	}
	size_t length = 0, longest = 0;
	for (int i = 0; i <= TRAWL_CLAUSES_MAX; i++) { /* different words, one too many */
		longest = length;
		length += (size_t)snprintf(query + length, sizeof query - length, "%d ", i);
	}
	CHECK(trawl_search(searcher, query, longest, &top, &error));
	assert_int_equal(trawl_search(searcher, query, length, &top, &error), TRAWL_ELIMIT);
	CHECK(trawl_search(searcher, "red", 3, &top, &error)); /* usable after refusals */
	size_t count;
	trawl_hits(searcher, &count);
	assert_int_equal(count, 1);
	trawl_searcher_free(searcher);
	trawl_close(index);
}

/* ---- files that are no index, or one no more ------------------------------------------------------------------- */

static void files_that_are_no_index_are_refused(void **state)
{
	(void)state;
	trawl_index *index;
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	assert_int_equal(trawl_open(&index, scratch_path("absent"), &error), TRAWL_ENOTFOUND);
	assert_int_equal(access(scratch_path("absent"), F_OK), -1);
	assert_int_equal(trawl_open(&index, scratch_path("absent/deep"), &error), TRAWL_ENOTFOUND);

	const char *path = scratch_path("text");
	char text[20000];
	for (size_t length = 1; length <= sizeof text; length = length * 3 + 1) {
		memset(text, 'x', sizeof text);
		file_write(path, text, length);
		assert_int_equal(trawl_open(&index, path, &error), TRAWL_ENOTINDEX);
		assert_int_equal(trawl_writer_open(&writer, path, &options, &error), TRAWL_ENOTINDEX);
		struct file after = file_read(path);
		assert_int_equal(after.length, length);
		assert_memory_equal(after.bytes, text, length);
		free(after.bytes);
	}
	file_write(path, text, 0);
	assert_int_equal(trawl_open(&index, path, &error), TRAWL_ENOTINDEX);

	const char *folder = scratch_path("folder");
	assert_int_equal(mkdir(folder, 0777), 0);
	assert_true(trawl_open(&index, folder, &error) < 0);
	assert_true(trawl_writer_open(&writer, folder, &options, &error) < 0);
}

/* Give every copy of the manifest in the file another version, the checksum made good. */
static int manifests_patch(struct file *file, uint16_t format, uint32_t manifest)
{
	int patched = 0;
	for (size_t i = EXTENT_HEADER; i + 64 < file->length; i++) {
		uint8_t *payload = file->bytes + i, *header = payload - EXTENT_HEADER;
		if (memcmp(payload, MANIFEST_MAGIC, MANIFEST_MAGIC_LENGTH) != 0 || load32(header) != EXTENT_MAGIC)
			continue;
		store16(header + 4, format);
		store32(payload + MANIFEST_MAGIC_LENGTH, manifest);
		uint32_t length = load32(header + 16);
		assert_true(i + length <= file->length);
		store64(header + 24, XXH3_64bits_withSeed(payload, length, XXH3_64bits(header, 24)));
		patched++;
	}
	return patched;
}

static void a_later_format_is_refused_by_name(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	write_one(path, "a", "red");
	struct file original = file_read(path);
	for (int which = 0; which < 3; which++) {
		trawl_index *index;
		trawl_writer *writer;
		trawl_writer_options options = {.memory_budget = 1 << 20};
		struct file file = {malloc(original.length), original.length};
		assert_non_null(file.bytes);
		memcpy(file.bytes, original.bytes, original.length);
		assert_true(manifests_patch(&file, which == 1 ? FORMAT_VERSION + 1 : FORMAT_VERSION,
		                            which == 2 ? FORMAT_VERSION + 1 : FORMAT_VERSION) > 0);
		const char *copy = scratch_path("later");
		file_write(copy, file.bytes, file.length);
		free(file.bytes);
		if (which == 0) { /* the patch itself does no harm */
			trawl_close(index_open(copy));
			continue;
		}
		assert_int_equal(trawl_open(&index, copy, &error), TRAWL_EVERSION);
		assert_int_equal(trawl_writer_open(&writer, copy, &options, &error), TRAWL_EVERSION);
	}
	free(original.bytes);
}

static void an_older_format_is_refused_with_what_to_do(void **state)
{
	(void)state;
	const char *path = scratch_path("index"), *copy = scratch_path("older"), *rescued = scratch_path("rescued");
	write_one(path, "a", "red");
	struct file file = file_read(path);
	for (uint16_t extent = 1; extent <= FORMAT_VERSION; extent++) {
		trawl_index *index;
		trawl_writer *writer;
		trawl_writer_options options = {.memory_budget = 1 << 20};
		trawl_check_result checked;
		trawl_salvage_result salvaged;
		trawl_compaction sizes;
		assert_true(manifests_patch(&file, extent, 1) > 0);
		for (int action = 0; action < 5; action++) {
			file_write(copy, file.bytes, file.length);
			error = (trawl_error){0};
			int code = action == 0   ? trawl_open(&index, copy, &error)
			           : action == 1 ? trawl_writer_open(&writer, copy, &options, &error)
			           : action == 2 ? trawl_check(copy, NULL, &checked, &error)
			           : action == 3 ? trawl_salvage(copy, rescued, NULL, &salvaged, &error)
			                         : trawl_compact(copy, false, &sizes, &error);
			assert_int_equal(code, TRAWL_EVERSION);
			assert_non_null(strstr(error.text, "older trawl (format 1"));
			assert_non_null(strstr(error.text, "index the documents again"));
			struct file after = file_read(copy);
			assert_true(after.length == file.length && !memcmp(after.bytes, file.bytes, file.length));
			free(after.bytes);
		}
	}
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(committed_documents_are_found_after_reopening, clear),
	    cmocka_unit_test_teardown(an_index_without_documents_answers_nothing, clear),
	    cmocka_unit_test_teardown(a_replaced_document_is_gone, clear),
	    cmocka_unit_test_teardown(a_deleted_document_is_gone, clear),
	    cmocka_unit_test_teardown(an_index_can_be_emptied_and_filled_again, clear),
	    cmocka_unit_test_teardown(uncommitted_work_is_invisible_and_dropped, clear),
	    cmocka_unit_test_teardown(an_open_index_keeps_its_snapshot, clear),
	    cmocka_unit_test_teardown(unchanged_documents_are_counted_and_write_nothing, clear),
	    cmocka_unit_test_teardown(an_unchanged_document_after_a_change_in_the_batch_restores_it, clear),
	    cmocka_unit_test_teardown(part_sizes_add_up_to_less_than_the_file, clear),
	    cmocka_unit_test_teardown(random_histories_end_as_a_model_does, clear),
	    cmocka_unit_test_teardown(a_second_writer_is_told_that_the_index_is_busy, clear),
	    cmocka_unit_test_teardown(a_waiting_writer_gets_its_turn, clear),
	    cmocka_unit_test_teardown(a_forked_child_that_opens_the_file_again_disturbs_no_snapshot, clear),
	    cmocka_unit_test_teardown(a_refused_document_leaves_the_batch_usable, clear),
	    cmocka_unit_test_teardown(a_document_of_megabytes_comes_back_whole, clear),
	    cmocka_unit_test_teardown(an_existing_index_keeps_its_analysis, clear),
	    cmocka_unit_test_teardown(an_index_without_positions_finds_words, clear),
	    cmocka_unit_test_teardown(bigram_lists_change_no_answer_and_stay_with_the_index, clear),
	    cmocka_unit_test_teardown(phrases_are_found_behind_many_stop_words, clear),
	    cmocka_unit_test_teardown(search_limits_are_those_documented, clear),
	    cmocka_unit_test_teardown(files_that_are_no_index_are_refused, clear),
	    cmocka_unit_test_teardown(a_later_format_is_refused_by_name, clear),
	    cmocka_unit_test_teardown(an_older_format_is_refused_with_what_to_do, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
