/* verify.c - what is an index of the harnesses like? faults verify folder=DIR seed=N low=N high=N [scenario=FILE]: judge it, and commit. */
#include <stdio.h>

#include "tests/reliability/scenario.h"

int verify_command(int argc, char **argv)
{
	struct life life;
	struct home home;
	struct report report;
	uint32_t low = (uint32_t)option_number(argc, argv, "low", 0),
	         high = (uint32_t)option_number(argc, argv, "high", 0);
	const char *folder = option_text(argc, argv, "folder", ".");
	struct scenario scenario = {.path = option_text(argc, argv, "scenario", NULL)};
	if (scenario.path && scenario_read(&scenario, &report.why) != 0) {
		fprintf(stderr, "%s\n", report.why.text);
		return 3;
	}
	home_name(&home, folder);
	life_make(&life, option_number(argc, argv, "seed", 1), GENERATIONS_MAX,
	          (uint32_t)option_number(argc, argv, "large", 0), scenario.path ? scenario.kinds : NULL);
	judge_index(&life, &home, low, high, &report);
	if (report.code)
		printf("FOUND %s\n", report.why.text);
	else
		printf("generation %u\n", report.found);
	life_release(&life);
	return report.code != 0;
}
