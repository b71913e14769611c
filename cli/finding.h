/* finding.h - findings of check and salvage on standard output, and their progress line. */
#ifndef TRAWL_CLI_FINDING_H
#define TRAWL_CLI_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/terminal.h"
#include "trawl.h"

#define FINDINGS_PRINTED 20

struct finding_printer {
	bool json;
	uint64_t limit, met;
	struct progress progress;
};

/* Both take a struct finding_printer as their context. */
void finding_print(void *context, const trawl_finding *finding);
void finding_progress(void *context, const char *stage, uint64_t done, uint64_t total);

/* Take the progress line away, and tell how many findings were not printed. */
void findings_end(struct finding_printer *printer);

#endif
