/*
 * source.c - trawl_source: the documents in files, folders and streams.
 *
 * The paths become a list of files when the source is opened (walk.h). Each file in turn is looked at (source_begin.c); goes through
 * the stream, which decompresses, and the reader, which converts encodings and cuts lines; and its lines or objects go through the JSON
 * parser, or it is one document as a whole (source_read.c). Whatever is wrong with a file or line ends in source_report(): it is
 * skipped, or under `strict` the error of trawl_source_next.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "input/path.h"
#include "input/source.h"
#include "input/stream.h"

/* The share of a memory budget that the longest line or text may have, and the least that they may. */
#define BUDGET_SHARE 32
#define BOUND_LEAST ((size_t)1 << 20)

/* The path's share of an error's text: the message behind it must fit in too. */
#define PLACE_SHOWN 300

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

static int set_encoding(struct trawl_source *source, const char *encoding, trawl_error *error)
{
	source->guess_encoding = !encoding;
	if (!encoding || strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "UTF8") == 0)
		return TRAWL_OK;
	char *copy = memory_new(strlen(encoding) + 1);
	if (!copy)
		return error_set_memory(error);
	source->encoding = strcpy(copy, encoding);
	return converter_new(&source->reader.converter, encoding, error); /* to know now whether there is such a one */
}

int trawl_source_open(trawl_source **out, const char *const *paths, size_t count, const trawl_source_options *options,
                      trawl_error *error)
{
	trawl_source_options chosen = options ? *options : (trawl_source_options){0};
	struct json_options fields = {.names = {chosen.id_field ? chosen.id_field : "id",
	                                        chosen.title_field ? chosen.title_field : "title",
	                                        chosen.text_field ? chosen.text_field : "text"},
	                              .second_id = chosen.id_field ? NULL : "_id",
	                              .auto_id = chosen.auto_id};
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
		status = json_parser_new(&source->json, &fields, error);
	if (status == TRAWL_OK)
		status = set_encoding(source, chosen.encoding, error);
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

void source_finish_file(struct trawl_source *source)
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
	buffer_release(&source->auto_id);
	buffer_release(&source->repaired);
	memory_free((char *)(uintptr_t)source->encoding);
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

bool source_format_place(const struct trawl_source *source, struct place place, struct buffer *out)
{
	const char *path = source->file->path;
	char numbers[48] = "";
	if (place.line && place.column)
		snprintf(numbers, sizeof numbers, ":%llu:%zu", (unsigned long long)place.line, place.column);
	else if (place.line)
		snprintf(numbers, sizeof numbers, ":%llu", (unsigned long long)place.line);
	out->length = 0;
	return buffer_append(out, path, strlen(path)) && buffer_append(out, numbers, strlen(numbers) + 1);
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
	    [TRAWL_NOTED_TRAILING] = "trailing",       [TRAWL_NOTED_ENCODING] = "encoding",
	    [TRAWL_NOTED_REPLACED] = "replaced",       [TRAWL_NOTED_NO_TEXT] = "no text",
	    [TRAWL_NOTED_NO_WORD] = "no word",
	};
	return (unsigned)notice < TRAWL_NOTICES ? names[notice] : "unknown";
}

enum trawl_notice source_notice_of(int code, enum trawl_notice content)
{
	return code == TRAWL_EINPUT ? content : code == TRAWL_ELIMIT ? TRAWL_SKIPPED_LARGE : TRAWL_SKIPPED_UNREADABLE;
}

/* Of what a walk finds in folders, it says itself that it takes no empty and no binary files: these are no errors. */
static bool is_passed_over(const struct trawl_source *source, enum trawl_notice notice)
{
	return source->file->found && (notice == TRAWL_SKIPPED_EMPTY || notice == TRAWL_SKIPPED_BINARY);
}

int source_report(struct trawl_source *source, enum trawl_notice notice, struct place place, const trawl_error *problem,
                  trawl_error *error)
{
	if (problem->code == TRAWL_ESTOPPED)
		return error_set(error, problem->code, "%s", problem->text);
	if (problem->code == TRAWL_ENOMEM || !source_format_place(source, place, &source->place))
		return error_set_memory(error);
	const char *text = (const char *)source->place.data;
	bool has_none = !place.line && (notice == TRAWL_SKIPPED_EMPTY || notice == TRAWL_SKIPPED_BINARY);
	source->outcome = has_none ? TRAWL_FILE_EMPTY : TRAWL_FILE_UNREAD;
	source->skipped++;
	if (source->strict && !is_passed_over(source, notice)) {
		const char *shown = shown_place(text);
		return error_set(error, problem->code, "%s%s: %s", shown == text ? "" : "...", shown, problem->text);
	}
	if (source->diagnostic)
		source->diagnostic(source->diagnostic_context, notice, text, problem->text);
	return TRAWL_OK;
}

int source_give_up_file(struct trawl_source *source, enum trawl_notice notice, const trawl_error *problem,
                        trawl_error *error)
{
	int status = source_report(source, source_notice_of(problem->code, notice), (struct place){0}, problem, error);
	source_finish_file(source);
	return status;
}

int source_refuse_file(struct trawl_source *source, enum trawl_notice notice, const char *text, trawl_error *error)
{
	trawl_error problem;
	error_set(&problem, TRAWL_EINPUT, "%s", text);
	return source_give_up_file(source, notice, &problem, error);
}

int source_note(struct trawl_source *source, enum trawl_notice notice, struct place place, const char *message,
                trawl_error *error)
{
	if (!source->diagnostic)
		return TRAWL_OK;
	if (!source_format_place(source, place, &source->place))
		return error_set_memory(error);
	source->diagnostic(source->diagnostic_context, notice, (const char *)source->place.data, message);
	return TRAWL_OK;
}

/* ---- documents ---------------------------------------------------------------------------------------------------- */

int trawl_source_next(trawl_source *source, trawl_document *document, trawl_error *error)
{
	int status = 0;
	while (status == 0) {
		if (!source->file) {
			if (source->next_file == source->walk.count)
				return 0;
			status = source_begin_file(source, error);
			if (status < 0)
				return status;
			status = 0;
		} else if (source->format == TRAWL_FORMAT_JSONL) {
			status = source_read_object(source, document, error);
		} else {
			status = source_read_text(source, document, error);
		}
	}
	source->documents += status == 1;
	return status;
}
