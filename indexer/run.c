#include "indexer/run.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "indexer/temporary.h"

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
	int code = temporary_write(writer->run->file, writer->out.data, writer->out.length, error);
	if (code)
		return code;
	writer->run->bytes += writer->out.length;
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

static int write_term(void *context, const struct term_list *list, trawl_error *error)
{
	struct run_writer *writer = context;
	const uint32_t *docs = list->docs, *tfs = list->tfs;
	bool done = true;
	uint32_t last = 0;
	if (!mark(writer->run, writer->out.length, list->term, list->length))
		return error_set_memory(error);
	writer->postings.length = writer->positions.length = 0;
	for (uint32_t i = 0; done && i < list->df; i++) {
		if (!memory_reserve(&writer->scratch, &writer->scratch_capacity, tfs[i], sizeof *writer->scratch))
			return error_set_memory(error);
		int code = list->source->next(list->source->context, tfs[i], writer->scratch, error);
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
	done = done && buffer_append_byte(out, list->length) && buffer_append(out, list->term, list->length) &&
	       buffer_append_varint(out, list->df) && buffer_append_varint(out, writer->postings.length) &&
	       buffer_append(out, writer->postings.data, writer->postings.length) &&
	       buffer_append_varint(out, writer->positions.length) &&
	       buffer_append(out, writer->positions.data, writer->positions.length);
	if (!done)
		return error_set_memory(error);
	return out->length >= WRITE_BYTES ? flush_run(writer, error) : 0;
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
