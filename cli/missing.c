#include "cli/missing.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/reserved.h"
#include "cli/terminal.h"

#define NO_ROOT ID_SET_NUMBER_MAX

/* So many of the documents of a root, of at least so many, are too much to go unasked. */
#define MANY_DOCUMENTS 20
#define MUCH_OF_TEN 9

/* Documents that may be missing are fetched one by one up to so many, and a share of all; else all are read in turn. */
#define FETCHES_MAX 65536
#define FETCHES_SHARE 20

/* ---- what is owned, and what a run has seen ---------------------------------------------------------------------- */

bool missing_own(struct missing *missing, const char *path)
{
	if (missing->count == missing->capacity) {
		size_t capacity = 2 * missing->capacity + 8;
		struct missing_root *roots = realloc(missing->roots, capacity * sizeof *roots);
		if (!roots)
			return false;
		missing->roots = roots;
		missing->capacity = capacity;
	}
	char *normal = malloc(strlen(path) + 2);
	if (!normal)
		return false;
	trawl_normal_path(path, normal);
	missing->roots[missing->count++] = (struct missing_root){.path = normal};
	return true;
}

void missing_release(struct missing *missing)
{
	for (size_t i = 0; i < missing->count; i++)
		free(missing->roots[i].path);
	free(missing->roots);
	id_set_release(&missing->seen);
	id_set_release(&missing->read);
	id_set_release(&missing->empty);
	id_list_release(&missing->unread);
	*missing = (struct missing){0};
}

bool file_is_gone(const char *path)
{
	struct stat status;
	if (stat(path, &status) == 0)
		return !S_ISREG(status.st_mode);
	return errno == ENOENT || errno == ENOTDIR;
}

/* Whether the path is `folder`, of `length` bytes, or below it; both in their normal forms. */
static bool covers(const char *folder, size_t length, const char *path)
{
	if (length == 1 && folder[0] == '.')
		return path[0] != '/' && strncmp(path, "../", 3) != 0 && strcmp(path, "..") != 0;
	return strncmp(path, folder, length) == 0 &&
	       (path[length] == 0 || path[length] == '/' || folder[length - 1] == '/');
}

/* The longest root that has the path; NO_ROOT: none. */
static unsigned root_of(const struct missing *missing, const char *path)
{
	size_t longest = 0;
	unsigned found = NO_ROOT;
	for (size_t i = 0; i < missing->count && i < NO_ROOT; i++) {
		size_t length = strlen(missing->roots[i].path);
		if (length > longest && covers(missing->roots[i].path, length, path)) {
			longest = length;
			found = (unsigned)i;
		}
	}
	return found;
}

bool missing_see(struct missing *missing, const trawl_document *document, const char *file)
{
	return !missing->active ||
	       id_set_add(&missing->seen, document->id, document->id_length, file ? root_of(missing, file) : NO_ROOT);
}

bool missing_file(struct missing *missing, const char *path, enum trawl_file_outcome outcome, bool is_document)
{
	if (!missing->active)
		return true;
	size_t length = strlen(path);
	unsigned root = root_of(missing, path);
	if (root != NO_ROOT)
		missing->roots[root].files++;
	switch (outcome) {
	case TRAWL_FILE_READ: return is_document || id_set_add(&missing->read, path, length, 0);
	case TRAWL_FILE_EMPTY: return id_set_add(&missing->empty, path, length, 0);
	default: return id_list_add(&missing->unread, path, length);
	}
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

/* Where a document came from, and which root has it. */
struct place {
	char path[PATH_MAX + 2]; /* in its normal form */
	unsigned root;
	bool respelled; /* its id is the path in another form */
};

/* false: no root has it. */
static bool find_place(const struct missing *missing, const trawl_document *document, struct place *place)
{
	char path[PATH_MAX];
	struct origin origin;
	origin_read(document, &origin);
	bool known = origin.known;
	if (!known)
		origin = (struct origin){.known = true, .is_id = true};
	if (!origin_path(&origin, document, path, sizeof path))
		return false;
	trawl_normal_path(path, place->path);
	place->root = root_of(missing, place->path);
	place->respelled = !known && strcmp(path, place->path) != 0;
	return place->root != NO_ROOT &&
	       (known || strncmp(path, "./", 2) == 0 || strcmp(missing->roots[place->root].path, ".") != 0);
}

static bool is_unread(const struct missing *missing, const char *path)
{
	for (size_t i = 0; i < missing->unread.count; i++) {
		size_t length;
		const char *unread = id_list_get(&missing->unread, i, &length);
		if (covers(unread, length, path))
			return true;
	}
	return false;
}

static bool is_hidden(const char *path)
{
	return strstr(path, "/.") || path[0] == '.';
}

/* Whether a document goes that this run has not yielded. */
static bool is_missing(const struct missing *missing, const struct place *place)
{
	const char *path = place->path;
	size_t length = strlen(path);
	if (is_unread(missing, path))
		return false;
	if (id_set_find(&missing->empty, path, length) >= 0 || id_set_find(&missing->read, path, length) >= 0 ||
	    id_set_find(&missing->seen, path, length) >= 0)
		return true;
	/* What is hidden is in no walk; if it has been named, that is no reason against it. */
	if (!is_hidden(path) &&
	    trawl_source_passes_over(missing->options, missing->roots[place->root].path, path, false))
		return true;
	return file_is_gone(path);
}

/* ---- all documents ----------------------------------------------------------------------------------------------- */

struct search {
	struct missing *missing;
	trawl_index *index;
	trawl_writer *writer;
	trawl_error *error;
	uint64_t documents, unseen;
	struct id_list candidates; /* the first of those unseen */
	struct id_list going;
};

static int fail_memory(trawl_error *error)
{
	snprintf(error->text, sizeof error->text, "out of memory");
	return error->code = TRAWL_ENOMEM;
}

/* Pass by what was seen, which counts for its root. */
static int look_at_id(void *context, const char *id, size_t length)
{
	struct search *search = context;
	struct missing *missing = search->missing;
	int root = id_set_find(&missing->seen, id, length);
	search->documents++;
	if (root >= 0) {
		if (root != NO_ROOT)
			missing->roots[root].known++;
		return TRAWL_OK;
	}
	search->unseen++;
	if (search->unseen <= FETCHES_MAX && !id_list_add(&search->candidates, id, length))
		return fail_memory(search->error);
	return TRAWL_OK;
}

static int look_at_document(struct search *search, const trawl_document *document)
{
	struct missing *missing = search->missing;
	struct place place;
	if (!find_place(missing, document, &place))
		return TRAWL_OK;
	struct missing_root *root = &missing->roots[place.root];
	root->known++;
	if (!is_missing(missing, &place))
		return TRAWL_OK;
	root->going++;
	return id_list_add(&search->going, document->id, document->id_length) ? TRAWL_OK : fail_memory(search->error);
}

static int fetch_candidates(struct search *search)
{
	int result = TRAWL_OK;
	for (size_t i = 0; i < search->candidates.count && result == TRAWL_OK; i++) {
		trawl_stored *stored = NULL;
		trawl_document document;
		size_t length;
		const char *id = id_list_get(&search->candidates, i, &length);
		result = trawl_fetch(search->index, id, length, &stored, &document, search->error);
		if (result == TRAWL_OK)
			result = look_at_document(search, &document);
		trawl_stored_free(stored);
	}
	return result;
}

static int scan_all(struct search *search)
{
	trawl_scan *scan;
	trawl_document document;
	int result = trawl_scan_new(&scan, search->index, false, search->error);
	if (result != TRAWL_OK)
		return result;
	while ((result = trawl_scan_next(scan, &document, search->error)) > 0) {
		if (id_set_find(&search->missing->seen, document.id, document.id_length) < 0)
			result = look_at_document(search, &document);
		else
			result = TRAWL_OK;
		if (result != TRAWL_OK)
			break;
	}
	trawl_scan_free(scan);
	return result;
}

/* ---- what looks like a mistake ----------------------------------------------------------------------------------- */

static bool is_suspicious(const struct missing_root *root)
{
	if (root->going == 0)
		return false;
	return root->files == 0 || (root->known >= MANY_DOCUMENTS && root->going * 10 >= root->known * MUCH_OF_TEN);
}

static bool refuse(struct missing *missing)
{
	for (size_t i = 0; i < missing->count && !missing->yes; i++) {
		const struct missing_root *root = &missing->roots[i];
		char going[NUMBER_SIZE], known[NUMBER_SIZE];
		if (!is_suspicious(root))
			continue;
		missing->refused = true;
		complain("%s %s, and %s of its %s document%s would go: nothing is deleted; if that is meant, say --yes",
		         root->path,
		         root->files == 0 ? "has no files (is its disk mounted?)" : "has lost most of its files",
		         grouped(root->going, going), grouped(root->known, known), root->known == 1 ? "" : "s");
	}
	return missing->refused;
}

static int delete_all(const struct search *search)
{
	int result = TRAWL_OK;
	for (size_t i = 0; i < search->going.count && result == TRAWL_OK; i++) {
		size_t length;
		const char *id = id_list_get(&search->going, i, &length);
		result = trawl_writer_delete(search->writer, id, length, search->error);
		if (result == TRAWL_ENOTFOUND)
			result = TRAWL_OK;
	}
	return result;
}

int missing_delete(struct missing *missing, const char *index_path, trawl_writer *writer, trawl_error *error)
{
	struct search search = {.missing = missing, .writer = writer, .error = error};
	if (missing->count == 0)
		return TRAWL_OK;
	int result = trawl_open(&search.index, index_path, error);
	if (result == TRAWL_ENOTINDEX) /* the writer has it open, so it is one: without a commit yet */
		return TRAWL_OK;
	if (result == TRAWL_OK)
		result = trawl_walk_ids(search.index, look_at_id, &search, error);
	if (result == TRAWL_OK) {
		bool few = search.unseen <= FETCHES_MAX && search.unseen <= search.documents / FETCHES_SHARE + 64;
		result = few ? fetch_candidates(&search) : scan_all(&search);
	}
	if (result == TRAWL_OK && search.going.count > 0 && !refuse(missing))
		result = delete_all(&search);
	id_list_release(&search.candidates);
	id_list_release(&search.going);
	trawl_close(search.index);
	return result;
}
