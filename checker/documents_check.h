/* documents_check.h - readers of stored documents and ids that believe nothing; checking and salvage share them. */
#ifndef TRAWL_CHECKER_DOCUMENTS_CHECK_H
#define TRAWL_CHECKER_DOCUMENTS_CHECK_H

#include <zstd.h>

#include "base/memory.h"
#include "checker/subject.h"

struct stored {
	struct subject *subject;
	struct part_stream documents, blocks;
	ZSTD_DCtx *decompressor;
	ZSTD_DDict *dictionary;
	struct buffer content; /* of the block last decompressed */
};

/* Ordinals [first, next) in `length` bytes, compressed at [address, end). */
struct stored_block {
	uint32_t first, next, length;
	uint64_t address, end;
};

bool stored_open(struct stored *stored, struct subject *subject);
void stored_release(struct stored *stored);
/* Read the dictionary of the frames; false: it is damaged (reported) or cannot be read. */
bool stored_dictionary(struct stored *stored);
uint32_t stored_block_count(const struct stored *stored);
/* false: its entry cannot be read. */
bool stored_block(struct stored *stored, uint32_t number, struct stored_block *block);
/* The block whose frame stands at `address`, when the list of blocks cannot be read: its end and length are the frame's,
 * its `next` is past all that it may have. */
bool stored_frame(struct stored *stored, uint64_t address, uint32_t first, struct stored_block *block);
/* NULL, or what is wrong (static storage): STORED_UNREAD when an extent cannot be read, which was reported. */
#define STORED_UNREAD ""
const char *stored_decompress(struct stored *stored, const struct stored_block *block);
/* The record at *offset of the content, which moves on. */
bool stored_record(const struct stored *stored, size_t *offset, trawl_document *document);

struct id_reader {
	struct subject *subject;
	struct part_stream ids, blocks;
	const uint8_t *start, *at, *end;
	uint64_t address;
	uint32_t length;
	uint8_t id[ID_BYTES_MAX];
};

bool ids_open(struct id_reader *reader, struct subject *subject);
void ids_release(struct id_reader *reader);
/* Go to a block of 32 ids: NULL, or what is wrong. Then each call of ids_next gives an id, false when there is none. */
const char *ids_enter(struct id_reader *reader, uint32_t block);
const char *ids_enter_at(struct id_reader *reader, uint64_t address);
bool ids_next(struct id_reader *reader);

#endif
