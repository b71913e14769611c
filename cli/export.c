/* export.c - `trawl export`: all documents of an index as JSON Lines. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/options.h"
#include "cli/reserved.h"
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
    "  --files                       also the files that documents came from, for --delete-missing\n"
    "\n"
    "What these members cannot say stands in a last one, \"_trawl\", which `trawl index` understands: exact bytes "
    "where\n"
    "they are not UTF-8, which is U+FFFD in the others, and fields of which a name would come twice.\n"
    "Exit status: 0 done, 2 error.\n";

struct export_options {
	const char *id, *title, *text;
	bool as_added, files;
};

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* How the stored fields can be written. */
enum fields_form {
	FIELDS_NONE,
	FIELDS_MEMBERS, /* beside id, title and text: reading them gives the same bytes */
	FIELDS_OBJECT,  /* as an object of their own: a name would come twice */
	FIELDS_BYTES    /* they are no JSON object, or one that a line or a reader cannot hold as it is */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether there is no white space around the members of a valid object, where a reader would drop it. */
static bool is_tight(const char *object, size_t length)
{
	size_t depth = 0;
	bool within = false; /* a string */
	for (size_t i = 0; i < length; i++) {
		char c = object[i];
		if (within && c == '\\') {
			i++;
		} else if (c == '"') {
			within = !within;
		} else if (!within) {
			bool closes = c == '}' || c == ']', parts = depth == 1 && (c == ',' || closes);
			if ((parts && is_space(object[i - 1])) || (depth == 1 && c == ',' && object[i + 1] != '"'))
				return false;
			depth += c == '{' || c == '[';
			depth -= closes;
		}
	}
	return length > 2 && object[0] == '{' && object[1] == '"';
}

static bool has_name(const json_t *object, const struct export_options *options)
{
	const char *const names[] = {options->id, options->title, options->text, RESERVED_NAME};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_object_get(object, names[i]))
			return true;
	return false;
}

static enum fields_form form_of_fields(const char *fields, size_t length, const struct export_options *options)
{
	if (length == 0)
		return FIELDS_NONE;
	if (memchr(fields, '\n', length) || memchr(fields, '\r', length) || fields[0] != '{' ||
	    fields[length - 1] != '}')
		return FIELDS_BYTES;
	json_t *object =
	    json_loadb(fields, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	enum fields_form form = !json_is_object(object)                                  ? FIELDS_BYTES
	                        : has_name(object, options) || !is_tight(fields, length) ? FIELDS_OBJECT
	                                                                                 : FIELDS_MEMBERS;
	json_decref(object);
	return form;
}

/* As stored into a file or pipe; safe to look at on a terminal. */
static void write_raw(const char *json, size_t length)
{
	if (isatty(STDOUT_FILENO))
		json_write_raw(stdout, json, length);
	else
		fwrite(json, 1, length, stdout);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static void write_name(const char *before, const char *name)
{
	fputs(before, stdout);
	json_write_string(stdout, name, strlen(name));
	putchar(':');
}

static void write_member(const char *before, const char *name, const char *text, size_t length)
{
	write_name(before, name);
	json_write_string(stdout, text, length);
}

/* A member of the reserved one, which begins with the first. */
static void begin_reserved(bool *begun, const char *name)
{
	write_name(*begun ? "," : ",\"" RESERVED_NAME "\":{", name);
	*begun = true;
}

static void write_bytes(bool *begun, const char *name, const char *bytes, size_t length)
{
	begin_reserved(begun, name);
	putchar('"');
	bytes_write(stdout, bytes, length);
	putchar('"');
}

static void write_reserved(const trawl_document *document, const struct origin *origin, enum fields_form form,
                           const struct export_options *options)
{
	bool begun = false;
	if (!id_is_plain(document->id, document->id_length, true))
		write_bytes(&begun, "id", document->id, document->id_length);
	if (!is_text(document->title, document->title_length))
		write_bytes(&begun, "title", document->title, document->title_length);
	if (!is_text(document->text, document->text_length))
		write_bytes(&begun, "text", document->text, document->text_length);
	if (form == FIELDS_BYTES)
		write_bytes(&begun, "fields", document->fields, document->fields_length);
	if (form == FIELDS_OBJECT) {
		begin_reserved(&begun, "fields");
		write_raw(document->fields, document->fields_length);
	}
	if (options->files && origin->known) {
		begin_reserved(&begun, "file");
		if (origin->is_id)
			fputs("true", stdout);
		else
			printf("\"%.*s\"", (int)origin->file_length, origin->file);
	}
	if (begun)
		putchar('}');
}

static void write_document(const trawl_document *document, const struct origin *origin,
                           const struct export_options *options)
{
	enum fields_form form = form_of_fields(document->fields, document->fields_length, options);
	write_name("{", options->id);
	id_write_export(stdout, document->id, document->id_length);
	write_member(",", options->title, document->title, document->title_length);
	write_member(",", options->text, document->text, document->text_length);
	if (form == FIELDS_MEMBERS) {
		putchar(',');
		write_raw(document->fields + 1, document->fields_length - 2);
	}
	write_reserved(document, origin, form, options);
	fputs("}\n", stdout);
}

static int export_all(const trawl_index *index, const struct export_options *options)
{
	trawl_error error = {0};
	trawl_document document;
	trawl_scan *scan;
	struct origin origin;
	char *memory;
	if (trawl_scan_new(&scan, index, options->as_added, &error) != TRAWL_OK)
		return complain("%s", error.text);
	int found;
	while ((found = trawl_scan_next(scan, &document, &error)) > 0 && !ferror(stdout)) {
		if (!origin_take(&document, &origin, &memory)) {
			trawl_scan_free(scan);
			return complain("out of memory");
		}
		write_document(&document, &origin, options);
		free(memory);
	}
	trawl_scan_free(scan);
	return found < 0 ? complain("%s", error.text) : EXIT_DONE;
}

enum { OPTION_ID = 256, OPTION_TITLE, OPTION_TEXT, OPTION_ORDER, OPTION_FILES };

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
	                                      {"files", no_argument, NULL, OPTION_FILES},
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
		case OPTION_FILES: options.files = true; break;
		case OPTION_ORDER:
			if (set_order(&options, optarg) != EXIT_DONE)
				return EXIT_ERROR;
			break;
		case 'h': fputs(usage, stdout); return EXIT_DONE;
		default: return complain_option("export", option, argv);
		}
	if (argc - optind != 1)
		return complain_usage("export", "which INDEX? trawl export INDEX");
	if (strcmp(options.id, RESERVED_NAME) == 0 || strcmp(options.title, RESERVED_NAME) == 0 ||
	    strcmp(options.text, RESERVED_NAME) == 0)
		return complain_usage("export", "the name " RESERVED_NAME " is taken");
	if (strcmp(options.id, options.title) == 0 || strcmp(options.id, options.text) == 0 ||
	    strcmp(options.title, options.text) == 0)
		return complain_usage("export", "--id, --title and --text must be three names");
	if (trawl_open(&index, argv[optind], &error) != TRAWL_OK)
		return complain("%s", error.text);
	int code = export_all(index, &options);
	trawl_close(index);
	return code;
}
