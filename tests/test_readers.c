/* Who reads which commit: a writer looks for locks on the index file, and uses no page again that a commit needs which somebody
 * reads, or is about to read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/readers.h"
#include "store/store.h"
#include "tests/check.h"
#include "tests/child.h"
#include "tests/scratch.h"

enum { EXTENTS = 24, COMMITS = 40, EXTENT_BYTES = 6000 };

static trawl_error error;

/* ---- the locks ------------------------------------------------------------------------------------------------- */

static int open_again(const char *name)
{
	int file = file_open(scratch_path(name), O_RDWR | O_CREAT, 0600);
	assert_true(file > 2);
	return file;
}

static void expect_lowest(int file, uint64_t most, uint64_t expected)
{
	uint64_t lowest = 77;
	assert_int_equal(readers_lowest(file, most, &lowest), 0);
	assert_int_equal(lowest, expected);
}

static void the_lowest_reader_is_found_wherever_it_stands(void **state)
{
	(void)state;
	int writer = open_again("file"), one = open_again("file"), other = open_again("file");
	bool found;
	expect_lowest(writer, 9, 9);
	expect_lowest(writer, 0, 0);
	assert_int_equal(readers_lock(one, READERS_AT, 7), 0);
	assert_int_equal(readers_lock(one, READERS_AT, 5), 0);
	assert_int_equal(readers_lock(one, READERS_AT, 6), 0); /* the system makes one lock of them */
	assert_int_equal(readers_lock(other, READERS_AT, 6), 0);
	expect_lowest(writer, 9, 5);
	expect_lowest(writer, 4, 4);
	expect_lowest(one, 9, 6); /* one's own are none */
	assert_int_equal(readers_lock(other, READERS_COMING, 3), 0);
	expect_lowest(writer, 9, 3);
	assert_int_equal(readers_unlock(other, READERS_COMING, 3), 0);
	assert_int_equal(readers_unlock(one, READERS_AT, 5), 0);
	expect_lowest(writer, 9, 6);
	assert_int_equal(readers_from(writer, 8, &found), 0);
	assert_false(found);
	assert_int_equal(readers_from(writer, 7, &found), 0);
	assert_true(found);
	close(one);
	expect_lowest(writer, 9, 6);
	close(other);
	expect_lowest(writer, 9, 9);
	assert_int_equal(readers_lock(writer, READERS_AT, COMMIT_NUMBER_MAX), 0);
	assert_int_equal(readers_lock(writer, READERS_AT, COMMIT_NUMBER_MAX + 1), EOVERFLOW);
	close(writer);
	assert_int_equal(readers_lock(writer, READERS_AT, 1), EBADF);
	assert_false(readers_unsupported(EBADF));
	assert_true(readers_unsupported(EINVAL) && readers_unsupported(ENOLCK));
}

static void thousands_of_readers_are_looked_through(void **state)
{
	(void)state;
	enum { READERS = 2000 };
	static int files[READERS];
	struct rlimit limit = {READERS + 100, READERS + 100};
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		fprintf(stderr, "SKIP: no %d descriptors here\n", READERS);
		skip();
	}
	int writer = open_again("many");
	for (int i = 0; i < READERS; i++) {
		files[i] = open_again("many");
		assert_int_equal(readers_lock(files[i], READERS_AT, (uint64_t)(10 + READERS - i)), 0);
	}
	for (int i = READERS; i-- > 0; close(files[i]))
		if (i % 50 == 0)
			expect_lowest(writer, 1000000, (uint64_t)(10 + READERS - i));
	close(writer);
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

/* What stands in extent `extent` of commit `number`. */
static void make_payload(uint8_t payload[EXTENT_BYTES], uint64_t number, uint32_t extent)
{
	for (size_t i = 0; i < EXTENT_BYTES; i++)
		payload[i] = (uint8_t)(number * 31 + extent * 7 + i);
}

static void write_commit(struct store_batch *batch, uint64_t number)
{
	uint8_t payload[EXTENT_BYTES];
	CHECK(store_batch_hold(batch, &error));
	for (uint32_t extent = 0; extent < EXTENTS; extent++) {
		make_payload(payload, number, extent);
		CHECK(store_batch_put(batch, 1, 9, extent, payload, EXTENT_BYTES, &error));
	}
	CHECK(store_batch_commit(batch, (const uint8_t *)&number, sizeof number, &error));
}

/* Whether the snapshot is whole, and of one commit: 0, or what is wrong. */
static int look_through(struct snapshot *snapshot)
{
	const uint8_t *payload;
	uint32_t length;
	uint64_t number;
	uint8_t expected[EXTENT_BYTES];
	if (snapshot_extent(snapshot, 0, PART_MANIFEST, 0, &payload, &length, &error) || length != sizeof number)
		return 1;
	memcpy(&number, payload, sizeof number);
	for (uint32_t extent = 0; extent < EXTENTS; extent++) {
		make_payload(expected, number, extent);
		if (snapshot_extent(snapshot, 1, 9, extent, &payload, &length, &error) || length != EXTENT_BYTES)
			return 2;
		if (memcmp(payload, expected, EXTENT_BYTES) != 0)
			return 3;
	}
	return snapshot_verify(snapshot, &error) ? 4 : 0;
}

static struct store *make_store(const char *name, struct store_batch **batch)
{
	struct store *store;
	CHECK(store_open(&store, scratch_path(name), true, &error));
	CHECK(store_batch_new(batch, store, &error));
	for (uint64_t number = 1; number <= 3; number++)
		write_commit(*batch, number);
	return store;
}

/* A process that has a snapshot, and looks through it when it is woken. */
static pid_t start_reader(const char *path)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork_mortal(120);
	if (!child) {
		struct store *store;
		struct snapshot *snapshot;
		if (store_open(&store, path, false, &error) || snapshot_open(&snapshot, store, &error))
			_exit(100);
		if (write(ready[1], "", 1) != 1)
			_exit(101);
		raise(SIGSTOP);
		_exit(look_through(snapshot));
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static int wake(pid_t reader)
{
	int status;
	assert_int_equal(waitpid(reader, &status, WUNTRACED), reader);
	assert_true(WIFSTOPPED(status));
	kill(reader, SIGCONT);
	return exit_of(reader);
}

static uint64_t size_of(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_size;
}

static void pages_that_a_stopped_reader_needs_are_not_used_again(void **state)
{
	(void)state;
	struct store_batch *batch;
	pid_t readers[4];
	const char *path = scratch_path("stopped");
	struct store *store = make_store("stopped", &batch);
	uint64_t number = 4;
	for (size_t i = 0; i < 4; i++) {
		readers[i] = start_reader(path);
		for (int more = 0; more < COMMITS / 4; more++)
			write_commit(batch, number++);
	}
	/* The second goes first: what the others need stays. */
	static const size_t order[4] = {1, 0, 3, 2};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(wake(readers[order[i]]), 0);
		for (int more = 0; more < COMMITS; more++)
			write_commit(batch, number++);
	}
	store_batch_free(batch);
	store_close(store);
}

static void a_writer_of_another_process_leaves_them_alone_too(void **state)
{
	(void)state;
	struct store_batch *batch;
	struct snapshot *snapshot;
	const char *path = scratch_path("two");
	struct store *store = make_store("two", &batch);
	store_batch_free(batch);
	CHECK(snapshot_open(&snapshot, store, &error));
	for (int round = 0; round < 3; round++) {
		pid_t child = fork_mortal(120);
		if (!child) {
			struct store *own;
			if (store_open(&own, path, false, &error) || store_batch_new(&batch, own, &error))
				_exit(1);
			for (uint64_t number = 10; number < 10 + COMMITS; number++)
				write_commit(batch, number);
			raise(SIGKILL); /* without a word */
		}
		assert_int_equal(exit_of(child), -SIGKILL);
		assert_int_equal(look_through(snapshot), 0);
	}
	snapshot_close(snapshot);
	store_close(store);
}

/* One that took the lock of its coming, and was stopped before it began. */
static void a_reader_that_is_about_to_begin_counts(void **state)
{
	(void)state;
	struct store_batch *batch;
	const char *path = scratch_path("coming");
	struct store *store = make_store("coming", &batch);
	for (uint64_t number = 4; number < 20; number++)
		write_commit(batch, number);
	uint64_t before = size_of(path);
	for (uint64_t number = 20; number < 20 + COMMITS; number++)
		write_commit(batch, number);
	assert_int_equal(size_of(path), before); /* nobody reads: pages are used again */
	int file = open_again("coming");
	assert_int_equal(readers_lock(file, READERS_COMING, 5), 0);
	for (uint64_t number = 70; number < 70 + COMMITS; number++)
		write_commit(batch, number);
	assert_true(size_of(path) > before + (uint64_t)COMMITS * EXTENTS * EXTENT_BYTES / 2);
	close(file);
	before = size_of(path);
	for (uint64_t number = 70; number < 70 + COMMITS; number++)
		write_commit(batch, number);
	assert_int_equal(size_of(path), before);
	store_batch_free(batch);
	store_close(store);
}

static void readers_that_died_hold_nothing(void **state)
{
	(void)state;
	struct store_batch *batch;
	const char *path = scratch_path("died");
	struct store *store = make_store("died", &batch);
	for (uint64_t number = 4; number < 20; number++)
		write_commit(batch, number);
	uint64_t before = size_of(path);
	for (uint64_t number = 20; number < 20 + COMMITS; number++) {
		pid_t reader = start_reader(path);
		assert_int_equal(store_readers(store), 1);
		kill(reader, SIGKILL);
		assert_int_equal(exit_of(reader), -SIGKILL);
		assert_int_equal(store_readers(store), 0);
		write_commit(batch, number);
	}
	assert_int_equal(size_of(path), before);
	store_batch_free(batch);
	store_close(store);
}

/* Closing a descriptor of a file drops the process's POSIX locks on it; these are of another kind. */
static void a_program_may_open_and_close_the_files_itself(void **state)
{
	(void)state;
	struct store_batch *batch;
	struct snapshot *snapshot;
	char path[1024];
	snprintf(path, sizeof path, "%s", scratch_path("own")); /* that text does not stay */
	struct store *store = make_store("own", &batch);
	CHECK(snapshot_open(&snapshot, store, &error));
	for (uint64_t number = 4; number < 4 + COMMITS; number++) {
		close(open(path, O_RDWR | O_CLOEXEC));
		close(open(scratch_path("own-lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
		write_commit(batch, number);
	}
	assert_int_equal(look_through(snapshot), 0);
	/* Nor does it let a second writer in. */
	pid_t child = fork_mortal(60);
	if (!child) {
		struct store *again;
		if (store_open(&again, path, false, &error))
			_exit(1);
		_exit(store_batch_new(&batch, again, &error) == TRAWL_EBUSY ? 0 : 2);
	}
	assert_int_equal(exit_of(child), 0);
	snapshot_close(snapshot);
	store_batch_free(batch);
	store_close(store);
}

/* A child shares its parent's descriptions: neither may give back what the other holds. */
static void a_forked_child_holds_nothing_of_its_parent_s(void **state)
{
	(void)state;
	struct store_batch *batch;
	struct snapshot *snapshot, *none;
	const char *path = scratch_path("forked");
	struct store *store = make_store("forked", &batch);
	CHECK(snapshot_open(&snapshot, store, &error));
	pid_t child = fork_mortal(60);
	if (!child) {
		struct store *own;
		int code = snapshot_open(&none, store, &error) == TRAWL_EINVAL ? 0 : 1;
		snapshot_close(snapshot);
		if (!code)
			code = store_open(&own, path, false, &error) || own == store;
		_exit(code);
	}
	assert_int_equal(exit_of(child), 0);
	for (uint64_t number = 4; number < 4 + COMMITS; number++)
		write_commit(batch, number);
	assert_int_equal(look_through(snapshot), 0);
	snapshot_close(snapshot);
	/* And a child that lives on does not hold what its parent held. */
	CHECK(snapshot_open(&snapshot, store, &error));
	child = fork_mortal(60);
	if (!child) {
		pause();
		_exit(0);
	}
	int file = open_again("forked");
	expect_lowest(file, COMMIT_NUMBER_MAX, snapshot_transaction(snapshot));
	snapshot_close(snapshot);
	expect_lowest(file, COMMIT_NUMBER_MAX, COMMIT_NUMBER_MAX);
	close(file);
	kill(child, SIGKILL);
	exit_of(child);
	store_batch_free(batch);
	store_close(store);
}

/* ---- commits that came to nothing ------------------------------------------------------------------------------ */

static void nothing_is_written_while_an_undone_commit_is_read(void **state)
{
	(void)state;
	struct store_batch *batch, *other;
	struct store *store = make_store("undone", &batch);
	struct snapshot *snapshot;
	CHECK(snapshot_open(&snapshot, store, &error));
	uint64_t number = snapshot_transaction(snapshot);
	snapshot_close(snapshot);
	store_batch_free(batch);
	int file = open_again("undone");
	assert_int_equal(readers_lock(file, READERS_AT, number + 1), 0);
	assert_int_equal(store_batch_new(&other, store, &error), TRAWL_EBUSY);
	assert_non_null(strstr(error.text, "a commit whose writing failed"));
	close(file);
	CHECK(store_batch_new(&other, store, &error));
	write_commit(other, number + 1);
	store_batch_free(other);
	store_close(store);
}

/* ---- address space --------------------------------------------------------------------------------------------- */

static int read_in_little_space(const char *path)
{
	struct rlimit limit;
	struct store *store;
	struct store_batch *batch;
	struct snapshot *snapshot, *later;
	unsigned long long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (!statm || fscanf(statm, "%llu", &pages) != 1)
		return 77;
	fclose(statm);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + ((rlim_t)400 << 20);
	if (setrlimit(RLIMIT_AS, &limit) != 0 || store_open(&store, path, false, &error) ||
	    snapshot_open(&snapshot, store, &error))
		return 1;
	/* Beyond what was mapped: 64 MiB, and twice the file. */
	if (store_batch_new(&batch, store, &error))
		return 2;
	static uint8_t zeros[EXTENT_PAYLOAD];
	for (uint32_t extent = 0; extent < 400; extent++)
		if (store_batch_put(batch, 2, 9, extent, zeros, EXTENT_PAYLOAD, &error))
			return 3;
	write_commit(batch, 50);
	store_batch_free(batch);
	if (snapshot_open(&later, store, &error) || look_through(later) || look_through(snapshot))
		return 4;
	snapshot_close(snapshot);
	snapshot_close(later);
	store_close(store);
	return 0;
}

static int read_in_no_space(const char *path)
{
	struct rlimit limit;
	struct store *store;
	unsigned long long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (!statm || fscanf(statm, "%llu", &pages) != 1)
		return 77;
	fclose(statm);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + ((rlim_t)8 << 20);
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	int code = store_open(&store, path, false, &error);
	return code == TRAWL_ENOMEM && strstr(error.text, "address space that is left (ulimit -v)") ? 0 : 2;
}

static void a_limit_of_the_address_space_is_kept_to(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	fprintf(stderr, "SKIP: sanitizers need more address space than any limit\n");
	skip();
#endif
	struct store_batch *batch;
	const char *path = scratch_path("limited");
	struct store *store = make_store("limited", &batch);
	store_batch_free(batch);
	store_close(store);
	assert_int_equal(in_child(read_in_little_space, path), 0);
	assert_int_equal(in_child(read_in_no_space, path), 0); /* its hundred megabytes do not fit */
}

/* ---- the standard descriptors ---------------------------------------------------------------------------------- */

/* Everything that the library opens, in a process that runs with its standard descriptors closed, as under a daemon. */
static int live_without_standard(const char *path)
{
	struct store *store;
	struct store_batch *batch;
	struct snapshot *snapshot;
	uint64_t bytes;
	close(0);
	close(1);
	close(2);
	if (store_open(&store, path, true, &error) || store_batch_new(&batch, store, &error))
		return 1;
	write_commit(batch, 1);
	if (snapshot_open(&snapshot, store, &error) || look_through(snapshot))
		return 2;
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) >= 0 || write(i, "not in the index", 16) >= 0)
			return 3;
	snapshot_close(snapshot);
	if (store_compact(store, &bytes, NULL, NULL, &error))
		return 4;
	store_batch_free(batch);
	store_close(store);
	return fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0 ? 5 : 0;
}

static void nothing_of_an_index_is_a_standard_descriptor(void **state)
{
	(void)state;
	assert_int_equal(in_child(live_without_standard, scratch_path("standard")), 0);
}

int main(void)
{
	if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* nothing here is about disks */
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(the_lowest_reader_is_found_wherever_it_stands, clear),
	    cmocka_unit_test_teardown(thousands_of_readers_are_looked_through, clear),
	    cmocka_unit_test_teardown(pages_that_a_stopped_reader_needs_are_not_used_again, clear),
	    cmocka_unit_test_teardown(a_writer_of_another_process_leaves_them_alone_too, clear),
	    cmocka_unit_test_teardown(a_reader_that_is_about_to_begin_counts, clear),
	    cmocka_unit_test_teardown(readers_that_died_hold_nothing, clear),
	    cmocka_unit_test_teardown(a_program_may_open_and_close_the_files_itself, clear),
	    cmocka_unit_test_teardown(a_forked_child_holds_nothing_of_its_parent_s, clear),
	    cmocka_unit_test_teardown(nothing_is_written_while_an_undone_commit_is_read, clear),
	    cmocka_unit_test_teardown(a_limit_of_the_address_space_is_kept_to, clear),
	    cmocka_unit_test_teardown(nothing_of_an_index_is_a_standard_descriptor, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
