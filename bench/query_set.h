/* query_set.h - the tagged queries of a benchmark. */
#ifndef TRAWL_BENCH_QUERY_SET_H
#define TRAWL_BENCH_QUERY_SET_H

#include "bench/file.h"

#define QUERY_TAGS_MAX 256

struct query {
	const char *text; /* not NUL-terminated */
	size_t length;
	const char *filter; /* NULL: none */
	size_t filter_length;
	size_t line; /* in the file, from 1 */
	uint64_t tags[QUERY_TAGS_MAX / 64];
};

struct query_tag {
	char *name;
	size_t length;
	bool leads; /* it is some query's first tag */
};

struct query_set {
	struct bench_file file;
	struct query *queries;
	size_t count, capacity;
	struct query_tag tags[QUERY_TAGS_MAX]; /* in order of appearance */
	size_t tag_count;
	struct json_t **documents; /* of each query, or NULL: owns the text that is not in the file */
};

/* Read queries, one a line: {"query": "...", "tags": ["...", ...]} with tags and a "filter" optional and other members ignored (for
 * "query" there may be "text"), or the plain text of a query; empty lines are passed over, and bad ones as file_bad_line says. 0 or
 * BENCH_ERROR with a message. */
int query_set_load(struct query_set *set, const char *path, bool strict);
/* Take the queries out for which `dropped` is set. */
void query_set_drop(struct query_set *set, const bool *dropped);
void query_set_release(struct query_set *set);

static inline bool query_has_tag(const struct query *query, size_t tag)
{
	return query->tags[tag / 64] >> (tag % 64) & 1;
}

#endif
