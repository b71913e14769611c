#include "indexer/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"

#define WRITE_BYTES ((size_t)256 << 10)

/* ---- writing ---- */

struct run_writer {
	struct run *run;
	struct buffer out, postings, positions;
	uint32_t *scratch;
	size_t scratch_capacity;
};

static int flush_run(struct run_writer *writer, trawl_error *error)
{
	size_t done = 0;
	while (done < writer->out.length) {
		ssize_t wrote = write(writer->run->file, writer->out.data + done, writer->out.length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return error_set_system(error, errno, "writing a temporary file beside the index");
		done += (size_t)wrote;
	}
	writer->run->bytes += done;
	writer->out.length = 0;
	return 0;
}

/* Note where a record starts, if it is far enough from the last one noted. `ahead`: bytes that are not in the file yet. */
static bool mark(struct run *run, size_t ahead, const char *term, uint8_t length)
{
	uint64_t offset = run->bytes + ahead;
	if (run->mark_count && offset - run->marks[run->mark_count - 1].offset < RUN_MARK_BYTES)
		return true;
	if (!memory_reserve(&run->marks, &run->mark_capacity, run->mark_count + 1, sizeof *run->marks))
		return false;
	run->marks[run->mark_count++] = (struct run_mark){offset, run->mark_terms.length};
	return buffer_append_byte(&run->mark_terms, length) && buffer_append(&run->mark_terms, term, length);
}

static int write_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                      uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct run_writer *writer = context;
	bool done = true;
	uint32_t last = 0;
	if (!mark(writer->run, writer->out.length, term, length))
		return error_set_memory(error);
	writer->postings.length = writer->positions.length = 0;
	for (uint32_t i = 0; done && i < df; i++) {
		if (!memory_reserve(&writer->scratch, &writer->scratch_capacity, tfs[i], sizeof *writer->scratch))
			return error_set_memory(error);
		int code = source->next(source->context, tfs[i], writer->scratch, error);
		if (code)
			return code;
		done = buffer_append_varint(&writer->postings, docs[i] - last) &&
		       buffer_append_varint(&writer->postings, tfs[i]);
		last = docs[i];
		for (uint32_t j = 0; done && j < tfs[i]; j++)
			done = buffer_append_varint(&writer->positions,
			                            writer->scratch[j] - (j ? writer->scratch[j - 1] : 0));
	}
	struct buffer *out = &writer->out;
	done = done && buffer_append_byte(out, length) && buffer_append(out, term, length) &&
	       buffer_append_varint(out, df) && buffer_append_varint(out, writer->postings.length) &&
	       buffer_append(out, writer->postings.data, writer->postings.length) &&
	       buffer_append_varint(out, writer->positions.length) &&
	       buffer_append(out, writer->positions.data, writer->positions.length);
	if (!done)
		return error_set_memory(error);
	return out->length >= WRITE_BYTES ? flush_run(writer, error) : 0;
}

/* The name that a temporary file has for a moment where the file system knows no files without one. Memory of the caller's. */
static char *temporary_name(const char *path)
{
	static const char suffix[] = "-run";
	char *name = memory_new(strlen(path) + sizeof suffix);
	if (name) {
		memcpy(name, path, strlen(path));
		memcpy(name + strlen(path), suffix, sizeof suffix);
	}
	return name;
}

void temporary_sweep(const char *path)
{
	char *name = temporary_name(path);
	if (name)
		unlink(name);
	memory_free(name);
}

static int open_without_name(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	if (length + 2 > sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, length);
	memcpy(folder + length, ".", 2);
	return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* There is one writer an index, so that one name will do; what a killed one left in it goes. */
static int open_and_unlink(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	unlink(name);
	int file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int reason = errno;
	if (file >= 0)
		unlink(name);
	pthread_mutex_unlock(&lock);
	errno = reason;
	return file;
}

int temporary_file(const char *path, trawl_error *error)
{
	int file = open_without_name(path);
	if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
		char *name = temporary_name(path);
		if (!name)
			return error_set_memory(error);
		file = open_and_unlink(name);
		int reason = errno;
		memory_free(name);
		errno = reason;
	}
	return file >= 0 ? file : error_set_system(error, errno, "making a temporary file beside %s", path);
}

/* Fill a new run: from a batch, or from other runs. */
static int fill_run(struct run *run, const struct batch *batch, const struct run *runs, size_t count, const char *path,
                    trawl_error *error)
{
	struct run_writer writer = {.run = run};
	struct term_sink sink = {write_term, &writer};
	*run = (struct run){.file = temporary_file(path, error)};
	if (run->file < 0)
		return run->file;
	int code = batch ? batch_invert(batch, NULL, &sink, error) : runs_merge(runs, count, NULL, &sink, error);
	if (!code)
		code = flush_run(&writer, error);
	buffer_release(&writer.out);
	buffer_release(&writer.postings);
	buffer_release(&writer.positions);
	memory_free(writer.scratch);
	if (code)
		run_release(run);
	return code;
}

int run_write(struct run *run, const struct batch *batch, const char *path, trawl_error *error)
{
	return fill_run(run, batch, NULL, 0, path, error);
}

int run_combine(struct run *run, const struct run *runs, size_t count, const char *path, trawl_error *error)
{
	return fill_run(run, NULL, runs, count, path, error);
}

void run_release(struct run *run)
{
	if (run->file >= 0)
		close(run->file);
	memory_free(run->marks);
	buffer_release(&run->mark_terms);
	*run = (struct run){.file = -1};
}
