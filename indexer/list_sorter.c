#include "indexer/list_sorter.h"

#include "base/error.h"

#define AHEAD 8 /* postings */

void list_sorter_release(struct list_sorter *sorter)
{
	doc_sorter_release(&sorter->sorter);
	memory_free(sorter->docs);
	memory_free(sorter->tfs);
	memory_free(sorter->positions);
	memory_free(sorter->starts);
	*sorter = (struct list_sorter){.sink = sorter->sink};
}

static bool reserve(struct list_sorter *sorter, uint32_t df)
{
	return memory_reserve(&sorter->docs, &sorter->doc_capacity, df, sizeof *sorter->docs) &&
	       memory_reserve(&sorter->tfs, &sorter->tf_capacity, df, sizeof *sorter->tfs) &&
	       memory_reserve(&sorter->starts, &sorter->start_capacity, df, sizeof *sorter->starts);
}

static int sorted_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)error;
	struct list_sorter *sorter = context;
	const uint64_t *key = &sorter->sorter.keys[sorter->posting++];
	const uint32_t *from = sorter->positions + sorter->starts[(uint32_t)*key];
	if (sorter->posting + 2 * AHEAD <= sorter->count) {
		__builtin_prefetch(&sorter->starts[(uint32_t)key[2 * AHEAD]]);
		__builtin_prefetch(&sorter->positions[sorter->starts[(uint32_t)key[AHEAD]]]);
	}
	for (uint32_t i = 0; i < count; i++) /* mostly one or two */
		positions[i] = from[i];
	return 0;
}

/* All positions of the list, as it came. */
static int read_positions(struct list_sorter *sorter, const uint32_t *tfs, uint32_t df,
                          const struct position_source *source, trawl_error *error)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < df; i++) {
		sorter->starts[i] = sum;
		sum += tfs[i];
	}
	if (!memory_reserve(&sorter->positions, &sorter->position_capacity, sum, sizeof *sorter->positions))
		return error_set_memory(error);
	int code = 0;
	for (uint32_t i = 0; !code && i < df; i++)
		code = source->next(source->context, tfs[i], sorter->positions + sorter->starts[i], error);
	return code;
}

int list_sorter_term(void *context, const struct term_list *list, trawl_error *error)
{
	struct list_sorter *sorter = context;
	const struct term_sink *sink = sorter->sink;
	uint32_t df = list->df;
	if (df == 1)
		return sink->term(sink->context, list, error);
	if (!reserve(sorter, df))
		return error_set_memory(error);
	int code = read_positions(sorter, list->tfs, df, list->source, error);
	if (code)
		return code;
	if (!doc_sorter_sort(&sorter->sorter, list->docs, df))
		return error_set_memory(error);
	for (uint32_t i = 0; i < df; i++) {
		sorter->docs[i] = (uint32_t)(sorter->sorter.keys[i] >> 32);
		sorter->tfs[i] = list->tfs[(uint32_t)sorter->sorter.keys[i]];
	}
	sorter->posting = 0;
	sorter->count = df;
	struct position_source sorted = {sorted_positions, sorter};
	struct term_list in_order = {list->term, list->length, df, sorter->docs, sorter->tfs, &sorted};
	return sink->term(sink->context, &in_order, error);
}
