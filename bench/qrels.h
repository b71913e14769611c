/* qrels.h - a test collection's judgements of its documents. */
#ifndef TRAWL_BENCH_QRELS_H
#define TRAWL_BENCH_QRELS_H

#include "bench/file.h"

struct judgement {
	struct word topic, document;
	int relevance; /* 0: judged and not relevant; a negative one in the file becomes 0 */
	size_t line;
};

struct qrels {
	struct bench_file file;
	struct judgement *judgements; /* by topic, then by document, both in byte order */
	size_t count, capacity;
	size_t columns;         /* of the file's lines: 3 or 4 */
	size_t topic_count;     /* different topics */
	size_t relevant_topics; /* with a relevant document at least */
};

/* Read lines `topic iteration document relevance` (TREC), of which the iteration is ignored, or `topic document relevance` (BEIR);
 * parted by tabs if there are as many as that takes, else by white space. A heading may stand above. A judgement given twice counts
 * once; one that contradicts an earlier one is a bad line. As topics_load. */
int qrels_load(struct qrels *qrels, const char *path, bool strict);
void qrels_release(struct qrels *qrels);

/* The judgements of one topic: `*count` of them, in byte order of the documents. */
const struct judgement *qrels_of_topic(const struct qrels *qrels, struct word topic, size_t *count);

/* Whether a document was judged among these, and its relevance. */
bool qrels_find(const struct judgement *judgements, size_t count, struct word document, int *relevance);

#endif
