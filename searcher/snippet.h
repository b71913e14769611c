/* snippet.h - the part of a document that shows best where a query matched. */
#ifndef TRAWL_SEARCHER_SNIPPET_H
#define TRAWL_SEARCHER_SNIPPET_H

#include "base/memory.h"
#include "tokenizer/tokenizer.h"
#include "trawl.h"

/* A term of the query that a document may match, after analysis. */
struct snippet_term {
	const char *term;
	size_t length;
	float weight;    /* its idf: how much finding it says */
	uint32_t phrase; /* 0: a single word; else all terms with the same number form one phrase, in order */
};

/* Scratch and result, reused from call to call. Zero-initialised is empty. */
struct snippet_maker {
	struct buffer text;  /* the snippet */
	struct buffer marks; /* trawl_span[] */
	struct arena arena;  /* everything else, reset by each call */
};

void snippet_maker_release(struct snippet_maker *maker);

/* Choose up to two fragments of `text` with up to `width` bytes in all and lay them out as trawl.h says of
 * trawl_snippet. 0 or TRAWL_ENOMEM. The result lives in `maker` until its next use. */
int snippet_make(struct snippet_maker *maker, struct tokenizer *tokenizer, const char *text, size_t length,
                 const struct snippet_term *terms, size_t term_count, size_t width, trawl_snippet *snippet);

#endif
