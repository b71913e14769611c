/* check.c - `trawl check`: is an index whole? */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/finding.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "trawl.h"

static const char usage[] = "trawl check [options] INDEX\n"
                            "\n"
                            "Verifies an index byte by byte: the pages of the file, the checksums, and then whether "
                            "what is stored makes sense,\n"
                            "down to the last posting, position and document. The index is only read; searches and a "
                            "writer may go on meanwhile.\n"
                            "\n"
                            "  trawl check notes.trawl\n"
                            "  trawl check --quick notes.trawl      pages, manifest and roots of segments only\n"
                            "\n"
                            "  --quick        verify in a moment what everything else hangs on\n"
                            "  --text         also analyse every document again and compare it with what the postings "
                            "say: as slow as indexing\n"
                            "  --findings N   print at most N findings, 20 unless said; the rest are counted\n"
                            "  --json         findings and the summary as JSON, one object a line\n"
                            "  -q, --quiet    no progress\n"
                            "\n"
                            "What can be read of a damaged index is rescued by: trawl salvage INDEX NEW\n"
                            "\n"
                            "Exit status: 0 whole, 1 damaged, 2 it could not be checked.\n";

static void print_summary(const char *path, const trawl_check_result *result, bool quick, double seconds)
{
	char documents[NUMBER_SIZE], terms[NUMBER_SIZE], postings[NUMBER_SIZE], read[NUMBER_SIZE], damages[NUMBER_SIZE];
	grouped(result->documents, documents);
	grouped(result->damages, damages);
	if (result->damages)
		printf("%s is damaged: %s finding%s; rescue what is whole with: trawl salvage %s NEW\n", path, damages,
		       result->damages == 1 ? "" : "s", path);
	else if (quick)
		printf("%s looks whole: generation %" PRIu64 ", %" PRIu64 " segments, %s documents\n", path,
		       result->generation, result->segments, documents);
	else
		printf("%s is whole: generation %" PRIu64 ", %" PRIu64
		       " segments, %s documents, %s terms, %s postings; %s read in %.2f s\n",
		       path, result->generation, result->segments, documents, grouped(result->terms, terms),
		       grouped(result->postings, postings), megabytes(result->bytes_read, read), seconds);
}

static void print_json(const trawl_check_result *result, bool quick, double seconds)
{
	printf("{\"whole\":%s,\"quick\":%s,\"damages\":%" PRIu64 ",\"leftovers\":%" PRIu64 ",\"generation\":%" PRIu64
	       ",\"segments\":%" PRIu64 ",\"documents\":%" PRIu64 ",\"terms\":%" PRIu64 ",\"postings\":%" PRIu64
	       ",\"extents\":%" PRIu64 ",\"bytes_read\":%" PRIu64 ",\"seconds\":%.3f}\n",
	       result->damages ? "false" : "true", quick ? "true" : "false", result->damages, result->leftovers,
	       result->generation, result->segments, result->documents, result->terms, result->postings,
	       result->extents, result->bytes_read, seconds);
}

static int check(const char *path, trawl_check_options *options, struct finding_printer *printer)
{
	trawl_error error = {0};
	trawl_check_result result;
	double begun = clock_seconds();
	int code = trawl_check(path, options, &result, &error);
	findings_end(printer);
	if (code < 0)
		return complain("%s", error.text);
	if (printer->json)
		print_json(&result, options->quick, clock_seconds() - begun);
	else
		print_summary(path, &result, options->quick, clock_seconds() - begun);
	return result.damages ? EXIT_NONE : EXIT_DONE;
}

static int take_option(void *settings, int option)
{
	trawl_check_options *options = settings;
	*(option == 'Q' ? &options->quick : &options->text) = true;
	return EXIT_NONE;
}

int check_command(int argc, char **argv)
{
	static const struct option known[] = {
	    {"quick", no_argument, NULL, 'Q'}, {"text", no_argument, NULL, 't'}, FINDING_OPTIONS, {0}};
	static const struct finding_command command = {"check", usage, known, take_option};
	struct finding_printer printer = {.limit = FINDINGS_PRINTED};
	trawl_check_options options = {.finding = finding_print, .progress = finding_progress, .context = &printer};
	int code = finding_options(&command, argc, argv, &options, &printer);
	if (code != EXIT_NONE)
		return code;
	if (optind + 1 != argc)
		return complain_usage("check", "it takes one INDEX");
	progress_begin(&printer.progress, !printer.quiet);
	return check(argv[optind], &options, &printer);
}
