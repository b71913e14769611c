/*
 * The differential tester: random programs, each run by the engine and by the naive scorer.
 *
 *   differential [--queries N] [--seed S] [CASE|FOLDER]...
 *
 * Cases are run first; then random programs until N queries were asked: seeds S, S + 1, ... (1, or TRAWL_SEED; 0: drawn). A program that
 * goes wrong is shrunk and printed as a case. Exit status 0: no difference.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "tests/differential/program.h"

#define QUERIES_A_PROGRAM 250
#define FAILURES_SHOWN 3

static bool check(struct program *program, const char *name, bool shrink, size_t *queries)
{
	char complaint[1400];
	size_t asked;
	bool right = program_holds(program, complaint, sizeof complaint, &asked);
	*queries += asked;
	if (right)
		return true;
	printf("# %s goes wrong: %s\n", name, complaint);
	if (shrink) {
		program_shrink(program);
		program_holds(program, complaint, sizeof complaint, &asked);
		printf("# shortened: %s\n", complaint);
		program_print(program, stdout);
	}
	fflush(stdout);
	return false;
}

static int check_case(const char *path, size_t *queries)
{
	struct program program;
	bool right = program_read(&program, path) && check(&program, path, false, queries);
	program_release(&program);
	return !right;
}

static int check_path(const char *path, size_t *queries)
{
	struct stat status;
	struct dirent **names;
	int failures = 0;
	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return check_case(path, queries);
	int count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char inside[4096];
		snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			failures += check_case(inside, queries);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return failures;
}

static int check_random(uint64_t seed, size_t wanted, size_t *queries)
{
	int failures = 0;
	size_t programs = 0;
	uint64_t first = seed;
	for (; *queries < wanted && failures < FAILURES_SHOWN; seed++, programs++) {
		struct program program;
		char name[64];
		size_t before = *queries;
		program_make(&program, seed, QUERIES_A_PROGRAM);
		snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
		failures += !check(&program, name, true, queries);
		program_release(&program);
		if (*queries / 100000 != before / 100000) {
			printf("%zu queries, %zu programs\n", *queries, programs + 1);
			fflush(stdout);
		}
	}
	printf("seeds %llu to %llu: %zu queries of %zu programs, %d wrong\n", (unsigned long long)first,
	       (unsigned long long)(seed ? seed - 1 : 0), *queries, programs, failures);
	return failures;
}

int main(int argc, char **argv)
{
	const char *forced = getenv("TRAWL_SEED");
	uint64_t seed = forced ? strtoull(forced, NULL, 10) : 1;
	size_t wanted = 0, queries = 0;
	int failures = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--queries") == 0 && i + 1 < argc)
			wanted = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else
			failures += check_path(argv[i], &queries);
	}
	if (!seed && getrandom(&seed, sizeof seed, 0) == sizeof seed)
		seed >>= 24;
	if (wanted)
		failures += check_random(seed, wanted, &queries);
	return failures > 0;
}
