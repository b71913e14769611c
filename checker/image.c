#include "checker/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/create.h"
#include "store/page.h"

int64_t image_read(const struct image *image, uint64_t offset, void *into, uint64_t length)
{
	return file_read_at(image->file, into, length, offset);
}

/* ---- opening ---- */

static bool is_meta(const uint8_t *meta)
{
	uint32_t bytes = load32(meta + META_TREES);
	return load32(meta + PAGE_HEADER) == META_MAGIC && load16(meta + 10) & PAGE_META && bytes >= PAGE_BYTES_LEAST &&
	       bytes <= PAGE_BYTES_MOST && !(bytes & (bytes - 1));
}

static void take_meta(struct image *image, const uint8_t *meta)
{
	image->transaction = load64(meta + META_TRANSACTION);
	image->last_page = load64(meta + META_LAST);
	image->page_bytes = load32(meta + META_TREES);
	image->depth = load16(meta + META_TREE + TREE_DEPTH);
	image->root = load64(meta + META_TREE + TREE_ROOT);
	/* What the file does not have cannot be read, whatever the meta page says. */
	uint64_t pages = image->file_bytes / image->page_bytes;
	if (image->last_page >= pages)
		image->last_page = pages ? pages - 1 : 0;
}

/* The meta pages that make sense, as far as that can be told of each alone: at most two. */
static int read_metas(struct image *image, uint8_t metas[2][META_END], int *count)
{
	*count = 0;
	int64_t got = image_read(image, 0, metas[0], META_END);
	if (got < 0)
		return (int)got;
	bool first = got == META_END && is_meta(metas[0]);
	/* The second stands a page behind; where the first is damaged, try the sizes that pages have. */
	uint64_t least = first ? load32(metas[0] + META_TREES) : PAGE_BYTES_LEAST;
	uint64_t most = first ? least : PAGE_BYTES_MOST;
	*count = first;
	for (uint64_t at = least; at <= most; at *= 2) {
		got = image_read(image, at, metas[*count], META_END);
		if (got < 0)
			return (int)got;
		if (got == META_END && is_meta(metas[*count]) && load64(metas[*count]) == 1 &&
		    load32(metas[*count] + META_TREES) == at) {
			++*count;
			break;
		}
	}
	return 0;
}

static int read_newest_meta(struct image *image, trawl_error *error)
{
	uint8_t metas[2][META_END];
	struct stat status;
	int count, failed;
	if (fstat(image->file, &status) != 0)
		return error_set_system(error, errno, "%s", image->path);
	image->file_bytes = (uint64_t)status.st_size;
	failed = read_metas(image, metas, &count);
	if (failed)
		return error_set_system(error, -failed, "reading %s", image->path);
	if (!count)
		return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", image->path);
	int newest = count == 2 && load64(metas[1] + META_TRANSACTION) > load64(metas[0] + META_TRANSACTION);
	take_meta(image, metas[newest]);
	return 0;
}

bool image_choose(struct image *image, uint64_t transaction)
{
	uint8_t metas[2][META_END];
	int count;
	struct stat status;
	if (fstat(image->file, &status) == 0)
		image->file_bytes = (uint64_t)status.st_size;
	if (read_metas(image, metas, &count))
		return false;
	for (int i = 0; i < count; i++)
		if (load64(metas[i] + META_TRANSACTION) == transaction) {
			take_meta(image, metas[i]);
			return true;
		}
	return false;
}

void image_assume(struct image *image)
{
	image->page_bytes = 4096;
	image->last_page = image->file_bytes / image->page_bytes;
	image->last_page -= image->last_page > 0;
	image->root = UINT64_MAX;
	image->depth = 0;
}

int image_open(struct image *image, const char *path, trawl_error *error)
{
	struct stat status;
	*image = (struct image){.file = -1, .path = path};
	image->file = file_open(path, O_RDONLY | O_NONBLOCK, 0);
	if (image->file < 0 && errno == ENOENT)
		return error_set(error, TRAWL_ENOTFOUND, "no such index: %s", path);
	if (image->file < 0 || fstat(image->file, &status) != 0)
		return error_set_system(error, errno, "%s", path);
	if (!S_ISREG(status.st_mode) || !status.st_size)
		return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index (%s)", path,
		                 S_ISREG(status.st_mode) ? "an empty file" : "not a regular file");
	image->value = memory_new(VALUE_BYTES_MOST + 8);
	return image->value ? read_newest_meta(image, error) : error_set_memory(error);
}

int image_follow(struct image *image, trawl_error *error)
{
	struct stat status;
	if (fstat(image->file, &status) == 0 && leads_to(image->path, &status) == 0) {
		int file = file_open(image->path, O_RDONLY | O_NONBLOCK, 0);
		if (file >= 0) {
			close(image->file);
			image->file = file;
		}
	}
	return read_newest_meta(image, error);
}

void image_close(struct image *image)
{
	if (image->file >= 0)
		close(image->file);
	memory_free(image->places);
	memory_free(image->value);
	*image = (struct image){.file = -1};
}

/* ---- places ---- */

int extent_place_compare(const struct extent_place *left, const struct extent_place *right)
{
	if (left->segment != right->segment)
		return left->segment < right->segment ? -1 : 1;
	if (left->part != right->part)
		return left->part < right->part ? -1 : 1;
	if (left->extent != right->extent)
		return left->extent < right->extent ? -1 : 1;
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct extent_place *left = a, *right = b;
	int order = extent_place_compare(left, right);
	if (order)
		return order;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static int add_place(struct image *image, const struct extent_place *place, trawl_error *error)
{
	if (!memory_reserve(&image->places, &image->place_capacity, image->place_count + 1, sizeof *image->places))
		return error_set_memory(error);
	image->places[image->place_count++] = *place;
	return 0;
}

static void sort_places(struct image *image)
{
	if (image->place_count)
		qsort(image->places, image->place_count, sizeof *image->places, compare_places);
}

/* The first place not before this key. */
static size_t lower_bound(const struct image *image, uint32_t segment, uint32_t part, uint32_t extent)
{
	const struct extent_place wanted = {.segment = segment, .part = part, .extent = extent};
	size_t low = 0, high = image->place_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_places(&image->places[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct extent_place *image_find(const struct image *image, uint32_t segment, uint32_t part, uint32_t extent)
{
	size_t at = lower_bound(image, segment, part, extent);
	if (at == image->place_count)
		return NULL;
	struct extent_place *place = &image->places[at];
	return place->segment == segment && place->part == part && place->extent == extent ? place : NULL;
}

struct extent_place *image_part(const struct image *image, uint32_t segment, uint32_t part, size_t *count)
{
	size_t first = lower_bound(image, segment, part, 0), end = first;
	while (end < image->place_count && image->places[end].segment == segment && image->places[end].part == part)
		end++;
	*count = end - first;
	return *count ? &image->places[first] : NULL;
}

/* ---- the tree ---- */

struct tree_walk {
	struct image *image;
	uint8_t *pages; /* one for each level */
	uint8_t *met;   /* a bit a page */
	trawl_error *error;
};

static uint64_t value_end(const struct image *image)
{
	return (image->last_page + 1) * image->page_bytes;
}

static int take_leaf_node(struct tree_walk *walk, uint64_t page, size_t offset, const uint8_t *node, size_t room)
{
	struct image *image = walk->image;
	uint64_t bytes = load16(node) | (uint64_t)load16(node + 2) << 16;
	bool big = load16(node + 4) & NODE_BIG;
	if (load16(node + 6) != KEY_BYTES || room < NODE_HEADER + KEY_BYTES + (big ? 8 : bytes) ||
	    bytes < VALUE_BYTES_LEAST || bytes > VALUE_BYTES_MOST) {
		image->untold++;
		return 0;
	}
	const uint8_t *key = node + NODE_HEADER;
	struct extent_place place = {.segment = __builtin_bswap32(load32(key)),
	                             .part = __builtin_bswap32(load32(key + 4)),
	                             .extent = __builtin_bswap32(load32(key + 8)),
	                             .bytes = (uint32_t)bytes,
	                             .offset = page * image->page_bytes + offset + NODE_HEADER + KEY_BYTES};
	if (big) {
		uint64_t number = load64(key + KEY_BYTES);
		if (number < 2 || number > image->last_page ||
		    bytes + PAGE_HEADER > value_end(image) - number * image->page_bytes) {
			image->untold++;
			return 0;
		}
		place.offset = number * image->page_bytes + PAGE_HEADER;
	}
	return add_place(image, &place, walk->error);
}

/* Depth falls with each level and a page is met once: the walk ends whatever the pages say. */
static int walk_page(struct tree_walk *walk, uint64_t number, unsigned depth)
{
	struct image *image = walk->image;
	uint8_t *page = walk->pages + (size_t)(depth - 1) * image->page_bytes;
	size_t end = image->page_bytes;
	if (number < 2 || number > image->last_page || walk->met[number / 8] >> (number % 8) & 1) {
		image->untold++;
		return 0;
	}
	walk->met[number / 8] |= (uint8_t)(1u << (number % 8));
	int64_t got = image_read(image, number * end, page, end);
	if (got != (int64_t)end || load64(page) != number ||
	    load16(page + 10) != (depth > 1 ? PAGE_BRANCH : PAGE_LEAF) || load16(page + 12) < PAGE_HEADER ||
	    load16(page + 12) > end) {
		image->untold++;
		return 0;
	}
	for (size_t at = PAGE_HEADER; at + 2 <= load16(page + 12); at += 2) {
		size_t offset = load16(page + at);
		if (offset < PAGE_HEADER || offset > end - NODE_HEADER) {
			image->untold++;
			continue;
		}
		const uint8_t *node = page + offset;
		int code =
		    depth == 1
		        ? take_leaf_node(walk, number, offset, node, end - offset)
		        : walk_page(walk,
		                    load16(node) | (uint64_t)load16(node + 2) << 16 | (uint64_t)load16(node + 4) << 32,
		                    depth - 1);
		if (code)
			return code;
	}
	return 0;
}

int image_walk(struct image *image, trawl_error *error)
{
	struct tree_walk walk = {.image = image, .error = error};
	image->place_count = 0;
	image->untold = 0;
	if (image->root == UINT64_MAX)
		return 0;
	if (image->depth < 1 || image->depth > DEPTH_MAX) {
		image->untold++;
		return 0;
	}
	walk.pages = memory_new(image->depth * image->page_bytes);
	walk.met = memory_new_zeroed(image->last_page / 8 + 1, 1);
	int code = walk.pages && walk.met ? walk_page(&walk, image->root, image->depth) : error_set_memory(error);
	memory_free(walk.pages);
	memory_free(walk.met);
	sort_places(image);
	/* One key twice: neither can be told to be the one. */
	size_t kept = 0;
	for (size_t i = 0; i < image->place_count; i++) {
		struct extent_place *place = &image->places[i], *last = kept ? &image->places[kept - 1] : NULL;
		if (last && last->segment == place->segment && last->part == place->part &&
		    last->extent == place->extent)
			image->untold++;
		else
			image->places[kept++] = *place;
	}
	image->place_count = kept;
	return code;
}

/* ---- values ---- */

const char image_other_format[] = "of another format";

/* Header and checksum of a value of `bytes` bytes. */
static const char *verify_value(const uint8_t *value, uint64_t bytes)
{
	if (load32(value) != EXTENT_MAGIC)
		return "not an extent";
	uint32_t length = load32(value + 16);
	if (length != bytes - VALUE_BYTES_LEAST)
		return "its header tells another length";
	if (load64(value + 24) != XXH3_64bits_withSeed(value + EXTENT_HEADER, length, XXH3_64bits(value, 24)))
		return load16(value + 4) > FORMAT_VERSION ? "of a newer format" : "its checksum does not match";
	return load16(value + 4) == FORMAT_VERSION ? NULL : image_other_format;
}

const char *image_verify(struct image *image, struct extent_place *place, uint8_t *into)
{
	uint8_t *value = into ? into : image->value;
	int64_t got = image_read(image, place->offset, value, place->bytes);
	const char *wrong = NULL;
	image->bytes_read += place->bytes;
	place->damaged = true;
	if (got != place->bytes)
		return got < 0 ? "it cannot be read" : "it is cut off";
	wrong = verify_value(value, place->bytes);
	if (!wrong && (load16(value + 6) != place->part || load32(value + 8) != place->segment ||
	               load32(value + 12) != place->extent))
		wrong = "its header is another's";
	place->damaged = wrong != NULL;
	place->verified = !wrong;
	return wrong;
}

bool part_stream_open(struct part_stream *stream, struct image *image, uint32_t segment, uint32_t part, uint64_t bytes)
{
	*stream = (struct part_stream){
	    .image = image, .segment = segment, .part = part, .bytes = bytes, .loaded = UINT32_MAX};
	stream->value = memory_new(VALUE_BYTES_MOST + 8);
	return stream->value;
}

void part_stream_release(struct part_stream *stream)
{
	memory_free(stream->value);
	memory_free(stream->gathered);
	*stream = (struct part_stream){0};
}

const uint8_t *part_stream_at(struct part_stream *stream, uint64_t address, uint64_t *left)
{
	if (address >= stream->bytes)
		return NULL;
	uint64_t extent = address / EXTENT_PAYLOAD, start = extent * EXTENT_PAYLOAD, rest = stream->bytes - start;
	uint64_t length = rest < EXTENT_PAYLOAD ? rest : EXTENT_PAYLOAD;
	if (extent != stream->loaded) {
		struct extent_place *place =
		    extent < UINT32_MAX ? image_find(stream->image, stream->segment, stream->part, (uint32_t)extent)
		                        : NULL;
		stream->loaded = UINT32_MAX;
		if (!place || place->damaged || place->bytes != length + VALUE_BYTES_LEAST ||
		    image_verify(stream->image, place, stream->value))
			return NULL;
		stream->loaded = (uint32_t)extent;
	}
	*left = length - (address - start);
	return stream->value + EXTENT_HEADER + (address - start);
}

const uint8_t *part_stream_read(struct part_stream *stream, uint64_t address, uint64_t length, bool *no_memory)
{
	uint64_t left = 0;
	if (address > stream->bytes || length > stream->bytes - address)
		return NULL;
	if (!length)
		return stream->value;
	const uint8_t *bytes = part_stream_at(stream, address, &left);
	if (!bytes || left >= length)
		return bytes;
	if (!memory_reserve(&stream->gathered, &stream->gathered_capacity, length + 8, 1)) {
		*no_memory = true;
		return NULL;
	}
	for (uint64_t done = 0; done < length;) {
		uint64_t piece = left < length - done ? left : length - done;
		memcpy(stream->gathered + done, bytes, piece);
		done += piece;
		if (done < length && !(bytes = part_stream_at(stream, address + done, &left)))
			return NULL;
	}
	memset(stream->gathered + length, 0, 8);
	return stream->gathered;
}
