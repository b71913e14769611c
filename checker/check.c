/*
 * check.c - trawl_check: from the store's pages to the last posting, in an order in which each step needs only what the ones
 * before have verified.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "checker/source.h"
#include "checker/subject.h"
#include "store/signature.h"
#include "tokenizer/tokenizer.h"

struct check {
	const trawl_check_options *options;
	trawl_check_result *result;
	struct report report;
	struct source source;
	struct told_manifest manifest;
	struct live_ids live;
	struct tokenizer *tokenizer; /* only to compare the text */
	trawl_error *error;
};

/* ---- the manifest ---- */

static int no_index(struct check *check, const char *why)
{
	return error_set(check->error, TRAWL_ENOTINDEX, "%s %s", check->source.image.path, why);
}

/* Without a manifest there is an index all the same if there are extents, and nothing more that could be checked. */
static int miss_manifest(struct check *check)
{
	struct image *image = &check->source.image;
	for (size_t i = 0; i < image->place_count; i++) {
		uint8_t magic[4];
		if (image_read(image, image->places[i].offset, magic, 4) == 4 && load32(magic) == EXTENT_MAGIC) {
			report_damage(&check->report, 0, part_name(PART_MANIFEST), NO_OFFSET, "it is missing");
			return 0;
		}
	}
	if (check->report.damages)
		return 0;
	return no_index(check, image->place_count || image->untold
	                           ? "is not a trawl index"
	                           : "has no commit yet: it is being written, or its first run did not finish");
}

static int read_manifest(struct check *check)
{
	struct image *image = &check->source.image;
	struct extent_place *place = image_find(image, 0, PART_MANIFEST, 0);
	if (!place)
		return miss_manifest(check);
	const char *wrong = image_verify(image, place, NULL);
	uint32_t format = load16(image->value + 4);
	if (wrong == image_other_format || (load32(image->value) == EXTENT_MAGIC && format > FORMAT_VERSION))
		return store_refuse_format(image->path, format, check->error);
	if (!wrong && !signature_fits(load64(image->value + EXTENT_SIGNATURE), image->transaction))
		wrong = "it is not the last commit's";
	int code = wrong ? TRAWL_ECORRUPT
	                 : told_manifest_parse(&check->manifest, image->value + EXTENT_HEADER,
	                                       place->bytes - VALUE_BYTES_LEAST, &wrong);
	if (code == TRAWL_EVERSION)
		return told_manifest_refuse(&check->manifest, image->path, check->error);
	if (code == TRAWL_ENOMEM)
		return error_set_memory(check->error);
	if (code) {
		report_damage(&check->report, 0, part_name(PART_MANIFEST), 0, "%s", wrong);
		told_manifest_release(&check->manifest);
		return 0;
	}
	if (!check->manifest.generation)
		return no_index(check, "has no commit yet: it is being written, or its first run did not finish");
	check->result->generation = check->manifest.generation;
	check->result->segments = check->manifest.segment_count;
	return 0;
}

static const struct told_segment *find_told(const struct told_manifest *manifest, uint32_t number)
{
	for (uint32_t i = 0; i < manifest->segment_count; i++)
		if (manifest->segments[i].number == number)
			return &manifest->segments[i];
	return NULL;
}

static void check_manifest(struct check *check)
{
	const struct told_manifest *manifest = &check->manifest;
	const char *part = part_name(PART_MANIFEST);
	for (uint32_t i = 0; i < manifest->segment_count; i++) {
		const struct told_segment *told = &manifest->segments[i];
		if (!told->number || told->number >= manifest->next_segment)
			report_damage(&check->report, 0, part, NO_OFFSET,
			              "segment %u is not below the next one's number", told->number);
		if (find_told(manifest, told->number) != told)
			report_damage(&check->report, 0, part, NO_OFFSET, "segment %u is named twice", told->number);
		if (told->deleted > told->documents)
			report_damage(&check->report, 0, part, NO_OFFSET,
			              "segment %u has more deleted documents than documents", told->number);
		else
			check->result->documents += told->documents - told->deleted;
	}
}

/* ---- extents ---- */

/* What an unfinished commit wrote, or the last writer has not swept yet. */
static void report_leftovers(struct check *check, uint32_t segment, uint64_t extents, uint64_t bytes)
{
	if (!extents)
		return;
	check->result->leftovers += extents;
	report_harmless(
	    &check->report, segment, "segments",
	    "%llu extents of %llu bytes that no segment of the last commit has: an unfinished commit's, or one is "
	    "under way",
	    (unsigned long long)extents, (unsigned long long)bytes);
}

/* Every extent's header and checksum, in the order of the keys, which is about that of the file. */
static void check_extents(struct check *check)
{
	struct image *image = &check->source.image;
	uint64_t total = 0, left_extents = 0, left_bytes = 0;
	for (size_t i = 0; i < image->place_count; i++)
		total += image->places[i].bytes;
	report_stage(&check->report, total, "extents");
	for (size_t i = 0; i < image->place_count; i++) {
		struct extent_place *place = &image->places[i];
		bool ours = !place->segment || find_told(&check->manifest, place->segment);
		if (i && place->segment != place[-1].segment) {
			report_leftovers(check, place[-1].segment, left_extents, left_bytes);
			left_extents = left_bytes = 0;
		}
		report_progress(&check->report, place->bytes);
		if (!ours) {
			left_extents++;
			left_bytes += place->bytes;
			continue;
		}
		const char *wrong = check->options->quick && place->part != PART_ROOT && place->part != PART_BIGRAM_ROOT
		                        ? NULL
		                        : image_verify(image, place, NULL);
		if (wrong)
			report_damage(&check->report, place->segment, part_name(place->part),
			              (uint64_t)place->extent * EXTENT_PAYLOAD, "extent %u, at page %llu: %s",
			              place->extent, (unsigned long long)(place->offset / image->page_bytes), wrong);
	}
	if (image->place_count)
		report_leftovers(check, image->places[image->place_count - 1].segment, left_extents, left_bytes);
	check->result->extents = image->place_count;
}

/* ---- segments ---- */

static void check_segment(struct check *check, uint32_t index)
{
	const struct told_segment *told = &check->manifest.segments[index];
	uint32_t flags = check->manifest.flags;
	struct subject subject = {.image = &check->source.image,
	                          .report = &check->report,
	                          .told = told,
	                          .number = told->number,
	                          .index = index,
	                          .positions = flags & FLAG_POSITIONS,
	                          .tokenizer = check->tokenizer,
	                          .bigrams = flags & FLAG_BIGRAMS,
	                          .gaps = flags & FLAG_POSITIONS && flags & FLAG_STOP_WORDS};
	if (subject_open(&subject)) {
		subject_check_extents(&subject);
		check->result->terms += subject.terms;
		check->result->postings += subject.postings;
		if (!check->options->quick)
			subject_load(&subject);
		if (!check->options->quick && !subject.no_memory)
			check_terms(&subject);
		if (!check->options->quick && !subject.no_memory)
			check_documents(&subject, &check->live);
	}
	if (subject.no_memory)
		error_set_memory(check->error);
	check->source.no_memory = check->source.no_memory || subject.no_memory;
	subject_release(&subject);
}

static int compare_ids(const void *a, const void *b)
{
	const struct live_id *left = a, *right = b;
	if (left->high != right->high)
		return left->high < right->high ? -1 : 1;
	return left->low < right->low ? -1 : left->low > right->low;
}

/* Equal hashes of 128 bits are equal ids. */
static void check_unique(struct check *check)
{
	struct live_ids *live = &check->live;
	if (live->count)
		qsort(live->ids, live->count, sizeof *live->ids, compare_ids);
	for (size_t i = 1; i < live->count; i++)
		if (compare_ids(&live->ids[i - 1], &live->ids[i]) == 0)
			report_damage(
			    &check->report, live->ids[i].segment, part_name(PART_IDS), NO_OFFSET,
			    "the id of ordinal %u is also that of ordinal %u of segment %u, and both documents live",
			    live->ids[i].ordinal, live->ids[i - 1].ordinal, live->ids[i - 1].segment);
}

static int check_index(struct check *check)
{
	int code = source_open(&check->source, &check->report, check->error);
	if (!code)
		code = image_walk(&check->source.image, check->error);
	if (!code)
		code = read_manifest(check);
	if (code || !check->manifest.generation)
		return code;
	check_manifest(check);
	check_extents(check);
	if (check->options->text && !check->options->quick) {
		const trawl_analysis analysis = {.language = check->manifest.language,
		                                 .stop_words = check->manifest.flags & FLAG_STOP_WORDS,
		                                 .fold_diacritics = check->manifest.flags & FLAG_FOLD_DIACRITICS};
		code = tokenizer_new(&check->tokenizer, &analysis, check->error);
		if (code)
			return code;
	}
	for (uint32_t i = 0; i < check->manifest.segment_count && !check->source.no_memory; i++)
		check_segment(check, i);
	if (!check->source.no_memory)
		check_unique(check);
	return check->source.no_memory ? error_set_memory(check->error) : 0;
}

int trawl_check(const char *path, const trawl_check_options *options, trawl_check_result *result, trawl_error *error)
{
	static const trawl_check_options defaults;
	options = options ? options : &defaults;
	struct check check = {
	    .options = options,
	    .result = result,
	    .error = error,
	    .report = {.finding = options->finding, .progress = options->progress, .context = options->context}};
	*result = (trawl_check_result){0};
	int code = cpu_check(error);
	if (code)
		return code;
	code = image_open(&check.source.image, path, error);
	if (!code)
		code = check_index(&check);
	if (!code && check.report.damages && source_moved(&check.source))
		code = error_set(error, TRAWL_EBUSY, "%s was written to meanwhile; check it again", path);
	result->damages = check.report.damages;
	result->bytes_read = check.source.image.bytes_read;
	told_manifest_release(&check.manifest);
	memory_free(check.live.ids);
	tokenizer_free(check.tokenizer);
	source_close(&check.source);
	return code;
}
