#include "base/compression.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <string.h>

#include "base/memory.h"

static void *allocate(void *opaque, size_t size)
{
	(void)opaque;
	return memory_new(size);
}

static void release(void *opaque, void *address)
{
	(void)opaque;
	memory_free(address);
}

static const ZSTD_customMem our_memory = {allocate, release, NULL};

ZSTD_CCtx *compressor_new(void)
{
	return ZSTD_createCCtx_advanced(our_memory);
}

ZSTD_DCtx *decompressor_new(void)
{
	return ZSTD_createDCtx_advanced(our_memory);
}

ZSTD_DDict *decompression_dictionary_new(const void *content, size_t length)
{
	return ZSTD_createDDict_advanced(content, length, ZSTD_dlm_byCopy, ZSTD_dct_auto, our_memory);
}

/* zstd 1.5.4 follows a null pointer where an allocation within ZSTD_createCDict fails, so its dictionary is made in memory that
 * is there already. */
struct compression_dictionary {
	const ZSTD_CDict *prepared;
	int level;
	size_t length;
	uint8_t *content; /* zstd's part follows it */
	_Alignas(16) uint8_t bytes[];
};

struct compression_dictionary *compression_dictionary_new(const void *content, size_t length, int level)
{
	enum { SOURCE_LEAST = 513 }; /* what ZSTD_createCDict takes a source of unknown length for */
	ZSTD_compressionParameters parameters = ZSTD_getCParams(level, SOURCE_LEAST, length);
	size_t place = (length + 15) & ~(size_t)15,
	       size = ZSTD_estimateCDictSize_advanced(length, parameters, ZSTD_dlm_byRef);
	/* Zeroed: zstd leaves the level in its part as it finds it, and takes the window for it. */
	struct compression_dictionary *dictionary = memory_new_zeroed(1, sizeof *dictionary + place + size);
	if (!dictionary)
		return NULL;
	*dictionary = (struct compression_dictionary){.level = level, .length = length, .content = dictionary->bytes};
	if (length)
		memcpy(dictionary->content, content, length);
	dictionary->prepared = ZSTD_initStaticCDict(dictionary->bytes + place, size, dictionary->content, length,
	                                            ZSTD_dlm_byRef, ZSTD_dct_rawContent, parameters);
	if (!dictionary->prepared) {
		memory_free(dictionary);
		return NULL;
	}
	return dictionary;
}

void compression_dictionary_free(struct compression_dictionary *dictionary)
{
	memory_free(dictionary);
}

/* Blocks of over 16 KiB would have the dictionary's tables copied before each of them, which for blocks of little more takes as
 * long again as compressing: they are looked into where they are instead. */
static size_t compress_attached(ZSTD_CCtx *compressor, const ZSTD_CDict *prepared, void *out, size_t capacity,
                                const void *bytes, size_t length)
{
	size_t size = ZSTD_CCtx_setParameter(compressor, ZSTD_c_forceAttachDict, ZSTD_dictForceAttach);
	if (!ZSTD_isError(size))
		size = ZSTD_CCtx_refCDict(compressor, prepared);
	if (!ZSTD_isError(size))
		size = ZSTD_compress2(compressor, out, capacity, bytes, length);
	ZSTD_CCtx_refCDict(compressor, NULL);
	return size;
}

/* A prepared dictionary has the small window of small blocks. Where ZSTD_compress_usingCDict would do without that, which it
 * only does for one of its own making, the dictionary's content is loaded for the one block. */
size_t compress_with(ZSTD_CCtx *compressor, const struct compression_dictionary *dictionary, void *out, size_t capacity,
                     const void *bytes, size_t length)
{
	enum { LARGE = 128 << 10, LARGE_TIMES = 6 };
	if (length < LARGE || length / LARGE_TIMES < dictionary->length)
		return compress_attached(compressor, dictionary->prepared, out, capacity, bytes, length);
	return ZSTD_compress_usingDict(compressor, out, capacity, bytes, length, dictionary->content,
	                               dictionary->length, dictionary->level);
}
