/*
 * Posting lists. Any bytes as a sparse list, as positions, as a dense list with its chunks: decoded or refused, by every kernel alike and
 * as the format says, with nothing read beyond them and their slack. Any lists through the encoder: the same come back, and of
 * any posting the positions without those before it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "searcher/kernel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/letter.h"

#define DOCUMENTS (3 * SUPERBLOCK_DOCUMENTS + 100)
#define LIST_MAX DOCUMENTS

static struct scorer scorer;
static uint8_t lengths[GROUP_DOCUMENTS + EXTENT_SLACK];
static volatile float sink;

static void prepare(void)
{
	bm25_denominators(BUILD_K1, BUILD_B, 80, scorer.denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			scorer.saturations[tf - 1][code] = saturation(tf, scorer.denominators[code]);
	for (size_t i = 0; i < sizeof lengths; i++)
		lengths[i] = (uint8_t)(i % 7 ? 60 : i % 256);
}

static void short_list(struct fuzz_input *input)
{
	uint32_t n = take16(input) % 700 + 1, documents = take16(input), room = (n + 127) / 128 * 128;
	uint32_t *docs = malloc(room * sizeof *docs), *tfs = malloc(room * sizeof *tfs);
	uint8_t *bytes = fuzz_tight(input->at, input->left, EXTENT_SLACK);
	uint32_t *their_docs = malloc(room * sizeof *docs), *their_tfs = malloc(room * sizeof *tfs);
	PROMISE(docs && tfs && their_docs && their_tfs);
	bool sound = letter_sparse_list(input->at, input->left, n, documents, their_docs, their_tfs);
	PROMISE(sparse_list_decode(bytes, input->left, n, documents, docs, tfs) == sound);
	for (uint32_t i = 0; sound && i < n; i++)
		PROMISE(tfs[i] == their_tfs[i] && docs[i] == their_docs[i] && docs[i] < documents &&
		        (!i || docs[i] > docs[i - 1]));
	free(docs);
	free(tfs);
	free(their_docs);
	free(their_tfs);
	free(bytes);
}

static void positions(struct fuzz_input *input)
{
	uint8_t code = take8(input);
	uint32_t tf = take16(input), first = tf >> 13;
	tf = tf % 2000 + 1;
	uint64_t size = bytes_of_bits(first, position_bits(tf, code));
	if (size > input->left) /* the searcher asks for that many first */
		return;
	uint8_t *bytes = fuzz_tight(input->at, size, EXTENT_SLACK);
	uint32_t *decoded = malloc(tf * sizeof *decoded), *expected = malloc(tf * sizeof *expected);
	PROMISE(decoded && expected);
	bool sound = letter_positions(input->at, first, tf, code, expected);
	PROMISE(positions_decode(bytes, first, tf, code, decoded) == sound);
	PROMISE(!sound || memcmp(decoded, expected, tf * sizeof *decoded) == 0);
	for (int level = CPU_SCALAR; level <= CPU_AVX512; level++) {
		const struct kernel *kernel = kernel_for((enum cpu_level)level);
		uint16_t shorts[SHORTS_MAX];
		if (!kernel || tf < POSITIONS_ELIAS_FANO || tf > SHORTS_MAX || length_longest(code) > 32768)
			continue;
		PROMISE(kernel->decode_shorts(bytes, first, tf, code, shorts) == sound);
		for (uint32_t i = 0; sound && i < tf; i++)
			PROMISE(shorts[i] == (uint16_t)expected[i]);
	}
	free(decoded);
	free(expected);
	free(bytes);
}

/* What a search does with a chunk. */
static void use_chunk(const struct kernel *kernel, struct chunk *chunk, const uint8_t *its_lengths)
{
	float scores[BLOCK_DOCUMENTS] = {0}, levels[16] = {0}, bests[SUPERBLOCK_BLOCKS];
	struct block_positions block;
	uint32_t tfs[BLOCK_DOCUMENTS];
	uint64_t mask;
	chunk->measured = false;
	kernel->find_bounds(chunk, levels, bests);
	for (uint32_t rank = 0; rank < chunk->block_count; rank++) {
		kernel->score_block(chunk, rank, its_lengths, &scorer, 1.5f, scores);
		kernel->block_mask(chunk, rank);
		kernel->measure_block(chunk, rank, chunk_exceptions_before(chunk, rank, 0), its_lengths, &block);
		kernel->sum_sizes(block.sizes, block.wide ? 0 : (uint32_t)__builtin_popcountll(block.mask));
		chunk_block(chunk, rank, &mask, tfs);
		for (uint32_t offset = 0; offset < BLOCK_DOCUMENTS; offset += 9)
			chunk_tf(chunk, rank, offset);
	}
	sink = scores[0] + bests[0];
}

/* A chunk by the letter of the format, where it is as an encoder would write it: every way to read it says the same. */
static void check_chunk(struct chunk *chunk, const struct dense_list *list, const uint8_t *bytes, uint32_t length,
                        const uint8_t *its_lengths)
{
	uint32_t docs[SUPERBLOCK_DOCUMENTS], tfs[SUPERBLOCK_DOCUMENTS], n, next = 0, rank = 0;
	if (!letter_chunk(bytes, length, list->offset_bytes, list->exception_bits, docs, tfs, &n))
		return;
	for (uint32_t left = chunk->block_mask; left; left &= left - 1, rank++) {
		uint32_t found[BLOCK_DOCUMENTS], first = next, block = (uint32_t)__builtin_ctz(left);
		uint64_t expected = 0, mask;
		for (; next < n && docs[next] / BLOCK_DOCUMENTS == block; next++)
			expected |= (uint64_t)1 << docs[next] % BLOCK_DOCUMENTS;
		PROMISE(chunk_block(chunk, rank, &mask, found) == next - first && mask == expected);
		PROMISE(memcmp(found, tfs + first, (next - first) * sizeof *found) == 0);
		PROMISE(chunk_block_mask(chunk, rank) == expected);
		for (uint32_t offset = 0, i = first; offset < BLOCK_DOCUMENTS; offset++)
			PROMISE(chunk_tf(chunk, rank, offset) == (expected >> offset & 1 ? tfs[i++] : 0));
		for (int level = CPU_SCALAR; level <= CPU_AVX512; level++) {
			const struct kernel *kernel = kernel_for((enum cpu_level)level);
			struct block_positions measured;
			if (!kernel)
				continue;
			PROMISE(kernel->block_mask(chunk, rank) == expected);
			kernel->measure_block(chunk, rank, chunk_exceptions_before(chunk, rank, 0), its_lengths,
			                      &measured);
			PROMISE(measured.mask == expected);
			for (uint32_t i = 0; i < next - first; i++)
				PROMISE((measured.wide ? measured.wide_tfs[i] : measured.tfs[i]) == tfs[first + i]);
		}
	}
	PROMISE(next == n);
}

static void dense_list(struct fuzz_input *input)
{
	struct dense_list list;
	uint32_t documents = 2048 + take16(input) % 20000;
	size_t length = input->left;
	uint8_t *bytes = fuzz_tight(input->at, length, EXTENT_SLACK);
	uint8_t *its_lengths = fuzz_tight(lengths, BLOCK_DOCUMENTS, 0);
	if (dense_list_open(&list, bytes, length, 0, documents))
		for (uint32_t s = 0; s < superblock_count(documents); s++) {
			uint32_t chunk_length;
			struct chunk chunk;
			uint64_t address = chunk_place(&list, s, &chunk_length);
			if (!chunk_length || address >= length || chunk_length > length - address ||
			    !chunk_open(&chunk, &list, s, bytes + address, chunk_length))
				continue;
			for (int level = CPU_SCALAR; level <= CPU_AVX512; level++)
				if (kernel_for((enum cpu_level)level))
					use_chunk(kernel_for((enum cpu_level)level), &chunk, its_lengths);
			check_chunk(&chunk, &list, bytes + address, chunk_length, its_lengths);
		}
	free(its_lengths);
	free(bytes);
}

/* A chunk without a head before it, which chance would hardly ever make. */
static void one_chunk(struct fuzz_input *input)
{
	uint8_t kinds = take8(input);
	struct dense_list list = {
	    .offset_bytes = (uint8_t)(kinds % 3 * 2), .exception_bits = kinds & 128 ? 8 : 4, .groups = 1};
	uint8_t directory[GROUP_ENTRY] = {0};
	struct chunk chunk;
	list.directory = directory;
	uint8_t *bytes = fuzz_tight(input->at, input->left, EXTENT_SLACK);
	uint8_t *its_lengths = fuzz_tight(lengths, BLOCK_DOCUMENTS, 0);
	if (chunk_open(&chunk, &list, 0, bytes, (uint32_t)input->left)) {
		for (int level = CPU_SCALAR; level <= CPU_AVX512; level++)
			if (kernel_for((enum cpu_level)level))
				use_chunk(kernel_for((enum cpu_level)level), &chunk, its_lengths);
		check_chunk(&chunk, &list, bytes, (uint32_t)input->left, its_lengths);
	}
	free(its_lengths);
	free(bytes);
}

/* ---- round trips ---- */

struct made {
	uint32_t docs[LIST_MAX], tfs[LIST_MAX], n;
	uint32_t next; /* posting whose positions are asked for */
};

static uint32_t position_of(uint32_t doc, uint32_t i, uint32_t tf)
{
	uint32_t longest = length_longest(lengths[doc]), gap = longest / tf;
	return i * (gap ? gap : 1) + doc % (gap ? gap : 1);
}

static int next_positions(void *context, uint32_t count, uint32_t *out, trawl_error *error)
{
	struct made *made = context;
	(void)error;
	for (uint32_t i = 0; i < count; i++)
		out[i] = position_of(made->docs[made->next], i, count);
	made->next++;
	return 0;
}

/* Runs of documents with and without the term, of lengths that the input says. */
static void make_list(struct made *made, struct fuzz_input *input)
{
	uint32_t doc = 0;
	made->n = made->next = 0;
	while (doc < DOCUMENTS && (input->left || !made->n)) {
		uint8_t run = take8(input), step = (uint8_t)(take8(input) % 40 + 1), tf = take8(input);
		for (uint32_t i = 0; i <= run && doc < DOCUMENTS; i++, doc += step) {
			uint32_t longest = length_longest(lengths[doc]),
			         wanted = tf < 250 ? 1 + (tf + i) % 5 : 300u + i;
			if (longest == 0)
				continue;
			made->docs[made->n] = doc;
			made->tfs[made->n++] = wanted < longest ? wanted : longest;
		}
	}
}

static void check_sparse(const struct made *made, const struct part_writer *writer, const struct list_place *place)
{
	uint32_t room = (made->n + 127) / 128 * 128;
	uint32_t *docs = malloc(room * sizeof *docs), *tfs = malloc(room * sizeof *tfs);
	uint8_t *bytes = fuzz_tight(writer->buffer + place->postings, place->postings_bytes, EXTENT_SLACK);
	PROMISE(docs && tfs && sparse_list_decode(bytes, place->postings_bytes, made->n, DOCUMENTS, docs, tfs));
	PROMISE(memcmp(docs, made->docs, made->n * sizeof *docs) == 0);
	PROMISE(memcmp(tfs, made->tfs, made->n * sizeof *tfs) == 0);
	free(docs);
	free(tfs);
	free(bytes);
}

static void check_dense(const struct made *made, const struct part_writer *writer, const struct list_place *place)
{
	struct dense_list list;
	uint32_t tfs[BLOCK_DOCUMENTS], found = 0;
	uint64_t mask;
	uint8_t *bytes = fuzz_tight(writer->buffer + place->postings, place->postings_bytes, EXTENT_SLACK);
	PROMISE(dense_list_open(&list, bytes, place->postings_bytes, 0, DOCUMENTS));
	PROMISE(list.df == made->n);
	for (uint32_t s = 0; s < superblock_count(DOCUMENTS); s++) {
		uint32_t length, rank = 0;
		struct chunk chunk;
		uint64_t address = chunk_place(&list, s, &length);
		if (!length)
			continue;
		PROMISE(chunk_open(&chunk, &list, s, bytes + address, length));
		for (uint32_t left = chunk.block_mask; left; left &= left - 1, rank++) {
			uint32_t first = s * SUPERBLOCK_DOCUMENTS + (uint32_t)__builtin_ctz(left) * BLOCK_DOCUMENTS,
			         i = 0;
			chunk_block(&chunk, rank, &mask, tfs);
			for (; mask; mask &= mask - 1, i++, found++)
				PROMISE(found < made->n && made->tfs[found] == tfs[i] &&
				        made->docs[found] == first + (uint32_t)__builtin_ctzll(mask));
		}
	}
	PROMISE(found == made->n);
	free(bytes);
}

static void check_positions(const struct made *made, const struct part_writer *writer, const struct list_place *place)
{
	/* The last posting first: none needs those before it. */
	uint64_t at = 8 * place->positions;
	uint32_t *decoded = malloc(1024 * sizeof *decoded);
	PROMISE(decoded);
	for (uint32_t i = 0; i < made->n; i++)
		at += position_bits(made->tfs[i], lengths[made->docs[i]]);
	PROMISE((at + 7) / 8 == place->positions + place->positions_bytes);
	for (uint32_t i = made->n; i-- > 0;) {
		uint32_t tf = made->tfs[i], doc = made->docs[i];
		uint64_t bits = position_bits(tf, lengths[doc]);
		at -= bits;
		uint8_t *alone = fuzz_tight(writer->buffer + at / 8, bytes_of_bits(at % 8, bits), 8);
		PROMISE(tf <= 1024 && positions_decode(alone, at % 8, tf, lengths[doc], decoded));
		for (uint32_t j = 0; j < tf; j++)
			PROMISE(decoded[j] == position_of(doc, j, tf));
		free(alone);
	}
	free(decoded);
}

static void round_trip(struct fuzz_input *input)
{
	static struct made made;
	struct part_writer postings_part, positions_part;
	struct postings_encoder encoder = {.lengths = lengths, .last_positions = lengths, .documents = DOCUMENTS};
	struct list_place place = {0};
	trawl_error error;
	make_list(&made, input);
	if (!made.n)
		return;
	/* Nothing is flushed before an extent is full, which these lists do not fill. */
	fuzz_need(part_writer_init(&postings_part, NULL, 1, PART_POSTINGS, &error), &error);
	fuzz_need(part_writer_init(&positions_part, NULL, 1, PART_POSITIONS, &error), &error);
	memset(positions_part.buffer, 0, EXTENT_PAYLOAD); /* the slack behind what was written */
	encoder.postings = &postings_part;
	encoder.positions = &positions_part;
	bm25_denominators(BUILD_K1, BUILD_B, 80, encoder.denominators);
	const struct position_source source = {next_positions, &made};
	uint64_t needed = 0;
	for (uint32_t i = 0; i < made.n; i++)
		needed += position_bits(made.tfs[i], lengths[made.docs[i]]);
	if (needed / 8 + EXTENT_SLACK < EXTENT_PAYLOAD) {
		fuzz_need(postings_encode(&encoder, made.docs, made.tfs, made.n, &source, &place, &error), &error);
		(made.n < dense_list_border(DOCUMENTS) ? check_sparse : check_dense)(&made, &postings_part, &place);
		check_positions(&made, &positions_part, &place);
	}
	postings_encoder_release(&encoder);
	part_writer_release(&postings_part);
	part_writer_release(&positions_part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	if (!lengths[0] && !lengths[1])
		prepare();
	switch (take8(&input) % 5) {
	case 0: short_list(&input); break;
	case 1: positions(&input); break;
	case 2: dense_list(&input); break;
	case 3: one_chunk(&input); break;
	default: round_trip(&input);
	}
	return 0;
}

/* Of a list of `density` in 16 documents: the head and chunks, or (chunk) its first chunk alone. */
static bool encoded_seed(unsigned density, bool chunk, struct buffer *out)
{
	static struct made made;
	struct part_writer writer;
	struct postings_encoder encoder = {.lengths = lengths, .last_positions = lengths, .documents = DOCUMENTS};
	struct list_place place = {0};
	struct dense_list list;
	trawl_error error;
	const struct position_source source = {next_positions, &made};
	made.n = made.next = 0;
	for (uint32_t doc = 1; doc < DOCUMENTS; doc++)
		if (doc * 7919 % 16 < density || made.n == 0) {
			made.docs[made.n] = doc;
			made.tfs[made.n++] = doc % 11 ? 1 + doc % 3 : doc % 33 ? 9 : 500;
		}
	fuzz_need(part_writer_init(&writer, NULL, 1, PART_POSTINGS, &error), &error);
	encoder.postings = &writer;
	bm25_denominators(BUILD_K1, BUILD_B, 80, encoder.denominators);
	fuzz_need(postings_encode(&encoder, made.docs, made.tfs, made.n, &source, &place, &error), &error);
	bool done;
	if (made.n < dense_list_border(DOCUMENTS)) {
		const uint8_t head[] = {0, (uint8_t)(made.n - 1), (uint8_t)((made.n - 1) >> 8), 0xff, 0xff};
		done = buffer_append(out, head, sizeof head) && buffer_append(out, writer.buffer, place.postings_bytes);
	} else if (chunk) {
		uint32_t length;
		PROMISE(dense_list_open(&list, writer.buffer, place.postings_bytes, 0, DOCUMENTS));
		uint64_t address = chunk_place(&list, 1, &length);
		done = buffer_append_byte(out, 3) && buffer_append_byte(out, 0) &&
		       buffer_append(out, writer.buffer + address, length);
	} else {
		const uint8_t head[] = {2, (uint8_t)((DOCUMENTS - 2048) & 255), (DOCUMENTS - 2048) >> 8};
		done = buffer_append(out, head, sizeof head) && buffer_append(out, writer.buffer, place.postings_bytes);
	}
	postings_encoder_release(&encoder);
	part_writer_release(&writer);
	return done;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const uint8_t some_positions[] = {1, 100, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0d, 0x10, 0, 0, 0};
	static const uint8_t trips[][10] = {{4, 200, 0, 1, 100, 5, 255, 255, 0, 3},
	                                    {4, 3, 30, 9, 9, 9, 9, 50, 2, 250},
	                                    {4, 255, 0, 0, 255, 0, 0, 255, 0, 251}};
	if (!lengths[0] && !lengths[1])
		prepare();
	switch (number) {
	case 0: return encoded_seed(1, false, out);
	case 1: return encoded_seed(4, false, out);
	case 2: return encoded_seed(12, false, out);
	case 3: return encoded_seed(16, false, out);
	case 4: return encoded_seed(12, true, out);
	case 5: return encoded_seed(16, true, out);
	case 6: return buffer_append(out, some_positions, sizeof some_positions);
	case 7:
	case 8:
	case 9:
		for (int times = 0; times < 8; times++)
			if (!buffer_append(out, trips[number - 7] + (times > 0), sizeof trips[0] - (times > 0)))
				return false;
		return true;
	default: return false;
	}
}
