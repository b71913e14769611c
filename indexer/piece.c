#include "indexer/piece.h"

#include <string.h>

#include "base/error.h"

#define TOKENS_AT_A_TIME 256
#define NUMBER_BYTES 5 /* of a varint of 32 bits, at most */

void piece_release(struct piece *piece)
{
	memory_free(piece->entries);
	memory_free(piece->records);
	*piece = (struct piece){0};
}

size_t piece_maker_memory(const struct piece_maker *maker)
{
	return maker->token_capacity * sizeof *maker->tokens + maker->start_capacity * sizeof *maker->starts +
	       maker->count_capacity * sizeof *maker->counts + maker->touched_capacity * sizeof *maker->touched +
	       maker->occurrence_capacity * sizeof *maker->occurrences + maker->records.capacity +
	       maker->entry_capacity * sizeof *maker->entries;
}

void piece_maker_release(struct piece_maker *maker)
{
	memory_free(maker->tokens);
	memory_free(maker->starts);
	memory_free(maker->counts);
	memory_free(maker->touched);
	memory_free(maker->occurrences);
	memory_free(maker->entries);
	buffer_release(&maker->records);
	*maker = (struct piece_maker){0};
}

/* ---- adding ---- */

/* The number of a term is looked up once a distinct word, and kept in its tag. */
static bool number_word(struct piece_maker *maker, struct lexicon *lexicon, struct word *word)
{
	word->tag = lexicon_number(lexicon, word->term, word->term_length);
	if (word->tag == WORD_TAG_NONE)
		return false;
	if (word->tag >= maker->limit)
		maker->limit = word->tag + 1;
	return true;
}

/* Append what the tokenizer yields; positions that it leaves out become gaps. *position: the next one expected. */
static int append_tokens(struct piece_maker *maker, struct lexicon *lexicon, struct tokenizer *tokenizer,
                         uint32_t *position, uint32_t *length, trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0) {
		size_t span = (size_t)(tokens[count - 1].position - *position) + 1;
		if (!memory_reserve(&maker->tokens, &maker->token_capacity, maker->token_count + span,
		                    sizeof *maker->tokens))
			return error_set_memory(error);
		uint32_t *out = maker->tokens + maker->token_count;
		for (int i = 0; i < count; i++) {
			struct word *word = tokens[i].word;
			if (word->tag == WORD_TAG_NONE && !number_word(maker, lexicon, word))
				return error_set_memory(error);
			for (; *position < tokens[i].position; ++*position)
				*out++ = WORD_TAG_NONE;
			*out++ = word->tag;
			++*position;
		}
		maker->token_count = (size_t)(out - maker->tokens);
		*length += (uint32_t)count;
	}
	return count < 0 ? error_set_memory(error) : 0;
}

bool piece_begin_document(struct piece_maker *maker)
{
	if (!memory_reserve(&maker->starts, &maker->start_capacity, maker->document_count + 2, sizeof *maker->starts))
		return false;
	maker->starts[maker->document_count] = maker->token_count;
	return true;
}

bool piece_add_term(struct piece_maker *maker, uint32_t number)
{
	if (!memory_reserve(&maker->tokens, &maker->token_capacity, maker->token_count + 1, sizeof *maker->tokens))
		return false;
	maker->tokens[maker->token_count++] = number;
	if (number >= maker->limit)
		maker->limit = number + 1;
	return true;
}

void piece_end_document(struct piece_maker *maker)
{
	maker->starts[++maker->document_count] = maker->token_count;
}

int piece_add(struct piece_maker *maker, struct lexicon *lexicon, struct tokenizer *tokenizer,
              const trawl_document *document, uint32_t *length, uint32_t *span, trawl_error *error)
{
	*span = *length = 0;
	if (!piece_begin_document(maker))
		return error_set_memory(error);
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_tokens(maker, lexicon, tokenizer, span, length, error);
	if (!code) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_tokens(maker, lexicon, tokenizer, span, length, error);
	}
	if (code)
		maker->token_count = maker->starts[maker->document_count];
	else
		piece_end_document(maker);
	return code;
}

/* ---- inverting ---- */

/* How often each term occurs; the distinct terms, in order of appearance, go to `touched`. */
static uint32_t count_terms(struct piece_maker *maker)
{
	uint32_t touched = 0;
	for (size_t i = 0; i < maker->token_count; i++) {
		uint32_t term = maker->tokens[i];
		if (term == WORD_TAG_NONE)
			continue;
		maker->touched[touched] =
		    term; /* for good only if it is new: no branch, new terms come unforeseeably */
		touched += maker->counts[term]++ == 0;
	}
	return touched;
}

/* Counting sort by term: counts become places, and in the end those of the terms' ends. */
static void scatter(struct piece_maker *maker, uint32_t touched)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < touched; i++) {
		uint32_t *count = &maker->counts[maker->touched[i]], this = *count;
		*count = sum;
		sum += this;
	}
	for (uint64_t d = 0; d < maker->document_count; d++) {
		uint64_t start = maker->starts[d], end = maker->starts[d + 1];
		for (uint64_t i = start; i < end; i++)
			if (maker->tokens[i] != WORD_TAG_NONE)
				maker->occurrences[maker->counts[maker->tokens[i]]++] = d << 32 | (i - start);
	}
}

static inline uint8_t *put_number(uint8_t *out, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

static uint8_t *put_record(uint8_t *out, const uint64_t *occurrences, uint32_t count)
{
	uint32_t next = 0, last = 0;
	for (uint32_t i = 0; i < count;) {
		uint32_t document = (uint32_t)(occurrences[i] >> 32), tf = 1;
		while (i + tf < count && occurrences[i + tf] >> 32 == document)
			tf++;
		out = put_number(out, (document + 1 - next) << 1 | (tf == 1));
		if (tf > 1)
			out = put_number(out, tf);
		next = document + 1;
		i += tf;
	}
	*out++ = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t position = (uint32_t)occurrences[i];
		bool same = i && occurrences[i] >> 32 == occurrences[i - 1] >> 32;
		out = put_number(out, same ? position - last : position);
		last = position;
	}
	return out;
}

static int put_records(struct piece_maker *maker, uint32_t touched, trawl_error *error)
{
	struct buffer *records = &maker->records;
	uint32_t start = 0;
	records->length = 0;
	for (uint32_t i = 0; i < touched; i++) {
		uint32_t end = maker->counts[maker->touched[i]];
		if (!buffer_reserve(records, (size_t)(end - start) * 3 * NUMBER_BYTES + 1))
			return error_set_memory(error);
		/* 2 GiB of text are the most of a document, and come to less: a term takes a byte or more of it. */
		if (records->length > UINT32_MAX)
			return error_set(error, TRAWL_ELIMIT, "documents with too many terms");
		maker->entries[i] = (struct piece_entry){maker->touched[i], (uint32_t)records->length};
		uint8_t *out = put_record(records->data + records->length, maker->occurrences + start, end - start);
		records->length = (size_t)(out - records->data);
		start = end;
	}
	return 0;
}

static bool reserve_scratch(struct piece_maker *maker)
{
	size_t known = maker->count_capacity;
	if (!memory_reserve(&maker->counts, &maker->count_capacity, maker->limit, sizeof *maker->counts))
		return false;
	if (maker->count_capacity > known)
		memset(maker->counts + known, 0, (maker->count_capacity - known) * sizeof *maker->counts);
	return memory_reserve(&maker->touched, &maker->touched_capacity, maker->token_count + 1,
	                      sizeof *maker->touched) &&
	       memory_reserve(&maker->occurrences, &maker->occurrence_capacity, maker->token_count,
	                      sizeof *maker->occurrences);
}

/* The piece is kept for long, so it gets memory of just its size. */
static bool keep(const struct piece_maker *maker, uint32_t entries, struct piece *piece)
{
	piece->entries = memory_new(entries * sizeof *piece->entries);
	piece->records = memory_new(maker->records.length);
	if (!piece->entries || !piece->records)
		return false;
	if (entries)
		memcpy(piece->entries, maker->entries, entries * sizeof *piece->entries);
	if (maker->records.length)
		memcpy(piece->records, maker->records.data, maker->records.length);
	piece->entry_count = entries;
	piece->record_bytes = maker->records.length;
	return true;
}

int piece_finish(struct piece_maker *maker, struct piece *piece, uint32_t first_ordinal, trawl_error *error)
{
	int code = 0;
	*piece = (struct piece){.first_ordinal = first_ordinal,
	                        .document_count = (uint32_t)maker->document_count,
	                        .tokens = maker->token_count};
	if (maker->token_count > UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT, "documents with too many words");
	if (!reserve_scratch(maker))
		return error_set_memory(error);
	uint32_t touched = count_terms(maker);
	if (!memory_reserve(&maker->entries, &maker->entry_capacity, touched, sizeof *maker->entries)) {
		code = error_set_memory(error);
	} else {
		scatter(maker, touched);
		code = put_records(maker, touched, error);
	}
	for (uint32_t i = 0; i < touched; i++)
		maker->counts[maker->touched[i]] = 0;
	if (!code && !keep(maker, touched, piece))
		code = error_set_memory(error);
	if (code)
		piece_release(piece);
	maker->token_count = maker->document_count = 0;
	return code;
}
