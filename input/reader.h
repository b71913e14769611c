/* reader.h - a stream in one growing buffer, read by the line or as a whole. */
#ifndef TRAWL_INPUT_READER_H
#define TRAWL_INPUT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input/encoding.h"
#include "input/stream.h"
#include "trawl.h"

/* What bounds the memory for one document, unless less is wanted: longer lines and larger texts are skipped. */
#define READER_LINE_MAX ((size_t)256 << 20)
#define READER_TEXT_MAX ((size_t)1 << 30)

/* Bytes behind each line or text that may be read (their values mean nothing): parsers load whole vectors. */
#define READER_PADDING ((size_t)64)

/* Zero-initialised, with `stream`, `line_most` and `text_most` set, is ready for reader_start. */
struct reader {
	struct stream *stream;
	uint8_t *data;
	size_t capacity;      /* of data, without the padding */
	size_t start, end;    /* the bytes not yet handed out */
	uint64_t line_number; /* of the last line handed out or skipped; from 1 */
	bool ended;           /* there are no more bytes */
	size_t line_most, text_most;
	struct converter *converter;   /* owned; NULL: none was needed yet */
	bool converting, stream_ended; /* bytes come through the converter, which will get no more */
	trawl_error failure;           /* found while peeking: told when what was read before it is handed out */
};

void reader_start(struct reader *reader); /* after stream_start */
void reader_release(struct reader *reader);

/* What was not yet handed out, and all that follows, is in this encoding: hand it out as UTF-8. TRAWL_EINVAL: nobody knows it. */
int reader_convert(struct reader *reader, const char *encoding, trawl_error *error);

/* The next `wanted` bytes without taking them, or fewer at the end, or where the stream fails behind them: *length of them at
 * reader->data + reader->start. */
int reader_peek(struct reader *reader, size_t wanted, size_t *length, trawl_error *error);

/* Take `length` bytes that were peeked. */
void reader_skip(struct reader *reader, size_t length);

/* Read more bytes behind those that were not handed out, which may move; at the end, set `ended`. */
int reader_fill(struct reader *reader, trawl_error *error);

/* TRAWL_ELIMIT: `what` ("line longer") is over the `most` that is allowed, which usually is `usual`. */
int reader_refuse(size_t most, size_t usual, const char *what, trawl_error *error);

/* The next line without its "\n" or "\r\n"; it lives until the next call and may be written to. 1: a line, 0: the end.
 * TRAWL_ELIMIT: the line was longer than line_most and is skipped, reading can go on. Other errors are the
 * stream's; what was read of a line before one is dropped. */
int reader_line(struct reader *reader, char **line, size_t *length, trawl_error *error);

/* All the rest; it lives until the next call. TRAWL_ELIMIT: more than text_most bytes. */
int reader_rest(struct reader *reader, char **text, size_t *length, trawl_error *error);

#endif
