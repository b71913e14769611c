/* effort.h - how much of a long test is done: all of it, or in a hurry (TRAWL_QUICK, as ./test --quick sets it) a part. */
#ifndef TRAWL_TESTS_EFFORT_H
#define TRAWL_TESTS_EFFORT_H

#include <stdlib.h>

static inline int test_size(int full, int quick)
{
	const char *hurry = getenv("TRAWL_QUICK");
	return hurry && *hurry ? quick : full;
}

#endif
