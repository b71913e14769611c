/*
 * Readers beside a writer: threads and processes, some of them stopped or killed at any moment. Every answer is the naive scorer's for
 * the commit that was seen, and nothing grows: descriptors, reader slots, the file.
 *
 * What commit number g changes follows from g alone, so a reader can follow in a naive scorer of its own. A document tells the number;
 * merges, which follow some commits, count as generations too.
 *
 * TRAWL_CONCURRENT_COMMITS    commits of each test (30)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/naive.h"
#include "tests/oracle.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"

#define IDS 150
#define CHANGES 40
#define READERS 3
#define QUERIES_A_LOOK 4
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 100 /* processes take long to start */
#else
#define MANY 1030
#endif

static const trawl_analysis analysis = {.language = "none"};

static unsigned commits_wanted(void)
{
	const char *wanted = getenv("TRAWL_CONCURRENT_COMMITS");
	return wanted ? (unsigned)strtoul(wanted, NULL, 10) : 30;
}

/* ---- what each commit does ---- */

static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"};

struct change {
	bool delete;
	char id[16], text[400];
};

static void make_change(struct change *change, struct random *random)
{
	int at = 0;
	snprintf(change->id, sizeof change->id, "id%u", (unsigned)random_below(random, IDS));
	change->delete = random_chance(random, 0.25);
	for (uint64_t i = 0, n = 1 + random_below(random, 30); i < n; i++) {
		uint64_t word = random_below(random, 8) * random_below(random, 8) / 7; /* some often, some rarely */
		at += snprintf(change->text + at, sizeof change->text - (size_t)at, "%s ", words[word]);
	}
}

static trawl_document document_of(const struct change *change)
{
	return (trawl_document){.id = change->id,
	                        .id_length = strlen(change->id),
	                        .text = change->text,
	                        .text_length = strlen(change->text)};
}

static int write_commit(trawl_writer *writer, uint64_t generation, trawl_error *error)
{
	struct random random = {generation};
	for (int i = 0; i < CHANGES; i++) {
		struct change change;
		make_change(&change, &random);
		const trawl_document document = document_of(&change);
		int code = change.delete ? trawl_writer_delete(writer, change.id, document.id_length, error)
		                         : trawl_writer_add(writer, &document, error);
		if (code && code != TRAWL_ENOTFOUND)
			return code;
	}
	/* So that every commit has something to say. */
	char text[32];
	const trawl_document mark = {
	    .id = "generation",
	    .id_length = 10,
	    .text = text,
	    .text_length = (size_t)snprintf(text, sizeof text, "generation %llu", (unsigned long long)generation)};
	int code = trawl_writer_add(writer, &mark, error);
	return code ? code : trawl_writer_commit(writer, error);
}

static void follow_commit(struct naive *naive, uint64_t generation)
{
	struct random random = {generation};
	char text[32];
	for (int i = 0; i < CHANGES; i++) {
		struct change change;
		make_change(&change, &random);
		const trawl_document document = document_of(&change);
		if (change.delete)
			naive_delete(naive, change.id, document.id_length);
		else
			naive_put(naive, &document);
	}
	const trawl_document mark = {
	    .id = "generation",
	    .id_length = 10,
	    .text = text,
	    .text_length = (size_t)snprintf(text, sizeof text, "generation %llu", (unsigned long long)generation)};
	naive_put(naive, &mark);
}

/* ---- a reader ---- */

struct reader {
	struct naive *naive;
	uint64_t number;     /* of the commit that `naive` has followed to */
	uint64_t generation; /* that was seen last */
	struct random random;
	char why[1400]; /* what is wrong; "" while nothing is */
};

/* oracle_complaint keeps its words in one place: one thread at a time. */
static pthread_mutex_t oracle_lock = PTHREAD_MUTEX_INITIALIZER;

static bool ask(struct reader *reader, trawl_searcher *searcher)
{
	static const char *const queries[] = {"alpha beta",
	                                      "+gamma -delta",
	                                      "\"alpha alpha\"",
	                                      "zeta eta theta",
	                                      "generation",
	                                      "+alpha +beta epsilon",
	                                      "\"beta gamma\" delta -theta"};
	static const size_t tops[] = {1, 10, 1000};
	const char *query = queries[random_below(&reader->random, 7)];
	const trawl_search_options options = {.top = tops[random_below(&reader->random, 3)],
	                                      .count = random_chance(&reader->random, 0.5),
	                                      .stable_ties = random_chance(&reader->random, 0.5)};
	pthread_mutex_lock(&oracle_lock);
	const char *why = oracle_complaint(reader->naive, searcher, query, strlen(query), &options, true);
	if (why)
		snprintf(reader->why, sizeof reader->why, "commit %llu, query %s: %s",
		         (unsigned long long)reader->number, query, why);
	pthread_mutex_unlock(&oracle_lock);
	return !why;
}

/* Which of write_commit's commits the index shows. */
static int read_number(const trawl_index *index, uint64_t *number, trawl_error *error)
{
	trawl_stored *handle;
	trawl_document document;
	char text[32] = "";
	int code = trawl_fetch(index, "generation", 10, &handle, &document, error);
	if (code)
		return code;
	memcpy(text, document.text, document.text_length < sizeof text ? document.text_length : sizeof text - 1);
	*number = strtoull(text + strlen("generation "), NULL, 10);
	trawl_stored_free(handle);
	return 0;
}

static bool follow(struct reader *reader, const trawl_index *index)
{
	trawl_index_stats stats;
	trawl_error error = {0};
	uint64_t number = 0;
	if (trawl_get_stats(index, &stats, &error) || read_number(index, &number, &error)) {
		snprintf(reader->why, sizeof reader->why, "%s", error.text);
		return false;
	}
	if (number < reader->number || stats.generation < reader->generation || stats.generation < number) {
		snprintf(reader->why, sizeof reader->why, "commit %llu (%llu) was seen after commit %llu (%llu)",
		         (unsigned long long)number, (unsigned long long)stats.generation,
		         (unsigned long long)reader->number, (unsigned long long)reader->generation);
		return false;
	}
	reader->generation = stats.generation;
	while (reader->number < number)
		follow_commit(reader->naive, ++reader->number);
	if (stats.documents == naive_documents(reader->naive) && stats.tokens == naive_tokens(reader->naive))
		return true;
	snprintf(reader->why, sizeof reader->why, "commit %llu has %llu documents", (unsigned long long)number,
	         (unsigned long long)stats.documents);
	return false;
}

/* Open the last commit, ask, and close it again. */
static bool look(struct reader *reader, const char *path)
{
	trawl_index *index;
	trawl_searcher *searcher = NULL;
	trawl_error error = {0};
	if (trawl_open(&index, path, &error) || trawl_searcher_new(&searcher, index, &error)) {
		snprintf(reader->why, sizeof reader->why, "%s", error.text);
		trawl_close(index);
		return false;
	}
	bool right = follow(reader, index);
	for (int i = 0; right && i < QUERIES_A_LOOK; i++)
		right = ask(reader, searcher);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return right;
}

/* ---- threads ---- */

struct thread_reader {
	struct reader reader;
	const char *path;
	atomic_bool *done;
	unsigned looks;
};

static void *read_until_done(void *argument)
{
	struct thread_reader *thread = argument;
	/* At least some looks, however fast the writer was. */
	while (!thread->reader.why[0] && (!atomic_load(thread->done) || thread->looks < 5)) {
		look(&thread->reader, thread->path);
		thread->looks++;
	}
	return NULL;
}

static unsigned count_descriptors(void)
{
	unsigned count = 0;
	DIR *folder = opendir("/proc/self/fd");
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void commit_many(const char *path, unsigned commits)
{
	trawl_error error = {0};
	trawl_writer *writer;
	const trawl_writer_options options = {.analysis = analysis, .wait = true};
	if (trawl_writer_open(&writer, path, &options, &error))
		fail_msg("%s", error.text);
	for (unsigned g = 1; g <= commits; g++)
		if (write_commit(writer, g, &error))
			fail_msg("%s", error.text);
	trawl_writer_close(writer);
}

static void threads_see_whole_commits_beside_a_writer(void **state)
{
	(void)state;
	const char *path = scratch_path("threads.trawl");
	atomic_bool done = false;
	struct thread_reader *readers = calloc(READERS, sizeof *readers);
	pthread_t threads[READERS];
	unsigned before = count_descriptors();
	commit_many(path, 1);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct thread_reader){
		    .reader = {.naive = naive_new(&analysis), .random = {i + 1}}, .path = path, .done = &done};
		assert_int_equal(pthread_create(&threads[i], NULL, read_until_done, &readers[i]), 0);
	}
	trawl_error error = {0};
	trawl_writer *writer;
	int code = trawl_writer_open(&writer, path, NULL, &error);
	for (unsigned g = 2; !code && g <= commits_wanted(); g++)
		code = write_commit(writer, g, &error);
	if (!code)
		trawl_writer_close(writer);
	atomic_store(&done, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	if (code)
		fail_msg("%s", error.text);
	for (unsigned i = 0; i < READERS; i++) {
		if (readers[i].reader.why[0])
			fail_msg("reader %u: %s", i, readers[i].reader.why);
		naive_free(readers[i].reader.naive);
	}
	free(readers);
	assert_int_equal(count_descriptors(), before);
	scratch_clear();
}

/* ---- processes ---- */

/* A child that a signal ends, and that says in its exit status whether all was right. */
static pid_t start(int (*work)(const char *path, unsigned number), const char *path, unsigned number)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], SIG_DFL);
	alarm(1200);
	_exit(work(path, number));
}

static int read_for_ever(const char *path, unsigned number)
{
	struct reader reader = {.naive = naive_new(&analysis), .random = {number}};
	while (look(&reader, path))
		if (getppid() == 1)
			return 0;
	fprintf(stderr, "reader %u: %s\n", number, reader.why);
	return 1;
}

/* Go on from the last commit until there are as many as wanted. */
static int write_to_the_end(const char *path, unsigned commits)
{
	trawl_error error = {0};
	trawl_writer *writer;
	trawl_index *index;
	uint64_t last = 0;
	const trawl_writer_options options = {.analysis = analysis, .wait = true};
	int code = trawl_writer_open(&writer, path, &options, &error);
	if (!code)
		code = trawl_open(&index, path, &error);
	if (!code) {
		code = read_number(index, &last, &error);
		trawl_close(index);
	}
	for (uint64_t g = last + 1; !code && g <= commits; g++)
		code = write_commit(writer, g, &error);
	if (!code)
		trawl_writer_close(writer);
	else
		fprintf(stderr, "writer: %s\n", error.text);
	return code ? 1 : 0;
}

static void rest(struct random *random, uint64_t most_microseconds)
{
	struct timespec time = {0, (long)(1 + random_below(random, most_microseconds)) * 1000};
	nanosleep(&time, NULL);
}

static void end(pid_t child)
{
	int status;
	kill(child, SIGCONT);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) /* a reader never ends by itself but when something is wrong */
		fail_msg("a reader ended with status %d", WEXITSTATUS(status));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool ended(pid_t child, bool *right)
{
	int status;
	pid_t got = waitpid(child, &status, WNOHANG);
	assert_true(got == 0 || got == child);
	*right = got && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return got == child;
}

/* The number of kills is fixed, so that the test takes as long as it needs and no longer. */
static void killed_and_stopped_processes_disturb_nobody(void **state)
{
	(void)state;
	const char *path = scratch_path("processes.trawl");
	struct random random = {11};
	pid_t readers[READERS];
	bool right;
	commit_many(path, 1);
	for (unsigned i = 0; i < READERS; i++)
		readers[i] = start(read_for_ever, path, i + 1);
	unsigned readers_made = READERS;
	for (unsigned round = 0; round < commits_wanted() / 2; round++) {
		pid_t writer = start(write_to_the_end, path, 100000);
		pid_t *reader = &readers[random_below(&random, READERS)];
		rest(&random, 20000);
		kill(*reader, SIGSTOP);
		rest(&random, 20000);
		if (random_chance(&random, 0.5)) { /* stopped in the middle of something, and killed there */
			end(*reader);
			*reader = start(read_for_ever, path, ++readers_made);
		} else {
			kill(*reader, SIGCONT);
		}
		kill(writer, SIGSTOP);
		rest(&random, 5000);
		end(writer);
	}
	trawl_index *index;
	uint64_t number = 0;
	trawl_error error = {0};
	if (trawl_open(&index, path, &error) || read_number(index, &number, &error))
		fail_msg("%s", error.text);
	trawl_close(index);
	pid_t writer = start(write_to_the_end, path, (unsigned)number + 5);
	while (!ended(writer, &right))
		rest(&random, 10000);
	assert_true(right);
	struct reader last = {.naive = naive_new(&analysis), .random = {5}};
	if (!look(&last, path))
		fail_msg("%s", last.why);
	assert_true(last.number == number + 5);
	naive_free(last.naive);
	for (unsigned i = 0; i < READERS; i++)
		end(readers[i]);
	scratch_clear();
}

static int holding[2]; /* a pipe: a byte for each child that has its snapshot open */

static int hold_for_ever(const char *path, unsigned number)
{
	trawl_index *index;
	trawl_error error;
	(void)number;
	if (trawl_open(&index, path, &error) || write(holding[1], "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* A reader that is killed while it has a snapshot open. */
static void kill_a_reader(const char *path)
{
	char byte;
	assert_int_equal(pipe(holding), 0);
	pid_t child = start(hold_for_ever, path, 0);
	close(holding[1]);
	assert_int_equal(read(holding[0], &byte, 1), 1);
	close(holding[0]);
	end(child);
}

static void killed_readers_leave_nothing(void **state)
{
	(void)state;
	const char *path = scratch_path("slots.trawl");
	commit_many(path, 2);
	for (unsigned i = 0; i < MANY; i++)
		kill_a_reader(path);
	struct reader reader = {.naive = naive_new(&analysis), .random = {5}};
	if (!look(&reader, path))
		fail_msg("%s", reader.why);
	naive_free(reader.naive);
	scratch_clear();
}

static uint64_t file_size(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_size;
}

static void a_killed_reader_holds_no_pages_of_a_writer_that_stays_open(void **state)
{
	(void)state;
	const char *path = scratch_path("pages.trawl");
	trawl_error error = {0};
	trawl_writer *writer;
	const trawl_writer_options options = {.analysis = analysis};
	commit_many(path, 3);
	if (trawl_writer_open(&writer, path, &options, &error))
		fail_msg("%s", error.text);
	kill_a_reader(path);
	for (uint64_t g = 4; g <= 40; g++)
		if (write_commit(writer, g, &error))
			fail_msg("%s", error.text);
	uint64_t then = file_size(path);
	for (uint64_t g = 41; g <= 120; g++)
		if (write_commit(writer, g, &error))
			fail_msg("%s", error.text);
	trawl_writer_close(writer);
	trawl_index *index;
	trawl_index_stats stats;
	if (trawl_open(&index, path, &error) || trawl_get_stats(index, &stats, &error))
		fail_msg("%s", error.text);
	trawl_close(index);
	/* Replaced pages are used again: few are free. */
	uint64_t used = stats.file_bytes - stats.free_bytes;
	if (stats.free_bytes > used + (64 << 12))
		fail_msg("%llu bytes after 40 commits, %llu after 120, %llu of them in use", (unsigned long long)then,
		         (unsigned long long)stats.file_bytes, (unsigned long long)used);
	scratch_clear();
}

static void opening_and_closing_grows_nothing(void **state)
{
	(void)state;
	const char *path = scratch_path("open.trawl");
	commit_many(path, 3);
	struct reader reader = {.naive = naive_new(&analysis), .random = {5}};
	assert_true(look(&reader, path));
	unsigned before = count_descriptors();
	for (unsigned i = 0; i < MANY; i++)
		if (!look(&reader, path))
			fail_msg("%s", reader.why);
	assert_int_equal(count_descriptors(), before);
	naive_free(reader.naive);
	scratch_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_see_whole_commits_beside_a_writer),
	    cmocka_unit_test(killed_and_stopped_processes_disturb_nobody),
	    cmocka_unit_test(killed_readers_leave_nothing),
	    cmocka_unit_test(a_killed_reader_holds_no_pages_of_a_writer_that_stays_open),
	    cmocka_unit_test(opening_and_closing_grows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
