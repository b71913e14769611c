/*
 * extent.h - what the store knows of the bytes it keeps (docs/FORMAT.md, Extents): the key and the header of an extent, and where the
 * manifest is. What stands in the extents is the matter of segment/. A change here is a change there and in tests/test_format.c.
 */
#ifndef TRAWL_STORE_EXTENT_H
#define TRAWL_STORE_EXTENT_H

#define FORMAT_VERSION 2
#define EXTENT_MAGIC 0x58575254u /* "TRWX" */
#define KEY_BYTES 12             /* of an extent */
#define EXTENT_HEADER 48
#define EXTENT_SIGNATURE 32 /* in the manifest's header: the transaction that wrote it (signature.h) */
#define EXTENT_SLACK 64
/* 64 pages of 4 KiB less LMDB's page header, our header and the slack; a multiple of 64. */
#define EXTENT_PAYLOAD (64 * 4096 - 16 - EXTENT_HEADER - EXTENT_SLACK)

/* Of segment 0: the extent that a commit is seen by. */
#define PART_MANIFEST 0

#endif
