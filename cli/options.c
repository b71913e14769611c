#define TRAWL_CLI_OPTIONS_C
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "trawl.h"

void options_begin(void)
{
	optind = 0; /* glibc: start over, and read the optstring's first character again */
	opterr = 0;
}

int complain_option(const char *command, int result, char **argv)
{
	const char *word = argv[optind - 1];
	if (result == ':')
		return complain_usage(command, "option %s needs a value", word);
	if (optopt && strncmp(word, "--", 2) != 0)
		return complain_usage(command, "unknown option -%c", isprint(optopt) ? optopt : '?');
	return complain_usage(command, optopt ? "option %.*s takes no value" : "unknown or ambiguous option %.*s",
	                      (int)strcspn(word, "="), word);
}

int parse_json_option(const char *command, const char *usage, int argc, char **argv, bool *json)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;
	*json = false;
	options_begin();
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_DONE;
		}
		if (option != 'j')
			return complain_option(command, option, argv);
		*json = true;
	}
	return EXIT_NONE;
}

bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;
	errno = 0;
	if (!isdigit((unsigned char)*text))
		return false;
	unsigned long long value = strtoull(text, &end, 10);
	if (*end || errno || value < least || value > most)
		return false;
	*number = value;
	return true;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	static const char *const suffixes[] = {"K", "M", "G", NULL};
	char *end;
	errno = 0;
	if (!isdigit((unsigned char)*text))
		return false;
	unsigned long long value = strtoull(text, &end, 10);
	unsigned shift = 0;
	for (unsigned i = 0; suffixes[i]; i++)
		if (toupper((unsigned char)*end) == suffixes[i][0])
			shift = 10 * (i + 1);
	if (shift) {
		end++;
		if (strcasecmp(end, "iB") == 0 || strcasecmp(end, "B") == 0)
			end += strlen(end);
	}
	if (*end || errno || value > SIZE_MAX >> shift)
		return false;
	*bytes = (uint64_t)value << shift;
	return true;
}

void tell_little_memory(const char *command)
{
	trawl_limits limits;
	trawl_get_limits(&limits);
	if (limits.memory_budget < MEMORY_KEPT)
		fprintf(stderr,
		        "trawl %s: of the %" PRIu64
		        "M of memory that this process may use (%s) a quarter cannot be kept to: up "
		        "to 64M may be taken\n",
		        command, limits.memory >> 20, limits.memory_limiter);
}

bool parse_real(const char *text, double least, double most, float *number)
{
	char *end;
	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	double value = strtod(text, &end);
	if (*end || !isfinite(value) || value < least || value > most)
		return false;
	*number = (float)value;
	return true;
}

/* Levenshtein's distance, of words shorter than 32 bytes. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[32], length = strlen(b);
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 1; j <= length; j++) {
			size_t changed = diagonal + (a[i] != b[j - 1]);
			diagonal = row[j];
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = changed < least ? changed : least;
		}
	}
	return row[length];
}

const char *nearest_word(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t least = 3;
	if (strlen(word) >= 32)
		return NULL;
	for (; *words; words++) {
		size_t distance = strlen(*words) < 32 ? edit_distance(word, *words) : least;
		if (distance < least && distance < strlen(word)) {
			least = distance;
			nearest = *words;
		}
	}
	return nearest;
}
