/*
 * fuzz.h - what the fuzz targets share.
 *
 * Each fuzz_<target>.c takes bytes (LLVMFuzzerTestOneInput) and aborts when a promise is broken. libFuzzer drives it (`make fuzz`);
 * replay.c drives it without libFuzzer: seeds, kept inputs, and mutations of these from a fixed seed.
 */
#ifndef TRAWL_TESTS_FUZZ_H
#define TRAWL_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "trawl.h"

struct kernel;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Append seed number `number` to `out`; false: there are no more. */
bool fuzz_seed(unsigned number, struct buffer *out);

/* A promise that must hold whatever the bytes are. */
#define PROMISE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fuzz_broken(#condition, __FILE__, __LINE__);                                                   \
	} while (0)
_Noreturn void fuzz_broken(const char *promise, const char *file, int line);
/* What the target itself needs to work. */
void fuzz_need(int status, const trawl_error *error);

/* The input, taken piece by piece; zeros when it is used up. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t take8(struct fuzz_input *input);
uint16_t take16(struct fuzz_input *input);
uint32_t take32(struct fuzz_input *input);
/* The next `wanted` bytes or what is left of them. */
const uint8_t *take(struct fuzz_input *input, size_t wanted, size_t *length);

/* A copy in a block of its own, with `slack` more bytes, so that the address sanitizer sees what is read beyond. */
uint8_t *fuzz_tight(const void *bytes, size_t length, size_t slack);

/* An analysis from a byte. */
trawl_analysis fuzz_analysis(uint8_t byte);

/* The kernel that searches use from here on; NULL: the one chosen at start. */
void fuzz_use_kernel(const struct kernel *kernel);

/* The sum of the bytes: they can all be read. */
unsigned fuzz_touch(const void *bytes, size_t length);

#endif
