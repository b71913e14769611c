/* verify.c - what is an index of the harnesses like? faults verify folder=DIR seed=N low=N high=N: judge it, and commit. */
#include <stdio.h>

#include "tests/reliability/harness.h"

int verify_command(int argc, char **argv)
{
	struct life life;
	struct home home;
	struct report report;
	uint32_t low = (uint32_t)option_number(argc, argv, "low", 0),
	         high = (uint32_t)option_number(argc, argv, "high", 0);
	const char *folder = option_text(argc, argv, "folder", ".");
	home_name(&home, folder);
	life_make(&life, option_number(argc, argv, "seed", 1), 400, (uint32_t)option_number(argc, argv, "large", 0));
	judge_index(&life, &home, low, high, &report);
	if (report.code)
		printf("FOUND %s\n", report.why.text);
	else
		printf("generation %u\n", report.found);
	life_release(&life);
	return report.code != 0;
}
