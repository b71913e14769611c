#include "cli/index_job.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/text.h"

enum { SKIPS_TOLD = 20 };

static volatile sig_atomic_t signal_number;

int caught_signal(void)
{
	return signal_number;
}

static void catch_signal(int number)
{
	signal_number = number;
}

void catch_signals(void)
{
	struct sigaction action = {.sa_handler = catch_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- what is told on the way ----------------------------------------------------------------------------------- */

void job_tell_skip(void *context, const char *place, const char *message)
{
	struct index_job *job = context;
	if (job->source_options.strict)
		return; /* it comes back as the error */
	job->skips_told++;
	if (job->skips_told <= SKIPS_TOLD)
		complain("skipped %s: %s", place, message);
	else if (job->skips_told == SKIPS_TOLD + 1)
		complain("more was skipped; from here on it is only counted");
}

static void draw_progress(struct index_job *job, const trawl_source_progress *source)
{
	char line[160], documents[NUMBER_SIZE], done[NUMBER_SIZE], total[NUMBER_SIZE];
	double seconds = clock_seconds() - job->progress.begun;
	int used = snprintf(line, sizeof line, "%.1f MB/s  %s documents  %s",
	                    seconds > 0 ? (double)job->text_bytes / 1e6 / seconds : 0,
	                    grouped(source->documents, documents), megabytes(source->bytes, done));
	if (source->total_bytes >= source->bytes && source->bytes > 0) {
		double share = (double)source->bytes / (double)source->total_bytes;
		long left = (long)(seconds * (1 - share) / share + 0.5);
		snprintf(line + used, sizeof line - (size_t)used, " of %s (%d%%)  %ld:%02ld left",
		         megabytes(source->total_bytes, total), (int)(share * 100), left / 60, left % 60);
	}
	progress_draw(&job->progress, line);
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static void print_merges(const trawl_writer_stats *written)
{
	char text[2][NUMBER_SIZE];
	uint64_t again = written->merge_bytes + written->compaction_bytes;
	if (written->merges)
		printf("merged segments %s time%s%s", grouped(written->merges, text[0]),
		       written->merges == 1 ? "" : "s", written->compactions ? " and " : "");
	if (written->compactions)
		printf("compacted the file%s", written->compactions > 1 ? " several times" : "");
	if (again && written->segment_bytes)
		printf(", writing %s again (%.1f times what is new); ", megabytes(again, text[1]),
		       (double)again / (double)written->segment_bytes);
	else if (again)
		printf(", writing %s again; ", megabytes(again, text[1]));
	if (written->merges_failed)
		fputs("too little room or memory to merge segments or to compact the file; ", stdout);
}

void job_print_summary(const struct index_job *job)
{
	trawl_source_progress source;
	trawl_writer_stats written;
	char text[8][NUMBER_SIZE], deleted[NUMBER_SIZE + 16] = "";
	trawl_source_get_progress(job->source, &source);
	trawl_writer_get_stats(job->writer, &written);
	uint64_t documents = written.added + written.replaced + written.unchanged,
	         skipped = source.skipped + job->refused;
	double seconds = clock_seconds() - job->progress.begun;
	if (job->json) {
		printf("{\"documents\":%" PRIu64 ",\"added\":%" PRIu64 ",\"replaced\":%" PRIu64
		       ",\"unchanged\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"files\":%" PRIu64 ",\"deleted\":%" PRIu64
		       ",\"text_bytes\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"runs\":%" PRIu64
		       ",\"segment_bytes\":%" PRIu64 ",\"merges\":%" PRIu64 ",\"merge_bytes\":%" PRIu64
		       ",\"merges_failed\":%" PRIu64 ",\"compactions\":%" PRIu64 ",\"compaction_bytes\":%" PRIu64
		       ",\"seconds\":%.3f,\"file_bytes\":%" PRIu64 "}\n",
		       documents, written.added, written.replaced, written.unchanged, skipped, source.files,
		       written.deleted, job->text_bytes, written.tokens, written.runs, written.segment_bytes,
		       written.merges, written.merge_bytes, written.merges_failed, written.compactions,
		       written.compaction_bytes, seconds, file_bytes(job->index_path));
		return;
	}
	if (written.added + written.replaced + written.deleted == 0) {
		printf("nothing changed: %s document%s as %s; skipped %s\n", grouped(documents, text[0]),
		       documents == 1 ? "" : "s", documents == 1 ? "it was" : "they were", grouped(skipped, text[1]));
		return;
	}
	if (job->delete_missing)
		snprintf(deleted, sizeof deleted, ", %s deleted", grouped(written.deleted, text[7]));
	printf("indexed %s document%s (%s added, %s replaced, %s unchanged%s) from %s file%s, %s of text in %.2f s "
	       "(%.1f MB/s); skipped %s; ",
	       grouped(documents, text[0]), documents == 1 ? "" : "s", grouped(written.added, text[1]),
	       grouped(written.replaced, text[2]), grouped(written.unchanged, text[3]), deleted,
	       grouped(source.files, text[4]), source.files == 1 ? "" : "s", megabytes(job->text_bytes, text[5]),
	       seconds, seconds > 0 ? (double)job->text_bytes / 1e6 / seconds : 0, grouped(skipped, text[6]));
	print_merges(&written);
	clean_write(stdout, job->index_path, strlen(job->index_path), CLEAN_LINE);
	printf(" is %s\n", megabytes(file_bytes(job->index_path), text[7]));
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

/* TRAWL_OK, or the error that ends the run. A document that the index cannot hold is skipped, unless strict. */
static int add_document(struct index_job *job, const trawl_document *document, trawl_error *error)
{
	int result = trawl_writer_add(job->writer, document, error);
	if ((result == TRAWL_ELIMIT || result == TRAWL_EINPUT) && !job->source_options.strict) {
		int length = document->id_length < 200 ? (int)document->id_length : 200;
		char place[256];
		snprintf(place, sizeof place, "document %.*s", length, document->id);
		job_tell_skip(job, place, error->text);
		job->refused++;
		return TRAWL_OK;
	}
	if (result != TRAWL_OK)
		return result;
	job->text_bytes += document->title_length + document->text_length;
	job->taken++;
	if (!missing_see(&job->missing, document->id, document->id_length)) {
		snprintf(error->text, sizeof error->text, "out of memory");
		return TRAWL_ENOMEM;
	}
	return TRAWL_OK;
}

static int commit(struct index_job *job, trawl_error *error)
{
	progress_draw(&job->progress, "writing the index");
	trawl_writer_stats before, after;
	trawl_writer_get_stats(job->writer, &before);
	int result = trawl_writer_commit(job->writer, error);
	trawl_writer_get_stats(job->writer, &after);
	if (result == TRAWL_OK || after.commits > before.commits)
		job->committed += job->taken;
	job->taken = 0;
	job->last_commit = clock_seconds();
	return result;
}

static bool commit_is_due(const struct index_job *job)
{
	if (job->commit_documents)
		return job->taken >= job->commit_documents;
	return job->commit_seconds > 0 && job->taken > 0 && clock_seconds() - job->last_commit >= job->commit_seconds;
}

int job_add_all(struct index_job *job, trawl_document *document, trawl_error *error)
{
	trawl_source_progress source;
	int result = document != NULL;
	job->last_commit = clock_seconds();
	while (result > 0) {
		if (caught_signal())
			return 1;
		result = add_document(job, document, error);
		if (result == TRAWL_OK && commit_is_due(job))
			result = commit(job, error);
		if (result < 0)
			return result;
		if (progress_due(&job->progress)) {
			trawl_source_get_progress(job->source, &source);
			draw_progress(job, &source);
		}
		result = trawl_source_next(job->source, document, error);
	}
	return caught_signal() ? 1 : result;
}

int job_finish(struct index_job *job, trawl_error *error)
{
	int result = missing_delete(&job->missing, job->index_path, job->writer, error);
	if (result == TRAWL_OK && caught_signal())
		return 1;
	return result == TRAWL_OK ? commit(job, error) : result;
}

int job_tell_end(const struct index_job *job, int result, const trawl_error *error)
{
	char text[160] = "nothing was committed, the index is as it was before", number[NUMBER_SIZE];
	if (job->committed)
		snprintf(text, sizeof text, "the first %s documents are in the index, what came after them is not",
		         grouped(job->committed, number));
	if (result < 0)
		return complain("%s; %s", error->text, text);
	if (result > 0) {
		complain("stopped; %s", text);
		return EXIT_SIGNAL + caught_signal();
	}
	if (job->skips_told > SKIPS_TOLD)
		complain("skipped %" PRIu64 " in all", job->skips_told);
	if (!job->quiet || job->json)
		job_print_summary(job);
	return EXIT_DONE;
}

void job_end_pass(struct index_job *job)
{
	trawl_writer_close(job->writer);
	trawl_source_close(job->source);
	missing_release(&job->missing);
	job->writer = NULL;
	job->source = NULL;
	job->refused = job->skips_told = job->text_bytes = job->taken = job->committed = 0;
}
