#include "checker/subject.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "store/store.h"

enum { MANIFEST_FIXED = MANIFEST_MAGIC_LENGTH + 4 + 8 + 4 + 4 + 4 + 1, MANIFEST_SEGMENT = 3 * 4 + 4 * 8 };

/* ---- the manifest ---- */

int told_manifest_parse(struct told_manifest *manifest, const uint8_t *bytes, uint32_t length, const char **wrong)
{
	*manifest = (struct told_manifest){0};
	*wrong = "cut off";
	if (length < MANIFEST_FIXED || memcmp(bytes, MANIFEST_MAGIC, MANIFEST_MAGIC_LENGTH) != 0)
		return TRAWL_ENOTINDEX;
	const uint8_t *at = bytes + MANIFEST_MAGIC_LENGTH, *end = bytes + length;
	manifest->format = load32(at);
	manifest->analysis = load32(at + 20);
	if (manifest->format != FORMAT_VERSION || manifest->analysis > ANALYSIS_VERSION)
		return TRAWL_EVERSION;
	manifest->generation = load64(at + 4);
	manifest->next_segment = load32(at + 12);
	manifest->flags = load32(at + 16);
	size_t name = at[24];
	at += 25;
	if (name >= sizeof manifest->language || (size_t)(end - at) < name + 4)
		return TRAWL_ECORRUPT;
	memcpy(manifest->language, at, name);
	manifest->segment_count = load32(at + name);
	at += name + 4;
	*wrong = "not as many segments as it says";
	if ((uint64_t)(end - at) != (uint64_t)manifest->segment_count * MANIFEST_SEGMENT)
		return TRAWL_ECORRUPT;
	manifest->segments = memory_new(manifest->segment_count * sizeof *manifest->segments);
	if (!manifest->segments)
		return TRAWL_ENOMEM;
	for (uint32_t i = 0; i < manifest->segment_count; i++, at += MANIFEST_SEGMENT)
		manifest->segments[i] =
		    (struct told_segment){load32(at),      load32(at + 4),  load32(at + 8), load64(at + 12),
		                          load64(at + 20), load64(at + 28), load64(at + 36)};
	return 0;
}

int told_manifest_refuse(const struct told_manifest *manifest, const char *path, trawl_error *error)
{
	if (manifest->format != FORMAT_VERSION)
		return store_refuse_format(path, manifest->format, error);
	return error_set(error, TRAWL_EVERSION, NEWER_ANALYSIS, path, manifest->analysis, ANALYSIS_VERSION);
}

void told_manifest_release(struct told_manifest *manifest)
{
	memory_free(manifest->segments);
	*manifest = (struct told_manifest){0};
}

/* ---- lengths ---- */

uint32_t plain_length(uint8_t byte)
{
	if (byte < 40)
		return byte;
	uint32_t exponent = (byte - 24u) / 8 - 1, fraction = (byte - 24u) % 8;
	return 24 + ((8 + fraction) << exponent);
}

uint8_t plain_length_byte(uint32_t length)
{
	uint32_t low = 0, high = 255;
	while (low < high) {
		uint32_t middle = (low + high + 1) / 2;
		if (plain_length((uint8_t)middle) <= length)
			low = middle;
		else
			high = middle - 1;
	}
	return (uint8_t)low;
}

uint32_t plain_longest(uint8_t byte)
{
	return byte == 255 ? UINT32_MAX : plain_length((uint8_t)(byte + 1)) - 1;
}

/* ---- whole parts ---- */

uint8_t *subject_read(struct subject *subject, uint32_t part)
{
	struct part_stream stream;
	uint64_t bytes = subject->bytes[part], left;
	bool whole = true;
	/* The root's word is not enough to allocate by: the extents must be there. */
	size_t count;
	image_part(subject->image, subject->number, part, &count);
	if (count < bytes / EXTENT_PAYLOAD + (bytes % EXTENT_PAYLOAD != 0))
		return NULL;
	uint8_t *all = memory_new(bytes + 8);
	if (!part_stream_open(&stream, subject->image, subject->number, part, bytes) || !all) {
		subject->no_memory = true;
		whole = false;
	}
	for (uint64_t at = 0; whole && at < bytes; at += left) {
		const uint8_t *piece = part_stream_at(&stream, at, &left);
		whole = piece != NULL;
		if (piece)
			memcpy(all + at, piece, left);
	}
	part_stream_release(&stream);
	if (whole) {
		memset(all + bytes, 0, 8);
		return all;
	}
	memory_free(all);
	return NULL;
}

/* ---- the root ---- */

static bool damaged_root(struct subject *subject, uint64_t offset, const char *what)
{
	report_damage(subject->report, subject->number, part_name(PART_ROOT), offset, "%s", what);
	return false;
}

/* The length of a part that is nowhere told: it ends with the last of its extents. */
static uint64_t measure(const struct subject *subject, uint32_t part)
{
	size_t count;
	const struct extent_place *places = image_part(subject->image, subject->number, part, &count);
	return count ? (uint64_t)places[count - 1].extent * EXTENT_PAYLOAD + places[count - 1].bytes - VALUE_BYTES_LEAST
	             : 0;
}

static bool parse_root(struct subject *subject)
{
	const uint8_t *at = subject->root;
	if (subject->root_bytes < ROOT_FIXED)
		return damaged_root(subject, 0, "it is cut off");
	subject->documents = load32(at + ROOT_DOCUMENTS);
	subject->ordinals = load32(at + ROOT_ORDINALS);
	subject->tokens = load64(at + ROOT_TOKENS);
	subject->postings = load64(at + ROOT_POSTINGS);
	subject->terms = load64(at + ROOT_TERMS);
	subject->text_bytes = load64(at + ROOT_TEXT_BYTES);
	memcpy(&subject->k1, at + ROOT_K1, 4);
	memcpy(&subject->b, at + ROOT_B, 4);
	memcpy(&subject->average, at + ROOT_AVERAGE, 4);
	subject->least_length = at[ROOT_LEAST_LENGTH];
	subject->greatest_length = at[ROOT_GREATEST_LENGTH];
	for (uint32_t part = PART_DOCUMENTS; part <= PART_TERMS; part++)
		subject->bytes[part] = load64(at + ROOT_PART_BYTES + 8 * (part - PART_DOCUMENTS));
	subject->bytes[PART_LAST_POSITIONS] = subject->gaps ? subject->documents : 0;
	subject->bytes[PART_CONTENT_HASHES] = 8 * (uint64_t)subject->ordinals;
	subject->bytes[PART_DELETIONS] =
	    subject->told && !subject->lenient ? subject->told->deletion_bytes : measure(subject, PART_DELETIONS);
	uint64_t n = subject->documents, ordinals = subject->ordinals;
	const uint64_t *bytes = subject->bytes;
	if (subject->told && subject->told->documents != n)
		return damaged_root(subject, 0, "the manifest tells another number of documents");
	if (n > DOCUMENTS_MAX || ordinals < n)
		return damaged_root(subject, 0, "an impossible number of documents");
	if (bytes[PART_LENGTHS] != n || bytes[PART_ID_INDEX] != 8 * n ||
	    bytes[PART_ID_BLOCKS] != (ordinals + ID_BLOCK - 1) / ID_BLOCK * 8 || bytes[PART_DOCUMENT_BLOCKS] % 16 ||
	    (bytes[PART_ORDER] ? bytes[PART_ORDER] != 4 * n : ordinals != n) ||
	    (!subject->positions && bytes[PART_POSITIONS]))
		return damaged_root(subject, ROOT_PART_BYTES, "lengths of parts that contradict its counts");
	for (uint32_t part = PART_DOCUMENTS; part <= PART_TERMS; part++)
		if (bytes[part] > subject->image->file_bytes)
			return damaged_root(subject, ROOT_PART_BYTES, "a part larger than the file");
	return true;
}

/* Behind the fixed fields: the first term of each extent of terms, then the first hash of each extent of the id index. */
static bool parse_root_lists(struct subject *subject)
{
	uint64_t at = subject->first_terms = ROOT_FIXED, end = subject->root_bytes;
	uint64_t term_extents = (subject->bytes[PART_TERMS] + EXTENT_PAYLOAD - 1) / EXTENT_PAYLOAD;
	uint64_t id_extents = (subject->bytes[PART_ID_INDEX] + EXTENT_PAYLOAD - 1) / EXTENT_PAYLOAD;
	for (uint64_t i = 0; i < term_extents; i++) {
		if (at >= end || subject->root[at] > end - at - 1)
			return damaged_root(subject, at, "not a first term for each extent of terms");
		at += 1u + subject->root[at];
	}
	if (end - at != 4 * id_extents)
		return damaged_root(subject, at, "not a first hash for each extent of the id index");
	subject->first_hashes = at;
	return true;
}

static void check_root_numbers(struct subject *subject)
{
	if (!(subject->k1 >= 0 && subject->k1 <= 1000) || !(subject->b >= 0 && subject->b <= 1))
		damaged_root(subject, 40, "k1 or b that make no sense");
	float average = subject->documents ? (float)((double)subject->tokens / subject->documents) : 0;
	if (subject->average != average)
		damaged_root(subject, 48, "an average length that its counts do not give");
	for (int byte = 0; byte < 256; byte++) {
		float relative = average > 0 ? (float)plain_length((uint8_t)byte) / average : 0;
		subject->denominators[byte] =
		    (double)subject->k1 * ((1 - (double)subject->b) + (double)subject->b * relative);
	}
}

/* The root of the bigrams, and that it has a first name for each extent of their dictionary. */
static void open_bigrams(struct subject *subject)
{
	const char *part = part_name(PART_BIGRAM_ROOT);
	uint64_t bytes = subject->bytes[PART_BIGRAM_ROOT] = measure(subject, PART_BIGRAM_ROOT), at = BIGRAM_ROOT_FIXED;
	uint8_t *root = bytes ? subject_read(subject, PART_BIGRAM_ROOT) : NULL;
	if (!root || bytes < BIGRAM_ROOT_FIXED) {
		if (!subject->no_memory)
			report_damage(subject->report, subject->number, part, NO_OFFSET,
			              bytes ? "it cannot be read" : "it is missing");
		memory_free(root);
		return;
	}
	subject->bytes[PART_BIGRAM_POSTINGS] = load64(root + 16);
	subject->bytes[PART_BIGRAM_TERMS] = load64(root + 24);
	uint64_t extents = subject->bytes[PART_BIGRAM_TERMS] / EXTENT_PAYLOAD +
	                   (subject->bytes[PART_BIGRAM_TERMS] % EXTENT_PAYLOAD != 0);
	for (uint64_t i = 0; i < extents && at < bytes; i++)
		at += 1u + root[at];
	if (at != bytes || subject->bytes[PART_BIGRAM_TERMS] > subject->image->file_bytes ||
	    subject->bytes[PART_BIGRAM_POSTINGS] > subject->image->file_bytes) {
		report_damage(subject->report, subject->number, part, 16, "lengths that contradict its first names");
		subject->bytes[PART_BIGRAM_POSTINGS] = subject->bytes[PART_BIGRAM_TERMS] = 0;
		memory_free(root);
		return;
	}
	subject->bigram_root = root;
}

bool subject_open(struct subject *subject)
{
	subject->root_bytes = subject->bytes[PART_ROOT] = measure(subject, PART_ROOT);
	if (!subject->root_bytes)
		return damaged_root(subject, NO_OFFSET, "it is missing");
	subject->root = subject_read(subject, PART_ROOT);
	if (!subject->root)
		return subject->no_memory ? false : damaged_root(subject, NO_OFFSET, "it cannot be read");
	if (!parse_root(subject) || !parse_root_lists(subject))
		return false;
	check_root_numbers(subject);
	if (subject->bigrams)
		open_bigrams(subject);
	return !subject->no_memory;
}

bool subject_reconstruct(struct subject *subject)
{
	for (uint32_t part = PART_DOCUMENTS; part < PART_COUNT; part++)
		subject->bytes[part] = measure(subject, part);
	uint64_t *bytes = subject->bytes, ordinals = bytes[PART_ID_BLOCKS] / 8 * ID_BLOCK;
	uint64_t documents = subject->told ? subject->told->documents : bytes[PART_LENGTHS];
	if (!subject->told && !documents)
		documents = bytes[PART_ID_INDEX] / 8;
	if (bytes[PART_ORDER] && bytes[PART_ORDER] != 4 * documents)
		bytes[PART_ORDER] = 0;
	else if (!bytes[PART_ORDER])
		ordinals = documents;
	subject->documents = (uint32_t)documents;
	subject->ordinals = (uint32_t)(ordinals < documents ? documents : ordinals);
	return documents && documents <= DOCUMENTS_MAX && ordinals < UINT32_MAX && bytes[PART_DOCUMENTS];
}

void subject_release(struct subject *subject)
{
	memory_free(subject->root);
	memory_free(subject->bigram_root);
	memory_free(subject->dfs);
	memory_free(subject->lengths);
	memory_free(subject->last_positions);
	memory_free(subject->order);
	memory_free(subject->doc_of);
	memory_free(subject->deletions);
	memory_free(subject->tokens_of);
	memory_free(subject->end_of);
	memory_free(subject->mixed_of);
	memory_free(subject->text_of);
}

void subject_check_extents(struct subject *subject)
{
	for (uint32_t part = 0; part < PART_COUNT; part++) {
		size_t count;
		const struct extent_place *places = image_part(subject->image, subject->number, part, &count);
		uint64_t bytes = subject->bytes[part];
		uint32_t wanted = (uint32_t)(bytes / EXTENT_PAYLOAD + (bytes % EXTENT_PAYLOAD != 0)), at = 0;
		for (uint32_t extent = 0; extent < wanted; extent++) {
			uint64_t start = (uint64_t)extent * EXTENT_PAYLOAD, rest = bytes - start;
			uint64_t length = rest < EXTENT_PAYLOAD ? rest : EXTENT_PAYLOAD;
			if (at == count || places[at].extent != extent) {
				report_damage(subject->report, subject->number, part_name(part), start,
				              "extent %u is missing", extent);
				if (at == count) /* and so are all that follow */
					break;
				continue;
			}
			if (places[at].bytes - VALUE_BYTES_LEAST != length)
				report_damage(subject->report, subject->number, part_name(part), start,
				              "extent %u is of the wrong length", extent);
			at++;
		}
		/* An older, longer form of the deletions leaves extents behind. */
		if (at < count && part == PART_DELETIONS)
			report_harmless(subject->report, subject->number, part_name(part),
			                "%zu extents of an older form", count - at);
		else if (at < count)
			report_damage(subject->report, subject->number, part_name(part), bytes,
			              "more extents than its length takes");
	}
}

/* ---- lengths, order, deletions ---- */

static void load_lengths(struct subject *subject)
{
	/* Without a root the parts are as long as their extents, of which some may be lost. */
	if (subject->bytes[PART_LENGTHS] == subject->documents)
		subject->lengths = subject_read(subject, PART_LENGTHS);
	if (subject->bytes[PART_LAST_POSITIONS] && subject->bytes[PART_LAST_POSITIONS] == subject->documents)
		subject->last_positions = subject_read(subject, PART_LAST_POSITIONS);
	uint8_t least = 255, greatest = 0;
	for (uint32_t doc = 0; subject->lengths && doc < subject->documents; doc++) {
		least = subject->lengths[doc] < least ? subject->lengths[doc] : least;
		greatest = subject->lengths[doc] > greatest ? subject->lengths[doc] : greatest;
	}
	if (subject->root && subject->lengths &&
	    (least != subject->least_length || greatest != subject->greatest_length))
		damaged_root(subject, 52, "a least or greatest length byte that the lengths do not have");
}

static void load_order(struct subject *subject)
{
	subject->doc_of = memory_new(((size_t)subject->ordinals + 1) * sizeof *subject->doc_of);
	if (!subject->doc_of) {
		subject->no_memory = true;
		return;
	}
	if (!subject->bytes[PART_ORDER]) {
		for (uint32_t ordinal = 0; ordinal < subject->ordinals; ordinal++)
			subject->doc_of[ordinal] = ordinal;
		return;
	}
	memset(subject->doc_of, 0xff, ((size_t)subject->ordinals + 1) * sizeof *subject->doc_of);
	subject->order = (uint32_t *)(void *)subject_read(subject, PART_ORDER);
	for (uint32_t doc = 0; subject->order && doc < subject->documents; doc++) {
		uint32_t ordinal = subject->order[doc];
		if (ordinal >= subject->ordinals || subject->doc_of[ordinal] != UINT32_MAX)
			report_damage(subject->report, subject->number, part_name(PART_ORDER), 4 * (uint64_t)doc,
			              "document %u: ordinal %u is %s", doc, ordinal,
			              ordinal >= subject->ordinals ? "past the end" : "another document's too");
		else
			subject->doc_of[ordinal] = doc;
	}
}

static bool damaged_deletions(struct subject *subject, uint64_t offset, const char *what)
{
	report_damage(subject->report, subject->number, part_name(PART_DELETIONS), offset, "%s", what);
	subject->deleted = NULL;
	subject->deletions_unknown = true;
	return false;
}

static bool load_deletions(struct subject *subject)
{
	uint64_t bytes = subject->bytes[PART_DELETIONS], n = subject->documents, bits = (n + 63) / 64 * 8, deleted = 0;
	if (!bytes)
		return subject->told && subject->told->deleted
		           ? damaged_deletions(subject, NO_OFFSET,
		                               "the manifest tells of deleted documents, and no part does")
		           : true;
	if (bytes > subject->image->file_bytes || bytes < 4 + bits + 4)
		return damaged_deletions(subject, NO_OFFSET, "a length that makes no sense");
	subject->deletions = subject_read(subject, PART_DELETIONS);
	if (!subject->deletions) {
		subject->deletions_unknown = true;
		return false;
	}
	if (load32(subject->deletions) != n)
		return damaged_deletions(subject, 0, "they are of another number of documents");
	subject->deleted = subject->deletions + 4;
	for (uint64_t i = 0; i < bits; i++)
		deleted += (uint64_t)__builtin_popcount(subject->deleted[i]);
	for (uint64_t doc = n; doc < bits * 8; doc++)
		if (subject->deleted[doc / 8] >> (doc % 8) & 1)
			return damaged_deletions(subject, 4 + doc / 8, "a deleted document past the end");
	if (subject->told && deleted != subject->told->deleted && subject->lenient) {
		subject->deletions_unknown = true;
		report_damage(subject->report, subject->number, part_name(PART_DELETIONS), 4,
		              "%u deleted documents are told, and those of %llu are known: the others may come back",
		              subject->told->deleted, (unsigned long long)deleted);
		return false;
	}
	if (subject->told && deleted != subject->told->deleted)
		return damaged_deletions(subject, 4, "not as many deleted documents as the manifest tells");
	return true;
}

void subject_load(struct subject *subject)
{
	load_lengths(subject);
	if (!subject->no_memory)
		load_order(subject);
	if (!subject->no_memory)
		load_deletions(subject);
}
