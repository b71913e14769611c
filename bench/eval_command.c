/* eval_command.c - `trawl eval`: how good the results are, by a test collection's judgements. */
#include "bench/commands.h"
#include "bench/metrics.h"
#include "bench/qrels.h"
#include "bench/search_options.h"
#include "bench/topics.h"
#include "cli/long_query.h"
#include "cli/text.h"
#include "cli/trec.h"
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
    "  trawl eval nq.trawl queries.jsonl.gz qrels/test.tsv       BEIR's files as they come (index with --id _id)\n"
    "\n"
    "QUERIES has lines 'id TAB text' or {\"_id\": \"...\", \"text\": \"...\"}, QRELS lines 'query 0 document "
    "relevance'\n"
    "(TREC) or 'query document relevance' (BEIR); both may be .gz or .zst. A line that cannot be read is told and "
    "passed\n"
    "over. The figures are those of trec_eval for the file of --trec, averaged over the queries with a relevant "
    "document\n"
    "in QRELS; one without hits counts as 0. Equal scores are in trec_eval's order, that of falling ids. Query text "
    "is\n"
    "taken as words: the signs + - \" in it are no operators. Of a query that is too long its beginning counts.\n"
    "\n"
    "  -n, --depth N       hits looked at for each query (1000)\n"
    "      --syntax        let + - \" in the queries act as operators\n"
    "      --per-query     a line of figures for each query\n"
    "      --json          one JSON object\n"
    "      --trec FILE     write the hits of all queries: query Q0 document rank score trawl; ids with white space\n"
    "                      in them are written with %20 and the like\n"
    "      --k1 X, --b X   BM25's parameters (0.9 and 0.4)\n"
    "      --stable-ties   equal scores in order of the ids, rising, instead of trec_eval's order\n"
    "      --strict        a line that cannot be read is an error\n"
    "\n"
    "Exit status: 0 done, 2 error.\n";

struct eval_options {
	trawl_search_options search;
	bool syntax, per_query, json, strict, help;
	const char *trec_path;
};

struct evaluated {
	const struct topic *topic;
	struct metrics metrics;
	size_t relevant, hits;
};

/* A hit as trec_eval sees it. */
struct ranked {
	struct word name; /* the id as a word */
	float score;
	int relevance;
};

struct evaluation {
	const trawl_index *index;
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
	size_t cut;              /* queries of which only the beginning counted */
	size_t failed;           /* queries that the library refused */
	struct ranked *ranked;   /* room for one query's hits, */
	struct bench_text names; /* their names, */
	int *relevances;         /* their relevances, */
	int *judged;             /* and all those judged */
};

/* ---- options --------------------------------------------------------------------------------------------------- */

enum { OPTION_SYNTAX = 256, OPTION_PER_QUERY, OPTION_JSON, OPTION_TREC, OPTION_STRICT };

static const struct option long_options[] = {{"depth", required_argument, NULL, 'n'},
                                             {"syntax", no_argument, NULL, OPTION_SYNTAX},
                                             {"per-query", no_argument, NULL, OPTION_PER_QUERY},
                                             {"json", no_argument, NULL, OPTION_JSON},
                                             {"trec", required_argument, NULL, OPTION_TREC},
                                             {"strict", no_argument, NULL, OPTION_STRICT},
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
	case OPTION_STRICT: options->strict = true; return 0;
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

/* A user's text as plain words: nothing in it is an operator. `*hits` are left by it. */
static int search_topic(struct evaluation *evaluation, const struct topic *topic, size_t *hits)
{
	trawl_error error = {0};
	const char *path = evaluation->topics->file.path;
	size_t length = topic->text_length;
	char *text = bench_new(length, 1);
	for (size_t i = 0; i < length; i++) {
		char c = topic->text[i];
		bool sign = c == '+' || c == '-' || c == '"';
		text[i] = sign && !evaluation->options->syntax ? ' ' : c;
	}
	int status = search_beginning(evaluation->searcher, text, &length, &evaluation->options->search, &error);
	free(text);
	*hits = 0;
	if (status) {
		bench_tell("%s:%zu: %s", path, topic->line, error.text);
		evaluation->failed++;
		return query_fails_alone(status) ? 0 : BENCH_ERROR;
	}
	if (length < topic->text_length) {
		bench_tell("%s:%zu: %s; only its first %zu of %zu bytes count", path, topic->line, error.text, length,
		           topic->text_length);
		evaluation->cut++;
	}
	trawl_hits(evaluation->searcher, hits);
	return 0;
}

static void write_trec(FILE *out, const struct topic *topic, const struct ranked *ranked, size_t rank)
{
	struct bench_text line = {0};
	text_append_word(&line, topic->id.bytes, topic->id.length);
	text_format(&line, " Q0 ");
	text_append(&line, ranked->name.bytes, ranked->name.length);
	text_format(&line, " %zu %.9g trawl\n", rank, (double)ranked->score); /* nine digits keep a float's bits */
	fwrite(line.data, 1, line.length, out);
	text_release(&line);
}

/* Whether the judged document `name`, which is the very id of a hit, is that one: written as a word it could be another's. */
static bool is_own_name(const struct evaluation *evaluation, struct word name)
{
	trawl_stored *stored = NULL;
	trawl_document document;
	char *id = bench_new(name.length, 1);
	size_t length = trec_id(id, name.bytes, name.length);
	bool other =
	    length != name.length && trawl_fetch(evaluation->index, id, length, &stored, &document, NULL) == TRAWL_OK;
	trawl_stored_free(stored);
	free(id);
	return !other;
}

/* Judgements name documents by the words of --trec, or by their ids as they are. */
static int relevance_of(const struct evaluation *evaluation, const struct judgement *judgements, size_t count,
                        struct word name, struct word id)
{
	int relevance;
	if (qrels_find(judgements, count, name, &relevance))
		return relevance;
	bool differs = name.length != id.length;
	if (differs && qrels_find(judgements, count, id, &relevance) && is_own_name(evaluation, id))
		return relevance;
	return 0;
}

/* trec_eval's order: by falling scores, equal ones by falling names. */
static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return word_compare(b->name, a->name);
}

/* The last search's hits into evaluation->ranked. */
static int name_hits(struct evaluation *evaluation, const struct topic *topic, const struct judgement *judgements,
                     size_t judgement_count, size_t count)
{
	size_t hit_count;
	const trawl_hit *hits = trawl_hits(evaluation->searcher, &hit_count);
	struct bench_text *names = &evaluation->names;
	names->length = 0;
	for (size_t i = 0; i < count; i++) {
		trawl_error error = {0};
		struct word id;
		if (trawl_hit_id(evaluation->searcher, hits[i].document, &id.bytes, &id.length, &error))
			return bench_fail("%s:%zu: %s", evaluation->topics->file.path, topic->line, error.text);
		size_t start = names->length;
		text_append_word(names, id.bytes, id.length);
		struct word name = {names->data + start, names->length - start};
		evaluation->ranked[i] = (struct ranked){
		    .name = name,
		    .score = hits[i].score,
		    .relevance = relevance_of(evaluation, judgements, judgement_count, name, id),
		};
	}
	const char *at = names->data; /* it may have moved */
	for (size_t i = 0; i < count; i++) {
		evaluation->ranked[i].name.bytes = at;
		at += evaluation->ranked[i].name.length;
	}
	return 0;
}

/* Their relevances in order of rank into evaluation->relevances; the hits into the TREC file. */
static int rank_hits(struct evaluation *evaluation, const struct topic *topic, const struct judgement *judgements,
                     size_t judgement_count, size_t count)
{
	if (name_hits(evaluation, topic, judgements, judgement_count, count))
		return BENCH_ERROR;
	if (!evaluation->options->search.stable_ties)
		qsort(evaluation->ranked, count, sizeof *evaluation->ranked, compare_ranked);
	for (size_t i = 0; i < count; i++) {
		evaluation->relevances[i] = evaluation->ranked[i].relevance;
		if (evaluation->trec)
			write_trec(evaluation->trec, topic, &evaluation->ranked[i], i + 1);
	}
	return 0;
}

/* The judgements of a topic that is named by a word of --trec, or by its id as it is. */
static const struct judgement *judgements_of(const struct evaluation *evaluation, const struct topic *topic,
                                             size_t *count)
{
	struct bench_text name = {0};
	text_append_word(&name, topic->id.bytes, topic->id.length);
	const struct judgement *judgements =
	    qrels_of_topic(evaluation->qrels, (struct word){name.data, name.length}, count);
	text_release(&name);
	return *count ? judgements : qrels_of_topic(evaluation->qrels, topic->id, count);
}

static int evaluate_topic(struct evaluation *evaluation, const struct topic *topic)
{
	size_t judgement_count, relevant = 0, hits;
	const struct judgement *judgements = judgements_of(evaluation, topic, &judgement_count);
	for (size_t i = 0; i < judgement_count; i++) {
		evaluation->judged[i] = judgements[i].relevance;
		relevant += judgements[i].relevance > 0;
	}
	if (!relevant) {
		evaluation->without_relevant++;
		if (!evaluation->trec)
			return 0;
	}
	int result = search_topic(evaluation, topic, &hits);
	if (!result)
		result = rank_hits(evaluation, topic, judgements, judgement_count, hits);
	if (result || !relevant)
		return result;

	struct evaluated *evaluated = &evaluation->evaluated[evaluation->count++];
	*evaluated = (struct evaluated){.topic = topic, .relevant = relevant, .hits = hits};
	metrics_compute(&evaluated->metrics, evaluation->relevances, hits, evaluation->judged, judgement_count);
	metrics_add(&evaluation->mean, &evaluated->metrics);
	evaluation->without_hits += hits == 0;
	return 0;
}

/* ---- all queries ------------------------------------------------------------------------------------------------ */

static int evaluate(struct evaluation *evaluation)
{
	const struct topics *topics = evaluation->topics;
	evaluation->ranked = bench_new(evaluation->options->search.top, sizeof *evaluation->ranked);
	evaluation->relevances = bench_new(evaluation->options->search.top, sizeof *evaluation->relevances);
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

enum { ID_COLUMNS_LEAST = 16, ID_COLUMNS_MOST = 36 }; /* with the figures, a line is up to 99 columns */

static size_t id_columns(const struct evaluation *evaluation)
{
	size_t widest = ID_COLUMNS_LEAST;
	for (size_t i = 0; i < evaluation->count; i++) {
		struct bench_text id = {0};
		text_append_word(&id, evaluation->evaluated[i].topic->id.bytes,
		                 evaluation->evaluated[i].topic->id.length);
		size_t columns = text_columns(id.data, id.length);
		widest = columns > widest ? columns : widest;
		text_release(&id);
	}
	return widest < ID_COLUMNS_MOST ? widest : ID_COLUMNS_MOST;
}

/* An id as a word, without its middle if it is longer than the column. */
static void print_id(struct bench_text *out, struct word id, size_t columns)
{
	struct bench_text word = {0};
	size_t head, tail, start = out->length;
	text_append_word(&word, id.bytes, id.length);
	shorten_middle(word.data, word.length, columns, &head, &tail);
	text_append(out, word.data, head);
	if (head < word.length)
		text_append(out, ELLIPSIS, strlen(ELLIPSIS));
	text_append(out, word.data + tail, word.length - tail);
	for (size_t used = text_columns(out->data + start, out->length - start); used < columns; used++)
		text_append(out, " ", 1);
	text_release(&word);
}

static void print_per_query(const struct evaluation *evaluation, struct bench_text *out)
{
	size_t columns = id_columns(evaluation);
	text_format(out, "%-*s %8s %8s %8s %8s %8s %8s %8s\n", (int)columns, "query", "relevant", "hits", "AP",
	            "nDCG@10", "P@10", "R@100", "RR");
	for (size_t i = 0; i < evaluation->count; i++) {
		const struct evaluated *e = &evaluation->evaluated[i];
		print_id(out, e->topic->id, columns);
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
	if (evaluation->cut)
		text_format(out, "%8zu queries too long, of which the beginning counted\n", evaluation->cut);
	if (evaluation->failed)
		text_format(out, "%8zu queries refused (counted as without hits)\n", evaluation->failed);
	size_t bad = evaluation->topics->file.bad + evaluation->qrels->file.bad;
	if (bad)
		text_format(out, "%8zu bad lines passed over\n", bad);
	if (evaluation->options->search.stable_ties)
		text_format(out, "\nEqual scores by rising ids: trec_eval orders them by falling ones.\n");
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
	            "\"judged_without_text\":%zu,\"queries_cut\":%zu,\"queries_refused\":%zu,\"bad_lines\":%zu,"
	            "\"depth\":%zu,\"options\":{",
	            evaluation->count, evaluation->without_hits, evaluation->without_relevant, evaluation->without_text,
	            evaluation->cut, evaluation->failed, evaluation->topics->file.bad + evaluation->qrels->file.bad,
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
	int result = topics_load(&topics, arguments[1], options->strict);
	if (!result)
		result = qrels_load(&qrels, arguments[2], options->strict);
	if (result)
		goto done;
	if (trawl_open(&index, arguments[0], &error) || trawl_searcher_new(&evaluation.searcher, index, &error))
		result = bench_fail("%s", error.text);
	else
		evaluation.index = index, result = evaluate_and_print(&evaluation);
done:
	trawl_searcher_free(evaluation.searcher);
	trawl_close(index);
	free(evaluation.ranked);
	free(evaluation.relevances);
	text_release(&evaluation.names);
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
