/*
 * Damage to an index file: whatever happens to its bytes, answers are the same or refused; trawl_check reports whatever is
 * refused; trawl_salvage brings back no document that was not there.
 *
 * TRAWL_SEED     where the random damage starts (seed.h)
 * TRAWL_TEST     a pattern of the tests to run, as "lies*"
 * TRAWL_KEEP     a folder to which damaged files go that were not answered as they should be
 * TRAWL_DAMAGES  how much is tried: N of each kind (100); "every bit" is every bit when N is at least their number
 * TRAWL_DAMAGE_JOBS  processes that share the work (1)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checker/image.h"
#include "tests/check.h"
#include "tests/child.h"
#include "tests/damage.h"
#include "tests/effort.h"
#include "tests/file_bytes.h"
#include "tests/random_corpus.h"
#include "tests/scratch.h"
#include "tests/seed.h"
#include "trawl.h"

#define BAD_MOST 10 /* of a kind, then it is enough */

static trawl_error error;

static uint64_t damage_count(void)
{
	const char *text = getenv("TRAWL_DAMAGES");
	return text ? strtoull(text, NULL, 10) : (uint64_t)test_size(100, 20);
}

/* ---- what an index answers ------------------------------------------------------------------------------------- */

static uint64_t hash_document(uint64_t hash, const trawl_document *document)
{
	hash = hash_more(hash, document->id, document->id_length);
	hash = hash_more(hash, document->title, document->title_length);
	hash = hash_more(hash, document->text, document->text_length);
	return hash_more(hash, document->fields, document->fields_length);
}

static int hash_hits(trawl_searcher *searcher, uint64_t *hash)
{
	size_t count;
	int status = 0;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	uint64_t matches = trawl_match_count(searcher);
	*hash = hash_more(*hash, &matches, sizeof matches);
	for (size_t i = 0; !status && i < count; i++) {
		trawl_document document;
		trawl_snippet snippet;
		*hash = hash_more(*hash, &hits[i].score, sizeof hits[i].score);
		status = trawl_hit_document(searcher, hits[i].document, &document, &error);
		if (!status)
			*hash = hash_document(*hash, &document);
		if (!status)
			status = trawl_hit_snippet(searcher, hits[i].document, 0, &snippet, &error);
		if (!status)
			*hash = hash_more(*hash, snippet.text, snippet.length);
	}
	return status;
}

static int hash_documents(const trawl_index *index, int ids, int step, uint64_t *hash)
{
	int status = 0;
	for (int i = 0; !status && i < ids; i += step) {
		trawl_stored *handle = NULL;
		trawl_document document;
		char id[16];
		snprintf(id, sizeof id, "d%d", i);
		int found = trawl_fetch(index, id, strlen(id), &handle, &document, &error);
		*hash = hash_more(*hash, &found, sizeof found);
		if (!found)
			*hash = hash_document(*hash, &document);
		else if (found != TRAWL_ENOTFOUND)
			status = found;
		trawl_stored_free(handle);
	}
	return status;
}

static int hash_index(const trawl_index *index, int ids, uint64_t *hash)
{
	static const char *const queries[] = {"baba",
	                                      "+baba +caba -daba",
	                                      "\"baba caba\" faba",
	                                      "ga ha ja ka la",
	                                      "baba caba daba faba gaba haba ba ca da fa",
	                                      "\"ba ca\" \"ca ba\" -\"ba ba\"",
	                                      "w3 w14 \"ba w1\" w159",
	                                      "absent"};
	trawl_searcher *searcher;
	trawl_index_stats stats;
	int status = trawl_get_stats(index, &stats, &error);
	if (status || (status = trawl_searcher_new(&searcher, index, &error)))
		return status;
	*hash = hash_more(*hash, &stats.documents, sizeof stats.documents);
	*hash = hash_more(*hash, &stats.tokens, sizeof stats.tokens);
	for (size_t i = 0; !status && i < sizeof queries / sizeof queries[0]; i++) {
		trawl_search_options options = {.top = ids > 1000 ? 20 : 200, .count = true, .stable_ties = true};
		status = trawl_search(searcher, queries[i], strlen(queries[i]), &options, &error);
		if (!status)
			status = hash_hits(searcher, hash);
	}
	if (!status)
		status = hash_documents(index, ids, ids > 1000 ? ids / 20 : 7, hash);
	trawl_searcher_free(searcher);
	return status;
}

/* ---- indexes to damage ----------------------------------------------------------------------------------------- */

static int read_all(const char *path, int ids, uint64_t *hash)
{
	trawl_index *index;
	int status = trawl_open(&index, path, &error);
	if (status)
		return status;
	status = hash_index(index, ids, hash);
	trawl_close(index);
	return status;
}

static void make_text(char *text, size_t room, struct random *random, bool large)
{
	static const char *const words[] = {"ba", "ca", "da", "fa", "ga", "ha", "ja", "ka", "la", "baba", "caba"};
	size_t length = 0;
	for (size_t left = random_below(random, 60); left && length + 32 < room; left--) {
		if (large && random_chance(random, 0.5))
			length += (size_t)snprintf(text + length, room - length, "w%d ",
			                           (int)(random_below(random, 60) * random_below(random, 60)));
		else
			length +=
			    (size_t)snprintf(text + length, room - length, "%s%s ", words[random_below(random, 11)],
			                     random_chance(random, 0.2) ? "ba" : "");
	}
	text[length] = '\0';
}

#define DELETIONS 7

/* `count` documents of `ids` ids in three commits, so that some are dead; then a commit for each of some deletions. */
static void subject_make(struct subject *subject, int ids, int count, const trawl_writer_options *options)
{
	const char *path = scratch_path("index");
	struct random random = {4};
	trawl_writer *writer;
	*subject = (struct subject){.ids = ids, .large = ids > 1000};
	subject->versions = malloc((size_t)count * sizeof *subject->versions);
	assert_non_null(subject->versions);
	CHECK(trawl_writer_open(&writer, path, options, &error));
	for (int i = 0; i < count; i++) {
		char id[16], text[800];
		snprintf(id, sizeof id, "d%d", i % ids);
		make_text(text, sizeof text, &random, subject->large);
		trawl_document document = {id, strlen(id), "ba", (size_t)(i % 3), text, strlen(text), "{}", 2};
		CHECK(trawl_writer_add(writer, &document, &error));
		subject->versions[subject->version_count++] = hash_document(0, &document);
		if (i == count / 3 || i == 2 * (count / 3))
			CHECK(trawl_writer_commit(writer, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	/* Further commits, so that pages are used again: then stale ones are whole, only old. */
	for (int i = 0; i < DELETIONS + ids % 8; i++) {
		char id[16];
		snprintf(id, sizeof id, "d%d", i);
		assert_true(subject->older_count < OLDER_MOST);
		subject->older[subject->older_count++] = file_read(path);
		CHECK(trawl_writer_open(&writer, path, NULL, &error));
		CHECK(trawl_writer_delete(writer, id, strlen(id), &error));
		CHECK(trawl_writer_commit(writer, &error));
		trawl_writer_close(writer);
	}
	subject->documents = (uint64_t)(count < ids ? count : ids) - DELETIONS - (uint64_t)(ids % 8);
	subject->file = file_read(path);
	CHECK(read_all(path, ids, &subject->answers));
	struct image image;
	CHECK(image_open(&image, path, &error));
	CHECK(image_walk(&image, &error));
	subject->place_count = image.place_count;
	subject->places = malloc(image.place_count * sizeof *image.places);
	assert_non_null(subject->places);
	memcpy(subject->places, image.places, image.place_count * sizeof *image.places);
	image_close(&image);
	scratch_clear();
}

static void subject_release(struct subject *subject)
{
	free(subject->file.bytes);
	for (int i = 0; i < subject->older_count; i++)
		free(subject->older[i].bytes);
	free(subject->versions);
	free(subject->places);
}

static void small_subject(struct subject *subject)
{
	trawl_writer_options options = {.analysis = {.language = "none"}, .memory_budget = 4 << 20};
	subject_make(subject, 120, 150, &options);
}

/* In between: every part has content, and there is time for very many trials. */
static void middle_subject(struct subject *subject)
{
	trawl_writer_options options = {.analysis = {.language = "none"}, .memory_budget = 4 << 20, .bigrams = true};
	subject_make(subject, 800, 1000, &options);
}

static void large_subject(struct subject *subject)
{
	trawl_writer_options options = {.analysis = {.language = "none"}, .memory_budget = 64 << 20, .bigrams = true};
	subject_make(subject, 6000, 6600, &options);
}

/* ---- what is tried with a damaged copy ------------------------------------------------------------------------- */

static const char *const verdict_names[VERDICTS] = {
    "the same",     "refused",    "a wrong answer",         "refused but found whole",
    "an invention", "a miscount", "a lie that is believed", "no error text",
    "dead"};

static bool is_version(const struct subject *subject, uint64_t hash)
{
	for (size_t i = 0; i < subject->version_count; i++)
		if (subject->versions[i] == hash)
			return true;
	return false;
}

/* All that was rescued was there once, and is as much as was told. */
static enum verdict judge_rescued(const struct subject *subject, const char *path, const trawl_salvage_result *result)
{
	trawl_index *index;
	trawl_index_stats stats;
	uint64_t found = 0;
	if (result->lost_exact && result->rescued + result->lost != subject->documents)
		return MISCOUNTED;
	if (!result->rescued)
		return access(path, F_OK) == 0 ? MISCOUNTED : SAME;
	if (trawl_open(&index, path, &error) || trawl_get_stats(index, &stats, &error))
		return DEAD;
	enum verdict verdict = stats.documents == result->rescued ? SAME : MISCOUNTED;
	for (int i = 0; i < subject->ids; i++) {
		trawl_stored *handle = NULL;
		trawl_document document;
		char id[16];
		snprintf(id, sizeof id, "d%d", i);
		if (trawl_fetch(index, id, strlen(id), &handle, &document, &error) == 0) {
			found++;
			if (!is_version(subject, hash_document(0, &document)))
				verdict = INVENTED;
		}
		trawl_stored_free(handle);
	}
	trawl_close(index);
	return found == stats.documents ? verdict : INVENTED;
}

static enum verdict try_salvage(const struct subject *subject, const char *path, bool whole)
{
	char rescued[1100], lock[1110];
	trawl_salvage_result result;
	trawl_salvage_options options = {.analysis = {.language = "none"}, .memory_budget = 4 << 20};
	snprintf(rescued, sizeof rescued, "%s-rescued", path);
	snprintf(lock, sizeof lock, "%s-lock", rescued);
	int status = trawl_salvage(path, rescued, &options, &result, &error);
	enum verdict verdict = status < 0 ? SAME : judge_rescued(subject, rescued, &result);
	if (status < 0 && !error.text[0])
		verdict = SPEECHLESS;
	if (whole && (status < 0 || result.lost || !result.lost_exact))
		verdict = MISCOUNTED;
	unlink(rescued);
	unlink(lock);
	return verdict;
}

/* Search, stats, show, check, and every now and then salvage. */
static enum verdict examine(const struct subject *subject, const char *path, uint64_t turn)
{
	uint64_t hash = 0;
	trawl_check_result quick, result;
	trawl_check_options options = {.quick = true};
	error = (trawl_error){0};
	int status = read_all(path, subject->ids, &hash);
	if (status < 0 && !error.text[0])
		return SPEECHLESS;
	enum verdict verdict = status < 0 ? REFUSED : hash == subject->answers ? SAME : WRONG;
	if (verdict == WRONG)
		return WRONG;
	int quickly = trawl_check(path, &options, &quick, &error);
	int checked = trawl_check(path, NULL, &result, &error);
	bool whole = checked == 0 && result.damages == 0;
	if (whole && (verdict == REFUSED || quickly < 0 || quick.damages))
		return UNREPORTED;
	if (turn % (subject->large ? 16 : 4))
		return verdict;
	enum verdict salvaged = try_salvage(subject, path, whole && verdict == SAME);
	return salvaged == SAME ? verdict : salvaged;
}

/* What trawl_check says of bytes that lie under a good checksum, which other readers may believe. */
static enum verdict examine_lie(const struct subject *subject, const char *path, uint64_t turn)
{
	uint64_t hash = 0;
	trawl_check_result result;
	trawl_check_options options = {.text = true};
	int checked = trawl_check(path, &options, &result, &error);
	if (turn % 8 == 0)
		try_salvage(subject, path, false); /* whatever it brings, it must come to an end */
	if (checked || result.damages)
		return REFUSED;
	int status = read_all(path, subject->ids, &hash);
	return status < 0 ? UNREPORTED : hash == subject->answers ? SAME : BELIEVED;
}

/* Write to the damaged index, then look whether what it answers is still true. */
static enum verdict write_and_read(const struct subject *subject, const char *path, uint64_t turn)
{
	trawl_writer *writer;
	trawl_writer_options options = {.memory_budget = 1 << 20};
	trawl_document document = {.id = "added", .id_length = 5, .text = "zebra", .text_length = 5};
	uint64_t hash = 0;
	trawl_index *index;
	(void)turn;
	int status = trawl_writer_open(&writer, path, &options, &error);
	if (status)
		return REFUSED;
	status = trawl_writer_add(writer, &document, &error);
	if (!status)
		status = trawl_writer_commit(writer, &error);
	if (!status)
		status = trawl_writer_delete(writer, "added", 5, &error);
	if (!status)
		status = trawl_writer_commit(writer, &error);
	trawl_writer_close(writer);
	if (status || trawl_open(&index, path, &error))
		return REFUSED;
	status = hash_index(index, subject->ids, &hash);
	trawl_close(index);
	return status ? REFUSED : hash == subject->answers ? SAME : WRONG;
}

/* ---- damage ---------------------------------------------------------------------------------------------------- */

enum { JOBS_MOST = 64, TOLD_EVERY = 10000 };

/* In memory that a worker shares with its parent: the damages at, at + step, ... are its own. */
struct progress {
	uint64_t at, step, verdicts[VERDICTS];
};

static void put(int file, size_t offset, const void *bytes, size_t length)
{
	if (pwrite(file, bytes, length, (off_t)offset) != (ssize_t)length)
		_exit(90);
}

static void restore(int file, const struct trials *trials, const struct damage *damage)
{
	const struct file *whole = &trials->subject->file;
	if (trials->changes) {
		if (ftruncate(file, 0))
			_exit(91);
		put(file, 0, whole->bytes, whole->length);
	}
	for (int i = 0; i < damage->patch_count && !trials->changes; i++)
		put(file, damage->patches[i].offset, whole->bytes + damage->patches[i].offset,
		    damage->patches[i].length);
	if (damage->length < whole->length && !trials->changes)
		put(file, damage->length, whole->bytes + damage->length, whole->length - damage->length);
}

static void apply(int file, const struct damage *damage)
{
	for (int i = 0; i < damage->patch_count; i++)
		put(file, damage->patches[i].offset, damage->patches[i].bytes, damage->patches[i].length);
	if (ftruncate(file, (off_t)damage->length))
		_exit(92);
}

/* For those who want to look at it. */
static void keep(const struct trials *trials, const struct damage *damage, uint64_t number)
{
	char path[1000];
	const char *folder = getenv("TRAWL_KEEP");
	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%llu-%zu.trawl", folder, (unsigned long long)number,
	         trials->subject->file.length);
	file_write(path, trials->subject->file.bytes, trials->subject->file.length);
	int file = open(path, O_RDWR | O_CLOEXEC);
	apply(file, damage);
	close(file);
}

static void work(const struct trials *trials, struct progress *progress, const char *path)
{
	static struct damage damage;
	int file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		_exit(93);
	for (; progress->at < trials->count; progress->at += progress->step) {
		if (progress->at && progress->at % TOLD_EVERY == 0)
			fprintf(stderr, "  %llu of %llu\n", (unsigned long long)progress->at,
			        (unsigned long long)trials->count);
		damage.patch_count = 0;
		damage.length = trials->subject->file.length;
		trials->make(trials, progress->at, &damage);
		apply(file, &damage);
		alarm(60);
		enum verdict verdict = trials->attempt(trials->subject, path, progress->at);
		alarm(0);
		restore(file, trials, &damage);
		progress->verdicts[verdict]++;
		if (verdict > REFUSED) {
			fprintf(stderr, "  damage %llu, %s: %s\n", (unsigned long long)progress->at, damage.what,
			        verdict_names[verdict]);
			keep(trials, &damage, progress->at);
			progress->at += progress->step;
			_exit(verdict == DEAD ? 95 : 0); /* whatever it did, go on with a new process */
		}
	}
	_exit(0);
}

static uint64_t bad_ones(const struct progress *progress)
{
	uint64_t bad = 0;
	for (int i = WRONG; i < VERDICTS; i++)
		bad += progress->verdicts[i];
	return bad;
}

/* Try each damage of a job, in worker processes: one that dies is followed by another, which goes on with the next. */
static void try_job(const struct trials *trials, struct progress *progress, int job)
{
	static struct damage damage;
	char path[1000], lock[1010];
	snprintf(path, sizeof path, "%.900s-%d", scratch_path("damaged"), job);
	snprintf(lock, sizeof lock, "%s-lock", path);
	while (progress->at < trials->count && bad_ones(progress) < BAD_MOST) {
		file_write(path, trials->subject->file.bytes, trials->subject->file.length);
		unlink(lock);
		pid_t child = fork_mortal(0);
		int status;
		if (child == 0)
			work(trials, progress, path);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		damage.patch_count = 0;
		damage.length = trials->subject->file.length;
		trials->make(trials, progress->at, &damage);
		fprintf(stderr, "  damage %llu, %s: ended with status 0x%x\n", (unsigned long long)progress->at,
		        damage.what, (unsigned)status);
		keep(trials, &damage, progress->at);
		progress->verdicts[DEAD]++;
		progress->at += progress->step;
	}
}

static int damage_jobs(void)
{
	const char *text = getenv("TRAWL_DAMAGE_JOBS");
	int jobs = text ? atoi(text) : 1;
	return jobs < 1 ? 1 : jobs > JOBS_MOST ? JOBS_MOST : jobs;
}

static void try_all(const struct trials *trials)
{
	int jobs = damage_jobs();
	pid_t others[JOBS_MOST];
	struct progress all = {0}, *progress = mmap(NULL, (size_t)jobs * sizeof *progress, PROT_READ | PROT_WRITE,
	                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(progress != MAP_FAILED);
	for (int job = 0; job < jobs; job++) {
		progress[job].at = (uint64_t)job;
		progress[job].step = (uint64_t)jobs;
	}
	scratch_path("damaged"); /* the folder is the parent's */
	for (int job = 1; job < jobs; job++)
		if ((others[job] = fork_mortal(0)) == 0) {
			try_job(trials, &progress[job], job);
			_exit(0);
		}
	try_job(trials, &progress[0], 0);
	for (int job = 1; job < jobs; job++) {
		int status;
		assert_int_equal(waitpid(others[job], &status, 0), others[job]);
		assert_int_equal(status, 0);
	}
	for (int job = 0; job < jobs; job++)
		for (int i = 0; i < VERDICTS; i++)
			all.verdicts[i] += progress[job].verdicts[i];
	munmap(progress, (size_t)jobs * sizeof *progress);
	uint64_t bad = bad_ones(&all), refused = all.verdicts[REFUSED];
	fprintf(stderr, "  seed %llu, %zu bytes: %llu the same, %llu refused, %llu bad\n",
	        (unsigned long long)trials->seed, trials->subject->file.length, (unsigned long long)all.verdicts[SAME],
	        (unsigned long long)refused, (unsigned long long)bad);
	assert_int_equal(bad, 0);
	assert_true(refused > 0 || trials->count < 100); /* the damage must have hit something */
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static struct trials trials_of(const struct subject *subject, uint64_t count,
                               void (*make)(const struct trials *, uint64_t, struct damage *))
{
	return (struct trials){
	    .subject = subject, .count = count, .seed = test_seed(), .make = make, .attempt = examine};
}

static void try_subject(void (*subject_of)(struct subject *), uint64_t count,
                        void (*make)(const struct trials *, uint64_t, struct damage *), bool writing)
{
	struct subject subject;
	subject_of(&subject);
	struct trials trials = trials_of(&subject, count, make);
	trials.changes = writing;
	if (writing)
		trials.attempt = write_and_read;
	try_all(&trials);
	subject_release(&subject);
}

static void try_small(uint64_t count, void (*make)(const struct trials *, uint64_t, struct damage *))
{
	try_subject(small_subject, count, make, false);
}

static void try_writing(uint64_t count, void (*make)(const struct trials *, uint64_t, struct damage *))
{
	try_subject(small_subject, count, make, true);
}

static void a_whole_index_is_found_whole_and_rescued_whole(void **state)
{
	(void)state;
	struct subject subjects[2];
	small_subject(&subjects[0]);
	large_subject(&subjects[1]);
	for (int i = 0; i < 2; i++) {
		const char *path = scratch_path("index");
		trawl_check_result result;
		file_write(path, subjects[i].file.bytes, subjects[i].file.length);
		CHECK(trawl_check(path, NULL, &result, &error));
		assert_int_equal(result.damages, 0);
		assert_int_equal(result.documents, subjects[i].documents);
		assert_int_equal(examine(&subjects[i], path, 0), SAME);
		subject_release(&subjects[i]);
	}
}

static void a_flipped_bit_is_never_a_wrong_answer(void **state)
{
	(void)state;
	try_small(damage_count(), flip_random_bit);
}

static void lies_under_a_good_checksum_are_found(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct subject subject;
		(i ? large_subject : small_subject)(&subject);
		struct trials trials = trials_of(&subject, i ? damage_count() / 4 : damage_count(), lie);
		trials.attempt = examine_lie;
		try_all(&trials);
		subject_release(&subject);
	}
}

static void a_flipped_bit_of_the_tree_is_never_a_wrong_answer(void **state)
{
	(void)state;
	try_small(damage_count(), flip_bit_of_tree);
}

static void every_bit_of_a_tiny_index_may_flip(void **state)
{
	(void)state;
	struct subject subject;
	trawl_writer_options options = {.analysis = {.language = "none"}, .memory_budget = 4 << 20};
	subject_make(&subject, 16, 20, &options);
	uint64_t bits = 8 * (uint64_t)subject.file.length;
	struct trials trials = trials_of(&subject, damage_count() < bits ? damage_count() : bits, flip_each_bit);
	try_all(&trials);
	subject_release(&subject);
}

static void a_writer_survives_flipped_bits(void **state)
{
	(void)state;
	try_writing(damage_count() / 2, flip_random_bit);
	try_writing(damage_count() / 2, flip_bit_of_tree);
}

static void a_writer_survives_damaged_and_stale_pages(void **state)
{
	(void)state;
	try_writing(damage_count() / 2, change_page);
	try_writing(damage_count() / 2, stale_page);
}

/* Were the manifest taken for absent, the writer would begin a new index and sweep the old one's segments. */
static void a_manifest_under_a_damaged_key_is_not_a_new_index(void **state)
{
	(void)state;
	try_writing(2 * damage_count(), flip_manifest_key);
}

/* The older of LMDB's two meta pages names the commit before: it must not pass for the last one. */
static void a_damaged_meta_page_is_never_an_older_commit(void **state)
{
	(void)state;
	for (int count = 16; count < test_size(20, 17);
	     count++) { /* other numbers of documents, other numbers of commits */
		struct subject subject;
		trawl_writer_options options = {.analysis = {.language = "none"}, .memory_budget = 4 << 20};
		subject_make(&subject, count, count, &options);
		struct trials trials = trials_of(&subject, 2 * META_BITS, flip_meta);
		try_all(&trials);
		subject_release(&subject);
	}
}

static void damaged_bytes_and_pages_are_never_a_wrong_answer(void **state)
{
	(void)state;
	try_small(damage_count() / 2, overwrite_run);
	try_small(damage_count(), change_page);
}

static void stale_pages_are_never_a_wrong_answer(void **state)
{
	(void)state;
	try_small(damage_count(), stale_page);
}

static void a_truncated_index_is_refused_or_whole(void **state)
{
	(void)state;
	try_small(damage_count(), cut_off);
	try_writing(damage_count() / 4, cut_off);
}

static void flipped_bits_of_a_larger_index_are_never_a_wrong_answer(void **state)
{
	(void)state;
	try_subject(middle_subject, damage_count() - damage_count() / 4, flip_random_bit, false);
	try_subject(middle_subject, damage_count() / 4, flip_bit_of_tree, false);
}

static void pages_of_a_larger_index_that_are_zeroed_swapped_torn_or_stale_are_never_a_wrong_answer(void **state)
{
	(void)state;
	try_subject(middle_subject, damage_count() / 2, change_page, false);
	try_subject(middle_subject, damage_count() - damage_count() / 2, stale_page, false);
}

static void a_large_index_is_as_safe_as_a_small_one(void **state)
{
	(void)state;
	uint64_t count = damage_count() / 20 + 1;
	try_subject(large_subject, count, flip_random_bit, false);
	try_subject(large_subject, count, flip_bit_of_tree, false);
	try_subject(large_subject, count, change_page, false);
	try_subject(large_subject, count, stale_page, false);
	try_subject(large_subject, count, cut_off, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_whole_index_is_found_whole_and_rescued_whole, clear),
	    cmocka_unit_test_teardown(a_flipped_bit_is_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(a_flipped_bit_of_the_tree_is_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(every_bit_of_a_tiny_index_may_flip, clear),
	    cmocka_unit_test_teardown(lies_under_a_good_checksum_are_found, clear),
	    cmocka_unit_test_teardown(a_writer_survives_flipped_bits, clear),
	    cmocka_unit_test_teardown(a_writer_survives_damaged_and_stale_pages, clear),
	    cmocka_unit_test_teardown(a_manifest_under_a_damaged_key_is_not_a_new_index, clear),
	    cmocka_unit_test_teardown(a_damaged_meta_page_is_never_an_older_commit, clear),
	    cmocka_unit_test_teardown(damaged_bytes_and_pages_are_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(stale_pages_are_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(a_truncated_index_is_refused_or_whole, clear),
	    cmocka_unit_test_teardown(flipped_bits_of_a_larger_index_are_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(
	        pages_of_a_larger_index_that_are_zeroed_swapped_torn_or_stale_are_never_a_wrong_answer, clear),
	    cmocka_unit_test_teardown(a_large_index_is_as_safe_as_a_small_one, clear),
	};
	cmocka_set_test_filter(getenv("TRAWL_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
