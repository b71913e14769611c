#include "tests/failing_calls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static struct {
	const char *name;  /* NULL: none fails */
	atomic_long after; /* as many good ones go before */
	bool on;           /* those after it fail as well */
	int code;
	atomic_bool met;
} failing;

static struct {
	const char *name;
	int code;
} failing_too;

static _Atomic int last_code;

void fail_calls(const char *name, long after, bool on, int code)
{
	failing.after = after;
	failing.on = on;
	failing.code = code;
	failing.met = false;
	failing.name = name;
}

void fail_too(const char *name, int code)
{
	failing_too.name = name;
	failing_too.code = code;
}

bool stop_failing(void)
{
	failing.name = failing_too.name = NULL;
	return failing.met;
}

bool call_fails(const char *name)
{
	bool fails = failing_too.name && strcmp(failing_too.name, name) == 0;
	if (fails)
		last_code = failing_too.code;
	if (!fails && failing.name && strcmp(failing.name, name) == 0) {
		long left = atomic_fetch_sub(&failing.after, 1);
		fails = left == 0 || (left < 0 && failing.on);
		if (fails) {
			failing.met = true;
			last_code = failing.code;
		}
	}
	if (fails && last_code > 0)
		errno = last_code;
	return fails;
}

int failing_code(void)
{
	return last_code;
}
