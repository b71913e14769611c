/*
 * An index that lives long: its file stays below twice the live data, at a price that is bounded too.
 *
 * TRAWL_SEED    seed of the histories
 * TRAWL_CYCLES  changes of the long history (1000)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/child.h"
#include "tests/effort.h"
#include "tests/random_corpus.h"
#include "tests/seed.h"

#include "tests/index_verbs.h"

#define DOCUMENTS 800 /* ids */
#define SMALL_CONSTANT ((uint64_t)256 << 10)

/* What the documents of an index are: the number of each one's version, 0 for none. */
struct model {
	uint32_t versions[DOCUMENTS];
	uint32_t next;
};

/* Documents of the test: words, and bytes that are only stored, which follow from number and version. */
struct made {
	char id[16], text[2048], fields[4096];
};

static trawl_document make_document(struct made *made, size_t number, uint32_t version)
{
	struct random random = {number * 1000003 + version};
	size_t length = (size_t)sprintf(made->text, "all v%u", version), bytes = 500 + random_below(&random, 3000);
	for (size_t word = 0, words = 30 + random_below(&random, 60); word < words; word++) {
		uint64_t rank = random_below(&random, 1 + random_below(&random, 5000));
		length += (size_t)sprintf(made->text + length, " w%05x", (unsigned)rank);
	}
	for (size_t i = 0; i < bytes; i++)
		made->fields[i] = (char)('0' + random_below(&random, 64));
	return (trawl_document){.id = made->id,
	                        .id_length = (size_t)sprintf(made->id, "d%zu", number),
	                        .text = made->text,
	                        .text_length = length,
	                        .fields = made->fields,
	                        .fields_length = bytes};
}

static void put_document(struct model *model, trawl_writer *writer, size_t number)
{
	struct made made;
	uint32_t version = ++model->next;
	trawl_document document = make_document(&made, number, version);
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
	size_t changes = 1 + random_below(random, random_chance(random, 0.05) ? DOCUMENTS / 2 : 20);
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

/* The sizes of the live documents documents indexed at once. */
static uint64_t fresh_bytes(const struct model *model)
{
	struct made made;
	const char *path = scratch_path("fresh");
	unlink(path);
	trawl_writer *writer = writer_open(path);
	for (size_t number = 0; number < DOCUMENTS; number++) {
		if (!model->versions[number])
			continue;
		trawl_document document = make_document(&made, number, model->versions[number]);
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
	uint64_t live = 0;
	for (size_t number = 0; number < DOCUMENTS; number++) {
		struct made made;
		make_document(&made, number, model->versions[number]);
		live += model->versions[number] > 0;
		if (!model->versions[number]) {
			assert_int_equal(fetch_status(index, made.id), TRAWL_ENOTFOUND);
		} else if (number % 7 == 0) {
			assert_text(index, made.id, made.text);
		}
	}
	assert_int_equal(stats_of(index).documents, live);
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
	fprintf(stderr, "  cycle %d: %.2f MB, %.2f free, compacted %.2f MB; %d segments, %d deleted of %d\n", cycle,
	        (double)stats.file_bytes / 1e6, (double)stats.free_bytes / 1e6, (double)least / 1e6,
	        (int)stats.segments, (int)stats.deleted, (int)(stats.deleted + stats.documents));
}

static void a_file_stays_below_twice_the_living_data(void **state)
{
	(void)state;
	const char *value = getenv("TRAWL_CYCLES");
	int cycles = value ? atoi(value) : test_size(1000, 200);
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
	fprintf(stderr,
	        "  at worst %.2f times the live data; %.1f MB new, %.1f merged (%d), %.1f compacted (%d): %.2f\n",
	        worst, (double)sum.segment_bytes / 1e6, (double)sum.merge_bytes / 1e6, (int)sum.merges,
	        (double)sum.compaction_bytes / 1e6, (int)sum.compactions, again);
	assert_true((sum.compactions > 0 || cycles < 200) && sum.merges_failed == 0);
	assert_true(sum.compaction_bytes <= 3 * (sum.segment_bytes + sum.merge_bytes));
	assert_true(again < 8);
}

/* ---- shrinking, and what may go wrong with it ------------------------------------------------------------------- */

static ino_t inode_of(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

/* Write all documents anew, in one commit. */
static int rewrite(struct model *model, trawl_writer *writer)
{
	int code = 0;
	for (size_t number = 0; !code && number < DOCUMENTS; number++) {
		struct made made;
		trawl_document document = make_document(&made, number, ++model->next);
		code = trawl_writer_add(writer, &document, &error);
		model->versions[number] = model->next;
	}
	return code ? code : trawl_writer_commit(writer, &error);
}

static void a_file_is_replaced_when_its_last_reader_is_gone(void **state)
{
	(void)state;
	char path[1024];
	struct model model = {0};
	trawl_writer_stats stats;
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	trawl_writer *writer = writer_open(path);
	CHECK(rewrite(&model, writer));
	ino_t first = inode_of(path);
	trawl_index *index = index_open(path);
	for (int i = 0; i < 3; i++)
		CHECK(rewrite(&model, writer));
	assert_int_equal(inode_of(path), first);
	assert_true(size_of(path) > 3 << 20);
	trawl_close(index);
	CHECK(rewrite(&model, writer));
	assert_int_not_equal(inode_of(path), first);
	assert_true(size_of(path) < 2 << 20);
	trawl_writer_get_stats(writer, &stats);
	assert_int_equal(stats.compactions, 1);
	/* The writer goes on in the new file, whose lock it has. */
	trawl_writer *other;
	assert_int_equal(trawl_writer_open(&other, path, NULL, &error), TRAWL_EBUSY);
	delete_document(&model, writer, 5);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	assert_holds(&model, path);
}

static void with_no_merge_a_file_is_not_replaced(void **state)
{
	(void)state;
	char path[1024];
	struct model model = {0};
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 4 << 20, .no_merge = true};
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (int i = 0; i < 3; i++)
		CHECK(rewrite(&model, writer));
	ino_t first = inode_of(path);
	CHECK(rewrite(&model, writer));
	assert_int_equal(inode_of(path), first);
	trawl_writer_close(writer);
	assert_holds(&model, path);
}

static void a_writer_that_waited_writes_to_the_new_file(void **state)
{
	(void)state;
	char path[1024];
	struct model model = {0};
	int ends[2], status;
	char byte;
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	assert_int_equal(pipe(ends), 0);
	trawl_writer *writer = writer_open(path);
	CHECK(rewrite(&model, writer));
	ino_t first = inode_of(path);
	pid_t child = fork_mortal(60);
	if (!child) {
		trawl_writer_options options = {.memory_budget = 4 << 20, .wait = true};
		trawl_document document = document_of("late", "all late");
		bool done = write(ends[1], "", 1) == 1 && !trawl_writer_open(&writer, path, &options, &error) &&
		            !trawl_writer_add(writer, &document, &error) && !trawl_writer_commit(writer, &error);
		trawl_writer_close(done ? writer : NULL);
		_exit(!done);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	while (inode_of(path) == first) /* the child's look at the file may keep it for a while */
		CHECK(rewrite(&model, writer));
	trawl_writer_close(writer);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	trawl_index *index = index_open(path);
	assert_int_equal(stats_of(index).documents, DOCUMENTS + 1);
	assert_int_equal(fetch_status(index, "late"), 0);
	trawl_close(index);
	close(ends[0]);
	close(ends[1]);
}

static void count_damage(void *context, const trawl_finding *finding)
{
	*(int *)context += !finding->harmless;
	if (!finding->harmless)
		fprintf(stderr, "  segment %u, %s: %s\n", finding->segment, finding->part, finding->text);
}

static void assert_sound(const char *path)
{
	int damages = 0;
	trawl_check_result result;
	const trawl_check_options options = {.finding = count_damage, .context = &damages};
	CHECK(trawl_check(path, &options, &result, &error));
	assert_int_equal(damages, 0);
}

static void without_memory_a_shrinking_file_stays_whole(void **state)
{
	(void)state;
	char path[1024];
	struct model model = {0};
	int failures = 0;
	uint64_t compactions = 0;
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	trawl_writer *writer = writer_open(path);
	CHECK(rewrite(&model, writer));
	/* The commit is small; most of what it allocates is for merging and shrinking. */
	for (long n = 0; n < 600; n += 1 + n / test_size(4, 2)) {
		trawl_writer_stats stats;
		delete_document(&model, writer, (size_t)n);
		model.versions[n] = 0;
		memory_fail_after(n, false);
		int code = trawl_writer_commit(writer, &error);
		memory_fail_after(-1, false);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
		trawl_writer_get_stats(writer, &stats);
		failures += code != 0 || stats.merges_failed;
		trawl_writer_close(writer);
		assert_sound(path);
		writer = writer_open(path);
		CHECK(rewrite(&model, writer));
		CHECK(rewrite(&model, writer));
		trawl_writer_get_stats(writer, &stats);
		compactions += stats.compactions;
	}
	trawl_writer_close(writer);
	assert_true(failures > test_size(10, 2));
	assert_true(compactions > 0);
	assert_holds(&model, path);
}

static void a_killed_writer_leaves_the_last_commit(void **state)
{
	(void)state;
	char path[1024];
	struct random random = {test_seed()};
	int ends[2], killed_within = 0;
	uint32_t told;
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	for (int round = 0; round < 12; round++) {
		struct model model = {.next = (uint32_t)round * 1000000};
		uint32_t last = 0;
		assert_int_equal(pipe(ends), 0);
		pid_t child = fork_mortal(60);
		if (!child) {
			trawl_writer *writer = writer_open(path);
			while (!rewrite(&model, writer) && write(ends[1], &model.next, sizeof model.next) == 4)
				;
			_exit(1);
		}
		close(ends[1]);
		for (int commits = 0; commits < 3; commits++)
			assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
		usleep((useconds_t)random_below(&random, 60000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(ends[0], &told, sizeof told) == sizeof told)
			last = told;
		close(ends[0]);
		assert_sound(path);
		trawl_index *index = index_open(path);
		trawl_stored *stored;
		trawl_document document;
		uint32_t version;
		assert_int_equal(stats_of(index).documents, DOCUMENTS);
		CHECK(trawl_fetch(index, "d799", 4, &stored, &document, &error));
		assert_int_equal(sscanf(document.text, "all v%u", &version), 1);
		trawl_stored_free(stored);
		trawl_close(index);
		assert_true(version == last || version == last + DOCUMENTS);
		killed_within += version != last;
	}
	fprintf(stderr, "  %d of 12 killed before the commit was told\n", killed_within);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_file_stays_below_twice_the_living_data, clear),
	    cmocka_unit_test_teardown(a_file_is_replaced_when_its_last_reader_is_gone, clear),
	    cmocka_unit_test_teardown(with_no_merge_a_file_is_not_replaced, clear),
	    cmocka_unit_test_teardown(a_writer_that_waited_writes_to_the_new_file, clear),
	    cmocka_unit_test_teardown(without_memory_a_shrinking_file_stays_whole, clear),
	    cmocka_unit_test_teardown(a_killed_writer_leaves_the_last_commit, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
