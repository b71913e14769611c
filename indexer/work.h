/*
 * work.h - how far a long job of a writer is: a commit, a merge, a copy of the file.
 *
 * A job has stages, each with a share of the time that all are expected to take. A stage counts units of its own. The writer's
 * caller is told, in its own thread, at most a thousand times a job.
 */
#ifndef TRAWL_INDEXER_WORK_H
#define TRAWL_INDEXER_WORK_H

#include <stdint.h>

#include "trawl.h"

/* Zero-initialised tells nobody; so does NULL, which each function takes. */
struct work {
	trawl_progress_function *function;
	void *context;
	const char *stage;
	double before, share; /* of the job: the stages before this one, and this one */
	uint64_t units;       /* of the stage */
	uint64_t told;
};

/* A job begins; its stages follow. */
void work_begin(struct work *work);

/* A stage of `units` begins, and those before it are done. The shares of all stages of a job sum up to 1. `name`: static storage. */
void work_stage(struct work *work, const char *name, double share, uint64_t units);

/* The job is done. */
void work_end(struct work *work);

/* So many units of the stage are done. */
void work_done(struct work *work, uint64_t units);

#endif
