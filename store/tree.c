/* tree.c - read LMDB's pages as bytes and check what LMDB takes for granted. */
#include "store/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/page.h"

enum {
	TREE_OF_NUMBERS =
	    0x4008,          /* flags of the free list's: keys are numbers; and (of the file) no folder of its own */
	UNWRITTEN_MAX = 8192 /* pages past the file's end: see tree_check */
};

#define MAP_BYTES_MOST ((uint64_t)1 << 46)

struct walk {
	int file;
	const char *path;
	trawl_error *error;
	size_t page_bytes;
	uint64_t last_page, last_free; /* the greatest that may be in use, and in a list of free pages */
	bool deep, free_list;          /* free_list: the tree being walked is that of free pages */
	uint64_t budget;            /* pages that may still be met: fewer than there are, or something is met twice */
	uint8_t *pages;             /* one for each level */
	uint8_t *used;              /* deep: a bit a page, set when a tree or a list of free pages has it */
	uint8_t key[KEY_BYTES_MAX]; /* the last one met: all that follow are greater */
	size_t key_bytes;
	bool key_reached; /* it stands in a branch, and the next leaf's may equal it */
};

static int damaged(const char *path, uint64_t page, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT, "%s is damaged: page %llu: %s; restore it or index again", path,
	                 (unsigned long long)page, what);
}

/* The first `length` bytes of a page. */
static int read_page(int file, const char *path, uint64_t number, size_t page_bytes, uint8_t *page, size_t length,
                     trawl_error *error)
{
	int64_t got = file_read_at(file, page, length, number * page_bytes);
	if (got < 0)
		return error_set_system(error, (int)-got, "reading %s", path);
	return (size_t)got == length ? 0 : damaged(path, number, "cut off", error);
}

/* Both meta pages must agree on the size of a page: LMDB believes the newer one. */
static int read_meta(int file, const char *path, uint64_t number, size_t *page_bytes, uint8_t *meta, trawl_error *error)
{
	int code = read_page(file, path, number, *page_bytes, meta, META_END, error);
	if (code)
		return code;
	size_t told = load32(meta + META_TREES);
	/* LMDB writes the meta page of commit n to page n % 2, so a stale copy of the other one can be told. */
	uint64_t transaction = load64(meta + META_TRANSACTION);
	if (load32(meta + PAGE_HEADER) != META_MAGIC || !(load16(meta + 10) & PAGE_META) || load64(meta) != number ||
	    (transaction && transaction % 2 != number))
		return damaged(path, number, "not a meta page", error);
	if (told < PAGE_BYTES_LEAST || told > PAGE_BYTES_MOST || (told & (told - 1)) ||
	    (number > 0 && told != *page_bytes))
		return damaged(path, number, "no size that pages have", error);
	/* A tree of another kind has its keys in another order; a map that no machine has would pass for a want of memory. */
	if (load16(meta + META_TREES + TREE_FLAGS) != TREE_OF_NUMBERS ||
	    load16(meta + META_TREES + TREE_BYTES + TREE_FLAGS) || load64(meta + META_MAP_BYTES) > MAP_BYTES_MOST)
		return damaged(path, number, "trees of another kind, or a map too large", error);
	*page_bytes = told;
	return 0;
}

/* The two meta pages are of successive commits: an older newest one would be believed, and pass for the last commit. A
 * writer may commit between the two reads, so that a gap counts when it stays. */
int tree_check_meta(int file, const char *path, trawl_error *error)
{
	uint8_t meta[META_END];
	for (int tries = 0; tries < 3; tries++) {
		size_t page_bytes = 0;
		int code = read_meta(file, path, 0, &page_bytes, meta, error);
		uint64_t even = load64(meta + META_TRANSACTION);
		if (!code)
			code = read_meta(file, path, 1, &page_bytes, meta, error);
		uint64_t odd = load64(meta + META_TRANSACTION);
		if (code || even + 1 == odd || odd + 1 == even || (!even && !odd))
			return code;
	}
	return damaged(path, 0, "its meta pages are not of successive commits", error);
}

void tree_number_meta(uint8_t *page, uint64_t transaction)
{
	store64(page, transaction % 2);
	store64(page + META_TRANSACTION, transaction);
}

/* Pages met in a deep walk: none may be in use twice, or in use and free, for the writer would hand it out. */
static int take_pages(struct walk *walk, uint64_t first, uint64_t count)
{
	for (uint64_t page = first; walk->deep && page < first + count; page++) {
		if (walk->used[page / 8] >> (page % 8) & 1)
			return damaged(walk->path, page, "in use twice, or in use and free", walk->error);
		walk->used[page / 8] |= (uint8_t)(1u << (page % 8));
	}
	return 0;
}

static int check_overflow(struct walk *walk, uint64_t number, uint64_t data_bytes)
{
	uint8_t page[PAGE_HEADER];
	uint64_t count = (PAGE_HEADER + data_bytes + walk->page_bytes - 1) / walk->page_bytes;
	if (number < 2 || number > walk->last_page || count > walk->last_page - number + 1 || count > walk->budget)
		return damaged(walk->path, number, "a value outside of the file", walk->error);
	walk->budget -= count;
	if (!walk->deep)
		return 0;
	int taken = take_pages(walk, number, count);
	if (taken)
		return taken;
	int code = read_page(walk->file, walk->path, number, walk->page_bytes, page, sizeof page, walk->error);
	if (code)
		return code;
	if (load64(page) != number || load16(page + 10) != PAGE_OVERFLOW || load32(page + 12) != count)
		return damaged(walk->path, number, "not the value it should be", walk->error);
	return 0;
}

/* A value of the free list: the number of pages, and they, falling. LMDB's writer believes them. */
static int check_free_pages(struct walk *walk, uint64_t number, const uint8_t *value, uint64_t bytes)
{
	if (bytes < 8 || bytes % 8 || load64(value) > bytes / 8 - 1)
		return damaged(walk->path, number, "a list of free pages that is cut off", walk->error);
	uint64_t count = load64(value), before = walk->last_free + 1;
	for (uint64_t i = 1; i <= count; i++) {
		uint64_t page = load64(value + 8 * i);
		if (page < 2 || page >= before)
			return damaged(walk->path, number, "a list of free pages that makes no sense", walk->error);
		int code = take_pages(walk, page, 1);
		if (code)
			return code;
		before = page;
	}
	return 0;
}

static int check_long_free_pages(struct walk *walk, uint64_t number, uint64_t data_bytes)
{
	uint8_t *value = memory_new(PAGE_HEADER + data_bytes);
	if (!value)
		return error_set_memory(walk->error);
	int code =
	    read_page(walk->file, walk->path, number, walk->page_bytes, value, PAGE_HEADER + data_bytes, walk->error);
	if (!code)
		code = check_free_pages(walk, number, value + PAGE_HEADER, data_bytes);
	memory_free(value);
	return code;
}

static int check_leaf_node(struct walk *walk, uint64_t number, const uint8_t *node, size_t room)
{
	uint64_t data_bytes = load16(node) | (uint64_t)load16(node + 2) << 16;
	size_t key_bytes = load16(node + 6);
	if (load16(node + 4) & ~NODE_BIG)
		return damaged(walk->path, number, "a node of a kind that is not used here", walk->error);
	bool big = load16(node + 4) & NODE_BIG;
	if ((big ? 8 : data_bytes) > room - NODE_HEADER - key_bytes)
		return damaged(walk->path, number, "a node that reaches out of its page", walk->error);
	const uint8_t *data = node + NODE_HEADER + key_bytes;
	int code = big ? check_overflow(walk, load64(data), data_bytes) : 0;
	if (code || !walk->deep || !walk->free_list)
		return code;
	return big ? check_long_free_pages(walk, load64(data), data_bytes)
	           : check_free_pages(walk, number, data, data_bytes);
}

/* Keys ascend from leaf to leaf, and a branch's lie between its children's: LMDB finds them by bisection. */
static int check_order(struct walk *walk, uint64_t number, const uint8_t *key, size_t length, bool in_branch)
{
	int order = 1;
	if (length > KEY_BYTES_MAX)
		return damaged(walk->path, number, "a key that makes no sense", walk->error);
	if (walk->free_list && walk->key_bytes)
		order = load64(key) > load64(walk->key) ? 1 : -(load64(key) < load64(walk->key));
	else if (walk->key_bytes)
		order = bytes_compare(key, length, walk->key, walk->key_bytes);
	if (order < 0 || (order == 0 && (in_branch || !walk->key_reached)))
		return damaged(walk->path, number, "its keys are out of order", walk->error);
	memcpy(walk->key, key, length);
	walk->key_bytes = length;
	walk->key_reached = in_branch;
	return 0;
}

static int check_page(struct walk *walk, uint64_t number, unsigned depth, size_t keys);

/* A node with `room` bytes from its start to the page's end. */
static int check_node(struct walk *walk, uint64_t number, const uint8_t *node, size_t room, unsigned depth, size_t keys,
                      bool first)
{
	size_t key_bytes = load16(node + 6);
	bool unused = depth > 1 && first; /* the first key of a branch stands for everything smaller */
	if (key_bytes > room - NODE_HEADER || (keys && key_bytes != keys && !unused))
		return damaged(walk->path, number, "a key that makes no sense", walk->error);
	int code = unused ? 0 : check_order(walk, number, node + NODE_HEADER, key_bytes, depth > 1);
	if (code)
		return code;
	if (depth == 1)
		return check_leaf_node(walk, number, node, room);
	uint64_t child = load16(node) | (uint64_t)load16(node + 2) << 16 | (uint64_t)load16(node + 4) << 32;
	return check_page(walk, child, depth - 1, keys);
}

/* What a node takes in its page, rounded up to an even number. */
static size_t node_bytes(const uint8_t *node, unsigned depth)
{
	size_t bytes = NODE_HEADER + (size_t)load16(node + 6);
	if (depth == 1)
		bytes += load16(node + 4) & NODE_BIG ? 8 : load16(node) | (size_t)load16(node + 2) << 16;
	return bytes + bytes % 2;
}

/* `keys`: the length of all keys, or 0 for any. */
static int check_page(struct walk *walk, uint64_t number, unsigned depth, size_t keys)
{
	if (number < 2 || number > walk->last_page || walk->budget == 0)
		return damaged(walk->path, number, "outside of the file, or met twice", walk->error);
	walk->budget--;
	int taken = take_pages(walk, number, 1);
	if (taken)
		return taken;
	uint8_t *page = walk->pages + (size_t)(depth - 1) * walk->page_bytes;
	int code = read_page(walk->file, walk->path, number, walk->page_bytes, page, walk->page_bytes, walk->error);
	if (code)
		return code;
	size_t lower = load16(page + 12), upper = load16(page + 14), end = walk->page_bytes;
	if (load64(page) != number || load16(page + 10) != (depth > 1 ? PAGE_BRANCH : PAGE_LEAF))
		return damaged(walk->path, number, "not the page it should be", walk->error);
	if (lower < PAGE_HEADER + (depth > 1 ? 4 : 2) || lower % 2 || lower > upper || upper > end)
		return damaged(walk->path, number, "its nodes make no sense", walk->error);
	size_t filled = 0;
	for (size_t at = PAGE_HEADER; at < lower && !code; at += 2) {
		size_t offset = load16(page + at);
		if (offset < upper || offset > end - NODE_HEADER)
			return damaged(walk->path, number, "a node outside of its page", walk->error);
		filled += node_bytes(page + offset, depth);
		code = check_node(walk, number, page + offset, end - offset, depth, keys, at == PAGE_HEADER);
	}
	/* Nodes lie without gaps, on even addresses: LMDB moves them by their sizes when one goes. */
	if (!code && filled != end - upper)
		return damaged(walk->path, number, "its nodes do not fill their place", walk->error);
	return code;
}

static int check_tree(struct walk *walk, const uint8_t *tree, size_t keys)
{
	uint64_t root = load64(tree + TREE_ROOT);
	unsigned depth = load16(tree + TREE_DEPTH);
	walk->key_bytes = 0;
	walk->key_reached = false;
	if (root == UINT64_MAX)
		return depth ? damaged(walk->path, 0, "a tree without a root", walk->error) : 0;
	if (depth < 1 || depth > DEPTH_MAX)
		return damaged(walk->path, root, "a tree too deep", walk->error);
	return check_page(walk, root, depth, keys);
}

static int cut_off_at(const struct walk *walk, off_t bytes)
{
	return error_set(walk->error, TRAWL_ECORRUPT,
	                 "%s is cut off: %lld bytes and %llu pages; restore it or index again", walk->path,
	                 (long long)bytes, (unsigned long long)walk->last_free + 1);
}

int tree_check(int file, const char *path, uint64_t transaction, bool deep, trawl_error *error)
{
	uint8_t meta[META_END];
	struct walk walk = {.file = file, .path = path, .error = error, .deep = deep};
	for (uint64_t number = 0;; number++) {
		int code = read_meta(file, path, number, &walk.page_bytes, meta, error);
		if (code)
			return code;
		if (load64(meta + META_TRANSACTION) == transaction)
			break;
		if (number == 1)
			return error_set(error, TRAWL_ENOTFOUND, "%s has gone on to another commit", path);
	}
	/* A page that is freed in the transaction that took it is never written: the last ones may be free, and past the file's
	 * end. Nothing but the file's size keeps a made-up last page from making the walk endless. */
	struct stat status;
	if (fstat(file, &status) != 0)
		return error_set_system(error, errno, "%s", path);
	uint64_t file_pages = (uint64_t)status.st_size / walk.page_bytes;
	walk.last_free = load64(meta + META_LAST);
	bool cut_off = walk.last_free >= file_pages;
	if (walk.last_free >= file_pages + UNWRITTEN_MAX)
		return cut_off_at(&walk, status.st_size);
	walk.last_page = cut_off ? file_pages - 1 : walk.last_free;
	walk.budget = walk.last_page;
	walk.pages = memory_new(DEPTH_MAX * walk.page_bytes);
	walk.used = deep ? memory_new_zeroed(walk.last_free / 8 + 1, 1) : NULL;
	if (!walk.pages || (deep && !walk.used)) {
		memory_free(walk.pages);
		memory_free(walk.used);
		return error_set_memory(error);
	}
	walk.free_list = true;
	int code = check_tree(&walk, meta + META_TREES, 8); /* its keys are transaction numbers */
	walk.free_list = false;
	if (!code)
		code = check_tree(&walk, meta + META_TREES + TREE_BYTES, 0);
	if (code == TRAWL_ECORRUPT && cut_off)
		code = cut_off_at(&walk, status.st_size);
	memory_free(walk.pages);
	memory_free(walk.used);
	return code;
}
