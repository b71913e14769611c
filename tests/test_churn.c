/*
 * An index that lives long: its file stays below twice the living data, at a price that is bounded too.
 *
 * TRAWL_SEED    seed of the histories
 * TRAWL_CYCLES  changes of the long history (1000)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/child.h"
#include "tests/random_corpus.h"
#include "tests/seed.h"

#include "tests/index_verbs.h"

#define DOCUMENTS 1500 /* ids */
#define SMALL_CONSTANT ((uint64_t)256 << 10)

/* What the documents of an index are: the number of each one's version, 0 for none. */
struct model {
	uint32_t versions[DOCUMENTS];
	uint32_t next;
};

/* Some 300 words, which follow from number and version. */
static size_t make_text(char *text, size_t number, uint32_t version)
{
	struct random random = {number * 1000003 + version};
	size_t length = (size_t)sprintf(text, "all v%u", version);
	for (size_t word = 0, words = 200 + random_below(&random, 200); word < words; word++) {
		uint64_t rank = random_below(&random, 1 + random_below(&random, 20000));
		length += (size_t)sprintf(text + length, " w%05x", (unsigned)rank);
	}
	return length;
}

static void put_document(struct model *model, trawl_writer *writer, size_t number)
{
	char id[16], text[8192];
	uint32_t version = ++model->next;
	snprintf(id, sizeof id, "d%zu", number);
	trawl_document document = {
	    .id = id, .id_length = strlen(id), .text = text, .text_length = make_text(text, number, version)};
	CHECK(trawl_writer_add(writer, &document, &error));
	model->versions[number] = version;
}

static void delete_document(struct model *model, trawl_writer *writer, size_t number)
{
	char id[16];
	snprintf(id, sizeof id, "d%zu", number);
	if (model->versions[number])
		CHECK(trawl_writer_delete(writer, id, strlen(id), &error));
	model->versions[number] = 0;
}

/* A cycle: some documents change, mostly few; now and then many go or come. */
static void change(struct model *model, trawl_writer *writer, struct random *random)
{
	size_t changes = 1 + random_below(random, random_chance(random, 0.05) ? DOCUMENTS / 2 : 40);
	double deletions = random_chance(random, 0.1) ? 0.9 : 0.3;
	for (size_t i = 0; i < changes; i++) {
		size_t number = random_below(random, DOCUMENTS);
		if (random_chance(random, deletions))
			delete_document(model, writer, number);
		else
			put_document(model, writer, number);
	}
	CHECK(trawl_writer_commit(writer, &error));
}

/* The sizes of the living documents indexed at once. */
static uint64_t fresh_bytes(const struct model *model)
{
	char id[16], text[8192];
	const char *path = scratch_path("fresh");
	unlink(path);
	trawl_writer *writer = writer_open(path);
	for (size_t number = 0; number < DOCUMENTS; number++) {
		if (!model->versions[number])
			continue;
		snprintf(id, sizeof id, "d%zu", number);
		trawl_document document = {.id = id,
		                           .id_length = strlen(id),
		                           .text = text,
		                           .text_length = make_text(text, number, model->versions[number])};
		CHECK(trawl_writer_add(writer, &document, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	CHECK(trawl_compact(path, false, NULL, &error));
	trawl_index *index = index_open(path);
	uint64_t bytes = stats_of(index).file_bytes;
	trawl_close(index);
	return bytes;
}

static void assert_holds(const struct model *model, const char *path)
{
	trawl_index *index = index_open(path);
	uint64_t living = 0;
	for (size_t number = 0; number < DOCUMENTS; number++) {
		char id[16], text[8192];
		snprintf(id, sizeof id, "d%zu", number);
		living += model->versions[number] > 0;
		if (!model->versions[number]) {
			assert_int_equal(fetch_status(index, id), TRAWL_ENOTFOUND);
		} else if (number % 7 == 0) {
			make_text(text, number, model->versions[number]);
			assert_text(index, id, text);
		}
	}
	assert_int_equal(stats_of(index).documents, living);
	trawl_close(index);
}

static uint64_t size_of(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_size;
}

/* What writers did in all. */
static void add_up(trawl_writer_stats *sum, const trawl_writer *writer)
{
	trawl_writer_stats stats;
	trawl_writer_get_stats(writer, &stats);
	sum->segment_bytes += stats.segment_bytes;
	sum->merges += stats.merges;
	sum->merge_bytes += stats.merge_bytes;
	sum->compactions += stats.compactions;
	sum->compaction_bytes += stats.compaction_bytes;
	sum->merges_failed += stats.merges_failed;
}

static void print_cycle(const char *path, int cycle, uint64_t least)
{
	trawl_index *index = index_open(path);
	trawl_index_stats stats = stats_of(index);
	trawl_close(index);
	fprintf(stderr, "  cycle %d: %.2f MB, %.2f free, compacted %.2f MB; %d segments, %d dead of %d\n", cycle,
	        (double)stats.file_bytes / 1e6, (double)stats.free_bytes / 1e6, (double)least / 1e6,
	        (int)stats.segments, (int)stats.deleted, (int)(stats.deleted + stats.documents));
}

static void a_file_stays_below_twice_the_living_data(void **state)
{
	(void)state;
	const char *value = getenv("TRAWL_CYCLES");
	int cycles = value ? atoi(value) : 1000;
	char path[1024];
	struct random random = {test_seed()};
	struct model model = {0};
	trawl_writer_stats sum = {0};
	double worst = 0;
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	trawl_writer *writer = writer_open(path);
	for (size_t number = 0; number < DOCUMENTS; number++)
		put_document(&model, writer, number);
	CHECK(trawl_writer_commit(writer, &error));
	for (int cycle = 0; cycle < cycles; cycle++) {
		change(&model, writer, &random);
		if (random_chance(&random, 0.03))
			CHECK(trawl_writer_merge(writer, 1 + random_below(&random, 4), &error));
		if (random_chance(&random, 0.1)) {
			add_up(&sum, writer);
			trawl_writer_close(writer);
			writer = writer_open(path);
		}
		if (cycle % 25)
			continue;
		uint64_t bytes = size_of(path), least = fresh_bytes(&model);
		double ratio = (double)bytes / (double)least;
		worst = ratio > worst ? ratio : worst;
		if (value)
			print_cycle(path, cycle, least);
		if (bytes > 2 * least + SMALL_CONSTANT)
			fail_msg("cycle %d: %llu bytes for %llu", cycle, (unsigned long long)bytes,
			         (unsigned long long)least);
		if (cycle % 100 == 0)
			assert_holds(&model, path);
	}
	add_up(&sum, writer);
	trawl_writer_close(writer);
	assert_holds(&model, path);
	double again = (double)(sum.merge_bytes + sum.compaction_bytes) / (double)sum.segment_bytes;
	fprintf(stderr, "  at worst %.2f times the living data; %.1f MB new, %.1f merged (%d), %.1f compacted (%d): %.2f\n",
	        worst, (double)sum.segment_bytes / 1e6, (double)sum.merge_bytes / 1e6, (int)sum.merges,
	        (double)sum.compaction_bytes / 1e6, (int)sum.compactions, again);
	assert_true(sum.compactions > 0 && sum.merges_failed == 0);
	assert_true(sum.compaction_bytes <= 5 * (sum.segment_bytes + sum.merge_bytes) / 3);
	assert_true(again < 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_file_stays_below_twice_the_living_data, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
