#include "store/watched_copy.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define STEPS 1000
#define VERIFIED_STEPS 300 /* what verifying is, about, of the time for a copy */
#define LOOK_NANOSECONDS 100000000

static void tell(const struct copy_progress *progress, uint64_t steps)
{
	if (progress && progress->function)
		progress->function(progress->context, "copying the file", steps, STEPS);
}

void copy_tell_begin(const struct copy_progress *progress)
{
	tell(progress, 0);
}

void copy_tell_end(const struct copy_progress *progress)
{
	tell(progress, STEPS);
}

struct copying {
	MDB_env *environment;
	int file, code;
};

static void *copy(void *context)
{
	struct copying *copying = context;
	copying->code = mdb_env_copyfd2(copying->environment, copying->file, MDB_CP_COMPACT);
	return NULL;
}

/* Signals are for the program's own threads. */
static bool start(pthread_t *thread, struct copying *copying)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(thread, NULL, copy, copying);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

/* LMDB does not tell how far it is, but the file grows: this thread looks at it, and another one copies. */
int copy_watched(MDB_env *environment, int file, uint64_t bytes, const struct copy_progress *progress)
{
	struct copying copying = {environment, file, 0};
	pthread_t thread;
	struct stat status;
	struct timespec until;
	tell(progress, VERIFIED_STEPS);
	if (!progress || !progress->function || !start(&thread, &copying)) {
		copy(&copying);
		return copying.code;
	}
	do {
		if (fstat(file, &status) == 0 && (uint64_t)status.st_size < bytes)
			tell(progress, VERIFIED_STEPS + (STEPS - VERIFIED_STEPS) * (uint64_t)status.st_size / bytes);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_NANOSECONDS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(thread, NULL, &until) != 0);
	return copying.code;
}
