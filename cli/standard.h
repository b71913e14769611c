/* standard.h - the standard descriptors, which whoever starts the tool may have closed: then what is opened first would get their
 * numbers, and messages would be written into an index. */
#ifndef TRAWL_CLI_STANDARD_H
#define TRAWL_CLI_STANDARD_H

#include <stdbool.h>

/* Fill those that are closed, before anything is opened: messages go nowhere then; to read or to write is an error. */
void standard_fill(void);

/* Let output to descriptors that somebody made non-blocking (node, ssh, an editor's pipes) wait for its reader instead of failing. */
void standard_wait(void);

/* After the end or an error of stdin: whether it was only not ready, in a non-blocking descriptor. Now it is: read on. */
bool standard_input_wait(void);

/* A page of the index that cannot be read through the map ends the tool with a message instead of SIGBUS alone. */
void standard_faults(void);

/* Whether standard input was closed: what reads from it complains of that. */
bool standard_input_was_closed(void);

/* Complain, if it was, that `what` ("ids") cannot be read from it: EXIT_ERROR; else EXIT_NONE. */
int refuse_closed_input(const char *command, const char *what);

#endif
