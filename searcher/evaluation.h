/*
 * evaluation.h - what a kernel (kernel.h) evaluates: leaves or a phrase, opened in one segment, and the documents that count. All
 * of it is made before and only read by the kernel, which keeps what it writes (cursors, sums, rows) in a context.
 */
#ifndef TRAWL_SEARCHER_EVALUATION_H
#define TRAWL_SEARCHER_EVALUATION_H

#include "searcher/leaf.h"

/* The documents of a segment that count: live, and passing the filter if there is one. A bit a docID. */
struct live_documents {
	uint32_t count;          /* of the segment, deleted ones too */
	const uint64_t *deleted; /* NULL: none is */
	const uint64_t *allowed; /* live documents that pass the filter; NULL: there is none */
};

/* Those of the block that begins with docID `first_doc`, which the segment has. */
static inline uint64_t live_in_block(const struct live_documents *live, uint32_t first_doc)
{
	if (live->allowed)
		return live->allowed[first_doc / 64];
	uint64_t documents = live->deleted ? ~live->deleted[first_doc / 64] : UINT64_MAX;
	uint32_t left = live->count - first_doc;
	return left < 64 ? documents & (((uint64_t)1 << left) - 1) : documents;
}

static inline bool is_live(const struct live_documents *live, uint32_t doc)
{
	if (live->allowed)
		return live->allowed[doc / 64] >> (doc % 64) & 1;
	return !(live->deleted && live->deleted[doc / 64] >> (doc % 64) & 1);
}

struct evaluation {
	struct live_documents live;
	const struct leaf *leaves; /* in the order in which contributions are added */
	uint32_t count;
	bool required;  /* some leaf is; else documents match with any */
	size_t segment; /* its number */
	uint64_t base;  /* of its documents in hits */
	/* to rank */
	const struct scorer *scorer;
	const uint8_t *lengths; /* of each docID */
};

/* A word of a phrase, or a bigram of two of its words. */
struct phrase_part {
	struct leaf leaf; /* of the first of equal words; empty for the others */
	uint32_t offset;  /* of a word, in the phrase */
	uint32_t same;    /* the first part with the same term */
	bool implied;     /* a bigram has the word in all its documents: it is looked up for its positions alone */
	const uint64_t *inline_bits; /* the one position that the dictionary has, as it would be stored; or NULL */
};

/* A phrase: a document matches where its words stand side by side, and scores by how often they do. */
struct phrase_evaluation {
	struct live_documents live;
	const struct phrase_part *parts; /* `words` words, then bigrams */
	uint32_t words, bigrams;
	/* The distinct parts: first the `deciding` ones (bigrams, then words that no bigram implies), which find documents, then the
	 * implied words. */
	const uint32_t *order;
	uint32_t distinct, deciding;
	const uint8_t *spans; /* of each docID: what its positions are laid out by */
	struct part *positions;
	size_t segment; /* its number */
	uint64_t base;  /* of its documents in hits */
	/* to rank */
	float weight;
	const struct scorer *scorer;
	const uint8_t *lengths;
};

/* The documents of a phrase among other leaves, to become a leaf: how often it stands in each. */
struct phrase_matches {
	uint32_t *docs, *tfs;
	uint32_t count, capacity;
	struct arena *arena;
};

#endif
