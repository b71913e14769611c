#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static atomic_long fail_countdown = -1;
static atomic_bool fail_sticky;

void memory_fail_after(long n, bool sticky)
{
	atomic_store(&fail_sticky, sticky);
	atomic_store(&fail_countdown, n);
}

static bool must_fail(void)
{
	long left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
	if (__builtin_expect(left < 0, 1))
		return false;
	while (left > 0)
		if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
			return false;
	return left == 0 && (atomic_load(&fail_sticky) || atomic_compare_exchange_strong(&fail_countdown, &left, -1));
}

void *memory_new(size_t size)
{
	return must_fail() ? NULL : malloc(size ? size : 1);
}

void *memory_new_zeroed(size_t count, size_t size)
{
	return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *memory_resize(void *pointer, size_t size)
{
	return must_fail() ? NULL : realloc(pointer, size ? size : 1);
}

void memory_free(void *pointer)
{
	free(pointer);
}

void memory_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void memory_return_large(void)
{
#ifdef __GLIBC__
	/* Once set, it no longer grows with the largest block that was freed. */
	mallopt(M_MMAP_THRESHOLD, 512 << 10);
#endif
}

bool memory_reserve(void *array_pointer, size_t *capacity, size_t wanted, size_t element)
{
	void **array = array_pointer;
	if (wanted <= *capacity)
		return true;
	size_t grown = *capacity < 16 ? 16 : *capacity + *capacity / 2;
	if (grown < wanted)
		grown = wanted;
	if (grown > SIZE_MAX / element)
		return false;
	void *moved = memory_resize(*array, grown * element);
	if (!moved)
		return false;
	*array = moved;
	*capacity = grown;
	return true;
}

bool buffer_reserve(struct buffer *buffer, size_t extra)
{
	if (extra <= buffer->capacity - buffer->length)
		return true;
	if (extra > SIZE_MAX / 2 - buffer->length)
		return false;
	return memory_reserve(&buffer->data, &buffer->capacity, buffer->length + extra, 1);
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return false;
	if (length)
		memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	return true;
}

bool buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
	return buffer_append(buffer, &byte, 1);
}

bool buffer_append_varint(struct buffer *buffer, uint64_t value)
{
	if (!buffer_reserve(buffer, 10))
		return false;
	while (value >= 0x80) {
		buffer->data[buffer->length++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	buffer->data[buffer->length++] = (uint8_t)value;
	return true;
}

bool buffer_pad(struct buffer *buffer, size_t alignment)
{
	size_t count = (alignment - buffer->length % alignment) % alignment;
	if (!buffer_reserve(buffer, count))
		return false;
	if (count)
		memset(buffer->data + buffer->length, 0, count);
	buffer->length += count;
	return true;
}

void buffer_release(struct buffer *buffer)
{
	memory_free(buffer->data);
	*buffer = (struct buffer){0};
}

#define ARENA_BLOCK_MIN ((size_t)64 << 10)
#define ARENA_BLOCK_MAX ((size_t)4 << 20)

void *arena_new_block(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	struct arena_block *block = arena->head;
	size_t wanted = block ? block->size * 2 : ARENA_BLOCK_MIN;
	if (wanted > ARENA_BLOCK_MAX)
		wanted = ARENA_BLOCK_MAX;
	if (!block && wanted < arena->first)
		wanted = arena->first;
	if (wanted < size)
		wanted = size;
	block = memory_new(sizeof *block + wanted);
	if (!block)
		return NULL;
	*block = (struct arena_block){.older = arena->head, .size = wanted, .used = size};
	arena->head = block;
	arena->used += wanted;
	return block->bytes;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_new(arena, size);
	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

static void free_blocks(struct arena_block *block)
{
	while (block) {
		struct arena_block *older = block->older;
		memory_free(block);
		block = older;
	}
}

void arena_reset(struct arena *arena)
{
	struct arena_block *block = arena->head;
	if (block && block->older) {
		/* One block of the same size next time: in steady state the arena allocates nothing. */
		free_blocks(block);
		arena->head = NULL;
		arena->first = arena->used;
		arena->used = 0;
	} else if (block) {
		block->used = 0;
	}
}

void arena_release(struct arena *arena)
{
	free_blocks(arena->head);
	*arena = (struct arena){0};
}
