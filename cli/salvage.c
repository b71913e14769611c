/* salvage.c - `trawl salvage`: the documents of a damaged index that are whole, in a new one. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/finding.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "trawl.h"

static const char usage[] =
    "trawl salvage [options] INDEX NEW\n"
    "\n"
    "Writes every document of a damaged index that still verifies to a new index. The old one is only read.\n"
    "Documents share checksums, up to 256 KiB of them compressed: one bad byte costs those that share it.\n"
    "\n"
    "  trawl salvage notes.trawl rescued.trawl\n"
    "\n"
    "  --memory SIZE        use up to so much memory, as 512M or 2G; a quarter of the RAM unless said\n"
    "  --findings N         print at most N findings, 20 unless said\n"
    "  --json               findings and the summary as JSON, one object a line\n"
    "  -q, --quiet          no progress\n"
    "\n"
    "The new index is made with the settings of the old one. Should they be lost, these count:\n"
    "\n"
    "  --language L         the language whose endings are stemmed, english unless said\n"
    "  --stop-words         leave out the language's stop words\n"
    "  --fold-diacritics    let words be found without their accents\n"
    "  --no-positions       an index in which phrases cannot be searched\n"
    "\n"
    "Exit status: 0 every document was rescued, 1 some were lost, 2 none was rescued, or an error.\n";

static void print_summary(const char *path, const trawl_salvage_result *result)
{
	char rescued[NUMBER_SIZE], lost[NUMBER_SIZE];
	grouped(result->rescued, rescued);
	grouped(result->lost, lost);
	if (!result->rescued)
		printf("nothing could be rescued: %s%s documents are lost\n", result->lost_exact ? "" : "at least ",
		       lost);
	else if (result->lost_exact)
		printf("rescued %s documents into %s; %s lost\n", rescued, path, result->lost ? lost : "none");
	else
		printf("rescued %s documents into %s; at least %s lost, how many cannot be told\n", rescued, path,
		       lost);
	if (!result->analysis_known && result->rescued)
		puts("the old index's settings are lost: language and positions are those of the command line");
}

static void print_json(const trawl_salvage_result *result)
{
	printf("{\"rescued\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"lost_exact\":%s,\"pages_searched\":%s,\"analysis_known\":%s}\n",
	       result->rescued, result->lost, result->lost_exact ? "true" : "false", result->scanned ? "true" : "false",
	       result->analysis_known ? "true" : "false");
}

static int salvage(const char *path, const char *new_path, const trawl_salvage_options *options,
                   struct finding_printer *printer)
{
	trawl_error error = {0};
	trawl_salvage_result result;
	int code = trawl_salvage(path, new_path, options, &result, &error);
	findings_end(printer);
	if (code < 0)
		return complain("%s", error.text);
	if (printer->json)
		print_json(&result);
	else
		print_summary(new_path, &result);
	if (!result.rescued && (result.lost || !result.lost_exact))
		return EXIT_ERROR;
	return result.lost || !result.lost_exact ? EXIT_NONE : EXIT_DONE;
}

static int take_option(void *settings, int option)
{
	trawl_salvage_options *options = settings;
	uint64_t memory;
	switch (option) {
	case 'l': options->analysis.language = optarg; break;
	case 's': options->analysis.stop_words = true; break;
	case 'd': options->analysis.fold_diacritics = true; break;
	case 'p': options->no_positions = true; break;
	default:
		if (!parse_size(optarg, &memory) || memory < (1 << 20))
			return complain_usage("salvage", "--memory takes a size of at least 1M, not '%s'", optarg);
		options->memory_budget = memory;
	}
	return EXIT_NONE;
}

int salvage_command(int argc, char **argv)
{
	static const struct option known[] = {{"memory", required_argument, NULL, 'm'},
	                                      FINDING_OPTIONS,
	                                      {"language", required_argument, NULL, 'l'},
	                                      {"stop-words", no_argument, NULL, 's'},
	                                      {"fold-diacritics", no_argument, NULL, 'd'},
	                                      {"no-positions", no_argument, NULL, 'p'},
	                                      {0}};
	static const struct finding_command command = {"salvage", usage, known, take_option};
	struct finding_printer printer = {.limit = FINDINGS_PRINTED};
	trawl_salvage_options options = {.finding = finding_print, .progress = finding_progress, .context = &printer};
	int code = finding_options(&command, argc, argv, &options, &printer);
	if (code != EXIT_NONE)
		return code;
	if (optind + 2 != argc)
		return complain_usage("salvage", "it takes a damaged INDEX and a NEW one");
	if (!printer.quiet && !options.memory_budget)
		tell_little_memory("salvage");
	progress_begin(&printer.progress, !printer.quiet);
	return salvage(argv[optind], argv[optind + 1], &options, &printer);
}
