/* commands.h - the subcommands. argv[0] is the subcommand's name; each returns the exit code. */
#ifndef TRAWL_CLI_COMMANDS_H
#define TRAWL_CLI_COMMANDS_H

enum exit_code {
	EXIT_DONE = 0,    /* hits, or done */
	EXIT_NONE = 1,    /* no hits, no such document, nothing to index, or not all of it; damage found */
	EXIT_ERROR = 2,   /* an error, told on stderr */
	EXIT_SIGNAL = 128 /* plus the signal's number */
};

int export_command(int argc, char **argv);
int index_command(int argc, char **argv);
int delete_command(int argc, char **argv);
int search_command(int argc, char **argv);
int show_command(int argc, char **argv);
int stats_command(int argc, char **argv);
int check_command(int argc, char **argv);
int salvage_command(int argc, char **argv);
int merge_command(int argc, char **argv);
int compact_command(int argc, char **argv);
int copy_command(int argc, char **argv);

#endif
