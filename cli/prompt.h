/* prompt.h - lines from a person at a terminal, with editing and a history (libedit, where the tool is built with it). */
#ifndef TRAWL_CLI_PROMPT_H
#define TRAWL_CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct prompt;

/* NULL: standard input is no terminal, or one without a cursor to move, or there is no libedit. The history is the file trawl/history in
 * the folder $XDG_STATE_HOME (~/.local/state), for its owner alone; where that cannot be, it is not kept. */
struct prompt *prompt_open(void);
void prompt_close(struct prompt *prompt); /* NULL is fine */

/* The next line, without its end; it lives until the next call. NULL at the end. */
const char *prompt_read(struct prompt *prompt, size_t *length);

/* How lines are edited, for --version. Static storage. */
const char *prompt_kind(void);

#endif
