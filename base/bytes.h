/* bytes.h - little-endian numbers at any address, and varints (7 bits a byte, low first, high bit: more follow). */
#ifndef TRAWL_BASE_BYTES_H
#define TRAWL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/target.h"

static inline uint16_t load16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return v;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t load64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

static inline void store16(void *p, uint16_t v)
{
	memcpy(p, &v, 2);
}

static inline void store32(void *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static inline void store64(void *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* Read a varint from [*at, end) and move *at past it; false (and *at unspecified) when cut off or over 64 bits. */
static inline bool varint_read(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	const uint8_t *p = *at;
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (p == end)
			return false;
		uint8_t byte = *p++;
		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*at = p;
			*value = v;
			return true;
		}
	}
	return false;
}

/* The next of several varints that must all be there: 0, and *good is false from then on, where one is not. */
static inline uint64_t varint_next(const uint8_t **at, const uint8_t *end, bool *good)
{
	uint64_t value = 0;
	if (!varint_read(at, end, &value))
		*good = false;
	return value;
}

/* Byte order, a beginning before what it begins: negative, 0 or positive. */
static inline int bytes_compare(const void *a, size_t a_length, const void *b, size_t b_length)
{
	size_t shared = a_length < b_length ? a_length : b_length;
	int order = shared ? memcmp(a, b, shared) : 0;
	return order ? order : (a_length > b_length) - (a_length < b_length);
}

#endif
