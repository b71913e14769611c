#define TRAWL_STORE_STORE_C
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/page.h"
#include "store/readers.h"
#include "store/reading.h"
#include "store/signature.h"
#include "store/tree.h"

#define TOUCHED_LEAST 16 /* extents: fewer would go and come again while one document is read */

static struct store *open_stores; /* each file once: snapshots of one process share its map */
static pthread_mutex_t open_stores_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t forks_followed = PTHREAD_ONCE_INIT;
static int open_snapshot(struct snapshot **out, struct store *store, bool sign, trawl_error *error);

/* ---- errors ---- */

static bool disk_is_full(const char *path)
{
	struct statvfs status;
	return statvfs(path, &status) == 0 && status.f_bavail < 64;
}

static bool file_is_at_limit(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && limits_end_file((uint64_t)status.st_size);
}

/* A full disk comes back as EIO from short writes, so ask the file system; a limit of the file's size as well. */
static int refuse_growth(const char *path, int code, trawl_error *error)
{
	bool limited = code == EFBIG || (code == EIO && !disk_is_full(path));
	return error_set(error, TRAWL_EFULL, "%s: %s; the last commit is intact; %s and try again", path,
	                 limited ? "the file would be larger than this process may make it (ulimit -f)"
	                         : "the disk is full",
	                 limited ? "raise that limit" : "make room");
}

int lmdb_error(const struct store *store, int code, const char *doing, trawl_error *error)
{
	const char *path = store->path;
	switch (code) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PAGE_FULL:
	case MDB_CURSOR_FULL:
	case MDB_BAD_TXN:
		return error_set(error, TRAWL_ECORRUPT, "%s is damaged (%s while %s); restore it or index again", path,
		                 mdb_strerror(code), doing);
	case MDB_PANIC: /* the meta page could not be written: LMDB begins nothing more in this environment */
		return error_set(
		    error, TRAWL_EIO,
		    "%s: an earlier commit could not be written; the last one is intact; close the writer, "
		    "then try again",
		    path);
	case MDB_INVALID: return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", path);
	case MDB_VERSION_MISMATCH:
		return error_set(error, TRAWL_EVERSION, "%s was written by another version of LMDB", path);
	case MDB_TXN_FULL:
	case MDB_MAP_FULL:
		return error_set(error, TRAWL_EFULL,
		                 "%s has outgrown its address space while %s: raise the limit (ulimit -v)", path,
		                 doing);
	case ENOMEM: return error_set_memory(error);
	case EACCES:
	case EPERM: return error_set(error, TRAWL_EIO, "%s: no permission (%s)", path, doing);
	case ENOENT: return error_set(error, TRAWL_ENOTFOUND, "no such index: %s", path);
	case EFBIG:
	case ENOSPC:
	case EDQUOT: return refuse_growth(path, code, error);
	default:
		if (code == EIO && (disk_is_full(path) || file_is_at_limit(path)))
			return refuse_growth(path, code, error);
		return error_set(error, TRAWL_EIO, "%s: %s while %s", path, mdb_strerror(code), doing);
	}
}

/* ---- opening ---- */

static int check_regular(const char *path, bool create, const struct stat *status, trawl_error *error)
{
	if (!S_ISREG(status->st_mode))
		return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index (not a regular file)", path);
	if (status->st_size == 0 && !create)
		return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index (an empty file)", path);
	return 0;
}

static int refuse_reading(const char *path, int reason, trawl_error *error)
{
	if (reason == ENOENT)
		return error_set(error, TRAWL_ENOTFOUND, "no such index: %s; make it with: trawl index %s PATH...",
		                 path, path);
	if (reason == EACCES || reason == EPERM)
		return error_set(
		    error, TRAWL_EIO,
		    "%s: no permission to read: its owner can give it (chmod g+r, or o+r; of its folders g+x, or o+x)",
		    path);
	return error_set_system(error, reason, "%s", path);
}

/* Open the file; with `create` one without entries is made where there is none. */
static int open_file(const char *path, bool create, int *file, struct stat *status, trawl_error *error)
{
	struct stat named;
	/* Not opened for reading at once: that would wait for the other end of a pipe. */
	if (stat(path, &named) == 0 && !S_ISREG(named.st_mode))
		return check_regular(path, create, &named, error);
	*file = file_open(path, O_RDONLY, 0);
	if (*file < 0 && errno == ENOENT && create) {
		int code = create_file(path, error);
		if (code)
			return code;
		/* Where a symbolic link leads nowhere create_file saw a file. An empty one is filled below. */
		*file = file_open(path, O_RDWR | O_CREAT, 0666);
	}
	if (*file < 0)
		return refuse_reading(path, errno, error);
	int code = fstat(*file, status) == 0 ? check_regular(path, create, status, error)
	                                     : error_set_system(error, errno, "%s", path);
	if (!code && status->st_size == 0)
		code = create_fill(path, error);
	if (!code && status->st_size == 0 && fstat(*file, status) != 0)
		code = error_set_system(error, errno, "%s", path);
	if (code) {
		close(*file);
		*file = -1;
	}
	return code;
}

/* LMDB's header is checked before LMDB maps the file: reading a mapped page past the end is a signal, not an error. */
static int check_header(int file, const char *path, const struct stat *status, trawl_error *error)
{
	uint8_t page[64];
	if (status->st_size == 0)
		return 0;
	int64_t got = file_read_at(file, page, sizeof page, 0);
	if (got < 0)
		return error_set_system(error, (int)-got, "%s", path);
	if ((size_t)got < sizeof page || load32(page + PAGE_HEADER) != META_MAGIC)
		return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", path);
	if (status->st_size < 2 * 4096)
		return error_set(error, TRAWL_ECORRUPT, "%s is cut off at %lld bytes; restore it or index again", path,
		                 (long long)status->st_size);
	return tree_check_meta(file, path, error);
}

/* ---- transactions that read ---- */

struct snapshot {
	struct store *store;
	struct snapshot *next; /* of the store */
	struct reading *reading;
	MDB_txn *transaction;
	pthread_mutex_t lock; /* LMDB wants one thread at a time in a transaction; and the ring is its */
	/* with a limit: the extents touched last, a ring. Of parts that are open: who releases a part takes its extents out. */
	struct touched {
		struct part *part;
		uint32_t extent;
	} * touched;
	size_t touched_most, touched_first, touched_count;
	uint64_t bytes; /* of the file when the snapshot was opened */
};

static int map_file(struct store *store, struct reading **out, trawl_error *error)
{
	struct stat status;
	if (fstat(store->file, &status) != 0)
		return error_set_system(error, errno, "%s", store->path);
	int code = reading_open(out, store->real, &status);
	if (code == MDB_INVALID) /* check_header has read them; LMDB gives up when a read brings a part */
		return error_set(error, TRAWL_EIO, "%s: its first pages could not be read; try again", store->path);
	if (code == ENOMEM && address_space_is_limited())
		return error_set(
		    error, TRAWL_ENOMEM,
		    "%s: its %lld bytes do not fit into the address space that is left (ulimit -v): raise the "
		    "limit",
		    store->path, (long long)status.st_size);
	if (code == ESTALE)
		return error_set(error, TRAWL_EBUSY, "%s has been replaced; open it again", store->path);
	return code ? lmdb_error(store, code, "opening", error) : 0;
}

/* The file has outgrown its map: take a larger one. Snapshots keep the one that they have. */
static int map_more(struct store *store, trawl_error *error)
{
	struct reading *larger;
	int code = map_file(store, &larger, error);
	if (code)
		return code;
	reading_release(store->reading);
	store->reading = larger;
	return 0;
}

/* Take the lock `place` + `number`, where the system has such locks. */
static int tell_writer(const struct store *store, enum readers_place place, uint64_t number, trawl_error *error)
{
	const char *forced = getenv("TRAWL_SHARED_DISK");
	int failed = store->silent ? 0 : readers_lock(store->file, place, number);
	if (failed && readers_unsupported(failed) && forced && strcmp(forced, "1") == 0)
		return 0;
	if (failed && readers_unsupported(failed))
		return error_set(
		    error, TRAWL_EIO,
		    "%s: its file system has no locks (%s), so that a writer beside could not know of us: keep it on "
		    "another one, or set TRAWL_SHARED_DISK=1 if nothing writes it meanwhile",
		    store->path, strerror(failed));
	return failed ? error_set_system(error, failed, "%s: telling its writer of us", store->path) : 0;
}

static bool is_read_at(const struct store *store, uint64_t number)
{
	for (const struct snapshot *other = store->snapshots; other; other = other->next)
		if (mdb_txn_id(other->transaction) == number)
			return true;
	return false;
}

/* Locks of one description do not add up: the last snapshot of a commit gives its own back. */
static void end_reading(struct store *store, MDB_txn *transaction)
{
	uint64_t number = mdb_txn_id(transaction);
	mdb_txn_abort(transaction);
	if (!store_is_inherited(store) && !is_read_at(store, number))
		readers_unlock(store->file, READERS_AT, number);
}

/* Both meta pages as they are: false where they cannot be read. */
static bool read_metas(const struct store *store, uint8_t metas[2][META_END])
{
	for (size_t i = 0; i < 2; i++)
		if (file_read_at(store->file, metas[i], META_END, i * store->reading->page_bytes) != META_END)
			return false;
	return true;
}

/* LMDB reads the newest meta page while a writer may write there. What it has read is whole if the page's bytes were the same before and
 * after, and they lead to a manifest with their own number. */
enum soundness { SOUND, MOVING, UNSIGNED };
static enum soundness check_begun(const struct store *store, const uint8_t before[2][META_END], uint64_t newest,
                                  uint64_t number)
{
	uint8_t after[2][META_END];
	uint64_t signature;
	const uint8_t *meta = before[number % 2];
	if (number != newest || !read_metas(store, after) || memcmp(meta, after[number % 2], META_END) != 0)
		return MOVING;
	return !signature_find(store->file, meta, store->reading->page_bytes, &signature) ||
	               signature_fits(signature, number)
	           ? SOUND
	           : UNSIGNED;
}

/* Begin a transaction at the newest commit, of which the writer knows from before the beginning (readers.h), unless it proves not to be
 * sound. MDB_MAP_RESIZED: the map is too small. */
static int begin_known(struct store *store, bool sign, MDB_txn **out, enum soundness *soundness, trawl_error *error)
{
	uint8_t metas[2][META_END];
	if (!read_metas(store, metas))
		return error_set(error, TRAWL_EIO, "%s: its first pages could not be read; try again", store->path);
	uint64_t even = load64(metas[0] + META_TRANSACTION), odd = load64(metas[1] + META_TRANSACTION);
	uint64_t newest = even < odd ? odd : even;
	int code = tell_writer(store, READERS_COMING, newest, error);
	if (code)
		return code;
	int failed = mdb_txn_begin(store->reading->environment, NULL, MDB_RDONLY, out);
	if (!failed) {
		code = tell_writer(store, READERS_AT, mdb_txn_id(*out), error);
		*soundness = check_begun(store, metas, newest, mdb_txn_id(*out));
		if (*soundness == UNSIGNED && !sign)
			*soundness = SOUND;
		if (code || *soundness != SOUND)
			end_reading(store, *out);
	}
	readers_unlock(store->file, READERS_COMING, newest);
	if (failed == MDB_MAP_RESIZED)
		return failed;
	return failed ? lmdb_error(store, failed, "starting to read", error) : code;
}

#define TRIES 100
#define TRIES_UNSIGNED 10 /* a meta page that a writer is just writing does not stay so */

/* The store's lock is held. With `sign`, a manifest of another number is told as damage. */
static int begin_reading(struct store *store, bool sign, MDB_txn **out, trawl_error *error)
{
	int not_signed = 0;
	if (store_is_inherited(store))
		return error_set(error, TRAWL_EINVAL, "%s was opened before this process was forked: open it anew",
		                 store->path);
	for (int tries = 0; tries < TRIES; tries++) {
		enum soundness soundness = SOUND;
		if (tries > 2)
			usleep(1000);
		int code = begin_known(store, sign, out, &soundness, error);
		if (code == MDB_MAP_RESIZED)
			code = map_more(store, error);
		else if (!code && soundness == SOUND)
			return 0;
		if (code)
			return code;
		not_signed += soundness == UNSIGNED;
		if (not_signed >= TRIES_UNSIGNED)
			return error_set(error, TRAWL_ECORRUPT,
			                 "%s is damaged: its manifest is not the last commit's; restore it or index "
			                 "again",
			                 store->path);
	}
	return error_set(error, TRAWL_EBUSY, "%s changes too fast; try again", store->path);
}

int store_check_tree(struct store *store, bool deep, trawl_error *error)
{
	int code = TRAWL_ENOTFOUND;
	for (int tries = 0; tries < TRIES && code == TRAWL_ENOTFOUND; tries++) {
		struct snapshot *snapshot;
		code = open_snapshot(&snapshot, store, false, error);
		if (code)
			return code;
		code = tree_check(store->file, store->path, snapshot_transaction(snapshot), deep, error);
		if (!code)
			code = signature_check(store->file, store->path, error);
		snapshot_close(snapshot);
	}
	return code == TRAWL_ENOTFOUND ? error_set(error, TRAWL_EBUSY, "%s changes too fast; try again", store->path)
	                               : code;
}

/* ---- open stores ---- */

/* What is made beside the file, and in place of it, goes by the name that symbolic links lead to. */
static int new_store(struct store **out, const char *path, trawl_error *error)
{
	char real[PATH_MAX];
	if (!realpath(path, real))
		return refuse_reading(path, errno, error);
	size_t length = strlen(path) + 1, real_length = strlen(real) + 1;
	struct store *store = memory_new_zeroed(1, sizeof *store + length + real_length);
	if (!store)
		return error_set_memory(error);
	memcpy(store->path, path, length);
	store->real = memcpy(store->path + length, real, real_length);
	store->users = 1;
	store->file = -1;
	pthread_mutex_init(&store->lock, NULL);
	*out = store;
	return 0;
}

static void free_store(struct store *store)
{
	reading_release(store->reading);
	if (store->file >= 0)
		close(store->file);
	pthread_mutex_destroy(&store->lock);
	memory_free(store);
}

static bool has_no_locks_to_take(const struct store *store)
{
	struct statvfs status;
	int failed = readers_lock(store->file, READERS_COMING, 0);
	readers_unlock(store->file, READERS_COMING, 0);
	return failed && readers_unsupported(failed) && fstatvfs(store->file, &status) == 0 &&
	       status.f_flag & ST_RDONLY;
}

/* `file` is the store's, also where this fails. */
static int open_held(struct store **out, const char *path, int file, const struct stat *status, trawl_error *error)
{
	struct store *store = NULL;
	int code = check_header(file, path, status, error);
	if (!code)
		code = new_store(&store, path, error);
	if (code) {
		close(file);
		return code;
	}
	store->file = file;
	store->device = status->st_dev;
	store->inode = status->st_ino;
	store->silent = has_no_locks_to_take(store);
	code = map_file(store, &store->reading, error);
	if (!code)
		code = store_check_tree(store, false, error);
	if (code) {
		free_store(store);
		return code;
	}
	*out = store;
	return 0;
}

/* What the parent of a forked process had open is the parent's: its locks stay with it alone. */
static void forget_inherited(void)
{
	for (struct store *store = open_stores; store; store = store->next) {
		close(store->file);
		store->file = -1;
	}
	open_stores = NULL;
	pthread_mutex_init(&open_stores_lock, NULL);
}

static void follow_forks(void)
{
	pthread_atfork(NULL, NULL, forget_inherited);
}

static int open_new(struct store **out, const char *path, bool create, trawl_error *error)
{
	struct stat status;
	int file = -1;
	int code = check_file_system(path, error);
	/* A compaction may put another file in its place between the two. */
	for (int tries = 0; !code && tries < TRIES; tries++) {
		code = open_file(path, create, &file, &status, error);
		if (!code)
			code = open_held(out, path, file, &status, error);
		if (code != TRAWL_EBUSY || leads_to(path, &status) > 0)
			return code;
		code = 0;
	}
	return code ? code : error_set(error, TRAWL_EBUSY, "%s is replaced again and again; try again", path);
}

int store_open(struct store **out, const char *path, bool create, trawl_error *error)
{
	struct stat status;
	int code;
	*out = NULL;
	pthread_once(&forks_followed, follow_forks);
	pthread_mutex_lock(&open_stores_lock);
	int failed = stat(path, &status) == 0 ? 0 : errno;
	struct store *store = failed ? NULL : open_stores;
	while (store && (store->device != status.st_dev || store->inode != status.st_ino))
		store = store->next;
	if (failed && failed != ENOENT) {
		code = refuse_reading(path, failed, error); /* it may be open, and must not be again */
	} else if (store) {
		code = store_check_tree(store, false, error); /* the file may have been cut off since */
		if (!code) {
			store->users++;
			*out = store;
		}
	} else {
		code = open_new(out, path, create, error);
		if (!code) {
			(*out)->next = open_stores;
			open_stores = *out;
		}
	}
	pthread_mutex_unlock(&open_stores_lock);
	return code;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	pthread_mutex_lock(&open_stores_lock);
	if (--store->users == 0) {
		struct store **link = &open_stores;
		while (*link && *link != store)
			link = &(*link)->next;
		if (*link) { /* else it is the parent's */
			*link = store->next;
			free_store(store);
		}
	}
	pthread_mutex_unlock(&open_stores_lock);
}

int store_sync_name(const struct store *store, trawl_error *error)
{
	int failed = sync_folder(store->real);
	return failed ? error_set_system(error, failed, "syncing the folder of %s", store->path) : 0;
}

bool store_is_file(const struct store *store, int file)
{
	struct stat status;
	return fstat(file, &status) == 0 && status.st_dev == store->device && status.st_ino == store->inode;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

/* ---- snapshots ---- */

static uint64_t snapshot_last_page(const struct snapshot *snapshot)
{
	MDB_envinfo information;
	mdb_env_info(snapshot->reading->environment, &information);
	return information.me_last_pgno;
}

const uint8_t *map_of(MDB_env *environment, const void *value, size_t last_page)
{
	MDB_stat layout;
	mdb_env_stat(environment, &layout);
	/* Each page of a tree has its number in front. */
	const uint8_t *page = (const uint8_t *)((uintptr_t)value / layout.ms_psize * layout.ms_psize);
	return load64(page) <= last_page ? page - load64(page) * layout.ms_psize : NULL;
}

static void find_map(struct snapshot *snapshot)
{
	struct reading *reading = snapshot->reading;
	uint8_t key_bytes[KEY_BYTES];
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	key_write(key_bytes, 0, PART_MANIFEST, 0);
	if (!reading->map && !mdb_get(snapshot->transaction, reading->database, &key, &value))
		reading->map = map_of(reading->environment, value.mv_data, snapshot_last_page(snapshot));
}

static void give_back_all(const struct snapshot *snapshot)
{
	const uint8_t *map = snapshot->reading->map;
	if (map)
		madvise((void *)(uintptr_t)map, snapshot->bytes, MADV_DONTNEED);
}

void snapshot_limit(struct snapshot *snapshot, size_t bytes)
{
	MDB_stat layout;
	find_map(snapshot);
	mdb_env_stat(snapshot->reading->environment, &layout);
	snapshot->bytes = (snapshot_last_page(snapshot) + 1) * layout.ms_psize;
	if (snapshot->bytes <= bytes)
		return;
	size_t count = bytes / EXTENT_PAYLOAD < TOUCHED_LEAST ? TOUCHED_LEAST : bytes / EXTENT_PAYLOAD;
	snapshot->touched = memory_new(count * sizeof *snapshot->touched);
	snapshot->touched_most = snapshot->touched ? count : 0; /* none: no limit */
}

size_t snapshot_resident(struct snapshot *snapshot)
{
	pthread_mutex_lock(&snapshot->lock);
	size_t count = snapshot->touched_count;
	pthread_mutex_unlock(&snapshot->lock);
	return count * EXTENT_PAYLOAD;
}

void extent_give_back(const void *payload, size_t length)
{
	/* LMDB puts large values into pages of their own, and the map is larger than the file. */
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)payload / page * page;
	madvise((void *)start, (uintptr_t)payload + length - start, MADV_DONTNEED);
}

static struct touched *touched_at(struct snapshot *snapshot, size_t i)
{
	return &snapshot->touched[(snapshot->touched_first + i) % snapshot->touched_most];
}

static void give_back(const struct touched *touched)
{
	/* NULL: another thread touched it at the same time, so that it stands in the ring twice. */
	const uint8_t *payload = atomic_exchange(&touched->part->extents[touched->extent], NULL);
	if (payload)
		extent_give_back(payload, EXTENT_PAYLOAD);
}

/* Note that an extent was touched; the one touched first goes where there would be too many. */
static void touch(struct snapshot *snapshot, struct part *part, uint32_t extent)
{
	if (!snapshot->touched_most)
		return;
	pthread_mutex_lock(&snapshot->lock);
	if (snapshot->touched_count == snapshot->touched_most) {
		give_back(touched_at(snapshot, 0));
		snapshot->touched_first = (snapshot->touched_first + 1) % snapshot->touched_most;
		/* Who still has pointers to extents that went has them mapped again. */
		if (!snapshot->touched_first)
			give_back_all(snapshot);
		snapshot->touched_count--;
	}
	*touched_at(snapshot, snapshot->touched_count++) = (struct touched){part, extent};
	pthread_mutex_unlock(&snapshot->lock);
}

/* Take the extents of a part out of the ring, and give them back. */
static void forget_part(struct snapshot *snapshot, const struct part *part)
{
	size_t kept = 0;
	pthread_mutex_lock(&snapshot->lock);
	for (size_t i = 0; i < snapshot->touched_count; i++) {
		struct touched touched = *touched_at(snapshot, i);
		if (touched.part == part)
			give_back(&touched);
		else
			*touched_at(snapshot, kept++) = touched;
	}
	snapshot->touched_count = kept;
	pthread_mutex_unlock(&snapshot->lock);
}

static int open_snapshot(struct snapshot **out, struct store *store, bool sign, trawl_error *error)
{
	struct snapshot *snapshot = memory_new_zeroed(1, sizeof *snapshot);
	if (!snapshot)
		return error_set_memory(error);
	snapshot->store = store;
	pthread_mutex_lock(&store->lock);
	int code = begin_reading(store, sign, &snapshot->transaction, error);
	if (!code) {
		snapshot->reading = store->reading;
		snapshot->reading->users++;
		snapshot->next = store->snapshots;
		store->snapshots = snapshot;
	}
	pthread_mutex_unlock(&store->lock);
	if (code) {
		memory_free(snapshot);
		return code;
	}
	pthread_mutex_init(&snapshot->lock, NULL);
	*out = snapshot;
	return 0;
}

int snapshot_open(struct snapshot **out, struct store *store, trawl_error *error)
{
	return open_snapshot(out, store, true, error);
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	struct store *store = snapshot->store;
	pthread_mutex_lock(&store->lock);
	struct snapshot **link = &store->snapshots;
	while (*link != snapshot)
		link = &(*link)->next;
	*link = snapshot->next;
	end_reading(store, snapshot->transaction);
	reading_release(snapshot->reading);
	pthread_mutex_unlock(&store->lock);
	pthread_mutex_destroy(&snapshot->lock);
	memory_free(snapshot->touched);
	memory_free(snapshot);
}

const struct snapshot *snapshot_next(const struct snapshot *snapshot)
{
	return snapshot->next;
}

struct store *snapshot_store(const struct snapshot *snapshot)
{
	return snapshot->store;
}

uint64_t snapshot_transaction(const struct snapshot *snapshot)
{
	return mdb_txn_id(snapshot->transaction);
}

bool snapshot_is_newest(const struct snapshot *snapshot)
{
	const struct store *store = snapshot->store;
	MDB_envinfo information;
	struct stat status;
	/* LMDB looks into the mapped meta pages: they must still be there. */
	if (stat(store->path, &status) || status.st_dev != store->device || status.st_ino != store->inode ||
	    status.st_size < 2 * sysconf(_SC_PAGESIZE))
		return false;
	return mdb_env_info(snapshot->reading->environment, &information) == 0 &&
	       information.me_last_txnid == mdb_txn_id(snapshot->transaction);
}

int snapshot_content(struct snapshot *snapshot, enum store_content *content, trawl_error *error)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	pthread_mutex_lock(&snapshot->lock);
	int code = mdb_cursor_open(snapshot->transaction, snapshot->reading->database, &cursor);
	if (!code) {
		code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		bool ours = !code && key.mv_size == KEY_BYTES && value.mv_size >= EXTENT_HEADER &&
		            load32(value.mv_data) == EXTENT_MAGIC;
		*content = code == MDB_NOTFOUND ? CONTENT_NONE : ours ? CONTENT_EXTENTS : CONTENT_FOREIGN;
		mdb_cursor_close(cursor);
	}
	pthread_mutex_unlock(&snapshot->lock);
	return code && code != MDB_NOTFOUND ? lmdb_error(snapshot->store, code, "reading", error) : 0;
}

/* Free pages are listed in LMDB's database 0: each value starts with the number of pages it lists. */
void snapshot_file_size(struct snapshot *snapshot, uint64_t *file_bytes, uint64_t *free_bytes)
{
	MDB_envinfo information;
	MDB_stat layout;
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;
	mdb_env_info(snapshot->reading->environment, &information);
	mdb_env_stat(snapshot->reading->environment, &layout);
	pthread_mutex_lock(&snapshot->lock);
	if (mdb_cursor_open(snapshot->transaction, 0, &cursor) == 0) {
		while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
			if (value.mv_size >= sizeof(size_t))
				pages += load64(value.mv_data);
		mdb_cursor_close(cursor);
	}
	pthread_mutex_unlock(&snapshot->lock);
	*file_bytes = ((uint64_t)information.me_last_pgno + 1) * layout.ms_psize;
	*free_bytes = pages * layout.ms_psize;
}

int store_refuse_format(const char *path, uint32_t found, trawl_error *error)
{
	if (found < FORMAT_VERSION)
		return error_set(error, TRAWL_EVERSION,
		                 "%s was written by an older trawl (format %u, this one reads %u): index the documents "
		                 "again; the trawl that wrote it can export them",
		                 path, found, FORMAT_VERSION);
	return error_set(error, TRAWL_EVERSION, "%s was written by a newer trawl (format %u, this one reads %u)", path,
	                 found, FORMAT_VERSION);
}

static int extent_damaged(const struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent,
                          const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT,
	                 "%s is damaged: segment %u, part %u, extent %u: %s; restore it or index again",
	                 snapshot->store->path, segment, part, extent, what);
}

/* Is the value what its key says, and as it was written? */
static int check_extent(const struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent,
                        const MDB_val *value, trawl_error *error)
{
	const uint8_t *bytes = value->mv_data;
	if (value->mv_size < EXTENT_HEADER + EXTENT_SLACK || value->mv_size > VALUE_BYTES_MAX ||
	    load32(bytes) != EXTENT_MAGIC)
		return extent_damaged(snapshot, segment, part, extent, "not an extent", error);
	/* The version comes before the checksum: a newer format may compute that otherwise. */
	if (load16(bytes + 4) > FORMAT_VERSION)
		return store_refuse_format(snapshot->store->path, load16(bytes + 4), error);
	uint32_t payload_length = load32(bytes + 16);
	if (payload_length != value->mv_size - EXTENT_HEADER - EXTENT_SLACK || load16(bytes + 6) != part ||
	    load32(bytes + 8) != segment || load32(bytes + 12) != extent)
		return extent_damaged(snapshot, segment, part, extent, "its header is another's", error);
	if (load64(bytes + 24) != extent_checksum(bytes, bytes + EXTENT_HEADER, payload_length))
		return extent_damaged(snapshot, segment, part, extent, "its checksum does not match", error);
	/* Older formats have the same checksum, and damage to the version would not fit it. */
	if (load16(bytes + 4) != FORMAT_VERSION)
		return store_refuse_format(snapshot->store->path, load16(bytes + 4), error);
	if (!segment && part == PART_MANIFEST &&
	    !signature_fits(load64(bytes + EXTENT_SIGNATURE), mdb_txn_id(snapshot->transaction)))
		return extent_damaged(snapshot, segment, part, extent, "it is not the last commit's", error);
	return 0;
}

static int find_extent(struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent, bool verified,
                       const uint8_t **payload, uint32_t *length, trawl_error *error)
{
	uint8_t key_bytes[KEY_BYTES];
	key_write(key_bytes, segment, part, extent);
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	pthread_mutex_lock(&snapshot->lock);
	int code = mdb_get(snapshot->transaction, snapshot->reading->database, &key, &value);
	pthread_mutex_unlock(&snapshot->lock);
	if (code == MDB_NOTFOUND)
		return error_set(error, TRAWL_ENOTFOUND, "%s: segment %u, part %u, extent %u is missing",
		                 snapshot->store->path, segment, part, extent);
	if (code)
		return lmdb_error(snapshot->store, code, "reading", error);
	code = verified ? 0 : check_extent(snapshot, segment, part, extent, &value, error);
	if (code)
		return code;
	*payload = (const uint8_t *)value.mv_data + EXTENT_HEADER;
	*length = load32((const uint8_t *)value.mv_data + 16);
	return 0;
}

int snapshot_extent(struct snapshot *snapshot, uint32_t segment, uint32_t part, uint32_t extent,
                    const uint8_t **payload, uint32_t *length, trawl_error *error)
{
	return find_extent(snapshot, segment, part, extent, false, payload, length, error);
}

int snapshot_visit(struct snapshot *snapshot, visit_entry *visit, void *context, int *failed, trawl_error *error)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = 0;
	*failed = 0;
	pthread_mutex_lock(&snapshot->lock);
	int ended = mdb_cursor_open(snapshot->transaction, snapshot->reading->database, &cursor);
	while (!code && !*failed && !ended && !(ended = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
		const uint8_t *at = key.mv_data;
		if (key.mv_size != KEY_BYTES) {
			ended = MDB_CORRUPTED;
			break;
		}
		uint32_t segment = __builtin_bswap32(load32(at));
		code = check_extent(snapshot, segment, __builtin_bswap32(load32(at + 4)),
		                    __builtin_bswap32(load32(at + 8)), &value, error);
		if (!code && visit)
			*failed = visit(context, segment, &key, &value);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	pthread_mutex_unlock(&snapshot->lock);
	return ended && ended != MDB_NOTFOUND ? lmdb_error(snapshot->store, ended, "reading", error) : code;
}

int snapshot_verify(struct snapshot *snapshot, trawl_error *error)
{
	int failed;
	return snapshot_visit(snapshot, NULL, NULL, &failed, error);
}

int part_open(struct part *part, struct snapshot *snapshot, uint32_t segment, uint32_t number, uint64_t bytes,
              trawl_error *error)
{
	*part = (struct part){.snapshot = snapshot, .segment = segment, .number = number, .bytes = bytes};
	uint64_t count = bytes / EXTENT_PAYLOAD + (bytes % EXTENT_PAYLOAD != 0);
	MDB_envinfo information;
	MDB_stat layout;
	mdb_env_info(snapshot->reading->environment, &information);
	mdb_env_stat(snapshot->reading->environment, &layout);
	/* Twice, the second: no file that LMDB maps has so many extents. */
	if (bytes / layout.ms_psize > information.me_last_pgno || count > UINT32_MAX)
		return part_corrupt(part, bytes, "larger than the file", error);
	part->extent_count = (uint32_t)count;
	part->extents = memory_new_zeroed(part->extent_count, sizeof *part->extents);
	if (snapshot->touched_most)
		part->places = memory_new_zeroed(part->extent_count, sizeof *part->places);
	return part->extents && (part->places || !snapshot->touched_most) ? 0 : error_set_memory(error);
}

void part_release(struct part *part)
{
	if (part->places) /* else the snapshot has no ring, and may be closed */
		forget_part(part->snapshot, part);
	memory_free((void *)part->extents);
	memory_free((void *)part->places);
	*part = (struct part){0};
}

const uint8_t *part_fetch(struct part *part, uint32_t extent, trawl_error *error)
{
	const uint8_t *payload;
	uint32_t length;
	uint64_t start = (uint64_t)extent * EXTENT_PAYLOAD, rest = part->bytes - start;
	const uint8_t *map = part->snapshot->reading->map;
	bool verified = part->places && part->places[extent];
	int code = find_extent(part->snapshot, part->segment, part->number, extent, verified, &payload, &length, error);
	if (code == TRAWL_ENOTFOUND) {
		part_corrupt(part, start, "an extent is missing", error);
		return NULL;
	}
	if (code)
		return NULL;
	if (length != (rest < EXTENT_PAYLOAD ? rest : EXTENT_PAYLOAD)) {
		part_corrupt(part, start, "an extent of the wrong length", error);
		return NULL;
	}
	atomic_store_explicit(&part->extents[extent], payload, memory_order_release);
	if (part->places && map)
		part->places[extent] = (uint64_t)(payload - map);
	touch(part->snapshot, part, extent);
	return payload;
}

int part_copy(struct part *part, uint64_t address, uint32_t length, void *out, trawl_error *error)
{
	uint64_t extent = address / EXTENT_PAYLOAD, offset = address % EXTENT_PAYLOAD, left;
	if (address > part->bytes || length > part->bytes - address || length > EXTENT_PAYLOAD - offset)
		return part_corrupt(part, address, "a length past the end", error);
	if (part->places && length && part->places[extent] &&
	    pread(part->snapshot->store->file, out, length, (off_t)(part->places[extent] + offset)) == (ssize_t)length)
		return 0;
	const uint8_t *bytes = part_at(part, address, &left, error);
	if (!bytes)
		return error_code(error);
	memcpy(out, bytes, length);
	return 0;
}

int part_corrupt(const struct part *part, uint64_t address, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT,
	                 "%s is damaged: segment %u, part %u, byte %llu: %s; restore it or index again",
	                 part->snapshot->store->path, part->segment, part->number, (unsigned long long)address, what);
}

const uint8_t *part_read(struct part *part, uint64_t address, uint64_t length, struct buffer *scratch,
                         trawl_error *error)
{
	uint64_t left;
	if (address > part->bytes || length > part->bytes - address) {
		part_corrupt(part, address, "a length past the end", error);
		return NULL;
	}
	static const uint8_t nothing[EXTENT_SLACK];
	if (!length)
		return nothing;
	const uint8_t *bytes = part_at(part, address, &left, error);
	if (!bytes || left >= length)
		return bytes;
	scratch->length = 0;
	if (!buffer_reserve(scratch, length + EXTENT_SLACK)) {
		error_set_memory(error);
		return NULL;
	}
	while (scratch->length < length) {
		uint64_t wanted = length - scratch->length, piece = left < wanted ? left : wanted;
		memcpy(scratch->data + scratch->length, bytes, piece);
		scratch->length += piece;
		if (scratch->length < length && !(bytes = part_at(part, address + scratch->length, &left, error)))
			return NULL;
	}
	memset(scratch->data + length, 0, EXTENT_SLACK);
	return scratch->data;
}
