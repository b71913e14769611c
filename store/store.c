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
#include "base/held.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/page.h"
#include "store/signature.h"
#include "store/tree.h"

#define MAP_BYTES_FIRST ((size_t)1 << 40) /* address space, not memory; halved until the system grants it */
#define MAP_BYTES_LEAST ((size_t)1 << 30)
#define READERS_MAX 1024
#define LOCK_FILE_BYTES ((size_t)(READERS_MAX + 64) * 64) /* LMDB's: a cache line a reader, and a head of some */
#define TOUCHED_LEAST 16 /* extents: fewer would go and come again while one document is read */

static struct store *open_stores; /* each file once: closing a second descriptor would drop LMDB's locks */
static pthread_mutex_t open_stores_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- errors ---- */

static bool disk_is_full(const char *path)
{
	struct statvfs status;
	return statvfs(path, &status) == 0 && status.f_bavail < 64;
}

/* A full disk comes back as EIO from short writes, so ask the file system. */
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
	case MDB_PANIC: /* the meta page could not be written: LMDB begins nothing new in this process */
		return error_set(error, TRAWL_EIO,
		                 "%s: an earlier commit could not be written; the last one is intact; close all that "
		                 "this process has open of the index, then try again",
		                 path);
	case MDB_INVALID: return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", path);
	case MDB_VERSION_MISMATCH:
		return error_set(error, TRAWL_EVERSION, "%s was written by another version of LMDB", path);
	case MDB_TXN_FULL:
	case MDB_MAP_FULL:
		return error_set(error, TRAWL_EFULL, "%s has outgrown its address space while %s", path, doing);
	case MDB_READERS_FULL:
		return error_set(error, TRAWL_EBUSY, "%s has more than %d readers; try again", path, READERS_MAX);
	case ENOMEM: return error_set_memory(error);
	case EACCES:
	case EPERM: return error_set(error, TRAWL_EIO, "%s: no permission (%s)", path, doing);
	case ENOENT: return error_set(error, TRAWL_ENOTFOUND, "no such index: %s", path);
	case EFBIG:
	case ENOSPC:
	case EDQUOT: break;
	default:
		if (code == EIO && disk_is_full(path))
			break;
		return error_set(error, TRAWL_EIO, "%s: %s while %s", path, mdb_strerror(code), doing);
	}
	return error_set(error, TRAWL_EFULL, "%s: the disk is full; the last commit is intact; make room and try again",
	                 path);
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

int opening_lock(int file, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)1 << 62, .l_len = 1};
	int code;
	do
		code = fcntl(file, F_OFD_SETLKW, &lock) == 0 ? 0 : errno;
	while (code == EINTR);
	return code;
}

/* Open the file and hold it: until *file is closed no compaction puts another one in its place, so that LMDB's lock
 * file is this file's. With `create` a file without entries is made where there is none. */
static int hold_file(const char *path, bool create, int *file, struct stat *status, trawl_error *error)
{
	struct stat named;
	bool made = false;
	for (;;) {
		/* Not opened for reading at once: that would wait for the other end of a pipe. */
		if (stat(path, &named) == 0 && !S_ISREG(named.st_mode))
			return check_regular(path, create, &named, error);
		*file = open(path, O_RDONLY | O_CLOEXEC);
		if (*file < 0 && errno == ENOENT && create) {
			if (!made) {
				int code = create_file(path, error);
				if (code)
					return code;
				made = true;
				continue;
			}
			/* A symbolic link that leads nowhere: create_file saw a file there. LMDB fills an empty one. */
			*file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		}
		if (*file < 0 && errno == ENOENT && !create)
			return error_set(error, TRAWL_ENOTFOUND,
			                 "no such index: %s; make it with: trawl index %s PATH...", path, path);
		if (*file < 0)
			return error_set_system(error, errno, "%s", path);
		opening_lock(*file, F_RDLCK); /* a file system without locks has no compactions beside us either */
		int same = fstat(*file, status) == 0 ? leads_to(path, status) : -errno;
		if (same > 0)
			break;
		close(*file);
		if (same < 0)
			return error_set_system(error, -same, "%s", path);
	}
	int code = check_regular(path, create, status, error);
	if (code)
		close(*file);
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

static int open_environment(struct store *store, unsigned flags, trawl_error *error)
{
	int code = reserve_lock_file(store->real, LOCK_FILE_BYTES);
	if (code)
		return lmdb_error(store, code, "opening", error);
	for (size_t map = MAP_BYTES_FIRST; map >= MAP_BYTES_LEAST; map /= 2) {
		code = mdb_env_create(&store->environment);
		if (code)
			return lmdb_error(store, code, "opening", error);
		mdb_env_set_maxreaders(store->environment, READERS_MAX);
		code = mdb_env_set_mapsize(store->environment, map);
		if (!code)
			code = mdb_env_open(store->environment, store->real, flags, 0644);
		if (!code)
			return 0;
		mdb_env_close(store->environment);
		store->environment = NULL;
		if (code != ENOMEM && code != EINVAL) /* EINVAL: what memcheck says of a map that it has no room for */
			break;
	}
	if (code == MDB_INVALID) /* check_header has read them; LMDB gives up when a read brings a part */
		return error_set(error, TRAWL_EIO, "%s: its first pages could not be read; try again", store->path);
	return lmdb_error(store, code, "opening", error);
}

/* Check LMDB's tree under a read transaction; a writer may overtake it. */
static int check_tree(struct store *store, bool deep, trawl_error *error)
{
	int descriptor, code = TRAWL_ENOTFOUND;
	mdb_env_get_fd(store->environment, &descriptor);
	for (int tries = 0; tries < 100 && code == TRAWL_ENOTFOUND; tries++) {
		MDB_txn *transaction;
		int failed = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &transaction);
		if (failed)
			return lmdb_error(store, failed, "starting", error);
		code = tree_check(descriptor, store->path, mdb_txn_id(transaction), deep, error);
		if (!code)
			code = signature_check(descriptor, store->path, error);
		mdb_txn_abort(transaction);
	}
	return code == TRAWL_ENOTFOUND ? error_set(error, TRAWL_EBUSY, "%s changes too fast; try again", store->path)
	                               : code;
}

static int prepare_environment(struct store *store, trawl_error *error)
{
	int descriptor, dead;
	mdb_env_get_fd(store->environment, &descriptor);
	fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	mdb_reader_check(store->environment, &dead);
	int checked = check_tree(store, false, error);
	if (checked)
		return checked;
	MDB_txn *transaction;
	int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &transaction);
	if (code)
		return lmdb_error(store, code, "starting", error);
	code = mdb_dbi_open(transaction, NULL, 0, &store->database);
	mdb_txn_abort(transaction);
	return code ? lmdb_error(store, code, "starting", error) : 0;
}

/* LMDB's lock file goes by the name: under every name of the file it must be the same one. */
static int new_store(struct store **out, const char *path, trawl_error *error)
{
	char real[PATH_MAX];
	if (!realpath(path, real))
		return error_set_system(error, errno, "%s", path);
	size_t length = strlen(path) + 1, real_length = strlen(real) + 1;
	struct store *store = memory_new_zeroed(1, sizeof *store + length + real_length);
	if (!store)
		return error_set_memory(error);
	memcpy(store->path, path, length);
	store->real = memcpy(store->path + length, real, real_length);
	store->users = 1;
	*out = store;
	return 0;
}

static int open_held(struct store **out, const char *path, int file, const struct stat *status, trawl_error *error)
{
	struct store *store = NULL;
	int code = check_header(file, path, status, error);
	if (!code)
		code = new_store(&store, path, error);
	if (code)
		return code;
	bool fresh = status->st_size == 0;
	store->device = status->st_dev;
	store->inode = status->st_ino;
	store->writable = fresh || access(path, W_OK) == 0;
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	code = open_environment(store, store->writable ? flags : flags | MDB_RDONLY, error);
	if (!code)
		code = prepare_environment(store, error);
	if (code) {
		if (store->environment)
			mdb_env_close(store->environment);
		memory_free(store);
		return code;
	}
	char lock_name[BESIDE_BYTES];
	store->lock_held = held_add(path_beside(store->real, LOCK_SUFFIX, lock_name), &store->lock_file);
	*out = store;
	return 0;
}

/* What the parent of a forked process had open is the parent's: a snapshot through it would stand under the parent's process
 * number, and hold its pages for as long as that lives. */
static void forget_inherited(void)
{
	static pid_t process;
	if (process != getpid())
		open_stores = NULL;
	process = getpid();
}

static int open_new(struct store **out, const char *path, bool create, trawl_error *error)
{
	struct stat status;
	int file = -1;
	int code = check_file_system(path, error);
	if (!code)
		code = hold_file(path, create, &file, &status, error);
	if (code)
		return code;
	code = open_held(out, path, file, &status, error);
	close(file);
	return code;
}

int store_open(struct store **out, const char *path, bool create, trawl_error *error)
{
	struct stat status;
	int code;
	*out = NULL;
	pthread_mutex_lock(&open_stores_lock);
	forget_inherited();
	int failed = stat(path, &status) == 0 ? 0 : errno;
	struct store *store = failed ? NULL : open_stores;
	while (store && (store->device != status.st_dev || store->inode != status.st_ino))
		store = store->next;
	if (failed && failed != ENOENT) {
		code = error_set_system(error, failed, "%s", path); /* it may be open, and must not be again */
	} else if (store) {
		code = check_tree(store, false, error); /* the file may have been cut off since */
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
			mdb_env_close(store->environment);
			if (store->lock_held)
				held_remove(&store->lock_file);
			memory_free(store);
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

/* ---- the writer lock ---- */

/* The process that holds a flock on this inode, from /proc/locks; 0 when it cannot be told. */
static long lock_holder(const struct store *store)
{
	FILE *locks = fopen("/proc/locks", "re");
	if (!locks)
		return 0;
	char line[256];
	long holder = 0;
	while (!holder && fgets(line, sizeof line, locks)) {
		long process;
		unsigned major_number, minor_number;
		unsigned long long inode;
		if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %ld %x:%x:%llu", &process, &major_number, &minor_number,
		           &inode) == 4 &&
		    inode == (unsigned long long)store->inode && major_number == major(store->device) &&
		    minor_number == minor(store->device))
			holder = process;
	}
	fclose(locks);
	return holder;
}

/* Readers are told of a commit after its meta page is written. A writer that was killed in between, while others had the file
 * open, leaves them at the commit before, and us too: its segments would be swept. LMDB makes that good when the next
 * write begins. */
static int find_last_commit(struct store *store, trawl_error *error)
{
	MDB_txn *transaction;
	int failed = mdb_txn_begin(store->environment, NULL, 0, &transaction);
	if (failed)
		return lmdb_error(store, failed, "locking", error);
	mdb_txn_abort(transaction);
	return 0;
}

int store_lock(struct store *store, bool wait, int *lock, trawl_error *error)
{
	if (!store->writable)
		return error_set(error, TRAWL_EIO, "%s: no permission to write", store->path);
	int file = open(store->path, O_RDWR | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return STORE_REPLACED;
	if (file < 0)
		return error_set_system(error, errno, "%s", store->path);
	int failed;
	do
		failed = flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	while (failed && errno == EINTR);
	if (failed) {
		int reason = errno;
		close(file);
		if (reason != EWOULDBLOCK)
			return error_set_system(error, reason, "locking %s", store->path);
		long holder = lock_holder(store);
		if (holder)
			return error_set(error, TRAWL_EBUSY,
			                 "%s is being written by process %ld; wait for it (--wait) or try later",
			                 store->path, holder);
		return error_set(error, TRAWL_EBUSY,
		                 "%s is being written by another process; wait for it (--wait) or try later",
		                 store->path);
	}
	/* The file that was waited for may be gone, or another one in its place: a commit to it would be lost. */
	struct stat locked;
	int same = fstat(file, &locked) == 0 ? leads_to(store->path, &locked) : -errno;
	int code = STORE_REPLACED;
	if (same < 0)
		code = error_set_system(error, -same, "%s", store->path);
	else if (same && locked.st_ino == store->inode && locked.st_dev == store->device)
		code = find_last_commit(store, error);
	if (!code)
		code = check_tree(store, true, error);
	if (!code)
		create_sweep(store->path);
	if (code) {
		close(file);
		return code;
	}
	*lock = file;
	return 0;
}

void store_unlock(int lock)
{
	/* A child forked meanwhile shares the lock; closing alone would leave it in the child's hands. */
	if (lock >= 0) {
		flock(lock, LOCK_UN);
		close(lock);
	}
}

/* ---- snapshots ---- */

struct snapshot {
	struct store *store;
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

static uint64_t snapshot_last_page(const struct snapshot *snapshot)
{
	MDB_envinfo information;
	mdb_env_info(snapshot->store->environment, &information);
	return information.me_last_pgno;
}

/* LMDB does not tell where its map is, but each page of a tree has its number in front. */
static void find_map(struct snapshot *snapshot)
{
	struct store *store = snapshot->store;
	uint8_t key_bytes[KEY_BYTES];
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	MDB_stat layout;
	key_write(key_bytes, 0, PART_MANIFEST, 0);
	if (store->map || mdb_get(snapshot->transaction, store->database, &key, &value))
		return;
	mdb_env_stat(store->environment, &layout);
	const uint8_t *page = (const uint8_t *)((uintptr_t)value.mv_data / layout.ms_psize * layout.ms_psize);
	const uint8_t *map = page - load64(page) * layout.ms_psize;
	if (load64(page) <= snapshot_last_page(snapshot))
		store->map = map;
}

void store_give_back(const struct store *store, uint64_t file_bytes)
{
	const uint8_t *map = store->map;
	if (map)
		madvise((void *)(uintptr_t)map, file_bytes, MADV_DONTNEED);
}

void snapshot_limit(struct snapshot *snapshot, size_t bytes)
{
	MDB_stat layout;
	find_map(snapshot);
	mdb_env_stat(snapshot->store->environment, &layout);
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
			store_give_back(snapshot->store, snapshot->bytes);
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

int snapshot_open(struct snapshot **out, struct store *store, trawl_error *error)
{
	struct snapshot *snapshot = memory_new_zeroed(1, sizeof *snapshot);
	if (!snapshot)
		return error_set_memory(error);
	snapshot->store = store;
	int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &snapshot->transaction);
	if (code == MDB_READERS_FULL) {
		int dead;
		mdb_reader_check(store->environment, &dead);
		code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &snapshot->transaction);
	}
	if (code) {
		memory_free(snapshot);
		return lmdb_error(store, code, "starting to read", error);
	}
	pthread_mutex_init(&snapshot->lock, NULL);
	*out = snapshot;
	return 0;
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	mdb_txn_abort(snapshot->transaction);
	pthread_mutex_destroy(&snapshot->lock);
	memory_free(snapshot->touched);
	memory_free(snapshot);
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
	return mdb_env_info(store->environment, &information) == 0 &&
	       information.me_last_txnid == mdb_txn_id(snapshot->transaction);
}

int snapshot_content(struct snapshot *snapshot, enum store_content *content, trawl_error *error)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	pthread_mutex_lock(&snapshot->lock);
	int code = mdb_cursor_open(snapshot->transaction, snapshot->store->database, &cursor);
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
	mdb_env_info(snapshot->store->environment, &information);
	mdb_env_stat(snapshot->store->environment, &layout);
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
	int code = mdb_get(snapshot->transaction, snapshot->store->database, &key, &value);
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

int snapshot_verify(struct snapshot *snapshot, trawl_error *error)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = 0;
	pthread_mutex_lock(&snapshot->lock);
	int failed = mdb_cursor_open(snapshot->transaction, snapshot->store->database, &cursor);
	while (!code && !failed && !(failed = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
		const uint8_t *at = key.mv_data;
		if (key.mv_size != KEY_BYTES)
			failed = MDB_CORRUPTED;
		else
			code = check_extent(snapshot, __builtin_bswap32(load32(at)), __builtin_bswap32(load32(at + 4)),
			                    __builtin_bswap32(load32(at + 8)), &value, error);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	pthread_mutex_unlock(&snapshot->lock);
	return failed && failed != MDB_NOTFOUND ? lmdb_error(snapshot->store, failed, "reading", error) : code;
}

int part_open(struct part *part, struct snapshot *snapshot, uint32_t segment, uint32_t number, uint64_t bytes,
              trawl_error *error)
{
	*part = (struct part){.snapshot = snapshot, .segment = segment, .number = number, .bytes = bytes};
	uint64_t count = bytes / EXTENT_PAYLOAD + (bytes % EXTENT_PAYLOAD != 0);
	MDB_envinfo information;
	MDB_stat layout;
	mdb_env_info(snapshot->store->environment, &information);
	mdb_env_stat(snapshot->store->environment, &layout);
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
	const struct store *store = part->snapshot->store;
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
	if (part->places && store->map)
		part->places[extent] = (uint64_t)(payload - store->map);
	touch(part->snapshot, part, extent);
	return payload;
}

int part_copy(struct part *part, uint64_t address, uint32_t length, void *out, trawl_error *error)
{
	uint64_t extent = address / EXTENT_PAYLOAD, offset = address % EXTENT_PAYLOAD, left;
	int file;
	if (address > part->bytes || length > part->bytes - address || length > EXTENT_PAYLOAD - offset)
		return part_corrupt(part, address, "a length past the end", error);
	mdb_env_get_fd(part->snapshot->store->environment, &file);
	if (part->places && length && part->places[extent] &&
	    pread(file, out, length, (off_t)(part->places[extent] + offset)) == (ssize_t)length)
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
