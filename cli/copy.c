/* copy.c - `trawl copy`: one commit in a file of its own, also while a writer goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl copy [options] INDEX NEW\n"
    "\n"
    "Copies the last commit of INDEX to a new file, also while another process writes it; 'cp' may copy halves of two\n"
    "commits then. Every byte is verified while it is read. NEW must not exist yet; it appears whole, or not at all.\n"
    "\n"
    "  trawl copy notes.trawl /backup/notes-monday.trawl\n"
    "\n"
    "  --json               the outcome as one line of JSON\n"
    "  -q, --quiet          print nothing but errors\n"
    "\n"
    "Exit status: 0 done, 2 an error; then there is no NEW.\n";

static void show_progress(void *context, uint64_t bytes, uint64_t total)
{
	struct progress *progress = context;
	char line[96], sizes[2][NUMBER_SIZE];
	if (!progress_due(progress))
		return;
	snprintf(line, sizeof line, "copying: %s of %s", megabytes(bytes, sizes[0]), megabytes(total, sizes[1]));
	progress_draw(progress, line);
}

static int run_copy(const char *path, const char *new_path, bool quiet, bool json)
{
	trawl_error error = {0};
	struct progress progress;
	uint64_t bytes = 0;
	char size[NUMBER_SIZE];
	double begun = clock_seconds();
	progress_begin(&progress, !quiet && !json);
	int code = trawl_copy(path, new_path, show_progress, &progress, &bytes, &error);
	progress_end(&progress);
	if (code < 0)
		return complain("%s", error.text);
	double seconds = clock_seconds() - begun;
	if (json) {
		printf("{\"bytes\":%" PRIu64 ",\"seconds\":%.3f}\n", bytes, seconds);
	} else if (!quiet) {
		fputs("copied ", stdout);
		clean_write(stdout, path, strlen(path), CLEAN_LINE);
		fputs(" to ", stdout);
		clean_write(stdout, new_path, strlen(new_path), CLEAN_LINE);
		printf(", %s in %.2f s\n", megabytes(bytes, size), seconds);
	}
	return EXIT_DONE;
}

int copy_command(int argc, char **argv)
{
	static const struct option options[] = {
	    {"quiet", no_argument, NULL, 'q'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	bool quiet = false, json = false;
	int option;
	options_begin();
	while ((option = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
		switch (option) {
		case 'h': fputs(usage, stdout); return EXIT_DONE;
		case 'q': quiet = true; break;
		case 'j': json = true; break;
		default: return complain_option("copy", option, argv);
		}
	}
	if (optind + 2 != argc)
		return complain_usage("copy", "it takes an INDEX and a NEW file");
	if (strcmp(argv[optind + 1], "-") == 0)
		return complain(
		    "copy needs the name of a file: an index cannot go through a pipe, for its beginning is "
		    "written last");
	return run_copy(argv[optind], argv[optind + 1], quiet, json);
}
