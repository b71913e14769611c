/*
 * power.c - images of a disk whose power failed, built from a recording of all that a scenario wrote, and judged.
 *
 *   faults power scenario=FILE folder=DIR seed=N images=N [first=N] [tool=PROGRAM interpose=LIBRARY] [keep=DIR]
 *
 * A scenario (scenario.h) is a list of commits and commands. `first` and images=1 repeat one image; with keep=DIR images that
 * fail are kept there.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/reliability/disk.h"
#include "tests/reliability/harness.h"
#include "tests/reliability/interpose.h"
#include "tests/reliability/scenario.h"

enum { FOUND_MAX = 50 };

struct scene {
	struct life life;
	struct home home, image;
	struct scenario scenario;
	const char *keep;
	uint8_t *bytes; /* the recording */
	size_t length;
	const struct fault_record **records;
	size_t record_count;
	uint64_t folder_inode, journal_inode;
	uint64_t failed; /* scenarios that could not be played */
	struct report *report;
	struct tally *tally;
};

/* In memory shared with the children that judge. */
struct tally {
	uint64_t done;    /* images of the batch under way */
	uint64_t pending; /* changes, over all images */
	uint64_t found;
	double slowest_open;
};

/* ---- recording ---- */

/* In a child: play the scenario and record it. */
static void play(struct scene *scene)
{
	fault_plan->log = open(scene->scenario.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	snprintf(fault_plan->folder, sizeof fault_plan->folder, "%s", scene->home.folder);
	scenario_play(&scene->scenario, &scene->life, &scene->home, scene->report);
	_exit(0);
}

static void read_log(struct scene *scene)
{
	struct stat status;
	int file = open(scene->scenario.log, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &status) != 0)
		exit(3);
	scene->length = (size_t)status.st_size;
	scene->bytes = malloc(scene->length + 1);
	/* Records begin where the one before ends: at any address, so each is copied to an aligned one. */
	size_t done = 0;
	for (ssize_t got; done < scene->length; done += (size_t)got)
		if ((got = pread(file, scene->bytes + done, scene->length - done, (off_t)done)) <= 0)
			exit(3);
	close(file);
	for (size_t at = 0; at < scene->length;) {
		struct fault_record head;
		memcpy(&head, scene->bytes + at, sizeof head);
		struct fault_record *copy = malloc(sizeof head + head.bytes);
		memcpy(copy, scene->bytes + at, sizeof head + head.bytes);
		at += sizeof head + head.bytes;
		scene->records = realloc(scene->records, (scene->record_count + 1) * sizeof(struct fault_record *));
		scene->records[scene->record_count++] = copy;
		if (head.change == CHANGE_CREATE && strcmp((const char *)(copy + 1), "journal") == 0)
			scene->journal_inode = head.inode;
	}
}

/* ---- judging ---- */

/* LMDB's lock file is in memory that nobody syncs: it may hold anything. */
static void draw_lock_file(const struct scene *scene, struct random *random)
{
	uint8_t bytes[9000];
	size_t length = random_below(random, sizeof bytes);
	uint64_t kind = random_below(random, 4);
	if (kind == 0) {
		unlink(scene->image.lock);
		return;
	}
	if (kind == 1) /* the one of the image before, or what the recording left */
		return;
	for (size_t i = 0; i < length; i++)
		bytes[i] = kind == 2 ? 0 : (uint8_t)random_next(random);
	int file = open(scene->image.lock, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || write(file, bytes, length) != (ssize_t)length)
		exit(3);
	close(file);
}

/* Where in the recording the power fails, and for which images. */
struct cut {
	size_t change;
	bool middle; /* the change is under way; else it is done */
	uint32_t acknowledged;
	bool rescued; /* a salvage was acknowledged */
	uint64_t numbers[1024];
	size_t count;
};

static void keep_image(const struct scene *scene, const struct disk *disk, const struct fault_record *last,
                       struct random again)
{
	char folder[440];
	struct home kept;
	if (!scene->keep)
		return;
	snprintf(folder, sizeof folder, "%.300s/image-%llu", scene->keep, (unsigned long long)scene->tally->found);
	home_make(&kept, folder);
	disk_image(disk, last, &again, kept.folder);
}

static void tell_found(const struct scene *scene, const struct disk *disk, const struct cut *cut, uint64_t number,
                       struct random again)
{
	if (++scene->tally->found > FOUND_MAX)
		return;
	keep_image(scene, disk, cut->middle ? scene->records[cut->change] : NULL, again);
	printf("FOUND power: seed %llu image %llu: cut %s change %zu of %zu, acknowledged %u: %s\n",
	       (unsigned long long)scene->life.seed, (unsigned long long)number, cut->middle ? "in" : "after",
	       cut->change, scene->record_count, cut->acknowledged, scene->report->why.text);
	fflush(stdout);
}

static struct random random_of(const struct scene *scene, uint64_t number)
{
	struct random random = {scene->life.seed * 0x9E3779B97F4A7C15u + number};
	random_next(&random);
	return random;
}

/* What a salvage makes is whole, or not there; cut off in the middle it may also be refused, and can be removed and made again. */
static void judge_rescued(const struct scene *scene, const struct cut *cut)
{
	struct report *report = scene->report;
	trawl_salvage_result result;
	struct home rescued = scene->image;
	uint32_t found, generation = scene->scenario.rescued;
	home_rescued(&scene->image, rescued.index, sizeof rescued.index);
	snprintf(rescued.lock, sizeof rescued.lock, "%.430s-lock", rescued.index);
	trawl_index *index;
	bool there = cut->rescued || trawl_open(&index, rescued.index, &report->why) == 0;
	if (there && !cut->rescued)
		trawl_close(index);
	if (!there) {
		unlink(rescued.index);
		unlink(rescued.lock);
		report->code = trawl_salvage(scene->image.index, rescued.index, NULL, &result, &report->why);
		generation = 0;
	}
	if (!report->code && generation)
		report->code = life_verify(&scene->life, rescued.index, generation, generation, &found, &report->why);
	else if (!report->code)
		report->code = life_verify(&scene->life, rescued.index, cut->acknowledged,
		                           scene->scenario.reach[cut->acknowledged], &found, &report->why);
}

static void judge_image(const struct scene *scene, const struct disk *disk, const struct cut *cut, uint64_t number)
{
	struct random random = random_of(scene, number);
	home_clear(&scene->image);
	const struct fault_record *last = cut->middle ? scene->records[cut->change] : NULL;
	scene->tally->pending += disk_image(disk, last, &random, scene->image.folder);
	draw_lock_file(scene, &random);
	*scene->report = (struct report){0};
	if (scene->scenario.rescued && cut->acknowledged >= scene->scenario.rescued)
		judge_rescued(scene, cut);
	if (!scene->report->code)
		judge_index(&scene->life, &scene->image, cut->acknowledged, scene->scenario.reach[cut->acknowledged],
		            scene->report);
	if (scene->report->code)
		tell_found(scene, disk, cut, number, random_of(scene, number));
	if (scene->report->open_seconds > scene->tally->slowest_open)
		scene->tally->slowest_open = scene->report->open_seconds;
}

/* A child builds and judges all images of a cut; if one of them is its death, another goes on. */
static void judge_cut(const struct scene *scene, const struct disk *disk, const struct cut *cut)
{
	struct tally *tally = scene->tally;
	tally->done = 0;
	while (tally->done < cut->count) {
		fflush(NULL);
		pid_t child = fork();
		if (child == 0) {
			for (; tally->done < cut->count; tally->done++) {
				alarm(600);
				judge_image(scene, disk, cut, cut->numbers[tally->done]);
			}
			_exit(0);
		}
		if (child_wait(child, scene->report)) {
			uint64_t number = cut->numbers[tally->done++];
			tell_found(scene, disk, cut, number, random_of(scene, number));
		}
	}
}

/* What a change of the journal acknowledges. */
static void acknowledge(const struct scene *scene, const struct fault_record *record, struct cut *cut)
{
	char line[32] = "";
	if (record->change != CHANGE_WRITE || record->inode != scene->journal_inode)
		return;
	memcpy(line, record + 1, record->bytes < sizeof line ? record->bytes : sizeof line - 1);
	cut->acknowledged = (uint32_t)strtoul(line, NULL, 10);
	cut->rescued |= strstr(line, "rescued") != NULL;
}

/* Images are spread evenly over the changes; every other one is of the middle of its change. */
static void judge_images(const struct scene *scene, uint64_t first, uint64_t images, uint64_t all)
{
	struct disk *disk = disk_new(scene->folder_inode);
	struct cut cut = {0};
	uint64_t done = 0;
	double said = now_seconds();
	for (cut.change = 0; cut.change < scene->record_count; cut.change++) {
		uint64_t number = all * cut.change / scene->record_count;
		uint64_t end = all * (cut.change + 1) / scene->record_count;
		for (int middle = 1; middle >= 0; middle--) {
			cut.middle = middle;
			cut.count = 0;
			for (uint64_t n = number; n < end; n++) {
				if (n >= first && n < first + images && (n % 2 == 0) == cut.middle)
					cut.numbers[cut.count++] = n;
				if (cut.count == sizeof cut.numbers / sizeof *cut.numbers || n + 1 == end) {
					judge_cut(scene, disk, &cut);
					done += cut.count;
					cut.count = 0;
				}
			}
			if (middle) {
				disk_change(disk, scene->records[cut.change]);
				acknowledge(scene, scene->records[cut.change], &cut);
			}
		}
		if (now_seconds() - said > 5) {
			said = now_seconds();
			fprintf(stderr, "  power: %llu of %llu images, %llu faults found\n", (unsigned long long)done,
			        (unsigned long long)images, (unsigned long long)scene->tally->found);
		}
	}
	disk_free(disk);
}

static void release(struct scene *scene)
{
	for (size_t i = 0; i < scene->record_count; i++)
		free((void *)scene->records[i]);
	free(scene->records);
	free(scene->bytes);
	unlink(scene->scenario.log);
	scenario_remove_inputs(&scene->scenario);
	home_remove(&scene->home);
	home_remove(&scene->image);
	life_release(&scene->life);
}

int power_command(int argc, char **argv)
{
	struct scene scene = {.report = report_shared(), .tally = memory_shared(sizeof(struct tally))};
	struct stat status;
	char folder[440];
	uint64_t seed = option_number(argc, argv, "seed", 1), images = option_number(argc, argv, "images", 2000);
	uint64_t first = option_number(argc, argv, "first", 0), all = option_number(argc, argv, "of", images);
	const char *base = option_text(argc, argv, "folder", "/dev/shm/trawl-power");
	const char *scenario = option_text(argc, argv, "scenario", "tests/reliability/scenarios/commits");
	scene.scenario.path = scenario;
	scene.scenario.tool = option_text(argc, argv, "tool", NULL);
	scene.scenario.interpose = option_text(argc, argv, "interpose", NULL);
	scene.keep = option_text(argc, argv, "keep", NULL);
	/* What one image frees the next one takes: most of the time would go to fresh pages otherwise. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	home_make(&scene.home, base);
	snprintf(folder, sizeof folder, "%.380s-image", base);
	home_make(&scene.image, folder);
	snprintf(scene.scenario.log, sizeof scene.scenario.log, "%.380s-log", base);
	snprintf(scene.scenario.inputs, sizeof scene.scenario.inputs, "%.380s-inputs", base);
	if (scenario_read(&scene.scenario, &scene.report->why) != 0) {
		printf("FOUND power: %s: %s\n", scenario, scene.report->why.text);
		return 3;
	}
	life_make(&scene.life, seed, GENERATIONS_MAX, 0, scene.scenario.kinds);
	if (stat(scene.home.folder, &status) != 0)
		return 3;
	scene.folder_inode = status.st_ino;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		play(&scene);
	if (child_wait(child, scene.report) || scene.report->code) {
		printf("FOUND power: the scenario %s failed by itself: %s\n", scenario, scene.report->why.text);
		scene.failed++;
	} else if (read_log(&scene), !scene.record_count) {
		printf("FOUND power: nothing was recorded of %s\n", scenario);
		scene.failed++;
	} else {
		uint32_t commits = scene.report->found;
		scene.image.rescues = scene.scenario.rescued != 0;
		judge_images(&scene, first, images, all);
		printf("TOTAL power loss, %s\t%llu\t%llu\t%llu\n",
		       strrchr(scenario, '/') ? strrchr(scenario, '/') + 1 : scenario, (unsigned long long)images,
		       (unsigned long long)images, (unsigned long long)scene.tally->found);
		printf("NOTE %u commits, %zu changes recorded, %.1f changes pending an image, slowest open %.1f ms\n",
		       commits, scene.record_count, (double)scene.tally->pending / (double)(images ? images : 1),
		       scene.tally->slowest_open * 1e3);
	}
	release(&scene);
	return scene.failed || scene.tally->found ? 1 : 0;
}
