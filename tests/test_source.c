/* trawl_source: every claim of its documentation about files, folders, streams, formats and what is wrong with them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "input/reader.h"
#include "tests/seed.h"
#include "tests/sources.h"
#include "trawl.h"

/* `line`, alone in a file, is refused with this place and message. */
static void expect_refused(const char *line, const char *problem)
{
	write_text("bad.jsonl", line);
	expect("bad.jsonl", "", problem);
}

/* ---- JSON Lines -------------------------------------------------------------------------------------------------- */

static void jsonl_yields_each_object_with_its_other_fields_kept(void **state)
{
	(void)state;
	write_text(
	    "a.jsonl",
	    "{\"id\":\"1\",\"title\":\"T\",\"text\":\"a b\"}\n"
	    "{\"url\": \"u\\n\",\"id\":\"2\", \"n\" : 1e400 ,\"text\":\"x\",\"v\":[1, {\"k\":null}] , \"o\":{}}\n");
	expect("a.jsonl", "1|T|a b|\n2||x|{\"url\": \"u\\n\",\"n\" : 1e400,\"v\":[1, {\"k\":null}],\"o\":{}}\n", "");
}

static void jsonl_decodes_escapes_in_values_and_names(void **state)
{
	(void)state;
	write_text("a.jsonl",
	           "{\"i\\u0064\":\"\\u00e9\\ud83d\\ude00\",\"title\":\"a\\tb\\\\\",\"text\":\"\\\"q\\\"\\/\"}");
	expect("a.jsonl", "\xc3\xa9\xf0\x9f\x98\x80|a\tb\\|\"q\"/|\n", "");
}

static void jsonl_takes_numbers_as_ids_as_they_are_written(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":7}\n{\"id\": -12 }\n{\"id\":123456789012345678901234567890}\n");
	expect("a.jsonl", "7|||\n-12|||\n123456789012345678901234567890|||\n", "");
	write_text("b.jsonl", "{\"id\":3.0}\n{\"id\":-1.5e+7}\n");
	expect("b.jsonl", "3.0|||\n-1.5e+7|||\n", "");
	expect_refused("{\"id\":01}", "bad.jsonl:1:7: invalid JSON: a value is missing or misspelt\n");
}

static void jsonl_joins_arrays_of_strings_and_takes_null_as_empty(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":\"1\",\"title\":[\"a\",\"b\\u0063\"],\"text\":[\"x\",\"\",\"y\"]}\n"
	                      "{\"id\":\"2\",\"title\":null,\"text\":[]}\n"
	                      "{\"id\":\"3\",\"title\":[null],\"text\":[null,\"a\",null,\"b\",null]}\n");
	expect("a.jsonl", "1|a\nbc|x\n\ny|\n2|||\n3||a\nb|\n", "");
}

static void jsonl_takes_numbers_and_booleans_as_the_text_that_they_are(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":\"1\",\"title\":1984,\"text\":123456789012345678901234567890.50}\n"
	                      "{\"id\":\"2\",\"title\":true,\"text\":[1,\"a\",false,-0.10e5]}\n");
	expect("a.jsonl", "1|1984|123456789012345678901234567890.50|\n2|true|1\na\nfalse\n-0.10e5|\n", "");
}

static void jsonl_names_the_field_and_type_it_cannot_use(void **state)
{
	(void)state;
	expect_refused(
	    "{\"id\":\"1\",\"title\":{\"a\":1}}",
	    "bad.jsonl:1:19: field \"title\" is an object; wanted is a string, a number or an array of these\n");
	expect_refused(
	    "{\"id\":\"1\",\"text\":[\"a\",[]]}",
	    "bad.jsonl:1:23: field \"text\" is an array with an array; wanted is a string, a number or an array of "
	    "these\n");
	expect_refused("{\"id\":[\"1\"]}", "bad.jsonl:1:7: field \"id\" is an array; wanted is a string or a number\n");
	expect_refused("{\"id\":true}", "bad.jsonl:1:7: field \"id\" is a boolean; wanted is a string or a number\n");
	expect_refused("{\"id\":null}", "bad.jsonl:1:7: field \"id\" is null; wanted is a string or a number\n");
	expect_refused("{\"id\":\"\"}", "bad.jsonl:1:7: field \"id\" is empty\n");
}

static void without_an_id_what_looks_like_one_is_named(void **state)
{
	(void)state;
	expect_refused("{\"text\":\"a\"}",
	               "bad.jsonl:1: no \"id\" field; name another with --id, or let --auto-id number the documents\n");
	expect_refused("{\"text\":\"a\",\"x\":[\"url\",{\"url\":1}],\"URL\" : \"u\"}",
	               "bad.jsonl:1: no \"id\" field; \"URL\" looks like one: --id URL\n");
	expect_refused("{\"url\":null,\"y\":\"\\\"\\\\\",\"docno\":7}",
	               "bad.jsonl:1: no \"id\" field; \"docno\" looks like one: --id docno\n");
	expect_refused("{\"index\":{\"_id\":\"1\"}}",
	               "bad.jsonl:1: an action of an Elasticsearch bulk file, and no document (--auto-id: for those "
	               "without an id)\n");
	expect_refused(
	    "{\"type\":\"FeatureCollection\",\"features\":[ {\"id\":1}]}",
	    "bad.jsonl:1: no \"id\" field; the list \"features\" looks like the documents: jq -c '.features[]' "
	    "FILE | trawl index INDEX -\n");
}

static void the_id_may_be_called_as_in_beir(void **state)
{
	(void)state;
	write_text("a.jsonl",
	           "{\"_id\":\"1\",\"title\":\"a\",\"metadata\":{}}\n{\"x\":1,\"_id\":2,\"y\":3}\n{\"x\":1,\"_id\":3}\n"
	           "{\"_id\":4}\n{\"_id\":5,\"id\":6}\n{\"_id\":\"\"}\n{\"_id\":{\"$oid\":\"7\"}}\n");
	expect("a.jsonl", "1|a||{\"metadata\":{}}\n2|||{\"x\":1,\"y\":3}\n3|||{\"x\":1}\n4|||\n6|||{\"_id\":5}\n",
	       "a.jsonl:6:8: field \"_id\" is empty\n"
	       "a.jsonl:7:8: field \"_id\" is an object; wanted is a string or a number\n");
	expect_with("a.jsonl", (trawl_source_options){.id_field = "id"}, "6|||{\"_id\":5}\n",
	            "a.jsonl:1: no \"id\" field; \"_id\" looks like one: --id _id\n"
	            "a.jsonl:2: no \"id\" field; \"_id\" looks like one: --id _id\n"
	            "a.jsonl:3: no \"id\" field; \"_id\" looks like one: --id _id\n"
	            "a.jsonl:4: no \"id\" field; \"_id\" looks like one: --id _id\n"
	            "a.jsonl:6: no \"id\" field; name another with --id, or let --auto-id number the documents\n"
	            "a.jsonl:7: no \"id\" field; name another with --id, or let --auto-id number the documents\n");
}

static void documents_without_an_id_are_numbered_when_asked_for(void **state)
{
	(void)state;
	const trawl_source_options automatic = {.auto_id = true};
	write_text("a.jsonl",
	           "{\"text\":\"a\"}\n\n{\"id\":\"x\",\"text\":\"b\"}\n{\"id\":null,\"text\":\"c\"}\n{\"id\":\"\"}\n"
	           "{\"_id\":9}\n{\"id\":{}}\n");
	expect_with("a.jsonl", automatic, "a.jsonl:1||a|\nx||b|\na.jsonl:4||c|\na.jsonl:5|||\n9|||\n",
	            "a.jsonl:7:7: field \"id\" is an object; wanted is a string or a number\n");
	write_text("bulk.json", "{\"index\":{\"_id\":1}}\n{\"text\":\"a\"}\n");
	expect_with(
	    "bulk.json", automatic, "bulk.json:2||a|\n",
	    "bulk.json:1: an action of an Elasticsearch bulk file, and no document (--auto-id: for those without an "
	    "id)\n");
	write_text("b.json", "[{\"text\":\"a\"}, {\"text\":\"b\"},\n  {\"text\":\"c\"}\n]");
	expect_with("b.json", automatic, "b.json:1:2||a|\nb.json:1:16||b|\nb.json:2||c|\n", "");
}

static void a_field_that_looks_like_the_text_is_named(void **state)
{
	(void)state;
	write_text("a.jsonl",
	           "{\"id\":1,\"title\":\"a\",\"n\":1,\"body\":\"b\"}\n{\"id\":2,\"contents\":[\"c\"],\"body\":\"b\"}\n"
	           "{\"id\":3,\"title\":\"a\",\"body\":\"\"}\n");
	expect("a.jsonl",
	       "1|a||{\"n\":1,\"body\":\"b\"}\n2|||{\"contents\":[\"c\"],\"body\":\"b\"}\n3|a||{\"body\":\"\"}\n",
	       "a.jsonl:1: no text; a field named \"body\" looks like it: --text body\n"
	       "a.jsonl:2: no text to search; a field named \"contents\" looks like it: --text contents\n");
}

static void jsonl_limits_the_length_of_ids(void **state)
{
	(void)state;
	char line[5000], expected[5000];
	for (int length = 4096; length <= 4097; length++) {
		snprintf(line, sizeof line, "{\"id\":\"%0*d\"}", length, 1);
		write_text("a.jsonl", line);
		snprintf(expected, sizeof expected, "%0*d|||\n", length, 1);
		expect("a.jsonl", length == 4096 ? expected : "",
		       length == 4096 ? "" : "a.jsonl:1:7: field \"id\" is longer than 4096 bytes\n");
	}
}

static void jsonl_takes_the_fields_the_options_name_even_twice(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"key\":\"k\",\"head\":\"h\",\"body\":\"b\",\"id\":1}");
	expect_with("a.jsonl", (trawl_source_options){.id_field = "key", .title_field = "head", .text_field = "body"},
	            "k|h|b|{\"id\":1}\n", "");
	expect_with("a.jsonl", (trawl_source_options){.id_field = "head", .title_field = "head", .text_field = "head"},
	            "h|h|h|{\"key\":\"k\",\"body\":\"b\",\"id\":1}\n", "");
}

static void jsonl_lets_the_last_of_equal_names_win(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":\"1\",\"text\":\"a\",\"x\":1,\"id\":\"2\",\"x\":2,\"text\":[\"b\"]}");
	expect("a.jsonl", "2||b|{\"x\":1,\"x\":2}\n", "");
}

static void jsonl_skips_a_bad_line_and_says_where_it_is(void **state)
{
	(void)state;
	write_text("a.jsonl",
	           "{\"id\":\"1\"}\r\n\r\n \t\nnonsense\n{\"id\":\"2\",}\n{\"id\":\"3\"}\n{\"id\":\"4\",\"te");
	expect("a.jsonl", "1|||\n3|||\n",
	       "a.jsonl:4:1: not a JSON object: JSON Lines wants one object a line\n"
	       "a.jsonl:5:11: invalid JSON\n"
	       "a.jsonl:7: a string does not end: the line is cut off, or a quote is missing\n");
}

static void jsonl_refuses_each_way_json_can_be_wrong(void **state)
{
	(void)state;
	expect_refused("{\"id\":\"1\"", "bad.jsonl:1:1: the line does not end with the object's closing brace\n");
	expect_refused("{\"id\":\"1\",\"x\":tru}", "bad.jsonl:1:15: invalid JSON: a value is missing or misspelt\n");
	expect_refused("{\"id\":\"1\",\"x\":[1,[2,]]}",
	               "bad.jsonl:1:21: invalid JSON: a value is missing or misspelt\n");
	expect_refused("{\"id\":\"1\"} 2}",
	               "bad.jsonl:1:12: more follows the object: JSON Lines wants one object a line\n");
	expect_refused("{\"id\":\"a\":\"b\"}", "bad.jsonl:1:10: invalid JSON\n");
	expect_refused("{\"id\":\"1\",\"x\":\"\\x\"}",
	               "bad.jsonl:1:15: a string contains an invalid escape sequence\n");
	expect_refused("{\"id\":\"\t\"}", "bad.jsonl:1: a string contains a control character that is not escaped\n");
	expect_refused("[1, 2]\n{}",
	               "bad.jsonl:1:1: not a JSON object: JSON Lines wants one object a line\n"
	               "bad.jsonl:2: no \"id\" field; name another with --id, or let --auto-id number the "
	               "documents\n");
}

static void jsonl_takes_half_a_surrogate_for_a_character_that_is_unknown(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":1,\"text\":\"a\\ud83d b\",\"x\":\"\\\\\\uDC00\\ud83d\\ude00\",\"k\\udfff\":1}\n"
	                      "{\"id\":2,\"text\":\"\\ud83d\\ud83d\\ude00\\\\ud83d\"}\n");
	expect("a.jsonl",
	       "1||a\xef\xbf\xbd b|{\"x\":\"\\\\\\ufffd\\ud83d\\ude00\",\"k\\ufffd\":1}\n"
	       "2||\xef\xbf\xbd\xf0\x9f\x98\x80\\ud83d|\n",
	       "");
}

static void jsonl_reads_each_line_that_is_no_utf8_as_what_it_looks_like(void **state)
{
	(void)state;
	write_text("a.jsonl", "{\"id\":1,\"text\":\"caf\xe9 \x93x\x94\"}\n{\"id\":2,\"text\":\"caf\xc3\xa9\"}\n"
	                      "{\"id\":3,\"text\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\"}\n{\"id\":4,\"text\":\"\x81\"}\n");
	expect("a.jsonl",
	       "1||caf\xc3\xa9 \xe2\x80\x9cx\xe2\x80\x9d|\n2||caf\xc3\xa9|\n3||\xc3\xa9\xc3\xa9\xc3\xa9\xef\xbf\xbd|\n"
	       "4||\xef\xbf\xbd|\n",
	       "a.jsonl:1: not UTF-8, read as windows-1252 (--encoding names another)\n"
	       "a.jsonl:3: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n"
	       "a.jsonl:4: invalid UTF-8, which became U+FFFD (--encoding names another encoding)\n");
}

static void jsonl_survives_nul_bytes_and_deep_nesting(void **state)
{
	(void)state;
	enum { DEPTH = 100000 };
	write_bytes("nul.jsonl", "{\"id\":\"a\0b\"}\n\0\n{\"id\":1}\n", 24);
	expect("nul.jsonl", "1|||\n",
	       "nul.jsonl:1: a string contains a control character that is not escaped\n"
	       "nul.jsonl:2:1: not a JSON object: JSON Lines wants one object a line\n");
	char *line = malloc(2 * DEPTH + 32);
	size_t head = (size_t)sprintf(line, "{\"id\":1,\"x\":");
	memset(line + head, '[', DEPTH);
	memset(line + head + DEPTH, ']', DEPTH);
	line[head + 2 * DEPTH] = '}';
	write_bytes("deep.jsonl", line, head + 2 * DEPTH + 1);
	free(line);
	expect("deep.jsonl", "", "deep.jsonl:1:525: arrays or objects are nested too deeply\n");
}

static void jsonl_drops_the_utf8_mark(void **state)
{
	(void)state;
	write_text("a.jsonl", "\xef\xbb\xbf{\"id\":1}\n");
	expect("a.jsonl", "1|||\n", "");
}

static void a_line_may_be_much_longer_than_the_buffer(void **state)
{
	(void)state;
	size_t length = (size_t)9 << 20;
	char *line = malloc(length + 64);
	size_t head = (size_t)sprintf(line, "{\"id\":1}\n{\"id\":2,\"text\":\"");
	memset(line + head, 'a', length);
	size_t end = head + length;
	end += (size_t)sprintf(line + end, "\"}\n{\"id\":3}\n");
	write_bytes("a.jsonl", line, end);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.progress.documents, 3);
	assert_int_equal(outcome.progress.text_bytes, end);
	assert_int_equal(outcome.documents.length - 1, strlen("1|||\n2|||\n3|||\n") + length);
	release_outcome(&outcome);
	free(line);
}

/* Zeros compress well: a line over the limit needs only a small file. */
static void write_huge_zstd(const char *path, const char *before, size_t length, const char *after)
{
	size_t chunk = (size_t)1 << 20, out_size = ZSTD_compressBound(chunk);
	char *zeros = memset(malloc(chunk), ' ', chunk), *out = malloc(out_size);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	fwrite(out, 1, pack_zstd(out, out_size, before, strlen(before)), file);
	size_t packed = pack_zstd(out, out_size, zeros, chunk);
	for (size_t done = 0; done < length; done += chunk)
		fwrite(out, 1, packed, file);
	fwrite(out, 1, pack_zstd(out, out_size, after, strlen(after)), file);
	assert_int_equal(fclose(file), 0);
	free(zeros);
	free(out);
}

static void a_line_over_the_limit_is_skipped_and_reading_goes_on(void **state)
{
	(void)state;
	write_huge_zstd("a.jsonl.zst", "{\"id\":1}\n{\"id\":2", READER_LINE_MAX + ((size_t)8 << 20), "}\n{\"id\":3}\n");
	expect("a.jsonl.zst", "1|||\n3|||\n", "a.jsonl.zst:2: line longer than 256 MiB\n");
}

static void a_text_over_the_limit_is_skipped(void **state)
{
	(void)state;
	write_huge_zstd("a.txt", "title\n", READER_TEXT_MAX, "end");
	expect("a.txt", "", "a.txt: text larger than 1024 MiB\n");
}

/* ---- compression ------------------------------------------------------------------------------------------------- */

static void compressed_files_are_known_by_their_bytes_and_may_be_concatenated(void **state)
{
	(void)state;
	uint8_t packed[1000];
	const char *one = "{\"id\":1}\n{\"id\"", *two = ":2}\n{\"id\":3}";
	size_t length = pack_gzip(packed, sizeof packed, one, strlen(one));
	length += pack_gzip(packed + length, sizeof packed - length, "", 0);
	length += pack_gzip(packed + length, sizeof packed - length, two, strlen(two));
	write_bytes("gzip.jsonl", packed, length);
	expect("gzip.jsonl", "1|||\n2|||\n3|||\n", "");
	memset(packed + length, 0, 100); /* padding, as on tape */
	write_bytes("padded.ndjson.gz", packed, length + 100);
	expect("padded.ndjson.gz", "1|||\n2|||\n3|||\n", "");

	length = pack_zstd(packed, sizeof packed, one, strlen(one));
	memcpy(packed + length, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11); /* a skippable frame */
	length += 11;
	length += pack_zstd(packed + length, sizeof packed - length, two, strlen(two));
	write_bytes("zstd.json.zst", packed, length);
	expect("zstd.json.zst", "1|||\n2|||\n3|||\n", "");
}

static size_t make_lines(char *out, int count)
{
	size_t length = 0;
	for (int i = 0; i < count; i++)
		length += (size_t)sprintf(out + length, "{\"id\":%d,\"text\":\"%x\"}\n", i, (unsigned)i * 2654435761u);
	return length;
}

/* Cut or damaged anywhere, a compressed file yields whole lines only, and the damage is reported. */
static void check_damage(const char *path, uint8_t *packed, size_t length, const char *kind)
{
	char cut[64], corrupt[64];
	snprintf(cut, sizeof cut, "%s: cut off: the %s data ends too early", path, kind);
	snprintf(corrupt, sizeof corrupt, "%s: corrupt %s data", path, kind);
	for (size_t end = 4; end < length; end += 1 + length / 61) {
		write_bytes(path, packed, end);
		struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
		assert_int_equal(outcome.status, 0);
		assert_memory_equal(outcome.problems.data, cut, strlen(cut));
		assert_int_equal(outcome.progress.skipped, 1);
		release_outcome(&outcome);
	}
	packed[length / 2] ^= 0x55;
	write_bytes(path, packed, length);
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, 0);
	assert_memory_equal(outcome.problems.data, corrupt, strlen(corrupt));
	assert_non_null(strstr((char *)outcome.problems.data, " byte "));
	release_outcome(&outcome);
	packed[length / 2] ^= 0x55;
}

static void cut_off_and_corrupt_compressed_files_are_reported_with_position(void **state)
{
	(void)state;
	size_t size = (size_t)1 << 20;
	char *text = malloc(size);
	uint8_t *packed = malloc(size);
	size_t length = make_lines(text, 3000);
	check_damage("a.jsonl.gz", packed, pack_gzip(packed, size, text, length), "gzip");
	check_damage("a.jsonl.zst", packed, pack_zstd(packed, size, text, length), "zstd");
	free(text);
	free(packed);
}

/* As gzip and zstd do: all documents are there, and it is no reason to skip anything, not even under `strict`. */
static void what_comes_before_a_cut_is_yielded_however_short_it_is(void **state)
{
	(void)state;
	char text[600];
	uint8_t packed[1000];
	size_t length = pack_gzip(packed, sizeof packed, text, make_lines(text, 10));
	write_bytes("a.jsonl", packed, length - 9);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_true(outcome.progress.documents >= 9);
	assert_int_equal(outcome.progress.skipped, 1);
	assert_memory_equal(outcome.problems.data, "a.jsonl: cut off", 16);
	release_outcome(&outcome);
	memset(text, ' ', sizeof text);
	write_bytes("b.jsonl", packed, pack_gzip(packed, sizeof packed, text, sizeof text) - 5);
	expect("b.jsonl", "", "b.jsonl: cut off: the gzip data ends too early, at byte 22\n");
}

static void bytes_behind_compressed_data_are_passed_over_and_told(void **state)
{
	(void)state;
	uint8_t packed[300000];
	char expected[128];
	for (int zstd = 0; zstd < 2; zstd++) {
		size_t length =
		    zstd ? pack_zstd(packed, 200, "{\"id\":1}\n", 9) : pack_gzip(packed, 200, "{\"id\":1}\n", 9);
		memset(packed + length, 'x', sizeof packed - length);
		snprintf(expected, sizeof expected,
		         "a.jsonl: passed over what follows the compressed data at byte %zu\n", length);
		write_bytes("a.jsonl", packed, length + 4);
		expect_with("a.jsonl", (trawl_source_options){.strict = true}, "1|||\n", expected);
		write_bytes("a.jsonl", packed, sizeof packed);
		expect("a.jsonl", "1|||\n", expected);
		length = zstd ? pack_zstd(packed, 200, "text", 4) : pack_gzip(packed, 200, "text", 4);
		snprintf(expected, sizeof expected, "a.txt: passed over what follows the compressed data at byte %zu\n",
		         length);
		write_bytes("a.txt", packed, sizeof packed);
		expect("a.txt", "a.txt|text||\n", expected);
	}
}

static void a_zstd_window_that_is_too_large_is_refused(void **state)
{
	(void)state;
	/* Frame header (RFC 8878, 3.1.1): no single segment, window descriptor with exponent 18: 2^28 bytes. */
	write_bytes("a.jsonl", "\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00", 9);
	expect("a.jsonl", "",
	       "a.jsonl: zstd window over 128 MiB at byte 0; decompress it in a pipe: zstd -dc --long=31 FILE | trawl "
	       "index INDEX -\n");
}

static void a_zstd_frame_that_is_shorter_than_its_header_says_is_corrupt(void **state)
{
	(void)state;
	/* A single segment of 4,352 bytes, and then a last block of none, which zstd lets pass unless it decodes the frame in one call;
	 * the same frame that says 0 bytes, and a frame that can be skipped, are no error. */
	write_bytes("a.jsonl", "\x28\xb5\x2f\xfd\xa0\x00\x11\x00\x00\x01\x00\x00", 12);
	expect("a.jsonl", "", "a.jsonl: corrupt zstd data before byte 12 (0 bytes, not 4352)\n");
	write_bytes("a.jsonl", "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x00\x01\x00\x00", 12);
	expect("a.jsonl", "", "");
	write_bytes("a.jsonl", "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
	expect("a.jsonl", "", "");
}

/* ---- text files -------------------------------------------------------------------------------------------------- */

static void a_text_file_has_path_title_and_rest(void **state)
{
	(void)state;
	write_text("a.txt", "\n \t\n  A title \nline\n\nlast");
	expect("a.txt", "a.txt|A title|line\n\nlast|\n", "");
	write_text("crlf.md", "\xef\xbb\xbf\r\nTitle\r\none\r\ntwo\r\n");
	expect("crlf.md", "crlf.md|Title|one\r\ntwo\r\n|\n", "");
	write_text("one", "only");
	expect("./one", "one|only||\n", "");
}

static void a_long_first_line_is_cut_without_losing_text(void **state)
{
	(void)state;
	char text[4000], expected[8000];
	/* Words: the cut is at white space. */
	for (int i = 0; i < 300; i++)
		memcpy(text + i * 5, "abcd ", 5);
	strcpy(text + 1500, "\nrest");
	write_text("words", text);
	snprintf(expected, sizeof expected, "words|%.1024s| %s|\n", text, text + 1025);
	expect("words", expected, "");
	/* No white space: at a character's beginning; 3 bytes each, and 1023 = 3 * 341. */
	for (int i = 0; i < 500; i++)
		memcpy(text + i * 3, "\xe6\x97\xa5", 3);
	text[1500] = 0;
	write_text("characters", text);
	snprintf(expected, sizeof expected, "characters|%.1023s|%s|\n", text, text + 1023);
	expect("characters", expected, "");
}

static void empty_text_files_are_reported(void **state)
{
	(void)state;
	write_text("empty", "");
	write_text("blank", " \n\t\r\n");
	expect("empty", "", "empty: empty file\n");
	expect("blank", "", "blank: empty file\n");
}

static void a_compressed_text_file_keeps_its_path(void **state)
{
	(void)state;
	uint8_t packed[200];
	write_bytes("a.txt.gz", packed, pack_gzip(packed, sizeof packed, "T\nx\n", 4));
	expect("a.txt.gz", "a.txt.gz|T|x\n|\n", "");
}

static void the_format_can_be_forced(void **state)
{
	(void)state;
	write_text("a.txt", "{\"id\":1}\n");
	write_text("b.jsonl", "{\"id\":1}\n");
	expect_with("a.txt", (trawl_source_options){.format = TRAWL_FORMAT_JSONL}, "1|||\n", "");
	expect_with("b.jsonl", (trawl_source_options){.format = TRAWL_FORMAT_TEXT}, "b.jsonl|{\"id\":1}||\n", "");
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static void a_folder_is_walked_in_byte_order_without_hidden_and_special_entries(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777) | mkdir("d/a", 0777) | mkdir("d/a/z", 0777) | mkdir("d/.git", 0777), 0);
	write_text("d/b", "b");
	write_text("d/a.txt", "at");
	write_text("d/a/z/1", "az1");
	write_text("d/a/y", "ay");
	write_text("d/Z", "Z");
	write_text("d/\xc3\xa9", "e");
	write_text("d/.hidden", "h");
	write_text("d/.git/x", "h");
	write_text("d/c.jsonl", "{\"id\":1}");
	assert_int_equal(mkfifo("d/pipe", 0666) | symlink("..", "d/loop") | symlink("a/y", "d/link"), 0);
	assert_int_equal(symlink("/dev/null", "d/device"), 0);
	const char *loop = "d/loop: a symbolic link to a folder; --follow reads these\n";
	const char *documents = "d/Z|Z||\nd/a/y|ay||\nd/a/z/1|az1||\nd/a.txt|at||\nd/b|b||\n1|||\nd/link|ay||\n"
	                        "d/\xc3\xa9|e||\n";
	expect("d", documents, loop);
	expect("d/", documents, loop);
	assert_int_equal(symlink("d/a", "named"), 0);
	expect("named", "named/y|ay||\nnamed/z/1|az1||\n", "");
}

static void binary_files_are_no_text_wherever_they_come_from(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	write_bytes("d/a", "x\0y", 3);
	write_text("d/b", "b");
	expect("d", "d/b|b||\n", "d/a: binary file\n");
	expect("d/a", "", "d/a: binary file\n");
	expect_stdin("x\0y", 3, (trawl_source_options){0}, "", "stdin: binary file\n");
	const char *path = "d/a"; /* but the format that is named is the last word for a file that is, too */
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){.format = TRAWL_FORMAT_TEXT});
	assert_int_equal(outcome.progress.documents, 1);
	assert_memory_equal(outcome.documents.data, "d/a|x\0y||\n", 10);
	release_outcome(&outcome);
	expect_with("d", (trawl_source_options){.format = TRAWL_FORMAT_TEXT}, "d/b|b||\n", "d/a: binary file\n");
}

static void binary_files_are_told_as_what_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length;
		const char *message;
	} files[] = {
	    {"BZh91AY&SY\xd5\x00", 12, "compressed with bzip2: pipe it through bzcat"},
	    {"\xfd"
	     "7zXZ\0\0\4",
	     8, "compressed with xz: pipe it through xzcat"},
	    {"PK\3\4\x14\0\0\0\x08\0aaaaaaaaaaaaaaaaword/document.xml", 43,
	     "office document: convert it to text first"},
	    {"PK\3\4\x14\0\0\0\x08\0aaaaaaaaaaaaaaaanotes.txt", 35, "ZIP archive: unpack it first"},
	    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "office document: convert it to text first"},
	    {"%PDF-1.7\n", 9, "PDF document: convert it to text first (pdftotext)"},
	    {"\x89PNG\r\n\x1a\n\0", 9, "PNG image"},
	    {"\x7f"
	     "ELF\2\1\1\0",
	     8, "program or library"},
	    {"SQLite format 3\0", 16, "SQLite database"},
	    {"\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\xde\xc0\xef\xbe\1\0\0\0", 24, "index of trawl or other LMDB database"},
	    {"h\0e\0l\0l\0o\0", 10, "UTF-16 without a byte order mark: --encoding UTF-16LE reads it"},
	    {"\0h\0e\0l\0l\0o", 10, "UTF-16 without a byte order mark: --encoding UTF-16BE reads it"},
	    {"\x02\x9f\x11\xc3\x07\xd2\x1c\x88 \x81\x01\xff", 12, "binary file"},
	};
	char expected[128];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(expected, sizeof expected, "a.txt: %s\n", files[i].message);
		write_bytes("a.txt", files[i].bytes, files[i].length);
		expect("a.txt", "", expected);
		snprintf(expected, sizeof expected, "stdin: %s\n", files[i].message);
		expect_stdin(files[i].bytes, files[i].length, (trawl_source_options){0}, "", expected);
	}
	uint8_t packed[200], twice[300];
	size_t length = pack_gzip(packed, sizeof packed, "text", 4);
	write_bytes("a.gz", twice, pack_gzip(twice, sizeof twice, (char *)packed, length));
	expect("a.gz", "", "a.gz: compressed twice: pipe it through zcat\n");
	/* What only begins with such letters is text. */
	write_text("b.txt", "BZh is how it begins");
	expect("b.txt", "b.txt|BZh is how it begins||\n", "");
	write_text("c.txt", "a \x1b[1mbold\x1b[0m word\f and a b\bell\a");
	expect("c.txt", "c.txt|a \x1b[1mbold\x1b[0m word\f and a b\bell\a||\n", "");
}

static void a_folder_without_files_is_the_end_at_once(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	const char *path = "d";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, 0);
	assert_int_equal(outcome.progress.files, 0);
	assert_int_equal(outcome.progress.documents, 0);
	release_outcome(&outcome);
}

static void what_cannot_be_read_in_a_folder_is_reported_in_its_place(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	write_text("d/a", "a");
	write_text("d/c", "c");
	assert_int_equal(symlink("nowhere", "d/b"), 0);
	expect("d", "d/a|a||\nd/c|c||\n", "d/b: cannot open: No such file or directory\n");
}

static void a_file_that_vanishes_or_changes_is_reported_and_skipped(void **state)
{
	(void)state;
	const char *paths[] = {"gone", "d", "last"};
	struct buffer problems = {0};
	trawl_source_options options = {.diagnostic = note_problem, .diagnostic_context = &problems};
	trawl_source *source;
	trawl_document document;
	trawl_error error;
	assert_int_equal(mkdir("d", 0777), 0);
	write_text("gone", "g");
	write_text("d/pipe", "p");
	write_text("last", "l");
	assert_int_equal(trawl_source_open(&source, paths, 3, &options, &error), TRAWL_OK);
	assert_int_equal(unlink("gone") | unlink("d/pipe") | mkfifo("d/pipe", 0666), 0);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(document.id_length, 4);
	assert_memory_equal(document.id, "last", 4);
	assert_int_equal(trawl_source_next(source, &document, &error), 0);
	assert_int_equal(trawl_source_next(source, &document, &error), 0);
	buffer_append(&problems, "", 1);
	assert_string_equal(problems.data,
	                    "gone: cannot open: No such file or directory\nd/pipe: no longer a regular file\n");
	buffer_release(&problems);
	trawl_source_close(source);
}

/* The superuser may read everything: be nobody meanwhile. */
static void what_may_not_be_read_is_reported(void **state)
{
	(void)state;
	bool superuser = geteuid() == 0;
	assert_int_equal(chmod(".", 0755) | mkdir("d", 0755) | mkdir("d/locked", 0), 0);
	write_text("d/a", "a");
	write_text("d/b", "b");
	write_text("secret.jsonl", "{\"id\":1}");
	assert_int_equal(chmod("d/a", 0644) | chmod("d/b", 0) | chmod("secret.jsonl", 0), 0);
	assert_true(!superuser || seteuid(65534) == 0);
	const char *paths[] = {"d", "secret.jsonl"};
	struct outcome outcome = read_paths(paths, 2, (trawl_source_options){0});
	struct outcome strict = read_paths(paths + 1, 1, (trawl_source_options){.strict = true});
	assert_true(!superuser || seteuid(0) == 0);
	assert_string_equal(outcome.documents.data, "d/a|a||\n");
	assert_string_equal(outcome.problems.data, "d/b: cannot open: Permission denied\n"
	                                           "d/locked: cannot open: Permission denied\n"
	                                           "secret.jsonl: cannot open: Permission denied\n");
	assert_int_equal(strict.status, TRAWL_EIO);
	assert_string_equal(strict.error.text, "secret.jsonl: cannot open: Permission denied");
	release_outcome(&outcome);
	release_outcome(&strict);
}

/* ---- paths, standard input, strictness, progress ----------------------------------------------------------------- */

static void a_path_that_does_not_exist_is_named_at_once(void **state)
{
	(void)state;
	trawl_source *source = (trawl_source *)&state;
	trawl_error error;
	const char *paths[] = {".", "no/such"};
	assert_int_equal(trawl_source_open(&source, paths, 2, NULL, &error), TRAWL_ENOTFOUND);
	assert_string_equal(error.text, "no such file or folder: no/such");
	assert_null(source);
	paths[1] = "";
	assert_int_equal(trawl_source_open(&source, paths, 2, NULL, &error), TRAWL_EINVAL);
}

static void standard_input_is_sniffed(void **state)
{
	(void)state;
	const trawl_source_options plain = {0};
	uint8_t packed[100];
	expect_stdin("\n \t{\"id\":1}\n{\"id\":}\n", 20, plain, "1|||\n",
	             "stdin:3:7: invalid JSON: a value is missing or misspelt\n");
	expect_stdin("A title\n{text}\n", 15, plain, "stdin|A title|{text}\n|\n", "");
	expect_stdin("\xef\xbb\xbf{\"id\":1}", 11, plain, "1|||\n", "");
	expect_stdin("", 0, plain, "", "stdin: empty file\n");
	expect_stdin("{\"id\":1}", 8, (trawl_source_options){.format = TRAWL_FORMAT_TEXT}, "stdin|{\"id\":1}||\n", "");
	expect_stdin(packed, pack_zstd(packed, sizeof packed, "{\"id\":1}", 8), plain, "1|||\n", "");
}

static void a_pipe_that_is_named_is_read_and_makes_the_total_unknown(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pipe.jsonl", 0666), 0);
	write_text("a.txt", "a");
	int writer = open("pipe.jsonl", O_RDWR); /* keeps the other open() from waiting */
	assert_true(writer >= 0);
	const char *paths[] = {"pipe.jsonl", "a.txt"};
	trawl_source *source;
	trawl_document document;
	trawl_error error;
	trawl_source_progress progress;
	assert_int_equal(trawl_source_open(&source, paths, 2, NULL, &error), TRAWL_OK);
	assert_int_equal(write(writer, "{\"id\":1}\n{\"id\":2}\n", 18), 18);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	trawl_source_get_progress(source, &progress);
	assert_int_equal(progress.total_bytes, 0);
	assert_int_equal(progress.bytes, 18);
	close(writer);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_memory_equal(document.id, "a.txt", 5);
	assert_int_equal(trawl_source_next(source, &document, &error), 0);
	trawl_source_close(source);
}

static void progress_counts_what_is_stored_and_what_it_becomes(void **state)
{
	(void)state;
	char text[4096];
	uint8_t packed[4096];
	size_t length = make_lines(text, 100), stored = pack_zstd(packed, sizeof packed, text, length);
	assert_int_equal(mkdir("d", 0777), 0);
	write_bytes("d/a.jsonl.zst", packed, stored);
	write_text("d/b", "b");
	write_text("d/c", "");
	const char *path = "d";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.progress.total_bytes, stored + 1);
	assert_int_equal(outcome.progress.bytes, stored + 1);
	assert_int_equal(outcome.progress.text_bytes, length + 1);
	assert_int_equal(outcome.progress.documents, 101);
	assert_int_equal(outcome.progress.files, 3);
	assert_int_equal(outcome.progress.skipped, 1);
	release_outcome(&outcome);
}

static void strict_makes_the_first_problem_an_error_with_its_place(void **state)
{
	(void)state;
	const char *path = "a.jsonl";
	write_text("a.jsonl", "{\"id\":1}\n{\"id\":}\n{\"id\":3}\n");
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){.strict = true});
	assert_string_equal(outcome.documents.data, "1|||\n");
	assert_string_equal(outcome.problems.data, "");
	assert_int_equal(outcome.status, TRAWL_EINPUT);
	assert_int_equal(outcome.error.code, TRAWL_EINPUT);
	assert_string_equal(outcome.error.text, "a.jsonl:2:7: invalid JSON: a value is missing or misspelt");
	release_outcome(&outcome);
	path = "empty";
	write_text("empty", "");
	outcome = read_paths(&path, 1, (trawl_source_options){.strict = true});
	assert_int_equal(outcome.status, TRAWL_EINPUT);
	assert_string_equal(outcome.error.text, "empty: empty file");
	release_outcome(&outcome);
}

static void strict_passes_over_what_a_walk_passes_over(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	write_bytes("d/a.png", "\x89PNG\r\n\x1a\n\0\0\0", 11);
	write_text("d/b", "");
	write_text("d/c", "c");
	const trawl_source_options strict = {.strict = true};
	const char *path = "d";
	struct outcome outcome = read_paths(&path, 1, strict);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.documents.data, "d/c|c||\n");
	assert_int_equal(outcome.progress.skipped, 2);
	release_outcome(&outcome);
	write_text("d/d.jsonl", "{\"id\":}\n");
	outcome = read_paths(&path, 1, strict);
	assert_int_equal(outcome.status, TRAWL_EINPUT);
	release_outcome(&outcome);
}

/* What a caller of trawl_wait is asked for, and when it says no. */
struct patience {
	int asked, descriptor, given;
};

static int be_patient(void *context, int descriptor)
{
	struct patience *patience = context;
	patience->descriptor = descriptor;
	return ++patience->asked > patience->given;
}

static void a_source_that_waits_can_be_stopped(void **state)
{
	(void)state;
	struct patience patience = {.given = 1};
	trawl_source_options options = {.wait = be_patient, .wait_context = &patience};
	trawl_source *source;
	trawl_document document;
	trawl_error error;
	const char *paths[] = {"a.txt", "pipe.jsonl"};
	write_text("a.txt", "a");
	assert_int_equal(mkfifo("pipe.jsonl", 0666), 0);
	int writer = open("pipe.jsonl", O_RDWR);
	assert_int_equal(write(writer, "{\"id\":1}\n", 9), 9);
	assert_int_equal(trawl_source_open(&source, paths, 2, &options, &error), TRAWL_OK);
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(patience.asked, 0); /* regular files are not waited for */
	assert_int_equal(trawl_source_next(source, &document, &error), 1);
	assert_int_equal(patience.asked, 1);
	assert_int_equal(trawl_source_next(source, &document, &error), TRAWL_ESTOPPED);
	assert_int_equal(error.code, TRAWL_ESTOPPED);
	assert_string_equal(error.text, "reading was stopped at byte 9");
	trawl_source_close(source);
	close(writer);
	/* Nor does a named pipe to which nobody writes yet hold anyone up. */
	patience = (struct patience){0};
	assert_int_equal(trawl_source_open(&source, paths + 1, 1, &options, &error), TRAWL_OK);
	assert_int_equal(trawl_source_next(source, &document, &error), TRAWL_ESTOPPED);
	assert_true(patience.descriptor > 2);
	trawl_source_close(source);
}

static void standard_input_that_does_not_block_is_waited_for(void **state)
{
	(void)state;
	int ends[2], saved = dup(STDIN_FILENO);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[0], STDIN_FILENO);
	pid_t writer = fork();
	if (writer == 0) {
		usleep(50000);
		_exit(write(ends[1], "{\"id\":1}\n", 9) != 9);
	}
	close(ends[1]);
	expect("-", "1|||\n", "");
	int status;
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(ends[0]);
}

static void an_error_shows_the_end_of_a_path_that_is_too_long(void **state)
{
	(void)state;
	char path[1100] = "";
	for (int i = 0; i < 4; i++) {
		sprintf(path + strlen(path), "%0200d", i);
		assert_int_equal(mkdir(path, 0777), 0);
		strcat(path, "/");
	}
	strcat(path, "a.jsonl");
	write_text(path, "x\n{}");
	const char *paths[] = {path};
	struct outcome outcome = read_paths(paths, 1, (trawl_source_options){.strict = true});
	assert_int_equal(outcome.status, TRAWL_EINPUT);
	assert_memory_equal(outcome.error.text, "...", 3);
	assert_non_null(strstr(outcome.error.text, "/a.jsonl:1:1: not a JSON object"));
	release_outcome(&outcome);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Read `paths` with the allocation after `n` others failing. true: it came through without noticing. */
static bool read_with_failure(const char *const *paths, size_t count, long n, bool sticky)
{
	trawl_source *source;
	trawl_document document;
	trawl_error error = {0};
	memory_fail_after(n, sticky);
	int status = trawl_source_open(&source, paths, count, NULL, &error);
	if (status == TRAWL_OK)
		while ((status = trawl_source_next(source, &document, &error)) == 1)
			assert_true(document.id_length > 0);
	memory_fail_after(-1, false);
	trawl_source_close(source);
	if (status != TRAWL_OK) {
		assert_int_equal(status, TRAWL_ENOMEM);
		assert_int_equal(error.code, TRAWL_ENOMEM);
	}
	return status == TRAWL_OK;
}

static void every_allocation_may_fail_without_a_leak(void **state)
{
	(void)state;
	uint8_t packed[500];
	assert_int_equal(mkdir("d", 0777) | mkdir("d/e", 0777), 0);
	write_text("d/e/a", "a\nb");
	write_text("d/b", "");
	write_text("d/c.jsonl", "{\"id\":1,\"title\":[\"a\",\"b\"],\"text\":[\"\\n\"],\"x\":{},\"y\":\"\"}\nbad\n");
	write_bytes("d/g.jsonl", packed, pack_gzip(packed, sizeof packed, "{\"id\":1,\"x\":2}\n", 15));
	write_bytes("d/z.jsonl", packed, pack_zstd(packed, sizeof packed, "{\"id\":1,\"x\":2}\n", 15));
	const char *paths[] = {"d", "d/b"};
	for (int sticky = 0; sticky < 2; sticky++) {
		long n = 0;
		while (!read_with_failure(paths, 2, n, sticky))
			assert_true(++n < 1000);
		assert_true(n > 10);
	}
}

/* ---- random damage ----------------------------------------------------------------------------------------------- */

static void damaged_json_lines_never_do_worse_than_being_skipped(void **state)
{
	(void)state;
	static const char whole[] = "{\"id\":\"1\",\"title\":[\"a\",\"\\u00e9\"],\"text\":\"x \\\"y\\\" "
	                            "\xc3\xa9\",\"v\":[1,{\"k\":-1.5e3}],\"b\":true}";
	static const char palette[] = "{}[]\",:\\u0tfn-1. \x01\x80\xff";
	srandom((unsigned)test_seed());
	FILE *file = fopen("a.jsonl", "wb");
	for (int i = 0; i < 20000; i++) {
		char line[sizeof whole];
		memcpy(line, whole, sizeof whole);
		for (long changes = 1 + random() % 3; changes > 0; changes--)
			line[(size_t)random() % (sizeof whole - 1)] = palette[(size_t)random() % (sizeof palette - 1)];
		fprintf(file, "%.*s\n", random() % 4 ? (int)sizeof whole - 1 : (int)(random() % (long)sizeof whole),
		        line);
	}
	assert_int_equal(fclose(file), 0);
	const char *path = "a.jsonl";
	struct outcome outcome = read_paths(&path, 1, (trawl_source_options){0});
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.progress.documents > 100);
	assert_true(outcome.progress.skipped > 100);
	assert_true(outcome.progress.documents + outcome.progress.skipped <= 20000);
	release_outcome(&outcome);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLAIM(jsonl_yields_each_object_with_its_other_fields_kept),
	    CLAIM(jsonl_decodes_escapes_in_values_and_names),
	    CLAIM(jsonl_takes_numbers_as_ids_as_they_are_written),
	    CLAIM(jsonl_joins_arrays_of_strings_and_takes_null_as_empty),
	    CLAIM(jsonl_names_the_field_and_type_it_cannot_use),
	    CLAIM(jsonl_takes_numbers_and_booleans_as_the_text_that_they_are),
	    CLAIM(without_an_id_what_looks_like_one_is_named),
	    CLAIM(the_id_may_be_called_as_in_beir),
	    CLAIM(documents_without_an_id_are_numbered_when_asked_for),
	    CLAIM(a_field_that_looks_like_the_text_is_named),
	    CLAIM(jsonl_limits_the_length_of_ids),
	    CLAIM(jsonl_takes_the_fields_the_options_name_even_twice),
	    CLAIM(jsonl_lets_the_last_of_equal_names_win),
	    CLAIM(jsonl_skips_a_bad_line_and_says_where_it_is),
	    CLAIM(jsonl_refuses_each_way_json_can_be_wrong),
	    CLAIM(jsonl_takes_half_a_surrogate_for_a_character_that_is_unknown),
	    CLAIM(jsonl_reads_each_line_that_is_no_utf8_as_what_it_looks_like),
	    CLAIM(jsonl_survives_nul_bytes_and_deep_nesting),
	    CLAIM(jsonl_drops_the_utf8_mark),
	    CLAIM(a_line_may_be_much_longer_than_the_buffer),
	    CLAIM(a_line_over_the_limit_is_skipped_and_reading_goes_on),
	    CLAIM(a_text_over_the_limit_is_skipped),
	    CLAIM(compressed_files_are_known_by_their_bytes_and_may_be_concatenated),
	    CLAIM(cut_off_and_corrupt_compressed_files_are_reported_with_position),
	    CLAIM(what_comes_before_a_cut_is_yielded_however_short_it_is),
	    CLAIM(bytes_behind_compressed_data_are_passed_over_and_told),
	    CLAIM(a_zstd_window_that_is_too_large_is_refused),
	    CLAIM(a_zstd_frame_that_is_shorter_than_its_header_says_is_corrupt),
	    CLAIM(a_text_file_has_path_title_and_rest),
	    CLAIM(a_long_first_line_is_cut_without_losing_text),
	    CLAIM(empty_text_files_are_reported),
	    CLAIM(a_compressed_text_file_keeps_its_path),
	    CLAIM(the_format_can_be_forced),
	    CLAIM(a_folder_is_walked_in_byte_order_without_hidden_and_special_entries),
	    CLAIM(binary_files_are_no_text_wherever_they_come_from),
	    CLAIM(binary_files_are_told_as_what_they_are),
	    CLAIM(a_folder_without_files_is_the_end_at_once),
	    CLAIM(what_cannot_be_read_in_a_folder_is_reported_in_its_place),
	    CLAIM(a_file_that_vanishes_or_changes_is_reported_and_skipped),
	    CLAIM(what_may_not_be_read_is_reported),
	    CLAIM(a_path_that_does_not_exist_is_named_at_once),
	    CLAIM(standard_input_is_sniffed),
	    CLAIM(a_pipe_that_is_named_is_read_and_makes_the_total_unknown),
	    CLAIM(progress_counts_what_is_stored_and_what_it_becomes),
	    CLAIM(strict_makes_the_first_problem_an_error_with_its_place),
	    CLAIM(strict_passes_over_what_a_walk_passes_over),
	    CLAIM(a_source_that_waits_can_be_stopped),
	    CLAIM(standard_input_that_does_not_block_is_waited_for),
	    CLAIM(an_error_shows_the_end_of_a_path_that_is_too_long),
	    CLAIM(every_allocation_may_fail_without_a_leak),
	    CLAIM(damaged_json_lines_never_do_worse_than_being_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
