/* searcher.c - trawl_searcher: from a query string to hits, over all segments. */
#include "searcher/searcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Room for the rounding of a bound byte times its step. Sums of bounds need none: they are taken in the order in which scores
 * are, and rounding is monotone. */
#define BOUND_SLACK 1.000001f

int trawl_searcher_new(trawl_searcher **out, const trawl_index *index, trawl_error *error)
{
	trawl_analysis analysis = manifest_analysis(&index->manifest);
	trawl_searcher *searcher = memory_new_zeroed(1, sizeof *searcher);
	*out = NULL;
	if (!searcher)
		return error_set_memory(error);
	searcher->index = index;
	searcher->k1 = searcher->b = NAN;
	searcher->inflations = memory_new(index->manifest.segment_count * sizeof *searcher->inflations);
	if (!searcher->inflations) {
		memory_free(searcher);
		return error_set_memory(error);
	}
	int code = tokenizer_new(&searcher->tokenizer, &analysis, error);
	if (code) {
		trawl_searcher_free(searcher);
		return code;
	}
	*out = searcher;
	return 0;
}

void trawl_searcher_free(trawl_searcher *searcher)
{
	if (!searcher)
		return;
	tokenizer_free(searcher->tokenizer);
	query_release(&searcher->query);
	filter_release(&searcher->filter);
	top_release(&searcher->top);
	arena_release(&searcher->arena);
	documents_scratch_release(&searcher->scratch);
	snippet_maker_release(&searcher->snippets);
	buffer_release(&searcher->joined);
	memory_free(searcher->clauses);
	memory_free(searcher->inflations);
	memory_free(searcher);
}

/* ---- weights ---- */

/* ln(1 + (N - df + 0.5) / (df + 0.5)) */
static double inverse_document_frequency(uint64_t documents, uint64_t df)
{
	return log1p(((double)documents - (double)df + 0.5) / ((double)df + 0.5));
}

/* Live documents of all segments with the term, and what each dictionary says of it. */
static int document_frequency(const trawl_index *index, const struct query_term *term, struct term_entry *entries,
                              uint64_t *df, trawl_error *error)
{
	struct term_entry entry;
	*df = 0;
	for (size_t i = 0; i < index->manifest.segment_count; i++) {
		int found = terms_find(&index->segments[i].terms, term->bytes, term->length, &entry, error);
		if (found < 0)
			return found;
		if (found)
			*df += segment_live_df(&index->segments[i], &entry);
		else
			entry.df = 0;
		entries[i] = entry;
	}
	return 0;
}

/* Look up the pair list of a phrase of two words. */
static int find_pairs(trawl_searcher *searcher, struct weighed *weighed, trawl_error *error)
{
	const struct trawl_index *index = searcher->index;
	const struct clause *clause = &weighed->clause;
	size_t segments = index->manifest.segment_count;
	weighed->pairs = NULL;
	if (clause->words != 2 || clause->terms[1].offset != clause->terms[0].offset + 1 ||
	    !(index->manifest.flags & FLAG_PAIRS))
		return 0;
	weighed->pairs = arena_new(&searcher->arena, segments * sizeof *weighed->pairs);
	if (!weighed->pairs)
		return error_set_memory(error);
	for (size_t i = 0; i < segments; i++) {
		struct pair *pair = &weighed->pairs[i];
		int state = segment_find_pair(&index->segments[i], &weighed->entries[0][i], &weighed->entries[1][i],
		                              &pair->entry, error);
		if (state < 0)
			return state;
		pair->state = (enum pair_state)state;
	}
	return 0;
}

int weigh(trawl_searcher *searcher, struct weighed *weighed, trawl_error *error)
{
	double idf = 0;
	const struct clause *clause = &weighed->clause;
	uint64_t before = searcher->postings;
	size_t segments = searcher->index->manifest.segment_count;
	weighed->entries = arena_new(&searcher->arena, clause->words * sizeof(struct term_entry *));
	for (uint32_t i = 0; i < clause->words; i++) {
		uint64_t df;
		struct term_entry *entries =
		    weighed->entries ? arena_new(&searcher->arena, segments * sizeof *entries) : NULL;
		if (!entries)
			return error_set_memory(error);
		weighed->entries[i] = entries;
		int code = document_frequency(searcher->index, &clause->terms[i], entries, &df, error);
		if (code)
			return code;
		/* A word that no living document has matches nothing; its idf must only not be read as evidence. */
		idf += df ? inverse_document_frequency(searcher->index->documents, df) : 0;
		searcher->postings += df;
		searcher->terms++;
	}
	weighed->df = clause->words == 1 ? searcher->postings - before : 0;
	weighed->weight = (float)(idf * clause->frequency);
	return find_pairs(searcher, weighed, error);
}

/* The order in which contributions are added: falling weight, then the terms' bytes; excluded clauses last. */
static int compare_weighed(const void *a, const void *b)
{
	const struct weighed *left = a, *right = b;
	bool left_excluded = left->clause.occur == OCCUR_EXCLUDED,
	     right_excluded = right->clause.occur == OCCUR_EXCLUDED;
	if (left_excluded != right_excluded)
		return left_excluded ? 1 : -1;
	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return clause_compare(&left->clause, &right->clause);
}

/* Insertion sort for the usual few: qsort may allocate, and a query in steady state must not. */
static void sort_clauses(struct weighed *clauses, size_t n)
{
	if (n > 64) {
		qsort(clauses, n, sizeof *clauses, compare_weighed);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct weighed moving = clauses[i];
		size_t at = i;
		for (; at && compare_weighed(&moving, &clauses[at - 1]) < 0; at--)
			clauses[at] = clauses[at - 1];
		clauses[at] = moving;
	}
}

static int plan(trawl_searcher *searcher, trawl_error *error)
{
	size_t n = searcher->query.clause_count;
	if (!memory_reserve(&searcher->clauses, &searcher->clause_capacity, n, sizeof *searcher->clauses))
		return error_set_memory(error);
	searcher->required = searcher->positive = false;
	searcher->clause_count = n;
	for (size_t i = 0; i < n; i++) {
		searcher->clauses[i].clause = searcher->query.clauses[i];
		int code = weigh(searcher, &searcher->clauses[i], error);
		if (code)
			return code;
		searcher->required |= searcher->clauses[i].clause.occur == OCCUR_REQUIRED;
		searcher->positive |= searcher->clauses[i].clause.occur != OCCUR_EXCLUDED;
	}
	sort_clauses(searcher->clauses, n);
	return 0;
}

/* ---- scoring tables ---- */

static struct inflation find_inflation(const struct scorer *scorer, const struct segment *segment)
{
	struct inflation inflation = {1, 1};
	float born[256];
	bm25_denominators(BORN_K1, BORN_B, segment->born_average, born);
	for (int code = segment->least_length; code <= segment->greatest_length; code++) {
		float ratio = born[code] / scorer->denominators[code];
		if (isnan(ratio)) /* 0 / 0: both saturations are 1 */
			continue;
		inflation.most = ratio > inflation.most ? ratio : inflation.most;
		inflation.least = ratio < inflation.least ? ratio : inflation.least;
	}
	return inflation;
}

/* Tables for this k1 and b; queries mostly come with the same ones. */
static void prepare_scorer(trawl_searcher *searcher, float k1, float b)
{
	struct scorer *scorer = &searcher->scorer;
	if (searcher->k1 == k1 && searcher->b == b)
		return;
	searcher->k1 = k1;
	searcher->b = b;
	bm25_denominators(k1, b, searcher->index->average, scorer->denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			scorer->saturations[tf - 1][code] = saturation(tf, scorer->denominators[code]);
	for (size_t i = 0; i < searcher->index->manifest.segment_count; i++)
		searcher->inflations[i] = find_inflation(scorer, &searcher->index->segments[i]);
}

/* ---- one segment ---- */

static int evaluate_phrase(struct phrase_evaluation *phrase)
{
	if (phrase->segment->has_positions)
		return kernel_get()->evaluate_phrase(phrase);
	return error_set(phrase->error, TRAWL_EINVAL,
	                 "%s has no positions, so it cannot answer phrases; index again without --no-positions",
	                 store_path(snapshot_store(phrase->segment->snapshot)));
}

static bool has_pair(const struct weighed *weighed, size_t number)
{
	return weighed->pairs && weighed->pairs[number].state == PAIR_FOUND;
}

/* The matches of a phrase among other clauses, as a list like any other. */
static int open_phrase(trawl_searcher *searcher, struct list *list, size_t number, const struct weighed *weighed,
                       trawl_error *error)
{
	struct phrase_evaluation phrase = {.segment = &searcher->index->segments[number],
	                                   .terms = weighed->clause.terms,
	                                   .words = weighed->clause.words,
	                                   .entries = (const struct term_entry *const *)weighed->entries,
	                                   .number = number,
	                                   .out = list,
	                                   .arena = &searcher->arena,
	                                   .scratch = &searcher->joined,
	                                   .error = error};
	*list = (struct list){.kind = LIST_SHORT, .inline_position = POSITION_NONE};
	int code = evaluate_phrase(&phrase);
	list->live_df = list->count;
	if (!list->count)
		list->kind = LIST_EMPTY;
	return code;
}

int open_list(trawl_searcher *searcher, struct list *list, size_t number, const struct weighed *weighed,
              trawl_error *error)
{
	struct segment *segment = &searcher->index->segments[number];
	const struct term_entry *entry = &weighed->entries[0][number];
	int code = 0;
	if (has_pair(weighed, number))
		code = list_open_pair(list, segment, &weighed->pairs[number].entry, &searcher->arena, error);
	else if (weighed->clause.words > 1)
		code = open_phrase(searcher, list, number, weighed, error);
	else if (entry->df)
		code = list_open(list, segment, entry, &searcher->arena, error);
	else
		*list = (struct list){.kind = LIST_EMPTY};
	list->occur = weighed->clause.occur;
	return code;
}

/* Open the lists that matter. *matchable: false when some required list is empty, or nothing is left. */
static int open_lists(trawl_searcher *searcher, struct evaluation *evaluation, size_t number, bool scoring,
                      bool *matchable, trawl_error *error)
{
	struct segment *segment = evaluation->segment;
	uint32_t positives = 0;
	evaluation->lists = arena_new(&searcher->arena, searcher->clause_count * sizeof *evaluation->lists);
	if (!evaluation->lists)
		return error_set_memory(error);
	*matchable = true;
	for (size_t i = 0; i < searcher->clause_count && *matchable; i++) {
		const struct weighed *weighed = &searcher->clauses[i];
		struct list *list = &evaluation->lists[evaluation->count];
		if (!scoring && searcher->required && weighed->clause.occur == OCCUR_OPTIONAL)
			continue; /* does not change the number of matches */
		int code = open_list(searcher, list, number, weighed, error);
		if (!code && scoring && weighed->clause.occur != OCCUR_EXCLUDED)
			code = list_score(list, segment, &searcher->scorer, weighed->weight,
			                  searcher->inflations[number].most, BOUND_SLACK, &searcher->arena, error);
		if (code)
			return code;
		if (list->kind == LIST_EMPTY) {
			*matchable = weighed->clause.occur != OCCUR_REQUIRED;
			continue;
		}
		positives += weighed->clause.occur != OCCUR_EXCLUDED;
		evaluation->count++;
	}
	*matchable = *matchable && positives;
	/* What a single list requires needs no intersection. */
	if (positives == 1) {
		evaluation->required = false;
		for (uint32_t i = 0; i < evaluation->count; i++)
			if (evaluation->lists[i].occur == OCCUR_REQUIRED)
				evaluation->lists[i].occur = OCCUR_OPTIONAL;
	}
	return 0;
}

/* In a union every posting of a list is a match, so the k-th best contribution of any list bounds the k-th best score. */
static void seed_threshold(const struct evaluation *evaluation, struct top *top, float least)
{
	int which = top->k <= 10 ? 0 : top->k <= 100 ? 1 : top->k <= 1000 ? 2 : 3;
	if (which == 3 || evaluation->required || evaluation->allowed || evaluation->segment->deletions.words)
		return;
	for (uint32_t i = 0; i < evaluation->count; i++)
		if (evaluation->lists[i].occur == OCCUR_EXCLUDED)
			return;
	for (uint32_t i = 0; i < evaluation->count; i++) {
		const struct list *list = &evaluation->lists[i];
		if (list->kind == LIST_RANGED)
			top_raise(top, list->ranged.seeds[which] * least * list->weight / BOUND_SLACK);
	}
}

static bool is_phrase(const trawl_searcher *searcher)
{
	return !searcher->filtering && searcher->clause_count == 1 && searcher->clauses[0].clause.words > 1;
}

/* A phrase alone is ranked as it is found. */
static int search_phrase(trawl_searcher *searcher, size_t number, bool scoring, trawl_error *error)
{
	const struct weighed *weighed = &searcher->clauses[0];
	struct segment *segment = &searcher->index->segments[number];
	struct phrase_evaluation phrase = {.segment = segment,
	                                   .scorer = &searcher->scorer,
	                                   .terms = weighed->clause.terms,
	                                   .words = weighed->clause.words,
	                                   .entries = (const struct term_entry *const *)weighed->entries,
	                                   .number = number,
	                                   .weight = weighed->weight,
	                                   .inflation = searcher->inflations[number].most,
	                                   .slack = BOUND_SLACK,
	                                   .base = searcher->index->bases[number],
	                                   .top = scoring ? &searcher->top : NULL,
	                                   .count_all = searcher->count_while_ranking,
	                                   .arena = &searcher->arena,
	                                   .scratch = &searcher->joined,
	                                   .error = error};
	int code = evaluate_phrase(&phrase);
	searcher->matches += !scoring || searcher->count_while_ranking ? phrase.matches : 0;
	return code;
}

static int search_segment(trawl_searcher *searcher, size_t number, bool scoring, trawl_error *error)
{
	const trawl_index *index = searcher->index;
	if (is_phrase(searcher) && !has_pair(&searcher->clauses[0], number))
		return search_phrase(searcher, number, scoring, error);
	struct evaluation evaluation = {.segment = &index->segments[number],
	                                .scorer = &searcher->scorer,
	                                .required = searcher->required,
	                                .allowed = searcher->filtering ? filter_bits(searcher, number) : NULL,
	                                .base = index->bases[number],
	                                .arena = &searcher->arena,
	                                .error = error};
	bool matchable = false;
	int code = open_lists(searcher, &evaluation, number, scoring, &matchable, error);
	if (code || !matchable)
		return code;
	if (!scoring)
		return kernel_get()->evaluate_count(&evaluation, &searcher->matches);
	seed_threshold(&evaluation, &searcher->top, searcher->inflations[number].least);
	code = kernel_get()->evaluate_top(&evaluation, &searcher->top);
	return code || !searcher->count_while_ranking ? code
	                                              : kernel_get()->evaluate_count(&evaluation, &searcher->matches);
}

/* ---- all segments ---- */

static int search_top(trawl_searcher *searcher, size_t k, trawl_error *error)
{
	float most = 0; /* that a document can score: saturations are at most 1 */
	for (size_t i = 0; i < searcher->clause_count; i++)
		if (searcher->clauses[i].clause.occur != OCCUR_EXCLUDED)
			most += searcher->clauses[i].weight;
	if (!top_begin(&searcher->top, k, most))
		return error_set_memory(error);
	for (size_t i = 0; searcher->positive && i < searcher->index->manifest.segment_count; i++) {
		int code = search_segment(searcher, i, true, error);
		if (code)
			return code;
	}
	top_finish(&searcher->top);
	return 0;
}

/* Equal scores by id: the ids of all documents that tie must be known, so search deeper until no tie is cut off. */
static int search_stable(trawl_searcher *searcher, size_t k, trawl_error *error)
{
	for (size_t depth = k + 64;; depth *= 2) {
		int code = search_top(searcher, depth, error);
		if (code)
			return code;
		const struct top *top = &searcher->top;
		if (top->count < depth || top->hits[top->count - 1].score < top->hits[k - 1].score)
			break;
	}
	int code = sort_by_id(searcher, error);
	if (searcher->top.count > k)
		searcher->top.count = k;
	return code;
}

/* The number of matches is a word's document frequency when nothing else decides: it is the only required clause, or the only
 * one, none is excluded, and there is no filter. */
static const struct weighed *deciding_word(const trawl_searcher *searcher)
{
	const struct weighed *word = NULL;
	if (searcher->filtering)
		return NULL;
	for (size_t i = 0; i < searcher->clause_count; i++) {
		const struct weighed *weighed = &searcher->clauses[i];
		if (weighed->clause.occur == OCCUR_OPTIONAL && searcher->required)
			continue;
		if (word || weighed->clause.occur == OCCUR_EXCLUDED || weighed->clause.words > 1)
			return NULL;
		word = weighed;
	}
	return word;
}

static int count_matches(trawl_searcher *searcher, trawl_error *error)
{
	const struct weighed *word = deciding_word(searcher);
	if (word) {
		searcher->matches = word->df;
		return 0;
	}
	for (size_t i = 0; searcher->positive && i < searcher->index->manifest.segment_count; i++) {
		int code = search_segment(searcher, i, false, error);
		if (code)
			return code;
	}
	return 0;
}

/* Every match: as many as there are. */
static int search_all(trawl_searcher *searcher, const trawl_search_options *options, trawl_error *error)
{
	int code = count_matches(searcher, error);
	size_t k = (size_t)searcher->matches;
	if (!code && k)
		code = options->stable_ties ? search_stable(searcher, k, error) : search_top(searcher, k, error);
	searcher->matches = options->count ? k : 0;
	return code;
}

static int check_options(const trawl_search_options *options, trawl_error *error)
{
	if (options->top > TRAWL_TOP_MAX && options->top != TRAWL_TOP_ALL)
		return error_set(error, TRAWL_ELIMIT, "%zu hits; %d are the most", options->top, TRAWL_TOP_MAX);
	if (options->set_k1 && !(options->k1 >= 0 && options->k1 <= 1000))
		return error_set(error, TRAWL_EINVAL, "k1 must be between 0 and 1000");
	if (options->set_b && !(options->b >= 0 && options->b <= 1))
		return error_set(error, TRAWL_EINVAL, "b must be between 0 and 1");
	return 0;
}

int trawl_search(trawl_searcher *searcher, const char *query, size_t query_length, const trawl_search_options *options,
                 trawl_error *error)
{
	trawl_error local;
	error = error ? error : &local;
	searcher->top.count = 0;
	searcher->matches = searcher->postings = 0;
	searcher->terms = searcher->clause_count = 0;
	arena_reset(&searcher->arena);
	int code = check_options(options, error);
	if (!code)
		code = query_parse(&searcher->query, searcher->tokenizer, query, query_length, error);
	if (!code)
		code = plan(searcher, error);
	searcher->filtering = options->filter != NULL;
	if (!code && options->filter)
		code = filter_prepare(searcher, options->filter, options->filter_length, error);
	if (code) {
		searcher->clause_count = 0;
		return code;
	}
	prepare_scorer(searcher, options->set_k1 ? options->k1 : BORN_K1, options->set_b ? options->b : BORN_B);
	/* A phrase is counted as it is ranked, unless stable ties search more than once. */
	bool all = options->top == TRAWL_TOP_ALL;
	searcher->count_while_ranking =
	    options->count && options->top && !all && !options->stable_ties && is_phrase(searcher);
	if (all)
		code = search_all(searcher, options, error);
	else if (options->top)
		code = options->stable_ties ? search_stable(searcher, options->top, error)
		                            : search_top(searcher, options->top, error);
	if (!code && options->count && !all && !searcher->count_while_ranking)
		code = count_matches(searcher, error);
	if (code)
		searcher->top.count = searcher->clause_count = 0;
	return code;
}

const trawl_hit *trawl_hits(const trawl_searcher *searcher, size_t *count)
{
	*count = searcher->top.count;
	return searcher->top.hits;
}

uint64_t trawl_match_count(const trawl_searcher *searcher)
{
	return searcher->matches;
}

size_t trawl_query_terms(const trawl_searcher *searcher)
{
	return searcher->terms;
}

uint64_t trawl_query_postings(const trawl_searcher *searcher)
{
	return searcher->postings;
}
