#include "cli/index_job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/reserved.h"
#include "cli/text.h"

enum { SKIPS_TOLD = 20 };

#define BUSY_MILLISECONDS 100 /* until the next look at an index that another process writes */

/* ---- signals --------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t signal_number;
static int signal_pipe[2] = {-1, -1}; /* has a byte in it from the first signal on: poll() cannot miss that */

int caught_signal(void)
{
	return signal_number;
}

static void catch_signal(int number)
{
	int saved = errno;
	if (signal_number) {
		signal(number, SIG_DFL);
		raise(number); /* as soon as this function returns */
	}
	signal_number = number;
	if (write(signal_pipe[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = catch_signal}, before;
	if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return; /* the default, to die at once, is as good */
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

/* Until `descriptor` (-1: none) has input, a signal came or the time is over (milliseconds, -1: never). Whether it has. */
static bool wait_for(int descriptor, int milliseconds)
{
	struct pollfd files[2] = {{.fd = signal_pipe[0], .events = POLLIN}, {.fd = descriptor, .events = POLLIN}};
	int got = caught_signal() ? 0 : poll(files, 2, milliseconds);
	return got > 0 && files[1].revents;
}

/* ---- what is told on the way ----------------------------------------------------------------------------------- */

static void list_notice(struct index_job *job, enum trawl_notice notice, const char *place, const char *message)
{
	if (!job->listing && !(job->listing = open_memstream(&job->list, &job->list_length)))
		return;
	fputs(ftell(job->listing) > 0 ? ",{\"place\":" : "{\"place\":", job->listing);
	json_write_string(job->listing, place, strlen(place));
	fprintf(job->listing, ",\"reason\":\"%s\",\"message\":", trawl_notice_name(notice));
	json_write_string(job->listing, message, strlen(message));
	fputc('}', job->listing);
}

void job_take_notice(void *context, enum trawl_notice notice, const char *place, const char *message)
{
	struct index_job *job = context;
	bool skipped = notice < TRAWL_NOTED_TRAILING;
	job->skips += skipped;
	if (job->notices[notice]++ == 0 && !skipped) {
		job->first_place[notice] = strdup(place);
		job->first_message[notice] = strdup(message);
	}
	if (job->json && job->verbose)
		list_notice(job, notice, place, message);
	if (job->verbose || (skipped && job->skips <= SKIPS_TOLD))
		complain("%s%s: %s", skipped ? "skipped " : "", place, message);
	else if (skipped && job->skips == SKIPS_TOLD + 1)
		complain("more was skipped; from here on it is only counted (--verbose lists all)");
}

/* "12 empty, 3 binary" */
static void describe_skips(const struct index_job *job, char *text, size_t size)
{
	size_t used = 0;
	*text = 0;
	for (int i = 0; i < TRAWL_NOTED_TRAILING; i++)
		if (job->notices[i] && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s", used ? ", " : "",
			                         job->notices[i], trawl_notice_name((enum trawl_notice)i));
}

static void tell_note(const struct index_job *job, enum trawl_notice notice)
{
	/* "one file has ...", "3 files have ..." */
	static const struct {
		const char *one, *several, *what;
	} phrases[TRAWL_NOTICES] = {
	    [TRAWL_NOTED_TRAILING] = {"file has", "files have",
	                              "something else behind the compressed data, which was passed over"},
	    [TRAWL_NOTED_ENCODING] = {"file or line is", "files or lines are",
	                              "not UTF-8, read as windows-1252 (--encoding names another)"},
	    [TRAWL_NOTED_REPLACED] =
	        {"file or line has", "files or lines have",
	         "bytes that are no characters, which became U+FFFD (--encoding names an encoding)"},
	    [TRAWL_NOTED_NO_TEXT] = {"document has", "documents have", "no text but a title"},
	    [TRAWL_NOTED_NO_WORD] = {"document has", "documents have", "no word to search"},
	};
	uint64_t count = job->notices[notice];
	const char *place = job->first_place[notice], *message = job->first_message[notice];
	bool hint = message && strchr(message, ';');
	if (count)
		complain("%" PRIu64 " %s %s%s%s%s", count, count > 1 ? phrases[notice].several : phrases[notice].one,
		         phrases[notice].what, count > 1 ? "; the first is " : ": ", place ? place : "?",
		         hint ? strchr(message, ';') : "");
}

void job_tell_notices(const struct index_job *job)
{
	char reasons[256];
	for (int i = TRAWL_NOTED_TRAILING; i < TRAWL_NOTICES && !job->verbose; i++)
		tell_note(job, (enum trawl_notice)i);
	if (job->skips > SKIPS_TOLD) {
		describe_skips(job, reasons, sizeof reasons);
		complain("skipped %" PRIu64 " in all: %s", job->skips, reasons);
	}
	if (job->notices[TRAWL_SKIPPED_DAMAGED])
		complain("some input is cut off or corrupt: what is behind that is not in the index");
}

static void print_counts(const struct index_job *job, const char *name, int first, int end)
{
	const char *comma = "";
	printf(",\"%s\":{", name);
	for (int i = first; i < end; i++) {
		if (job->notices[i]) {
			printf("%s\"%s\":%" PRIu64, comma, trawl_notice_name((enum trawl_notice)i), job->notices[i]);
			comma = ",";
		}
	}
	putchar('}');
}

void job_print_notices(const struct index_job *job)
{
	print_counts(job, "skipped_by_reason", 0, TRAWL_NOTED_TRAILING);
	print_counts(job, "noted", TRAWL_NOTED_TRAILING, TRAWL_NOTICES);
	if (!job->verbose)
		return;
	if (job->listing)
		fflush(job->listing);
	printf(",\"notices\":[%s]", job->listing ? job->list : "");
}

int job_exit_code(const struct index_job *job)
{
	return job->notices[TRAWL_SKIPPED_DAMAGED] ? EXIT_NONE : EXIT_DONE;
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static void print_merges(const trawl_writer_stats *written)
{
	char text[2][NUMBER_SIZE];
	uint64_t again = written->merge_bytes + written->compaction_bytes;
	if (written->merges)
		printf("merged segments %s time%s%s", grouped(written->merges, text[0]),
		       written->merges == 1 ? "" : "s", written->compactions ? " and " : "");
	if (written->compactions)
		printf("compacted the file%s", written->compactions > 1 ? " several times" : "");
	if (again && written->segment_bytes)
		printf(", writing %s again (%.1f times what is new); ", megabytes(again, text[1]),
		       (double)again / (double)written->segment_bytes);
	else if (again)
		printf(", writing %s again; ", megabytes(again, text[1]));
	if (written->merges_failed)
		fputs("too little room or memory to merge segments or to compact the file; ", stdout);
}

void job_print_summary(const struct index_job *job)
{
	trawl_source_progress source;
	trawl_writer_stats written;
	char text[8][NUMBER_SIZE], deleted[NUMBER_SIZE + 16] = "", left_out[NUMBER_SIZE + 16] = "";
	trawl_source_get_progress(job->source, &source);
	trawl_writer_get_stats(job->writer, &written);
	uint64_t documents = written.added + written.replaced + written.unchanged,
	         skipped = source.skipped + job->refused;
	double seconds = clock_seconds() - job->progress.line.begun;
	if (source.left_out)
		snprintf(left_out, sizeof left_out, ", left out %s", grouped(source.left_out, text[0]));
	if (job->json) {
		printf("{\"documents\":%" PRIu64 ",\"added\":%" PRIu64 ",\"replaced\":%" PRIu64
		       ",\"unchanged\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"files\":%" PRIu64 ",\"deleted\":%" PRIu64
		       ",\"left_out\":%" PRIu64 ",\"text_bytes\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"runs\":%" PRIu64
		       ",\"segment_bytes\":%" PRIu64 ",\"merges\":%" PRIu64 ",\"merge_bytes\":%" PRIu64
		       ",\"merges_failed\":%" PRIu64 ",\"compactions\":%" PRIu64 ",\"compaction_bytes\":%" PRIu64
		       ",\"seconds\":%.3f,\"file_bytes\":%" PRIu64,
		       documents, written.added, written.replaced, written.unchanged, skipped, source.files,
		       written.deleted, source.left_out, job->progress.text_bytes, written.tokens, written.runs,
		       written.segment_bytes, written.merges, written.merge_bytes, written.merges_failed,
		       written.compactions, written.compaction_bytes, seconds, file_bytes(job->index_path));
		job_print_notices(job);
		puts("}");
		return;
	}
	if (written.added + written.replaced + written.deleted == 0) {
		printf("nothing changed: %s document%s as %s; skipped %s%s\n", grouped(documents, text[0]),
		       documents == 1 ? "" : "s", documents == 1 ? "it was" : "they were", grouped(skipped, text[1]),
		       left_out);
		return;
	}
	if (job->delete_missing)
		snprintf(deleted, sizeof deleted, ", %s deleted", grouped(written.deleted, text[7]));
	printf("indexed %s document%s (%s added, %s replaced, %s unchanged%s) from %s file%s, %s of text in %.2f s "
	       "(%.1f MB/s); skipped %s%s; ",
	       grouped(documents, text[0]), documents == 1 ? "" : "s", grouped(written.added, text[1]),
	       grouped(written.replaced, text[2]), grouped(written.unchanged, text[3]), deleted,
	       grouped(source.files, text[4]), source.files == 1 ? "" : "s",
	       megabytes(job->progress.text_bytes, text[5]), seconds,
	       seconds > 0 ? (double)job->progress.text_bytes / 1e6 / seconds : 0, grouped(skipped, text[6]), left_out);
	print_merges(&written);
	clean_write(stdout, job->index_path, strlen(job->index_path), CLEAN_LINE);
	printf(" is %s\n", megabytes(file_bytes(job->index_path), text[7]));
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

static int fail_memory(trawl_error *error)
{
	snprintf(error->text, sizeof error->text, "out of memory");
	return error->code = TRAWL_ENOMEM;
}

int job_lose_file(struct index_job *job, const char *path, trawl_error *error)
{
	size_t length = strlen(path);
	if (id_set_find(&job->of_lines_known, path, length) >= 0 && !missing_own(&job->missing, path))
		return fail_memory(error);
	trawl_error none;
	int result = trawl_writer_delete(job->writer, path, length, &none);
	if (result == TRAWL_OK || result == TRAWL_ENOTFOUND)
		return TRAWL_OK;
	*error = none;
	return result;
}

void job_take_file(void *context, const char *path, enum trawl_file_outcome outcome)
{
	struct index_job *job = context;
	bool of_lines = job->of_lines, is_document = job->of_itself && !of_lines, done = true;
	job->of_lines = job->of_itself = false;
	if (of_lines && job->watch)
		done = id_set_add(&job->of_lines_known, path, strlen(path), 0);
	bool known = job->batch && id_set_find(&job->of_lines_known, path, strlen(path)) >= 0;
	if (known && outcome == TRAWL_FILE_READ) /* lines may have gone from it */
		done = done && missing_own(&job->missing, path);
	if (job->batch && outcome == TRAWL_FILE_EMPTY && job_lose_file(job, path, &job->file_error) != TRAWL_OK)
		return;
	if (!done || !missing_file(&job->missing, path, outcome, is_document))
		fail_memory(&job->file_error);
}

/* Let the document have its origin. */
static bool tell_origin(struct index_job *job, trawl_document *document)
{
	const char *file = trawl_source_file(job->source);
	if (!file)
		return true;
	bool same = strlen(file) == document->id_length && memcmp(file, document->id, document->id_length) == 0;
	job->of_itself |= same;
	job->of_lines |= !same;
	return origin_put(document, file, &job->fields, &job->fields_capacity);
}

/* TRAWL_OK, or the error that ends the run. A document that the index cannot hold is skipped, unless strict. */
static int add_document(struct index_job *job, trawl_document *document, trawl_error *error)
{
	if (!tell_origin(job, document) || !missing_see(&job->missing, document, trawl_source_file(job->source)))
		return fail_memory(error);
	int result = trawl_writer_add(job->writer, document, error);
	if ((result == TRAWL_ELIMIT || result == TRAWL_EINPUT) && !job->source_options.strict) {
		int length = document->id_length < 200 ? (int)document->id_length : 200;
		char place[256];
		snprintf(place, sizeof place, "document %.*s", length, document->id);
		job_take_notice(job, result == TRAWL_ELIMIT ? TRAWL_SKIPPED_LARGE : TRAWL_SKIPPED_MALFORMED, place,
		                error->text);
		job->refused++;
		return TRAWL_OK;
	}
	if (result != TRAWL_OK)
		return result;
	job->progress.text_bytes += document->title_length + document->text_length;
	job->taken++;
	return TRAWL_OK;
}

static int commit(struct index_job *job, bool last, trawl_error *error)
{
	trawl_writer_stats before, after;
	index_progress_commit(&job->progress, last);
	trawl_writer_get_stats(job->writer, &before);
	int result = trawl_writer_commit(job->writer, error);
	trawl_writer_get_stats(job->writer, &after);
	if (result == TRAWL_OK || after.commits > before.commits)
		job->committed += job->taken;
	job->taken = 0;
	job->last_commit = clock_seconds();
	return result;
}

static bool commit_is_due(const struct index_job *job)
{
	if (job->commit_documents)
		return job->taken >= job->commit_documents;
	return job->commit_seconds > 0 && job->taken > 0 && clock_seconds() - job->last_commit >= job->commit_seconds;
}

int job_wait_for_input(void *context, int descriptor)
{
	struct index_job *job = context;
	while (!caught_signal()) {
		double left = job->last_commit + job->commit_seconds - clock_seconds();
		bool timed = job->commit_seconds > 0 && job->taken > 0;
		if (wait_for(descriptor, !timed ? -1 : left > 0 ? (int)(left * 1000) + 1 : 0))
			return 0;
		if (commit_is_due(job) && commit(job, false, &job->wait_error) != TRAWL_OK)
			return 1;
	}
	return 1;
}

int job_open_writer(struct index_job *job, trawl_error *error)
{
	trawl_writer_options options = job->writer_options;
	options.progress = index_progress_writing;
	options.progress_context = &job->progress;
	options.wait = false; /* a lock cannot be waited for together with signals */
	for (;;) {
		int result = trawl_writer_open(&job->writer, job->index_path, &options, error);
		if (result != TRAWL_EBUSY || !job->writer_options.wait)
			return result;
		wait_for(-1, BUSY_MILLISECONDS);
		if (caught_signal())
			return 1;
	}
}

/* What the end of a source comes to: 1 for a signal, or what failed while input was waited for. */
static int end_of_source(struct index_job *job, int result, trawl_error *error)
{
	if (result == TRAWL_ESTOPPED && job->wait_error.code < 0) {
		*error = job->wait_error;
		return error->code;
	}
	return result == TRAWL_ESTOPPED || (result >= 0 && caught_signal()) ? 1 : result;
}

int job_add_all(struct index_job *job, trawl_document *document, trawl_error *error)
{
	int result = document != NULL;
	job->progress.source = job->source;
	job->progress.writer = job->writer;
	job->progress.shown = 0;
	job->last_commit = clock_seconds();
	while (result > 0) {
		if (caught_signal())
			return 1;
		result = add_document(job, document, error);
		if (result == TRAWL_OK && commit_is_due(job))
			result = commit(job, false, error);
		if (result < 0)
			return result;
		index_progress_reading(&job->progress);
		result = trawl_source_next(job->source, document, error);
	}
	return end_of_source(job, result, error);
}

int job_finish(struct index_job *job, trawl_error *error)
{
	if (job->file_error.code < 0) {
		*error = job->file_error;
		return error->code;
	}
	int result = missing_delete(&job->missing, job->index_path, job->writer, error);
	if (result == TRAWL_OK && caught_signal())
		return 1;
	return result == TRAWL_OK ? commit(job, true, error) : result;
}

int job_tell_end(const struct index_job *job, int result, const trawl_error *error)
{
	char text[160] = "nothing was committed, the index is as it was before", number[NUMBER_SIZE];
	if (job->committed)
		snprintf(text, sizeof text, "the first %s documents are in the index, what came after them is not",
		         grouped(job->committed, number));
	if (result < 0)
		return complain("%s; %s", error->text, text);
	if (result > 0) {
		complain("stopped; %s", text);
		return EXIT_SIGNAL + caught_signal();
	}
	job_tell_notices(job);
	if (!job->quiet || job->json)
		job_print_summary(job);
	return job_exit_code(job);
}

void job_begin_pass(struct index_job *job)
{
	job->missing.options = &job->source_options;
	job->missing.active = job->delete_missing;
	job->missing.yes = job->yes || job->batch;
	job->of_lines = job->of_itself = false;
	job->file_error = (trawl_error){0};
}

void job_end_pass(struct index_job *job)
{
	trawl_writer_close(job->writer);
	trawl_source_close(job->source);
	missing_release(&job->missing);
	job->writer = NULL;
	job->source = NULL;
	job->refused = job->skips = job->progress.text_bytes = job->taken = job->committed = 0;
	for (int i = 0; i < TRAWL_NOTICES; i++) {
		free(job->first_place[i]);
		free(job->first_message[i]);
		job->first_place[i] = job->first_message[i] = NULL;
		job->notices[i] = 0;
	}
	if (job->listing)
		fclose(job->listing);
	free(job->list);
	job->listing = NULL;
	job->list = NULL;
}
