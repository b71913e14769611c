/*
 * piece.h - some documents in a row, inverted by themselves: what a thread makes of the documents it was given.
 *
 * A piece is small enough to be inverted within the processor's cache, and its postings are kept as bytes, which take about
 * two thirds of what a number a token would. A record a term, in no order: for each posting varint (difference of documents x 4, + 2
 * when the document is short, + 1 when tf is 1), varint tf when it is not 1, then the positions: a byte each in a short document,
 * whose positions all fit one (no branches that depend on them); else varint differences (the first as it is). At the end a zero.
 */
#ifndef TRAWL_INDEXER_PIECE_H
#define TRAWL_INDEXER_PIECE_H

#include "base/bytes.h"
#include "indexer/lexicon.h"
#include "tokenizer/tokenizer.h"

#define PIECE_SHORT_DOCUMENT 256 /* positions, at most */
#define PIECE_SLACK 8

struct piece {
	uint32_t first_ordinal, document_count;
	uint64_t tokens;
	struct piece_entry {
		uint32_t term, offset; /* of its record */
	} * entries;
	uint32_t entry_count;
	uint8_t *records; /* and 8 bytes more that may be loaded */
	size_t record_bytes;
};

static inline size_t piece_memory(const struct piece *piece)
{
	return piece->record_bytes + PIECE_SLACK + piece->entry_count * sizeof *piece->entries;
}

void piece_release(struct piece *piece);

/* The scratch of one thread. Zero-initialised is empty. */
struct piece_maker {
	uint32_t
	    *tokens; /* term numbers in text order; a position without a term (a dropped stop word) is WORD_TAG_NONE */
	size_t token_count, token_capacity;
	uint64_t *starts; /* of each document in tokens */
	size_t document_count, start_capacity;
	uint32_t limit;   /* above all term numbers */
	uint32_t *counts; /* of each term in the piece, and then where its next occurrence goes; 0 between pieces */
	size_t count_capacity;
	uint32_t *touched; /* terms of the piece */
	size_t touched_capacity;
	uint32_t *
	    occurrences; /* document in the high bits, position in the low ones; two elements each where one is too narrow */
	size_t occurrence_capacity;
	uint64_t longest; /* of the documents, in positions */
	struct buffer records;
	struct piece_entry *entries;
	size_t entry_capacity;
};

/* Analyse a document and append it; *length is its number of tokens, *position_end its last position + 1. TRAWL_ENOMEM. */
int piece_add(struct piece_maker *maker, struct lexicon *lexicon, struct tokenizer *tokenizer,
              const trawl_document *document, uint32_t *length, uint32_t *position_end, trawl_error *error);

/* The same for terms numbered already, one at a position. false: out of memory. */
bool piece_begin_document(struct piece_maker *maker);
bool piece_add_term(struct piece_maker *maker, uint32_t number);
void piece_end_document(struct piece_maker *maker);

/* Invert what was added and start over. */
int piece_finish(struct piece_maker *maker, struct piece *piece, uint32_t first_ordinal, trawl_error *error);

size_t piece_maker_memory(const struct piece_maker *maker);
void piece_maker_release(struct piece_maker *maker);

/* A varint of a piece's records: they are our own, and trusted. */
static inline uint32_t piece_number(const uint8_t **at)
{
	const uint8_t *p = *at;
	uint32_t value = *p & 0x7f;
	for (unsigned shift = 7; *p++ & 0x80; shift += 7)
		value |= (uint32_t)(*p & 0x7f) << shift;
	*at = p;
	return value;
}

/* Past `count` > 0 of them. */
static inline const uint8_t *piece_skip_numbers(const uint8_t *at, uint32_t count)
{
	for (;; at += 8)
		for (uint64_t ends = ~load64(at) & UINT64_C(0x8080808080808080); ends; ends &= ends - 1)
			if (!--count)
				return at + __builtin_ctzll(ends) / 8 + 1;
}

/* A posting of a record, and where the next one stands. */
struct piece_posting {
	uint32_t ordinal, tf;
	bool is_short; /* its document */
	const uint8_t *positions;
};

/* Read the posting at *at, moving it on; posting->ordinal is the one before, at first the piece's first ordinal less one. false:
 * there are no more. */
static inline bool piece_next_posting(const uint8_t **at, struct piece_posting *posting)
{
	uint32_t code = piece_number(at);
	if (!code)
		return false;
	posting->tf = code & 1 ? 1 : piece_number(at);
	posting->is_short = code >> 1 & 1;
	posting->ordinal += code >> 2;
	posting->positions = *at;
	*at = posting->is_short ? *at + posting->tf : piece_skip_numbers(*at, posting->tf);
	return true;
}

#endif
