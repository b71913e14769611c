/* report.h - findings and progress on their way to the caller. */
#ifndef TRAWL_CHECKER_REPORT_H
#define TRAWL_CHECKER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

#define NO_OFFSET UINT64_MAX

struct report {
	trawl_finding_function *finding;
	trawl_progress_function *progress;
	void *context;
	uint64_t damages;
	/* progress */
	char stage[64];
	uint64_t done, total, told;
};

/* "postings", ...: the name of a part of a segment. Static storage. */
const char *part_name(uint32_t part);

/* Something is damaged. `offset`: NO_OFFSET when it is not one place. */
void report_damage(struct report *report, uint32_t segment, const char *part, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void report_harmless(struct report *report, uint32_t segment, const char *part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void report_stage(struct report *report, uint64_t total, const char *format, ...) __attribute__((format(printf, 3, 4)));
void report_progress(struct report *report, uint64_t more);

/* Bytes of a document (a term, an id) for a message: printable ASCII and UTF-8 as they are, the rest as '?', cut to
 * `room` bytes with an ellipsis. Returns `out`. */
const char *shown(const void *bytes, size_t length, char *out, size_t room);

#endif
