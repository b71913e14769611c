/* Plain, gzip and zstd bytes of one descriptor: the same decompressed bytes or error, whatever pieces they are read in. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "input/stream.h"
#include "tests/fuzz/fuzz.h"

#define OUTPUT_MAX ((size_t)8 << 20) /* a bomb is read so far: what matters is that a reader decides how far */

struct result {
	int status;
	uint64_t bytes, hash;
};

static struct result read_all(int file, size_t capacity)
{
	static struct stream *stream;
	trawl_error error = {0};
	struct result result = {0};
	if (!stream)
		fuzz_need(stream_new(&stream, &error), &error);
	PROMISE(lseek(file, 0, SEEK_SET) == 0);
	stream_start(stream, file, false);
	uint8_t *out = malloc(capacity), *all = malloc(OUTPUT_MAX);
	PROMISE(out && all);
	for (;;) {
		size_t wanted = OUTPUT_MAX - result.bytes < capacity ? OUTPUT_MAX - result.bytes : capacity, got = 0;
		if (!wanted)
			break;
		result.status = stream_read(stream, out, wanted, &got, &error);
		if (result.status || !got)
			break;
		PROMISE(got <= wanted);
		memcpy(all + result.bytes, out, got);
		result.bytes += got;
	}
	PROMISE(!result.status || error.code == result.status);
	result.hash = hash_bytes(all, result.bytes);
	free(out);
	free(all);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	size_t capacity = (size_t)take8(&input) * take8(&input) + 1;
	static int file = -1;
	if (file < 0)
		file = memfd_create("stream", MFD_CLOEXEC);
	PROMISE(file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	PROMISE(write(file, input.at, input.left) == (ssize_t)input.left);
	struct result one = read_all(file, 1 << 16);
	if (one.bytes / capacity > 100000)
		capacity = 1 << 10;
	struct result other = read_all(file, capacity);
	PROMISE(one.status == other.status);
	/* What comes before an error may be cut at another place; whole streams are the same. */
	PROMISE(one.status || (one.bytes == other.bytes && one.hash == other.hash));
	return 0;
}

static bool append_gzip(struct buffer *out, const void *bytes, size_t length)
{
	z_stream gzip = {0};
	PROMISE(deflateInit2(&gzip, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	PROMISE(buffer_reserve(out, deflateBound(&gzip, length) + 64));
	gzip.next_in = (Bytef *)(uintptr_t)bytes;
	gzip.avail_in = (uInt)length;
	gzip.next_out = out->data + out->length;
	gzip.avail_out = (uInt)(out->capacity - out->length);
	PROMISE(deflate(&gzip, Z_FINISH) == Z_STREAM_END);
	out->length += gzip.total_out;
	deflateEnd(&gzip);
	return true;
}

static bool append_zstd(struct buffer *out, const void *bytes, size_t length)
{
	PROMISE(buffer_reserve(out, ZSTD_compressBound(length)));
	size_t size = ZSTD_compress(out->data + out->length, out->capacity - out->length, bytes, length, 3);
	PROMISE(!ZSTD_isError(size));
	out->length += size;
	return true;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char text[] =
	    "{\"id\": \"1\", \"text\": \"some text, some text, some text\"}\nplain text follows\n";
	static const uint8_t head[] = {7, 3};
	static uint8_t zeros[100000];
	buffer_append(out, head, sizeof head);
	switch (number) {
	case 0: return buffer_append(out, text, sizeof text - 1);
	case 1: return append_gzip(out, text, sizeof text - 1);
	case 2: return append_zstd(out, text, sizeof text - 1);
	case 3: return append_gzip(out, text, 20) && append_gzip(out, text, 30);
	case 4: return append_zstd(out, text, 20) && append_zstd(out, text, 30);
	case 5: return append_gzip(out, zeros, sizeof zeros);
	case 6: return append_zstd(out, zeros, sizeof zeros);
	default: return false;
	}
}
