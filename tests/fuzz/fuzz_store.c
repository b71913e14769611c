#include "tests/fuzz/fuzz_store.h"

#include <stdlib.h>
#include <string.h>

#include "tests/scratch.h"

struct store *fuzz_store(void)
{
	static struct store *store;
	struct store_batch *batch;
	struct part_writer writer;
	trawl_error error;
	static uint8_t zeros[EXTENT_PAYLOAD - 100];
	if (store)
		return store;
	fuzz_need(store_open(&store, scratch_path("store.trawl"), true, &error), &error);
	fuzz_need(store_batch_new(&batch, store, &error), &error);
	fuzz_need(part_writer_init(&writer, batch, 9, PART_POSTINGS, &error), &error);
	fuzz_need(part_writer_append(&writer, zeros, sizeof zeros, &error), &error);
	fuzz_need(part_writer_finish(&writer, &error), &error);
	fuzz_need(store_batch_commit(batch, zeros, 100, &error), &error);
	part_writer_release(&writer);
	store_batch_free(batch);
	return store;
}

uint8_t *fuzz_part(struct part *part, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = fuzz_tight(bytes, length, EXTENT_SLACK);
	if (part->extent_count == 1)
		part->extents[0] = copy;
	return copy;
}
