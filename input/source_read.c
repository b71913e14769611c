/* source_read.c - the documents of a file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/error.h"
#include "input/encoding.h"
#include "input/source.h"
#include "input/stream.h"

/* The title of a text is its first line with something in it, up to so many bytes; the text goes on behind them. */
#define TITLE_MAX ((size_t)1024)

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- what is told of documents ----------------------------------------------------------------------------------- */

/* All of the file was read. */
static int end_file(struct trawl_source *source, trawl_error *error)
{
	char message[128];
	uint64_t trailing = stream_trailing(source->reader.stream), replaced = 0;
	int status = TRAWL_OK;
	if (source->reader.converting)
		replaced = converter_replaced(source->reader.converter);
	if (replaced) {
		snprintf(message, sizeof message, "%" PRIu64 " places that are no %s became U+FFFD", replaced,
		         converter_encoding(source->reader.converter));
		status = source_note(source, TRAWL_NOTED_REPLACED, (struct place){0}, message, error);
	}
	if (status == TRAWL_OK && trailing) {
		snprintf(message, sizeof message, "passed over what follows the compressed data at byte %" PRIu64,
		         trailing);
		status = source_note(source, TRAWL_NOTED_TRAILING, (struct place){0}, message, error);
	}
	source_finish_file(source);
	return status;
}

static int note_repair(struct trawl_source *source, enum repair repair, struct place place, trawl_error *error)
{
	if (repair == REPAIR_LATIN)
		return source_note(source, TRAWL_NOTED_ENCODING, place,
		                   "not UTF-8, read as windows-1252 (--encoding names another)", error);
	if (repair == REPAIR_REPLACE)
		return source_note(source, TRAWL_NOTED_REPLACED, place,
		                   "invalid UTF-8, which became U+FFFD (--encoding names another encoding)", error);
	return TRAWL_OK;
}

static bool is_plain_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool has_word(const char *text, size_t length)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + length;
	while (at < end) {
		ucs4_t c = *at;
		if (c < 0x80) {
			if (is_plain_letter((char)c))
				return true;
			at++;
			continue;
		}
		at += u8_mbtouc(&c, at, (size_t)(end - at));
		if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N))
			return true;
	}
	return false;
}

/* A document that nobody would miss until it is not found. */
static int note_what_is_missing(struct trawl_source *source, const trawl_document *document, struct place place,
                                trawl_error *error)
{
	size_t length = 0;
	if (has_word(document->text, document->text_length))
		return TRAWL_OK;
	bool word = has_word(document->title, document->title_length);
	const char *name = document->text_length ? NULL : json_find_text(document, &length);
	char message[256];
	if (word && !name)
		return TRAWL_OK;
	int shown = length < 100 ? (int)length : 100;
	snprintf(message, sizeof message, name ? "no %s; a field named \"%.*s\" looks like it: --text %.*s" : "no %s",
	         word   ? "text"
	         : name ? "text to search"
	                : "word to search",
	         shown, name, shown, name);
	return source_note(source, word ? TRAWL_NOTED_NO_TEXT : TRAWL_NOTED_NO_WORD, place, message, error);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* UTF-8 of a text that may be none, in place or in source->repaired, READER_PADDING bytes behind it. false: out of memory. */
static bool repair_text(struct trawl_source *source, char **text, size_t *length, enum repair *repair)
{
	struct buffer *repaired = &source->repaired;
	repaired->length = 0;
	if (!encoding_repair(*text, *length, source->guess_encoding, repaired, repair))
		return false;
	if (*repair == REPAIR_NONE)
		return true;
	if (!buffer_reserve(repaired, READER_PADDING))
		return false;
	memset(repaired->data + repaired->length, 0, READER_PADDING);
	*text = (char *)repaired->data;
	*length = repaired->length;
	return true;
}

/* Pass over the marks at the beginning of a file or a record, within files that were put together. */
static bool skip_marks(char **text, size_t *length)
{
	size_t mark = *length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0 ? 3 : *length && **text == 0x1e ? 1 : 0;
	*text += mark;
	*length -= mark;
	return mark > 0;
}

/* As json_parser_read; what can be mended of an object that cannot be read is, and `repair` says how. */
static int parse(struct trawl_source *source, char *text, size_t length, trawl_document *document, size_t *column,
                 enum repair *repair, trawl_error *problem)
{
	*repair = REPAIR_NONE;
	int status = json_parser_read(source->json, text, length, document, column, problem);
	if (status != TRAWL_EINPUT)
		return status;
	if (!repair_text(source, &text, &length, repair))
		return error_set_memory(problem);
	bool mended = *repair != REPAIR_NONE;
	mended |= skip_marks(&text, &length);
	mended |= json_replace_surrogates(text, length);
	return mended ? json_parser_read(source->json, text, length, document, column, problem) : status;
}

/* Give the document that begins at `place` an id if it has none, and tell what is to be told of it. 1, or an error. */
static int finish_document(struct trawl_source *source, trawl_document *document, enum repair repair,
                           struct place place, trawl_error *error)
{
	if (document->id_length == 0) {
		if (!source_format_place(source, place, &source->auto_id))
			return error_set_memory(error);
		document->id = (const char *)source->auto_id.data;
		document->id_length = source->auto_id.length - 1;
	}
	int status = note_repair(source, repair, place, error);
	if (status == TRAWL_OK)
		status = note_what_is_missing(source, document, place, error);
	return status == TRAWL_OK ? 1 : status;
}

/* Nothing is left to do for it, as for nearly all. */
static inline bool is_complete(const trawl_document *document, enum repair repair)
{
	return repair == REPAIR_NONE && document->id_length && document->text_length &&
	       is_plain_letter(*document->text);
}

/* From a file of objects that are not one a line. */
static int read_loose_object(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	trawl_error problem;
	struct place place;
	char *object;
	size_t length, column;
	enum repair repair;
	int status = objects_next(&source->objects, &object, &length, &place, &problem);
	if (status == 0)
		return 0; /* lines again; they find the end */
	if (status < 0) {
		bool lost = source->objects.lost;
		if (status != TRAWL_EINPUT && status != TRAWL_ELIMIT)
			return source_give_up_file(source, TRAWL_SKIPPED_DAMAGED, &problem, error);
		return source_report(source,
		                     source_notice_of(status, lost ? TRAWL_SKIPPED_DAMAGED : TRAWL_SKIPPED_MALFORMED),
		                     place, &problem, error);
	}
	status = parse(source, object, length, document, &column, &repair, &problem);
	if (status != TRAWL_OK)
		return source_report(source, source_notice_of(status, TRAWL_SKIPPED_MALFORMED),
		                     column ? objects_place(place, object, column - 1) : place, &problem, error);
	if (source->objects.begins_line)
		place.column = 0;
	return finish_document(source, document, repair, place, error);
}

/* From the next line. */
static int read_line_object(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	trawl_error problem, failure;
	char *line;
	size_t length, column = 0;
	enum repair repair;
	int status = reader_line(&source->reader, &line, &length, &problem);
	struct place place = {source->reader.line_number, 0};
	if (status == 0)
		return end_file(source, error);
	if (status < 0 && status != TRAWL_ELIMIT)
		return source_give_up_file(source, TRAWL_SKIPPED_DAMAGED, &problem, error);
	if (status == 1) {
		size_t blanks = 0;
		while (blanks < length && is_space(line[blanks]))
			blanks++;
		if (blanks == length)
			return 0;
		status = parse(source, line, length, document, &column, &repair, &problem);
		if (status == TRAWL_OK)
			return is_complete(document, repair) ? 1
			                                     : finish_document(source, document, repair, place, error);
		if (status == TRAWL_EINPUT && objects_try(&source->objects, line, length, &failure) != TRAWL_OK)
			return source_give_up_file(source, TRAWL_SKIPPED_DAMAGED, &failure, error);
		if (source->objects.loose)
			return 0;
	}
	place.column = column;
	return source_report(source, source_notice_of(status, TRAWL_SKIPPED_MALFORMED), place, &problem, error);
}

int source_read_object(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	return source->objects.loose ? read_loose_object(source, document, error)
	                             : read_line_object(source, document, error);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Where to cut a title that is too long: at white space in its second half, else between two characters. */
static size_t title_end(const char *line)
{
	size_t end = TITLE_MAX;
	while (end > TITLE_MAX / 2 && !is_space(line[end]))
		end--;
	if (is_space(line[end]))
		return end;
	for (end = TITLE_MAX; end > TITLE_MAX - 3 && ((unsigned char)line[end] & 0xc0) == 0x80;)
		end--;
	return end;
}

/* Title and text of a file's content; false when it is empty. No byte is in both, and only white space in neither. */
static bool split_text(const char *content, size_t length, trawl_document *document)
{
	const char *at = content, *end = content + length;
	while (at < end && is_space(*at))
		at++;
	if (at == end)
		return false;
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	const char *line_end = feed ? feed : end;
	while (is_space(line_end[-1]))
		line_end--;
	const char *rest = feed ? feed + 1 : end;
	if ((size_t)(line_end - at) > TITLE_MAX)
		rest = line_end = at + title_end(at);
	while (is_space(line_end[-1]))
		line_end--;
	document->title = at;
	document->title_length = (size_t)(line_end - at);
	document->text = rest;
	document->text_length = (size_t)(end - rest);
	return true;
}

int source_read_text(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	trawl_error problem;
	char *content;
	size_t length;
	enum repair repair;
	const char *path = source->file->path;
	int status = reader_rest(&source->reader, &content, &length, &problem);
	if (status == TRAWL_OK && !repair_text(source, &content, &length, &repair))
		status = error_set_memory(&problem);
	if (status == TRAWL_OK && length > source->reader.text_most)
		status = reader_refuse(source->reader.text_most, READER_TEXT_MAX, "text larger", &problem);
	if (status != TRAWL_OK)
		return source_give_up_file(source, TRAWL_SKIPPED_DAMAGED, &problem, error);
	*document = (trawl_document){.id = path, .id_length = strlen(path), .fields = ""};
	if (!split_text(content, length, document))
		return source_refuse_file(source, TRAWL_SKIPPED_EMPTY, "empty file", error);
	status = note_repair(source, repair, (struct place){0}, error);
	if (status == TRAWL_OK)
		status = note_what_is_missing(source, document, (struct place){0}, error);
	if (status == TRAWL_OK)
		status = end_file(source, error);
	return status == TRAWL_OK ? 1 : status;
}
