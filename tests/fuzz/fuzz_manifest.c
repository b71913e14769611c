/* The commit record: any bytes are read or refused, and an index with them opens or does not; a manifest that was read comes back. */
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz_store.h"
#include "tests/scratch.h"

#define SHORTEST (12 + 4 + 8 + 4 + 4 + 4 + 1)

static void commit(const uint8_t *bytes, size_t length)
{
	struct store_batch *batch;
	trawl_error error;
	fuzz_need(store_batch_new(&batch, fuzz_store(), &error), &error);
	fuzz_need(store_batch_commit(batch, bytes, (uint32_t)length, &error), &error);
	store_batch_free(batch);
}

static int read_manifest(struct manifest *manifest)
{
	struct snapshot *snapshot;
	trawl_error error;
	fuzz_need(snapshot_open(&snapshot, fuzz_store(), &error), &error);
	int code = manifest_read(manifest, snapshot, &error);
	snapshot_close(snapshot);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest manifest, again, copy;
	struct buffer bytes = {0}, once_more = {0};
	trawl_index *index;
	trawl_error error;
	if (size > EXTENT_PAYLOAD)
		return 0;
	commit(data, size);
	int code = read_manifest(&manifest);
	PROMISE(code == 0 || code == TRAWL_ECORRUPT || code == TRAWL_ENOTINDEX || code == TRAWL_EVERSION);
	if (size < SHORTEST || memcmp(data, MANIFEST_MAGIC, MANIFEST_MAGIC_LENGTH) != 0)
		PROMISE(code == TRAWL_ENOTINDEX);
	else if (load32(data + 12) != FORMAT_VERSION || load32(data + 32) > ANALYSIS_VERSION)
		PROMISE(code == TRAWL_EVERSION);
	int opened = trawl_open(&index, store_path(fuzz_store()), &error);
	PROMISE(!code || opened == code);
	if (!opened)
		trawl_close(index);
	if (code)
		return 0;
	for (size_t i = 0; i < manifest.segment_count; i++)
		for (size_t other = 0; other < i; other++)
			PROMISE(manifest.segments[i].number != manifest.segments[other].number);
	PROMISE(manifest_write(&manifest, &bytes));
	commit(bytes.data, bytes.length);
	PROMISE(read_manifest(&again) == 0);
	PROMISE(manifest_copy(&copy, &again) && manifest_write(&copy, &once_more));
	PROMISE(bytes.length == once_more.length && memcmp(bytes.data, once_more.data, bytes.length) == 0);
	buffer_release(&once_more);
	manifest_release(&copy);
	manifest_release(&again);
	manifest_release(&manifest);
	buffer_release(&bytes);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	struct manifest_segment segments[] = {{1, 100, 3, 5000, 4000, 30000, 40}, {2, 1, 0, 5, 5, 20, 0}};
	struct manifest manifest = {.generation = 1 + number,
	                            .next_segment = 3,
	                            .flags = number,
	                            .analysis_version = ANALYSIS_VERSION,
	                            .language = "english",
	                            .segments = segments,
	                            .segment_count = number % 3};
	return number < 6 && manifest_write(&manifest, out);
}
