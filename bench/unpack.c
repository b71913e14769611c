#include "bench/unpack.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define STEP ((size_t)1 << 17)
#define TOO_LARGE "it holds more than 1 GiB"
#define OUT_OF_MEMORY "out of memory"

static bool is_gzip(const char *data, size_t length)
{
	return length >= 2 && memcmp(data, "\x1f\x8b", 2) == 0;
}

static bool is_zstd(const char *data, size_t length)
{
	return length >= 4 && memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0;
}

bool is_packed(const char *data, size_t length)
{
	return is_gzip(data, length) || is_zstd(data, length);
}

/* A gzip file is one member after the other. */
static const char *inflate_members(z_stream *stream, size_t length, size_t most, struct bench_text *out)
{
	const char *end = (const char *)stream->next_in + length;
	for (;;) {
		size_t left = (size_t)(end - (const char *)stream->next_in);
		stream->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
		stream->next_out = (Bytef *)text_room(out, STEP);
		stream->avail_out = STEP;
		int status = inflate(stream, Z_NO_FLUSH);
		out->length += STEP - stream->avail_out;
		if (out->length > most)
			return TOO_LARGE;
		if (status == Z_MEM_ERROR)
			return OUT_OF_MEMORY;
		if (status == Z_BUF_ERROR)
			return "the gzip data ends too early";
		if (status != Z_OK && status != Z_STREAM_END)
			return stream->msg ? stream->msg : "damaged gzip data";
		if (status != Z_STREAM_END)
			continue;
		if (!is_gzip((const char *)stream->next_in, (size_t)(end - (const char *)stream->next_in)))
			return NULL; /* zeros of a tape may follow */
		inflateReset(stream);
	}
}

static const char *unpack_gzip(const char *data, size_t length, size_t most, struct bench_text *out)
{
	z_stream stream = {.next_in = (Bytef *)data};
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return OUT_OF_MEMORY;
	const char *trouble = inflate_members(&stream, length, most, out);
	inflateEnd(&stream);
	return trouble;
}

static const char *unpack_zstd(const char *data, size_t length, size_t most, struct bench_text *out)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = {data, length, 0};
	const char *trouble = context ? NULL : OUT_OF_MEMORY;
	for (size_t left = 1; !trouble && (left || in.pos < in.size);) {
		ZSTD_outBuffer room = {text_room(out, STEP), STEP, 0};
		size_t before = in.pos;
		left = ZSTD_decompressStream(context, &room, &in);
		out->length += room.pos;
		if (ZSTD_isError(left))
			trouble = ZSTD_getErrorName(left);
		else if (out->length > most)
			trouble = TOO_LARGE;
		else if (left && in.pos == before && room.pos == 0)
			trouble = "the zstd data ends too early";
	}
	ZSTD_freeDCtx(context);
	return trouble;
}

const char *unpack(const char *data, size_t length, size_t most, struct bench_text *out)
{
	return is_gzip(data, length) ? unpack_gzip(data, length, most, out) : unpack_zstd(data, length, most, out);
}
