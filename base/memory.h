/* memory.h - the one door to the heap, so that a test can make the nth allocation fail; growable buffers; arenas. */
#ifndef TRAWL_BASE_MEMORY_H
#define TRAWL_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As malloc, calloc, realloc, free; memory_resize frees nothing on failure. */
void *memory_new(size_t size);
void *memory_new_zeroed(size_t count, size_t size);
void *memory_resize(void *pointer, size_t size);
void memory_free(void *pointer);

/* Give what was freed back to the system, where the allocator keeps it otherwise. */
void memory_trim(void);

/* Let large blocks go back to the system as soon as they are freed, here and in the whole process, where the allocator can be told. */
void memory_return_large(void);

/* Test hook: the allocation after `n` more successful ones fails, and all that follow while `sticky`. -1: never. */
void memory_fail_after(long n, bool sticky);

/* Grow `*array`, of elements of `element` bytes, to hold at least `wanted`; doubles. false: out of memory, nothing lost. */
bool memory_reserve(void *array_pointer, size_t *capacity, size_t wanted, size_t element);

/* A growable run of bytes. Zero-initialised is empty. */
struct buffer {
	uint8_t *data;
	size_t length, capacity;
};

bool buffer_reserve(struct buffer *buffer, size_t extra); /* room for `extra` more bytes */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
bool buffer_append_byte(struct buffer *buffer, uint8_t byte);
bool buffer_append_varint(struct buffer *buffer, uint64_t value);
bool buffer_pad(struct buffer *buffer, size_t alignment); /* zeros up to a length that is a multiple of it */
void buffer_release(struct buffer *buffer);

/* An arena: allocations of one lifetime, dropped together. Zero-initialised is empty. Alignment 16. */
struct arena {
	struct arena_block *head; /* the block in use; older ones linked behind it */
	size_t used;              /* bytes of all blocks */
	size_t first;             /* size of the next first block, learnt by arena_reset */
};

struct arena_block {
	struct arena_block *older;
	size_t size, used; /* bytes behind this header */
	uint8_t bytes[] __attribute__((aligned(16)));
};

/* The slow path of arena_new. */
void *arena_new_block(struct arena *arena, size_t size);

/* NULL: out of memory. */
static inline void *arena_new(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->head;
	size_t rounded = (size + 15) & ~(size_t)15;
	if (__builtin_expect(!block || rounded < size || block->size - block->used < rounded, 0))
		return arena_new_block(arena, size);
	void *result = block->bytes + block->used;
	block->used += rounded;
	return result;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size);
void arena_reset(struct arena *arena);   /* drop all, keep the memory for reuse */
void arena_release(struct arena *arena); /* drop all */

#endif
