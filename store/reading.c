#include "store/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define MAP_BYTES_FIRST ((uint64_t)1 << 40) /* address space, not memory */
#define ROOM_TO_GROW ((uint64_t)64 << 20)
#define PAGE_MOST ((uint64_t)1 << 16)
#define LOCK_SLOTS 4 /* the writer is the only one in LMDB's list of readers */

bool address_space_is_limited(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* What the process has mapped; 0 where the system does not tell. */
static uint64_t mapped_bytes(void)
{
	char line[64] = "";
	unsigned long long pages = 0;
	int file = file_open("/proc/self/statm", O_RDONLY, 0);
	if (file < 0)
		return 0;
	if (file_read_at(file, line, sizeof line - 1, 0) > 0)
		sscanf(line, "%llu", &pages);
	close(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The size to try first. Under a limit at least half of what is left stays for others; a reader opens the file anew when it
 * has outgrown its map. */
static uint64_t map_wanted(uint64_t file_bytes, bool grows)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return MAP_BYTES_FIRST;
	uint64_t mapped = mapped_bytes(), left = limit.rlim_cur > mapped ? (limit.rlim_cur - mapped) / 2 : 0;
	uint64_t enough = grows ? MAP_BYTES_FIRST : 2 * file_bytes + ROOM_TO_GROW;
	return left < enough ? left : enough;
}

static int open_mapped(MDB_env **out, const char *path, unsigned flags, uint64_t map)
{
	int held[3], code = mdb_env_create(out);
	if (code)
		return code;
	mdb_env_set_maxreaders(*out, LOCK_SLOTS);
	code = mdb_env_set_mapsize(*out, map);
	standard_hold(held);
	if (!code)
		code = mdb_env_open(*out, path, flags, 0600);
	standard_release(held);
	if (code) {
		mdb_env_close(*out);
		*out = NULL;
	}
	return code;
}

int environment_open(MDB_env **out, const char *path, unsigned flags, uint64_t file_bytes, bool grows)
{
	uint64_t least = (file_bytes + PAGE_MOST - 1) / PAGE_MOST * PAGE_MOST, map = map_wanted(file_bytes, grows);
	if (map < least || map < PAGE_MOST)
		map = least ? least : PAGE_MOST;
	for (;;) {
		int descriptor, code = open_mapped(out, path, flags, map / PAGE_MOST * PAGE_MOST);
		if (!code) {
			mdb_env_get_fd(*out, &descriptor);
			fcntl(descriptor, F_SETFD, FD_CLOEXEC);
			return 0;
		}
		/* EINVAL: what memcheck says of a map that it has no room for. */
		if ((code != ENOMEM && code != EINVAL) || map <= least || map / 2 < PAGE_MOST)
			return code;
		map = map / 2 < least ? least : map / 2;
	}
}

/* No page is read here, so that nobody needs to know of this transaction. */
static int look_in(struct reading *reading)
{
	MDB_txn *transaction;
	MDB_stat layout;
	int code = mdb_txn_begin(reading->environment, NULL, MDB_RDONLY, &transaction);
	if (code)
		return code;
	code = mdb_dbi_open(transaction, NULL, 0, &reading->database);
	mdb_txn_abort(transaction);
	mdb_env_stat(reading->environment, &layout);
	reading->page_bytes = layout.ms_psize;
	return code;
}

int reading_open(struct reading **out, const char *path, const struct stat *status)
{
	const unsigned flags = MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	struct reading *reading = memory_new_zeroed(1, sizeof *reading);
	struct stat opened;
	int descriptor;
	if (!reading)
		return ENOMEM;
	reading->users = 1;
	int code = environment_open(&reading->environment, path, flags, (uint64_t)status->st_size, false);
	if (!code)
		code = mdb_env_get_fd(reading->environment, &descriptor);
	if (!code && fstat(descriptor, &opened) != 0)
		code = errno;
	if (!code && (opened.st_ino != status->st_ino || opened.st_dev != status->st_dev))
		code = ESTALE;
	if (!code)
		code = look_in(reading);
	if (code) {
		reading_release(reading);
		return code;
	}
	*out = reading;
	return 0;
}

void reading_release(struct reading *reading)
{
	if (!reading || --reading->users)
		return;
	if (reading->environment)
		mdb_env_close(reading->environment);
	memory_free(reading);
}
