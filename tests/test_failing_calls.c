/*
 * Calls that fail: of the system, of LMDB, of memory. Each call of each function named here, made while an index is made, written to, swept,
 * read or compacted, fails once or from then on. Whatever fails, the last commit is there afterwards or the new one, nothing of either is
 * missing, no descriptor stays open, and the next commit succeeds.
 *
 * The linker puts the __wrap_ functions in the place of those that the library calls (tests/checks.mk has their names).
 */
#include "segment/segment.h"
#include "store/create.h"

#include "tests/failing_calls.h"
#include "tests/file_bytes.h"
#include "tests/index_verbs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <zstd.h>

/* ---- calls that fail when told to ------------------------------------------------------------------------------ */

FAILING(ssize_t, pread, (int file, void *bytes, size_t length, off_t at), (file, bytes, length, at), -1)
FAILING(ssize_t, pwrite, (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at), -1)
FAILING(int, stat, (const char *path, struct stat *status), (path, status), -1)
FAILING(int, fstat, (int file, struct stat *status), (file, status), -1)
FAILING(int, flock, (int file, int operation), (file, operation), -1)
FAILING(int, fsync, (int file), (file), -1)
FAILING(int, ftruncate, (int file, off_t length), (file, length), -1)
FAILING(int, fallocate, (int file, int mode, off_t at, off_t length), (file, mode, at, length), -1)
FAILING(int, link, (const char *from, const char *to), (from, to), -1)
FAILING(int, rename, (const char *from, const char *to), (from, to), -1)
FAILING(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group), -1)
FAILING(int, fchmod, (int file, mode_t mode), (file, mode), -1)
FAILING(char *, realpath, (const char *path, char *real), (path, real), NULL)
FAILING(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)

static bool disk_full, disk_shared; /* or said to be */

int __real_statfs(const char *path, struct statfs *status);
int __wrap_statfs(const char *path, struct statfs *status);
int __wrap_statfs(const char *path, struct statfs *status)
{
	int code = call_fails("statfs") ? -1 : __real_statfs(path, status);
	if (disk_shared)
		status->f_type = 0x6969;
	return code;
}

int __real_statvfs(const char *path, struct statvfs *status);
int __wrap_statvfs(const char *path, struct statvfs *status);
int __wrap_statvfs(const char *path, struct statvfs *status)
{
	memset(status, 0x7f, sizeof *status); /* nobody must believe it */
	int code = call_fails("statvfs") ? -1 : __real_statvfs(path, status);
	if (disk_full)
		status->f_bavail = 0;
	return code;
}

/* Whether a file is there is asked for other reasons than whether it may be written to. */
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	return call_fails(mode == F_OK ? "access to see" : "access") ? -1 : __real_access(path, mode);
}

/* Those with a number of arguments that depends. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
	va_end(rest);
	return call_fails("open") ? -1 : __real_open(path, flags, mode);
}

int __real_fcntl(int file, int command, ...);
int __wrap_fcntl(int file, int command, ...);
int __wrap_fcntl(int file, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	return call_fails("fcntl") ? -1 : __real_fcntl(file, command, argument);
}

FAILING(int, mdb_env_create, (MDB_env * *environment), (environment), failing_code())
FAILING(int, mdb_env_set_mapsize, (MDB_env * environment, size_t size), (environment, size), failing_code())
FAILING(int, mdb_env_open, (MDB_env * environment, const char *path, unsigned flags, mdb_mode_t mode),
        (environment, path, flags, mode), failing_code())
FAILING(int, mdb_txn_begin, (MDB_env * environment, MDB_txn *parent, unsigned flags, MDB_txn **out),
        (environment, parent, flags, out), failing_code())
FAILING(int, mdb_dbi_open, (MDB_txn * transaction, const char *name, unsigned flags, MDB_dbi *database),
        (transaction, name, flags, database), failing_code())
FAILING(int, mdb_get, (MDB_txn * transaction, MDB_dbi database, MDB_val *key, MDB_val *value),
        (transaction, database, key, value), failing_code())
FAILING(int, mdb_put, (MDB_txn * transaction, MDB_dbi database, MDB_val *key, MDB_val *value, unsigned flags),
        (transaction, database, key, value, flags), failing_code())
FAILING(int, mdb_cursor_open, (MDB_txn * transaction, MDB_dbi database, MDB_cursor **cursor),
        (transaction, database, cursor), failing_code())
FAILING(int, mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation),
        (cursor, key, value, operation), failing_code())
FAILING(int, mdb_cursor_del, (MDB_cursor * cursor, unsigned flags), (cursor, flags), failing_code())
FAILING(int, mdb_env_copyfd2, (MDB_env * environment, int file, unsigned flags), (environment, file, flags),
        failing_code())
FAILING(int, mdb_reader_list, (MDB_env * environment, MDB_msg_func *tell, void *context), (environment, tell, context),
        -1)

/* It frees the transaction in any case. */
int __real_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction)
{
	if (!call_fails("mdb_txn_commit"))
		return __real_mdb_txn_commit(transaction);
	mdb_txn_abort(transaction);
	return failing_code();
}

FAILING(void *, memory_new, (size_t size), (size), NULL)
FAILING(void *, memory_new_zeroed, (size_t count, size_t size), (count, size), NULL)
FAILING(bool, memory_reserve, (void *array, size_t *capacity, size_t wanted, size_t element),
        (array, capacity, wanted, element), false)
FAILING(bool, buffer_reserve, (struct buffer * buffer, size_t extra), (buffer, extra), false)
FAILING(bool, buffer_append, (struct buffer * buffer, const void *bytes, size_t length), (buffer, bytes, length), false)
FAILING(bool, buffer_append_byte, (struct buffer * buffer, uint8_t byte), (buffer, byte), false)
FAILING(bool, buffer_append_varint, (struct buffer * buffer, uint64_t value), (buffer, value), false)
FAILING(bool, buffer_pad, (struct buffer * buffer, size_t alignment), (buffer, alignment), false)

#define ZSTD_FAILURE ((size_t)-1)
FAILING(size_t, ZSTD_CCtx_setParameter, (ZSTD_CCtx * context, ZSTD_cParameter parameter, int value),
        (context, parameter, value), ZSTD_FAILURE)
FAILING(size_t, ZSTD_CCtx_refCDict, (ZSTD_CCtx * context, const ZSTD_CDict *dictionary), (context, dictionary),
        ZSTD_FAILURE)
FAILING(size_t, ZSTD_compressCCtx,
        (ZSTD_CCtx * context, void *out, size_t capacity, const void *from, size_t length, int level),
        (context, out, capacity, from, length, level), ZSTD_FAILURE)

static const struct call {
	const char *name;
	int codes[6]; /* each call fails with one of them, in turn */
} calls[] = {
    {"pread", {EIO, EINTR}},
    {"pwrite", {EIO, ENOSPC}},
    {"stat", {EIO, EACCES}},
    {"fstat", {EIO}},
    {"statvfs", {EIO}},
    {"statfs", {EIO}},
    {"access", {EACCES}},
    {"access to see", {EACCES, ENOENT}},
    {"flock", {EIO, EINTR}},
    {"fsync", {EIO, EINVAL}},
    {"ftruncate", {EIO}},
    {"fallocate", {ENOSPC, EOPNOTSUPP, EINTR, EDQUOT}},
    {"link", {EPERM, EIO, EMLINK, ENOSYS, EOPNOTSUPP}},
    {"rename", {EIO}},
    {"fchown", {EPERM, EIO}},
    {"fchmod", {EIO}},
    {"realpath", {EIO}},
    {"fopen", {EIO}},
    {"open", {EIO, EMFILE, ENOSPC, ENOENT}},
    {"fcntl", {EIO, EINTR}},
    {"mdb_env_create", {ENOMEM}},
    {"mdb_env_set_mapsize", {ENOMEM, EIO}},
    {"mdb_env_open", {ENOMEM, EIO, MDB_INVALID, EACCES, EAGAIN}},
    {"mdb_txn_begin", {EIO, MDB_READERS_FULL, MDB_PANIC}},
    {"mdb_txn_commit", {EIO, ENOSPC, MDB_MAP_FULL}},
    {"mdb_dbi_open", {ENOMEM}},
    {"mdb_get", {MDB_CORRUPTED, MDB_PAGE_NOTFOUND}},
    {"mdb_put", {MDB_MAP_FULL, MDB_TXN_FULL}},
    {"mdb_cursor_open", {ENOMEM}},
    {"mdb_cursor_get", {MDB_CORRUPTED}},
    {"mdb_cursor_del", {MDB_CORRUPTED}},
    {"mdb_env_copyfd2", {EIO, ENOSPC, MDB_INCOMPATIBLE}},
    {"mdb_reader_list", {EIO}},
    {"memory_new", {ENOMEM}},
    {"memory_new_zeroed", {ENOMEM}},
    {"memory_reserve", {ENOMEM}},
    {"buffer_reserve", {ENOMEM}},
    {"buffer_append", {ENOMEM}},
    {"buffer_append_byte", {ENOMEM}},
    {"buffer_append_varint", {ENOMEM}},
    {"buffer_pad", {ENOMEM}},
    {"ZSTD_CCtx_setParameter", {ENOMEM}},
    {"ZSTD_CCtx_refCDict", {ENOMEM}},
    {"ZSTD_compressCCtx", {ENOMEM}},
};

/* ---- indexes and what is done with them ------------------------------------------------------------------------ */

static const trawl_writer_options small = {.memory_budget = 4 << 20, .threads = 1};

static int put(trawl_writer *writer, const char *id, const char *text)
{
	trawl_document document = document_of(id, text);
	return trawl_writer_add(writer, &document, &error);
}

static int make_index(const char *path)
{
	trawl_writer *writer = NULL;
	int status = trawl_writer_open(&writer, path, &small, &error);
	if (!status)
		status = put(writer, "a", "red green");
	if (!status)
		status = put(writer, "b", "blue red red");
	if (!status)
		status = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	return status;
}

/* Replaces a document, deletes one, adds one. */
static int change_index(const char *path)
{
	trawl_writer *writer = NULL;
	int status = trawl_writer_open(&writer, path, &small, &error);
	if (!status)
		status = put(writer, "a", "green green");
	if (!status)
		status = trawl_writer_delete(writer, "b", 1, &error);
	if (!status)
		status = put(writer, "n", "new fish");
	if (!status)
		status = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	return status;
}

static int merge_index(const char *path)
{
	trawl_writer *writer = NULL;
	int status = trawl_writer_open(&writer, path, &small, &error);
	if (!status)
		status = trawl_writer_merge(writer, 1, &error);
	trawl_writer_close(writer);
	return status;
}

static int compact_index(const char *path)
{
	trawl_compaction sizes;
	return trawl_compact(path, false, &sizes, &error);
}

static int read_index(const char *path)
{
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_stored *stored = NULL;
	trawl_document document;
	trawl_snippet snippet;
	trawl_search_options options = {.top = 10, .count = true, .stable_ties = true};
	size_t count = 0;
	int status = trawl_open(&index, path, &error);
	if (!status)
		status = trawl_searcher_new(&searcher, index, &error);
	if (!status)
		status = trawl_search(searcher, "\"blue red\"", 10, &options, &error);
	if (!status) {
		const trawl_hit *hits = trawl_hits(searcher, &count);
		assert_int_equal(count, 1);
		status = trawl_hit_snippet(searcher, hits[0].document, 0, &snippet, &error);
	}
	if (!status)
		status = trawl_fetch(index, "c", 1, &stored, &document, &error);
	if (!status)
		assert_memory_equal(document.text, "green fish", document.text_length);
	trawl_stored_free(stored);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return status;
}

static int open_twice(const char *path)
{
	trawl_index *index = NULL, *again = NULL;
	int status = trawl_open(&index, path, &error);
	if (!status)
		status = trawl_open(&again, path, &error);
	trawl_close(again);
	trawl_close(index);
	return status;
}

/* The texts of the documents that there may be. */
static const char *contents(const char *path)
{
	static const char *const ids[] = {"a", "b", "c", "n", "z"};
	static char texts[400];
	size_t length = 0;
	trawl_index *index = index_open(path);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		trawl_stored *stored;
		trawl_document document;
		int status = trawl_fetch(index, ids[i], 1, &stored, &document, &error);
		if (status == TRAWL_ENOTFOUND)
			continue;
		CHECK(status);
		length += (size_t)snprintf(texts + length, sizeof texts - length, "%s: %.*s. ", ids[i],
		                           (int)document.text_length, document.text);
		trawl_stored_free(stored);
	}
	texts[length] = 0;
	trawl_close(index);
	return texts;
}

#define OLD_TEXTS "a: red green. b: blue red red. c: green fish. "
#define NEW_TEXTS "a: green green. c: green fish. n: new fish. "
#define FIRST_TEXTS "a: red green. b: blue red red. "

/* The index that most of what follows starts with: two segments, dead documents, free pages, a value that fills pages. */
static struct file old_index(void)
{
	const char *path = scratch_path("old");
	char noise[9000];
	uint32_t random = 1;
	CHECK(make_index(path));
	for (size_t i = 0; i < sizeof noise - 1; i++) {
		random = random * 1103515245 + 12345;
		noise[i] = i % 7 == 6 ? ' ' : (char)('a' + (random >> 16) % 26);
	}
	noise[sizeof noise - 1] = 0;
	trawl_writer_options apart = small;
	apart.no_merge = true;
	for (int i = 0; i < 6; i++) {
		static const char *const ids[] = {"x", "y", "c", "c", "x", "y"};
		trawl_writer *writer;
		CHECK(trawl_writer_open(&writer, path, &apart, &error));
		CHECK(put(writer, ids[i], i == 3 ? "green fish" : i % 3 ? "gone" : noise));
		CHECK(trawl_writer_commit(writer, &error));
		trawl_writer_close(writer);
	}
	struct file file = file_read(path);
	scratch_clear();
	return file;
}

/* The same with extents of a segment that no manifest names. */
static struct file index_with_garbage(const struct file *old)
{
	const char *path = scratch_path("old");
	struct store *store;
	struct store_batch *batch;
	static uint8_t payload[20000];
	file_write(path, old->bytes, old->length);
	CHECK(store_open(&store, path, false, &error));
	CHECK(store_batch_new(&batch, store, &error));
	for (uint32_t extent = 0; extent < 3; extent++)
		CHECK(store_batch_put(batch, 77, PART_POSTINGS, extent, payload, extent * 9000, &error));
	CHECK(store_batch_hold(batch, &error));
	store_batch_free(batch);
	store_close(store);
	struct file file = file_read(path);
	scratch_clear();
	return file;
}

/* ---- each call in turn ----------------------------------------------------------------------------------------- */

struct life {
	const char *name;
	int (*run)(const char *path);
	const struct file *before; /* NULL: no file */
	const char *old_texts, *new_texts;
	bool reads;      /* it changes nothing */
	const char *too; /* fails each time, with this code */
	int too_code;
};

static int open_descriptors(void)
{
	int count = 0;
	DIR *folder = opendir("/proc/self/fd");
	while (folder && readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void assert_old_or_new(const struct life *life, const char *path, int status, const char *what)
{
	trawl_check_result checked;
	if (!life->before && status && access(path, F_OK) != 0)
		return;
	if (life->reads) {
		struct file now = file_read(path);
		if (now.length != life->before->length || memcmp(now.bytes, life->before->bytes, now.length) != 0)
			fail_msg("%s: the file has changed", what);
		free(now.bytes);
	}
	if (!life->before && status) {
		trawl_index *index = NULL;
		int opened = trawl_open(&index, path, &error);
		trawl_close(index);
		if (opened == TRAWL_ENOTINDEX) { /* a file without a commit */
			write_one(path, "z", "later");
			assert_string_equal(contents(path), "z: later. ");
			return;
		}
	}
	const char *texts = contents(path);
	bool is_new = strcmp(texts, life->new_texts) == 0, is_old = strcmp(texts, life->old_texts) == 0;
	if (!is_new && (!is_old || !status))
		fail_msg("%s: %s: %s", what, trawl_status_name(status), texts);
	CHECK(trawl_check(path, NULL, &checked, &error));
	if (checked.damages)
		fail_msg("%s: %d damages", what, (int)checked.damages);
	write_one(path, "z", "later");
	texts = contents(path);
	size_t length = strlen(is_new ? life->new_texts : life->old_texts);
	assert_memory_equal(texts, is_new ? life->new_texts : life->old_texts, length);
	assert_string_equal(texts + length, "z: later. ");
}

/* Whether there was a call that failed. */
static bool live_through(const struct life *life, const char *call, long after, bool on, int code)
{
	char what[200];
	const char *path = scratch_path("index");
	int descriptors = open_descriptors();
	snprintf(what, sizeof what, "%s, %s %ld%s: %s", life->name, call, after, on ? " and on" : "",
	         mdb_strerror(code));
	if (life->before)
		file_write(path, life->before->bytes, life->before->length);
	error = (trawl_error){0};
	fail_too(life->too, life->too_code);
	fail_calls(call, after, on, code);
	int status = life->run(path);
	bool met = stop_failing();
	if (status > 0 || (status && (error.code != status || !*error.text)))
		fail_msg("%s: %d, %d '%s'", what, status, error.code, error.text);
	if (status && code == EINTR)
		fail_msg("%s: not tried again: %s", what, error.text);
	if (status && !met)
		fail_msg("%s: %s without a failure", what, error.text);
	if (open_descriptors() != descriptors)
		fail_msg("%s: %d descriptors more", what, open_descriptors() - descriptors);
	assert_old_or_new(life, path, status, what);
	scratch_clear();
	return met;
}

static void fail_each_call(const struct life *life)
{
	long failures = 0;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int codes = 0;
		while (codes < 6 && calls[i].codes[codes])
			codes++;
		for (int on = 0; on < 2; on++) {
			bool met = true;
			int turn = 0;
			for (long n = 0; met; n += n < 12 ? 1 : 1 + n / 6)
				do {
					int code = calls[i].codes[turn++ % codes];
					/* What is interrupted is tried again, and would be for ever. */
					if (code != EINTR || !on)
						met = live_through(life, calls[i].name, n, on, code);
					failures += met;
				} while (n == 0 && turn < codes);
		}
	}
	fprintf(stderr, "  %s: %ld calls failed\n", life->name, failures);
	assert_true(failures > 50);
}

static struct file old, with_garbage;

static int make_files(void **state)
{
	(void)state;
	if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* nothing here is about disks */
	old = old_index();
	with_garbage = index_with_garbage(&old);
	return 0;
}

static int free_files(void **state)
{
	(void)state;
	free(old.bytes);
	free(with_garbage.bytes);
	return 0;
}

static void an_index_is_made_or_not(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"making", make_index, NULL, "", FIRST_TEXTS, false, NULL, 0});
}

static void a_commit_is_there_or_not(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"changing", change_index, &old, OLD_TEXTS, NEW_TEXTS, false, NULL, 0});
}

static void sweeping_takes_nothing_but_garbage(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"sweeping", change_index, &with_garbage, OLD_TEXTS, NEW_TEXTS, false, NULL, 0});
}

static void merging_and_compacting_change_no_text(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"merging", merge_index, &old, OLD_TEXTS, OLD_TEXTS, false, NULL, 0});
	fail_each_call(&(struct life){"compacting", compact_index, &old, OLD_TEXTS, OLD_TEXTS, false, NULL, 0});
}

/* As where LMDB has lost pages. */
static void compacting_entry_by_entry_changes_no_text(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"compacting entries", compact_index, &old, OLD_TEXTS, OLD_TEXTS, false,
	                              "mdb_env_copyfd2", MDB_INCOMPATIBLE});
}

/* What is in place afterwards may be as good, but it is not what was asked for. */
static void a_compaction_that_could_not_write_says_so(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		long after;
	} writes[] = {{"pwrite", 0}, {"pwrite", 1}, {"fsync", 0}, {"rename", 0}};
	const char *path = scratch_path("index");
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		file_write(path, old.bytes, old.length);
		fail_calls(writes[i].name, writes[i].after, false, EIO);
		int status = compact_index(path);
		if (!stop_failing() || status != TRAWL_EIO)
			fail_msg("%s %ld: %s", writes[i].name, writes[i].after, trawl_status_name(status));
		assert_string_equal(contents(path), OLD_TEXTS);
		clear(state);
	}
}

/* It would remove what it had made itself. */
static void a_writer_that_does_not_see_a_file_and_cannot_read_it_leaves_it(void **state)
{
	(void)state;
	static const char *const reading[] = {"mdb_txn_begin", "mdb_get", "mdb_cursor_open", "memory_new_zeroed"};
	for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
		struct life life = {"not seen", change_index,    &old,  OLD_TEXTS, NEW_TEXTS,
		                    false,      "access to see", ENOENT};
		for (long n = 0; live_through(&life, reading[i], n, true, EIO); n++)
			continue;
	}
}

/* ---- what is said ---------------------------------------------------------------------------------------------- */

static void every_error_of_lmdb_has_a_status_and_a_text(void **state)
{
	(void)state;
	static const struct {
		int code, status;
		const char *says;
	} errors[] = {{MDB_CORRUPTED, TRAWL_ECORRUPT, "is damaged"},
	              {MDB_PAGE_NOTFOUND, TRAWL_ECORRUPT, "is damaged"},
	              {MDB_PAGE_FULL, TRAWL_ECORRUPT, "is damaged"},
	              {MDB_CURSOR_FULL, TRAWL_ECORRUPT, "is damaged"},
	              {MDB_BAD_TXN, TRAWL_ECORRUPT, "is damaged"},
	              {MDB_PANIC, TRAWL_EIO, "an earlier commit could not be written"},
	              {MDB_INVALID, TRAWL_ENOTINDEX, "is not a trawl index"},
	              {MDB_VERSION_MISMATCH, TRAWL_EVERSION, "another version of LMDB"},
	              {MDB_TXN_FULL, TRAWL_EFULL, "has outgrown its address space"},
	              {MDB_MAP_FULL, TRAWL_EFULL, "has outgrown its address space"},
	              {ENOMEM, TRAWL_ENOMEM, "out of memory"},
	              {EACCES, TRAWL_EIO, "no permission"},
	              {EPERM, TRAWL_EIO, "no permission"},
	              {ENOENT, TRAWL_ENOTFOUND, "no such index"},
	              {ENOSPC, TRAWL_EFULL, "the disk is full"},
	              {EDQUOT, TRAWL_EFULL, "the disk is full"},
	              {EFBIG, TRAWL_EFULL, "(ulimit -f)"},
	              {EIO, TRAWL_EIO, "while starting to read"}};
	const char *path = scratch_path("index");
	struct store *store;
	struct snapshot *snapshot;
	file_write(path, old.bytes, old.length);
	CHECK(store_open(&store, path, false, &error));
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		fail_calls("mdb_txn_begin", 0, true, errors[i].code);
		int status = snapshot_open(&snapshot, store, &error);
		stop_failing();
		if (status != errors[i].status || error.code != status || !strstr(error.text, errors[i].says))
			fail_msg("%s: %s: %s", mdb_strerror(errors[i].code), trawl_status_name(status), error.text);
	}
	struct store *other = NULL;
	file_write(scratch_path("other"), old.bytes, old.length);
	fail_calls("mdb_env_open", 0, true,
	           MDB_INVALID); /* its pages were looked at before, so that it is no other file */
	assert_int_equal(store_open(&other, scratch_path("other"), false, &error), TRAWL_EIO);
	stop_failing();
	assert_non_null(strstr(error.text, "its first pages could not be read"));
	/* A short write comes as EIO: the file system tells whether for want of room. */
	disk_full = true;
	fail_calls("mdb_txn_begin", 0, true, EIO);
	int status = snapshot_open(&snapshot, store, &error);
	stop_failing();
	assert_int_equal(status, TRAWL_EFULL);
	fail_too("statvfs", EIO);
	fail_calls("mdb_txn_begin", 0, true, EIO);
	status = snapshot_open(&snapshot, store, &error);
	stop_failing();
	disk_full = false;
	assert_int_equal(status, TRAWL_EIO);
	assert_true(store_disk_left(store) > 0);
	assert_int_equal(store_readers(store), 0);
	CHECK(snapshot_open(&snapshot, store, &error));
	assert_int_equal(store_readers(store), 1);
	fail_calls("fcntl", 0, true, EIO);
	assert_true(store_readers(store) == SIZE_MAX); /* as many as there may be */
	fail_calls("statvfs", 0, true, EIO);
	assert_int_equal(store_disk_left(store), 0);
	stop_failing();
	snapshot_close(snapshot);
	store_close(store);
}

static void a_writer_that_is_not_alone_says_so_whatever_it_finds_out(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_writer *second;
	file_write(path, old.bytes, old.length);
	trawl_writer *first = writer_open(path);
	assert_int_equal(trawl_writer_open(&second, path, NULL, &error), TRAWL_EBUSY);
	assert_non_null(strstr(error.text, "is being written by process"));
	fail_calls("fopen", 0, true, EIO);
	assert_int_equal(trawl_writer_open(&second, path, NULL, &error), TRAWL_EBUSY);
	stop_failing();
	assert_non_null(strstr(error.text, "is being written by another process"));
	trawl_writer_close(first);
	assert_string_equal(contents(path), OLD_TEXTS);
}

static void an_index_on_a_network_file_system_is_opened_when_that_is_said_to_be_safe(void **state)
{
	(void)state;
	static const struct {
		const char *said;
		bool opens;
	} environments[] = {{NULL, false}, {"1", true}, {"0", false}, {"10", false}};
	const char *path = scratch_path("index");
	file_write(path, old.bytes, old.length);
	disk_shared = true;
	for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
		trawl_index *index = NULL;
		if (environments[i].said)
			setenv("TRAWL_SHARED_DISK", environments[i].said, 1);
		int status = trawl_open(&index, path, &error);
		trawl_close(index);
		assert_int_equal(status, environments[i].opens ? TRAWL_OK : TRAWL_EINVAL);
		if (status)
			assert_non_null(strstr(error.text, "TRAWL_SHARED_DISK=1"));
	}
	unsetenv("TRAWL_SHARED_DISK");
	disk_shared = false;
}

static void what_is_read_is_right_or_refused(void **state)
{
	(void)state;
	fail_each_call(&(struct life){"reading", read_index, &old, OLD_TEXTS, OLD_TEXTS, true, NULL, 0});
	fail_each_call(&(struct life){"opening twice", open_twice, &old, OLD_TEXTS, OLD_TEXTS, true, NULL, 0});
}

/* ---- the steps of creation, one by one ---- */

/* Each fails as said, and then takes that for `expected`. */
struct step {
	const char *call;
	int code, expected;
};

static void expect_steps(const struct step *steps, size_t count, int (*step)(const char *path))
{
	const char *path = scratch_path("index");
	for (size_t i = 0; i < count; i++) {
		fail_calls(steps[i].call, 0, steps[i].code != EINTR, steps[i].code);
		int told = step(path);
		if (!stop_failing() || told != steps[i].expected)
			fail_msg("%s: %s: %d instead of %d", steps[i].call, strerror(steps[i].code), told,
			         steps[i].expected);
	}
}

static void a_folder_is_synced_where_that_can_be(void **state)
{
	(void)state;
	static const struct step steps[] = {{"fsync", EIO, EIO}, {"fsync", EINVAL, 0}, {"open", EACCES, EACCES}};
	assert_int_equal(sync_folder(scratch_path("index")), 0);
	expect_steps(steps, sizeof steps / sizeof *steps, sync_folder);
}

static void a_path_leads_to_a_file_or_not_or_that_cannot_be_told(void **state)
{
	(void)state;
	struct stat status;
	const char *path = scratch_path("index");
	file_write(path, "x", 1);
	assert_int_equal(__real_stat(path, &status), 0);
	assert_int_equal(leads_to(path, &status), 1);
	assert_int_equal(leads_to(scratch_path("none"), &status), 0);
	status.st_dev++;
	assert_int_equal(leads_to(path, &status), 0);
	status.st_dev--;
	status.st_ino++;
	assert_int_equal(leads_to(path, &status), 0);
	fail_calls("stat", 0, false, EACCES);
	assert_int_equal(leads_to(path, &status), -EACCES);
	assert_true(stop_failing());
}

static void without_links_a_file_gets_its_name_unless_there_is_one(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	fail_too("link", EPERM);
	assert_int_equal(create_file(path, &error), 0);
	struct file file = file_read(path);
	assert_true(file.length > 0);
	free(file.bytes);
	file_write(path, "mine", 4);
	fail_too("link", EPERM);
	assert_int_equal(create_file(path, &error), 0);
	stop_failing();
	file = file_read(path);
	assert_int_equal(file.length, 4);
	assert_memory_equal(file.bytes, "mine", 4);
	free(file.bytes);
	unlink(path);
	fail_too("link", EPERM);
	fail_calls("rename", 0, true, EIO);
	assert_int_equal(create_file(path, &error), TRAWL_EIO);
	assert_true(stop_failing());
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(scratch_path("index-new"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(an_index_is_made_or_not, clear),
	    cmocka_unit_test_teardown(a_commit_is_there_or_not, clear),
	    cmocka_unit_test_teardown(sweeping_takes_nothing_but_garbage, clear),
	    cmocka_unit_test_teardown(merging_and_compacting_change_no_text, clear),
	    cmocka_unit_test_teardown(compacting_entry_by_entry_changes_no_text, clear),
	    cmocka_unit_test_teardown(a_compaction_that_could_not_write_says_so, clear),
	    cmocka_unit_test_teardown(a_writer_that_does_not_see_a_file_and_cannot_read_it_leaves_it, clear),
	    cmocka_unit_test_teardown(every_error_of_lmdb_has_a_status_and_a_text, clear),
	    cmocka_unit_test_teardown(a_writer_that_is_not_alone_says_so_whatever_it_finds_out, clear),
	    cmocka_unit_test_teardown(an_index_on_a_network_file_system_is_opened_when_that_is_said_to_be_safe, clear),
	    cmocka_unit_test_teardown(what_is_read_is_right_or_refused, clear),
	    cmocka_unit_test_teardown(a_folder_is_synced_where_that_can_be, clear),
	    cmocka_unit_test_teardown(a_path_leads_to_a_file_or_not_or_that_cannot_be_told, clear),
	    cmocka_unit_test_teardown(without_links_a_file_gets_its_name_unless_there_is_one, clear),
	};
	return cmocka_run_group_tests(tests, make_files, free_files);
}
