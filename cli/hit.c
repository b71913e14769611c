#include "cli/hit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/trec.h"

#define TITLE_CHARACTERS 120
#define INDENT "   "
#define TITLE_COLOUR "\033[1;34m"
#define MARK_COLOUR "\033[1;31m"
#define NO_COLOUR "\033[0m"

/* The columns up to the next place where a line may break. */
static size_t word_columns(const char *text, size_t at, size_t end)
{
	size_t columns = 0;
	uint32_t character;
	while (at < end && text[at] != ' ') {
		at += utf8_decode(text + at, end - at, &character);
		columns += character_columns(character);
		if (character_columns(character) == 2)
			break;
	}
	return columns;
}

/* The snippet, indented, wrapped at spaces and between wide characters, with `before` and `behind` around its marks. */
static void write_wrapped(const trawl_snippet *snippet, size_t columns, const char *before, const char *behind)
{
	size_t used = strlen(INDENT), limit = columns > 2 * used ? columns : SIZE_MAX, mark = 0;
	uint32_t character;
	fputs(INDENT, stdout);
	for (size_t at = 0, size; at < snippet->length; at += size) {
		const trawl_span *span = mark < snippet->mark_count ? &snippet->marks[mark] : NULL;
		if (span && at == span->start + span->length) {
			fputs(behind, stdout);
			span = ++mark < snippet->mark_count ? &snippet->marks[mark] : NULL;
		}
		size = utf8_decode(snippet->text + at, snippet->length - at, &character);
		bool space = character == ' ', wide = character_columns(character) == 2;
		size_t needed =
		    space ? 1 + word_columns(snippet->text, at + 1, snippet->length) : character_columns(character);
		bool wrap = (space || wide) && used > strlen(INDENT) && used + needed > limit;
		if (wrap) {
			fputs("\n" INDENT, stdout);
			used = strlen(INDENT);
		}
		if (span && at == span->start)
			fputs(before, stdout);
		if (wrap && space)
			continue;
		clean_write(stdout, snippet->text + at, size, CLEAN_LINE);
		used += character_columns(character);
	}
	if (mark < snippet->mark_count)
		fputs(behind, stdout);
	putchar('\n');
}

/* A document without a title goes by its id. */
static void print_for_people(const struct hit_style *style, const struct printed_hit *hit)
{
	const trawl_document *document = hit->document;
	const trawl_snippet *snippet = hit->snippet;
	bool titled = document->title_length > 0;
	if (hit->number > 0 && !style->no_snippet)
		putchar('\n');
	printf("%zu. %.3f  %s", hit->rank, (double)hit->score, style->colour ? TITLE_COLOUR : "");
	clean_write_cut(stdout, titled ? document->title : document->id,
	                titled ? document->title_length : document->id_length, TITLE_CHARACTERS);
	fputs(style->colour ? NO_COLOUR : "", stdout);
	if (titled) {
		fputs("  (", stdout);
		clean_write(stdout, document->id, document->id_length, CLEAN_LINE);
		putchar(')');
	}
	putchar('\n');
	if (snippet->length > 0)
		write_wrapped(snippet, style->columns, style->colour ? MARK_COLOUR : "**",
		              style->colour ? NO_COLOUR : "**");
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

static void print_as_json(const struct hit_style *style, const struct printed_hit *hit)
{
	const trawl_document *document = hit->document;
	if (style->form == AS_JSON_LINES && hit->number > 0)
		putchar(',');
	printf("{\"rank\":%zu,\"score\":%.9g,\"id\":", hit->rank,
	       (double)hit->score); /* nine digits keep a float's bits */
	json_write_string(stdout, document->id, document->id_length);
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
		fputs(",\"hits\":[", stdout);
	} else if (style->name_query && style->form == FOR_PEOPLE) {
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
		putchar(']');
		if (outcome->counted)
			printf(",\"matches\":%" PRIu64, outcome->matches);
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
