/* documents_check.c - stored documents, ids, and the id index. */
#include "checker/documents_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compression.h"
#include "base/hash.h"
#include "tokenizer/tokenizer.h"

enum { BLOCK_ENTRY = 16 };

static bool wrong(const struct subject *subject, uint32_t part, uint64_t address, const char *what)
{
	report_damage(subject->report, subject->number, part_name(part), address, "%s", what);
	return false;
}

/* ---- stored documents ---- */

bool stored_open(struct stored *stored, struct subject *subject)
{
	*stored = (struct stored){.subject = subject};
	stored->decompressor = decompressor_new();
	if (!stored->decompressor ||
	    !part_stream_open(&stored->documents, subject->image, subject->number, PART_DOCUMENTS,
	                      subject->bytes[PART_DOCUMENTS]) ||
	    !part_stream_open(&stored->blocks, subject->image, subject->number, PART_DOCUMENT_BLOCKS,
	                      subject->bytes[PART_DOCUMENT_BLOCKS])) {
		subject->no_memory = true;
		return false;
	}
	return true;
}

void stored_release(struct stored *stored)
{
	part_stream_release(&stored->documents);
	part_stream_release(&stored->blocks);
	buffer_release(&stored->content);
	ZSTD_freeDCtx(stored->decompressor);
	ZSTD_freeDDict(stored->dictionary);
}

bool stored_dictionary(struct stored *stored)
{
	struct subject *subject = stored->subject;
	uint64_t bytes = subject->bytes[PART_DOCUMENT_DICTIONARY];
	uint8_t *frame = subject_read(subject, PART_DOCUMENT_DICTIONARY),
	        *content = memory_new(STORED_DICTIONARY_BYTES);
	bool sound = frame && content;
	if (!content)
		subject->no_memory = true;
	if (sound) {
		size_t length =
		    ZSTD_decompressDCtx(stored->decompressor, content, STORED_DICTIONARY_BYTES, frame, bytes);
		if (ZSTD_isError(length))
			sound = wrong(subject, PART_DOCUMENT_DICTIONARY, 0, ZSTD_getErrorName(length));
		else if (!(stored->dictionary = decompression_dictionary_new(content, length)))
			subject->no_memory = true;
	}
	memory_free(frame);
	memory_free(content);
	return sound && stored->dictionary;
}

uint32_t stored_block_count(const struct stored *stored)
{
	return (uint32_t)(stored->blocks.bytes / BLOCK_ENTRY);
}

bool stored_block(struct stored *stored, uint32_t number, struct stored_block *block)
{
	uint64_t left;
	const uint8_t *entry = part_stream_at(&stored->blocks, (uint64_t)number * BLOCK_ENTRY, &left);
	if (!entry)
		return false;
	*block = (struct stored_block){load32(entry), stored->subject->ordinals, load32(entry + 4), load64(entry + 8),
	                               stored->documents.bytes};
	if (number + 1 < stored_block_count(stored)) {
		entry = part_stream_at(&stored->blocks, (uint64_t)(number + 1) * BLOCK_ENTRY, &left);
		if (!entry)
			return false;
		block->next = load32(entry);
		block->end = load64(entry + 8);
	}
	return true;
}

bool stored_frame(struct stored *stored, uint64_t address, uint32_t first, struct stored_block *block)
{
	enum { HEADER_MOST = 18 };
	uint64_t rest = stored->documents.bytes - address;
	bool no_memory = false;
	const uint8_t *frame =
	    part_stream_read(&stored->documents, address, rest < HEADER_MOST ? rest : HEADER_MOST, &no_memory);
	if (!frame)
		return false;
	uint64_t length = ZSTD_getFrameContentSize(frame, rest < HEADER_MOST ? rest : HEADER_MOST);
	if (length >= ZSTD_CONTENTSIZE_ERROR || length > UINT32_MAX)
		return false;
	uint64_t most = ZSTD_compressBound(length) < rest ? ZSTD_compressBound(length) : rest;
	frame = part_stream_read(&stored->documents, address, most, &no_memory);
	size_t bytes = frame ? ZSTD_findFrameCompressedSize(frame, most) : 0;
	if (!frame || ZSTD_isError(bytes))
		return false;
	*block = (struct stored_block){first, stored->subject->ordinals, (uint32_t)length, address, address + bytes};
	return first < block->next;
}

const char *stored_decompress(struct stored *stored, const struct stored_block *block)
{
	bool no_memory = false;
	if (block->end < block->address || block->end > stored->documents.bytes || block->next <= block->first ||
	    block->next > stored->subject->ordinals)
		return "a block that is out of order";
	uint64_t bytes = block->end - block->address;
	const uint8_t *frame = part_stream_read(&stored->documents, block->address, bytes, &no_memory);
	if (!frame && !no_memory)
		return STORED_UNREAD;
	/* The frame says how much it holds, so that a wrong length does not make us allocate. */
	if (frame && ZSTD_getFrameContentSize(frame, bytes) != block->length)
		return "a frame of another length";
	stored->content.length = 0;
	if (!frame || !buffer_reserve(&stored->content, block->length)) {
		stored->subject->no_memory = true;
		return "no memory for it";
	}
	size_t got = ZSTD_decompress_usingDDict(stored->decompressor, stored->content.data, block->length, frame, bytes,
	                                        stored->dictionary);
	if (ZSTD_isError(got) || got != block->length)
		return "a frame that does not decompress";
	stored->content.length = got;
	return NULL;
}

bool stored_record(const struct stored *stored, size_t *offset, trawl_document *document)
{
	const uint8_t *at = stored->content.data + *offset, *end = stored->content.data + stored->content.length;
	uint64_t title, text, fields;
	if (!varint_read(&at, end, &title) || !varint_read(&at, end, &text) || !varint_read(&at, end, &fields))
		return false;
	uint64_t left = (uint64_t)(end - at);
	if (title > left || text > left - title || fields > left - title - text)
		return false;
	document->title = (const char *)at;
	document->title_length = title;
	document->text = document->title + title;
	document->text_length = text;
	document->fields = document->text + text;
	document->fields_length = fields;
	*offset = (size_t)(at - stored->content.data) + title + text + fields;
	return true;
}

/* The bytes of title and text of all documents, and of the live ones, as far as records could be read. */
struct text_sums {
	uint64_t all, live;
	bool whole;
};

static bool sum_text(const struct subject *subject, uint64_t *sum)
{
	struct token tokens[256];
	int count;
	while ((count = tokenizer_next(subject->tokenizer, tokens, 256)) > 0)
		for (int i = 0; i < count; i++)
			*sum += text_mix(hash_bytes(tokens[i].word->term, tokens[i].word->term_length),
			                 subject->positions ? tokens[i].position : 0);
	return count == 0;
}

/* The terms of the text, analysed anew, are those whose lists have the document, at the same positions. */
static void compare_text(struct subject *subject, uint32_t doc, const struct stored_block *block,
                         const trawl_document *document)
{
	uint64_t sum = 0;
	tokenizer_start(subject->tokenizer, document->title, document->title_length);
	bool whole = sum_text(subject, &sum);
	tokenizer_continue(subject->tokenizer, document->text, document->text_length);
	if (!whole || !sum_text(subject, &sum))
		subject->no_memory = true;
	else if (sum != subject->text_of[doc])
		report_damage(subject->report, subject->number, part_name(PART_DOCUMENTS), block->address,
		              "document %u: its text is not what terms and postings say", doc);
}

/* `hashes` may be unreadable, which was reported. */
static void check_hash(struct part_stream *hashes, const struct subject *subject, uint32_t ordinal,
                       const uint8_t *record, size_t length)
{
	uint64_t left;
	const uint8_t *at = part_stream_at(hashes, 8 * (uint64_t)ordinal, &left);
	if (at && load64(at) != hash_bytes(record, length))
		report_damage(subject->report, subject->number, part_name(PART_CONTENT_HASHES), 8 * (uint64_t)ordinal,
		              "ordinal %u: another hash than its document's", ordinal);
}

static void check_records(struct stored *stored, struct part_stream *hashes, const struct stored_block *block,
                          struct text_sums *sums)
{
	struct subject *subject = stored->subject;
	size_t offset = 0;
	for (uint32_t ordinal = block->first; ordinal < block->next; ordinal++) {
		trawl_document document;
		size_t start = offset;
		if (!stored_record(stored, &offset, &document)) {
			sums->whole = wrong(subject, PART_DOCUMENTS, block->address, "a record that is cut off");
			return;
		}
		check_hash(hashes, subject, ordinal, stored->content.data + start, offset - start);
		uint32_t doc = subject->doc_of[ordinal];
		uint64_t bytes = document.title_length + document.text_length;
		if (subject->text_of && !subject->lists_unread && doc != UINT32_MAX)
			compare_text(subject, doc, block, &document);
		sums->all += doc == UINT32_MAX ? 0 : bytes;
		sums->live += doc == UINT32_MAX || subject_is_deleted(subject, doc) ? 0 : bytes;
	}
	if (offset != stored->content.length)
		sums->whole = wrong(subject, PART_DOCUMENTS, block->address, "bytes behind a block's last record");
}

static void check_stored(struct subject *subject)
{
	struct stored stored;
	struct part_stream hashes = {0};
	struct text_sums sums = {.whole = true};
	uint64_t next_address = 0;
	uint32_t next_ordinal = 0;
	report_stage(subject->report, subject->bytes[PART_DOCUMENTS], "segment %u: documents", subject->number);
	if (!stored_open(&stored, subject) || !stored_dictionary(&stored)) {
		stored_release(&stored);
		return;
	}
	if (!part_stream_open(&hashes, subject->image, subject->number, PART_CONTENT_HASHES,
	                      subject->bytes[PART_CONTENT_HASHES]))
		subject->no_memory = true;
	for (uint32_t i = 0; i < stored_block_count(&stored) && !subject->no_memory; i++) {
		struct stored_block block;
		if (!stored_block(&stored, i, &block)) { /* its extent was reported */
			sums.whole = false;
			next_ordinal = UINT32_MAX;
			continue;
		}
		if (next_ordinal != UINT32_MAX && (block.first != next_ordinal || block.address != next_address))
			sums.whole = wrong(subject, PART_DOCUMENT_BLOCKS, (uint64_t)i * BLOCK_ENTRY,
			                   "a block that does not follow on the one before");
		next_ordinal = block.next;
		next_address = block.end;
		const char *trouble = stored_decompress(&stored, &block);
		if (trouble && *trouble)
			wrong(subject, PART_DOCUMENTS, block.address, trouble);
		if (trouble)
			sums.whole = false;
		else
			check_records(&stored, &hashes, &block, &sums);
		report_progress(subject->report, block.end >= block.address ? block.end - block.address : 0);
	}
	if (!stored_block_count(&stored) && subject->ordinals)
		sums.whole = wrong(subject, PART_DOCUMENT_BLOCKS, 0, "there are none, and documents are told");
	bool ordered = subject->order || !subject->bytes[PART_ORDER];
	if (sums.whole && ordered && sums.all != subject->text_bytes)
		wrong(subject, PART_ROOT, 32, "another number of text bytes than the documents have");
	if (sums.whole && ordered && subject->told && !subject->deletions_unknown &&
	    sums.live != subject->told->live_text_bytes)
		report_damage(subject->report, 0, part_name(PART_MANIFEST), NO_OFFSET,
		              "segment %u: another number of live text bytes than its documents have", subject->number);
	part_stream_release(&hashes);
	stored_release(&stored);
}

/* ---- ids ---- */

bool ids_open(struct id_reader *reader, struct subject *subject)
{
	*reader = (struct id_reader){.subject = subject};
	if (!part_stream_open(&reader->ids, subject->image, subject->number, PART_IDS, subject->bytes[PART_IDS]) ||
	    !part_stream_open(&reader->blocks, subject->image, subject->number, PART_ID_BLOCKS,
	                      subject->bytes[PART_ID_BLOCKS])) {
		subject->no_memory = true;
		return false;
	}
	return true;
}

void ids_release(struct id_reader *reader)
{
	part_stream_release(&reader->ids);
	part_stream_release(&reader->blocks);
}

const char *ids_enter(struct id_reader *reader, uint32_t block)
{
	uint64_t left;
	const uint8_t *entry = part_stream_at(&reader->blocks, (uint64_t)block * 8, &left);
	reader->at = reader->end = NULL;
	reader->length = 0;
	if (!entry)
		return "an id block whose address cannot be read";
	return ids_enter_at(reader, load64(entry));
}

const char *ids_enter_at(struct id_reader *reader, uint64_t address)
{
	uint64_t left;
	const uint8_t *bytes = part_stream_at(&reader->ids, address, &left);
	/* Two zeros are no id, for it has a byte at least: blocks are whole, so it stands in the next extent. */
	if (bytes && left >= 2 && !bytes[0] && !bytes[1]) {
		address = (address / EXTENT_PAYLOAD + 1) * EXTENT_PAYLOAD;
		bytes = part_stream_at(&reader->ids, address, &left);
	}
	reader->address = address;
	reader->at = reader->end = NULL;
	reader->length = 0;
	if (!bytes)
		return "an id block that cannot be read";
	reader->start = reader->at = bytes;
	reader->end = bytes + left;
	return NULL;
}

bool ids_next(struct id_reader *reader)
{
	uint64_t shared, more;
	if (!reader->at || !varint_read(&reader->at, reader->end, &shared) ||
	    !varint_read(&reader->at, reader->end, &more) || shared > reader->length || more > ID_BYTES_MAX - shared ||
	    more > (uint64_t)(reader->end - reader->at) || shared + more == 0) {
		reader->at = NULL;
		return false;
	}
	memcpy(reader->id + shared, reader->at, more);
	reader->at += more;
	reader->length = (uint32_t)(shared + more);
	return true;
}

static bool add_live(struct subject *subject, struct live_ids *live, const struct id_reader *reader, uint32_t ordinal)
{
	XXH128_hash_t hash = XXH3_128bits(reader->id, reader->length);
	if (!memory_reserve(&live->ids, &live->capacity, live->count + 1, sizeof *live->ids)) {
		subject->no_memory = true;
		return false;
	}
	live->ids[live->count++] = (struct live_id){hash.low64, hash.high64, subject->number, ordinal};
	return true;
}

/* The ids of all ordinals: blocks stand one behind the other, or at the next extent. `hashes` gets the id index's hash of
 * each; true when all could be read. */
static bool check_ids(struct subject *subject, uint32_t *hashes, struct live_ids *live)
{
	struct id_reader reader;
	uint32_t blocks = (subject->ordinals + ID_BLOCK - 1) / ID_BLOCK;
	uint64_t next = 0;
	bool all = ids_open(&reader, subject);
	for (uint32_t block = 0; block < blocks && !subject->no_memory; block++) {
		uint32_t ordinal = block * ID_BLOCK, end = ordinal + ID_BLOCK;
		if (end > subject->ordinals)
			end = subject->ordinals;
		if (ids_enter(&reader, block)) { /* its extent was reported, unless the address is at fault */
			if (reader.blocks.loaded != UINT32_MAX && reader.address >= reader.ids.bytes)
				wrong(subject, PART_ID_BLOCKS, (uint64_t)block * 8, "an address past the end");
			all = false;
			next = UINT64_MAX;
			continue;
		}
		uint64_t rounded = (next + EXTENT_PAYLOAD - 1) / EXTENT_PAYLOAD * EXTENT_PAYLOAD;
		if (next != UINT64_MAX && reader.address != next && reader.address != rounded)
			wrong(subject, PART_ID_BLOCKS, (uint64_t)block * 8,
			      "a block that does not follow on the one before");
		for (; ordinal < end; ordinal++) {
			if (!ids_next(&reader)) {
				all = wrong(subject, PART_IDS, reader.address, "ids that make no sense");
				break;
			}
			hashes[ordinal] = (uint32_t)(hash_bytes(reader.id, reader.length) >> 32);
			uint32_t doc = subject->doc_of[ordinal];
			if (doc != UINT32_MAX && !subject_is_deleted(subject, doc) &&
			    !add_live(subject, live, &reader, ordinal))
				break;
		}
		next = ordinal < end ? UINT64_MAX : reader.address + (uint64_t)(reader.at - reader.start);
	}
	if (all && !subject->no_memory && next != subject->bytes[PART_IDS])
		wrong(subject, PART_IDS, next, "bytes behind the last id");
	ids_release(&reader);
	return all && !subject->no_memory;
}

/* Ascending by hash and docID, every docID once, every hash its id's: so that a search finds every id. */
static void check_id_index(struct subject *subject, const uint32_t *hashes)
{
	struct part_stream stream;
	uint64_t left, before = 0;
	uint8_t *met = memory_new_zeroed(subject->documents / 8 + 1, 1);
	bool whole = subject->order || !subject->bytes[PART_ORDER];
	if (!part_stream_open(&stream, subject->image, subject->number, PART_ID_INDEX, subject->bytes[PART_ID_INDEX]) ||
	    !met)
		subject->no_memory = true;
	for (uint64_t i = 0; i < subject->documents && !subject->no_memory; i++) {
		const uint8_t *entry = part_stream_at(&stream, i * 8, &left);
		if (!entry) { /* reported with its extent */
			i = (i * 8 / EXTENT_PAYLOAD + 1) * (EXTENT_PAYLOAD / 8) - 1;
			before = 0;
			continue;
		}
		uint32_t hash = load32(entry), doc = load32(entry + 4);
		uint64_t now = (uint64_t)hash << 32 | doc;
		if (i * 8 % EXTENT_PAYLOAD == 0 &&
		    load32(subject->root + subject->first_hashes + 4 * (i * 8 / EXTENT_PAYLOAD)) != hash)
			wrong(subject, PART_ROOT, subject->first_hashes + 4 * (i * 8 / EXTENT_PAYLOAD),
			      "another first hash than the id index has");
		if (doc >= subject->documents || met[doc / 8] >> (doc % 8) & 1 || (i && now <= before)) {
			wrong(subject, PART_ID_INDEX, i * 8,
			      doc >= subject->documents ? "a docID past the end"
			      : now <= before && i      ? "entries that do not ascend"
			                                : "a docID for the second time");
			break;
		}
		met[doc / 8] |= (uint8_t)(1u << (doc % 8));
		uint32_t ordinal = subject->order ? subject->order[doc] : doc;
		if (hashes && whole && ordinal < subject->ordinals && hashes[ordinal] != hash)
			report_damage(subject->report, subject->number, part_name(PART_ID_INDEX), i * 8,
			              "document %u: another hash than its id's", doc);
		before = now;
	}
	part_stream_release(&stream);
	memory_free(met);
}

void check_documents(struct subject *subject, struct live_ids *live)
{
	uint32_t *hashes = memory_new(((size_t)subject->ordinals + 1) * sizeof *hashes);
	if (!hashes || !subject->doc_of) {
		memory_free(hashes);
		subject->no_memory = true;
		return;
	}
	check_stored(subject);
	bool known = !subject->no_memory && check_ids(subject, hashes, live);
	if (!subject->no_memory)
		check_id_index(subject, known ? hashes : NULL);
	memory_free(hashes);
}
