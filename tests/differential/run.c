#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/differential/program.h"
#include "tests/oracle.h"
#include "tests/scratch.h"

/* A program being run: the index, and the naive scorer as of the last commit. */
struct run {
	const struct program *program;
	const char *path;
	trawl_writer *writer;
	trawl_index *index;
	trawl_searcher *searcher;
	struct naive *naive;
	size_t first_pending; /* step from which on nothing is committed */
	size_t queries;
	char complaint[1400];
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct run *run, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(run->complaint, sizeof run->complaint, format, arguments);
	va_end(arguments);
	return false;
}

static bool worked(struct run *run, int status, const trawl_error *error, const char *doing)
{
	return status >= 0 || wrong(run, "%s: %s: %s", doing, trawl_status_name(status), error->text);
}

static bool open_writer(struct run *run)
{
	trawl_error error = {0};
	trawl_writer_options options = run->program->writer;
	options.analysis = run->program->analysis;
	options.analysis.language = run->program->language;
	return worked(run, trawl_writer_open(&run->writer, run->path, &options, &error), &error, "opening the writer");
}

static trawl_document document_of(const struct step *step)
{
	return (trawl_document){.id = (const char *)step->id.data,
	                        .id_length = step->id.length,
	                        .title = (const char *)step->title.data,
	                        .title_length = step->title.length,
	                        .text = (const char *)step->text.data,
	                        .text_length = step->text.length};
}

static void close_index(struct run *run)
{
	trawl_searcher_free(run->searcher);
	trawl_close(run->index);
	run->searcher = NULL;
	run->index = NULL;
}

static bool statistics_agree(struct run *run)
{
	trawl_index_stats stats;
	trawl_error error = {0};
	if (!worked(run, trawl_get_stats(run->index, &stats, &error), &error, "statistics"))
		return false;
	if (stats.documents != naive_documents(run->naive) || stats.tokens != naive_tokens(run->naive))
		return wrong(run, "%llu documents of %llu tokens, expected %llu of %llu",
		             (unsigned long long)stats.documents, (unsigned long long)stats.tokens,
		             (unsigned long long)naive_documents(run->naive),
		             (unsigned long long)naive_tokens(run->naive));
	return true;
}

/* The last step that made the document `id` before step `end`; NULL when it was deleted after, or never was. */
static bool stored_is_right(struct run *run, const struct step *step)
{
	trawl_error error = {0};
	trawl_stored *stored;
	trawl_document got;
	const trawl_document wanted = document_of(step);
	int status = trawl_fetch(run->index, wanted.id, wanted.id_length, &stored, &got, &error);
	if (!worked(run, status, &error, "fetching a document"))
		return false;
	bool same = got.text_length == wanted.text_length && got.title_length == wanted.title_length &&
	            (!wanted.text_length || memcmp(got.text, wanted.text, wanted.text_length) == 0) &&
	            (!wanted.title_length || memcmp(got.title, wanted.title, wanted.title_length) == 0);
	trawl_stored_free(stored);
	return same || wrong(run, "a fetched document is not the one that was added last");
}

/* Documents of this commit come back: those that no later step of it touches. */
static bool fetches_agree(struct run *run, size_t first, size_t end)
{
	for (size_t looked = 0; end > first && looked < 5; looked++) {
		const struct step *step = &run->program->steps[--end];
		bool last = step->kind == STEP_ADD;
		for (size_t later = end + 1; last && later < run->first_pending; later++) {
			const struct step *other = &run->program->steps[later];
			last = other->id.length != step->id.length ||
			       memcmp(other->id.data, step->id.data, step->id.length) != 0;
		}
		if (last && !stored_is_right(run, step))
			return false;
	}
	return true;
}

static bool commit(struct run *run, size_t at)
{
	trawl_error error = {0};
	size_t first = run->first_pending;
	if (!worked(run, trawl_writer_commit(run->writer, &error), &error, "committing"))
		return false;
	for (size_t i = first; i < at; i++) {
		const struct step *step = &run->program->steps[i];
		const trawl_document document = document_of(step);
		if (step->kind == STEP_ADD)
			naive_put(run->naive, &document);
		else if (step->kind == STEP_DELETE)
			naive_delete(run->naive, document.id, document.id_length);
	}
	run->first_pending = at;
	close_index(run);
	return worked(run, trawl_open(&run->index, run->path, &error), &error, "opening the index") &&
	       worked(run, trawl_searcher_new(&run->searcher, run->index, &error), &error, "a searcher") &&
	       statistics_agree(run) && fetches_agree(run, first, at);
}

static bool query(struct run *run, const struct step *step)
{
	if (!run->searcher)
		return true;
	run->queries++;
	const char *why = oracle_complaint(run->naive, run->searcher, (const char *)step->text.data, step->text.length,
	                                   &step->options, !run->program->writer.no_positions);
	return !why || wrong(run, "%s", why);
}

static bool run_step(struct run *run, size_t at)
{
	const struct step *step = &run->program->steps[at];
	const trawl_document document = document_of(step);
	trawl_error error = {0};
	int status;
	switch (step->kind) {
	case STEP_ADD:
		return worked(run, trawl_writer_add(run->writer, &document, &error), &error, "adding a document");
	case STEP_DELETE:
		status = trawl_writer_delete(run->writer, document.id, document.id_length, &error);
		return status == TRAWL_ENOTFOUND || worked(run, status, &error, "deleting a document");
	case STEP_COMMIT: return commit(run, at);
	case STEP_QUERY: return query(run, step);
	case STEP_REOPEN: break;
	}
	trawl_writer_close(run->writer);
	run->writer = NULL;
	run->first_pending = at;
	return open_writer(run);
}

static bool run_program(struct run *run)
{
	trawl_analysis analysis = run->program->analysis;
	analysis.language = run->program->language;
	run->path = scratch_path("differential.trawl");
	run->naive = naive_new(&analysis);
	bool right = open_writer(run);
	for (size_t i = 0; right && i < run->program->count; i++)
		right = run_step(run, i);
	close_index(run);
	trawl_writer_close(run->writer);
	naive_free(run->naive);
	scratch_clear();
	return right;
}

/* A process of its own: a crash is a complaint, and each program has the kernel that it names. */
bool program_holds(const struct program *program, char *complaint, size_t size, size_t *queries)
{
	int ends[2], status;
	struct run run = {.program = program};
	fflush(NULL);
	if (pipe(ends) != 0)
		abort();
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		setenv("TRAWL_KERNEL", program->kernel, 1);
		bool right = run_program(&run);
		bool told = write(ends[1], &run.queries, sizeof run.queries) == sizeof run.queries &&
		            write(ends[1], run.complaint, strlen(run.complaint) + 1) > 0;
		exit(right && told ? 0 : 1);
	}
	close(ends[1]);
	FILE *from = fdopen(ends[0], "r");
	complaint[0] = 0;
	if (child < 0 || !from || fread(queries, sizeof *queries, 1, from) != 1) {
		*queries = 0;
		snprintf(complaint, size, "it crashed");
	} else {
		size_t got = fread(complaint, 1, size - 1, from);
		complaint[got] = 0;
	}
	fclose(from);
	if (waitpid(child, &status, 0) != child)
		abort();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
