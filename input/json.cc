#define SIMDJSON_EXCEPTIONS 0
#define SIMDJSON_DEVELOPMENT_CHECKS 0 /* else unoptimised builds have one more array that it forgets to look at */
#include <simdjson.h>

#include <cstring>
#include <new>
#include <string_view>
#include <utility>

extern "C" {
#include "base/error.h"
#include "base/memory.h"
#include "input/json.h"
#include "input/reader.h"
}
#include "input/json_choice.h"

static_assert(READER_PADDING >= simdjson::SIMDJSON_PADDING, "the parser reads further behind a line than there is");

namespace ondemand = simdjson::ondemand;
using std::string_view;

struct json_parser {
	ondemand::parser simdjson;
	bool chosen;                   /* it has an implementation */
	string_view names[JSON_ROLES]; /* owned */
	struct buffer joined[JSON_ROLES];
	struct buffer fields;
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

/* The first byte not part of well-formed UTF-8 (Unicode table 3-7): the parser tells only that there is one. */
const char *invalid_utf8(string_view line)
{
	auto p = reinterpret_cast<const uint8_t *>(line.data());
	auto end = p + line.size();
	while (p < end) {
		if (*p < 0x80) {
			p++;
			continue;
		}
		int more = *p >= 0xc2 && *p <= 0xdf ? 1 : (*p & 0xf0) == 0xe0 ? 2 : *p >= 0xf0 && *p <= 0xf4 ? 3 : 0;
		if (more == 0 || end - p <= more)
			break;
		uint8_t low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
		uint8_t high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
		if (p[1] < low || p[1] > high || (more > 1 && (p[2] & 0xc0) != 0x80) ||
		    (more > 2 && (p[3] & 0xc0) != 0x80))
			break;
		p += more + 1;
	}
	return reinterpret_cast<const char *>(p);
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
bool is_number(string_view text, bool *integer)
{
	size_t at = !text.empty() && text[0] == '-';
	size_t digits = count_digits(text, at);
	if (digits == 0 || (digits > 1 && text[at] == '0'))
		return false;
	at += digits;
	*integer = at == text.size();
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
	bool integer;
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
		if (is_number(token, &integer))
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
	return error_set(r.error, TRAWL_EINPUT, "field \"%s\" %s %s; wanted is a string or %s",
	                 r.parser->names[role].data(), also, type_of(token),
	                 role == JSON_ID ? "an integer" : "an array of strings");
}

int join_strings(reading &r, ondemand::value &value, int role, string_view *content)
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
		if (token.empty() || token[0] != '"') {
			int status = check_value(r, element, 1);
			return status != TRAWL_OK ? status : fail_type(r, role, token, "is an array with");
		}
		int status = read_string(r, element, token, &part);
		if (status != TRAWL_OK)
			return status;
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

int check_id(reading &r, string_view content, string_view token)
{
	if (!content.empty() && content.size() <= JSON_ID_MAX)
		return TRAWL_OK;
	fail_at(r, token.data(), "");
	return error_set(r.error, TRAWL_EINPUT,
	                 content.empty() ? "field \"%s\" is empty" : "field \"%s\" is longer than %d bytes",
	                 r.parser->names[JSON_ID].data(), JSON_ID_MAX);
}

/* Read a value that serves the roles in the bit set `roles`. */
int read_roles(reading &r, ondemand::value value, unsigned roles)
{
	string_view token = token_of(value), content("", 0);
	bool has_id = roles & 1u << JSON_ID, integer = false;
	int role = roles & 1u << JSON_TEXT ? JSON_TEXT : JSON_TITLE, status = TRAWL_OK;
	char first = token.empty() ? 0 : token[0];
	if (first == '"') {
		status = read_string(r, value, token, &content);
	} else if (first == '[' && !has_id) {
		status = join_strings(r, value, role, &content);
	} else {
		status = check_value(r, value, 1);
		if (status == TRAWL_OK && roles == 1u << JSON_ID && is_number(token, &integer) && integer)
			content = token;
		else if (status == TRAWL_OK && (first != 'n' || has_id))
			status = fail_type(r, has_id && !(is_number(token, &integer) && integer) ? JSON_ID : role,
			                   token, "is");
	}
	if (status == TRAWL_OK && has_id)
		status = check_id(r, content, token);
	for (int i = 0; status == TRAWL_OK && i < JSON_ROLES; i++)
		if (roles & 1u << i)
			set_content(r.document, i, content);
	return status;
}

/* Add a field that has no role, from its key's quote to its value's end, to `fields`. */
int keep_field(reading &r, const char *start, ondemand::value value)
{
	struct buffer *fields = &r.parser->fields;
	string_view token = token_of(value);
	int status = check_value(r, value, 1);
	if (status != TRAWL_OK)
		return status;
	const char *end = token.data() + token.size();
	if (token[0] == '{' || token[0] == '[') {
		auto problem = r.json.current_location().get(end);
		if (problem)
			return fail(r, problem);
	}
	string_view field = trim_end(string_view(start, (size_t)(end - start)));
	if (!buffer_append_byte(fields, fields->length ? ',' : '{') ||
	    !buffer_append(fields, field.data(), field.size()))
		return error_set_memory(r.error);
	return TRAWL_OK;
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
	return roles ? read_roles(r, field.value(), roles) : keep_field(r, start, field.value());
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

} // namespace

int json_parser_new(struct json_parser **out, const char *const names[JSON_ROLES], trawl_error *error)
{
	void *memory = memory_new(sizeof(json_parser));
	if (!memory)
		return error_set_memory(error);
	json_parser *parser = new (memory) json_parser();
	for (int i = 0; i < JSON_ROLES; i++) {
		size_t length = strlen(names[i]);
		char *copy = static_cast<char *>(memory_new(length + 1));
		if (!copy) {
			json_parser_free(parser);
			return error_set_memory(error);
		}
		memcpy(copy, names[i], length + 1);
		parser->names[i] = string_view(copy, length);
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
	buffer_release(&parser->fields);
	parser->~json_parser();
	memory_free(parser);
}

int json_parser_read(struct json_parser *parser, const char *line, size_t length, trawl_document *document,
                     size_t *column, trawl_error *error)
{
	reading r{parser, {}, {line, length}, document, column, error};
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
		return fail_at(r, invalid_utf8(r.line), "invalid UTF-8");
	if (problem)
		return problem == simdjson::MEMALLOC ? error_set_memory(error)
		                                     : error_set(error, TRAWL_EINPUT, "%s", problem_text(problem));
	int status = read_object(r);
	if (status != TRAWL_OK)
		return status;
	if (document->id_length == 0)
		return error_set(error, TRAWL_EINPUT, "no \"%s\" field; name another with --id",
		                 parser->names[JSON_ID].data());
	if (parser->fields.length) {
		if (!buffer_append_byte(&parser->fields, '}'))
			return error_set_memory(error);
		document->fields = reinterpret_cast<const char *>(parser->fields.data);
		document->fields_length = parser->fields.length;
	}
	return TRAWL_OK;
}
