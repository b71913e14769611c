/*
 * Values that lie under a right checksum: parts of a small segment with other bytes in them, written as the engine writes, are refused
 * where they are read, in the words of the check that is meant to.
 */
#include "segment/segment.h"

#include "tests/file_bytes.h"
#include "tests/index_verbs.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the index ------------------------------------------------------------------------------------------------- */

enum { DOCUMENTS = 40, DELETED = 7, LONG_TEXT = 40000 };

static struct file whole;
static char long_id[ID_BYTES_MAX + 1];

static const char *id_of(int i)
{
	static char id[16];
	if (i == 0)
		return memset(long_id, 'l', ID_BYTES_MAX);
	snprintf(id, sizeof id, "d%d", i);
	return id;
}

/* Forty documents: two blocks of ids, several frames, spans, one deleted. */
static int make_whole(void **state)
{
	(void)state;
	const char *path = scratch_path("whole");
	trawl_writer *writer;
	trawl_writer_options options = {
	    .analysis = {.language = "english", .stop_words = true}, .memory_budget = 4 << 20, .threads = 1};
	char *text = malloc(LONG_TEXT + 200);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < DOCUMENTS; i++) {
		int length =
		    snprintf(text, 200, "the %s fish swims with word%d and word%d ", i % 2 ? "red" : "blue", i, i % 5);
		if (i % 8 == 0)
			for (; length < LONG_TEXT; length += 10)
				snprintf(text + length, 20, "fish%05d ", length % 997);
		add(writer, id_of(i), text);
	}
	CHECK(trawl_writer_commit(writer, &error));
	CHECK(trawl_writer_delete(writer, "d7", 2, &error));
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	whole = file_read(path);
	free(text);
	scratch_clear();
	return 0;
}

static int free_whole(void **state)
{
	(void)state;
	free(whole.bytes);
	return 0;
}

/* Read all there is through the public interface: the first failure. */
static int use_everything(const char *path)
{
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_search_options options = {.top = 50, .count = true};
	int code = trawl_open(&index, path, &error);
	for (int i = 0; !code && i < DOCUMENTS; i++) {
		code = fetch_status(index, id_of(i));
		if (i == DELETED && code == TRAWL_ENOTFOUND)
			code = 0;
	}
	if (!code)
		code = trawl_searcher_new(&searcher, index, &error);
	if (!code)
		code = trawl_search(searcher, "+\"red fish\" word1 absent", 24, &options, &error);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return code;
}

/* ---- lies ------------------------------------------------------------------------------------------------------ */

/* Other bytes at `at` of a part's first extent; `ends`: and none behind them. */
struct edit {
	uint32_t part;
	int at; /* negative: from the end */
	const char *bytes;
	size_t length;
	bool ends;
};

struct lie {
	const char *what, *says;
	struct edit edits[3]; /* those without bytes are none */
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define ROOT_PART(part) (56 + 8 * ((part)-1))

/* Of the root and of the manifest's one segment. */
enum { ORDINALS = 4, ROOT_LISTS = 144, DELETED_COUNT = 56, DELETION_BYTES = 84 };

static const char forty_times_forty[4 * DOCUMENTS] = "\x28\0\0\0\x28\0\0\0\x28\0\0\0\x28";

static void change(struct buffer *value, const struct edit *edit)
{
	size_t at = edit->at < 0 ? value->length - (size_t)-edit->at : (size_t)edit->at;
	size_t end = at + edit->length;
	assert_true(at <= value->length);
	if (end > value->length) {
		assert_true(buffer_reserve(value, end - value->length));
		value->length = end;
	}
	memcpy(value->data + at, edit->bytes, edit->length);
	if (edit->ends)
		value->length = end;
}

static void read_value(struct store *store, uint32_t part, struct buffer *out)
{
	struct snapshot *snapshot;
	const uint8_t *payload;
	uint32_t length;
	CHECK(snapshot_open(&snapshot, store, &error));
	if (part != PART_ORDER) { /* these documents have none */
		CHECK(snapshot_extent(snapshot, part != PART_MANIFEST, part, 0, &payload, &length, &error));
		assert_true(buffer_append(out, payload, length));
	}
	snapshot_close(snapshot);
}

/* Write the index with the edits in place. */
static void write_lie(const char *path, const struct edit *edits, size_t count)
{
	struct store *store;
	struct store_batch *batch;
	struct buffer manifest = {0};
	file_write(path, whole.bytes, whole.length);
	CHECK(store_open(&store, path, false, &error));
	CHECK(store_batch_new(&batch, store, &error));
	read_value(store, PART_MANIFEST, &manifest);
	for (size_t i = 0; i < count && edits[i].bytes; i++) {
		struct buffer value = {0};
		if (edits[i].part == PART_MANIFEST) {
			change(&manifest, &edits[i]);
			continue;
		}
		if (i && edits[i - 1].part == edits[i].part)
			continue; /* done with the one before */
		read_value(store, edits[i].part, &value);
		for (size_t j = i; j < count && edits[j].bytes; j++)
			if (edits[j].part == edits[i].part)
				change(&value, &edits[j]);
		CHECK(store_batch_put(batch, 1, edits[i].part, 0, value.data, (uint32_t)value.length, &error));
		buffer_release(&value);
	}
	CHECK(store_batch_commit(batch, manifest.data, (uint32_t)manifest.length, &error));
	buffer_release(&manifest);
	store_batch_free(batch);
	store_close(store);
}

static const struct lie lies[] = {
    {"a root cut off", "root: cut off", {{PART_ROOT, ROOT_LISTS - 1, BYTES(""), true}}},
    {"a root without a first term", "a root that is cut off", {{PART_ROOT, ROOT_LISTS, BYTES(""), true}}},
    {"a long first term", "a root that is cut off", {{PART_ROOT, ROOT_LISTS, BYTES("\xff"), false}}},
    {"more documents than a segment may have",
     "counts that contradict",
     {{PART_MANIFEST, 52, BYTES("\1\0\0\4"), false},
      {PART_ROOT, 0, BYTES("\1\0\0\4\1\0\0\4"), false},
      {PART_ROOT, ROOT_PART(PART_ID_INDEX), BYTES("\x08\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\4"), false}}},
    {"one hash more", "not a hash for each extent", {{PART_ROOT, -1, BYTES("\0\0\0\0\0"), false}}},
    {"one document more", "counts that contradict", {{PART_ROOT, 0, BYTES("\x29"), false}}},
    {"one document more in the manifest", "counts that contradict", {{PART_MANIFEST, 52, BYTES("\x29"), false}}},
    {"fewer ordinals than an order has",
     "counts that contradict",
     {{PART_ROOT, ROOT_PART(PART_ORDER), BYTES("\xa0"), false}, {PART_ROOT, ORDINALS, BYTES("\x27"), false}}},
    {"fewer ordinals than documents", "counts that contradict", {{PART_ROOT, ORDINALS, BYTES("\x27"), false}}},
    {"more ordinals without an order",
     "counts that contradict",
     {{PART_ROOT, ROOT_PART(PART_ORDER), BYTES("\0\0"), false}, {PART_ROOT, ORDINALS, BYTES("\x29"), false}}},
    {"a length less", "counts that contradict", {{PART_ROOT, ROOT_PART(PART_LENGTHS), BYTES("\x27"), false}}},
    {"half an id's entry", "counts that contradict", {{PART_ROOT, ROOT_PART(PART_ID_INDEX), BYTES("\x3c"), false}}},
    {"half an order", "counts that contradict", {{PART_ROOT, ROOT_PART(PART_ORDER), BYTES("\x50"), false}}},
    {"a block of ids less",
     "not a block for each 32 ids",
     {{PART_ROOT, ROOT_PART(PART_ID_BLOCKS), BYTES("\x08"), false}}},
    {"no blocks", "no blocks", {{PART_ROOT, ROOT_PART(PART_DOCUMENT_BLOCKS), BYTES("\0\0"), false}}},
    {"a large part", "larger than the file", {{PART_ROOT, ROOT_PART(PART_POSTINGS), BYTES("\0\0\0\0\0\x01"), false}}},
    {"deletions that are missing", "deletions are missing", {{PART_MANIFEST, DELETION_BYTES, BYTES("\0"), false}}},
    {"deletions longer than they are", "of the wrong length", {{PART_MANIFEST, DELETION_BYTES, BYTES("\x7f"), false}}},
    {"deletions too short", "of the wrong length", {{PART_MANIFEST, DELETION_BYTES, BYTES("\x0f"), false}}},
    {"deletions of another segment", "of the wrong length", {{PART_DELETIONS, 0, BYTES("\x29"), false}}},
    {"more deleted terms than there is room for",
     "deletions that are cut off",
     {{PART_DELETIONS, 12, BYTES("\x7f"), false}}},
    {"a deleted term that is cut off",
     "contradict the manifest",
     {{PART_DELETIONS, 12, BYTES("\1\0\0\0\x80"), true}, {PART_MANIFEST, DELETION_BYTES, BYTES("\x11"), false}}},
    {"a number of deleted that is cut off",
     "contradict the manifest",
     {{PART_DELETIONS, 12, BYTES("\1\0\0\0\0\x80"), true}, {PART_MANIFEST, DELETION_BYTES, BYTES("\x12"), false}}},
    {"a deleted term without bytes",
     "deletions that are cut off",
     {{PART_DELETIONS, 12, BYTES("\1\0\0\0"), true}, {PART_MANIFEST, DELETION_BYTES, BYTES("\x10"), false}}},
    {"a number of deleted beyond 32 bits",
     "contradict the manifest",
     {{PART_DELETIONS, 12, BYTES("\1\0\0\0\0\x80\x80\x80\x80\x10"), true},
      {PART_MANIFEST, DELETION_BYTES, BYTES("\x16"), false}}},
    {"bytes behind the deleted terms",
     "contradict the manifest",
     {{PART_DELETIONS, 12, BYTES("\0\0\0\0\0"), true}, {PART_MANIFEST, DELETION_BYTES, BYTES("\x11"), false}}},
    {"more deleted than the manifest says",
     "contradict the manifest",
     {{PART_DELETIONS, 4, BYTES("\3\0\0\0\0\0\0\0"), false}}},
    {"a deleted document past the end",
     "contradict the manifest",
     {{PART_DELETIONS, 4, BYTES("\0\0\0\0\0\1\0\0"), false}}},
    {"a docID past the end", "a docID past the end", {{PART_ID_INDEX, 4, BYTES("\x28"), false}}},
    {"an ordinal past the end",
     "an ordinal past the end",
     {{PART_ROOT, ROOT_PART(PART_ORDER), BYTES("\xa0"), false}, {PART_ORDER, 0, forty_times_forty, 160, false}}},
    {"a block of ids past the end", "an address past the end", {{PART_ID_BLOCKS, 8, BYTES("\0\0\0\1"), false}}},
    {"an id that begins like none", "ids that make no sense", {{PART_IDS, 0, BYTES("\1"), false}}},
    {"an id longer than any", "ids that make no sense", {{PART_IDS, 1, BYTES("\x81\x20"), false}}},
    {"an id longer than all", "ids that make no sense", {{PART_IDS, -3, BYTES("\x7f\x7f\x7f"), false}}},
    {"an id that is cut off", "ids that make no sense", {{PART_IDS, -5, BYTES("\x80\x80\x80\x80\x80"), false}}},
    {"a frame of another length", "a frame of the wrong length", {{PART_DOCUMENT_BLOCKS, 4, BYTES("\1"), false}}},
    {"a frame of no length", "a frame of the wrong length", {{PART_DOCUMENT_BLOCKS, 4, BYTES("\0\0\0\0"), false}}},
    {"a frame of nothing",
     "a frame of the wrong length",
     {{PART_DOCUMENTS, 0, BYTES("\x28\xb5\x2f\xfd\x20\0\1\0\0"), false},
      {PART_DOCUMENT_BLOCKS, 4, BYTES("\0\0\0\0"), false}}},
    {"frames out of order",
     "blocks out of order",
     {{PART_DOCUMENT_BLOCKS, 24, BYTES("\0\0\0\0\0\0"), false}, {PART_DOCUMENT_BLOCKS, 8, BYTES("\1"), false}}},
    {"a frame past the end", "a length past the end", {{PART_DOCUMENT_BLOCKS, 24, BYTES("\0\0\0\x7f"), false}}},
    {"a frame that is none", "part 1", {{PART_DOCUMENTS, 0, BYTES("\0\0\0\0"), false}}},
    {"a frame of other bytes", "does not decompress", {{PART_DOCUMENTS, 10, BYTES("\xff\xff\xff\xff\xff"), false}}},
    {"a dictionary that is none", "part 3", {{PART_DOCUMENT_DICTIONARY, 0, BYTES("\0\0\0\0"), false}}},
    {"a block of terms with an endless number",
     "a block that is cut off",
     {{PART_TERMS, 0, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), false}}},
    {"no blocks of terms", "an impossible number of blocks", {{PART_TERMS, -4, BYTES("\0\0\0\0"), false}}},
    {"more blocks of terms than there is room for",
     "an impossible number of blocks",
     {{PART_TERMS, -4, BYTES("\xff\xff\0\0"), false}}},
};

static void each_lie_is_refused_in_the_words_of_its_check(void **state)
{
	(void)state;
	const char *path = scratch_path("lie");
	write_lie(path, NULL, 0);
	if (use_everything(path))
		fail_msg("healthy: %s", error.text);
	scratch_clear();
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		const struct lie *lie = &lies[i];
		write_lie(path, lie->edits, sizeof lie->edits / sizeof *lie->edits);
		error = (trawl_error){0};
		int code = use_everything(path);
		if (code != TRAWL_ECORRUPT || error.code != code || !strstr(error.text, lie->says))
			fail_msg("%s: %s: '%s' and not '%s'", lie->what, trawl_status_name(code), error.text,
			         lie->says);
		scratch_clear();
	}
}

/* ---- files of others ------------------------------------------------------------------------------------------- */

static void extents_without_a_manifest_are_damage(void **state)
{
	(void)state;
	const char *path = scratch_path("headless");
	struct store *store;
	struct store_batch *batch;
	trawl_index *index;
	trawl_writer *writer;
	CHECK(store_open(&store, path, true, &error));
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_put(batch, 1, PART_POSTINGS, 0, (const uint8_t *)"old", 3, &error));
	CHECK(store_batch_flush(batch, &error));
	store_batch_free(batch);
	store_close(store);
	assert_int_equal(trawl_open(&index, path, &error), TRAWL_ECORRUPT);
	assert_non_null(strstr(error.text, "manifest: missing"));
	assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), TRAWL_ECORRUPT);
}

/* With a key as long as ours and a value of ours' length, and a byte less of either. */
static void another_program_s_file_is_no_index(void **state)
{
	(void)state;
	static const struct {
		size_t key, value;
	} lengths[] = {{12, 200}, {11, 200}, {12, EXTENT_HEADER - 1}};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		const char *path = scratch_path("foreign");
		static char key_bytes[12] = "their key", value_bytes[200];
		uint32_t magic = i ? EXTENT_MAGIC : 0;
		MDB_env *environment;
		MDB_txn *transaction;
		MDB_dbi database;
		trawl_index *index;
		trawl_writer *writer;
		MDB_val key = {lengths[i].key, key_bytes}, value = {lengths[i].value, value_bytes};
		memcpy(value_bytes, &magic, 4);
		assert_int_equal(mdb_env_create(&environment), 0);
		assert_int_equal(mdb_env_open(environment, path, MDB_NOSUBDIR, 0600), 0);
		assert_int_equal(mdb_txn_begin(environment, NULL, 0, &transaction), 0);
		assert_int_equal(mdb_dbi_open(transaction, NULL, 0, &database), 0);
		assert_int_equal(mdb_put(transaction, database, &key, &value, 0), 0);
		assert_int_equal(mdb_txn_commit(transaction), 0);
		mdb_env_close(environment);
		struct file before = file_read(path);
		assert_int_equal(trawl_open(&index, path, &error), TRAWL_ENOTINDEX);
		assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), TRAWL_ENOTINDEX);
		struct file after = file_read(path);
		assert_int_equal(before.length, after.length);
		assert_memory_equal(before.bytes, after.bytes, after.length);
		free(before.bytes);
		free(after.bytes);
		scratch_clear();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(each_lie_is_refused_in_the_words_of_its_check, clear),
	    cmocka_unit_test_teardown(extents_without_a_manifest_are_damage, clear),
	    cmocka_unit_test_teardown(another_program_s_file_is_no_index, clear),
	};
	return cmocka_run_group_tests(tests, make_whole, free_whole);
}
