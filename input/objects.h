/*
 * objects.h - the JSON objects of a stream that are not one a line: the elements of an array, objects over several lines, objects one
 * behind the other.
 *
 * Where the objects are one a line, lines are what the caller reads (reader.h), which is faster, and keeps what is wrong with one from
 * the others. What a line alone is not, objects_try says; from then on `loose` is set, and objects_next cuts the stream. It clears
 * `loose` where lines begin again.
 */
#ifndef TRAWL_INPUT_OBJECTS_H
#define TRAWL_INPUT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input/json_scan.h"
#include "input/reader.h"

/* Where something begins or is wrong, from 1. */
struct place {
	uint64_t line;
	size_t column; /* in bytes */
};

struct objects {
	struct reader *reader;
	bool loose;
	bool in_array;
	bool spread;      /* the last object was over more than one line */
	bool begins_line; /* before the last object its line has nothing but blanks */
	bool lost;        /* the last error has cost all that is left */
	uint64_t line;    /* while loose: the number of the line of the next byte, */
	size_t before;    /* the bytes of that line before it, */
	size_t indent;    /* and how many of these are blanks at its beginning */
	uint64_t
	    wasted; /* bytes looked at in vain: where no object ends, each line could be tried up to the end of the file */
};

/* Begin a file: from what of it is in the reader, set `loose`, or leave it to the lines. */
void objects_start(struct objects *objects, struct reader *reader);

/* `line`, the last one of the reader, is no JSON object. When it begins something else it is handed back to the reader, and `loose` is
 * set. TRAWL_OK or an error of the reader; the line is no longer there. */
int objects_try(struct objects *objects, const char *line, size_t length, trawl_error *error);

/* The next object, behind which READER_PADDING bytes can be read; it lives until the next call. 1: it is one, *place its beginning;
 * 0: the end, or lines begin again; TRAWL_EINPUT, TRAWL_ELIMIT: something was no object, at *place, reading can go on. Other errors are
 * the reader's. */
int objects_next(struct objects *objects, char **object, size_t *length, struct place *place, trawl_error *error);

/* The place of the byte `offset` of an object that begins at `start`. */
struct place objects_place(struct place start, const char *object, size_t offset);

#endif
