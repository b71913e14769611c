/* searcher.c - trawl_searcher: from a query string to hits, over all segments. */
#include "searcher/searcher.h"

#include <string.h>

#include "base/error.h"
#include "searcher/run.h"

/* How queries of the index are read. */
static struct query_options query_options(const struct collection *collection, const struct manifest *manifest)
{
	bool positions = !collection->segment_count || collection->segments[0].has_positions;
	trawl_analysis analysis = manifest_analysis(manifest);
	return (struct query_options){.no_positions = !positions,
	                              .unstemmed = strcmp(analysis.language, "none") == 0,
	                              .fold_diacritics = analysis.fold_diacritics};
}

int trawl_searcher_new(trawl_searcher **out, const trawl_index *index, trawl_error *error)
{
	trawl_analysis analysis = manifest_analysis(&index->manifest);
	trawl_searcher *searcher = memory_new_zeroed(1, sizeof *searcher);
	*out = NULL;
	if (!searcher)
		return error_set_memory(error);
	searcher->index = index;
	searcher->reading = query_options(&index->collection, &index->manifest);
	int code = scoring_init(&searcher->scoring, &index->collection) ? 0 : error_set_memory(error);
	if (!code)
		code = tokenizer_new(&searcher->tokenizer, &analysis, error);
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
	arena_release(&searcher->plan_arena);
	scoring_release(&searcher->scoring);
	filter_release(&searcher->filter);
	context_release(&searcher->context);
	top_release(&searcher->top);
	documents_scratch_release(&searcher->reader.scratch);
	snippet_maker_release(&searcher->reader.snippets);
	arena_release(&searcher->reader.arena);
	memory_free(searcher);
}

/* ---- the best hits ---- */

/* With `every` the matches are counted too: top.collector.matches. */
static int search_top(trawl_searcher *searcher, const struct run *run, size_t k, bool every)
{
	struct top *top = &searcher->top;
	if (!top_begin(top, k, plan_most(run->plan)))
		return error_set_memory(searcher->context.error);
	top->collector.every = every;
	int code = run_rank(run, &searcher->context, &top->collector);
	if (code)
		return code;
	top_finish(top);
	return 0;
}

/* Equal scores by id: the ids of all documents that tie must be known, so search deeper until no tie is cut off. */
static int search_stable(trawl_searcher *searcher, const struct run *run, size_t k)
{
	const struct top *top = &searcher->top;
	for (size_t depth = k + 64;; depth *= 2) {
		int code = search_top(searcher, run, depth, false);
		if (code)
			return code;
		if (top->count < depth || top->hits[top->count - 1].score < top->hits[k - 1].score)
			break;
	}
	int code = sort_by_id(searcher, searcher->context.error);
	if (searcher->top.count > k)
		searcher->top.count = k;
	return code;
}

static int count_matches(trawl_searcher *searcher, const struct run *run)
{
	struct collector counter = {.kind = COLLECT_COUNT};
	int code = run_match(run, &searcher->context, &counter);
	searcher->matches = counter.matches;
	return code;
}

/* Every match: as many as there are. */
static int search_all(trawl_searcher *searcher, const struct run *run, const trawl_search_options *options)
{
	int code = count_matches(searcher, run);
	size_t k = (size_t)searcher->matches;
	if (!code && k)
		code = options->stable_ties ? search_stable(searcher, run, k) : search_top(searcher, run, k, false);
	searcher->matches = options->count ? k : 0;
	return code;
}

static int search_some(trawl_searcher *searcher, const struct run *run, const trawl_search_options *options)
{
	/* Stable ties may search more than once, and need not count each time. */
	bool every = options->count && options->top && !options->stable_ties && run_counts_while_ranking(run);
	int code = 0;
	if (options->top)
		code = options->stable_ties ? search_stable(searcher, run, options->top)
		                            : search_top(searcher, run, options->top, every);
	if (!code && every)
		searcher->matches = searcher->top.collector.matches;
	else if (!code && options->count)
		code = count_matches(searcher, run);
	return code;
}

/* ---- a query ---- */

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

/* What there is of the last query goes. */
static void drop_results(trawl_searcher *searcher)
{
	searcher->plan = (struct plan){.collection = &searcher->index->collection};
	searcher->top.count = 0;
	searcher->matches = 0;
	arena_reset(&searcher->plan_arena);
}

/* From the text to all that running it takes. */
static int prepare(trawl_searcher *searcher, const char *query, size_t query_length,
                   const trawl_search_options *options, struct run *run)
{
	const struct collection *collection = &searcher->index->collection;
	struct context *context = &searcher->context;
	struct query_options reading = searcher->reading;
	reading.syntax.strict = options->syntax == TRAWL_SYNTAX_STRICT;
	reading.others_match = true;
	reading.minimum = options->minimum;
	reading.percent = options->minimum_percent;
	int code = check_options(options, context->error);
	if (!code)
		code = query_read(&searcher->query, searcher->tokenizer, query, query_length, &reading, context->error);
	if (!code)
		code = plan_make(&searcher->plan, &searcher->query, collection, PLAN_SEARCH, &searcher->plan_arena,
		                 context->error);
	if (!code && options->filter)
		code = filter_prepare(&searcher->filter, collection, searcher->tokenizer, options->filter,
		                      options->filter_length, &searcher->reading, context);
	if (code)
		return code;
	scoring_prepare(&searcher->scoring, collection, options->set_k1 ? options->k1 : BUILD_K1,
	                options->set_b ? options->b : BUILD_B);
	*run = (struct run){.plan = &searcher->plan,
	                    .scoring = &searcher->scoring,
	                    .allowed = options->filter ? searcher->filter.bits : NULL};
	return 0;
}

int trawl_search(trawl_searcher *searcher, const char *query, size_t query_length, const trawl_search_options *options,
                 trawl_error *error)
{
	trawl_error unread;
	struct run run;
	searcher->context.error = error ? error : &unread;
	drop_results(searcher);
	int code = prepare(searcher, query, query_length, options, &run);
	if (!code)
		code = options->top == TRAWL_TOP_ALL ? search_all(searcher, &run, options)
		                                     : search_some(searcher, &run, options);
	if (code)
		drop_results(searcher);
	searcher->context.error = NULL;
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

bool trawl_query_get_note(const trawl_searcher *searcher, size_t which, trawl_query_note *note)
{
	const struct syntax_note *at = searcher->query.notes;
	while (at && which--)
		at = at->next;
	if (at)
		*note = (trawl_query_note){at->at, at->length, at->text};
	return at != NULL;
}

size_t trawl_query_error_place(const trawl_searcher *searcher)
{
	return searcher->query.error_at;
}

size_t trawl_query_terms(const trawl_searcher *searcher)
{
	return searcher->plan.terms;
}

uint64_t trawl_query_postings(const trawl_searcher *searcher)
{
	return searcher->plan.postings;
}
