/*
 * check.h - success of a call that tells by `error`, which whoever includes this has, why it failed. After cmocka.h.
 */
#ifndef TRAWL_TESTS_CHECK_H
#define TRAWL_TESTS_CHECK_H

#include "trawl.h"

/* Assert success of a call; name the failure otherwise. */
#define CHECK(call)                                                                                                    \
	do {                                                                                                           \
		int check_status = (call);                                                                             \
		if (check_status < 0)                                                                                  \
			fail_msg("%s: %s: %s", #call, trawl_status_name(check_status), error.text);                    \
	} while (0)

#endif
