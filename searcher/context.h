/* context.h - what a thread writes to while it runs a plan, which it only reads: memory, and where to say what went wrong. */
#ifndef TRAWL_SEARCHER_CONTEXT_H
#define TRAWL_SEARCHER_CONTEXT_H

#include "base/memory.h"
#include "trawl.h"

struct context {
	struct arena arena;        /* of what one segment takes: leaves, cursors, sums; reset for the next one */
	struct arena phrase_arena; /* of what one phrase takes in it; reset for the next one */
	struct buffer gather;      /* positions that extents cut */
	trawl_error *error;        /* of the call; never NULL */
};

static inline void context_release(struct context *context)
{
	arena_release(&context->arena);
	arena_release(&context->phrase_arena);
	buffer_release(&context->gather);
}

#endif
