#include "tokenizer/normalize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "tokenizer/utf8.h"

/* Room for one step of the chain. The longest expansion, of U+FDFA, is elevenfold; few words come near. */
#define SCRATCH_BYTES 16384

struct scratch {
	size_t length;
	uint8_t bytes[SCRATCH_BYTES];
};

static bool is_apostrophe(uint32_t character)
{
	return character == 0x2018 || character == 0x2019 || character == 0x201b || character == 0x02bc ||
	       character == 0xff07;
}

typedef bool keep_function(uint32_t character);

static bool is_not_ignorable(uint32_t character)
{
	return !uc_is_property_default_ignorable_code_point(character);
}

static bool is_not_mark(uint32_t character)
{
	return !uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Mn);
}

/* Drop, in place, the characters that `keep` refuses. */
static void drop_characters(struct scratch *word, keep_function *keep)
{
	size_t kept = 0;
	for (size_t at = 0; at < word->length;) {
		uint32_t character;
		size_t size = utf8_decode(word->bytes + at, word->length - at, &character);
		if (character < 0x80 || keep(character)) {
			memmove(word->bytes + kept, word->bytes + at, size);
			kept += size;
		}
		at += size;
	}
	word->length = kept;
}

/* Take over what libunistring returned: our own buffer, or, when that was too small, memory of its own. */
static int take_result(struct scratch *word, uint8_t *result, size_t length)
{
	if (!result)
		return TRAWL_ENOMEM;
	word->length = utf8_cut(result, length, SCRATCH_BYTES);
	if (result != word->bytes) {
		memcpy(word->bytes, result, word->length);
		free(result); /* libunistring allocated it, not base/memory.h */
	}
	return 0;
}

static int compose(struct scratch *word, struct scratch *spare, uninorm_t form)
{
	spare->length = word->length;
	memcpy(spare->bytes, word->bytes, word->length);
	size_t length = SCRATCH_BYTES;
	uint8_t *result = u8_normalize(form, spare->bytes, spare->length, word->bytes, &length);
	return take_result(word, result, length);
}

static int fold_case(struct scratch *word, struct scratch *spare)
{
	spare->length = word->length;
	memcpy(spare->bytes, word->bytes, word->length);
	size_t length = SCRATCH_BYTES;
	uint8_t *result = u8_casefold(spare->bytes, spare->length, NULL, NULL, word->bytes, &length);
	return take_result(word, result, length);
}

/* toNFKC_Casefold. Folding before and after the compatibility decomposition reaches what only one of them brings to
 * light (U+0345 by the former, the capitals of U+3392 by the latter). */
static int nfkc_casefold(struct scratch *word, struct scratch *spare)
{
	drop_characters(word, is_not_ignorable);
	int result = compose(word, spare, UNINORM_NFD);
	for (int round = 0; round < 2 && result == 0; round++) {
		result = fold_case(word, spare);
		if (result == 0)
			result = compose(word, spare, UNINORM_NFKD);
	}
	if (result == 0)
		result = fold_case(word, spare);
	if (result == 0)
		result = compose(word, spare, UNINORM_NFKC);
	drop_characters(word, is_not_ignorable);
	return result;
}

static int drop_diacritics(struct scratch *word, struct scratch *spare)
{
	int result = compose(word, spare, UNINORM_NFKD);
	drop_characters(word, is_not_mark);
	return result < 0 ? result : compose(word, spare, UNINORM_NFKC);
}

static void straighten_apostrophes(struct scratch *word, const uint8_t *surface, size_t length)
{
	word->length = 0;
	for (size_t at = 0; at < length;) {
		uint32_t character;
		size_t size = utf8_decode(surface + at, length - at, &character);
		if (is_apostrophe(character)) {
			word->bytes[word->length++] = '\'';
		} else {
			memcpy(word->bytes + word->length, surface + at, size);
			word->length += size;
		}
		at += size;
	}
}

/* The word cut to fit `out`, without the apostrophes at its ends (U+02BC, a letter, may put them there). */
static int finish(const uint8_t *word, size_t length, uint8_t *out)
{
	while (length > 0 && *word == '\'') {
		word++;
		length--;
	}
	while (length > 0 && word[length - 1] == '\'')
		length--;
	length = utf8_cut(word, length, WORD_BYTES_MAX);
	memcpy(out, word, length);
	return (int)length;
}

int normalize_word(const uint8_t *surface, size_t length, bool fold_diacritics, uint8_t out[WORD_BYTES_MAX])
{
	bool ascii = true;
	for (size_t i = 0; i < length && ascii; i++)
		ascii = surface[i] < 0x80;
	if (ascii) {
		length = length < WORD_BYTES_MAX ? length : WORD_BYTES_MAX;
		for (size_t i = 0; i < length; i++)
			out[i] = surface[i] >= 'A' && surface[i] <= 'Z' ? surface[i] | 0x20 : surface[i];
		return (int)length;
	}
	struct scratch word, spare;
	straighten_apostrophes(&word, surface, length);
	int result = nfkc_casefold(&word, &spare);
	if (result == 0 && fold_diacritics)
		result = drop_diacritics(&word, &spare);
	return result < 0 ? result : finish(word.bytes, word.length, out);
}
