#include "bench/qrels.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int word_compare(struct word left, struct word right)
{
	size_t shorter = left.length < right.length ? left.length : right.length;
	int order = shorter ? memcmp(left.bytes, right.bytes, shorter) : 0;
	return order ? order : (left.length > right.length) - (left.length < right.length);
}

/* ---- topics ---------------------------------------------------------------------------------------------------- */

static int compare_topics(const void *left, const void *right)
{
	const struct topic *a = *(const struct topic *const *)left, *b = *(const struct topic *const *)right;
	return word_compare(a->id, b->id);
}

static int refuse_duplicate_topics(const struct topics *topics)
{
	const struct topic **sorted = bench_new(topics->count, sizeof(struct topic *));
	for (size_t i = 0; i < topics->count; i++)
		sorted[i] = &topics->topics[i];
	qsort(sorted, topics->count, sizeof(struct topic *), compare_topics);
	int result = 0;
	for (size_t i = 1; i < topics->count && !result; i++)
		if (word_compare(sorted[i - 1]->id, sorted[i]->id) == 0)
			result = bench_fail("%s: lines %zu and %zu have the same query id \"%.*s\"", topics->file.path,
			                    sorted[i - 1]->line, sorted[i]->line, (int)sorted[i]->id.length,
			                    sorted[i]->id.bytes);
	free(sorted);
	return result;
}

int topics_load(struct topics *topics, const char *path)
{
	memset(topics, 0, sizeof *topics);
	int result = file_load(&topics->file, path);
	size_t capacity = 0, length;
	const char *line;
	while (!result && file_next_line(&topics->file, &line, &length)) {
		if (!length)
			continue;
		const char *tab = memchr(line, '\t', length);
		if (!tab || tab == line) {
			result = bench_fail("%s:%zu: not of the form: id TAB text", path, topics->file.line);
			break;
		}
		if (topics->count == capacity) {
			capacity = capacity ? 2 * capacity : 256;
			topics->topics = bench_resize(topics->topics, capacity, sizeof *topics->topics);
		}
		topics->topics[topics->count++] = (struct topic){.id = {line, (size_t)(tab - line)},
		                                                 .text = tab + 1,
		                                                 .text_length = length - (size_t)(tab + 1 - line),
		                                                 .line = topics->file.line};
	}
	if (!result && !topics->count)
		result = bench_fail("%s holds no query", path);
	if (!result)
		result = refuse_duplicate_topics(topics);
	if (result)
		topics_release(topics);
	return result;
}

void topics_release(struct topics *topics)
{
	free(topics->topics);
	file_release(&topics->file);
	memset(topics, 0, sizeof *topics);
}

/* ---- judgements ------------------------------------------------------------------------------------------------ */

static int compare_judgements(const void *left, const void *right)
{
	const struct judgement *a = left, *b = right;
	int order = word_compare(a->topic, b->topic);
	if (!order)
		order = word_compare(a->document, b->document);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* A whole number; negative ones (TREC uses them for pages that are junk) become 0. */
static bool parse_relevance(const char *bytes, size_t length, int *relevance)
{
	bool negative = length && *bytes == '-';
	size_t at = negative || (length && *bytes == '+');
	long value = 0;
	if (at == length)
		return false;
	for (; at < length; at++) {
		if (bytes[at] < '0' || bytes[at] > '9')
			return false;
		value = value * 10 + (bytes[at] - '0');
		if (value > INT_MAX)
			return false;
	}
	*relevance = negative ? 0 : (int)value;
	return true;
}

static bool parse_judgement(struct judgement *judgement, const char *line, size_t length)
{
	const char *end = line + length, *rest;
	struct word words[4];
	for (size_t i = 0; i < 4; i++)
		if (!next_word(&line, end, &words[i].bytes, &words[i].length))
			return false;
	size_t rest_length;
	if (next_word(&line, end, &rest, &rest_length))
		return false;
	judgement->topic = words[0];
	judgement->document = words[2];
	return parse_relevance(words[3].bytes, words[3].length, &judgement->relevance);
}

/* Drop repeated judgements, refuse contradictions, count topics. The judgements are sorted. */
static int settle(struct qrels *qrels)
{
	size_t kept = 0;
	bool relevant = false;
	for (size_t i = 0; i < qrels->count; i++) {
		struct judgement *last = kept ? &qrels->judgements[kept - 1] : NULL, *next = &qrels->judgements[i];
		bool same_topic = last && word_compare(last->topic, next->topic) == 0;
		if (same_topic && word_compare(last->document, next->document) == 0) {
			if (last->relevance == next->relevance)
				continue;
			return bench_fail("%s: lines %zu and %zu judge the same document of the same query differently",
			                  qrels->file.path, last->line, next->line);
		}
		if (!same_topic) {
			qrels->topic_count++;
			relevant = false;
		}
		if (next->relevance > 0 && !relevant) {
			relevant = true;
			qrels->relevant_topics++;
		}
		qrels->judgements[kept++] = *next;
	}
	qrels->count = kept;
	return 0;
}

int qrels_load(struct qrels *qrels, const char *path)
{
	memset(qrels, 0, sizeof *qrels);
	int result = file_load(&qrels->file, path);
	size_t capacity = 0, length, word_length;
	const char *line, *word;
	while (!result && file_next_line(&qrels->file, &line, &length)) {
		const char *at = line;
		if (!next_word(&at, line + length, &word, &word_length))
			continue;
		if (qrels->count == capacity) {
			capacity = capacity ? 2 * capacity : 1024;
			qrels->judgements = bench_resize(qrels->judgements, capacity, sizeof *qrels->judgements);
		}
		struct judgement *judgement = &qrels->judgements[qrels->count++];
		judgement->line = qrels->file.line;
		if (!parse_judgement(judgement, line, length))
			result = bench_fail("%s:%zu: not of the form: query 0 document relevance (a whole number)",
			                    path, qrels->file.line);
	}
	if (!result && !qrels->count)
		result = bench_fail("%s holds no judgement", path);
	if (!result) {
		qsort(qrels->judgements, qrels->count, sizeof *qrels->judgements, compare_judgements);
		result = settle(qrels);
	}
	if (result)
		qrels_release(qrels);
	return result;
}

void qrels_release(struct qrels *qrels)
{
	free(qrels->judgements);
	file_release(&qrels->file);
	memset(qrels, 0, sizeof *qrels);
}

/* The first judgement of `topic` or, with `after`, the first behind it. */
static size_t topic_bound(const struct qrels *qrels, struct word topic, bool after)
{
	size_t low = 0, high = qrels->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = word_compare(qrels->judgements[middle].topic, topic);
		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct judgement *qrels_of_topic(const struct qrels *qrels, struct word topic, size_t *count)
{
	size_t first = topic_bound(qrels, topic, false);
	*count = topic_bound(qrels, topic, true) - first;
	return qrels->judgements + first;
}

int qrels_relevance(const struct judgement *judgements, size_t count, struct word document)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = word_compare(judgements[middle].document, document);
		if (order == 0)
			return judgements[middle].relevance;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}
