/*
 * fields.c - stored fields are the text of a JSON object. Members are printed as the slices of it that they are, so that numbers keep
 * their digits; this reads no more of JSON than where a value ends. Whatever the text is, nothing past its end is read.
 */
#include "cli/fields.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reserved.h"
#include "cli/text.h"

/* Deeper nested members cannot be chosen. */
#define DEPTH_MAX 64

bool field_choice_parse(struct field_choice *choice, const char *text)
{
	*choice = (struct field_choice){.all = strcmp(text, "all") == 0};
	for (const char *at = text; !choice->all; at++) {
		size_t length = strcspn(at, ",");
		if (length == 0 || choice->count == FIELD_NAMES_MAX)
			return false;
		choice->names[choice->count++] = (struct field_name){at, length};
		at += length;
		if (!*at)
			return true;
	}
	return true;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

struct slice {
	const char *at;
	size_t left;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct slice *slice, size_t length)
{
	slice->at += length;
	slice->left -= length;
}

static char next_byte(struct slice *slice)
{
	while (slice->left > 0 && is_space(*slice->at))
		skip(slice, 1);
	return slice->left > 0 ? *slice->at : 0;
}

/* The length of the string at the start, with its quotation marks; 0: it does not end. */
static size_t string_length(struct slice slice)
{
	for (size_t i = 1; i < slice.left; i++) {
		if (slice.at[i] == '"')
			return i + 1;
		if (slice.at[i] == '\\')
			i++;
	}
	return 0;
}

/* The length of the value at the start; 0: it has no end. */
static size_t value_length(struct slice slice)
{
	size_t depth = 0, size;
	for (size_t i = 0; i < slice.left; i += size) {
		char c = slice.at[i];
		bool closes = c == '}' || c == ']';
		size = c == '"' ? string_length((struct slice){slice.at + i, slice.left - i}) : 1;
		if (size == 0)
			return 0;
		if (depth == 0 && (closes || c == ',' || is_space(c)))
			return i; /* behind a number or a word */
		depth += c == '{' || c == '[';
		depth -= closes;
		if (depth == 0 && (closes || c == '"'))
			return i + size;
	}
	return 0;
}

/* Take the next value off the slice. */
static bool take_value(struct slice *slice, struct slice *value)
{
	next_byte(slice);
	size_t length = value_length(*slice);
	*value = (struct slice){slice->at, length};
	skip(slice, length);
	return length > 0;
}

/* Go from within a list to its next element: false at its end. The slice begins with the sign before the element. */
static bool next_element(struct slice *slice, char open)
{
	char c = next_byte(slice);
	if (c != open && c != ',')
		return false;
	skip(slice, 1);
	c = next_byte(slice);
	return c != 0 && c != '}' && c != ']';
}

static bool next_member(struct slice *object, struct slice *key, struct slice *value)
{
	if (!next_element(object, '{') || *object->at != '"' || !take_value(object, key) || next_byte(object) != ':')
		return false;
	skip(object, 1);
	return take_value(object, value);
}

/* ---- the choice ------------------------------------------------------------------------------------------------ */

/* What of the names belongs to this object, as suffixes of them. */
struct wanted {
	size_t count;
	struct field_name names[FIELD_NAMES_MAX];
};

/* Names that begin with the key and a dot go on in `inner`; true: the member itself is chosen. */
static bool match_key(const struct wanted *wanted, const char *key, size_t length, struct wanted *inner)
{
	inner->count = 0;
	for (size_t i = 0; i < wanted->count; i++) {
		const struct field_name *name = &wanted->names[i];
		if (name->length < length || memcmp(name->text, key, length) != 0)
			continue;
		if (name->length == length)
			return true;
		if (name->text[length] == '.')
			inner->names[inner->count++] =
			    (struct field_name){name->text + length + 1, name->length - length - 1};
	}
	return false;
}

/* The same for a key as it is written, which may have escapes. */
static bool match_written(const struct wanted *wanted, struct slice key, struct wanted *inner)
{
	if (!memchr(key.at, '\\', key.left))
		return match_key(wanted, key.at + 1, key.left - 2, inner);
	json_t *string = json_loadb(key.at, key.left, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	inner->count = 0;
	bool chosen = string && match_key(wanted, json_string_value(string), json_string_length(string), inner);
	json_decref(string);
	return chosen;
}

/* The chosen parts of the document's object, before they are printed. Without memory nothing is. */
struct output {
	char *data;
	size_t length, capacity;
	bool failed;
};

static void append(struct output *out, const char *bytes, size_t length)
{
	if (out->failed)
		return;
	if (length > out->capacity - out->length) {
		size_t capacity = 2 * (out->length + length) + 256;
		char *grown = realloc(out->data, capacity);
		out->failed = !grown;
		if (!grown)
			return;
		out->data = grown;
		out->capacity = capacity;
	}
	memcpy(out->data + out->length, bytes, length);
	out->length += length;
}

static bool choose_value(struct output *out, struct slice value, const struct wanted *wanted, unsigned depth);

/* The chosen members of an object; false: there are none, and nothing was appended. */
static bool choose_members(struct output *out, struct slice object, const struct wanted *wanted, unsigned depth)
{
	struct wanted inner;
	struct slice key, value;
	size_t start = out->length;
	bool any = false;
	append(out, "{", 1);
	while (next_member(&object, &key, &value)) {
		size_t before = out->length;
		bool whole = match_written(wanted, key, &inner);
		if (!whole && inner.count == 0)
			continue;
		if (any)
			append(out, ",", 1);
		append(out, key.at, key.left);
		append(out, ":", 1);
		if (whole)
			append(out, value.at, value.left);
		if (whole || choose_value(out, value, &inner, depth + 1))
			any = true;
		else
			out->length = before;
	}
	append(out, "}", 1);
	if (!any)
		out->length = start;
	return any;
}

/* Of an array, what its objects have. */
static bool choose_elements(struct output *out, struct slice array, const struct wanted *wanted, unsigned depth)
{
	struct slice value;
	size_t start = out->length;
	bool any = false;
	append(out, "[", 1);
	while (next_element(&array, '[') && take_value(&array, &value)) {
		size_t before = out->length;
		if (any)
			append(out, ",", 1);
		if (*value.at == '{' && choose_members(out, value, wanted, depth))
			any = true;
		else
			out->length = before;
	}
	append(out, "]", 1);
	if (!any)
		out->length = start;
	return any;
}

static bool choose_value(struct output *out, struct slice value, const struct wanted *wanted, unsigned depth)
{
	if (depth > DEPTH_MAX || (*value.at != '{' && *value.at != '['))
		return false;
	return (*value.at == '{' ? choose_members : choose_elements)(out, value, wanted, depth);
}

/* ---- printing -------------------------------------------------------------------------------------------------- */

static bool is_chosen(const struct field_choice *choice, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < choice->count; i++)
		if (choice->names[i].length == length && memcmp(choice->names[i].text, name, length) == 0)
			return true;
	return false;
}

static bool has_member(struct slice object, const char *name)
{
	struct wanted wanted = {1, {{name, strlen(name)}}}, inner;
	struct slice key, value;
	while (next_member(&object, &key, &value))
		if (match_written(&wanted, key, &inner))
			return true;
	return false;
}

static void print_chosen(const struct field_choice *choice, struct slice object, const trawl_document *document)
{
	struct wanted wanted = {.count = choice->count};
	struct output out = {0};
	memcpy(wanted.names, choice->names, sizeof wanted.names);
	bool any = choose_members(&out, object, &wanted, 0) && !out.failed;
	putchar('{');
	if (is_chosen(choice, "text") && !has_member(object, "text")) {
		fputs("\"text\":", stdout);
		json_write_string(stdout, document->text, document->text_length);
		if (any)
			putchar(',');
	}
	if (any)
		json_write_raw(stdout, out.data + 1, out.length - 2);
	putchar('}');
	free(out.data);
}

static void print_visible(const struct field_choice *choice, const trawl_document *document)
{
	struct slice object = {document->fields, document->fields_length};
	if (!choice->all) {
		print_chosen(choice, object, document);
		return;
	}
	struct slice rest = object, value;
	if (next_byte(&rest) == '{' && take_value(&rest, &value))
		json_write_raw(stdout, value.at, value.left);
	else if (object.left > 0)
		json_write_string(stdout, object.at, object.left);
	else
		fputs("{}", stdout);
}

void print_fields(const struct field_choice *choice, const trawl_document *document)
{
	trawl_document visible = *document;
	struct origin origin;
	char *memory;
	if (!origin_take(&visible, &origin, &memory))
		visible.fields_length = 0; /* as without memory for a choice */
	print_visible(choice, &visible);
	free(memory);
}
