#include "cli/hit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/ids.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/trec.h"
#include "cli/wrap.h"

#define TITLE_CHARACTERS 120
#define INDENT 3
#define COLUMNS_LEAST 19 /* lines of less are not wrapped */
#define TITLE_COLOUR "\033[1;34m"
#define MARK_COLOUR "\033[1;31m"
#define NO_COLOUR "\033[0m"

/* A title of up to TITLE_CHARACTERS. */
static void print_title(struct wrapping *wrapping, const char *title, size_t length)
{
	uint32_t character;
	size_t kept = 0;
	for (size_t count = 0; kept < length && count < TITLE_CHARACTERS; count++)
		kept += utf8_decode(title + kept, length - kept, &character);
	write_wrapped(wrapping, title, kept, NULL, 0);
	if (kept < length)
		fputs(ELLIPSIS, stdout);
}

/* An id in brackets, on a line of its own when it is too long for the rest of this one. */
static void print_id(struct wrapping *wrapping, const char *id, size_t length)
{
	size_t brackets = strlen("  ()"), columns = wrapping->columns;
	if (columns && wrapping->used + brackets + text_columns(id, length) > columns) {
		printf("\n%*s(", (int)wrapping->indent, "");
		write_shortened(id, length, columns - wrapping->indent - strlen("()"));
	} else {
		fputs("  (", stdout);
		write_shortened(id, length, 0);
	}
	putchar(')');
}

/* A document without a title goes by its id. */
static void print_for_people(const struct hit_style *style, const struct printed_hit *hit)
{
	const trawl_document *document = hit->document;
	const trawl_snippet *snippet = hit->snippet;
	char escaped[ID_PRINTED_MAX];
	const char *id = document->id;
	size_t id_length = id_printed(&id, document->id_length, escaped);
	size_t columns = style->columns > COLUMNS_LEAST ? style->columns : 0;
	if (hit->number > 0 && !style->no_snippet)
		putchar('\n');
	int used = printf("%zu. %.3f  ", hit->rank, (double)hit->score);
	struct wrapping head = {.columns = columns, .indent = INDENT, .used = (size_t)used, .before = "", .behind = ""};
	fputs(style->colour ? TITLE_COLOUR : "", stdout);
	if (document->title_length > 0)
		print_title(&head, document->title, document->title_length);
	else
		write_shortened(id, id_length, columns ? columns - head.used : 0);
	fputs(style->colour ? NO_COLOUR : "", stdout);
	if (document->title_length > 0)
		print_id(&head, id, id_length);
	putchar('\n');
	if (snippet->length == 0)
		return;
	struct wrapping text = {.columns = columns,
	                        .indent = INDENT,
	                        .used = INDENT,
	                        .before = style->colour ? MARK_COLOUR : "**",
	                        .behind = style->colour ? NO_COLOUR : "**",
	                        .mark_columns = style->colour ? 0 : 2};
	printf("%*s", INDENT, "");
	write_wrapped(&text, snippet->text, snippet->length, snippet->marks, snippet->mark_count);
	putchar('\n');
}

static void print_json_snippet(const trawl_snippet *snippet)
{
	size_t at = 0;
	for (size_t i = 0; i < snippet->mark_count; i++) {
		const trawl_span *mark = &snippet->marks[i];
		json_write_escaped(stdout, snippet->text + at, mark->start - at);
		fputs("**", stdout);
		json_write_escaped(stdout, snippet->text + mark->start, mark->length);
		fputs("**", stdout);
		at = mark->start + mark->length;
	}
	json_write_escaped(stdout, snippet->text + at, snippet->length - at);
}

/* The best hit's id and score stand beside the hits too, for who wants no more than these. */
static void begin_json_hit(const struct printed_hit *hit)
{
	if (hit->number > 0) {
		putchar(',');
		return;
	}
	fputs(",\"id\":", stdout);
	id_write_json(stdout, hit->document->id, hit->document->id_length);
	printf(",\"score\":%.9g,\"hits\":[", (double)hit->score);
}

static void print_as_json(const struct hit_style *style, const struct printed_hit *hit)
{
	const trawl_document *document = hit->document;
	if (style->form == AS_JSON_LINES)
		begin_json_hit(hit);
	printf("{\"rank\":%zu,\"score\":%.9g,\"id\":", hit->rank,
	       (double)hit->score); /* nine digits keep a float's bits */
	id_write_json(stdout, document->id, document->id_length);
	fputs(",\"title\":", stdout);
	json_write_string(stdout, document->title, document->title_length);
	if (!style->no_snippet) {
		fputs(",\"snippet\":\"", stdout);
		print_json_snippet(hit->snippet);
		putchar('"');
	}
	if (style->fields) {
		fputs(",\"fields\":", stdout);
		print_fields(style->fields, document);
	}
	fputs(style->form == AS_JSON_LINES ? "}" : "}\n", stdout);
}

static void print_as_trec(const struct hit_style *style, const struct query *query, const struct printed_hit *hit)
{
	trec_write(stdout, query->id, query->id_length);
	fputs(" Q0 ", stdout);
	trec_write(stdout, hit->document->id, hit->document->id_length);
	printf(" %zu %.9g ", hit->rank, (double)hit->score);
	trec_write(stdout, style->trec_run, strlen(style->trec_run));
	putchar('\n');
}

void print_query_head(const struct hit_style *style, const struct query *query)
{
	if (style->form == AS_JSON_LINES) {
		fputs("{\"query\":", stdout);
		json_write_string(stdout, query->text, query->length);
	} else if (style->name_query && !style->seen && style->form == FOR_PEOPLE) {
		fputs("> ", stdout);
		clean_write(stdout, query->text, query->length, CLEAN_LINE);
		putchar('\n');
	}
}

static void print_count_for_people(const struct hit_style *style, const struct outcome *outcome)
{
	char number[NUMBER_SIZE], total[NUMBER_SIZE];
	if (outcome->shown > 0 && !style->no_snippet)
		putchar('\n');
	if (outcome->shown > 0)
		printf("%s of ", grouped(outcome->shown, number));
	printf("%s document%s\n", grouped(outcome->matches, total), outcome->matches == 1 ? "" : "s");
}

static void print_notes(const trawl_searcher *searcher)
{
	trawl_query_note note;
	for (size_t i = 0; trawl_query_get_note(searcher, i, &note); i++) {
		printf("%s{\"start\":%zu,\"length\":%zu,\"text\":", i ? "," : ",\"notes\":[", note.start, note.length);
		json_write_string(stdout, note.text, strlen(note.text));
		putchar('}');
		if (!trawl_query_get_note(searcher, i + 1, &note))
			putchar(']');
	}
}

void print_query_end(const struct hit_style *style, const struct outcome *outcome)
{
	switch (style->form) {
	case FOR_PEOPLE:
		if (outcome->counted)
			print_count_for_people(style, outcome);
		if (style->name_query)
			putchar('\n');
		break;
	case AS_JSON:
		if (outcome->counted)
			printf("{\"hits\":%zu,\"matches\":%" PRIu64 "}\n", outcome->shown, outcome->matches);
		break;
	case AS_JSON_LINES:
		fputs(outcome->shown > 0 ? "]" : ",\"hits\":[]", stdout);
		if (outcome->counted)
			printf(",\"matches\":%" PRIu64, outcome->matches);
		print_notes(outcome->searcher);
		if (outcome->error) {
			fputs(",\"error\":", stdout);
			json_write_string(stdout, outcome->error, strlen(outcome->error));
		}
		fputs("}\n", stdout);
		break;
	case AS_TREC: break;
	}
}

void print_hit(const struct hit_style *style, const struct query *query, const struct printed_hit *hit)
{
	switch (style->form) {
	case FOR_PEOPLE: print_for_people(style, hit); break;
	case AS_JSON:
	case AS_JSON_LINES: print_as_json(style, hit); break;
	case AS_TREC: print_as_trec(style, query, hit); break;
	}
}
