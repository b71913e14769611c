/*
 * history.h - random histories of an index, and the model that knows what it must hold in the end.
 *
 * The model keeps the live documents in the order in which an index that keeps the order of its input has them: a replaced
 * document is a new one at the end; one that was indexed again without a change stays where it is.
 */
#ifndef TRAWL_TESTS_HISTORY_H
#define TRAWL_TESTS_HISTORY_H

#include "tests/random_corpus.h"

struct history_entry {
	const trawl_document *document; /* NULL: deleted */
	size_t number;                  /* of the id, in the corpus */
};

struct history {
	struct random_corpus corpus;
	struct history_entry *entries; /* in order of addition */
	size_t count, capacity;
	size_t *places;           /* of each id of the corpus: its entry + 1, or 0 */
	bool *pending;            /* of each id: added since the last commit */
	trawl_document **changed; /* other versions of the documents of the corpus */
	size_t changed_count, live;
};

void history_make(struct history *history, struct random *random, size_t documents);
void history_release(struct history *history);

/* Add document `number` of the corpus, or another version of it, to the index and the model. */
void history_put(struct history *history, trawl_writer *writer, size_t number);
void history_change(struct history *history, trawl_writer *writer, struct random *random, size_t number);
/* Delete it, if it lives. */
void history_delete(struct history *history, trawl_writer *writer, size_t number);
void history_commit(struct history *history, trawl_writer *writer);

/* Index the live documents, in order, at once. */
void history_index(const struct history *history, const char *path, const trawl_writer_options *options);

/* Fail unless two indexes answer `queries` random queries alike: ids, and scores to the last bit. */
void assert_same_answers(const char *path, const char *other, const struct random_corpus *corpus, struct random *random,
                         size_t queries);

#endif
