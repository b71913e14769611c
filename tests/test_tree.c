/*
 * LMDB's pages as store/tree.c and store/signature.c read them: a file of sixteen pages put together by hand from the layout that tree.c
 * tells, and each thing that may be wrong with it, one at a time. What refuses is told by its words, so that no check
 * stands in for another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "store/signature.h"
#include "store/tree.h"
#include "tests/check.h"

static trawl_error error;

/* ---- the file ---- */

enum { PAGE = 4096, PAGES = 16 };
enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 };
enum { FREE_TREE = 40, TREE = 88, DEPTH = 6, ROOT = 40, LAST = 136, TRANSACTION = 144 };
enum { FREE_LIST = 2, TOP = 3, FIRST = 4, SECOND = 5, VALUE = 6, LONG_LIST = 8, OLDER = 11 };
enum { NEWEST = 7 }; /* the last transaction */

static uint8_t pages[PAGES][PAGE];
static int file = -1;

static void begin_page(unsigned number, unsigned flags)
{
	memset(pages[number], 0, PAGE);
	store64(pages[number], number);
	store16(pages[number] + 10, (uint16_t)flags);
	store16(pages[number] + 12, 16);
	store16(pages[number] + 14, PAGE);
}

static uint8_t *node(unsigned page, unsigned i)
{
	return pages[page] + load16(pages[page] + 16 + 2 * i);
}

/* Room for a node behind those that the page has; `bytes` behind its key. */
static uint8_t *add_node(unsigned page, const void *key, size_t length, size_t bytes)
{
	uint8_t *head = pages[page];
	uint16_t lower = load16(head + 12), upper = load16(head + 14);
	upper = (uint16_t)(upper - ((8 + length + bytes + 1) & ~(size_t)1));
	store16(head + lower, upper);
	store16(head + 12, (uint16_t)(lower + 2));
	store16(head + 14, upper);
	store16(head + upper + 6, (uint16_t)length);
	memcpy(head + upper + 8, key, length);
	return head + upper;
}

static void add_value(unsigned page, const void *key, size_t length, const void *value, size_t bytes)
{
	uint8_t *at = add_node(page, key, length, bytes);
	store16(at, (uint16_t)bytes);
	memcpy(at + 8 + length, value, bytes);
}

/* A value of `bytes` bytes in pages of its own, from `first` on. */
static void add_big(unsigned page, const void *key, size_t length, size_t bytes, uint64_t first)
{
	uint8_t *at = add_node(page, key, length, 8);
	store32(at, (uint32_t)bytes);
	store16(at + 4, 1);
	store64(at + 8 + length, first);
}

static void add_child(unsigned page, const char *key, uint64_t child)
{
	uint8_t *at = add_node(page, key, strlen(key), 0);
	store32(at, (uint32_t)child);
	store16(at + 4, (uint16_t)(child >> 32));
}

static void put_overflow(unsigned number, uint32_t count)
{
	begin_page(number, OVERFLOW);
	store32(pages[number] + 12, count);
}

static void put_meta(unsigned number, uint64_t transaction, uint64_t free_root, uint64_t root, unsigned depth)
{
	uint8_t *meta = pages[number];
	begin_page(number, META);
	store32(meta + 16, 0xBEEFC0DE);
	store64(meta + 32, (uint64_t)1 << 40);
	store32(meta + FREE_TREE, PAGE);
	store16(meta + FREE_TREE + 4, 0x4008);
	store16(meta + FREE_TREE + DEPTH, free_root != UINT64_MAX);
	store64(meta + FREE_TREE + ROOT, free_root);
	store16(meta + TREE + DEPTH, (uint16_t)depth);
	store64(meta + TREE + ROOT, root);
	store64(meta + LAST, PAGES - 1);
	store64(meta + TRANSACTION, transaction);
}

static const uint8_t manifest_key[12];

static void add_manifest(unsigned page, uint64_t signature)
{
	uint8_t header[EXTENT_HEADER] = {0};
	store32(header, EXTENT_MAGIC);
	store64(header + EXTENT_SIGNATURE, signature);
	add_value(page, manifest_key, sizeof manifest_key, header, sizeof header);
}

/* Transaction 7: a free list with a value in its leaf and one in a page of its own; a branch over two leaves. */
static void put_healthy(void)
{
	static const uint64_t free_pages[] = {2, 10, 9}, more_free_pages[] = {3, 15, 13, 12};
	const uint64_t five = 5, six = 6;
	memset(pages, 0, sizeof pages);
	put_meta(0, NEWEST - 1, UINT64_MAX, OLDER, 1);
	put_meta(1, NEWEST, FREE_LIST, TOP, 2);
	begin_page(FREE_LIST, LEAF);
	add_value(FREE_LIST, &five, 8, free_pages, sizeof free_pages);
	add_big(FREE_LIST, &six, 8, sizeof more_free_pages, LONG_LIST);
	put_overflow(LONG_LIST, 1);
	memcpy(pages[LONG_LIST] + 16, more_free_pages, sizeof more_free_pages);
	begin_page(TOP, BRANCH);
	add_child(TOP, "", FIRST);
	add_child(TOP, "m", SECOND);
	begin_page(FIRST, LEAF);
	add_manifest(FIRST, NEWEST);
	add_big(FIRST, "b", 1, 5000, VALUE);
	put_overflow(VALUE, 2);
	begin_page(SECOND, LEAF);
	add_value(SECOND, "m", 1, "value", 5);
	add_value(SECOND, "n", 1, "odd", 3);
	begin_page(OLDER, LEAF);
	add_manifest(OLDER, NEWEST - 1);
}

static int start(void **state)
{
	(void)state;
	file = memfd_create("pages", MFD_CLOEXEC);
	return file < 0;
}

static int stop(void **state)
{
	(void)state;
	return close(file);
}

static void write_pages(off_t length)
{
	assert_int_equal(pwrite(file, pages, sizeof pages, 0), sizeof pages);
	assert_int_equal(ftruncate(file, length), 0);
}

static int check_tree(bool deep)
{
	error = (trawl_error){0};
	int code = tree_check_meta(file, "pages", &error);
	return code ? code : tree_check(file, "pages", NEWEST, deep, &error);
}

static int check_signature(void)
{
	error = (trawl_error){0};
	return signature_check(file, "pages", &error);
}

static void assert_sound(const char *what, bool deep)
{
	int code = check_tree(deep);
	if (code)
		fail_msg("%s%s: %s", what, deep ? ", in depth" : "", error.text);
}

static void assert_damaged(const char *what, const char *says, bool deep)
{
	int code = check_tree(deep);
	if (code != TRAWL_ECORRUPT || error.code != code || !strstr(error.text, says))
		fail_msg("%s%s: %s: '%s' and not '%s'", what, deep ? ", in depth" : "", trawl_status_name(code),
		         error.text, says);
}

/* ---- one number changed ---- */

struct edit {
	const char *what;
	unsigned page;
	int node; /* -1: of the page */
	unsigned at, size;
	uint64_t value;
	const char *says;
	bool deep; /* only a check in depth sees it */
};

static void make(const struct edit *edit)
{
	uint8_t *from = edit->node < 0 ? pages[edit->page] : node(edit->page, (unsigned)edit->node);
	memcpy(from + edit->at, &edit->value, edit->size);
}

static const struct edit edits[] = {
    {"magic", 1, -1, 16, 4, 1, "not a meta page", false},
    {"a meta page's kind", 1, -1, 10, 2, LEAF, "not a meta page", false},
    {"a meta page's number", 1, -1, 0, 8, 3, "not a meta page", false},
    {"another's transaction", 0, -1, TRANSACTION, 8, 5, "not a meta page", false},
    {"a transaction too old", 0, -1, TRANSACTION, 8, 4, "not of successive commits", false},
    {"a transaction too new", 0, -1, TRANSACTION, 8, 10, "not of successive commits", false},
    {"small pages", 0, -1, FREE_TREE, 4, 256, "no size that pages have", false},
    {"large pages", 0, -1, FREE_TREE, 4, 65536, "no size that pages have", false},
    {"odd pages", 0, -1, FREE_TREE, 4, 4096 + 512, "no size that pages have", false},
    {"pages of two sizes", 1, -1, FREE_TREE, 4, 2048, "no size that pages have", false},
    {"the free list's kind", 1, -1, FREE_TREE + 4, 2, 0x4000, "another kind", false},
    {"the tree's kind", 1, -1, TREE + 4, 2, 8, "another kind", false},
    {"a map too large", 1, -1, 32, 8, (uint64_t)1 << 47, "a map too large", false},
    {"no root", 1, -1, TREE + ROOT, 8, UINT64_MAX, "a tree without a root", false},
    {"no depth", 1, -1, TREE + DEPTH, 2, 0, "a tree too deep", false},
    {"too deep", 1, -1, TREE + DEPTH, 2, 33, "a tree too deep", false},
    {"less deep", 1, -1, TREE + DEPTH, 2, 1, "not the page it should be", false},
    {"deeper", 1, -1, TREE + DEPTH, 2, 3, "not the page it should be", false},
    {"a meta page for a root", 1, -1, TREE + ROOT, 8, 1, "outside of the file", false},
    {"a root past the end", 1, -1, TREE + ROOT, 8, PAGES, "outside of the file", false},
    {"a page's number", FIRST, -1, 0, 8, SECOND, "not the page it should be", false},
    {"a page's kind", FIRST, -1, 10, 2, LEAF | 0x20, "not the page it should be", false},
    {"a leaf without nodes", SECOND, -1, 12, 2, 16, "its nodes make no sense", false},
    {"a branch of one node", TOP, -1, 12, 2, 18, "its nodes make no sense", false},
    {"half a node's place", SECOND, -1, 12, 2, 19, "its nodes make no sense", false},
    {"nodes over their places", SECOND, -1, 14, 2, 18, "its nodes make no sense", false},
    {"nodes behind the page", SECOND, -1, 14, 2, PAGE + 2, "its nodes make no sense", false},
    {"a node before the others", SECOND, -1, 18, 2, 100, "a node outside of its page", false},
    {"a node at the end", SECOND, -1, 16, 2, PAGE - 7, "a node outside of its page", false},
    {"a long key", SECOND, 0, 6, 2, 7, "a key that makes no sense", false},
    {"a long branch key", TOP, 0, 6, 2, 9, "a key that makes no sense", false},
    {"a transaction of seven bytes", FREE_LIST, 1, 6, 2, 7, "a key that makes no sense", false},
    {"a tree in a node", SECOND, 1, 4, 2, 2, "a node of a kind that is not used here", false},
    {"twins in a node", SECOND, 1, 4, 2, 4, "a node of a kind that is not used here", false},
    {"long data", SECOND, 0, 0, 2, 7, "a node that reaches out of its page", false},
    {"very long data", SECOND, 0, 2, 2, 1, "a node that reaches out of its page", false},
    {"a page's number for five bytes", SECOND, 0, 4, 2, 1, "a node that reaches out of its page", false},
    {"a key below the one before", SECOND, 1, 8, 1, 'l', "its keys are out of order", false},
    {"the key before, again", SECOND, 1, 8, 1, 'm', "its keys are out of order", false},
    {"a key below its branch's", SECOND, 0, 8, 1, 'l', "its keys are out of order", false},
    {"a branch's key below the leaf before", TOP, 1, 8, 1, 'a', "its keys are out of order", false},
    {"a branch's key that the leaf before has", TOP, 1, 8, 1, 'b', "its keys are out of order", false},
    {"a branch's key above its leaf's", TOP, 1, 8, 1, 'z', "its keys are out of order", false},
    {"an older transaction behind a newer one", FREE_LIST, 1, 8, 8, 4, "its keys are out of order", false},
    {"a transaction twice", FREE_LIST, 1, 8, 8, 5, "its keys are out of order", false},
    {"a gap between nodes", SECOND, 1, 0, 2, 1, "its nodes do not fill their place", false},
    {"a value in a meta page", FIRST, 1, 9, 8, 1, "a value outside of the file", false},
    {"a value past the end", FIRST, 1, 9, 8, PAGES, "a value outside of the file", false},
    {"a value far past the end", FIRST, 1, 9, 8, PAGES + 9, "a value outside of the file", false},
    {"a value that ends past the end", FIRST, 1, 9, 8, PAGES - 1, "a value outside of the file", false},
    {"a value longer than the file", FIRST, 1, 0, 4, 16 * PAGE, "a value outside of the file", false},
    {"a value's page's number", VALUE, -1, 0, 8, 7, "not the value it should be", true},
    {"a value's page's kind", VALUE, -1, 10, 2, LEAF, "not the value it should be", true},
    {"a value's number of pages", VALUE, -1, 12, 4, 1, "not the value it should be", true},
    {"a value in a leaf", FIRST, 1, 9, 8, SECOND - 1, "in use twice", true},
    {"a value where a list of free pages is", FIRST, 1, 9, 8, LONG_LIST - 1, "in use twice", true},
    {"a free list's count", FREE_LIST, 0, 16, 8, 3, "free pages that is cut off", true},
    {"a long free list's count", LONG_LIST, -1, 16, 8, 4, "free pages that is cut off", true},
    {"half a free page", FREE_LIST, 1, 0, 2, 33, "free pages that is cut off", true},
    {"half a free list's count", FREE_LIST, 1, 0, 2, 4, "free pages that is cut off", true},
    {"a free list without a count", FREE_LIST, 1, 0, 2, 0, "free pages that is cut off", true},
    {"a free meta page", FREE_LIST, 0, 32, 8, 1, "free pages that makes no sense", true},
    {"a free page past the end", FREE_LIST, 0, 24, 8, PAGES, "free pages that makes no sense", true},
    {"a free page twice", FREE_LIST, 0, 32, 8, 10, "free pages that makes no sense", true},
    {"free pages that ascend", LONG_LIST, -1, 24, 8, 12, "free pages that makes no sense", true},
    {"a free page in two lists", LONG_LIST, -1, 40, 8, 10, "in use twice, or in use and free", true},
    {"a free page in use", FREE_LIST, 0, 32, 8, VALUE, "in use twice, or in use and free", true},
};

static void each_thing_that_may_be_wrong_with_a_page_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		put_healthy();
		write_pages(sizeof pages);
		assert_sound("healthy", false);
		assert_sound("healthy", true);
		make(&edits[i]);
		write_pages(sizeof pages);
		assert_damaged(edits[i].what, edits[i].says, true);
		if (edits[i].deep)
			assert_sound(edits[i].what, false);
		else
			assert_damaged(edits[i].what, edits[i].says, false);
	}
}

/* ---- more than a number ---- */

static void pages_met_more_often_than_there_are_any_end_the_walk(void **state)
{
	(void)state;
	/* Both trees have five pages and this value; eleven of fifteen are left to be met when it is. */
	for (unsigned count = 9; count <= 11; count++) {
		put_healthy();
		begin_page(FIRST, LEAF);
		add_manifest(FIRST, NEWEST);
		add_big(FIRST, "b", 1, 1 * PAGE, VALUE);
		add_big(FIRST, "c", 1, (count - 2) * PAGE - 16, PAGES - (count - 2));
		write_pages(sizeof pages);
		if (count == 9) {
			assert_sound("pages met twice, not too often", false);
			assert_damaged("pages met twice", "in use twice", true);
		} else if (count == 10) {
			assert_sound("all pages but the last leaf", false);
		} else {
			assert_damaged("all pages", "outside of the file, or met twice", false);
		}
	}
	put_healthy();
	begin_page(FIRST, LEAF);
	add_manifest(FIRST, NEWEST);
	add_big(FIRST, "b", 1, 6 * PAGE - 16, 10);
	add_big(FIRST, "c", 1, 6 * PAGE - 16, 10);
	write_pages(sizeof pages);
	assert_damaged("a long value twice", "a value outside of the file", false);
}

static void a_key_longer_than_any_is_refused(void **state)
{
	(void)state;
	uint8_t key[600];
	memset(key, 'x', sizeof key);
	for (size_t length = 511; length <= 512; length++) {
		put_healthy();
		add_value(SECOND, key, length, "", 0);
		write_pages(sizeof pages);
		if (length == 511)
			assert_sound("the longest key", true);
		else
			assert_damaged("a longer key", "a key that makes no sense", true);
	}
}

static void a_free_list_may_have_branches_and_its_keys_are_numbers_there_too(void **state)
{
	(void)state;
	enum { UPPER = 14, OTHER = 13 };
	/* As bytes, 256 comes before 5. */
	static const uint64_t keys[] = {5, 256}, lists[][2] = {{1, 10}, {1, 9}};
	for (int swapped = 0; swapped < 2; swapped++) {
		put_healthy();
		begin_page(FREE_LIST, LEAF);
		add_value(FREE_LIST, &keys[swapped], 8, lists[0], 16);
		begin_page(OTHER, LEAF);
		add_value(OTHER, &keys[!swapped], 8, lists[1], 16);
		begin_page(UPPER, BRANCH);
		add_child(UPPER, "", FREE_LIST);
		memcpy(add_node(UPPER, &keys[!swapped], 8, 0), &(uint32_t){OTHER}, 4);
		store16(pages[1] + FREE_TREE + DEPTH, 2);
		store64(pages[1] + FREE_TREE + ROOT, UPPER);
		write_pages(sizeof pages);
		if (swapped)
			assert_damaged("transactions that fall", "its keys are out of order", true);
		else
			assert_sound("transactions that ascend", true);
	}
}

/* The first key of a branch is not looked at, on no level. */
static void a_tree_of_three_levels_is_sound(void **state)
{
	(void)state;
	enum { UPPER = 14, RIGHT = 12, THIRD = 13, FOURTH = 9 };
	put_healthy();
	put_meta(1, NEWEST, UINT64_MAX, UPPER, 3);
	begin_page(UPPER, BRANCH);
	add_child(UPPER, "", TOP);
	add_child(UPPER, "p", RIGHT);
	begin_page(RIGHT, BRANCH);
	add_child(RIGHT, "", THIRD);
	add_child(RIGHT, "r", FOURTH);
	begin_page(THIRD, LEAF);
	add_value(THIRD, "p", 1, "", 0);
	begin_page(FOURTH, LEAF);
	add_value(FOURTH, "r", 1, "", 0);
	write_pages(sizeof pages);
	assert_sound("three levels", false);
	assert_sound("three levels", true);
	assert_int_equal(check_signature(), 0);
}

static void a_file_without_a_commit_is_sound(void **state)
{
	(void)state;
	memset(pages, 0, sizeof pages);
	put_meta(0, 0, UINT64_MAX, UINT64_MAX, 0);
	put_meta(1, 0, UINT64_MAX, UINT64_MAX, 0);
	store64(pages[0] + LAST, 1);
	store64(pages[1] + LAST, 1);
	write_pages(2 * PAGE);
	CHECK(tree_check_meta(file, "pages", &error));
	CHECK(tree_check(file, "pages", 0, true, &error));
}

static void only_the_last_two_commits_can_be_checked(void **state)
{
	(void)state;
	put_healthy();
	write_pages(sizeof pages);
	CHECK(tree_check(file, "pages", NEWEST - 1, true, &error));
	assert_int_equal(tree_check(file, "pages", NEWEST - 2, true, &error), TRAWL_ENOTFOUND);
	assert_int_equal(tree_check(file, "pages", NEWEST + 1, true, &error), TRAWL_ENOTFOUND);
}

static void free_pages_may_be_past_the_end_of_the_file_and_no_others(void **state)
{
	(void)state;
	put_healthy();
	write_pages((OLDER + 1) * PAGE); /* pages 12 to 15 are free */
	assert_sound("a file without its free pages", true);
	assert_sound("a file without its free pages", false);
	write_pages((LONG_LIST + 1) * PAGE);
	assert_sound("a file without any", true);
	write_pages(LONG_LIST * PAGE);
	assert_damaged("a file without a list of free pages", "is cut off: 32768 bytes and 16 pages", true);
	write_pages((VALUE + 1) * PAGE);
	assert_damaged("a file without the end of a value", "is cut off: 28672 bytes", false);
	write_pages(TOP * PAGE);
	assert_damaged("a file without its root", "is cut off: 12288 bytes", false);
	write_pages(PAGE + 100);
	assert_damaged("a file without its second meta page", "page 1: cut off", false);
	put_healthy();
	store64(pages[1] + LAST, PAGES + 8192 - 1);
	write_pages(sizeof pages);
	assert_sound("many pages that were never written", true);
	store64(pages[1] + LAST, PAGES + 8192);
	write_pages(sizeof pages);
	assert_damaged("more pages than are ever left unwritten", "is cut off: 65536 bytes and 8209 pages", true);
}

static void memory_that_fails_is_told(void **state)
{
	(void)state;
	put_healthy();
	write_pages(sizeof pages);
	for (long n = 0; n < 3; n++) { /* a page a level, a bit a page, the long list */
		memory_fail_after(n, false);
		int code = check_tree(true);
		memory_fail_after(-1, false);
		assert_int_equal(code, TRAWL_ENOMEM);
		assert_int_equal(error.code, TRAWL_ENOMEM);
	}
	memory_fail_after(3, false);
	assert_sound("enough memory", true);
	memory_fail_after(1, false); /* what only depth takes is not taken without */
	assert_sound("enough memory", false);
	memory_fail_after(-1, false);
}

/* ---- signatures ---- */

static void both_meta_pages_lead_to_a_manifest_with_their_number(void **state)
{
	(void)state;
	static const unsigned roots[] = {OLDER, FIRST};
	put_healthy();
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), 0);
	for (unsigned i = 0; i < 2; i++) {
		put_healthy();
		store64(node(roots[i], 0) + 8 + 12 + EXTENT_SIGNATURE, 5);
		write_pages(sizeof pages);
		assert_int_equal(check_signature(), TRAWL_ECORRUPT);
		assert_non_null(
		    strstr(error.text, i ? "page 1: it names another commit" : "page 0: it names another commit"));
	}
}

/* As a compaction leaves them; but only an older meta page may be the twin of a newer one. */
static void an_older_meta_page_may_lead_to_the_newer_one_s_trees(void **state)
{
	(void)state;
	put_healthy();
	memcpy(pages[0] + FREE_TREE, pages[1] + FREE_TREE, TRANSACTION - FREE_TREE);
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), 0);
	store64(pages[0] + LAST, PAGES - 2);
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), TRAWL_ECORRUPT);
	store64(pages[0] + LAST, PAGES - 1);
	store64(pages[0] + TRANSACTION, NEWEST + 1);
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), TRAWL_ECORRUPT);
}

static void a_manifest_in_pages_of_its_own_is_found(void **state)
{
	(void)state;
	for (uint64_t signature = NEWEST - 1; signature <= NEWEST; signature++) {
		put_healthy();
		begin_page(FIRST, LEAF);
		add_big(FIRST, manifest_key, sizeof manifest_key, EXTENT_HEADER, VALUE);
		store32(pages[VALUE] + 16, EXTENT_MAGIC);
		store64(pages[VALUE] + 16 + EXTENT_SIGNATURE, signature);
		write_pages(sizeof pages);
		assert_int_equal(check_signature(), signature == NEWEST ? 0 : TRAWL_ECORRUPT);
		/* 4096 pages of that number are as far as no page, in 64 bits. */
		store64(node(FIRST, 0) + 8 + 12, VALUE + ((uint64_t)1 << 52));
		write_pages(sizeof pages);
		assert_int_equal(check_signature(), 0);
		store64(node(FIRST, 0) + 8 + 12, PAGES);
		write_pages(sizeof pages);
		assert_int_equal(check_signature(), 0);
	}
}

/* Each of them keeps a wrong signature from being found. */
static const struct edit misleading[] = {
    {"no root", 1, -1, TREE + ROOT, 8, UINT64_MAX, NULL, false},
    {"no depth", 1, -1, TREE + DEPTH, 2, 0, NULL, false},
    {"a root past the end", 1, -1, TREE + ROOT, 8, PAGES, NULL, false},
    {"another page's number", FIRST, -1, 0, 8, SECOND, NULL, false},
    {"another page's kind", FIRST, -1, 10, 2, BRANCH, NULL, false},
    {"another branch's kind", TOP, -1, 10, 2, LEAF, NULL, false},
    {"a node past its page", FIRST, -1, 16, 2, PAGE - 7, NULL, false},
    {"another length of key", FIRST, 0, 6, 2, 11, NULL, false},
    {"another key", FIRST, 0, 8 + 11, 1, 1, NULL, false},
    {"another magic", FIRST, 0, 8 + 12, 4, 1, NULL, false},
    {"small pages", 0, -1, FREE_TREE, 4, 256, NULL, false},
    {"pages of no size", 0, -1, FREE_TREE, 4, 0, NULL, false},
    {"large pages", 0, -1, FREE_TREE, 4, 65536, NULL, false},
};

static void trees_that_cannot_be_followed_are_not_signatures_business(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof misleading / sizeof *misleading; i++) {
		put_healthy();
		store64(node(FIRST, 0) + 8 + 12 + EXTENT_SIGNATURE, 5);
		write_pages(sizeof pages);
		assert_int_equal(check_signature(), TRAWL_ECORRUPT);
		make(&misleading[i]);
		write_pages(sizeof pages);
		if (check_signature())
			fail_msg("%s: %s", misleading[i].what, error.text);
	}
	/* A leaf under a tree of no levels; a first node in the page behind. */
	put_healthy();
	store64(node(OLDER, 0) + 8 + 12 + EXTENT_SIGNATURE, 5);
	store16(pages[0] + TREE + DEPTH, 0);
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), 0);
	put_healthy();
	begin_page(SECOND, LEAF);
	add_manifest(SECOND, 5);
	store16(pages[FIRST] + 16, (uint16_t)(node(SECOND, 0) - pages[FIRST]));
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), 0);
	/* A number of a page whose place is another's in 64 bits. */
	const uint64_t far = (uint64_t)1 << 52;
	put_healthy();
	store64(node(FIRST, 0) + 8 + 12 + EXTENT_SIGNATURE, 5);
	store64(pages[1] + TREE + ROOT, far + TOP);
	store64(pages[TOP], far + TOP);
	write_pages(sizeof pages);
	assert_int_equal(check_signature(), 0);
	for (off_t length = 0; length < PAGE + 152; length += 152) {
		put_healthy();
		write_pages(length);
		assert_int_equal(check_signature(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_thing_that_may_be_wrong_with_a_page_is_told),
	    cmocka_unit_test(pages_met_more_often_than_there_are_any_end_the_walk),
	    cmocka_unit_test(a_key_longer_than_any_is_refused),
	    cmocka_unit_test(a_free_list_may_have_branches_and_its_keys_are_numbers_there_too),
	    cmocka_unit_test(a_tree_of_three_levels_is_sound),
	    cmocka_unit_test(a_file_without_a_commit_is_sound),
	    cmocka_unit_test(only_the_last_two_commits_can_be_checked),
	    cmocka_unit_test(free_pages_may_be_past_the_end_of_the_file_and_no_others),
	    cmocka_unit_test(memory_that_fails_is_told),
	    cmocka_unit_test(both_meta_pages_lead_to_a_manifest_with_their_number),
	    cmocka_unit_test(an_older_meta_page_may_lead_to_the_newer_one_s_trees),
	    cmocka_unit_test(a_manifest_in_pages_of_its_own_is_found),
	    cmocka_unit_test(trees_that_cannot_be_followed_are_not_signatures_business),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
