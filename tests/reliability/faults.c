/* faults.c - the program of the fault harnesses: faults COMMAND NAME=VALUE... */
#include <stdio.h>
#include <string.h>

#include "tests/reliability/harness.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {{"kill", kill_command}, {"power", power_command}, {"hold", hold_command}, {"verify", verify_command}};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	fputs("usage: faults kill|power|hold|verify NAME=VALUE...\n", stderr);
	return 2;
}
