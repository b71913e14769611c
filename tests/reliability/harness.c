#include "tests/reliability/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 600

double now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the folder ---- */

static void fatal(const char *what)
{
	perror(what);
	exit(3);
}

void home_name(struct home *home, const char *folder)
{
	if (strlen(folder) >= sizeof home->folder)
		fatal("the name of the folder is too long");
	snprintf(home->folder, sizeof home->folder, "%s", folder);
	snprintf(home->index, sizeof home->index, "%s/life.trawl", folder);
	snprintf(home->lock, sizeof home->lock, "%s/life.trawl-lock", folder);
	snprintf(home->journal, sizeof home->journal, "%s/journal", folder);
}

void home_make(struct home *home, const char *folder)
{
	home_name(home, folder);
	mkdir(folder, 0700);
	home_clear(home);
}

static void for_each_name(const struct home *home, void (*visit)(const char *name, void *context), void *context)
{
	DIR *folder = opendir(home->folder);
	struct dirent *entry;
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			visit(entry->d_name, context);
	closedir(folder);
}

static void remove_name(const char *name, void *context)
{
	const struct home *home = context;
	char path[800];
	snprintf(path, sizeof path, "%s/%s", home->folder, name);
	unlink(path);
}

void home_clear(const struct home *home)
{
	for_each_name(home, remove_name, (void *)home);
}

void home_remove(const struct home *home)
{
	home_clear(home);
	rmdir(home->folder);
}

void home_rescued(const struct home *home, char *path, size_t size)
{
	snprintf(path, size, "%s/rescued.trawl", home->folder);
}

struct stranger {
	const struct home *home;
	char name[300];
};

static void keep_stranger(const char *name, void *context)
{
	static const char *const known[] = {"life.trawl", "life.trawl-lock", "journal", "rescued.trawl",
	                                    "rescued.trawl-lock"};
	struct stranger *stranger = context;
	for (size_t i = 0; i < (stranger->home->rescues ? 5 : 3); i++)
		if (strcmp(name, known[i]) == 0)
			return;
	snprintf(stranger->name, sizeof stranger->name, "%s", name);
}

const char *home_stranger(const struct home *home)
{
	static struct stranger stranger;
	stranger = (struct stranger){.home = home};
	for_each_name(home, keep_stranger, &stranger);
	return stranger.name[0] ? stranger.name : NULL;
}

static void copy_file(const char *from, const char *to)
{
	static char bytes[1 << 16];
	ssize_t got;
	unlink(to);
	int source = open(from, O_RDONLY | O_CLOEXEC);
	if (source < 0)
		return;
	int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((got = read(source, bytes, sizeof bytes)) > 0)
		if (write(target, bytes, (size_t)got) != got)
			fatal(to);
	close(source);
	close(target);
}

void home_copy(const struct home *from, const struct home *to)
{
	home_clear(to);
	copy_file(from->index, to->index);
	copy_file(from->journal, to->journal);
}

/* ---- the journal: a line a commit ---- */

uint32_t journal_last(const struct home *home)
{
	char line[64];
	uint32_t last = 0;
	FILE *journal = fopen(home->journal, "re");
	if (!journal)
		return 0;
	while (fgets(line, sizeof line, journal))
		if (strchr(line, '\n')) /* else the writer died while writing it */
			last = (uint32_t)strtoul(line, NULL, 10);
	fclose(journal);
	return last;
}

void journal_add(const struct home *home, uint32_t g, const char *word)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%u %s\n", g, word);
	int file = open(home->journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0 || write(file, line, (size_t)length) != length || fsync(file) != 0)
		fatal(home->journal);
	close(file);
}

/* ---- writing ---- */

static int open_writer(trawl_writer **writer, const struct home *home, trawl_error *error)
{
	trawl_writer_options options = {.memory_budget = 1 << 20};
	trawl_index *index;
	if (trawl_open(&index, home->index, error) == 0)
		trawl_close(index);
	else
		options.analysis.language = "none"; /* no commit yet */
	return trawl_writer_open(writer, home->index, &options, error);
}

int write_generations(const struct life *life, const struct home *home, uint32_t from, uint32_t to, trawl_error *error)
{
	trawl_writer *writer = NULL;
	int code = 0;
	for (uint32_t g = from; !code && g <= to; g++) {
		struct random random = {life->seed + g};
		if (!writer)
			code = open_writer(&writer, home, error);
		if (!code)
			code = life_change(life, writer, g, error);
		if (!code && random_chance(&random, 0.08)) { /* dropped, to be done again */
			trawl_writer_close(writer);
			writer = NULL;
			code = open_writer(&writer, home, error);
			if (!code)
				code = life_change(life, writer, g, error);
		}
		if (!code)
			code = trawl_writer_commit(writer, error);
		if (!code)
			journal_add(home, g, "");
		if (!code && random_chance(&random, 0.12)) {
			trawl_writer_close(writer);
			writer = NULL;
		}
	}
	trawl_writer_close(writer);
	return code;
}

/* ---- children ---- */

void *memory_shared(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		fatal("mmap");
	return map;
}

struct report *report_shared(void)
{
	return memory_shared(sizeof(struct report));
}

int child_wait(int child, struct report *report)
{
	int status;
	if (child < 0)
		fatal("fork");
	while (waitpid(child, &status, 0) < 0)
		;
	if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
		report->code = -1;
		report->why.code = -1;
		if (WIFSIGNALED(status))
			snprintf(report->why.text, sizeof report->why.text, "ended by signal %d%s", WTERMSIG(status),
			         WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
		else
			snprintf(report->why.text, sizeof report->why.text, "exit status %d", WEXITSTATUS(status));
		return -1;
	}
	return 0;
}

static int say(struct report *report, const char *doing, int code)
{
	char text[sizeof report->why.text];
	snprintf(text, sizeof text, "%s: %.400s (%s)", doing, report->why.text, trawl_status_name(code));
	memcpy(report->why.text, text, sizeof text);
	report->code = code ? code : -1;
	return report->code;
}

/* The generation that is there; none is 0. */
static int find_generation(const struct life *life, const struct home *home, uint32_t low, uint32_t high,
                           struct report *report)
{
	double started = now_seconds();
	trawl_index *index;
	int code = trawl_open(&index, home->index, &report->why);
	report->open_seconds = now_seconds() - started;
	if (code == 0)
		trawl_close(index);
	report->found = 0;
	if (low == 0 && (code == TRAWL_ENOTFOUND || code == TRAWL_ENOTINDEX))
		return 0;
	code = life_verify(life, home->index, low ? low : 1, high, &report->found, &report->why);
	return code ? say(report, "reading", code) : 0;
}

/* Not of a file without a commit, which trawl check does not take for an index. */
static int check_whole(const struct home *home, struct report *report)
{
	trawl_check_result result;
	int code = trawl_check(home->index, NULL, &result, &report->why);
	if (!code && result.damages)
		snprintf(report->why.text, sizeof report->why.text, "%llu findings",
		         (unsigned long long)result.damages);
	return code || result.damages ? say(report, "checking", code) : 0;
}

void judge_index(const struct life *life, const struct home *home, uint32_t low, uint32_t high, struct report *report)
{
	trawl_writer *writer;
	*report = (struct report){0};
	if (find_generation(life, home, low, high, report) || (report->found && check_whole(home, report)))
		return;
	uint32_t next = report->found + 1;
	int code = open_writer(&writer, home, &report->why);
	if (code) {
		say(report, "opening a writer afterwards", code);
		return;
	}
	const char *stranger = home_stranger(home);
	if (stranger) {
		snprintf(report->why.text, sizeof report->why.text, "%s is left in the folder", stranger);
		say(report, "tidying", -1);
		trawl_writer_close(writer);
		return;
	}
	code = life_change(life, writer, next, &report->why);
	if (!code)
		code = trawl_writer_commit(writer, &report->why);
	trawl_writer_close(writer);
	if (code) {
		say(report, "the next commit", code);
		return;
	}
	uint32_t found;
	code = life_verify(life, home->index, next, next, &found, &report->why);
	if (code)
		say(report, "after the next commit", code);
}

int judge_in_child(const struct life *life, const struct home *home, uint32_t low, uint32_t high, struct report *report)
{
	*report = (struct report){0};
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		alarm(CHILD_SECONDS);
		judge_index(life, home, low, high, report);
		_exit(0);
	}
	child_wait(child, report);
	return report->code;
}
