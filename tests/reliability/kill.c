/*
 * kill.c - writers that are killed: around every system call that changes something, and at random times.
 *
 *   faults kill folder=DIR seed=N commits=200 step=1 times=0
 *
 * step=1: before and after every call; step=k: every kth, from a random one. times: kills at random times.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/reliability/harness.h"
#include "tests/reliability/interpose.h"

enum { STRETCH = 10 }; /* commits from one saved state to the next: a run is repeated from the state before its end */

struct killing {
	struct life life;
	struct home home, saved;
	struct report *report;
	uint64_t runs, kills, found, left; /* found: faults of the product that the run met */
	double slowest_open;
	double said;
};

static void say_progress(struct killing *killing, const char *what, uint64_t done, uint64_t all)
{
	if (now_seconds() - killing->said < 5 && done < all)
		return;
	killing->said = now_seconds();
	fprintf(stderr, "  kill: %s %llu of %llu, %llu kills, %llu faults found\n", what, (unsigned long long)done,
	        (unsigned long long)all, (unsigned long long)killing->kills, (unsigned long long)killing->found);
}

/* A child that commits generations `from` to `to` under the plan in force; whether it was killed. */
static bool run_writer(struct killing *killing, uint32_t from, uint32_t to, useconds_t patience)
{
	int status;
	*killing->report = (struct report){0};
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		alarm(600);
		trawl_error *error = &killing->report->why;
		killing->report->code = write_generations(&killing->life, &killing->home, from, to, error);
		_exit(killing->report->code ? 1 : 0);
	}
	if (patience) {
		usleep(patience);
		kill(child, SIGKILL);
	}
	waitpid(child, &status, 0);
	killing->runs++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		killing->kills++;
		return true;
	}
	if (status) {
		killing->found++;
		printf("FOUND kill: a writer failed by itself: %s\n", killing->report->why.text);
	}
	return false;
}

/* What a killed writer left must be the last acknowledged generation or the next. Returns it. */
static uint32_t judge(struct killing *killing, const char *how, uint64_t number)
{
	uint32_t last = journal_last(&killing->home);
	struct home evidence;
	char folder[440];
	uint32_t high = last + 1;
	if (high > killing->life.generations - 1)
		high = killing->life.generations - 1;
	home_copy(&killing->home, &killing->saved);
	if (judge_in_child(&killing->life, &killing->home, last, high, killing->report)) {
		killing->found++;
		snprintf(folder, sizeof folder, "%.380s-found-%llu", killing->home.folder,
		         (unsigned long long)killing->found);
		if (killing->found <= 20) {
			home_make(&evidence, folder);
			home_copy(&killing->saved, &evidence);
		}
		printf("FOUND kill: seed %llu, %s %llu, acknowledged %u: %s (kept in %s)\n",
		       (unsigned long long)killing->life.seed, how, (unsigned long long)number, last,
		       killing->report->why.text, folder);
		fflush(stdout);
	}
	if (killing->report->open_seconds > killing->slowest_open)
		killing->slowest_open = killing->report->open_seconds;
	return killing->report->found;
}

/* ---- around every call ---- */

static uint64_t count_calls(struct killing *killing, uint32_t from, uint32_t to)
{
	fault_plan->calls = CALLS_CHANGE;
	fault_plan->at = 0;
	atomic_store(&fault_plan->counted, 0);
	run_writer(killing, from, to, 0);
	fault_plan->calls = 0;
	return atomic_load(&fault_plan->counted);
}

/* The state before generation `from`, to be begun from again and again. */
static void kill_stretch(struct killing *killing, const struct home *start, uint32_t from, uint32_t to, uint64_t step,
                         struct random *random)
{
	home_copy(start, &killing->home);
	uint64_t calls = count_calls(killing, from, to);
	for (uint64_t at = 1 + random_below(random, step); at <= calls; at += step)
		for (enum fault_kill kind = KILL_BEFORE; kind <= KILL_AFTER; kind++) {
			home_copy(start, &killing->home);
			fault_plan->calls = CALLS_CHANGE;
			fault_plan->at = at;
			fault_plan->kill = kind;
			fault_plan->times = 1;
			atomic_store(&fault_plan->counted, 0);
			bool killed = run_writer(killing, from, to, 0);
			fault_plan->calls = 0;
			fault_plan->kill = KILL_NOT;
			if (killed)
				judge(killing, kind == KILL_BEFORE ? "before call" : "after call", at);
			else
				printf("FOUND kill: run from %u has no call %llu at second sight\n", from,
				       (unsigned long long)at),
				    killing->found++;
		}
}

static void kill_around_calls(struct killing *killing, uint32_t commits, uint64_t step, struct random *random)
{
	struct home start;
	char folder[440];
	snprintf(folder, sizeof folder, "%s-start", killing->home.folder);
	home_make(&start, folder);
	for (uint32_t from = 1; from <= commits; from += STRETCH) {
		fault_plan->no_nameless = from / STRETCH % 2;
		uint32_t to = from + STRETCH - 1 < commits ? from + STRETCH - 1 : commits;
		kill_stretch(killing, &start, from, to, step, random);
		home_copy(&start, &killing->home);
		run_writer(killing, from, to, 0);
		home_copy(&killing->home, &start);
		say_progress(killing, "around calls up to commit", to, commits);
	}
	home_remove(&start);
}

/* ---- at random times ---- */

static void kill_at_times(struct killing *killing, uint32_t commits, uint64_t times, struct random *random)
{
	uint32_t at = 0;
	home_clear(&killing->home);
	for (uint64_t i = 0; i < times; i++) {
		if (at + 2 > commits || killing->report->code) {
			home_clear(&killing->home);
			at = 0;
		}
		run_writer(killing, at + 1, commits, (useconds_t)(1 + random_below(random, 40000)));
		uint32_t found = judge(killing, "time", i);
		if (!killing->report->code) { /* the judge has made one commit more */
			at = found + 1;
			journal_add(&killing->home, at, "");
		}
		say_progress(killing, "at random times", i + 1, times);
	}
}

int kill_command(int argc, char **argv)
{
	struct killing killing = {.report = report_shared()};
	char folder[440];
	uint64_t seed = option_number(argc, argv, "seed", 1), times = option_number(argc, argv, "times", 0);
	uint64_t step = option_number(argc, argv, "step", 1);
	uint32_t commits = (uint32_t)option_number(argc, argv, "commits", 200);
	struct random random = {seed};
	const char *base = option_text(argc, argv, "folder", "/dev/shm/trawl-kill");
	home_make(&killing.home, base);
	snprintf(folder, sizeof folder, "%.380s-saved", base);
	home_make(&killing.saved, folder);
	life_make(&killing.life, seed, commits + 2, 64, NULL);
	fault_plan = memory_shared(sizeof *fault_plan);
	*fault_plan = (struct fault_plan){.log = -1};
	snprintf(fault_plan->folder, sizeof fault_plan->folder, "%s", killing.home.folder);
	if (step)
		kill_around_calls(&killing, commits, step, &random);
	uint64_t around_runs = killing.runs, around = killing.kills, around_found = killing.found;
	kill_at_times(&killing, commits, times, &random);
	printf("TOTAL kill -9 around a system call\t%llu\t%llu\t%llu\n", (unsigned long long)around_runs,
	       (unsigned long long)around, (unsigned long long)around_found);
	printf("TOTAL kill -9 at a random time\t%llu\t%llu\t%llu\n", (unsigned long long)(killing.runs - around_runs),
	       (unsigned long long)(killing.kills - around), (unsigned long long)(killing.found - around_found));
	printf("NOTE slowest open after a kill: %.1f ms\n", killing.slowest_open * 1e3);
	home_remove(&killing.home);
	home_remove(&killing.saved);
	life_release(&killing.life);
	return killing.found ? 1 : 0;
}
