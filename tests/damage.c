#include "tests/damage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/random_corpus.h"

/* Random numbers of damage i alone, so that one can be made again without those before. */
static struct random random_of(const struct trials *trials, uint64_t i)
{
	return (struct random){hash_more(trials->seed, &i, sizeof i)};
}

static struct patch *add_patch(const struct trials *trials, struct damage *damage, size_t offset, size_t length)
{
	struct patch *patch = &damage->patches[damage->patch_count++];
	patch->offset = offset;
	patch->length = length;
	memcpy(patch->bytes, trials->subject->file.bytes + offset, length);
	return patch;
}

static void flip_bit(const struct trials *trials, uint64_t bit, struct damage *damage)
{
	struct patch *patch = add_patch(trials, damage, bit / 8, 1);
	patch->bytes[0] ^= (uint8_t)(1u << bit % 8);
	snprintf(damage->what, sizeof damage->what, "bit %u of byte %zu (page %zu, byte %zu)", (unsigned)(bit % 8),
	         patch->offset, patch->offset / PAGE, patch->offset % PAGE);
}

void flip_random_bit(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct file *file = &trials->subject->file;
	struct random random = random_of(trials, i);
	size_t place = random_below(&random, file->length);
	while (!file->bytes[place] && random_chance(&random, 0.9)) /* much of the file is padding */
		place = random_below(&random, file->length);
	flip_bit(trials, 8 * (uint64_t)place + random_below(&random, 8), damage);
}

/* Damage i of as many as there are bits, or evenly spread over them. */
void flip_each_bit(const struct trials *trials, uint64_t i, struct damage *damage)
{
	uint64_t bits = 8 * (uint64_t)trials->subject->file.length;
	flip_bit(trials, (uint64_t)((double)i / (double)trials->count * (double)bits), damage);
}

/* Meta pages, branches, leaves and the lists of free pages decide what LMDB believes. */
static bool is_of_tree(const struct file *file, size_t page)
{
	const uint8_t *bytes = file->bytes + page * PAGE;
	return page < 2 || (load64(bytes) == page && load16(bytes + 10) && !(load16(bytes + 10) & ~3u));
}

void flip_bit_of_tree(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct file *file = &trials->subject->file;
	struct random random = random_of(trials, i);
	size_t page = random_below(&random, file->length / PAGE);
	while (!is_of_tree(file, page))
		page = (page + 1) % (file->length / PAGE);
	/* Half of the time where a page's header and the offsets of its nodes are. */
	size_t byte = random_below(&random, random_chance(&random, 0.5) ? 64 : PAGE);
	flip_bit(trials, 8 * (uint64_t)(page * PAGE + byte) + random_below(&random, 8), damage);
}

void overwrite_run(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct file *file = &trials->subject->file;
	struct random random = random_of(trials, i);
	size_t length = 1 + random_below(&random, 64), place = random_below(&random, file->length - length);
	struct patch *patch = add_patch(trials, damage, place, length);
	for (size_t j = 0; j < length; j++)
		patch->bytes[j] = (uint8_t)random_next(&random);
	snprintf(damage->what, sizeof damage->what, "%zu random bytes at %zu", length, place);
}

void change_page(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct file *file = &trials->subject->file;
	static const char *const kinds[] = {"zeroed", "overwritten with page", "swapped with page", "torn from page"};
	struct random random = random_of(trials, i);
	size_t pages = file->length / PAGE, page = random_below(&random, pages), other = random_below(&random, pages);
	int kind = (int)random_below(&random, 4);
	if (random_chance(&random, 0.5))
		while (!is_of_tree(file, page))
			page = (page + 1) % pages;
	struct patch *patch = add_patch(trials, damage, page * PAGE, PAGE);
	if (kind == 0)
		memset(patch->bytes, 0, PAGE);
	else if (kind < 3)
		memcpy(patch->bytes, file->bytes + other * PAGE, PAGE);
	else
		memcpy(patch->bytes + 512 * random_below(&random, 8), file->bytes + other * PAGE, 512);
	if (kind == 2 && other != page)
		memcpy(add_patch(trials, damage, other * PAGE, PAGE)->bytes, file->bytes + page * PAGE, PAGE);
	snprintf(damage->what, sizeof damage->what, "page %zu %s %zu", page, kinds[kind], other);
}

/* The next page from `from` on, round and round, that was another before; 0: there is none. */
static size_t next_stale(const struct file *file, const struct file *older, size_t from)
{
	size_t pages = (file->length < older->length ? file->length : older->length) / PAGE;
	for (size_t tries = 2; tries < pages; tries++, from++) {
		size_t page = 2 + from % (pages - 2);
		if (memcmp(file->bytes + page * PAGE, older->bytes + page * PAGE, PAGE) != 0)
			return page;
	}
	return 0;
}

/* A page as it was before one of the last commits: its write was lost; and now and then another of the same time. Not of the
 * meta pages: without theirs the last commit never happened, and nobody can tell. */
void stale_page(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct subject *subject = trials->subject;
	struct random random = random_of(trials, i);
	int age = (int)(i % (uint64_t)subject->older_count);
	const struct file *older = &subject->older[subject->older_count - 1 - age];
	size_t page = next_stale(&subject->file, older, random_below(&random, subject->file.length / PAGE));
	if (!page)
		return;
	memcpy(add_patch(trials, damage, page * PAGE, PAGE)->bytes, older->bytes + page * PAGE, PAGE);
	size_t other = random_chance(&random, 0.3) ? next_stale(&subject->file, older, page - 1) : page;
	if (other != page)
		memcpy(add_patch(trials, damage, other * PAGE, PAGE)->bytes, older->bytes + other * PAGE, PAGE);
	snprintf(damage->what, sizeof damage->what, "pages %zu and %zu as they were %d commits ago", page, other,
	         age + 1);
}

void cut_off(const struct trials *trials, uint64_t i, struct damage *damage)
{
	size_t length = trials->subject->file.length;
	struct random random = random_of(trials, i);
	uint64_t tail = trials->count / 2;
	if (i < tail) /* every byte of the tail */
		damage->length = length - 1 - i % (length - 1);
	else if (random_chance(&random, 0.3))
		damage->length = (1 + random_below(&random, length / PAGE - 1)) * PAGE;
	else
		damage->length = 1 + random_below(&random, length - 1); /* an empty file may become an index */
	snprintf(damage->what, sizeof damage->what, "cut to %zu of %zu bytes", damage->length, length);
}

/* Where the manifest's key stands, on stale pages too: the place behind `from`, or 0. */
static size_t next_manifest_key(const struct file *file, size_t from)
{
	static const uint8_t manifest[20] = {[12] = 'T', 'R', 'W', 'X', FORMAT_VERSION, 0, 0, 0};
	for (size_t at = from + 1; at + sizeof manifest <= file->length; at++)
		if (memcmp(file->bytes + at, manifest, sizeof manifest) == 0)
			return at;
	return 0;
}

static uint64_t count_manifest_keys(const struct file *file)
{
	uint64_t keys = 0;
	for (size_t at = 0; (at = next_manifest_key(file, at)) > 0;)
		keys++;
	return keys;
}

/* Damage i of as many as these keys have bits, or evenly spread over them. */
void flip_manifest_key(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct file *file = &trials->subject->file;
	uint64_t keys = count_manifest_keys(file), bit = i * 96 * keys / trials->count;
	size_t at = 0;
	assert_true(keys > 0);
	for (uint64_t number = 0; number <= bit / 96; number++)
		at = next_manifest_key(file, at);
	flip_bit(trials, 8 * (uint64_t)at + bit % 96, damage);
}

void flip_meta(const struct trials *trials, uint64_t i, struct damage *damage)
{
	uint64_t bit = i % META_BITS, offset = bit < 64 ? 144 : bit < 80 ? 44 - 8 : bit < 96 ? 92 - 10 : 32 - 12;
	flip_bit(trials, 8 * (i / META_BITS * PAGE + offset) + bit, damage);
}

/* A bit of an extent's payload, and its checksum made good; not of the stored documents' own bytes, for which nothing else
 * vouches. */
void lie(const struct trials *trials, uint64_t i, struct damage *damage)
{
	const struct subject *subject = trials->subject;
	struct random random = random_of(trials, i);
	const struct extent_place *place;
	do
		place = &subject->places[random_below(&random, subject->place_count)];
	while (place->bytes == VALUE_BYTES_LEAST || place->part == PART_DOCUMENTS ||
	       place->part == PART_DOCUMENT_DICTIONARY);
	uint32_t length = place->bytes - VALUE_BYTES_LEAST, at = (uint32_t)random_below(&random, length);
	uint8_t *value = malloc(place->bytes);
	assert_non_null(value);
	memcpy(value, subject->file.bytes + place->offset, place->bytes);
	value[EXTENT_HEADER + at] ^= (uint8_t)(1u << random_below(&random, 8));
	uint64_t checksum = XXH3_64bits_withSeed(value + EXTENT_HEADER, length, XXH3_64bits(value, 24));
	add_patch(trials, damage, place->offset + EXTENT_HEADER + at, 1)->bytes[0] = value[EXTENT_HEADER + at];
	memcpy(add_patch(trials, damage, place->offset + 24, 8)->bytes, &checksum, 8);
	free(value);
	snprintf(damage->what, sizeof damage->what, "a lie in segment %u, part %u, byte %u", place->segment,
	         place->part, place->extent * EXTENT_PAYLOAD + at);
}
