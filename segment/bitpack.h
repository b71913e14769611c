/*
 * bitpack.h - runs of integers as Rice codes (Rice & Plaunt, IEEE Trans. Communications 19, 1971), low parts apart from the
 * high ones, in the layout of docs/FORMAT.md ("integer run"). Pure: bytes in, integers out.
 */
#ifndef TRAWL_SEGMENT_BITPACK_H
#define TRAWL_SEGMENT_BITPACK_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTEGER_RUN_MAX 128      /* integers in a run */
#define INTEGER_RUN_WIDTH_MAX 31 /* of a low part */
#define INTEGER_RUN_BYTES (INTEGER_RUN_MAX * (INTEGER_RUN_WIDTH_MAX + 3) / 8 + 1)

/* The width of low parts that takes the fewest bits; with it a run takes at most INTEGER_RUN_BYTES. */
unsigned integer_run_width(const uint32_t *values, size_t n);

/* Write n <= INTEGER_RUN_MAX integers to `out` from bit number `bit` on, where its bits are 0 still; returns the bit after
 * them. */
uint64_t integer_run_encode(const uint32_t *values, size_t n, unsigned width, uint8_t *out, uint64_t bit);

/* Read n integers from bit number *bit of [in, end), less than 512 MiB, on and move it behind them; 64 bytes past `end` may be loaded,
 * and `values` written up to a multiple of 16. false: malformed. */
bool integer_run_decode(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                        uint32_t *values);

typedef bool integer_run_decoder(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                                 uint32_t *values);
integer_run_decoder *integer_run_decoder_for(enum cpu_level level); /* NULL where this machine or build lacks it */
extern integer_run_decoder integer_run_decode_plain, integer_run_decode_avx2, integer_run_decode_avx512;

#endif
