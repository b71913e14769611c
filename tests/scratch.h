/* scratch.h - a temporary folder for the files of a test. */
#ifndef TRAWL_TESTS_SCRATCH_H
#define TRAWL_TESTS_SCRATCH_H

/* The path of `name` in this process's temporary folder, which is made under $TMPDIR or /tmp at first use and removed at
 * exit. Lives until the fourth next call. */
const char *scratch_path(const char *name);

/* Remove what is in the folder. */
void scratch_clear(void);

/* The same as the teardown of a test, which may have left allocations failing. */
int clear(void **state);

#endif
