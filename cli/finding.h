/* finding.h - findings of check and salvage on standard output, and their progress line. */
#ifndef TRAWL_CLI_FINDING_H
#define TRAWL_CLI_FINDING_H

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

/* The getopt_long entries of the options that finding_option takes. */
#define FINDING_OPTIONS                                                                                                \
	{"findings", required_argument, NULL, 'F'}, {"json", no_argument, NULL, 'j'},                                  \
	{                                                                                                              \
		"quiet", no_argument, NULL, 'q'                                                                        \
	}

/* Take one of them, as getopt_long returned it, for `command`. EXIT_DONE, or EXIT_ERROR when it is wrong or another. */
int finding_option(struct finding_printer *printer, const char *command, int option, char **argv);

/* Both take a struct finding_printer as their context. */
void finding_print(void *context, const trawl_finding *finding);
void finding_progress(void *context, const char *stage, uint64_t done, uint64_t total);

/* Take the progress line away, and tell how many findings were not printed. */
void findings_end(struct finding_printer *printer);

#endif
