/* term_heap.h - streams of terms, each in byte order, merged: which of them has the least term. */
#ifndef TRAWL_INDEXER_TERM_HEAP_H
#define TRAWL_INDEXER_TERM_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

/* The current term of a stream; a stream's struct begins with it. */
struct term_head {
	const uint8_t *bytes;
	uint64_t key; /* the first bytes, to compare by */
	uint8_t length;
	uint32_t number; /* of the stream */
};

static inline void term_head_set(struct term_head *head, const uint8_t *bytes, uint8_t length)
{
	uint8_t first[8] = {0};
	memcpy(first, bytes, length < 8 ? length : 8);
	head->bytes = bytes;
	head->length = length;
	head->key = __builtin_bswap64(load64(first));
}

static inline int term_head_compare(const struct term_head *a, const struct term_head *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return bytes_compare(a->bytes, a->length, b->bytes, b->length);
}

struct term_heap {
	struct term_head *
	    *heads; /* heads[0] is the least, of equal ones that of the first stream; room is the caller's matter */
	size_t count;
};

void term_heap_add(struct term_heap *heap, struct term_head *head);
void term_heap_remove_least(struct term_heap *heap);
void term_heap_least_grew(struct term_heap *heap); /* its stream went on */

#endif
