#include "indexer/term_heap.h"

#include <stdbool.h>

static bool comes_before(const struct term_head *a, const struct term_head *b)
{
	int order = term_head_compare(a, b);
	return order ? order < 0 : a->number < b->number;
}

/* Put `head` where it belongs at or below the top. */
static void sift_down(struct term_heap *heap, struct term_head *head)
{
	size_t at = 0;
	for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
		if (child + 1 < heap->count && comes_before(heap->heads[child + 1], heap->heads[child]))
			child++;
		if (!comes_before(heap->heads[child], head))
			break;
		heap->heads[at] = heap->heads[child];
	}
	heap->heads[at] = head;
}

void term_heap_add(struct term_heap *heap, struct term_head *head)
{
	size_t at = heap->count++;
	for (; at && comes_before(head, heap->heads[(at - 1) / 2]); at = (at - 1) / 2)
		heap->heads[at] = heap->heads[(at - 1) / 2];
	heap->heads[at] = head;
}

void term_heap_remove_least(struct term_heap *heap)
{
	if (--heap->count)
		sift_down(heap, heap->heads[heap->count]);
}

void term_heap_least_grew(struct term_heap *heap)
{
	sift_down(heap, heap->heads[0]);
}
