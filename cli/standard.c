#include "cli/standard.h"

#include <errno.h>
#include <fcntl.h>
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
