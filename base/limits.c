#include "base/limits.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "trawl.h"

#define SHARE 4 /* a quarter */
#define SHARE_LEAST ((uint64_t)1 << 20)
#define PROCESSORS_MOST (1 << 16)

static void take_least(struct memory_limit *limit, uint64_t bytes, enum memory_limiter by)
{
	if (bytes < limit->bytes)
		*limit = (struct memory_limit){bytes, by};
}

static uint64_t resource_limit(int resource)
{
	struct rlimit limit;
	return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
}

struct memory_limit limits_of_allocation(void)
{
	struct memory_limit limit = {UINT64_MAX, LIMITED_BY_RAM};
	take_least(&limit, resource_limit(RLIMIT_AS), LIMITED_BY_ADDRESS_SPACE);
	take_least(&limit, resource_limit(RLIMIT_DATA), LIMITED_BY_DATA);
	return limit;
}

struct memory_limit limits_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t ram = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : (uint64_t)SHARE << 30;
	struct memory_limit limit = {ram, LIMITED_BY_RAM}, allocation = limits_of_allocation();
	take_least(&limit, cgroup_limits("").memory, LIMITED_BY_CGROUP);
	take_least(&limit, allocation.bytes, allocation.by);
	return limit;
}

uint64_t limits_memory_share(void)
{
	uint64_t share = limits_memory().bytes / SHARE;
	return share < SHARE_LEAST ? SHARE_LEAST : share;
}

/* The kernel refuses a set with less room than it has processors. */
static unsigned processors_of_affinity(void)
{
	for (int room = CPU_SETSIZE; room <= PROCESSORS_MOST; room *= 2) {
		cpu_set_t *set = CPU_ALLOC(room);
		if (!set)
			return 1;
		size_t bytes = CPU_ALLOC_SIZE(room);
		int failed = sched_getaffinity(0, bytes, set) ? errno : 0;
		int count = failed ? 0 : CPU_COUNT_S(bytes, set);
		CPU_FREE(set);
		if (failed != EINVAL)
			return count > 0 ? (unsigned)count : 1;
	}
	return 1;
}

unsigned limits_processors(void)
{
	unsigned processors = processors_of_affinity();
	uint64_t paid = cgroup_limits("").processors;
	return paid < processors ? (unsigned)paid : processors;
}

bool limits_end_file(uint64_t bytes)
{
	const uint64_t about = 1 << 20; /* what one write may have asked for */
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       bytes + about > limit.rlim_cur;
}

const char *limits_name(enum memory_limiter by)
{
	static const char *const names[] = {[LIMITED_BY_RAM] = "RAM",
	                                    [LIMITED_BY_CGROUP] = "control group",
	                                    [LIMITED_BY_ADDRESS_SPACE] = "ulimit -v",
	                                    [LIMITED_BY_DATA] = "ulimit -d"};
	return names[by];
}

void trawl_get_limits(trawl_limits *limits)
{
	struct memory_limit memory = limits_memory();
	*limits = (trawl_limits){.memory = memory.bytes,
	                         .memory_limiter = limits_name(memory.by),
	                         .memory_budget = (size_t)limits_memory_share(),
	                         .processors = limits_processors()};
}
