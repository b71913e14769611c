/* search_options.h - what the command lines and the JSON of the measuring commands have in common. */
#ifndef TRAWL_BENCH_SEARCH_OPTIONS_H
#define TRAWL_BENCH_SEARCH_OPTIONS_H

#include "bench/support.h"
#include "trawl.h"

#include <getopt.h>

enum { OPTION_K1 = 512, OPTION_B, OPTION_STABLE_TIES };

/* For the table of getopt_long. */
#define SEARCH_LONG_OPTIONS                                                                                            \
	{"k1", required_argument, NULL, OPTION_K1}, {"b", required_argument, NULL, OPTION_B},                          \
	{                                                                                                              \
		"stable-ties", no_argument, NULL, OPTION_STABLE_TIES                                                   \
	}

/* Take one of them. 0 or BENCH_ERROR with a message. */
int search_option_set(trawl_search_options *options, int option, const char *value);

/* A command's options, given to `set` one by one until it fails or has set *help; `letters` starts with ':'. Afterwards optind
 * is the first argument. 0, or BENCH_ERROR with a message. */
int options_read(const char *command, int argc, char **argv, const char *letters, const struct option *table,
                 int (*set)(void *options, int option, const char *value), void *options, const bool *help);

/* "top":10,"count":false,"stable_ties":false,"k1":null,"b":null - null: the library's own. */
void search_options_json(const trawl_search_options *options, struct bench_text *out);

#endif
