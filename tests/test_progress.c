/* What a program is told while an index is written: each job goes from 0 to its end, and what is expected makes sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "indexer/estimate.h"
#include "indexer/work.h"
#include "tests/index_verbs.h"
#include "tests/random_corpus.h"
#include "trawl.h"

#define DOCUMENTS 3000

struct told {
	pthread_t thread;
	uint64_t calls, jobs, ended, last;
	bool wrong;
	char stages[1024]; /* each once, with a bar before and after */
};

static void note(void *context, const char *stage, uint64_t done, uint64_t total)
{
	struct told *told = context;
	char name[100];
	bool begins = !told->calls || told->last == total || done < told->last;
	told->wrong |= !stage || !*stage || !total || done > total || (begins && done) ||
	               !pthread_equal(told->thread, pthread_self());
	told->jobs += begins;
	told->ended += done == total;
	told->calls++;
	told->last = done;
	snprintf(name, sizeof name, "|%s|", stage);
	if (!strstr(told->stages, name) && strlen(told->stages) + strlen(name) < sizeof told->stages)
		strcat(told->stages, name);
}

static void add_documents(trawl_writer *writer, unsigned from, unsigned to)
{
	for (unsigned number = from; number < to; number++) {
		struct random random = {number + 1};
		char id[16], text[2000];
		size_t used = 0;
		int length = sprintf(id, "%u", number);
		for (int i = 0; i < 100; i++)
			used += (size_t)sprintf(text + used, "w%u ", (unsigned)random_below(&random, 2000));
		trawl_document document = {.id = id, .id_length = (size_t)length, .text = text, .text_length = used};
		CHECK(trawl_writer_add(writer, &document, &error));
	}
}

/* Index, replace and merge with these options, told of in *told. */
static void live(struct told *told, trawl_writer_options options, const char *path)
{
	trawl_writer *writer;
	*told = (struct told){.thread = pthread_self()};
	options.progress = note;
	options.progress_context = told;
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	add_documents(writer, 0, DOCUMENTS);
	CHECK(trawl_writer_commit(writer, &error));
	add_documents(writer, DOCUMENTS / 2, DOCUMENTS * 2);
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_merge(writer, 1, &error));
	trawl_writer_close(writer);
}

static void each_job_goes_from_nothing_to_its_end(void **state)
{
	(void)state;
	static const trawl_writer_options options[] = {
	    {.threads = 1},
	    {.threads = 3},
	    {.threads = 1, .order = TRAWL_ORDER_SIMILAR},
	    {.threads = 3, .order = TRAWL_ORDER_SIMILAR},
	    {.threads = 2, .bigrams = true},
	    {.threads = 2, .memory_budget = 1 << 20, .order = TRAWL_ORDER_SIMILAR},
	    {.threads = 2, .memory_budget = 1 << 20, .bigrams = true},
	};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct told told;
		live(&told, options[i], scratch_path("index"));
		assert_false(told.wrong);
		assert_true(told.jobs >= 3);
		assert_int_equal(told.ended, told.jobs);
		assert_true(told.calls > 20 * told.jobs && told.calls < 1100 * told.jobs);
		assert_non_null(strstr(told.stages, "|writing terms|"));
		assert_non_null(strstr(told.stages, "|merging documents|"));
		assert_true(!strstr(told.stages, "|ordering documents|") == (options[i].order != TRAWL_ORDER_SIMILAR));
		assert_true(!strstr(told.stages, "|writing bigrams|") == !options[i].bigrams);
		scratch_clear();
	}
}

static void a_copy_is_a_job(void **state)
{
	(void)state;
	struct told told;
	live(&told, (trawl_writer_options){.no_merge = true}, scratch_path("index"));
	told = (struct told){.thread = pthread_self()};
	trawl_compaction sizes;
	CHECK(trawl_compact_watched(scratch_path("index"), false, note, &told, &sizes, &error));
	assert_false(told.wrong);
	assert_true(told.jobs >= 1);
	assert_int_equal(told.ended, told.jobs);
	assert_non_null(strstr(told.stages, "|copying the file|"));
	assert_true(sizes.bytes_after > 0);
}

static void more_documents_are_expected_to_take_longer(void **state)
{
	(void)state;
	trawl_writer *writer;
	trawl_writer_options options = {.threads = 1};
	CHECK(trawl_writer_open(&writer, scratch_path("index"), &options, &error));
	assert_true(trawl_writer_expected_seconds(writer, 0) == 0);
	add_documents(writer, 0, DOCUMENTS);
	double waiting = trawl_writer_expected_seconds(writer, 0),
	       twice = trawl_writer_expected_seconds(writer, DOCUMENTS),
	       similar = trawl_writer_expected_seconds(writer, 100000 - DOCUMENTS);
	assert_true(waiting > 0 && twice > 1.5 * waiting);
	assert_true(similar > 1.5 * waiting * 100000 / DOCUMENTS); /* they would be ordered, too */
	assert_true(trawl_writer_written_seconds(writer) == 0);
	CHECK(trawl_writer_commit(writer, &error));
	assert_true(trawl_writer_written_seconds(writer) > 0);
	trawl_writer_close(writer);
}

static void what_was_written_teaches_what_to_expect(void **state)
{
	(void)state;
	struct estimate estimate = {0};
	struct stage_costs costs = stage_costs(true, false, true, 1000000);
	assert_true(costs.order > 0 && costs.terms > 0 && costs.bigrams > 0);
	assert_true(stage_costs(false, true, false, 1000000).order == 0);
	assert_true(stage_costs(true, false, false, 0).order == 0);
	estimate.written_seconds = 10;
	estimate.written_documents = 10000;
	assert_true(estimate_writing(&estimate, 5, 20000, 2, &costs) == 20);
}

static void shares_of_stages_make_the_whole(void **state)
{
	(void)state;
	struct told told = {.thread = pthread_self()};
	struct work work = {.function = note, .context = &told};
	for (int job = 0; job < 2; job++) {
		work_begin(&work);
		work_stage(&work, "first", 0.25, 4);
		work_done(&work, 2);
		assert_int_equal(told.last, 125);
		work_done(&work, 1); /* threads may be out of order: it never goes back */
		assert_int_equal(told.last, 125);
		work_stage(&work, "second", 0.75, 0);
		assert_int_equal(told.last, 250);
		work_done(&work, 5);
		assert_int_equal(told.last, 250);
		work_end(&work);
		assert_int_equal(told.last, 1000);
	}
	assert_false(told.wrong);
	work_begin(NULL);
	work_stage(NULL, "none", 1, 1);
	work_done(NULL, 1);
	work_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(each_job_goes_from_nothing_to_its_end, clear),
	    cmocka_unit_test_teardown(a_copy_is_a_job, clear),
	    cmocka_unit_test_teardown(more_documents_are_expected_to_take_longer, clear),
	    cmocka_unit_test(what_was_written_teaches_what_to_expect),
	    cmocka_unit_test(shares_of_stages_make_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
