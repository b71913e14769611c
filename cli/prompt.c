#include "cli/prompt.h"

#ifdef TRAWL_LIBEDIT

#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/terminal.h"

#define LINES_KEPT 1000

struct prompt {
	EditLine *editor;
	History *history;
	char path[PATH_MAX]; /* of the history; "": none is kept */
};

static char *prompt_text(EditLine *editor)
{
	static char text[] = "> ";
	(void)editor;
	return text;
}

/* Bytes above 127 are characters only in the right locale; where none is set, UTF-8 is. */
static void set_character_set(void)
{
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* Make the folders up to the last slash of the path. */
static bool make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	*strrchr(path, '/') = 0;
	bool there = access(path, W_OK) == 0;
	path[strlen(path)] = '/';
	return there;
}

static void find_history(struct prompt *prompt)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length = -1;
	if (state && state[0] == '/')
		length = snprintf(prompt->path, sizeof prompt->path, "%s/trawl/history", state);
	else if (home && home[0] == '/')
		length = snprintf(prompt->path, sizeof prompt->path, "%s/.local/state/trawl/history", home);
	if (length < 0 || (size_t)length >= sizeof prompt->path || !make_folders(prompt->path))
		prompt->path[0] = 0;
}

/* A new file in the place of the old one: a history is whole or not there. */
static void save_history(struct prompt *prompt)
{
	char path[PATH_MAX + 16];
	HistEvent event;
	if (!prompt->path[0])
		return;
	snprintf(path, sizeof path, "%s.%ld", prompt->path, (long)getpid());
	mode_t mask = umask(077);
	if (history(prompt->history, &event, H_SAVE, path) < 0 || rename(path, prompt->path) != 0)
		unlink(path);
	umask(mask);
}

static FILE *screen(void)
{
	return isatty(STDERR_FILENO) ? stderr : isatty(STDOUT_FILENO) ? stdout : NULL;
}

struct prompt *prompt_open(void)
{
	HistEvent event;
	if (!isatty(STDIN_FILENO) || !screen() || fileno(screen()) < 0 || terminal_is_dumb())
		return NULL;
	struct prompt *prompt = calloc(1, sizeof *prompt);
	if (!prompt)
		return NULL;
	set_character_set();
	prompt->editor = el_init("trawl", stdin, screen(), stderr);
	prompt->history = history_init();
	if (!prompt->editor || !prompt->history) {
		prompt_close(prompt);
		return NULL;
	}
	find_history(prompt);
	history(prompt->history, &event, H_SETSIZE, LINES_KEPT);
	history(prompt->history, &event, H_SETUNIQUE, 1);
	if (prompt->path[0])
		history(prompt->history, &event, H_LOAD, prompt->path);
	el_set(prompt->editor, EL_PROMPT, prompt_text);
	el_set(prompt->editor, EL_EDITOR, "emacs");
	el_set(prompt->editor, EL_SIGNAL, 1);
	el_set(prompt->editor, EL_HIST, history, prompt->history);
	el_set(prompt->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(prompt->editor, NULL); /* ~/.editrc */
	return prompt;
}

void prompt_close(struct prompt *prompt)
{
	if (!prompt)
		return;
	if (prompt->history)
		history_end(prompt->history);
	if (prompt->editor)
		el_end(prompt->editor);
	free(prompt);
}

const char *prompt_read(struct prompt *prompt, size_t *length)
{
	HistEvent event;
	int count = 0;
	const char *line = el_gets(prompt->editor, &count);
	if (!line || count <= 0) {
		fputs("\n", screen());
		return NULL;
	}
	*length = (size_t)count;
	if (strspn(line, " \t\r\n") < *length) {
		history(prompt->history, &event, H_ENTER, line);
		save_history(prompt);
	}
	*length -= line[*length - 1] == '\n';
	return line;
}

const char *prompt_kind(void)
{
	return "line editing by libedit";
}

#else

struct prompt *prompt_open(void)
{
	return 0;
}

void prompt_close(struct prompt *prompt)
{
	(void)prompt;
}

const char *prompt_read(struct prompt *prompt, size_t *length)
{
	(void)prompt;
	*length = 0;
	return 0;
}

const char *prompt_kind(void)
{
	return "no line editing: built without libedit";
}

#endif
