#include "tests/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static char folder[512];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind;
	if (place->level > 0)
		remove(path);
	return 0;
}

void scratch_clear(void)
{
	if (folder[0])
		nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int clear(void **state)
{
	(void)state;
	memory_fail_after(-1, false);
	scratch_clear();
	return 0;
}

static void scratch_remove(void)
{
	if (owner != getpid()) /* a forked child that exits leaves its parent's folder alone */
		return;
	scratch_clear();
	rmdir(folder);
}

static void scratch_make(void)
{
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/trawl-test-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(99);
	}
	owner = getpid();
	atexit(scratch_remove);
}

const char *scratch_path(const char *name)
{
	static char paths[4][1024];
	static unsigned turn;
	if (!folder[0])
		scratch_make();
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}
