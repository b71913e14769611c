/*
 * salvage.c - trawl_salvage: what still verifies of a damaged index, written to a new one.
 *
 * Only stored documents and ids are needed: terms, postings and positions are made anew by the writer. Where the tree of pages
 * is damaged, all pages are searched for extents. Where the manifest is the commit's own, its segments are taken; else also
 * those that came after an older one that was found. Of several documents with one id the one of the newest segment
 * counts, also if it is deleted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "checker/documents_check.h"
#include "checker/source.h"
#include "store/copy.h"
#include "store/signature.h"

#define COMMIT_EVERY (DOCUMENTS_MAX / 2)

/* A set of ids by their XXH3-128. */
struct id_set {
	XXH128_hash_t *slots; /* all zero: free */
	size_t count, size;   /* a power of two */
};

/* A segment to be rescued. */
struct wreck {
	uint32_t number;
	const struct told_segment *told;
	uint64_t *wanted; /* a bit an ordinal: it lives, and no newer document has its id */
	uint64_t live;    /* as far as that is known */
};

struct salvage {
	const char *path;
	const trawl_salvage_options *options;
	trawl_salvage_result *result;
	struct report report, mute;
	struct source source;
	struct told_manifest manifest;
	bool manifest_found, manifest_last; /* the last: it is the commit's own */
	bool doubtful;                      /* which documents are deleted is not wholly known */
	struct wreck *wrecks;               /* ascending by number */
	size_t wreck_count, wreck_capacity;
	struct id_set ids;
	trawl_writer *writer;
	uint64_t uncommitted;
	bool no_memory;
	trawl_error *error;
};

/* ---- ids ---- */

static bool grow_set(struct id_set *set)
{
	size_t size = set->size ? 2 * set->size : 1024;
	XXH128_hash_t *slots = memory_new_zeroed(size, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < set->size; i++) {
		if (!set->slots[i].low64 && !set->slots[i].high64)
			continue;
		size_t at = set->slots[i].low64 & (size - 1);
		while (slots[at].low64 || slots[at].high64)
			at = (at + 1) & (size - 1);
		slots[at] = set->slots[i];
	}
	memory_free(set->slots);
	set->slots = slots;
	set->size = size;
	return true;
}

/* 1: new; 0: it was there; -1: out of memory. */
static int add_id(struct id_set *set, const void *id, size_t length)
{
	if (set->count >= set->size / 2 && !grow_set(set))
		return -1;
	XXH128_hash_t hash = XXH3_128bits(id, length);
	size_t at = hash.low64 & (set->size - 1);
	for (; set->slots[at].low64 || set->slots[at].high64; at = (at + 1) & (set->size - 1))
		if (set->slots[at].low64 == hash.low64 && set->slots[at].high64 == hash.high64)
			return 0;
	set->slots[at] = hash;
	set->count++;
	return 1;
}

/* ---- which extents, which manifest ---- */

static void tell_search(void *context, uint64_t bytes)
{
	report_progress(context, bytes);
}

static bool is_signed(struct image *image, struct extent_place *manifest)
{
	return !image_verify(image, manifest, NULL) &&
	       signature_fits(load64(image->value + EXTENT_SIGNATURE), image->transaction);
}

/* Verify all extents; where the tree or one of them is damaged, search the pages. */
static int gather(struct salvage *salvage)
{
	struct image *image = &salvage->source.image;
	uint64_t total = 0, damaged = 0;
	int code = image_walk(image, salvage->error);
	if (code)
		return code;
	struct extent_place *manifest = image_find(image, 0, PART_MANIFEST, 0);
	if (manifest && image_verify(image, manifest, NULL) == image_other_format)
		return store_refuse_format(image->path, load16(image->value + 4), salvage->error);
	for (size_t i = 0; i < image->place_count; i++)
		total += image->places[i].bytes;
	report_stage(&salvage->report, total, "extents");
	for (size_t i = 0; i < image->place_count; i++) {
		struct extent_place *place = &image->places[i];
		const char *wrong = image_verify(image, place, NULL);
		report_progress(&salvage->report, place->bytes);
		damaged += wrong != NULL;
		if (wrong)
			report_damage(&salvage->report, place->segment, part_name(place->part),
			              (uint64_t)place->extent * EXTENT_PAYLOAD, "extent %u, at page %llu: %s",
			              place->extent, (unsigned long long)(place->offset / image->page_bytes), wrong);
	}
	manifest = image_find(image, 0, PART_MANIFEST, 0);
	uint64_t offset = manifest && manifest->verified ? manifest->offset : 0;
	/* An old page in the place of the last one's: the last manifest may still be found. */
	if (offset && !is_signed(image, manifest))
		offset = 0, manifest->verified = false;
	salvage->manifest_last = offset != 0;
	if (salvage->source.sound && offset && !damaged && !image->untold)
		return 0;
	/* Of damaged pages the newest may be what the store can no longer see. */
	if (manifest && !salvage->source.sound)
		manifest->verified = false;
	salvage->result->scanned = true;
	report_stage(&salvage->report, image->file_bytes, "pages");
	code = image_search(image, tell_search, &salvage->report, salvage->error);
	manifest = image_find(image, 0, PART_MANIFEST, 0);
	salvage->manifest_last = salvage->source.metas_sound && offset && manifest && manifest->offset == offset;
	return code;
}

static int read_manifest(struct salvage *salvage)
{
	struct image *image = &salvage->source.image;
	struct extent_place *place = image_find(image, 0, PART_MANIFEST, 0);
	const char *wrong = "it is missing";
	if (place && !(wrong = image_verify(image, place, NULL))) {
		int code = told_manifest_parse(&salvage->manifest, image->value + EXTENT_HEADER,
		                               place->bytes - VALUE_BYTES_LEAST, &wrong);
		if (code == TRAWL_ENOMEM)
			return error_set_memory(salvage->error);
		if (code == TRAWL_EVERSION)
			return told_manifest_refuse(&salvage->manifest, image->path, salvage->error);
		if (!code) {
			salvage->manifest_found = true;
			if (!salvage->manifest_last)
				report_damage(&salvage->report, 0, part_name(PART_MANIFEST), NO_OFFSET,
				              "that of generation %llu is the newest found, and may not be the last",
				              (unsigned long long)salvage->manifest.generation);
			return 0;
		}
		told_manifest_release(&salvage->manifest);
	}
	report_damage(&salvage->report, 0, part_name(PART_MANIFEST), NO_OFFSET, "%s", wrong);
	return 0;
}

/* The segments of the manifest; unless it is the last one for sure, also those that may have come later. */
static int list_wrecks(struct salvage *salvage)
{
	const struct image *image = &salvage->source.image;
	const struct told_manifest *manifest = &salvage->manifest;
	for (uint32_t i = 0; i < manifest->segment_count; i++) {
		if (!memory_reserve(&salvage->wrecks, &salvage->wreck_capacity, salvage->wreck_count + 1,
		                    sizeof *salvage->wrecks))
			return error_set_memory(salvage->error);
		salvage->wrecks[salvage->wreck_count++] =
		    (struct wreck){.number = manifest->segments[i].number, .told = &manifest->segments[i]};
	}
	uint32_t last = 0, from = salvage->manifest_found ? manifest->next_segment : 1;
	for (size_t i = 0; !salvage->manifest_last && i < image->place_count; i++) {
		const struct extent_place *place = &image->places[i];
		/* A segment's root is the last that is written of it: without one it is an unfinished commit's. Without any
		 * manifest there is no such luxury: what has documents is taken. */
		if (place->segment < from || place->segment == last || place->extent ||
		    place->part != (salvage->manifest_found ? PART_ROOT : PART_DOCUMENTS))
			continue;
		last = place->segment;
		if (!memory_reserve(&salvage->wrecks, &salvage->wreck_capacity, salvage->wreck_count + 1,
		                    sizeof *salvage->wrecks))
			return error_set_memory(salvage->error);
		salvage->wrecks[salvage->wreck_count++] = (struct wreck){.number = last};
	}
	return 0;
}

/* ---- opening a segment ---- */

/* What is needed of a segment to rescue its documents. */
struct rescue {
	struct subject subject;
	uint32_t *index; /* the id index: pairs of hash and docID; NULL: unreadable */
	bool ordered;    /* doc_of is what the segment says */
};

static void rescue_close(struct rescue *rescue)
{
	memory_free(rescue->index);
	subject_release(&rescue->subject);
}

static bool rescue_open(struct salvage *salvage, const struct wreck *wreck, struct report *report,
                        struct rescue *rescue)
{
	struct subject *subject = &rescue->subject;
	*rescue = (struct rescue){.subject = {.image = &salvage->source.image,
	                                      .report = report,
	                                      .told = wreck->told,
	                                      .number = wreck->number,
	                                      .positions = true,
	                                      .lenient = true}};
	bool rooted = subject_open(subject);
	if (!rooted && !subject->no_memory && !subject_reconstruct(subject))
		return false;
	if (!subject->no_memory)
		subject_load(subject);
	if (subject->no_memory)
		return false;
	rescue->ordered = rooted && (subject->order || !subject->bytes[PART_ORDER]);
	if (subject->bytes[PART_ID_INDEX] == 8 * (uint64_t)subject->documents)
		rescue->index = (uint32_t *)(void *)subject_read(subject, PART_ID_INDEX);
	return !subject->no_memory;
}

/* The first entry of the id index that is not below `hash`. */
static uint32_t find_hash(const struct rescue *rescue, uint32_t hash)
{
	uint32_t low = 0, high = rescue->subject.documents;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (rescue->index[2 * (size_t)middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The docID of an ordinal with this id; UINT32_MAX: none, or it cannot be told. The id index knows both the id and the docID, so
 * that it vouches for the order, or takes its place where only one document has the hash. */
static uint32_t find_doc(const struct rescue *rescue, uint32_t ordinal, const void *id, size_t length)
{
	const struct subject *subject = &rescue->subject;
	uint32_t doc = rescue->ordered ? subject->doc_of[ordinal] : UINT32_MAX, found = UINT32_MAX, count = 0;
	if (!rescue->index || (rescue->ordered && doc == UINT32_MAX))
		return doc;
	uint32_t hash = (uint32_t)(hash_bytes(id, length) >> 32);
	for (uint32_t i = find_hash(rescue, hash); i < subject->documents && rescue->index[2 * (size_t)i] == hash;
	     i++) {
		uint32_t candidate = rescue->index[2 * (size_t)i + 1];
		if (candidate >= subject->documents)
			return UINT32_MAX;
		if (candidate == doc)
			return doc;
		found = candidate;
		count++;
	}
	return rescue->ordered || count != 1 ? UINT32_MAX : found;
}

/* ---- ids, block by block ---- */

/* The ids of 32 ordinals. */
struct id_window {
	struct id_reader reader;
	uint64_t next;       /* where the block after this one should be; UINT64_MAX: unknown */
	uint64_t *addresses; /* of all blocks, once surveyed; UINT64_MAX: unknown */
	uint32_t first, count;
	uint32_t starts[ID_BLOCK + 1];
	uint8_t bytes[ID_BLOCK * ID_BYTES_MAX];
};

static bool enter_block(struct id_window *window, uint32_t block)
{
	struct id_reader *reader = &window->reader;
	if (window->addresses)
		return window->addresses[block] != UINT64_MAX && !ids_enter_at(reader, window->addresses[block]);
	if (!ids_enter(reader, block))
		return true;
	/* Its address cannot be read: go on where the block before ended. */
	return reader->blocks.loaded == UINT32_MAX && window->next != UINT64_MAX && !ids_enter_at(reader, window->next);
}

static void load_ids(struct id_window *window, uint32_t block)
{
	struct id_reader *reader = &window->reader;
	window->first = block * ID_BLOCK;
	window->count = 0;
	if (!enter_block(window, block)) {
		window->next = UINT64_MAX;
		return;
	}
	window->starts[0] = 0;
	while (window->count < ID_BLOCK && window->first + window->count < reader->subject->ordinals &&
	       ids_next(reader)) {
		uint32_t start = window->starts[window->count++];
		memcpy(window->bytes + start, reader->id, reader->length);
		window->starts[window->count] = start + reader->length;
	}
	bool whole = window->count == ID_BLOCK;
	window->next = whole ? reader->address + (uint64_t)(reader->at - reader->start) : UINT64_MAX;
}

static const char *window_id(const struct id_window *window, uint32_t ordinal, size_t *length)
{
	uint32_t i = ordinal - window->first;
	if (i >= window->count)
		return NULL;
	*length = window->starts[i + 1] - window->starts[i];
	return (const char *)window->bytes + window->starts[i];
}

/* Find all blocks from the first to the last, so that they can be loaded in any order. */
static void survey_ids(struct id_window *window, uint32_t blocks)
{
	uint64_t *addresses = memory_new(((size_t)blocks + 1) * sizeof *addresses);
	if (!addresses) {
		window->reader.subject->no_memory = true;
		return;
	}
	for (uint32_t block = 0; block < blocks; block++) {
		load_ids(window, block);
		addresses[block] = window->count ? window->reader.address : UINT64_MAX;
	}
	window->addresses = addresses;
}

static void close_window(struct id_window *window)
{
	if (window) {
		ids_release(&window->reader);
		memory_free(window->addresses);
	}
	memory_free(window);
}

static struct id_window *open_window(struct subject *subject)
{
	struct id_window *window = memory_new(sizeof *window);
	if (!window) {
		subject->no_memory = true;
		return NULL;
	}
	window->next = 0;
	window->addresses = NULL;
	window->first = window->count = 0;
	if (ids_open(&window->reader, subject))
		return window;
	close_window(window);
	return NULL;
}

/* ---- first pass: which documents ---- */

static bool want_window(struct salvage *salvage, struct wreck *wreck, const struct rescue *rescue,
                        const struct id_window *window)
{
	for (uint32_t i = 0; i < window->count; i++) {
		/* In a segment an id has one document, unless the order is lost: then its last ordinal is it. */
		uint32_t ordinal = window->first + (rescue->ordered ? i : window->count - 1 - i);
		size_t length = 0;
		const char *id = window_id(window, ordinal, &length);
		uint32_t doc = find_doc(rescue, ordinal, id, length);
		int added = doc == UINT32_MAX ? 0 : add_id(&salvage->ids, id, length);
		if (added < 0)
			return false;
		bool deleted = doc == UINT32_MAX || subject_is_deleted(&rescue->subject, doc);
		wreck->live -= !added && !deleted && wreck->live; /* a newer one took its place */
		if (added && !deleted)
			wreck->wanted[ordinal / 64] |= (uint64_t)1 << (ordinal % 64);
	}
	return true;
}

static uint64_t count_deleted(const struct subject *subject)
{
	uint64_t deleted = 0;
	for (uint32_t doc = 0; doc < subject->documents; doc++)
		deleted += subject_is_deleted(subject, doc);
	return deleted;
}

static void choose_documents(struct salvage *salvage, struct wreck *wreck)
{
	struct rescue rescue;
	struct subject *subject = &rescue.subject;
	struct id_window *window = NULL;
	wreck->live = wreck->told ? wreck->told->documents - wreck->told->deleted : 0;
	if (!rescue_open(salvage, wreck, &salvage->report, &rescue))
		goto done;
	salvage->doubtful = salvage->doubtful || subject->deletions_unknown;
	if (!wreck->told)
		wreck->live = subject->documents - count_deleted(subject);
	wreck->wanted = memory_new_zeroed((size_t)subject->ordinals / 64 + 1, 8);
	window = open_window(subject);
	if (!wreck->wanted)
		subject->no_memory = true;
	uint32_t blocks = (subject->ordinals + ID_BLOCK - 1) / ID_BLOCK;
	if (window && !rescue.ordered)
		survey_ids(window, blocks);
	for (uint32_t i = 0; i < blocks && !subject->no_memory; i++) {
		load_ids(window, rescue.ordered ? i : blocks - 1 - i);
		if (!want_window(salvage, wreck, &rescue, window))
			subject->no_memory = true;
	}
done:
	salvage->no_memory = salvage->no_memory || subject->no_memory;
	close_window(window);
	rescue_close(&rescue);
}

/* ---- second pass: their text ---- */

static int add_document(struct salvage *salvage, struct wreck *wreck, const trawl_document *document)
{
	trawl_error why = {0};
	char id[64];
	int code = trawl_writer_add(salvage->writer, document, &why);
	if (code == TRAWL_ELIMIT || code == TRAWL_EINPUT) {
		report_damage(&salvage->report, wreck->number, part_name(PART_DOCUMENTS), NO_OFFSET,
		              "document \"%s\": %s", shown(document->id, document->id_length, id, sizeof id), why.text);
		return 0;
	}
	if (code) {
		if (salvage->error)
			*salvage->error = why;
		return code;
	}
	/* Where ids are wrong two documents may have the same, and one takes the other's place. */
	trawl_writer_stats written;
	trawl_writer_get_stats(salvage->writer, &written);
	wreck->live -= written.added > salvage->result->rescued && wreck->live > 0;
	salvage->result->rescued = written.added;
	if (++salvage->uncommitted < COMMIT_EVERY)
		return 0;
	salvage->uncommitted = 0;
	return trawl_writer_commit(salvage->writer, salvage->error);
}

/* The wanted documents of a decompressed block. *next: the first ordinal behind it. */
static int rescue_block(struct salvage *salvage, struct wreck *wreck, struct stored *stored,
                        const struct stored_block *block, struct id_window *window, uint32_t *next)
{
	size_t offset = 0;
	uint32_t ordinal = block->first;
	int code = 0;
	for (; !code && ordinal < block->next && offset < stored->content.length; ordinal++) {
		trawl_document document;
		if (!stored_record(stored, &offset, &document))
			break;
		while (window->first + ID_BLOCK <= ordinal)
			load_ids(window, window->first / ID_BLOCK + 1);
		document.id = window_id(window, ordinal, &document.id_length);
		if (document.id && wreck->wanted[ordinal / 64] >> (ordinal % 64) & 1)
			code = add_document(salvage, wreck, &document);
	}
	*next = ordinal;
	return code;
}

/* Frames follow on each other, so that one goes on behind the last where the list of blocks cannot be read. */
static int rescue_blocks(struct salvage *salvage, struct wreck *wreck, struct stored *stored, struct id_window *window)
{
	uint64_t address = 0;
	uint32_t first = 0, count = stored_block_count(stored);
	int code = 0;
	load_ids(window, 0);
	for (uint32_t i = 0; !code && (i < count || (address != UINT64_MAX && address < stored->documents.bytes));
	     i++) {
		struct stored_block block;
		bool told = i < count && stored_block(stored, i, &block);
		if (!told && (address == UINT64_MAX || !stored_frame(stored, address, first, &block))) {
			address = UINT64_MAX;
			continue;
		}
		const char *wrong = stored_decompress(stored, &block);
		if (wrong && *wrong)
			report_damage(&salvage->report, wreck->number, part_name(PART_DOCUMENTS), block.address, "%s",
			              wrong);
		if (!wrong)
			code = rescue_block(salvage, wreck, stored, &block, window, &first);
		address = wrong && !told ? UINT64_MAX : block.end;
		first = told ? block.next : first;
		report_progress(&salvage->report, block.end - block.address);
	}
	return code;
}

static int rescue_segment(struct salvage *salvage, struct wreck *wreck)
{
	struct rescue rescue;
	struct stored stored = {0};
	struct id_window *window = NULL;
	int code = 0;
	if (!wreck->wanted)
		return 0;
	if (rescue_open(salvage, wreck, &salvage->mute, &rescue)) {
		struct subject *subject = &rescue.subject;
		report_stage(&salvage->report, subject->bytes[PART_DOCUMENTS], "segment %u: documents", wreck->number);
		subject->report = &salvage->report;
		window = open_window(subject);
		if (window && stored_open(&stored, subject) && stored_dictionary(&stored))
			code = rescue_blocks(salvage, wreck, &stored, window);
		stored_release(&stored);
	}
	salvage->no_memory = salvage->no_memory || rescue.subject.no_memory;
	close_window(window);
	rescue_close(&rescue);
	return code;
}

/* ---- the new index ---- */

static int open_writer(struct salvage *salvage, const char *path)
{
	const struct told_manifest *manifest = &salvage->manifest;
	const trawl_salvage_options *options = salvage->options;
	trawl_writer_options writer = {.analysis = options->analysis,
	                               .no_positions = options->no_positions,
	                               .memory_budget = options->memory_budget,
	                               .progress = options->progress,
	                               .progress_context = options->context};
	if (salvage->manifest_found) {
		writer.analysis = (trawl_analysis){.language = manifest->language,
		                                   .stop_words = manifest->flags & FLAG_STOP_WORDS,
		                                   .fold_diacritics = manifest->flags & FLAG_FOLD_DIACRITICS};
		writer.no_positions = !(manifest->flags & FLAG_POSITIONS);
		writer.bigrams = manifest->flags & FLAG_BIGRAMS;
	}
	salvage->result->analysis_known = salvage->manifest_found;
	return trawl_writer_open(&salvage->writer, path, &writer, salvage->error);
}

/* An empty file with the owner and the mode of the old index: what only some may read must not be rescued for all. */
static int make_new(const char *path, const char *like, trawl_error *error)
{
	int file = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (file < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return error_set(error, TRAWL_EIO, "%s cannot be made: no permission to write to its folder", path);
	if (file < 0)
		return error_set_system(error, errno, "making %s", path);
	int code = copy_take_after(file, like, path, error);
	close(file);
	return code;
}

/* What failed after its commit leaves an index that nobody has been told of, in the way of the next attempt. */
static void remove_new(const char *path)
{
	unlink(path);
	remove_beside(path, LOCK_SUFFIX);
}

static int rescue_all(struct salvage *salvage, const char *path)
{
	trawl_salvage_result *result = salvage->result;
	int code = 0;
	/* The newest document of an id wins: the newest segment first. */
	for (size_t i = salvage->wreck_count; i-- > 0 && !salvage->no_memory;)
		choose_documents(salvage, &salvage->wrecks[i]);
	if (salvage->no_memory)
		return error_set_memory(salvage->error);
	code = make_new(path, salvage->path, salvage->error);
	if (code)
		return code;
	code = open_writer(salvage, path);
	for (size_t i = 0; i < salvage->wreck_count && !code && !salvage->no_memory; i++)
		code = rescue_segment(salvage, &salvage->wrecks[i]);
	if (!code && salvage->no_memory)
		code = error_set_memory(salvage->error);
	if (!code && result->rescued)
		code = trawl_writer_commit(salvage->writer, salvage->error);
	trawl_writer_close(salvage->writer);
	if (code || !result->rescued)
		remove_new(path);
	for (size_t i = 0; i < salvage->wreck_count; i++)
		result->lost += salvage->wrecks[i].live;
	result->lost_exact = salvage->manifest_last && !salvage->doubtful;
	return code;
}

static int open_image(struct salvage *salvage, const char *path)
{
	struct image *image = &salvage->source.image;
	int code = image_open(image, path, salvage->error);
	if (code != TRAWL_ENOTINDEX || image->file_bytes < 3 * 4096)
		return code ? code : source_open(&salvage->source, &salvage->report, salvage->error);
	/* Its first pages may be all that is gone. */
	report_damage(&salvage->report, 0, "pages", 0, "neither of the first two is a meta page");
	image_assume(image);
	return 0;
}

static int compare_wrecks(const void *a, const void *b)
{
	uint32_t left = ((const struct wreck *)a)->number, right = ((const struct wreck *)b)->number;
	return (left > right) - (left < right);
}

int trawl_salvage(const char *path, const char *new_path, const trawl_salvage_options *options,
                  trawl_salvage_result *result, trawl_error *error)
{
	static const trawl_salvage_options defaults;
	options = options ? options : &defaults;
	struct salvage salvage = {
	    .path = path,
	    .options = options,
	    .result = result,
	    .error = error,
	    .report = {.finding = options->finding, .progress = options->progress, .context = options->context},
	    .source.image.file = -1};
	*result = (trawl_salvage_result){0};
	if (access(new_path, F_OK) == 0)
		return error_set(error, TRAWL_EINVAL, "%s exists already; what is rescued goes to a new file",
		                 new_path);
	int code = cpu_check(error);
	if (code)
		return code;
	code = open_image(&salvage, path);
	if (!code)
		code = gather(&salvage);
	if (!code)
		code = read_manifest(&salvage);
	if (!code && !salvage.source.image.place_count)
		code = error_set(error, TRAWL_ENOTINDEX, "%s has no extent of an index that verifies", path);
	if (!code)
		code = list_wrecks(&salvage);
	if (!code && salvage.wreck_count)
		qsort(salvage.wrecks, salvage.wreck_count, sizeof *salvage.wrecks, compare_wrecks);
	if (!code)
		code = rescue_all(&salvage, new_path);
	for (size_t i = 0; i < salvage.wreck_count; i++)
		memory_free(salvage.wrecks[i].wanted);
	memory_free(salvage.wrecks);
	memory_free(salvage.ids.slots);
	told_manifest_release(&salvage.manifest);
	source_close(&salvage.source);
	return code;
}
