/*
 * seed.h - where random tests start: at the same place each time, so that a failure is no matter of luck, or elsewhere when asked.
 *
 * TRAWL_SEED=N       start at N
 * TRAWL_SEED=random  start somewhere new
 */
#ifndef TRAWL_TESTS_SEED_H
#define TRAWL_TESTS_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The start of a random test, which is printed; never 0. `usual`: where it starts unless TRAWL_SEED is set. */
static inline uint64_t test_seed_from(uint64_t usual)
{
	const char *wanted = getenv("TRAWL_SEED");
	uint64_t seed = wanted && *wanted ? strtoull(wanted, NULL, 0) : usual;
	if (wanted && strcmp(wanted, "random") == 0 && getrandom(&seed, sizeof seed, 0) == sizeof seed)
		seed >>= 24;
	seed += !seed;
	printf("TRAWL_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static inline uint64_t test_seed(void)
{
	return test_seed_from(6021023);
}

#endif
