#include "bench/search_options.h"

#include "bench/support.h"

#include <getopt.h>
#include <string.h>

static int set_float(const char *name, const char *text, double high, bool *set, float *value)
{
	if (!bench_parse_float(text, 0, high, value))
		return bench_fail("%s %s: not a number from 0 to %g", name, text, high);
	*set = true;
	return 0;
}

int search_option_set(trawl_search_options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_K1: return set_float("--k1", value, 1000, &options->set_k1, &options->k1);
	case OPTION_B: return set_float("--b", value, 1, &options->set_b, &options->b);
	default: options->stable_ties = true; return 0;
	}
}

int search_option_complain(const char *command, int result, char **argv)
{
	const char *word = argv[optind - 1];
	const char *trouble = result == ':'                           ? "needs a value"
	                      : optopt && strncmp(word, "--", 2) == 0 ? "takes no value"
	                                                              : "is unknown";
	if (optopt && strncmp(word, "--", 2) != 0)
		return bench_fail("option -%c %s ('trawl %s --help' lists them)", optopt, trouble, command);
	return bench_fail("option %.*s %s ('trawl %s --help' lists them)", (int)strcspn(word, "="), word, trouble,
	                  command);
}
