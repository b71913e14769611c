/*
 * writing.c - the writer of an index file: its lock, LMDB's environment for writing, and how that is kept from using the pages of
 * commits again that somebody reads.
 *
 * Who writes holds a flock on the file, so that there is one. LMDB has a rule of its own: it uses a page again when no slot in
 * its list of readers, a lock file beside the data, has a commit that needs the page. Our readers are not in that list (readers.h). So the
 * writer puts itself into it: it begins a read transaction, and before each transaction that writes it sets the number in its own
 * slot, through a map of the lock file, to that of the oldest commit that somebody reads or is about to. LMDB's own word for what the
 * slot says, mdb_reader_list, is heard each time; where it says anything else nothing is written.
 *
 * The lock file is of use to this one process only, for as long as it writes. It loses its name as soon as LMDB has opened it, so
 * that nobody else can open it, close it, lack the permission to, or find an old one. Where it cannot be made beside the index it is made in
 * a folder for temporary files.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "store/create.h"
#include "store/lmdb_file.h"
#include "store/page.h"
#include "store/readers.h"
#include "store/reading.h"

#define LOCK_FILE_BYTES 4096 /* more than LMDB's head and the few slots that we ask for */
#define SLOT_BYTES 64        /* of LMDB's list: u64 commit, i32 process, u64 thread, and nothing */
#define FOLDER_BYTES 64

/* ---- LMDB's lock file ---- */

struct lock_file {
	char data[BESIDE_BYTES], lock[BESIDE_BYTES]; /* the index by a name that `lock` stands beside */
	char folder[BESIDE_BYTES];                   /* made for the two; "" where they are where the index is */
	int file;
};

/* What a killed writer left; nobody uses it, for we are the writer. A file that another program has given such a name stays. */
static void remove_old(const char *lock)
{
	uint8_t magic[4];
	struct stat status = {0};
	int file = lstat(lock, &status) == 0 && S_ISREG(status.st_mode)
	               ? file_open(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
	               : -1;
	bool old = file < 0 || status.st_size == 0 ||
	           (file_read_at(file, magic, sizeof magic, 0) == sizeof magic && load32(magic) == META_MAGIC);
	if (file >= 0)
		close(file);
	if (old && S_ISREG(status.st_mode))
		unlink(lock);
}

/* Make `lock`, with its blocks: LMDB writes to it through a map, which on a full disk would be the end of the process. */
static int make_lock_file(struct lock_file *made)
{
	remove_old(made->lock);
	made->file = file_open(made->lock, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (made->file < 0)
		return errno;
	int failed;
	do
		failed = fallocate(made->file, FALLOC_FL_KEEP_SIZE, 0, LOCK_FILE_BYTES) == 0 ? 0 : errno;
	while (failed == EINTR);
	if (failed != ENOSPC && failed != EDQUOT && failed != EFBIG)
		return 0; /* not every file system can reserve */
	close(made->file);
	made->file = -1;
	unlink(made->lock);
	return failed;
}

static int make_lock_file_in(struct lock_file *made, const char *folder, const char *real)
{
	if ((size_t)snprintf(made->folder, FOLDER_BYTES, "%s/trawl-XXXXXX", folder) >= FOLDER_BYTES)
		return made->folder[0] = 0, ENAMETOOLONG;
	if (!mkdtemp(made->folder))
		return made->folder[0] = 0, errno;
	path_beside(made->folder, "/index", made->data);
	path_beside(made->data, LOCK_SUFFIX, made->lock);
	int failed = symlink(real, made->data) == 0 ? 0 : errno;
	return failed ? failed : make_lock_file(made);
}

static void forget_names(struct lock_file *made)
{
	unlink(made->lock);
	if (made->folder[0]) {
		unlink(made->data);
		rmdir(made->folder);
	}
	made->folder[0] = 0;
}

/* The first reason counts where no place will do. */
static int find_place(struct lock_file *made, const char *real)
{
	const char *const folders[] = {getenv("TMPDIR"), "/dev/shm", "/tmp"};
	*made = (struct lock_file){.file = -1};
	path_beside(real, "", made->data);
	path_beside(real, LOCK_SUFFIX, made->lock);
	int failed = make_lock_file(made);
	if (!failed || failed == ENAMETOOLONG || failed == EMFILE || failed == ENFILE || failed == ENOMEM)
		return failed;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		if (!folders[i] || folders[i][0] != '/')
			continue;
		if (!make_lock_file_in(made, folders[i], real))
			return 0;
		forget_names(made);
	}
	return failed;
}

/* ---- the pin ---- */

struct writing {
	MDB_env *environment;
	MDB_dbi database;
	MDB_txn *pin;
	int flock_file; /* the writer's lock; it looks for readers too */
	void *table;    /* LMDB's lock file, mapped */
	_Atomic(uint64_t) *slot;
	const uint8_t *map; /* where LMDB maps the file; NULL: not known yet */
};

MDB_env *writing_environment(const struct store *store)
{
	return store->writing->environment;
}

MDB_dbi writing_database(const struct store *store)
{
	return store->writing->database;
}

struct wanted_line {
	uint64_t number;
	size_t ours, others;
};

/* LMDB tells of each reader in a line that begins with its process, and in ones of words what the columns are. */
static int count_line(const char *line, void *context)
{
	struct wanted_line *wanted = context;
	long process;
	unsigned long long number;
	if (sscanf(line, "%ld %*x %llu", &process, &number) == 2 && process == (long)getpid() &&
	    number == wanted->number)
		wanted->ours++;
	else if (sscanf(line, "%ld %*x", &process) == 1)
		wanted->others++;
	return 0;
}

/* Whether LMDB's only reader is ours, at `number`. */
static bool is_pinned(const struct writing *writing, uint64_t number)
{
	struct wanted_line wanted = {.number = number};
	return mdb_reader_list(writing->environment, count_line, &wanted) >= 0 && wanted.ours == 1 && !wanted.others;
}

static int refuse_slots(const struct store *store, trawl_error *error)
{
	return error_set(error, TRAWL_EVERSION,
	                 "%s: this LMDB (%s) keeps its list of readers otherwise than 0.9 does: nothing is written",
	                 store->path, mdb_version(NULL, NULL, NULL));
}

/* Find our slot by what must stand in it. */
static int find_slot(struct store *store, trawl_error *error)
{
	struct writing *writing = store->writing;
	uint64_t number = mdb_txn_id(writing->pin), thread = (uint64_t)pthread_self();
	pid_t process = getpid();
	writing->slot = NULL;
	for (size_t at = 0; at + SLOT_BYTES <= LOCK_FILE_BYTES; at += SLOT_BYTES) {
		uint8_t *slot = (uint8_t *)writing->table + at;
		if (load64(slot) != number || (pid_t)load32(slot + 8) != process || load64(slot + 16) != thread)
			continue;
		if (writing->slot)
			return refuse_slots(store, error);
		writing->slot = (_Atomic(uint64_t) *)(void *)slot;
	}
	return writing->slot && is_pinned(writing, number) ? 0 : refuse_slots(store, error);
}

/* Let no page be used again that a commit from the oldest one on needs which somebody reads. */
static int set_pin(struct store *store, trawl_error *error)
{
	struct writing *writing = store->writing;
	MDB_envinfo information;
	uint64_t oldest;
	mdb_env_info(writing->environment, &information);
	int failed = readers_lowest(writing->flock_file, information.me_last_txnid, &oldest);
	if (failed)
		oldest = 0; /* who knows who reads: use nothing again */
	atomic_store(writing->slot, oldest);
	return is_pinned(writing, oldest) ? 0 : refuse_slots(store, error);
}

static void find_map(struct writing *writing, MDB_txn *transaction)
{
	uint8_t key_bytes[KEY_BYTES];
	MDB_val key = {KEY_BYTES, key_bytes}, value;
	MDB_envinfo information;
	key_write(key_bytes, 0, PART_MANIFEST, 0);
	mdb_env_info(writing->environment, &information);
	if (!writing->map && !mdb_get(transaction, writing->database, &key, &value))
		writing->map = map_of(writing->environment, value.mv_data, information.me_last_pgno);
}

int write_begin(struct store *store, const char *doing, MDB_txn **out, trawl_error *error)
{
	int code = set_pin(store, error);
	if (code)
		return code;
	int failed = mdb_txn_begin(store->writing->environment, NULL, 0, out);
	if (failed)
		return lmdb_error(store, failed, doing, error);
	find_map(store->writing, *out);
	return 0;
}

void writing_give_back(const struct store *store, uint64_t file_bytes)
{
	if (store->writing->map)
		madvise((void *)(uintptr_t)store->writing->map, file_bytes, MADV_DONTNEED);
}

/* ---- the environment ---- */

static void close_writing(struct store *store)
{
	struct writing *writing = store->writing;
	if (!writing)
		return;
	if (writing->pin)
		mdb_txn_abort(writing->pin);
	if (writing->environment)
		mdb_env_close(writing->environment);
	if (writing->table)
		munmap(writing->table, LOCK_FILE_BYTES);
	memory_free(writing);
	store->writing = NULL;
}

static int lacks_lock_file(const struct store *store, int failed, trawl_error *error)
{
	if (failed == ENOSPC || failed == EDQUOT || failed == ENOMEM)
		return lmdb_error(store, failed, "opening", error);
	if (failed == EMFILE || failed == ENFILE)
		return error_set_system(error, failed, "%s%s cannot be made (ulimit -n)", store->path, LOCK_SUFFIX);
	return error_set(
	    error, TRAWL_EIO,
	    "%s%s cannot be made (%s), nor a folder in TMPDIR, /dev/shm or /tmp instead: who writes an index "
	    "needs one of them; let the index's folder be written to, or set TMPDIR to a folder that may be",
	    store->path, LOCK_SUFFIX, strerror(failed));
}

static int open_files(struct store *store, trawl_error *error)
{
	const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	struct writing *writing = store->writing;
	struct lock_file made;
	struct stat status;
	int descriptor, code = find_place(&made, store->real);
	if (code)
		return lacks_lock_file(store, code, error);
	code = fstat(writing->flock_file, &status) == 0 ? 0 : errno;
	if (!code)
		code = environment_open(&writing->environment, made.data, flags, (uint64_t)status.st_size, true);
	forget_names(&made);
	if (!code) {
		void *table = mmap(NULL, LOCK_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, made.file, 0);
		code = table == MAP_FAILED ? errno : 0;
		writing->table = code ? NULL : table;
	}
	/* Nobody else knows the file, so that it does no harm that LMDB's locks on it go with this. */
	close(made.file);
	if (code)
		return lmdb_error(store, code, "opening", error);
	mdb_env_get_fd(writing->environment, &descriptor);
	return store_is_file(store, descriptor) ? 0 : STORE_REPLACED;
}

static int begin_pin(struct store *store, trawl_error *error)
{
	struct writing *writing = store->writing;
	int code = mdb_txn_begin(writing->environment, NULL, MDB_RDONLY, &writing->pin);
	if (!code)
		code = mdb_dbi_open(writing->pin, NULL, 0, &writing->database);
	return code ? lmdb_error(store, code, "locking", error) : find_slot(store, error);
}

/* A commit whose last write failed was there for a moment, and went: who began to read it just then has pages that nothing else leads
 * to, under a number that comes again. */
static int check_undone(struct store *store, trawl_error *error)
{
	MDB_envinfo information;
	bool found = false;
	mdb_env_info(store->writing->environment, &information);
	readers_from(store->writing->flock_file, (uint64_t)information.me_last_txnid + 1, &found);
	if (!found)
		return 0;
	return error_set(error, TRAWL_EBUSY,
	                 "%s: a process still reads a commit whose writing failed: end it, then write again",
	                 store->path);
}

int store_write(struct store *store, int lock, trawl_error *error)
{
	store->writing = memory_new_zeroed(1, sizeof *store->writing);
	if (!store->writing)
		return error_set_memory(error);
	store->writing->flock_file = lock;
	int code = open_files(store, error);
	if (!code)
		code = begin_pin(store, error);
	if (!code)
		code = check_undone(store, error);
	if (code)
		close_writing(store);
	return code;
}

/* ---- the writer lock ---- */

/* The process that holds a flock on this inode, from /proc/locks; 0 when it cannot be told. */
static long lock_holder(const struct store *store)
{
	FILE *locks = file_open_stream("/proc/locks", "re");
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
	return holder > 0 ? holder : 0; /* a process of another container has no number here */
}

static int refuse_locked(const struct store *store, trawl_error *error)
{
	long holder = lock_holder(store);
	if (holder)
		return error_set(error, TRAWL_EBUSY,
		                 "%s is being written by process %ld; wait for it (--wait) or try later", store->path,
		                 holder);
	return error_set(error, TRAWL_EBUSY,
	                 "%s is being written by another process; wait for it (--wait) or try later", store->path);
}

static int refuse_opening(const struct store *store, int reason, trawl_error *error)
{
	if (reason == EACCES || reason == EPERM)
		return error_set(error, TRAWL_EIO,
		                 "%s: no permission to write: its owner can give it (chmod g+w, or o+w)", store->path);
	if (reason == EROFS)
		return error_set(error, TRAWL_EIO, "%s: no permission to write: its file system is read-only",
		                 store->path);
	return error_set_system(error, reason, "%s", store->path);
}

/* The file that was waited for may be gone, or another one in its place: a commit to it would be lost. */
static int check_same(const struct store *store, int file, trawl_error *error)
{
	struct stat locked;
	int same = fstat(file, &locked) == 0 ? leads_to(store->path, &locked) : -errno;
	if (same < 0)
		return error_set_system(error, -same, "%s", store->path);
	return same && locked.st_ino == store->inode && locked.st_dev == store->device ? 0 : STORE_REPLACED;
}

int store_lock(struct store *store, bool wait, int *lock, trawl_error *error)
{
	int file = file_open(store->path, O_RDWR, 0);
	int reason = errno;
	if (file < 0 && reason == ENOENT && !store_is_current(store))
		return STORE_REPLACED;
	if (file < 0)
		return refuse_opening(store, reason, error);
	int failed;
	do
		failed = flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	while (failed && errno == EINTR);
	if (failed) {
		reason = errno;
		close(file);
		if (reason != EWOULDBLOCK)
			return error_set_system(error, reason, "locking %s", store->path);
		return refuse_locked(store, error);
	}
	int code = check_same(store, file, error);
	if (!code)
		code = store_check_tree(store, true, error);
	if (!code)
		code = store_write(store, file, error);
	if (code) {
		close(file);
		return code;
	}
	create_sweep(store->path);
	*lock = file;
	return 0;
}

void store_unlock(struct store *store, int lock)
{
	if (!store || lock < 0 || store_is_inherited(store))
		return;
	close_writing(store);
	/* A child forked meanwhile shares the lock; closing alone would leave it in the child's hands. */
	flock(lock, LOCK_UN);
	close(lock);
}
