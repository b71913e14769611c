/* show.c - `trawl show`: whole documents by their ids. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/ids.h"
#include "cli/options.h"
#include "cli/reserved.h"
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
                            "An ID may be as any command prints it: bytes that are no text as bytes:caf%E9.txt; and a\n"
                            "path in any spelling, as ./notes//spain.txt.\n"
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

/* Exact bytes beside a member that could not say them. */
static void print_bytes(const char *name, const char *bytes, size_t length)
{
	if (is_text(bytes, length))
		return;
	printf(",\"%s\":\"", name);
	bytes_write(stdout, bytes, length);
	putchar('"');
}

static void print_json(const trawl_document *document)
{
	static const struct field_choice all = {.all = true};
	fputs("{\"id\":", stdout);
	id_write_json(stdout, document->id, document->id_length);
	fputs(",\"title\":", stdout);
	json_write_string(stdout, document->title, document->title_length);
	fputs(",\"text\":", stdout);
	json_write_string(stdout, document->text, document->text_length);
	if (document->fields_length > 0) {
		fputs(",\"fields\":", stdout);
		print_fields(&all, document);
	}
	print_bytes("title_bytes", document->title, document->title_length);
	print_bytes("text_bytes", document->text, document->text_length);
	fputs("}\n", stdout);
}

struct fetch {
	const trawl_index *index;
	trawl_stored *stored;
	trawl_document document;
	trawl_error error;
};

static int fetch(void *context, const char *id, size_t length)
{
	struct fetch *fetched = context;
	return trawl_fetch(fetched->index, id, length, &fetched->stored, &fetched->document, &fetched->error);
}

static int show_one(const trawl_index *index, const char *index_path, const char *id, bool json, bool first)
{
	struct fetch fetched = {.index = index};
	struct origin origin;
	char *memory = NULL;
	int result = id_try(id, strlen(id), TRAWL_ENOTFOUND, fetch, &fetched);
	if (result == TRAWL_ENOTFOUND) {
		complain("%s has no document with the id %s", index_path, id);
		return EXIT_NONE;
	}
	if (result != TRAWL_OK)
		return complain("%s", fetched.error.text);
	int code = origin_take(&fetched.document, &origin, &memory) ? EXIT_DONE : complain("out of memory");
	if (code == EXIT_DONE && json) {
		print_json(&fetched.document);
	} else if (code == EXIT_DONE) {
		if (!first)
			putchar('\n');
		print_document(&fetched.document);
	}
	free(memory);
	trawl_stored_free(fetched.stored);
	return code;
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
