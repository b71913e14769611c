/* target.h - what the sources rely on: a build that cannot give it stops here. */
#ifndef TRAWL_BASE_TARGET_H
#define TRAWL_BASE_TARGET_H

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "trawl reads its little-endian format with plain loads (base/bytes.h); it does not run on big-endian machines"
#endif

#if __SIZEOF_POINTER__ < 8
#error "trawl maps whole index files into memory; it needs a 64-bit target"
#endif

/* Scores are the same bits for every kernel and machine, and infinities are used as bounds. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) ||                               \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#error "trawl needs floating-point numbers as IEEE 754 has them: no -ffast-math, no -Ofast, no part of them"
#endif

#if __FLT_EVAL_METHOD__ != 0
#error "trawl needs floats that are computed as floats: no x87 (-mfpmath=387)"
#endif

/* A fused multiply-add rounds once where the documented score rounds twice. Compilers do not tell what they were asked for, so
 * that the Makefile says it beside the flag; tests/test_kernel.c looks whether it is true. */
#ifndef TRAWL_FP_CONTRACT_OFF
#error "compile trawl with -ffp-contract=off -DTRAWL_FP_CONTRACT_OFF"
#endif

#endif
