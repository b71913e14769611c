/* encoding.h - bytes that are no UTF-8, as UTF-8. */
#ifndef TRAWL_INPUT_ENCODING_H
#define TRAWL_INPUT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "trawl.h"

/* ---- as a stream, from a known encoding (iconv) ------------------------------------------------------------------ */

struct converter;

/* TRAWL_EINVAL: the system knows no such encoding. */
int converter_new(struct converter **out, const char *encoding, trawl_error *error);
void converter_free(struct converter *converter); /* NULL is fine */
const char *converter_encoding(const struct converter *converter);

/* Forget what came before: another stream begins. */
void converter_reset(struct converter *converter);

/* Room for `length` bytes to convert, behind those that are left; then how many of them were filled. */
uint8_t *converter_room(struct converter *converter, size_t length, trawl_error *error);
void converter_fill(struct converter *converter, size_t length);

/* Fill `out`, of 16 bytes at least, with what the bytes so far come to; `ended`: no more will come. Each byte that is none of the
 * encoding becomes U+FFFD. */
size_t converter_take(struct converter *converter, uint8_t *out, size_t capacity, bool ended);

/* Bytes that were none of the encoding, since the reset. */
uint64_t converter_replaced(const struct converter *converter);

/* ---- as a whole, by what it looks like --------------------------------------------------------------------------- */

enum repair {
	REPAIR_NONE,   /* it is UTF-8 */
	REPAIR_LATIN,  /* it was read as windows-1252 */
	REPAIR_REPLACE /* mostly UTF-8, or nothing known: what is invalid became U+FFFD */
};

/* Append `text` to `out` as UTF-8, unless it is that already. `guess`: it may be windows-1252. false: out of memory. */
bool encoding_repair(const char *text, size_t length, bool guess, struct buffer *out, enum repair *repair);

#endif
