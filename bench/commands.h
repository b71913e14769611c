/* commands.h - the measuring subcommands of the tool. argv[0] is the subcommand's name; each returns the exit code:
 * 0 done, 1 measured but the figures cannot be trusted (see docs/BENCHMARKING.md), 2 an error, told on stderr. */
#ifndef TRAWL_BENCH_COMMANDS_H
#define TRAWL_BENCH_COMMANDS_H

int bench_command(int argc, char **argv);
int eval_command(int argc, char **argv);

#endif
