#include "segment/postings_read.h"

#include "base/error.h"
#include "segment/chunk.h"

static int corrupt_list(const struct segment *segment, const struct term_entry *entry, trawl_error *error)
{
	return part_corrupt(&segment->postings, entry->place.postings, "a posting list that makes no sense", error);
}

/* Where postings go: all to one array, or to a visitor, of each chunk in turn. */
struct destination {
	uint32_t *docs, *tfs;
	postings_visitor *visit; /* NULL: all to one array */
	void *context;
};

/* The postings of one chunk, at most `room`. Their number, or 0: malformed. */
static uint32_t read_chunk(struct chunk *chunk, uint32_t superblock, uint32_t documents, uint32_t room, uint32_t *docs,
                           uint32_t *tfs)
{
	uint32_t count = 0;
	uint32_t rank = 0, block_tfs[BLOCK_DOCUMENTS];
	for (uint32_t left = chunk->block_mask; left; left &= left - 1, rank++) {
		uint64_t mask;
		uint32_t base = superblock * SUPERBLOCK_DOCUMENTS + (uint32_t)__builtin_ctz(left) * BLOCK_DOCUMENTS;
		uint32_t postings = chunk_block(chunk, rank, &mask, block_tfs);
		if (!postings || (uint32_t)__builtin_popcountll(mask) != postings || postings > room - count)
			return 0;
		for (uint32_t i = 0; mask; mask &= mask - 1, i++, count++) {
			docs[count] = base + (uint32_t)__builtin_ctzll(mask);
			tfs[count] = block_tfs[i]; /* NOLINT: as many as the mask has bits */
		}
		if (docs[count - 1] >= documents)
			return 0;
	}
	return count;
}

/* Postings that were decoded: check them, and hand them over. */
static int deliver(const struct segment *segment, const struct term_entry *entry, const struct destination *to,
                   const uint32_t *docs, const uint32_t *tfs, uint32_t count, trawl_error *error)
{
	for (uint32_t i = 0; i < count; i++)
		if (tfs[i] > length_longest(segment->lengths[docs[i]]))
			return corrupt_list(segment, entry, error);
	if (to->visit)
		to->visit(to->context, docs, tfs, count);
	return 0;
}

static int read_dense(struct segment *segment, const struct term_entry *entry, const struct destination *to,
                      trawl_error *error)
{
	struct dense_list list;
	struct chunk chunk;
	uint32_t documents = segment->documents_count, count = 0, length;
	uint64_t left;
	const uint8_t *bytes = part_at(&segment->postings, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	if (!dense_list_open(&list, bytes, left, entry->place.postings, documents) || list.df != entry->df)
		return corrupt_list(segment, entry, error);
	for (uint32_t superblock = 0; superblock < superblock_count(documents); superblock++) {
		uint64_t address = chunk_place(&list, superblock, &length);
		if (!length)
			continue;
		bytes = part_at(&segment->postings, address, &left, error);
		if (!bytes)
			return error_code(error);
		uint32_t *docs = to->docs + (to->visit ? 0 : count), *tfs = to->tfs + (to->visit ? 0 : count), read = 0;
		if (length <= left && chunk_open(&chunk, &list, superblock, bytes, length))
			read = read_chunk(&chunk, superblock, documents, entry->df - count, docs, tfs);
		int code =
		    read ? deliver(segment, entry, to, docs, tfs, read, error) : corrupt_list(segment, entry, error);
		if (code)
			return code;
		count += read;
	}
	return count == entry->df ? 0 : corrupt_list(segment, entry, error);
}

static int read_sparse(struct segment *segment, const struct term_entry *entry, uint32_t *docs, uint32_t *tfs,
                       trawl_error *error)
{
	uint64_t left;
	const uint8_t *bytes = part_at(&segment->postings, entry->place.postings, &left, error);
	if (!bytes)
		return error_code(error);
	if (entry->place.postings_bytes > left ||
	    !sparse_list_decode(bytes, entry->place.postings_bytes, entry->df, segment->documents_count, docs, tfs))
		return corrupt_list(segment, entry, error);
	return 0;
}

int postings_check_df(const struct segment *segment, const struct term_entry *entry, trawl_error *error)
{
	if (entry->df > segment->documents_count)
		return part_corrupt(&segment->terms.part, 0, "more postings than documents", error);
	return 0;
}

static int read_list(struct segment *segment, const struct term_entry *entry, const struct destination *to,
                     trawl_error *error)
{
	int code = postings_check_df(segment, entry, error);
	if (code)
		return code;
	if (entry->df >= dense_list_border(segment->documents_count) && entry->df > 1)
		return read_dense(segment, entry, to, error);
	if (entry->df == 1) {
		if (entry->doc >= segment->documents_count || !entry->tf)
			return part_corrupt(&segment->terms.part, 0, "a docID past the end", error);
		to->docs[0] = entry->doc;
		to->tfs[0] = entry->tf;
	} else {
		code = read_sparse(segment, entry, to->docs, to->tfs, error);
	}
	return code ? code : deliver(segment, entry, to, to->docs, to->tfs, entry->df, error);
}

int postings_read(struct segment *segment, const struct term_entry *entry, uint32_t *docs, uint32_t *tfs,
                  trawl_error *error)
{
	struct destination to = {.docs = docs, .tfs = tfs};
	return read_list(segment, entry, &to, error);
}

uint64_t postings_visit_room(uint32_t documents)
{
	uint32_t border = dense_list_border(documents);
	return postings_read_room(border > SUPERBLOCK_DOCUMENTS ? border : SUPERBLOCK_DOCUMENTS);
}

int postings_visit(struct segment *segment, const struct term_entry *entry, const struct postings_visit *visit,
                   trawl_error *error)
{
	struct destination to = {visit->docs, visit->tfs, visit->visit, visit->context};
	return read_list(segment, entry, &to, error);
}
