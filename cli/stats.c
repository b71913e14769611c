/* stats.c - `trawl stats`: what is in an index, and what each part of it weighs. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "trawl.h"

static const char usage[] =
    "trawl stats [--json] INDEX\n"
    "\n"
    "Tells what is in an index, how many bytes of the file each part takes, how many bits that is for each posting,\n"
    "token, term or document, and what segments there are.\n"
    "\n"
    "  trawl stats notes.trawl\n"
    "  trawl stats --json notes.trawl | jq .bytes.postings\n"
    "  trawl stats --json notes.trawl | jq .bits.positions.bits\n"
    "\n"
    "Exit status: 0 done, 2 error.\n";

static void print_json(const trawl_index_stats *stats)
{
	const char *language = stats->analysis.language ? stats->analysis.language : "english";
	printf("{\"documents\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"terms\":%" PRIu64 ",\"postings\":%" PRIu64
	       ",\"tokens\":%" PRIu64 ",\"text_bytes\":%" PRIu64 ",\"file_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64
	       ",\"segments\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"language\":",
	       stats->documents, stats->deleted, stats->terms, stats->postings, stats->tokens, stats->text_bytes,
	       stats->file_bytes, stats->free_bytes, stats->segments, stats->generation);
	json_write_string(stdout, language, strlen(language));
	printf(",\"bigram_lists\":%" PRIu64 ",\"bigram_postings\":%" PRIu64, stats->bigram_lists,
	       stats->bigram_postings);
	printf(",\"stop_words\":%s,\"fold_diacritics\":%s,\"positions\":%s,\"bigrams\":%s,\"bytes\":{",
	       stats->analysis.stop_words ? "true" : "false", stats->analysis.fold_diacritics ? "true" : "false",
	       stats->positions ? "true" : "false", stats->bigrams ? "true" : "false");
	for (size_t i = 0; i < stats->part_count && i < TRAWL_PARTS_MAX; i++) {
		fputs(i > 0 ? "," : "", stdout);
		json_write_string(stdout, stats->parts[i].name, strlen(stats->parts[i].name));
		printf(":%" PRIu64, stats->parts[i].bytes);
	}
	fputs("},\"bits\":{", stdout);
	const char *separator = "";
	for (size_t i = 0; i < stats->part_count && i < TRAWL_PARTS_MAX; i++) {
		const trawl_part_stats *part = &stats->parts[i];
		if (!part->unit || !part->units || !part->bytes)
			continue;
		fputs(separator, stdout);
		json_write_string(stdout, part->name, strlen(part->name));
		printf(":{\"per\":\"%s\",\"bits\":%.3f}", part->unit, 8 * (double)part->bytes / (double)part->units);
		separator = ",";
	}
	fputs("},\"segment_list\":[", stdout);
}

static void print_number(const char *name, uint64_t number, const char *remark)
{
	char text[NUMBER_SIZE];
	printf("%-16s%16s%s\n", name, grouped(number, text), remark);
}

/* In bits where they are few. */
static void print_rate(uint64_t bytes, const char *unit, uint64_t units)
{
	double rate = units ? (double)bytes / (double)units : 0;
	if (bytes && units)
		printf("  %.2f %s a %s", rate < 8 ? 8 * rate : rate, rate < 8 ? "bits" : "bytes", unit);
}

static void print_part(const trawl_index_stats *stats, const char *name, uint64_t bytes, const char *unit,
                       uint64_t units)
{
	char text[NUMBER_SIZE];
	double share = stats->file_bytes ? 100.0 * (double)bytes / (double)stats->file_bytes : 0;
	printf("  %-22s%16s%7.1f%%", name, grouped(bytes, text), share);
	if (unit)
		print_rate(bytes, unit, units);
	putchar('\n');
}

/* The segments, where there are several. */
static int print_segments(const trawl_index *index, const trawl_index_stats *stats, bool json, trawl_error *error)
{
	trawl_segment_stats segment;
	char text[3][NUMBER_SIZE];
	int result = TRAWL_OK;
	if (!json && stats->segments > 1)
		puts("\nsegments");
	for (size_t i = 0; result == TRAWL_OK && i < stats->segments; i++) {
		result = trawl_get_segment(index, i, &segment, error);
		if (result != TRAWL_OK || (!json && stats->segments < 2))
			continue;
		if (json)
			printf("%s{\"number\":%" PRIu32 ",\"documents\":%" PRIu32 ",\"deleted\":%" PRIu32
			       ",\"text_bytes\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			       i ? "," : "", segment.number, segment.documents, segment.deleted, segment.text_bytes,
			       segment.bytes);
		else
			printf("  %-10" PRIu32 "%12s documents%12s deleted%16s bytes\n", segment.number,
			       grouped(segment.documents, text[0]), grouped(segment.deleted, text[1]),
			       grouped(segment.bytes, text[2]));
	}
	return result;
}

static void print_table(const trawl_index_stats *stats)
{
	char remark[64];
	print_number("documents", stats->documents, "");
	if (stats->deleted)
		print_number("deleted", stats->deleted, "  still taking room");
	print_number("terms", stats->terms, "");
	print_number("postings", stats->postings, "");
	if (stats->bigrams) {
		print_number("bigram lists", stats->bigram_lists, "");
		print_number("bigram postings", stats->bigram_postings, "");
	}
	snprintf(remark, sizeof remark, "  %.1f a document",
	         stats->documents ? (double)stats->tokens / (double)stats->documents : 0);
	print_number("tokens", stats->tokens, remark);
	print_number("text bytes", stats->text_bytes, "");
	snprintf(remark, sizeof remark, "  %.2f of the text",
	         stats->text_bytes ? (double)stats->file_bytes / (double)stats->text_bytes : 0);
	print_number("file bytes", stats->file_bytes, stats->text_bytes ? remark : "");
	print_number("segments", stats->segments, "");
	print_number("generation", stats->generation, "");
	fputs("analysis        ", stdout);
	const char *language = stats->analysis.language ? stats->analysis.language : "english";
	clean_write(stdout, language, strlen(language), CLEAN_LINE);
	printf("%s%s%s\n", stats->analysis.stop_words ? ", without stop words" : "",
	       stats->analysis.fold_diacritics ? ", diacritics folded" : "",
	       stats->positions ? "" : ", no positions (no phrases)");
	fputs("\nbytes of the file\n", stdout);
	uint64_t told = stats->free_bytes;
	for (size_t i = 0; i < stats->part_count && i < TRAWL_PARTS_MAX; i++) {
		const trawl_part_stats *part = &stats->parts[i];
		print_part(stats, part->name, part->bytes, part->unit, part->units);
		told += stats->parts[i].bytes;
	}
	print_part(stats, "free", stats->free_bytes, NULL, 0);
	if (stats->file_bytes > told)
		print_part(stats, "pages of the store", stats->file_bytes - told, NULL, 0);
	print_part(stats, "total", stats->file_bytes, "document", stats->documents);
}

int stats_command(int argc, char **argv)
{
	trawl_error error = {0};
	trawl_index *index = NULL;
	trawl_index_stats stats;
	bool json;
	int result = parse_json_option("stats", usage, argc, argv, &json);
	if (result != EXIT_NONE)
		return result;
	if (optind + 1 != argc)
		return complain_usage("stats", "it takes one INDEX");
	result = trawl_open(&index, argv[optind], &error);
	if (result == TRAWL_OK)
		result = trawl_get_stats(index, &stats, &error);
	if (result == TRAWL_OK) {
		(json ? print_json : print_table)(&stats);
		result = print_segments(index, &stats, json, &error);
		fputs(json ? "]}\n" : "", stdout);
	}
	trawl_close(index);
	return result == TRAWL_OK ? EXIT_DONE : complain("%s", error.text);
}
