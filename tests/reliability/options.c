/* options.c - NAME=VALUE. */
#include <stdlib.h>
#include <string.h>

#include "tests/reliability/harness.h"

const char *option_text(int argc, char **argv, const char *name, const char *otherwise)
{
	size_t length = strlen(name);
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
			return argv[i] + length + 1;
	return otherwise;
}

uint64_t option_number(int argc, char **argv, const char *name, uint64_t otherwise)
{
	const char *text = option_text(argc, argv, name, NULL);
	return text ? strtoull(text, NULL, 10) : otherwise;
}
