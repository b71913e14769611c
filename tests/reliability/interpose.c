/* interpose.c - see interpose.h. Only open descriptors of files in the plan's folder are watched. */
#include "tests/reliability/interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define DESCRIPTORS 1024

static struct fault_plan own_plan = {.log = -1};
struct fault_plan *fault_plan = &own_plan;

static struct {
	bool watched, durable;
	uint64_t inode;
} files[DESCRIPTORS];

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

/* The next definition of a function, found once. */
#define REAL(name)                                                                                                     \
	({                                                                                                             \
		static __typeof__(&name) found;                                                                        \
		if (!found)                                                                                            \
			found = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                            \
		found;                                                                                                 \
	})

/* ---- striking ---- */

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_CUT, VERDICT_LAST };

/* What happens to this call; errno is set when it fails. */
static enum verdict judge(enum fault_call call)
{
	struct fault_plan *plan = fault_plan;
	if (!(plan->calls >> call & 1))
		return VERDICT_PASS;
	uint64_t number = atomic_fetch_add(&plan->counted, 1) + 1;
	if (!plan->at || number < plan->at || (plan->times && number - plan->at >= plan->times))
		return VERDICT_PASS;
	atomic_fetch_add(&plan->struck, 1);
	if (plan->kill == KILL_BEFORE)
		die();
	if (plan->kill == KILL_AFTER)
		return VERDICT_LAST;
	errno = plan->error;
	return plan->cut ? VERDICT_CUT : plan->error ? VERDICT_FAIL : VERDICT_PASS;
}

static void after(enum verdict verdict)
{
	if (verdict == VERDICT_LAST)
		die();
}

/* ---- recording ---- */

static void record(enum fault_change change, bool durable, uint64_t inode, uint64_t offset, const struct iovec *pieces,
                   int count, uint64_t bytes)
{
	enum { PIECES = 80 };
	struct fault_record head = {change, durable, inode, offset, bytes};
	struct iovec all[PIECES] = {{&head, sizeof head}};
	int used = 1;
	for (int i = 0; i < count && bytes && used < PIECES; i++) {
		all[used] = pieces[i];
		if (all[used].iov_len > bytes)
			all[used].iov_len = bytes;
		bytes -= all[used++].iov_len;
	}
	if (REAL(writev)(fault_plan->log, all, used) < 0 || bytes)
		abort(); /* a log with holes proves nothing */
}

static bool recording(void)
{
	return fault_plan->log >= 0;
}

static void record_names(enum fault_change change, uint64_t inode, const char *first, const char *second)
{
	struct iovec names[2] = {{(void *)first, strlen(first) + 1}, {(void *)second, second ? strlen(second) + 1 : 0}};
	record(change, false, inode, 0, names, 2, names[0].iov_len + names[1].iov_len);
}

static uint64_t inode_of(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? status.st_ino : 0;
}

/* ---- what is watched ---- */

/* The name within the folder; "" for the folder; NULL: elsewhere. */
static const char *name_within(const char *path)
{
	size_t length = strlen(fault_plan->folder);
	if (!length || strncmp(path, fault_plan->folder, length) != 0)
		return NULL;
	return path[length] == '/' ? path + length + 1 : path[length] ? NULL : path + length;
}

static bool watched(int file)
{
	return file >= 0 && file < DESCRIPTORS && files[file].watched;
}

static void watch(int file, int flags)
{
	struct stat status;
	if (file < 0 || file >= DESCRIPTORS || fstat(file, &status) != 0)
		return;
	files[file].watched = true;
	files[file].durable = flags & (O_SYNC | O_DSYNC);
	files[file].inode = status.st_ino;
}

/* ---- opening and closing ---- */

static int open_watched(const char *path, int flags, mode_t mode)
{
	const char *name = name_within(path);
	if (!name)
		return REAL(open)(path, flags, mode);
	bool creates = flags & O_CREAT && access(path, F_OK) != 0;
	if (fault_plan->no_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	enum verdict verdict = judge(creates ? CALL_CREATE : CALL_OPEN);
	if (verdict == VERDICT_FAIL)
		return -1;
	bool logged = recording();
	if (logged)
		pthread_mutex_lock(&log_lock);
	int file = REAL(open)(path, flags, mode);
	watch(file, flags);
	if (logged) {
		if (file >= 0 && creates)
			record_names(CHANGE_CREATE, files[file].inode, name, NULL);
		else if (file >= 0 && flags & O_TRUNC)
			record(CHANGE_TRUNCATE, false, files[file].inode, 0, NULL, 0, 0);
		pthread_mutex_unlock(&log_lock);
	}
	after(verdict);
	return file;
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_watched(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_watched(path, flags, mode);
}

EXPORT int mkostemp(char *path, int flags)
{
	const char *name = name_within(path);
	enum verdict verdict = name ? judge(CALL_CREATE) : VERDICT_PASS;
	if (verdict == VERDICT_FAIL)
		return -1;
	int file = REAL(mkostemp)(path, flags);
	if (name) {
		watch(file, flags);
		if (recording() && file >= 0)
			record_names(CHANGE_CREATE, files[file].inode, name, NULL);
	}
	after(verdict);
	return file;
}

EXPORT int close(int file)
{
	if (watched(file))
		files[file].watched = false;
	return REAL(close)(file);
}

/* ---- writing ---- */

/* Write `count` pieces at `offset` (-1: where the descriptor stands), by calls that are not watched. */
static ssize_t write_pieces(int file, const struct iovec *pieces, int count, off_t offset)
{
	return offset < 0 ? REAL(writev)(file, pieces, count) : REAL(pwritev)(file, pieces, count, offset);
}

static ssize_t write_watched(enum fault_call call, int file, const struct iovec *pieces, int count, off_t offset)
{
	if (!watched(file))
		return write_pieces(file, pieces, count, offset);
	enum verdict verdict = judge(call);
	if (verdict == VERDICT_FAIL)
		return -1;
	struct iovec half = {pieces[0].iov_base, pieces[0].iov_len / 2 + 1};
	if (verdict == VERDICT_CUT && pieces[0].iov_len > 1) {
		pieces = &half;
		count = 1;
	}
	if (!recording()) {
		ssize_t wrote = write_pieces(file, pieces, count, offset);
		after(verdict);
		return wrote;
	}
	pthread_mutex_lock(&log_lock);
	off_t place = offset < 0 ? lseek(file, 0, SEEK_CUR) : offset;
	ssize_t wrote = write_pieces(file, pieces, count, offset);
	if (offset < 0 && wrote > 0)
		place = lseek(file, 0, SEEK_CUR) - wrote; /* also right with O_APPEND */
	if (wrote > 0)
		record(CHANGE_WRITE, files[file].durable, files[file].inode, (uint64_t)place, pieces, count,
		       (uint64_t)wrote);
	pthread_mutex_unlock(&log_lock);
	after(verdict);
	return wrote;
}

EXPORT ssize_t write(int file, const void *bytes, size_t length)
{
	struct iovec piece = {(void *)bytes, length};
	return watched(file) ? write_watched(CALL_WRITE, file, &piece, 1, -1) : REAL(write)(file, bytes, length);
}

EXPORT ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
	struct iovec piece = {(void *)bytes, length};
	return watched(file) ? write_watched(CALL_PWRITE, file, &piece, 1, offset)
	                     : REAL(pwrite)(file, bytes, length, offset);
}

EXPORT ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset)
{
	return pwrite(file, bytes, length, offset);
}

EXPORT ssize_t writev(int file, const struct iovec *pieces, int count)
{
	return write_watched(CALL_WRITEV, file, pieces, count, -1);
}

EXPORT ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t offset)
{
	return write_watched(CALL_PWRITEV, file, pieces, count, offset);
}

/* ---- reading ---- */

EXPORT ssize_t read(int file, void *bytes, size_t length)
{
	enum verdict verdict = watched(file) ? judge(CALL_READ) : VERDICT_PASS;
	if (verdict == VERDICT_FAIL)
		return -1;
	return REAL(read)(file, bytes, verdict == VERDICT_CUT && length > 1 ? length / 2 + 1 : length);
}

EXPORT ssize_t pread(int file, void *bytes, size_t length, off_t offset)
{
	enum verdict verdict = watched(file) ? judge(CALL_PREAD) : VERDICT_PASS;
	if (verdict == VERDICT_FAIL)
		return -1;
	return REAL(pread)(file, bytes, verdict == VERDICT_CUT && length > 1 ? length / 2 + 1 : length, offset);
}

EXPORT ssize_t pread64(int file, void *bytes, size_t length, off_t offset)
{
	return pread(file, bytes, length, offset);
}

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
	enum verdict verdict = watched(file) ? judge(CALL_MMAP) : VERDICT_PASS;
	return verdict == VERDICT_FAIL ? MAP_FAILED : REAL(mmap)(address, length, protection, flags, file, offset);
}

/* ---- syncing ---- */

static int sync_watched(enum fault_call call, int (*real)(int), int file)
{
	if (!watched(file))
		return real(file);
	enum verdict verdict = judge(call);
	if (verdict == VERDICT_FAIL)
		return -1;
	pthread_mutex_lock(&log_lock);
	int failed = real(file);
	if (!failed && recording())
		record(CHANGE_SYNC, false, files[file].inode, 0, NULL, 0, 0);
	pthread_mutex_unlock(&log_lock);
	after(verdict);
	return failed;
}

EXPORT int fsync(int file)
{
	return sync_watched(CALL_FSYNC, REAL(fsync), file);
}

EXPORT int fdatasync(int file)
{
	return sync_watched(CALL_FDATASYNC, REAL(fdatasync), file);
}

/* Which file is mapped there is not known, so that it counts always and makes nothing durable: trawl never needs it. */
EXPORT int msync(void *address, size_t length, int flags)
{
	enum verdict verdict = judge(CALL_MSYNC);
	if (verdict == VERDICT_FAIL)
		return -1;
	int failed = REAL(msync)(address, length, flags);
	after(verdict);
	return failed;
}

EXPORT int ftruncate(int file, off_t length)
{
	if (!watched(file))
		return REAL(ftruncate)(file, length);
	enum verdict verdict = judge(CALL_FTRUNCATE);
	if (verdict == VERDICT_FAIL)
		return -1;
	pthread_mutex_lock(&log_lock);
	int failed = REAL(ftruncate)(file, length);
	if (!failed && recording())
		record(CHANGE_TRUNCATE, false, files[file].inode, (uint64_t)length, NULL, 0, 0);
	pthread_mutex_unlock(&log_lock);
	after(verdict);
	return failed;
}

/* ---- names ---- */

static int rename_watched(enum fault_call call, enum fault_change change, int (*real)(const char *, const char *),
                          const char *from, const char *to)
{
	const char *name_from = name_within(from), *name_to = name_within(to);
	if (!name_from || !name_to)
		return real(from, to);
	enum verdict verdict = judge(call);
	if (verdict == VERDICT_FAIL)
		return -1;
	pthread_mutex_lock(&log_lock);
	int failed = real(from, to);
	if (!failed && recording())
		record_names(change, inode_of(to), name_from, name_to);
	pthread_mutex_unlock(&log_lock);
	after(verdict);
	return failed;
}

EXPORT int rename(const char *from, const char *to)
{
	return rename_watched(CALL_RENAME, CHANGE_RENAME, REAL(rename), from, to);
}

EXPORT int link(const char *from, const char *to)
{
	return rename_watched(CALL_LINK, CHANGE_LINK, REAL(link), from, to);
}

EXPORT int unlink(const char *path)
{
	const char *name = name_within(path);
	if (!name)
		return REAL(unlink)(path);
	enum verdict verdict = judge(CALL_UNLINK);
	if (verdict == VERDICT_FAIL)
		return -1;
	pthread_mutex_lock(&log_lock);
	uint64_t inode = inode_of(path);
	int failed = REAL(unlink)(path);
	if (!failed && recording())
		record_names(CHANGE_UNLINK, inode, name, NULL);
	pthread_mutex_unlock(&log_lock);
	after(verdict);
	return failed;
}
