/* sources.h - a folder for each test of trawl_source, and everything that a source said. */
#ifndef TRAWL_TESTS_SOURCES_H
#define TRAWL_TESTS_SOURCES_H

#include <stddef.h>

#include "base/memory.h"
#include "trawl.h"

/* Setup and teardown: the test is in a folder of its own. */
int enter_folder(void **state);
int leave_folder(void **state);

void write_bytes(const char *path, const void *bytes, size_t length);
void write_text(const char *path, const char *text);
size_t pack_zstd(void *out, size_t capacity, const char *text, size_t length);
size_t pack_gzip(void *out, size_t capacity, const char *text, size_t length);

/* What a source yields, as text: "id|title|text|fields\n" each; and what it reports: "place: message\n" each. */
struct outcome {
	struct buffer documents, problems;
	int status;
	trawl_error error;
	trawl_source_progress progress;
};

/* A trawl_diagnostic that adds to a buffer. */
void note_problem(void *context, enum trawl_notice notice, const char *place, const char *message);

struct outcome read_paths(const char *const *paths, size_t count, trawl_source_options options);
void release_outcome(struct outcome *outcome);

/* Reading `path` yields and reports exactly this. */
void expect(const char *path, const char *documents, const char *problems);
void expect_with(const char *path, trawl_source_options options, const char *documents, const char *problems);

/* The same for standard input that is a pipe with these bytes (fewer than a pipe holds). */
void expect_stdin(const void *bytes, size_t length, trawl_source_options options, const char *documents,
                  const char *problems);

#endif
