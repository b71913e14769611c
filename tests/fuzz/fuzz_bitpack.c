/* Integer runs: any bytes are decoded or refused, by the decoder of every instruction set as the format says; any integers come back. */
#include <stdlib.h>
#include <string.h>

#include "segment/bitpack.h"
#include "tests/fuzz/fuzz.h"
#include "tests/letter.h"

#define LOAD_SLACK 64

/* By all decoders, from a block of its own; as decoded by the letter of the format. */
static bool decode(const uint8_t *bytes, size_t length, uint64_t *bit, size_t n, unsigned width, uint32_t *values)
{
	uint8_t *tight = fuzz_tight(bytes, length, LOAD_SLACK);
	uint64_t first = *bit;
	bool sound = letter_run(bytes, 8 * (uint64_t)length, bit, n, width, values);
	for (int level = CPU_SCALAR; level <= CPU_AVX512; level++) {
		integer_run_decoder *decoder = integer_run_decoder_for((enum cpu_level)level);
		uint32_t theirs[INTEGER_RUN_MAX];
		uint64_t end = first;
		if (!decoder)
			continue;
		PROMISE(decoder(tight, tight + length, &end, n, width, theirs) == sound);
		PROMISE(!sound || (end == *bit && memcmp(theirs, values, n * sizeof *values) == 0));
	}
	free(tight);
	return sound;
}

static void round_trip(struct fuzz_input *input, size_t n, uint64_t first)
{
	uint32_t values[INTEGER_RUN_MAX], decoded[INTEGER_RUN_MAX];
	unsigned bits = take8(input) % 33;
	for (size_t i = 0; i < n; i++) {
		uint32_t value = take32(input);
		values[i] = (value & 7) == 7 || bits == 32 ? value : value & ((1u << bits) - 1);
	}
	uint8_t out[INTEGER_RUN_BYTES + 1] = {0};
	unsigned width = integer_run_width(values, n);
	uint64_t end = integer_run_encode(values, n, width, out, first), bit = first;
	PROMISE(end - first >= n && (end - first + 7) / 8 <= INTEGER_RUN_BYTES);
	PROMISE(decode(out, (end + 7) / 8, &bit, n, width, decoded));
	PROMISE(bit == end && memcmp(values, decoded, n * sizeof *values) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input), how = take8(&input);
	size_t n = (kind & 127) + 1;
	uint64_t bit = how & 7;
	if (kind & 128) {
		round_trip(&input, n, bit);
		return 0;
	}
	uint32_t values[INTEGER_RUN_MAX];
	if (!input.left)
		bit = 0;
	decode(input.at, input.left, &bit, n, how >> 3, values);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	uint32_t values[INTEGER_RUN_MAX];
	uint8_t bytes[INTEGER_RUN_BYTES] = {0};
	static const size_t counts[] = {1, 7, 64, 128};
	if (number >= 8)
		return false;
	size_t n = counts[number % 4];
	for (size_t i = 0; i < n; i++)
		values[i] = (uint32_t)(i * 2654435761u) >> (i % 9 ? 25 - number : 2);
	if (number >= 4)
		return buffer_append_byte(out, (uint8_t)(127 + n)) && buffer_append_byte(out, 3) &&
		       buffer_append_byte(out, 9) && buffer_append(out, values, n * sizeof *values);
	unsigned width = integer_run_width(values, n);
	uint64_t bits = integer_run_encode(values, n, width, bytes, 0);
	return buffer_append_byte(out, (uint8_t)(n - 1)) && buffer_append_byte(out, (uint8_t)(width << 3)) &&
	       buffer_append(out, bytes, (bits + 7) / 8);
}
