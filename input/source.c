/*
 * source.c - trawl_source: the documents in files, folders and streams.
 *
 * The paths become a list of files when the source is opened (walk.h). Each file in turn goes through the stream (which
 * decompresses) and the reader (which cuts lines), and its lines through the JSON parser, or it is one document as a
 * whole. Whatever is wrong with a file or line ends in report(): it is skipped, or under `strict` the error of
 * trawl_source_next.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "input/json.h"
#include "input/path.h"
#include "input/reader.h"
#include "input/stream.h"
#include "input/walk.h"
#include "trawl.h"

/* The title of a text is its first line with something in it, up to so many bytes; the text goes on behind them. */
#define TITLE_MAX ((size_t)1024)

/* A NUL in so many bytes at its beginning makes a file in a folder a binary one. */
#define BINARY_HEAD ((size_t)8 << 10)

/* So much white space may come before the first sign of what standard input is. */
#define BUDGET_SHARE 32
#define BOUND_LEAST ((size_t)1 << 20)
#define SNIFF_MAX ((size_t)64 << 10)

/* The path's share of an error's text: the message behind it must fit in too. */
#define PLACE_SHOWN 300

struct trawl_source {
	struct walk walk;
	size_t next_file;             /* in walk.files */
	const struct walk_file *file; /* being read, or NULL */
	int descriptor;               /* its own, or -1 */
	bool waits;                   /* it is no regular file */
	enum trawl_format format;     /* of this file, never AUTO */
	struct reader reader;
	struct json_parser *json;
	struct buffer place;
	bool strict;
	enum trawl_file_outcome outcome; /* of this file so far */
	enum trawl_format wanted_format;
	trawl_diagnostic *diagnostic;
	void *diagnostic_context;
	trawl_file_done *file_done;
	void *file_done_context;
	uint64_t own; /* files of the index found in folders */
	uint64_t total_bytes, documents, files, skipped;
};

/* ---- opening, closing -------------------------------------------------------------------------------------------- */

/* The longest of the folders that has a found path below it; NULL: none is known. */
static const char *root_of(const trawl_source_options *options, const char *path)
{
	const char *longest = NULL;
	for (const char *const *root = options->found_below; root && *root; root++)
		if (path_below(*root, path) && (!longest || strlen(*root) > strlen(longest)))
			longest = *root;
	return longest;
}

static int add_paths(struct trawl_source *source, const char *const *paths, size_t count,
                     const trawl_source_options *options, trawl_error *error)
{
	leave_out_set(&source->walk.rules, options->exclude, options->index_path);
	source->walk.follow = options->follow;
	for (size_t i = 0; i < count; i++) {
		if (!paths[i] || !paths[i][0])
			return error_set(error, TRAWL_EINVAL, "the path of an input is empty");
		int status = options->found ? walk_add_found(&source->walk, root_of(options, paths[i]), paths[i], error)
		                            : walk_add(&source->walk, paths[i], error);
		if (status != TRAWL_OK)
			return status;
	}
	for (size_t i = 0; i < source->walk.count; i++) {
		if (!source->walk.files[i].sized) {
			source->total_bytes = 0;
			break;
		}
		source->total_bytes += source->walk.files[i].size;
	}
	return TRAWL_OK;
}

/* The longest line or text within what may be used of memory (0: all). */
static size_t bounded(size_t most, size_t memory)
{
	size_t share = memory / BUDGET_SHARE;
	if (!memory || share > most)
		return most;
	return share > BOUND_LEAST ? share : BOUND_LEAST;
}

/* What the lengths are bounded by: the budget or, without one, what the process is allowed, if that is less than the machine has. */
static size_t memory_for_documents(size_t budget)
{
	struct memory_limit limit = limits_memory();
	if (budget || limit.by == LIMITED_BY_RAM)
		return budget;
	return limit.bytes ? (size_t)limit.bytes : 1;
}

int trawl_source_open(trawl_source **out, const char *const *paths, size_t count, const trawl_source_options *options,
                      trawl_error *error)
{
	trawl_source_options chosen = options ? *options : (trawl_source_options){0};
	const char *names[JSON_ROLES] = {chosen.id_field ? chosen.id_field : "id",
	                                 chosen.title_field ? chosen.title_field : "title",
	                                 chosen.text_field ? chosen.text_field : "text"};
	*out = NULL;
	if (chosen.format != TRAWL_FORMAT_AUTO && chosen.format != TRAWL_FORMAT_TEXT &&
	    chosen.format != TRAWL_FORMAT_JSONL)
		return error_set(error, TRAWL_EINVAL, "no such format: %d", (int)chosen.format);
	struct trawl_source *source = memory_new_zeroed(1, sizeof *source);
	if (!source)
		return error_set_memory(error);
	source->descriptor = -1;
	source->strict = chosen.strict;
	source->wanted_format = chosen.format;
	source->diagnostic = chosen.diagnostic;
	source->diagnostic_context = chosen.diagnostic_context;
	source->file_done = chosen.file_done;
	source->file_done_context = chosen.file_done_context;
	size_t memory = memory_for_documents(chosen.memory_budget);
	source->reader.line_most = bounded(READER_LINE_MAX, memory);
	source->reader.text_most = bounded(READER_TEXT_MAX, memory);
	int status = add_paths(source, paths, count, &chosen, error);
	if (status == TRAWL_OK)
		status = stream_new(&source->reader.stream, error);
	if (status == TRAWL_OK)
		stream_set_wait(source->reader.stream, chosen.wait, chosen.wait_context);
	if (status == TRAWL_OK)
		status = json_parser_new(&source->json, names, error);
	if (status != TRAWL_OK) {
		trawl_source_close(source);
		return status;
	}
	*out = source;
	return TRAWL_OK;
}

static void close_file(struct trawl_source *source)
{
	if (source->descriptor >= 0)
		close(source->descriptor);
	source->descriptor = -1;
	source->file = NULL;
}

/* The same when all is known about the file. */
static void finish_file(struct trawl_source *source)
{
	const struct walk_file *file = source->file;
	close_file(source);
	if (source->file_done && !file->is_stdin)
		source->file_done(source->file_done_context, file->path, source->outcome);
}

void trawl_source_close(trawl_source *source)
{
	if (!source)
		return;
	close_file(source);
	json_parser_free(source->json);
	stream_free(source->reader.stream);
	reader_release(&source->reader);
	walk_release(&source->walk);
	buffer_release(&source->place);
	memory_free(source);
}

void trawl_source_get_progress(const trawl_source *source, trawl_source_progress *progress)
{
	*progress = (trawl_source_progress){
	    .documents = source->documents,
	    .files = source->files,
	    .bytes = stream_stored_bytes(source->reader.stream),
	    .total_bytes = source->total_bytes,
	    .text_bytes = stream_decoded_bytes(source->reader.stream),
	    .skipped = source->skipped,
	    .left_out = source->walk.left_out + source->own,
	};
}

void trawl_source_get_access(const trawl_source *source, trawl_source_access *access)
{
	const struct walk_access *found = &source->walk.access;
	*access = (trawl_source_access){
	    .others_denied = (found->denied & 0004) != 0,
	    .group_denied = (found->denied & 0040) != 0,
	    .many_groups = found->many_groups,
	    .group = found->group,
	};
}

const char *trawl_source_file(const trawl_source *source)
{
	const struct walk_file *file = source->next_file ? &source->walk.files[source->next_file - 1] : NULL;
	return file && !file->is_stdin ? file->path : NULL;
}

/* ---- what is wrong ----------------------------------------------------------------------------------------------- */

/* "file", "file:line" or "file:line:column" in source->place. */
static bool format_place(struct trawl_source *source, const char *path, uint64_t line, size_t column)
{
	struct buffer *place = &source->place;
	char numbers[48] = "";
	if (line && column)
		snprintf(numbers, sizeof numbers, ":%llu:%zu", (unsigned long long)line, column);
	else if (line)
		snprintf(numbers, sizeof numbers, ":%llu", (unsigned long long)line);
	place->length = 0;
	return buffer_append(place, path, strlen(path)) && buffer_append(place, numbers, strlen(numbers) + 1);
}

/* The end of a long place, which tells more than its beginning; from a character's first byte. */
static const char *shown_place(const char *place)
{
	size_t length = strlen(place);
	if (length <= PLACE_SHOWN)
		return place;
	place += length - PLACE_SHOWN;
	while (((unsigned char)*place & 0xc0) == 0x80)
		place++;
	return place;
}

const char *trawl_notice_name(enum trawl_notice notice)
{
	static const char *const names[TRAWL_NOTICES] = {
	    [TRAWL_SKIPPED_UNREADABLE] = "unreadable", [TRAWL_SKIPPED_EMPTY] = "empty",
	    [TRAWL_SKIPPED_BINARY] = "binary",         [TRAWL_SKIPPED_DAMAGED] = "damaged",
	    [TRAWL_SKIPPED_LARGE] = "large",           [TRAWL_SKIPPED_MALFORMED] = "malformed",
	    [TRAWL_SKIPPED_INDEX] = "index",           [TRAWL_SKIPPED_LINK] = "link",
	    [TRAWL_NOTED_TRAILING] = "trailing",
	};
	return (unsigned)notice < TRAWL_NOTICES ? names[notice] : "unknown";
}

/* What a failure is where the content's would be `content`. */
static enum trawl_notice notice_of(int code, enum trawl_notice content)
{
	return code == TRAWL_EINPUT ? content : code == TRAWL_ELIMIT ? TRAWL_SKIPPED_LARGE : TRAWL_SKIPPED_UNREADABLE;
}

/* Of what a walk finds in folders, it says itself that it takes no empty and no binary files: these are no errors. */
static bool is_passed_over(const struct trawl_source *source, enum trawl_notice notice)
{
	return source->file->found && (notice == TRAWL_SKIPPED_EMPTY || notice == TRAWL_SKIPPED_BINARY);
}

/* `problem` is with a file or a line of it. 0: it was told and counted, go on; negative: give up with *error. */
static int report(struct trawl_source *source, enum trawl_notice notice, uint64_t line, size_t column,
                  const trawl_error *problem, trawl_error *error)
{
	if (problem->code == TRAWL_ESTOPPED)
		return error_set(error, problem->code, "%s", problem->text);
	if (problem->code == TRAWL_ENOMEM || !format_place(source, source->file->path, line, column))
		return error_set_memory(error);
	const char *place = (const char *)source->place.data;
	bool has_none = !line && (notice == TRAWL_SKIPPED_EMPTY || notice == TRAWL_SKIPPED_BINARY);
	source->outcome = has_none ? TRAWL_FILE_EMPTY : TRAWL_FILE_UNREAD;
	source->skipped++;
	if (source->strict && !is_passed_over(source, notice)) {
		const char *shown = shown_place(place);
		return error_set(error, problem->code, "%s%s: %s", shown == place ? "" : "...", shown, problem->text);
	}
	if (source->diagnostic)
		source->diagnostic(source->diagnostic_context, notice, place, problem->text);
	return TRAWL_OK;
}

/* The same for the file being read, with which it is over. */
static int give_up_file(struct trawl_source *source, enum trawl_notice notice, const trawl_error *problem,
                        trawl_error *error)
{
	int status = report(source, notice_of(problem->code, notice), 0, 0, problem, error);
	finish_file(source);
	return status;
}

static int refuse_file(struct trawl_source *source, enum trawl_notice notice, const char *text, trawl_error *error)
{
	trawl_error problem;
	error_set(&problem, TRAWL_EINPUT, "%s", text);
	return give_up_file(source, notice, &problem, error);
}

/* Tell of what is no reason to skip anything. */
static int note(struct trawl_source *source, enum trawl_notice notice, uint64_t line, const char *message,
                trawl_error *error)
{
	if (!source->diagnostic)
		return TRAWL_OK;
	if (!format_place(source, source->file->path, line, 0))
		return error_set_memory(error);
	source->diagnostic(source->diagnostic_context, notice, (const char *)source->place.data, message);
	return TRAWL_OK;
}

/* ---- beginning a file -------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t *length, const char *ending)
{
	size_t ending_length = strlen(ending);
	if (*length <= ending_length || strncasecmp(name + *length - ending_length, ending, ending_length) != 0)
		return false;
	*length -= ending_length;
	return true;
}

static enum trawl_format format_of_name(const char *path)
{
	size_t length = strlen(path);
	if (!ends_with(path, &length, ".gz"))
		ends_with(path, &length, ".zst");
	return ends_with(path, &length, ".jsonl") || ends_with(path, &length, ".ndjson") ||
	               ends_with(path, &length, ".json")
	           ? TRAWL_FORMAT_JSONL
	           : TRAWL_FORMAT_TEXT;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Standard input has no name: JSON Lines when the first thing in it is a brace. */
static int sniff_format(struct trawl_source *source, enum trawl_format *format, trawl_error *error)
{
	struct reader *reader = &source->reader;
	size_t at = 0, length = 0;
	*format = TRAWL_FORMAT_TEXT;
	while (at < SNIFF_MAX) {
		int status = reader_peek(reader, at + 1, &length, error);
		if (status != TRAWL_OK)
			return status;
		if (length <= at)
			break;
		char c = (char)reader->data[reader->start + at++];
		if (is_space(c))
			continue;
		*format = c == '{' ? TRAWL_FORMAT_JSONL : TRAWL_FORMAT_TEXT;
		break;
	}
	return TRAWL_OK;
}

/* Look at how the file begins: drop the UTF-8 mark, refuse what is no text, and settle the format. */
static int examine_head(struct trawl_source *source, enum trawl_notice *notice, trawl_error *problem)
{
	struct reader *reader = &source->reader;
	const struct walk_file *file = source->file;
	size_t length;
	int status = reader_peek(reader, file->found ? BINARY_HEAD : 3, &length, problem);
	if (status != TRAWL_OK)
		return status;
	const uint8_t *head = reader->data + reader->start;
	*notice = TRAWL_SKIPPED_BINARY;
	if (length >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0))
		return error_set(problem, TRAWL_EINPUT, "UTF-16; convert it with iconv");
	if (file->found && length && memchr(head, 0, length))
		return error_set(problem, TRAWL_EINPUT, "binary file");
	if (length >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0)
		reader_skip(reader, 3);
	source->format = source->wanted_format;
	*notice = TRAWL_SKIPPED_DAMAGED;
	if (source->format != TRAWL_FORMAT_AUTO)
		return TRAWL_OK;
	if (file->is_stdin)
		return sniff_format(source, &source->format, problem);
	source->format = format_of_name(file->path);
	return TRAWL_OK;
}

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
	finish_file(source);
	return 0;
}

/* Open the next file. 1: source->file is it; 0: it was skipped; negative: error. */
static int begin_file(struct trawl_source *source, trawl_error *error)
{
	trawl_error problem;
	source->file = &source->walk.files[source->next_file++];
	source->outcome = TRAWL_FILE_READ;
	if (source->file->why_not)
		return pass_over_file(source);
	bool borrowed = source->file->is_stdin && !source->file->problem;
	if (!borrowed && open_descriptor(source, source->file, &problem) != TRAWL_OK)
		return give_up_file(source, TRAWL_SKIPPED_UNREADABLE, &problem, error);
	source->files++;
	if (borrowed)
		source->waits = !source->file->sized;
	stream_start(source->reader.stream, borrowed ? STDIN_FILENO : source->descriptor, source->waits);
	reader_start(&source->reader);
	enum trawl_notice notice = TRAWL_SKIPPED_DAMAGED;
	if (examine_head(source, &notice, &problem) != TRAWL_OK)
		return give_up_file(source, notice, &problem, error);
	return 1;
}

/* All of it was read. */
static int end_file(struct trawl_source *source, trawl_error *error)
{
	char message[96];
	uint64_t trailing = stream_trailing(source->reader.stream);
	int status = TRAWL_OK;
	if (trailing) {
		snprintf(message, sizeof message, "passed over what follows the compressed data at byte %llu",
		         (unsigned long long)trailing);
		status = note(source, TRAWL_NOTED_TRAILING, 0, message, error);
	}
	finish_file(source);
	return status;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static bool is_blank(const char *line, size_t length)
{
	while (length && is_space(*line))
		line++, length--;
	return length == 0;
}

/* The next document of a JSON Lines file: 1; 0 when the file is over, or has a problem that was reported. */
static int next_object(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	trawl_error problem;
	char *line;
	size_t length, column = 0;
	int status = reader_line(&source->reader, &line, &length, &problem);
	if (status == 0)
		return end_file(source, error);
	if (status < 0 && status != TRAWL_ELIMIT)
		return give_up_file(source, TRAWL_SKIPPED_DAMAGED, &problem, error);
	if (status == 1) {
		if (is_blank(line, length))
			return 0;
		status = json_parser_read(source->json, line, length, document, &column, &problem);
		if (status == TRAWL_OK)
			return 1;
	}
	return report(source, notice_of(status, TRAWL_SKIPPED_MALFORMED), source->reader.line_number, column, &problem,
	              error);
}

/* Where to cut a title that is too long: at white space in its second half, else between two characters. */
static size_t title_end(const char *line)
{
	size_t end = TITLE_MAX;
	while (end > TITLE_MAX / 2 && !is_space(line[end]))
		end--;
	if (is_space(line[end]))
		return end;
	for (end = TITLE_MAX; end > TITLE_MAX - 3 && ((unsigned char)line[end] & 0xc0) == 0x80;)
		end--;
	return end;
}

/* Title and text of a file's content; false when it is empty. No byte is in both, and only white space in neither. */
static bool split_text(const char *content, size_t length, trawl_document *document)
{
	const char *at = content, *end = content + length;
	while (at < end && is_space(*at))
		at++;
	if (at == end)
		return false;
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	const char *line_end = feed ? feed : end;
	while (is_space(line_end[-1]))
		line_end--;
	const char *rest = feed ? feed + 1 : end;
	if ((size_t)(line_end - at) > TITLE_MAX)
		rest = line_end = at + title_end(at);
	while (is_space(line_end[-1]))
		line_end--;
	document->title = at;
	document->title_length = (size_t)(line_end - at);
	document->text = rest;
	document->text_length = (size_t)(end - rest);
	return true;
}

/* The document that a text file is: 1; 0 when it has a problem that was reported. */
static int whole_text(struct trawl_source *source, trawl_document *document, trawl_error *error)
{
	trawl_error problem;
	char *content;
	size_t length;
	const char *path = source->file->path;
	if (reader_rest(&source->reader, &content, &length, &problem) != TRAWL_OK)
		return give_up_file(source, TRAWL_SKIPPED_DAMAGED, &problem, error);
	*document = (trawl_document){.id = path, .id_length = strlen(path), .fields = ""};
	if (!split_text(content, length, document))
		return refuse_file(source, TRAWL_SKIPPED_EMPTY, "empty file", error);
	int status = end_file(source, error);
	return status == TRAWL_OK ? 1 : status;
}

int trawl_source_next(trawl_source *source, trawl_document *document, trawl_error *error)
{
	int status = 0;
	while (status == 0) {
		if (!source->file) {
			if (source->next_file == source->walk.count)
				return 0;
			status = begin_file(source, error);
			if (status < 0)
				return status;
			status = 0;
		} else if (source->format == TRAWL_FORMAT_JSONL) {
			status = next_object(source, document, error);
		} else {
			status = whole_text(source, document, error);
		}
	}
	source->documents += status == 1;
	return status;
}
