/* batch.c - the writes of a commit, and parts as they are written. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/lmdb_file.h"

#define FLUSH_BYTES ((size_t)16 << 20) /* extents queued in memory before a transaction of their own, unless told */

#define PAGES_OF_ITS_OWN 8192 /* bytes: larger values share no page with others */

struct queued {
	uint8_t key[KEY_BYTES];
	uint32_t size;
	uint8_t *value; /* NULL: remove the segment named by the key */
};

struct store_batch {
	struct store *store;
	struct queued *queue;
	size_t queue_length, queue_capacity;
	size_t queued_bytes, flush_bytes;
	size_t give_back; /* a larger file's pages are given back after each transaction; 0: they stay */
	bool held;        /* nothing is flushed before the commit */
	int lock;         /* where nobody else here is the writer */
};

/* Become the writer where nobody else in this process is. */
static int lock_alone(struct store *store, int *lock, trawl_error *error)
{
	*lock = -1;
	int code = store->writing ? 0 : store_lock(store, false, lock, error);
	return code == STORE_REPLACED
	           ? error_set(error, TRAWL_EBUSY, "%s has been replaced; open it again", store->path)
	           : code;
}

int store_batch_new(struct store_batch **out, struct store *store, trawl_error *error)
{
	*out = memory_new_zeroed(1, sizeof **out);
	if (!*out)
		return error_set_memory(error);
	int code = lock_alone(store, &(*out)->lock, error);
	if (code) {
		memory_free(*out);
		*out = NULL;
		return code;
	}
	(*out)->store = store;
	(*out)->flush_bytes = FLUSH_BYTES;
	return 0;
}

void store_batch_limit(struct store_batch *batch, size_t bytes)
{
	batch->flush_bytes = bytes < FLUSH_BYTES ? bytes : FLUSH_BYTES;
}

void store_batch_give_back(struct store_batch *batch, size_t bytes)
{
	batch->give_back = bytes;
}

static void empty_queue(struct store_batch *batch)
{
	for (size_t i = 0; i < batch->queue_length; i++)
		memory_free(batch->queue[i].value);
	batch->queue_length = 0;
	batch->queued_bytes = 0;
}

void store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	empty_queue(batch);
	store_unlock(batch->store, batch->lock);
	memory_free(batch->queue);
	memory_free(batch);
}

static int enqueue(struct store_batch *batch, const uint8_t key[KEY_BYTES], uint8_t *value, uint32_t size,
                   trawl_error *error)
{
	if (!memory_reserve(&batch->queue, &batch->queue_capacity, batch->queue_length + 1, sizeof *batch->queue)) {
		memory_free(value);
		return error_set_memory(error);
	}
	struct queued *entry = &batch->queue[batch->queue_length++];
	memcpy(entry->key, key, KEY_BYTES);
	entry->value = value;
	entry->size = size;
	batch->queued_bytes += size;
	return 0;
}

static uint8_t *make_value(uint32_t segment, uint32_t part, uint32_t extent, const uint8_t *payload, uint32_t length)
{
	uint8_t *value = memory_new(EXTENT_HEADER + (size_t)length + EXTENT_SLACK);
	if (!value)
		return NULL;
	memset(value, 0, EXTENT_HEADER);
	store32(value, EXTENT_MAGIC);
	store16(value + 4, FORMAT_VERSION);
	store16(value + 6, (uint16_t)part);
	store32(value + 8, segment);
	store32(value + 12, extent);
	store32(value + 16, length);
	memcpy(value + EXTENT_HEADER, payload, length);
	memset(value + EXTENT_HEADER + length, 0, EXTENT_SLACK);
	store64(value + 24, extent_checksum(value, value + EXTENT_HEADER, length));
	return value;
}

/* `mapped`: the transaction has not written anything of the segment, so that its extents are in the mapped file. */
static int remove_segment(MDB_txn *transaction, MDB_dbi database, const uint8_t first_key[KEY_BYTES], bool mapped)
{
	MDB_cursor *cursor;
	int code = mdb_cursor_open(transaction, database, &cursor);
	if (code)
		return code;
	uint8_t from[KEY_BYTES];
	memcpy(from, first_key, KEY_BYTES);
	MDB_val key = {KEY_BYTES, from}, value;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (!code && key.mv_size == KEY_BYTES && memcmp(key.mv_data, first_key, 4) == 0) {
		const uint8_t *payload = (const uint8_t *)value.mv_data + EXTENT_HEADER;
		size_t length = value.mv_size;
		code = mdb_cursor_del(cursor, 0);
		/* LMDB looked at its first page, which the system maps with its neighbours. */
		if (mapped && length > PAGES_OF_ITS_OWN)
			extent_give_back(payload, length - EXTENT_HEADER);
		if (!code)
			code = mdb_cursor_get(cursor, &key, &value, MDB_GET_CURRENT);
		if (code == EINVAL)
			code = MDB_NOTFOUND; /* the cursor stands past the last entry */
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

/* Whether something of the segment that entry `i` names is in the queue before it. */
static bool was_put(const struct store_batch *batch, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (memcmp(batch->queue[j].key, batch->queue[i].key, 4) == 0)
			return true;
	return false;
}

static int write_queue(struct store_batch *batch, MDB_txn *transaction)
{
	for (size_t i = 0; i < batch->queue_length; i++) {
		struct queued *entry = &batch->queue[i];
		MDB_val key = {KEY_BYTES, entry->key}, value = {entry->size, NULL};
		int code;
		if (entry->value) {
			code = mdb_put(transaction, writing_database(batch->store), &key, &value, MDB_RESERVE);
			if (!code) {
				memcpy(value.mv_data, entry->value, entry->size);
				memory_free(entry->value); /* LMDB holds it now: not twice in memory */
				entry->value = NULL;
				entry->size = 0;
			}
		} else {
			code =
			    remove_segment(transaction, writing_database(batch->store), entry->key, !was_put(batch, i));
		}
		if (code)
			return code;
	}
	return 0;
}

/* Sign the manifest, whether this transaction changed it or not (signature.h). */
static int sign_manifest(MDB_txn *transaction, MDB_dbi database)
{
	uint8_t key_bytes[KEY_BYTES];
	key_write(key_bytes, 0, PART_MANIFEST, 0);
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	int code = mdb_get(transaction, database, &key, &value);
	if (code)
		return code == MDB_NOTFOUND ? 0 : code;
	if (value.mv_size < EXTENT_HEADER)
		return MDB_CORRUPTED;
	uint8_t *copy = memory_new(value.mv_size);
	if (!copy)
		return ENOMEM;
	memcpy(copy, value.mv_data, value.mv_size);
	store64(copy + EXTENT_SIGNATURE, mdb_txn_id(transaction));
	value.mv_data = copy;
	code = mdb_put(transaction, database, &key, &value, 0);
	memory_free(copy);
	return code;
}

/* mdb_txn_commit, which frees the transaction even when it fails. Where the write of the meta page fails LMDB gives the page its old
 * number back, but not its old trees, which signature_check would call damage: put the page back as it was. */
static int commit_transaction(const struct store *store, MDB_txn *transaction)
{
	enum { META_BYTES = 512 }; /* it has fewer, and no page is smaller */
	uint8_t before[META_BYTES], after[META_BYTES];
	MDB_stat layout;
	int file;
	mdb_env_stat(writing_environment(store), &layout);
	mdb_env_get_fd(writing_environment(store), &file);
	off_t place = (off_t)(mdb_txn_id(transaction) % 2 * layout.ms_psize);
	bool known = pread(file, before, META_BYTES, place) == META_BYTES;
	int code = mdb_txn_commit(transaction);
	if (code && known && pread(file, after, META_BYTES, place) == META_BYTES &&
	    memcmp(before, after, META_BYTES) != 0 && pwrite(file, before, META_BYTES, place) == META_BYTES)
		fdatasync(file);
	return code;
}

static void give_back(const struct store_batch *batch)
{
	MDB_envinfo information;
	MDB_stat layout;
	if (!batch->give_back)
		return;
	mdb_env_info(writing_environment(batch->store), &information);
	mdb_env_stat(writing_environment(batch->store), &layout);
	uint64_t bytes = ((uint64_t)information.me_last_pgno + 1) * layout.ms_psize;
	if (bytes > batch->give_back)
		writing_give_back(batch->store, bytes);
}

/* Write the queue in one transaction. */
static int flush(struct store_batch *batch, trawl_error *error)
{
	MDB_txn *transaction;
	int begun = write_begin(batch->store, "writing", &transaction, error), code = 0;
	if (!begun) {
		code = write_queue(batch, transaction);
		if (!code)
			code = sign_manifest(transaction, writing_database(batch->store));
		if (code)
			mdb_txn_abort(transaction);
		else
			code = commit_transaction(batch->store, transaction);
	}
	empty_queue(batch);
	batch->held = false;
	give_back(batch);
	return code ? lmdb_error(batch->store, code, "writing", error) : begun;
}

int store_batch_flush(struct store_batch *batch, trawl_error *error)
{
	return batch->queue_length ? flush(batch, error) : 0;
}

int store_batch_hold(struct store_batch *batch, trawl_error *error)
{
	int code = flush(batch, error);
	batch->held = !code;
	return code;
}

int store_batch_put(struct store_batch *batch, uint32_t segment, uint32_t part, uint32_t extent, const uint8_t *payload,
                    uint32_t length, trawl_error *error)
{
	uint8_t key[KEY_BYTES];
	key_write(key, segment, part, extent);
	uint8_t *value = make_value(segment, part, extent, payload, length);
	if (!value)
		return error_set_memory(error);
	int code = enqueue(batch, key, value, EXTENT_HEADER + length + EXTENT_SLACK, error);
	if (!code && batch->queued_bytes >= batch->flush_bytes && !batch->held)
		code = flush(batch, error);
	return code;
}

int store_batch_remove_segment(struct store_batch *batch, uint32_t segment, trawl_error *error)
{
	uint8_t key[KEY_BYTES];
	key_write(key, segment, 0, 0);
	return enqueue(batch, key, NULL, 0, error);
}

int store_batch_commit(struct store_batch *batch, const uint8_t *manifest, uint32_t length, trawl_error *error)
{
	uint8_t key[KEY_BYTES];
	key_write(key, 0, PART_MANIFEST, 0);
	uint8_t *value = make_value(0, PART_MANIFEST, 0, manifest, length);
	int code =
	    value ? enqueue(batch, key, value, EXTENT_HEADER + length + EXTENT_SLACK, error) : error_set_memory(error);
	if (code) {
		empty_queue(batch);
		batch->held = false;
		return code;
	}
	return flush(batch, error);
}

/* The manifest that a sweep leaves, signed. */
static int put_manifest(MDB_txn *transaction, MDB_dbi database, const struct buffer *manifest)
{
	uint8_t key_bytes[KEY_BYTES];
	uint8_t *bytes = make_value(0, PART_MANIFEST, 0, manifest->data, (uint32_t)manifest->length);
	if (!bytes)
		return ENOMEM;
	store64(bytes + EXTENT_SIGNATURE, mdb_txn_id(transaction));
	key_write(key_bytes, 0, PART_MANIFEST, 0);
	MDB_val key = {KEY_BYTES, key_bytes}, value = {EXTENT_HEADER + manifest->length + EXTENT_SLACK, bytes};
	int code = mdb_put(transaction, database, &key, &value, 0);
	memory_free(bytes);
	return code;
}

static int advance_manifest(MDB_txn *transaction, MDB_dbi database, const struct sweep *sweep, uint32_t last)
{
	struct buffer manifest = {0};
	if (!sweep->advance)
		return sign_manifest(transaction, database);
	int code =
	    sweep->advance(sweep->context, last, &manifest) ? put_manifest(transaction, database, &manifest) : ENOMEM;
	buffer_release(&manifest);
	return code;
}

/* The first segment from *segment on that has entries; MDB_NOTFOUND. */
static int find_segment(MDB_txn *transaction, MDB_dbi database, uint32_t *segment)
{
	MDB_cursor *cursor;
	uint8_t key_bytes[KEY_BYTES];
	key_write(key_bytes, *segment, 0, 0);
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	int code = mdb_cursor_open(transaction, database, &cursor);
	if (code)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	if (!code && key.mv_size != KEY_BYTES)
		code = MDB_CORRUPTED;
	if (!code)
		*segment = __builtin_bswap32(load32(key.mv_data));
	mdb_cursor_close(cursor);
	return code;
}

static int sweep_locked(struct store *store, const struct sweep *sweep, trawl_error *error)
{
	MDB_txn *transaction;
	int code = write_begin(store, "sweeping", &transaction, error);
	if (code)
		return code;
	uint32_t last = 0;
	for (uint32_t segment = 1; !code && segment; segment++) {
		code = find_segment(transaction, writing_database(store), &segment);
		if (code || sweep->keep(sweep->context, segment))
			continue;
		uint8_t key[KEY_BYTES];
		key_write(key, segment, 0, 0);
		code = remove_segment(transaction, writing_database(store), key, true);
		last = segment;
	}
	if (code == MDB_NOTFOUND)
		code = 0;
	if (!code && last)
		code = advance_manifest(transaction, writing_database(store), sweep, last);
	if (code || !last)
		mdb_txn_abort(transaction);
	else
		code = commit_transaction(store, transaction);
	return code ? lmdb_error(store, code, "sweeping", error) : 0;
}

int store_sweep(struct store *store, const struct sweep *sweep, trawl_error *error)
{
	int lock, code = lock_alone(store, &lock, error);
	if (code)
		return code;
	code = sweep_locked(store, sweep, error);
	store_unlock(store, lock);
	return code;
}

int part_writer_init(struct part_writer *writer, struct store_batch *batch, uint32_t segment, uint32_t number,
                     trawl_error *error)
{
	*writer = (struct part_writer){.batch = batch, .segment = segment, .number = number};
	writer->buffer = memory_new(EXTENT_PAYLOAD);
	return writer->buffer ? 0 : error_set_memory(error);
}

static int flush_extent(struct part_writer *writer, trawl_error *error)
{
	int code = store_batch_put(writer->batch, writer->segment, writer->number, writer->extent, writer->buffer,
	                           writer->used, error);
	writer->extent++;
	writer->used = 0;
	return code;
}

int part_writer_append(struct part_writer *writer, const void *bytes, uint64_t length, trawl_error *error)
{
	const uint8_t *from = bytes;
	while (length) {
		uint32_t room = EXTENT_PAYLOAD - writer->used;
		uint32_t piece = length < room ? (uint32_t)length : room;
		memcpy(writer->buffer + writer->used, from, piece);
		writer->used += piece;
		writer->address += piece;
		from += piece;
		length -= piece;
		int code = writer->used == EXTENT_PAYLOAD ? flush_extent(writer, error) : 0;
		if (code)
			return code;
	}
	return 0;
}

int part_writer_align(struct part_writer *writer, uint64_t length, trawl_error *error)
{
	uint32_t room = EXTENT_PAYLOAD - writer->used;
	if (length > EXTENT_PAYLOAD)
		return error_set(error, TRAWL_ELIMIT, "a record of %llu bytes does not fit an extent",
		                 (unsigned long long)length);
	if (length <= room)
		return 0;
	memset(writer->buffer + writer->used, 0, room);
	writer->used = EXTENT_PAYLOAD;
	writer->address += room;
	return flush_extent(writer, error);
}

int part_writer_finish(struct part_writer *writer, trawl_error *error)
{
	return writer->used ? flush_extent(writer, error) : 0;
}

void part_writer_release(struct part_writer *writer)
{
	memory_free(writer->buffer);
	writer->buffer = NULL;
}
