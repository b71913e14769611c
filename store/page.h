/*
 * page.h - the layout of LMDB's pages, for those who read them as bytes.
 *
 * LMDB 0.9 on a 64-bit machine:
 *   page      u64 number, u16 pad, u16 flags, u16 lower, u16 upper (an overflow page: u32 count of pages instead)
 *             then u16 offsets of nodes, up to `lower`; the nodes stand from `upper` on
 *   node      u16 low, u16 high, u16 flags, u16 key length, key; then in a leaf low | high << 16 bytes of data, or the u64
 *             number of the first overflow page that has them; in a branch low | high << 16 | flags << 32 is the child
 *   meta page page header, u32 magic, u32 version, u64 address, u64 map size, two trees, u64 last page, u64 transaction
 *   tree      u32 page size (of the first, the free list), u16 flags, u16 depth, 3 u64 counts of pages, u64 entries,
 *             u64 root (all ones: empty)
 */
#ifndef TRAWL_STORE_PAGE_H
#define TRAWL_STORE_PAGE_H

#define META_MAGIC 0xBEEFC0DEu

enum {
	PAGE_BYTES_LEAST = 512,
	PAGE_BYTES_MOST = 32768,
	PAGE_HEADER = 16,
	PAGE_BRANCH = 1,
	PAGE_LEAF = 2,
	PAGE_OVERFLOW = 4,
	PAGE_META = 8,
	NODE_HEADER = 8,
	NODE_BIG = 1, /* flag: the data are in overflow pages */
	KEY_BYTES_MAX = 511,
	TREE_BYTES = 48,
	TREE_FLAGS = 4,
	TREE_DEPTH = 6,
	TREE_ROOT = 40,
	META_MAP_BYTES = PAGE_HEADER + 16,
	META_TREES = PAGE_HEADER + 24,       /* of free pages, */
	META_TREE = META_TREES + TREE_BYTES, /* and of entries */
	META_LAST = META_TREE + TREE_BYTES,
	META_TRANSACTION = META_LAST + 8,
	META_END = META_TRANSACTION + 8,
	DEPTH_MAX = 32 /* of a tree */
};

#endif
