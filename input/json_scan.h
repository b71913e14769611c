/* json_scan.h - where a JSON array or object ends, whatever it is spread over. It looks at brackets and strings alone. */
#ifndef TRAWL_INPUT_JSON_SCAN_H
#define TRAWL_INPUT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So deep it knows which brackets are open; deeper, it only counts them. */
#define JSON_SCAN_DEPTH 512

enum json_scan_result {
	JSON_SCAN_MORE, /* it goes on behind the bytes given */
	JSON_SCAN_END,  /* it ends before `at` */
	JSON_SCAN_BROKEN, /* the byte at `at` cannot be where it is: a line end in a string, a bracket that closes none, or opens one where
	                     something has just ended, as where an object was cut off and the next one begins */
};

/* Zero-initialised, it begins with an opening bracket. */
struct json_scan {
	size_t at;    /* bytes looked at */
	size_t lines; /* line ends among them */
	size_t line_start;
	size_t depth;
	bool in_string, escaped;
	bool one_line; /* a line end breaks it */
	uint8_t last;  /* byte that was no white space; '"' for a string */
	uint8_t arrays[JSON_SCAN_DEPTH / 8];
};

/* Go on with `bytes`, of which the first `scan->at` are those of before. */
enum json_scan_result json_scan(struct json_scan *scan, const char *bytes, size_t length);

#endif
