/*
 * Rankings of random and real collections against the naive scorer, and against each other: the same bits for every
 * segment layout, kernel and thread.
 *
 * TRAWL_ORACLE_QUERIES   queries held against the naive scorer (2000)
 * TRAWL_SEED             try this seed only; "random": draw those that are not fixed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/effort.h"
#include "tests/naive.h"
#include "tests/oracle.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"
#include "tests/seed.h"

#define FAILURES_SHOWN 5

/* Around the sizes at which an index's layout changes: 64, 1024, 2048 and 16384 documents. */
static const size_t corpus_sizes[] = {0,    1,    2,    63,    64,    65,    1000,  1023,
                                      1025, 2049, 5000, 16384, 16385, 20000, 40000, 70000};
#define SIZE_COUNT (sizeof corpus_sizes / sizeof corpus_sizes[0])

static void check(int status, const trawl_error *error)
{
	if (status < 0)
		fail_msg("%s: %s", trawl_status_name(status), error->text);
}

/* ---- indexes to ask -------------------------------------------------------------------------------------------- */

struct layout {
	size_t commits;
	size_t memory_budget;
	bool churn;   /* documents that come and go on the way */
	bool bigrams; /* lists of frequent bigrams */
	enum trawl_order order;
};

/* One collection, in an index and in the naive scorer. */
struct subject {
	uint64_t seed;
	trawl_analysis analysis;
	struct random_corpus corpus;
	struct naive *naive;
	trawl_index *index;
	trawl_searcher *searcher;
};

static void add(trawl_writer *writer, const trawl_document *document)
{
	trawl_error error;
	check(trawl_writer_add(writer, document, &error), &error);
}

static void ghost_id(char *id, size_t size, size_t batch, size_t i)
{
	snprintf(id, size, "ghost %zu %zu", batch, i);
}

/* Before batch `batch`: documents that will be deleted, early versions of documents of this and later batches, and
 * earlier documents once more. */
static void churn_before(trawl_writer *writer, const struct random_corpus *corpus, struct random *random, size_t batch,
                         size_t from)
{
	for (size_t i = 0; corpus->count && i < corpus->count / 20 + 1; i++) {
		char id[64];
		trawl_document other, like = {.id = id};
		ghost_id(id, sizeof id, batch, i);
		like.id_length = strlen(id);
		random_document_make(&other, corpus, random, &like);
		add(writer, &other);
		random_document_release(&other);
		if (from < corpus->count) {
			size_t later = from + random_below(random, corpus->count - from);
			random_document_make(&other, corpus, random, &corpus->documents[later]);
			add(writer, &other);
			random_document_release(&other);
		}
		if (from)
			add(writer, &corpus->documents[random_below(random, from)]);
	}
}

static void churn_after(trawl_writer *writer, const struct random_corpus *corpus, size_t batch)
{
	for (size_t i = 0; corpus->count && i < corpus->count / 20 + 1; i++) {
		char id[64];
		trawl_error error;
		ghost_id(id, sizeof id, batch, i);
		check(trawl_writer_delete(writer, id, strlen(id), &error), &error);
	}
}

static void index_build(const char *path, const struct random_corpus *corpus, const trawl_analysis *analysis,
                        struct layout layout, struct random *random, trawl_writer_stats *stats)
{
	trawl_error error;
	trawl_writer *writer;
	trawl_writer_options options = {.analysis = *analysis,
	                                .memory_budget = layout.memory_budget,
	                                .order = layout.order,
	                                .bigrams = layout.bigrams};
	check(trawl_writer_open(&writer, path, &options, &error), &error);
	size_t done = 0;
	for (size_t batch = 0; batch < layout.commits; batch++) {
		size_t end = corpus->count * (batch + 1) / layout.commits;
		if (layout.churn)
			churn_before(writer, corpus, random, batch, done);
		for (; done < end; done++)
			add(writer, &corpus->documents[done]);
		if (layout.churn && batch)
			churn_after(writer, corpus, batch - 1); /* of a segment written before */
		if (layout.churn && batch + 1 == layout.commits)
			churn_after(writer, corpus, batch); /* of this very batch */
		check(trawl_writer_commit(writer, &error), &error);
	}
	if (stats)
		trawl_writer_get_stats(writer, stats);
	trawl_writer_close(writer);
}

static void subject_open(struct subject *subject, const char *path)
{
	trawl_error error;
	check(trawl_open(&subject->index, path, &error), &error);
	check(trawl_searcher_new(&subject->searcher, subject->index, &error), &error);
}

static void subject_close(struct subject *subject)
{
	trawl_searcher_free(subject->searcher);
	trawl_close(subject->index);
	naive_free(subject->naive);
	random_corpus_release(&subject->corpus);
	scratch_clear();
}

static struct layout random_layout(struct random *random)
{
	static const size_t budgets[] = {1 << 20, 1 << 20, 8 << 20, 64 << 20};
	return (struct layout){.commits = random_chance(random, 0.4) ? 1 : 2 + random_below(random, 5),
	                       .memory_budget = budgets[random_below(random, 4)],
	                       .churn = random_chance(random, 0.5),
	                       .bigrams = random_chance(random, 0.5),
	                       .order = random_chance(random, 0.4) ? TRAWL_ORDER_SIMILAR : TRAWL_ORDER_INPUT};
}

static trawl_analysis random_analysis(struct random *random)
{
	static const char *const languages[] = {"none", "none", "english", "german"};
	size_t language = random_below(random, 4);
	return (trawl_analysis){.language = languages[language],
	                        .stop_words = language >= 2 && random_chance(random, 0.5),
	                        .fold_diacritics = random_chance(random, 0.3)};
}

static void subject_make(struct subject *subject, uint64_t seed, struct random *random)
{
	*subject = (struct subject){.seed = seed};
	*random = (struct random){seed};
	random_corpus_make(&subject->corpus, random, corpus_sizes[seed % SIZE_COUNT]);
	subject->analysis = random_analysis(random);
	struct layout layout = random_layout(random);
	const char *path = scratch_path("ranking.trawl");
	index_build(path, &subject->corpus, &subject->analysis, layout, random, NULL);
	subject->naive = naive_new(&subject->analysis);
	for (size_t i = 0; i < subject->corpus.count; i++)
		naive_put(subject->naive, &subject->corpus.documents[i]);
	subject_open(subject, path);
}

/* ---- one question ---------------------------------------------------------------------------------------------- */

struct question {
	char query[RANDOM_QUERY_MAX];
	size_t length;
	char filter[RANDOM_QUERY_MAX];
	bool filtered;
	trawl_search_options options;
};

/* The options, with the filter where this question now is. */
static trawl_search_options options_of(const struct question *question)
{
	trawl_search_options options = question->options;
	options.filter = question->filtered ? question->filter : NULL;
	return options;
}

static const size_t tops[] = {1, 2, 10, 100, 1000, 10000};

static void random_question(struct question *question, const struct random_corpus *corpus, struct random *random)
{
	enum query_kind kind = (enum query_kind)random_below(random, QUERY_KINDS);
	if (kind == QUERY_LONG_OR && random_chance(random, 0.7))
		kind = QUERY_OR;
	question->length = random_query(question->query, corpus, random, kind);
	question->options = (trawl_search_options){.top = tops[random_below(random, 6)],
	                                           .count = random_chance(random, 0.5),
	                                           .stable_ties = random_chance(random, 0.3)};
	question->filtered = random_chance(random, 0.3);
	if (question->filtered) {
		kind = (enum query_kind)random_below(random, QUERY_KINDS);
		question->options.filter_length =
		    random_query(question->filter, corpus, random, kind == QUERY_LONG_OR ? QUERY_OR : kind);
	}
	if (random_chance(random, 0.03))
		question->options.top = 0;
	if (random_chance(random, 0.3)) {
		static const float k1s[] = {0, 0.5, 1.2, 2, 1000};
		question->options.set_k1 = true;
		question->options.k1 =
		    random_chance(random, 0.5) ? (float)(random_unit(random) * 3) : k1s[random_below(random, 5)];
	}
	if (random_chance(random, 0.3)) {
		question->options.set_b = true;
		question->options.b =
		    random_chance(random, 0.5) ? (float)random_unit(random) : (float)random_below(random, 2);
	}
}

static double k1_of(const trawl_search_options *options)
{
	return options->set_k1 ? (double)options->k1 : 0.9;
}

static double b_of(const trawl_search_options *options)
{
	return options->set_b ? (double)options->b : 0.4;
}

/* Why an answer is wrong; "" when it is right. */
static char complaint[1024];

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(complaint, sizeof complaint, format, arguments);
	va_end(arguments);
	return false;
}

/* The same hits for another k, as far as both go. */
static bool prefix_is_same(struct subject *subject, const struct question *question, size_t top)
{
	size_t before, after;
	const trawl_hit *hits = trawl_hits(subject->searcher, &before);
	trawl_hit *kept = malloc((before + 1) * sizeof *kept);
	assert_non_null(kept);
	if (before) /* without hits there may be no array */
		memcpy(kept, hits, before * sizeof *kept);
	trawl_error error;
	trawl_search_options options = options_of(question);
	options.top = top;
	options.count = !options.count;
	int status = trawl_search(subject->searcher, question->query, question->length, &options, &error);
	bool refused = status == TRAWL_ELIMIT && naive_clauses(subject->naive) > TRAWL_CLAUSES_MAX;
	bool same = !status || refused || wrong("%s: %s", trawl_status_name(status), error.text);
	hits = trawl_hits(subject->searcher, &after);
	for (size_t i = 0; same && i < before && i < after; i++)
		if (hits[i].document != kept[i].document || memcmp(&hits[i].score, &kept[i].score, sizeof(float)) != 0)
			same = wrong("hit %zu of top %zu is document %llu, %.9g; of top %zu it is %llu, %.9g", i,
			             question->options.top, (unsigned long long)kept[i].document, (double)kept[i].score,
			             top, (unsigned long long)hits[i].document, (double)hits[i].score);
	free(kept);
	return same;
}

static bool answer_is_right(struct subject *subject, const struct question *question, size_t other_top)
{
	trawl_search_options options = options_of(question);
	complaint[0] = '\0';
	naive_filter(subject->naive, options.filter, options.filter_length);
	const char *why =
	    oracle_complaint(subject->naive, subject->searcher, question->query, question->length, &options, true);
	if (why)
		return wrong("%s", why);
	return !other_top || prefix_is_same(subject, question, other_top);
}

/* ---- failures -------------------------------------------------------------------------------------------------- */

/* Drop words from a question while it still goes wrong. */
static void shrink(struct subject *subject, struct question *question, size_t other_top)
{
	for (size_t start = 0; start < question->length;) {
		size_t end = start;
		while (end < question->length && question->query[end] != ' ')
			end++;
		end += end < question->length;
		struct question shorter = *question;
		memmove(shorter.query + start, shorter.query + end, shorter.length - end);
		shorter.length -= end - start;
		if (answer_is_right(subject, &shorter, other_top))
			start = end;
		else
			*question = shorter;
	}
}

static void print_query(const char *query, size_t length)
{
	for (size_t i = 0; i < length; i++)
		fprintf(stderr, isprint((unsigned char)query[i]) ? "%c" : "\\x%02x", (unsigned char)query[i]);
	fputs("\n", stderr);
}

static void print_failure(struct subject *subject, const struct question *question, size_t other_top)
{
	const trawl_search_options *options = &question->options;
	struct question shorter = *question;
	fprintf(stderr, "  seed %llu, %zu documents, top %zu%s%s, k1 %.9g, b %.9g, language %s%s%s\n  %s\n  query: ",
	        (unsigned long long)subject->seed, (size_t)naive_documents(subject->naive), options->top,
	        options->count ? ", count" : "", options->stable_ties ? ", stable ties" : "", k1_of(options),
	        b_of(options), subject->analysis.language ? subject->analysis.language : "english",
	        subject->analysis.stop_words ? ", stop words" : "", subject->analysis.fold_diacritics ? ", folded" : "",
	        complaint);
	print_query(question->query, question->length);
	if (question->filtered) {
		fprintf(stderr, "  filter: ");
		print_query(question->filter, question->options.filter_length);
	}
	shrink(subject, &shorter, other_top);
	answer_is_right(subject, &shorter, other_top);
	fprintf(stderr, "  shortened: %s\n  query: ", complaint);
	print_query(shorter.query, shorter.length);
}

/* false: this answer was wrong, and the failure has been printed. */
static bool ask(struct subject *subject, const struct question *question, size_t other_top)
{
	if (answer_is_right(subject, question, other_top))
		return true;
	print_failure(subject, question, other_top);
	return false;
}

static int ask_many(struct subject *subject, struct random *random, size_t queries)
{
	int failures = 0;
	static struct question question;
	for (size_t i = 0; i < queries && failures < FAILURES_SHOWN; i++) {
		random_question(&question, &subject->corpus, random);
		size_t other_top = random_chance(random, 0.25) ? tops[random_below(random, 6)] : 0;
		failures += !ask(subject, &question, other_top);
	}
	return failures;
}

/* ---- against the naive scorer ---------------------------------------------------------------------------------- */

static uint64_t seed_forced(void)
{
	const char *text = getenv("TRAWL_SEED");
	return text ? strtoull(text, NULL, 10) : 0;
}

static int try_seed(uint64_t seed, size_t queries)
{
	struct subject subject;
	struct random random;
	subject_make(&subject, seed, &random);
	int failures = ask_many(&subject, &random, queries);
	subject_close(&subject);
	return failures;
}

static void rankings_agree_with_the_naive_scorer(void **state)
{
	(void)state;
	const char *wanted = getenv("TRAWL_ORACLE_QUERIES");
	size_t queries = wanted ? strtoull(wanted, NULL, 10) : (size_t)test_size(2000, 200);
	if (seed_forced()) {
		assert_int_equal(try_seed(seed_forced(), queries), 0);
		return;
	}
	size_t cycles = queries / 2000 < 2 ? (size_t)test_size(2, 1) : queries / 2000;
	size_t each = queries / (cycles * SIZE_COUNT) + 1;
	uint64_t drawn = test_seed();
	fprintf(stderr, "  %zu queries on each of %zu collections; seeds 1 to %zu and %llu to %llu\n", each,
	        cycles * SIZE_COUNT, SIZE_COUNT, (unsigned long long)drawn,
	        (unsigned long long)(drawn + (cycles - 1) * SIZE_COUNT - 1));
	/* positions beyond the length of documents: phrases, stop words dropped, 63 documents */
	int failures = try_seed(492905367507, 60);
	for (uint64_t i = 0; i < cycles * SIZE_COUNT && failures < FAILURES_SHOWN; i++)
		failures += try_seed(i < SIZE_COUNT ? i + 1 : drawn + i - SIZE_COUNT, each);
	assert_int_equal(failures, 0);
}

static void statistics_are_those_of_live_documents(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 10; seed++) {
		struct subject subject;
		struct random random;
		trawl_index_stats stats;
		trawl_error error;
		subject_make(&subject, seed, &random);
		check(trawl_get_stats(subject.index, &stats, &error), &error);
		assert_int_equal(stats.documents, naive_documents(subject.naive));
		assert_int_equal(stats.tokens, naive_tokens(subject.naive));
		subject_close(&subject);
	}
}

/* ---- against each other ---------------------------------------------------------------------------------------- */

static uint64_t hash_more(uint64_t hash, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u; /* FNV-1a */
	return hash;
}

/* Of the ids and score bits of all hits and the count. Returns a status. */
static int hash_answer(trawl_searcher *searcher, const struct question *question, uint64_t *hash, trawl_error *error)
{
	trawl_search_options options = options_of(question);
	int status = trawl_search(searcher, question->query, question->length, &options, error);
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; !status && i < count; i++) {
		const char *id;
		size_t id_length;
		status = trawl_hit_id(searcher, hits[i].document, &id, &id_length, error);
		if (!status) {
			*hash = hash_more(*hash, id, id_length);
			*hash = hash_more(*hash, &hits[i].score, sizeof hits[i].score);
		}
	}
	uint64_t matches = trawl_match_count(searcher);
	*hash = hash_more(*hash, &matches, sizeof matches);
	return status;
}

static uint64_t hash_of(trawl_searcher *searcher, const struct question *question)
{
	trawl_error error;
	uint64_t hash = 14695981039346656037u;
	check(hash_answer(searcher, question, &hash, &error), &error);
	return hash;
}

static void layouts_must_agree(uint64_t seed, size_t queries)
{
	struct random random = {seed};
	struct subject one = {.seed = seed}, many = {.seed = seed};
	static struct question question;
	random_corpus_make(&one.corpus, &random, corpus_sizes[seed % SIZE_COUNT]);
	one.analysis = many.analysis = random_analysis(&random);
	const char *path = scratch_path("one.trawl"), *path_of_many = scratch_path("many.trawl");
	struct layout spread = {.commits = 2 + random_below(&random, 6),
	                        .memory_budget = seed % 2 ? 1 << 20 : 64 << 20,
	                        .churn = true,
	                        .bigrams = seed % 3 != 0,
	                        .order = TRAWL_ORDER_SIMILAR};
	index_build(path, &one.corpus, &one.analysis, (struct layout){.commits = 1, .memory_budget = 256 << 20},
	            &random, NULL);
	index_build(path_of_many, &one.corpus, &one.analysis, spread, &random, NULL);
	subject_open(&one, path);
	subject_open(&many, path_of_many);
	for (size_t i = 0; i < queries; i++) {
		random_question(&question, &one.corpus, &random);
		question.options.stable_ties = true;
		if (hash_of(one.searcher, &question) == hash_of(many.searcher, &question))
			continue;
		fprintf(stderr, "  seed %llu, top %zu, k1 %.9g, b %.9g, query: ", (unsigned long long)seed,
		        question.options.top, k1_of(&question.options), b_of(&question.options));
		print_query(question.query, question.length);
		fprintf(stderr, "  %s: ", question.filtered ? "filter" : "no filter");
		print_query(question.filter, question.options.filter_length);
		fail_msg("one commit and %zu commits give different answers", spread.commits);
	}
	trawl_searcher_free(many.searcher);
	trawl_close(many.index);
	subject_close(&one);
}

static void answers_are_the_same_bits_for_every_segment_layout(void **state)
{
	(void)state;
	if (seed_forced()) {
		layouts_must_agree(seed_forced(), 300);
		return;
	}
	uint64_t drawn = test_seed();
	fprintf(stderr, "  seeds 1 to %zu and %llu to %llu\n", SIZE_COUNT - 1, (unsigned long long)drawn,
	        (unsigned long long)drawn + 5);
	for (uint64_t i = 1; i < SIZE_COUNT + 6; i += (uint64_t)test_size(1, 3))
		layouts_must_agree(i < SIZE_COUNT ? i : drawn + i - SIZE_COUNT, (size_t)test_size(60, 10));
}

static void a_small_memory_budget_spills_and_changes_nothing(void **state)
{
	(void)state;
	struct random random = {7};
	struct subject small = {.seed = 7}, large = {.seed = 7};
	static struct question question;
	trawl_writer_stats stats;
	small.analysis.language = "none";
	random_corpus_make(&small.corpus, &random, 40000);
	const char *path = scratch_path("small.trawl"), *large_path = scratch_path("large.trawl");
	index_build(path, &small.corpus, &small.analysis, (struct layout){.commits = 1, .memory_budget = 1 << 20},
	            &random, &stats);
	assert_true(stats.runs >= 2);
	assert_int_equal(stats.added, 40000);
	index_build(large_path, &small.corpus, &small.analysis,
	            (struct layout){.commits = 1, .memory_budget = 512 << 20}, &random, NULL);
	subject_open(&small, path);
	subject_open(&large, large_path);
	for (int i = 0; i < 200; i++) {
		random_question(&question, &small.corpus, &random);
		question.options.stable_ties = true;
		assert_true(hash_of(small.searcher, &question) == hash_of(large.searcher, &question));
	}
	trawl_searcher_free(large.searcher);
	trawl_close(large.index);
	subject_close(&small);
}

/* The questions that kernels and threads are compared by. */
static int hash_questions(trawl_searcher *searcher, const struct random_corpus *corpus, uint64_t seed, int queries,
                          uint64_t *hash, trawl_error *error)
{
	struct random random = {seed};
	struct question *question = malloc(sizeof *question);
	int status = question ? 0 : TRAWL_ENOMEM;
	for (int i = 0; !status && i < queries; i++) {
		random_question(question, corpus, &random);
		status = hash_answer(searcher, question, hash, error);
	}
	free(question);
	return status;
}

/* What this program does in a child process, under a forced kernel: build indexes, ask, print kernel and hash. */
static int print_hash(void)
{
	uint64_t hash = 14695981039346656037u;
	trawl_error error = {0};
	for (uint64_t seed = 1; seed < SIZE_COUNT; seed += (uint64_t)test_size(1, 3)) { /* all sizes but 0 */
		struct subject subject;
		struct random random;
		subject_make(&subject, seed, &random);
		int status = hash_questions(subject.searcher, &subject.corpus, seed, test_size(100, 20), &hash, &error);
		subject_close(&subject);
		if (status < 0) {
			printf("error %s\n", error.text);
			return 1;
		}
	}
	printf("%s %016llx\n", trawl_kernel_name(), (unsigned long long)hash);
	return 0;
}

/* "kernel hash" of this program run again with TRAWL_KERNEL=kernel. */
static void run_with_kernel(const char *kernel, char *line, int size)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("TRAWL_KERNEL", kernel, 1);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execl("/proc/self/exe", "test_ranking", "--print-hash", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	FILE *output = fdopen(ends[0], "r");
	line[0] = '\0';
	assert_non_null(output);
	if (!fgets(line, size, output))
		line[0] = '\0';
	fclose(output);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("kernel %s: the child ended with status %d: %s", kernel, status, line);
}

static void every_kernel_gives_the_same_bits(void **state)
{
	(void)state;
	static const char *const kernels[] = {"scalar", "avx2", "avx512"};
	char reference[256], line[256];
	run_with_kernel("scalar", reference, sizeof reference);
	assert_memory_equal(reference, "scalar ", 7);
	for (int i = 1; i < 3; i++) {
		run_with_kernel(kernels[i], line, sizeof line);
		size_t length = strlen(kernels[i]);
		if (strncmp(line, kernels[i], length) != 0 || line[length] != ' ') {
			fprintf(stderr, "  SKIP kernel %s: this CPU lacks it\n", kernels[i]);
			continue;
		}
		if (strcmp(line + length, reference + strlen("scalar")) != 0)
			fail_msg("answers differ: %s against %s", line, reference);
	}
}

struct thread_task {
	const struct subject *subject;
	uint64_t hash;
	int status;
	trawl_error error;
};

static void *thread_run(void *argument)
{
	struct thread_task *task = argument;
	trawl_searcher *searcher = NULL;
	task->hash = 14695981039346656037u;
	task->status = trawl_searcher_new(&searcher, task->subject->index, &task->error);
	if (!task->status)
		task->status = hash_questions(searcher, &task->subject->corpus, 5, 200, &task->hash, &task->error);
	trawl_searcher_free(searcher);
	return NULL;
}

static void threads_that_share_an_index_get_the_same_bits(void **state)
{
	(void)state;
	struct subject subject;
	struct random random;
	struct thread_task alone = {.subject = &subject}, tasks[4];
	pthread_t threads[4];
	subject_make(&subject, 9, &random);
	thread_run(&alone);
	check(alone.status, &alone.error);
	for (int i = 0; i < 4; i++) {
		tasks[i] = (struct thread_task){.subject = &subject};
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run, &tasks[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++) {
		check(tasks[i].status, &tasks[i].error);
		assert_true(tasks[i].hash == alone.hash);
	}
	subject_close(&subject);
}

static void a_warm_searcher_allocates_nothing(void **state)
{
	(void)state;
	struct subject subject;
	struct random random;
	static struct question questions[200];
	trawl_error error;
	subject_make(&subject, 9, &random);
	for (int i = 0; i < 200; i++) {
		random_question(&questions[i], &subject.corpus, &random);
		trawl_search_options options = options_of(&questions[i]);
		check(trawl_search(subject.searcher, questions[i].query, questions[i].length, &options, &error),
		      &error);
	}
	int status = 0, i = 0;
	memory_fail_after(0, true);
	for (; i < 200 && !status; i++) {
		trawl_search_options options = options_of(&questions[i]);
		status = trawl_search(subject.searcher, questions[i].query, questions[i].length, &options, &error);
	}
	memory_fail_after(-1, false);
	if (status < 0) {
		fprintf(stderr, "  query: ");
		print_query(questions[i - 1].query, questions[i - 1].length);
		fail_msg("%s", error.text);
	}
	subject_close(&subject);
}

/* ---- real collections ------------------------------------------------------------------------------------------ */

static const char *collection_path(const char *collection, const char *file)
{
	static char path[2048];
	const char *shared = getenv("TRAWL_SHARED");
	snprintf(path, sizeof path, "%s/corpora/%s/%s", shared ? shared : "../shared", collection, file);
	return path;
}

static void collection_index(struct subject *subject, const char *corpus_path)
{
	trawl_error error;
	trawl_source *source;
	trawl_writer *writer;
	trawl_document document;
	trawl_writer_options options = {.analysis = subject->analysis};
	const char *path = scratch_path("collection.trawl");
	subject->naive = naive_new(&subject->analysis);
	check(trawl_source_open(&source, &corpus_path, 1, NULL, &error), &error);
	check(trawl_writer_open(&writer, path, &options, &error), &error);
	int got;
	while ((got = trawl_source_next(source, &document, &error)) > 0) {
		add(writer, &document);
		naive_put(subject->naive, &document);
	}
	check(got, &error);
	check(trawl_writer_commit(writer, &error), &error);
	trawl_writer_close(writer);
	trawl_source_close(source);
	subject_open(subject, path);
}

/* The text of a line "id TAB text", as bare words. */
static void bare_words(struct question *question, const char *line)
{
	const char *text = strchr(line, '\t');
	text = text ? text + 1 : line;
	question->length = strcspn(text, "\r\n");
	for (size_t i = 0; i < question->length; i++)
		question->query[i] = strchr("+-\"", text[i]) ? ' ' : text[i];
}

static int collection_ask(struct subject *subject, const char *queries_path, size_t *asked)
{
	char line[RANDOM_QUERY_MAX];
	static struct question question;
	int failures = 0;
	FILE *queries = fopen(queries_path, "r");
	assert_non_null(queries);
	while (fgets(line, sizeof line, queries) && failures < FAILURES_SHOWN) {
		question.options = (trawl_search_options){.top = 1000, .count = true};
		question.filtered = false;
		bare_words(&question, line);
		failures += !ask(subject, &question, 10);
		++*asked;
	}
	fclose(queries);
	return failures;
}

static void collection_agrees(const char *collection)
{
	if (access(collection_path(collection, "corpus.jsonl"), R_OK)) {
		fprintf(stderr, "  SKIP %s: no such collection (TRAWL_SHARED)\n", collection);
		skip();
	}
	for (int stop_words = 0; stop_words < 2; stop_words++) {
		struct subject subject = {.analysis = {.stop_words = stop_words}};
		size_t asked = 0;
		collection_index(&subject, collection_path(collection, "corpus.jsonl"));
		int failures = collection_ask(&subject, collection_path(collection, "queries.tsv"), &asked);
		assert_true(asked > 100);
		assert_int_equal(failures, 0);
		subject_close(&subject);
	}
}

static void cranfield_ranks_as_the_naive_scorer_does(void **state)
{
	(void)state;
	collection_agrees("cranfield");
}

static void scifact_ranks_as_the_naive_scorer_does(void **state)
{
	(void)state;
	collection_agrees("scifact");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--print-hash") == 0)
		return print_hash();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rankings_agree_with_the_naive_scorer),
	    cmocka_unit_test(statistics_are_those_of_live_documents),
	    cmocka_unit_test(answers_are_the_same_bits_for_every_segment_layout),
	    cmocka_unit_test(a_small_memory_budget_spills_and_changes_nothing),
	    cmocka_unit_test(every_kernel_gives_the_same_bits),
	    cmocka_unit_test(threads_that_share_an_index_get_the_same_bits),
	    cmocka_unit_test(a_warm_searcher_allocates_nothing),
	    cmocka_unit_test(cranfield_ranks_as_the_naive_scorer_does),
	    cmocka_unit_test(scifact_ranks_as_the_naive_scorer_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
