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
	uint64_t length = maker->token_count - maker->starts[maker->document_count];
	if (length > maker->longest)
		maker->longest = length;
	maker->starts[++maker->document_count] = maker->token_count;
}

int piece_add(struct piece_maker *maker, struct lexicon *lexicon, struct tokenizer *tokenizer,
              const trawl_document *document, uint32_t *length, uint32_t *position_end, trawl_error *error)
{
	*position_end = *length = 0;
	if (!piece_begin_document(maker))
		return error_set_memory(error);
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_tokens(maker, lexicon, tokenizer, position_end, length, error);
	if (!code) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_tokens(maker, lexicon, tokenizer, position_end, length, error);
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

/* How an occurrence is packed. Documents times positions are few, but for giants among many: these take two elements. */
struct packing {
	unsigned shift; /* of the document */
	bool wide;
};

static struct packing choose_packing(const struct piece_maker *maker)
{
	unsigned positions = 0, documents = 0;
	while (maker->longest >> positions)
		positions++;
	while (maker->document_count >> documents)
		documents++;
	return positions + documents <= 32 ? (struct packing){positions, false} : (struct packing){32, true};
}

/* Callers know `wide`, so this is one load. */
static inline uint64_t occurrence(const struct piece_maker *maker, size_t i, bool wide)
{
	return wide ? (uint64_t)maker->occurrences[2 * i + 1] << 32 | maker->occurrences[2 * i] : maker->occurrences[i];
}

/* Counting sort by term: counts become places, and in the end those of the terms' ends. */
static inline __attribute__((always_inline)) void scatter_packed(struct piece_maker *maker, unsigned shift, bool wide)
{
	uint32_t *counts = maker->counts, *occurrences = maker->occurrences;
	for (uint64_t d = 0; d < maker->document_count; d++) {
		const uint32_t *tokens = maker->tokens + maker->starts[d];
		uint64_t length = maker->starts[d + 1] - maker->starts[d];
		for (uint64_t i = 0; i < length; i++) {
			if (tokens[i] == WORD_TAG_NONE)
				continue;
			size_t at = counts[tokens[i]]++;
			if (wide) {
				occurrences[2 * at] = (uint32_t)i;
				occurrences[2 * at + 1] = (uint32_t)d;
			} else {
				occurrences[at] = (uint32_t)(d << shift | i);
			}
		}
	}
}

static void scatter(struct piece_maker *maker, uint32_t touched, struct packing packing)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < touched; i++) {
		uint32_t *count = &maker->counts[maker->touched[i]], this = *count;
		*count = sum;
		sum += this;
	}
	if (packing.wide)
		scatter_packed(maker, 32, true);
	else
		scatter_packed(maker, packing.shift, false);
}

static inline uint8_t *put_number(uint8_t *out, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

/* Occurrences [first, end). */
static inline __attribute__((always_inline)) uint8_t *put_record(const struct piece_maker *maker, uint8_t *out,
                                                                 size_t first, size_t end, unsigned shift, bool wide)
{
	uint64_t mask = ((uint64_t)1 << shift) - 1;
	uint32_t next = 0;
	for (size_t i = first; i < end;) {
		uint64_t document = occurrence(maker, i, wide) >> shift;
		size_t last = i + 1;
		while (last < end && occurrence(maker, last, wide) >> shift == document)
			last++;
		uint32_t tf = (uint32_t)(last - i);
		bool is_short = maker->starts[document + 1] - maker->starts[document] <= PIECE_SHORT_DOCUMENT;
		out = put_number(out, ((uint32_t)document + 1 - next) << 2 | (uint32_t)is_short << 1 | (tf == 1));
		if (tf > 1)
			out = put_number(out, tf);
		if (is_short) {
			for (; i < last; i++)
				*out++ = (uint8_t)(occurrence(maker, i, wide) & mask);
		} else {
			uint32_t before = 0;
			for (; i < last; i++) {
				uint32_t position = (uint32_t)(occurrence(maker, i, wide) & mask);
				out = put_number(out, position - before);
				before = position;
			}
		}
		next = (uint32_t)document + 1;
	}
	*out++ = 0;
	return out;
}

static int put_records(struct piece_maker *maker, uint32_t touched, struct packing packing, trawl_error *error)
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
		uint8_t *out = records->data + records->length;
		out = packing.wide ? put_record(maker, out, start, end, 32, true)
		                   : put_record(maker, out, start, end, packing.shift, false);
		records->length = (size_t)(out - records->data);
		start = end;
	}
	return 0;
}

static bool reserve_scratch(struct piece_maker *maker, bool wide)
{
	size_t known = maker->count_capacity;
	if (!memory_reserve(&maker->counts, &maker->count_capacity, maker->limit, sizeof *maker->counts))
		return false;
	if (maker->count_capacity > known)
		memset(maker->counts + known, 0, (maker->count_capacity - known) * sizeof *maker->counts);
	return memory_reserve(&maker->touched, &maker->touched_capacity, maker->token_count + 1,
	                      sizeof *maker->touched) &&
	       memory_reserve(&maker->occurrences, &maker->occurrence_capacity, maker->token_count << wide,
	                      sizeof *maker->occurrences);
}

/* The piece is kept for long, so it gets memory of just its size. */
static bool keep(const struct piece_maker *maker, uint32_t entries, struct piece *piece)
{
	piece->entries = memory_new(entries * sizeof *piece->entries);
	piece->records = memory_new(maker->records.length + PIECE_SLACK);
	if (!piece->entries || !piece->records)
		return false;
	if (entries)
		memcpy(piece->entries, maker->entries, entries * sizeof *piece->entries);
	if (maker->records.length)
		memcpy(piece->records, maker->records.data, maker->records.length);
	memset(piece->records + maker->records.length, 0, PIECE_SLACK);
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
	struct packing packing = choose_packing(maker);
	if (!reserve_scratch(maker, packing.wide))
		return error_set_memory(error);
	uint32_t touched = count_terms(maker);
	if (!memory_reserve(&maker->entries, &maker->entry_capacity, touched, sizeof *maker->entries)) {
		code = error_set_memory(error);
	} else {
		scatter(maker, touched, packing);
		code = put_records(maker, touched, packing, error);
	}
	for (uint32_t i = 0; i < touched; i++)
		maker->counts[maker->touched[i]] = 0;
	if (!code && !keep(maker, touched, piece))
		code = error_set_memory(error);
	if (code)
		piece_release(piece);
	maker->token_count = maker->document_count = maker->longest = 0;
	return code;
}
