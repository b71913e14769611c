#include "input/objects.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

/* What is looked at in vain, in all, before only single lines are. */
#define WASTE_MAX ((uint64_t)256 << 20)

/* So much of a line tells whether an object can begin there. */
#define LINE_SEEN ((size_t)4096)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *next_bytes(const struct objects *objects, size_t *length)
{
	*length = objects->reader->end - objects->reader->start;
	return (char *)objects->reader->data + objects->reader->start;
}

/* Take `length` bytes that the reader has. */
static void advance(struct objects *objects, size_t length)
{
	size_t ready;
	const char *at = next_bytes(objects, &ready), *end = at + length, *feed;
	reader_skip(objects->reader, length);
	while ((feed = memchr(at, '\n', (size_t)(end - at)))) {
		objects->line++;
		objects->before = objects->indent = 0;
		at = feed + 1;
	}
	for (; at < end; at++, objects->before++)
		objects->indent += objects->indent == objects->before && is_blank(*at);
}

/* ---- lines or not ------------------------------------------------------------------------------------------------ */

static void become_loose(struct objects *objects)
{
	objects->loose = true;
	objects->in_array = false;
	objects->spread = true; /* so that it does not end before it begins */
	objects->line = objects->reader->line_number + 1;
	objects->before = objects->indent = 0;
}

static size_t skip_blanks(const char *bytes, size_t length, size_t at, bool feeds)
{
	while (at < length && (is_blank(bytes[at]) || (feeds && bytes[at] == '\n')))
		at++;
	return at;
}

/* Whether, on the same line, another object follows what ends before `at`, or a comma that parts it from one. */
static bool more_follows(const char *bytes, size_t length, size_t at)
{
	at = skip_blanks(bytes, length, at, false);
	bool comma = at < length && bytes[at] == ',';
	if (comma)
		at = skip_blanks(bytes, length, at + 1, false);
	return at < length && bytes[at] != '\n' ? bytes[at] == '{' : comma;
}

static bool is_array_of_objects(const char *bytes, size_t length, size_t at)
{
	at = skip_blanks(bytes, length, at + 1, true);
	return at >= length || bytes[at] == '{' || bytes[at] == '[' || bytes[at] == ']';
}

void objects_start(struct objects *objects, struct reader *reader)
{
	*objects = (struct objects){.reader = reader};
	size_t length;
	const char *bytes = next_bytes(objects, &length);
	size_t first = skip_blanks(bytes, length, 0, true);
	struct json_scan scan = {0};
	if (first == length)
		return;
	if (bytes[first] == '['
	        ? is_array_of_objects(bytes, length, first)
	        : bytes[first] == '{' && json_scan(&scan, bytes + first, length - first) == JSON_SCAN_END &&
	              more_follows(bytes, length, first + scan.at))
		become_loose(objects);
}

/* Scan on, from the `first` of the bytes that the reader has, until the object ends, breaks or is over what is allowed. None is taken. */
static int scan_object(struct objects *objects, size_t first, struct json_scan *scan, enum json_scan_result *result,
                       trawl_error *error)
{
	struct reader *reader = objects->reader;
	scan->one_line = objects->wasted > WASTE_MAX;
	for (;;) {
		size_t ready;
		const char *bytes = next_bytes(objects, &ready);
		*result = json_scan(scan, bytes + first, ready - first);
		if (*result != JSON_SCAN_MORE || reader->ended || scan->at > reader->line_most)
			return TRAWL_OK;
		int status = reader_fill(reader, error);
		if (status != TRAWL_OK)
			return status;
	}
}

/* Whether an object that begins the reader's next line, and does not end there, is more than a line that was cut off: of those, the
 * next line has nothing that could follow. */
static int try_lines(struct objects *objects, size_t first, bool *several, trawl_error *error)
{
	struct json_scan scan = {0};
	enum json_scan_result result;
	int status = scan_object(objects, first, &scan, &result, error);
	if (status != TRAWL_OK)
		return status;
	size_t ready;
	const char *bytes = next_bytes(objects, &ready) + first;
	const char *feed = memchr(bytes, '\n', scan.at);
	*several = feed && skip_blanks(bytes, scan.at, (size_t)(feed - bytes), true) < scan.at;
	objects->wasted += result == JSON_SCAN_END ? 0 : scan.at;
	return TRAWL_OK;
}

int objects_try(struct objects *objects, const char *line, size_t length, trawl_error *error)
{
	struct reader *reader = objects->reader;
	size_t first = skip_blanks(line, length, 0, false);
	size_t taken = (size_t)(reader->data + reader->start - (const uint8_t *)line);
	struct json_scan scan = {0};
	bool other = false;
	int status = TRAWL_OK;
	reader->start -= taken;
	if (first < length && line[first] == '[') {
		other = is_array_of_objects(line, length, first);
	} else if (first < length && line[first] == '{') {
		enum json_scan_result result = json_scan(&scan, line + first, length - first);
		if (result == JSON_SCAN_END)
			other = more_follows(line, length, first + scan.at);
		else if (result == JSON_SCAN_MORE && !scan.in_string && objects->wasted <= WASTE_MAX)
			status = try_lines(objects, first, &other, error);
	}
	if (other) {
		reader->line_number--;
		become_loose(objects);
	} else {
		reader->start += taken;
	}
	return status;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static struct place place_here(const struct objects *objects)
{
	return (struct place){objects->line, objects->before + 1};
}

/* Take all up to and with the next line feed, or the end. */
static int skip_line(struct objects *objects, trawl_error *error)
{
	for (;;) {
		size_t ready;
		const char *bytes = next_bytes(objects, &ready), *feed = memchr(bytes, '\n', ready);
		advance(objects, feed ? (size_t)(feed - bytes) + 1 : ready);
		if (feed || objects->reader->ended)
			return TRAWL_OK;
		int status = reader_fill(objects->reader, error);
		if (status != TRAWL_OK)
			return status;
	}
}

/* Whether the next object, or the array's end, can begin on this line, of which `bytes` are the beginning: it is indented no more than
 * the object that was given up, which begins at `indent`. *length: bytes to take before it. */
static bool is_next_object(const struct objects *objects, const char *bytes, size_t ready, size_t indent,
                           size_t *length)
{
	size_t at = skip_blanks(bytes, ready, 0, false);
	*length = 0;
	if (at >= ready || at > indent)
		return false;
	if (bytes[at] == '{')
		return true;
	if (bytes[at] == ']')
		return objects->in_array && (at < indent || at == 0);
	if (bytes[at] != '}')
		return false;
	*length = at + 1; /* "}, {" */
	at = skip_blanks(bytes, ready, at + 1, false);
	at = at < ready && bytes[at] == ',' ? skip_blanks(bytes, ready, at + 1, false) : at;
	return at < ready && bytes[at] == '{';
}

/* Give up the object that begins here: go to the line of the next one. */
static int find_next_object(struct objects *objects, trawl_error *error)
{
	size_t indent = objects->indent, ready, length;
	for (;;) {
		int status = skip_line(objects, error);
		if (status == TRAWL_OK)
			status = reader_peek(objects->reader, LINE_SEEN, &ready, error);
		if (status != TRAWL_OK)
			return status;
		if (ready == 0) {
			objects->lost = true;
			objects->in_array = false;
			return TRAWL_OK;
		}
		if (is_next_object(objects, next_bytes(objects, &length), ready, indent, &length)) {
			advance(objects, length);
			return TRAWL_OK;
		}
	}
}

static int give_up_object(struct objects *objects, const struct json_scan *scan, enum json_scan_result result,
                          struct place place, trawl_error *error)
{
	uint64_t line = place.line + scan->lines;
	size_t column = scan->at - scan->line_start + (scan->lines ? 1 : place.column);
	objects->wasted += scan->at;
	int status = find_next_object(objects, error);
	if (status != TRAWL_OK)
		return status;
	const char *rest = objects->lost ? "; nothing that follows can be read" : "";
	if (result == JSON_SCAN_MORE)
		return error_set(error, TRAWL_EINPUT, "cut off: the object that begins here does not end");
	if (scan->in_string)
		return error_set(error, TRAWL_EINPUT, "a string does not end on its line, %" PRIu64 "%s", line, rest);
	return error_set(error, TRAWL_EINPUT, "invalid JSON at line %" PRIu64 ", column %zu%s", line, column, rest);
}

/* Go on behind an object that is too long to be held. */
static int pass_over(struct objects *objects, struct json_scan *scan, struct place place, trawl_error *error)
{
	enum json_scan_result result = JSON_SCAN_MORE;
	while (result == JSON_SCAN_MORE && !objects->reader->ended) {
		size_t ready;
		advance(objects, scan->at);
		scan->at = scan->line_start = 0;
		int status = reader_fill(objects->reader, error);
		if (status != TRAWL_OK)
			return status;
		const char *bytes = next_bytes(objects, &ready);
		result = json_scan(scan, bytes, ready);
	}
	if (result != JSON_SCAN_END)
		return give_up_object(objects, scan, result, place, error);
	advance(objects, scan->at);
	return reader_refuse(objects->reader->line_most, READER_LINE_MAX, "object longer", error);
}

static int take_object(struct objects *objects, char **object, size_t *length, struct place *place, trawl_error *error)
{
	struct json_scan scan = {0};
	enum json_scan_result result;
	*place = place_here(objects);
	int status = scan_object(objects, 0, &scan, &result, error);
	if (status != TRAWL_OK)
		return status;
	if (result == JSON_SCAN_MORE && !objects->reader->ended)
		return pass_over(objects, &scan, *place, error);
	if (result != JSON_SCAN_END)
		return give_up_object(objects, &scan, result, *place, error);
	*object = next_bytes(objects, length);
	*length = scan.at;
	objects->spread = scan.lines > 0;
	objects->begins_line = objects->indent == objects->before;
	advance(objects, scan.at);
	return **object == '{' ? 1 : error_set(error, TRAWL_EINPUT, "not a JSON object, but an array");
}

/* Take what is no object and no array: up to the end of the line; in an array up to a comma or a bracket, outside of a string. */
static int take_other(struct objects *objects, struct place *place, trawl_error *error)
{
	bool in_string = false, escaped = false, first = true;
	*place = place_here(objects);
	for (;;) {
		size_t ready, at = 0;
		const char *bytes = next_bytes(objects, &ready);
		for (; at < ready; at++, first = false) {
			char c = bytes[at];
			if (c == '\n' || (objects->in_array && !in_string && !first && strchr(",[]{}", c)))
				break;
			in_string ^= c == '"' && !escaped;
			escaped = c == '\\' && !escaped;
		}
		bool ends = at < ready;
		advance(objects, at);
		if (ends || objects->reader->ended)
			return error_set(error, TRAWL_EINPUT, "not a JSON object");
		int status = reader_fill(objects->reader, error);
		if (status != TRAWL_OK)
			return status;
	}
}

/* White space, commas, and the marks at the beginning of files and records that were put together; up to a line's end. */
static size_t separators(const char *bytes, size_t ready)
{
	size_t at = 0;
	while (at < ready && bytes[at] != '\n') {
		if (ready - at >= 3 && memcmp(bytes + at, "\xef\xbb\xbf", 3) == 0)
			at += 3;
		else if (is_blank(bytes[at]) || bytes[at] == ',' || bytes[at] == 0x1e)
			at++;
		else
			return at;
	}
	return at + (at < ready);
}

int objects_next(struct objects *objects, char **object, size_t *length, struct place *place, trawl_error *error)
{
	objects->lost = false;
	for (;;) {
		size_t ready;
		const char *bytes = next_bytes(objects, &ready);
		if (ready == 0 && !objects->reader->ended) {
			int status = reader_fill(objects->reader, error);
			if (status != TRAWL_OK)
				return status;
		} else if (ready == 0 && objects->in_array) {
			*place = place_here(objects);
			objects->in_array = false;
			objects->lost = true;
			return error_set(error, TRAWL_EINPUT, "cut off: the array does not end");
		} else if (ready == 0 || (objects->before == 0 && !objects->in_array && !objects->spread)) {
			objects->loose = false;
			objects->reader->line_number = objects->line - 1;
			return 0;
		} else if (separators(bytes, ready)) {
			advance(objects, separators(bytes, ready));
		} else if (*bytes == (objects->in_array ? ']' : '[')) {
			objects->in_array = !objects->in_array;
			advance(objects, 1);
		} else if (*bytes == '{' || *bytes == '[') {
			return take_object(objects, object, length, place, error);
		} else {
			return take_other(objects, place, error);
		}
	}
}

struct place objects_place(struct place start, const char *object, size_t offset)
{
	const char *at = object, *end = object + offset, *feed;
	while ((feed = memchr(at, '\n', (size_t)(end - at)))) {
		start.line++;
		start.column = 1;
		at = feed + 1;
	}
	start.column += (size_t)(end - at);
	return start;
}
