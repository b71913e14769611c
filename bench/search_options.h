/* search_options.h - the command-line options that both measuring commands pass on to the search. */
#ifndef TRAWL_BENCH_SEARCH_OPTIONS_H
#define TRAWL_BENCH_SEARCH_OPTIONS_H

#include "trawl.h"

enum { OPTION_K1 = 512, OPTION_B, OPTION_STABLE_TIES };

/* For the table of getopt_long. */
#define SEARCH_LONG_OPTIONS                                                                                            \
	{"k1", required_argument, NULL, OPTION_K1}, {"b", required_argument, NULL, OPTION_B},                          \
	{                                                                                                              \
		"stable-ties", no_argument, NULL, OPTION_STABLE_TIES                                                   \
	}

/* Take one of them. 0 or BENCH_ERROR with a message. */
int search_option_set(trawl_search_options *options, int option, const char *value);

/* The message for the '?' or ':' that getopt_long returned, when its string of options starts with ':'. BENCH_ERROR. */
int search_option_complain(const char *command, int result, char **argv);

#endif
