#include "bench/search_options.h"

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

/* The message for the '?' or ':' that getopt_long returned. */
static int complain(const char *command, int result, char **argv)
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

int options_read(const char *command, int argc, char **argv, const char *letters, const struct option *table,
                 int (*set)(void *options, int option, const char *value), void *options, const bool *help)
{
	int option, result = 0;
	optind = 0;
	opterr = 0;
	while (!result && !*help && (option = getopt_long(argc, argv, letters, table, NULL)) != -1)
		result =
		    option == '?' || option == ':' ? complain(command, option, argv) : set(options, option, optarg);
	return result;
}

static void append_float(struct bench_text *out, const char *name, bool set, float value)
{
	if (set)
		text_format(out, ",\"%s\":%.9g", name, (double)value);
	else
		text_format(out, ",\"%s\":null", name);
}

void search_options_json(const trawl_search_options *options, struct bench_text *out)
{
	text_format(out, "\"top\":%zu,\"count\":%s,\"stable_ties\":%s", options->top, options->count ? "true" : "false",
	            options->stable_ties ? "true" : "false");
	append_float(out, "k1", options->set_k1, options->k1);
	append_float(out, "b", options->set_b, options->b);
}
