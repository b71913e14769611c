#include "segment/segment.h"

#include "base/bytes.h"
#include "base/error.h"

#define ROOT_FIXED (2 * 4 + 4 * 8 + 3 * 4 + 4 + 8 * (PART_TERMS - PART_DOCUMENTS + 1))
#define ID_ENTRY 8
#define CONTENT_HASH 8
#define ID_ENTRIES_PER_EXTENT (EXTENT_PAYLOAD / ID_ENTRY)

/* ---- reading ---- */

int segment_read_part(struct snapshot *snapshot, uint32_t segment, uint32_t number, struct buffer *out,
                      trawl_error *error)
{
	const uint8_t *payload;
	uint32_t length = EXTENT_PAYLOAD;
	for (uint32_t extent = 0; length == EXTENT_PAYLOAD; extent++) {
		trawl_error why = {0};
		int code = snapshot_extent(snapshot, segment, number, extent, &payload, &length, &why);
		if (code == TRAWL_ENOTFOUND && extent)
			break;
		if (code)
			return error_set(error, code == TRAWL_ENOTFOUND ? TRAWL_ECORRUPT : code, "%s", why.text);
		if (!buffer_append(out, payload, length))
			return error_set_memory(error);
	}
	return 0;
}

static int bad_root(const struct segment *segment, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT, "%s is damaged: segment %u, root: %s; restore it or index again",
	                 store_path(snapshot_store(segment->snapshot)), segment->summary.number, what);
}

static int parse_root(struct segment *segment, trawl_error *error)
{
	if (segment->root.length < ROOT_FIXED)
		return bad_root(segment, "cut off", error);
	const uint8_t *at = segment->root.data;
	segment->documents_count = load32(at);
	segment->ordinals = load32(at + 4);
	segment->tokens = load64(at + 8);
	segment->postings_count = load64(at + 16);
	segment->term_count = load64(at + 24);
	segment->text_bytes = load64(at + 32);
	memcpy(&segment->born_average, at + 48, 4);
	segment->least_length = at[52];
	segment->greatest_length = at[53];
	for (int part = PART_DOCUMENTS; part <= PART_TERMS; part++)
		segment->part_bytes[part] = load64(at + 56 + 8 * (part - PART_DOCUMENTS));
	segment->part_bytes[PART_ROOT] = segment->root.length;
	segment->part_bytes[PART_DELETIONS] = segment->summary.deletion_bytes;
	segment->part_bytes[PART_SPANS] = segment->has_gaps ? segment->documents_count : 0;
	segment->part_bytes[PART_CONTENT_HASHES] = CONTENT_HASH * (uint64_t)segment->ordinals;
	const uint64_t *bytes = segment->part_bytes;
	uint32_t n = segment->documents_count;
	if (n != segment->summary.documents || n > DOCUMENTS_MAX || segment->ordinals < n || bytes[PART_LENGTHS] != n ||
	    bytes[PART_ID_INDEX] != (uint64_t)n * ID_ENTRY ||
	    (bytes[PART_ORDER] && bytes[PART_ORDER] != 4 * (uint64_t)n) ||
	    (!bytes[PART_ORDER] && segment->ordinals != n))
		return bad_root(segment, "counts that contradict each other", error);
	return 0;
}

static int open_parts(struct segment *segment, trawl_error *error)
{
	struct {
		struct part *part;
		uint32_t number;
	} parts[] = {{&segment->id_index, PART_ID_INDEX},
	             {&segment->order, PART_ORDER},
	             {&segment->lengths_part, PART_LENGTHS},
	             {&segment->spans_part, PART_SPANS},
	             {&segment->postings, PART_POSTINGS},
	             {&segment->positions, PART_POSITIONS},
	             {&segment->content_hashes, PART_CONTENT_HASHES}};
	uint32_t number = segment->summary.number;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		int code = part_open(parts[i].part, segment->snapshot, number, parts[i].number,
		                     segment->part_bytes[parts[i].number], error);
		if (code)
			return code;
	}
	uint64_t used, left = segment->root.length - ROOT_FIXED;
	const uint8_t *lists = segment->root.data + ROOT_FIXED;
	int code = terms_open(&segment->terms, segment->snapshot, number, PART_TERMS, segment->part_bytes[PART_TERMS],
	                      segment->has_positions, lists, left, &used, error);
	if (code)
		return code;
	if (left - used != 4 * (uint64_t)segment->id_index.extent_count)
		return bad_root(segment, "not a hash for each extent of ids", error);
	segment->first_hashes = lists + used;
	return documents_open(&segment->stored, segment->snapshot, number, segment->ordinals, segment->part_bytes,
	                      error);
}

/* Scoring looks up a length for each posting it scores, so these bytes are kept in one piece. */
static int load_bytes(struct part *part, const uint8_t **bytes, uint8_t **copy, trawl_error *error)
{
	uint64_t left, n = part->bytes;
	if (!n)
		return 0;
	*bytes = part_at(part, 0, &left, error);
	if (!*bytes)
		return error_code(error);
	if (left >= n)
		return 0;
	*copy = memory_new(n + EXTENT_SLACK);
	if (!*copy)
		return error_set_memory(error);
	for (uint64_t at = 0; at < n; at += left) {
		const uint8_t *piece = part_at(part, at, &left, error);
		if (!piece)
			return error_code(error);
		memcpy(*copy + at, piece, left);
	}
	memset(*copy + n, 0, EXTENT_SLACK);
	*bytes = *copy;
	return 0;
}

static int load_lengths(struct segment *segment, trawl_error *error)
{
	int code = load_bytes(&segment->lengths_part, &segment->lengths, &segment->lengths_copy, error);
	segment->spans = segment->lengths;
	if (code || !segment->part_bytes[PART_SPANS])
		return code;
	return load_bytes(&segment->spans_part, &segment->spans, &segment->spans_copy, error);
}

static bool parse_dead_terms(struct deletions *deletions, const uint8_t *at, const uint8_t *end, uint32_t count)
{
	uint64_t number = 0;
	bool good = true;
	for (uint32_t i = 0; i < count; i++) {
		number += varint_next(&at, end, &good);
		uint64_t dead = varint_next(&at, end, &good);
		if (!good || dead > UINT32_MAX)
			return false;
		deletions->terms[i] = (struct dead_term){number, (uint32_t)dead};
	}
	return at == end;
}

static int load_deletions(struct segment *segment, trawl_error *error)
{
	struct buffer bytes = {0};
	struct deletions *deletions = &segment->deletions;
	uint32_t n = segment->documents_count, dead = 0;
	size_t words = ((size_t)n + 63) / 64;
	if (!segment->summary.deletion_bytes)
		return segment->summary.deleted ? bad_root(segment, "deletions are missing", error) : 0;
	int code = segment_read_part(segment->snapshot, segment->summary.number, PART_DELETIONS, &bytes, error);
	if (code)
		goto done;
	/* An older, longer form may have left extents behind. */
	if (bytes.length < segment->summary.deletion_bytes || segment->summary.deletion_bytes < 4 + 8 * words + 4 ||
	    load32(bytes.data) != n) {
		code = bad_root(segment, "deletions of the wrong length", error);
		goto done;
	}
	const uint8_t *end = bytes.data + segment->summary.deletion_bytes, *at = bytes.data + 4 + 8 * words;
	uint32_t count = load32(at);
	deletions->words = memory_new(8 * words);
	if (count > (uint64_t)(end - at) ||
	    !memory_reserve(&deletions->terms, &deletions->term_capacity, count, sizeof *deletions->terms) ||
	    !deletions->words) {
		code = count > (uint64_t)(end - at) ? bad_root(segment, "deletions that are cut off", error)
		                                    : error_set_memory(error);
		goto done;
	}
	memcpy(deletions->words, bytes.data + 4, 8 * words);
	for (size_t i = 0; i < words; i++)
		dead += (uint32_t)__builtin_popcountll(deletions->words[i]);
	deletions->term_count = count;
	if (!parse_dead_terms(deletions, at + 4, end, count) || dead != segment->summary.deleted ||
	    (n % 64 && deletions->words[words - 1] >> (n % 64)))
		code = bad_root(segment, "deletions that contradict the manifest", error);
done:
	buffer_release(&bytes);
	return code;
}

int segment_open(struct segment *segment, struct snapshot *snapshot, const struct manifest *manifest, size_t index,
                 trawl_error *error)
{
	*segment = (struct segment){.snapshot = snapshot, .summary = manifest->segments[index]};
	segment->has_positions = manifest->flags & FLAG_POSITIONS;
	segment->has_gaps = segment->has_positions && manifest->flags & FLAG_STOP_WORDS;
	segment->has_pairs = manifest->flags & FLAG_PAIRS;
	int code = segment_read_part(snapshot, segment->summary.number, PART_ROOT, &segment->root, error);
	if (!code)
		code = parse_root(segment, error);
	if (!code)
		code = open_parts(segment, error);
	if (!code)
		code = load_lengths(segment, error);
	if (!code)
		code = load_deletions(segment, error);
	if (!code && segment->has_pairs)
		code = segment_open_pairs(segment, error);
	if (code)
		segment_close(segment);
	return code;
}

void segment_close(struct segment *segment)
{
	part_release(&segment->id_index);
	part_release(&segment->order);
	part_release(&segment->lengths_part);
	part_release(&segment->spans_part);
	part_release(&segment->postings);
	part_release(&segment->positions);
	part_release(&segment->content_hashes);
	terms_release(&segment->terms);
	segment_close_pairs(segment);
	documents_release(&segment->stored);
	deletions_release(&segment->deletions);
	buffer_release(&segment->root);
	memory_free(segment->lengths_copy);
	memory_free(segment->spans_copy);
	segment->lengths_copy = segment->spans_copy = NULL;
}

void deletions_release(struct deletions *deletions)
{
	memory_free(deletions->words);
	memory_free(deletions->terms);
	*deletions = (struct deletions){0};
}

bool deletions_write(const struct deletions *deletions, uint32_t documents, struct buffer *out)
{
	uint32_t count = (uint32_t)deletions->term_count;
	bool done = buffer_append(out, &documents, 4) &&
	            buffer_append(out, deletions->words, 8 * (((size_t)documents + 63) / 64)) &&
	            buffer_append(out, &count, 4);
	uint64_t number = 0;
	for (uint32_t i = 0; done && i < count; i++) {
		done = buffer_append_varint(out, deletions->terms[i].number - number) &&
		       buffer_append_varint(out, deletions->terms[i].count);
		number = deletions->terms[i].number;
	}
	return done;
}

size_t segment_memory(const struct segment *segment)
{
	const struct deletions *deletions = &segment->deletions;
	size_t copies = (segment->lengths_copy ? segment->lengths_part.bytes : 0) +
	                (segment->spans_copy ? segment->spans_part.bytes : 0);
	size_t extents = segment_bytes(segment) / EXTENT_PAYLOAD * sizeof *segment->postings.extents;
	return copies + extents + segment->root.capacity + segment->pair_root.capacity +
	       (deletions->words ? segment->documents_count / 8 : 0) +
	       deletions->term_capacity * sizeof *deletions->terms;
}

uint64_t segment_bytes(const struct segment *segment)
{
	uint64_t bytes = 0;
	for (int part = PART_DOCUMENTS; part < PART_COUNT; part++)
		bytes += segment->part_bytes[part];
	return bytes;
}

uint64_t part_file_bytes(uint64_t bytes)
{
	uint64_t full = bytes / EXTENT_PAYLOAD, rest = bytes % EXTENT_PAYLOAD;
	uint64_t last = rest ? rest + 16 + EXTENT_HEADER + EXTENT_SLACK : 0;
	return full * 64 * 4096 + (last > 2000 ? (last + 4095) / 4096 * 4096 : last);
}

uint64_t segment_file_bytes(const struct segment *segment)
{
	uint64_t bytes = 0;
	for (int part = PART_DOCUMENTS; part < PART_COUNT; part++)
		bytes += part_file_bytes(segment->part_bytes[part]);
	return bytes;
}

uint32_t segment_live_df(const struct segment *segment, const struct term_entry *entry)
{
	const struct deletions *deletions = &segment->deletions;
	size_t low = 0, high = deletions->term_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (deletions->terms[middle].number < entry->number)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t dead = low < deletions->term_count && deletions->terms[low].number == entry->number
	                    ? deletions->terms[low].count
	                    : 0;
	return entry->df > dead ? entry->df - dead : 0;
}

int segment_ordinal(struct segment *segment, uint32_t doc, uint32_t *ordinal, trawl_error *error)
{
	uint64_t left;
	*ordinal = doc;
	if (!segment->order.bytes)
		return 0;
	const uint8_t *at = part_at(&segment->order, 4 * (uint64_t)doc, &left, error);
	if (!at)
		return error_code(error);
	*ordinal = load32(at);
	return 0;
}

/* The first of an extent's entries [0, n) whose hash is not below `hash`, read by windows: hashes are spread evenly between
 * `first`, the extent's first one, and `next`, that of the extent behind it. `low`: the extent's first entry. */
static int find_by_windows(struct segment *segment, uint32_t hash, uint64_t low, uint64_t n, uint32_t first,
                           uint32_t next, uint64_t *index, trawl_error *error)
{
	enum { WINDOW = 256 };
	uint8_t entries[WINDOW * ID_ENTRY];
	uint64_t guess = hash > first && next > first ? n * (hash - first) / (next - first) : 0;
	uint64_t from = guess < WINDOW / 2 ? 0 : guess - WINDOW / 2, floor = 0, ceiling = n;
	while (floor < ceiling) {
		if (from > n - 1)
			from = n - 1;
		uint64_t count = n - from < WINDOW ? n - from : WINDOW, a = 0, b = count;
		int code = part_copy(&segment->id_index, (low + from) * ID_ENTRY, (uint32_t)(count * ID_ENTRY), entries,
		                     error);
		if (code)
			return code;
		while (a < b) {
			uint64_t middle = (a + b) / 2;
			if (load32(entries + middle * ID_ENTRY) < hash)
				a = middle + 1;
			else
				b = middle;
		}
		/* At the window's border it may be before or behind. */
		if (a < count)
			ceiling = from + a;
		if (a || !from)
			floor = from + a;
		from = a ? floor : ceiling < WINDOW ? 0 : ceiling - WINDOW;
	}
	*index = low + floor;
	return 0;
}

/* The first entry of the id index whose hash is not below `hash`. */
static int find_hash(struct segment *segment, uint32_t hash, uint64_t *index, trawl_error *error)
{
	uint64_t left;
	/* The last extent that starts below the hash, for equal ones may begin at its end; else the first. */
	uint32_t extent = 0, above = segment->id_index.extent_count;
	while (above - extent > 1) {
		uint32_t middle = extent + (above - extent) / 2;
		if (load32(segment->first_hashes + 4 * (uint64_t)middle) < hash)
			extent = middle;
		else
			above = middle;
	}
	uint64_t low = (uint64_t)extent * ID_ENTRIES_PER_EXTENT;
	if (segment->id_index.places && segment->id_index.places[extent]) {
		uint64_t behind = segment->documents_count - low;
		const uint8_t *first = segment->first_hashes + 4 * (uint64_t)extent;
		return find_by_windows(
		    segment, hash, low, behind < ID_ENTRIES_PER_EXTENT ? behind : ID_ENTRIES_PER_EXTENT, load32(first),
		    extent + 1 < segment->id_index.extent_count ? load32(first + 4) : UINT32_MAX, index, error);
	}
	const uint8_t *entries = part_at(&segment->id_index, low * ID_ENTRY, &left, error);
	if (!entries)
		return error_code(error);
	uint64_t from = 0, to = left / ID_ENTRY;
	while (from < to) {
		uint64_t middle = (from + to) / 2;
		if (load32(entries + middle * ID_ENTRY) < hash)
			from = middle + 1;
		else
			to = middle;
	}
	*index = low + from;
	return 0;
}

int segment_find_id(struct segment *segment, const char *id, size_t length, struct documents_scratch *scratch,
                    uint32_t *doc, trawl_error *error)
{
	uint64_t index;
	uint32_t hash = id_hash(id, length), ordinal;
	if (!segment->documents_count)
		return 0;
	int code = find_hash(segment, hash, &index, error);
	for (; !code && index < segment->documents_count; index++) {
		uint8_t entry[ID_ENTRY];
		code = part_copy(&segment->id_index, index * ID_ENTRY, ID_ENTRY, entry, error);
		if (code || load32(entry) != hash)
			return code;
		*doc = load32(entry + 4);
		if (*doc >= segment->documents_count)
			return part_corrupt(&segment->id_index, index * ID_ENTRY, "a docID past the end", error);
		if (segment_is_dead(segment, *doc))
			continue;
		const char *found;
		size_t found_length;
		code = segment_ordinal(segment, *doc, &ordinal, error);
		if (!code)
			code = documents_id(&segment->stored, ordinal, scratch, &found, &found_length, error);
		if (!code && found_length == length && memcmp(found, id, length) == 0)
			return 1;
	}
	return code;
}

int segment_content_hash(struct segment *segment, uint32_t doc, uint64_t *hash, trawl_error *error)
{
	uint64_t left;
	uint32_t ordinal;
	int code = segment_ordinal(segment, doc, &ordinal, error);
	if (code)
		return code;
	/* Eight bytes divide an extent, so that none lies across two. */
	const uint8_t *at = part_at(&segment->content_hashes, CONTENT_HASH * (uint64_t)ordinal, &left, error);
	if (!at)
		return error_code(error);
	*hash = load64(at);
	return 0;
}

int segment_fetch(struct segment *segment, uint32_t doc, struct documents_scratch *scratch, trawl_document *document,
                  trawl_error *error)
{
	uint32_t ordinal;
	int code = segment_ordinal(segment, doc, &ordinal, error);
	if (!code)
		code = documents_id(&segment->stored, ordinal, scratch, &document->id, &document->id_length, error);
	return code ? code : documents_fetch(&segment->stored, ordinal, scratch, document, error);
}

/* ---- writing ---- */

int segment_writer_init(struct segment_writer *writer, struct store_batch *batch, uint32_t number, bool positions,
                        trawl_error *error)
{
	*writer = (struct segment_writer){.batch = batch, .number = number, .positions = positions};
	if (!number || number == UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT,
		                 "the index has used up the numbers of its segments; index again, into a new file");
	return documents_writer_init(&writer->stored, batch, number, error);
}

void segment_writer_release(struct segment_writer *writer)
{
	documents_writer_release(&writer->stored);
	part_writer_release(&writer->postings_part);
	part_writer_release(&writer->positions_part);
	postings_encoder_release(&writer->encoder);
	terms_writer_release(&writer->terms);
	buffer_release(&writer->first_hashes);
}

int segment_writer_document(struct segment_writer *writer, const trawl_document *document, trawl_error *error)
{
	return documents_writer_add(&writer->stored, document, error);
}

int segment_write_part(struct store_batch *batch, uint32_t segment, uint32_t number, const void *bytes, uint64_t length,
                       trawl_error *error)
{
	struct part_writer part;
	int code = part_writer_init(&part, batch, segment, number, error);
	if (!code)
		code = part_writer_append(&part, bytes, length, error);
	if (!code)
		code = part_writer_finish(&part, error);
	part_writer_release(&part);
	return code;
}

static int write_part(struct segment_writer *writer, uint32_t number, const void *bytes, uint64_t length,
                      trawl_error *error)
{
	return segment_write_part(writer->batch, writer->number, number, bytes, length, error);
}

struct id_entry {
	uint32_t hash, doc;
};

/* Sort by hash, stably, so that docIDs ascend among equal hashes: least significant 16 bits first. */
static void sort_ids(struct id_entry *entries, struct id_entry *scratch, uint32_t n, uint32_t *counts)
{
	for (int shift = 0; shift < 32; shift += 16) {
		memset(counts, 0, 65537 * sizeof *counts);
		for (uint32_t i = 0; i < n; i++)
			counts[(entries[i].hash >> shift & 0xffff) + 1]++;
		for (int i = 0; i < 65536; i++)
			counts[i + 1] += counts[i];
		for (uint32_t i = 0; i < n; i++)
			scratch[counts[entries[i].hash >> shift & 0xffff]++] = entries[i];
		struct id_entry *other = entries;
		entries = scratch;
		scratch = other;
	}
}

/* The id index; the root will hold the first hash of each of its extents. */
static int write_id_index(struct segment_writer *writer, const uint32_t *hashes, trawl_error *error)
{
	uint32_t n = writer->documents;
	struct id_entry *entries = memory_new(2 * (size_t)n * sizeof *entries);
	uint32_t *counts = memory_new(65537 * sizeof *counts);
	int code = entries && counts ? 0 : error_set_memory(error);
	if (!code) {
		for (uint32_t i = 0; i < n; i++)
			entries[i] = (struct id_entry){hashes[i], i};
		sort_ids(entries, entries + n, n, counts);
		code = write_part(writer, PART_ID_INDEX, entries, (uint64_t)n * ID_ENTRY, error);
		for (uint64_t i = 0; !code && i < n; i += ID_ENTRIES_PER_EXTENT)
			if (!buffer_append(&writer->first_hashes, &entries[i].hash, 4))
				code = error_set_memory(error);
	}
	memory_free(entries);
	memory_free(counts);
	return code;
}

int segment_writer_begin_terms(struct segment_writer *writer, uint32_t documents, const uint8_t *lengths,
                               const uint8_t *spans, uint64_t tokens, const uint32_t *order, const uint32_t *hashes,
                               trawl_error *error)
{
	struct postings_encoder *encoder = &writer->encoder;
	writer->documents = documents;
	writer->ordered = order != NULL;
	writer->lengths = lengths;
	writer->tokens = tokens;
	writer->average = documents ? (float)((double)tokens / documents) : 0;
	int code = documents_writer_finish(&writer->stored, error);
	if (!code)
		code = write_id_index(writer, hashes, error);
	if (!code && order)
		code = write_part(writer, PART_ORDER, order, 4 * (uint64_t)documents, error);
	if (!code)
		code = write_part(writer, PART_LENGTHS, lengths, documents, error);
	if (!code && spans)
		code = write_part(writer, PART_SPANS, spans, documents, error);
	if (!code)
		code = part_writer_init(&writer->postings_part, writer->batch, writer->number, PART_POSTINGS, error);
	if (!code && writer->positions)
		code = part_writer_init(&writer->positions_part, writer->batch, writer->number, PART_POSITIONS, error);
	if (!code)
		code = terms_writer_init(&writer->terms, writer->batch, writer->number, PART_TERMS, writer->positions,
		                         error);
	if (code)
		return code;
	encoder->postings = &writer->postings_part;
	encoder->positions = writer->positions ? &writer->positions_part : NULL;
	encoder->lengths = lengths;
	encoder->spans = spans ? spans : lengths;
	encoder->documents = documents;
	bm25_denominators(BORN_K1, BORN_B, writer->average, encoder->denominators);
	return 0;
}

int segment_writer_term(struct segment_writer *writer, const char *term, uint8_t length, const uint32_t *docs,
                        const uint32_t *tfs, uint32_t df, const struct position_source *source, trawl_error *error)
{
	struct term_entry entry = {.df = df};
	struct part_writer *positions = writer->encoder.positions;
	int code;
	writer->postings_count += df;
	if (df > 1) {
		code = postings_encode(&writer->encoder, docs, tfs, df, source, &entry.place, error);
	} else {
		entry.doc = docs[0];
		entry.tf = tfs[0];
		entry.position_inline = positions && entry.tf == 1;
		entry.place.positions = positions ? positions->address : 0;
		if (entry.position_inline)
			code = source->next(source->context, 1, &entry.position, error);
		else
			code = positions_encode(&writer->encoder, entry.doc, entry.tf, source, error);
		if (!code)
			code = positions_finish(&writer->encoder, error);
		entry.place.positions_bytes = positions ? positions->address - entry.place.positions : 0;
	}
	return code ? code : terms_writer_add(&writer->terms, term, length, &entry, error);
}

/* A term in a run of encoded ones; its bytes follow, and then its list, or with df = 1 its positions unless inline. */
struct apart_term {
	uint64_t positions_bytes; /* df = 1 */
	uint32_t df, doc, tf, position;
	uint8_t length;
	bool position_inline;
};

void segment_writer_encoder(const struct segment_writer *writer, struct postings_encoder *encoder)
{
	const struct postings_encoder *own = &writer->encoder;
	*encoder = (struct postings_encoder){.postings = own->postings,
	                                     .positions = own->positions,
	                                     .lengths = own->lengths,
	                                     .spans = own->spans,
	                                     .documents = own->documents};
	memcpy(encoder->denominators, own->denominators, sizeof own->denominators);
}

int segment_term_encode(struct postings_encoder *encoder, const char *term, uint8_t length, const uint32_t *docs,
                        const uint32_t *tfs, uint32_t df, const struct position_source *source, struct buffer *out,
                        trawl_error *error)
{
	struct apart_term head = {.df = df, .doc = docs[0], .tf = tfs[0], .length = length};
	size_t at = out->length;
	int code = 0;
	head.position_inline = df == 1 && encoder->positions && tfs[0] == 1;
	if (!buffer_append(out, &head, sizeof head) || !buffer_append(out, term, length) || !buffer_pad(out, 8))
		return error_set_memory(error);
	if (df > 1)
		return postings_encode_apart(encoder, docs, tfs, df, source, out, error);
	size_t positions_at = out->length;
	encoder->apart = out;
	if (head.position_inline)
		code = source->next(source->context, 1, &head.position, error);
	else
		code = positions_encode(encoder, head.doc, head.tf, source, error);
	if (!code)
		code = positions_finish(encoder, error);
	head.positions_bytes = out->length - positions_at;
	memcpy(out->data + at, &head, sizeof head);
	return !code && !buffer_pad(out, 8) ? error_set_memory(error) : code;
}

int segment_writer_place(struct segment_writer *writer, const struct buffer *encoded, trawl_error *error)
{
	const uint8_t *at = encoded->data, *end = at + encoded->length;
	struct part_writer *positions = writer->encoder.positions;
	int code = 0;
	while (!code && at < end) {
		const struct apart_term *head = (const void *)at;
		const char *term = (const char *)(head + 1);
		struct term_entry entry = {.df = head->df};
		writer->postings_count += head->df;
		at += (sizeof *head + head->length + 7) & ~(size_t)7;
		if (head->df > 1) {
			code = postings_place(&writer->encoder, &at, &entry.place, error);
		} else {
			entry.doc = head->doc;
			entry.tf = head->tf;
			entry.position_inline = head->position_inline;
			entry.position = head->position;
			entry.place.positions = positions ? positions->address : 0;
			entry.place.positions_bytes = head->positions_bytes;
			if (positions)
				code = part_writer_append(positions, at, head->positions_bytes, error);
			at += (head->positions_bytes + 7) & ~(size_t)7;
		}
		if (!code)
			code = terms_writer_add(&writer->terms, term, head->length, &entry, error);
	}
	return code;
}

static void length_extremes(const struct segment_writer *writer, uint8_t *least, uint8_t *greatest)
{
	*least = 255;
	*greatest = 0;
	for (uint32_t i = 0; i < writer->documents; i++) {
		uint8_t code = writer->lengths[i];
		*least = code < *least ? code : *least;
		*greatest = code > *greatest ? code : *greatest;
	}
}

static int write_root(struct segment_writer *writer, trawl_error *error)
{
	struct buffer root = {0};
	uint8_t fixed[ROOT_FIXED] = {0};
	float k1 = BORN_K1, b = BORN_B;
	const struct documents_writer *stored = &writer->stored;
	store32(fixed, writer->documents);
	store32(fixed + 4, stored->ordinal);
	store64(fixed + 8, writer->tokens);
	store64(fixed + 16, writer->postings_count);
	store64(fixed + 24, writer->terms.terms);
	store64(fixed + 32, writer->text_bytes);
	memcpy(fixed + 40, &k1, 4);
	memcpy(fixed + 44, &b, 4);
	memcpy(fixed + 48, &writer->average, 4);
	length_extremes(writer, &fixed[52], &fixed[53]);
	const uint64_t bytes[PART_TERMS - PART_DOCUMENTS + 1] = {stored->documents.address,
	                                                         stored->blocks.address,
	                                                         stored->dictionary.length,
	                                                         stored->ids.address,
	                                                         stored->id_blocks.address,
	                                                         ID_ENTRY * (uint64_t)writer->documents,
	                                                         writer->ordered ? 4 * (uint64_t)writer->documents : 0,
	                                                         writer->documents,
	                                                         writer->postings_part.address,
	                                                         writer->positions_part.address,
	                                                         writer->terms.part.address};
	memcpy(fixed + 56, bytes, sizeof bytes);
	int code = buffer_append(&root, fixed, ROOT_FIXED) &&
	                   buffer_append(&root, writer->terms.first_terms.data, writer->terms.first_terms.length) &&
	                   buffer_append(&root, writer->first_hashes.data, writer->first_hashes.length)
	               ? 0
	               : error_set_memory(error);
	if (!code)
		code = write_part(writer, PART_ROOT, root.data, root.length, error);
	buffer_release(&root);
	return code;
}

int segment_writer_finish(struct segment_writer *writer, struct manifest_segment *summary, trawl_error *error)
{
	int code = part_writer_finish(&writer->postings_part, error);
	if (!code && writer->positions)
		code = part_writer_finish(&writer->positions_part, error);
	if (!code)
		code = terms_writer_finish(&writer->terms, error);
	if (!code)
		code = write_root(writer, error);
	*summary = (struct manifest_segment){.number = writer->number,
	                                     .documents = writer->documents,
	                                     .live_tokens = writer->tokens,
	                                     .live_postings = writer->postings_count,
	                                     .live_text_bytes = writer->text_bytes};
	return code;
}
