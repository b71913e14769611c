/* trec.h - ids as the words of TREC's files, which white space parts. */
#ifndef TRAWL_CLI_TREC_H
#define TRAWL_CLI_TREC_H

#include <stddef.h>
#include <stdio.h>

/* The word for an id is the id, with %XX for each byte that cannot stand in it: of white space (also Unicode's), of control
 * characters, of what is not UTF-8, and a '%' that would read as such a form. So no two ids have the same word, and decoding
 * as in a URL gives the id back. Writes up to 3 * `length` bytes and returns their number. */
#define TREC_WORD_SIZE(length) (3 * (length))
size_t trec_word(char *out, const char *id, size_t length);
void trec_write(FILE *out, const char *id, size_t length);

/* The id whose word this would be: up to `length` bytes; returns their number. */
size_t trec_id(char *out, const char *word, size_t length);

#endif
