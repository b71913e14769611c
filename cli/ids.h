/*
 * ids.h - ids of any bytes, printed so that they can be given back.
 *
 * An id is printed as it is where that is text and nothing else can be meant by it. Else it is printed as "bytes:" and the bytes, with
 * %XX for '%' and for each byte that is not text: not UTF-8, or a NUL, which no command line can hold. An id that begins with
 * "bytes:" itself is printed that way, too.
 */
#ifndef TRAWL_CLI_IDS_H
#define TRAWL_CLI_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The longest id as printed. */
#define ID_PRINTED_MAX ((size_t)3 * 4096 + 6)

/* Whether the id is printed as it is; `nul`: a NUL is text, as in JSON. */
bool id_is_plain(const char *id, size_t length, bool nul);

/* As a JSON string, with its quotation marks. */
void id_write_json(FILE *out, const char *id, size_t length);

/* The same for export, where the exact bytes stand beside it if it is escaped: a NUL is text, and what is no id for its length is cut. */
void id_write_export(FILE *out, const char *id, size_t length);

/* For a person: *id becomes what is printed for it, which may be in `escaped`; returns its length. It is still to be cleaned. */
size_t id_printed(const char **id, size_t length, char escaped[ID_PRINTED_MAX]);

/* The same, written in one line, cleaned as by clean_write. */
void id_write_clean(FILE *out, const char *id, size_t length);

/* On a line of its own, the bytes as they are: escaped also where a reader of lines would take something off it. */
void id_write_line(FILE *out, const char *id, size_t length);

/* What documents may be meant by an id that was given, the likeliest first: the bytes that it stands for if it is escaped; the id
 * itself; the normal form of the path that it may be. Calls `take` until it returns other than `absent`, and returns that. */
typedef int take_id(void *context, const char *id, size_t length);
int id_try(const char *given, size_t length, int absent, take_id *take, void *context);

#endif
