#include "indexer/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"

#define WRITE_BYTES ((size_t)256 << 10)
#define READ_BYTES ((size_t)128 << 10) /* of a mapped run that stay resident behind the cursor */

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

static int write_term(void *context, const char *term, uint8_t length, const uint32_t *docs, const uint32_t *tfs,
                      uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct run_writer *writer = context;
	bool done = true;
	uint32_t last = 0;
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
	run->bytes = 0;
	run->file = temporary_file(path, error);
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
	run->file = -1;
}

/* ---- merging ---- */

/* A run being read: the record of its current term. */
struct run_cursor {
	const uint8_t *map, *at, *end;
	const uint8_t *resident; /* what is before it has been given back; at a multiple of READ_BYTES */
	const char *term;        /* NULL: at the end */
	uint8_t length;
	uint32_t df;
	const uint8_t *postings, *postings_end, *positions, *positions_end;
};

struct merge {
	struct run_cursor *cursors;
	size_t count;
	const uint32_t *docs;
	uint32_t *list_docs, *list_tfs;
	size_t docs_capacity, tfs_capacity;
	/* the position source's: which run, and the postings of its documents that were left out must be stepped over */
	size_t cursor;
	const uint8_t *posting;
	uint32_t last, seen;
	const char *term;
	uint8_t term_length;
};

/* The file is our own and has no name, so its bytes are trusted; lengths are checked all the same against a short read. */
static int bad_run(trawl_error *error)
{
	return error_set(error, TRAWL_EIO, "a temporary file reads back otherwise than it was written");
}

/* Pages that were read count as the process's memory; should one be looked at again, it is mapped again. */
static void give_back(struct run_cursor *cursor)
{
	size_t bytes = (size_t)(cursor->at - cursor->resident) / READ_BYTES * READ_BYTES;
	if (bytes) {
		madvise((void *)(uintptr_t)cursor->resident, bytes, MADV_DONTNEED);
		cursor->resident += bytes;
	}
}

static int next_record(struct run_cursor *cursor, trawl_error *error)
{
	uint64_t df, length;
	cursor->term = NULL;
	give_back(cursor);
	if (cursor->at == cursor->end)
		return 0;
	cursor->length = *cursor->at++;
	if (cursor->end - cursor->at < cursor->length)
		return bad_run(error);
	const char *term = (const char *)cursor->at;
	cursor->at += cursor->length;
	if (!varint_read(&cursor->at, cursor->end, &df) || !varint_read(&cursor->at, cursor->end, &length) ||
	    length > (uint64_t)(cursor->end - cursor->at) || df > UINT32_MAX)
		return bad_run(error);
	cursor->df = (uint32_t)df;
	cursor->postings = cursor->at;
	cursor->postings_end = cursor->at += length;
	if (!varint_read(&cursor->at, cursor->end, &length) || length > (uint64_t)(cursor->end - cursor->at))
		return bad_run(error);
	cursor->positions = cursor->at;
	cursor->positions_end = cursor->at += length;
	cursor->term = term;
	return 0;
}

static bool has_term(const struct run_cursor *cursor, const char *term, uint8_t length)
{
	return cursor->term && cursor->length == length && memcmp(cursor->term, term, length) == 0;
}

/* Step to the next posting of the term over all runs that have it; false: at the end. */
static bool next_posting(struct merge *merge, uint32_t *doc, uint32_t *tf)
{
	for (; merge->cursor < merge->count; merge->cursor++, merge->posting = NULL) {
		struct run_cursor *cursor = &merge->cursors[merge->cursor];
		uint64_t difference, frequency;
		if (!has_term(cursor, merge->term, merge->term_length))
			continue;
		if (!merge->posting) {
			merge->posting = cursor->postings;
			merge->last = 0;
		}
		if (merge->posting == cursor->postings_end ||
		    !varint_read(&merge->posting, cursor->postings_end, &difference) ||
		    !varint_read(&merge->posting, cursor->postings_end, &frequency))
			continue;
		merge->last += (uint32_t)difference;
		*doc = merge->docs ? merge->docs[merge->last] : merge->last;
		*tf = (uint32_t)frequency;
		return true;
	}
	return false;
}

static void rewind_postings(struct merge *merge)
{
	merge->cursor = 0;
	merge->posting = NULL;
}

static int merged_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	struct merge *merge = context;
	uint32_t doc, tf;
	for (;;) {
		if (!next_posting(merge, &doc, &tf))
			return bad_run(error);
		struct run_cursor *cursor = &merge->cursors[merge->cursor];
		bool wanted = doc != DOCUMENT_NONE;
		uint64_t difference, position = 0;
		for (uint32_t i = 0; i < tf; i++) {
			if (!varint_read(&cursor->positions, cursor->positions_end, &difference))
				return bad_run(error);
			position += difference;
			if (wanted && i < count)
				positions[i] = (uint32_t)position;
		}
		if (wanted)
			return tf == count ? 0 : bad_run(error);
	}
}

/* Hand the term of `least` over, gathered from all runs that have it. */
static int merge_term(struct merge *merge, const struct run_cursor *least, const struct term_sink *sink,
                      trawl_error *error)
{
	merge->term = least->term;
	merge->term_length = least->length;
	size_t total = 0;
	for (size_t i = 0; i < merge->count; i++)
		if (has_term(&merge->cursors[i], merge->term, merge->term_length))
			total += merge->cursors[i].df;
	if (!memory_reserve(&merge->list_docs, &merge->docs_capacity, total, sizeof(uint32_t)) ||
	    !memory_reserve(&merge->list_tfs, &merge->tfs_capacity, total, sizeof(uint32_t)))
		return error_set_memory(error);
	uint32_t df = 0, doc, tf;
	rewind_postings(merge);
	while (next_posting(merge, &doc, &tf)) {
		if (doc == DOCUMENT_NONE)
			continue;
		if (df == total)
			return bad_run(error);
		merge->list_docs[df] = doc;
		merge->list_tfs[df++] = tf;
	}
	rewind_postings(merge);
	struct position_source source = {merged_positions, merge};
	if (!df)
		return 0;
	return sink->term(sink->context, merge->term, merge->term_length, merge->list_docs, merge->list_tfs, df,
	                  &source, error);
}

static int map_run(struct run_cursor *cursor, const struct run *run, trawl_error *error)
{
	*cursor = (struct run_cursor){0};
	if (!run->bytes)
		return 0;
	void *map = mmap(NULL, run->bytes, PROT_READ, MAP_PRIVATE, run->file, 0);
	if (map == MAP_FAILED)
		return error_set_system(error, errno, "mapping a temporary file");
	madvise(map, run->bytes, MADV_SEQUENTIAL);
	cursor->map = cursor->at = cursor->resident = map;
	cursor->end = cursor->at + run->bytes;
	return next_record(cursor, error);
}

static const struct run_cursor *least_term(const struct merge *merge)
{
	const struct run_cursor *least = NULL;
	for (size_t i = 0; i < merge->count; i++) {
		const struct run_cursor *cursor = &merge->cursors[i];
		if (cursor->term &&
		    (!least || bytes_compare(cursor->term, cursor->length, least->term, least->length) < 0))
			least = cursor;
	}
	return least;
}

int runs_merge(const struct run *runs, size_t count, const uint32_t *docs, const struct term_sink *sink,
               trawl_error *error)
{
	struct merge merge = {.count = count, .docs = docs};
	const struct run_cursor *least;
	merge.cursors = memory_new_zeroed(count, sizeof *merge.cursors);
	int code = merge.cursors ? 0 : error_set_memory(error);
	for (size_t i = 0; !code && i < count; i++)
		code = map_run(&merge.cursors[i], &runs[i], error);
	while (!code && (least = least_term(&merge))) {
		code = merge_term(&merge, least, sink, error);
		/* `least` is among the cursors, so its term is stepped over too; merge.term keeps pointing into the map. */
		for (size_t i = 0; !code && i < count; i++)
			if (has_term(&merge.cursors[i], merge.term, merge.term_length))
				code = next_record(&merge.cursors[i], error);
	}
	for (size_t i = 0; merge.cursors && i < count; i++)
		if (merge.cursors[i].map)
			munmap((void *)(uintptr_t)merge.cursors[i].map, runs[i].bytes);
	memory_free(merge.cursors);
	memory_free(merge.list_docs);
	memory_free(merge.list_tfs);
	return code;
}
