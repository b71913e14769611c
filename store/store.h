/*
 * store.h - an index file: LMDB under it, extents and snapshots above it.
 *
 * A `struct store` is one open file; a process opens each file once (LMDB's rule), so stores are shared and counted. A
 * `struct snapshot` is one commit, seen through one LMDB read transaction; a `struct part` one part of one segment in it.
 * Only store.c talks to LMDB.
 */
#ifndef TRAWL_STORE_STORE_H
#define TRAWL_STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "store/extent.h"
#include "trawl.h"

struct store;

/* Open the index file at `path`; with `create`, make it when absent. TRAWL_ENOTFOUND, TRAWL_ENOTINDEX, TRAWL_ECORRUPT. */
int store_open(struct store **out, const char *path, bool create, trawl_error *error);
void store_close(struct store *store);
const char *store_path(const struct store *store);
/* Is this the file that was opened? Its name may have come to mean another one. */
bool store_is_file(const struct store *store, int file);

/* The error that the file at `path` is of format `found` and not of ours. */
int store_refuse_format(const char *path, uint32_t found, trawl_error *error);
/* Make the file's entry in its folder durable: before the first commit, whoever made the file. */
int store_sync_name(const struct store *store, trawl_error *error);

/* Become the writer of the file, for as long as *lock is held: TRAWL_EBUSY (naming the holder's process) if another
 * is and not `wait`; STORE_REPLACED, a positive number, when the name has come to mean another file or none: open it again. */
#define STORE_REPLACED 1
int store_lock(struct store *store, bool wait, int *lock, trawl_error *error);
/* The same with a lock that is held already: what store_compact gave. */
int store_write(struct store *store, int lock, trawl_error *error);
void store_unlock(struct store *store, int lock); /* -1: nothing */

/* Remove the file: for the writer that made it and has nothing to keep. */
void store_remove(const struct store *store);

/* Replace the file by a copy of the last commit's pages alone, durably and at once; we must be the writer, and this store
 * must not be written to afterwards. Readers of the old file read on. The copy is made beside it; should the process
 * be killed, store_remove_temporaries removes it. *bytes: its size. `lock`, unless NULL, gets the new file's writer lock, which nobody
 * else had in between. */
struct copy_progress { /* told in the caller's thread, from 0 to `total`; NULL: nobody is */
	trawl_progress_function *function;
	void *context;
};
int store_compact(struct store *store, uint64_t *bytes, int *lock, const struct copy_progress *progress,
                  trawl_error *error);
/* Whether the name still leads to this file. */
bool store_is_current(const struct store *store);
/* How many snapshots there are of the file; those of all other processes count as one. */
size_t store_readers(struct store *store);
/* Bytes that the disk of the file has left for us. */
uint64_t store_disk_left(const struct store *store);
void store_remove_temporaries(const struct store *store);

/* ---- snapshots ---- */

struct snapshot; /* one read transaction */

int snapshot_open(struct snapshot **out, struct store *store, trawl_error *error);
void snapshot_close(struct snapshot *snapshot);
/* Let about `bytes` of the mapped file count as this process's memory: extents touched longer ago are given back, and mapped anew when
 * they are wanted again, by any thread. Before the first part is opened; parts are released before the snapshot is closed. No limit where the file is smaller. */
void snapshot_limit(struct snapshot *snapshot, size_t bytes);
size_t snapshot_resident(struct snapshot *snapshot); /* bytes of extents held so; 0 without a limit */
/* Give the mapped pages of a full extent's payload, or its beginning, back. What is there may still be read. */
void extent_give_back(const void *payload, size_t length);
struct store *snapshot_store(const struct snapshot *snapshot);
/* The number of LMDB's transaction, which the meta page of the commit has. */
uint64_t snapshot_transaction(const struct snapshot *snapshot);
/* Whether this is the last transaction of the file, and the file the one that its name leads to: a system call, and nothing else is
 * verified. */
bool snapshot_is_newest(const struct snapshot *snapshot);
/* What the file holds, by its first entry. CONTENT_FOREIGN: another program's LMDB file. */
enum store_content { CONTENT_NONE, CONTENT_EXTENTS, CONTENT_FOREIGN };
int snapshot_content(struct snapshot *snapshot, enum store_content *content, trawl_error *error);
void snapshot_file_size(struct snapshot *snapshot, uint64_t *file_bytes, uint64_t *free_bytes);

/* The payload of one extent, verified; it lives as long as the snapshot. TRAWL_ENOTFOUND when absent. Any thread. */
int snapshot_extent(struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent,
                    const uint8_t **payload, uint32_t *length, trawl_error *error);

/* Verify every extent of the file, garbage included. */
int snapshot_verify(struct snapshot *snapshot, trawl_error *error);

/* Copy the snapshot to a new file at `path`, beside a writer or not; each extent is verified. The file appears whole, synced, with the mode
 * of the index, or not at all. TRAWL_EINVAL: there is one. TRAWL_ECORRUPT, TRAWL_EFULL. */
struct copy_wishes {
	bool (*keep)(void *context, uint32_t segment);   /* NULL: all; false leaves one out */
	void (*progress)(void *context, uint64_t bytes); /* NULL: none; bytes copied so far */
	void *context;
};
int store_copy(struct snapshot *snapshot, const char *path, const struct copy_wishes *wishes, uint64_t *bytes,
               trawl_error *error);

/* A part of a segment: a stream of `bytes` bytes. Extents are fetched and verified when first touched. */
struct part {
	struct snapshot *snapshot;
	uint32_t segment, number;
	uint64_t bytes;
	uint32_t extent_count;
	_Atomic(const uint8_t *) *extents; /* NULL until touched */
	_Atomic uint64_t *
	    places; /* where extents are given back (snapshot_limit): each one's in the file, 0 until verified; else NULL */
};

int part_open(struct part *part, struct snapshot *snapshot, uint32_t segment, uint32_t number, uint64_t bytes,
              trawl_error *error);
void part_release(struct part *part);

/* The slow path of part_at. */
const uint8_t *part_fetch(struct part *part, uint32_t extent, trawl_error *error);

/* Report that what stands at `address` makes no sense, and return TRAWL_ECORRUPT. */
int part_corrupt(const struct part *part, uint64_t address, const char *what, trawl_error *error);
#if defined(__clang_analyzer__) && !defined(TRAWL_STORE_STORE_C) /* as in base/error.h */
#define part_corrupt(...) (part_corrupt(__VA_ARGS__), TRAWL_ECORRUPT)
#endif

/* Copy `length` bytes of one extent to `out`. Where extents are given back and this one is verified it is read, not mapped. */
int part_copy(struct part *part, uint64_t address, uint32_t length, void *out, trawl_error *error);

/* The bytes from `address` on; `*left` of them lie in the same extent (EXTENT_SLACK more may be loaded). NULL on error. */
static inline const uint8_t *part_at(struct part *part, uint64_t address, uint64_t *left, trawl_error *error)
{
	uint64_t extent = address / EXTENT_PAYLOAD, offset = address % EXTENT_PAYLOAD;
	if (__builtin_expect(address >= part->bytes, 0)) {
		part_corrupt(part, address, "an address past the end", error);
		return NULL;
	}
	const uint8_t *payload = atomic_load_explicit(&part->extents[extent], memory_order_acquire);
	if (__builtin_expect(!payload, 0)) {
		payload = part_fetch(part, (uint32_t)extent, error);
		if (!payload)
			return NULL;
	}
	uint64_t in_extent = EXTENT_PAYLOAD - offset, in_part = part->bytes - address;
	*left = in_extent < in_part ? in_extent : in_part;
	return payload + offset;
}

/* `length` bytes at `address`, wherever extents end: in place when whole, else gathered in `scratch`. NULL on error. */
const uint8_t *part_read(struct part *part, uint64_t address, uint64_t length, struct buffer *scratch,
                         trawl_error *error);

/* ---- writing ---- */

/* Writes of one commit. Extents are queued in memory and flushed in transactions of their own; only store_commit makes
 * them seen. */
struct store_batch;

/* Where the store is not locked yet, the batch locks it for as long as it lives: TRAWL_EBUSY. */
int store_batch_new(struct store_batch **out, struct store *store, trawl_error *error);
/* Flush when `bytes` are queued, if that is less than usual. While flushing about as much again is held. */
void store_batch_limit(struct store_batch *batch, size_t bytes);
/* When the file is larger, give the pages back after each transaction that LMDB has looked at. */
void store_batch_give_back(struct store_batch *batch, size_t bytes);
void store_batch_free(struct store_batch *batch); /* drops what was not committed */
int store_batch_put(struct store_batch *batch, uint32_t segment, uint32_t part, uint32_t extent, const uint8_t *payload,
                    uint32_t length, trawl_error *error);
/* Remove a whole segment at commit. */
int store_batch_remove_segment(struct store_batch *batch, uint32_t segment, trawl_error *error);
/* Flush, and keep what comes from here on in the queue until the commit: changes to extents that the last commit names. */
int store_batch_hold(struct store_batch *batch, trawl_error *error);
/* Flush: what was put is in the file, and seen by snapshots from now on, though no manifest names it. */
int store_batch_flush(struct store_batch *batch, trawl_error *error);
/* Write everything queued and `manifest` in one transaction, durably. The batch is empty afterwards, also on failure. */
int store_batch_commit(struct store_batch *batch, const uint8_t *manifest, uint32_t length, trawl_error *error);

/* Remove what an unfinished commit left: segments that `keep` denies. Where there are any, `advance` writes, in the same transaction,
 * a manifest whose next segment comes after `last`, the last one removed: a number used twice would let salvage mistake an old
 * page for the new segment's. It returns false when memory is short; NULL: the manifest stays. */
struct sweep {
	bool (*keep)(void *context, uint32_t segment);
	bool (*advance)(void *context, uint32_t last, struct buffer *manifest);
	void *context;
};
int store_sweep(struct store *store, const struct sweep *sweep, trawl_error *error);

/* A part being written: a stream that is cut into extents as it grows. */
struct part_writer {
	struct store_batch *batch;
	uint32_t segment, number, extent;
	uint8_t *buffer;
	uint32_t used;
	uint64_t address; /* of the next byte */
};

int part_writer_init(struct part_writer *writer, struct store_batch *batch, uint32_t segment, uint32_t number,
                     trawl_error *error);
int part_writer_append(struct part_writer *writer, const void *bytes, uint64_t length, trawl_error *error);
/* Make the next `length` <= EXTENT_PAYLOAD bytes whole: pads to the next extent if they would not fit in this one. */
int part_writer_align(struct part_writer *writer, uint64_t length, trawl_error *error);
int part_writer_finish(struct part_writer *writer, trawl_error *error); /* flush the last extent */
void part_writer_release(struct part_writer *writer);

#endif
