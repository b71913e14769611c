#include "searcher/filter.h"

#include <string.h>

#include "base/error.h"
#include "searcher/evaluation.h"
#include "searcher/run.h"

/* Sets a bit for each document that matches. */
struct bit_collector {
	struct collector collector;
	const struct collection *collection;
	uint64_t *bits;
};

static int take(struct collector *collector, const struct matches *matches)
{
	struct bit_collector *into = (struct bit_collector *)collector;
	uint64_t *bits = into->bits + collection_word(into->collection, matches->segment) +
	                 (size_t)matches->superblock * SUPERBLOCK_BLOCKS;
	for (uint32_t left = matches->blocks; left; left &= left - 1)
		bits[__builtin_ctz(left)] = matches->masks[__builtin_ctz(left)];
	return 0;
}

/* Keep the live documents that are not in `bits`. */
static void turn_around(const struct segment *segment, uint64_t *bits)
{
	struct live_documents live = {segment->documents_count, segment->deletions.words, NULL};
	for (uint32_t doc = 0; doc < live.count; doc += BLOCK_DOCUMENTS)
		bits[doc / BLOCK_DOCUMENTS] = live_in_block(&live, doc) & ~bits[doc / BLOCK_DOCUMENTS];
}

static int find_passing(struct filter *filter, const struct collection *collection, struct context *context)
{
	struct plan plan;
	struct bit_collector into = {
	    .collector = {.kind = COLLECT_CALL, .take = take}, .collection = collection, .bits = filter->bits};
	arena_reset(&filter->arena);
	int code = plan_make(&plan, &filter->query, collection, PLAN_FILTER, &filter->arena, context->error);
	if (!code)
		code = run_match(&(struct run){.plan = &plan}, context, &into.collector);
	for (size_t i = 0; !code && plan.complement && i < collection->segment_count; i++)
		turn_around(&collection->segments[i], filter->bits + collection_word(collection, i));
	return code;
}

int filter_prepare(struct filter *filter, const struct collection *collection, struct tokenizer *tokenizer,
                   const char *text, size_t length, const struct query_options *options, struct context *context)
{
	size_t words = collection_word(collection, collection->segment_count);
	if (filter->known && filter->text.length == length && (!length || !memcmp(filter->text.data, text, length)))
		return 0;
	filter->known = false;
	filter->text.length = 0;
	int code = query_read(&filter->query, tokenizer, text, length, options, context->error);
	if (code)
		return code;
	if (!buffer_append(&filter->text, text, length) ||
	    !memory_reserve(&filter->bits, &filter->capacity, words, sizeof *filter->bits))
		return error_set_memory(context->error);
	if (words)
		memset(filter->bits, 0, words * sizeof *filter->bits);
	code = find_passing(filter, collection, context);
	filter->known = !code;
	return code;
}

void filter_release(struct filter *filter)
{
	query_release(&filter->query);
	buffer_release(&filter->text);
	arena_release(&filter->arena);
	memory_free(filter->bits);
	*filter = (struct filter){0};
}
