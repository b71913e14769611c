#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/history.h"

static trawl_error error;

/* ---- the model ---- */

void history_make(struct history *history, struct random *random, size_t documents)
{
	*history = (struct history){0};
	random_corpus_make(&history->corpus, random, documents);
	history->places = calloc(documents, sizeof *history->places);
	history->pending = calloc(documents, sizeof *history->pending);
	assert_true(history->places && history->pending);
}

void history_release(struct history *history)
{
	for (size_t i = 0; i < history->changed_count; i++) {
		random_document_release(history->changed[i]);
		free(history->changed[i]);
	}
	free(history->changed);
	free(history->entries);
	free(history->places);
	free(history->pending);
	random_corpus_release(&history->corpus);
}

static void forget(struct history *history, size_t number)
{
	if (!history->places[number])
		return;
	history->entries[history->places[number] - 1].document = NULL;
	history->places[number] = 0;
	history->live--;
}

static bool same(const trawl_document *a, const trawl_document *b)
{
	return a->title_length == b->title_length && a->text_length == b->text_length &&
	       (!a->title_length || memcmp(a->title, b->title, a->title_length) == 0) &&
	       (!a->text_length || memcmp(a->text, b->text, a->text_length) == 0);
}

static void put(struct history *history, trawl_writer *writer, size_t number, const trawl_document *document)
{
	CHECK(trawl_writer_add(writer, document, &error));
	size_t place = history->places[number];
	if (place && !history->pending[number] && same(history->entries[place - 1].document, document))
		return;
	forget(history, number);
	if (history->count == history->capacity) {
		history->capacity = history->capacity ? 2 * history->capacity : 1024;
		history->entries = realloc(history->entries, history->capacity * sizeof *history->entries);
		assert_non_null(history->entries);
	}
	history->entries[history->count++] = (struct history_entry){document, number};
	history->places[number] = history->count;
	history->pending[number] = true;
	history->live++;
}

void history_put(struct history *history, trawl_writer *writer, size_t number)
{
	put(history, writer, number, &history->corpus.documents[number]);
}

void history_change(struct history *history, trawl_writer *writer, struct random *random, size_t number)
{
	trawl_document *document = calloc(1, sizeof *document);
	history->changed = realloc(history->changed, (history->changed_count + 1) * sizeof *history->changed);
	assert_true(document && history->changed);
	random_document_make(document, &history->corpus, random, &history->corpus.documents[number]);
	history->changed[history->changed_count++] = document;
	put(history, writer, number, document);
}

void history_delete(struct history *history, trawl_writer *writer, size_t number)
{
	const trawl_document *document = &history->corpus.documents[number];
	int expected = history->places[number] ? TRAWL_OK : TRAWL_ENOTFOUND;
	assert_int_equal(trawl_writer_delete(writer, document->id, document->id_length, &error), expected);
	forget(history, number);
}

void history_commit(struct history *history, trawl_writer *writer)
{
	CHECK(trawl_writer_commit(writer, &error));
	memset(history->pending, 0, history->corpus.count * sizeof *history->pending);
}

void history_index(const struct history *history, const char *path, const trawl_writer_options *options)
{
	trawl_writer *writer;
	CHECK(trawl_writer_open(&writer, path, options, &error));
	for (size_t i = 0; i < history->count; i++)
		if (history->entries[i].document)
			CHECK(trawl_writer_add(writer, history->entries[i].document, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

/* ---- answers ---- */

static void assert_same_hits(trawl_searcher *a, trawl_searcher *b, const char *query, size_t length)
{
	size_t count, other_count;
	const trawl_hit *hits = trawl_hits(a, &count), *others = trawl_hits(b, &other_count);
	if (count != other_count || trawl_match_count(a) != trawl_match_count(b))
		fail_msg("%zu hits and %zu for: %.*s", count, other_count, (int)length, query);
	for (size_t i = 0; i < count; i++) {
		const char *id, *other;
		size_t id_length, other_length;
		CHECK(trawl_hit_id(a, hits[i].document, &id, &id_length, &error));
		CHECK(trawl_hit_id(b, others[i].document, &other, &other_length, &error));
		if (memcmp(&hits[i].score, &others[i].score, sizeof hits[i].score) != 0 || id_length != other_length ||
		    memcmp(id, other, id_length) != 0)
			fail_msg("hit %zu is %.*s (%.9g) and %.*s (%.9g) for: %.*s", i, (int)id_length, id,
			         (double)hits[i].score, (int)other_length, other, (double)others[i].score, (int)length,
			         query);
	}
}

void assert_same_answers(const char *path, const char *other, const struct random_corpus *corpus, struct random *random,
                         size_t queries)
{
	trawl_index *index, *other_index;
	trawl_searcher *a, *b;
	trawl_index_stats stats;
	CHECK(trawl_open(&index, path, &error));
	CHECK(trawl_open(&other_index, other, &error));
	CHECK(trawl_searcher_new(&a, index, &error));
	CHECK(trawl_searcher_new(&b, other_index, &error));
	CHECK(trawl_get_stats(index, &stats, &error));
	char *query = malloc(RANDOM_QUERY_MAX);
	assert_non_null(query);
	for (size_t i = 0; i < queries; i++) {
		trawl_search_options options = {
		    .top = 1 + random_below(random, 30), .count = true, .stable_ties = true};
		enum query_kind kind = (enum query_kind)random_below(random, QUERY_KINDS);
		if (!stats.positions && (kind == QUERY_PHRASE || kind == QUERY_RANDOM_PHRASE ||
		                         kind == QUERY_PHRASE_MIXED || kind == QUERY_ODD))
			continue;
		size_t length = random_query(query, corpus, random, kind);
		int status = trawl_search(a, query, length, &options, &error);
		assert_int_equal(trawl_search(b, query, length, &options, &error), status);
		if (status == TRAWL_OK)
			assert_same_hits(a, b, query, length);
	}
	free(query);
	trawl_searcher_free(a);
	trawl_searcher_free(b);
	trawl_close(index);
	trawl_close(other_index);
}
