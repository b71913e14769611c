/* A plan and its run: read by any number of threads, matches for any collector, memory that does not grow with segments. */
#include <pthread.h>

#include "query/plan.h"
#include "searcher/run.h"
#include "searcher/searcher.h"
#include "tests/index_verbs.h"
#include "tests/random_corpus.h"
#include "tests/seed.h"

static struct random_corpus corpus;

/* ---- an index of several segments, with deletions ---- */

static trawl_index *make_index(struct random *random, size_t documents)
{
	const char *path = scratch_path("plan.trawl");
	trawl_writer *writer;
	trawl_writer_options options = {.analysis.language = "none", .no_merge = true, .bigrams = true};
	random_corpus_make(&corpus, random, documents);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (size_t i = 0; i < documents; i++) {
		CHECK(trawl_writer_add(writer, &corpus.documents[i], &error));
		if (i == documents / 2 || i == documents - 100)
			CHECK(trawl_writer_commit(writer, &error));
	}
	for (size_t i = 5; i < documents; i += 60)
		CHECK(trawl_writer_delete(writer, corpus.documents[i].id, corpus.documents[i].id_length, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	return index_open(path);
}

/* A searcher's parts, put together by hand. */
struct planned {
	struct tokenizer *tokenizer;
	struct query query;
	struct plan plan;
	struct arena arena;
	struct scoring scoring;
};

static void planned_open(struct planned *planned, const trawl_index *index)
{
	trawl_analysis analysis = {.language = "none"};
	*planned = (struct planned){0};
	CHECK(tokenizer_new(&planned->tokenizer, &analysis, &error));
	assert_true(scoring_init(&planned->scoring, &index->collection));
	scoring_prepare(&planned->scoring, &index->collection, 0.9f, 0.4f);
}

static int planned_make(struct planned *planned, const trawl_index *index, const char *query, size_t length)
{
	arena_reset(&planned->arena);
	int code = query_read(&planned->query, planned->tokenizer, query, length,
	                      &(struct query_options){.others_match = true}, &error);
	return code ? code
	            : plan_make(&planned->plan, &planned->query, &index->collection, PLAN_SEARCH, &planned->arena,
	                        &error);
}

static void planned_release(struct planned *planned)
{
	tokenizer_free(planned->tokenizer);
	query_release(&planned->query);
	arena_release(&planned->arena);
	scoring_release(&planned->scoring);
}

/* ---- collectors that are called ---- */

/* Every match, in an array by its number. */
struct gatherer {
	struct collector collector;
	float *scores; /* -1: no match */
	size_t documents;
};

static int gather(struct collector *collector, const struct matches *matches)
{
	struct gatherer *into = (struct gatherer *)collector;
	assert_true(matches->blocks != 0);
	for (uint32_t left = matches->blocks; left; left &= left - 1) {
		uint32_t block = (uint32_t)__builtin_ctz(left);
		assert_true(matches->masks[block] != 0);
		for (uint64_t documents = matches->masks[block]; documents; documents &= documents - 1) {
			uint32_t offset = (uint32_t)__builtin_ctzll(documents);
			uint64_t document = matches->base + (uint64_t)matches->superblock * SUPERBLOCK_DOCUMENTS +
			                    block * BLOCK_DOCUMENTS + offset;
			assert_true(document < into->documents && into->scores[document] < 0);
			into->scores[document] = matches->scores ? matches->scores[block][offset] : 0;
		}
	}
	return 0;
}

static void gatherer_start(struct gatherer *gatherer)
{
	gatherer->collector = (struct collector){.kind = COLLECT_CALL, .take = gather};
	for (size_t i = 0; i < gatherer->documents; i++)
		gatherer->scores[i] = -1;
}

/* The gatherer has the hits and no others; scores, if it was given any, to the last bit. */
static void assert_gathered(const struct gatherer *gatherer, const trawl_searcher *searcher, bool scored)
{
	size_t count, found = 0;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < gatherer->documents; i++)
		found += gatherer->scores[i] >= 0;
	assert_int_equal(found, count);
	for (size_t i = 0; i < count; i++)
		assert_true(gatherer->scores[hits[i].document] == (scored ? hits[i].score : 0));
}

static void a_called_collector_gets_every_match_once(void **state)
{
	(void)state;
	static char query[RANDOM_QUERY_MAX];
	struct random random = {test_seed()};
	trawl_index *index = make_index(&random, 6000);
	trawl_searcher *searcher;
	trawl_search_options all = {.top = TRAWL_TOP_ALL};
	struct context context = {.error = &error};
	struct planned planned;
	struct gatherer gatherer = {.documents = 6000};
	gatherer.scores = memory_new(gatherer.documents * sizeof *gatherer.scores);
	CHECK(trawl_searcher_new(&searcher, index, &error));
	planned_open(&planned, index);
	for (int round = 0; round < 300; round++) {
		size_t length = random_query(query, &corpus, &random, (enum query_kind)(round % QUERY_KINDS));
		if (trawl_search(searcher, query, length, &all, &error))
			continue; /* too long */
		CHECK(planned_make(&planned, index, query, length));
		struct run run = {.plan = &planned.plan, .scoring = &planned.scoring};
		gatherer_start(&gatherer);
		CHECK(run_rank(&run, &context, &gatherer.collector));
		assert_gathered(&gatherer, searcher, true);
		gatherer_start(&gatherer);
		CHECK(run_match(&run, &context, &gatherer.collector));
		assert_gathered(&gatherer, searcher, false);
	}
	memory_free(gatherer.scores);
	planned_release(&planned);
	context_release(&context);
	trawl_searcher_free(searcher);
	trawl_close(index);
	random_corpus_release(&corpus);
}

static int refuse(struct collector *collector, const struct matches *matches)
{
	(void)matches;
	collector->matches++;
	return TRAWL_EIO;
}

static void a_collector_can_end_the_evaluation(void **state)
{
	(void)state;
	static const char *const queries[] = {"w0", "w0 w1", "+w0 +w1", "\"w0 w1\"", "w0 -w1"};
	struct random random = {test_seed()};
	trawl_index *index = make_index(&random, 3000);
	struct context context = {.error = &error};
	struct planned planned;
	planned_open(&planned, index);
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		CHECK(planned_make(&planned, index, queries[i], strlen(queries[i])));
		struct run run = {.plan = &planned.plan, .scoring = &planned.scoring};
		for (int ranked = 0; ranked < 2; ranked++) {
			struct collector collector = {.kind = COLLECT_CALL, .take = refuse};
			int code = (ranked ? run_rank : run_match)(&run, &context, &collector);
			assert_int_equal(code, collector.matches ? TRAWL_EIO : 0);
		}
	}
	planned_release(&planned);
	context_release(&context);
	trawl_close(index);
	random_corpus_release(&corpus);
}

/* ---- a plan is read by several threads ---- */

struct runner {
	const struct run *run;
	struct context context;
	struct top top;
	trawl_error error;
	int code;
};

static void *run_often(void *argument)
{
	struct runner *runner = argument;
	runner->context.error = &runner->error;
	for (int i = 0; !runner->code && i < 20; i++) {
		if (!top_begin(&runner->top, 50, plan_most(runner->run->plan)))
			runner->code = TRAWL_ENOMEM;
		else
			runner->code = run_rank(runner->run, &runner->context, &runner->top.collector);
		top_finish(&runner->top);
	}
	return NULL;
}

static void assert_threads_agree(const struct run *run)
{
	enum { THREADS = 3 };
	struct runner runners[THREADS] = {{.run = NULL}};
	pthread_t threads[THREADS];
	size_t bytes = run->plan->root.count * sizeof *run->plan->root.members;
	struct plan before = *run->plan;
	void *members = memory_new(bytes);
	memcpy(members, run->plan->root.members, bytes);
	for (int i = 0; i < THREADS; i++) {
		runners[i].run = run;
		assert_int_equal(pthread_create(&threads[i], NULL, run_often, &runners[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		CHECK(runners[i].code);
		assert_int_equal(runners[i].top.count, runners[0].top.count);
		for (size_t h = 0; h < runners[0].top.count; h++) {
			assert_int_equal(runners[i].top.hits[h].document, runners[0].top.hits[h].document);
			assert_true(runners[i].top.hits[h].score == runners[0].top.hits[h].score);
		}
	}
	assert_memory_equal(&before, run->plan, sizeof before);
	assert_memory_equal(members, run->plan->root.members, bytes);
	memory_free(members);
	for (int i = 0; i < THREADS; i++) {
		context_release(&runners[i].context);
		top_release(&runners[i].top);
	}
}

static void threads_share_a_plan_that_nobody_writes_to(void **state)
{
	(void)state;
	static char query[RANDOM_QUERY_MAX];
	struct random random = {test_seed()};
	trawl_index *index = make_index(&random, 4000);
	struct planned planned;
	planned_open(&planned, index);
	for (int round = 0; round < 2 * QUERY_KINDS; round++) {
		size_t length = random_query(query, &corpus, &random, (enum query_kind)(round % QUERY_KINDS));
		if (planned_make(&planned, index, query, length))
			continue;
		assert_threads_agree(&(struct run){.plan = &planned.plan, .scoring = &planned.scoring});
	}
	planned_release(&planned);
	trawl_close(index);
	random_corpus_release(&corpus);
}

/* ---- long phrases ---- */

#define LONG_PHRASE 1000 /* words, all different */

/* Three documents a segment: each has all words in order, so that the phrase matches, and scores tie. */
static void write_segments(const char *path, uint32_t segments)
{
	static char text[8 * LONG_PHRASE];
	size_t length = 0;
	trawl_writer *writer;
	trawl_writer_options options = {.analysis.language = "none", .no_merge = true};
	for (unsigned w = 0; w < LONG_PHRASE; w++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%c%c%u ", 'a' + w % 26,
		                           'a' + w / 26 % 26, w % 10);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (uint32_t i = 0; i < 3 * segments; i++) {
		char id[16];
		snprintf(id, sizeof id, "%u", (unsigned)i);
		add(writer, id, text);
		if (i % 3 == 2)
			CHECK(trawl_writer_commit(writer, &error));
	}
	trawl_writer_close(writer);
}

/* Bytes that running the phrase of all words takes, alone and beside another clause, with ties broken by id. */
static size_t memory_of_a_phrase(uint32_t segments)
{
	static char query[8 * LONG_PHRASE];
	const char *path = scratch_path("phrase.trawl");
	trawl_document document;
	trawl_stored *stored;
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 2, .count = true, .stable_ties = true};
	write_segments(path, segments);
	trawl_index *index = index_open(path);
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_fetch(index, "0", 1, &stored, &document, &error));
	for (int beside = 0; beside < 2; beside++) {
		int length = snprintf(query, sizeof query, "%s\"%.*s\"", beside ? "ab1 " : "",
		                      (int)document.text_length, document.text);
		CHECK(trawl_search(searcher, query, (size_t)length, &options, &error));
		assert_int_equal(trawl_match_count(searcher), 3 * segments);
	}
	size_t bytes = searcher->context.arena.used + searcher->context.phrase_arena.used;
	trawl_stored_free(stored);
	trawl_searcher_free(searcher);
	trawl_close(index);
	scratch_clear();
	return bytes;
}

static void a_long_phrase_takes_no_more_memory_over_many_segments(void **state)
{
	(void)state;
	size_t few = memory_of_a_phrase(2), many = memory_of_a_phrase(40);
	fprintf(stderr, "  %zu KiB over 2 segments, %zu KiB over 40\n", few >> 10, many >> 10);
	assert_true(many <= few + (64 << 10));
	assert_true(many < (16 << 20));
}

static void a_phrase_of_too_many_words_is_refused(void **state)
{
	(void)state;
	static char query[2 * TRAWL_PHRASE_MAX + 10];
	size_t length = 0;
	const char *path = scratch_path("phrase.trawl");
	write_one(path, "a", "a b");
	trawl_index *index = index_open(path);
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 10};
	CHECK(trawl_searcher_new(&searcher, index, &error));
	query[length++] = '"';
	for (int w = 0; w < TRAWL_PHRASE_MAX; w++, length += 2)
		memcpy(query + length, "a ", 2);
	CHECK(trawl_search(searcher, query, length, &options, &error));
	memcpy(query + length, "b", 1);
	assert_int_equal(trawl_search(searcher, query, length + 1, &options, &error), TRAWL_ELIMIT);
	assert_string_equal(error.text, "a phrase of 1025 words; 1024 are the most");
	CHECK(trawl_search(searcher, "a", 1, &options, &error));
	trawl_searcher_free(searcher);
	trawl_close(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_called_collector_gets_every_match_once, clear),
	    cmocka_unit_test_teardown(a_collector_can_end_the_evaluation, clear),
	    cmocka_unit_test_teardown(threads_share_a_plan_that_nobody_writes_to, clear),
	    cmocka_unit_test_teardown(a_long_phrase_takes_no_more_memory_over_many_segments, clear),
	    cmocka_unit_test_teardown(a_phrase_of_too_many_words_is_refused, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
