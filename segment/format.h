/* format.h - the constants of docs/FORMAT.md, format 2. A change here is a change there and in tests/test_format.c. */
#ifndef TRAWL_SEGMENT_FORMAT_H
#define TRAWL_SEGMENT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/extent.h"

#define ANALYSIS_VERSION 1 /* of the tokenizer: an index may have an older one */
/* The path, the index's version, and ours. */
#define NEWER_ANALYSIS                                                                                                 \
	"%s was written by a newer trawl (version %u of the analysis of texts, this one knows %u): use that one, or "  \
	"index the documents again"

/* Part 0, PART_MANIFEST, is the store's. */
enum part_number {
	PART_DOCUMENTS = 1,
	PART_DOCUMENT_BLOCKS,
	PART_DOCUMENT_DICTIONARY,
	PART_IDS,
	PART_ID_BLOCKS,
	PART_ID_INDEX,
	PART_ORDER,
	PART_LENGTHS,
	PART_POSTINGS,
	PART_POSITIONS,
	PART_TERMS,
	PART_ROOT,
	PART_DELETIONS,
	PART_LAST_POSITIONS,
	PART_BIGRAM_POSTINGS,
	PART_BIGRAM_TERMS,
	PART_BIGRAM_ROOT,
	PART_CONTENT_HASHES,
	PART_COUNT
};

#define MANIFEST_MAGIC "trawl index\n"
#define MANIFEST_MAGIC_LENGTH 12
#define FLAG_POSITIONS 1u
#define FLAG_STOP_WORDS 2u
#define FLAG_FOLD_DIACRITICS 4u
#define FLAG_BIGRAMS 8u

#define DOCUMENTS_MAX (1u << 26) /* of a segment: a dense list's head must fit an extent */
#define ID_BYTES_MAX 4096
#define ID_BLOCK 32
#define STORED_BLOCK_BYTES (16u << 10)
#define STORED_DICTIONARY_BYTES (64u << 10)
#define TERM_BLOCK 32
#define ID_ENTRY 8 /* of the id index: u32 hash, u32 docID */
#define CONTENT_HASH 8

/* The root: where its numbers stand. Behind them the first terms of the dictionary's extents, and the first hashes of the id index's. */
#define ROOT_DOCUMENTS 0
#define ROOT_ORDINALS 4
#define ROOT_TOKENS 8
#define ROOT_POSTINGS 16
#define ROOT_TERMS 24
#define ROOT_TEXT_BYTES 32
#define ROOT_K1 40
#define ROOT_B 44
#define ROOT_AVERAGE 48
#define ROOT_LEAST_LENGTH 52
#define ROOT_GREATEST_LENGTH 53
#define ROOT_PART_BYTES 56 /* u64 each of parts PART_DOCUMENTS to PART_TERMS */
#define ROOT_FIXED (ROOT_PART_BYTES + 8 * (PART_TERMS - PART_DOCUMENTS + 1))

#define BLOCK_DOCUMENTS 64
#define SUPERBLOCK_BLOCKS 16
#define SUPERBLOCK_DOCUMENTS (BLOCK_DOCUMENTS * SUPERBLOCK_BLOCKS)
#define GROUP_SUPERBLOCKS 16
#define GROUP_DOCUMENTS (SUPERBLOCK_DOCUMENTS * GROUP_SUPERBLOCKS)
#define SPARSE_RUN 128
#define BLOCK_BYTES_MAX                                                                                                \
	10 /* postings of a block in byte form: a bitmap and 2 bits a posting are smaller from there on */

#define DENSE_HEAD 48  /* bytes before the superblock bounds */
#define GROUP_ENTRY 28 /* u32 chunk address, 16 lengths, u64 positions address */

/* The k1 and b that stored bounds assume. */
#define BUILD_K1 0.9f
#define BUILD_B 0.4f

/* Lists of fewer postings than this are short ones. */
static inline uint32_t dense_list_border(uint32_t documents)
{
	uint32_t border = documents / 512;
	return border < 3072 ? 3072 : border > 16384 ? 16384 : border;
}

/* Whether a segment with bigram lists has one for two words with these document frequencies, if they stand side by side at all:
 * whether chance alone would bring them together in one document of BIGRAM_RULE. */
#define BIGRAM_RULE 256

static inline bool bigram_is_listed(uint32_t df, uint32_t next_df, uint32_t documents)
{
	return (uint64_t)df * next_df * BIGRAM_RULE >= (uint64_t)documents * documents;
}

static inline uint32_t superblock_count(uint32_t documents)
{
	return (documents + SUPERBLOCK_DOCUMENTS - 1) / SUPERBLOCK_DOCUMENTS;
}

static inline uint32_t group_count(uint32_t documents)
{
	return (documents + GROUP_DOCUMENTS - 1) / GROUP_DOCUMENTS;
}

#endif
