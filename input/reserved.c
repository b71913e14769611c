#include "input/reserved.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* A slice of the object, whose parts are known to be well-formed. */
struct slice {
	const char *at, *end;
};

static int refuse(const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_EINPUT, "the field \"" RESERVED_NAME "\" is not as trawl export writes it: %s",
	                 what);
}

static char next_byte(struct slice *slice)
{
	while (slice->at < slice->end && (*slice->at == ' ' || (*slice->at >= '\t' && *slice->at <= '\r')))
		slice->at++;
	return slice->at < slice->end ? *slice->at : 0;
}

/* Take a string off, which begins here: what is between its quotation marks. */
static struct slice take_string(struct slice *slice)
{
	struct slice string = {slice->at + 1, slice->at + 1};
	while (string.end < slice->end && *string.end != '"')
		string.end += *string.end == '\\' ? 2 : 1;
	slice->at = string.end < slice->end ? string.end + 1 : slice->end;
	return string;
}

/* Take an object off, which begins here, with its brackets. */
static struct slice take_object(struct slice *slice)
{
	struct slice object = *slice;
	size_t depth = 0;
	while (slice->at < slice->end) {
		char c = *slice->at;
		if (c == '"') {
			take_string(slice);
			continue;
		}
		slice->at++;
		depth += c == '{' || c == '[';
		if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	object.end = slice->at;
	return object;
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	                              : -1;
}

/* The bytes that a string stands for. Some writers of JSON escape a slash; nothing else needs to be. */
static int read_bytes(struct slice string, struct buffer *out, trawl_error *error)
{
	out->length = 0;
	for (const char *at = string.at; at < string.end; at++) {
		uint8_t byte = (uint8_t)*at;
		if (*at == '\\') {
			if (at + 1 == string.end || *++at != '/')
				return refuse("a string with an escape other than %XX", error);
			byte = '/';
		} else if (*at == '%') {
			int high = string.end - at > 2 ? digit_value(at[1]) : -1,
			    low = high < 0 ? -1 : digit_value(at[2]);
			if (low < 0)
				return refuse("a % without two digits", error);
			byte = (uint8_t)(high << 4 | low);
			at += 2;
		}
		if (!buffer_append_byte(out, byte))
			return error_set_memory(error);
	}
	return TRAWL_OK;
}

/* What was found in the object. */
struct found {
	bool id, title, text, fields_are_bytes;
	struct slice fields, file; /* with their brackets, quotation marks */
};

static bool is_key(struct slice key, const char *name)
{
	return (size_t)(key.end - key.at) == strlen(name) && memcmp(key.at, name, strlen(name)) == 0;
}

static int read_member(struct reserved *reserved, struct slice key, struct slice *rest, struct found *found,
                       trawl_error *error)
{
	char first = next_byte(rest);
	const char *start = rest->at;
	bool file = is_key(key, "file");
	if (first == '{' && is_key(key, "fields")) {
		found->fields = take_object(rest);
		found->fields_are_bytes = false;
		return TRAWL_OK;
	}
	if (file && rest->end - rest->at >= 4 && memcmp(rest->at, "true", 4) == 0) {
		found->file = (struct slice){start, rest->at += 4};
		return TRAWL_OK;
	}
	if (first != '"')
		return refuse("a value of another type", error);
	struct slice string = take_string(rest);
	struct buffer *into = is_key(key, "id")       ? &reserved->id
	                      : is_key(key, "title")  ? &reserved->title
	                      : is_key(key, "text")   ? &reserved->text
	                      : is_key(key, "fields") ? &reserved->bytes
	                                              : NULL;
	found->id |= into == &reserved->id;
	found->title |= into == &reserved->title;
	found->text |= into == &reserved->text;
	if (into == &reserved->bytes)
		found->fields_are_bytes = true;
	if (into)
		return read_bytes(string, into, error);
	if (!file || memchr(string.at, '\\', (size_t)(string.end - string.at)))
		return refuse(file ? "an escape other than %XX in a path" : "a member of another name", error);
	found->file = (struct slice){start, rest->at};
	return TRAWL_OK;
}

static bool append(struct buffer *out, struct slice slice)
{
	return buffer_append(out, slice.at, (size_t)(slice.end - slice.at));
}

/* Members of an object behind those that are there. */
static bool append_members(struct buffer *out, const char *object, size_t length)
{
	struct slice members = {object + 1, object + length - 1};
	return length <= 2 || ((out->length == 1 || buffer_append_byte(out, ',')) && append(out, members));
}

/* The stored fields: the file first, then the members beside the reserved one, then those within it. */
static int join_fields(struct reserved *reserved, const struct found *found, trawl_document *document,
                       trawl_error *error)
{
	struct buffer *out = &reserved->fields;
	struct slice bytes = {(const char *)reserved->bytes.data, (const char *)reserved->bytes.data};
	bytes.end += found->fields_are_bytes ? reserved->bytes.length : 0;
	bool whole = found->fields_are_bytes && !found->file.at && document->fields_length == 0;
	bool braces = bytes.end - bytes.at >= 2 && bytes.at[0] == '{' && bytes.end[-1] == '}';
	if (found->fields_are_bytes && !whole && !braces)
		return refuse("fields that are no object beside others", error);
	struct slice more = found->fields_are_bytes ? bytes : found->fields;
	bool done = true;
	out->length = 0;
	if (whole || (!found->file.at && document->fields_length == 0)) {
		done = append(out, more);
	} else {
		static const char start[] = RESERVED_FILE;
		done = buffer_append_byte(out, '{');
		if (done && found->file.at)
			done = buffer_append(out, start, sizeof start - 1) && append(out, found->file) &&
			       buffer_append_byte(out, '}');
		done = done && append_members(out, document->fields, document->fields_length) &&
		       (!more.at || append_members(out, more.at, (size_t)(more.end - more.at))) &&
		       buffer_append_byte(out, '}');
	}
	if (!done)
		return error_set_memory(error);
	document->fields = (const char *)out->data;
	document->fields_length = out->length;
	return TRAWL_OK;
}

static const char *start_of(const struct buffer *buffer)
{
	return buffer->data ? (const char *)buffer->data : "";
}

int reserved_apply(struct reserved *reserved, const char *json, size_t length, trawl_document *document,
                   trawl_error *error)
{
	struct slice rest = {json + 1, json + length};
	struct found found = {0};
	while (next_byte(&rest) == '"') {
		struct slice key = take_string(&rest);
		if (next_byte(&rest) == ':')
			rest.at++;
		int status = read_member(reserved, key, &rest, &found, error);
		if (status != TRAWL_OK)
			return status;
		if (next_byte(&rest) == ',')
			rest.at++;
	}
	if (found.id && (reserved->id.length == 0 || reserved->id.length > 4096))
		return refuse("an id of no or too many bytes", error);
	if (found.id)
		document->id = start_of(&reserved->id), document->id_length = reserved->id.length;
	if (found.title)
		document->title = start_of(&reserved->title), document->title_length = reserved->title.length;
	if (found.text)
		document->text = start_of(&reserved->text), document->text_length = reserved->text.length;
	if (!found.fields.at && !found.fields_are_bytes && !found.file.at)
		return TRAWL_OK;
	return join_fields(reserved, &found, document, error);
}

void reserved_release(struct reserved *reserved)
{
	buffer_release(&reserved->id);
	buffer_release(&reserved->title);
	buffer_release(&reserved->text);
	buffer_release(&reserved->bytes);
	buffer_release(&reserved->fields);
}
