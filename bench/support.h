/* support.h - what the measuring commands share: messages, memory, numbers, growable text, words. */
#ifndef TRAWL_BENCH_SUPPORT_H
#define TRAWL_BENCH_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { BENCH_DONE = 0, BENCH_UNTRUSTED = 1, BENCH_ERROR = 2 };

/* "trawl: ..." on stderr, with control bytes made harmless. Returns BENCH_ERROR. */
int bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what is no failure. */
void bench_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As malloc and realloc of count * size bytes; a tool that cannot have them says so and exits with BENCH_ERROR. */
void *bench_new(size_t count, size_t size);
void *bench_resize(void *pointer, size_t count, size_t size);

/* A whole decimal number within [low, high], or a finite one; nothing may follow. */
bool bench_parse_size(const char *text, size_t low, size_t high, size_t *value);
bool bench_parse_float(const char *text, double low, double high, float *value);

/* Flush `stream`; BENCH_ERROR with a message when anything written to it was lost. */
int bench_flush(FILE *stream, const char *name);

/* A run of bytes that grows. Zero-initialised is empty. */
struct bench_text {
	char *data;
	size_t length, capacity;
};

/* Room for `extra` more bytes at the end, to be filled and added to the length. */
char *text_room(struct bench_text *text, size_t extra);
void text_append(struct bench_text *text, const char *bytes, size_t length);
void text_format(struct bench_text *text, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull));
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void text_append_json(struct bench_text *text, const char *bytes, size_t length);
/* An id as one word of a line, as cli/trec.h has it. */
void text_append_word(struct bench_text *text, const char *bytes, size_t length);
/* Character data of an XML file: markup is escaped, what XML cannot hold becomes '?'. */
void text_append_xml(struct bench_text *text, const char *bytes, size_t length);
void text_release(struct bench_text *text);
/* Print it on standard output, and release it. 0 or BENCH_ERROR with a message. */
int text_print(struct bench_text *text);

/* Bytes of a file; not NUL-terminated. */
struct word {
	const char *bytes;
	size_t length;
};

int word_compare(struct word left, struct word right); /* in byte order */
struct word word_trim(struct word word);               /* without white space around it */

/* The next run of bytes other than white space in [*at, end), and *at past it; false when there is none. */
bool next_word(const char **at, const char *end, struct word *word);

#endif
