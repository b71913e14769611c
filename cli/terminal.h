/* terminal.h - messages, colour, and the progress line of the tool. */
#ifndef TRAWL_CLI_TERMINAL_H
#define TRAWL_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "trawl: message" on stderr, one line, cleaned. Returns EXIT_ERROR. Takes the progress line away first. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong call of `command`, with a pointer to its help. Returns EXIT_ERROR. */
int complain_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
#if defined(__clang_analyzer__) && !defined(TRAWL_CLI_TERMINAL_C) /* as in base/error.h */
#define complain_usage(...) (complain_usage(__VA_ARGS__), EXIT_ERROR)
#endif

/* Flush stdout: `code`, or EXIT_ERROR when not all could be written; a reader that went away is not told. */
int finish_output(int code);

/* Whether TERM is not set or says that the terminal only takes text. */
bool terminal_is_dumb(void);

/* Whether stdout takes colour: `choice` is "auto", "always" or "never". */
bool wants_colour(const char *choice);

/* The columns of the terminal behind a file descriptor, 80 if it does not say; 0 when it is no terminal. */
size_t terminal_columns(int descriptor);

/* Seconds of a clock that only goes forward. */
double clock_seconds(void);

/* The progress line: redrawn at most ten times a second, on stderr if that is a terminal, else never. */
struct progress {
	bool enabled;
	double begun, drawn;
};

void progress_begin(struct progress *progress, bool enabled);
bool progress_due(struct progress *progress); /* it is time to draw; then call progress_draw */
void progress_draw(struct progress *progress, const char *line);
/* The same for a stage of which so much is done, if it is time to draw. */
void progress_stage(struct progress *progress, const char *stage, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

/* 1234567 as "1,234,567", in `out` of NUMBER_SIZE bytes, which is returned. */
#define NUMBER_SIZE 32
const char *grouped(uint64_t number, char *out);

/* Bytes as "12.3 MB", likewise. */
const char *megabytes(uint64_t bytes, char *out);

#endif
