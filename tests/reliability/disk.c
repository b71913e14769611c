#include "tests/reliability/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 256, NAMES_MAX = 256, PENDING_MAX = 8192 };

struct image {
	uint8_t *bytes;
	size_t length, capacity;
};

struct file {
	uint64_t inode;
	struct image durable;
	const struct fault_record *pending[PENDING_MAX];
	size_t pending_count;
};

struct name {
	const char *name;
	uint64_t inode;
};

struct disk {
	uint64_t folder;
	struct file *files;
	size_t file_count;
	struct name names[NAMES_MAX];
	size_t name_count;
	const struct fault_record *pending[PENDING_MAX]; /* changes of names */
	size_t pending_count;
};

static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

struct disk *disk_new(uint64_t folder)
{
	struct disk *disk = must(calloc(1, sizeof *disk));
	disk->folder = folder;
	disk->files = must(calloc(FILES_MAX, sizeof *disk->files));
	return disk;
}

void disk_free(struct disk *disk)
{
	for (size_t i = 0; i < disk->file_count; i++)
		free(disk->files[i].durable.bytes);
	free(disk->files);
	free(disk);
}

/* ---- bytes ---- */

static void image_resize(struct image *image, size_t length)
{
	if (length > image->capacity) {
		image->capacity = length + length / 2;
		image->bytes = must(realloc(image->bytes, image->capacity));
	}
	if (length > image->length)
		memset(image->bytes + image->length, 0, length - image->length);
	image->length = length;
}

static void image_write(struct image *image, uint64_t offset, const uint8_t *bytes, uint64_t length)
{
	if (offset + length > image->length)
		image_resize(image, offset + length);
	memcpy(image->bytes + offset, bytes, length);
}

static const uint8_t *payload(const struct fault_record *record)
{
	return (const uint8_t *)(record + 1);
}

static void image_apply(struct image *image, const struct fault_record *record)
{
	if (record->change == CHANGE_WRITE)
		image_write(image, record->offset, payload(record), record->bytes);
	else
		image_resize(image, record->offset);
}

/* ---- names ---- */

static struct name *find_name(struct name *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static void set_name(struct name *names, size_t *count, const char *name, uint64_t inode)
{
	struct name *found = find_name(names, *count, name);
	if (!found) {
		if (*count == NAMES_MAX)
			abort();
		found = &names[(*count)++];
	}
	*found = (struct name){name, inode};
}

static void drop_name(struct name *names, size_t *count, const char *name)
{
	struct name *found = find_name(names, *count, name);
	if (found)
		*found = names[--*count];
}

static void names_apply(struct name *names, size_t *count, const struct fault_record *record)
{
	const char *first = (const char *)payload(record), *second = first + strlen(first) + 1;
	switch (record->change) {
	case CHANGE_CREATE: set_name(names, count, first, record->inode); break;
	case CHANGE_UNLINK: drop_name(names, count, first); break;
	case CHANGE_LINK: set_name(names, count, second, record->inode); break;
	default: /* a rename is never half done */
		drop_name(names, count, first);
		set_name(names, count, second, record->inode);
	}
}

/* ---- changes ---- */

static struct file *find_file(struct disk *disk, uint64_t inode)
{
	for (size_t i = 0; i < disk->file_count; i++)
		if (disk->files[i].inode == inode)
			return &disk->files[i];
	if (disk->file_count == FILES_MAX)
		abort();
	struct file *file = &disk->files[disk->file_count++];
	file->inode = inode;
	return file;
}

static void sync_names(struct disk *disk)
{
	for (size_t i = 0; i < disk->pending_count; i++)
		names_apply(disk->names, &disk->name_count, disk->pending[i]);
	disk->pending_count = 0;
}

static void sync_file(struct file *file)
{
	for (size_t i = 0; i < file->pending_count; i++)
		image_apply(&file->durable, file->pending[i]);
	file->pending_count = 0;
}

/* A write that is durable at once goes on top of the pending ones where they overlap, now and when they are synced. */
static void write_durably(struct file *file, const struct fault_record *record)
{
	image_apply(&file->durable, record);
	if (file->pending_count)
		file->pending[file->pending_count++] = record;
}

void disk_change(struct disk *disk, const struct fault_record *record)
{
	struct file *file = NULL;
	bool of_file =
	    record->change == CHANGE_WRITE || record->change == CHANGE_SYNC || record->change == CHANGE_TRUNCATE;
	if (of_file && record->inode != disk->folder)
		file = find_file(disk, record->inode);
	if ((file ? file->pending_count : disk->pending_count) == PENDING_MAX)
		abort();
	if (record->change == CHANGE_SYNC && file)
		sync_file(file);
	else if (record->change == CHANGE_SYNC)
		sync_names(disk);
	else if (file && record->durable)
		write_durably(file, record);
	else if (file)
		file->pending[file->pending_count++] = record;
	else
		disk->pending[disk->pending_count++] = record;
}

/* ---- the power fails ---- */

struct loss {
	double kept;      /* the chance of a change, or of a piece of it, to have reached the disk */
	double torn;      /* that a write is decided piece by piece */
	uint64_t piece;   /* 512 or 4096 bytes */
	double grown;     /* that the size grows although the bytes are lost */
	bool in_order;    /* what is kept is a beginning of what was done */
	size_t beginning; /* then: its length */
};

static struct loss draw_loss(struct random *random, size_t pending)
{
	static const double chances[] = {0, 0.1, 0.5, 0.9, 1};
	struct loss loss = {.kept = chances[random_below(random, 5)],
	                    .torn = random_below(random, 3) * 0.5,
	                    .piece = random_chance(random, 0.5) ? 512 : 4096,
	                    .grown = random_chance(random, 0.5) ? 0.5 : 0,
	                    .in_order = random_chance(random, 0.25)};
	loss.beginning = random_below(random, pending + 1);
	return loss;
}

static void tear(struct image *image, const struct fault_record *record, const struct loss *loss, struct random *random)
{
	uint64_t at = record->offset, end = record->offset + record->bytes;
	while (at < end) {
		uint64_t next = (at / loss->piece + 1) * loss->piece;
		if (next > end)
			next = end;
		if (random_chance(random, loss->kept))
			image_write(image, at, payload(record) + (at - record->offset), next - at);
		at = next;
	}
}

static void lose(struct image *image, const struct fault_record *record, const struct loss *loss, struct random *random)
{
	bool write = record->change == CHANGE_WRITE;
	if (write && random_chance(random, loss->torn))
		tear(image, record, loss, random);
	else if (random_chance(random, loss->kept))
		image_apply(image, record);
	if (write && random_chance(random, loss->grown) && record->offset + record->bytes > image->length)
		image_resize(image, record->offset + record->bytes);
}

static void write_file(const char *folder, const char *name, const struct image *image)
{
	char path[800];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || (image->length && write(file, image->bytes, image->length) != (ssize_t)image->length)) {
		perror(path);
		exit(3);
	}
	close(file);
}

static size_t image_file(const struct file *file, const char *name, const struct fault_record *last,
                         struct random *random, const char *folder)
{
	static struct image image;
	size_t pending = file->pending_count + (last && last->inode == file->inode);
	struct loss loss = draw_loss(random, pending);
	image_resize(&image, 0);
	image_write(&image, 0, file->durable.bytes, file->durable.length);
	for (size_t i = 0; i < pending; i++) {
		const struct fault_record *record = i < file->pending_count ? file->pending[i] : last;
		if (record->durable && record != last)
			image_apply(&image, record);
		else if (!loss.in_order || i == loss.beginning)
			lose(&image, record, &loss, random);
		else if (i < loss.beginning)
			image_apply(&image, record);
	}
	write_file(folder, name, &image);
	return pending;
}

size_t disk_image(const struct disk *disk, const struct fault_record *last, struct random *random, const char *path)
{
	struct name names[NAMES_MAX];
	size_t count = disk->name_count, pending = disk->pending_count;
	memcpy(names, disk->names, count * sizeof *names);
	struct loss loss = draw_loss(random, pending);
	for (size_t i = 0; i < disk->pending_count; i++)
		if (loss.in_order ? i < loss.beginning : random_chance(random, loss.kept))
			names_apply(names, &count, disk->pending[i]);
	bool of_file = last && (last->change == CHANGE_WRITE || last->change == CHANGE_TRUNCATE);
	if (last && !of_file && last->change != CHANGE_SYNC && random_chance(random, 0.5))
		names_apply(names, &count, last);
	for (size_t i = 0; i < count; i++) {
		struct file *file = find_file((struct disk *)disk, names[i].inode);
		pending += image_file(file, names[i].name, of_file ? last : NULL, random, path);
	}
	return pending;
}
