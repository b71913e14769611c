#include "indexer/reorder.h"

#include <string.h>

#include "base/error.h"
#include "indexer/list_sorter.h"

int reorder_documents(const struct unordered *unordered, uint32_t *docs, uint32_t *order, uint32_t count, bool *moved,
                      trawl_error *error)
{
	struct graph graph;
	uint32_t *ordinals = NULL, *places = NULL;
	*moved = false;
	/* The graph takes about a level's time. */
	work_stage(unordered->work, "ordering documents", unordered->share / 8, 1);
	int code = graph_build(&graph, unordered, docs, count, error);
	work_stage(unordered->work, "ordering documents", unordered->share * 7 / 8,
	           code ? 0 : graph_bisect_units(&graph));
	if (code || !graph.term_count)
		goto done;
	ordinals = memory_new(count * sizeof *ordinals);
	places = memory_new(count * sizeof *places);
	code = ordinals && places
	           ? graph_bisect(&graph, places, unordered->workers, unordered->threads, unordered->work, error)
	           : error_set_memory(error);
	if (code)
		goto done;
	memcpy(ordinals, order, count * sizeof *ordinals);
	for (uint32_t i = 0; i < count; i++) {
		order[i] = ordinals[places[i]];
		docs[order[i]] = i;
		*moved |= places[i] != i;
	}
done:
	graph_release(&graph);
	memory_free(ordinals);
	memory_free(places);
	return code;
}

int reordered_runs(const struct unordered *unordered, const uint32_t *docs, const struct term_sink *sink,
                   trawl_error *error)
{
	struct list_sorter sorter = {.sink = sink};
	struct term_sink between = {list_sorter_term, &sorter};
	int code = runs_merge(unordered->runs, unordered->run_count, docs, &between, error);
	list_sorter_release(&sorter);
	return code;
}
