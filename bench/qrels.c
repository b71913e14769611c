#include "bench/qrels.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 4

static int compare_judgements(const void *left, const void *right)
{
	const struct judgement *a = left, *b = right;
	int order = word_compare(a->topic, b->topic);
	if (!order)
		order = word_compare(a->document, b->document);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

/* A whole number, which may be written as 1.0; negative ones (TREC uses them for pages that are junk) become 0. */
static bool parse_relevance(struct word word, int *relevance)
{
	bool negative = word.length && *word.bytes == '-';
	size_t at = negative || (word.length && *word.bytes == '+'), start = at;
	long value = 0;
	for (; at < word.length && word.bytes[at] >= '0' && word.bytes[at] <= '9'; at++) {
		value = value * 10 + (word.bytes[at] - '0');
		if (value > INT_MAX)
			return false;
	}
	if (at == start)
		return false;
	if (at + 1 < word.length && word.bytes[at] == '.')
		for (at++; at < word.length && word.bytes[at] == '0';)
			at++;
	*relevance = negative ? 0 : (int)value;
	return at == word.length;
}

/* How many columns there are, up to one more than there should be. */
static size_t split_at_tabs(struct word line, struct word *columns)
{
	const char *at = line.bytes, *end = line.bytes + line.length;
	size_t count = 0;
	for (;;) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));
		struct word column = word_trim((struct word){at, (size_t)((tab ? tab : end) - at)});
		if (count < COLUMNS_MAX)
			columns[count] = column;
		count++;
		if (!tab || count > COLUMNS_MAX || !column.length)
			return column.length ? count : 0;
		at = tab + 1;
	}
}

static size_t split_at_space(struct word line, struct word *columns)
{
	const char *at = line.bytes, *end = line.bytes + line.length;
	struct word word;
	size_t count = 0;
	while (count <= COLUMNS_MAX && next_word(&at, end, &word)) {
		if (count < COLUMNS_MAX)
			columns[count] = word;
		count++;
	}
	return count;
}

/* The first line may name the columns. */
static bool is_heading(struct word first)
{
	static const char *const names[] = {"query-id", "query_id", "queryid", "qid",  "query",
	                                    "topic-id", "topic_id", "topicid", "topic"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (first.length == strlen(names[i]) && strncasecmp(first.bytes, names[i], first.length) == 0)
			return true;
	return false;
}

enum line_kind { LINE_JUDGEMENT, LINE_HEADING, LINE_BAD };

static enum line_kind parse_judgement(struct judgement *judgement, struct word line, size_t column_count)
{
	struct word columns[COLUMNS_MAX];
	enum line_kind kind = LINE_BAD;
	for (int by_tabs = 1; by_tabs >= 0; by_tabs--) {
		if ((by_tabs ? split_at_tabs(line, columns) : split_at_space(line, columns)) != column_count)
			continue;
		if (parse_relevance(columns[column_count - 1], &judgement->relevance)) {
			judgement->topic = columns[0];
			judgement->document = columns[column_count - 2];
			return LINE_JUDGEMENT;
		}
		if (is_heading(columns[0]))
			kind = LINE_HEADING;
	}
	return kind;
}

/* How many a line seems to have; 0: it is none of ours. */
static size_t columns_of(struct word line)
{
	struct word columns[COLUMNS_MAX];
	int relevance;
	for (int by_tabs = 1; by_tabs >= 0; by_tabs--) {
		size_t count = by_tabs ? split_at_tabs(line, columns) : split_at_space(line, columns);
		if ((count == 3 || count == 4) && parse_relevance(columns[count - 1], &relevance))
			return count;
	}
	return 0;
}

/* As many columns as most lines have: one cut line of four does not make a file of three. */
static size_t count_columns(struct bench_file file)
{
	size_t lines[COLUMNS_MAX + 1] = {0};
	struct word line;
	while (file_next_line(&file, &line.bytes, &line.length))
		lines[columns_of(line)]++;
	return lines[3] > lines[4] ? 3 : 4;
}

static int read_judgement(struct qrels *qrels, struct word line)
{
	if (qrels->count == qrels->capacity) {
		qrels->capacity = qrels->capacity ? 2 * qrels->capacity : 1024;
		qrels->judgements = bench_resize(qrels->judgements, qrels->capacity, sizeof *qrels->judgements);
	}
	struct judgement *judgement = &qrels->judgements[qrels->count];
	judgement->line = qrels->file.line;
	enum line_kind kind = parse_judgement(judgement, line, qrels->columns);
	if (kind == LINE_JUDGEMENT)
		qrels->count++;
	if (kind == LINE_JUDGEMENT || (kind == LINE_HEADING && !qrels->count))
		return 0;
	return file_bad_line(&qrels->file, qrels->file.line, "not of the form: %s relevance (a whole number)",
	                     qrels->columns == 3 ? "query document" : "query 0 document");
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

/* Drop judgements that say again what was said, or contradict it; count topics. The judgements are sorted. */
static int settle(struct qrels *qrels)
{
	size_t kept = 0;
	bool relevant = false;
	for (size_t i = 0; i < qrels->count; i++) {
		struct judgement *last = kept ? &qrels->judgements[kept - 1] : NULL, *next = &qrels->judgements[i];
		bool same_topic = last && word_compare(last->topic, next->topic) == 0;
		if (same_topic && word_compare(last->document, next->document) == 0) {
			if (last->relevance != next->relevance &&
			    file_bad_line(&qrels->file, next->line, "line %zu judges the same document otherwise",
			                  last->line))
				return BENCH_ERROR;
			continue;
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

int qrels_load(struct qrels *qrels, const char *path, bool strict)
{
	memset(qrels, 0, sizeof *qrels);
	int result = file_load(&qrels->file, path, strict);
	struct word line;
	if (!result)
		qrels->columns = count_columns(qrels->file);
	while (!result && file_next_line(&qrels->file, &line.bytes, &line.length))
		if (word_trim(line).length)
			result = read_judgement(qrels, line);
	if (!result && qrels->count) {
		qsort(qrels->judgements, qrels->count, sizeof *qrels->judgements, compare_judgements);
		result = settle(qrels);
	}
	if (!result)
		result = file_end(&qrels->file, qrels->count, "judgement");
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

bool qrels_find(const struct judgement *judgements, size_t count, struct word document, int *relevance)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = word_compare(judgements[middle].document, document);
		if (order == 0) {
			*relevance = judgements[middle].relevance;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
