#include "bench/game.h"

#include "bench/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer than any query that the library takes; a longer line is answered with an error. */
#define LINE_MAX_BYTES 65536

/* ---- commands -------------------------------------------------------------------------------------------------- */

static bool is_text(const char *bytes, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(bytes, text, length) == 0;
}

bool game_command_parse(const char *name, size_t length, struct game_command *command)
{
	*command = (struct game_command){0};
	if (is_text(name, length, "COUNT")) {
		command->count = true;
		return true;
	}
	if (length < 5 || memcmp(name, "TOP_", 4) != 0 || name[4] == '0')
		return false;
	size_t at = 4;
	for (; at < length && name[at] >= '0' && name[at] <= '9'; at++) {
		command->top = command->top * 10 + (size_t)(name[at] - '0');
		if (command->top > TRAWL_TOP_MAX)
			return false;
	}
	if (at == 4)
		return false;
	command->count = is_text(name + at, length - at, "_COUNT");
	command->documents = is_text(name + at, length - at, "_DOCS");
	return at == length || command->count || command->documents;
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

struct line_reader {
	int descriptor;
	size_t start, end; /* what was read and not yet handed out */
	bool ended;
	char bytes[LINE_MAX_BYTES];
};

enum line_result { LINE_NONE, LINE_GIVEN, LINE_TOO_LONG, LINE_FAILED };

static bool refill(struct line_reader *reader)
{
	memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	ssize_t got;
	do
		got = read(reader->descriptor, reader->bytes + reader->end, LINE_MAX_BYTES - reader->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	reader->ended = got == 0;
	reader->end += (size_t)got;
	return true;
}

/* The next line without its end; it lives until the next call. */
static enum line_result next_line(struct line_reader *reader, const char **line, size_t *length)
{
	bool too_long = false;
	size_t searched = 0;
	for (;;) {
		char *start = reader->bytes + reader->start;
		size_t available = reader->end - reader->start;
		char *newline = memchr(start + searched, '\n', available - searched);
		if (newline || (reader->ended && available)) {
			size_t taken = newline ? (size_t)(newline - start) : available;
			reader->start += taken + (newline ? 1 : 0);
			*line = start;
			*length = taken && start[taken - 1] == '\r' ? taken - 1 : taken;
			return too_long ? LINE_TOO_LONG : LINE_GIVEN;
		}
		if (reader->ended)
			return too_long ? LINE_TOO_LONG : LINE_NONE;
		searched = available;
		if (available == LINE_MAX_BYTES) {
			too_long = true;
			reader->start = reader->end;
			searched = 0;
		}
		if (!refill(reader))
			return LINE_FAILED;
	}
}

static bool write_all(int descriptor, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(descriptor, bytes, length);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

static int append_documents(struct bench_text *answer, trawl_searcher *searcher, trawl_error *error)
{
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < count; i++) {
		const char *id;
		size_t id_length;
		int status = trawl_hit_id(searcher, hits[i].document, &id, &id_length, error);
		if (status)
			return status;
		if (i)
			text_append(answer, " ", 1);
		text_append_word(answer, id, id_length);
		text_format(answer, ":%.9g", (double)hits[i].score);
	}
	return 0;
}

static void append_answer(struct bench_text *answer, trawl_searcher *searcher, trawl_search_options options,
                          const char *line, size_t length)
{
	const char *tab = memchr(line, '\t', length);
	size_t name_length = tab ? (size_t)(tab - line) : length;
	struct game_command command;
	if (!game_command_parse(line, name_length, &command)) {
		text_format(answer, "UNSUPPORTED");
		return;
	}
	if (!tab) {
		text_format(answer, "ERROR no tab after the command");
		return;
	}
	options.top = command.top;
	options.count = command.count;
	trawl_error error = {0};
	int status = trawl_search(searcher, tab + 1, length - name_length - 1, &options, &error);
	if (!status && command.documents)
		status = append_documents(answer, searcher, &error);
	if (status) {
		answer->length = 0;
		text_format(answer, "ERROR %s", error.text);
	} else if (command.count) {
		text_format(answer, "%llu", (unsigned long long)trawl_match_count(searcher));
	} else if (!command.documents) {
		text_format(answer, "1");
	}
}

int game_run(trawl_searcher *searcher, const trawl_search_options *options, int input, int output)
{
	struct line_reader *reader = bench_new(1, sizeof *reader);
	reader->descriptor = input;
	reader->start = reader->end = 0;
	reader->ended = false;
	struct bench_text answer = {0};
	int result = 0;
	enum line_result got;
	do {
		const char *line;
		size_t length;
		got = next_line(reader, &line, &length);
		answer.length = 0;
		if (got == LINE_GIVEN)
			append_answer(&answer, searcher, *options, line, length);
		else if (got == LINE_TOO_LONG)
			text_format(&answer, "ERROR the line is longer than %d bytes", LINE_MAX_BYTES - 1);
		else if (got == LINE_FAILED)
			result = bench_fail("cannot read the commands: %s", strerror(errno));
		if (got == LINE_GIVEN || got == LINE_TOO_LONG) {
			text_append(&answer, "\n", 1);
			if (!write_all(output, answer.data, answer.length))
				result = bench_fail("cannot write the answers: %s", strerror(errno));
		}
	} while (!result && got != LINE_NONE);
	text_release(&answer);
	free(reader);
	return result;
}
