#include "cli/long_query.h"

#include "cli/text.h"

/* Characters from here on (Chinese, Japanese, Korean) begin words without a space before them. */
#define FIRST_IDEOGRAPH 0x2e80

/* Whether the query may be cut before its byte `at`. */
static bool is_word_start(const char *query, size_t length, size_t at)
{
	uint32_t character;
	char before = query[at - 1];
	if (before == ' ' || (before >= '\t' && before <= '\r'))
		return true;
	return (query[at] & 0xc0) != 0x80 && utf8_decode(query + at, length - at, &character) > 1 &&
	       character >= FIRST_IDEOGRAPH;
}

/* The last place up to `at` where the query may be cut; 0: none. */
static size_t cut_before(const char *query, size_t length, size_t at)
{
	while (at > 0 && at < length && !is_word_start(query, length, at))
		at--;
	return at;
}

/* Nothing is evaluated: this only reads the query and looks its words up. */
static bool is_short_enough(trawl_searcher *searcher, const char *query, size_t length)
{
	static const trawl_search_options nothing = {.top = 0};
	return trawl_search(searcher, query, length, &nothing, NULL) == TRAWL_OK;
}

int search_beginning(trawl_searcher *searcher, const char *query, size_t *length, const trawl_search_options *options,
                     trawl_error *error)
{
	int result = trawl_search(searcher, query, *length, options, error);
	if (result != TRAWL_ELIMIT)
		return result;
	size_t low = 0, high = cut_before(query, *length, *length > TRAWL_QUERY_MAX ? TRAWL_QUERY_MAX : *length - 1);
	if (high && !is_short_enough(searcher, query, high)) {
		/* The longest part that will do is in [low, high). */
		while (high - low > 1) {
			size_t middle = low + (high - low) / 2, cut = cut_before(query, *length, middle);
			if (cut <= low)
				low = middle; /* no word starts in between: look above */
			else if (is_short_enough(searcher, query, cut))
				low = middle;
			else
				high = cut;
		}
		high = cut_before(query, *length, low);
	}
	if (!high)
		return result;
	*length = high;
	return trawl_search(searcher, query, high, options, error);
}

bool query_fails_alone(int status)
{
	return status == TRAWL_ELIMIT || status == TRAWL_EINVAL || status == TRAWL_EINPUT;
}
