/* eval_command.c - `trawl eval`: how good the results are, by a test collection's judgements. */
#include "bench/commands.h"
#include "bench/metrics.h"
#include "bench/qrels.h"
#include "bench/search_options.h"
#include "trawl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DEPTH 1000

static const char usage[] =
    "trawl eval measures how good results are, by queries whose relevant documents people have marked.\n"
    "\n"
    "  trawl eval scifact.trawl queries.tsv qrels                MAP, nDCG@10, P@10, R@100, MRR\n"
    "  trawl eval scifact.trawl queries.tsv qrels --per-query    and of each query\n"
    "  trawl eval scifact.trawl queries.tsv qrels --k1 1.2 --b 0.75\n"
    "  trawl eval scifact.trawl queries.tsv qrels --trec run     the hits themselves, for trec_eval\n"
    "\n"
    "QUERIES has lines 'id TAB text', QRELS lines 'query 0 document relevance' (TREC). The figures are trec_eval's,\n"
    "averaged over the queries with a relevant document in QRELS; one without hits counts as 0. Equal scores stay in\n"
    "the engine's order. Query text is taken as words: the signs + - \" in it are no operators.\n"
    "\n"
    "  -n, --depth N       hits looked at for each query (1000)\n"
    "      --syntax        let + - \" in the queries act as operators\n"
    "      --per-query     a line of figures for each query\n"
    "      --json          one JSON object\n"
    "      --trec FILE     write the hits of all queries: query Q0 document rank score trawl\n"
    "      --k1 X, --b X   BM25's parameters (0.9 and 0.4)\n"
    "      --stable-ties   equal scores in order of the ids\n"
    "\n"
    "Exit status: 0 done, 2 error.\n";

struct eval_options {
	trawl_search_options search;
	bool syntax, per_query, json, help;
	const char *trec_path;
};

struct evaluated {
	const struct topic *topic;
	struct metrics metrics;
	size_t relevant, hits;
};

struct evaluation {
	const struct topics *topics;
	const struct qrels *qrels;
	const struct eval_options *options;
	trawl_searcher *searcher;
	FILE *trec; /* or NULL */
	struct evaluated *evaluated;
	size_t count;
	struct metrics mean;
	size_t without_hits;     /* of the evaluated */
	size_t without_relevant; /* queries left out */
	size_t without_text;     /* topics with a relevant document in the qrels, but not in the queries */
	int *ranked, *judged;    /* room for one query's relevances */
};

/* ---- options --------------------------------------------------------------------------------------------------- */

enum { OPTION_SYNTAX = 256, OPTION_PER_QUERY, OPTION_JSON, OPTION_TREC };

static const struct option long_options[] = {{"depth", required_argument, NULL, 'n'},
                                             {"syntax", no_argument, NULL, OPTION_SYNTAX},
                                             {"per-query", no_argument, NULL, OPTION_PER_QUERY},
                                             {"json", no_argument, NULL, OPTION_JSON},
                                             {"trec", required_argument, NULL, OPTION_TREC},
                                             SEARCH_LONG_OPTIONS,
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static int set_option(void *context, int option, const char *value)
{
	struct eval_options *options = context;
	switch (option) {
	case 'n':
		if (bench_parse_size(value, 1, TRAWL_TOP_MAX, &options->search.top))
			return 0;
		return bench_fail("--depth %s: not a whole number from 1 to %d", value, TRAWL_TOP_MAX);
	case OPTION_SYNTAX: options->syntax = true; return 0;
	case OPTION_PER_QUERY: options->per_query = true; return 0;
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_TREC: options->trec_path = value; return 0;
	case 'h': options->help = true; return 0;
	default: return search_option_set(&options->search, option, value);
	}
}

static int parse(struct eval_options *options, int argc, char **argv)
{
	*options = (struct eval_options){.search = {.top = DEFAULT_DEPTH}};
	int result = options_read("eval", argc, argv, ":n:h", long_options, set_option, options, &options->help);
	if (!result && !options->help && argc - optind != 3)
		return bench_fail("eval needs INDEX, QUERIES and QRELS ('trawl eval --help' shows examples)");
	return result;
}

/* ---- one query ------------------------------------------------------------------------------------------------- */

/* A user's text as plain words: nothing in it is an operator. */
static int search_topic(struct evaluation *evaluation, const struct topic *topic)
{
	trawl_error error = {0};
	char *text = bench_new(topic->text_length, 1);
	for (size_t i = 0; i < topic->text_length; i++) {
		char c = topic->text[i];
		bool sign = c == '+' || c == '-' || c == '"';
		text[i] = sign && !evaluation->options->syntax ? ' ' : c;
	}
	int status = trawl_search(evaluation->searcher, text, topic->text_length, &evaluation->options->search, &error);
	free(text);
	if (status)
		return bench_fail("%s:%zu: %s", evaluation->topics->file.path, topic->line, error.text);
	return 0;
}

static void write_trec(FILE *out, const struct topic *topic, struct word id, size_t rank, float score)
{
	struct bench_text line = {0};
	text_append_word(&line, topic->id.bytes, topic->id.length);
	text_format(&line, " Q0 ");
	text_append_word(&line, id.bytes, id.length);
	text_format(&line, " %zu %.9g trawl\n", rank, (double)score);
	fwrite(line.data, 1, line.length, out);
	text_release(&line);
}

/* The relevance of every hit of the last search into evaluation->ranked; the hits into the TREC file. */
static int rank_hits(struct evaluation *evaluation, const struct topic *topic, const struct judgement *judgements,
                     size_t judgement_count, size_t *hit_count)
{
	const trawl_hit *hits = trawl_hits(evaluation->searcher, hit_count);
	for (size_t i = 0; i < *hit_count; i++) {
		trawl_error error = {0};
		struct word id;
		if (trawl_hit_id(evaluation->searcher, hits[i].document, &id.bytes, &id.length, &error))
			return bench_fail("%s:%zu: %s", evaluation->topics->file.path, topic->line, error.text);
		evaluation->ranked[i] = qrels_relevance(judgements, judgement_count, id);
		if (evaluation->trec)
			write_trec(evaluation->trec, topic, id, i + 1, hits[i].score);
	}
	return 0;
}

static int evaluate_topic(struct evaluation *evaluation, const struct topic *topic)
{
	size_t judgement_count, relevant = 0, hits;
	const struct judgement *judgements = qrels_of_topic(evaluation->qrels, topic->id, &judgement_count);
	for (size_t i = 0; i < judgement_count; i++) {
		evaluation->judged[i] = judgements[i].relevance;
		relevant += judgements[i].relevance > 0;
	}
	if (!relevant) {
		evaluation->without_relevant++;
		if (!evaluation->trec)
			return 0;
	}
	int result = search_topic(evaluation, topic);
	if (!result)
		result = rank_hits(evaluation, topic, judgements, judgement_count, &hits);
	if (result || !relevant)
		return result;

	struct evaluated *evaluated = &evaluation->evaluated[evaluation->count++];
	*evaluated = (struct evaluated){.topic = topic, .relevant = relevant, .hits = hits};
	metrics_compute(&evaluated->metrics, evaluation->ranked, hits, evaluation->judged, judgement_count);
	metrics_add(&evaluation->mean, &evaluated->metrics);
	evaluation->without_hits += hits == 0;
	return 0;
}

/* ---- all queries ------------------------------------------------------------------------------------------------ */

static int evaluate(struct evaluation *evaluation)
{
	const struct topics *topics = evaluation->topics;
	evaluation->ranked = bench_new(evaluation->options->search.top, sizeof *evaluation->ranked);
	evaluation->judged = bench_new(evaluation->qrels->count, sizeof *evaluation->judged);
	evaluation->evaluated = bench_new(topics->count, sizeof *evaluation->evaluated);
	for (size_t i = 0; i < topics->count; i++) {
		int result = evaluate_topic(evaluation, &topics->topics[i]);
		if (result)
			return result;
	}
	evaluation->without_text = evaluation->qrels->relevant_topics - evaluation->count;
	metrics_divide(&evaluation->mean, evaluation->count);
	if (!evaluation->count)
		return bench_fail("no query of %s has a relevant document in %s: do their ids agree?",
		                  topics->file.path, evaluation->qrels->file.path);
	return 0;
}

static void print_per_query(const struct evaluation *evaluation, struct bench_text *out)
{
	text_format(out, "%-16s %8s %8s %8s %8s %8s %8s %8s\n", "query", "relevant", "hits", "AP", "nDCG@10", "P@10",
	            "R@100", "RR");
	for (size_t i = 0; i < evaluation->count; i++) {
		const struct evaluated *e = &evaluation->evaluated[i];
		size_t start = out->length;
		text_append_word(out, e->topic->id.bytes, e->topic->id.length);
		while (out->length - start < 16)
			text_append(out, " ", 1);
		text_format(out, " %8zu %8zu %8.4f %8.4f %8.4f %8.4f %8.4f\n", e->relevant, e->hits,
		            e->metrics.average_precision, e->metrics.ndcg_10, e->metrics.precision_10,
		            e->metrics.recall_100, e->metrics.reciprocal_rank);
	}
	text_format(out, "\n");
}

static void print_text(const struct evaluation *evaluation, struct bench_text *out)
{
	const struct metrics *mean = &evaluation->mean;
	if (evaluation->options->per_query)
		print_per_query(evaluation, out);
	text_format(out, "MAP       %.4f\nnDCG@10   %.4f\nP@10      %.4f\nR@100     %.4f\nMRR       %.4f\n\n",
	            mean->average_precision, mean->ndcg_10, mean->precision_10, mean->recall_100,
	            mean->reciprocal_rank);
	text_format(out, "%8zu queries averaged over: those with a relevant document in the qrels\n",
	            evaluation->count);
	text_format(out, "%8zu of them without hits (counted as 0)\n", evaluation->without_hits);
	text_format(out, "%8zu queries without a relevant document in the qrels (left out)\n",
	            evaluation->without_relevant);
	text_format(out, "%8zu in the qrels without a text in the queries (left out)\n", evaluation->without_text);
}

static void append_json_metrics(struct bench_text *out, const struct metrics *metrics)
{
	text_format(out, "\"map\":%.6f,\"ndcg_10\":%.6f,\"p_10\":%.6f,\"r_100\":%.6f,\"mrr\":%.6f",
	            metrics->average_precision, metrics->ndcg_10, metrics->precision_10, metrics->recall_100,
	            metrics->reciprocal_rank);
}

static void print_json(const struct evaluation *evaluation, struct bench_text *out)
{
	text_format(out, "{");
	append_json_metrics(out, &evaluation->mean);
	text_format(out,
	            ",\"queries\":%zu,\"queries_without_hits\":%zu,\"queries_without_relevant\":%zu,"
	            "\"judged_without_text\":%zu,\"depth\":%zu,\"options\":{",
	            evaluation->count, evaluation->without_hits, evaluation->without_relevant, evaluation->without_text,
	            evaluation->options->search.top);
	search_options_json(&evaluation->options->search, out);
	text_format(out, "}");
	if (evaluation->options->per_query)
		text_format(out, ",\"per_query\":[");
	for (size_t i = 0; evaluation->options->per_query && i < evaluation->count; i++) {
		const struct evaluated *e = &evaluation->evaluated[i];
		text_format(out, "%s{\"query\":", i ? "," : "");
		text_append_json(out, e->topic->id.bytes, e->topic->id.length);
		text_format(out, ",\"relevant\":%zu,\"hits\":%zu,", e->relevant, e->hits);
		append_json_metrics(out, &e->metrics);
		text_format(out, "}");
	}
	text_format(out, evaluation->options->per_query ? "]}\n" : "}\n");
}

static int evaluate_and_print(struct evaluation *evaluation)
{
	const struct eval_options *options = evaluation->options;
	if (options->trec_path && !(evaluation->trec = fopen(options->trec_path, "we")))
		return bench_fail("cannot write %s: %s", options->trec_path, strerror(errno));
	int result = evaluate(evaluation);
	if (evaluation->trec) {
		if (!result)
			result = bench_flush(evaluation->trec, options->trec_path);
		fclose(evaluation->trec);
	}
	if (result)
		return result;
	struct bench_text out = {0};
	if (options->json)
		print_json(evaluation, &out);
	else
		print_text(evaluation, &out);
	return text_print(&out);
}

static int run(const struct eval_options *options, char **arguments)
{
	struct topics topics = {0};
	struct qrels qrels = {0};
	trawl_index *index = NULL;
	struct evaluation evaluation = {.topics = &topics, .qrels = &qrels, .options = options};
	trawl_error error = {0};
	int result = topics_load(&topics, arguments[1]);
	if (!result)
		result = qrels_load(&qrels, arguments[2]);
	if (result)
		goto done;
	if (trawl_open(&index, arguments[0], &error) || trawl_searcher_new(&evaluation.searcher, index, &error))
		result = bench_fail("%s", error.text);
	else
		result = evaluate_and_print(&evaluation);
done:
	trawl_searcher_free(evaluation.searcher);
	trawl_close(index);
	free(evaluation.ranked);
	free(evaluation.judged);
	free(evaluation.evaluated);
	qrels_release(&qrels);
	topics_release(&topics);
	return result;
}

int eval_command(int argc, char **argv)
{
	struct eval_options options;
	int result = parse(&options, argc, argv);
	if (result)
		return result;
	if (options.help) {
		fputs(usage, stdout);
		return bench_flush(stdout, "standard output");
	}
	return run(&options, argv + optind);
}
