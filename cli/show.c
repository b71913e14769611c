/* show.c - `trawl show`: whole documents by their ids. */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] = "trawl show [--json] INDEX ID...\n"
                            "\n"
                            "Prints documents: the title, the text, and their further fields if there are any.\n"
                            "\n"
                            "  trawl show notes.trawl notes/spain.txt\n"
                            "  trawl show --json news.trawl 4711 4712 | jq .text\n"
                            "  trawl show news.trawl -- -17        an id that begins with -\n"
                            "\n"
                            "Exit status: 0 found, 1 an id was not found, 2 error.\n";

/* As stored into a file or pipe; safe to look at on a terminal. */
static void write_text(const char *text, size_t length)
{
	if (isatty(STDOUT_FILENO))
		clean_write(stdout, text, length, CLEAN_TEXT);
	else
		fwrite(text, 1, length, stdout);
}

static void write_paragraph(const char *text, size_t length)
{
	write_text(text, length);
	if (length > 0 && text[length - 1] != '\n')
		putchar('\n');
}

static void print_document(const trawl_document *document)
{
	if (document->title_length > 0) {
		write_paragraph(document->title, document->title_length);
		putchar('\n');
	}
	write_paragraph(document->text, document->text_length);
	if (document->fields_length > 0) {
		putchar('\n');
		write_paragraph(document->fields, document->fields_length);
	}
}

/* Fields are the text of a JSON object; line ends, which there are white space, would end our line. */
static void write_fields(const char *fields, size_t length)
{
	if (length < 2 || fields[0] != '{' || fields[length - 1] != '}') {
		json_write_string(stdout, fields, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		putchar(fields[i] == '\n' || fields[i] == '\r' ? ' ' : fields[i]);
}

static void print_json(const trawl_document *document)
{
	fputs("{\"id\":", stdout);
	json_write_string(stdout, document->id, document->id_length);
	fputs(",\"title\":", stdout);
	json_write_string(stdout, document->title, document->title_length);
	fputs(",\"text\":", stdout);
	json_write_string(stdout, document->text, document->text_length);
	if (document->fields_length > 0) {
		fputs(",\"fields\":", stdout);
		write_fields(document->fields, document->fields_length);
	}
	fputs("}\n", stdout);
}

static int show_one(const trawl_index *index, const char *index_path, const char *id, bool json, bool first)
{
	trawl_error error = {0};
	trawl_stored *stored = NULL;
	trawl_document document;
	int result = trawl_fetch(index, id, strlen(id), &stored, &document, &error);
	if (result == TRAWL_ENOTFOUND) {
		complain("%s has no document with the id %s", index_path, id);
		return EXIT_NONE;
	}
	if (result != TRAWL_OK)
		return complain("%s", error.text);
	if (json) {
		print_json(&document);
	} else {
		if (!first)
			putchar('\n');
		print_document(&document);
	}
	trawl_stored_free(stored);
	return EXIT_DONE;
}

int show_command(int argc, char **argv)
{
	trawl_error error = {0};
	trawl_index *index = NULL;
	bool json;
	int code = parse_json_option("show", usage, argc, argv, &json);
	if (code != EXIT_NONE)
		return code;
	code = EXIT_DONE;
	if (argc - optind < 2)
		return complain_usage("show", "which INDEX, and which ID? trawl show INDEX ID...");
	if (trawl_open(&index, argv[optind], &error) != TRAWL_OK)
		return complain("%s", error.text);
	for (int i = optind + 1; i < argc; i++) {
		int one = show_one(index, argv[optind], argv[i], json, i == optind + 1);
		code = one > code ? one : code;
	}
	trawl_close(index);
	return code;
}
