/* The dictionary: any bytes as an extent of it are walked and searched or refused; any terms come back with what was said of them. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz_store.h"

#define TERMS_MAX 2000

static void look_up(struct terms *terms, const char *term, size_t length)
{
	struct term_entry entry;
	trawl_error error;
	int found = terms_find(terms, term, length, &entry, &error);
	PROMISE(found == 0 || found == 1 || found == TRAWL_ECORRUPT);
	PROMISE(found != 1 || entry.df > 0);
}

static void arbitrary(struct fuzz_input *input, bool positions)
{
	struct snapshot *snapshot;
	struct terms terms;
	struct terms_cursor cursor = {0};
	trawl_error error;
	uint64_t used;
	const uint8_t first_term[] = {1, 'a'};
	if (!input->left)
		return;
	fuzz_need(snapshot_open(&snapshot, fuzz_store(), &error), &error);
	fuzz_need(terms_open(&terms, snapshot, 9, PART_TERMS, input->left, positions, first_term, 2, &used, &error),
	          &error);
	uint8_t *bytes = fuzz_part(&terms.part, input->at, input->left);
	int got;
	size_t walked = 0;
	while ((got = terms_next(&terms, &cursor, &error)) > 0) {
		PROMISE(cursor.entry.df > 0 && walked++ <= input->left * 300);
		if (walked % 16 == 1)
			look_up(&terms, (const char *)cursor.term, cursor.length);
		if (walked > 5000)
			break;
	}
	PROMISE(got >= 0 || got == TRAWL_ECORRUPT);
	look_up(&terms, "a", 1);
	look_up(&terms, "abc", 3);
	look_up(&terms, "m", 1);
	look_up(&terms, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	terms_release(&terms);
	snapshot_close(snapshot);
	free(bytes);
}

/* ---- round trips ---- */

struct made_term {
	uint8_t bytes[255], length;
	struct term_entry entry;
};

/* The next term in byte order: as the one before up to some byte, which grows. */
static bool next_term(struct made_term *term, const struct made_term *before, struct fuzz_input *input)
{
	uint8_t shape = take8(input);
	size_t kept = before ? shape % (before->length + 1u) : 0, more;
	*term = (struct made_term){0};
	if (before)
		memcpy(term->bytes, before->bytes, kept);
	const uint8_t *bytes = take(input, 1 + (shape >> 5), &more);
	if (!more || kept + more > 255)
		return false;
	memcpy(term->bytes + kept, bytes, more);
	term->length = (uint8_t)(kept + more);
	return !before || bytes_compare(term->bytes, term->length, before->bytes, before->length) > 0;
}

static void make_entry(struct term_entry *entry, struct list_place *at, bool positions, struct fuzz_input *input)
{
	uint8_t shape = take8(input);
	*entry = (struct term_entry){.df = shape & 1 ? 1 : 2u + take16(input)};
	if (shape & 16) { /* a list that does not follow on */
		at->postings += take16(input);
		at->positions += positions ? take16(input) : 0;
	}
	entry->place = *at;
	if (entry->df == 1) {
		entry->doc = take32(input) >> 6;
		entry->position_inline = positions && shape & 2;
		entry->tf = entry->position_inline ? 1 : 1u + take8(input);
		entry->position = entry->position_inline ? take32(input) : 0;
	} else {
		entry->place.postings_bytes = take16(input);
	}
	if (positions && !entry->position_inline)
		entry->place.positions_bytes = take16(input);
	at->postings += entry->place.postings_bytes;
	at->positions += entry->place.positions_bytes;
}

static void check_entry(const struct term_entry *got, const struct term_entry *made, uint64_t number)
{
	PROMISE(got->df == made->df && got->number == number);
	PROMISE(got->position_inline == made->position_inline);
	if (made->df == 1)
		PROMISE(got->doc == made->doc && got->tf == made->tf);
	else
		PROMISE(got->place.postings == made->place.postings &&
		        got->place.postings_bytes == made->place.postings_bytes);
	if (made->position_inline)
		PROMISE(got->position == made->position);
	else
		PROMISE(got->place.positions == made->place.positions &&
		        got->place.positions_bytes == made->place.positions_bytes);
}

static size_t write_terms(struct terms_writer *writer, struct made_term *made, bool positions, struct fuzz_input *input)
{
	struct list_place at = {0};
	trawl_error error;
	size_t n = 0;
	while (n < TERMS_MAX && input->left && next_term(&made[n], n ? &made[n - 1] : NULL, input)) {
		struct made_term *term = &made[n++];
		make_entry(&term->entry, &at, positions, input);
		fuzz_need(terms_writer_add(writer, (char *)term->bytes, term->length, &term->entry, &error), &error);
	}
	fuzz_need(terms_writer_finish(writer, &error), &error);
	return n;
}

static void read_terms(struct terms *terms, const struct made_term *made, size_t n)
{
	struct terms_cursor cursor = {0};
	struct term_entry entry;
	trawl_error error;
	for (size_t i = 0; i < n; i++) {
		PROMISE(terms_next(terms, &cursor, &error) == 1);
		PROMISE(cursor.length == made[i].length && memcmp(cursor.term, made[i].bytes, cursor.length) == 0);
		check_entry(&cursor.entry, &made[i].entry, i);
		PROMISE(terms_find(terms, (const char *)made[i].bytes, made[i].length, &entry, &error) == 1);
		check_entry(&entry, &made[i].entry, i);
	}
	PROMISE(terms_next(terms, &cursor, &error) == 0);
}

static void round_trip(struct fuzz_input *input, bool positions)
{
	static struct made_term made[TERMS_MAX];
	struct store_batch *batch;
	struct terms_writer writer;
	struct snapshot *snapshot;
	struct terms terms;
	uint64_t used;
	trawl_error error;
	fuzz_need(store_batch_new(&batch, fuzz_store(), &error), &error);
	fuzz_need(terms_writer_init(&writer, batch, 1, PART_TERMS, positions, &error), &error);
	size_t n = write_terms(&writer, made, positions, input);
	fuzz_need(store_batch_commit(batch, (const uint8_t *)"", 0, &error), &error);
	fuzz_need(snapshot_open(&snapshot, fuzz_store(), &error), &error);
	fuzz_need(terms_open(&terms, snapshot, 1, PART_TERMS, writer.part.address, positions, writer.first_terms.data,
	                     writer.first_terms.length, &used, &error),
	          &error);
	PROMISE(used == writer.first_terms.length);
	read_terms(&terms, made, n);
	terms_release(&terms);
	snapshot_close(snapshot);
	terms_writer_release(&writer);
	store_batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = take8(&input);
	if (kind & 2)
		round_trip(&input, kind & 1);
	else
		arbitrary(&input, kind & 1);
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	/* One block: number 0, lists at 0, three terms: df 1 with its position, df 1 with more, df 300. */
	static const uint8_t extent[] = {1, 0, 0, 0,   3,    0, 1,  'a', 1,   20, 5, 1, 1, 'b', 1, 25, 7,
	                                 9, 0, 1, 'm', 0xac, 2, 99, 40,  'a', 0,  0, 0, 0, 0,   0, 0,  0};
	static const uint8_t tail[] = {0, 0, 0, 0, 1, 0, 0, 0};
	if (number ==
	    0) /* prefixes are big-endian-valued: the load of a little-endian machine of the bytes turned round */
		return buffer_append(out, extent, 25) && buffer_append(out, "\0\0\0\0\0\0\0a", 8) &&
		       buffer_append(out, tail, sizeof tail);
	if (number > 4)
		return false;
	bool done = buffer_append_byte(out, (uint8_t)(2 + number % 2));
	for (unsigned i = 0; done && i < 60 * number; i++) {
		uint8_t term[] = {
		    0x21, (uint8_t)('a' + i / 26), (uint8_t)('a' + i % 26), (uint8_t)i, (uint8_t)(i * 7), 3, 1, 9, 2,
		    8};
		term[0] = i ? 0x20 : 0x21;
		done = buffer_append(out, term, sizeof term);
	}
	return done;
}
