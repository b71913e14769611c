#define SIMDJSON_EXCEPTIONS 0
#define SIMDJSON_DEVELOPMENT_CHECKS 0 /* else unoptimised builds have one more array that it forgets to look at */
#include <simdjson.h>
#include <unistr.h>

#include <cstring>
#include <new>
#include <string_view>
#include <utility>

extern "C" {
#include "base/error.h"
#include "base/memory.h"
#include "input/json.h"
#include "input/reader.h"
#include "input/reserved.h"
}
#include "input/json_choice.h"

static_assert(READER_PADDING >= simdjson::SIMDJSON_PADDING, "the parser reads further behind a line than there is");

namespace ondemand = simdjson::ondemand;
using std::string_view;

struct json_parser {
	ondemand::parser simdjson;
	bool chosen;                   /* it has an implementation */
	string_view names[JSON_ROLES]; /* owned */
	string_view second_id;         /* owned; empty: there is none */
	bool auto_id;
	struct buffer joined[JSON_ROLES];
	struct buffer fields;
	struct reserved reserved;
};

namespace
{

constexpr size_t CAPACITY_FIRST = 64 << 10;

/* The parser takes five bytes and more for each of a line: what a huge one needed is given back with the next. */
constexpr size_t CAPACITY_KEPT = 1 << 20;

/* One line being read. */
struct reading {
	json_parser *parser;
	ondemand::document json;
	string_view line;
	trawl_document *document;
	size_t *column;
	trawl_error *error;
	string_view second_id; /* the value of the field of that name, */
	string_view second_token;
	size_t second_start, second_end; /* which is here in `fields` */
	string_view reserved;            /* the object of that name, or none */
};

const char *problem_text(simdjson::error_code problem)
{
	switch (problem) {
	case simdjson::UNCLOSED_STRING: return "a string does not end: the line is cut off, or a quote is missing";
	case simdjson::OUT_OF_BOUNDS:
	case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: return "the line does not end with the object's closing brace";
	case simdjson::UNESCAPED_CHARS: return "a string contains a control character that is not escaped";
	case simdjson::STRING_ERROR: return "a string contains an invalid escape sequence";
	case simdjson::TAPE_ERROR: return "invalid JSON";
	case simdjson::UTF8_ERROR: return "invalid UTF-8";
	default: return simdjson::error_message(problem);
	}
}

int fail_at(reading &r, const char *where, const char *text)
{
	if (where >= r.line.data() && where <= r.line.data() + r.line.size())
		*r.column = (size_t)(where - r.line.data()) + 1;
	return error_set(r.error, TRAWL_EINPUT, "%s", text);
}

int fail(reading &r, simdjson::error_code problem, const char *where = nullptr)
{
	if (problem == simdjson::MEMALLOC)
		return error_set_memory(r.error);
	const char *here;
	if (!where && r.json.current_location().get(here) == simdjson::SUCCESS)
		where = here;
	return fail_at(r, where, problem_text(problem));
}

bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

string_view trim_end(string_view text)
{
	while (!text.empty() && is_space(text.back()))
		text.remove_suffix(1);
	return text;
}

/* From the value's first byte to the next token: all of a string, number or word; of a container just the bracket. */
string_view token_of(ondemand::value &value)
{
	return trim_end(value.raw_json_token());
}

bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t count_digits(string_view text, size_t from)
{
	size_t at = from;
	while (at < text.size() && is_digit(text[at]))
		at++;
	return at - from;
}

/* The grammar of RFC 8259, section 6; of any size, since numbers are kept as text. */
bool is_number(string_view text)
{
	size_t at = !text.empty() && text[0] == '-';
	size_t digits = count_digits(text, at);
	if (digits == 0 || (digits > 1 && text[at] == '0'))
		return false;
	at += digits;
	if (at < text.size() && text[at] == '.') {
		if ((digits = count_digits(text, at + 1)) == 0)
			return false;
		at += 1 + digits;
	}
	if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		at += at < text.size() && (text[at] == '+' || text[at] == '-');
		if ((digits = count_digits(text, at)) == 0)
			return false;
		at += digits;
	}
	return at == text.size();
}

/* A string's content: within the line when it has no escapes, else decoded into the parser's own memory. Either way the
 * parser must be told that the value is used: it takes a string left alone and a colon behind it for a key. */
int read_string(reading &r, ondemand::value &value, string_view token, string_view *content)
{
	ondemand::raw_json_string raw;
	if (token.size() < 2 || token.back() != '"')
		return fail_at(r, token.data(), "invalid JSON");
	*content = token.substr(1, token.size() - 2);
	bool escapes = memchr(content->data(), '\\', content->size()) != nullptr;
	auto problem = escapes ? value.get_string().get(*content) : value.get_raw_json_string().get(raw);
	return problem ? fail(r, problem, token.data()) : TRAWL_OK;
}

int check_value(reading &r, ondemand::value value, int depth);

int check_array(reading &r, ondemand::value &value, int depth)
{
	ondemand::array array;
	auto problem = value.get_array().get(array);
	if (problem)
		return fail(r, problem);
	for (auto item : array) {
		ondemand::value element;
		if ((problem = std::move(item).get(element)))
			return fail(r, problem);
		int status = check_value(r, element, depth + 1);
		if (status != TRAWL_OK)
			return status;
	}
	return TRAWL_OK;
}

int check_object(reading &r, ondemand::value &value, int depth)
{
	ondemand::object object;
	auto problem = value.get_object().get(object);
	if (problem)
		return fail(r, problem);
	for (auto item : object) {
		ondemand::field field;
		string_view key;
		if ((problem = std::move(item).get(field)))
			return fail(r, problem);
		const char *key_start = field.key().raw();
		if ((problem = field.unescaped_key().get(key)))
			return fail(r, problem, key_start);
		int status = check_value(r, field.value(), depth + 1);
		if (status != TRAWL_OK)
			return status;
	}
	return TRAWL_OK;
}

/* Pass over a value, all of which must be valid: the parser alone would look only at what is asked of it. */
int check_value(reading &r, ondemand::value value, int depth)
{
	string_view token = token_of(value), content;
	if (depth > JSON_DEPTH_MAX)
		return fail_at(r, token.data(), "arrays or objects are nested too deeply");
	switch (token.empty() ? 0 : token[0]) {
	case '{': return check_object(r, value, depth);
	case '[': return check_array(r, value, depth);
	case '"': return read_string(r, value, token, &content);
	case 't':
	case 'f':
	case 'n':
		if (token == "true" || token == "false" || token == "null")
			return TRAWL_OK;
		break;
	default:
		if (is_number(token))
			return TRAWL_OK;
	}
	return fail_at(r, token.data(), "invalid JSON: a value is missing or misspelt");
}

const char *type_of(string_view token)
{
	switch (token.empty() ? 0 : token[0]) {
	case '{': return "an object";
	case '[': return "an array";
	case '"': return "a string";
	case 't':
	case 'f': return "a boolean";
	case 'n': return "null";
	default: return "a number";
	}
}

int fail_type(reading &r, int role, string_view token, const char *also)
{
	fail_at(r, token.data(), "");
	return error_set(r.error, TRAWL_EINPUT, "field \"%s\" %s %s; wanted is a string, a number or an array of these",
	                 r.parser->names[role].data(), also, type_of(token));
}

/* The text of a value that is no array: strings decoded, numbers, true and false as written, null nothing. *missing: it is null. */
int read_scalar(reading &r, ondemand::value &value, string_view token, string_view *content, bool *missing)
{
	*content = token;
	*missing = false;
	if (!token.empty() && token[0] == '"')
		return read_string(r, value, token, content);
	int status = check_value(r, value, 1);
	*missing = status == TRAWL_OK && token[0] == 'n';
	if (*missing)
		*content = string_view("", 0);
	return status;
}

bool is_container(string_view token)
{
	return !token.empty() && (token[0] == '{' || token[0] == '[');
}

int join_array(reading &r, ondemand::value &value, int role, string_view *content)
{
	struct buffer *joined = &r.parser->joined[role];
	ondemand::array array;
	auto problem = value.get_array().get(array);
	if (problem)
		return fail(r, problem);
	joined->length = 0;
	bool first = true;
	for (auto item : array) {
		ondemand::value element;
		if ((problem = std::move(item).get(element)))
			return fail(r, problem);
		string_view token = token_of(element), part;
		bool missing;
		int status = read_scalar(r, element, token, &part, &missing);
		if (status == TRAWL_OK && is_container(token))
			status = fail_type(r, role, token, "is an array with");
		if (status != TRAWL_OK)
			return status;
		if (missing)
			continue;
		if ((!first && !buffer_append_byte(joined, '\n')) || !buffer_append(joined, part.data(), part.size()))
			return error_set_memory(r.error);
		first = false;
	}
	*content = string_view(reinterpret_cast<const char *>(joined->data), joined->length);
	return TRAWL_OK;
}

void set_content(trawl_document *document, int role, string_view content)
{
	const char *start = content.data();
	if (role == JSON_ID)
		document->id = start, document->id_length = content.size();
	else if (role == JSON_TITLE)
		document->title = start, document->title_length = content.size();
	else
		document->text = start, document->text_length = content.size();
}

/* A value that is to be an id: a string or a number. */
int check_id(reading &r, string_view content, string_view token, string_view name)
{
	bool text = !token.empty() && (token[0] == '"' || token[0] == '-' || is_digit(token[0]));
	bool nothing = token.empty() || token[0] == 'n' || (text && content.empty());
	if ((text && !content.empty() && content.size() <= JSON_ID_MAX) || (nothing && r.parser->auto_id))
		return TRAWL_OK;
	fail_at(r, token.data(), "");
	if (!text)
		return error_set(r.error, TRAWL_EINPUT, "field \"%.*s\" is %s; wanted is a string or a number",
		                 static_cast<int>(name.size()), name.data(), type_of(token));
	return error_set(r.error, TRAWL_EINPUT,
	                 content.empty() ? "field \"%.*s\" is empty" : "field \"%.*s\" is longer than %d bytes",
	                 static_cast<int>(name.size()), name.data(), JSON_ID_MAX);
}

/* Read a value that serves the roles in the bit set `roles`. */
int read_roles(reading &r, ondemand::value value, unsigned roles)
{
	string_view token = token_of(value), content("", 0);
	bool has_id = roles & 1u << JSON_ID, missing;
	int role = roles & 1u << JSON_TEXT ? JSON_TEXT : JSON_TITLE, status;
	char first = token.empty() ? 0 : token[0];
	if (first == '"')
		status = read_string(r, value, token, &content);
	else if (!has_id && first == '[')
		status = join_array(r, value, role, &content);
	else
		status = read_scalar(r, value, token, &content, &missing);
	if (status == TRAWL_OK && has_id && !(first == '"' && !content.empty() && content.size() <= JSON_ID_MAX))
		status = check_id(r, content, token, r.parser->names[JSON_ID]);
	else if (status == TRAWL_OK && !has_id && first == '{')
		status = fail_type(r, role, token, "is");
	for (int i = 0; status == TRAWL_OK && i < JSON_ROLES; i++)
		if (roles & 1u << i)
			set_content(r.document, i, content);
	return status;
}

/* Add a field that has no role, from its key's quote to the end of its value, which has been read, to `fields`. */
int append_field(reading &r, const char *start, string_view token)
{
	struct buffer *fields = &r.parser->fields;
	const char *end = token.data() + token.size();
	if (is_container(token)) {
		auto problem = r.json.current_location().get(end);
		if (problem)
			return fail(r, problem);
	}
	string_view field = trim_end(string_view(start, (size_t)(end - start)));
	if (!buffer_append_byte(fields, fields->length ? ',' : '{') ||
	    !buffer_append(fields, field.data(), field.size()))
		return error_set_memory(r.error);
	/* Within valid JSON a line end is white space: as a space it fits into a line again. */
	for (uint8_t *at = fields->data + fields->length - field.size(); at < fields->data + fields->length; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	return TRAWL_OK;
}

int keep_field(reading &r, const char *start, ondemand::value value)
{
	string_view token = token_of(value);
	int status = check_value(r, value, 1);
	return status == TRAWL_OK ? append_field(r, start, token) : status;
}

/* A field that is the id if no other is. Until that is known it is kept as those without a role. */
int read_second_id(reading &r, const char *start, ondemand::value value)
{
	bool missing;
	r.second_token = token_of(value);
	r.second_start = r.parser->fields.length;
	int status = read_scalar(r, value, r.second_token, &r.second_id, &missing);
	if (status == TRAWL_OK)
		status = append_field(r, start, r.second_token);
	r.second_end = r.parser->fields.length;
	return status;
}

/* It is: then it is no further field. */
int take_second_id(reading &r)
{
	struct buffer *fields = &r.parser->fields;
	int status = check_id(r, r.second_id, r.second_token, r.parser->second_id);
	if (status != TRAWL_OK)
		return status;
	set_content(r.document, JSON_ID, r.second_id);
	size_t start = r.second_start, end = r.second_end;
	if (start == 0 && end < fields->length)
		start++, end++; /* the bracket stays, and the comma behind it goes */
	memmove(fields->data + start, fields->data + end, fields->length - end);
	fields->length -= end - start;
	return TRAWL_OK;
}

/* What `trawl export` had to say beside the other fields: an object; else it is a field like others. */
int note_reserved(reading &r, const char *start, ondemand::value value)
{
	string_view token = token_of(value);
	if (token.empty() || token[0] != '{')
		return keep_field(r, start, value);
	int status = check_value(r, value, 1);
	const char *end;
	auto problem = r.json.current_location().get(end);
	if (status == TRAWL_OK && problem)
		return fail(r, problem);
	if (status == TRAWL_OK)
		r.reserved = trim_end(string_view(token.data(), (size_t)(end - token.data())));
	return status;
}

int read_field(reading &r, ondemand::field &field)
{
	const char *start = field.key().raw() - 1;
	string_view key;
	auto problem = field.unescaped_key().get(key);
	if (problem)
		return fail(r, problem, start);
	unsigned roles = 0;
	for (int i = 0; i < JSON_ROLES; i++)
		roles |= (unsigned)(key == r.parser->names[i]) << i;
	if (roles)
		return read_roles(r, field.value(), roles);
	if (key == RESERVED_NAME)
		return note_reserved(r, start, field.value());
	return !r.parser->second_id.empty() && key == r.parser->second_id ? read_second_id(r, start, field.value())
	                                                                  : keep_field(r, start, field.value());
}

int read_object(reading &r)
{
	ondemand::object object;
	auto problem = r.json.get_object().get(object);
	if (problem)
		return fail(r, problem);
	for (auto item : object) {
		ondemand::field field;
		if ((problem = std::move(item).get(field)))
			return fail(r, problem);
		int status = read_field(r, field);
		if (status != TRAWL_OK)
			return status;
	}
	const char *rest;
	if (r.json.current_location().get(rest) == simdjson::SUCCESS)
		return fail_at(r, rest, "more follows the object: JSON Lines wants one object a line");
	return TRAWL_OK;
}

int set_capacity(json_parser *parser, size_t length)
{
	size_t capacity = parser->simdjson.capacity();
	if (length <= capacity && (capacity <= CAPACITY_KEPT || length > CAPACITY_KEPT) &&
	    json_has_buffer(parser->simdjson))
		return TRAWL_OK;
	for (capacity = CAPACITY_FIRST; capacity < length;)
		capacity *= 2;
	if (parser->simdjson.capacity() > CAPACITY_KEPT)
		for (struct buffer *buffer : {&parser->joined[JSON_TITLE], &parser->joined[JSON_TEXT], &parser->fields})
			buffer_release(buffer);
	if (!parser->chosen && !json_choose(parser->simdjson, capacity))
		return TRAWL_ENOMEM;
	parser->chosen = true;
	return parser->simdjson.allocate(capacity) || !json_has_buffer(parser->simdjson) ? TRAWL_ENOMEM : TRAWL_OK;
}

/* ---- what fields look like --------------------------------------------------------------------------------------- */

/* Behind the string that begins at `at`. */
size_t string_end(string_view text, size_t at)
{
	for (at++; at < text.size() && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < text.size() ? at + 1 : text.size();
}

/* The next member of an object that was found valid, as it is written, from *at on: at first 0. */
bool next_member(string_view object, size_t *at, string_view *key, string_view *value)
{
	size_t start = object.find('"', *at);
	if (start == string_view::npos)
		return false;
	size_t end = string_end(object, start), from = object.find(':', end), depth = 0;
	*key = object.substr(start + 1, end - start - 2);
	from = from == string_view::npos ? object.size() : from + 1;
	while (from < object.size() && is_space(object[from]))
		from++;
	for (end = from; end < object.size() && !(depth == 0 && (object[end] == ',' || object[end] == '}'));) {
		char c = object[end];
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		end = c == '"' ? string_end(object, end) : end + 1;
	}
	*value = object.substr(from, end - from);
	*at = end;
	return true;
}

bool is_text(string_view value)
{
	return value.size() > 2 && (value[0] == '"' || (value[0] == '[' && value[1] == '"'));
}

bool is_id(string_view value)
{
	return !value.empty() && (value[0] == '"' ? value.size() > 2 : value[0] == '-' || is_digit(value[0]));
}

/* The first of `names` that a field has, in any case, with a value that can be an id, or else a text. */
string_view find_field(string_view fields, const char *const *names, bool id)
{
	for (; *names; names++) {
		string_view key, value;
		for (size_t at = 0; next_member(fields, &at, &key, &value);)
			if (key.size() == strlen(*names) && strncasecmp(key.data(), *names, key.size()) == 0 &&
			    (id ? is_id(value) : is_text(value)))
				return key;
	}
	return {};
}

/* Whether an object without an id is nothing but what to do with the next one. */
bool is_bulk_action(const json_parser *parser)
{
	string_view fields(reinterpret_cast<const char *>(parser->fields.data), parser->fields.length), key, value;
	size_t at = 0;
	return next_member(fields, &at, &key, &value) && at >= fields.size() && !value.empty() && value[0] == '{' &&
	       (key == "index" || key == "create" || key == "update" || key == "delete");
}

/* Of an object without an id: what may be meant by it. */
int fail_id(reading &r)
{
	static const char *const ids[] = {"_id",        "id",         "docid",      "doc_id",  "docno", "document_id",
	                                  "documentid", "article_id", "arxiv_id",   "page_id", "pmid",  "doi",
	                                  "uuid",       "guid",       "key",        "url",     "uri",   "link",
	                                  "path",       "filename",   "identifier", nullptr};
	const char *name = r.parser->names[JSON_ID].data();
	struct buffer *buffer = &r.parser->fields;
	string_view fields(reinterpret_cast<const char *>(buffer->data), buffer->length), key, value;
	size_t at;
	string_view found = find_field(fields, ids, true);
	if (!found.empty())
		return error_set(r.error, TRAWL_EINPUT, "no \"%s\" field; \"%.*s\" looks like one: --id %.*s", name,
		                 static_cast<int>(found.size()), found.data(), static_cast<int>(found.size()),
		                 found.data());
	for (at = 0; next_member(fields, &at, &key, &value);)
		if (value.size() > 1 && value[0] == '[' && value.find_first_not_of(" \t\r\n", 1) < value.size() &&
		    value[value.find_first_not_of(" \t\r\n", 1)] == '{')
			return error_set(
			    r.error, TRAWL_EINPUT,
			    "no \"%s\" field; the list \"%.*s\" looks like the documents: jq -c '.%.*s[]' FILE | "
			    "trawl index INDEX -",
			    name, static_cast<int>(key.size()), key.data(), static_cast<int>(key.size()), key.data());
	return error_set(r.error, TRAWL_EINPUT,
	                 "no \"%s\" field; name another with --id, or let --auto-id number the documents", name);
}

/* An owned copy, or one without data where there is no memory. */
string_view copy_name(const char *name)
{
	size_t length = strlen(name);
	char *copy = static_cast<char *>(memory_new(length + 1));
	if (copy)
		memcpy(copy, name, length + 1);
	return string_view(copy, copy ? length : 0);
}

} // namespace

int json_parser_new(struct json_parser **out, const struct json_options *options, trawl_error *error)
{
	void *memory = memory_new(sizeof(json_parser));
	if (!memory)
		return error_set_memory(error);
	json_parser *parser = new (memory) json_parser();
	parser->auto_id = options->auto_id;
	bool copied = true;
	for (int i = 0; i < JSON_ROLES; i++) {
		parser->names[i] = copy_name(options->names[i]);
		copied = copied && parser->names[i].data();
	}
	parser->second_id = options->second_id ? copy_name(options->second_id) : string_view("", 0);
	if (!copied || !parser->second_id.data()) {
		json_parser_free(parser);
		return error_set_memory(error);
	}
	*out = parser;
	return TRAWL_OK;
}

void json_parser_free(struct json_parser *parser)
{
	if (!parser)
		return;
	for (int i = 0; i < JSON_ROLES; i++) {
		memory_free(const_cast<char *>(parser->names[i].data()));
		buffer_release(&parser->joined[i]);
	}
	if (parser->second_id.size())
		memory_free(const_cast<char *>(parser->second_id.data()));
	buffer_release(&parser->fields);
	reserved_release(&parser->reserved);
	parser->~json_parser();
	memory_free(parser);
}

int json_parser_read(struct json_parser *parser, const char *line, size_t length, trawl_document *document,
                     size_t *column, trawl_error *error)
{
	reading r{parser, {}, {line, length}, document, column, error, {}, {}, 0, 0, {}};
	*document = {"", 0, "", 0, "", 0, "", 0};
	*column = 0;
	parser->fields.length = 0;
	size_t first = 0;
	while (first < length && is_space(line[first]))
		first++;
	if (first == length || line[first] != '{')
		return fail_at(r, line + first, "not a JSON object: JSON Lines wants one object a line");
	if (set_capacity(parser, length) != TRAWL_OK)
		return error_set_memory(error);
	auto problem = parser->simdjson.iterate(line, length, length + READER_PADDING).get(r.json);
	if (problem == simdjson::UTF8_ERROR)
		return fail_at(
		    r, reinterpret_cast<const char *>(u8_check(reinterpret_cast<const uint8_t *>(line), length)),
		    "invalid UTF-8");
	if (problem)
		return problem == simdjson::MEMALLOC ? error_set_memory(error)
		                                     : error_set(error, TRAWL_EINPUT, "%s", problem_text(problem));
	int status = read_object(r);
	if (status != TRAWL_OK)
		return status;
	if (document->id_length == 0 && !r.second_token.empty() && (status = take_second_id(r)) != TRAWL_OK)
		return status;
	if (document->id_length == 0 && document->title_length + document->text_length == 0 && is_bulk_action(parser))
		return error_set(
		    error, TRAWL_EINPUT,
		    "an action of an Elasticsearch bulk file, and no document (--auto-id: for those without an id)");
	if (document->id_length == 0 && !parser->auto_id)
		return fail_id(r);
	if (parser->fields.length) {
		if (!buffer_append_byte(&parser->fields, '}'))
			return error_set_memory(error);
		document->fields = reinterpret_cast<const char *>(parser->fields.data);
		document->fields_length = parser->fields.length;
	}
	if (!r.reserved.empty())
		return reserved_apply(&parser->reserved, r.reserved.data(), r.reserved.size(), document, error);
	return TRAWL_OK;
}

const char *json_find_text(const trawl_document *document, size_t *length)
{
	static const char *const texts[] = {"text",    "contents",  "content",  "body",      "abstract", "article",
	                                    "passage", "full_text", "fulltext", "paragraph", "sentence", "description",
	                                    "summary", "message",   "comment",  "review",    "caption",  nullptr};
	string_view key = find_field(string_view(document->fields, document->fields_length), texts, false);
	*length = key.size();
	return key.empty() ? nullptr : key.data();
}

bool json_replace_surrogates(char *text, size_t length)
{
	char *at = text, *end = text + length;
	bool replaced = false;
	/* '8' and '9' have the bit that makes letters small. */
	auto is_escape = [end](const char *p, char low, char high) {
		return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && (p[2] | 32) == 'd' && (p[3] | 32) >= low &&
		       (p[3] | 32) <= high;
	};
	while (at < end && (at = static_cast<char *>(memchr(at, '\\', static_cast<size_t>(end - at))))) {
		bool high = is_escape(at, '8', '9') || is_escape(at, 'a', 'b');
		if (high && is_escape(at + 6, 'c', 'f')) {
			at += 12;
		} else if (high || is_escape(at, 'c', 'f')) {
			memcpy(at + 2, "fffd", 4);
			replaced = true;
			at += 6;
		} else {
			at += 2;
		}
	}
	return replaced;
}
