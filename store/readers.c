#include "store/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static off_t place_of(enum readers_place place, uint64_t number)
{
	return (off_t)((place == READERS_COMING ? (uint64_t)1 << 60 : (uint64_t)1 << 61) + number);
}

static int control(int file, int command, struct flock *lock)
{
	int failed;
	do
		failed = fcntl(file, command, lock) == 0 ? 0 : errno;
	while (failed == EINTR);
	return failed;
}

static int set(int file, short type, enum readers_place place, uint64_t number)
{
	if (number > COMMIT_NUMBER_MAX)
		return EOVERFLOW;
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = place_of(place, number), .l_len = 1};
	return control(file, F_OFD_SETLK, &lock);
}

int readers_lock(int file, enum readers_place place, uint64_t number)
{
	return set(file, F_RDLCK, place, number);
}

int readers_unlock(int file, enum readers_place place, uint64_t number)
{
	return set(file, F_UNLCK, place, number);
}

bool readers_unsupported(int failed)
{
	return failed == ENOLCK || failed == EINVAL || failed == EOPNOTSUPP || failed == ENOSYS || failed == EPERM;
}

/* The start of some lock on the numbers from `first` to `last`; *number is `last` + 1 where there is none. */
static int find(int file, enum readers_place place, uint64_t first, uint64_t last, uint64_t *number)
{
	off_t start = place_of(place, first);
	struct flock lock = {
	    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = (off_t)(last - first + 1)};
	int failed = control(file, F_OFD_GETLK, &lock);
	if (failed)
		return failed;
	if (lock.l_type == F_UNLCK)
		*number = last + 1;
	else
		*number = first + (lock.l_start > start ? (uint64_t)(lock.l_start - start) : 0);
	return 0;
}

static int lowest_at(int file, enum readers_place place, uint64_t *lowest)
{
	int failed = 0;
	for (uint64_t found = 0; !failed && *lowest > 0;) {
		failed = find(file, place, 0, *lowest - 1, &found);
		if (failed || found == *lowest)
			break;
		*lowest = found; /* the system names any of them: look below it */
	}
	return failed;
}

int readers_lowest(int file, uint64_t most, uint64_t *lowest)
{
	*lowest = most;
	int failed = lowest_at(file, READERS_COMING, lowest);
	return failed ? failed : lowest_at(file, READERS_AT, lowest);
}

int readers_from(int file, uint64_t first, bool *found)
{
	uint64_t number = COMMIT_NUMBER_MAX + 1;
	int failed = first > COMMIT_NUMBER_MAX ? 0 : find(file, READERS_AT, first, COMMIT_NUMBER_MAX, &number);
	*found = number <= COMMIT_NUMBER_MAX;
	return failed;
}
