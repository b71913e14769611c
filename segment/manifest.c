#include "segment/manifest.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define FIXED_BYTES (MANIFEST_MAGIC_LENGTH + 4 + 8 + 4 + 4 + 4 + 1)
#define SEGMENT_BYTES (3 * 4 + 4 * 8)

static int bad_manifest(const struct snapshot *snapshot, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ECORRUPT, "%s is damaged: manifest: %s; restore it or index again",
	                 store_path(snapshot_store(snapshot)), what);
}

static int not_an_index(const struct snapshot *snapshot, trawl_error *error)
{
	return error_set(error, TRAWL_ENOTINDEX, "%s is not a trawl index", store_path(snapshot_store(snapshot)));
}

/* Whether we know how to read the index, and how its texts were analysed. */
static int check_versions(const struct snapshot *snapshot, uint32_t format, uint32_t analysis, trawl_error *error)
{
	const char *path = store_path(snapshot_store(snapshot));
	if (format != FORMAT_VERSION)
		return store_refuse_format(path, format, error);
	if (analysis > ANALYSIS_VERSION)
		return error_set(error, TRAWL_EVERSION, NEWER_ANALYSIS, path, analysis, ANALYSIS_VERSION);
	return 0;
}

static int parse(struct manifest *manifest, const struct snapshot *snapshot, const uint8_t *at, uint32_t length,
                 trawl_error *error)
{
	if (length < FIXED_BYTES || memcmp(at, MANIFEST_MAGIC, MANIFEST_MAGIC_LENGTH) != 0)
		return not_an_index(snapshot, error);
	const uint8_t *end = at + length;
	at += MANIFEST_MAGIC_LENGTH;
	int code = check_versions(snapshot, load32(at), load32(at + 20), error);
	if (code)
		return code;
	manifest->generation = load64(at + 4);
	manifest->next_segment = load32(at + 12);
	manifest->flags = load32(at + 16);
	manifest->analysis_version = load32(at + 20);
	size_t name = at[24];
	at += 25;
	/* Twice, the second: slack follows, and what is left then is no number of segments' length. */
	if (name >= sizeof manifest->language || (size_t)(end - at) < name + 4)
		return bad_manifest(snapshot, "the language's name is cut off", error);
	memcpy(manifest->language, at, name);
	manifest->language[name] = 0;
	at += name;
	uint32_t count = load32(at);
	at += 4;
	if ((uint64_t)(end - at) != (uint64_t)count * SEGMENT_BYTES)
		return bad_manifest(snapshot, "not as many segments as it says", error);
	if (!memory_reserve(&manifest->segments, &manifest->segment_capacity, count, sizeof *manifest->segments))
		return error_set_memory(error);
	manifest->segment_count = count;
	for (uint32_t i = 0; i < count; i++, at += SEGMENT_BYTES) {
		manifest->segments[i] =
		    (struct manifest_segment){load32(at),      load32(at + 4),  load32(at + 8), load64(at + 12),
		                              load64(at + 20), load64(at + 28), load64(at + 36)};
		/* One that is named again would cost its memory again, without being larger in the file. */
		for (uint32_t other = 0; other < i; other++)
			if (manifest->segments[other].number == manifest->segments[i].number)
				return bad_manifest(snapshot, "a segment named twice", error);
	}
	return 0;
}

int manifest_read(struct manifest *manifest, struct snapshot *snapshot, trawl_error *error)
{
	const uint8_t *payload;
	uint32_t length;
	trawl_error why = {0};
	*manifest = (struct manifest){.next_segment = 1, .analysis_version = ANALYSIS_VERSION};
	int code = snapshot_extent(snapshot, 0, PART_MANIFEST, 0, &payload, &length, &why);
	if (code == TRAWL_ENOTFOUND) {
		enum store_content content = CONTENT_NONE;
		code = snapshot_content(snapshot, &content, error);
		if (content == CONTENT_FOREIGN)
			return not_an_index(snapshot, error);
		/* A manifest is the first thing that is written: taking the file for a new one would sweep it. */
		return content == CONTENT_EXTENTS ? bad_manifest(snapshot, "missing", error) : code;
	}
	if (code) {
		if (error)
			*error = why;
		return code;
	}
	code = parse(manifest, snapshot, payload, length, error);
	if (code)
		manifest_release(manifest);
	return code;
}

static bool append32(struct buffer *out, uint32_t value)
{
	return buffer_append(out, &value, 4);
}

static bool append64(struct buffer *out, uint64_t value)
{
	return buffer_append(out, &value, 8);
}

bool manifest_write(const struct manifest *manifest, struct buffer *out)
{
	size_t name = strlen(manifest->language);
	bool done = buffer_append(out, MANIFEST_MAGIC, MANIFEST_MAGIC_LENGTH) && append32(out, FORMAT_VERSION) &&
	            append64(out, manifest->generation) && append32(out, manifest->next_segment) &&
	            append32(out, manifest->flags) && append32(out, manifest->analysis_version) &&
	            buffer_append_byte(out, (uint8_t)name) && buffer_append(out, manifest->language, name) &&
	            append32(out, (uint32_t)manifest->segment_count);
	for (size_t i = 0; done && i < manifest->segment_count; i++) {
		const struct manifest_segment *segment = &manifest->segments[i];
		done = append32(out, segment->number) && append32(out, segment->documents) &&
		       append32(out, segment->deleted) && append64(out, segment->live_tokens) &&
		       append64(out, segment->live_postings) && append64(out, segment->live_text_bytes) &&
		       append64(out, segment->deletion_bytes);
	}
	return done;
}

bool manifest_copy(struct manifest *copy, const struct manifest *manifest)
{
	*copy = *manifest;
	copy->segments = NULL;
	copy->segment_capacity = 0;
	if (!memory_reserve(&copy->segments, &copy->segment_capacity, manifest->segment_count, sizeof *copy->segments))
		return false;
	if (manifest->segment_count)
		memcpy(copy->segments, manifest->segments, manifest->segment_count * sizeof *copy->segments);
	return true;
}

void manifest_release(struct manifest *manifest)
{
	memory_free(manifest->segments);
	*manifest = (struct manifest){0};
}

trawl_analysis manifest_analysis(const struct manifest *manifest)
{
	return (trawl_analysis){.language = manifest->language,
	                        .stop_words = manifest->flags & FLAG_STOP_WORDS,
	                        .fold_diacritics = manifest->flags & FLAG_FOLD_DIACRITICS};
}
