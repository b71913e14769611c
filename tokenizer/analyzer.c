#include "tokenizer/analyzer.h"

#include <libstemmer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/normalize.h"
#include "tokenizer/stop_words.h"
#include "tokenizer/utf8.h"

#define LANGUAGES_MAX 64

static const char *languages[LANGUAGES_MAX + 2]; /* libstemmer's, "none", NULL */

static void list_languages(void)
{
	const char **names = sb_stemmer_list();
	size_t count = 0;
	while (count < LANGUAGES_MAX && names[count]) {
		languages[count] = names[count];
		count++;
	}
	languages[count] = "none";
}

const char *const *trawl_languages(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, list_languages);
	return languages;
}

static bool is_language(const char *name)
{
	for (const char *const *known = trawl_languages(); *known; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

static int compare_stop_words(const void *left, const void *right)
{
	const struct stop_word *a = left, *b = right;
	int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
	return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int refuse_stop_words(const char *language, trawl_error *error)
{
	char known[256];
	stop_words_languages(known, sizeof(known));
	return error_set(error, TRAWL_EINVAL, "no stop word list for language \"%s\"; there is one for: %s", language,
	                 known);
}

/* The list is normalised as the words of texts are, so that folded diacritics match too. */
static int load_stop_words(struct analyzer *analyzer, const char *language, trawl_error *error)
{
	const char *list = stop_words_find(language);
	if (!list)
		return refuse_stop_words(language, error);
	size_t capacity = 0;
	for (const char *at = list; *at;) {
		size_t length = strcspn(at, " ");
		uint8_t normal[WORD_BYTES_MAX];
		int size = normalize_word((const uint8_t *)at, length, analyzer->fold_diacritics, normal);
		at += length + strspn(at + length, " ");
		if (size < 0 || !memory_reserve(&analyzer->stop_words, &capacity, analyzer->stop_word_count + 1,
		                                sizeof(struct stop_word)))
			return error_set_memory(error);
		char *text = arena_copy(&analyzer->stop_word_text, normal, (size_t)size);
		if (!text)
			return error_set_memory(error);
		analyzer->stop_words[analyzer->stop_word_count++] = (struct stop_word){text, (size_t)size};
	}
	qsort(analyzer->stop_words, analyzer->stop_word_count, sizeof(struct stop_word), compare_stop_words);
	return 0;
}

int analyzer_init(struct analyzer *analyzer, const trawl_analysis *analysis, trawl_error *error)
{
	const char *language = analysis && analysis->language && *analysis->language ? analysis->language : "english";
	*analyzer = (struct analyzer){.fold_diacritics = analysis && analysis->fold_diacritics};
	if (!is_language(language))
		return error_set(error, TRAWL_EINVAL, "unknown language \"%s\"", language);
	if (analysis && analysis->stop_words) {
		int result = load_stop_words(analyzer, language, error);
		if (result < 0)
			return result;
	}
	if (strcmp(language, "none") == 0)
		return 0;
	analyzer->stemmer = sb_stemmer_new(language, "UTF_8");
	return analyzer->stemmer ? 0 : error_set_memory(error);
}

void analyzer_release(struct analyzer *analyzer)
{
	if (analyzer->stemmer)
		sb_stemmer_delete(analyzer->stemmer);
	memory_free(analyzer->stop_words);
	arena_release(&analyzer->stop_word_text);
	*analyzer = (struct analyzer){0};
}

static bool is_stop_word(const struct analyzer *analyzer, const uint8_t *word, size_t length)
{
	struct stop_word wanted = {(const char *)word, length};
	return analyzer->stop_word_count && bsearch(&wanted, analyzer->stop_words, analyzer->stop_word_count,
	                                            sizeof(struct stop_word), compare_stop_words);
}

int analyzer_run(struct analyzer *analyzer, const uint8_t *surface, size_t length, struct analyzed *out)
{
	int normal = normalize_word(surface, length, analyzer->fold_diacritics, out->term);
	if (normal < 0)
		return normal;
	out->length = (uint8_t)normal;
	out->stop = is_stop_word(analyzer, out->term, out->length);
	if (out->length == 0 || out->stop || !analyzer->stemmer)
		return 0;
	const uint8_t *stem = sb_stemmer_stem(analyzer->stemmer, out->term, normal);
	if (!stem)
		return TRAWL_ENOMEM;
	size_t stem_length = utf8_cut(stem, (size_t)sb_stemmer_length(analyzer->stemmer), WORD_BYTES_MAX);
	if (stem_length > 0) { /* a stemmer that leaves nothing leaves the word */
		memcpy(out->term, stem, stem_length);
		out->length = (uint8_t)stem_length;
	}
	return 0;
}
