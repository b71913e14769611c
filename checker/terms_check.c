/* terms_check.c - the dictionary: order, numbering, addresses that follow on each other; every list it names; the sums. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/memory.h"
#include "checker/subject.h"

enum { NAME_BYTES = 120, INDEX_BYTES = 12 };

/* The dictionary of the terms, or that of the bigrams, which has the same form. */
struct dictionary {
	uint32_t terms_part, postings_part, root_part;
	bool positions, bigrams;
	const uint8_t *root; /* that has the first term of each extent */
	uint64_t first_terms;
};

struct terms_walk {
	struct subject *subject;
	struct dictionary dictionary;
	struct part_stream stream;
	struct list_checker lists;
	/* of the extent under examination */
	const uint8_t *payload;
	uint64_t start, blocks_end;
	/* running over the whole dictionary */
	uint64_t number, postings, positions; /* the next term's number; where the next lists begin */
	bool lost;                            /* an extent could not be read: numbers and addresses begin anew */
	uint8_t term[256];
	uint32_t length;
	/* deletions: the next deleted term */
	const uint8_t *deleted_at, *deleted_end;
	uint64_t deleted_number, deleted_count;
	uint32_t deleted_left;
	bool deleted_sound;
	/* sums */
	uint64_t posting_count, deleted_postings;
	uint64_t told; /* of progress */
	uint64_t term_hash;
	char name[NAME_BYTES + 16];
	void (*name_shown)(struct terms_walk *walk);
};

static bool wrong(struct terms_walk *walk, uint64_t address, const char *what)
{
	report_damage(walk->subject->report, walk->subject->number, part_name(walk->dictionary.terms_part), address,
	              "%s", what);
	return false;
}

/* The positions of a document's tokens are 0 to tokens - 1, each once, unless stop words were dropped: a sum of their hashes
 * tells whether that is so. */
static uint32_t mix(uint32_t position)
{
	uint32_t x = position * 0x9e3779b1u + 0x7f4a7c15u;
	x = (x ^ x >> 15) * 0x85ebca6bu;
	return x ^ x >> 13;
}

static void count_posting(void *context, uint32_t doc, uint32_t tf, const uint32_t *positions)
{
	const struct terms_walk *walk = context;
	struct subject *subject = walk->subject;
	subject->tokens_of[doc] += tf;
	if (subject->text_of && !positions)
		subject->text_of[doc] += tf * text_mix(walk->term_hash, 0);
	for (uint32_t i = 0; subject->text_of && positions && i < tf; i++)
		subject->text_of[doc] += text_mix(walk->term_hash, positions[i]);
	if (!positions)
		return;
	if (positions[tf - 1] >= subject->end_of[doc])
		subject->end_of[doc] = positions[tf - 1] + 1;
	uint32_t sum = 0;
	for (uint32_t i = 0; i < tf; i++)
		sum += mix(positions[i]);
	subject->mixed_of[doc] += sum;
}

static void count_bigram(void *context, uint32_t doc, uint32_t tf, const uint32_t *positions)
{
	struct subject *subject = ((const struct terms_walk *)context)->subject;
	(void)positions;
	subject->mixed_of[doc] += tf;
}

/* ---- deletions by term ---- */

static void next_deleted(struct terms_walk *walk)
{
	uint64_t difference;
	if (!walk->deleted_left) {
		walk->deleted_number = UINT64_MAX;
		return;
	}
	bool first = walk->deleted_number == UINT64_MAX;
	if (!varint_read(&walk->deleted_at, walk->deleted_end, &difference) ||
	    !varint_read(&walk->deleted_at, walk->deleted_end, &walk->deleted_count) || (!first && !difference)) {
		report_damage(walk->subject->report, walk->subject->number, part_name(PART_DELETIONS),
		              (uint64_t)(walk->deleted_at - walk->subject->deletions), "terms that make no sense");
		walk->deleted_sound = false;
		walk->deleted_number = UINT64_MAX;
		return;
	}
	walk->deleted_number = (first ? 0 : walk->deleted_number) + difference;
	walk->deleted_left--;
}

static void begin_deleted(struct terms_walk *walk)
{
	const struct subject *subject = walk->subject;
	walk->deleted_number = UINT64_MAX;
	if (!subject->deleted)
		return;
	walk->deleted_at = subject->deleted + ((uint64_t)subject->documents + 63) / 64 * 8 + 4;
	walk->deleted_end = subject->deletions + subject->bytes[PART_DELETIONS];
	walk->deleted_left = load32(walk->deleted_at - 4);
	walk->deleted_sound = true;
	next_deleted(walk);
}

/* The deleted documents of the term are as many as the deletions say. */
static void check_deleted(struct terms_walk *walk, uint64_t number)
{
	if (!walk->deleted_sound)
		return;
	while (walk->deleted_number < number)
		next_deleted(walk);
	uint64_t told = walk->deleted_number == number ? walk->deleted_count : 0;
	if (told != walk->lists.deleted)
		report_damage(walk->subject->report, walk->subject->number, part_name(PART_DELETIONS), NO_OFFSET,
		              "%s: %llu deleted documents are told, its list has %u", walk->name,
		              (unsigned long long)told, walk->lists.deleted);
}

static void end_deleted(struct terms_walk *walk)
{
	while (walk->deleted_sound && walk->deleted_number < walk->number)
		next_deleted(walk);
	if (!walk->deleted_sound || walk->lost)
		return;
	if (walk->deleted_number != UINT64_MAX || walk->deleted_left || walk->deleted_at != walk->deleted_end)
		report_damage(walk->subject->report, walk->subject->number, part_name(PART_DELETIONS), NO_OFFSET,
		              "terms past the dictionary's end");
}

/* ---- terms ---- */

/* Where the next list stands: behind the last, or (lists are whole) at the next extent. */
static bool follows(uint64_t expected, uint64_t address)
{
	uint64_t next_extent = (expected + EXTENT_PAYLOAD - 1) / EXTENT_PAYLOAD * EXTENT_PAYLOAD;
	return address == expected || address == next_extent;
}

static void show_term(struct terms_walk *walk)
{
	char term[NAME_BYTES];
	snprintf(walk->name, sizeof walk->name, "term \"%s\"", shown(walk->term, walk->length, term, sizeof term));
}

static void show_bigram(struct terms_walk *walk)
{
	snprintf(walk->name, sizeof walk->name, "bigram of terms %u and %u", __builtin_bswap32(load32(walk->term)),
	         __builtin_bswap32(load32(walk->term + 4)));
}

/* The name of a bigram, and whether such a bigram is listed at all. */
static bool check_bigram(struct terms_walk *walk, uint64_t address)
{
	const struct subject *subject = walk->subject;
	if (walk->length != 8)
		return wrong(walk, address, "a bigram's name that is not of 8 bytes");
	uint64_t first = __builtin_bswap32(load32(walk->term)), second = __builtin_bswap32(load32(walk->term + 4));
	if (first >= subject->terms || second >= subject->terms)
		return wrong(walk, address, "a bigram of terms that the dictionary lacks");
	if (subject->lists_unread || first >= subject->df_count || second >= subject->df_count)
		return true;
	uint64_t n = subject->documents;
	if ((uint64_t)subject->dfs[first] * subject->dfs[second] * 256 < n * n)
		return wrong(walk, address, "a bigram too rare to be listed");
	return true;
}

/* Dfs of terms by number, for the rule which bigrams are listed. */
static void note_df(struct terms_walk *walk, uint64_t df)
{
	struct subject *subject = walk->subject;
	if (!subject->bigram_root || walk->number != subject->df_count)
		return;
	if (memory_reserve(&subject->dfs, &subject->df_capacity, subject->df_count + 1, sizeof *subject->dfs))
		subject->dfs[subject->df_count++] = (uint32_t)df;
	else
		subject->no_memory = true;
}

static void check_list(struct terms_walk *walk, uint32_t df, uint32_t doc, uint32_t tf, bool inlined, uint32_t position,
                       const struct list_place_told *place)
{
	struct subject *subject = walk->subject;
	bool sound;
	walk->name_shown(walk);
	walk->term_hash = hash_bytes(walk->term, walk->length);
	if (inlined)
		sound = list_check_inline(&walk->lists, walk->name, doc, position);
	else if (df == 1)
		sound = list_check_single(&walk->lists, walk->name, doc, tf, place->positions, place->positions_bytes);
	else
		sound = list_check(&walk->lists, walk->name, df, place);
	if (!sound)
		subject->lists_unread = true;
	walk->posting_count += df;
	walk->deleted_postings += walk->lists.deleted;
	if (sound)
		check_deleted(walk, walk->number);
}

/* One term of a block whose lists begin at walk->postings and walk->positions. */
static bool check_term(struct terms_walk *walk, const uint8_t **at_pointer, const uint8_t *end, bool first_of_block)
{
	struct subject *subject = walk->subject;
	const uint8_t *at = *at_pointer;
	uint64_t address = walk->start + (uint64_t)(at - walk->payload), df, value, tf = 1, position = 0;
	struct list_place_told place = {walk->postings, 0, walk->positions, 0};
	uint8_t before[256];
	uint32_t before_length = walk->length;
	memcpy(before, walk->term, before_length);
	if (end - at < 2 || at[0] + at[1] > 255 || end - at - 2 < at[1] || at[0] > before_length ||
	    (first_of_block && at[0]))
		return wrong(walk, address, "a term that is cut off");
	walk->length = (uint32_t)at[0] + at[1];
	memcpy(walk->term + at[0], at + 2, at[1]);
	at += 2 + at[1];
	if (walk->number && !walk->lost && bytes_compare(walk->term, walk->length, before, before_length) <= 0)
		return wrong(walk, address, "terms that do not ascend");
	if (walk->dictionary.bigrams && !check_bigram(walk, address))
		return false;
	bool inlined = false;
	uint32_t doc = 0;
	if (!varint_read(&at, end, &df) || !df || df > subject->documents)
		return wrong(walk, address, "an impossible df");
	if (df == 1) {
		if (!varint_read(&at, end, &value) || value >> 2 > UINT32_MAX || (value & 3) > 1 ||
		    (!(value & 3) && !walk->dictionary.positions))
			return wrong(walk, address, "a term that makes no sense");
		doc = (uint32_t)(value >> 2);
		inlined = !(value & 3);
		if (!varint_read(&at, end, inlined ? &position : &tf) || !tf || tf > UINT32_MAX ||
		    position >= UINT32_MAX)
			return wrong(walk, address, "a term that makes no sense");
	} else if (!varint_read(&at, end, &place.postings_bytes)) {
		return wrong(walk, address, "a term that is cut off");
	}
	if (walk->dictionary.positions && !inlined && !varint_read(&at, end, &place.positions_bytes))
		return wrong(walk, address, "a term that is cut off");
	*at_pointer = at;
	if (place.postings_bytes > walk->lists.postings.bytes - walk->postings ||
	    place.positions_bytes > walk->lists.positions.bytes - walk->positions)
		return wrong(walk, address, "a list past the end");
	if (!walk->dictionary.bigrams)
		note_df(walk, df);
	check_list(walk, (uint32_t)df, doc, (uint32_t)tf, inlined, (uint32_t)position, &place);
	walk->postings += place.postings_bytes;
	walk->positions += place.positions_bytes;
	walk->number++;
	return !subject->no_memory;
}

static bool check_block(struct terms_walk *walk, uint64_t offset, uint64_t end_offset, uint64_t prefix, bool last)
{
	const uint8_t *at = walk->payload + offset, *end = walk->payload + end_offset;
	uint64_t number, postings, positions, address = walk->start + offset;
	if (!varint_read(&at, end, &number) || !varint_read(&at, end, &postings) ||
	    !varint_read(&at, end, &positions) || at == end)
		return wrong(walk, address, "a block that is cut off");
	uint32_t terms = *at++;
	if (!terms || terms > TERM_BLOCK)
		return wrong(walk, address, "a block of an impossible number of terms");
	if (walk->lost) { /* what was before is not known: believe the block */
		walk->number = number;
		walk->postings = postings;
		walk->positions = positions;
		if (postings > walk->lists.postings.bytes || positions > walk->lists.positions.bytes)
			return wrong(walk, address, "a list past the end");
	}
	if (number != walk->number)
		return wrong(walk, address, "a block whose first term has another number");
	if (!follows(walk->postings, postings) || postings > walk->lists.postings.bytes)
		return wrong(walk, address, "postings that do not follow on those before");
	if (positions != walk->positions)
		return wrong(walk, address, "positions that do not follow on those before");
	walk->postings = postings;
	for (uint32_t i = 0; i < terms; i++) {
		if (!check_term(walk, &at, end, i == 0))
			return false;
		walk->lost = false;
		uint8_t first[8] = {0};
		memcpy(first, walk->term, walk->length < 8 ? walk->length : 8);
		if (i == 0 && __builtin_bswap64(load64(first)) != prefix)
			return wrong(walk, address,
			             "a block whose first term is not the one that the extent's index has");
	}
	for (; at < end; at++)
		if (!last || *at)
			return wrong(walk, walk->start + (uint64_t)(at - walk->payload),
			             "bytes behind a block's last term");
	return true;
}

/* The blocks of an extent stand one behind the other from its start, and their index at its end. */
static bool check_extent(struct terms_walk *walk, uint64_t length)
{
	const uint8_t *payload = walk->payload;
	uint32_t count = length < 4 ? 0 : load32(payload + length - 4);
	if (!count || count > (length - 4) / INDEX_BYTES)
		return wrong(walk, walk->start + length - (length < 4 ? 0 : 4), "an impossible number of blocks");
	walk->blocks_end = length - 4 - (uint64_t)count * INDEX_BYTES;
	const uint8_t *prefixes = payload + walk->blocks_end, *offsets = prefixes + 8 * (uint64_t)count;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t offset = load32(offsets + 4 * (uint64_t)i);
		uint64_t end = i + 1 < count ? load32(offsets + 4 * (uint64_t)(i + 1)) : walk->blocks_end;
		if ((i == 0 && offset) || end <= offset || end > walk->blocks_end)
			return wrong(walk, walk->start + walk->blocks_end + 8 * (uint64_t)count + 4 * (uint64_t)i,
			             "blocks out of order");
		if (!check_block(walk, offset, end, load64(prefixes + 8 * (uint64_t)i), i + 1 == count))
			return false;
	}
	return true;
}

/* Of the root: what the extent's first term is. */
static void check_first_term(struct terms_walk *walk, uint32_t extent, uint64_t *at)
{
	const struct subject *subject = walk->subject;
	const uint8_t *told = walk->dictionary.root + *at;
	const uint8_t *block = walk->payload, *end = walk->payload + walk->blocks_end;
	uint64_t value;
	*at += 1u + told[0];
	/* number, two addresses, the count, then the first term: shared 0, its length, its bytes */
	for (int i = 0; block && i < 3; i++)
		if (!varint_read(&block, end, &value))
			block = NULL;
	if (!block || end - block < 3 || block[2] != told[0] || end - block - 3 < told[0] ||
	    memcmp(block + 3, told + 1, told[0]) != 0)
		report_damage(subject->report, subject->number, part_name(walk->dictionary.root_part), *at,
		              "another first term than extent %u of the terms has", extent);
}

static void walk_extents(struct terms_walk *walk)
{
	struct subject *subject = walk->subject;
	uint64_t left, first_term_at = walk->dictionary.first_terms;
	for (uint64_t address = 0; address < walk->stream.bytes && !subject->no_memory; address += EXTENT_PAYLOAD) {
		uint32_t extent = (uint32_t)(address / EXTENT_PAYLOAD);
		walk->payload = part_stream_at(&walk->stream, address, &left);
		walk->start = address;
		walk->blocks_end = 0;
		if (!walk->payload || !check_extent(walk, left)) {
			walk->lost = subject->lists_unread = true;
			walk->deleted_sound = false;
		}
		if (walk->payload && walk->blocks_end)
			check_first_term(walk, extent, &first_term_at);
		else
			first_term_at += 1u + walk->dictionary.root[first_term_at];
		uint64_t done = walk->lists.postings.image->bytes_read;
		report_progress(subject->report, done - walk->told);
		walk->told = done;
	}
}

/* ---- the sums ---- */

static void check_document_sums(struct subject *subject)
{
	uint32_t longest = 0, *mixed = NULL;
	bool placed = subject->positions && !subject->gaps;
	for (uint32_t doc = 0; doc < subject->documents; doc++)
		longest = subject->tokens_of[doc] > longest ? subject->tokens_of[doc] : longest;
	/* Of the positions 0 to n - 1, for each n up to the longest document. */
	if (placed && !(mixed = memory_new(((size_t)longest + 1) * sizeof *mixed))) {
		subject->no_memory = true;
		return;
	}
	for (uint32_t n = 0; placed && n <= longest; n++)
		mixed[n] = n ? mixed[n - 1] + mix(n - 1) : 0;
	for (uint32_t doc = 0; subject->lengths && doc < subject->documents; doc++) {
		uint32_t tokens = subject->tokens_of[doc];
		if (plain_length_byte(tokens) != subject->lengths[doc])
			report_damage(subject->report, subject->number, part_name(PART_LENGTHS), doc,
			              "document %u: its postings have %u tokens, its length byte is another's", doc,
			              tokens);
		else if (placed && (subject->end_of[doc] != tokens || subject->mixed_of[doc] != mixed[tokens]))
			report_damage(subject->report, subject->number, part_name(PART_POSITIONS), NO_OFFSET,
			              "document %u: its positions are not 0 to %u, each once", doc, tokens - 1);
		if (subject->last_positions && plain_length_byte(subject->end_of[doc]) != subject->last_positions[doc])
			report_damage(subject->report, subject->number, part_name(PART_LAST_POSITIONS), doc,
			              "document %u: its last position is %u, its last-position byte is another's", doc,
			              subject->end_of[doc] - 1);
	}
	memory_free(mixed);
}

static void disagree(struct subject *subject, const char *part, const char *what, uint64_t told, uint64_t found)
{
	if (told != found)
		report_damage(subject->report, !strcmp(part, "manifest") ? 0 : subject->number, part, NO_OFFSET,
		              "segment %u: %llu %s are told, %llu found", subject->number, (unsigned long long)told,
		              what, (unsigned long long)found);
}

static void check_sums(struct terms_walk *walk)
{
	struct subject *subject = walk->subject;
	uint64_t tokens = 0, live = 0;
	const char *root = part_name(PART_ROOT), *manifest = part_name(PART_MANIFEST);
	for (uint32_t doc = 0; doc < subject->documents; doc++) {
		tokens += subject->tokens_of[doc];
		live += subject_is_deleted(subject, doc) ? 0 : subject->tokens_of[doc];
	}
	disagree(subject, root, "terms", subject->terms, walk->number);
	disagree(subject, root, "postings", subject->postings, walk->posting_count);
	disagree(subject, root, "tokens", subject->tokens, tokens);
	disagree(subject, root, "bytes of postings", subject->bytes[PART_POSTINGS], walk->postings);
	disagree(subject, root, "bytes of positions", subject->bytes[PART_POSITIONS], walk->positions);
	if (subject->told && !subject->deletions_unknown) {
		disagree(subject, manifest, "live tokens", subject->told->live_tokens, live);
		disagree(subject, manifest, "live postings", subject->told->live_postings,
		         walk->posting_count - walk->deleted_postings);
	}
	check_document_sums(subject);
}

/* ---- the two dictionaries ---- */

static void walk_dictionary(struct terms_walk *walk)
{
	struct subject *subject = walk->subject;
	const struct dictionary *dictionary = &walk->dictionary;
	walk->name_shown = dictionary->bigrams ? show_bigram : show_term;
	bool opened =
	    list_checker_open(&walk->lists, subject, dictionary->postings_part, PART_POSITIONS, dictionary->positions);
	if (!part_stream_open(&walk->stream, subject->image, subject->number, dictionary->terms_part,
	                      subject->bytes[dictionary->terms_part]) ||
	    !opened) {
		subject->no_memory = true;
		return;
	}
	walk->told = subject->image->bytes_read;
	walk->lists.posting = dictionary->bigrams ? count_bigram : count_posting;
	walk->lists.context = walk;
	walk->deleted_number = UINT64_MAX;
	if (!dictionary->bigrams)
		begin_deleted(walk);
	walk_extents(walk);
	if (!dictionary->bigrams)
		end_deleted(walk);
}

static void release_walk(struct terms_walk *walk)
{
	list_checker_release(&walk->lists);
	part_stream_release(&walk->stream);
}

/* Bigrams of a document are no more than its tokens less one. */
static void check_bigram_sums(struct terms_walk *walk)
{
	struct subject *subject = walk->subject;
	const char *root = part_name(PART_BIGRAM_ROOT);
	disagree(subject, root, "bigrams", load64(subject->bigram_root), walk->number);
	disagree(subject, root, "postings", load64(subject->bigram_root + 8), walk->posting_count);
	disagree(subject, root, "bytes of postings", subject->bytes[PART_BIGRAM_POSTINGS], walk->postings);
	for (uint32_t doc = 0; doc < subject->documents; doc++)
		if (subject->mixed_of[doc] && subject->mixed_of[doc] >= subject->tokens_of[doc])
			report_damage(subject->report, subject->number, part_name(PART_BIGRAM_POSTINGS), NO_OFFSET,
			              "document %u: it is told to have %u bigrams and has %u tokens", doc,
			              subject->mixed_of[doc], subject->tokens_of[doc]);
}

static void check_bigrams(struct subject *subject)
{
	struct terms_walk walk = {.subject = subject,
	                          .dictionary = {.terms_part = PART_BIGRAM_TERMS,
	                                         .postings_part = PART_BIGRAM_POSTINGS,
	                                         .root_part = PART_BIGRAM_ROOT,
	                                         .bigrams = true,
	                                         .root = subject->bigram_root,
	                                         .first_terms = BIGRAM_ROOT_FIXED}};
	bool terms_unread = subject->lists_unread;
	report_stage(subject->report, subject->bytes[PART_BIGRAM_TERMS] + subject->bytes[PART_BIGRAM_POSTINGS],
	             "segment %u: bigrams", subject->number);
	memset(subject->mixed_of, 0, subject->documents * sizeof(uint32_t));
	subject->lists_unread = false;
	walk_dictionary(&walk);
	if (!subject->lists_unread && !terms_unread && !subject->no_memory)
		check_bigram_sums(&walk);
	release_walk(&walk);
}

void check_terms(struct subject *subject)
{
	struct terms_walk walk = {.subject = subject,
	                          .dictionary = {.terms_part = PART_TERMS,
	                                         .postings_part = PART_POSTINGS,
	                                         .root_part = PART_ROOT,
	                                         .positions = subject->positions,
	                                         .root = subject->root,
	                                         .first_terms = subject->first_terms}};
	size_t n = subject->documents;
	report_stage(subject->report,
	             subject->bytes[PART_TERMS] + subject->bytes[PART_POSTINGS] + subject->bytes[PART_POSITIONS],
	             "segment %u: lists", subject->number);
	subject->tokens_of = memory_new_zeroed(n + 1, sizeof(uint32_t));
	subject->end_of = memory_new_zeroed(n + 1, sizeof(uint32_t));
	subject->mixed_of = memory_new_zeroed(n + 1, sizeof(uint32_t));
	subject->text_of = subject->tokenizer ? memory_new_zeroed(n + 1, sizeof(uint64_t)) : NULL;
	if (!subject->tokens_of || !subject->end_of || !subject->mixed_of ||
	    (subject->tokenizer && !subject->text_of)) {
		subject->no_memory = true;
		return;
	}
	walk_dictionary(&walk);
	if (!subject->lists_unread && !subject->no_memory)
		check_sums(&walk);
	release_walk(&walk);
	if (subject->bigram_root && !subject->no_memory)
		check_bigrams(subject);
}
