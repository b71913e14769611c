/*
 * list_check.c - posting lists and positions, decoded by the letter of docs/FORMAT.md.
 *
 * Nothing here is shared with the encoder or the searcher, and nothing is fast where plain would do: one posting at a time.
 * Bounds are compared in double precision, with a slack for what they were computed in.
 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "checker/subject.h"

#define SLACK 2e-6 /* of single precision, relative */

enum { RUN_MOST = 128, GROUP_BLOCKS = 16, SUPERBLOCK = 1024, GROUP_BYTES = 28, HEAD_BYTES = 48 };

struct postings_run {
	uint32_t count;
	uint32_t docs[SUPERBLOCK], tfs[SUPERBLOCK];
};

bool list_checker_open(struct list_checker *checker, struct subject *subject, uint32_t postings_part,
                       uint32_t positions_part, bool with_positions)
{
	*checker = (struct list_checker){.subject = subject, .with_positions = with_positions};
	return part_stream_open(&checker->postings, subject->image, subject->number, postings_part,
	                        subject->bytes[postings_part]) &&
	       (!with_positions || part_stream_open(&checker->positions, subject->image, subject->number,
	                                            positions_part, subject->bytes[positions_part]));
}

void list_checker_release(struct list_checker *checker)
{
	part_stream_release(&checker->postings);
	part_stream_release(&checker->positions);
	memory_free(checker->decoded);
	checker->decoded = NULL;
}

static bool wrong(struct list_checker *checker, const struct part_stream *stream, uint64_t address, const char *what)
{
	report_damage(checker->subject->report, checker->subject->number, part_name(stream->part), address, "%s: %s",
	              checker->name, what);
	return false;
}

static bool wrong_of(struct list_checker *checker, const struct part_stream *stream, uint64_t address, uint32_t doc,
                     const char *what)
{
	report_damage(checker->subject->report, checker->subject->number, part_name(stream->part), address,
	              "%s, document %u: %s", checker->name, doc, what);
	return false;
}

/* An extent that cannot be read was reported when the extents were; its lists cannot be examined. */
static bool unread(struct list_checker *checker)
{
	checker->subject->lists_unread = true;
	return false;
}

static double saturation_of(const struct subject *subject, uint32_t doc, uint32_t tf)
{
	return tf / (tf + subject->denominators[subject->lengths[doc]]);
}

/* ---- positions ---- */

static bool bit_at(const uint8_t *bytes, uint64_t bit)
{
	return bytes[bit / 8] >> (bit % 8) & 1;
}

static uint64_t bits_at(const uint8_t *bytes, uint64_t first, uint32_t n)
{
	uint64_t value = 0;
	for (uint32_t i = 0; i < n; i++)
		value |= (uint64_t)bit_at(bytes, first + i) << i;
	return value;
}

/* How the positions of a posting are laid out. */
struct layout {
	bool gaps;
	uint32_t low; /* bits of a gap or of a low part */
	uint64_t highest, bits;
};

static struct layout layout_of(uint32_t tf, uint64_t longest)
{
	uint64_t last = longest ? longest - 1 : 0;
	struct layout layout = {.gaps = tf < 8};
	if (layout.gaps) {
		while ((uint64_t)2 << layout.low <= last)
			layout.low++;
		layout.bits = (uint64_t)tf * layout.low + 1;
		return layout;
	}
	while ((uint64_t)tf << (layout.low + 1) <= last)
		layout.low++;
	layout.highest = last >> layout.low;
	layout.bits = (uint64_t)tf * layout.low + tf + layout.highest;
	return layout;
}

static bool wrong_positions(struct list_checker *checker, uint32_t doc, const char *what)
{
	return wrong_of(checker, &checker->positions, checker->position_address / 8, doc, what);
}

/* Up to 7 positions on a circle: the first, and the gaps to the next ones. */
static bool decode_gaps(struct list_checker *checker, uint32_t doc, uint32_t tf, const uint8_t *bytes, uint64_t at,
                        const struct layout *layout)
{
	uint64_t circle = (uint64_t)2 << layout->low, round = 0, widest = 0;
	uint32_t *positions = checker->decoded;
	positions[0] = (uint32_t)bits_at(bytes, at, layout->low + 1);
	at += layout->low + 1;
	for (uint32_t i = 1; i < tf; i++, at += layout->low) {
		uint64_t gap = bits_at(bytes, at, layout->low) + 1;
		widest = gap > widest ? gap : widest;
		round += gap;
		positions[i] = (uint32_t)((positions[0] + round) % circle);
	}
	if (round >= circle || widest > circle - round)
		return wrong_positions(checker, doc,
		                       "positions that go round more than once, or begin at the wrong one");
	for (uint32_t i = 1; i < tf; i++) /* insertion sort */
		for (uint32_t k = i; k && positions[k] < positions[k - 1]; k--) {
			uint32_t position = positions[k];
			positions[k] = positions[k - 1];
			positions[k - 1] = position;
		}
	return true;
}

static bool decode_elias_fano(struct list_checker *checker, uint32_t doc, uint32_t tf, const uint8_t *bytes,
                              uint64_t first, const struct layout *layout)
{
	uint64_t at = first + (uint64_t)tf * layout->low, end = first + layout->bits, high = 0;
	for (uint32_t i = 0; i < tf; i++) {
		for (; at < end && !bit_at(bytes, at); at++)
			high++;
		if (at++ >= end)
			return wrong_positions(checker, doc, "fewer positions than its tf");
		checker->decoded[i] =
		    (uint32_t)(high << layout->low | bits_at(bytes, first + (uint64_t)i * layout->low, layout->low));
	}
	for (; at < end; at++)
		if (bit_at(bytes, at))
			return wrong_positions(checker, doc, "more positions than its tf");
	return true;
}

/* The positions of the list's next posting, which must ascend and lie below the document's span. */
static bool check_positions(struct list_checker *checker, uint32_t doc, uint32_t tf)
{
	const struct subject *subject = checker->subject;
	uint64_t longest =
	    plain_longest(subject->last_positions ? subject->last_positions[doc] : subject->lengths[doc]);
	uint64_t at = checker->position_address;
	struct layout layout = layout_of(tf, longest);
	bool no_memory = false;
	if (layout.bits > checker->position_end - at)
		return wrong_positions(checker, doc, "its positions reach past the list's");
	/* A length of the list's is backed by extents that exist, so this is no way to make us allocate. */
	const uint8_t *bytes =
	    part_stream_read(&checker->positions, at / 8, (at % 8 + layout.bits + 7) / 8, &no_memory);
	if (!bytes && !no_memory)
		return unread(checker);
	if (!bytes || !memory_reserve(&checker->decoded, &checker->decoded_capacity, tf, sizeof *checker->decoded)) {
		checker->subject->no_memory = true;
		return false;
	}
	if (!(layout.gaps ? decode_gaps(checker, doc, tf, bytes, at % 8, &layout)
	                  : decode_elias_fano(checker, doc, tf, bytes, at % 8, &layout)))
		return false;
	for (uint32_t i = 1; i < tf; i++)
		if (checker->decoded[i] <= checker->decoded[i - 1])
			return wrong_positions(checker, doc, "positions that do not ascend");
	if (checker->decoded[tf - 1] >= longest)
		return wrong_positions(checker, doc, "a position past the document's end");
	checker->position_address = at + layout.bits;
	return true;
}

/* ---- a posting of any list ---- */

/* Whether positions can be examined: without last positions nobody knows how they are laid out. */
static bool are_placed(const struct list_checker *checker)
{
	const struct subject *subject = checker->subject;
	return checker->with_positions && subject->lengths &&
	       (subject->last_positions || !subject->bytes[PART_LAST_POSITIONS]);
}

static bool check_posting(struct list_checker *checker, uint64_t address, uint32_t doc, uint32_t tf)
{
	struct subject *subject = checker->subject;
	if (doc >= subject->documents)
		return wrong_of(checker, &checker->postings, address, doc, "a docID past the end");
	if (doc < checker->next_doc)
		return wrong_of(checker, &checker->postings, address, doc, "docIDs that do not ascend");
	if (!tf)
		return wrong_of(checker, &checker->postings, address, doc, "a tf of 0");
	if (subject->lengths && tf > plain_longest(subject->lengths[doc]))
		return wrong_of(checker, &checker->postings, address, doc, "a tf above the document's length");
	checker->next_doc = doc + 1;
	checker->seen++;
	checker->deleted += subject_is_deleted(subject, doc);
	return true;
}

static bool take_posting(struct list_checker *checker, uint64_t address, uint32_t doc, uint32_t tf)
{
	bool placed = are_placed(checker);
	if (!check_posting(checker, address, doc, tf) || (placed && !check_positions(checker, doc, tf)))
		return false;
	checker->posting(checker->context, doc, tf, placed ? checker->decoded : NULL);
	return true;
}

/* ---- sparse lists ---- */

/* A block of a sparse list: the bits that follow its widths. */
struct bit_reader {
	const uint8_t *bytes;
	uint64_t at, limit;
};

/* An integer run: the low parts, then the rest of each in unary. */
static bool read_run(struct bit_reader *bits, uint32_t n, uint32_t width, uint64_t values[RUN_MOST])
{
	if (width > 31 || (uint64_t)n * width > bits->limit - bits->at)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		values[i] = 0;
		for (uint32_t b = 0; b < width; b++)
			values[i] |= (uint64_t)bit_at(bits->bytes, bits->at++) << b;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t rest = 0;
		for (; bits->at < bits->limit && !bit_at(bits->bytes, bits->at); bits->at++)
			rest++;
		if (bits->at++ >= bits->limit || rest > UINT32_MAX >> width)
			return false;
		values[i] |= rest << width;
	}
	return true;
}

static bool read_block(const uint8_t **at, const uint8_t *end, uint32_t n, uint64_t differences[RUN_MOST],
                       uint64_t frequencies[RUN_MOST])
{
	if (*at == end)
		return false;
	uint32_t width = **at & 31, tf_width = **at >> 5;
	++*at;
	if (tf_width == 7) {
		if (*at == end || **at < 7)
			return false;
		tf_width = *(*at)++;
	}
	struct bit_reader bits = {*at, 0, (uint64_t)(end - *at) * 8};
	if (!read_run(&bits, n, width, differences) || !read_run(&bits, n, tf_width, frequencies))
		return false;
	for (; bits.at % 8; bits.at++)
		if (bit_at(bits.bytes, bits.at))
			return false;
	*at += bits.at / 8;
	return true;
}

static bool check_sparse(struct list_checker *checker, const struct list_place_told *place)
{
	uint64_t left, differences[RUN_MOST], frequencies[RUN_MOST], next = 0;
	uint64_t offset = 0;
	const uint8_t *bytes = part_stream_at(&checker->postings, place->postings, &left);
	if (!bytes)
		return unread(checker);
	if (place->postings_bytes > left)
		return wrong(checker, &checker->postings, place->postings, "a sparse list that crosses an extent");
	const uint8_t *at = bytes, *end = bytes + place->postings_bytes;
	for (uint32_t start = 0; start < checker->df; start += RUN_MOST) {
		uint32_t n = checker->df - start < RUN_MOST ? checker->df - start : RUN_MOST;
		offset = (uint64_t)(at - bytes);
		if (!read_block(&at, end, n, differences, frequencies))
			return wrong(checker, &checker->postings, place->postings + offset,
			             "a block that is malformed");
		for (uint32_t i = 0; i < n; i++) {
			next += differences[i];
			if (next > UINT32_MAX || frequencies[i] >= UINT32_MAX)
				return wrong(checker, &checker->postings, place->postings + offset,
				             "a number past 32 bits");
			if (!take_posting(checker, place->postings + offset, (uint32_t)next,
			                  (uint32_t)frequencies[i] + 1))
				return false;
			next++;
		}
	}
	return at == end ? true
	                 : wrong(checker, &checker->postings, place->postings + (uint64_t)(at - bytes),
	                         "bytes behind its last posting");
}

/* ---- dense lists ---- */

/* A dense list's head, copied: the stream moves on to its chunks. */
struct head {
	double maximum, floors[3], best;
	uint8_t codebook[16];
	uint32_t groups, shift, offset_bytes, exception_bits;
	uint8_t *directory;  /* bounds, then groups */
	uint64_t above[3];   /* postings whose saturation reaches the seed */
	uint64_t head_bytes; /* in all */
};

static float load_float(const uint8_t *at)
{
	float value;
	memcpy(&value, at, 4);
	return value;
}

static bool bad_head(struct list_checker *checker, uint64_t address, const char *what)
{
	return wrong(checker, &checker->postings, address, what);
}

static bool read_head(struct list_checker *checker, const struct list_place_told *place, struct head *head)
{
	static const uint32_t ranks[3] = {10, 100, 1000};
	uint64_t left, address = place->postings;
	head->groups = (checker->subject->documents + SUPERBLOCK * GROUP_BLOCKS - 1) / (SUPERBLOCK * GROUP_BLOCKS);
	head->head_bytes = HEAD_BYTES + (uint64_t)head->groups * (GROUP_BLOCKS + GROUP_BYTES);
	const uint8_t *bytes = part_stream_at(&checker->postings, address, &left);
	if (!bytes)
		return unread(checker);
	if (head->head_bytes > left || head->head_bytes > place->postings_bytes)
		return bad_head(checker, address, "a head that crosses an extent or the list's end");
	if (load32(bytes) != checker->df)
		return bad_head(checker, address, "another df than the dictionary's");
	if (load32(bytes + 40) != head->groups || load32(bytes + 44) || bytes[39])
		return bad_head(checker, address + 40, "another number of groups than its documents take");
	head->maximum = load_float(bytes + 4);
	if (!(head->maximum > 0) || !(head->maximum <= 1))
		return bad_head(checker, address + 4, "a greatest saturation that is none");
	for (int i = 0; i < 3; i++) {
		head->floors[i] = load_float(bytes + 8 + 4 * i);
		if (!(head->floors[i] >= 0) || !(head->floors[i] <= head->maximum * (1 + SLACK)) ||
		    (checker->df < ranks[i] && head->floors[i] > 0))
			return bad_head(checker, address + 8, "floors of the best that make no sense");
	}
	memcpy(head->codebook, bytes + 20, 16);
	for (int i = 1; i < 16; i++)
		if (head->codebook[i] < head->codebook[i - 1])
			return bad_head(checker, address + 20, "a codebook that does not ascend");
	if (head->codebook[15] != 255)
		return bad_head(checker, address + 20, "a codebook that does not end with 255");
	head->shift = bytes[36];
	head->offset_bytes = bytes[37];
	head->exception_bits = bytes[38];
	if (head->shift > 15 || (head->exception_bits != 4 && head->exception_bits != 8) ||
	    (checker->with_positions ? head->offset_bytes != 2 && head->offset_bytes != 4 : head->offset_bytes != 0))
		return bad_head(checker, address + 36, "widths that make no sense");
	head->directory = memory_new((size_t)head->groups * (GROUP_BLOCKS + GROUP_BYTES));
	if (!head->directory) {
		checker->subject->no_memory = true;
		return false;
	}
	memcpy(head->directory, bytes + HEAD_BYTES, (size_t)head->groups * (GROUP_BLOCKS + GROUP_BYTES));
	return true;
}

/* A chunk being read. */
struct chunk_reader {
	const uint8_t *at, *end;
	uint64_t address; /* of the chunk, for messages */
};

static bool bad_chunk(struct list_checker *checker, const struct chunk_reader *reader, const char *what)
{
	return wrong(checker, &checker->postings, reader->address, what);
}

/* The tf of each posting marked with the code 3, by the exceptions: byte-form ones first, then those of bitmaps. */
static bool read_exceptions(struct list_checker *checker, struct chunk_reader *reader, uint32_t *tfs,
                            const uint32_t *order, uint32_t count, uint32_t bits)
{
	uint32_t exceptions = 0, most = (1u << bits) - 1, next = 0;
	const uint8_t *values = reader->at;
	for (uint32_t i = 0; i < count; i++)
		exceptions += tfs[order[i]] == 4;
	uint64_t bytes = ((uint64_t)exceptions * bits + 7) / 8;
	if (bytes > (uint64_t)(reader->end - reader->at))
		return bad_chunk(checker, reader, "exceptions that are cut off");
	for (uint64_t unused = (uint64_t)exceptions * bits; unused < bytes * 8; unused++)
		if (bit_at(values, unused))
			return bad_chunk(checker, reader, "bits behind its last exception");
	reader->at += bytes;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t *tf = &tfs[order[i]];
		if (*tf != 4)
			continue;
		uint32_t value = 0;
		for (uint32_t b = 0; b < bits; b++, next++)
			value |= (uint32_t)bit_at(values, next) << b;
		*tf = value + 4;
		if (value < most)
			continue;
		if (reader->end - reader->at < 4)
			return bad_chunk(checker, reader, "exceptions that are cut off");
		*tf = load32(reader->at);
		reader->at += 4;
		if (*tf < 4 + most)
			return bad_chunk(checker, reader, "a large tf that is none");
	}
	return true;
}

/* Parse items 2 to 8 of a chunk: documents of the superblock and tfs, ascending, and the header byte of each one's block. */
static bool read_chunk(struct list_checker *checker, struct chunk_reader *reader, const struct head *head,
                       uint32_t superblock, struct postings_run *run, uint8_t *headers_of)
{
	uint32_t order[SUPERBLOCK], order_count = 0, bitmap_docs = 0;
	if (reader->end - reader->at < 2)
		return bad_chunk(checker, reader, "a chunk that is cut off");
	uint32_t mask = load16(reader->at), blocks = (uint32_t)__builtin_popcount(mask), bytes = 0, bitmaps = 0;
	const uint8_t *headers = reader->at + 2;
	if (reader->end - headers < blocks)
		return bad_chunk(checker, reader, "a chunk that is cut off");
	for (uint32_t r = 0; r < blocks; r++) {
		bitmaps += (headers[r] & 15) == 15;
		bytes += (headers[r] & 15) == 15 ? 0 : (headers[r] & 15u) + 1;
	}
	const uint8_t *bitmap = headers + blocks;
	if ((uint64_t)(reader->end - bitmap) < 8 * (uint64_t)bitmaps + bytes)
		return bad_chunk(checker, reader, "a chunk that is cut off");
	const uint8_t *byte = bitmap + 8 * bitmaps;
	for (uint32_t i = 0; i < bitmaps; i++)
		bitmap_docs += (uint32_t)__builtin_popcountll(load64(bitmap + 8 * i));
	const uint8_t *codes = byte + bytes;
	uint32_t code_bytes = (bitmap_docs + 3) / 4, code = 0;
	if (reader->end - codes < code_bytes)
		return bad_chunk(checker, reader, "a chunk that is cut off");
	reader->at = codes + code_bytes;
	run->count = 0;
	uint32_t bitmap_order[SUPERBLOCK], bitmap_order_count = 0;
	for (uint32_t block = 0; block < GROUP_BLOCKS; block++) {
		if (!(mask >> block & 1))
			continue;
		uint32_t base = superblock * SUPERBLOCK + block * 64, n = (*headers & 15u) + 1;
		for (uint32_t offset = 0; n == 16 && offset < 64; offset++) {
			if (!bit_at(bitmap, offset))
				continue;
			bitmap_order[bitmap_order_count++] = run->count;
			headers_of[run->count] = *headers;
			run->docs[run->count] = base + offset;
			run->tfs[run->count++] = (codes[code / 4] >> (code % 4 * 2) & 3u) + 1;
			code++;
		}
		if (n == 16 && !load64(bitmap))
			return bad_chunk(checker, reader, "a block without postings");
		bitmap += n == 16 ? 8 : 0;
		for (uint32_t i = 0; n < 16 && i < n; i++, byte++) {
			if (i && (byte[0] & 63) <= (byte[-1] & 63))
				return bad_chunk(checker, reader, "postings of a block that do not ascend");
			order[order_count++] = run->count;
			headers_of[run->count] = *headers;
			run->docs[run->count] = base + (*byte & 63u);
			run->tfs[run->count++] = (*byte >> 6) + 1u;
		}
		headers++;
	}
	for (uint32_t unused = bitmap_docs * 2; unused < code_bytes * 8; unused++)
		if (bit_at(codes, unused))
			return bad_chunk(checker, reader, "codes behind the last posting");
	memcpy(order + order_count, bitmap_order, bitmap_order_count * sizeof *order);
	if (!read_exceptions(checker, reader, run->tfs, order, run->count, head->exception_bits))
		return false;
	if ((uint64_t)(reader->end - reader->at) >= (uint64_t)1 << head->shift)
		return bad_chunk(checker, reader, "a chunk longer than its postings");
	for (; reader->at < reader->end; reader->at++)
		if (*reader->at)
			return bad_chunk(checker, reader, "bytes behind its last posting");
	return run->count ? true : bad_chunk(checker, reader, "a chunk without postings");
}

/* All bounds hold for the posting. */
static bool check_bounds(struct list_checker *checker, struct head *head, uint64_t address, uint32_t doc, uint32_t tf,
                         uint32_t superblock_bound, uint8_t block_header)
{
	if (!checker->subject->lengths)
		return true;
	double value = saturation_of(checker->subject, doc, tf), least = value * (1 - SLACK);
	if (value > head->best)
		head->best = value;
	for (int i = 0; i < 3; i++)
		head->above[i] += value >= head->floors[i] * (1 - SLACK);
	if (least > head->maximum)
		return wrong_of(checker, &checker->postings, address, doc, "a saturation above the list's greatest");
	if (least > head->maximum * superblock_bound / 255)
		return wrong_of(checker, &checker->postings, address, doc, "a saturation above its superblock's bound");
	if (least > head->maximum * head->codebook[block_header >> 4] / 255)
		return wrong_of(checker, &checker->postings, address, doc, "a saturation above its block's bound");
	return true;
}

static bool check_chunk(struct list_checker *checker, struct head *head, const struct list_place_told *place,
                        uint32_t superblock, const uint8_t *bytes, uint32_t length, uint64_t address,
                        uint64_t *group_positions)
{
	struct postings_run run;
	uint8_t headers[SUPERBLOCK], bound = head->directory[superblock];
	struct chunk_reader reader = {bytes, bytes + length, address};
	bool first_of_group = *group_positions == UINT64_MAX;
	uint64_t told = load64(head->directory + (uint64_t)head->groups * GROUP_BLOCKS +
	                       (uint64_t)(superblock / GROUP_BLOCKS) * GROUP_BYTES + 20),
	         offset = 0, before = checker->position_address - 8 * place->positions;
	if (length < head->offset_bytes)
		return bad_chunk(checker, &reader, "a chunk that is cut off");
	memcpy(&offset, reader.at, head->offset_bytes);
	reader.at += head->offset_bytes;
	if (first_of_group)
		*group_positions = told;
	if (are_placed(checker) && told + offset != before)
		return bad_chunk(checker, &reader, "another place of its positions than those before it take");
	if (first_of_group && offset)
		return bad_chunk(checker, &reader, "a group whose positions do not begin with its first chunk's");
	if (!read_chunk(checker, &reader, head, superblock, &run, headers))
		return false;
	for (uint32_t i = 0; i < run.count; i++)
		if (!take_posting(checker, address, run.docs[i], run.tfs[i]) ||
		    !check_bounds(checker, head, address, run.docs[i], run.tfs[i], bound, headers[i]))
			return false;
	return true;
}

/* The chunks of a group: together whole, one behind the other, where the group before ended or at the next extent. */
static bool check_group(struct list_checker *checker, struct head *head, const struct list_place_told *place,
                        uint32_t group, uint64_t *next)
{
	const uint8_t *entry = head->directory + (uint64_t)head->groups * GROUP_BLOCKS + (uint64_t)group * GROUP_BYTES;
	uint64_t bytes = 0, address = place->postings + load32(entry), left, positions = UINT64_MAX;
	for (uint32_t i = 0; i < GROUP_BLOCKS; i++) {
		uint32_t superblock = group * GROUP_BLOCKS + i;
		if (!entry[4 + i] != !head->directory[superblock])
			return bad_head(checker, place->postings + HEAD_BYTES + superblock,
			                "a superblock with a bound and without a chunk, or the other way");
		bytes += (uint64_t)entry[4 + i] << head->shift;
	}
	if (!bytes)
		return true;
	uint64_t room = EXTENT_PAYLOAD - *next % EXTENT_PAYLOAD, expected = bytes > room ? *next + room : *next;
	if (address != expected)
		return bad_head(checker, place->postings, "a group that does not follow on the one before");
	*next = address + bytes;
	if (*next > place->postings + place->postings_bytes)
		return bad_head(checker, address, "a group past the list's end");
	const uint8_t *at = part_stream_at(&checker->postings, address, &left);
	if (!at)
		return unread(checker);
	if (bytes > left)
		return bad_head(checker, address, "a group that crosses an extent");
	for (uint32_t i = 0; i < GROUP_BLOCKS; i++) {
		uint32_t length = (uint32_t)entry[4 + i] << head->shift;
		if (length &&
		    !check_chunk(checker, head, place, group * GROUP_BLOCKS + i, at, length, address, &positions))
			return false;
		at += length;
		address += length;
	}
	return true;
}

static bool check_floors(struct list_checker *checker, const struct head *head, uint64_t address)
{
	static const uint32_t ranks[3] = {10, 100, 1000};
	if (!checker->subject->lengths)
		return true;
	if (fabs(head->best - head->maximum) > head->maximum * SLACK)
		return bad_head(checker, address + 4, "its greatest saturation is no posting's");
	for (int i = 0; i < 3; i++)
		if (head->floors[i] > 0 && head->above[i] < ranks[i])
			return bad_head(checker, address + 8, "a seed that fewer postings reach than it says");
	return true;
}

static bool check_dense(struct list_checker *checker, const struct list_place_told *place)
{
	struct head head = {0};
	bool sound = read_head(checker, place, &head);
	uint64_t next = place->postings + head.head_bytes;
	for (uint32_t group = 0; sound && group < head.groups; group++)
		sound = check_group(checker, &head, place, group, &next);
	if (sound && next != place->postings + place->postings_bytes)
		sound = wrong(checker, &checker->postings, next, "another length than its groups take");
	if (sound)
		sound = check_floors(checker, &head, place->postings);
	memory_free(head.directory);
	return sound;
}

/* ---- lists ---- */

static void begin_list(struct list_checker *checker, const char *name, uint32_t df, uint64_t positions, uint64_t bytes)
{
	checker->name = name;
	checker->df = df;
	checker->seen = checker->deleted = checker->next_doc = 0;
	checker->position_address = 8 * positions;
	checker->position_end = 8 * (positions + bytes);
}

/* Zeros fill the last byte up. */
static bool end_positions(struct list_checker *checker)
{
	bool no_memory = false;
	uint64_t at = checker->position_address, left = checker->position_end - at;
	if (left >= 8)
		return wrong(checker, &checker->positions, at / 8, "another length of its positions than they take");
	const uint8_t *last = left ? part_stream_read(&checker->positions, at / 8, 1, &no_memory) : NULL;
	if (left && !last && !no_memory)
		return unread(checker);
	if (left && !last) {
		checker->subject->no_memory = true;
		return false;
	}
	if (left && *last >> (at % 8))
		return wrong(checker, &checker->positions, at / 8, "bits behind its last position");
	return true;
}

static bool end_list(struct list_checker *checker, uint64_t address)
{
	if (checker->seen != checker->df)
		return wrong(checker, &checker->postings, address, "not as many postings as its df");
	return !are_placed(checker) || end_positions(checker);
}

bool list_check(struct list_checker *checker, const char *name, uint32_t df, const struct list_place_told *place)
{
	const struct subject *subject = checker->subject;
	uint32_t border = subject->documents / 512;
	border = border < 3072 ? 3072 : border > 16384 ? 16384 : border;
	begin_list(checker, name, df, place->positions, place->positions_bytes);
	if (place->postings > checker->postings.bytes ||
	    place->postings_bytes > checker->postings.bytes - place->postings)
		return wrong(checker, &checker->postings, place->postings, "a list past the end");
	if (checker->with_positions && (place->positions > checker->positions.bytes ||
	                                place->positions_bytes > checker->positions.bytes - place->positions))
		return wrong(checker, &checker->positions, place->positions, "positions past the end");
	bool sound = df >= border ? check_dense(checker, place) : check_sparse(checker, place);
	return sound && end_list(checker, place->postings);
}

bool list_check_single(struct list_checker *checker, const char *name, uint32_t doc, uint32_t tf, uint64_t address,
                       uint64_t bytes)
{
	begin_list(checker, name, 1, address, bytes);
	if (checker->with_positions &&
	    (address > checker->positions.bytes || bytes > checker->positions.bytes - address))
		return wrong(checker, &checker->positions, address, "positions past the end");
	return take_posting(checker, NO_OFFSET, doc, tf) && end_list(checker, NO_OFFSET);
}

bool list_check_inline(struct list_checker *checker, const char *name, uint32_t doc, uint32_t position)
{
	const struct subject *subject = checker->subject;
	begin_list(checker, name, 1, 0, 0);
	if (!check_posting(checker, NO_OFFSET, doc, 1))
		return false;
	bool placed = are_placed(checker);
	if (placed &&
	    position >= plain_longest(subject->last_positions ? subject->last_positions[doc] : subject->lengths[doc]))
		return wrong_of(checker, &checker->postings, NO_OFFSET, doc, "a position past the document's end");
	checker->posting(checker->context, doc, 1, placed ? &position : NULL);
	return true;
}
