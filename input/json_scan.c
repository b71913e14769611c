#include "input/json_scan.h"

/* Leave the string, or find the byte that breaks it. */
static enum json_scan_result scan_string(struct json_scan *scan, const char *bytes, size_t length)
{
	for (; scan->at < length; scan->at++) {
		char c = bytes[scan->at];
		if (c == '\n')
			return JSON_SCAN_BROKEN;
		if (scan->escaped) {
			scan->escaped = false;
		} else if (c == '\\') {
			scan->escaped = true;
		} else if (c == '"') {
			scan->in_string = false;
			scan->last = '"';
			scan->at++;
			break;
		}
	}
	return JSON_SCAN_MORE;
}

static bool is_array(const struct json_scan *scan, size_t depth)
{
	return scan->arrays[depth / 8] >> depth % 8 & 1;
}

static bool open_bracket(struct json_scan *scan, char c)
{
	uint8_t last = scan->last;
	if (scan->depth && scan->depth <= JSON_SCAN_DEPTH && last != ':' &&
	    !(is_array(scan, scan->depth - 1) && (last == '[' || last == ',')))
		return false;
	if (scan->depth < JSON_SCAN_DEPTH) {
		uint8_t bit = (uint8_t)(1u << scan->depth % 8);
		scan->arrays[scan->depth / 8] =
		    (uint8_t)(c == '[' ? scan->arrays[scan->depth / 8] | bit : scan->arrays[scan->depth / 8] & ~bit);
	}
	scan->depth++;
	return true;
}

static bool close_bracket(struct json_scan *scan, char c)
{
	scan->depth--;
	return scan->depth >= JSON_SCAN_DEPTH || is_array(scan, scan->depth) == (c == ']');
}

static bool end_line(struct json_scan *scan)
{
	scan->lines++;
	scan->line_start = scan->at + 1;
	return !scan->one_line;
}

enum json_scan_result json_scan(struct json_scan *scan, const char *bytes, size_t length)
{
	while (scan->at < length) {
		if (scan->in_string) {
			if (scan_string(scan, bytes, length) == JSON_SCAN_BROKEN)
				return JSON_SCAN_BROKEN;
			continue;
		}
		char c = bytes[scan->at];
		bool fits = true;
		switch (c) {
		case '"': scan->in_string = true; break;
		case '\n': fits = end_line(scan); break;
		case '{':
		case '[': fits = open_bracket(scan, c); break;
		case '}':
		case ']': fits = close_bracket(scan, c); break;
		default: break;
		}
		if (!fits)
			return JSON_SCAN_BROKEN;
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			scan->last = (uint8_t)c;
		scan->at++;
		if (scan->depth == 0)
			return JSON_SCAN_END;
	}
	return JSON_SCAN_MORE;
}
