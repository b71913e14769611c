#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "searcher/kernel.h"

void fuzz_broken(const char *promise, const char *file, int line)
{
	fprintf(stderr, "%s:%d: a promise is broken: %s\n", file, line, promise);
	abort();
}

void fuzz_need(int status, const trawl_error *error)
{
	if (status < 0) {
		fprintf(stderr, "the fuzz target cannot work: %s: %s\n", trawl_status_name(status), error->text);
		abort();
	}
}

uint8_t take8(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t take16(struct fuzz_input *input)
{
	uint16_t low = take8(input);
	return (uint16_t)(low | take8(input) << 8);
}

uint32_t take32(struct fuzz_input *input)
{
	uint32_t low = take16(input);
	return low | (uint32_t)take16(input) << 16;
}

const uint8_t *take(struct fuzz_input *input, size_t wanted, size_t *length)
{
	const uint8_t *bytes = input->at;
	*length = wanted < input->left ? wanted : input->left;
	input->at += *length;
	input->left -= *length;
	return bytes;
}

uint8_t *fuzz_tight(const void *bytes, size_t length, size_t slack)
{
	uint8_t *copy = malloc(length + slack + !(length + slack));
	if (!copy)
		abort();
	if (length)
		memcpy(copy, bytes, length);
	memset(copy + length, 0xa5, slack);
	return copy;
}

trawl_analysis fuzz_analysis(uint8_t byte)
{
	static const char *const languages[] = {"english", "german", "french", "russian", "turkish", "none"};
	unsigned language = (byte >> 2) % 6; /* the last two have no stop words */
	return (trawl_analysis){
	    .language = languages[language], .stop_words = byte & 1 && language < 4, .fold_diacritics = byte & 2};
}

unsigned fuzz_touch(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	unsigned sum = 0;
	for (size_t i = 0; i < length; i++)
		sum += at[i];
	return sum;
}

/* kernel_get is decided once for a process; the linker (--wrap) hands its callers to us instead. */
const struct kernel *__real_kernel_get(void);
const struct kernel *__wrap_kernel_get(void);
static const struct kernel *used_kernel;

void fuzz_use_kernel(const struct kernel *kernel)
{
	used_kernel = kernel;
}

const struct kernel *__wrap_kernel_get(void)
{
	return used_kernel ? used_kernel : __real_kernel_get();
}
