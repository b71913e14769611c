/*
 * starve.c - every nth allocation of the library, and of zstd within it, fails, once or from then on, while it indexes, merges,
 * compacts, checks, salvages, searches, cuts snippets, tells statistics and shows documents. To be built with the address and leak sanitizers.
 *
 *   starve folder=DIR step=1 seed=1
 *
 * It must answer TRAWL_ENOMEM, or succeed with the same result as ever; leave the last commit or the next one; leak nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "tests/reliability/harness.h"

/* Present only under the leak sanitizer: whether something has leaked by now. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

struct starving {
	char index[500], input[2][500];
	uint64_t runs, failures, found;
	uint64_t answers[2]; /* a hash of all that the index answers, before and after the change under test */
	bool large;
};

static trawl_error error;

/* ---- inputs ---- */

static void write_input(const char *path, int version, uint32_t documents, uint32_t words)
{
	FILE *file = fopen(path, "we");
	if (!file)
		exit(3);
	for (uint32_t i = 0; i < documents; i++) {
		struct random random = {i * 7919u + (uint64_t)(i % 3 ? version : 0)};
		fprintf(file, "{\"id\":\"d%u\",\"title\":\"caf\xc3\xa9 %d\",\"text\":\"common", i, i % 3 ? version : 0);
		for (uint32_t word = 0; word < words; word++)
			fprintf(file, " %s%u", random_chance(&random, 0.3) ? "running the " : "w",
			        (unsigned)random_below(&random, words * 3));
		fputs("\",\"kind\":[1,2]}\n", file);
	}
	fclose(file);
}

/* ---- what is done under want ---- */

static int add_all(trawl_writer *writer, trawl_source *source)
{
	trawl_document document;
	int status;
	while ((status = trawl_source_next(source, &document, &error)) > 0)
		if ((status = trawl_writer_add(writer, &document, &error)))
			return status;
	return status;
}

static int write_index(const struct starving *starving, int version)
{
	const char *paths[] = {starving->input[version]};
	trawl_source_options options = {.strict = true};
	trawl_writer_options writing = {
	    .memory_budget = 1 << 20,
	    .analysis = {.language = "english", .stop_words = true, .fold_diacritics = true},
	    .order = TRAWL_ORDER_SIMILAR};
	trawl_source *source = NULL;
	trawl_writer *writer = NULL;
	int status = trawl_source_open(&source, paths, 1, &options, &error);
	if (!status)
		status = trawl_writer_open(&writer, starving->index, &writing, &error);
	if (!status)
		status = add_all(writer, source);
	if (!status && version == 1)
		status = trawl_writer_delete(writer, "d1", 2, &error);
	if (!status)
		status = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	trawl_source_close(source);
	return status;
}

static const char *const queries[] = {"common", "w1 w2 run", "+common -w3", "\"running 5\"", "caf\xc3\xa9 +w4", "w"};

static int look_at_hit(trawl_searcher *searcher, const trawl_hit *hit, uint64_t *hash)
{
	trawl_document document;
	trawl_snippet snippet;
	const char *id;
	size_t length;
	int status = trawl_hit_id(searcher, hit->document, &id, &length, &error);
	if (status)
		return status;
	*hash += hash_bytes(id, length) * (1 + (uint64_t)(hit->score * 1024));
	if ((status = trawl_hit_document(searcher, hit->document, &document, &error)))
		return status;
	*hash += hash_bytes(document.text, document.text_length);
	if ((status = trawl_hit_snippet(searcher, hit->document, 100, &snippet, &error)))
		return status;
	*hash += hash_bytes(snippet.text, snippet.length);
	return 0;
}

static int ask(trawl_searcher *searcher, const char *query, uint64_t *hash)
{
	trawl_search_options options = {.top = 20, .count = true, .stable_ties = true};
	size_t count;
	int status = trawl_search(searcher, query, strlen(query), &options, &error);
	const trawl_hit *hits = status ? NULL : trawl_hits(searcher, &count);
	*hash = *hash * 31 + (status ? 0 : trawl_match_count(searcher));
	for (size_t i = 0; !status && i < count; i++)
		status = look_at_hit(searcher, &hits[i], hash);
	return status;
}

static int read_index(const struct starving *starving, uint64_t *hash)
{
	trawl_index *index = NULL;
	trawl_searcher *searcher = NULL;
	trawl_stored *stored = NULL;
	trawl_index_stats stats;
	trawl_document document;
	*hash = 0;
	int status = trawl_open(&index, starving->index, &error);
	if (!status)
		status = trawl_get_stats(index, &stats, &error);
	if (!status)
		*hash = stats.documents * 1000003 + stats.tokens;
	if (!status)
		status = trawl_searcher_new(&searcher, index, &error);
	for (size_t q = 0; !status && q < sizeof queries / sizeof *queries; q++)
		status = ask(searcher, queries[q], hash);
	if (!status)
		status = trawl_fetch(index, "d2", 2, &stored, &document, &error);
	if (!status)
		*hash += hash_bytes(document.text, document.text_length);
	trawl_stored_free(stored);
	trawl_searcher_free(searcher);
	trawl_close(index);
	return status;
}

/* ---- judging ---- */

static void complain(struct starving *starving, const char *doing, long n, bool sticky, const char *what)
{
	starving->found++;
	printf("FOUND starve: %s, allocation %ld%s: %s (%s)\n", doing, n, sticky ? " and on" : "", what, error.text);
	fflush(stdout);
}

static void check_status(struct starving *starving, const char *doing, long n, bool sticky, int status)
{
	starving->failures += status != 0;
	starving->runs++;
	if (status && (status != TRAWL_ENOMEM || error.code != TRAWL_ENOMEM))
		complain(starving, doing, n, sticky, "fails, but not for want of memory");
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		complain(starving, doing, n, sticky, "leaks");
}

/* Whether the plan met an allocation to fail. */
static bool plan_ends(bool sticky)
{
	void *probe = memory_new(1);
	bool met = !sticky || !probe;
	memory_free(probe);
	memory_fail_after(-1, false);
	return met;
}

static void start_over(const struct starving *starving)
{
	char lock[600];
	snprintf(lock, sizeof lock, "%s-lock", starving->index);
	unlink(starving->index);
	unlink(lock);
}

static bool starve_reader(struct starving *starving, long n, bool sticky)
{
	uint64_t hash;
	memory_fail_after(n, sticky);
	int status = read_index(starving, &hash);
	bool met = plan_ends(sticky);
	if (!status && hash != starving->answers[1])
		complain(starving, "reading", n, sticky, "another answer");
	check_status(starving, "reading", n, sticky, status);
	return met;
}

/* An index anew, or the second version over the first. */
static bool starve_writer(struct starving *starving, int version, long n, bool sticky)
{
	static const char *const names[] = {"indexing anew", "indexing again"};
	uint64_t hash;
	start_over(starving);
	if (version == 1 && write_index(starving, 0))
		exit(3);
	memory_fail_after(n, sticky);
	int status = write_index(starving, version);
	bool met = plan_ends(sticky);
	check_status(starving, names[version], n, sticky, status);
	int reading = read_index(starving, &hash);
	bool none = version == 0 && (reading == TRAWL_ENOTFOUND || reading == TRAWL_ENOTINDEX);
	bool before = version == 0 ? none : !reading && hash == starving->answers[0];
	bool after = !reading && hash == starving->answers[version];
	if (!after && (!status || !before))
		complain(starving, names[version], n, sticky, "neither the last commit nor the next");
	if (status && write_index(starving, version))
		complain(starving, names[version], n, sticky, "the next attempt fails");
	return met;
}

/* ---- upkeep: what changes no answer ---- */

static int merge_index(const struct starving *starving)
{
	trawl_writer *writer = NULL;
	trawl_writer_options options = {.memory_budget = 1 << 20, .no_merge = true};
	int status = trawl_writer_open(&writer, starving->index, &options, &error);
	if (!status)
		status = trawl_writer_merge(writer, 1, &error);
	trawl_writer_close(writer);
	return status;
}

static int compact_index(const struct starving *starving)
{
	return trawl_compact(starving->index, false, NULL, &error);
}

static int check_index(const struct starving *starving)
{
	trawl_check_result result;
	trawl_check_options options = {.text = true};
	int status = trawl_check(starving->index, &options, &result, &error);
	if (!status && result.damages) {
		snprintf(error.text, sizeof error.text, "damage is found where there is none");
		status = TRAWL_ECORRUPT;
	}
	return status;
}

static void rescued_path(const struct starving *starving, char path[600])
{
	snprintf(path, 600, "%s-rescued", starving->index);
}

static int salvage_index(const struct starving *starving)
{
	char path[600];
	trawl_salvage_result result;
	trawl_salvage_options options = {.memory_budget = 1 << 20};
	rescued_path(starving, path);
	int status = trawl_salvage(starving->index, path, &options, &result, &error);
	if (!status && result.lost) {
		snprintf(error.text, sizeof error.text, "documents are lost where there is no damage");
		status = TRAWL_ECORRUPT;
	}
	return status;
}

/* A rescued index answers as the old one, or there is none; then it is gone. */
static bool take_rescued(const struct starving *starving, int status)
{
	struct starving rescued = *starving;
	char path[600];
	uint64_t hash;
	rescued_path(starving, path);
	snprintf(rescued.index, sizeof rescued.index, "%.480s", path);
	bool right = access(path, F_OK) != 0;
	if (!right)
		right = !status && !read_index(&rescued, &hash) && hash == starving->answers[1];
	else
		right = status != 0;
	start_over(&rescued);
	return right;
}

static const struct upkeep {
	const char *name;
	int (*run)(const struct starving *starving);
} upkeeps[] = {
    {"merging", merge_index}, {"compacting", compact_index}, {"checking", check_index}, {"salvaging", salvage_index}};

/* The second version over the first in many segments, some documents dead. */
static void make_segments(const struct starving *starving)
{
	const char *paths[] = {starving->input[1]};
	trawl_source_options options = {.strict = true};
	trawl_writer_options writing = {
	    .memory_budget = 1 << 20,
	    .analysis = {.language = "english", .stop_words = true, .fold_diacritics = true},
	    .no_merge = true};
	trawl_source *source;
	trawl_writer *writer;
	trawl_document document;
	start_over(starving);
	if (write_index(starving, 0) || trawl_source_open(&source, paths, 1, &options, &error))
		exit(3);
	for (int part = 0, more = 1; more > 0; part++) {
		if (trawl_writer_open(&writer, starving->index,
		                      part ? &(trawl_writer_options){.no_merge = true} : &writing, &error))
			exit(3);
		for (int i = 0; i < 500 && (more = trawl_source_next(source, &document, &error)) > 0; i++)
			if (trawl_writer_add(writer, &document, &error))
				exit(3);
		if (!more && trawl_writer_delete(writer, "d1", 2, &error))
			exit(3);
		if (more < 0 || trawl_writer_commit(writer, &error))
			exit(3);
		trawl_writer_close(writer);
	}
	trawl_source_close(source);
}

static bool starve_upkeep(struct starving *starving, const struct upkeep *upkeep, long n, bool sticky)
{
	uint64_t hash;
	if (upkeep->run == merge_index || upkeep->run == compact_index)
		make_segments(starving);
	memory_fail_after(n, sticky);
	int status = upkeep->run(starving);
	bool met = plan_ends(sticky);
	check_status(starving, upkeep->name, n, sticky, status);
	if (upkeep->run == salvage_index && !take_rescued(starving, status))
		complain(starving, upkeep->name, n, sticky, "the rescued index is wrong");
	if (read_index(starving, &hash) || hash != starving->answers[1])
		complain(starving, upkeep->name, n, sticky, "the answers have changed");
	if (status && upkeep->run(starving))
		complain(starving, upkeep->name, n, sticky, "the next attempt fails");
	if (status && upkeep->run == salvage_index)
		take_rescued(starving, 0);
	return met;
}

/* ---- every allocation, or each `step`th ---- */

enum { WRITE_ANEW, WRITE_AGAIN, READ, UPKEEP };

static bool starve_once(struct starving *starving, int what, long n, bool sticky)
{
	return what == READ     ? starve_reader(starving, n, sticky)
	       : what >= UPKEEP ? starve_upkeep(starving, &upkeeps[what - UPKEEP], n, sticky)
	                        : starve_writer(starving, what, n, sticky);
}

static void starve_each(struct starving *starving, int what, long step, struct random *random)
{
	static const char *const names[] = {"indexing anew", "indexing again", "reading"};
	long first = (long)random_below(random, (uint64_t)step), end = first;
	while (starve_once(starving, what, end, true))
		end += step;
	for (long n = first; n <= end; n += step)
		starve_once(starving, what, n, false);
	fprintf(stderr, "  starve: %s%s: %ld allocations; %llu runs, %llu failures, %llu found\n",
	        what >= UPKEEP ? upkeeps[what - UPKEEP].name : names[what], starving->large ? ", spilling" : "", end,
	        (unsigned long long)starving->runs, (unsigned long long)starving->failures,
	        (unsigned long long)starving->found);
}

static void prepare(struct starving *starving, const char *folder, bool large)
{
	starving->large = large;
	snprintf(starving->index, sizeof starving->index, "%.400s/starve.trawl", folder);
	for (int version = 0; version < 2; version++) {
		snprintf(starving->input[version], sizeof starving->input[version], "%.400s/starve-%d.jsonl", folder,
		         version);
		write_input(starving->input[version], version, large ? 1500 : 40, large ? 200 : 12);
	}
	start_over(starving);
	for (int version = 0; version < 2; version++)
		if (write_index(starving, version) || read_index(starving, &starving->answers[version])) {
			fprintf(stderr, "%s\n", error.text);
			exit(3);
		}
}

static void starve_all(struct starving *starving, const char *folder, bool large, long step, struct random *random)
{
	prepare(starving, folder, large);
	starve_each(starving, READ, step, random);
	starve_each(starving, WRITE_AGAIN, step, random);
	starve_each(starving, WRITE_ANEW, step, random);
	make_segments(starving);
	for (int i = 0; i < (int)(sizeof upkeeps / sizeof *upkeeps); i++)
		starve_each(starving, UPKEEP + i, large ? 2 * step : step, random);
	start_over(starving);
	unlink(starving->input[0]);
	unlink(starving->input[1]);
}

int main(int argc, char **argv)
{
	struct starving starving = {0};
	struct random random = {option_number(argc, argv, "seed", 1)};
	const char *folder = option_text(argc, argv, "folder", "/dev/shm");
	long step = (long)option_number(argc, argv, "step", 1);
	starve_all(&starving, folder, false, step, &random);
	starve_all(&starving, folder, true, step * 50, &random);
	printf("TOTAL failing allocations, library%s\t%llu\t%llu\t%llu\n",
	       __lsan_do_recoverable_leak_check ? ", leaks sought" : "", (unsigned long long)starving.runs,
	       (unsigned long long)starving.failures, (unsigned long long)starving.found);
	return starving.found ? 1 : 0;
}
