/* A line of JSON Lines -> a document, or a refusal with a column inside the line. */
#include <stdlib.h>
#include <string.h>

#include "input/json.h"
#include "input/reader.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_options options[] = {{{"id", "title", "text"}, "_id", false},
	                                              {{"_id", "text", "text"}, NULL, false},
	                                              {{"a", "b", "c"}, "id", true}};
	static struct json_parser *parsers[3];
	struct fuzz_input input = {data, size};
	trawl_error error;
	trawl_document document;
	unsigned kind = take8(&input) % 3;
	size_t column = 0, length = input.left;
	if (!parsers[kind])
		fuzz_need(json_parser_new(&parsers[kind], &options[kind], &error), &error);
	uint8_t *line = fuzz_tight(input.at, length, READER_PADDING);
	int status = json_parser_read(parsers[kind], (const char *)line, length, &document, &column, &error);
	if (status) {
		PROMISE(status == TRAWL_EINPUT || status == TRAWL_ENOMEM);
		PROMISE(column <= length + 1);
		PROMISE(error.code == status && memchr(error.text, 0, sizeof error.text));
	} else {
		PROMISE((document.id_length >= 1 || options[kind].auto_id) && document.id_length <= JSON_ID_MAX);
		fuzz_touch(document.id, document.id_length);
		fuzz_touch(document.title, document.title_length);
		fuzz_touch(document.text, document.text_length);
		fuzz_touch(document.fields, document.fields_length);
		PROMISE(!document.fields_length ||
		        (document.fields[0] == '{' && document.fields[document.fields_length - 1] == '}'));
	}
	size_t named = 0;
	const char *name = status ? NULL : json_find_text(&document, &named);
	PROMISE(!name ||
	        (named && name >= document.fields && name + named <= document.fields + document.fields_length));
	/* What has half a surrogate can be read without, and nothing else changes. */
	if (json_replace_surrogates((char *)line, length))
		PROMISE(status == TRAWL_EINPUT);
	PROMISE(!json_replace_surrogates((char *)line, length));
	free(line);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char *const lines[] = {
	    "{\"id\": \"a\", \"title\": \"T\", \"text\": \"some\", \"tags\": [\"x\", {\"y\": null}]}",
	    "{\"id\": 12345678901234567890, \"text\": [\"one\", \"two\\n\\u00e9\\ud83d\\ude00\"], \"title\": null}",
	    "{\"_id\":\"\\u0041\\/\",\"text\":\"\",\"text\":[],\"x\":{\"id\":1e5}}",
	    "[1,2,3]",
	    "{\"id\":\"\xff\"}",
	    "{\"a\":\"\\ud800\",\"b\":[[[[[[]]]]]]}",
	    "{\"x\":1,\"_id\":7,\"contents\":[\"a\",null,1984,true],\"text\":null}",
	    "{\"index\":{\"_id\":\"1\"}}",
	    "{\"features\":[{\"url\":\"u\"}]}"};
	if (number >= sizeof lines / sizeof *lines)
		return false;
	return buffer_append_byte(out, number == 2   ? 1
	                               : number == 5 ? 2
	                                             : 0) &&
	       buffer_append(out, lines[number], strlen(lines[number]));
}
