/* interpose_environment.c - the plan of a preloaded library, from the environment; and allocations that fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/reliability/interpose.h"

/* glibc's own, so that no look-up is needed before the first allocation. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

static const char *const call_names[CALL_COUNT] = {"open",      "create", "read",    "pread", "mmap",      "write",
                                                   "pwrite",    "writev", "pwritev", "fsync", "fdatasync", "msync",
                                                   "ftruncate", "rename", "link",    "unlink"};

static unsigned long malloc_at;
static bool malloc_armed;

static uint32_t calls_named(const char *list)
{
	uint32_t calls = 0;
	for (const char *name = list; name && *name;) {
		size_t length = strcspn(name, ",");
		if (length == 6 && strncmp(name, "change", length) == 0)
			calls |= CALLS_CHANGE;
		for (int call = 0; call < CALL_COUNT; call++)
			if (strlen(call_names[call]) == length && strncmp(name, call_names[call], length) == 0)
				calls |= 1u << call;
		name += length + (name[length] == ',');
	}
	return calls;
}

static unsigned long number_in(const char *name)
{
	const char *value = getenv(name);
	return value ? strtoul(value, NULL, 10) : 0;
}

/* The counters are the last two members, so that a file can stand for them: the plan moves there. */
static struct fault_plan *shared_plan(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, sizeof(struct fault_plan)) != 0)
		abort();
	void *map = mmap(NULL, sizeof(struct fault_plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (map == MAP_FAILED)
		abort();
	return map;
}

__attribute__((constructor)) static void plan_from_environment(void)
{
	const char *counters = getenv("FAULT_COUNTERS"), *folder = getenv("FAULT_FOLDER"), *log = getenv("FAULT_LOG");
	const char *ending = getenv("FAULT_KILL"), *error = getenv("FAULT_ERROR");
	struct fault_plan *plan = counters ? shared_plan(counters) : fault_plan;
	plan->log = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	plan->at = number_in("FAULT_AT");
	plan->kill = !ending ? KILL_NOT : strcmp(ending, "before") == 0 ? KILL_BEFORE : KILL_AFTER;
	plan->cut = error && strcmp(error, "short") == 0;
	plan->error = error && !plan->cut ? atoi(error) : 0;
	plan->times = getenv("FAULT_TIMES") ? number_in("FAULT_TIMES") : 1;
	plan->no_nameless = getenv("FAULT_NAMELESS") != NULL;
	plan->calls = calls_named(getenv("FAULT_CALLS"));
	snprintf(plan->folder, sizeof plan->folder, "%s", folder ? folder : "");
	fault_plan = plan;
	malloc_at = number_in("FAULT_MALLOC");
	malloc_armed = getenv("FAULT_MALLOC") != NULL;
}

static bool allocation_fails(void)
{
	if (!malloc_armed)
		return false;
	unsigned long number = atomic_fetch_add(&fault_plan->counted, 1) + 1;
	if (!malloc_at || number < malloc_at || (fault_plan->times && number - malloc_at >= fault_plan->times))
		return false;
	atomic_fetch_add(&fault_plan->struck, 1);
	errno = ENOMEM;
	return true;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size)
{
	return allocation_fails() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *pointer, size_t size)
{
	return allocation_fails() ? NULL : __libc_realloc(pointer, size);
}
