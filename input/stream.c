#include "input/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/compression.h"
#include "base/error.h"
#include "base/memory.h"

/* Large enough that system calls do not show, small enough to leave the cache to what is decompressed from it. */
#define INPUT_SIZE ((size_t)1 << 18)

/* The longest header of a zstd frame (RFC 8878, 3.1.1.1), magic number included. */
#define ZSTD_HEADER_MAX ((size_t)18)

/* A single read is never asked for more: the kernel caps it at 2 GiB anyway. */
#define READ_MAX ((size_t)1 << 30)

enum encoding {
	ENCODING_UNKNOWN, /* nothing read yet */
	ENCODING_PLAIN,
	ENCODING_GZIP,
	ENCODING_ZSTD
};

struct stream {
	int descriptor;
	enum encoding encoding;
	bool waits;        /* the descriptor may have nothing yet */
	bool ended;        /* the descriptor has no more bytes */
	bool inside;       /* within a gzip member or zstd frame: an end here is a cut */
	bool gzip_ready;   /* inflateInit2 was called */
	uint64_t position; /* in this descriptor: bytes read, of which `end - start` are still in `input` */
	uint64_t trailing; /* where bytes begin that are not compressed data, or 0 */
	uint64_t stored, decoded;
	trawl_wait *wait;
	void *wait_context;
	size_t start, end;
	z_stream gzip;
	ZSTD_DCtx *zstd;
	uint64_t frame_at;                  /* where the zstd frame begins */
	uint64_t frame_size, frame_decoded; /* its bytes: as its header says, so far */
	uint8_t input[INPUT_SIZE];
};

int stream_new(struct stream **out, trawl_error *error)
{
	struct stream *stream = memory_new(sizeof *stream);
	if (!stream)
		return error_set_memory(error);
	memset(stream, 0, offsetof(struct stream, input));
	stream->descriptor = -1;
	*out = stream;
	return TRAWL_OK;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->gzip_ready)
		inflateEnd(&stream->gzip);
	ZSTD_freeDCtx(stream->zstd);
	memory_free(stream);
}

void stream_set_wait(struct stream *stream, trawl_wait *wait, void *context)
{
	stream->wait = wait;
	stream->wait_context = context;
}

void stream_start(struct stream *stream, int descriptor, bool waits)
{
	stream->descriptor = descriptor;
	stream->waits = waits;
	stream->trailing = 0;
	stream->encoding = ENCODING_UNKNOWN;
	stream->ended = stream->inside = false;
	stream->position = 0;
	stream->start = stream->end = 0;
}

uint64_t stream_stored_bytes(const struct stream *stream)
{
	return stream->stored;
}

uint64_t stream_decoded_bytes(const struct stream *stream)
{
	return stream->decoded;
}

uint64_t stream_trailing(const struct stream *stream)
{
	return stream->trailing;
}

/* Until there is something to read. */
static int wait_for_input(struct stream *stream, trawl_error *error)
{
	struct pollfd file = {.fd = stream->descriptor, .events = POLLIN};
	if (!stream->wait) {
		while (poll(&file, 1, -1) < 0 && errno == EINTR)
			;
		return TRAWL_OK;
	}
	return stream->wait(stream->wait_context, stream->descriptor) == 0
	           ? TRAWL_OK
	           : error_set(error, TRAWL_ESTOPPED, "reading was stopped at byte %" PRIu64, stream->position);
}

static int read_descriptor(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error)
{
	ssize_t got;
	do {
		int status = stream->waits ? wait_for_input(stream, error) : TRAWL_OK;
		if (status != TRAWL_OK)
			return status;
		got = read(stream->descriptor, out, capacity < READ_MAX ? capacity : READ_MAX);
	} while (got < 0 && (errno == EINTR || (errno == EAGAIN && stream->waits)));
	if (got < 0)
		return error_set_system(error, errno, "cannot read at byte %" PRIu64, stream->position);
	stream->ended = got == 0;
	stream->position += (uint64_t)got;
	stream->stored += (uint64_t)got;
	*length = (size_t)got;
	return TRAWL_OK;
}

/* More bytes behind those in `input`, whose unused ones move to its front. */
static int read_input(struct stream *stream, trawl_error *error)
{
	size_t kept = stream->end - stream->start, got = 0;
	memmove(stream->input, stream->input + stream->start, kept);
	stream->start = 0;
	stream->end = kept;
	int status = read_descriptor(stream, stream->input + kept, INPUT_SIZE - kept, &got, error);
	stream->end += got;
	return status;
}

/* At least `wanted` bytes in `input`, unless the descriptor ends before. */
static int need_input(struct stream *stream, size_t wanted, trawl_error *error)
{
	int status = TRAWL_OK;
	while (status == TRAWL_OK && !stream->ended && stream->end - stream->start < wanted)
		status = read_input(stream, error);
	return status;
}

static uint64_t consumed(const struct stream *stream)
{
	return stream->position - (stream->end - stream->start);
}

/* ---- gzip (RFC 1952) --------------------------------------------------------------------------------------------- */

static bool is_gzip(const uint8_t *p, size_t length)
{
	return length >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

static void *gzip_allocate(void *opaque, unsigned count, unsigned size)
{
	(void)opaque;
	return memory_new((size_t)count * size);
}

static void gzip_release(void *opaque, void *pointer)
{
	(void)opaque;
	memory_free(pointer);
}

static int gzip_start(struct stream *stream, trawl_error *error)
{
	if (stream->gzip_ready) {
		inflateReset2(&stream->gzip, 15 + 16);
	} else {
		stream->gzip = (z_stream){.zalloc = gzip_allocate, .zfree = gzip_release};
		if (inflateInit2(&stream->gzip, 15 + 16) != Z_OK)
			return error_set_memory(error);
		stream->gzip_ready = true;
	}
	stream->inside = true;
	return TRAWL_OK;
}

/* Bytes behind the compressed data that are none: the end, as for gzip and zstd themselves, but not unnoticed. */
static int pass_over_rest(struct stream *stream, trawl_error *error)
{
	int status = TRAWL_OK;
	stream->trailing = consumed(stream);
	do
		stream->start = stream->end;
	while (!stream->ended && (status = read_input(stream, error)) == TRAWL_OK);
	return status;
}

/* Behind a member: another one, or the end. Zeros that pad a file to a block size, as on tape, are nothing to tell of. */
static int gzip_next_member(struct stream *stream, trawl_error *error)
{
	int status = need_input(stream, 3, error);
	if (status != TRAWL_OK)
		return status;
	if (is_gzip(stream->input + stream->start, stream->end - stream->start))
		return gzip_start(stream, error);
	while (stream->start < stream->end) {
		if (stream->input[stream->start])
			return pass_over_rest(stream, error);
		stream->start++;
		if ((status = need_input(stream, 1, error)) != TRAWL_OK)
			return status;
	}
	return TRAWL_OK;
}

static int gzip_decode(struct stream *stream, uint8_t *out, size_t capacity, size_t *length, trawl_error *error)
{
	z_stream *gzip = &stream->gzip;
	gzip->next_in = stream->input + stream->start;
	gzip->avail_in = (unsigned)(stream->end - stream->start);
	gzip->next_out = out;
	gzip->avail_out = (unsigned)(capacity < READ_MAX ? capacity : READ_MAX);
	int result = inflate(gzip, Z_NO_FLUSH);
	stream->start = stream->end - gzip->avail_in;
	*length = (size_t)(gzip->next_out - out);
	switch (result) {
	case Z_STREAM_END: stream->inside = false; return TRAWL_OK;
	case Z_OK:
	case Z_BUF_ERROR: return TRAWL_OK;
	case Z_MEM_ERROR: return error_set_memory(error);
	default:
		return error_set(error, TRAWL_EINPUT, "corrupt gzip data before byte %" PRIu64 " (%s)",
		                 consumed(stream), gzip->msg ? gzip->msg : "needs a dictionary");
	}
}

/* ---- zstd (RFC 8878) --------------------------------------------------------------------------------------------- */

static bool is_zstd(const uint8_t *p, size_t length)
{
	return length >= 4 &&
	       (load32(p) == ZSTD_MAGICNUMBER || (load32(p) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

static int zstd_start(struct stream *stream, trawl_error *error)
{
	if (!stream->zstd && !(stream->zstd = decompressor_new()))
		return error_set_memory(error);
	ZSTD_DCtx_reset(stream->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, STREAM_ZSTD_WINDOW_LOG);
	int status = need_input(stream, ZSTD_HEADER_MAX, error);
	stream->frame_size = ZSTD_getFrameContentSize(stream->input + stream->start, stream->end - stream->start);
	stream->frame_at = consumed(stream);
	stream->frame_decoded = 0;
	stream->inside = true;
	return status;
}

static int zstd_next_frame(struct stream *stream, trawl_error *error)
{
	int status = need_input(stream, 4, error);
	if (status != TRAWL_OK || stream->start == stream->end)
		return status;
	if (!is_zstd(stream->input + stream->start, stream->end - stream->start))
		return pass_over_rest(stream, error);
	return zstd_start(stream, error);
}

/* zstd itself does not look at this where a frame ends with an empty block. */
static bool zstd_is_short(const struct stream *stream)
{
	return stream->frame_size != ZSTD_CONTENTSIZE_UNKNOWN && stream->frame_size != ZSTD_CONTENTSIZE_ERROR &&
	       stream->frame_size != stream->frame_decoded;
}

static int zstd_decode(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error)
{
	/* A frame that is there from its first byte is decoded in one go where it has room, and then its window may be of any size:
	 * whether a file is read would depend on the capacity. The first byte alone keeps zstd from that. */
	size_t offered = stream->end - stream->start;
	ZSTD_inBuffer input = {stream->input + stream->start, consumed(stream) == stream->frame_at ? 1 : offered, 0};
	ZSTD_outBuffer output = {out, capacity, 0};
	size_t result = ZSTD_decompressStream(stream->zstd, &output, &input);
	stream->start += input.pos;
	*length = output.pos;
	stream->frame_decoded += output.pos;
	if (result == 0) {
		stream->inside = false;
		if (zstd_is_short(stream))
			return error_set(error, TRAWL_EINPUT,
			                 "corrupt zstd data before byte %" PRIu64 " (%" PRIu64 " bytes, not %" PRIu64
			                 ")",
			                 consumed(stream), stream->frame_decoded, stream->frame_size);
	}
	if (!ZSTD_isError(result))
		return TRAWL_OK;
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation: return error_set_memory(error);
	case ZSTD_error_frameParameter_windowTooLarge:
		return error_set(error, TRAWL_ELIMIT,
		                 "zstd window over %u MiB at byte %" PRIu64
		                 "; decompress it in a pipe: zstd -dc --long=31 FILE | trawl index INDEX -",
		                 1u << (STREAM_ZSTD_WINDOW_LOG - 20), stream->frame_at);
	default:
		return error_set(error, TRAWL_EINPUT, "corrupt zstd data near byte %" PRIu64 " (%s)", consumed(stream),
		                 ZSTD_getErrorName(result));
	}
}

/* ---- either, or plain -------------------------------------------------------------------------------------------- */

static int recognise(struct stream *stream, trawl_error *error)
{
	int status = need_input(stream, 4, error);
	if (status != TRAWL_OK)
		return status;
	const uint8_t *head = stream->input + stream->start;
	size_t length = stream->end - stream->start;
	if (is_gzip(head, length)) {
		stream->encoding = ENCODING_GZIP;
		return gzip_start(stream, error);
	}
	if (is_zstd(head, length)) {
		stream->encoding = ENCODING_ZSTD;
		return zstd_start(stream, error);
	}
	stream->encoding = ENCODING_PLAIN;
	return TRAWL_OK;
}

/* What recognise() has read comes from `input`, the rest goes straight to where the caller wants it. */
static int read_plain(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error)
{
	size_t ready = stream->end - stream->start;
	if (ready == 0)
		return stream->ended ? TRAWL_OK : read_descriptor(stream, out, capacity, length, error);
	*length = ready < capacity ? ready : capacity;
	memcpy(out, stream->input + stream->start, *length);
	stream->start += *length;
	return TRAWL_OK;
}

static int read_compressed(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error)
{
	bool gzip = stream->encoding == ENCODING_GZIP;
	int status = TRAWL_OK;
	while (status == TRAWL_OK && *length == 0) {
		if (!stream->inside) {
			status = gzip ? gzip_next_member(stream, error) : zstd_next_frame(stream, error);
			if (status != TRAWL_OK || !stream->inside)
				return status;
		}
		if ((status = need_input(stream, 1, error)) != TRAWL_OK)
			return status;
		/* Also without further input: the decoder may hold back bytes that did not fit last time. */
		size_t before = stream->start;
		status = gzip ? gzip_decode(stream, out, capacity, length, error)
		              : zstd_decode(stream, out, capacity, length, error);
		if (status == TRAWL_OK && *length == 0 && stream->inside && stream->ended && stream->start == before)
			return error_set(error, TRAWL_EINPUT, "cut off: the %s data ends too early, at byte %" PRIu64,
			                 gzip ? "gzip" : "zstd", stream->position);
	}
	return status;
}

int stream_read(struct stream *stream, void *out, size_t capacity, size_t *length, trawl_error *error)
{
	*length = 0;
	int status = stream->encoding == ENCODING_UNKNOWN ? recognise(stream, error) : TRAWL_OK;
	if (status != TRAWL_OK)
		return status;
	status = stream->encoding == ENCODING_PLAIN ? read_plain(stream, out, capacity, length, error)
	                                            : read_compressed(stream, out, capacity, length, error);
	if (status == TRAWL_OK)
		stream->decoded += *length;
	return status;
}
