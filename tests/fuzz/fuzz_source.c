/* A file of documents in any form: each one is yielded whole, skipped with a diagnostic, or (strict) ends the source. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/scratch.h"

#define DOCUMENTS_READ 2000

static void note(void *context, enum trawl_notice notice, const char *place, const char *message)
{
	PROMISE(notice < TRAWL_NOTICES && *trawl_notice_name(notice) && place && *place && message && *message);
	++*(uint64_t *)context;
}

static const char *write_input(const struct fuzz_input *input, const char *name)
{
	const char *path = scratch_path(name);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	PROMISE(file >= 0 && write(file, input->at, input->left) == (ssize_t)input->left);
	close(file);
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input);
	uint64_t notes = 0;
	const char *path = write_input(&input, kind & 8 ? "input.json" : "input");
	trawl_error error = {0};
	trawl_source *source;
	trawl_document document;
	trawl_source_options options = {.format = (enum trawl_format)(kind % 3),
	                                .strict = kind & 4,
	                                .auto_id = kind & 16,
	                                .encoding = kind & 32 ? kind & 64 ? "UTF-16LE" : "SHIFT_JIS" : NULL,
	                                .memory_budget = kind & 128 ? 1 : 0,
	                                .diagnostic = note,
	                                .diagnostic_context = &notes};
	fuzz_need(trawl_source_open(&source, &path, 1, &options, &error), &error);
	int got = 0, documents = 0;
	while (documents < DOCUMENTS_READ && (got = trawl_source_next(source, &document, &error)) > 0) {
		documents++;
		PROMISE(document.id_length >= 1 && document.id_length <= 4096 + 64);
		fuzz_touch(document.title, document.title_length);
		fuzz_touch(document.text, document.text_length);
		fuzz_touch(document.fields, document.fields_length);
	}
	trawl_source_progress progress;
	trawl_source_get_progress(source, &progress);
	PROMISE(progress.documents == (uint64_t)documents);
	PROMISE(got >= 0 || (options.strict && error.code == got) || got == TRAWL_ENOMEM);
	PROMISE(options.strict || progress.skipped == 0 || notes > 0);
	trawl_source_close(source);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char lines[] =
	    "{\"id\": \"1\", \"title\": \"one\", \"text\": \"some text\"}\r\n\n{\"id\": 2}\n{\"id\": \"\"}\nnot json\n"
	    "{\"id\": \"4\", \"text\": \"last, no line end\"}";
	static const char *const layouts[] = {
	    "[{\"id\":1},\n {\"id\":2,\"text\":[\"a\",null]},\n {\"id\":3,\"x\":\"cut\n },\n {\"id\":4}\n]\n",
	    "{\n  \"id\": 1,\n  \"x\": [1}\n}, {\n  \"id\": 2\n}\n{\"id\":3} {\"id\":4},\n[[{}],7,\"s\"]",
	    "{\"id\":1,\"x\":[\n{\"id\":2}\n{\"id\":3,\"text\":\"caf\xe9 \\ud800\"}\n",
	    "\xff\xfe{\0\"\0i\0d\0\"\0:\0\61\0}\0\n\0"};
	static const char text[] = "A title\n\nThe text.\n\xff\xfe more";
	if (number >= 6 && number < 10)
		return buffer_append_byte(out, 8 + 16) &&
		       buffer_append(out, layouts[number - 6], number == 9 ? 20 : strlen(layouts[number - 6]));
	if (number >= 6)
		return false;
	return buffer_append_byte(out, (uint8_t)number) &&
	       (number % 3 == 1 ? buffer_append(out, text, sizeof text - 1)
	                        : buffer_append(out, lines, sizeof lines - 1));
}
