#include "segment/documents.h"

#include <zstd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

#define LEVEL 3
#define BLOCK_ENTRY 16

uint32_t id_hash(const char *id, size_t length)
{
	return (uint32_t)(hash_bytes(id, length) >> 32);
}

static void hash_varint(XXH3_state_t *state, uint64_t value)
{
	uint8_t bytes[10];
	size_t length = 0;
	for (; value > 0x7f; value >>= 7)
		bytes[length++] = (uint8_t)(value | 0x80);
	bytes[length++] = (uint8_t)value;
	XXH3_64bits_update(state, bytes, length);
}

uint64_t document_hash(const trawl_document *document)
{
	XXH3_state_t state;
	XXH3_64bits_reset(&state);
	hash_varint(&state, document->title_length);
	hash_varint(&state, document->text_length);
	hash_varint(&state, document->fields_length);
	XXH3_64bits_update(&state, document->title, document->title_length);
	XXH3_64bits_update(&state, document->text, document->text_length);
	XXH3_64bits_update(&state, document->fields, document->fields_length);
	return XXH3_64bits_digest(&state);
}

/* ---- writing ---- */

int documents_writer_init(struct documents_writer *writer, struct store_batch *batch, uint32_t segment,
                          trawl_error *error)
{
	*writer = (struct documents_writer){0};
	int code = part_writer_init(&writer->documents, batch, segment, PART_DOCUMENTS, error);
	if (!code)
		code = part_writer_init(&writer->blocks, batch, segment, PART_DOCUMENT_BLOCKS, error);
	if (!code)
		code = part_writer_init(&writer->ids, batch, segment, PART_IDS, error);
	if (!code)
		code = part_writer_init(&writer->id_blocks, batch, segment, PART_ID_BLOCKS, error);
	if (!code)
		code = part_writer_init(&writer->hashes, batch, segment, PART_CONTENT_HASHES, error);
	writer->compressor = compressor_new();
	return code || writer->compressor ? code : error_set_memory(error);
}

void documents_writer_release(struct documents_writer *writer)
{
	part_writer_release(&writer->documents);
	part_writer_release(&writer->blocks);
	part_writer_release(&writer->ids);
	part_writer_release(&writer->id_blocks);
	part_writer_release(&writer->hashes);
	buffer_release(&writer->block);
	buffer_release(&writer->compressed);
	buffer_release(&writer->dictionary);
	buffer_release(&writer->id_block);
	buffer_release(&writer->last_id);
	ZSTD_freeCCtx(writer->compressor);
	compression_dictionary_free(writer->prepared);
	writer->compressor = NULL;
	writer->prepared = NULL;
}

/* The dictionary is the beginning of the content itself: no training, and the text of a corpus resembles itself. The
 * first block waits until there is enough of it. */
int documents_writer_prepare(struct documents_writer *writer, const uint8_t *from, size_t length, trawl_error *error)
{
	if (length > STORED_DICTIONARY_BYTES)
		length = STORED_DICTIONARY_BYTES;
	/* zstd would take content that starts with its magic number for a trained dictionary. */
	if (length >= 4 && load32(from) == ZSTD_MAGIC_DICTIONARY) {
		from++;
		length--;
	}
	if (!buffer_append(&writer->dictionary, from, length))
		return error_set_memory(error);
	writer->prepared = compression_dictionary_new(writer->dictionary.data, length, LEVEL);
	return writer->prepared ? 0 : error_set_memory(error);
}

int stored_block_compress(struct ZSTD_CCtx_s *compressor, const struct compression_dictionary *dictionary,
                          const uint8_t *block, size_t length, struct buffer *out, trawl_error *error)
{
	size_t bound = ZSTD_compressBound(length);
	if (length > UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT, "a stored document of over 4 GiB");
	if (!buffer_reserve(out, bound))
		return error_set_memory(error);
	size_t size = compress_with(compressor, dictionary, out->data + out->length, bound, block, length);
	if (ZSTD_isError(size))
		return error_set(error, TRAWL_ENOMEM, "zstd: %s", ZSTD_getErrorName(size));
	out->length += size;
	return 0;
}

int documents_writer_block(struct documents_writer *writer, uint32_t first, uint32_t length, const uint8_t *compressed,
                           size_t size, trawl_error *error)
{
	uint8_t entry[BLOCK_ENTRY];
	store32(entry, first);
	store32(entry + 4, length);
	store64(entry + 8, writer->documents.address);
	int code = part_writer_append(&writer->blocks, entry, BLOCK_ENTRY, error);
	return code ? code : part_writer_append(&writer->documents, compressed, size, error);
}

static int compress_block(struct documents_writer *writer, trawl_error *error)
{
	struct buffer *block = &writer->block, *compressed = &writer->compressed;
	if (!block->length)
		return 0;
	compressed->length = 0;
	int code =
	    stored_block_compress(writer->compressor, writer->prepared, block->data, block->length, compressed, error);
	if (!code)
		code = documents_writer_block(writer, writer->block_first, (uint32_t)block->length, compressed->data,
		                              compressed->length, error);
	block->length = 0;
	writer->block_first = writer->ordinal;
	return code;
}

static int flush_ids(struct documents_writer *writer, trawl_error *error)
{
	uint8_t address[8];
	if (!writer->id_block.length)
		return 0;
	int code = part_writer_align(&writer->ids, writer->id_block.length, error);
	store64(address, writer->ids.address);
	if (!code)
		code = part_writer_append(&writer->id_blocks, address, 8, error);
	if (!code)
		code = part_writer_append(&writer->ids, writer->id_block.data, writer->id_block.length, error);
	writer->id_block.length = 0;
	return code;
}

int documents_writer_id(struct documents_writer *writer, const char *id, size_t length, trawl_error *error)
{
	size_t shared = 0;
	if (writer->id_block.length)
		while (shared < length && shared < writer->last_id.length &&
		       writer->last_id.data[shared] == (uint8_t)id[shared])
			shared++;
	writer->last_id.length = 0;
	if (!buffer_append_varint(&writer->id_block, shared) ||
	    !buffer_append_varint(&writer->id_block, length - shared) ||
	    !buffer_append(&writer->id_block, id + shared, length - shared) ||
	    !buffer_append(&writer->last_id, id, length))
		return error_set_memory(error);
	return ++writer->ordinal % ID_BLOCK == 0 ? flush_ids(writer, error) : 0;
}

bool stored_document_append(struct buffer *block, const trawl_document *document)
{
	return buffer_append_varint(block, document->title_length) &&
	       buffer_append_varint(block, document->text_length) &&
	       buffer_append_varint(block, document->fields_length) &&
	       buffer_append(block, document->title, document->title_length) &&
	       buffer_append(block, document->text, document->text_length) &&
	       buffer_append(block, document->fields, document->fields_length);
}

int documents_writer_hash(struct documents_writer *writer, uint64_t hash, trawl_error *error)
{
	uint8_t bytes[8];
	store64(bytes, hash);
	return part_writer_append(&writer->hashes, bytes, sizeof bytes, error);
}

int documents_writer_add(struct documents_writer *writer, const trawl_document *document, trawl_error *error)
{
	struct buffer *block = &writer->block;
	size_t before = block->length;
	int code = documents_writer_id(writer, document->id, document->id_length, error);
	if (code)
		return code;
	if (!stored_document_append(block, document))
		return error_set_memory(error);
	code = documents_writer_hash(writer, hash_bytes(block->data + before, block->length - before), error);
	if (code)
		return code;
	if (block->length < stored_block_border(writer))
		return 0;
	code = writer->prepared ? 0 : documents_writer_prepare(writer, block->data, block->length, error);
	return code ? code : compress_block(writer, error);
}

static int write_dictionary(struct documents_writer *writer, trawl_error *error)
{
	struct part_writer part;
	size_t bound = ZSTD_compressBound(writer->dictionary.length);
	writer->compressed.length = 0;
	if (!buffer_reserve(&writer->compressed, bound))
		return error_set_memory(error);
	size_t size = ZSTD_compressCCtx(writer->compressor, writer->compressed.data, bound, writer->dictionary.data,
	                                writer->dictionary.length, 9);
	if (ZSTD_isError(size))
		return error_set(error, TRAWL_ENOMEM, "zstd: %s", ZSTD_getErrorName(size));
	int code = part_writer_init(&part, writer->documents.batch, writer->documents.segment, PART_DOCUMENT_DICTIONARY,
	                            error);
	if (!code)
		code = part_writer_append(&part, writer->compressed.data, size, error);
	if (!code)
		code = part_writer_finish(&part, error);
	writer->dictionary.length = size; /* from here on: the length of its part */
	part_writer_release(&part);
	return code;
}

int documents_writer_finish(struct documents_writer *writer, trawl_error *error)
{
	struct buffer *block = &writer->block;
	int code = writer->prepared || !block->length
	               ? 0
	               : documents_writer_prepare(writer, block->data, block->length, error);
	if (!code)
		code = compress_block(writer, error);
	if (!code)
		code = flush_ids(writer, error);
	if (!code)
		code = write_dictionary(writer, error);
	if (!code)
		code = part_writer_finish(&writer->documents, error);
	if (!code)
		code = part_writer_finish(&writer->blocks, error);
	if (!code)
		code = part_writer_finish(&writer->ids, error);
	if (!code)
		code = part_writer_finish(&writer->hashes, error);
	return code ? code : part_writer_finish(&writer->id_blocks, error);
}

/* ---- reading ---- */

void documents_scratch_release(struct documents_scratch *scratch)
{
	buffer_release(&scratch->gathered);
	buffer_release(&scratch->block);
	buffer_release(&scratch->id);
	ZSTD_freeDCtx(scratch->decompressor);
	*scratch = (struct documents_scratch){0};
}

int documents_open(struct documents *documents, struct snapshot *snapshot, uint32_t segment, uint32_t ordinals,
                   const uint64_t bytes[PART_COUNT], trawl_error *error)
{
	struct part *const parts[] = {&documents->documents, &documents->blocks, &documents->dictionary,
	                              &documents->ids, &documents->id_blocks};
	*documents = (struct documents){.ordinals = ordinals,
	                                .block_count = (uint32_t)(bytes[PART_DOCUMENT_BLOCKS] / BLOCK_ENTRY)};
	for (uint32_t i = 0; i < 5; i++) {
		int code = part_open(parts[i], snapshot, segment, PART_DOCUMENTS + i, bytes[PART_DOCUMENTS + i], error);
		if (code)
			return code;
	}
	if (bytes[PART_ID_BLOCKS] != 8 * (((uint64_t)ordinals + ID_BLOCK - 1) / ID_BLOCK))
		return part_corrupt(&documents->id_blocks, 0, "not a block for each 32 ids", error);
	return 0;
}

void documents_release(struct documents *documents)
{
	part_release(&documents->documents);
	part_release(&documents->blocks);
	part_release(&documents->dictionary);
	part_release(&documents->ids);
	part_release(&documents->id_blocks);
	ZSTD_freeDDict(documents->prepared);
	documents->prepared = NULL;
}

static ZSTD_DDict *prepared_dictionary(struct documents *documents, struct documents_scratch *scratch,
                                       trawl_error *error)
{
	ZSTD_DDict *prepared = atomic_load(&documents->prepared);
	if (prepared)
		return prepared;
	struct buffer content = {0};
	const uint8_t *frame =
	    part_read(&documents->dictionary, 0, documents->dictionary.bytes, &scratch->gathered, error);
	if (!frame)
		return NULL;
	if (!buffer_reserve(&content, STORED_DICTIONARY_BYTES)) {
		error_set_memory(error);
		return NULL;
	}
	size_t length = ZSTD_decompressDCtx(scratch->decompressor, content.data, STORED_DICTIONARY_BYTES, frame,
	                                    documents->dictionary.bytes);
	if (ZSTD_isError(length))
		part_corrupt(&documents->dictionary, 0, ZSTD_getErrorName(length), error);
	else if (!(prepared = decompression_dictionary_new(content.data, length)))
		error_set_memory(error);
	buffer_release(&content);
	ZSTD_DDict *other = NULL;
	if (prepared && !atomic_compare_exchange_strong(&documents->prepared, &other, prepared)) {
		ZSTD_freeDDict(prepared); /* another thread was first */
		prepared = other;
	}
	return prepared;
}

static const uint8_t *block_entry(struct documents *documents, uint32_t block, trawl_error *error)
{
	uint64_t left;
	return part_at(&documents->blocks, (uint64_t)block * BLOCK_ENTRY, &left, error);
}

/* Decompress block number `block` into the scratch. */
static int load_block(struct documents *documents, uint32_t block, struct documents_scratch *scratch,
                      trawl_error *error)
{
	const uint8_t *entry = block_entry(documents, block, error);
	if (!entry)
		return error_code(error);
	uint32_t first = load32(entry), length = load32(entry + 4);
	uint64_t address = load64(entry + 8), end = documents->documents.bytes;
	if (block + 1 < documents->block_count) {
		entry = block_entry(documents, block + 1, error);
		if (!entry)
			return error_code(error);
		end = load64(entry + 8);
	}
	if (end < address)
		return part_corrupt(&documents->blocks, (uint64_t)block * BLOCK_ENTRY, "blocks out of order", error);
	if (!scratch->decompressor && !(scratch->decompressor = decompressor_new()))
		return error_set_memory(error);
	ZSTD_DDict *prepared = prepared_dictionary(documents, scratch, error);
	const uint8_t *frame =
	    prepared ? part_read(&documents->documents, address, end - address, &scratch->gathered, error) : NULL;
	if (!frame)
		return error_code(error);
	/* A frame says how much it holds: a wrong length in the entry must not become a huge allocation. */
	if (!length || ZSTD_getFrameContentSize(frame, end - address) != length)
		return part_corrupt(&documents->documents, address, "a frame of the wrong length", error);
	scratch->owner = NULL;
	scratch->block.length = 0;
	if (!buffer_reserve(&scratch->block, length))
		return error_set_memory(error);
	size_t got = ZSTD_decompress_usingDDict(scratch->decompressor, scratch->block.data, length, frame,
	                                        end - address, prepared);
	/* No less than the frame says, and no more than there is room for. */
	if (ZSTD_isError(got))
		return part_corrupt(&documents->documents, address, "a frame that does not decompress", error);
	scratch->block.length = length;
	scratch->owner = documents;
	scratch->block_number = block;
	scratch->first = scratch->walked = first;
	scratch->offset = 0;
	return 0;
}

static int find_block(struct documents *documents, uint32_t ordinal, uint32_t *block, trawl_error *error)
{
	uint32_t low = 0, high = documents->block_count;
	if (!high)
		return part_corrupt(&documents->blocks, 0, "no blocks", error);
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		const uint8_t *entry = block_entry(documents, middle, error);
		if (!entry)
			return error_code(error);
		if (load32(entry) <= ordinal)
			low = middle;
		else
			high = middle;
	}
	*block = low;
	return 0;
}

bool stored_document_read(const uint8_t **at, const uint8_t *end, trawl_document *document)
{
	bool good = true;
	uint64_t title = varint_next(at, end, &good), text = varint_next(at, end, &good);
	uint64_t fields = varint_next(at, end, &good), left = (uint64_t)(end - *at);
	if (!good || title > left || text > left - title || fields > left - title - text)
		return false;
	document->title = (const char *)*at;
	document->title_length = title;
	document->text = document->title + title;
	document->text_length = text;
	document->fields = document->text + text;
	document->fields_length = fields;
	*at += title + text + fields;
	return true;
}

/* Read the record at scratch->offset and step over it. */
static bool read_record(struct documents_scratch *scratch, trawl_document *document)
{
	const uint8_t *at = scratch->block.data + scratch->offset;
	if (!stored_document_read(&at, scratch->block.data + scratch->block.length, document))
		return false;
	scratch->offset = (size_t)(at - scratch->block.data);
	scratch->walked++;
	return true;
}

int documents_fetch(struct documents *documents, uint32_t ordinal, struct documents_scratch *scratch,
                    trawl_document *document, trawl_error *error)
{
	uint32_t block = 0;
	int code = find_block(documents, ordinal, &block, error);
	if (code)
		return code;
	if (scratch->owner != documents || scratch->block_number != block)
		code = load_block(documents, block, scratch, error);
	if (code)
		return code;
	if (scratch->walked > ordinal) {
		scratch->walked = scratch->first;
		scratch->offset = 0;
	}
	do
		if (!read_record(scratch, document))
			return part_corrupt(&documents->documents, 0, "a stored document that is cut off", error);
	while (scratch->walked <= ordinal);
	return 0;
}

int documents_id(struct documents *documents, uint32_t ordinal, struct documents_scratch *scratch, const char **id,
                 size_t *length, trawl_error *error)
{
	uint64_t left;
	bool good = true;
	if (ordinal >= documents->ordinals)
		return part_corrupt(&documents->ids, 0, "an ordinal past the end", error);
	const uint8_t *at = part_at(&documents->id_blocks, (uint64_t)(ordinal / ID_BLOCK) * 8, &left, error);
	uint64_t address = at ? load64(at) : 0;
	at = at ? part_at(&documents->ids, address, &left, error) : NULL;
	if (!at)
		return error_code(error);
	const uint8_t *end = at + left;
	scratch->id.length = 0;
	for (uint32_t i = 0; i <= ordinal % ID_BLOCK; i++) {
		uint64_t shared = varint_next(&at, end, &good), more = varint_next(&at, end, &good);
		if (!good || shared > scratch->id.length || more > ID_BYTES_MAX || more > (uint64_t)(end - at))
			return part_corrupt(&documents->ids, address, "ids that make no sense", error);
		scratch->id.length = shared;
		if (!buffer_append(&scratch->id, at, more))
			return error_set_memory(error);
		at += more;
	}
	*id = (const char *)scratch->id.data;
	*length = scratch->id.length;
	return 0;
}
