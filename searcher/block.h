/* block.h - documents are seen in superblocks of 1,024, and these in blocks of 64: a cache line of length bytes, a word of bits. */
#ifndef TRAWL_SEARCHER_BLOCK_H
#define TRAWL_SEARCHER_BLOCK_H

#include "segment/format.h"

#define BLOCKS_ALL 0xffffu /* of a superblock: a bit a block */

#endif
