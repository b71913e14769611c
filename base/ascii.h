/* ascii.h - kinds of bytes, whatever the locale. */
#ifndef TRAWL_BASE_ASCII_H
#define TRAWL_BASE_ASCII_H

#include <stdbool.h>

/* Space, tab, line feed, vertical tab, form feed, carriage return. */
static inline bool ascii_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool ascii_is_alnum(char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10;
}

#endif
