#include "tests/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t fork_mortal(unsigned seconds)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	for (size_t i = 0; !child && i < sizeof signals / sizeof signals[0]; i++)
		signal(signals[i], SIG_DFL);
	if (!child)
		alarm(seconds);
	return child;
}

int exit_of(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int in_child(int (*work)(const char *path), const char *path)
{
	pid_t child = fork_mortal(120);
	if (child == 0)
		_exit(work(path));
	return exit_of(child);
}
