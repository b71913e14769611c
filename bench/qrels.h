/* qrels.h - a test collection's questions and the judgements of its documents. */
#ifndef TRAWL_BENCH_QRELS_H
#define TRAWL_BENCH_QRELS_H

#include "bench/support.h"

struct word {
	const char *bytes; /* within the file; not NUL-terminated */
	size_t length;
};

int word_compare(struct word left, struct word right); /* in byte order */

struct topic {
	struct word id;
	const char *text;
	size_t text_length;
	size_t line;
};

struct topics {
	struct bench_file file;
	struct topic *topics; /* in the order of the file */
	size_t count;
};

/* Read lines `id TAB text`; empty lines are passed over. 0 or BENCH_ERROR with a message that names the line. */
int topics_load(struct topics *topics, const char *path);
void topics_release(struct topics *topics);

struct judgement {
	struct word topic, document;
	int relevance; /* 0: judged and not relevant; a negative one in the file becomes 0 */
	size_t line;
};

struct qrels {
	struct bench_file file;
	struct judgement *judgements; /* by topic, then by document, both in byte order */
	size_t count;
	size_t topic_count;     /* different topics */
	size_t relevant_topics; /* with a relevant document at least */
};

/* Read lines `topic iteration document relevance` (TREC), parted by white space; the iteration is ignored. A judgement
 * given twice counts once; two that contradict each other are an error. As topics_load. */
int qrels_load(struct qrels *qrels, const char *path);
void qrels_release(struct qrels *qrels);

/* The judgements of one topic: `*count` of them, in byte order of the documents. */
const struct judgement *qrels_of_topic(const struct qrels *qrels, struct word topic, size_t *count);

/* The relevance of a document among these; 0 when it was not judged. */
int qrels_relevance(const struct judgement *judgements, size_t count, struct word document);

#endif
