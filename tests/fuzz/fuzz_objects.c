/* A stream of JSON cut into objects: each is one, from bracket to bracket; none comes twice; and it comes to an end. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input/content.h"
#include "input/objects.h"
#include "tests/fuzz/fuzz.h"

static struct reader reader;

static void open_input(const struct fuzz_input *input)
{
	static int file = -1;
	trawl_error error;
	if (file < 0)
		file = memfd_create("objects", MFD_CLOEXEC);
	PROMISE(file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	PROMISE(write(file, input->at, input->left) == (ssize_t)input->left && lseek(file, 0, SEEK_SET) == 0);
	if (!reader.stream)
		fuzz_need(stream_new(&reader.stream, &error), &error);
	stream_start(reader.stream, file, false);
	reader_start(&reader);
}

static void look_at(const char *object, size_t length, struct place place)
{
	struct json_scan scan = {0};
	PROMISE(length >= 2 && object[0] == '{' && object[length - 1] == '}');
	PROMISE(json_scan(&scan, object, length) == JSON_SCAN_END && scan.at == length);
	PROMISE(place.line >= 1 && place.column >= 1);
	PROMISE(objects_place(place, object, length).line == place.line + scan.lines);
}

/* One step as a source makes it: an object, a line, or something that is neither. false: the end. */
static bool step(struct objects *objects, size_t *bytes)
{
	trawl_error error;
	char *object;
	size_t length;
	if (objects->loose) {
		struct place place;
		int status = objects_next(objects, &object, &length, &place, &error);
		PROMISE(status >= 0 || status == TRAWL_EINPUT || status == TRAWL_ELIMIT || status == TRAWL_ENOMEM);
		if (status == 1) {
			look_at(object, length, place);
			*bytes += length;
		}
		return true;
	}
	int status = reader_line(&reader, &object, &length, &error);
	if (status == TRAWL_ELIMIT)
		return true;
	if (status <= 0)
		return false;
	struct json_scan scan = {0};
	bool whole = length && *object == '{' && json_scan(&scan, object, length) == JSON_SCAN_END && scan.at == length;
	*bytes += whole ? length : 0;
	if (!whole)
		fuzz_need(objects_try(objects, object, length, &error), &error);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct objects objects;
	trawl_error error;
	size_t length, bytes = 0, steps = 0;
	reader.line_most = take8(&input) & 1 ? 64 : READER_LINE_MAX;
	reader.text_most = READER_TEXT_MAX;
	if (input.left >= 4 && (input.at[0] == 0x1f || memcmp(input.at, "\x28\xb5\x2f\xfd", 4) == 0 ||
	                        memcmp(input.at + 1, "\x2a\x4d\x18", 3) == 0))
		return 0; /* that is fuzz_stream's */
	open_input(&input);
	fuzz_need(reader_peek(&reader, CONTENT_HEAD, &length, &error), &error);
	objects_start(&objects, &reader);
	while (step(&objects, &bytes))
		PROMISE(++steps <= 3 * input.left + 10);
	PROMISE(bytes <= input.left);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char *const streams[] = {
	    "{\"id\":1}\n{\"id\":2}\r\n\n{\"id\":3}",
	    "[{\"id\":1}, {\"id\":2,\"x\":[{}]},\n {\"id\":3}]\n",
	    "{\n  \"id\": 1,\n  \"x\": \"]}\\\"\"\n}\n{\n  \"id\": 2\n}\n",
	    "{\"id\":1}{\"id\":2} {\"id\":3},\n{\"id\":4}\n",
	    "[\n  {\n    \"id\": 1\n  }, {\n    \"x\": \"cut\n  },\n  {\n    \"id\": [1}\n  },\n  7, \"a,b\"\n]\n[{}]",
	    "{\"id\":1}\n{\"x\":[\n{\"id\":3}\n\xef\xbb\xbf{\"id\":4}\nnonsense\n{\"id\"\n:5}\n"};
	if (number >= sizeof streams / sizeof *streams)
		return false;
	return buffer_append_byte(out, (uint8_t)(number & 1)) &&
	       buffer_append(out, streams[number], strlen(streams[number]));
}
