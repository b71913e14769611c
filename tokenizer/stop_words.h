/* stop_words.h - the stop words of some languages: the commonest function words. */
#ifndef TRAWL_TOKENIZER_STOP_WORDS_H
#define TRAWL_TOKENIZER_STOP_WORDS_H

#include <stddef.h>

/* The list of a language, its words parted by single spaces; NULL when there is none. Static storage. */
const char *stop_words_find(const char *language);

/* The names of the languages that have a list, parted by ", ", cut to fit. */
void stop_words_languages(char *out, size_t size);

#endif
