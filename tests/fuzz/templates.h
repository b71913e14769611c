/*
 * templates.h - healthy indexes of several shapes, whose stored values targets edit and seal again: the store puts a right checksum
 * on what it is given, so that it reaches the decoders behind the checksums.
 */
#ifndef TRAWL_TESTS_FUZZ_TEMPLATES_H
#define TRAWL_TESTS_FUZZ_TEMPLATES_H

#include "segment/segment.h"
#include "tests/fuzz/fuzz.h"

#define TEMPLATES 3
#define TEMPLATE_EXTENTS 96
#define TEMPLATE_EDITS 8

struct extent {
	uint32_t segment, part, number;
	struct buffer healthy, edited;
	bool dirty; /* the file has not the healthy bytes */
};

/* A healthy index, kept open for writing values into it. */
struct template
{
	char path[1024];
	struct store *store;
	struct extent extents[TEMPLATE_EXTENTS];
	size_t count;
	struct buffer manifest, edited_manifest;
};

/* Number 0 to TEMPLATES - 1; made when it is first wanted. 1 is the small one. */
struct template *template_get(size_t number);

/* Take so many edits from the input: extent, place, how, bytes. Healthy values go over what the last ones left. */
void template_edit(struct template *template, struct fuzz_input *input, uint8_t edits);

/* The path of a copy of the file as it is, which the caller removes. */
const char *template_copy(const struct template *template);

#endif
