#include "bench/kernels/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "searcher/open.h"

static const uint32_t pairs[PAIRS][2] = {{0, 3}, {1, 2}, {2, 3}, {3, 4}};

static void prepare_scorer(struct bench *bench)
{
	struct scorer *scorer = &bench->scorer;
	bm25_denominators(BUILD_K1, BUILD_B, bench->segment.build_average, scorer->denominators);
	for (uint32_t tf = 1; tf <= SATURATION_TFS; tf++)
		for (int code = 0; code < 256; code++)
			scorer->saturations[tf - 1][code] = saturation(tf, scorer->denominators[code]);
}

static void open_list(struct bench *bench, uint32_t number, struct leaf *leaf, trawl_error *error)
{
	char term[16];
	int length = snprintf(term, sizeof term, "list%02u", (unsigned)number);
	struct term_entry entry;
	int code = terms_find(&bench->segment.terms, term, (size_t)length, &entry, error);
	if (!code)
		die("%s is not in the index", term);
	if (code > 0)
		code = leaf_open(leaf, &bench->segment, &entry, &bench->kept, error);
	float weight = (float)log1p((DOCUMENTS - leaf->count + 0.5) / (leaf->count + 0.5));
	if (!code)
		code = leaf_score(leaf, &(struct leaf_scoring){bench->segment.lengths, &bench->scorer, weight, 1},
		                  &bench->kept, error);
	if (code)
		die("%s", error->text);
	if (leaf->kind != (number < SPARSE_LISTS ? LEAF_SPARSE : LEAF_DENSE))
		die("the list of %u postings has become of the other kind: the border has moved",
		    (unsigned)leaf->count);
}

static void open_sparse_lists(struct bench *bench, trawl_error *error)
{
	struct subject *subject = &bench->shorts;
	snprintf(subject->name, sizeof subject->name, "%s", densities[0].name);
	subject->leaves = allocate(SPARSE_LISTS, sizeof *subject->leaves);
	for (uint32_t i = 0; i < SPARSE_LISTS; i++) {
		struct term_entry entry;
		char term[16];
		uint64_t left;
		int length = snprintf(term, sizeof term, "list%02u", (unsigned)i);
		open_list(bench, i, &subject->leaves[i], error);
		if (terms_find(&bench->segment.terms, term, (size_t)length, &entry, error) <= 0)
			die("%s: %s", term, error->text);
		subject->coded[i] = part_at(&bench->segment.postings, entry.place.postings, &left, error);
		subject->coded_bytes[i] = entry.place.postings_bytes;
		if (!subject->coded[i] || subject->coded_bytes[i] > left)
			die("%s: %s", term, error->text);
		subject->count++;
		subject->postings += entry.df;
	}
}

static void open_chunks(struct bench *bench, struct subject *subject, trawl_error *error)
{
	const struct dense_list *list = &subject->leaves[0].dense;
	subject->chunks = allocate(SUPERBLOCKS, sizeof *subject->chunks);
	subject->masks = allocate(BLOCKS, sizeof *subject->masks);
	for (uint32_t superblock = 0; superblock < SUPERBLOCKS; superblock++) {
		struct opened_chunk *opened = &subject->chunks[subject->chunk_count];
		uint32_t length;
		uint64_t left, address = chunk_place(list, superblock, &length);
		if (!length)
			continue;
		const uint8_t *bytes = part_at(&bench->segment.postings, address, &left, error);
		if (!bytes || length > left || !chunk_open(&opened->chunk, list, superblock, bytes, length))
			die("a chunk of its own making cannot be opened");
		opened->superblock = superblock;
		for (uint32_t rank = 0; rank < opened->chunk.block_count; rank++) {
			opened->exceptions[rank] = chunk_exceptions_before(&opened->chunk, rank, 0);
			subject->masks[subject->blocks++] = chunk_block_mask(&opened->chunk, rank);
		}
		subject->chunk_count++;
	}
	if (count_bits(subject->masks, subject->blocks) != subject->postings)
		die("%s: not as many postings in the blocks as were written", subject->name);
}

static void open_subjects(struct bench *bench)
{
	trawl_error error = {0};
	snprintf(bench->none.name, sizeof bench->none.name, "-");
	open_sparse_lists(bench, &error);
	for (uint32_t i = 1; i < DENSITIES; i++) {
		struct subject *subject = &bench->dense[i];
		snprintf(subject->name, sizeof subject->name, "%s", densities[i].name);
		subject->leaves = allocate(1, sizeof *subject->leaves);
		subject->count = 1;
		open_list(bench, SPARSE_LISTS + i - 1, &subject->leaves[0], &error);
		subject->postings = subject->leaves[0].count;
		open_chunks(bench, subject, &error);
	}
	for (uint32_t i = 0; i < PAIRS; i++) {
		struct subject *subject = &bench->pair[i];
		snprintf(subject->name, sizeof subject->name, "%s+%s", densities[pairs[i][0]].name,
		         densities[pairs[i][1]].name);
		subject->leaves = allocate(2, sizeof *subject->leaves);
		subject->count = 2;
		for (int j = 0; j < 2; j++) {
			uint32_t density = pairs[i][j];
			subject->leaves[j] = density ? bench->dense[density].leaves[0] : bench->shorts.leaves[0];
			subject->postings += subject->leaves[j].count;
		}
	}
}

/* The index is in a folder of its own, which is gone again as soon as all is opened: a killed run leaves nothing behind. */
static void make_index(struct bench *bench, uint64_t seed)
{
	const char *where = getenv("TMPDIR");
	char folder[4000], path[4008], lock[4016];
	trawl_error error = {0};
	int n = snprintf(folder, sizeof folder, "%s/kernel_bench-XXXXXX", where && *where ? where : "/tmp");
	if (n < 0 || (size_t)n >= sizeof folder)
		die("the name of the temporary folder is too long");
	if (!mkdtemp(folder))
		die("%s: %s", folder, strerror(errno));
	snprintf(path, sizeof path, "%s/index", folder);
	snprintf(lock, sizeof lock, "%s-lock", path);
	int code = store_open(&bench->store, path, true, &error);
	if (code)
		die("%s", error.text);
	write_index(bench->store, seed);
	code = snapshot_open(&bench->snapshot, bench->store, &error);
	if (!code)
		code = manifest_read(&bench->manifest, bench->snapshot, &error);
	if (!code)
		code = segment_open(&bench->segment, bench->snapshot, &bench->manifest, 0, &error);
	unlink(lock);
	unlink(path);
	rmdir(folder);
	if (code)
		die("%s", error.text);
}

static void make_random_scores(struct bench *bench, uint64_t seed)
{
	uint64_t state = ~seed;
	bench->random_scores = allocate(RANDOM_SCORES, sizeof *bench->random_scores);
	bench->random_sums = allocate(SELECTIONS * SUPERBLOCKS, sizeof *bench->random_sums);
	for (uint32_t i = 0; i < RANDOM_SCORES; i++)
		bench->random_scores[i] = (float)-log(random_unit(&state));
	for (uint32_t i = 0; i < SELECTIONS * SUPERBLOCKS; i++)
		bench->random_sums[i] = (float)-log(random_unit(&state));
}

void bench_open(struct bench *bench, uint64_t seed)
{
	bench->output = allocate(1, sizeof *bench->output);
	bench->digest = XXH3_createState();
	if (!bench->digest)
		die("out of memory");
	make_random_scores(bench, seed);
	make_index(bench, seed);
	prepare_scorer(bench);
	open_subjects(bench);
}

static void subject_release(struct subject *subject)
{
	memory_free(subject->leaves);
	memory_free(subject->chunks);
	memory_free(subject->masks);
}

void bench_close(struct bench *bench)
{
	subject_release(&bench->shorts);
	for (uint32_t i = 0; i < DENSITIES; i++)
		subject_release(&bench->dense[i]);
	for (uint32_t i = 0; i < PAIRS; i++)
		subject_release(&bench->pair[i]);
	segment_close(&bench->segment);
	manifest_release(&bench->manifest);
	snapshot_close(bench->snapshot);
	store_close(bench->store);
	arena_release(&bench->kept);
	context_release(&bench->context);
	top_release(&bench->top);
	memory_free(bench->random_scores);
	memory_free(bench->random_sums);
	memory_free(bench->output);
	XXH3_freeState(bench->digest);
}
