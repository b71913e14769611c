/* child.h - work that may die, in a process of its own. */
#ifndef TRAWL_TESTS_CHILD_H
#define TRAWL_TESTS_CHILD_H

#include <sys/types.h>

/* fork() a child that a signal ends (cmocka's handlers would make it go on with the tests), and an alarm after `seconds`. */
pid_t fork_mortal(unsigned seconds);

/* Wait for a child: what it exited with, or minus the signal that ended it. */
int exit_of(pid_t child);

/* Run `work` in a child process: what it returned, or minus the signal that ended it. */
int in_child(int (*work)(const char *path), const char *path);

#endif
