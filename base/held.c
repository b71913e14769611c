#include "base/held.h"

#include <pthread.h>
#include <stddef.h>

#include "base/memory.h"

struct held_file {
	dev_t device;
	ino_t inode;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held_file *files;
static size_t count, capacity;

/* The place of a file in the list, or `count`. */
static size_t find(const struct stat *status)
{
	size_t at = 0;
	while (at < count && (files[at].device != status->st_dev || files[at].inode != status->st_ino))
		at++;
	return at;
}

bool held_add(const char *path, struct stat *status)
{
	if (stat(path, status) != 0)
		return false;
	pthread_mutex_lock(&lock);
	bool added = memory_reserve(&files, &capacity, count + 1, sizeof *files);
	if (added)
		files[count++] = (struct held_file){status->st_dev, status->st_ino};
	pthread_mutex_unlock(&lock);
	return added;
}

void held_remove(const struct stat *status)
{
	pthread_mutex_lock(&lock);
	size_t at = find(status);
	if (at < count)
		files[at] = files[--count];
	if (count == 0) {
		memory_free(files);
		files = NULL;
		capacity = 0;
	}
	pthread_mutex_unlock(&lock);
}

bool held_has(const struct stat *status)
{
	pthread_mutex_lock(&lock);
	bool has = find(status) < count;
	pthread_mutex_unlock(&lock);
	return has;
}

bool held_any(void)
{
	pthread_mutex_lock(&lock);
	bool any = count > 0;
	pthread_mutex_unlock(&lock);
	return any;
}
