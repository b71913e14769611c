/*
 * failing_calls.h - calls that fail when a test says so.
 *
 * The linker puts a __wrap_ function in the place of each function that may fail (WRAPPED in the makefiles). It asks call_fails, and
 * either fails as its function would or calls the real one.
 */
#ifndef TRAWL_TESTS_FAILING_CALLS_H
#define TRAWL_TESTS_FAILING_CALLS_H

#include <stdbool.h>

/* After so many calls of a function that go well, let one fail, or with on all that follow. code is an errno, or LMDB's. */
void fail_calls(const char *name, long after, bool on, int code);
/* Besides, let each call of another function fail. */
void fail_too(const char *name, int code);
/* From now on none fails. Whether one did of those that fail_calls named. */
bool stop_failing(void);

/* Of a function that is called now: whether it has to fail. Sets errno. From any thread. */
bool call_fails(const char *name);
/* Why the last one failed: the code that it was told to. */
int failing_code(void);

/* What the linker wants of a function that may fail and does nothing else. */
#define FAILING(returns, name, parameters, arguments, failure)                                                         \
	returns __real_##name parameters;                                                                              \
	returns __wrap_##name parameters;                                                                              \
	returns __wrap_##name parameters                                                                               \
	{                                                                                                              \
		return call_fails(#name) ? (failure) : __real_##name arguments;                                        \
	}

#endif
