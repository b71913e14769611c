/* corpus_gen.c - corpora of any size, and queries for them, drawn from a model of text (model.h). */
#include "bench/corpus/model.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_BYTES (1u << 20)
#define LINE_MAX_BYTES (LENGTH_MAX * (WORD_BYTES + 2) + 256)

static const char usage[] =
    "usage: corpus_gen --documents N [OPTION...] >corpus.jsonl\n\n"
    "Writes N documents as JSON Lines of id, title and text, drawn from a model of text: word frequencies, a "
    "vocabulary\n"
    "that grows, topics, lengths and recurring phrases as abstracts of papers have them. The same seed gives the same\n"
    "documents, and fewer of them are the first ones of more.\n\n"
    "  corpus_gen --documents 1000000 | trawl index million.trawl -\n"
    "  corpus_gen --documents 1000000 --queries 1000 >queries.jsonl\n\n"
    "      --documents N     how many (needed)\n"
    "      --seed S          of the random numbers (1)\n"
    "      --mean-length L   words of a document on average, with its title (145)\n"
    "      --kind KIND       text (as told); or, to try limits with: empty (no text), tiny (three words), distinct (a\n"
    "                        hundred words each, none of which comes again)\n"
    "      --huge BYTES      one document of so much text amid the others\n"
    "      --queries M       instead of the documents, M or so tagged queries made of their words\n"
    "      --help            this text\n\n"
    "Exit status: 0, or 2 on an error.\n";

enum kind { KIND_TEXT, KIND_EMPTY, KIND_TINY, KIND_DISTINCT };

struct options {
	uint64_t documents, queries;
	uint64_t huge; /* bytes of text of the document in the middle; 0: it is like the others */
	enum kind kind;
	uint64_t seed;
	double mean_length;
};

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("corpus_gen: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static struct output {
	char bytes[OUTPUT_BYTES + LINE_MAX_BYTES];
	size_t length;
} output;

static void flush(void)
{
	for (size_t at = 0; at < output.length;) {
		ssize_t n = write(STDOUT_FILENO, output.bytes + at, output.length - at);
		if (n < 0 && errno == EPIPE)
			exit(2);
		if (n < 0 && errno != EINTR)
			die("standard output: %s", strerror(errno));
		at += n > 0 ? (size_t)n : 0;
	}
	output.length = 0;
}

static void put(const char *text)
{
	size_t length = strlen(text);
	memcpy(output.bytes + output.length, text, length);
	output.length += length;
}

/* Nothing that is put needs an escape. A line has room when it is begun. */
static void end_line(void)
{
	put("\n");
	if (output.length >= OUTPUT_BYTES)
		flush();
}

static void put_word(const struct model *model, uint32_t rank)
{
	output.length += model_word(model, rank, output.bytes + output.length);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static void put_words(const struct model *model, const struct drawn *document, uint32_t from, uint32_t to)
{
	bool begins = true;
	for (uint32_t i = from; i < to; i++) {
		char *start = output.bytes + output.length;
		put_word(model, document->words[i]);
		if (begins)
			*start = (char)(*start - 'a' + 'A');
		begins = document->breaks[i] == '.';
		if (document->breaks[i])
			output.bytes[output.length++] = (char)document->breaks[i];
		if (i + 1 < to)
			output.bytes[output.length++] = ' ';
	}
}

static void put_document(const struct model *model, uint64_t number, struct drawn *document)
{
	char head[64];
	model_draw(model, number, document);
	snprintf(head, sizeof head, "{\"id\":\"d%llu\",\"title\":\"", (unsigned long long)number);
	put(head);
	put_words(model, document, 0, document->title);
	put("\",\"text\":\"");
	put_words(model, document, document->title, document->length);
	put("\"}");
	end_line();
}

static void put_id(uint64_t number)
{
	char head[64];
	snprintf(head, sizeof head, "{\"id\":\"d%llu\",\"text\":\"", (unsigned long long)number);
	put(head);
}

static void put_tiny(const struct model *model, uint64_t number)
{
	struct random random = model_random(model, 2, number);
	put_id(number);
	for (int i = 0; i < 3; i++) {
		uint32_t rank = 1 + random_below(&random, 1 + random_below(&random, 100000));
		put_word(model, rank);
		put(" ");
	}
	put("\"}");
	end_line();
}

/* Words without vowels, which no stemmer takes anything from. The factor is odd, so that no number comes twice. */
static void put_distinct(uint64_t number)
{
	enum { WORDS = 100, DIGITS = 10 };
	static const char letters[] = "bcdfghjklmnpqrtv";
	put_id(number);
	for (uint64_t word = number * WORDS; word < (number + 1) * WORDS; word++) {
		uint64_t digits = word * 0x9e3779b97f4a7c15u;
		for (int i = 0; i < DIGITS; i++, digits >>= 4)
			output.bytes[output.length++] = letters[digits & 15];
		output.bytes[output.length++] = ' ';
	}
	put("\"}");
	end_line();
}

/* A document on one line, flushed as it goes. */
static void put_huge(const struct model *model, uint64_t number, uint64_t bytes)
{
	struct random random = model_random(model, 3, number);
	put_id(number);
	while (bytes) {
		size_t before = output.length;
		put_word(model, 1 + random_below(&random, 1 + random_below(&random, 100000)));
		put(" ");
		size_t made = output.length - before;
		bytes -= made < bytes ? made : bytes;
		if (output.length >= OUTPUT_BYTES)
			flush();
	}
	put("\"}");
	end_line();
}

static void put_any(const struct options *options, const struct model *model, uint64_t number, struct drawn *document)
{
	if (options->huge && number == options->documents / 2) {
		put_huge(model, number, options->huge);
		return;
	}
	switch (options->kind) {
	case KIND_TEXT: put_document(model, number, document); break;
	case KIND_TINY: put_tiny(model, number); break;
	case KIND_DISTINCT: put_distinct(number); break;
	case KIND_EMPTY:
		put_id(number);
		put("\"}");
		end_line();
		break;
	}
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

struct query_maker {
	const struct model *model;
	struct random random;
	uint64_t documents;
	struct drawn *document;
	uint32_t words[64];
	uint32_t count;
};

static void draw_document(struct query_maker *maker)
{
	uint64_t number = (uint64_t)(random_unit(&maker->random) * (double)maker->documents);
	model_draw(maker->model, number, maker->document);
}

/* `n` neighbouring words of the text of a document; false: this one is too short. */
static bool draw_neighbours(struct query_maker *maker, uint32_t n)
{
	draw_document(maker);
	const struct drawn *document = maker->document;
	uint32_t room = document->length - document->title;
	if (room < n)
		return false;
	uint32_t start = document->title + random_below(&maker->random, room - n + 1);
	memcpy(maker->words, document->words + start, n * sizeof *maker->words);
	maker->count = n;
	return true;
}

/* A word of some document, of frequent and rare ones alike: the one closest to a rank from 20 to 100,000, even in the logarithm. */
static bool draw_term(struct query_maker *maker)
{
	double wanted = log(20) + random_unit(&maker->random) * log(5000), best = INFINITY;
	draw_document(maker);
	for (uint32_t i = 0; i < maker->document->length; i++) {
		double distance = fabs(log(maker->document->words[i]) - wanted);
		if (distance < best) {
			best = distance;
			maker->words[0] = maker->document->words[i];
		}
	}
	maker->count = 1;
	return true;
}

static bool draw_title(struct query_maker *maker)
{
	draw_document(maker);
	maker->count = maker->document->title;
	memcpy(maker->words, maker->document->words, maker->count * sizeof *maker->words);
	return maker->count > 4;
}

/* `first` stands before the first word, `before` before each other, `quote` around them all. */
static void put_query(const struct query_maker *maker, const char *first, const char *before, const char *quote,
                      const char *tags)
{
	put("{\"query\": \"");
	put(quote);
	for (uint32_t i = 0; i < maker->count; i++) {
		put(i ? " " : "");
		put(i ? before : first);
		put_word(maker->model, maker->words[i]);
	}
	put(quote);
	put("\", \"tags\": [");
	put(tags);
	put("]}");
	end_line();
}

/* The same neighbours as an intersection, a phrase and a union. */
static void put_three(struct query_maker *maker, uint64_t count, uint32_t words)
{
	static const struct {
		const char *sign, *quote, *tag;
	} forms[] = {{"+", "", "intersection"}, {"", "\\\"", "phrase"}, {"", "", "union"}};
	for (uint64_t i = 0; i < count;) {
		if (!draw_neighbours(maker, words))
			continue;
		for (int form = 0; form < 3; form++) {
			char tags[64];
			snprintf(tags, sizeof tags, "\"%s\", \"%s:num_tokens_%u\"", forms[form].tag, forms[form].tag,
			         (unsigned)words);
			put_query(maker, forms[form].sign, forms[form].sign, forms[form].quote, tags);
		}
		i++;
	}
}

static void put_pairs(struct query_maker *maker, uint64_t count, const char *second, const char *tag)
{
	for (uint64_t i = 0; i < count;)
		if (draw_neighbours(maker, 2)) {
			put_query(maker, "+", second, "", tag);
			i++;
		}
}

static void put_queries(struct query_maker *maker, uint64_t count)
{
	uint64_t terms = (count + 19) / 20, verbose = (count + 17) / 18;
	for (uint64_t i = 0; i < terms; i++) {
		draw_term(maker);
		put_query(maker, "", "", "", "\"term\"");
	}
	put_three(maker, (count + 4) / 5, 2);
	put_three(maker, (count + 12) / 13, 3);
	for (uint64_t i = 0; i < verbose;)
		if (draw_title(maker)) {
			put_query(maker, "", "", "", "\"union\", \"verbose\"");
			i++;
		}
	put_pairs(maker, (count + 26) / 27, "", "\"intersection_union\"");
	put_pairs(maker, (count + 35) / 36, "-", "\"negated\"");
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static uint64_t parse_number(const char *name, const char *text, uint64_t low, uint64_t high)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < low || value > high)
		die("%s must be a number from %llu to %llu, not '%s'; see --help", name, (unsigned long long)low,
		    (unsigned long long)high, text);
	return value;
}

static enum kind parse_kind(const char *text)
{
	static const char *const names[] = {"text", "empty", "tiny", "distinct"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0)
			return (enum kind)i;
	die("--kind must be text, empty, tiny or distinct, not '%s'; see --help", text);
}

static void parse(struct options *options, int argc, char **argv)
{
	enum {
		OPTION_DOCUMENTS = 256,
		OPTION_SEED,
		OPTION_LENGTH,
		OPTION_QUERIES,
		OPTION_KIND,
		OPTION_HUGE,
		OPTION_HELP
	};
	static const struct option known[] = {{"documents", required_argument, NULL, OPTION_DOCUMENTS},
	                                      {"seed", required_argument, NULL, OPTION_SEED},
	                                      {"mean-length", required_argument, NULL, OPTION_LENGTH},
	                                      {"queries", required_argument, NULL, OPTION_QUERIES},
	                                      {"kind", required_argument, NULL, OPTION_KIND},
	                                      {"huge", required_argument, NULL, OPTION_HUGE},
	                                      {"help", no_argument, NULL, OPTION_HELP},
	                                      {0}};
	int option;
	*options = (struct options){.seed = 1, .mean_length = 145};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1)
		switch (option) {
		case OPTION_DOCUMENTS: options->documents = parse_number("--documents", optarg, 1, 1ull << 40); break;
		case OPTION_SEED: options->seed = parse_number("--seed", optarg, 0, UINT64_MAX); break;
		case OPTION_LENGTH:
			options->mean_length = (double)parse_number("--mean-length", optarg, 10, 10000);
			break;
		case OPTION_QUERIES: options->queries = parse_number("--queries", optarg, 1, 1u << 30); break;
		case OPTION_KIND: options->kind = parse_kind(optarg); break;
		case OPTION_HUGE: options->huge = parse_number("--huge", optarg, 1, 1ull << 40); break;
		case OPTION_HELP: fputs(usage, stdout); exit(fflush(stdout) ? 2 : 0);
		case ':': die("%s wants a value; see --help", argv[optind - 1]);
		default: die("unknown option '%s'; see --help", argv[optind - 1]);
		}
	if (optind < argc)
		die("too many arguments: '%s'; see --help", argv[optind]);
	if (!options->documents)
		die("--documents N is needed; see --help");
}

int main(int argc, char **argv)
{
	static struct model model;
	static struct drawn document;
	struct options options;
	parse(&options, argc, argv);
	model_init(&model, options.seed, options.mean_length);
	if (options.queries) {
		struct query_maker maker = {.model = &model,
		                            .random = model_random(&model, 1, 0),
		                            .documents = options.documents,
		                            .document = &document};
		put_queries(&maker, options.queries);
	} else {
		for (uint64_t number = 0; number < options.documents; number++)
			put_any(&options, &model, number, &document);
	}
	flush();
	return 0;
}
