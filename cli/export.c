/* export.c - `trawl export`: all documents of an index as JSON Lines. */
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl export [options] INDEX\n"
    "\n"
    "Writes every document as a line of JSON to standard output: the id, the title, the text, and the further fields\n"
    "beside them, so that `trawl index` makes the same index of it again.\n"
    "\n"
    "  trawl export news.trawl >news.jsonl\n"
    "  trawl export news.trawl | zstd >news.jsonl.zst\n"
    "  trawl export --order input news.trawl       in the order in which they were added\n"
    "  trawl export --id url pages.trawl           of an index made with --id url\n"
    "\n"
    "  --order ORDER                 index: as the documents lie in INDEX, which is another order than that of their\n"
    "                                addition if --order similar was at work (the default); input: as added\n"
    "  --id, --title, --text FIELD   the names of these fields, instead of \"id\", \"title\", \"text\"\n"
    "\n"
    "Bytes that are not UTF-8 become U+FFFD, as JSON wants it.\n"
    "Exit status: 0 done, 2 error.\n";

struct export_options {
	const char *id, *title, *text;
	bool as_added;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The members of the stored object, each line end in it (white space there) a space; what is no object becomes a string. */
static void write_fields(const char *fields, size_t length)
{
	while (length > 0 && is_space(fields[length - 1]))
		length--;
	for (; length > 0 && is_space(*fields); fields++)
		length--;
	if (length == 0)
		return;
	if (length < 2 || fields[0] != '{' || fields[length - 1] != '}') {
		fputs(",\"fields\":", stdout);
		json_write_string(stdout, fields, length);
		return;
	}
	bool empty = true;
	for (size_t i = 1; i < length - 1; i++) {
		if (empty && is_space(fields[i]))
			continue;
		if (empty)
			putchar(',');
		empty = false;
		putchar(fields[i] == '\n' || fields[i] == '\r' ? ' ' : fields[i]);
	}
}

static void write_member(const char *before, const char *name, const char *text, size_t length)
{
	fputs(before, stdout);
	json_write_string(stdout, name, strlen(name));
	putchar(':');
	json_write_string(stdout, text, length);
}

static int export_all(const trawl_index *index, const struct export_options *options)
{
	trawl_error error = {0};
	trawl_document document;
	trawl_scan *scan;
	if (trawl_scan_new(&scan, index, options->as_added, &error) != TRAWL_OK)
		return complain("%s", error.text);
	int found;
	while ((found = trawl_scan_next(scan, &document, &error)) > 0 && !ferror(stdout)) {
		write_member("{", options->id, document.id, document.id_length);
		write_member(",", options->title, document.title, document.title_length);
		write_member(",", options->text, document.text, document.text_length);
		write_fields(document.fields, document.fields_length);
		fputs("}\n", stdout);
	}
	trawl_scan_free(scan);
	return found < 0 ? complain("%s", error.text) : EXIT_DONE;
}

enum { OPTION_ID = 256, OPTION_TITLE, OPTION_TEXT, OPTION_ORDER };

static int set_order(struct export_options *options, const char *order)
{
	options->as_added = strcmp(order, "input") == 0;
	if (options->as_added || strcmp(order, "index") == 0)
		return EXIT_DONE;
	return complain_usage("export", "--order %s: there are index and input", order);
}

int export_command(int argc, char **argv)
{
	static const struct option known[] = {{"order", required_argument, NULL, OPTION_ORDER},
	                                      {"id", required_argument, NULL, OPTION_ID},
	                                      {"title", required_argument, NULL, OPTION_TITLE},
	                                      {"text", required_argument, NULL, OPTION_TEXT},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {0}};
	struct export_options options = {.id = "id", .title = "title", .text = "text"};
	trawl_error error = {0};
	trawl_index *index = NULL;
	int option;
	options_begin();
	while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
		switch (option) {
		case OPTION_ID: options.id = optarg; break;
		case OPTION_TITLE: options.title = optarg; break;
		case OPTION_TEXT: options.text = optarg; break;
		case OPTION_ORDER:
			if (set_order(&options, optarg) != EXIT_DONE)
				return EXIT_ERROR;
			break;
		case 'h': fputs(usage, stdout); return EXIT_DONE;
		default: return complain_option("export", option, argv);
		}
	if (argc - optind != 1)
		return complain_usage("export", "which INDEX? trawl export INDEX");
	if (strcmp(options.id, options.title) == 0 || strcmp(options.id, options.text) == 0 ||
	    strcmp(options.title, options.text) == 0)
		return complain_usage("export", "--id, --title and --text must be three names");
	if (trawl_open(&index, argv[optind], &error) != TRAWL_OK)
		return complain("%s", error.text);
	int code = export_all(index, &options);
	trawl_close(index);
	return code;
}
