#include "indexer/workers.h"

#include <pthread.h>
#include <signal.h>

#include "base/memory.h"

#define STACK_BYTES ((size_t)2 << 20)

struct workers {
	unsigned wanted; /* threads, with the caller's */
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t queued, finished;
	struct job *first, **end; /* jobs that nobody has begun */
	bool stop;
	unsigned count; /* of threads[] */
	struct worker {
		struct workers *workers;
		unsigned number;
		pthread_t thread;
	} threads[];
};

struct workers *workers_new(unsigned threads)
{
	struct workers *workers =
	    memory_new_zeroed(1, sizeof *workers + (threads > 1 ? threads - 1 : 0) * sizeof *workers->threads);
	if (!workers)
		return NULL;
	workers->wanted = threads;
	workers->end = &workers->first;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->queued, NULL);
	pthread_cond_init(&workers->finished, NULL);
	return workers;
}

/* Take the first job of the queue and run it. The lock is held, but not meanwhile. */
static void run_first(struct workers *workers, unsigned worker)
{
	struct job *job = workers->first;
	workers->first = job->next;
	if (!workers->first)
		workers->end = &workers->first;
	pthread_mutex_unlock(&workers->lock);
	job->run(job, worker);
	pthread_mutex_lock(&workers->lock);
	job->done = true;
	pthread_cond_signal(&workers->finished);
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct workers *workers = worker->workers;
	pthread_mutex_lock(&workers->lock);
	while (!workers->stop)
		if (workers->first)
			run_first(workers, worker->number);
		else
			pthread_cond_wait(&workers->queued, &workers->lock);
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

/* Signals are for the program's own threads. The stack's size is our own: where the usual one is large (ulimit -s), so many threads
 * would find no room in a limited address space. */
static void start_threads(struct workers *workers)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	bool has_attributes = pthread_attr_init(&attributes) == 0;
	if (has_attributes)
		pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; workers->count + 1 < workers->wanted; workers->count++) {
		struct worker *worker = &workers->threads[workers->count];
		*worker = (struct worker){.workers = workers, .number = workers->count + 1};
		if (pthread_create(&worker->thread, has_attributes ? &attributes : NULL, work, worker) != 0)
			break;
	}
	if (has_attributes)
		pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	workers->started = true;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->lock);
	workers->stop = true;
	pthread_cond_broadcast(&workers->queued);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->count; i++)
		pthread_join(workers->threads[i].thread, NULL);
	pthread_mutex_destroy(&workers->lock);
	pthread_cond_destroy(&workers->queued);
	pthread_cond_destroy(&workers->finished);
	memory_free(workers);
}

void workers_submit(struct workers *workers, struct job *job)
{
	if (!workers->started)
		start_threads(workers);
	job->next = NULL;
	job->done = false;
	if (!workers->count) {
		job->run(job, 0);
		job->done = true;
		return;
	}
	pthread_mutex_lock(&workers->lock);
	*workers->end = job;
	workers->end = &job->next;
	pthread_cond_signal(&workers->queued);
	pthread_mutex_unlock(&workers->lock);
}

bool workers_done(struct workers *workers, const struct job *job)
{
	pthread_mutex_lock(&workers->lock);
	bool done = job->done;
	pthread_mutex_unlock(&workers->lock);
	return done;
}

void workers_wait(struct workers *workers, const struct job *job)
{
	pthread_mutex_lock(&workers->lock);
	while (!job->done)
		if (workers->first)
			run_first(workers, 0);
		else
			pthread_cond_wait(&workers->finished, &workers->lock);
	pthread_mutex_unlock(&workers->lock);
}
