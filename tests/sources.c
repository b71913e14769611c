#include "tests/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static char folder[256];
static char saved_folder[4096];

int enter_folder(void **state)
{
	(void)state;
	const char *parent = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/trawl-source-XXXXXX", parent && *parent ? parent : "/tmp");
	return !(getcwd(saved_folder, sizeof saved_folder) && mkdtemp(folder) && chdir(folder) == 0);
}

int leave_folder(void **state)
{
	(void)state;
	char command[600];
	memory_fail_after(-1, false);
	snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", folder, folder);
	return chdir(saved_folder) != 0 || system(command) != 0;
}

void write_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

size_t pack_zstd(void *out, size_t capacity, const char *text, size_t length)
{
	size_t packed = ZSTD_compress(out, capacity, text, length, 3);
	assert_false(ZSTD_isError(packed));
	return packed;
}

size_t pack_gzip(void *out, size_t capacity, const char *text, size_t length)
{
	z_stream stream = {0};
	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (unsigned char *)(uintptr_t)text;
	stream.avail_in = (unsigned)length;
	stream.next_out = out;
	stream.avail_out = (unsigned)capacity;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return capacity - stream.avail_out;
}

void note_problem(void *context, enum trawl_notice notice, const char *place, const char *message)
{
	struct buffer *problems = context;
	if (notice == TRAWL_NOTED_NO_WORD && !strchr(message, ';'))
		return; /* many documents here are as short as can be */
	buffer_append(problems, place, strlen(place));
	buffer_append(problems, ": ", 2);
	buffer_append(problems, message, strlen(message));
	buffer_append(problems, "\n", 1);
}

static void note_document(struct buffer *documents, const trawl_document *document)
{
	buffer_append(documents, document->id, document->id_length);
	buffer_append(documents, "|", 1);
	buffer_append(documents, document->title, document->title_length);
	buffer_append(documents, "|", 1);
	buffer_append(documents, document->text, document->text_length);
	buffer_append(documents, "|", 1);
	buffer_append(documents, document->fields, document->fields_length);
	buffer_append(documents, "\n", 1);
}

struct outcome read_paths(const char *const *paths, size_t count, trawl_source_options options)
{
	struct outcome outcome = {0};
	trawl_source *source;
	trawl_document document;
	options.diagnostic = note_problem;
	options.diagnostic_context = &outcome.problems;
	outcome.status = trawl_source_open(&source, paths, count, &options, &outcome.error);
	if (outcome.status == TRAWL_OK) {
		while ((outcome.status = trawl_source_next(source, &document, &outcome.error)) == 1)
			note_document(&outcome.documents, &document);
		trawl_source_get_progress(source, &outcome.progress);
		trawl_source_close(source);
	}
	buffer_append(&outcome.documents, "", 1);
	buffer_append(&outcome.problems, "", 1);
	return outcome;
}

void release_outcome(struct outcome *outcome)
{
	buffer_release(&outcome->documents);
	buffer_release(&outcome->problems);
}

void expect_with(const char *path, trawl_source_options options, const char *documents, const char *problems)
{
	struct outcome outcome = read_paths(&path, 1, options);
	assert_string_equal(outcome.documents.data, documents);
	assert_string_equal(outcome.problems.data, problems);
	assert_int_equal(outcome.status, 0);
	release_outcome(&outcome);
}

void expect(const char *path, const char *documents, const char *problems)
{
	expect_with(path, (trawl_source_options){0}, documents, problems);
}

void expect_stdin(const void *bytes, size_t length, trawl_source_options options, const char *documents,
                  const char *problems)
{
	int ends[2], saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, length), length);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	expect_with("-", options, documents, problems);
	dup2(saved, STDIN_FILENO);
	close(saved);
}
