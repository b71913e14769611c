#include "tests/oracle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-5 /* relative: the engine adds in single precision */

static char complaint[1024];

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(complaint, sizeof complaint, format, arguments);
	va_end(arguments);
	return complaint;
}

static int compare_ids(const struct naive *naive, size_t left, size_t right)
{
	const char *a, *b;
	size_t a_length, b_length;
	naive_id(naive, left, &a, &a_length);
	naive_id(naive, right, &b, &b_length);
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
	return order ? order : (a_length > b_length) - (a_length < b_length);
}

static const char *order_complaint(const struct naive *naive, const trawl_hit *hits, const size_t *numbers, size_t i,
                                   bool stable_ties)
{
	if (i == 0 || hits[i - 1].score > hits[i].score)
		return NULL;
	if (hits[i - 1].score < hits[i].score)
		return wrong("hit %zu scores %.9g after %.9g", i, (double)hits[i].score, (double)hits[i - 1].score);
	if (stable_ties && compare_ids(naive, numbers[i - 1], numbers[i]) >= 0)
		return wrong("hits %zu and %zu tie and are not in order of their ids", i - 1, i);
	if (!stable_ties && hits[i - 1].document >= hits[i].document)
		return wrong("hits %zu and %zu tie and are not in order of documents", i - 1, i);
	return NULL;
}

/* Every hit against its naive score; marks the hits in `seen`. */
static const char *hits_complaint(const struct naive *naive, trawl_searcher *searcher, const double *scores,
                                  bool stable_ties, size_t *numbers, bool *seen)
{
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < count; i++) {
		trawl_error error;
		const char *id, *why;
		size_t id_length;
		if (trawl_hit_id(searcher, hits[i].document, &id, &id_length, &error))
			return wrong("the id of hit %zu: %s", i, error.text);
		size_t number = numbers[i] = naive_find(naive, id, id_length);
		if (number == NAIVE_NONE)
			return wrong("hit %zu is document %llu, which is dead or unknown", i,
			             (unsigned long long)hits[i].document);
		if (seen[number])
			return wrong("hit %zu, document %zu, was there before", i, number);
		seen[number] = true;
		if (scores[number] < 0)
			return wrong("hit %zu, document %zu, does not match", i, number);
		if (!(fabs(scores[number] - (double)hits[i].score) <= TOLERANCE * scores[number]))
			return wrong("hit %zu, document %zu, scores %.9g, expected %.9g", i, number,
			             (double)hits[i].score, scores[number]);
		if ((why = order_complaint(naive, hits, numbers, i, stable_ties)))
			return why;
	}
	double last = count ? (double)hits[count - 1].score : INFINITY;
	for (size_t d = 0; d < naive_numbers(naive); d++)
		if (!seen[d] && scores[d] > last * (1 + TOLERANCE))
			return wrong("document %zu is missing with %.9g; the last hit has %.9g", d, scores[d], last);
	return NULL;
}

static const char *answer_complaint(struct naive *naive, trawl_searcher *searcher, const trawl_search_options *options,
                                    const double *scores, size_t matches)
{
	size_t count, expected = matches < options->top ? matches : options->top;
	trawl_hits(searcher, &count);
	if (count != expected)
		return wrong("%zu hits, expected %zu of %zu matches", count, expected, matches);
	uint64_t counted = trawl_match_count(searcher);
	if (counted != (options->count ? matches : 0))
		return wrong("%llu matches counted, expected %zu", (unsigned long long)counted,
		             options->count ? matches : 0);
	size_t *numbers = calloc(count + 1, sizeof *numbers);
	bool *seen = calloc(naive_numbers(naive) + 1, sizeof *seen);
	if (!numbers || !seen)
		abort();
	const char *why = hits_complaint(naive, searcher, scores, options->stable_ties, numbers, seen);
	free(numbers);
	free(seen);
	return why;
}

const char *oracle_complaint(struct naive *naive, trawl_searcher *searcher, const char *query, size_t length,
                             const trawl_search_options *options, bool positions)
{
	trawl_error error = {0};
	size_t matches;
	double k1 = options->set_k1 ? (double)options->k1 : 0.9, b = options->set_b ? (double)options->b : 0.4;
	naive_split_words(naive, !positions);
	const double *scores = naive_search(naive, query, length, k1, b, &matches);
	int status = trawl_search(searcher, query, length, options, &error);
	if (status == TRAWL_ELIMIT && naive_clauses(naive) > TRAWL_CLAUSES_MAX)
		return NULL;
	if (status == TRAWL_EINVAL && !positions && naive_has_phrase(naive))
		return NULL;
	if (status)
		return wrong("%s: %s", trawl_status_name(status), error.text);
	return answer_complaint(naive, searcher, options, scores, matches);
}
