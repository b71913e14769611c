#include "cli/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/terminal.h"

static bool input_was_closed;

/* With O_PATH a descriptor that can neither be read nor written. */
static void fill(int standard, const char *path, int flags)
{
	if (fcntl(standard, F_GETFD) >= 0 || errno != EBADF)
		return;
	input_was_closed |= standard == STDIN_FILENO;
	int file = open(path, flags);
	if (file < 0)
		file = open("/", O_PATH);
	if (file >= 0 && file != standard) { /* lower ones are filled before */
		dup2(file, standard);
		close(file);
	}
}

void standard_fill(void)
{
	fill(STDIN_FILENO, "/", O_PATH);
	fill(STDOUT_FILENO, "/", O_PATH);
	fill(STDERR_FILENO, "/dev/null", O_WRONLY);
}

static bool not_ready(int descriptor, short events)
{
	struct pollfd wanted = {.fd = descriptor, .events = events};
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return false;
	poll(&wanted, 1, -1);
	return true;
}

bool standard_input_wait(void)
{
	if (!ferror(stdin) || !not_ready(STDIN_FILENO, POLLIN))
		return false;
	clearerr(stdin);
	return true;
}

static ssize_t write_patiently(void *descriptor, const char *bytes, size_t length)
{
	size_t written = 0;
	while (written < length) {
		ssize_t some = write(*(const int *)descriptor, bytes + written, length - written);
		if (some >= 0)
			written += (size_t)some;
		else if (errno != EINTR && !not_ready(*(const int *)descriptor, POLLOUT))
			break;
	}
	return (ssize_t)written;
}

/* A stream of its own, for to clear the flag would change it for others that share the descriptor. */
static FILE *patient(FILE *stream, const int *descriptor, int buffering)
{
	const cookie_io_functions_t functions = {.write = write_patiently};
	int flags = fcntl(*descriptor, F_GETFL);
	FILE *other = flags >= 0 && flags & O_NONBLOCK ? fopencookie((void *)descriptor, "w", functions) : NULL;
	if (!other)
		return stream;
	setvbuf(other, NULL, buffering, BUFSIZ);
	return other;
}

void standard_wait(void)
{
	static const int out = STDOUT_FILENO, err = STDERR_FILENO;
	stdout = patient(stdout, &out, isatty(out) ? _IOLBF : _IOFBF);
	if (!isatty(err)) /* the editor of queries wants a stream with a descriptor */
		stderr = patient(stderr, &err, _IONBF);
}

/* Only for what lies behind the end of a file or cannot be read from the disk: another fault is a mistake of ours, and happens again
 * with the signal's usual end. */
static void tell_unreadable(int number, siginfo_t *information, void *context)
{
	static const char text[] =
	    "trawl: the index was cut off or overwritten by another program, or its disk cannot be read, "
	    "while it was in use; 'trawl check' tells whether it is whole\n";
	(void)number, (void)context;
	if (information->si_code != BUS_ADRERR && information->si_code != BUS_MCEERR_AR)
		return;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(EXIT_ERROR); /* nobody listens */
	_exit(EXIT_ERROR);
}

void standard_faults(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | (int)SA_RESETHAND};
	action.sa_sigaction = tell_unreadable;
	sigaction(SIGBUS, &action, NULL);
}

bool standard_input_was_closed(void)
{
	return input_was_closed;
}

int refuse_closed_input(const char *command, const char *what)
{
	if (!input_was_closed)
		return EXIT_NONE;
	return complain("%s cannot read %s from standard input: it is closed", command, what);
}
