/*
 * compression.h - zstd whose memory is ours: each of its allocations goes through memory.h, so that one that fails is an error
 * of ours, and can be made to fail by a test. What is made here is freed by zstd's own functions, but for dictionaries.
 */
#ifndef TRAWL_BASE_COMPRESSION_H
#define TRAWL_BASE_COMPRESSION_H

#include <stddef.h>

struct ZSTD_CCtx_s *compressor_new(void);   /* ZSTD_freeCCtx; NULL: out of memory */
struct ZSTD_DCtx_s *decompressor_new(void); /* ZSTD_freeDCtx */
/* The content is copied, and taken for a trained dictionary where it looks like one. ZSTD_freeDDict. */
struct ZSTD_DDict_s *decompression_dictionary_new(const void *content, size_t length);

/* A dictionary to compress many blocks with, from any thread. The content is copied, and never taken for a trained dictionary. */
struct compression_dictionary;
struct compression_dictionary *compression_dictionary_new(const void *content, size_t length, int level);
void compression_dictionary_free(struct compression_dictionary *dictionary);

/* As ZSTD_compress_usingCDict: the length of the frame, or what ZSTD_isError tells. */
size_t compress_with(struct ZSTD_CCtx_s *compressor, const struct compression_dictionary *dictionary, void *out,
                     size_t capacity, const void *bytes, size_t length);

#endif
