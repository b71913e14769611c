/* finding.h - findings of check and salvage on standard output, and their progress line. */
#ifndef TRAWL_CLI_FINDING_H
#define TRAWL_CLI_FINDING_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/terminal.h"
#include "trawl.h"

#define FINDINGS_PRINTED 20

struct finding_printer {
	bool json, quiet;
	uint64_t limit, met;
	struct progress progress;
};

/* The getopt_long entries of the options that each command with findings has. */
#define FINDING_OPTIONS                                                                                                \
	{"findings", required_argument, NULL, 'F'}, {"json", no_argument, NULL, 'j'},                                  \
	    {"help", no_argument, NULL, 'h'},                                                                          \
	{                                                                                                              \
		"quiet", no_argument, NULL, 'q'                                                                        \
	}

struct finding_command {
	const char *name, *usage;
	const struct option *options; /* FINDING_OPTIONS, and those of its own */
	/* Take an option of its own, whose value is optarg, into `settings`. EXIT_NONE: go on; else the exit status. */
	int (*take)(void *settings, int option);
};

/* Parse a command's line. EXIT_NONE: go on at argv[optind]; else the exit status. */
int finding_options(const struct finding_command *command, int argc, char **argv, void *settings,
                    struct finding_printer *printer);

/* Both take a struct finding_printer as their context. */
void finding_print(void *context, const trawl_finding *finding);
void finding_progress(void *context, const char *stage, uint64_t done, uint64_t total);

/* Take the progress line away, and tell how many findings were not printed. */
void findings_end(struct finding_printer *printer);

#endif
