/*
 * image.h - an index file as bytes: its extents, found and read without LMDB.
 *
 * Everything is read with pread: a file that is cut off or on a failing disk is an error here and never a signal. The tree
 * is walked by a reader that goes on where it can; when that is not enough, all pages are searched for extents.
 */
#ifndef TRAWL_CHECKER_IMAGE_H
#define TRAWL_CHECKER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment/format.h"
#include "trawl.h"

#define VALUE_BYTES_LEAST (EXTENT_HEADER + EXTENT_SLACK)
#define VALUE_BYTES_MOST (EXTENT_HEADER + EXTENT_PAYLOAD + EXTENT_SLACK)

/* Where an extent is, by its key in the tree or (found by a search) by its header. */
struct extent_place {
	uint32_t segment, part, extent;
	uint32_t bytes;          /* of the value */
	uint64_t offset;         /* of the value in the file */
	uint64_t checksum, rank; /* of one found by a search: what it is, and which of several is wanted */
	bool verified, damaged;
};

/* In order of their keys: negative, 0 or positive. */
int extent_place_compare(const struct extent_place *left, const struct extent_place *right);

struct image {
	int file;
	const char *path; /* borrowed */
	uint64_t file_bytes, last_page;
	uint64_t transaction; /* of the newest meta page that makes sense */
	size_t page_bytes;
	uint64_t root; /* of the tree of extents: a page, or UINT64_MAX */
	unsigned depth;
	struct extent_place *places; /* ascending by segment, part, extent */
	size_t place_count, place_capacity;
	uint64_t untold;     /* pages and entries that the walk could not follow */
	uint64_t bytes_read; /* of extents */
	uint8_t *value;      /* scratch of VALUE_BYTES_MOST */
};

/* Open the file, and read its meta pages as far as they make sense. TRAWL_ENOTFOUND, TRAWL_EIO; TRAWL_ENOTINDEX: neither is a
 * meta page. */
int image_open(struct image *image, const char *path, trawl_error *error);
void image_close(struct image *image);
/* Read the meta pages again: a writer may have gone on, or a compaction have put another file in its place. */
int image_follow(struct image *image, trawl_error *error);
/* The same, for the commit of this number. false: it is not one of the two any more. */
bool image_choose(struct image *image, uint64_t transaction);

/* List the places of all extents that the tree has. TRAWL_ENOMEM, TRAWL_EIO. */
int image_walk(struct image *image, trawl_error *error);

/* Where no meta page makes sense: the whole file, in pages of the usual size, without a tree. */
void image_assume(struct image *image);

/* Replace places that are damaged, and add those that are missing, by what a search of all pages for verified values finds.
 * Pages that were freed keep what they had, so that there may be several values of one key. Where the damaged one's header
 * still tells its checksum, only that value is taken; else of manifests the one of the highest generation, of
 * deletions the one with the most deleted documents, and of others none unless all are the same. */
int image_search(struct image *image, void (*progress)(void *context, uint64_t bytes), void *context,
                 trawl_error *error);

/* The place of an extent, or NULL. */
struct extent_place *image_find(const struct image *image, uint32_t segment, uint32_t part, uint32_t extent);
/* The places of a part: the first, and how many there are. */
struct extent_place *image_part(const struct image *image, uint32_t segment, uint32_t part, size_t *count);

/* What image_verify says of a value whose checksum fits: it is sound, and not of our format. */
extern const char image_other_format[];

/* Read a value to image->value or `into` (VALUE_BYTES_MOST + 8 bytes), and verify header and checksum. NULL, or what is wrong with
 * it (static storage). */
const char *image_verify(struct image *image, struct extent_place *place, uint8_t *into);

/* `length` bytes at `offset`: the number read, less at the end of the file; negative errno. */
int64_t image_read(const struct image *image, uint64_t offset, void *into, uint64_t length);

/* ---- a part as a stream ---- */

struct part_stream {
	struct image *image;
	uint32_t segment, part;
	uint64_t bytes;  /* as the root says */
	uint8_t *value;  /* the extent in memory */
	uint32_t loaded; /* its number; UINT32_MAX: none */
	uint8_t *gathered;
	size_t gathered_capacity;
};

bool part_stream_open(struct part_stream *stream, struct image *image, uint32_t segment, uint32_t part, uint64_t bytes);
void part_stream_release(struct part_stream *stream);

/* The bytes at `address`, *left of them in the same extent, living until the next call. NULL: past the end, or the extent is
 * missing or damaged. */
const uint8_t *part_stream_at(struct part_stream *stream, uint64_t address, uint64_t *left);

/* `length` bytes at `address` wherever extents end, and 8 more that may be loaded; living until the next call. NULL as above, or
 * when memory ran out (*no_memory). */
const uint8_t *part_stream_read(struct part_stream *stream, uint64_t address, uint64_t length, bool *no_memory);

#endif
