/* main.c - `trawl`: find the subcommand and run it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/commands.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/prompt.h"
#include "cli/standard.h"
#include "cli/terminal.h"
#include "trawl.h"

static const char usage[] =
    "trawl indexes documents into one file and finds them by relevance.\n"
    "\n"
    "  trawl index notes.trawl ~/notes             index a folder of texts\n"
    "  trawl index news.trawl news.jsonl.gz        or JSON Lines: a title and a text each line\n"
    "  trawl delete notes.trawl ID                 take a document out again\n"
    "  trawl search notes.trawl rain in spain      documents with any of the words, best first\n"
    "  trawl search notes.trawl '\"in spain\" +rain'  a phrase; a word that must be there\n"
    "  trawl search notes.trawl -- rain -spain     without one\n"
    "  trawl show notes.trawl ID                   one whole document\n"
    "  trawl export notes.trawl                    all documents, as JSON Lines\n"
    "  trawl stats notes.trawl                     what is inside, and what it weighs\n"
    "  trawl merge notes.trawl                     fewer segments, no deleted documents\n"
    "  trawl compact notes.trawl                   the smallest file\n"
    "  trawl copy notes.trawl monday.trawl         a copy of the last commit, also while it is written\n"
    "  trawl check notes.trawl                     is it whole, byte by byte\n"
    "  trawl salvage notes.trawl rescued.trawl     what is whole of a damaged index, into a new one\n"
    "  trawl bench INDEX QUERIES                   how fast searches are\n"
    "  trawl eval INDEX QUERIES QRELS              how good their results are\n"
    "\n"
    "'trawl COMMAND --help' tells more; 'trawl --version' tells the version.\n"
    "Exit status: 0 found or done, 1 nothing found, 2 error.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {{"index", index_command}, {"delete", delete_command},   {"search", search_command},
                {"show", show_command},   {"export", export_command},   {"stats", stats_command},
                {"merge", merge_command}, {"compact", compact_command}, {"copy", copy_command},
                {"check", check_command}, {"salvage", salvage_command}, {"bench", bench_command},
                {"eval", eval_command}};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT + 2];
	for (int i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	names[COMMAND_COUNT] = "help";
	names[COMMAND_COUNT + 1] = NULL;
	const char *nearest = nearest_word(name, names);
	if (nearest)
		return complain("no command '%s'; did you mean '%s'? ('trawl --help' lists them)", name, nearest);
	return complain("no command '%s' ('trawl --help' lists them)", name);
}

static int run_command(int argc, char **argv)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	return unknown_command(argv[0]);
}

static int help_command(const char *name)
{
	char help_option[] = "--help";
	if (!name) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	char *arguments[] = {(char *)name, help_option, NULL};
	return run_command(2, arguments);
}

int main(int argc, char **argv)
{
	int code;
	standard_fill();
	standard_wait();
	standard_faults();
	signal(SIGXFSZ, SIG_IGN); /* a write past the limit of file sizes fails, and is reported */
	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_ERROR;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		code = help_command(argv[2]);
	} else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("trawl %s (%s kernels), %s\n", trawl_version(), trawl_kernel_name(), prompt_kind());
		code = EXIT_DONE;
	} else if (argv[1][0] == '-') {
		code = complain("unknown option %s; a command comes first ('trawl --help' lists them)", argv[1]);
	} else {
		code = run_command(argc - 1, argv + 1);
	}
	return finish_output(code);
}
