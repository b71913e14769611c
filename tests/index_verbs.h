/*
 * index_verbs.h - what tests of whole indexes say all the time: write this document, which ids does that query find.
 *
 * A test that includes it has its own `error`, and fails where a verb does.
 */
#ifndef TRAWL_TESTS_INDEX_VERBS_H
#define TRAWL_TESTS_INDEX_VERBS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "trawl.h"

static trawl_error error;

/* ---- small verbs ----------------------------------------------------------------------------------------------- */

static inline trawl_document document_of(const char *id, const char *text)
{
	return (trawl_document){
	    .id = id, .id_length = strlen(id), .title = "", .text = text, .text_length = strlen(text), .fields = ""};
}

static inline trawl_writer *writer_open(const char *path)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 4 << 20};
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	return writer;
}

static inline void add(trawl_writer *writer, const char *id, const char *text)
{
	trawl_document document = document_of(id, text);
	CHECK(trawl_writer_add(writer, &document, &error));
}

static inline void write_one(const char *path, const char *id, const char *text)
{
	trawl_writer *writer = writer_open(path);
	add(writer, id, text);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

static inline trawl_index *index_open(const char *path)
{
	trawl_index *index;
	CHECK(trawl_open(&index, path, &error));
	return index;
}

/* The ids that a query finds, in the order of the hits, each followed by a space. */
static inline const char *ids_found(const trawl_index *index, const char *query)
{
	static char ids[4096];
	trawl_searcher *searcher;
	size_t count, length = 0;
	trawl_search_options options = {.top = 100, .count = true};
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, query, strlen(query), &options, &error));
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_int_equal(trawl_match_count(searcher), count);
	for (size_t i = 0; i < count; i++) {
		const char *id;
		size_t id_length;
		CHECK(trawl_hit_id(searcher, hits[i].document, &id, &id_length, &error));
		assert_true(length + id_length + 2 < sizeof ids);
		memcpy(ids + length, id, id_length);
		length += id_length;
		ids[length++] = ' ';
	}
	ids[length] = '\0';
	trawl_searcher_free(searcher);
	return ids;
}

static inline trawl_index_stats stats_of(const trawl_index *index)
{
	trawl_index_stats stats;
	CHECK(trawl_get_stats(index, &stats, &error));
	return stats;
}

static inline trawl_index_stats stats_at(const char *path)
{
	trawl_index *index = index_open(path);
	trawl_index_stats stats = stats_of(index);
	trawl_close(index);
	return stats;
}

static inline int fetch_status(const trawl_index *index, const char *id)
{
	trawl_stored *handle = NULL;
	trawl_document document;
	int status = trawl_fetch(index, id, strlen(id), &handle, &document, &error);
	trawl_stored_free(handle);
	return status;
}

static inline void assert_text(const trawl_index *index, const char *id, const char *text)
{
	trawl_stored *handle = NULL;
	trawl_document document;
	CHECK(trawl_fetch(index, id, strlen(id), &handle, &document, &error));
	assert_int_equal(document.text_length, strlen(text));
	assert_memory_equal(document.text, text, strlen(text));
	trawl_stored_free(handle);
}

#endif
