#include "indexer/work.h"

#define STEPS 1000

static void tell(struct work *work, double part)
{
	double done = work->before + work->share * (part < 1 ? part : 1);
	uint64_t steps = done < 1 ? (uint64_t)(done * STEPS) : STEPS;
	if (!work->function || steps <= work->told)
		return;
	work->told = steps;
	work->function(work->context, work->stage, steps, STEPS);
}

void work_begin(struct work *work)
{
	if (!work)
		return;
	work->before = work->share = 0;
	work->told = 0;
	work->stage = NULL;
}

void work_stage(struct work *work, const char *name, double share, uint64_t units)
{
	if (!work)
		return;
	work->before += work->share;
	work->share = share;
	work->units = units;
	work->stage = name;
	if (work->function)
		work->function(work->context, name, work->told, STEPS);
	tell(work, 0);
}

void work_done(struct work *work, uint64_t units)
{
	if (work && work->function && work->units)
		tell(work, (double)units / (double)work->units);
}

void work_end(struct work *work)
{
	if (!work)
		return;
	work->before = 1;
	work->share = 0;
	tell(work, 0);
}
