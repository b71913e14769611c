#define TRAWL_CLI_TERMINAL_C
#include "cli/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/text.h"

#define MESSAGE_SIZE 2048
#define ERASE_LINE "\r\033[K"
#define DRAW_INTERVAL 0.1

static bool progress_shown; /* a progress line stands on the terminal */

static void erase_progress(void)
{
	if (progress_shown)
		fputs(ERASE_LINE, stderr);
	progress_shown = false;
}

static void print_message(const char *format, va_list arguments)
{
	char text[MESSAGE_SIZE];
	int length = vsnprintf(text, sizeof text, format, arguments);
	fflush(stdout);
	erase_progress();
	fputs("trawl: ", stderr);
	clean_write(stderr, text, length < 0 ? 0 : strlen(text), CLEAN_LINE);
}

int complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	putc('\n', stderr);
	return EXIT_ERROR;
}

int complain_usage(const char *command, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	fprintf(stderr, " ('trawl %s --help' shows how)\n", command);
	return EXIT_ERROR;
}

int finish_output(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		complain("cannot write to standard output: %s", errno ? strerror(errno) : "an earlier write failed");
	return EXIT_ERROR;
}

bool terminal_is_dumb(void)
{
	const char *terminal = getenv("TERM");
	return !terminal || !*terminal || strcmp(terminal, "dumb") == 0;
}

bool wants_colour(const char *choice)
{
	const char *no_colour = getenv("NO_COLOR");
	if (strcmp(choice, "auto") != 0)
		return strcmp(choice, "always") == 0;
	if ((no_colour && *no_colour) || terminal_is_dumb())
		return false;
	return isatty(STDOUT_FILENO);
}

size_t terminal_columns(int descriptor)
{
	struct winsize window;
	if (!isatty(descriptor))
		return 0;
	return ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col : 80;
}

double clock_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_begin(struct progress *progress, bool enabled)
{
	*progress = (struct progress){.enabled = enabled && isatty(STDERR_FILENO) && !terminal_is_dumb(),
	                              .begun = clock_seconds()};
	progress->drawn = progress->begun;
}

bool progress_due(struct progress *progress)
{
	if (!progress->enabled)
		return false;
	double now = clock_seconds();
	if (now - progress->drawn < DRAW_INTERVAL)
		return false;
	progress->drawn = now;
	return true;
}

void progress_draw(struct progress *progress, const char *line)
{
	if (!progress->enabled)
		return;
	int columns = (int)terminal_columns(STDERR_FILENO); /* a line that wraps could not be erased */
	fprintf(stderr, ERASE_LINE "%.*s", columns - 1, line);
	fflush(stderr);
	progress_shown = true;
}

void progress_stage(struct progress *progress, const char *stage, uint64_t done, uint64_t total)
{
	char line[160];
	if (!progress_due(progress))
		return;
	snprintf(line, sizeof line, "%3.0f%%  %s",
	         total ? 100.0 * (double)(done < total ? done : total) / (double)total : 0, stage);
	progress_draw(progress, line);
}

void progress_end(struct progress *progress)
{
	erase_progress();
	progress->enabled = false;
}

const char *grouped(uint64_t number, char *out)
{
	char digits[NUMBER_SIZE];
	int count = snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;
	for (int i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = 0;
	return out;
}

const char *megabytes(uint64_t bytes, char *out)
{
	double value = (double)bytes / 1e6;
	if (value < 0.1)
		snprintf(out, NUMBER_SIZE, "%.3f MB", value);
	else if (value < 10000)
		snprintf(out, NUMBER_SIZE, "%.1f MB", value);
	else
		snprintf(out, NUMBER_SIZE, "%.1f GB", value / 1000);
	return out;
}
