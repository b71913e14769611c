#include "bench/kernels/bench.h"

#include "segment/segment_writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct density densities[DENSITIES] = {
    {"1/512", 512, 0.25}, {"1/128", 128, 0.30}, {"1/32", 32, 0.35}, {"1/8", 8, 0.42}, {"1/2", 2, 0.60}};

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

double random_unit(uint64_t *state)
{
	return ((double)(random_next(state) >> 12) + 0.5) * 0x1p-52;
}

/* As the abstracts of papers are: log-normal around 140 tokens. Returns the sum. */
static uint64_t make_lengths(uint8_t *lengths, uint64_t *state)
{
	uint64_t tokens = 0;
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		double normal = sqrt(-2 * log(random_unit(state))) * cos(6.283185307179586 * random_unit(state));
		double length = exp(log(140) + 0.45 * normal);
		lengths[i] = length_encode((uint32_t)(length < 8 ? 8 : length > 2000 ? 2000 : length));
		tokens += length_decode(lengths[i]);
	}
	return tokens;
}

/* n documents, each set of them as likely as any other, and a tf for each: geometric, at most the document's length. */
static void make_list(uint32_t *docs, uint32_t *tfs, uint32_t n, double more, const uint8_t *lengths, uint64_t *state)
{
	uint32_t made = 0;
	uint64_t limit = (uint64_t)(more * 0x1p32);
	for (uint32_t doc = 0; made < n; doc++) {
		if ((random_next(state) >> 32) * (DOCUMENTS - doc) >> 32 >= n - made)
			continue;
		uint32_t tf = 1, most = length_decode(lengths[doc]);
		while (tf < most && random_next(state) >> 32 < limit)
			tf++;
		docs[made] = doc;
		tfs[made++] = tf;
	}
}

static uint32_t list_postings(uint32_t density)
{
	uint32_t n = DOCUMENTS / densities[density].one_in;
	return n - (density == 0); /* one less: below the border */
}

static int no_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)context, (void)error;
	memset(positions, 0, count * sizeof *positions);
	return 0;
}

/* Terms "list00" ...: the sparse lists, then one for each other density. */
static int write_terms(struct segment_writer *writer, const uint8_t *lengths, uint64_t *state, trawl_error *error)
{
	const struct position_source source = {no_positions, NULL};
	uint32_t *docs = allocate(DOCUMENTS, sizeof *docs), *tfs = allocate(DOCUMENTS, sizeof *tfs);
	int code = 0;
	for (uint32_t i = 0; !code && i < SPARSE_LISTS + DENSITIES - 1; i++) {
		char term[16];
		uint32_t density = i < SPARSE_LISTS ? 0 : i - SPARSE_LISTS + 1, n = list_postings(density);
		int length = snprintf(term, sizeof term, "list%02u", (unsigned)i);
		make_list(docs, tfs, n, densities[density].more, lengths, state);
		struct term_list list = {term, (uint8_t)length, n, docs, tfs, &source};
		code = segment_writer_term(writer, &list, error);
	}
	memory_free(docs);
	memory_free(tfs);
	return code;
}

/* One segment, without positions, whose documents are empty but for their lengths. */
static int write_segment(struct segment_writer *writer, struct manifest *manifest, uint64_t seed, trawl_error *error)
{
	uint8_t *lengths = allocate(DOCUMENTS, 1);
	uint32_t *hashes = allocate(DOCUMENTS, sizeof *hashes);
	uint64_t state = seed, tokens = make_lengths(lengths, &state);
	int code = 0;
	for (uint32_t i = 0; !code && i < DOCUMENTS; i++) {
		char id[16];
		trawl_document document = {.id = id, .title = "", .text = "", .fields = ""};
		document.id_length = (size_t)snprintf(id, sizeof id, "%08x", (unsigned)i);
		hashes[i] = id_hash(id, document.id_length);
		code = segment_writer_document(writer, &document, error);
	}
	if (!code)
		code = segment_writer_begin_terms(writer, DOCUMENTS, lengths, NULL, tokens, NULL, hashes, error);
	if (!code)
		code = write_terms(writer, lengths, &state, error);
	if (!code)
		code = segment_writer_finish(writer, &manifest->segments[0], error);
	memory_free(lengths);
	memory_free(hashes);
	return code;
}

void write_index(struct store *store, uint64_t seed)
{
	trawl_error error = {0};
	struct store_batch *batch = NULL;
	struct segment_writer *writer = allocate(1, sizeof *writer);
	struct manifest_segment segment = {0};
	struct manifest manifest = {.generation = 1,
	                            .next_segment = 2,
	                            .analysis_version = ANALYSIS_VERSION,
	                            .language = "english",
	                            .segments = &segment,
	                            .segment_count = 1};
	struct buffer bytes = {0};
	int code = store_batch_new(&batch, store, &error);
	if (!code)
		code = segment_writer_init(writer, batch, 1, false, &error);
	if (!code)
		code = write_segment(writer, &manifest, seed, &error);
	if (!code && !manifest_write(&manifest, &bytes))
		die("out of memory");
	if (!code)
		code = store_batch_commit(batch, bytes.data, (uint32_t)bytes.length, &error);
	if (code)
		die("%s", error.text);
	buffer_release(&bytes);
	segment_writer_release(writer);
	memory_free(writer);
	store_batch_free(batch);
}
