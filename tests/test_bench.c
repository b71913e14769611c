/* test_bench.c - the parts of `trawl bench` and `trawl eval` that need no index. */
#include "bench/file.c"
#include "bench/latency.c" /* these are not part of the library */
#include "bench/plot.c"
#include "bench/qrels.c"
#include "bench/result_hash.h"
#include "bench/support.c"
#include "bench/topics.c"
#include "bench/unpack.c"
#include "cli/text.c"
#include "cli/trec.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- times ------------------------------------------------------------------------------------------------------ */

static void the_median_of_even_rounds_is_the_mean_of_the_middle_two(void **state)
{
	(void)state;
	uint64_t even[] = {40, 10, 1000, 20}, odd[] = {9, 1, 5}, one[] = {7};
	struct latency_query q = latency_of_query(even, 4);
	assert_true(q.median == 30 && q.best == 10 && q.total == 1070);
	q = latency_of_query(odd, 3);
	assert_true(q.median == 5 && q.best == 1 && q.total == 15);
	q = latency_of_query(one, 1);
	assert_true(q.median == 7 && q.best == 7);
}

static void percentiles_are_values_that_occurred(void **state)
{
	(void)state;
	double hundred[100];
	for (int i = 0; i < 100; i++)
		hundred[i] = i + 1;
	assert_true(latency_percentile(hundred, 100, 50) == 50);
	assert_true(latency_percentile(hundred, 100, 90) == 90);
	assert_true(latency_percentile(hundred, 100, 99) == 99);
	assert_true(latency_percentile(hundred, 100, 100) == 100);
	assert_true(latency_percentile(hundred, 100, 0) == 1);
	assert_true(latency_percentile(hundred, 3, 50) == 2); /* 1, 2, 3 */
	assert_true(latency_percentile(hundred, 3, 99) == 3);
	assert_true(latency_percentile(hundred, 1, 50) == 1);
	assert_true(latency_percentile(hundred, 0, 50) == 0);
}

/* Two queries in two rounds: 4 runs in 800 ns are 5 million a second. */
static void a_summary_weighs_every_query_alike(void **state)
{
	(void)state;
	struct latency_query slow = {.median = 250, .best = 100, .total = 400};
	struct latency_query even = {.median = 200, .best = 200, .total = 400};
	const struct latency_query *queries[] = {&slow, &even};
	double sorted[2];
	struct latency_summary s = latency_summarise(queries, 2, 2, sorted);
	assert_true(s.queries == 2 && s.mean == 225 && s.p50 == 200 && s.p90 == 250 && s.maximum == 250);
	assert_true(s.mean_of_best == 150);
	assert_float_equal(s.queries_per_second, 5e6, 1);
	assert_true(sorted[0] == 200 && sorted[1] == 250);
}

/* ---- the hash of the results ------------------------------------------------------------------------------------ */

/* The bytes by hand: FNV-1a of no bytes is its offset basis, that of 'a' is af63dc4c8601ec8c (the published vector). */
static void the_hash_is_fnv1a(void **state)
{
	(void)state;
	assert_true(result_hash_number(RESULT_HASH_START, 'a', 1) == UINT64_C(0xaf63dc4c8601ec8c));
	/* "foobar", low byte first */
	assert_true(result_hash_number(RESULT_HASH_START, UINT64_C(0x7261626f6f66), 6) == UINT64_C(0x85944171f73967e8));
}

static void the_hash_sees_every_part_of_a_result(void **state)
{
	(void)state;
	const trawl_hit hits[] = {{7, 1.5f}, {9, 1.25f}}, swapped[] = {{9, 1.25f}, {7, 1.5f}};
	trawl_hit nudged[] = {{7, 1.5f}, {9, 1.25f}};
	uint32_t bits;
	memcpy(&bits, &nudged[1].score, 4);
	bits ^= 1; /* one unit in the last place */
	memcpy(&nudged[1].score, &bits, 4);
	uint64_t hash = result_hash_query(RESULT_HASH_START, 3, hits, 2);
	assert_true(hash == result_hash_query(RESULT_HASH_START, 3, hits, 2));
	assert_true(hash != result_hash_query(RESULT_HASH_START, 4, hits, 2));
	assert_true(hash != result_hash_query(RESULT_HASH_START, 3, hits, 1));
	assert_true(hash != result_hash_query(RESULT_HASH_START, 3, swapped, 2));
	assert_true(hash != result_hash_query(RESULT_HASH_START, 3, nudged, 2));
	/* Hits do not slip from one query to the next. */
	uint64_t one_none = result_hash_query(result_hash_query(RESULT_HASH_START, 0, hits, 1), 0, hits, 0);
	uint64_t none_one = result_hash_query(result_hash_query(RESULT_HASH_START, 0, hits, 0), 0, hits, 1);
	assert_true(one_none != none_one);
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

static void assert_text(struct bench_text *text, const char *expected)
{
	text_append(text, "", 1);
	assert_string_equal(text->data, expected);
	text_release(text);
}

static void json_strings_survive_any_bytes(void **state)
{
	(void)state;
	struct bench_text text = {0};
	text_append_json(&text, "a\"b\\\n\x01\x7f\0é\xff\xc3", 12);
	assert_text(&text, "\"a\\\"b\\\\\\u000a\\u0001\\u007f\\u0000é\xef\xbf\xbd\xef\xbf\xbd\"");
	text_append_json(&text, "\xed\xa0\x80", 3); /* a surrogate is not UTF-8 */
	assert_text(&text, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	text_append_json(&text, "\xc0\x80\xf0\x9f\x98\x80", 6); /* overlong NUL, a smiling face */
	assert_text(&text, "\"\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80\"");
	text_append_json(&text, "", 0);
	assert_text(&text, "\"\"");
}

static void an_id_is_one_word_of_a_line(void **state)
{
	(void)state;
	struct bench_text text = {0};
	text_append_word(&text, "a b\tc\nd:é", 10);
	assert_text(&text, "a%20b%09c%0Ad:é");
	text_append_word(&text, "\xff\xc3(\xc2\xa0\xe3\x80\x80\xc2\x85\xe2\x80\xa8\x7f\0", 15);
	assert_text(&text, "%FF%C3(%C2%A0%E3%80%80%C2%85%E2%80%A8%7F%00");
	text_append_word(&text, "100% of a%20b %2 %%41%zz", 24);
	assert_text(&text, "100%%20of%20a%2520b%20%2%20%%2541%zz");
}

/* Any bytes: one word, that decodes to them. What two ids share is the id. */
static void words_of_ids_are_reversible(void **state)
{
	(void)state;
	static const char alphabet[] = "% 2540aF\xc3\xa9\xff\n";
	char id[12], word[TREC_WORD_SIZE(12)], back[TREC_WORD_SIZE(12)];
	uint32_t random = 1;
	for (int round = 0; round < 200000; round++) {
		size_t length = (random = random * 1664525 + 1013904223) >> 16;
		length = 1 + length % sizeof id;
		for (size_t i = 0; i < length; i++)
			id[i] = alphabet[((random = random * 1664525 + 1013904223) >> 16) % (sizeof alphabet - 1)];
		size_t size = trec_word(word, id, length);
		assert_true(size <= sizeof word);
		for (size_t i = 0; i < size; i++)
			assert_true((unsigned char)word[i] > ' ');
		assert_int_equal(trec_id(back, word, size), length);
		assert_memory_equal(back, id, length);
	}
}

static void xml_text_holds_no_markup(void **state)
{
	(void)state;
	struct bench_text text = {0};
	text_append_xml(&text, "<a href=\"x\">&\x01\xff\xef\xbf\xbe", 18);
	assert_text(&text, "&#60;a href=&#34;x&#34;&#62;&#38;???");
}

static void numbers_are_whole_and_within_limits(void **state)
{
	(void)state;
	size_t size;
	float number;
	assert_true(bench_parse_size("10", 1, 10, &size) && size == 10);
	static const char *const bad[] = {"", "-1", "11", "0", "1x", " 1", "+1", "99999999999999999999", "0x1"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(bench_parse_size(bad[i], 1, 10, &size));
	assert_true(bench_parse_float("0.75", 0, 1, &number) && number == 0.75f);
	static const char *const bad_floats[] = {"", "nan", "inf", "1.1", "-0.5", "0.5 ", "b"};
	for (size_t i = 0; i < sizeof bad_floats / sizeof *bad_floats; i++)
		assert_false(bench_parse_float(bad_floats[i], 0, 1, &number));
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Write `bytes` into a new file and return its name, which lives until the next call. */
static const char *file_of(const char *bytes, size_t length)
{
	static char path[4096];
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/test_bench.XXXXXX", folder ? folder : "/tmp");
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, length), (ssize_t)length);
	close(descriptor);
	return path;
}

static void lines_end_at_newlines_and_at_the_end(void **state)
{
	(void)state;
	const char *path = file_of("\xef\xbb\xbfone\r\n\ntwo\0x\nlast", 19);
	static const struct {
		const char *bytes;
		size_t length;
	} expected[] = {{"one", 3}, {"", 0}, {"two\0x", 5}, {"last", 4}};
	struct bench_file file;
	const char *line;
	size_t length, count = 0;
	assert_int_equal(file_load(&file, path, false), 0);
	for (; file_next_line(&file, &line, &length); count++) {
		assert_true(count < 4);
		assert_int_equal(length, expected[count].length);
		assert_memory_equal(line, expected[count].bytes, length);
		assert_int_equal(file.line, count + 1);
	}
	assert_int_equal(count, 4);
	file_release(&file);
	unlink(path);
}

static int load_qrels(struct qrels *qrels, const char *text, bool strict)
{
	const char *path = file_of(text, strlen(text));
	int result = qrels_load(qrels, path, strict);
	unlink(path);
	return result;
}

/* 0 also for a document that was not judged. */
static int relevance_of(const struct judgement *judgements, size_t count, const char *document)
{
	int relevance = 0;
	qrels_find(judgements, count, (struct word){document, strlen(document)}, &relevance);
	return relevance;
}

static struct word word_of(const char *text)
{
	return (struct word){text, strlen(text)};
}

static void judgements_are_found_by_query_and_document(void **state)
{
	(void)state;
	struct qrels qrels;
	assert_int_equal(
	    load_qrels(&qrels, "2 0 d10 1\n  1\t0  d2   3 \r\n\n1 Q0 d1 0\n1 0 d30 -2\n1 0 d2 3\n12 0 d1 0\n", true),
	    0);
	assert_int_equal(qrels.count, 5); /* one was given twice */
	assert_int_equal(qrels.topic_count, 3);
	assert_int_equal(qrels.relevant_topics, 2);
	size_t count;
	const struct judgement *one = qrels_of_topic(&qrels, word_of("1"), &count);
	assert_int_equal(count, 3);
	assert_int_equal(relevance_of(one, count, "d2"), 3);
	assert_int_equal(relevance_of(one, count, "d1"), 0);
	assert_int_equal(relevance_of(one, count, "d30"), 0);
	assert_int_equal(relevance_of(one, count, "d10"), 0);
	qrels_of_topic(&qrels, word_of("3"), &count);
	assert_int_equal(count, 0);
	qrels_of_topic(&qrels, word_of("12"), &count);
	assert_int_equal(count, 1);
	qrels_release(&qrels);
}

static void a_bad_judgement_costs_one_line(void **state)
{
	(void)state;
	static const char *const bad[] = {"1 0 d2\n",
	                                  "1 0 d2 1 x\n",
	                                  "1 0 d2 one\n",
	                                  "1 0 d2 1.5\n",
	                                  "1 0 d2 1.\n",
	                                  "1 0 d2 -\n",
	                                  "1 0 d2 99999999999\n",
	                                  "1 d1 0\n", /* three columns in a file of four */
	                                  "query 0 d1 relevance\n",
	                                  "1 0 d1 0\n"}; /* contradicts the line above it */
	char text[256];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct qrels qrels;
		snprintf(text, sizeof text, "1 0 d1 3\n%s1 0 d9 1\n", bad[i]);
		assert_int_equal(load_qrels(&qrels, text, true), BENCH_ERROR);
		assert_int_equal(load_qrels(&qrels, text, false), 0);
		assert_int_equal(qrels.file.bad, 1);
		assert_int_equal(qrels.count, 2);
		assert_int_equal(relevance_of(qrels.judgements, 2, "d1"), 3);
		assert_int_equal(relevance_of(qrels.judgements, 2, "d9"), 1);
		qrels_release(&qrels);
	}
	static const char *const empty[] = {"", "\n \n", "1 0 d1 one\n", "query-id\tcorpus-id\tscore\n"};
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct qrels qrels;
		assert_int_equal(load_qrels(&qrels, empty[i], false), BENCH_ERROR);
	}
}

static void qrels_of_three_columns_are_read(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "\xef\xbb\xbfquery-id\tcorpus-id\tscore\r\nq1\td 1\t1\r\n\r\nq1\td2\t2.0\r\n", "q1\td 1\t1\nq1 d2 2\n",
	    "q1 0 5\nq1\td 1\t1\nq1\td2\t2\n" /* of which the first was cut, or not */
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct qrels qrels;
		assert_int_equal(load_qrels(&qrels, texts[i], true), 0);
		assert_int_equal(qrels.topic_count, 1);
		assert_int_equal(relevance_of(qrels.judgements, qrels.count, "d 1"), 1);
		assert_int_equal(relevance_of(qrels.judgements, qrels.count, "d2"), 2);
		qrels_release(&qrels);
	}
	struct qrels qrels; /* a cut line does not make the others bad */
	assert_int_equal(load_qrels(&qrels, "1 0 5\n1 0 5 1\n1 0 6 1\n", false), 0);
	assert_int_equal(qrels.count, 2);
	assert_int_equal(qrels.file.bad, 1);
	qrels_release(&qrels);
}

static int load_topics(struct topics *topics, const char *text, bool strict)
{
	const char *path = file_of(text, strlen(text));
	int result = topics_load(topics, path, strict);
	unlink(path);
	return result;
}

static void topics_keep_their_order_and_further_tabs(void **state)
{
	(void)state;
	struct topics topics;
	assert_int_equal(load_topics(&topics, "b\tone\ttwo\r\n\na\t\n", true), 0);
	assert_int_equal(topics.count, 2);
	assert_true(word_compare(topics.topics[0].id, word_of("b")) == 0);
	assert_int_equal(topics.topics[0].text_length, 7);
	assert_memory_equal(topics.topics[0].text, "one\ttwo", 7);
	assert_int_equal(topics.topics[1].text_length, 0);
	assert_int_equal(topics.topics[1].line, 3);
	topics_release(&topics);
}

static void a_bad_topic_costs_one_line(void **state)
{
	(void)state;
	static const char *const bad[] = {"1 text\n",
	                                  "\ttext\n",
	                                  " \ttext\n",
	                                  "a\tagain\n",
	                                  "{\"_id\": \"1\", \"text\": \"x\"\n",
	                                  "{\"_id\": 1.5, \"text\": \"x\"}\n",
	                                  "{\"_id\": \"\", \"text\": \"x\"}\n",
	                                  "{\"_id\": \"1\"}\n",
	                                  "{\"text\": \"x\"}\n"};
	char text[256];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct topics topics;
		snprintf(text, sizeof text, "a\tone\n%sb\ttwo\n", bad[i]);
		assert_int_equal(load_topics(&topics, text, true), BENCH_ERROR);
		assert_int_equal(load_topics(&topics, text, false), 0);
		assert_int_equal(topics.file.bad, 1);
		assert_int_equal(topics.count, 2);
		assert_memory_equal(topics.topics[0].text, "one", 3);
		assert_memory_equal(topics.topics[1].text, "two", 3);
		topics_release(&topics);
	}
	static const char *const empty[] = {"", "\n", "1 text\n", "{}\n"};
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct topics topics;
		assert_int_equal(load_topics(&topics, empty[i], false), BENCH_ERROR);
	}
}

static void topics_may_be_objects(void **state)
{
	(void)state;
	struct topics topics;
	assert_int_equal(load_topics(&topics,
	                             "{\"_id\": \"PLAIN-2\", \"text\": \"caf\\u00e9 \\\"x\\\"\", \"metadata\": {}}\r\n"
	                             "{\"id\": 17, \"query\": \"rain\"}\nold\tway\n",
	                             true),
	                 0);
	assert_int_equal(topics.count, 3);
	assert_true(word_compare(topics.topics[0].id, word_of("PLAIN-2")) == 0);
	assert_int_equal(topics.topics[0].text_length, 9);
	assert_memory_equal(topics.topics[0].text, "café \"x\"", 9);
	assert_true(word_compare(topics.topics[1].id, word_of("17")) == 0);
	assert_true(word_compare(topics.topics[2].id, word_of("old")) == 0);
	topics_release(&topics);
}

/* ---- the picture ------------------------------------------------------------------------------------------------ */

static void ticks_are_one_two_or_five_times_a_power_of_ten(void **state)
{
	(void)state;
	assert_float_equal(tick_near(3, false), 2, 1e-9);
	assert_float_equal(tick_near(3, true), 5, 1e-9);
	assert_float_equal(tick_near(5, false), 5, 1e-9);
	assert_float_equal(tick_near(5, true), 5, 1e-9);
	assert_float_equal(tick_near(0.07, true), 0.1, 1e-9);
	assert_float_equal(tick_near(0.07, false), 0.05, 1e-9);
	assert_float_equal(tick_near(999, true), 1000, 1e-6);
}

static void any_times_and_names_make_a_whole_picture(void **state)
{
	(void)state;
	double zero[] = {0, 0, 0}, wide[] = {1, 1000, 4e12}, one[] = {1000};
	double *values[] = {zero, wide, one};
	const size_t counts[] = {3, 3, 1};
	for (size_t i = 0; i < 3; i++) {
		struct plot plot = {.title = "<t>", .subtitle = "\xff", .x_label = "&", .note = "", .series_count = 1};
		plot.series[0] = (struct plot_series){"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		                                      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		                                      26,
		                                      values[i],
		                                      counts[i],
		                                      1,
		                                      1};
		struct bench_text svg = {0};
		plot_draw(&plot, &svg);
		text_append(&svg, "", 1);
		assert_non_null(strstr(svg.data, "</svg>"));
		assert_non_null(strstr(svg.data, "&#60;t&#62;"));
		assert_null(strstr(svg.data, "nan"));
		assert_null(strstr(svg.data, "inf"));
		text_release(&svg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_median_of_even_rounds_is_the_mean_of_the_middle_two),
	    cmocka_unit_test(percentiles_are_values_that_occurred),
	    cmocka_unit_test(a_summary_weighs_every_query_alike),
	    cmocka_unit_test(the_hash_is_fnv1a),
	    cmocka_unit_test(the_hash_sees_every_part_of_a_result),
	    cmocka_unit_test(json_strings_survive_any_bytes),
	    cmocka_unit_test(an_id_is_one_word_of_a_line),
	    cmocka_unit_test(words_of_ids_are_reversible),
	    cmocka_unit_test(xml_text_holds_no_markup),
	    cmocka_unit_test(numbers_are_whole_and_within_limits),
	    cmocka_unit_test(lines_end_at_newlines_and_at_the_end),
	    cmocka_unit_test(judgements_are_found_by_query_and_document),
	    cmocka_unit_test(a_bad_judgement_costs_one_line),
	    cmocka_unit_test(qrels_of_three_columns_are_read),
	    cmocka_unit_test(topics_keep_their_order_and_further_tabs),
	    cmocka_unit_test(a_bad_topic_costs_one_line),
	    cmocka_unit_test(topics_may_be_objects),
	    cmocka_unit_test(ticks_are_one_two_or_five_times_a_power_of_ten),
	    cmocka_unit_test(any_times_and_names_make_a_whole_picture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
