#include "tests/reliability/scenario.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/reliability/interpose.h"

enum { LINE_MAX_BYTES = 400, WORDS_MAX = 64 };

struct play {
	const struct scenario *scenario;
	const struct life *life;
	const struct home *home;
	struct report *report;
	uint32_t at; /* the generation that is there */
};

/* ---- lines ---- */

enum verb {
	VERB_COMMIT,
	VERB_CHURN,
	VERB_KILLED,
	VERB_ABANDON,
	VERB_INDEX,
	VERB_LARGE,
	VERB_COMMITS,
	VERB_FOLLOW,
	VERB_DELETE,
	VERB_MATCHES,
	VERB_SALVAGE,
	VERB_TOOL,
	VERB_SPILLED,
	VERB_REPLACED
};

static const struct {
	const char *name;
	bool counted; /* a number of generations follows */
	enum life_kind kind;
} verbs[] = {
    [VERB_COMMIT] = {"commit", true, LIFE_ANY},     [VERB_CHURN] = {"churn", true, LIFE_FAT},
    [VERB_KILLED] = {"killed", false, LIFE_ANY},    [VERB_ABANDON] = {"abandon", false, LIFE_ANY},
    [VERB_INDEX] = {"index", true, LIFE_ADDS},      [VERB_LARGE] = {"large", true, LIFE_LARGE},
    [VERB_COMMITS] = {"commits", true, LIFE_ADDS},  [VERB_FOLLOW] = {"follow", true, LIFE_FILES},
    [VERB_DELETE] = {"delete", true, LIFE_DELETES}, [VERB_MATCHES] = {"matches", true, LIFE_MATCHES},
    [VERB_SALVAGE] = {"salvage", false, LIFE_ANY},  [VERB_TOOL] = {"tool", false, LIFE_ANY},
    [VERB_SPILLED] = {"spilled", false, LIFE_ANY},  [VERB_REPLACED] = {"replaced", false, LIFE_ANY},
};

struct line {
	enum verb verb;
	uint32_t count;
	char *rest; /* into `text` */
	char text[LINE_MAX_BYTES];
};

static int fail(trawl_error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error->code = -1;
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	return -1;
}

/* 1: a line; 0: the end; -1: it means nothing. */
static int next_line(FILE *file, struct line *line, trawl_error *error)
{
	do {
		if (!fgets(line->text, sizeof line->text, file))
			return 0;
		line->text[strcspn(line->text, "#\n")] = 0;
		for (size_t end = strlen(line->text); end && line->text[end - 1] == ' '; end--)
			line->text[end - 1] = 0;
	} while (!line->text[0]);
	size_t length = strcspn(line->text, " ");
	line->rest = line->text + length;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strlen(verbs[i].name) != length || strncmp(verbs[i].name, line->text, length) != 0)
			continue;
		line->verb = (enum verb)i;
		line->count = 0;
		if (verbs[i].counted || i == VERB_KILLED)
			line->count = (uint32_t)strtoul(line->rest, &line->rest, 10);
		return 1;
	}
	return fail(error, "no such line: %.300s", line->text);
}

int scenario_read(struct scenario *scenario, trawl_error *error)
{
	struct line line;
	uint32_t at = 0;
	int code;
	FILE *file = fopen(scenario->path, "re");
	if (!file)
		return fail(error, "%s cannot be read", scenario->path);
	for (uint32_t g = 0; g <= GENERATIONS_MAX; g++)
		scenario->reach[g] = g + 1;
	while ((code = next_line(file, &line, error)) == 1) {
		if (line.verb == VERB_SALVAGE)
			scenario->rescued = at;
		if (!verbs[line.verb].counted)
			continue;
		if (line.count > GENERATIONS_MAX - 2 - at) {
			code = fail(error, "too many generations");
			break;
		}
		if (line.verb == VERB_COMMITS)
			scenario->reach[at] = at + line.count;
		for (uint32_t end = at + line.count; at < end;)
			scenario->kinds[++at] = (uint8_t)verbs[line.verb].kind;
	}
	fclose(file);
	return code;
}

/* ---- the tool ---- */

/* Words for the tool, which is run in the folder of inputs; what it prints goes to the file `said` there. */
struct words {
	const char *list[WORDS_MAX + 1];
	size_t count;
};

static void add_word(struct words *words, const char *word)
{
	if (words->count == WORDS_MAX)
		abort();
	words->list[words->count++] = word;
}

static void add_words(const struct play *play, struct words *words, char *text)
{
	char *rest = NULL;
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add_word(words, strcmp(word, "{index}") == 0 ? play->home->index : word);
}

static int run_tool(const struct play *play, const struct words *words)
{
	const struct scenario *scenario = play->scenario;
	if (!scenario->tool || !scenario->interpose)
		return fail(&play->report->why, "there is no tool");
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		int said = chdir(scenario->inputs) == 0 ? open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
		if (said < 0 || dup2(said, STDOUT_FILENO) < 0)
			_exit(98);
		setenv("FAULT_FOLDER", play->home->folder, 1);
		setenv("FAULT_LOG", scenario->log, 1);
		setenv("LD_PRELOAD", scenario->interpose, 1);
		execv(scenario->tool, (char **)words->list);
		_exit(99);
	}
	return child_wait(child, play->report);
}

static FILE *open_input(const struct play *play, const char *name)
{
	char path[500];
	snprintf(path, sizeof path, "%s/%s", play->scenario->inputs, name);
	FILE *file = fopen(path, "we");
	if (!file) {
		perror(path);
		_exit(3);
	}
	return file;
}

/* How often the tool spilled, of what it said as JSON. */
static unsigned long spills(const struct play *play)
{
	char path[500], said[2000] = "";
	snprintf(path, sizeof path, "%s/said", play->scenario->inputs);
	FILE *file = fopen(path, "re");
	if (file) {
		said[fread(said, 1, sizeof said - 1, file)] = 0;
		fclose(file);
	}
	const char *runs = strstr(said, "\"runs\":");
	return runs ? strtoul(runs + 7, NULL, 10) : 0;
}

/* Generations at + 1 to `to` by one run of `trawl index`. */
static int play_index(struct play *play, const struct line *line, uint32_t to)
{
	struct life_step steps[LIFE_STEPS];
	struct words words = {{"trawl", "index", "-q", "--json"}, 4};
	char text[LINE_MAX_BYTES], every[16];
	FILE *input = open_input(play, "lines.jsonl");
	for (uint32_t g = play->at + 1; g <= to; g++)
		for (size_t i = 0, count = life_steps(play->life, g, steps); i < count; i++)
			life_write(play->life, steps[i].id, g, true, input);
	fclose(input);
	snprintf(text, sizeof text, "%s", line->rest);
	add_words(play, &words, text);
	snprintf(every, sizeof every, "%d", LIFE_BATCH);
	if (line->verb == VERB_COMMITS) {
		add_word(&words, "--commit-every");
		add_word(&words, every);
	}
	add_word(&words, play->home->index);
	add_word(&words, "lines.jsonl");
	return run_tool(play, &words);
}

static int play_delete(struct play *play, const struct line *line, uint32_t g)
{
	struct life_step steps[LIFE_STEPS];
	struct words words = {{"trawl", "delete", "-q"}, 3};
	char ids[LIFE_STEPS][24];
	size_t count = life_steps(play->life, g, steps);
	const char *query = life_query(play->life, g);
	if (!steps[0].deletes) /* there was nothing to delete */
		return write_generations(play->life, play->home, g, g, &play->report->why);
	if (query) {
		add_word(&words, play->home->index);
		add_word(&words, "--query");
		add_word(&words, query);
		return run_tool(play, &words);
	}
	if (line->verb == VERB_MATCHES)
		return fail(&play->report->why, "generation %u deletes without a query", g);
	add_word(&words, play->home->index);
	for (size_t i = 0; i < count; i++) {
		snprintf(ids[i], sizeof ids[i], "document/%u", steps[i].id);
		add_word(&words, ids[i]);
	}
	return run_tool(play, &words);
}

static int play_follow(struct play *play, uint32_t g)
{
	struct words words = {
	    {"trawl", "index", "-q", "--delete-missing", "--format", "text", play->home->index, "document"}, 8};
	for (uint32_t id = 0; id < LIFE_IDS; id++) {
		char name[40], path[500];
		uint32_t version = life_version(play->life, g, id);
		snprintf(name, sizeof name, "document/%u", id);
		snprintf(path, sizeof path, "%s/%s", play->scenario->inputs, name);
		unlink(path);
		if (!version)
			continue;
		FILE *file = open_input(play, name);
		life_write(play->life, id, version, false, file);
		fclose(file);
	}
	return run_tool(play, &words);
}

static int play_salvage(struct play *play)
{
	char path[500];
	struct words words = {{"trawl", "salvage", "-q", play->home->index, path}, 5};
	home_rescued(play->home, path, sizeof path);
	if (run_tool(play, &words) != 0)
		return -1;
	if (access(path, F_OK) != 0)
		return fail(&play->report->why, "generation %u has nothing to rescue", play->at);
	journal_add(play->home, play->at, "rescued");
	return 0;
}

/* ---- the library ---- */

static int abandon(const struct play *play)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	int code = trawl_writer_open(&writer, play->home->index, &options, &play->report->why);
	for (uint32_t g = play->at; !code && g < play->at + 3; g++)
		code = life_change(play->life, writer, g + 1, &play->report->why);
	trawl_writer_close(writer);
	return code;
}

static int play_killed(struct play *play, uint64_t call)
{
	fflush(NULL);
	pid_t child = fork();
	int status;
	if (child == 0) {
		trawl_error error;
		fault_plan->calls = CALLS_CHANGE;
		fault_plan->at = call;
		fault_plan->times = 1;
		fault_plan->kill = KILL_BEFORE;
		write_generations(play->life, play->home, play->at + 1, play->at + 1, &error);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status))
		return fail(&play->report->why, "a writer has fewer than %llu changes to make",
		            (unsigned long long)call);
	return 0;
}

static int play_replaced(struct scenario *scenario, const struct play *play)
{
	struct stat status;
	if (stat(play->home->index, &status) != 0 || status.st_ino == scenario->inode)
		return fail(&play->report->why, "the file was not replaced by generation %u", play->at);
	scenario->inode = status.st_ino;
	return 0;
}

/* ---- playing ---- */

static int play_generations(struct play *play, const struct line *line)
{
	uint32_t end = play->at + line->count;
	while (play->at < end) {
		uint32_t g = line->verb == VERB_COMMITS ? end : play->at + 1;
		int code = line->verb == VERB_FOLLOW                                 ? play_follow(play, g)
		           : line->verb == VERB_DELETE || line->verb == VERB_MATCHES ? play_delete(play, line, g)
		                                                                     : play_index(play, line, g);
		if (code)
			return code;
		journal_add(play->home, g, "");
		play->at = g;
	}
	return 0;
}

static int play_line(struct scenario *scenario, struct play *play, struct line *line)
{
	struct words words = {{"trawl"}, 1};
	uint32_t from = play->at + 1;
	switch (line->verb) {
	case VERB_COMMIT:
	case VERB_CHURN:
		play->at += line->count;
		return write_generations(play->life, play->home, from, play->at, &play->report->why);
	case VERB_KILLED: return play_killed(play, line->count);
	case VERB_ABANDON: return abandon(play);
	case VERB_SALVAGE: return play_salvage(play);
	case VERB_SPILLED:
		return spills(play) ? 0 : fail(&play->report->why, "generation %u: the tool did not spill", play->at);
	case VERB_REPLACED: return play_replaced(scenario, play);
	case VERB_TOOL: add_words(play, &words, line->rest); return run_tool(play, &words);
	default: return play_generations(play, line);
	}
}

void scenario_play(struct scenario *scenario, const struct life *life, const struct home *home, struct report *report)
{
	struct line line;
	struct stat status;
	struct play play = {scenario, life, home, report, 0};
	char folder[500];
	FILE *file = fopen(scenario->path, "re");
	snprintf(folder, sizeof folder, "%s/document", scenario->inputs);
	mkdir(scenario->inputs, 0700);
	mkdir(folder, 0700);
	while (!report->code && file && (report->code = next_line(file, &line, &report->why)) == 1) {
		report->code = play_line(scenario, &play, &line);
		if (!report->code && !scenario->inode && stat(home->index, &status) == 0)
			scenario->inode = status.st_ino;
	}
	if (file)
		fclose(file);
	report->found = play.at;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

void scenario_remove_inputs(const struct scenario *scenario)
{
	nftw(scenario->inputs, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
