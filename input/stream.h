/* stream.h - the bytes of one descriptor after another, decompressed: gzip and zstd are known by their first bytes. */
#ifndef TRAWL_INPUT_STREAM_H
#define TRAWL_INPUT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

/* The largest zstd window accepted (2^27 = 128 MiB): what the zstd tool itself accepts unless told otherwise. */
#define STREAM_ZSTD_WINDOW_LOG 27

struct stream;

/* A stream without a descriptor. It is made to be used for many files: buffers and decoders are kept. */
int stream_new(struct stream **out, trawl_error *error);
void stream_free(struct stream *stream); /* NULL is fine; does not close the descriptor */

/* How to wait for input: as trawl_source_options says. NULL, as at first: until there is some. */
void stream_set_wait(struct stream *stream, trawl_wait *wait, void *context);

/* Begin to read `descriptor`, which stays the caller's. `waits`: it is no regular file, and may have to be waited for. */
void stream_start(struct stream *stream, int descriptor, bool waits);

/* Where bytes that are none of it follow the compressed data, they are passed over: the first one's place in the file, or 0. */
uint64_t stream_trailing(const struct stream *stream);

/* Fill `out` with 1 to `capacity` decompressed bytes: *length says how many, 0 at the end. Errors (the text says at
 * which byte of the file, not of which file): TRAWL_EIO, TRAWL_EINPUT for a corrupt or cut off stream, TRAWL_ELIMIT for
 * a zstd window that is too large, TRAWL_ESTOPPED, TRAWL_ENOMEM. After an error the descriptor is of no more use. */
int stream_read(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error);

/* Bytes read from all descriptors so far, as stored and decompressed. */
uint64_t stream_stored_bytes(const struct stream *stream);
uint64_t stream_decoded_bytes(const struct stream *stream);

#endif
