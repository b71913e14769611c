#include "cli/index_progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRUSTED_PART 0.5  /* of a writing done: from here on its own speed alone tells the rest */
#define UNKNOWN_PART 0.05 /* of one that nobody expected: before, it is not known how long it takes */
#define SHARE_MOST 0.99   /* until the end */
#define SECONDS_LEAST 1   /* that tell a speed */

/* ---- a line ---------------------------------------------------------------------------------------------------- */

struct line {
	char text[200];
	size_t length, columns;
};

static struct line begin_line(void)
{
	size_t columns = terminal_columns(STDERR_FILENO);
	return (struct line){.columns = columns ? columns : 80};
}

/* Append a piece, if there is room for all of it. */
__attribute__((format(printf, 2, 3))) static void add_piece(struct line *line, const char *format, ...)
{
	char piece[100];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(piece, sizeof piece, format, arguments);
	va_end(arguments);
	const char *gap = line->length ? "  " : "";
	size_t wanted = line->length + strlen(gap) + (size_t)length;
	if (length < 0 || (size_t)length >= sizeof piece || wanted >= line->columns || wanted >= sizeof line->text)
		return;
	line->length +=
	    (size_t)snprintf(line->text + line->length, sizeof line->text - line->length, "%s%s", gap, piece);
}

static void add_time(struct line *line, double seconds)
{
	long left = (long)(seconds + 0.5);
	if (left < 3600)
		add_piece(line, "%ld:%02ld left", left / 60, left % 60);
	else
		add_piece(line, "%ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
}

/* How much of the whole is done, when so many seconds are left: never less than was said before. */
static void add_share(struct index_progress *progress, struct line *line, double left)
{
	double seconds = clock_seconds() - progress->line.begun, share = seconds / (seconds + left);
	share = share < SHARE_MOST ? share : SHARE_MOST;
	progress->shown = share > progress->shown ? share : progress->shown;
	add_piece(line, "%d%%", (int)(progress->shown * 100));
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static void work_out(struct index_progress *progress, const trawl_source_progress *source)
{
	double seconds = clock_seconds() - progress->line.begun - trawl_writer_written_seconds(progress->writer),
	       more = 0;
	progress->reading_left = -1;
	progress->writing = false;
	if (source->total_bytes >= source->bytes && source->bytes > 0) {
		double share = (double)source->bytes / (double)source->total_bytes;
		progress->reading_left = seconds * (1 - share) / share;
		more = (double)source->documents * (1 - share) / share;
	}
	progress->writing_next = trawl_writer_expected_seconds(progress->writer, 0);
	progress->writing_left = trawl_writer_expected_seconds(progress->writer, (uint64_t)more);
}

void index_progress_reading(struct index_progress *progress)
{
	trawl_source_progress source;
	char documents[NUMBER_SIZE], done[NUMBER_SIZE], total[NUMBER_SIZE];
	if (!progress_due(&progress->line))
		return;
	trawl_source_get_progress(progress->source, &source);
	work_out(progress, &source);
	double seconds = clock_seconds() - progress->line.begun, reading_left = progress->reading_left;
	struct line line = begin_line();
	if (reading_left >= 0 && seconds >= SECONDS_LEAST) {
		add_share(progress, &line, reading_left + progress->writing_left);
		add_time(&line, reading_left + progress->writing_left);
	}
	add_piece(&line, "%s documents", grouped(source.documents, documents));
	if (reading_left >= 0)
		add_piece(&line, "%s of %s", megabytes(source.bytes, done), megabytes(source.total_bytes, total));
	else
		add_piece(&line, "%s", megabytes(source.bytes, done));
	add_piece(&line, "%.1f MB/s", seconds > 0 ? (double)progress->text_bytes / 1e6 / seconds : 0);
	progress_draw(&progress->line, line.text);
}

void index_progress_commit(struct index_progress *progress, bool last)
{
	trawl_source_progress source;
	if (!progress->line.enabled)
		return;
	trawl_source_get_progress(progress->source, &source);
	work_out(progress, &source);
	if (last) {
		progress->reading_left = 0;
		progress->writing_left = progress->writing_next;
	}
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Seconds until the writing under way is done; negative: unknown. */
static double left_of_writing(const struct index_progress *progress, double part)
{
	double seconds = clock_seconds() - progress->begun, expected = progress->expected * (1 - part);
	double trust = part < TRUSTED_PART ? part / TRUSTED_PART : 1;
	if (progress->expected <= 0)
		return part < UNKNOWN_PART ? -1 : seconds * (1 - part) / part;
	return part > 0 ? trust * seconds * (1 - part) / part + (1 - trust) * expected : expected;
}

void index_progress_writing(void *context, const char *stage, uint64_t done, uint64_t total)
{
	struct index_progress *progress = context;
	if (!progress->line.enabled)
		return;
	bool begins = !progress->writing || done < progress->done;
	if (begins) {
		progress->begun = clock_seconds();
		progress->expected = progress->writing_next; /* nobody expects what comes after that: merges */
		progress->writing_left -= progress->writing_next;
		progress->writing_next = 0;
	}
	progress->writing = done < total;
	progress->done = done;
	if (!progress_due(&progress->line) && !begins)
		return;
	double part = total ? (double)done / (double)total : 0, left = left_of_writing(progress, part);
	struct line line = begin_line();
	if (progress->reading_left >= 0 && left >= 0) {
		left += progress->reading_left + (progress->writing_left > 0 ? progress->writing_left : 0);
		add_share(progress, &line, left);
		add_time(&line, left);
		add_piece(&line, "%s", stage);
	} else {
		add_piece(&line, "%s: %d%%", stage, (int)(part * 100));
	}
	progress_draw(&progress->line, line.text);
}
