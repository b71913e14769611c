/* source.h - the parts of trawl_source, for the files that it is made of. */
#ifndef TRAWL_INPUT_SOURCE_H
#define TRAWL_INPUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "input/json.h"
#include "input/objects.h"
#include "input/reader.h"
#include "input/walk.h"
#include "trawl.h"

struct trawl_source {
	struct walk walk;
	size_t next_file;             /* in walk.files */
	const struct walk_file *file; /* being read, or NULL */
	int descriptor;               /* its own, or -1 */
	bool waits;                   /* it is no regular file */
	enum trawl_format format;     /* of this file, never AUTO */
	struct reader reader;
	struct objects objects;
	struct json_parser *json;
	struct buffer place;
	struct buffer auto_id;  /* of a document that has no other */
	struct buffer repaired; /* text or line that was no UTF-8 */
	bool strict;
	enum trawl_file_outcome outcome; /* of this file so far */
	bool guess_encoding;
	const char *encoding; /* of files without a mark: a copy of the option, or NULL */
	enum trawl_format wanted_format;
	trawl_diagnostic *diagnostic;
	void *diagnostic_context;
	trawl_file_done *file_done;
	void *file_done_context;
	uint64_t own; /* files of the index found in folders */
	uint64_t total_bytes, documents, files, skipped;
};

/* ---- source.c ---------------------------------------------------------------------------------------------------- */

/* "file", "file:line" or "file:line:column" of the file being read, with its NUL. false: out of memory. */
bool source_format_place(const struct trawl_source *source, struct place place, struct buffer *out);

/* What a failure is where the content's would be `content`. */
enum trawl_notice source_notice_of(int code, enum trawl_notice content);

/* `problem` is with the file being read, or a line of it (0: all). 0: it was told and counted, go on; negative: give up with *error. */
int source_report(struct trawl_source *source, enum trawl_notice notice, struct place place, const trawl_error *problem,
                  trawl_error *error);

/* The same for all of the file, with which it is over. */
int source_give_up_file(struct trawl_source *source, enum trawl_notice notice, const trawl_error *problem,
                        trawl_error *error);
int source_refuse_file(struct trawl_source *source, enum trawl_notice notice, const char *text, trawl_error *error);

/* Tell of what is no reason to skip anything. */
int source_note(struct trawl_source *source, enum trawl_notice notice, struct place place, const char *message,
                trawl_error *error);

/* Close the file, of which all is known now. */
void source_finish_file(struct trawl_source *source);

/* ---- source_begin.c ---------------------------------------------------------------------------------------------- */

/* Open the next file, and settle what it is. 1: source->file is it; 0: it was skipped; negative: error. */
int source_begin_file(struct trawl_source *source, trawl_error *error);

/* ---- source_read.c ----------------------------------------------------------------------------------------------- */

/* The next document of the file: 1; 0 when the file is over, or has a problem that was reported; negative: error. */
int source_read_object(struct trawl_source *source, trawl_document *document, trawl_error *error);
int source_read_text(struct trawl_source *source, trawl_document *document, trawl_error *error);

#endif
