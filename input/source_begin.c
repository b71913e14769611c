/* source_begin.c - the beginning of a file: what it is by its first bytes, then by its name, and in which encoding. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "input/content.h"
#include "input/source.h"
#include "input/stream.h"

/* So much white space may come before the first sign of what a file is. */
#define BLANKS_MAX ((size_t)64 << 10)

/* A file that is JSON by nothing but its content shows that by its first object, which ends within so many bytes. */
#define FIRST_OBJECT_MAX ((size_t)16 << 20)

/* What made this buffer larger does not make all files that follow pay for it. */
#define REPAIRED_KEPT ((size_t)64 << 20)

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t *length, const char *ending)
{
	size_t ending_length = strlen(ending);
	if (*length <= ending_length || strncasecmp(name + *length - ending_length, ending, ending_length) != 0)
		return false;
	*length -= ending_length;
	return true;
}

static bool is_named_json(const char *path)
{
	size_t length = strlen(path);
	if (!ends_with(path, &length, ".gz"))
		ends_with(path, &length, ".zst");
	return ends_with(path, &length, ".jsonl") || ends_with(path, &length, ".ndjson") ||
	       ends_with(path, &length, ".json");
}

/* Pipes, and what a shell calls its descriptors, have no name that says anything. */
static bool is_nameless(const struct trawl_source *source)
{
	static const char *const names[] = {"/dev/fd/", "/dev/stdin", "/proc/self/fd/"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(source->file->path, names[i], strlen(names[i])) == 0)
			return true;
	return source->file->is_stdin || source->waits;
}

/* ---- formats ----------------------------------------------------------------------------------------------------- */

static const uint8_t *ready_bytes(const struct reader *reader, size_t *length)
{
	*length = reader->end - reader->start;
	return reader->data + reader->start;
}

static bool is_blank(const uint8_t *bytes, size_t length)
{
	while (length && (bytes[length - 1] == ' ' || (bytes[length - 1] >= '\t' && bytes[length - 1] <= '\r')))
		length--;
	return length == 0;
}

/* The first bytes of the file: CONTENT_HEAD of them, or of a pipe what it has; more where they are blank. */
static int peek_head(struct trawl_source *source, trawl_error *problem)
{
	struct reader *reader = &source->reader;
	size_t wanted = source->waits ? 4 : CONTENT_HEAD, peeked, ready;
	for (;;) {
		int status = reader_peek(reader, wanted, &peeked, problem);
		if (status != TRAWL_OK || peeked < wanted)
			return status;
		const uint8_t *bytes = ready_bytes(reader, &ready);
		if (ready >= BLANKS_MAX || !is_blank(bytes, ready))
			return status;
		wanted = ready + 1;
	}
}

/* Whether the first object, which is there, is a document. */
static int examine_first_object(struct trawl_source *source, bool *is_document, trawl_error *problem)
{
	struct reader *reader = &source->reader;
	struct json_scan scan = {0};
	*is_document = false;
	for (;;) {
		size_t ready, column;
		const uint8_t *bytes = ready_bytes(reader, &ready), *brace = memchr(bytes, '{', ready);
		size_t first = (size_t)(brace - bytes);
		enum json_scan_result result = json_scan(&scan, (const char *)brace, ready - first);
		if (result == JSON_SCAN_END) {
			trawl_document document;
			int status =
			    json_parser_read(source->json, (const char *)brace, scan.at, &document, &column, problem);
			*is_document = status == TRAWL_OK;
			return status == TRAWL_ENOMEM ? status : TRAWL_OK;
		}
		if (result == JSON_SCAN_BROKEN || reader->ended || ready > FIRST_OBJECT_MAX ||
		    ready > reader->line_most)
			return TRAWL_OK;
		int status = reader_fill(reader, problem);
		if (status != TRAWL_OK)
			return status;
	}
}

static int settle_format(struct trawl_source *source, enum trawl_notice *notice, trawl_error *problem)
{
	size_t ready;
	const uint8_t *bytes = ready_bytes(&source->reader, &ready);
	bool json = ready && content_begins_as_json(bytes, ready);
	int status = TRAWL_OK;
	source->format = source->wanted_format;
	if (source->format != TRAWL_FORMAT_AUTO)
		return TRAWL_OK;
	if (is_named_json(source->file->path)) {
		if (!json && !source->waits) { /* the first lines may be bad, and long */
			size_t most = 2 * source->reader.line_most;
			status = reader_peek(&source->reader, most < FIRST_OBJECT_MAX ? most : FIRST_OBJECT_MAX, &ready,
			                     problem);
			bytes = ready_bytes(&source->reader, &ready);
		}
		if (status == TRAWL_OK && !json && !is_blank(bytes, ready) && !content_is_empty_array(bytes, ready) &&
		    !content_has_object_line(bytes, ready)) {
			*notice = TRAWL_SKIPPED_MALFORMED;
			return error_set(problem, TRAWL_EINPUT,
			                 "no JSON object in it, for all its name; --format text reads it as a text");
		}
		json = true;
	} else if (json && !is_nameless(source)) {
		status = examine_first_object(source, &json, problem);
	}
	source->format = json ? TRAWL_FORMAT_JSONL : TRAWL_FORMAT_TEXT;
	return status;
}

/* From the bytes behind a mark of `mark` bytes on, the file is in this encoding. */
static int convert(struct trawl_source *source, const char *encoding, bool refuse, enum trawl_notice *notice,
                   trawl_error *problem)
{
	size_t ready;
	int status = reader_convert(&source->reader, encoding, problem);
	if (status == TRAWL_OK)
		status = peek_head(source, problem);
	if (status != TRAWL_OK)
		return status;
	const uint8_t *bytes = ready_bytes(&source->reader, &ready);
	const char *binary =
	    refuse ? content_examine_converted(bytes, ready < CONTENT_HEAD ? ready : CONTENT_HEAD) : NULL;
	if (!binary)
		return TRAWL_OK;
	*notice = TRAWL_SKIPPED_BINARY;
	return error_set(problem, TRAWL_EINPUT, "%s", binary);
}

/* Look at how the file begins: refuse what is no text, and settle encoding and format. */
static int examine_head(struct trawl_source *source, enum trawl_notice *notice, trawl_error *problem)
{
	struct content content;
	size_t ready;
	int status = peek_head(source, problem);
	if (status != TRAWL_OK)
		return status;
	const uint8_t *bytes = ready_bytes(&source->reader, &ready);
	bool refuse = source->wanted_format == TRAWL_FORMAT_AUTO || source->file->found;
	content_examine(bytes, ready, source->encoding != NULL, &content);
	if (content.binary && refuse) {
		*notice = TRAWL_SKIPPED_BINARY;
		return error_set(problem, TRAWL_EINPUT, "%s", content.binary);
	}
	const char *encoding = content.mark ? content.encoding : source->encoding;
	reader_skip(&source->reader, content.mark);
	if (encoding && strcmp(encoding, "UTF-8") != 0)
		status = convert(source, encoding, refuse, notice, problem);
	return status == TRAWL_OK ? settle_format(source, notice, problem) : status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* A found file was a regular one when it was found: should a pipe have taken its place, do not wait for its writer. Nor is a named pipe
 * waited for here, but by the stream. */
static int open_descriptor(struct trawl_source *source, const struct walk_file *file, trawl_error *problem)
{
	struct stat status;
	if (file->problem)
		return error_set_system(problem, file->problem, "cannot open");
	do
		source->descriptor = file_open(file->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	while (source->descriptor < 0 && errno == EINTR);
	if (source->descriptor < 0 || fstat(source->descriptor, &status) != 0)
		return error_set_system(problem, errno, "cannot open");
	source->waits = !S_ISREG(status.st_mode);
	if (file->found && source->waits)
		return error_set(problem, TRAWL_EIO, "no longer a regular file");
	posix_fadvise(source->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	return TRAWL_OK;
}

/* What is on the list only to be told of. That is no error, also under `strict`. */
static int pass_over_file(struct trawl_source *source)
{
	const struct walk_file *file = source->file;
	bool silent = file->own && file->found;
	source->outcome = file->own ? TRAWL_FILE_EMPTY : TRAWL_FILE_UNREAD;
	source->own += silent;
	source->skipped += !silent;
	if (!silent && source->diagnostic)
		source->diagnostic(source->diagnostic_context, file->own ? TRAWL_SKIPPED_INDEX : TRAWL_SKIPPED_LINK,
		                   file->path, file->why_not);
	source_finish_file(source);
	return 0;
}

int source_begin_file(struct trawl_source *source, trawl_error *error)
{
	trawl_error problem;
	enum trawl_notice notice = TRAWL_SKIPPED_DAMAGED;
	source->file = &source->walk.files[source->next_file++];
	source->outcome = TRAWL_FILE_READ;
	if (source->file->why_not)
		return pass_over_file(source);
	bool borrowed = source->file->is_stdin && !source->file->problem;
	if (!borrowed && open_descriptor(source, source->file, &problem) != TRAWL_OK)
		return source_give_up_file(source, TRAWL_SKIPPED_UNREADABLE, &problem, error);
	source->files++;
	if (borrowed)
		source->waits = !source->file->sized;
	if (source->repaired.capacity > REPAIRED_KEPT)
		buffer_release(&source->repaired);
	stream_start(source->reader.stream, borrowed ? STDIN_FILENO : source->descriptor, source->waits);
	reader_start(&source->reader);
	if (examine_head(source, &notice, &problem) != TRAWL_OK)
		return source_give_up_file(source, notice, &problem, error);
	objects_start(&source->objects, &source->reader);
	return 1;
}
