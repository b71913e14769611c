/*
 * disk.h - what a disk may hold after the power failed, given the changes that a program made to the files of a folder.
 *
 * A change is pending until a sync of its file (fsync, fdatasync) or, for names, of the folder makes it durable; a write through
 * O_DSYNC is durable when it returns. When the power fails, each pending change may have reached the disk, or not, or
 * in part: a write is torn at 512 or 4096 bytes, and the file's size may have grown without its bytes.
 */
#ifndef TRAWL_TESTS_RELIABILITY_DISK_H
#define TRAWL_TESTS_RELIABILITY_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/random_corpus.h"
#include "tests/reliability/interpose.h"

struct disk;

/* A disk with an empty folder, whose inode is `folder`. */
struct disk *disk_new(uint64_t folder);
void disk_free(struct disk *disk);

/* A change happens. `record` and the bytes behind it must outlive the disk. */
void disk_change(struct disk *disk, const struct fault_record *record);

/* The power fails; `last`, unless NULL, was under way. Write the files that are on the disk into the empty folder `path`.
 * How much is lost and torn is drawn. Returns the number of pending changes, lost or not. */
size_t disk_image(const struct disk *disk, const struct fault_record *last, struct random *random, const char *path);

#endif
