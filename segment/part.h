/* part.h - whole parts at once: read when their length is not known, or kept in one piece; written from an array. */
#ifndef TRAWL_SEGMENT_PART_H
#define TRAWL_SEGMENT_PART_H

#include <stdint.h>

#include "base/memory.h"
#include "store/store.h"

/* Append a part of unknown length, extent by extent. */
int part_read_all(struct snapshot *snapshot, uint32_t segment, uint32_t number, struct buffer *out, trawl_error *error);

/* The bytes of a part in one piece, and EXTENT_SLACK more that may be loaded: in place where they fill one extent at most, else in *copy,
 * which is the caller's. An empty part leaves *bytes alone. */
int part_in_one(struct part *part, const uint8_t **bytes, uint8_t **copy, trawl_error *error);

/* Write an array as a part. */
int part_write(struct store_batch *batch, uint32_t segment, uint32_t number, const void *bytes, uint64_t length,
               trawl_error *error);

/* What a part of `bytes` takes in the file: LMDB gives a value of over half a page or so pages of its own. */
uint64_t part_file_bytes(uint64_t bytes);

#endif
