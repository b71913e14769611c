/*
 * hold.c - a commit fails in a process that keeps the index open for reading.
 *
 *   faults hold folder=DIR seed=N step=1
 *
 * Each changing call of some commits fails in turn, once or from then on, with EIO or ENOSPC. The open index must go on
 * answering; opening another, or a writer, must succeed; once all is closed, the index must be the last acknowledged generation or the next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/reliability/harness.h"
#include "tests/reliability/interpose.h"

enum { COMMITS = 12 };

struct holding {
	struct life life;
	struct home home, start;
	struct report *report;
	uint64_t runs, failures, found;
};

static int commit_one(const struct holding *holding, uint32_t g, bool armed, uint64_t at, trawl_error *error)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	int code = trawl_writer_open(&writer, holding->home.index, &options, error);
	if (!code)
		code = life_change(&holding->life, writer, g, error);
	if (!code) {
		fault_plan->at = armed ? at : 0;
		fault_plan->calls = armed ? CALLS_CHANGE : 0;
		code = trawl_writer_commit(writer, error);
		fault_plan->calls = 0;
	}
	trawl_writer_close(writer);
	return code;
}

static void judge(const char *what, int code, struct report *report)
{
	char text[sizeof report->why.text];
	snprintf(text, sizeof text, "%s: %.400s", what, report->why.text);
	memcpy(report->why.text, text, sizeof text);
	report->code = code ? code : -1;
}

/* In a child: generation g exists, g + 1 is tried under the fault, then again without. */
static void live(const struct holding *holding, uint32_t g, uint64_t at, struct report *report)
{
	trawl_index *index;
	uint32_t found = g;
	int code = trawl_open(&index, holding->home.index, &report->why);
	if (code)
		return judge("opening", code, report);
	int first = commit_one(holding, g + 1, true, at, &report->why);
	code = life_verify_open(&holding->life, index, g, g, &found, &report->why);
	if (code)
		return judge("the open index after the failure", code, report);
	found = first ? g : g + 1; /* a commit may be well and the merge after it fail */
	code = life_verify(&holding->life, holding->home.index, found, g + 1, &found, &report->why);
	if (code)
		return judge("another index after the failure", code, report);
	code = commit_one(holding, found + 1, false, 0, &report->why);
	if (code)
		return judge("another writer after the failure", code, report);
	found++;
	trawl_close(index);
	report->found = found;
	report->open_seconds = first; /* whether the commit failed */
}

static void hold(struct holding *holding, uint32_t g, uint64_t at)
{
	*holding->report = (struct report){0};
	home_copy(&holding->start, &holding->home);
	atomic_store(&fault_plan->counted, 0);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		alarm(600);
		live(holding, g, at, holding->report);
		_exit(0);
	}
	child_wait(child, holding->report);
	holding->runs++;
	holding->failures += holding->report->open_seconds != 0;
	uint32_t found = holding->report->found;
	if (holding->report->code ||
	    judge_in_child(&holding->life, &holding->home, found, found + 1, holding->report)) {
		holding->found++;
		printf("FOUND hold: seed %llu, generation %u, call %llu, error %d%s: %s\n",
		       (unsigned long long)holding->life.seed, g, (unsigned long long)at, fault_plan->error,
		       fault_plan->times ? "" : " from then on", holding->report->why.text);
		fflush(stdout);
	}
}

static void hold_commit(struct holding *holding, uint32_t g, uint64_t step)
{
	static const int errors[] = {EIO, ENOSPC};
	hold(holding, g, 0);
	uint64_t calls = atomic_load(&fault_plan->counted);
	for (size_t e = 0; e < 2; e++)
		for (uint64_t times = 0; times < 2; times++)
			for (uint64_t at = 1 + (g + e + times) % step; at <= calls; at += step) {
				fault_plan->error = errors[e];
				fault_plan->times = times;
				hold(holding, g, at);
			}
	fault_plan->error = 0;
}

int hold_command(int argc, char **argv)
{
	struct holding holding = {.report = report_shared()};
	trawl_error error = {0};
	char folder[440];
	const char *base = option_text(argc, argv, "folder", "/dev/shm/trawl-hold");
	uint64_t step = option_number(argc, argv, "step", 1);
	home_make(&holding.home, base);
	snprintf(folder, sizeof folder, "%.380s-start", base);
	home_make(&holding.start, folder);
	life_make(&holding.life, option_number(argc, argv, "seed", 1), COMMITS + 5, 0, NULL);
	fault_plan = memory_shared(sizeof *fault_plan);
	*fault_plan = (struct fault_plan){.log = -1, .times = 1};
	snprintf(fault_plan->folder, sizeof fault_plan->folder, "%s", holding.home.folder);
	for (uint32_t g = 1; g <= COMMITS; g++) {
		if (write_generations(&holding.life, &holding.start, g, g, &error)) {
			printf("FOUND hold: the preparation fails: %s\n", error.text);
			return 1;
		}
		hold_commit(&holding, g, step);
		fprintf(stderr, "  hold: %llu runs, %llu commits failed, %llu faults found\n",
		        (unsigned long long)holding.runs, (unsigned long long)holding.failures,
		        (unsigned long long)holding.found);
	}
	printf("TOTAL failing commits beside an open index\t%llu\t%llu\t%llu\n", (unsigned long long)holding.runs,
	       (unsigned long long)holding.failures, (unsigned long long)holding.found);
	home_remove(&holding.home);
	home_remove(&holding.start);
	life_release(&holding.life);
	return holding.found ? 1 : 0;
}
