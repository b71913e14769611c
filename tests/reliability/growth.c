/*
 * growth.c - a long life: does anything grow that should not?
 *
 *   growth folder=DIR seconds=600 documents=2000 compact=20 seed=1
 *
 * A writer that stays open commits additions, replacements and deletions of a fixed number of documents, merging as it likes; readers
 * come and go, in this process and in others, some of which are killed; now and then the file is compacted. Memory,
 * descriptors, readers' locks, names in the folder and the file's size are looked at once a round; after the first third of the
 * time the most of each must not be passed any more, but for a tenth.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/reliability/harness.h"

enum { MEASURES = 5, ROUND = 50 }; /* commits a round */

static const char *const measure_names[MEASURES] = {"resident KiB", "descriptors", "reader locks",
                                                    "names in the folder", "file KiB"};
/* What noise may add, besides a tenth. */
static const uint64_t measure_noise[MEASURES] = {4096, 2, 4, 2, 2048};

struct life_long {
	char folder[400], index[440];
	uint64_t documents, compact_every;
	struct random random;
	trawl_writer *writer;
	trawl_error error;
	uint64_t commits, reads, kills, compactions;
	uint64_t most[MEASURES], early[MEASURES], last[MEASURES];
};

static double clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(const struct life_long *life, int code, const char *what)
{
	if (code < 0) {
		printf("FOUND growth: %s: %s\n", what, life->error.text);
		exit(1);
	}
}

/* ---- what is measured ---- */

static uint64_t count_names(const char *path)
{
	uint64_t count = 0;
	DIR *folder = opendir(path);
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

static uint64_t resident_kib(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file || fscanf(file, "%llu %llu", &size, &resident) != 2)
		exit(3);
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* The locks by which readers tell of themselves (store/readers.h), of all processes. */
static uint64_t reader_locks(const struct stat *index)
{
	char line[256], inode[32];
	uint64_t count = 0;
	FILE *locks = fopen("/proc/locks", "re");
	if (!locks)
		return 0;
	snprintf(inode, sizeof inode, ":%llu ", (unsigned long long)index->st_ino);
	while (fgets(line, sizeof line, locks))
		count += strstr(line, " OFDLCK ") && strstr(line, inode);
	fclose(locks);
	return count;
}

static void measure(struct life_long *life, bool early)
{
	struct stat status;
	if (stat(life->index, &status) != 0)
		exit(3);
	const uint64_t now[MEASURES] = {resident_kib(), count_names("/proc/self/fd"), reader_locks(&status),
	                                count_names(life->folder), (uint64_t)status.st_size / 1024};
	for (int i = 0; i < MEASURES; i++) {
		uint64_t *most = early ? life->early : life->most;
		most[i] = most[i] < now[i] ? now[i] : most[i];
		life->last[i] = now[i];
	}
}

/* ---- what is done ---- */

static void open_writer(struct life_long *life)
{
	trawl_writer_options options = {.memory_budget = 16 << 20};
	must(life, trawl_writer_open(&life->writer, life->index, &options, &life->error), "opening a writer");
}

static void change(struct life_long *life)
{
	char id[32], text[2000];
	size_t length = 0;
	snprintf(id, sizeof id, "d%llu", (unsigned long long)random_below(&life->random, life->documents));
	if (random_chance(&life->random, 0.2)) {
		int code = trawl_writer_delete(life->writer, id, strlen(id), &life->error);
		must(life, code == TRAWL_ENOTFOUND ? 0 : code, "deleting");
		return;
	}
	for (size_t words = 20 + random_below(&life->random, 100); words; words--)
		length +=
		    (size_t)snprintf(text + length, sizeof text - length, "w%u ",
		                     (unsigned)(random_below(&life->random, 60) * random_below(&life->random, 60)));
	trawl_document document = {
	    .id = id, .id_length = strlen(id), .title = "", .text = text, .text_length = length, .fields = ""};
	must(life, trawl_writer_add(life->writer, &document, &life->error), "adding");
}

static void read_once(struct life_long *life)
{
	trawl_index *index;
	trawl_searcher *searcher;
	trawl_search_options options = {.top = 10, .count = true};
	trawl_document document;
	size_t count;
	must(life, trawl_open(&index, life->index, &life->error), "opening");
	must(life, trawl_searcher_new(&searcher, index, &life->error), "a searcher");
	must(life, trawl_search(searcher, "w1 \"w2 w4\" +w0", 14, &options, &life->error), "searching");
	const trawl_hit *hits = trawl_hits(searcher, &count);
	for (size_t i = 0; i < count; i++)
		must(life, trawl_hit_document(searcher, hits[i].document, &document, &life->error), "fetching");
	trawl_searcher_free(searcher);
	trawl_close(index);
	life->reads++;
}

/* A process that reads until it is killed. */
static void kill_reader(struct life_long *life)
{
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		for (;;)
			read_once(life);
	usleep((useconds_t)random_below(&life->random, 30000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	life->kills++;
}

static void compact(struct life_long *life)
{
	trawl_writer_close(life->writer);
	must(life, trawl_compact(life->index, true, NULL, &life->error), "compacting");
	open_writer(life);
	life->compactions++;
}

static void check(struct life_long *life)
{
	trawl_check_result result;
	must(life, trawl_check(life->index, NULL, &result, &life->error), "checking");
	if (result.damages) {
		printf("FOUND growth: damage\n");
		exit(1);
	}
}

static void live_a_round(struct life_long *life, uint64_t number)
{
	for (int i = 0; i < ROUND; i++) {
		for (size_t changes = 1 + random_below(&life->random, 40); changes; changes--)
			change(life);
		must(life, trawl_writer_commit(life->writer, &life->error), "committing");
		life->commits++;
		read_once(life);
	}
	kill_reader(life);
	if (number % 7 == 0) { /* a new writer now and then */
		trawl_writer_close(life->writer);
		open_writer(life);
	}
	if (number % life->compact_every == 0)
		compact(life);
	if (number % 50 == 0)
		check(life);
}

static uint64_t judge(const struct life_long *life)
{
	uint64_t found = 0;
	for (int i = 0; i < MEASURES; i++) {
		uint64_t allowed = life->early[i] + life->early[i] / 10 + measure_noise[i];
		bool grown = life->most[i] > allowed;
		printf("  %-20s most in the first third %llu, later %llu, at last %llu%s\n", measure_names[i],
		       (unsigned long long)life->early[i], (unsigned long long)life->most[i],
		       (unsigned long long)life->last[i], grown ? ": GROWN" : "");
		if (grown)
			printf("FOUND growth: %s\n", measure_names[i]);
		found += grown;
	}
	return found;
}

int main(int argc, char **argv)
{
	struct life_long life = {.random = {option_number(argc, argv, "seed", 1)},
	                         .documents = option_number(argc, argv, "documents", 2000),
	                         .compact_every = option_number(argc, argv, "compact", 20)};
	double seconds = (double)option_number(argc, argv, "seconds", 600), begun = clock_now(), told = begun;
	snprintf(life.folder, sizeof life.folder, "%.300s/trawl-growth-%d",
	         option_text(argc, argv, "folder", "/dev/shm"), (int)getpid());
	snprintf(life.index, sizeof life.index, "%s/x.trawl", life.folder);
	if (mkdir(life.folder, 0700) != 0) {
		perror(life.folder);
		return 3;
	}
	open_writer(&life);
	for (uint64_t number = 1; clock_now() - begun < seconds; number++) {
		live_a_round(&life, number);
		measure(&life, clock_now() - begun < seconds / 3);
		if (clock_now() - told > 60) {
			told = clock_now();
			fprintf(stderr, "  growth: %.0f s, %llu commits, %llu KiB resident, file %llu KiB\n",
			        told - begun, (unsigned long long)life.commits, (unsigned long long)life.last[0],
			        (unsigned long long)life.last[4]);
		}
	}
	check(&life);
	uint64_t found = judge(&life);
	printf("  %llu commits, %llu reads here, %llu killed readers, %llu compactions\n",
	       (unsigned long long)life.commits, (unsigned long long)life.reads, (unsigned long long)life.kills,
	       (unsigned long long)life.compactions);
	printf("TOTAL a long life, %.0f s\t%llu\t%llu\t%llu\n", seconds, (unsigned long long)life.commits,
	       (unsigned long long)life.kills + (unsigned long long)life.compactions, (unsigned long long)found);
	trawl_writer_close(life.writer);
	unlink(life.index);
	rmdir(life.folder);
	return found ? 1 : 0;
}
