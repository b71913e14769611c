/*
 * power.c - images of a disk whose power failed, built from a recording of all that a scenario wrote, and judged.
 *
 *   faults power scenario=FILE folder=DIR seed=N images=N [first=N] [tool=PROGRAM interpose=LIBRARY] [keep=DIR]
 *
 * A scenario is a list of lines:
 *   commit N        the next N generations (harness.h: with new writers and dropped work now and then)
 *   killed N        a writer of the next generation is killed before its Nth change of a file
 *   abandon         a writer that changes much and is closed without a commit
 *   tool WORDS...   the command-line tool; {index} is the index. It must leave the last generation as it was.
 * `first` and images=1 repeat one image; with keep=DIR images that fail are kept there.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/reliability/disk.h"
#include "tests/reliability/harness.h"
#include "tests/reliability/interpose.h"

enum { GENERATIONS_MAX = 400, FOUND_MAX = 50 };

struct scene {
	struct life life;
	struct home home, image;
	char log[440];
	const char *tool, *interpose, *keep;
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

static int abandon(const struct scene *scene, uint32_t at, trawl_error *error)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	int code = trawl_writer_open(&writer, scene->home.index, &options, error);
	for (uint32_t g = at; !code && g < at + 3; g++)
		code = life_change(&scene->life, writer, g + 1, error);
	trawl_writer_close(writer);
	return code;
}

static int run_tool(const struct scene *scene, char *line)
{
	char *words[32] = {(char *)scene->tool};
	int count = 1;
	for (char *word = strtok(line, " "); word && count < 31; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "{index}") == 0 ? (char *)scene->home.index : word;
	pid_t child = fork();
	if (child == 0) {
		setenv("FAULT_FOLDER", scene->home.folder, 1);
		setenv("FAULT_LOG", scene->log, 1);
		setenv("LD_PRELOAD", scene->interpose, 1);
		execv(scene->tool, words);
		_exit(99);
	}
	return child_wait(child, scene->report);
}

static int play_killed(const struct scene *scene, uint32_t *at, uint64_t call)
{
	fflush(NULL);
	pid_t child = fork();
	int status;
	if (child == 0) {
		trawl_error error;
		fault_plan->calls = CALLS_CHANGE;
		fault_plan->at = call;
		fault_plan->times = 1;
		fault_plan->kill = KILL_BEFORE;
		write_generations(&scene->life, &scene->home, *at + 1, *at + 1, &error);
		_exit(0);
	}
	waitpid(child, &status, 0);
	*at += !WIFSIGNALED(status); /* one that has fewer changes to make lives, and commits */
	return 0;
}

static int play_line(struct scene *scene, char *line, uint32_t *at)
{
	trawl_error *error = &scene->report->why;
	if (strncmp(line, "commit ", 7) == 0) {
		uint32_t to = *at + (uint32_t)strtoul(line + 7, NULL, 10);
		int code = write_generations(&scene->life, &scene->home, *at + 1, to, error);
		*at = to;
		return code;
	}
	if (strncmp(line, "killed ", 7) == 0)
		return play_killed(scene, at, strtoull(line + 7, NULL, 10));
	if (strcmp(line, "abandon") == 0)
		return abandon(scene, *at, error);
	if (strncmp(line, "tool ", 5) == 0)
		return scene->tool && scene->interpose ? run_tool(scene, line + 5) : -1;
	snprintf(error->text, sizeof error->text, "no such command: %.400s", line);
	return -1;
}

/* In a child: play the scenario and record it. */
static void play(struct scene *scene, const char *path)
{
	char line[400];
	uint32_t at = 0;
	FILE *scenario = fopen(path, "re");
	if (!scenario) {
		perror(path);
		_exit(3);
	}
	fault_plan->log = open(scene->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	snprintf(fault_plan->folder, sizeof fault_plan->folder, "%s", scene->home.folder);
	while (!scene->report->code && fgets(line, sizeof line, scenario)) {
		line[strcspn(line, "#\n")] = 0;
		for (size_t end = strlen(line); end && line[end - 1] == ' '; end--)
			line[end - 1] = 0;
		if (line[0])
			scene->report->code = play_line(scene, line, &at);
	}
	scene->report->found = at;
	_exit(0);
}

static void read_log(struct scene *scene)
{
	struct stat status;
	int file = open(scene->log, O_RDONLY | O_CLOEXEC);
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
		scene->records = realloc(scene->records, (scene->record_count + 1) * sizeof *scene->records);
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

static void judge_image(const struct scene *scene, const struct disk *disk, const struct cut *cut, uint64_t number)
{
	struct random random = random_of(scene, number);
	home_clear(&scene->image);
	const struct fault_record *last = cut->middle ? scene->records[cut->change] : NULL;
	scene->tally->pending += disk_image(disk, last, &random, scene->image.folder);
	draw_lock_file(scene, &random);
	judge_index(&scene->life, &scene->image, cut->acknowledged, cut->acknowledged + 1, scene->report);
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

static uint32_t acknowledged_by(const struct scene *scene, const struct fault_record *record, uint32_t before)
{
	char line[32] = "";
	if (record->change != CHANGE_WRITE || record->inode != scene->journal_inode)
		return before;
	memcpy(line, record + 1, record->bytes < sizeof line ? record->bytes : sizeof line - 1);
	return (uint32_t)strtoul(line, NULL, 10);
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
				cut.acknowledged = acknowledged_by(scene, scene->records[cut.change], cut.acknowledged);
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
	unlink(scene->log);
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
	scene.tool = option_text(argc, argv, "tool", NULL);
	scene.interpose = option_text(argc, argv, "interpose", NULL);
	scene.keep = option_text(argc, argv, "keep", NULL);
	/* What one image frees the next one takes: most of the time would go to fresh pages otherwise. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	home_make(&scene.home, base);
	snprintf(folder, sizeof folder, "%.380s-image", base);
	home_make(&scene.image, folder);
	snprintf(scene.log, sizeof scene.log, "%.380s-log", base);
	life_make(&scene.life, seed, GENERATIONS_MAX, 0);
	if (stat(scene.home.folder, &status) != 0)
		return 3;
	scene.folder_inode = status.st_ino;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		play(&scene, scenario);
	if (child_wait(child, scene.report) || scene.report->code) {
		printf("FOUND power: the scenario %s failed by itself: %s\n", scenario, scene.report->why.text);
		scene.failed++;
	} else if (read_log(&scene), !scene.record_count) {
		printf("FOUND power: nothing was recorded of %s\n", scenario);
		scene.failed++;
	} else {
		uint32_t commits = scene.report->found;
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
