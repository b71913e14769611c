#include "cli/finding.h"

#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/text.h"

static void print_json(const trawl_finding *finding)
{
	printf("{\"damage\":%s,\"segment\":%" PRIu32 ",\"part\":", finding->harmless ? "false" : "true",
	       finding->segment);
	json_write_string(stdout, finding->part, strlen(finding->part));
	if (finding->offset != UINT64_MAX)
		printf(",\"offset\":%" PRIu64, finding->offset);
	fputs(",\"text\":", stdout);
	json_write_string(stdout, finding->text, strlen(finding->text));
	fputs("}\n", stdout);
}

static void print_line(const trawl_finding *finding)
{
	fputs(finding->harmless ? "note: " : "damaged: ", stdout);
	if (finding->segment)
		printf("segment %" PRIu32 ", ", finding->segment);
	fputs(finding->part, stdout);
	if (finding->offset != UINT64_MAX)
		printf(", byte %" PRIu64, finding->offset);
	fputs(": ", stdout);
	clean_write(stdout, finding->text, strlen(finding->text), CLEAN_LINE);
	putchar('\n');
}

void finding_print(void *context, const trawl_finding *finding)
{
	struct finding_printer *printer = context;
	if (printer->met++ >= printer->limit)
		return;
	if (printer->progress.enabled)
		progress_draw(&printer->progress, "");
	(printer->json ? print_json : print_line)(finding);
	fflush(stdout);
}

void finding_progress(void *context, const char *stage, uint64_t done, uint64_t total)
{
	struct finding_printer *printer = context;
	progress_stage(&printer->progress, stage, done, total);
}

int finding_options(const struct finding_command *command, int argc, char **argv, void *settings,
                    struct finding_printer *printer)
{
	int option, code = EXIT_NONE;
	options_begin();
	while (code == EXIT_NONE && (option = getopt_long(argc, argv, ":hq", command->options, NULL)) != -1) {
		switch (option) {
		case 'h': fputs(command->usage, stdout); return EXIT_DONE;
		case 'j': printer->json = true; break;
		case 'q': printer->quiet = true; break;
		case 'F':
			if (!parse_number(optarg, 0, UINT64_MAX, &printer->limit))
				return complain_usage(command->name, "--findings takes a number, not '%s'", optarg);
			break;
		case '?':
		case ':': return complain_option(command->name, option, argv);
		default: code = command->take(settings, option);
		}
	}
	return code;
}

void findings_end(struct finding_printer *printer)
{
	char rest[NUMBER_SIZE];
	progress_end(&printer->progress);
	if (printer->met > printer->limit && !printer->json)
		printf("and %s more\n", grouped(printer->met - printer->limit, rest));
}
