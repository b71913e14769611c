/* documents.h - stored documents, in compressed blocks, and their ids (docs/FORMAT.md, parts 1 to 6). */
#ifndef TRAWL_SEGMENT_DOCUMENTS_H
#define TRAWL_SEGMENT_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compression.h"
#include "base/memory.h"
#include "segment/format.h"
#include "store/store.h"
#include "trawl.h"

/* An id and the hash that the id index sorts by, so that who looks in several places hashes once. */
struct hashed_id {
	const char *bytes;
	size_t length;
	uint32_t hash;
};

uint32_t id_hash(const char *id, size_t length);
static inline struct hashed_id hashed_id(const char *id, size_t length)
{
	return (struct hashed_id){id, length, id_hash(id, length)};
}

/* The XXH3-64 of the document's record: lengths of title, text and fields, and the three (the id is not part of it). */
uint64_t document_hash(const trawl_document *document);

/* ---- writing ---- */

struct documents_writer {
	struct part_writer documents, blocks, ids, id_blocks, hashes;
	struct buffer block, compressed, dictionary, id_block, last_id;
	struct ZSTD_CCtx_s *compressor;
	struct compression_dictionary *prepared; /* NULL until the dictionary is full */
	uint32_t ordinal, block_first;           /* of the next document; of the block's first */
};

int documents_writer_init(struct documents_writer *writer, struct store_batch *batch, uint32_t segment,
                          trawl_error *error);
/* Store the next document; its ordinal is the number of those before it. */
int documents_writer_add(struct documents_writer *writer, const trawl_document *document, trawl_error *error);

/* The same in pieces, for a writer whose blocks are compressed elsewhere: the id of the next document; the document
 * as it stands in a block, which is complete when it has reached the border; the hash of this record (document_hash); the dictionary, once, of the first block's content
 * before any is compressed; a block, compressed by any thread; its place among the others, in order. */
int documents_writer_id(struct documents_writer *writer, const char *id, size_t length, trawl_error *error);
bool stored_document_append(struct buffer *block, const trawl_document *document);
int documents_writer_hash(struct documents_writer *writer, uint64_t hash, trawl_error *error);
static inline size_t stored_block_border(const struct documents_writer *writer)
{
	return writer->prepared ? STORED_BLOCK_BYTES : STORED_DICTIONARY_BYTES;
}
int documents_writer_prepare(struct documents_writer *writer, const uint8_t *from, size_t length, trawl_error *error);
int stored_block_compress(struct ZSTD_CCtx_s *compressor, const struct compression_dictionary *dictionary,
                          const uint8_t *block, size_t length, struct buffer *out, trawl_error *error);
int documents_writer_block(struct documents_writer *writer, uint32_t first, uint32_t length, const uint8_t *compressed,
                           size_t size, trawl_error *error);

/* Flush all, and write the dictionary. */
int documents_writer_finish(struct documents_writer *writer, trawl_error *error);
void documents_writer_release(struct documents_writer *writer);

/* ---- reading ---- */

/* Step over a document in a block, without its id: title, text and fields point into it. false: it is cut off. */
bool stored_document_read(const uint8_t **at, const uint8_t *end, trawl_document *document);

struct documents {
	struct part documents, blocks, dictionary, ids, id_blocks;
	uint32_t ordinals, block_count;
	_Atomic(struct ZSTD_DDict_s *) prepared; /* made at first use */
};

/* A reader's scratch: the block last decompressed, so that neighbours cost nothing. Zero-initialised is empty. */
struct documents_scratch {
	struct buffer gathered, block, id;
	struct ZSTD_DCtx_s *decompressor;
	const struct documents *owner; /* of the block */
	uint32_t block_number;
	uint32_t first, walked; /* ordinal of the block's first document; of the one at `offset` */
	size_t offset;
};

void documents_scratch_release(struct documents_scratch *scratch);

int documents_open(struct documents *documents, struct snapshot *snapshot, uint32_t segment, uint32_t ordinals,
                   const uint64_t bytes[PART_COUNT], trawl_error *error);
void documents_release(struct documents *documents);

/* The stored title, text and fields of an ordinal (not the id), living until the next use of the scratch. */
int documents_fetch(struct documents *documents, uint32_t ordinal, struct documents_scratch *scratch,
                    trawl_document *document, trawl_error *error);

/* The id of an ordinal, living until the next call with the scratch. */
int documents_id(struct documents *documents, uint32_t ordinal, struct documents_scratch *scratch, const char **id,
                 size_t *length, trawl_error *error);

#endif
