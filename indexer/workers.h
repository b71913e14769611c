/*
 * workers.h - threads that run jobs.
 *
 * Of `threads` threads one is the caller's: it lends a hand where it would wait (worker number 0). With one, a job runs when
 * it is submitted. Jobs start in the order they were submitted in. All calls come from one thread.
 */
#ifndef TRAWL_INDEXER_WORKERS_H
#define TRAWL_INDEXER_WORKERS_H

#include <stdbool.h>

struct job {
	void (*run)(struct job *job, unsigned worker); /* worker: 0 to threads - 1, one job at a time */
	struct job *next;                              /* the rest is the workers' */
	bool done;
};

struct workers;

/* NULL: out of memory. Threads start with the first job; if the system refuses some, the others do the work. */
struct workers *workers_new(unsigned threads);
void workers_free(struct workers *workers); /* all jobs must be done */

void workers_submit(struct workers *workers, struct job *job);
bool workers_done(struct workers *workers, const struct job *job);
void workers_wait(struct workers *workers, const struct job *job); /* until it is done */

#endif
