/* limits.h - what the surroundings let this process use: the machine, control groups, resource limits. */
#ifndef TRAWL_BASE_LIMITS_H
#define TRAWL_BASE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum memory_limiter {
	LIMITED_BY_RAM,
	LIMITED_BY_CGROUP,
	LIMITED_BY_ADDRESS_SPACE, /* RLIMIT_AS */
	LIMITED_BY_DATA           /* RLIMIT_DATA */
};

struct memory_limit {
	uint64_t bytes;
	enum memory_limiter by;
};

/* The least limit of memory that there is. Reads some small files each time. */
struct memory_limit limits_memory(void);

/* The memory that a writer is given where nobody says how much: a quarter of that, 1 MiB at least. */
uint64_t limits_memory_share(void);

/* The processors that may be used: those that the process may run on, and no more than a quota of processor time pays for. */
unsigned limits_processors(void);

/* The lesser of the resource limits (ulimit) of memory, which make allocations fail: by LIMITED_BY_RAM if there is none. */
struct memory_limit limits_of_allocation(void);

/* Whether a file of so many bytes is about as large as the resource limit (ulimit -f) lets this process make it. */
bool limits_end_file(uint64_t bytes);

/* What `by` stands for, in words for a message: "RAM", "control group", "ulimit -v", "ulimit -d". Static storage. */
const char *limits_name(enum memory_limiter by);

#endif
