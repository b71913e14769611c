/*
 * Walking all documents of an index: each live one once, in the order asked for; starved of memory; damaged.
 *
 * TRAWL_SEED     seed of the damage (seed.h)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/index_verbs.h"
#include "tests/seed.h"
#include "trawl.h"

#define DOCUMENTS 600
#define COPIES 60

static void add_number(trawl_writer *writer, int number, const char *word)
{
	char id[16], title[32], text[128];
	trawl_document document = {.id = id, .title = title, .text = text, .fields = "{\"a\":1}", .fields_length = 7};
	document.id_length = (size_t)snprintf(id, sizeof id, "d%d", number);
	document.title_length = (size_t)snprintf(title, sizeof title, "number %d", number);
	/* Six topics in turn: similar ones are no neighbours as they come. */
	document.text_length = (size_t)snprintf(text, sizeof text, "%s t%da t%db t%dc t%dd only%d", word, number % 6,
	                                        number % 6, number % 6, number % 6, number);
	assert_int_equal(trawl_writer_add(writer, &document, &error), 0);
}

/* Documents 0 to DOCUMENTS - 1; then, in a second commit, every fifth replaced and every seventh deleted. */
static const char *make_index(const char *name, enum trawl_order order)
{
	const char *path = scratch_path(name);
	trawl_writer_options options = {.memory_budget = 4 << 20, .order = order};
	trawl_writer *writer;
	assert_int_equal(trawl_writer_open(&writer, path, &options, &error), 0);
	for (int i = 0; i < DOCUMENTS; i++)
		add_number(writer, i, "old");
	assert_int_equal(trawl_writer_commit(writer, &error), 0);
	for (int i = 0; i < DOCUMENTS; i += 5)
		add_number(writer, i, "new");
	for (int i = 0; i < DOCUMENTS; i += 7) {
		char id[16];
		int length = snprintf(id, sizeof id, "d%d", i);
		assert_int_equal(trawl_writer_delete(writer, id, (size_t)length, &error), 0);
	}
	assert_int_equal(trawl_writer_commit(writer, &error), 0);
	trawl_writer_close(writer);
	return path;
}

/* The numbers of the documents of a scan, in its order; each is checked to be as it was added last. */
static size_t scan_numbers(const trawl_index *index, bool as_added, int *numbers)
{
	trawl_scan *scan;
	trawl_document document;
	size_t count = 0;
	assert_int_equal(trawl_scan_new(&scan, index, as_added, &error), 0);
	while (trawl_scan_next(scan, &document, &error) == 1) {
		char id[16] = "";
		assert_in_range(document.id_length, 2, sizeof id - 1);
		memcpy(id, document.id, document.id_length);
		int number = atoi(id + 1);
		assert_memory_equal(document.text, number % 5 == 0 ? "new" : "old", 3);
		assert_int_equal(document.fields_length, 7);
		assert_memory_equal(document.title, "number ", 7);
		assert_true(count < DOCUMENTS);
		numbers[count++] = number;
	}
	assert_int_equal(trawl_scan_next(scan, &document, &error), 0);
	trawl_scan_free(scan);
	return count;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void every_live_document_comes_once(void **state)
{
	(void)state;
	for (int order = TRAWL_ORDER_AUTO; order <= TRAWL_ORDER_SIMILAR; order++)
		for (int as_added = 0; as_added < 2; as_added++) {
			int numbers[DOCUMENTS];
			trawl_index *index = index_open(make_index("once", (enum trawl_order)order));
			size_t count = scan_numbers(index, as_added, numbers), at = 0;
			qsort(numbers, count, sizeof *numbers, compare);
			for (int i = 0; i < DOCUMENTS; i++)
				if (i % 7)
					assert_int_equal(numbers[at++], i);
			assert_int_equal(at, count);
			trawl_close(index);
			scratch_clear();
		}
}

/* Whatever the order inside: the old documents as they came, then those replaced later. */
static void as_added_is_the_order_of_addition(void **state)
{
	(void)state;
	for (int order = TRAWL_ORDER_AUTO; order <= TRAWL_ORDER_SIMILAR; order++) {
		int numbers[DOCUMENTS];
		trawl_index *index = index_open(make_index("added", (enum trawl_order)order));
		size_t count = scan_numbers(index, true, numbers), at = 0;
		for (int later = 0; later < 2; later++)
			for (int i = 0; i < DOCUMENTS; i++)
				if (i % 7 && (i % 5 == 0) == later)
					assert_int_equal(numbers[at++], i);
		assert_int_equal(at, count);
		trawl_close(index);
		scratch_clear();
	}
}

/* The word "only<n>" finds document n alone, and so its internal number. */
static void otherwise_internal_numbers_ascend(void **state)
{
	(void)state;
	int numbers[DOCUMENTS];
	trawl_index *index = index_open(make_index("ascend", TRAWL_ORDER_SIMILAR));
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 2};
	size_t count = scan_numbers(index, false, numbers), moved = 0;
	uint64_t last = 0;
	assert_int_equal(trawl_searcher_new(&searcher, index, &error), 0);
	for (size_t i = 0; i < count; i++) {
		char query[16];
		size_t hits;
		int length = snprintf(query, sizeof query, "only%d", numbers[i]);
		assert_int_equal(trawl_search(searcher, query, (size_t)length, &options, &error), 0);
		const trawl_hit *hit = trawl_hits(searcher, &hits);
		assert_int_equal(hits, 1);
		assert_true(i == 0 || hit->document > last);
		last = hit->document;
		moved += i > 0 && numbers[i] < numbers[i - 1];
	}
	assert_true(moved > 1); /* it is not the order of addition */
	trawl_searcher_free(searcher);
	trawl_close(index);
}

static void a_scan_that_is_starved_of_memory_fails_cleanly(void **state)
{
	(void)state;
	trawl_index *index = index_open(make_index("starved", TRAWL_ORDER_SIMILAR));
	int code = TRAWL_ENOMEM;
	for (long n = 0; code == TRAWL_ENOMEM; n++) {
		trawl_scan *scan;
		trawl_document document;
		assert_true(n < 1000);
		memory_fail_after(n, true);
		code = trawl_scan_new(&scan, index, true, &error);
		if (!code)
			while ((code = trawl_scan_next(scan, &document, &error)) == 1)
				;
		memory_fail_after(-1, false);
		trawl_scan_free(scan);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
	}
	assert_int_equal(code, 0);
	trawl_close(index);
}

static void scan_damaged(const char *path)
{
	trawl_index *index;
	trawl_document document;
	if (trawl_open(&index, path, &error))
		return;
	for (int as_added = 0; as_added < 2; as_added++) {
		trawl_scan *scan;
		int code, count = 0;
		assert_int_equal(trawl_scan_new(&scan, index, as_added, &error), 0);
		while ((code = trawl_scan_next(scan, &document, &error)) == 1)
			assert_true(count++ < DOCUMENTS);
		assert_true(code == 0 || (code < 0 && error.text[0]));
		trawl_scan_free(scan);
	}
	trawl_close(index);
}

static void a_damaged_index_is_an_error_or_the_documents(void **state)
{
	(void)state;
	uint64_t random = test_seed();
	FILE *file = fopen(make_index("damaged", TRAWL_ORDER_SIMILAR), "rb");
	assert_non_null(file);
	static char bytes[4 << 20];
	size_t length = fread(bytes, 1, sizeof bytes, file);
	assert_true(length > 0 && length < sizeof bytes);
	fclose(file);
	for (int i = 0; i < COPIES; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		size_t at = (size_t)(random >> 20) % length;
		char was = bytes[at];
		bytes[at] = (char)(was ^ (1 << (random >> 17 & 7)));
		const char *path = scratch_path("copy");
		file = fopen(path, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, length, file), length);
		fclose(file);
		scan_damaged(path);
		bytes[at] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(every_live_document_comes_once, clear),
	    cmocka_unit_test_teardown(as_added_is_the_order_of_addition, clear),
	    cmocka_unit_test_teardown(otherwise_internal_numbers_ascend, clear),
	    cmocka_unit_test_teardown(a_scan_that_is_starved_of_memory_fails_cleanly, clear),
	    cmocka_unit_test_teardown(a_damaged_index_is_an_error_or_the_documents, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
